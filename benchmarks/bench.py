"""The speed of training: the project's engine against what a student would take instead, measured in turns.

    python benchmarks/bench.py [--quick] [--repetitions 5] [--epochs 2] [--workloads ff convae cnn3] [--output FILE]

Every measurement is a fresh process; the engines take turns, in an order that is reversed each time, so that a busy spell of the
machine strikes all. The first epoch of each process, with its compiling and its first memory, is not counted. Nothing heavy is imported
here: a child's peak memory would begin with that of its parent.

The result is a JSON file, with every measurement and a summary, and a picture beside it. ``book/speed.py`` makes the tables of the
page *How fast, and why* of such a file, ``book/results/speed.json``.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
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
CHOICES = {  # what is undone or added, by the option that does it
    "resident": ["--option", "without=resident"],
    "kept_memory": ["--option", "without=kept_memory"],
    "channels_last": ["--option", "without=channels_last"],
    "fused": ["--option", "without=fused"],
    "one_thread": ["--threads", "1"],
    "bfloat16": ["--option", "extra=bfloat16"],
    "compiled": ["--option", "extra=compiled"],
}
COMMANDS = {
    "python": [sys.executable, "-c", "pass"],
    "torch": [sys.executable, "-c", "import torch"],
    "fmnist_utils": [sys.executable, "-c", "import torch, fmnist_utils.runs"],
    "help": [sys.executable, "-c", "import sys; sys.argv = ['fmnist', '--help']; from fmnist_utils.cli import main; main()"],
}


class Bench:
    """The processes of one benchmark: ``folder`` holds the data for all."""

    def __init__(self, folder: str, source: str = "auto"):
        self.folder = folder
        # Each engine decides for itself how many threads it uses.
        self.environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
        self.environment |= {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}
        self.data = self.run("save", source=source)["data"]

    def start(self, *words: object, **options: object) -> subprocess.Popen:
        """Start ``measure.py``; a list among the options gives several values."""
        command = [sys.executable, str(HERE / "measure.py"), *map(str, words), "--data", self.folder]
        for name, value in options.items():
            command += [f"--{name}", *map(str, value if isinstance(value, list) else [value])]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment)

    def run(self, *words: object, **options: object):
        """Return what ``measure.py`` measures."""
        return finish(self.start(*words, **options))

    def side_by_side(self, name: str, jobs: int, seeds: int, images: int, epochs: int) -> float:
        """Return the seconds that an epoch of ``seeds`` runs of one thread each takes in ``jobs`` processes.

        As with single runs, neither the start nor the first epoch of each counts; the slowest process does.
        """
        shares = [list(range(job, seeds, jobs)) for job in range(jobs)]
        how = {"images": images, "epochs": epochs + 1, "threads": 1}
        children = [self.start("ours", name, seed=share, **how) for share in shares]
        made = [finish(child) for child in children]
        return max(sum(statistics.median(run["seconds"][1:]) for run in runs) for runs in made)


def finish(child: subprocess.Popen):
    """Return the result of a child.

    Raises:
        RuntimeError: if it failed, with the last lines of what it wrote.
    """
    output, errors = child.communicate()
    if child.returncode:
        raise RuntimeError(f"{' '.join(child.args[1:4])}: " + "\n".join(errors.splitlines()[-5:]))
    return json.loads(output.splitlines()[-1])


def seconds_of(command: list[str], environment: dict[str, str]) -> float:
    """Return how long a command takes."""
    start = time.perf_counter()
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def note(words: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {words}", file=sys.stderr, flush=True)


def compare(bench: Bench, chosen: argparse.Namespace, engines: list[str]) -> tuple[list[dict], list[dict]]:
    """Return the runs of all engines, in turns, and the rates of the machine measured between them."""
    runs, rates = [], []
    for turn in range(chosen.repetitions):
        rates.append(bench.run("rates"))
        for name in chosen.workloads:
            for engine in engines[:: -1 if turn % 2 else 1]:
                _, module, options = ENGINES[engine]
                how = {"images": chosen.images[name], "epochs": chosen.epochs + 1, "seed": turn}
                [run] = bench.run(module, name, *options, **how)
                run = {"workload": name, "engine": engine, "turn": turn, "images": chosen.images[name], **run}
                runs.append(run)
                note(f"{turn + 1}/{chosen.repetitions} {name}, {engine}: {epoch_seconds(run):.2f} s per epoch")
            if name == "ff":
                jobs = os.cpu_count() or 1
                seconds = bench.side_by_side(name, jobs, SEEDS, chosen.images[name], chosen.epochs)
                run = {"workload": name, "engine": "ours, ten seeds", "turn": turn, "images": chosen.images[name]}
                runs.append(run | {"seconds": [None, seconds]})
                note(
                    f"{turn + 1}/{chosen.repetitions} {name}, {SEEDS} seeds in {jobs} processes: {seconds:.2f} s per epoch of all"
                )
    return runs, rates


def epoch_seconds(run: dict) -> float:
    """Return the seconds of an epoch of 60,000 images: the median of all epochs but the first."""
    return statistics.median(run["seconds"][1:]) * FULL_EPOCH / run["images"]


def spread(values: list[float]) -> dict[str, float]:
    """Return median, smallest and largest of ``values``, and how many they are."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "n": len(values)}


