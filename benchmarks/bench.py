"""The speed of training: the project's engine against what a student would take instead, measured in turns.

    python benchmarks/bench.py [--quick] [--repetitions 5] [--epochs 2] [--workloads ff convae cnn3] [--limit 900]
                               [--output FILE]

Every measurement is a fresh process; the engines take turns, in an order that is reversed each time, so that a busy spell of
the machine strikes all. The first epoch of each process, with its compiling and its first memory, is not counted. Nothing
heavy is imported here: a child's peak memory would begin with that of its parent. An engine that fails is noted and left out;
the others go on.

The result is a JSON file, with every measurement and a summary, and a picture beside it. While it is made, what there is so
far is in a file beside it that ends in ``.part.json``. ``book/speed.py`` makes the tables of the page *How fast, and why* of
such a file, ``benchmarks/speed.json``.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from workloads import FULL_EPOCH, WORKLOADS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
# Each engine: the package it needs, the module that trains, its options.
ENGINES = {
    "ours": ("torch", "ours", []),
    "ours, bfloat16": ("torch", "ours", ["--option", "precision=bfloat16"]),
    "tutorial": ("torchvision", "tutorial", []),
    "lightning": ("lightning", "with_lightning", []),
    "skorch": ("skorch", "with_skorch", []),
    "keras-jax": ("keras", "keras_jax", []),
    "flax": ("flax", "flax_jit", []),
}
PEERS = list(ENGINES)[2:]
SEEDS = 10  # side by side
TEN = "ours, ten seeds"
CHOICES = {  # what is undone or added, by the option that does it
    "resident": ["--option", "without=resident"],
    "kept_memory": ["--option", "without=kept_memory"],
    "channels_last": ["--option", "without=channels_last"],
    "pooling_first": ["--option", "without=pooling_first"],
    "fused": ["--option", "without=fused"],
    "dropout": ["--option", "without=dropout"],
    "one_thread": ["--threads", "1"],
    "bfloat16": ["--option", "extra=bfloat16"],
    "compiled": ["--option", "extra=compiled"],
}
# The workloads that have what a choice is about; the other choices are about all.
WHERE = {
    "channels_last": ("convae", "cnn3"),
    "pooling_first": ("convae", "cnn3"),
    "dropout": ("ff", "cnn3"),
}
FACTORS = (1, 2, 4, 8)
COMMANDS = {
    "python": "pass",
    "imports": """
import json, time
start = time.perf_counter()
import torch
middle = time.perf_counter()
import fmnist_utils.runs
print(json.dumps({"torch": middle - start, "fmnist_utils": time.perf_counter() - middle}))
""",
    "help": "import sys; sys.argv = ['fmnist', '--help']; from fmnist_utils.cli import main; main()",
}
INSTRUCTIONS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
SLOWER = "this machine multiplies slower in bfloat16"


class EngineFailed(RuntimeError):
    """A process ended badly, printed no result or took too long."""


class Bench:
    """The processes of one benchmark: ``folder`` holds the data for all, none may take longer than ``limit`` seconds.

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
        """Return what an epoch of runs with ``seeds``, of one thread each, takes in ``jobs`` processes.

        As with single runs, neither the start nor the first epoch of each counts; the slowest process does. ``peak_mb`` is the
        sum of the processes, ``losses`` has one list for each seed, ``processes`` all that each of them measured.
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
        """Return what ``measure`` does, or None if it fails, which is noted, or if ``part`` has failed before."""
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
    """Return how many cores this process may use, as ``fmnist_utils.runs.available_cores``, which would import PyTorch."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_turn(things: Sequence, turn: int) -> Sequence:
    """Return ``things``, in every other turn from the last to the first."""
    return things[:: -1 if turn % 2 else 1]


