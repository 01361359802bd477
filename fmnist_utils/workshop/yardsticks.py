"""Make the yardsticks of reconstruction: what PCA and constant images reach."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fmnist_utils.audit.yardsticks import NAME, SETS, SHOWN
from fmnist_utils.data import Splits, load_fashion_mnist
from fmnist_utils.evaluation import constant_errors, pca_reconstruct, principal_components
from fmnist_utils.workshop.download import fetch_if_missing
from fmnist_utils.workshop.results import first_of_each_class
from fmnist_utils.workshop.store import RunStore


def publish_yardsticks(store: RunStore, splits: Splits | None = None) -> Path:
    """Compute the yardsticks and put them with the committed records; return their file.

    Args:
        splits: the images; ``None`` means the official data.
    """
    if splits is None:
        fetch_if_missing()
        splits = load_fashion_mnist("official")
    content: dict[str, Any] = {"constant": {}, "pca": {}}
    for count, names in SETS.items():
        train = splits.train.images
        if count == 60_000:
            train = torch.cat([splits.train.images, splits.val.images])
        mean, components = principal_components(train)
        for name in names:
            images = getattr(splits, name).images
            constants = constant_errors(train, images).map(_rounded)
            content["constant"][f"{count} {name}"] = constants.to_dict(orient="index")
            content["pca"][f"{count} {name}"] = _errors_of_all_sizes(mean, components, images)
    content["examples"] = base64.b64encode(pca_examples(splits).tobytes()).decode()
    return store.write_sealed(NAME, content)


def pca_examples(splits: Splits) -> NDArray[np.uint8]:
    """Return what PCA with 64 numbers keeps of the first test image of each class, as bytes."""
    first = first_of_each_class(splits.test.labels.numpy())
    kept = pca_reconstruct(splits.train.images, splits.test.images[first], SHOWN)
    return (255 * kept).round().clamp(0, 255).to(torch.uint8)[:, 0].numpy()


def _errors_of_all_sizes(
    mean: Tensor, components: Tensor, images: Tensor
) -> dict[str, list[float]]:
    """Return the errors of PCA with 1, 2, … components, one list for each column of ``pca_errors``.

    Each component is subtracted from what the ones before have left.
    """
    names = ("mse", "l1", "mse_clamped", "l1_clamped")
    sums = {name: np.zeros(len(components)) for name in names}
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
    return {name: [_rounded(total / images.numel()) for total in sums[name]] for name in names}


def _rounded(value: float) -> float:
    """Return ``value`` with six digits."""
    return float(f"{value:.6g}")
