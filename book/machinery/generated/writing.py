"""How the parts of the site are written: tables, figures, texts with fields, and commits, the same from every module."""

from __future__ import annotations

import csv
import string
from collections.abc import Iterable, Sequence
from pathlib import Path

from book.machinery.pictures import with_palette

NOT_MEASURED = {"es": "sin medir", "en": "not measured"}


def write_table(path: Path, rows: Iterable[Sequence], empty: str = "–") -> None:
    """Write ``rows`` as CSV; without any, one that says ``empty``, as Sphinx takes an empty table for an error."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(list(rows) or [[empty]])


def save_figure(path: Path, plot: str, *arguments) -> None:
    """Save one of the figures of :mod:`fmnist_utils.plots`, by its name."""
    import matplotlib
    import matplotlib.pyplot as plt

    from fmnist_utils import plots

    matplotlib.use("agg")
    getattr(plots, plot)(*arguments)
    plt.savefig(path)
    plt.close()
    path.write_bytes(with_palette(path.read_bytes()))


def fill(page: Path, fields: dict[str, str | int]) -> None:
    """Fill in the ``$names`` of a text."""
    page.write_text(string.Template(page.read_text("utf-8")).substitute(fields), "utf-8")


def short(commit: str | None) -> str:
    """Return seven digits of a commit, and its ``+`` if the package had unsaved changes."""
    return f"{commit[:7]}{commit[12:]}" if commit else "–"
