"""A recorded run made again, on another day or processor, and how far it is from the first."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from fmnist_utils.audit.records import Run
from fmnist_utils.audit.schema import Report
from fmnist_utils.audit.scrutiny import read_witnesses
from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.files import write_atomically
from fmnist_utils.workshop.store import RunStore

MADE_WITH = ("cpu_name", "instruction_sets", "onednn", "torch", "date")


def make_again(report: Report, first: Run) -> dict[str, Any]:
    """Train the recipe of ``first`` from nothing, in a folder of its own, and compare the two."""
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(folder, folder)  # which has no records, so that it is trained
        again = train(first.recipe, store=store, threads=1, progress=False)
    name = next(iter(sorted(set(first.metrics) & {"test_accuracy", "test_loss"})))
    owners = report.all_recipes().items()
    group = next(name for name, recipes in owners if first.recipe in recipes)
    return {
        "report": report.id,
        "group": group,
        "seed": first.recipe.seed,
        "id": first.id[:12],
        "precision": first.recipe.precision,
        "metric": name,
        "first": first.metrics[name],
        "again": again.metrics[name],
        "same_weights": first.record.weights_sha256 == again.record.weights_sha256,
        "first_made": {key: first.record.made_with.get(key) for key in MADE_WITH},
        "again_made": {key: again.record.made_with.get(key) for key in MADE_WITH},
    }


def keep(entry: dict[str, Any], path: Path) -> None:
    """Put an entry into the file of witnesses, in the place of an earlier one of the same run."""
    entries = [old for old in read_witnesses(path) if old["id"] != entry["id"]]
    entries.append(entry)
    entries.sort(key=lambda known: (known["report"], known["group"]))
    lines = ",\n".join(json.dumps(known, ensure_ascii=False) for known in entries)
    write_atomically(path, f"[\n{lines}\n]\n".encode())
