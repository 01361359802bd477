"""Diagrams of networks: units and weights, blocks, volumes, dropout, transfer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Rectangle
from numpy.typing import ArrayLike

from fmnist_utils.plots.style import (
    BEHIND,
    BLUE,
    COLOURS,
    GREEN,
    GREY,
    INK,
    MARKERS,
    ORANGE,
    SKY,
    WIDTH,
    book_figure,
    canvas,
    draw_arrow,
    draw_bracket,
    legend_above,
)
from fmnist_utils.text import say

PALE_BLUE = "#DCEBF5"
PALE_GREEN = "#D9F0E8"
PALE_ORANGE = "#FBECCB"
CENTRED: dict[str, Any] = {"ha": "center", "va": "center"}


@book_figure
def feed_forward_diagram() -> None:
    """Draw a feed-forward network: inputs, a hidden layer, outputs, an arrow for each weight."""
    axes = canvas(WIDTH, 3.15)
    layers = [
        [r"\xi_{1}", r"\xi_{2}", r"\xi_{3}", r"\xi_{K}"],
        ["V_{1}", "V_{2}", "V_{J}"],
        ["O_{1}", "O_{I}"],
    ]
    names = [say("plots.inputs"), say("plots.hidden_layer"), say("plots.outputs")]
    _draw_units(axes, layers, names, weights=["w_{jk}", "W_{ij}"])


@book_figure
def autoencoder_diagram(latent_dim: int | None = None) -> None:
    """Draw a feed-forward autoencoder: a hidden layer smaller than the inputs, as many outputs.

    Args:
        latent_dim: if it is given, the number of units stands beside the name of each layer.
    """
    axes = canvas(WIDTH, 3.55)
    layers = [
        [r"\xi_{1}", r"\xi_{2}", r"\xi_{3}", r"\xi_{K}"],
        ["V_{1}", "V_{J}"],
        [r"\hat{\xi}_{1}", r"\hat{\xi}_{2}", r"\hat{\xi}_{3}", r"\hat{\xi}_{K}"],
    ]
    names = [say("plots.inputs"), say("plots.latent_code"), say("plots.reconstruction")]
    if latent_dim:
        sizes = [784, latent_dim, 784]
        names = [f"{name}: {size}" for name, size in zip(names, sizes, strict=True)]
    _draw_units(axes, layers, names, weights=["w_{jk}", "W_{kj}"])
    draw_bracket(axes, 0.75, 2.75, 3.25, say("plots.encoder"))
    draw_bracket(axes, 2.85, 4.85, 3.25, say("plots.decoder"))


def _draw_units(
    axes: Axes,
    layers: Sequence[Sequence[str]],
    names: Sequence[str],
    weights: Sequence[str],
) -> None:
    """Draw layers of units, joined by arrows; before the last unit of a layer are three dots.

    Args:
        layers: the symbols of the units of each layer.
        names: of the layers, written below.
        weights: the symbol of the first weight between each two layers.
    """
    radius = 0.21
    columns = [0.8, 2.8, 4.8]
    places: list[list[tuple[float, float]]] = []
    for x, symbols, name in zip(columns, layers, names, strict=True):
        heights = [1.75 + 0.56 * (len(symbols) / 2 - place) for place in range(len(symbols) + 1)]
        axes.text(x, heights.pop(-2), r"$\vdots$", **CENTRED, fontsize=13)
        places.append([(x, y) for y in heights])
        for y, symbol in zip(heights, symbols, strict=True):
            circle: dict[str, Any] = {"facecolor": PALE_BLUE, "edgecolor": BLUE, "linewidth": 1.2}
            axes.add_patch(Circle((x, y), radius, zorder=3, **circle))
            axes.text(x, y, f"${symbol}$", **CENTRED, zorder=4)
        axes.text(x, 0.16, name, ha="center", va="bottom")
    for layer, weight in enumerate(weights):
        for x, y in places[layer]:
            for end_x, end_y in places[layer + 1]:
                length = np.hypot(end_x - x, end_y - y)
                step_x = radius * (end_x - x) / length
                step_y = radius * (end_y - y) / length
                draw_arrow(axes, (x + step_x, y + step_y), (end_x - step_x, end_y - step_y))
        (x, y), (end_x, end_y) = places[layer][0], places[layer + 1][0]
        middle = ((x + end_x) / 2, (y + end_y) / 2 + 0.1)
        axes.text(*middle, f"${weight}$", ha="center", va="bottom")


@book_figure
def classifier_diagram(
    image: ArrayLike,
    hidden_sizes: Sequence[int] = (128, 64),
    dropout: float = 0.2,
    label: int | None = None,
) -> None:
    """Draw a feed-forward classifier block by block, from the image to its ten outputs.

    The heights of the layers grow with the square root of their numbers of units.

    Args:
        image: (1, 28, 28) or (28, 28), drawn where the data come in.
        hidden_sizes: units of the hidden layers.
        dropout: probability written in the dropout blocks.
        label: the output to be marked, the class of the image.
    """
    pixels = np.asarray(image)
    pixels = pixels.reshape(pixels.shape[-2:])
    middle = 1.45
    axes = canvas(3.5 + 1.36 * len(hidden_sizes), 2.6)
    axes.imshow(pixels, cmap="gray", extent=(0.05, 1.05, middle - 0.5, middle + 0.5))
    axes.text(0.55, 0.2, " × ".join(map(str, pixels.shape)), ha="center")
    x = _draw_layer(axes, 1.05, middle, ["Flatten"], pixels.size)
    for units in hidden_sizes:
        x = _draw_layer(axes, x, middle, ["Linear", "ReLU", f"Dropout {dropout:g}"], units)
    x = _draw_blocks(axes, x, middle, ["Linear"]) + 0.1
    for output in range(10):
        y = middle + 0.215 * (4.5 - output)
        chosen = output == label
        colour = ORANGE if chosen else "white"
        axes.add_patch(Circle((x, y), 0.09, facecolor=colour, edgecolor=INK, linewidth=0.8))
        weight = "bold" if chosen else "normal"
        axes.text(x + 0.17, y, f"{output}", va="center", fontsize=8, fontweight=weight)
    axes.text(x, 0.2, "10", ha="center")


def _draw_layer(axes: Axes, x: float, middle: float, names: Sequence[str], units: int) -> float:
    """Draw operations and the layer that they give, from ``x``; return where it ends."""
    x = _draw_blocks(axes, x, middle, names)
    height = 0.078 * units**0.5
    axes.add_patch(Rectangle((x, middle - height / 2), 0.16, height, facecolor=BLUE))
    axes.text(x + 0.08, 0.2, f"{units}", ha="center")
    return x + 0.16


def _draw_blocks(axes: Axes, x: float, middle: float, names: Sequence[str]) -> float:
    """Draw an arrow through a stack of operations, from ``x``; return where the arrow ends."""
    width = 0.9 if len(names) > 1 else 0.6
    height = 0.27
    gap = 0.15
    end = x + width + 2 * gap
    draw_arrow(axes, (x + 0.03, middle), (end - 0.03, middle), linewidth=1, mutation_scale=9)
    colours = [PALE_BLUE, PALE_GREEN, PALE_ORANGE]
    top = middle + height * len(names) / 2
    for row, name in enumerate(names):
        y = top - height * (row + 1)
        block: dict[str, Any] = {"facecolor": colours[row], "edgecolor": INK, "linewidth": 0.8}
        axes.add_patch(Rectangle((x + gap, y), width, height, zorder=3, **block))
        axes.text(x + gap + width / 2, y + height / 2, name, **CENTRED, fontsize=9, zorder=4)
    return end


@book_figure
def volumes_diagram(shapes: Sequence[Sequence[int]], code: int | None = None) -> None:
    """Draw the output of each stage of a convolutional network: maps as boxes, vectors as bars.

    Args:
        shapes: of each stage, (channels, height, width) or (units,), the image first.
        code: the place of the latent code: the end of the encoder and, where the last shape is an
            image, the start of the decoder. None where there are no such parts.
    """
    axes = canvas(WIDTH, 2.3)
    middle = 1.2
    widths = [_volume_width(shape) for shape in shapes]
    gap = (WIDTH - 0.16 - sum(widths)) / max(len(shapes) - 1, 1)
    lefts = [0.08 + sum(widths[:stage]) + stage * gap for stage in range(len(shapes))]
    rights = [left + width for left, width in zip(lefts, widths, strict=True)]
    for stage, shape in enumerate(shapes):
        if len(shape) == 1:
            colour = ORANGE if stage == code else BLUE
            _draw_vector(axes, lefts[stage], widths[stage], middle, shape[0], colour)
        else:
            _draw_maps(axes, lefts[stage], widths[stage], middle, shape)
        # At two heights, so that long shapes side by side do not touch.
        height = 0.2 if stage % 2 else 0.42
        name = "×".join(map(str, shape))
        axes.text((lefts[stage] + rights[stage]) / 2, height, name, **CENTRED, fontsize=8)
        if stage:
            draw_arrow(axes, (rights[stage - 1] + 0.03, middle), (lefts[stage] - 0.03, middle))
    if code is not None:
        draw_bracket(axes, lefts[0], rights[code] - 0.06, 1.92, say("plots.encoder"))
        if len(shapes[-1]) == 3:
            draw_bracket(axes, lefts[code] + 0.06, rights[-1], 1.92, say("plots.decoder"))


def _volume_width(shape: Sequence[int]) -> float:
    if len(shape) == 1:
        return 0.12
    depth = 0.005 * shape[0] if shape[0] > 1 else 0.0
    return 0.024 * shape[1] + depth


def _draw_vector(
    axes: Axes, left: float, width: float, middle: float, units: int, colour: str
) -> None:
    height = min(0.046 * units**0.5, 1.4)  # below that, there is room for the name
    axes.add_patch(Rectangle((left, middle - height / 2), width, height, facecolor=colour))


def _draw_maps(axes: Axes, left: float, width: float, middle: float, shape: Sequence[int]) -> None:
    """Draw one sheet for every four channels, the last ones behind."""
    side = 0.024 * shape[1]
    sheets = max(2, round(shape[0] / 4)) if shape[0] > 1 else 1
    for shift in np.linspace(width - side, 0, sheets):
        corner = (left + shift, middle - side / 2 + 0.6 * shift)
        sheet: dict[str, Any] = {"facecolor": PALE_BLUE, "edgecolor": BLUE, "linewidth": 0.8}
        axes.add_patch(Rectangle(corner, side, side, **sheet))


@book_figure
def dropout_diagram() -> None:
    """Draw a layer with dropout of 1/2 twice, in training and in evaluation.

    In training, half of its units are off and the others doubled; in evaluation, all are on.
    """
    axes = canvas(WIDTH, 2.9)
    _draw_dropout(axes, 0.25, say("plots.training_mode"), off=[1, 2])
    _draw_dropout(axes, 3.05, say("plots.evaluation_mode"), off=[])
    axes.text(WIDTH / 2, 0.14, "$p = 1/2$", **CENTRED)


def _draw_dropout(axes: Axes, left: float, name: str, off: Sequence[int]) -> None:
    """Draw three inputs, four hidden units of which ``off`` are off, and two outputs."""
    inputs = [(left + 0.2, height) for height in (0.9, 1.45, 2.0)]
    outputs = [(left + 2.1, height) for height in (1.15, 1.75)]
    axes.text(left + 1.15, 2.72, name, **CENTRED)
    for place in range(4):
        x, y = left + 1.15, 0.62 + 0.55 * place
        look: dict[str, Any] = {"facecolor": PALE_BLUE, "edgecolor": BLUE}
        factor = "×2" if off else "×1"
        if place in off:
            look = {"facecolor": "white", "edgecolor": GREY, "linestyle": "--"}
            factor = "0"
        else:
            for end_x, end_y in inputs + outputs:
                axes.plot([x, end_x], [y, end_y], color=GREY, linewidth=0.7, zorder=1)
        axes.add_patch(Circle((x, y), 0.2, linewidth=1.2, zorder=3, **look))
        axes.text(x, y, factor, **CENTRED, fontsize=9, zorder=4)
    for place_of_unit in inputs + outputs:
        circle: dict[str, Any] = {"facecolor": "white", "edgecolor": INK, "linewidth": 1}
        axes.add_patch(Circle(place_of_unit, 0.13, zorder=3, **circle))


@book_figure
def channels_diagram() -> None:
    """Draw a convolution of two channels to three: two kernels and a sum for each output."""
    axes = canvas(WIDTH, 2.9)
    outputs = [2.1, 1.3, 0.5]  # the heights of the output channels
    for height, face, edge in ((1.75, PALE_BLUE, BLUE), (0.85, PALE_ORANGE, ORANGE)):
        _draw_squares(axes, 0.15, height, 5, face, edge)
        for output in outputs:
            draw_arrow(axes, (0.8, height), (1.5, output), color=edge)
    for output in outputs:
        _draw_squares(axes, 1.62, output, 3, PALE_BLUE, BLUE)
        axes.text(2.15, output, "+", **CENTRED, fontsize=12)
        _draw_squares(axes, 2.35, output, 3, PALE_ORANGE, ORANGE)
        axes.text(2.95, output, "$+\\; b$", **CENTRED, fontsize=11)
        draw_arrow(axes, (3.25, output), (4.15, output), linewidth=1)
        _draw_squares(axes, 4.3, output, 3, PALE_GREEN, GREEN)
    for x, name in ((0.1, "two_channels"), (1.62, "six_kernels"), (4.1, "three_channels")):
        axes.text(x, 2.7, say(f"plots.{name}"), va="center")


def _draw_squares(axes: Axes, left: float, middle: float, side: int, face: str, edge: str) -> None:
    """Draw a square of ``side`` × ``side`` pixels, centred at the height ``middle``."""
    pixel = 0.12
    for row, column in np.ndindex(side, side):
        corner = (left + column * pixel, middle + (side / 2 - row - 1) * pixel)
        axes.add_patch(Rectangle(corner, pixel, pixel, facecolor=face, edgecolor=edge))


@book_figure
def code_diagram(image: ArrayLike, code: ArrayLike, reconstruction: ArrayLike) -> None:
    """Draw an image, its latent code as shades, and the image that a decoder makes of the code.

    Args:
        image, reconstruction: (1, 28, 28) or (28, 28).
        code: (latent_dim,), not negative: in rows of eight, zero white.
    """
    numbers = np.asarray(code, float).ravel()
    rows = -(-len(numbers) // 8)
    shades = np.full(rows * 8, np.nan)
    shades[: len(numbers)] = numbers
    axes = canvas(WIDTH, 1.75)
    side = 1.3
    pictures = [(0.05, image, "inputs"), (WIDTH - side - 0.05, reconstruction, "reconstruction")]
    for left, picture, name in pictures:
        pixels = np.asarray(picture).reshape(28, 28)
        axes.imshow(pixels, "gray", vmin=0, vmax=1, extent=(left, left + side, 0.1, 0.1 + side))
        axes.text(left + side / 2, 1.57, say(f"plots.{name}"), **CENTRED)
    left = (WIDTH - 0.8) / 2
    box = (left, left + 0.8, 0.75 - 0.05 * rows, 0.75 + 0.05 * rows)
    axes.imshow(shades.reshape(rows, 8), "Blues", vmin=0, extent=box)
    axes.add_patch(Rectangle((left, box[2]), 0.8, box[3] - box[2], fill=False, edgecolor=GREY))
    axes.text(WIDTH / 2, 1.57, say("plots.latent_code"), **CENTRED)
    for start, end, name in (
        (side + 0.1, left - 0.05, "encoder"),
        (left + 0.85, WIDTH - side - 0.1, "decoder"),
    ):
        draw_arrow(axes, (start, 0.75), (end, 0.75), linewidth=1.2, mutation_scale=10)
        axes.text((start + end) / 2, 0.88, say(f"plots.{name}"), **CENTRED, fontsize=9)


@book_figure
def transfer_diagram() -> None:
    """Draw three ways of using an encoder: from scratch, frozen and fine-tuned.

    What is trained is coloured, what is not is hatched.
    """
    axes = canvas(WIDTH, 2.75)
    trained: dict[str, Any] = {"facecolor": SKY, "edgecolor": INK}
    fixed: dict[str, Any] = {"facecolor": "white", "edgecolor": GREY, "hatch": "////"}
    ways = [
        ("scratch", "random_weights", trained),
        ("frozen", "pretrained", fixed),
        ("tuned", "pretrained", trained),
    ]
    for place, (way, origin, encoder) in enumerate(ways):
        middle = WIDTH * (place + 0.5) / 3
        axes.text(middle, 2.58, say(f"plots.{way}"), **CENTRED, fontweight="bold")
        axes.text(middle, 0.68, say(f"plots.{origin}"), **CENTRED, fontsize=9)
        axes.add_patch(Rectangle((middle - 0.75, 0.95), 1.5, 0.45, linewidth=1.2, **encoder))
        axes.add_patch(Rectangle((middle - 0.75, 1.75), 1.5, 0.45, linewidth=1.2, **trained))
        box = BEHIND if encoder is fixed else None
        axes.text(middle, 1.175, say("plots.encoder"), **CENTRED, bbox=box)
        axes.text(middle, 1.975, say("plots.linear_layer"), **CENTRED)
        draw_arrow(axes, (middle, 1.42), (middle, 1.73), linewidth=1)
    for x, style, key in ((0.9, trained, "plots.trained"), (3.0, fixed, "plots.fixed")):
        axes.add_patch(Rectangle((x, 0.12), 0.3, 0.2, linewidth=1, **style))
        axes.text(x + 0.4, 0.22, say(key), va="center")


@book_figure
def batch_norm_diagram() -> None:
    """Draw what batch normalization makes of the number 3, in training and in evaluation.

    In training the output depends on the others of the minibatch: {1, 2, 3, 6} or {3, 5, 7, 9}. In
    evaluation the running means stand for both: mean 4.5 and variance 4.25.
    """
    figure, (left, right) = plt.subplots(1, 2, sharey=True, figsize=(WIDTH, 3.4))
    minibatches = {"A": np.array([1.0, 2, 3, 6]), "B": np.array([3.0, 5, 7, 9])}
    ends = np.array([0.0, 10.0])
    handles = []
    for place, (name, minibatch) in enumerate(minibatches.items()):
        colour = COLOURS[place]
        marker = MARKERS[place]
        mean = minibatch.mean()
        deviation = minibatch.std()
        left.plot(
            ends, (ends - mean) / deviation, "--" if place else "-", color=colour, linewidth=1
        )
        left.plot(minibatch, (minibatch - mean) / deviation, marker, color=colour, linestyle="")
        _mark_output(left, (3 - mean) / deviation, colour)
        values = ", ".join(f"{value:g}" for value in minibatch)
        label = say("plots.minibatch", name=name, values=values)
        line: dict[str, Any] = {"linestyle": "--" if place else "-", "marker": marker}
        handles.append(Line2D([], [], color=colour, label=label, **line))
    mean = np.mean([minibatch.mean() for minibatch in minibatches.values()])
    deviation = np.mean([minibatch.var() for minibatch in minibatches.values()]) ** 0.5
    right.plot(ends, (ends - mean) / deviation, "-.", color=GREEN)
    _mark_output(right, (3 - mean) / deviation, GREEN)
    handles.append(Line2D([], [], color=GREEN, linestyle="-.", label=say("plots.running_mean")))
    for axes, key in ((left, "plots.training_mode"), (right, "plots.evaluation_mode")):
        axes.set(xlim=(0, 10), ylim=(-2.6, 2.6), xlabel=f"$x$, {say(key)}")
        axes.set_xticks([0, 3, 6, 9])
    left.set_ylabel("$y$")
    legend_above(figure, columns=2, handles=handles, fontsize=9)


def _mark_output(axes: Axes, output: float, colour: str) -> None:
    """Draw the way from the input 3 to its output, and from there to the left edge."""
    axes.plot([3, 3, 0], [-2.6, output, output], ":", color=colour, linewidth=1.2)
    axes.plot(3, output, "o", markersize=9, markerfacecolor="none", markeredgecolor=colour)
    text = f"{output:.2f}".replace("-", "−")
    axes.text(0.15, output - 0.1, text, color=colour, fontsize=9, va="top")
