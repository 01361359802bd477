"""The table of the page *What you can rely on*: the cases of ``tests/trust/cases.yaml`` and their results."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from book.machinery.generated.writing import short, write_table
from book.machinery.pages import ROOT

WORDS = {
    "passed": {"es": "se cumple", "en": "passes"},
    "failed": {"es": "**no se cumple**", "en": "**fails**"},
    "not run": {"es": "no se puede probar aquí", "en": "cannot be tried here"},
    "": {"es": "sin probar", "en": "not tried"},
    "elsewhere": {"es": "Aparte", "en": "Apart"},
}


def write(folder: Path, lang: str, executed: dict) -> None:
    """Write ``cases.csv`` and ``made_with.csv`` into ``folder``; the columns are named in ``reliability.md``."""
    scorecard = ROOT / "tests" / "trust" / "scorecard.json"
    made = _read(scorecard).get("made_with", {})
    shown = [
        made.get("date", "–")[:10],
        made.get("torch", "–"),
        made.get("python", "–"),
        made.get("device_name", "–"),
    ]
    write_table(folder / "cases.csv", case_rows(lang, scorecard))
    write_table(folder / "made_with.csv", [[*shown, short(made.get("commit"))]])


def case_rows(lang: str, scorecard: Path) -> list[list[str]]:
    """Return one row for each case: number and title, procedure, result, seconds, and when it was tried."""
    found = _read(scorecard).get("cases", {})
    rows = []
    for case in yaml.safe_load((ROOT / "tests" / "trust" / "cases.yaml").read_text("utf-8")):
        result = found.get(case["id"], {"result": ""})
        apart = (
            f" *{WORDS['elsewhere'][lang]}: {case['elsewhere'][lang]}*"
            if "elsewhere" in case
            else ""
        )
        seconds = f"{result['seconds']:.0f}" if "seconds" in result else "–"
        title = f"**{case['id']}**{' ●' if case.get('gate') else ''} {case['title'][lang]}"
        tried = [WORDS[result["result"]][lang], seconds, result.get("date", "–")]
        rows.append([title, case["procedure"][lang] + apart, *tried])
    return rows


def _read(scorecard: Path) -> dict:
    return json.loads(scorecard.read_text("utf-8")) if scorecard.exists() else {}
