"""The drawings of page 00: an image's pixels as numbers, and a 2-2-2 network with its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Rectangle
from numpy.typing import ArrayLike, NDArray

from fmnist_utils.plots.style import (
    GREY,
    INK,
    VERMILION,
    WIDTH,
    book_figure,
    canvas,
    draw_arrow,
    without_frame,
)
from fmnist_utils.text import say

COLUMNS = {"x": 0.4, "h": 1.75, "a": 2.65, "z": 4.0, "p": 4.95}  # inches
ROWS = (2.15, 0.75)
RADIUS = 0.25
LOSS_AT = (4.95, 2.85)


@book_figure
def pixel_numbers(image: ArrayLike, top: int, left: int, size: int = 7) -> None:
    """Draw an image with a frame around ``size`` × ``size`` pixels, and beside it their numbers.

    Args:
        image: (1, 28, 28) or (28, 28), values in [0, 1].
        top, left: the first row and the first column of the frame.
        size: rows and columns of the frame.
    """
    pixels = np.asarray(image).reshape(np.shape(image)[-2:])
    _, (whole, part) = plt.subplots(1, 2, figsize=(WIDTH, 2.9))
    whole.imshow(pixels, cmap="gray", vmin=0, vmax=1)
    frame: dict[str, Any] = {"fill": False, "edgecolor": VERMILION, "linewidth": 2}
    whole.add_patch(Rectangle((left - 0.5, top - 0.5), size, size, **frame))
    window = pixels[top : top + size, left : left + size]
    part.imshow(window, cmap="gray", vmin=0, vmax=1)
    for (row, column), value in np.ndenumerate(window):
        colour = "white" if value < 0.5 else "black"
        place: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 8, "color": colour}
        part.text(column, row, f"{value:.1f}", **place)
    part.set_xticks(range(size), range(left, left + size))
    part.set_yticks(range(size), range(top, top + size))
    for axes in (whole, part):
        without_frame(axes)
        axes.set(xlabel=say("plots.pixel_column"), ylabel=say("plots.pixel_row"))


@book_figure
def gradient_diagram(
    inputs: ArrayLike, first: ArrayLike, second: ArrayLike, *, backward: bool = False
) -> None:
    """Draw a 2-2-2 network without biases, with ReLU and softmax, and the number of each place.

    The first of its two classes is the true one.

    Args:
        inputs: (2,).
        first, second: (2, 2), the weights of both layers, a row for each unit that they lead to.
        backward: draw in each place the derivative of the loss with respect to its number instead.
    """
    x, weights, more_weights = (np.asarray(item, float) for item in (inputs, first, second))
    h = weights @ x
    a = np.maximum(h, 0)
    z = more_weights @ a
    p = np.exp(z) / np.exp(z).sum()
    loss = f"$L = -\\ln\\,p_1 = {-np.log(p[0]):.2f}$"
    numbers, ink = {"x": x, "h": h, "a": a, "z": z, "p": p}, INK
    if backward:
        dz = p - [1, 0]
        da = more_weights.T @ dz
        dh = da * (h > 0)
        weights, more_weights = np.outer(dh, x), np.outer(dz, a)
        numbers, ink, loss = numbers | {"h": dh, "a": da, "z": dz}, VERMILION, "$L$"
    axes = canvas(WIDTH, 3.3)
    for name, values in numbers.items():
        _draw_nodes(axes, name, values, GREY if backward and name in "xp" else ink)
    _draw_structure(axes, loss, backward)
    _draw_weights(axes, "x", "h", weights, backward)
    _draw_weights(axes, "a", "z", more_weights, backward)


def _draw_nodes(axes: Axes, name: str, values: NDArray[np.float64], ink: str) -> None:
    """Draw both units of a column, with the number of each."""
    for number, (height, value) in enumerate(zip(ROWS, values, strict=True), start=1):
        place = (COLUMNS[name], height)
        style: dict[str, Any] = {"facecolor": "white", "edgecolor": ink, "linewidth": 1.2}
        axes.add_patch(Circle(place, RADIUS, zorder=3, **style))
        text: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 9.5, "zorder": 4}
        axes.text(place[0], place[1], _number(value), color=ink, **text)
        axes.text(place[0], height - RADIUS - 0.14, f"${name}_{number}$", color=GREY, **text)


def _draw_structure(axes: Axes, loss: str, backward: bool) -> None:
    """Draw the arrows without a weight, and what they stand for."""
    style: dict[str, Any] = {"linewidth": 1, "mutation_scale": 9}
    for source, target, word in (("h", "a", "ReLU"), ("z", "p", "softmax")):
        for height in ROWS:
            ends = [(COLUMNS[source] + RADIUS, height), (COLUMNS[target] - RADIUS, height)]
            draw_arrow(axes, *(reversed(ends) if backward else ends), **style)
        middle = (COLUMNS[source] + COLUMNS[target]) / 2
        name = f"$\\mathrm{{{word}}}$"
        axes.text(middle, sum(ROWS) / 2, name, ha="center", va="center", fontsize=9.5)
    axes.text(*LOSS_AT, loss, ha="center", va="center", fontsize=9.5)
    ends = [(LOSS_AT[0], ROWS[0] + RADIUS), (LOSS_AT[0], LOSS_AT[1] - 0.14)]
    draw_arrow(axes, *(reversed(ends) if backward else ends), **style)
    word = say("plots.backward" if backward else "plots.forward")
    axes.text(COLUMNS["x"] - RADIUS, LOSS_AT[1], word, va="center", fontsize=9.5, fontweight="bold")


def _draw_weights(
    axes: Axes, source: str, target: str, numbers: NDArray[np.float64], backward: bool
) -> None:
    """Draw the four arrows between two columns, each with its number near the unit it leaves."""
    ink = VERMILION if backward else INK
    for start, end, row, column in _arrows(source, target):
        style: dict[str, Any] = {"linewidth": 1, "mutation_scale": 9}
        tail, head = (end, start) if backward else (start, end)
        draw_arrow(axes, (tail[0], tail[1]), (head[0], head[1]), **style)
        share = 0.5 if row == column else 0.24
        place = start + share * (end - start)
        text: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 9, "color": ink}
        ground: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        axes.text(place[0], place[1], _number(numbers[row, column]), bbox=ground, zorder=4, **text)


def _arrows(
    source: str, target: str
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64], int, int]]:
    """Yield the ends of each arrow between two columns, and the row and column of its weight."""
    for column, from_height in enumerate(ROWS):
        for row, to_height in enumerate(ROWS):
            start = np.array([COLUMNS[source], from_height])
            end = np.array([COLUMNS[target], to_height])
            step = RADIUS * (end - start) / np.hypot(*(end - start))
            yield start + step, end - step, row, column


def _number(value: float) -> str:
    """Return a number with at most two decimals and a true minus sign."""
    rounded = round(float(value), 2) + 0.0  # not −0
    written = f"{rounded:g}" if rounded == value else f"{rounded:.2f}"
    return written.replace("-", "−")
