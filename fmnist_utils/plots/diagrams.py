"""Diagrams of ideas: descent, the three sets, strides, PCA's projection, the best constants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from fmnist_utils.plots.style import (
    BLUE,
    COLOURS,
    GREY,
    INK,
    ORANGE,
    PALE,
    SKY,
    STAR,
    VERMILION,
    WIDTH,
    book_figure,
    canvas,
    draw_arrow,
    legend_above,
)
from fmnist_utils.text import say

CELL = 0.21  # inches: the side of a pixel in the diagram of strides


@book_figure
def descent_paths() -> None:
    """Draw how SGD, SGD with momentum and Adam descend into a narrow valley from one place.

    The valley is (x² + 25 y²) / 2.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 3.1))
    x, y = np.meshgrid(np.linspace(-10, 2.5, 120), np.linspace(-2, 2, 80))
    levels = np.geomspace(0.4, 90, 9)
    axes.contour(x, y, (x**2 + 25 * y**2) / 2, levels, colors="#BBBBBB", linewidths=0.8)
    paths = [
        ("SGD, η = 0.07", _sgd_path(rate=0.07, momentum=0.0), "o-"),
        (f"{say('plots.momentum')}, η = 0.07", _sgd_path(rate=0.07, momentum=0.8), "s--"),
        ("Adam, η = 0.6", _adam_path(rate=0.6), "D:"),
    ]
    for (name, path, line), colour in zip(paths, COLOURS, strict=False):
        style: dict[str, Any] = {"color": colour, "markersize": 3.5, "linewidth": 1.2}
        axes.plot(path[:, 0], path[:, 1], line, label=name, **style)
    axes.plot(0, 0, "*", color=ORANGE, **STAR, zorder=4)
    axes.set(xlabel="$x$", ylabel="$y$", xlim=(-10, 2.5), ylim=(-2, 2))
    axes.grid(visible=False)
    legend_above(figure, columns=3, fontsize=9, columnspacing=1, handletextpad=0.4)


SLOPES = np.array([1.0, 25.0])  # of the valley: its gradient is SLOPES * place
START = np.array([-9.0, 1.6])
STEPS = 25


def _sgd_path(rate: float, momentum: float) -> NDArray[np.float64]:
    place = START
    velocity = np.zeros(2)
    path = [place]
    for _ in range(STEPS):
        velocity = momentum * velocity + SLOPES * place
        place = place - rate * velocity
        path.append(place)
    return np.array(path)


def _adam_path(rate: float) -> NDArray[np.float64]:
    place = START
    mean = np.zeros(2)
    square = np.zeros(2)
    path = [place]
    for step in range(1, STEPS + 1):
        gradient = SLOPES * place
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        deviation = np.sqrt(square / (1 - 0.999**step))
        place = place - rate * (mean / (1 - 0.9**step)) / (deviation + 1e-8)
        path.append(place)
    return np.array(path)


PURPOSES: dict[str, dict[str, Any]] = {
    "fits": {"facecolor": SKY},
    "decides": {"facecolor": ORANGE, "hatch": "///"},
    "measures": {"facecolor": "white"},
}


@book_figure
def splits_diagram() -> None:
    """Draw the three sets of images, early stopping on the second, and cross-validation."""
    axes = canvas(WIDTH, 4.5)
    left = 0.15
    unit = (WIDTH - 2 * left) / 7
    heading: dict[str, Any] = {"va": "center", "fontweight": "bold"}
    frame: dict[str, Any] = {"edgecolor": INK, "linewidth": 1}

    def draw_set(start: float, length: float, height: float, purpose: str) -> None:
        corner = (left + start * unit, height)
        axes.add_patch(Rectangle(corner, length * unit, 0.26, **frame, **PURPOSES[purpose]))

    axes.text(left, 4.3, say("plots.three_sets"), **heading)
    draw_set(0, 5, 3.85, "fits")
    draw_set(5, 1, 3.85, "decides")
    draw_set(6, 1, 3.85, "measures")
    for purpose, x in zip(PURPOSES, (left, left + 2.1, left + 3.6), strict=True):
        axes.add_patch(Rectangle((x, 3.53), 0.2, 0.15, **frame, **PURPOSES[purpose]))
        axes.text(x + 0.27, 3.6, say(f"plots.{purpose}"), va="center", fontsize=8.5)
    axes.text(left, 3.2, say("plots.early_stopping"), **heading)
    _draw_early_stopping(axes, left + 0.1)
    axes.text(left, 1.5, say("plots.cross_validation"), **heading)
    for fold in range(5):
        height = 1.1 - 0.26 * fold
        for part in range(5):
            draw_set(1.2 * part, 1.2, height, "decides" if part == 4 - fold else "fits")
        draw_set(6, 1, height, "measures")


