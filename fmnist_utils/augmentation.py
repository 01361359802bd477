"""Images changed at random, a whole minibatch at once: mirrored, shifted, with a part erased.

Each image has draws of its own. ``torchvision.transforms.v2`` draws *once a call*: given a batch, it mirrors all of it or
none, and erases the same rectangle everywhere; a call for each image would take longer than training. So the few lines are here.
The draws come from PyTorch's global generator, which :class:`fmnist_utils.training.Batches` seeds for each epoch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

AREA = 0.02, 0.33  # share of the image that an erased rectangle takes
SHAPE = math.log(0.3), math.log(1 / 0.3)  # of its height to its width, logarithms


@dataclass(frozen=True)
class Augmentation:
    """What is done to a minibatch of images (N, 1, 28, 28) in training; called with it, returns another one.

    Attributes:
        flips: mirror each image, left to right, with probability 1/2.
        shifts: move each image by up to so many pixels along each axis; what comes in at the border is black.
        erasing: probability that a rectangle of the image is erased.
        black: the value of a black pixel, which is not zero where images are normalized.
    """

    flips: bool = False
    shifts: int = 0
    erasing: float = 0.0
    black: float = 0.0

    def __call__(self, images: Tensor) -> Tensor:
        images = flip(images) if self.flips else images
        images = shift(images, self.shifts, self.black) if self.shifts else images
        return erase(images, self.erasing) if self.erasing else images


def flip(images: Tensor) -> Tensor:
    """Return ``images`` (N, 1, H, W), each mirrored left to right with probability 1/2."""
    mirrored = torch.rand(len(images), 1, 1, 1, device=images.device) < 0.5
    return torch.where(mirrored, images.flip(3), images)


def shift(images: Tensor, pixels: int, black: float = 0.0) -> Tensor:
    """Return ``images`` (N, 1, H, W), each moved by −``pixels`` to ``pixels`` along both axes, drawn uniformly.

    It is a crop at random of the image with a border of ``pixels`` around it, as in He et al. (arXiv:1512.03385, section 4.2).
    """
    count, _, height, width = images.shape
    padded = nn.functional.pad(images, [pixels] * 4, value=black)
    windows = padded.unfold(2, height, 1).unfold(
        3, width, 1
    )  # a view: N × 1 × (2·pixels + 1)² places × H × W
    down, right = torch.randint(2 * pixels + 1, (2, count), device=images.device)
    return windows[torch.arange(count, device=images.device), :, down, right]


def erase(images: Tensor, probability: float) -> Tensor:
    """Return ``images`` (N, 1, H, W), in each of which, with ``probability``, a rectangle is set to zero.

    Zhong et al., Random Erasing Data Augmentation (arXiv:1708.04896), with their range of areas and shapes. Zero is the mean of
    normalized images, which they found as good as noise. Where a rectangle is longer than the image, its side is cut.
    """
    (count, _, height, width), device = images.shape, images.device
    area = torch.empty(count, device=device).uniform_(*AREA) * height * width
    root = torch.empty(count, device=device).uniform_(*SHAPE).div(2).exp()
    erased = torch.rand(count, device=device) < probability
    inside = []
    for length, side in ((area.sqrt() * root, height), (area.sqrt() / root, width)):
        length = length.round().clamp(1, side)
        start = (torch.rand(count, device=device) * (side - length + 1)).floor()
        place = torch.arange(side, device=device)
        inside.append((place >= start[:, None]) & (place < (start + length)[:, None]))  # N × side
    rows, columns = inside
    return images.masked_fill(
        (erased[:, None, None] & rows[:, :, None] & columns[:, None, :])[:, None], 0
    )


class FlipAveraged(nn.Module):
    """A classifier asked twice: the mean of its logits for each image and for its mirror image."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Return the mean logits, (N, 10)."""
        return (self.model(images) + self.model(images.flip(3))) / 2
