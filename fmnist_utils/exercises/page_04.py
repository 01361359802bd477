"""The exercises of page 04, *Four autoencoders compared*."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from fmnist_utils.exercises.cases import Case, Draw, exercise, found, of_shape, unlike

CHANNELS = [(64, 64), (64, 64), (64, 32), (32, 1)]


@exercise("04.4")
def uncropped(draw: Draw) -> Case:
    """Four transposed convolutions that lead from 64 × 7 × 7 to 1 × 28 × 28."""
    maps = draw.normal(draw.whole(2, 5), 64, 7, 7)

    def judge(network: Any, _: Mapping[str, Any]) -> str | None:
        if not isinstance(network, nn.Module):
            return unlike("network", network)
        layers = [part for part in network.modules() if isinstance(part, nn.ConvTranspose2d)]
        channels = [(layer.in_channels, layer.out_channels) for layer in layers]
        if channels != CHANNELS:
            return found("transposed", CHANNELS, channels)
        return of_shape((len(maps), 1, 28, 28), network(maps))

    return Case({}, judge=judge)


@exercise("04.5")
def three_effects(draw: Draw) -> Case:
    """The effects of size and of pretraining, and their interaction."""
    small_0, small_plus, large_0, large_plus = (draw.number(70, 90) for _ in range(4))
    given = {
        "small_0": small_0,
        "small_plus": small_plus,
        "large_0": large_0,
        "large_plus": large_plus,
    }
    size = (large_0 + large_plus) / 2 - (small_0 + small_plus) / 2
    pretraining = (small_plus + large_plus) / 2 - (small_0 + large_0) / 2
    return Case(given, (size, pretraining, large_plus - large_0 - small_plus + small_0))