def _draw_early_stopping(axes: Axes, left: float) -> None:
    """Draw two losses, the epoch whose weights are kept, and the patience after it."""
    epochs = np.linspace(0, 1, 60)
    train = 2.0 + 0.95 * np.exp(-4 * epochs)
    val = 2.05 + 0.9 * np.exp(-5 * epochs) + 0.55 * epochs**2
    x = left + 3.2 * epochs
    best = int(val.argmin())
    stop = best + 16
    axes.plot(x[: stop + 1], train[: stop + 1], ":", color=BLUE)
    axes.plot(x[: stop + 1], val[: stop + 1], "-", color=VERMILION)
    axes.plot(x[best], val[best], "*", color=ORANGE, **STAR, zorder=4)
    axes.plot([x[best]] * 2, [1.9, 2.95], ":", color=GREY, linewidth=1)
    axes.plot([x[stop]] * 2, [1.9, 2.95], "-", color=GREY, linewidth=1)
    both_ways = {"arrowstyle": "<->", "color": GREY}
    axes.annotate("", (x[best], 2.85), (x[stop], 2.85), arrowprops=both_ways)
    middle = (x[best] + x[stop]) / 2
    axes.text(middle, 2.95, say("plots.patience"), ha="center", va="bottom", fontsize=8.5)
    axes.text(x[best], 1.8, say("plots.kept"), ha="center", va="center", fontsize=8.5)
    name: dict[str, Any] = {"va": "center", "fontsize": 8.5}
    axes.text(x[stop] + 0.08, train[stop] - 0.04, "train_loss", color=BLUE, **name)
    axes.text(x[stop] + 0.08, val[stop] + 0.05, "val_loss", color=VERMILION, **name)


@book_figure
def strides_diagram() -> None:
    """Draw a 3×3 kernel on 5×5 pixels with stride 2, and the way back.

    Without and with padding, and a transposed convolution: its numbers are how many products each
    pixel adds up; output padding adds a row and a column that get none.
    """
    axes = canvas(WIDTH, 3.1)
    top = 2.45
    low = 0.72
    title: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 8.5}
    for left, side, border, outputs, padding in ((0.12, 5, [], 2, 0), (1.85, 7, [0, 6], 3, 1)):
        middle = left + side * CELL / 2
        _draw_pixels(axes, left, top, side, pale=border)
        _draw_pixels(axes, middle - outputs * CELL / 2, low, outputs)
        _draw_windows(axes, left, top, middle - outputs * CELL / 2, low)
        draw_arrow(axes, (middle, top - side * CELL - 0.06), (middle, low + 0.06), linewidth=1)
        axes.text(middle, 2.72, say("plots.stride_padding", stride=2, padding=padding), **title)
    left = 4.18
    middle = left + 3 * CELL
    touched = np.array([1, 1, 2, 1, 1, 0])
    _draw_pixels(axes, left, top, 6, pale=[5], numbers=np.outer(touched, touched))
    _draw_pixels(axes, middle - CELL, low, 2)
    _draw_windows(axes, left, top, middle - CELL, low)
    draw_arrow(axes, (middle, low + 0.06), (middle, top - 6 * CELL - 0.06), linewidth=1)
    name = f"{say('plots.transposed')}\n{say('plots.output_padding')}"
    axes.text(middle, 2.78, name, **title)


def _draw_pixels(
    axes: Axes,
    left: float,
    top: float,
    side: int,
    pale: Sequence[int] = (),
    numbers: NDArray[np.int64] | None = None,
) -> None:
    """Draw a square of pixels, pale in some rows and columns, with numbers if there are any."""
    for row, column in np.ndindex(side, side):
        ground = PALE if row in pale or column in pale else "white"
        x = left + column * CELL
        y = top - (row + 1) * CELL
        square: dict[str, Any] = {"facecolor": ground, "edgecolor": GREY, "linewidth": 0.7}
        axes.add_patch(Rectangle((x, y), CELL, CELL, **square))
        if numbers is not None:
            place: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 8}
            axes.text(x + CELL / 2, y + CELL / 2, f"{numbers[row, column]}", **place)


