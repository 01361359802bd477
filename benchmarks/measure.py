"""One measurement in a process of its own: its result is the last line that it prints, as JSON.

    python benchmarks/measure.py ENGINE WORKLOAD --data FOLDER --images N --epochs N --seed N
        [--threads N] [--option NAME=VALUE]

ENGINE is a module of ``engines``; or ``save``, which lays the data in FOLDER for the others;
``rates``, how fast this machine multiplies; ``profile``, where the time of ours goes;
``operations``, how many multiplications an epoch needs.
"""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from workloads import WORKLOADS, Data, Job, read

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# The kind of each operation of PyTorch's, by words of its name; the first that fits counts. What
# fits none is "rest".
KINDS = {
    "convolution": ("convolution",),
    "multiplication": ("aten::mm", "aten::addmm"),
    "pooling": ("pool",),
    "normalization": ("batch_norm",),
    "activation": ("relu", "threshold", "clamp_min", "sigmoid"),
    "dropout": ("aten::random_", "bitwise_and"),
    "loading": ("aten::index",),
    "optimizer": ("_fused_adam", "_foreach_add"),
    "python": ("epoch",),  # what of the epoch is in no operation
}


def save(folder: Path, source: str) -> dict:
    """Write the training images and labels into ``folder``; return where they come from."""
    from fmnist_utils.data import load_arrays

    images, labels, *_ = load_arrays(source)
    images.tofile(folder / "images.u8")
    labels.tofile(folder / "labels.u8")
    return {"data": source}


def train(
    engine: str, name: str, data: Data, epochs: int, seed: int, options: dict[str, str]
) -> dict:
    """Train; return the seconds and the running loss of each epoch, peak MB, and the end."""
    engine_module = importlib.import_module(f"engines.{engine}")
    marks, losses = [time.time()], []

    def on_epoch(loss: float) -> None:
        marks.append(time.time())
        losses.append(float(loss))

    engine_module.train(Job(name, WORKLOADS[name], data, epochs, seed, on_epoch), **options)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1e6 if sys.platform == "darwin" else 1e3
    )
    return {
        "seconds": np.diff(marks).tolist(),
        "losses": losses,
        "peak_mb": peak,
        "ended": marks[-1],
    }


def rates() -> dict[str, float]:
    """Return GFLOP/s of a product of matrices and of a convolution of CNN3, in both precisions."""
    import torch
    from torch.nn import functional

    found = {}
    for precision in (torch.float32, torch.bfloat16):
        left, right = torch.rand(2, 1024, 1024).to(precision)
        images = torch.rand(500, 32, 14, 14).to(precision, memory_format=torch.channels_last)
        weights = torch.rand(64, 32, 3, 3).to(precision, memory_format=torch.channels_last)
        tasks = {
            "gemm": (lambda left=left, right=right: left @ right, 2 * 1024**3),
            "convolution": (
                lambda images=images, weights=weights: functional.conv2d(images, weights),
                2 * 500 * 144 * 64 * 288,
            ),
        }
        for name, (task, operations) in tasks.items():
            seconds = []
            while len(seconds) < 25 and sum(seconds) < 5:  # emulated bfloat16 would take a minute
                start = time.perf_counter()
                task()
                seconds.append(time.perf_counter() - start)
            warm = seconds[len(seconds) // 5 :]
            found[f"{name}_{str(precision).removeprefix('torch.')}"] = (
                operations / statistics.median(warm) / 1e9
            )
    return found


def operations(name: str, data: Data) -> dict[str, float]:
    """Return the GFLOP of a step with a full minibatch, in convolutions and in products."""
    from engines import ours
    from torch.utils.flop_counter import FlopCounterMode

    from fmnist_utils.training import train_one_epoch

    size = WORKLOADS[name].batch_size
    model, batches, loss_fn, optimizer = ours.prepare(
        WORKLOADS[name], Data(data.images[:size], data.labels[:size]), 0
    )
    with FlopCounterMode(display=False) as counter:
        train_one_epoch(model, batches, loss_fn, optimizer)
    counts = {"convolution": 0, "gemm": 0}
    for operation, count in counter.get_flop_counts()["Global"].items():
        counts["convolution" if "convolution" in str(operation) else "gemm"] += count
    return {kind: count / 1e9 for kind, count in counts.items()}


def profile(name: str, data: Data, seed: int) -> dict[str, object]:
    """Return the share of each kind of work in an epoch of ours, by PyTorch's profiler.

    The seconds of that epoch and of one without the profiler are there too: what they differ by is
    the profiler's own.
    """
    from engines import ours
    from torch.profiler import ProfilerActivity, record_function
    from torch.profiler import profile as watch

    from fmnist_utils.training import train_one_epoch

    parts = ours.prepare(WORKLOADS[name], data, seed)

    def seconds_of(epoch: int) -> float:
        start = time.perf_counter()
        with record_function("epoch"):
            train_one_epoch(*parts, epoch)
        return time.perf_counter() - start

    seconds_of(1)
    seconds = seconds_of(2)
    with watch(activities=[ProfilerActivity.CPU]) as watched:
        profiled_seconds = seconds_of(3)
    shares = dict.fromkeys((*KINDS, "rest"), 0.0)
    for event in watched.key_averages():
        kind = next(
            (kind for kind, words in KINDS.items() if any(word in event.key for word in words)),
            "rest",
        )
        shares[kind] += event.self_cpu_time_total
    total = sum(shares.values())
    shares = {kind: share / total for kind, share in shares.items()}
    return {"shares": shares, "seconds": seconds, "profiled_seconds": profiled_seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("engine")
    parser.add_argument("workload", nargs="?", choices=WORKLOADS)
    parser.add_argument("--data", type=Path, help="the folder of images.u8 and labels.u8")
    parser.add_argument("--source", default="sample", help="sample or official; for save")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument(
        "--seed", type=int, nargs="+", default=[0], help="several are trained one after the other"
    )
    parser.add_argument("--threads", type=int)
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        help="of ours: precision=bfloat16, without=channels_last, …",
    )
    chosen = parser.parse_args()
    if chosen.threads:
        import torch

        torch.set_num_threads(chosen.threads)
    if chosen.engine == "save":
        result = save(chosen.data, chosen.source)
    elif chosen.engine == "rates":
        result = rates()
    else:
        data = read(chosen.data, chosen.images)
        if chosen.engine == "operations":
            result = operations(chosen.workload, data)
        elif chosen.engine == "profile":
            result = profile(chosen.workload, data, chosen.seed[0])
        else:
            options = dict(option.split("=") for option in chosen.option)
            result = [
                train(chosen.engine, chosen.workload, data, chosen.epochs, seed, options)
                for seed in chosen.seed
            ]
    print(json.dumps(result))


if __name__ == "__main__":
    main()
