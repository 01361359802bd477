"""The yardsticks of reconstruction on the official data: what a network has to beat, computed once and committed.

``book/results/yardsticks.json`` holds the errors of answering one image to all (black, mean, median) and those of principal
component analysis with 1 to 784 numbers. The pages read it in their full profile, which shows records of the official data also
where the data are not there; ``fmnist reproduce`` makes it where it is missing.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from fmnist_utils.checkpoints import FORMAT, digest, write_atomically
from fmnist_utils.data import Splits, load_fashion_mnist
from fmnist_utils.evaluation import constant_errors, pca_reconstruct, principal_components
from fmnist_utils.runs import RunStore, describe_environment, first_of_each_class, now
from fmnist_utils.text import UserError

NAME = "yardsticks.json"
SETS = {50_000: ("val", "test"), 60_000: ("test",)}  # how many training images are fitted, and what is measured
SHOWN = 64  # numbers an image in the reconstructions that figures show


class Yardsticks:
    """What ``yardsticks.json`` holds.

    Raises:
        UserError: if the file is not whole, or was altered.
    """

    def __init__(self, path: Path):
        try:
            self.content = json.loads(path.read_bytes())
            unaltered = self.content.pop("digest") == digest(self.content)
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise UserError("runs.damaged", file=path.name, folder=path.parent.name) from error
        if not unaltered:
            raise UserError("runs.altered", file=path.name, folder=path.parent.name)

    def constant_errors(self, split: str, images: int = 50_000) -> pd.DataFrame:
        """Return what :func:`~fmnist_utils.evaluation.constant_errors` does, fitted on so many training images.

        Args:
            split: ``val``, the last 10,000 training images (only for 50,000), or ``test``.
        """
        return pd.DataFrame.from_dict(self.content["constant"][f"{images} {split}"], orient="index")

    def pca_errors(self, split: str, latent_dims: Sequence[int], images: int = 50_000) -> pd.DataFrame:
        """Return what :func:`~fmnist_utils.evaluation.pca_errors` does; the arguments as in :meth:`constant_errors`."""
        columns = self.content["pca"][f"{images} {split}"]
        return pd.DataFrame(
            {name: [values[min(n, len(values)) - 1] for n in latent_dims] for name, values in columns.items()},
            index=latent_dims,
        )

    def pca_examples(self) -> np.ndarray:
        """Return what PCA with 64 numbers keeps of the first test image of each class: bytes (10, 28, 28)."""
        return np.frombuffer(base64.b64decode(self.content["examples"]), np.uint8).reshape(10, 28, 28)


def find(store: RunStore | None = None) -> Yardsticks | None:
    """Return the committed yardsticks, or None where there are none."""
    path = (store or RunStore()).results / NAME
    return Yardsticks(path) if path.exists() else None


def publish(store: RunStore, splits: Splits | None = None) -> Path:
    """Compute the yardsticks, on the official data unless ``splits`` are given, and put them with the committed records."""
    splits = splits or load_fashion_mnist("official")
    content = {"format": FORMAT, "made_with": describe_environment(torch.device("cpu")) | {"date": now()}}
    content |= {"constant": {}, "pca": {}}
    for images, names in SETS.items():
        train = splits.train.images if images == 50_000 else torch.cat([splits.train.images, splits.val.images])
        components = principal_components(train)
        for name in names:
            measured = getattr(splits, name).images
            constants = constant_errors(train, measured).map(lambda error: float(f"{error:.6g}"))
            content["constant"][f"{images} {name}"] = constants.to_dict(orient="index")
            content["pca"][f"{images} {name}"] = _errors_of_all_sizes(*components, measured)
    examples = pca_examples(splits)
    content["examples"] = base64.b64encode(examples.tobytes()).decode()
    path = store.results / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in (content | {"digest": digest(content)}).items()]
    write_atomically(path, ("{\n" + ",\n".join(lines) + "\n}\n").encode())
    return path


def pca_examples(splits: Splits) -> np.ndarray:
    """Return what PCA of the training images keeps of the first test image of each class with 64 numbers, as bytes."""
    first = first_of_each_class(splits.test.labels.numpy())
    kept = pca_reconstruct(splits.train.images, splits.test.images[first], SHOWN)
    return (255 * kept).round().clamp(0, 255).to(torch.uint8)[:, 0].numpy()


def _errors_of_all_sizes(mean: Tensor, components: Tensor, images: Tensor) -> dict[str, list[float]]:
    """Return the errors of PCA with 1, 2, … components, each taken away from what is left; columns as ``pca_errors`` has."""
    sums = {name: np.zeros(len(components)) for name in ("mse", "l1", "mse_clamped", "l1_clamped")}
    for pixels in images.flatten(1).split(500):  # few enough to stay in the processor's cache
        left = pixels - mean
        codes = left @ components.T
        for place, component in enumerate(components):
            left.addr_(codes[:, place], component, alpha=-1)
            sums["mse"][place] += float(left.square().sum())
            sums["l1"][place] += float(left.abs().sum())
            clamped = (pixels - left).clamp_(0, 1).sub_(pixels)
            sums["mse_clamped"][place] += float(clamped.square().sum())
            sums["l1_clamped"][place] += float(clamped.abs().sum())
    return {name: [float(f"{value / images.numel():.6g}") for value in values] for name, values in sums.items()}
