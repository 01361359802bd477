"""The speed of training: the project's engine against what a student would take, in turns.

    python benchmarks/bench.py [--quick] [--repetitions 5] [--epochs 2]
        [--workloads ff convae cnn3] [--limit 900] [--output FILE]

Every measurement is a fresh process; the engines take turns, in an order that is reversed each
time, so that a busy spell of the machine strikes all. The first epoch of each process, with its
compiling and its first memory, is not counted. Nothing heavy is imported here: a child's peak
memory would begin with that of its parent. An engine that fails is noted and left out; the others
go on.

The result is a JSON file, with every measurement and a summary, and a picture beside it. While it
is made, what there is so far is in a file beside it that ends in ``.part.json``.
``book.machinery.generated.speed`` makes the tables of the page *How fast, and why* of such a file,
``benchmarks/speed.json``.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from processes import HERE, ROOT, Bench, cores, note, result_of
from summary import draw, epoch_seconds, limits, measured, ratios, summarize, table
from workloads import ENGINES, SEEDS, TEN, WORKLOADS

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
import fmnist_utils.workshop.engine
print(json.dumps({"torch": middle - start, "fmnist_utils": time.perf_counter() - middle}))
""",
    "help": "from fmnist_utils.workshop.cli import main; main(['--help'])",
}
INSTRUCTIONS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
SLOWER = "this machine multiplies slower in bfloat16"


def in_turn(things: Sequence, turn: int) -> Sequence:
    """Return ``things``, in every other turn from the last to the first."""
    return things[:: -1 if turn % 2 else 1]


def compare(
    bench: Bench, chosen: argparse.Namespace, engines: list[str]
) -> Iterator[tuple[list[dict], dict[str, dict]]]:
    """Yield after each turn the runs of all engines and the rates of the machine between them.

    Where a product of matrices is slower in bfloat16, nothing is trained with it: emulated, it
    takes many times as long.
    """
    runs, rates = [], {}
    for turn in range(chosen.repetitions):
        for name, rate in bench.run("rates").items():
            rates.setdefault(name, []).append(rate)
        if not turn and rates["gemm_bfloat16"][0] < rates["gemm_float32"][0]:
            note(f"without bfloat16: {SLOWER}")
            both = [name for name in ("ours, bfloat16", "bfloat16") if name in (*engines, *CHOICES)]
            bench.failed |= {
                f"{name}, {choice}": SLOWER for name in chosen.workloads for choice in both
            }
        for name in chosen.workloads:
            images = chosen.images[name]
            able = [engine for engine in engines if name in ENGINES[engine].workloads]
            for engine in in_turn([*able, TEN] if name == "ff" else able, turn):
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
                    words = (ENGINES[engine].module, name, *ENGINES[engine].options)
                    how = {"images": images, "epochs": chosen.epochs + 1, "seed": turn}
                    made = bench.attempt(f"{name}, {engine}", bench.train, *words, **how)
                if made:
                    runs.append(
                        {"workload": name, "engine": engine, "turn": turn, "images": images, **made}
                    )
                    seconds = f"{epoch_seconds(runs[-1]):.2f} s per epoch"
                    note(f"{turn + 1}/{chosen.repetitions} {name}, {engine}: {seconds}")
        yield runs, {name: measured(values) for name, values in rates.items()}


def linearity(bench: Bench, chosen: argparse.Namespace) -> Iterator[dict[str, dict[int, dict]]]:
    """Yield after each turn how the time of ff grows with epochs, images and jobs.

    For each factor it is the seconds over (factor × those of factor 1), and over those of factor 1
    for jobs at once, of which each has as much to do as one alone.
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
    """Yield after each turn, for each engine on ff, the seconds from the start to its first step.

    Also those of commands, and of importing PyTorch and then this project within one process.
    """
    found: dict[str, dict[str, list[float]]] = {"first_step": {}, "commands": {}, "imports": {}}
    for turn in range(chosen.repetitions):
        for engine in in_turn(engines, turn):
            words = (ENGINES[engine].module, "ff", *ENGINES[engine].options)
            start = time.time()
            if run := bench.attempt(f"ff, {engine}", bench.train, *words, images=100, epochs=1):
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
    """Yield after each turn how many times as long an epoch takes without each choice of ours."""
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


def hardware() -> dict[str, object]:
    """Return the processor, the instructions that decide its speed, the cores and the memory."""
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
    engines = [
        engine for engine in chosen.engines if importlib.util.find_spec(ENGINES[engine].package)
    ]
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
    """Return what ``measure.py`` says of each workload on a quarter of its images, if it can."""
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
