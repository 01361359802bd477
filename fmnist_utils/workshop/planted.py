"""Execute page 09 with other seeds, and keep what it notes of each of its errors."""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path
from typing import Any

from fmnist_utils.audit.planted import NAME, REPORT
from fmnist_utils.text import get_language
from fmnist_utils.workshop.execution import find_page, run_page
from fmnist_utils.workshop.store import RunStore

# The page takes three seeds from the one that it is given, and in its search five times two more:
# so far apart, no seed comes twice.
SEEDS = range(0, 1000, 100)
SHOWN = "import json\n\nprint(json.dumps(noted))"


def publish_planted(store: RunStore, seeds: range = SEEDS) -> Path:
    """Execute the page once with each of ``seeds`` and put what it measured with the records.

    Raises:
        PageFailed: if the page does not run to its end.
    """
    errors: dict[str, dict[str, list[float]]] = {}
    for seed in seeds:
        for name, accuracies in measure(seed).items():
            pooled = errors.setdefault(name, {"printed": [], "judged": []})
            pooled["printed"] += accuracies["printed"]
            pooled["judged"] += accuracies["judged"]
    return store.write_sealed(NAME, {"seeds": list(seeds), "errors": errors})


def measure(seed: int) -> dict[str, dict[str, list[float]]]:
    """Return what the page, executed with this seed, has in its variable ``noted``."""
    lang = get_language()
    path, _ = find_page(REPORT, lang)
    notebook: dict[str, Any] = json.loads(path.read_bytes())
    cell = {"cell_type": "code", "id": "noted", "metadata": {}, "source": SHOWN}
    notebook["cells"].append(cell | {"outputs": [], "execution_count": None})
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("page.ipynb").write_text(json.dumps(notebook))
        executed = json.loads(run_page("page.ipynb", {"lang": lang, "seed": seed}).read_bytes())
    pieces = [piece for output in executed["cells"][-1]["outputs"] for piece in output["text"]]
    noted: dict[str, dict[str, list[float]]] = json.loads("".join(pieces))
    return noted