def _draw_windows(axes: Axes, left: float, top: float, small_left: float, small_top: float) -> None:
    """Frame two windows of 3×3 pixels, and the two pixels that belong to them."""
    for place, (colour, line) in enumerate(((BLUE, "-"), (VERMILION, "--"))):
        style: dict[str, Any] = {"edgecolor": colour, "linestyle": line, "linewidth": 2}
        window = (left + 2 * place * CELL, top - 3 * CELL)
        axes.add_patch(Rectangle(window, 3 * CELL, 3 * CELL, fill=False, zorder=4, **style))
        pixel = (small_left + place * CELL, small_top - CELL)
        axes.add_patch(Rectangle(pixel, CELL, CELL, fill=False, zorder=4, **style))


@book_figure
def best_constants(values: Sequence[float] = (0.0, 0.0, 0.0, 0.2, 0.8)) -> None:
    """Draw the mean squared and the mean absolute error of one constant for all ``values``.

    The first is least at their mean, the second at their median.

    Args:
        values: numbers in [0, 1].
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 3.2))
    numbers = np.asarray(values, float)
    answers = np.linspace(0, 1, 201)
    difference = answers[:, None] - numbers
    squared = (difference**2).mean(axis=1)
    absolute = np.abs(difference).mean(axis=1)
    mean = float(numbers.mean())
    median = float(np.median(numbers))
    axes.plot(answers, squared, "-", color=BLUE, label=say("plots.mse"))
    _mark_lowest(axes, mean, np.interp(mean, answers, squared), "plots.mean_at", BLUE, "o")
    axes.plot(answers, absolute, "--", color=VERMILION, label=say("plots.l1"))
    lowest = np.interp(median, answers, absolute)
    _mark_lowest(axes, median, lowest, "plots.median_at", VERMILION, "s")
    # Equal values stand one below the other.
    stacked = [list(values[:place]).count(value) for place, value in enumerate(values)]
    heights = -0.05 - 0.035 * np.array(stacked)
    diamonds: dict[str, Any] = {"color": INK, "clip_on": False, "label": say("plots.values")}
    axes.plot(numbers, heights, "D", **diamonds)
    axes.set(xlabel=say("plots.constant"), xlim=(-0.03, 1.03), ylim=(-0.16, None))
    legend_above(figure, columns=3, fontsize=9, columnspacing=1)


def _mark_lowest(
    axes: Axes, answer: float, error: float, key: str, colour: str, marker: str
) -> None:
    axes.plot(answer, error, marker, color=colour, markersize=8, zorder=4)
    place: dict[str, Any] = {"xytext": (2, 11), "textcoords": "offset points", "color": colour}
    axes.annotate(say(key, value=answer), (answer, error), **place)


@book_figure
def projection(points: ArrayLike, centre: ArrayLike, direction: ArrayLike) -> None:
    """Draw points on a plane, a line through their centre, and how far each is from the line.

    Args:
        points: (N, 2).
        centre: (2,), a point of the line.
        direction: (2,), the unit vector along the line.
    """
    points = np.asarray(points, float)
    centre = np.asarray(centre, float)
    direction = np.asarray(direction, float)
    along = (points - centre) @ direction
    feet = centre + along[:, None] * direction
    line = centre + np.array([along.min() - 0.08, along.max() + 0.08])[:, None] * direction
    figure, axes = plt.subplots(figsize=(0.8 * WIDTH, 0.8 * WIDTH))
    for point, foot in zip(points, feet, strict=True):
        x, y = np.transpose([point, foot])
        axes.plot(x, y, color=GREY, linewidth=0.8, zorder=1)
    axes.plot(line[:, 0], line[:, 1], color=VERMILION, label=say("plots.first_component"))
    axes.plot(points[:, 0], points[:, 1], "o", color=BLUE, label=say("plots.one_image"))
    mark: dict[str, Any] = {"color": VERMILION, "markersize": 7, "label": say("plots.kept_of_it")}
    axes.plot(feet[:, 0], feet[:, 1], "|", **mark)
    axes.plot(*centre, "*", color=ORANGE, **STAR, label=say("plots.mean_image"))
    axes.set(aspect="equal", xlabel=say("plots.one_pixel"), ylabel=say("plots.other_pixel"))
    legend_above(figure, columns=2)
