"""Pictures: grids of garments, reconstructions, maps of pixels and of numbers, codes in a plane."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from fmnist_utils.plots.style import (
    BLUE,
    COLOURS,
    INK,
    ORANGE,
    SKY,
    VERMILION,
    WIDTH,
    book_figure,
    draw_grid,
    without_frame,
    without_rows,
)
from fmnist_utils.text import class_names, say

GAP = 2  # pixels between images that are drawn as one
CLASS_MARKERS = "os^DvPX*<>"
# Above a panel: the offset is from the upper end of its axes.
ABOVE: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "fontsize": 9}


@book_figure
def image_grid(
    images: ArrayLike,
    labels: Sequence[Any] | None = None,
    *,
    columns: int = 5,
    value_range: tuple[float, float] | None = None,
) -> None:
    """Draw images side by side; with ``labels``, a text below each.

    Args:
        images: (N, 1, 28, 28) or (N, 28, 28).
        labels: class numbers, whose names are written, or texts.
        value_range: the values drawn black and white; by default the lowest and the highest of all
            ``images``.
    """
    captions = None
    if labels is not None:
        names = class_names()
        captions = [item if isinstance(item, str) else names[int(item)] for item in labels]
    draw_grid(np.asarray(images), captions, columns, value_range)


@book_figure
def reconstructions(
    rows: Mapping[str, ArrayLike], *, value_range: tuple[float, float] = (0, 1)
) -> None:
    """Draw rows of images, each with its name above: originals and what networks make of them.

    Args:
        rows: name -> images, (k, 1, 28, 28) or (k, 28, 28), the same k in all; bytes, 0 to 255, or
            numbers.
        value_range: the numbers drawn black and white; what lies beyond is drawn so as well.
    """
    pictures = {name: np.asarray(images) for name, images in rows.items()}
    low, high = value_range
    columns = max(map(len, pictures.values()))
    cell = WIDTH / max(columns, 5)
    size = (cell * columns, len(rows) * (cell + 0.28))
    _, panels = plt.subplots(len(rows), squeeze=False, figsize=size)
    for axes, (name, images) in zip(panels[:, 0], pictures.items(), strict=True):
        scaled = images / 255 if images.dtype == np.uint8 else images
        axes.imshow(_side_by_side(scaled), cmap="gray", vmin=low, vmax=high)
        axes.set_axis_off()
        # Outside of the layout, a long name does not make the row narrower; the empty title gives
        # the row room for it.
        axes.annotate(name, (0, 1), (0, 4), **ABOVE).set_in_layout(False)
        axes.set_title(" ", loc="right", fontsize=9)


def _side_by_side(images: NDArray[Any]) -> NDArray[np.float64]:
    """Return images, (k, 1, height, width) or (k, height, width), as one, with gaps of no value."""
    height, width = images.shape[-2:]
    apart = np.full((len(images), height, width + GAP), np.nan)
    apart[:, :, :width] = images.reshape(-1, height, width)
    return np.concatenate(list(apart), axis=1)[:, :-GAP]


@book_figure
def photo_steps(steps: Mapping[str, ArrayLike]) -> None:
    """Draw a picture of one's own after each step that makes it an image of the data set.

    Args:
        steps: what :func:`~fmnist_utils.photos.own_image_steps` returns: (H, W) or (H, W, 3), from
            0 to 1, by name.
    """
    columns = len(steps)
    _, panels = plt.subplots(1, columns, squeeze=False, figsize=(WIDTH, WIDTH / columns + 0.5))
    for number, (axes, (name, picture)) in enumerate(zip(panels.flat, steps.items()), start=1):
        axes.imshow(np.asarray(picture), cmap="gray", vmin=0, vmax=1)
        axes.set_xlabel(f"{number}. {say(f'photos.{name}')}", fontsize=9)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(True)  # so that a white background is seen to end


@book_figure
def pixel_maps(
    maps: Mapping[str, ArrayLike],
    quantity: str = "mean_output",
    value_range: tuple[float, float] | None = None,
) -> None:
    """Draw quantities that each pixel of an image has, as heat maps in one scale, by name.

    Args:
        maps: name -> (height, width).
        quantity: what they are: ``"mean_output"`` of a network, or ``"contributions"`` that a pixel
            receives.
        value_range: the values at the ends of the scale; by default the lowest and the highest of
            all maps.
    """
    pictures = {name: np.asarray(picture) for name, picture in maps.items()}
    highest = max(picture.max() for picture in pictures.values())
    lowest = min(picture.min() for picture in pictures.values())
    low, high = value_range or (lowest, highest)
    columns = min(3, len(pictures))
    rows = -(-len(pictures) // columns)
    side = WIDTH / 3
    headings = [textwrap.fill(name, 22) for name in pictures]
    lines = max(heading.count("\n") + 1 for heading in headings)
    size = (max(side * columns, 0.75 * WIDTH), rows * (side + 0.14 + 0.16 * lines) + 0.7)
    figure, panels = plt.subplots(rows, columns, squeeze=False, figsize=size)
    for axes in panels.flat:
        axes.set_axis_off()
    drawn = zip(panels.flat, headings, pictures.values(), strict=False)
    for axes, heading, picture in drawn:
        image = axes.imshow(picture, cmap="cividis", vmin=low, vmax=high, interpolation="nearest")
        axes.set_title("\n" * (lines - 1), fontsize=9)  # as much room above each
        axes.annotate(heading, (0.5, 1), (0, 4), ha="center", va="bottom", **ABOVE)
    figure.colorbar(
        image,
        ax=panels,
        location="bottom",
        aspect=40,
        extend="max" if highest > high else "neither",
        label=say(f"plots.{quantity}"),
    )


@book_figure
def number_maps(
    maps: Mapping[str, ArrayLike],
    *,
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    across: str = "",
    form: str = "g",
    marked: Mapping[str, tuple[int, int, int, int]] | None = None,
    per_line: int = 2,
) -> None:
    """Draw small tables as heat maps with the number in each cell, each in a scale of its own.

    Args:
        maps: name -> (height, width); the name stands above.
        rows, columns: what the rows and the columns are, the same for all.
        across: what the columns are, as a whole.
        form: how numbers are written, as in ``format(number, form)``.
        marked: name -> (row, column, height, width) of a frame around cells.
        per_line: how many stand side by side.
    """
    tables = {name: np.asarray(table, float) for name, table in maps.items()}
    names = list(tables)
    lines = [names[start : start + per_line] for start in range(0, len(names), per_line)]
    widths = [tables[name].shape[1] for name in lines[0]]
    room = WIDTH - (0.9 if len(rows) else 0) - 0.12 * len(widths)
    cell_width = room / sum(widths)
    cell_height = min(cell_width, 0.34)
    heights = [0.4 + cell_height * max(len(tables[name]) for name in line) for line in lines]
    _, panels = plt.subplots(
        len(lines),
        len(widths),
        squeeze=False,
        sharey=bool(len(rows)),
        width_ratios=widths,
        figsize=(WIDTH, sum(heights) + (0.55 if len(columns) else 0)),
    )
    for axes in panels.flat[len(names) :]:
        axes.set_axis_off()
    for axes, (name, table) in zip(panels.flat, tables.items(), strict=False):
        # A pale scale, so that dark numbers can be read on its darkest cell.
        reach = np.ptp(table) or 1
        low, high = table.min() - 0.1 * reach, table.max() + reach
        axes.imshow(table, cmap="Blues", vmin=low, vmax=high, aspect=cell_height / cell_width)
        for (row, column), number in np.ndenumerate(table):
            axes.text(column, row, f"{number:{form}}", ha="center", va="center", fontsize=9)
        if marked and name in marked:
            top, left, height, width = marked[name]
            frame: dict[str, Any] = {"fill": False, "edgecolor": VERMILION, "linewidth": 2}
            corner = (left - 0.5, top - 0.5)
            axes.add_patch(Rectangle(corner, width, height, clip_on=False, **frame))
        axes.annotate(name, (0.5, 1), (0, 4), ha="center", **ABOVE)
        axes.set_xticks(range(len(columns)), columns)
        axes.set_yticks(range(len(rows)), rows)
        without_frame(axes)
    for axes in panels[-1]:
        axes.set_xlabel(across)


@book_figure
def scatter_by_class(points: Mapping[str, ArrayLike], labels: ArrayLike) -> None:
    """Draw images as points on planes, one panel each, by the colour and marker of their class.

    Args:
        points: name of the plane -> (N, 2) places.
        labels: (N,) class numbers.
    """
    labels = np.asarray(labels)
    names = class_names()
    size = (WIDTH, 0.6 + WIDTH / len(points))
    figure, panels = plt.subplots(1, len(points), squeeze=False, figsize=size)
    handles = []
    for label in np.unique(labels):
        look: dict[str, Any] = {"color": COLOURS[label % 6], "marker": CLASS_MARKERS[label]}
        handles.append(Line2D([], [], linestyle="", markersize=6, label=names[label], **look))
        for axes, places in zip(panels[0], points.values(), strict=True):
            x, y = np.asarray(places)[labels == label].T
            axes.scatter(x, y, s=9, alpha=0.6, linewidths=0, **look)
    for axes, name in zip(panels[0], points, strict=True):
        axes.set(xticks=[], yticks=[], xlabel=name)
        axes.grid(visible=False)
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=4,
        fontsize=9,
        columnspacing=1,
        handletextpad=0.1,
    )


@book_figure
def class_probabilities(
    image: ArrayLike, probabilities: ArrayLike, label: int | None = None
) -> None:
    """Draw an image and, beside it, the ten probabilities that a classifier gave it.

    Args:
        image: (1, 28, 28) or (28, 28).
        probabilities: (10,), one row of what :func:`fmnist_utils.evaluation.predict` returns.
        label: the true class of the image, written below it; its bar is hatched.
    """
    image = np.asarray(image)
    names = class_names()
    _, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 2.9), width_ratios=[1, 1.25])
    left.imshow(image.reshape(image.shape[-2:]), cmap="gray")
    left.set_axis_off()
    values = np.asarray(probabilities)
    bars = right.barh(range(10), values, color=SKY, edgecolor=BLUE, linewidth=0.8)
    if label is not None:
        bars[label].set(facecolor=ORANGE, edgecolor=INK, hatch="///")
        below: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
        left.annotate(say("plots.is", true=names[label]), (0.5, 0), (0, -14), ha="center", **below)
    right.set_yticks(range(10), [f"{name}  {number}" for number, name in enumerate(names)])
    right.invert_yaxis()
    right.set_xlim(0, 1)
    without_rows(right)
    right.set_xlabel(say("plots.probability"))
