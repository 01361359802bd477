"""Images changed at random, a whole minibatch at once: mirrored, shifted, with a part erased.

Each image of a minibatch has draws of its own. ``torchvision.transforms.v2`` draws *once a call*:
given a minibatch, it mirrors all images or none, and a call for each image would take longer than
the training. The draws come from PyTorch's global generator, which
:class:`fmnist_utils.training.Batches` seeds for each epoch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

AREA = (0.02, 0.33)  # of an erased rectangle, as a share of the image
LOG_ASPECT = (math.log(0.3), math.log(1 / 0.3))  # of its height to its width, a logarithm


def flip(images: Tensor) -> Tensor:
    """Return ``images`` (N, 1, H, W), each mirrored left to right with probability 1/2."""
    mirrored = torch.rand(len(images), 1, 1, 1, device=images.device) < 0.5
    return torch.where(mirrored, images.flip(3), images)


def shift(images: Tensor, pixels: int, black: float = 0.0) -> Tensor:
    """Return ``images`` (N, 1, H, W), each moved by −``pixels`` to ``pixels`` along both axes.

    Each is a random crop of the image with a border of ``pixels`` around it, as in He et al.
    (arXiv:1512.03385, section 4.2).

    Args:
        black: the value of the border.
    """
    count, _, height, width = images.shape
    padded = nn.functional.pad(images, [pixels] * 4, value=black)
    # All crops of each image, as a view: N × 1 × places down × places right × H × W.
    crops = padded.unfold(2, height, 1).unfold(3, width, 1)
    down, right = torch.randint(2 * pixels + 1, (2, count), device=images.device)
    return crops[torch.arange(count, device=images.device), :, down, right]


def erase(images: Tensor, probability: float) -> Tensor:
    """Return ``images`` (N, 1, H, W); with ``probability``, a rectangle of an image is set to zero.

    Zhong et al., Random Erasing Data Augmentation (arXiv:1708.04896), with their ranges of areas
    and aspects. Zero is the mean of normalized images, which they found as good as noise. A side
    that would be longer than the image is cut.
    """
    count, _, height, width = images.shape
    device = images.device
    area = torch.empty(count, device=device).uniform_(*AREA) * height * width
    root = torch.empty(count, device=device).uniform_(*LOG_ASPECT).div(2).exp()
    erased = torch.rand(count, device=device) < probability
    rows = _random_interval(area.sqrt() * root, height)
    columns = _random_interval(area.sqrt() / root, width)
    inside = erased[:, None, None] & rows[:, :, None] & columns[:, None, :]
    return images.masked_fill(inside[:, None], 0)


def _random_interval(lengths: Tensor, side: int) -> Tensor:
    """Return, for each of ``lengths`` (N,), an interval at random: True inside, (N, ``side``)."""
    lengths = lengths.round().clamp(1, side)
    draws = torch.rand(len(lengths), device=lengths.device)
    starts = (draws * (side - lengths + 1)).floor()
    place = torch.arange(side, device=lengths.device)
    return (place >= starts[:, None]) & (place < (starts + lengths)[:, None])


@dataclass(frozen=True)
class Augmentation:
    """What is done to a minibatch of images (N, 1, 28, 28) in training.

    Attributes:
        flips: mirror each image, left to right, with probability 1/2.
        shifts: move each image by up to so many pixels along each axis.
        erasing: probability that a rectangle of the image is erased.
        black: the value of a black pixel, which is not zero where images are normalized.
    """

    flips: bool = False
    shifts: int = 0
    erasing: float = 0.0
    black: float = 0.0

    def __call__(self, images: Tensor) -> Tensor:
        """Return the changed images."""
        if self.flips:
            images = flip(images)
        if self.shifts:
            images = shift(images, self.shifts, self.black)
        if self.erasing:
            images = erase(images, self.erasing)
        return images


class FlipAveraged(nn.Module):
    """A classifier asked twice: the mean of its logits for each image and for its mirror image."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Return the mean logits, (N, 10)."""
        return (self.model(images) + self.model(images.flip(3))) / 2
