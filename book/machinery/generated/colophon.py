"""The two tables of the colophon: what each page ran with, and where the committed records come from."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from nbformat import NotebookNode

from book.machinery.generated.writing import short, write_table
from book.machinery.pages import ROOT
from fmnist_utils.audit.records import published_records

REPORTS = ROOT / "fmnist_utils" / "reports"

PAGE_COLUMNS = ["torch", "python", "machine", "seconds", "date", "commit"]


def write(folder: Path, lang: str, executed: dict[str, NotebookNode]) -> None:
    """Write ``pages.csv`` and ``records.csv`` into ``folder``; the columns are named in ``colophon.md``."""
    ran_with = {name: page.metadata["ran_with"] for name, page in executed.items()}
    write_table(folder / "pages.csv", page_rows(ran_with))
    write_table(folder / "records.csv", record_rows(REPORTS))


def page_rows(ran_with: dict[str, dict]) -> list[list[str]]:
    """Return one row for each page: its link and ``PAGE_COLUMNS``."""
    return [
        [f"[](notebooks/{name}.ipynb)", *(ran[column] for column in PAGE_COLUMNS)]
        for name, ran in ran_with.items()
    ]


def record_rows(results: Path) -> list[list[str]]:
    """Return one row for each group of runs: report, group, count, seeds, PyTorch, machine, minutes, dates, commits."""
    groups = defaultdict(list)
    for path, _ in sorted(published_records(results)):
        # Its name is group.protocol.seed0.id.json; a group may have dots.
        group = path.name.rpartition(".seed")[0].rpartition(".")[0]
        groups[path.parents[1].name, group].append(json.loads(path.read_text("utf-8")))
    rows = []
    for (report, group), records in groups.items():
        made = [record["made_with"] for record in records]
        seeds = _different(record["recipe"]["seed"] for record in records)
        minutes = sum(record["seconds"] for record in records) / 60
        versions = _different(entry["torch"] for entry in made)
        machines = _different(map(machine, made))
        dates = _different(entry["date"][:10] for entry in made)
        commits = _different(short(entry["commit"]) for entry in made)
        made_with = [seeds, versions, machines, f"{minutes:.1f}", dates, commits]
        rows.append([report, group, len(records), *made_with])
    return rows


def machine(made_with: dict) -> str:
    """Return the processor and, on a CPU, its number of threads."""
    threads = f" × {made_with['threads']}" if made_with["device"] == "cpu" else ""
    return f"{made_with['device_name']}{threads}"


def _different(items: Iterable) -> str:
    return ", ".join(map(str, sorted(set(items))))