def summarize(runs: list[dict]) -> list[dict]:
    """Return one row for each workload and engine: seconds, peak memory, last loss and whether it agrees with ours.

    ``than_ours``, ``than_tutorial`` and, for our engines, ``than_best_peer`` say how many times as fast it is, within each turn;
    ``memory_ratio`` compares its peak memory with the tutorial's. Ten seeds at once are compared with ten runs in a row.
    """
    made: dict[tuple[str, str], dict[int, dict]] = {}
    for run in runs:
        made.setdefault((run["workload"], run["engine"]), {})[run["turn"]] = run
    rows = []
    for (name, engine), by_turn in made.items():
        row = {"workload": name, "engine": engine, "seconds": spread([epoch_seconds(run) for run in by_turn.values()])}
        ten = engine == "ours, ten seeds"
        if not ten:
            row["peak_mb"] = spread([run["peak_mb"] for run in by_turn.values()])
            row["loss"] = spread([run["losses"][-1] for run in by_turn.values()])
            row["agrees"] = agree(list(by_turn.values()), list(made.get((name, "ours"), {}).values()))
        others = {"ours": "ours", "tutorial": "tutorial", "best_peer": engine.startswith("ours") and best_peer(made, name)}
        for label, other in others.items():
            theirs = made.get((name, other), {})
            pairs = [(run, theirs[turn]) for turn, run in by_turn.items() if turn in theirs]
            if pairs:
                row[f"than_{label}"] = spread([(SEEDS if ten else 1) * epoch_seconds(b) / epoch_seconds(a) for a, b in pairs])
            if pairs and label == "tutorial" and not ten:
                row["memory_ratio"] = spread([a["peak_mb"] / b["peak_mb"] for a, b in pairs])
        rows.append(row)
    return rows


def best_peer(made: dict[tuple[str, str], dict[int, dict]], name: str) -> str | None:
    """Return the engine with the smallest median that is not ours."""
    medians = {
        engine: statistics.median(map(epoch_seconds, by_turn.values()))
        for (workload, engine), by_turn in made.items()
        if workload == name and engine in PEERS
    }
    return min(medians, key=medians.get, default=None)


def agree(runs: list[dict], ours: list[dict]) -> bool | None:
    """Return whether the last running losses of two engines agree within the noise of their seeds; None if there is one seed.

    Their means may differ by four standard errors, or by 2 % where seeds by chance lie close together.
    """
    theirs, own = ([run["losses"][-1] for run in some] for some in (runs, ours))
    if min(len(theirs), len(own)) < 2:
        return None
    error = math.sqrt(statistics.variance(theirs) / len(theirs) + statistics.variance(own) / len(own))
    difference = abs(statistics.mean(theirs) - statistics.mean(own))
    return difference <= max(4 * error, 0.02 * statistics.mean(own))


