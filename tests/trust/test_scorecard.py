"""The scorecard: every case has its test and its words, and a result is what the tests say."""

from __future__ import annotations

import json
import sys

import pytest
import scorecard
from toy_book import ROOT

from book.machinery.generated import reliability
from book.machinery.rules import text as rules

CASES = scorecard.load_cases()
GATES = ["R3", "R6", "R13", "R14", "R18", "R22", "R23", "R29"]
GATES += ["R31", "R32", "R33", "R34", "R35", "R36"]  # wrong numbers without a sign


def test_every_case_has_an_entry_and_a_test():
    assert [case["id"] for case in CASES] == [f"R{number}" for number in range(1, 46)]
    assert not [case["id"] for case in CASES if scorecard.find_test(case["id"]) is None]
    files = {*scorecard.HERE.glob("test_r*.py"), *(ROOT / "tests" / "field").glob("test_*.py")}
    assert files == {scorecard.find_test(case["id"]) for case in CASES}
    assert [case["id"] for case in CASES if case.get("gate")] == GATES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_case_says_the_same_in_both_languages(case):
    assert set(case) <= {"id", "gate", "test", "title", "procedure", "elsewhere"}
    for text in (case["title"], case["procedure"], case.get("elsewhere", {"es": "–", "en": "–"})):
        assert set(text) == {"es", "en"} and all(text.values())
        assert list(rules.differences(text["es"], text["en"])) == []
        assert list(rules.foreign_words(text["es"])) == []


class Collected:
    """A plugin of pytest that notes the files of the tests that are left."""

    def pytest_collection_finish(self, session):
        self.files = {item.path for item in session.items}


def test_gates_hold_in_make_test():
    """At least one test of each gate is not marked nightly."""
    files, collected = [scorecard.find_test(gate) for gate in GATES], Collected()
    options = ["--collect-only", "-q", "-m", "not nightly", "-p", "no:cacheprovider"]
    assert pytest.main([*options, *map(str, files)], plugins=[collected]) == pytest.ExitCode.OK
    assert collected.files == set(files)


@pytest.fixture
def four_cases(tmp_path, monkeypatch):
    """A scorecard of R1, which passes, R2, which fails, R3, skipped, and R4, without a test."""
    monkeypatch.setattr(scorecard, "HERE", tmp_path)
    monkeypatch.setattr(scorecard, "ROOT", tmp_path)
    monkeypatch.setattr(scorecard, "RESULTS", tmp_path / "scorecard.json")
    bodies = {
        "R1": "assert True",
        "R2": "assert False",
        "R3": "import pytest; pytest.skip('no such machine')",
    }
    (tmp_path / "cases.yaml").write_text("\n".join(f"- id: {case}" for case in [*bodies, "R4"]))
    for case, body in bodies.items():
        (tmp_path / f"test_r0{case[1]}_x.py").write_text(f"def test_x():\n    {body}\n")
    yield tmp_path
    for number in range(1, 5):  # pytest imported them into this very process
        sys.modules.pop(f"test_r0{number}_x", None)


def results(folder) -> dict[str, str]:
    table = json.loads((folder / "scorecard.json").read_text())
    return {case: entry["result"] for case, entry in table["cases"].items()}


def test_results_are_what_the_tests_say(four_cases, capsys):
    assert scorecard.main(["R1", "R3"]) == 0
    assert results(four_cases) == {"R1": "passed", "R3": "not run"}
    table = json.loads((four_cases / "scorecard.json").read_text())
    assert table["cases"]["R1"]["date"] == table["made_with"]["date"][:10]
    assert "1 of 4 cases passed" in capsys.readouterr().out
    (four_cases / "test_r02_x.py").write_text("def test_x():\n    assert True\n")
    assert scorecard.main([]) == 0
    assert results(four_cases) == {"R1": "passed", "R2": "passed", "R3": "not run"}
    assert scorecard.main(["R99"]) == 2


def test_what_fails_keeps_its_line_and_what_passes_is_not_lost(four_cases, capsys):
    older = {case: {"result": f"older {case}"} for case in ("R1", "R2", "R3")}
    (four_cases / "scorecard.json").write_text(json.dumps({"cases": older}))
    assert scorecard.main([]) == 1
    assert results(four_cases) == {"R1": "passed", "R2": "older R2", "R3": "not run"}
    assert "failed: R2" in capsys.readouterr().out


@pytest.mark.parametrize("wanted", [[], ["R2"]])
def test_a_run_that_cannot_be_made_leaves_the_table(wanted, four_cases, capsys):
    assert scorecard.main(["R1", "R3"]) == 0
    before = (four_cases / "scorecard.json").read_bytes()
    (four_cases / "test_r02_x.py").write_text("import nothing_at_all\n")
    assert scorecard.main(wanted) == 1
    assert "stays as it was" in capsys.readouterr().out
    assert (four_cases / "scorecard.json").read_bytes() == before


@pytest.mark.parametrize("lang", ["es", "en"])
def test_the_page_shows_a_row_for_every_case(lang, tmp_path):
    (tmp_path / "scorecard.json").write_text(
        json.dumps(
            {
                "made_with": {},
                "cases": {"R1": {"result": "passed", "seconds": 2.0, "date": "2026-11-30"}},
            }
        )
    )
    rows = reliability.case_rows(lang, tmp_path / "scorecard.json")
    assert len(rows) == len(CASES) and all(len(row) == 5 for row in rows)
    assert rows[0][2:] == [{"es": "se cumple", "en": "passes"}[lang], "2", "2026-11-30"]
    assert rows[1][2:] == [{"es": "sin probar", "en": "not tried"}[lang], "–", "–"]
    assert "**R3**" in rows[2][0] and "●" in rows[2][0] and "●" not in rows[0][0]


def test_the_committed_table_is_of_these_cases():
    if scorecard.RESULTS.exists():
        table = json.loads(scorecard.RESULTS.read_text("utf-8"))
        assert set(table["cases"]) <= {case["id"] for case in CASES}
        assert not any("/" in str(value) for value in table["made_with"].values())
