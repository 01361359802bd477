"""The exercises of page 07, *How far it goes*."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from fmnist_utils.exercises.cases import Case, Draw, exercise, of_shape
from fmnist_utils.text import say

IMAGES, FEWEST = 60, 10  # of 60 fair draws, fewer than 10 or more than 50: once in 10 million


@exercise("07.4")
def flip_upside_down(draw: Draw) -> Case:
    """Each image as it was or upside down, with a draw for each."""
    images = draw.uniform(IMAGES, 1, 4, 4)

    def judge(answer: Any, _: Mapping[str, Any]) -> str | None:
        if wrong := of_shape(images.shape, answer):
            return wrong
        flipped = _same(answer, images.flip(2))
        neither = ~(flipped | _same(answer, images))
        if neither.any():
            return say("exercises.neither", place=int(neither.nonzero()[0]))
        count = int(flipped.sum())
        fair = FEWEST <= count <= IMAGES - FEWEST
        return None if fair else say("exercises.unfair", count=count, total=IMAGES)

    return Case({"images": images}, judge=judge)


def _same(some: Tensor, others: Tensor) -> Tensor:
    """Return for each image whether it is the same."""
    return (some == others).flatten(1).all(dim=1)


@exercise("07.5")
def smooth_targets(draw: Draw) -> Case:
    """Smoothed labels, a row for each."""
    labels, alpha = draw.labels(draw.whole(1, 3)), draw.number(0.05, 0.5)
    one_hot = nn.functional.one_hot(labels, num_classes=10)
    return Case({"labels": labels, "alpha": alpha}, (1 - alpha) * one_hot + alpha / 10)
