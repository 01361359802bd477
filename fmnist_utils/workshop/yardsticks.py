"""Make the yardsticks of reconstruction: what PCA and constant images reach."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from fmnist_utils.audit.records import FORMAT, digest
from fmnist_utils.audit.yardsticks import NAME, SETS, SHOWN
from fmnist_utils.data import Splits, load_fashion_mnist
from fmnist_utils.evaluation import constant_errors, pca_reconstruct, principal_components
from fmnist_utils.workshop.download import fetch_if_missing
from fmnist_utils.workshop.files import write_atomically
from fmnist_utils.workshop.machine import describe_environment, now
from fmnist_utils.workshop.results import first_of_each_class
from fmnist_utils.workshop.store import RunStore


def publish(store: RunStore, splits: Splits | None = None) -> Path:
    """Compute the yardsticks, on the official data unless ``splits`` are given, and put them with the committed records."""
    if splits is None:
        fetch_if_missing()
        splits = load_fashion_mnist("official")
    content = {
        "format": FORMAT,
        "made_with": describe_environment(torch.device("cpu")) | {"date": now()},
    }
    content |= {"constant": {}, "pca": {}}
    for images, names in SETS.items():
        train = (
            splits.train.images
            if images == 50_000
            else torch.cat([splits.train.images, splits.val.images])
        )
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
    lines = [
        f"{json.dumps(name)}: {json.dumps(value)}"
        for name, value in (content | {"digest": digest(content)}).items()
    ]
    write_atomically(path, ("{\n" + ",\n".join(lines) + "\n}\n").encode())
    return path


def pca_examples(splits: Splits) -> np.ndarray:
    """Return what PCA of the training images keeps of the first test image of each class with 64 numbers, as bytes."""
    first = first_of_each_class(splits.test.labels.numpy())
    kept = pca_reconstruct(splits.train.images, splits.test.images[first], SHOWN)
    return (255 * kept).round().clamp(0, 255).to(torch.uint8)[:, 0].numpy()


def _errors_of_all_sizes(
    mean: Tensor, components: Tensor, images: Tensor
) -> dict[str, list[float]]:
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
    return {
        name: [float(f"{value / images.numel():.6g}") for value in values]
        for name, values in sums.items()
    }