def note(words: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {words}", file=sys.stderr, flush=True)


def compare(
    bench: Bench, chosen: argparse.Namespace, engines: list[str]
) -> Iterator[tuple[list[dict], dict[str, dict]]]:
    """Yield after each turn the runs of all engines, and the rates of the machine measured between them.

    Where a product of matrices is slower in bfloat16, nothing is trained with it: emulated, it takes many times as long.
    """
    runs, rates = [], {}
    for turn in range(chosen.repetitions):
        for name, rate in bench.run("rates").items():
            rates.setdefault(name, []).append(rate)
        if not turn and rates["gemm_bfloat16"][0] < rates["gemm_float32"][0]:
            note(f"without bfloat16: {SLOWER}")
            both = [name for name in ("ours, bfloat16", "bfloat16") if name in (*engines, *CHOICES)]
            bench.failed |= {
                f"{name}, {each}": SLOWER for name in chosen.workloads for each in both
            }
        for name in chosen.workloads:
            images = chosen.images[name]
            for engine in in_turn([*engines, TEN] if name == "ff" else engines, turn):
                if engine == TEN:
                    seeds = range(turn * SEEDS, (turn + 1) * SEEDS)
                    how = (
                        bench.side_by_side,
                        name,
                        min(cores(), SEEDS),
                        seeds,
                        images,
                        chosen.epochs,
                    )
                    made = bench.attempt(f"{name}, {engine}", *how)
                else:
                    _, module, options = ENGINES[engine]
                    how = {"images": images, "epochs": chosen.epochs + 1, "seed": turn}
                    made = bench.attempt(
                        f"{name}, {engine}", bench.train, module, name, *options, **how
                    )
                if made:
                    runs.append(
                        {"workload": name, "engine": engine, "turn": turn, "images": images, **made}
                    )
                    note(
                        f"{turn + 1}/{chosen.repetitions} {name}, {engine}: {epoch_seconds(runs[-1]):.2f} s per epoch"
                    )
        yield runs, {name: measured(values) for name, values in rates.items()}


def epoch_seconds(run: dict) -> float:
    """Return the seconds of an epoch of 60,000 images: the median of all epochs but the first."""
    return statistics.median(run["seconds"][1:]) * FULL_EPOCH / run["images"]


def spread(values: list[float]) -> dict[str, float]:
    """Return median, smallest and largest of ``values``, and how many they are."""
    return {
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
        "n": len(values),
    }


def measured(values: list[float]) -> dict[str, object]:
    """Return the spread of ``values`` and the values themselves."""
    return spread(values) | {"values": values}


def ratios(seconds: dict, base: object, proportional: bool = False) -> dict:
    """Return for each kind of run the spread of its seconds over those of ``base`` in the same turn, and the seconds.

    If they are to be ``proportional``, kinds are numbers, and it is over as many times those of ``base``.
    """
    found = {}
    for kind, took in seconds.items():
        pairs = list(zip(took, seconds[base], strict=False))  # one that failed has fewer turns
        if pairs:
            work = kind if proportional else 1
            found[kind] = spread([mine / (work * its) for mine, its in pairs]) | {"seconds": took}
    return found


def summarize(runs: list[dict]) -> list[dict]:
    """Return one row for each workload and engine: seconds, peak memory, last loss and whether its losses agree with ours.

    ``than_ours``, ``than_tutorial`` and, for our engines, ``than_best_peer`` say how many times as fast it is, within each
    turn; ``memory_ratio`` compares its peak memory with the tutorial's; ``gap`` is how far its last loss is from ours. Ten
    seeds at once are compared with ten runs in a row; their memory is that of all their processes.
    """
    made: dict[tuple[str, str], dict[int, dict]] = {}
    for run in runs:
        made.setdefault((run["workload"], run["engine"]), {})[run["turn"]] = run
    rows = []
    for (name, engine), by_turn in made.items():
        losses = losses_of(by_turn)
        apart = gaps(losses, losses_of(made.get((name, "ours"), {})))
        row = {
            "workload": name,
            "engine": engine,
            "seconds": spread([epoch_seconds(run) for run in by_turn.values()]),
            "peak_mb": spread([run["peak_mb"] for run in by_turn.values()]),
            "loss": spread([epochs[-1] for epochs in losses]),
            "agrees": all(gap["difference"] <= gap["tolerance"] for gap in apart)
            if apart
            else None,
            "gap": apart[-1] if apart else None,
        }
        others = {
            "ours": "ours",
            "tutorial": "tutorial",
            "best_peer": engine.startswith("ours") and best_peer(made, name),
        }
        for label, other in others.items():
            theirs = made.get((name, other), {})
            pairs = [(run, theirs[turn]) for turn, run in by_turn.items() if turn in theirs]
            if pairs:
                work = SEEDS if engine == TEN else 1
                row[f"than_{label}"] = spread(
                    [work * epoch_seconds(b) / epoch_seconds(a) for a, b in pairs]
                )
            if pairs and label == "tutorial":
                row["memory_ratio"] = spread([a["peak_mb"] / b["peak_mb"] for a, b in pairs])
        rows.append(row)
    return rows


def losses_of(by_turn: dict[int, dict]) -> list[list[float]]:
    """Return the running losses, one for each epoch, of every seed that an engine was trained with."""
    return [
        losses
        for run in by_turn.values()
        for losses in (run["losses"] if run["engine"] == TEN else [run["losses"]])
    ]


def best_peer(made: dict[tuple[str, str], dict[int, dict]], name: str) -> str | None:
    """Return the engine with the smallest median that is not ours."""
    medians = {
        engine: statistics.median(map(epoch_seconds, by_turn.values()))
        for (workload, engine), by_turn in made.items()
        if workload == name and engine in PEERS
    }
    return min(medians, key=medians.get, default=None)


def gaps(theirs: list[list[float]], ours: list[list[float]]) -> list[dict[str, float]]:
    """Return for each epoch how far apart the mean running losses of two engines are and may be, as shares of ours.

    They may differ by four standard errors, the noise of their seeds, or by 2 % where seeds by chance lie close together. Two
    seeds do not tell how far seeds lie apart: with fewer than three the list is empty.
    """
    if min(len(theirs), len(ours)) < 3:
        return []
    found = []
    for epoch in zip(zip(*theirs, strict=True), zip(*ours, strict=True), strict=True):
        their_mean, mean = map(statistics.mean, epoch)
        error = math.sqrt(sum(statistics.variance(losses) / len(losses) for losses in epoch))
        found.append(
            {"difference": abs(their_mean - mean) / mean, "tolerance": max(4 * error / mean, 0.02)}
        )
    return found


def linearity(bench: Bench, chosen: argparse.Namespace) -> Iterator[dict[str, dict[int, dict]]]:
    """Yield after each turn how the time of ff grows with epochs, images and jobs.

    For each factor it is the seconds over (factor × those of factor 1), and over those of factor 1 for jobs at once, of which
    each has as much to do as one alone.
    """
    images = chosen.images.get("ff", 8000)
    part, most = images // 8, cores()
    seconds = {name: {factor: [] for factor in FACTORS} for name in ("epochs", "images", "jobs")}
    for turn in range(chosen.repetitions):
        if run := bench.attempt(
            "ff, 9 epochs", bench.train, "ours", "ff", images=part, epochs=9, seed=turn
        ):
            for factor in FACTORS:
                seconds["epochs"][factor].append(sum(run["seconds"][1 : 1 + factor]))
        for factor in in_turn(FACTORS, turn):
            how = {"images": factor * part, "epochs": 4, "seed": turn}
            if run := bench.attempt(
                f"ff, {factor} eighths of the images", bench.train, "ours", "ff", **how
            ):
                seconds["images"][factor].append(statistics.median(run["seconds"][1:]))
            how = (bench.side_by_side, "ff", factor, range(2 * factor), images, 3)
            if factor <= most and (run := bench.attempt(f"ff, {factor} jobs", *how)):
                seconds["jobs"][factor].append(run["seconds"][1])
        note(f"{turn + 1}/{chosen.repetitions} linearity")
        yield {name: ratios(took, 1, proportional=name != "jobs") for name, took in seconds.items()}


def start_up(
    bench: Bench, chosen: argparse.Namespace, engines: list[str]
) -> Iterator[dict[str, dict]]:
    """Yield after each turn the seconds from the start of a process to the end of its first step, for each engine on ff.

    Also those of commands, and of importing PyTorch and then this project within one process.
    """
    found: dict[str, dict[str, list[float]]] = {"first_step": {}, "commands": {}, "imports": {}}
    for turn in range(chosen.repetitions):
        for engine in in_turn(engines, turn):
            _, module, options = ENGINES[engine]
            start = time.time()
            if run := bench.attempt(
                f"ff, {engine}", bench.train, module, "ff", *options, images=100, epochs=1
            ):
                found["first_step"].setdefault(engine, []).append(run["ended"] - start)
        for name in in_turn(list(COMMANDS), turn):
            if made := bench.attempt(f"start, {name}", bench.timed, COMMANDS[name]):
                found["commands"].setdefault(name, []).append(made[0])
                for package, seconds in (result_of(made[1]) if name == "imports" else {}).items():
                    found["imports"].setdefault(package, []).append(seconds)
        note(f"{turn + 1}/{chosen.repetitions} starting")
        yield {
            part: {name: measured(seconds) for name, seconds in by_name.items()}
            for part, by_name in found.items()
        }


def choices(bench: Bench, chosen: argparse.Namespace, name: str) -> Iterator[dict[str, dict]]:
    """Yield after each turn, for each choice of ours, how many times as long an epoch takes with that alone changed."""
    images = chosen.images[name] // (1 if name == "ff" else 4)  # of ff all: an epoch of it is short
    changes = {"ours": []} | {
        choice: how for choice, how in CHOICES.items() if name in WHERE.get(choice, WORKLOADS)
    }
    seconds: dict[str, list[float]] = {change: [] for change in changes}
    for turn in range(chosen.repetitions):
        for change in in_turn(list(changes), turn):
            if change == "compiled" and (turn or chosen.quick):
                continue  # it takes a minute to begin
            how = {"images": images, "epochs": chosen.epochs + 1, "seed": turn}
            if run := bench.attempt(
                f"{name}, {change}", bench.train, "ours", name, *changes[change], **how
            ):
                seconds[change].append(statistics.median(run["seconds"][1:]))
        note(f"{turn + 1}/{chosen.repetitions} {name}, choices")
        yield ratios(seconds, "ours")


def limits(
    rates: dict[str, dict], operations: dict[str, dict], rows: list[dict]
) -> dict[str, dict]:
    """Return for each workload what share of its time its multiplications alone would take at the machine's own rate."""
    found = {}
    for name, gflops in operations.items():
        steps = FULL_EPOCH / WORKLOADS[name].batch_size
        for precision, engine in (("float32", "ours"), ("bfloat16", "ours, bfloat16")):
            row = next(
                (row for row in rows if row["workload"] == name and row["engine"] == engine), None
            )
            if row:
                least = sum(
                    steps * gflop / rates[f"{kind}_{precision}"]["median"]
                    for kind, gflop in gflops.items()
                )
                found.setdefault(name, {})[precision] = least / row["seconds"]["median"]
    return found


def hardware() -> dict[str, object]:
    """Return the processor, those of its instructions that decide its speed, the cores and the memory of this machine."""
    cpu, flags = platform.processor() or platform.machine(), ""
    if Path("/proc/cpuinfo").exists():
        lines = [line.partition(":") for line in Path("/proc/cpuinfo").read_text().splitlines()]
        told = {name.strip(): value.strip() for name, _, value in lines}
        cpu, flags = told.get("model name", cpu), told.get("flags", "")
    return {
        "cpu": cpu,
        "instructions": [name for name in INSTRUCTIONS if name in flags.split()],
        "cores": cores(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.system(),
    }


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that are here."""
    packages = ("torch", "torchvision", "lightning", "skorch", "keras", "jax", "flax")
    return {"python": platform.python_version()} | {
        name: version(name) for name in packages if importlib.util.find_spec(name)
    }


def commit() -> str | None:
    """Return the commit of this checkout, with ``+`` if it has other changes; None outside one."""
    try:
        git = ["git", "-C", str(ROOT)]
        made = subprocess.run(
            [*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip()
        changed = subprocess.run(
            [*git, "status", "--porcelain"], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
    return made + ("+" if changed else "")


def measure_all(chosen: argparse.Namespace) -> dict:
    """Return all measurements and their summary."""
    engines = [engine for engine in chosen.engines if importlib.util.find_spec(ENGINES[engine][0])]
    missing = [engine for engine in chosen.engines if engine not in engines]
    if missing:
        note(f"not installed, so not measured: {', '.join(missing)}")
    began, result = time.time(), {}

    def keep(**found: object) -> None:
        result.update(found)
        write(chosen.output.with_suffix(".part.json"), result)

    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder, chosen.limit)
        how = {
            "repetitions": chosen.repetitions,
            "epochs": chosen.epochs,
            "images": chosen.images,
            "seeds": SEEDS,
        }
        keep(
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            commit=commit(),
            hardware=hardware(),
            versions=versions(),
            how=how | {"limit": chosen.limit},
            data=bench.run("save", source=chosen.source)["data"],
            missing=missing,
            failed=bench.failed,
        )
        for runs, rates in compare(bench, chosen, engines):
            keep(summary=summarize(runs), rates=rates, runs=runs)
        operations = measure_each(bench, chosen, "operations")
        keep(operations=operations, limits=limits(rates, operations, result["summary"]))
        keep(profile=measure_each(bench, chosen, "profile"), choices={})
        for name in chosen.workloads:
            for found in choices(bench, chosen, name):
                keep(choices=result["choices"] | {name: found})
        for found in linearity(bench, chosen):
            keep(linearity=found)
        for found in start_up(bench, chosen, engines):
            keep(start=found)
    return result | {"minutes": (time.time() - began) / 60}


def measure_each(bench: Bench, chosen: argparse.Namespace, what: str) -> dict[str, dict]:
    """Return what ``measure.py`` says of each workload, with a quarter of its images; those that fail are left out."""
    found = {}
    for name in chosen.workloads:
        images = max(chosen.images[name] // 4, WORKLOADS[name].batch_size)
        if made := bench.attempt(f"{name}, {what}", bench.run, what, name, images=images):
            found[name] = made
    return found


def write(path: Path, result: dict) -> None:
    """Write a result as JSON; the folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


def table(result: dict) -> str:
    """Return the comparison as text, and what failed."""
    lines = [
        f"{result['hardware']['cpu']}, {result['hardware']['cores']} cores, {result['date'][:10]}; "
        + ", ".join(f"{name} {number}" for name, number in result["versions"].items()),
        f"data: {result['data']}; seconds per epoch of 60,000 images: median, lowest, highest;",
        "and how many times as fast as others; memory in MB and over the tutorial's;",
        "how far the last loss is from ours and may be, in %, and whether those of all epochs agree",
        "",
        f"{'':28}{'median':>8}{'min':>8}{'max':>8}{'tutorial':>10}{'best peer':>10}{'ours':>7}{'MB':>7}{'ratio':>7}"
        "  same loss",
    ]
    for row in result["summary"]:
        seconds = "".join(f"{row['seconds'][name]:8.2f}" for name in ("median", "min", "max"))
        columns = (("than_tutorial", 10), ("than_best_peer", 10), ("than_ours", 7))
        than = "".join(
            f"{row[name]['median']:{width}.2f}" if name in row else " " * width
            for name, width in columns
        )
        memory = f"{row['peak_mb']['median']:7.0f}"
        memory += f"{row['memory_ratio']['median']:7.2f}" if "memory_ratio" in row else " " * 7
        agrees = {True: "yes", False: "NO", None: ""}[row["agrees"]]
        if row["gap"]:
            agrees = f"{100 * row['gap']['difference']:.1f} of {100 * row['gap']['tolerance']:.1f}  {agrees}"
        lines.append(
            f"{row['workload'] + ': ' + row['engine']:28}{seconds}{than}{memory}  {agrees}"
        )
    failed = [
        f"failed: {part}: {reason.splitlines()[-1]}" for part, reason in result["failed"].items()
    ]
    return "\n".join(lines + failed)


def draw(result: dict, path: Path) -> None:
    """Draw the seconds of every engine into ``path``."""
    import matplotlib

    matplotlib.use("agg")
    sys.path.insert(0, str(ROOT))
    import matplotlib.pyplot as plt

    from fmnist_utils import plots

    plots.epoch_times(times(result) or {"–": {}})
    plt.savefig(path)


def times(result: dict) -> dict[str, dict[str, list[float]]]:
    """Return the epoch seconds of each run: workload -> engine -> one value a turn."""
    found: dict[str, dict[str, list[float]]] = {}
    for run in result["runs"]:
        if run["engine"] != TEN:
            found.setdefault(run["workload"], {}).setdefault(run["engine"], []).append(
                epoch_seconds(run)
            )
    return found


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--repetitions", type=int, default=5, help="fresh processes for each engine"
    )
    parser.add_argument(
        "--epochs",
        type=int,
        default=2,
        help="epochs measured in each process, after a first that is not",
    )
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=list(WORKLOADS))
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--images", type=int, help="images of an epoch, for all workloads")
    parser.add_argument("--source", choices=["sample", "official"], default="official")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="two repetitions with few images: a look, not a measurement",
    )
    parser.add_argument(
        "--limit", type=float, default=900, help="seconds that one process may take"
    )
    parser.add_argument("--output", type=Path, default=HERE / "results" / "speed.json")
    chosen = parser.parse_args(arguments)
    if chosen.quick:
        chosen.repetitions, chosen.epochs, chosen.images = 2, 1, chosen.images or 2000
    chosen.images = {name: chosen.images or WORKLOADS[name].images for name in chosen.workloads}
    return chosen


def main() -> None:
    chosen = parse()
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(143)
    )  # so that the process under way is ended as well
    result = measure_all(chosen)
    write(chosen.output, result)
    chosen.output.with_suffix(".part.json").unlink()
    print(f"{table(result)}\n\n{chosen.output}")
    draw(result, chosen.output.with_suffix(".png"))


if __name__ == "__main__":
    main()
