"""What the runs of a benchmark say: medians, spread, ratios within each turn; table, picture."""

from __future__ import annotations

import math
import statistics
import sys
from pathlib import Path

from workloads import ENGINES, FULL_EPOCH, SEEDS, TEN, WORKLOADS


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
    """Return, for each kind of run, its seconds over those of ``base`` in the same turn, and both.

    If they are to be ``proportional``, kinds are numbers, and it is over as many times those of
    ``base``.
    """
    found = {}
    for kind, took in seconds.items():
        pairs = list(zip(took, seconds[base], strict=False))  # one that failed has fewer turns
        if pairs:
            work = kind if proportional else 1
            shares = [mine / (work * first) for mine, first in pairs]
            found[kind] = spread(shares) | {"seconds": took}
    return found


def summarize(runs: list[dict]) -> list[dict]:
    """Return one row for each workload and engine: seconds, peak memory, loss, agreement.

    ``than_ours``, ``than_tutorial`` and, where it is no peer itself, ``than_best_peer`` say how
    many times as fast it is, within each turn; ``memory_ratio`` compares its peak memory with the
    tutorial's; ``gap`` is how far its last loss is from ours. Ten seeds at once are compared with
    ten runs in a row; their memory is that of all their processes.
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
            "best_peer": None if _is_peer(engine) else best_peer(made, name),
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
    """Return the running losses, one an epoch, of every seed that an engine was trained with."""
    return [
        losses
        for run in by_turn.values()
        for losses in (run["losses"] if run["engine"] == TEN else [run["losses"]])
    ]


def best_peer(made: dict[tuple[str, str], dict[int, dict]], name: str) -> str | None:
    """Return the peer with the smallest median."""
    medians = {
        engine: statistics.median(map(epoch_seconds, by_turn.values()))
        for (workload, engine), by_turn in made.items()
        if workload == name and _is_peer(engine)
    }
    return min(medians, key=medians.get, default=None)


def _is_peer(engine: str) -> bool:
    """Return whether an engine is a library that would be taken instead of this project."""
    return engine in ENGINES and ENGINES[engine].peer


def gaps(theirs: list[list[float]], ours: list[list[float]]) -> list[dict[str, float]]:
    """Return for each epoch how far two engines' mean losses are apart, and may be, over ours.

    They may differ by four standard errors, the noise of their seeds, or by 2 % where seeds by
    chance lie close together. Two seeds do not tell how far seeds lie apart: with fewer than three
    the list is empty.
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


def limits(
    rates: dict[str, dict], operations: dict[str, dict], rows: list[dict]
) -> dict[str, dict]:
    """Return for each workload the share of its time that its multiplications alone would take."""
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


def table(result: dict) -> str:
    """Return the comparison as text, and what failed."""
    lines = [
        f"{result['hardware']['cpu']}, {result['hardware']['cores']} cores, {result['date'][:10]}; "
        + ", ".join(f"{name} {number}" for name, number in result["versions"].items()),
        f"data: {result['data']}; seconds per epoch of 60,000 images: median, lowest, highest;",
        "and how many times as fast as others; memory in MB and over the tutorial's;",
        "how far the last loss is from ours and may be, in %, and whether all epochs agree",
        "",
        f"{'':28}{'median':>8}{'min':>8}{'max':>8}{'tutorial':>10}{'best peer':>10}{'ours':>7}"
        f"{'MB':>7}{'ratio':>7}  same loss",
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
            apart, allowed = (100 * row["gap"][name] for name in ("difference", "tolerance"))
            agrees = f"{apart:.1f} of {allowed:.1f}  {agrees}"
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
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
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
