"""Run the tests again and again, and tell which failed how often.

    make soak RUNS=12 REPEATS=50 PYTEST_ARGS=tests/test_many.py

The suite runs RUNS times, every second time with all cores busy. After that each test marked
`racing` (it kills, waits, races or measures time) runs REPEATS times, half of them so.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter, defaultdict
from contextlib import contextmanager
from pathlib import Path

SUITE = ["-m", "not nightly", "-n", "3", "--dist", "loadscope", "--no-loadscope-reorder"]
RACING = ["-m", "racing and not nightly", "--count"]


@contextmanager
def busy_cores():
    """Keep each core busy with a loop that does nothing."""
    loop = [sys.executable, "-c", "while True: pass"]
    loops = [subprocess.Popen(loop) for _ in range(os.cpu_count())]
    try:
        yield
    finally:
        for process in loops:
            process.kill()
            process.wait()


def run(arguments: list[str]) -> tuple[set[str], list[str]]:
    """Run pytest once; return the names of the tests, and one name for each failure."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "--junitxml", report, *arguments]
        status = subprocess.call(command, stdin=subprocess.DEVNULL)
        cases = ElementTree.parse(report).iter("testcase") if report.exists() else []
    names, failures = set(), []
    for case in cases:
        name = f"{case.get('classname')}::{case.get('name')}"
        if "--count" in arguments:  # test_x[7-25] and test_x[hours-7-25] are repetitions
            name = re.sub(r"-?\d+-\d+\]$", "]", name).removesuffix("[]")
        names.add(name)
        if case.find("failure") is not None or case.find("error") is not None:
            failures.append(name)
    if status and not failures:
        failures.append(f"(pytest ended with status {status})")
    return names, failures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=12)
    parser.add_argument("--repeats", type=int, default=50)
    chosen, pytest_arguments = parser.parse_known_args()
    rounds = [(SUITE, number % 2 == 1) for number in range(chosen.runs)]
    for busy, count in ((False, chosen.repeats - chosen.repeats // 2), (True, chosen.repeats // 2)):
        if count:
            rounds.append(([*RACING, str(count)], busy))

    lines, green, racing = [], 0, set()
    failed_in = defaultdict(Counter)  # for each test: how often, in which kind of round
    for arguments, busy in rounds:
        kind = f"{'suite' if arguments is SUITE else 'racing'}, cores {'busy' if busy else 'idle'}"
        started = time.monotonic()
        if busy:
            with busy_cores():
                names, failures = run([*arguments, *pytest_arguments])
        else:
            names, failures = run([*arguments, *pytest_arguments])
        lines.append(f"  {kind:20}{time.monotonic() - started:8.0f} s{len(failures):5} failed")
        if arguments is SUITE:
            green += not failures
        else:
            racing |= names
        for name in failures:
            failed_in[name][kind] += 1

    print("\n", *lines, sep="\n")
    print(f"\nThe suite was green in {green} of {chosen.runs} runs.")
    steady = len(racing - failed_in.keys())
    print(f"{steady} of {len(racing)} racing tests passed {chosen.repeats} of {chosen.repeats}.")
    for name, kinds in sorted(failed_in.items(), key=lambda item: -item[1].total()):
        print(f"  {name}: " + "; ".join(f"{count} × {kind}" for kind, count in kinds.items()))
    return 1 if failed_in else 0


if __name__ == "__main__":
    sys.exit(main())
