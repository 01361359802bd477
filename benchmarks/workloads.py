"""What is trained, and by which engines.

Nothing but the standard library and NumPy is imported, so that no engine pays for another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

LEARNING_RATE = 1e-3  # Adam's in all three
FULL_EPOCH = 60_000  # images; times are given for so many


@dataclass(frozen=True)
class Workload:
    """A network of the reports and how it is trained.

    Attributes:
        model: its name in ``fmnist_utils.models.MODELS``, with ``sizes`` as arguments.
        loss: ``cross_entropy`` with the label, or ``l1`` with the image itself.
        images: how many of the 60,000 an epoch of the benchmark uses, if not told otherwise.
    """

    model: str
    sizes: dict[str, object]
    loss: str
    batch_size: int
    images: int


WORKLOADS = {
    "ff": Workload(
        "ff_classifier", {"hidden_sizes": (128, 64), "dropout": 0.2}, "cross_entropy", 100, 60_000
    ),
    "convae": Workload(
        "conv_autoencoder", {"latent_dim": 64, "output_activation": "sigmoid"}, "l1", 100, 20_000
    ),
    "cnn3": Workload(
        "cnn",
        {"kernel_size": 3, "dense_sizes": (512,), "dropout": 0.1},
        "cross_entropy",
        500,
        10_000,
    ),
}


class Engine(NamedTuple):
    """What trains a workload.

    Attributes:
        package: the package that it needs.
        module: the one of ``engines`` that trains.
        options: for :mod:`measure`.
        workloads: those that it can train.
        peer: whether it is a library that a student would take instead of this project.
    """

    package: str
    module: str
    options: tuple[str, ...] = ()
    workloads: tuple[str, ...] = tuple(WORKLOADS)
    peer: bool = False


ENGINES = {
    "ours": Engine("torch", "ours"),
    "ours, bfloat16": Engine("torch", "ours", ("--option", "precision=bfloat16")),
    "by hand": Engine("torch", "by_hand", workloads=("ff",)),
    "one graph": Engine("torch", "one_graph", workloads=("ff",)),
    "one graph, C++": Engine("torch", "one_graph", ("--option", "wrapper=cpp"), workloads=("ff",)),
    "tutorial": Engine("torchvision", "tutorial", peer=True),
    "lightning": Engine("lightning", "with_lightning", peer=True),
    "skorch": Engine("skorch", "with_skorch", peer=True),
    "keras-jax": Engine("keras", "keras_jax", peer=True),
    "flax": Engine("flax", "flax_jit", peer=True),
}
SEEDS = 10  # side by side
TEN = "ours, ten seeds"


class Data(NamedTuple):
    """Images, uint8 (N, 28, 28), and labels, uint8 (N,)."""

    images: np.ndarray
    labels: np.ndarray


class Job(NamedTuple):
    """What an engine is asked to do; ``on_epoch`` gets the running loss after each epoch."""

    name: str
    workload: Workload
    data: Data
    epochs: int
    seed: int
    on_epoch: Callable[[float], None]


def read(folder: Path, count: int) -> Data:
    """Return the first ``count`` images and labels that :mod:`bench` has laid in ``folder``."""
    images = np.fromfile(folder / "images.u8", np.uint8, count * 28 * 28).reshape(-1, 28, 28)
    return Data(images, np.fromfile(folder / "labels.u8", np.uint8, count))
