"""The scorecard itself: every case has its test and its words in both languages, and a result is what the tests say."""

from __future__ import annotations

import json
import subprocess
import sys

from book.machinery import checks
import pytest
from book.machinery.generated import reliability
import scorecard
from toy_book import ROOT

CASES = scorecard.load_cases()
GATES = ["R3", "R6", "R13", "R14", "R18", "R22", "R23", "R29"]


def test_every_case_has_an_entry_and_a_test():
    assert [case["id"] for case in CASES] == [f"R{number}" for number in range(1, 31)]
    assert not [case["id"] for case in CASES if scorecard.find_test(case["id"]) is None]
    files = {path.name for path in scorecard.HERE.glob("test_r*.py")}
    assert files == {scorecard.find_test(case["id"]).name for case in CASES}
    assert [case["id"] for case in CASES if case.get("gate")] == GATES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_case_says_the_same_in_both_languages(case):
    assert set(case) <= {"id", "gate", "title", "procedure", "elsewhere"}
    for text in (case["title"], case["procedure"], case.get("elsewhere", {"es": "–", "en": "–"})):
        assert set(text) == {"es", "en"} and all(text.values())
        assert list(checks.differences(text["es"], text["en"])) == []
        assert list(checks.foreign_words(text["es"])) == []


@pytest.fixture(scope="module")
def tests_of_make_test():
    """What pytest collects of the gates' files without the nightly tests: one process for all, as it imports for ten seconds."""
    files = [str(scorecard.find_test(gate)) for gate in GATES]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "not nightly", *files]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout


@pytest.mark.parametrize("gate", GATES)
def test_gates_hold_in_make_test(gate, tests_of_make_test):
    """At least one test of each gate is not marked nightly."""
    assert f"{scorecard.find_test(gate).name}::test_" in tests_of_make_test


def test_results_are_what_the_tests_say(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(scorecard, "HERE", tmp_path)
    monkeypatch.setattr(scorecard, "ROOT", tmp_path)
    monkeypatch.setattr(scorecard, "RESULTS", tmp_path / "scorecard.json")
    bodies = {
        "R1": "assert True",
        "R2": "assert False",
        "R3": "import pytest; pytest.skip('no such machine')",
        "R4": None,
    }
    (tmp_path / "cases.yaml").write_text("\n".join(f"- id: {case}" for case in bodies))
    for case, body in bodies.items():
        if body:
            (tmp_path / f"test_r0{case[1]}_x.py").write_text(f"def test_x():\n    {body}\n")
    assert scorecard.main([]) == 1
    results = {
        case: entry["result"]
        for case, entry in json.loads((tmp_path / "scorecard.json").read_text())["cases"].items()
    }
    assert results == {"R1": "passed", "R2": "failed", "R3": "not run"}
    assert "1 of 4 cases passed" in capsys.readouterr().out
    (tmp_path / "test_r04_x.py").write_text("def test_x():\n    assert True\n")
    assert (
        scorecard.main(["R3", "R4"]) == 0
    )  # what was run passed; that another case failed is in the table
    results = {
        case: entry["result"]
        for case, entry in json.loads((tmp_path / "scorecard.json").read_text())["cases"].items()
    }
    assert results == {"R1": "passed", "R2": "failed", "R3": "not run", "R4": "passed"}
    assert scorecard.main(["R99"]) == 2


@pytest.mark.parametrize("lang", ["es", "en"])
def test_the_page_shows_a_row_for_every_case(lang, tmp_path):
    (tmp_path / "scorecard.json").write_text(
        json.dumps({"made_with": {}, "cases": {"R1": {"result": "passed", "seconds": 2.0}}})
    )
    rows = reliability.case_rows(lang, tmp_path / "scorecard.json")
    assert len(rows) == 30 and all(len(row) == 4 for row in rows)
    assert rows[0][2:] == [{"es": "se cumple", "en": "passes"}[lang], "2"]
    assert rows[1][2:] == [{"es": "sin probar", "en": "not tried"}[lang], "–"]
    assert "**R3**" in rows[2][0] and "●" in rows[2][0] and "●" not in rows[0][0]


def test_the_committed_table_is_of_these_cases():
    if scorecard.RESULTS.exists():
        table = json.loads(scorecard.RESULTS.read_text("utf-8"))
        assert set(table["cases"]) <= {case["id"] for case in CASES}
        assert not any("/" in str(value) for value in table["made_with"].values())
