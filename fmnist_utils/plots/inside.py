"""Inside a network: filters, feature maps, what an answer rests on, the sizes of values."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from fmnist_utils.plots.style import BLUE, GREY, INK, WIDTH, _figure
from fmnist_utils.text import say

SIGNED = "PuOr"  # below zero orange, above violet: also without red or green
TINY = 1e-12  # values below are drawn as if they were so large


@_figure
def filters(kernels, *, columns: int = 8) -> None:
    """Draw kernels side by side, in one scale: violet above zero, orange below, white at zero.

    Args:
        kernels: (N, height, width), such as the weights of a first convolution, ``weight[:, 0]``.
        columns: how many stand in a row.
    """
    kernels = np.asarray(kernels, float)
    reach = np.abs(kernels).max()
    rows = -(-len(kernels) // columns)
    size = WIDTH / columns
    figure, panels = plt.subplots(
        rows, columns, squeeze=False, figsize=(WIDTH, 0.9 * size * rows + 0.6)
    )
    for axes in panels.flat:
        axes.set_axis_off()
    for axes, kernel in zip(panels.flat, kernels):
        drawn = axes.imshow(kernel, cmap=SIGNED, vmin=-reach, vmax=reach)
    label = say("plots.weight")
    figure.colorbar(drawn, ax=panels, location="bottom", aspect=45, label=label)


@_figure
def feature_maps(images, layers: Mapping[str, np.ndarray]) -> None:
    """Draw images and what leaves some channels of some layers for each, one row an image.

    Each layer has a scale of its own, from zero, black, to the highest value in its maps, white.

    Args:
        images: (N, 1, height, width) or (N, height, width).
        layers: name -> (N, channels, height, width), in the order of the network; a name stands
            above the first of its channels.
    """
    images = np.asarray(images).reshape(len(images), *images.shape[-2:])
    layers = {name: np.asarray(maps) for name, maps in layers.items()}
    widths = [1.0]
    for maps in layers.values():
        widths += [0.15, *[1.0] * maps.shape[1]]  # a gap, then the channels
    cell = WIDTH / sum(widths)
    size = (WIDTH, (cell + 0.05) * len(images) + 0.35)
    _, panels = plt.subplots(len(images), len(widths), width_ratios=widths, figsize=size)
    panels = panels.reshape(len(images), len(widths))
    for axes in panels.flat:
        axes.set_axis_off()
    for axes, image in zip(panels[:, 0], images, strict=True):
        axes.imshow(image, cmap="gray")
    column = 2
    for name, maps in layers.items():
        place = {"xytext": (0, 4), "textcoords": "offset points", "fontsize": 9}
        heading = panels[0, column].annotate(name, (0, 1), xycoords="axes fraction", **place)
        heading.set_in_layout(False)  # a long one would push the columns apart
        panels[0, column].set_title(" ", fontsize=9)
        for channel in range(maps.shape[1]):
            for row in range(len(images)):
                drawn = panels[row, column + channel]
                drawn.imshow(maps[row, channel], cmap="gray", vmin=0, vmax=maps.max())
        column += maps.shape[1] + 1


@_figure
def importance_maps(image, maps: Mapping[str, np.ndarray]) -> None:
    """Draw an image and, beside it, how much each of its pixels counts, one panel a method.

    Each map has a scale of its own, the same to both sides of zero: violet above, orange below.

    Args:
        image: (1, height, width) or (height, width).
        maps: name of the method -> (height, width).
    """
    image = np.asarray(image)
    image = image.reshape(image.shape[-2:])
    count = 1 + len(maps)
    figure, panels = plt.subplots(1, count, figsize=(WIDTH, WIDTH / count + 0.75))
    shown = panels[0].imshow(image, cmap="gray")
    panels[0].set_title(say("plots.image"), fontsize=9)
    unseen = figure.colorbar(shown, ax=panels[0], location="bottom", aspect=20)
    unseen.ax.set_visible(False)  # it keeps all panels of one size
    for axes, (name, values) in zip(panels[1:], maps.items(), strict=True):
        values = np.asarray(values, float)
        reach = np.abs(values).max()
        drawn = axes.imshow(values, cmap=SIGNED, vmin=-reach, vmax=reach)
        axes.contour(image, levels=[0.15], colors=INK, linewidths=0.6)
        axes.set_title(name, fontsize=9)
        bar = figure.colorbar(drawn, ax=axes, location="bottom", aspect=20)
        bar.ax.tick_params(labelsize=8)
    for axes in panels:
        axes.set_axis_off()


@_figure
def value_ridges(panels: Mapping[str, Mapping[str, Mapping[str, np.ndarray]]]) -> None:
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
        axes.set_title(column, fontsize=9)
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
            axes.xaxis.set_major_locator(FixedLocator(np.arange(high, low - 1, -step)))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda power, _: f"$10^{{{power:.0f}}}$"))
            axes.yaxis.set_minor_locator(NullLocator())
            axes.tick_params(labelsize=8, length=0)
            axes.grid(axis="y", visible=False)
            axes.spines["left"].set_visible(False)
        line[0].set_ylabel(row, fontsize=9)
    figure.supxlabel(say("plots.absolute_value"), fontsize=9)


def _decades(layers: list[np.ndarray]) -> tuple[int, int]:
    """Return the powers of ten between which nearly all values that are not zero lie."""
    sizes = np.concatenate([np.abs(np.asarray(values, float)).ravel() for values in layers])
    powers = np.log10(np.maximum(sizes[sizes > 0], TINY))
    if not len(powers):
        return -1, 1
    low, high = np.quantile(powers, [0.01, 0.999])
    return int(np.floor(low)), int(np.ceil(high))


def _ridge(axes, place: int, values: np.ndarray, edges: np.ndarray) -> None:
    sizes = np.abs(np.asarray(values, float)).ravel()
    powers = np.log10(np.maximum(sizes[sizes > 0], TINY))
    counts, _ = np.histogram(powers.clip(edges[0], edges[-1]), edges)
    heights = 0.85 * counts / max(counts.max(), 1)
    middles = (edges[:-1] + edges[1:]) / 2
    axes.fill_between(middles, place, place - heights, color=BLUE, alpha=0.45, linewidth=0)
    axes.plot(middles, place - heights, color=BLUE, linewidth=0.7)
    zeros = say("plots.zeros", share=f"{100 * (sizes == 0).mean():.0f}")
    style = {"va": "bottom", "fontsize": 7, "color": GREY, "transform": axes.get_yaxis_transform()}
    if heights.argmax() > len(heights) / 2:  # on the side where the histogram is not
        axes.text(0.01, place - 0.03, zeros, ha="left", **style)
    else:
        axes.text(0.99, place - 0.03, zeros, ha="right", **style)