def linearity(bench: Bench, images: int) -> dict[str, dict[int, float]]:
    """Return how the time of ff grows with epochs, images and jobs: for each factor, seconds over (factor × those of factor 1)."""
    part = images // 8
    [run] = bench.run("ours", "ff", images=part, epochs=9)
    epochs = {factor: sum(run["seconds"][1 : 1 + factor]) for factor in (1, 2, 4, 8)}
    sizes = {}
    for factor in epochs:
        [run] = bench.run("ours", "ff", images=factor * part, epochs=4)
        sizes[factor] = statistics.median(run["seconds"][1:])
    cores = os.cpu_count() or 1
    jobs = {factor: bench.side_by_side("ff", factor, 2 * factor, images, 3) for factor in (1, 2, 4, 8) if factor <= cores}
    ratios = {
        name: {factor: took / (factor * seconds[1]) for factor, took in seconds.items()}
        for name, seconds in (("epochs", epochs), ("images", sizes))
    }
    return ratios | {"jobs": {factor: took / jobs[1] for factor, took in jobs.items()}}  # each job has as much to do as one


def start_up(bench: Bench, chosen: argparse.Namespace, engines: list[str]) -> dict[str, dict]:
    """Return the seconds from the start of a process to the end of its first step, for each engine on ff; and of commands."""
    first_step: dict[str, list[float]] = {engine: [] for engine in engines}
    commands: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(chosen.repetitions):
        for engine in engines:
            _, module, options = ENGINES[engine]
            start = time.time()
            [run] = bench.run(module, "ff", *options, images=100, epochs=1)
            first_step[engine].append(run["ended"] - start)
        for name, command in COMMANDS.items():
            commands[name].append(seconds_of(command, bench.environment))
    beyond = [ours - torch for ours, torch in zip(commands["fmnist_utils"], commands["torch"], strict=True)]
    return {
        "first_step": {engine: spread(seconds) for engine, seconds in first_step.items()},
        "commands": {name: spread(seconds) for name, seconds in commands.items()} | {"beyond_torch": spread(beyond)},
    }


def choices(bench: Bench, chosen: argparse.Namespace, name: str) -> dict[str, dict]:
    """Return for each choice of ours how many times as long an epoch takes with that alone changed, in turns."""
    images, base, changed = chosen.images[name] // 4, [], {choice: [] for choice in CHOICES}
    for turn in range(min(chosen.repetitions, 3)):
        [run] = bench.run("ours", name, images=images, epochs=chosen.epochs + 1, seed=turn)
        base.append(statistics.median(run["seconds"][1:]))
        for choice, options in CHOICES.items():
            if choice == "compiled" and (turn or chosen.quick):
                continue  # it takes a minute to begin
            [run] = bench.run("ours", name, *options, images=images, epochs=chosen.epochs + 1, seed=turn)
            changed[choice].append(statistics.median(run["seconds"][1:]) / base[-1])
        note(f"{turn + 1} {name}, choices")
    return {choice: spread(values) for choice, values in changed.items() if values}


def limits(rates: list[dict], operations: dict[str, dict], rows: list[dict]) -> dict[str, dict]:
    """Return for each workload what share of its time its multiplications alone would take at the machine's own rate."""
    found = {}
    medians = {name: statistics.median(rate[name] for rate in rates) for name in rates[0]}
    for name, gflops in operations.items():
        steps = FULL_EPOCH / WORKLOADS[name].batch_size
        for precision, engine in (("float32", "ours"), ("bfloat16", "ours, bfloat16")):
            row = next((row for row in rows if row["workload"] == name and row["engine"] == engine), None)
            if row:
                least = sum(steps * gflop / medians[f"{kind}_{precision}"] for kind, gflop in gflops.items())
                found.setdefault(name, {})[precision] = least / row["seconds"]["median"]
    return found


