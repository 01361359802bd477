"""Run cases of the scorecard, write results: ``python tests/trust/scorecard.py [R22 R29 …]``.

The table is ``tests/trust/scorecard.json``; naming cases runs and replaces those alone. If one of
them fails, it exits with 1 and that one's line stays as it was; if the tests cannot be run, all do.
"""

from __future__ import annotations

import functools
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
    return _read(HERE / "cases.yaml")


@functools.cache
def _read(path: Path) -> list[dict]:
    return yaml.safe_load(path.read_text("utf-8"))


def find_test(case: str) -> Path | None:
    """Return the file that tests ``case``: as it names, else (R7) ``test_r07_….py``; or None."""
    named = {known["id"]: known.get("test") for known in load_cases()}[case]
    if named:
        return HERE.parent / named
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
        """Return the line of one case: passed, failed, or not run (all was skipped)."""
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
    os.environ["SCORECARD"] = "1"
    paths = [str(file) for file in files.values() if file]
    status = pytest.main(["-q", "-p", "no:cacheprovider", *paths], plugins=[card])
    entries = {case: card.entry(case, file) for case, file in files.items() if file}
    failed = [case for case, entry in entries.items() if entry["result"] == "failed"]
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        print(f"pytest ended with status {status}; {RESULTS.name} stays as it was")
        return 1
    made_with = describe_environment(pick_device("cpu")) | {"date": now()}
    entries = {case: entry | {"date": made_with["date"][:10]} for case, entry in entries.items()}
    known = json.loads(RESULTS.read_text("utf-8"))["cases"] if RESULTS.exists() else {}
    kept = known if wanted else {case: known[case] for case in failed if case in known}
    found = kept | {case: entry for case, entry in entries.items() if case not in failed}
    table = {case: found[case] for case in cases if case in found}
    lines = ",\n".join(f'  "{case}": {json.dumps(entry)}' for case, entry in table.items())
    content = f'{{\n"made_with": {json.dumps(made_with)},\n"cases": {{\n{lines}\n}}\n}}\n'
    RESULTS.write_text(content, "utf-8")
    results = {case: table.get(case, {"result": "not run"})["result"] for case in cases}
    passed = list(results.values()).count("passed")
    print(f"{passed} of {len(cases)} cases passed; the table is in {RESULTS.relative_to(ROOT)}")
    for case, result in results.items():
        if result != "passed":
            print(f"  {case}: {result}")
    if failed:
        print(f"failed: {', '.join(failed)}; the table keeps what it had of them")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
