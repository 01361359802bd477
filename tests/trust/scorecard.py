"""Run the thirty cases and write their results: ``python tests/trust/scorecard.py [R22 R29 …]``.

The table is ``book/results/scorecard.json``; naming cases runs and replaces those alone. Exits with 1 if one of those that were run fails.
"""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RESULTS = ROOT / "tests" / "trust" / "scorecard.json"


def load_cases() -> list[dict]:
    """Return the cases in order, as ``cases.yaml`` has them."""
    return yaml.safe_load((HERE / "cases.yaml").read_text("utf-8"))


def find_test(case: str) -> Path | None:
    """Return the file that tests ``case`` (R7: ``test_r07_….py``), or None."""
    return next(iter(sorted(HERE.glob(f"test_r{int(case[1:]):02d}_*.py"))), None)


class Scorecard:
    """A plugin of pytest that adds up what the tests of each file say."""

    def __init__(self):
        self.results = defaultdict(lambda: {"passed": 0, "failed": 0, "skipped": 0, "seconds": 0.0})

    def pytest_runtest_logreport(self, report):
        result = self.results[Path(report.nodeid.split("::")[0]).name]
        result["seconds"] += report.duration
        if report.when == "call" or report.outcome != "passed":
            result[report.outcome] += 1

    def pytest_collectreport(self, report):
        if report.failed:
            self.results[Path(report.nodeid).name]["failed"] += 1

    def entry(self, case: str, file: Path) -> dict:
        """Return the line of one case: passed, failed, or not run (nothing passed because all was skipped)."""
        found = self.results[file.name]
        outcome = "failed" if found["failed"] else "passed" if found["passed"] else "not run"
        return {
            "result": outcome,
            "tests": found["passed"],
            "skipped": found["skipped"],
            "seconds": round(found["seconds"], 1),
        }


def main(wanted: list[str]) -> int:
    from fmnist_utils.training import pick_device
    from fmnist_utils.workshop.machine import describe_environment, now

    cases = [case["id"] for case in load_cases()]
    if unknown := set(wanted) - set(cases):
        print(
            f"no such case: {', '.join(sorted(unknown))}; there are {cases[0]} to {cases[-1]}",
            file=sys.stderr,
        )
        return 2
    files = {case: find_test(case) for case in wanted or cases}
    card = Scorecard()
    os.chdir(ROOT)
    pytest.main(
        ["-q", "-p", "no:cacheprovider", *(str(file) for file in files.values() if file)],
        plugins=[card],
    )
    table = json.loads(RESULTS.read_text("utf-8"))["cases"] if wanted and RESULTS.exists() else {}
    table |= {case: card.entry(case, file) for case, file in files.items() if file}
    made_with = describe_environment(pick_device("cpu")) | {"date": now()}
    content = {
        "made_with": made_with,
        "cases": {case: table[case] for case in cases if case in table},
    }
    lines = [f'  "{case}": {json.dumps(entry)}' for case, entry in content["cases"].items()]
    made = json.dumps(made_with)
    RESULTS.write_text(
        f'{{\n"made_with": {made},\n"cases": {{\n' + ",\n".join(lines) + "\n}\n}\n", "utf-8"
    )
    passed = [case for case, entry in content["cases"].items() if entry["result"] == "passed"]
    print(
        f"{len(passed)} of {len(cases)} cases passed; the table is in {RESULTS.relative_to(ROOT)}"
    )
    for case in cases:
        if case not in passed:
            print(f"  {case}: {content['cases'].get(case, {'result': 'not run'})['result']}")
    return 1 if any(table[case]["result"] == "failed" for case in files if case in table) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
