"""The exercises of page 03, *A convolutional autoencoder and transfer*."""

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from fmnist_utils.exercises.cases import Case, Draw, exercise
from fmnist_utils.text import say


@exercise("03.4")
def output_side(draw: Draw) -> Case:
    """The side of what comes out of a convolution."""
    side, kernel_size = draw.whole(8, 40), draw.whole(1, 6)
    stride, padding = draw.whole(1, 4), draw.whole(0, 3)
    layer = nn.Conv2d(1, 1, kernel_size, stride, padding)
    expected = layer(torch.zeros(1, 1, side, side)).shape[-1]
    given = {"side": side, "kernel_size": kernel_size, "stride": stride, "padding": padding}
    return Case(given, expected)


class BornDead(nn.Module):
    """A small network whose last bias, in the place that it has on the page, lets nothing out."""

    def __init__(self, bias: float):
        super().__init__()
        last = nn.Linear(28, 28)
        nn.init.constant_(last.weight, 0.001)
        nn.init.constant_(last.bias, bias)
        self.decoder = nn.Sequential(*[nn.Identity() for _ in range(7)], last, nn.ReLU())

    def forward(self, images: Tensor) -> Tensor:
        """Return images of the same size."""
        return self.decoder(images)


@exercise("03.5")
def revive(draw: Draw) -> Case:
    """Any change of the last bias, and of nothing else, after which some pixel is above zero."""
    network = BornDead(draw.number(-0.33, -0.2))
    before = copy.deepcopy(network.state_dict())
    images = draw.uniform(draw.whole(2, 5), 1, 28, 28)

    def judge(_: Any, given: Mapping[str, Any]) -> str | None:
        for name, value in given["network"].state_dict().items():
            if name != "decoder.7.bias" and not torch.equal(value, before[name]):
                return say("exercises.touched", name=name)
        bias = given["network"].decoder[7].bias.max().item()
        alive = given["network"](images).max().item() > 0
        return None if alive else say("exercises.dead", bias=f"{bias:.2g}")

    return Case({"network": network}, judge=judge)