def hardware() -> dict[str, object]:
    """Return the processor, its cores and the memory of this machine."""
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), cpu)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"cpu": cpu, "cores": os.cpu_count(), "memory_gib": round(memory), "system": platform.system()}


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that are here."""
    packages = ("torch", "torchvision", "lightning", "skorch", "keras", "jax", "flax")
    return {"python": platform.python_version()} | {name: version(name) for name in packages if importlib.util.find_spec(name)}


def commit() -> str | None:
    """Return the commit of this checkout, with ``+`` if it has other changes; None outside one."""
    try:
        git = ["git", "-C", str(ROOT)]
        made = subprocess.run(
            [*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip()
        changed = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
    return made + ("+" if changed else "")


def measure_all(chosen: argparse.Namespace) -> dict:
    """Return all measurements and their summary."""
    engines = [engine for engine in chosen.engines if importlib.util.find_spec(ENGINES[engine][0])]
    missing = [engine for engine in chosen.engines if engine not in engines]
    if missing:
        note(f"not installed, so not measured: {', '.join(missing)}")
    began = time.time()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder, chosen.source)
        runs, rates = compare(bench, chosen, engines)
        rows = summarize(runs)
        operations = {name: bench.run("operations", name) for name in chosen.workloads}
        result = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": commit(),
            "hardware": hardware(),
            "versions": versions(),
            "data": bench.data,
            "how": {"repetitions": chosen.repetitions, "epochs": chosen.epochs, "images": chosen.images, "seeds": SEEDS},
            "missing": missing,
            "summary": rows,
            "rates": {name: spread([rate[name] for rate in rates]) for name in rates[0]},
            "limits": limits(rates, operations, rows),
            "profile": {name: bench.run("profile", name, images=chosen.images[name] // 4) for name in chosen.workloads},
            "choices": {name: choices(bench, chosen, name) for name in chosen.workloads},
            "linearity": linearity(bench, chosen.images.get("ff", 8000)),
            "start": start_up(bench, chosen, engines),
        }
    return result | {"minutes": (time.time() - began) / 60, "runs": runs}


def table(result: dict) -> str:
    """Return the comparison as text."""
    lines = [
        f"{result['hardware']['cpu']}, {result['hardware']['cores']} cores, {result['date'][:10]}; "
        + ", ".join(f"{name} {number}" for name, number in result["versions"].items()),
        f"data: {result['data']}; seconds per epoch of 60,000 images: median, lowest, highest;",
        "and how many times as fast as others; memory in MB and over the tutorial's",
        "",
        f"{'':28}{'median':>8}{'min':>8}{'max':>8}{'tutorial':>10}{'best peer':>10}{'ours':>7}{'MB':>7}{'ratio':>7}  same loss",
    ]
    for row in result["summary"]:
        seconds = "".join(f"{row['seconds'][name]:8.2f}" for name in ("median", "min", "max"))
        columns = (("than_tutorial", 10), ("than_best_peer", 10), ("than_ours", 7))
        ratios = "".join(f"{row[name]['median']:{width}.2f}" if name in row else " " * width for name, width in columns)
        memory = f"{row['peak_mb']['median']:7.0f}" if "peak_mb" in row else ""
        memory += f"{row['memory_ratio']['median']:7.2f}" if "memory_ratio" in row else ""
        agrees = {True: "yes", False: "NO"}.get(row.get("agrees"), "")
        lines.append(f"{row['workload'] + ': ' + row['engine']:28}{seconds}{ratios}{memory}  {agrees}")
    return "\n".join(lines)


def draw(result: dict, path: Path) -> None:
    """Draw the seconds of every engine into ``path``."""
    import matplotlib

    matplotlib.use("agg")
    sys.path.insert(0, str(ROOT))
    from fmnist_utils import plots

    plots.epoch_times(times(result))
    plots.plt.savefig(path)


def times(result: dict) -> dict[str, dict[str, list[float]]]:
    """Return the epoch seconds of each run: workload -> engine -> one value a turn."""
    found: dict[str, dict[str, list[float]]] = {}
    for run in result["runs"]:
        if run["engine"] != "ours, ten seeds":
            found.setdefault(run["workload"], {}).setdefault(run["engine"], []).append(epoch_seconds(run))
    return found


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=5, help="fresh processes for each engine")
    parser.add_argument("--epochs", type=int, default=2, help="epochs measured in each process, after a first that is not")
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=list(WORKLOADS))
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--images", type=int, help="images of an epoch, for all workloads")
    parser.add_argument("--source", default="auto", help="official, synthetic or auto")
    parser.add_argument("--quick", action="store_true", help="two repetitions with few images: a look, not a measurement")
    parser.add_argument("--output", type=Path, default=HERE / "results" / "speed.json")
    chosen = parser.parse_args(arguments)
    if chosen.quick:
        chosen.repetitions, chosen.epochs, chosen.images = 2, 1, chosen.images or 2000
    chosen.images = {name: chosen.images or WORKLOADS[name].images for name in chosen.workloads}
    return chosen


def main() -> None:
    chosen = parse()
    result = measure_all(chosen)
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    chosen.output.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(f"{table(result)}\n\n{chosen.output}")
    draw(result, chosen.output.with_suffix(".png"))


if __name__ == "__main__":
    main()
