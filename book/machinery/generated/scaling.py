"""The two tables on how sweeps scale, on the page *How to run it*, of what ``benchmarks/bench_sweep.py`` measured."""

from __future__ import annotations

import json
from pathlib import Path

from book.machinery.generated.writing import NOT_MEASURED, short, write_table

WORDS = {
    "nothing happens": {"es": "no pasa nada", "en": "nothing happens"},
    "as assumed before a sweep": {
        "es": "lo que se supone por defecto",
        "en": "what is assumed by default",
    },
    "rough": {"es": "un mal día", "en": "a rough day"},
}


def write(folder: Path, lang: str, results: Path) -> None:
    """Write ``scaling_*.csv`` into ``folder``; the columns are named in ``how_to_run.md``."""
    path = results / "scaling.json"
    found = json.loads(path.read_text("utf-8")) if path.exists() else {}
    tables = {
        "measured": measured_rows(found),
        "projected": projected_rows(found, lang),
        "made_with": [made_with(found)],
    }
    for name, rows in tables.items():
        write_table(folder / f"scaling_{name}.csv", rows, NOT_MEASURED[lang])


def measured_rows(found: dict) -> list[list[str]]:
    """Return one row for each number of processes: seconds, how many times as fast as one, and the seconds projected."""
    return [
        [count, f"{row['seconds']:.1f}", f"{row['speed_up']:.2f}", f"{row['projected']:.1f}"]
        for count, row in found.get("measured", {}).items()
    ]


def projected_rows(found: dict, lang: str) -> list[list[str]]:
    """Return one row for each set of conditions: what it takes for granted, the hours, and the share of them that is of use."""
    rows = []
    for name, row in found.get("projected", {}).items():
        given = found["conditions"][name]
        assumed = [f"{given['losses_per_day']:g}", f"{given['failing']:.0%}".replace("%", " %")]
        rows.append(
            [WORDS[name][lang], *assumed, f"{row['hours']:.2f}", f"{100 * row['busy']:.0f} %"]
        )
    return rows


def made_with(found: dict) -> list[str]:
    """Return runs, repetitions and start-up seconds; hours of the projected runs, and of the longest; cores, date and commit."""
    start_up = next((f"{row['start_up']:.1f}" for row in found.get("measured", {}).values()), "–")
    row = next(iter(found.get("projected", {}).values()), None)
    hours = [f"{row['hours_alone']:.0f}", f"{row['hours_longest']:.2f}"] if row else ["–", "–"]
    cores = found.get("machine", {}).get("cores", "–")
    known = [found.get("runs", "–"), found.get("repetitions", "–"), start_up, *hours, cores]
    return [*map(str, known), found.get("date", "–")[:10], short(found.get("commit"))]
