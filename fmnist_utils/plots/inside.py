"""Inside a network: filters, feature maps, what an answer rests on, the sizes of values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter
from numpy.typing import ArrayLike, NDArray

from fmnist_utils.plots.style import BLUE, GREY, INK, WIDTH, book_figure
from fmnist_utils.text import say

SIGNED = "PuOr"  # below zero orange, above violet: also without red or green
TINY = 1e-12  # values below are drawn as if they were so large


@book_figure
def filters(kernels: ArrayLike, *, columns: int = 8) -> None:
    """Draw kernels side by side, in one scale: violet above zero, orange below, white at zero.

    Args:
        kernels: (N, height, width), such as the weights of a first convolution, ``weight[:, 0]``.
        columns: how many stand in a row.
    """
    pictures = np.asarray(kernels, float)
    reach = np.abs(pictures).max()
    rows = -(-len(pictures) // columns)
    size = WIDTH / columns
    figure, panels = plt.subplots(
        rows, columns, squeeze=False, figsize=(WIDTH, 0.9 * size * rows + 0.6)
    )
    for axes in panels.flat:
        axes.set_axis_off()
    for axes, picture in zip(panels.flat, pictures, strict=False):
        drawn = axes.imshow(picture, cmap=SIGNED, vmin=-reach, vmax=reach)
    label = say("plots.weight")
    figure.colorbar(drawn, ax=panels, location="bottom", aspect=45, label=label)


@book_figure
def feature_maps(images: ArrayLike, layers: Mapping[str, ArrayLike]) -> None:
    """Draw images and what leaves some channels of some layers for each, one row an image.

    Each layer has a scale of its own, from zero, black, to the highest value in its maps, white.

    Args:
        images: (N, 1, height, width) or (N, height, width).
        layers: name -> (N, channels, height, width), in the order of the network; a name stands
            above the first of its channels.
    """
    pictures = np.asarray(images)
    pictures = pictures.reshape(len(pictures), *pictures.shape[-2:])
    maps_of = {name: np.asarray(maps) for name, maps in layers.items()}
    widths = [1.0]
    for maps in maps_of.values():
        widths += [0.15, *[1.0] * maps.shape[1]]  # a gap, then the channels
    cell = WIDTH / sum(widths)
    size = (WIDTH, (cell + 0.05) * len(pictures) + 0.35)
    _, panels = plt.subplots(
        len(pictures), len(widths), squeeze=False, width_ratios=widths, figsize=size
    )
    for axes in panels.flat:
        axes.set_axis_off()
    for axes, picture in zip(panels[:, 0], pictures, strict=True):
        axes.imshow(picture, cmap="gray")
    column = 2
    for name, maps in maps_of.items():
        place: dict[str, Any] = {"xytext": (0, 4), "textcoords": "offset points", "fontsize": 9}
        heading = panels[0, column].annotate(name, (0, 1), xycoords="axes fraction", **place)
        heading.set_in_layout(False)  # a long one would push the columns apart
        panels[0, column].set_title(" ", loc="right", fontsize=9)  # room for it
        for channel in range(maps.shape[1]):
            for row in range(len(pictures)):
                drawn = panels[row, column + channel]
                drawn.imshow(maps[row, channel], cmap="gray", vmin=0, vmax=maps.max())
        column += maps.shape[1] + 1


@book_figure
def importance_maps(image: ArrayLike, maps: Mapping[str, ArrayLike]) -> None:
    """Draw an image and, beside it, how much each of its pixels counts, one panel a method.

    Each map has a scale of its own, the same to both sides of zero: violet above, orange below.

    Args:
        image: (1, height, width) or (height, width).
        maps: name of the method -> (height, width).
    """
    picture = np.asarray(image)
    picture = picture.reshape(picture.shape[-2:])
    count = 1 + len(maps)
    figure, panels = plt.subplots(1, count, figsize=(WIDTH, WIDTH / count + 0.75))
    shown = panels[0].imshow(picture, cmap="gray")
    _name_above(panels[0], say("plots.image"))
    unseen = figure.colorbar(shown, ax=panels[0], location="bottom", aspect=20)
    unseen.ax.set_visible(False)  # it keeps all panels of one size
    for axes, (name, importance) in zip(panels[1:], maps.items(), strict=True):
        values = np.asarray(importance, float)
        reach = np.abs(values).max()
        drawn = axes.imshow(values, cmap=SIGNED, vmin=-reach, vmax=reach)
        axes.contour(picture, levels=[0.15], colors=INK, linewidths=0.6)
        _name_above(axes, name)
        bar = figure.colorbar(drawn, ax=axes, location="bottom", aspect=20)
        bar.ax.tick_params(labelsize=8)
    for axes in panels:
        axes.set_axis_off()


@book_figure
def value_ridges(panels: Mapping[str, Mapping[str, Mapping[str, ArrayLike]]]) -> None:
    """Draw how large the values in each layer are: a histogram a layer, on one logarithmic axis.

    What counts is the absolute value; zeros have no logarithm, so their share is written instead.

    Args:
        panels: row -> column -> layer -> values of any shape; the first layer stands on top.
    """
    first = next(iter(panels.values()))
    height = 0.26 * len(next(iter(first.values()))) + 0.35
    figure, grid = plt.subplots(
        len(panels),
        len(first),
        squeeze=False,
        sharex="row",
        sharey="row",
        figsize=(WIDTH, height * len(panels) + 0.4),
    )
    for axes, column in zip(grid[0], first, strict=True):
        _name_above(axes, column)
    for line, (row, columns) in zip(grid, panels.items(), strict=True):
        layers = [values for column in columns.values() for values in column.values()]
        low, high = _decades(layers)
        edges = np.linspace(low, high, 60)
        for axes, values_of_layer in zip(line, columns.values(), strict=True):
            for place, values in enumerate(values_of_layer.values()):
                _ridge(axes, place, values, edges)
            axes.set_yticks(range(len(values_of_layer)), list(values_of_layer), fontsize=8)
            axes.set_ylim(len(values_of_layer) - 0.9, -1.0)
            axes.set_xlim(low, high)
            step = max(1, -(-(high - low) // 4))
            axes.xaxis.set_major_locator(FixedLocator(range(high, low - 1, -step)))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda power, _: f"$10^{{{power:.0f}}}$"))
            axes.tick_params(labelsize=8, length=0)
            axes.grid(axis="y", visible=False)
            axes.spines["left"].set_visible(False)
        line[0].set_ylabel(row, fontsize=9)
    figure.supxlabel(say("plots.absolute_value"), fontsize=9)


def _name_above(axes: Axes, name: str) -> None:
    place: dict[str, Any] = {"xytext": (0, 4), "textcoords": "offset points", "fontsize": 9}
    axes.annotate(name, (0.5, 1), xycoords="axes fraction", ha="center", **place)


def _powers(values: ArrayLike) -> NDArray[np.float64]:
    """Return the logarithms, base ten, of the absolute values that are not zero."""
    sizes = np.abs(np.asarray(values, float)).ravel()
    return np.log10(np.maximum(sizes[sizes > 0], TINY))


def _decades(layers: Iterable[ArrayLike]) -> tuple[int, int]:
    """Return the powers of ten between which nearly all values that are not zero lie."""
    powers = np.concatenate([_powers(values) for values in layers])
    if not len(powers):
        return -1, 1
    low, high = np.quantile(powers, [0.01, 0.999])
    return int(np.floor(low)), int(np.ceil(high))


def _ridge(axes: Axes, place: int, values: ArrayLike, edges: NDArray[np.float64]) -> None:
    """Draw the histogram of one layer, and write the share of its zeros beside it."""
    powers = _powers(values)
    counts, _ = np.histogram(powers.clip(edges[0], edges[-1]), edges)
    heights = 0.85 * counts / max(counts.max(), 1)
    middles = (edges[:-1] + edges[1:]) / 2
    axes.fill_between(middles, place, place - heights, color=BLUE, alpha=0.45, linewidth=0)
    axes.plot(middles, place - heights, color=BLUE, linewidth=0.7)
    share = 1 - len(powers) / np.size(values)
    zeros = say("plots.zeros", share=f"{100 * share:.0f}")
    style: dict[str, Any] = {"va": "bottom", "fontsize": 7, "color": GREY}
    style["transform"] = axes.get_yaxis_transform()
    if heights.argmax() > len(heights) / 2:  # on the side where the histogram is not
        axes.text(0.01, place - 0.03, zeros, ha="left", **style)
    else:
        axes.text(0.99, place - 0.03, zeros, ha="right", **style)
