"""The exercises of page 02, *A fully connected autoencoder*."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from fmnist_utils.exercises.cases import Case, Draw, exercise, found, of_shape, unlike


@exercise("02.4")
def error_from_singular_values(draw: Draw) -> Case:
    """The error of PCA per pixel, from the singular values that are discarded."""
    pixels = 5 * draw.normal(draw.whole(4, 6), 784)
    left, singular_values, right = torch.linalg.svd(pixels, full_matrices=False)
    kept = draw.whole(1, 3)
    reconstructed = left[:, :kept] * singular_values[:kept] @ right[:kept]
    given = {"singular_values": singular_values, "num_components": kept, "num_images": len(pixels)}
    return Case(given, (pixels - reconstructed).square().mean())


SIZES = [(784, 256), (256, 64), (64, 256), (256, 784)]


@exercise("02.5")
def deep_autoencoder(draw: Draw) -> Case:
    """A network 784-256-64-256-784 with a ReLU after every dense layer but the last."""
    images = draw.uniform(draw.whole(2, 5), 1, 28, 28)

    def judge(network: Any, _: Mapping[str, Any]) -> str | None:
        if not isinstance(network, nn.Module):
            return unlike("network", network)
        parts = list(network.modules())
        dense = [(p.in_features, p.out_features) for p in parts if isinstance(p, nn.Linear)]
        if dense != SIZES:
            return found("dense", SIZES, dense)
        if (relus := sum(isinstance(part, nn.ReLU) for part in parts)) != 3:
            return found("relus", 3, relus)
        return of_shape(images.shape, network(images))

    return Case({}, judge=judge)
