"""The processes of a benchmark: each measurement is a fresh one, and none may take too long."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


class EngineFailed(RuntimeError):
    """A process ended badly, printed no result or took too long."""


class Bench:
    """The processes of one benchmark: ``folder`` holds the data, ``limit`` is in seconds.

    Attributes:
        failed: what could not be measured, as "workload, engine", and why.
    """

    def __init__(self, folder: str, limit: float):
        self.folder, self.limit = folder, limit
        # Each engine decides for itself how many threads it uses.
        self.environment = {
            name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")
        }
        self.environment |= {
            "PYTHONPATH": str(ROOT),
            "JAX_PLATFORMS": "cpu",
            "CUDA_VISIBLE_DEVICES": "",
        }
        self.failed: dict[str, str] = {}

    def child(self, command: list[str]) -> subprocess.Popen:
        """Start a process, in a group of its own, so that what it starts can be ended with it."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, **pipes, env=self.environment, start_new_session=True)

    def start(self, *words: object, **options: object) -> subprocess.Popen:
        """Start ``measure.py``; a list among the options gives several values."""
        command = [
            sys.executable,
            str(HERE / "measure.py"),
            *map(str, words),
            "--data",
            self.folder,
        ]
        for name, value in options.items():
            command += [f"--{name}", *map(str, value if isinstance(value, list) else [value])]
        return self.child(command)

    def outputs(self, children: list[subprocess.Popen]) -> list[str]:
        """Return what each of ``children`` prints.

        Raises:
            EngineFailed: if one of them fails; the others are ended.
        """
        until = time.monotonic() + self.limit
        try:
            return [finish(child, until) for child in children]
        except subprocess.TimeoutExpired as error:
            raise EngineFailed(f"took longer than {self.limit:.0f} s") from error
        finally:
            for child in children:
                end(child)

    def run(self, *words: object, **options: object):
        """Return what ``measure.py`` measures."""
        return result_of(*self.outputs([self.start(*words, **options)]))

    def train(self, *words: object, **options: object) -> dict:
        """Return what ``measure.py`` measures of the training with one seed."""
        [run] = self.run(*words, **options)
        return run

    def side_by_side(
        self, name: str, jobs: int, seeds: Sequence[int], images: int, epochs: int
    ) -> dict:
        """Return what an epoch with ``seeds``, one thread each, takes in ``jobs`` processes.

        As with single runs, neither the start nor the first epoch of each counts; the slowest
        process does. ``peak_mb`` is the sum of the processes, ``losses`` has one list for each
        seed, ``processes`` all that each of them measured.
        """
        shares = [list(seeds[job::jobs]) for job in range(jobs)]
        how = {"images": images, "epochs": epochs + 1, "threads": 1}
        outputs = self.outputs([self.start("ours", name, seed=share, **how) for share in shares])
        made = [result_of(output) for output in outputs]
        return {
            "seconds": [
                None,
                max(sum(statistics.median(run["seconds"][1:]) for run in runs) for runs in made),
            ],
            "peak_mb": sum(max(run["peak_mb"] for run in runs) for runs in made),
            "losses": [run["losses"] for runs in made for run in runs],
            "processes": made,
        }

    def timed(self, code: str) -> tuple[float, str]:
        """Return how long Python takes for ``code``, in seconds, and what it prints."""
        start = time.perf_counter()
        [output] = self.outputs([self.child([sys.executable, "-c", code])])
        return time.perf_counter() - start, output

    def attempt(self, part: str, measure: Callable, *words: object, **options: object):
        """Return what ``measure`` does, or None if it or ``part`` has failed, which is noted."""
        if part in self.failed:
            return None
        try:
            return measure(*words, **options)
        except EngineFailed as error:
            self.failed[part] = str(error)
            note(f"{part}, left out from here on: {error}")
            return None


def finish(child: subprocess.Popen, until: float) -> str:
    """Return what a child prints.

    Raises:
        EngineFailed: if it ended badly, with the last lines of what it wrote.
        subprocess.TimeoutExpired: if it still runs at ``until``, in seconds of ``time.monotonic``.
    """
    output, errors = child.communicate(timeout=max(0, until - time.monotonic()))
    if child.returncode:
        raise EngineFailed("\n".join([f"ended with {child.returncode}", *errors.splitlines()[-5:]]))
    return output


def end(child: subprocess.Popen) -> None:
    """End a child, if it still runs, and whatever it has started."""
    with suppress(
        ProcessLookupError, PermissionError
    ):  # nothing is left; macOS says it in another way
        os.killpg(child.pid, signal.SIGKILL)
    with child:  # closes its pipes and waits for it
        pass


def result_of(output: str):
    """Return the last line of ``output``, which is JSON.

    Raises:
        EngineFailed: if it is not.
    """
    try:
        return json.loads(output.splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise EngineFailed("printed no result") from error


def cores() -> int:
    """Return how many cores this process may use, without importing PyTorch."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def note(words: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {words}", file=sys.stderr, flush=True)
