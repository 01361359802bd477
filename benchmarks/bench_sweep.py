"""How a sweep scales: measured on the cores there are, projected to a thousand runs on 64 workers.

    python benchmarks/bench_sweep.py [--runs 12] [--epochs 20] [--hands 1 2 4] [--repetitions 3] [--source auto] [--output FILE]

Measured: sweeps of equal runs, the network of page 01 on 10,000 images, each into an empty store, with 1, 2, … hands of one
thread each; the numbers of hands take turns, so that a busy spell of the machine strikes all of them. What a run takes besides
training (``start_up``) is the time with one hand, less the seconds in the records, for each run. With it ``plans.project``
is asked for the same sweeps: its error is what it does not know of, hands that slow each other down above all.

Projected: a thousand runs whose seconds are drawn from the committed records, on 64 workers, under several conditions. Nothing
that was measured says how often workers are lost or runs fail elsewhere: these are assumptions, from none to rough.

The page *How to run it* shows such a file: ``--output benchmarks/scaling.json`` (``book/scaling.py`` makes its tables).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from fmnist_utils.audit.recipes import Recipe
from fmnist_utils.audit.records import RESULTS as RECORDS
from fmnist_utils.training import pick_device
from fmnist_utils.workshop.machine import available_cores, describe_environment
from fmnist_utils.workshop.plans import Conditions, project
from fmnist_utils.workshop.store import RunStore
from fmnist_utils.workshop.sweeps import sweep

HERE = Path(__file__).resolve().parent
CONDITIONS = {
    "nothing happens": Conditions(failing=0, losses_per_day=0),
    "as assumed before a sweep": Conditions(),
    "rough": Conditions(failing=0.1, losses_per_day=10),
}


def recipes(count: int, epochs: int, source: str, train_size: int = 10_000) -> list[Recipe]:
    """Return equal runs that differ in their seed."""
    return [
        Recipe(
            data={"source": source, "train_size": train_size},
            model={"name": "ff_classifier", "hidden_sizes": [128, 64], "dropout": 0.2},
            loss="cross_entropy", optimizer="adam", learning_rate=0.001, batch_size=100, num_epochs=epochs, seed=seed,
        )
        for seed in range(count)
    ]  # fmt: skip


def measure(work: list[Recipe], hands: int) -> tuple[float, list[float]]:
    """Return the seconds of a sweep with so many hands in an empty store, and those in its records."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        runs = sweep(
            work,
            store=RunStore(folder, Path(folder) / "none"),
            jobs=hands,
            device="cpu",
            progress=False,
        )
        return time.perf_counter() - start, [sum(run.history["seconds"]) for run in runs]


def scaling(work: list[Recipe], hands: list[int], repetitions: int) -> dict[str, dict[str, float]]:
    """Return, by the number of hands, the median seconds measured and those projected from one hand."""
    took: dict[int, list[float]] = {count: [] for count in hands}
    trained, start_ups = [], []
    measure(work[:1], 1)  # the first imports PyTorch
    for _ in range(repetitions):
        for count in hands:
            seconds, of_runs = measure(work, count)
            took[count].append(seconds)
            if count == min(hands):
                trained = of_runs
                start_ups.append((seconds * count - sum(of_runs)) / len(work))
    alone = statistics.median(took[min(hands)]) * min(hands)
    start_up = max(statistics.median(start_ups), 0)
    quiet = Conditions(start_up=start_up, failing=0, losses_per_day=0)
    rows = {}
    for count in hands:
        middle = statistics.median(took[count])
        expected = project(trained, count, quiet).seconds
        rows[str(count)] = {
            "seconds": middle,
            "speed_up": alone / middle,
            "projected": expected,
            "start_up": start_up,
        }
    return rows


def projection(runs: int, workers: int, seed: int = 0) -> dict[str, dict[str, float]]:
    """Return how a sweep of ``runs`` like the committed ones would go under each of the conditions."""
    histories = [
        json.loads(path.read_bytes())["history"]["seconds"]
        for path in sorted(RECORDS.glob("*/*.json"))
    ]
    known = [
        len(epochs) * statistics.median(epochs) for epochs in histories
    ]  # a machine may have slept in one of them
    seconds = random.Random(seed).choices(known, k=runs)
    rows = {}
    for name, conditions in CONDITIONS.items():
        outlooks = [project(seconds, workers, conditions, seed) for seed in range(20)]
        rows[name] = {
            "hours": statistics.mean(outlook.seconds for outlook in outlooks) / 3600,
            "busy": statistics.mean(outlook.busy for outlook in outlooks),
            "losses": statistics.mean(outlook.losses for outlook in outlooks),
            "hours_alone": sum(seconds) / 3600,
            "hours_longest": max(seconds) / 3600,
        }
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument(
        "--hands",
        type=int,
        nargs="+",
        default=sorted({1, 2, available_cores()} & set(range(available_cores() + 1))),
    )
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--source", choices=["auto", "official", "synthetic"], default="auto")
    parser.add_argument("--output", type=Path, default=HERE / "results" / "sweep.json")
    arguments = parser.parse_args()
    from fmnist_utils.data import status

    official = arguments.source == "official" or (
        arguments.source == "auto" and all(status()["good"].values())
    )
    work = recipes(arguments.runs, arguments.epochs, "official" if official else "synthetic")
    measured, projected = (
        scaling(work, arguments.hands, arguments.repetitions),
        projection(1000, 64),
    )
    for count, row in measured.items():
        print(
            f"{count:>3} hands: {row['seconds']:6.1f} s, {row['speed_up']:.2f} times; projected {row['projected']:.1f} s"
        )
    for name, row in projected.items():
        print(
            f"1000 runs, {row['hours_alone']:.1f} h alone; 64 workers, {name}: {row['hours']:.2f} h, busy {row['busy']:.0%}"
        )
    machine = {
        "processor": platform.machine(),
        "cores": available_cores(),
        "load": os.getloadavg()[0],
    }
    conditions = {name: vars(replace(each)) for name, each in CONDITIONS.items()}
    result = {
        "measured": measured,
        "projected": projected,
        "conditions": conditions,
        "machine": machine,
    }
    result |= {
        "runs": arguments.runs,
        "repetitions": arguments.repetitions,
        "commit": describe_environment(pick_device("cpu"))["commit"],
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
