"""Seconds per training epoch of page 01's network: the course's engine against the usual PyTorch loop.

    python benchmarks/bench_epoch.py [--repetitions 5] [--epochs 2] [--threads N] [--source auto]

Both train the same network (784-128-64-10, dropout 0.2) with Adam, learning rate 0.001, on the same 60,000 images in
minibatches of 100, on the CPU, with PyTorch's own number of threads unless ``--threads`` says otherwise.

*ours*: ``fmnist_utils.training``: the images as one tensor, a minibatch is one indexing, a fused optimizer.
*usual*: ``torchvision.datasets.FashionMNIST`` with ``ToTensor`` and a shuffling ``DataLoader``, as PyTorch's beginners'
tutorial does it. It holds the images in memory too; the difference is that it converts and collates them one by one.

Each measurement is a fresh process, and the two take turns, so that a busy spell of the machine strikes both. Loading
the files is not in the time. The ratio is taken within each turn.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"
BATCH_SIZE = 100
LEARNING_RATE = 1e-3


def prepare_ours(arrays, model) -> Callable[[int], object]:
    """Return the function that trains ``model`` for one epoch with the course's engine."""
    import torch

    from fmnist_utils.training import Batches, train_one_epoch

    images = torch.tensor(arrays.train_images).unsqueeze(1) / 255
    batches = Batches(images, torch.tensor(arrays.train_labels).long(), BATCH_SIZE)
    loss_fn = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=True)
    return lambda epoch: train_one_epoch(model, batches, loss_fn, optimizer, epoch)


def prepare_usual(arrays, model) -> Callable[[int], object]:
    """Return the function that trains ``model`` for one epoch as PyTorch's beginners' tutorial does."""
    import torch
    from torch.utils.data import DataLoader
    from torchvision.datasets import FashionMNIST
    from torchvision.transforms import ToTensor

    dataset = FashionMNIST.__new__(FashionMNIST)  # torchvision's own indexing, on images that are loaded already
    dataset.data, dataset.targets = torch.tensor(arrays.train_images), torch.tensor(arrays.train_labels).long()
    dataset.transform, dataset.target_transform = ToTensor(), None
    loader = DataLoader(dataset, batch_size=BATCH_SIZE, shuffle=True)
    loss_fn = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)

    def one_epoch(epoch: int) -> None:
        model.train()
        for inputs, targets in loader:
            loss = loss_fn(model(inputs), targets)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()

    return one_epoch


PREPARE = {"ours": prepare_ours, "usual": prepare_usual}


def measure(engine: str, epochs: int, source: str, threads: int | None) -> dict:
    """Train in this process; return the mean seconds per epoch and the accuracy reached on the test images."""
    import torch

    from fmnist_utils.data import load_arrays
    from fmnist_utils.models import FeedForwardClassifier

    if threads:
        torch.set_num_threads(threads)
    arrays = load_arrays(source)
    torch.manual_seed(0)
    model = FeedForwardClassifier()
    one_epoch = PREPARE[engine](arrays, model)
    start = time.perf_counter()
    for epoch in range(1, epochs + 1):
        one_epoch(epoch)
    seconds = (time.perf_counter() - start) / epochs
    model.eval()
    with torch.no_grad():
        logits = model(torch.tensor(arrays.test_images).unsqueeze(1) / 255)
    correct = logits.argmax(dim=1) == torch.tensor(arrays.test_labels)
    return {
        "seconds": seconds,
        "test_accuracy": correct.float().mean().item(),
        "data": arrays.source,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }


def measure_apart(engine: str, epochs: int, source: str, threads: int | None) -> dict:
    """Do :func:`measure` in a fresh process."""
    command = [sys.executable, __file__, "--engine", engine, "--epochs", str(epochs), "--source", source]
    command += ["--threads", str(threads)] if threads else []
    finished = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(finished.stdout.splitlines()[-1])


def summary(values: list[float]) -> dict[str, float]:
    """Return median, smallest and largest of ``values``."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def compare(repetitions: int, epochs: int, source: str, threads: int | None = None) -> dict:
    """Measure both engines ``repetitions`` times, in turns; return all measurements and their summary."""
    runs: dict[str, list[dict]] = {engine: [] for engine in PREPARE}
    for turn in range(repetitions):
        for engine in sorted(PREPARE, reverse=bool(turn % 2)):  # neither is always the first
            runs[engine].append(measure_apart(engine, epochs, source, threads))
            print(f"{turn + 1}/{repetitions} {engine}: {runs[engine][-1]['seconds']:.2f} s per epoch", file=sys.stderr)
    seconds = {engine: [run["seconds"] for run in made] for engine, made in runs.items()}
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count()},
        "python": platform.python_version(),
        "epochs_per_run": epochs,
        "runs": runs,
        "seconds_per_epoch": {engine: summary(values) for engine, values in seconds.items()},
        "ratio": summary([usual / ours for usual, ours in zip(seconds["usual"], seconds["ours"], strict=True)]),
    }


def table(result: dict) -> str:
    """Return the comparison as text."""
    first = result["runs"]["ours"][0]
    lines = [
        f"page 01's network, 60,000 images ({first['data']}), minibatches of {BATCH_SIZE}, CPU,"
        f" {first['threads']} threads, torch {first['torch']}, n = {len(result['runs']['ours'])} fresh processes each",
        "",
        f"{'':24}{'median':>8}{'min':>8}{'max':>8}{'test accuracy':>16}",
    ]
    for engine in PREPARE:
        accuracy = statistics.median(run["test_accuracy"] for run in result["runs"][engine])
        values = "".join(f"{value:8.2f}" for value in result["seconds_per_epoch"][engine].values())
        lines.append(f"{engine + ', s per epoch':24}{values}{accuracy:16.3f}")
    lines.append(f"{'usual / ours':24}" + "".join(f"{value:8.2f}" for value in result["ratio"].values()))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=5, help="fresh processes for each engine")
    parser.add_argument("--epochs", type=int, default=2, help="epochs in each process")
    parser.add_argument("--threads", type=int, help="CPU threads (default: PyTorch's own)")
    parser.add_argument("--source", default="auto", help="official, synthetic or auto")
    parser.add_argument("--engine", choices=PREPARE, help="measure this one, here, and print the result as JSON")
    chosen = parser.parse_args()
    if chosen.engine:
        print(json.dumps(measure(chosen.engine, chosen.epochs, chosen.source, chosen.threads)))
        return
    result = compare(chosen.repetitions, chosen.epochs, chosen.source, chosen.threads)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"epoch-{result['date'].replace(':', '')}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    print(f"{table(result)}\n\n{path}")


if __name__ == "__main__":
    main()
