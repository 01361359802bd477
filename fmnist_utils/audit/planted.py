"""The errors that page 09 makes on purpose: what its program printed, with more seeds than a page has time for.

``reports/planted.json`` holds what the page's own cells noted in ten executions, each with three seeds of its own.
``fmnist reproduce 09`` makes it where it is missing.
"""

from __future__ import annotations

from fmnist_utils.audit.records import Records, read_sealed

REPORT = "09_ninety_nine"
NAME = "planted.json"


def planted_errors(store: Records | None = None) -> dict[str, dict[str, list[float]]]:
    """Return, for the id of each error, the accuracies that were ``printed`` and those ``judged`` without it.

    Both lists, in [0, 1], have an entry for each seed (of ``search``, for each repetition), in the same order.

    Raises:
        UserError: if the file is missing, not whole, or was altered.
    """
    path = (store or Records()).results / NAME
    errors: dict[str, dict[str, list[float]]] = read_sealed(path)["errors"]
    return errors
