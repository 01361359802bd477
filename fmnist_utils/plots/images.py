"""Pictures: grids of garments, reconstructions, maps of pixels and of numbers, codes in a plane."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import NullLocator

from fmnist_utils.plots.style import (
    BLUE,
    COLOURS,
    GREY,
    INK,
    LEVEL,
    MARKERS,
    ORANGE,
    SKY,
    VERMILION,
    WIDTH,
    _figure,
    _grid,
)
from fmnist_utils.text import class_names, say


@_figure
def image_grid(
    images, labels=None, *, columns: int = 5, value_range: tuple[float, float] | None = None
) -> None:
    """Draw images side by side, the lowest value black and the highest white; with ``labels``, a text under each.

    Args:
        images: (N, 1, 28, 28) or (N, 28, 28).
        labels: class numbers, whose names are written, or texts.
        value_range: the values drawn black and white; the lowest and highest of all ``images`` by default.
    """
    names = class_names()
    captions = (
        None
        if labels is None
        else [item if isinstance(item, str) else names[int(item)] for item in labels]
    )
    _grid(np.asarray(images), captions, columns, value_range)


@_figure
def reconstructions(
    rows: Mapping[str, np.ndarray], *, value_range: tuple[float, float] = (0, 1)
) -> None:
    """Draw rows of images, each with its name above: originals and what networks make of them, column by column.

    Args:
        rows: name -> images, (k, 1, 28, 28) or (k, 28, 28), the same k in all; bytes, 0 to 255, or numbers.
        value_range: the numbers drawn black and white; what lies beyond is drawn so as well.
    """
    pictures = {name: np.asarray(images) for name, images in rows.items()}
    low, high = value_range
    columns = max(map(len, pictures.values()))
    cell = WIDTH / max(columns, 5)
    size = (cell * columns, len(rows) * (cell + 0.28))
    _, panels = plt.subplots(len(rows), columns, squeeze=False, figsize=size)
    for line, (name, images) in zip(panels, pictures.items(), strict=True):
        for axes in line:
            axes.set_axis_off()
        for axes, image in zip(line, images):
            scaled = image / 255 if image.dtype == np.uint8 else image
            axes.imshow(scaled.reshape(image.shape[-2:]), cmap="gray", vmin=low, vmax=high)
        above = {
            "xycoords": "axes fraction",
            "xytext": (0, 4),
            "textcoords": "offset points",
            "fontsize": 9,
        }
        line[0].annotate(name, (0, 1), **above).set_in_layout(
            False
        )  # a long one would push the columns apart
        line[-1].set_title(" ", loc="right", fontsize=9)  # which gives the row room for the name


@_figure
def shares(parts: Mapping[Sequence[str], float], most: int = 8) -> None:
    """Draw the parts of a variance as bars, the largest on top, those of a single field full and those of a pair hatched.

    Args:
        parts: paths of the fields of a recipe -> their part, in [0, 1].
        most: how many to show.
    """
    shown = sorted(parts.items(), key=lambda item: -item[1])[:most]
    figure, axes = plt.subplots(figsize=(WIDTH, 0.9 + 0.36 * len(shown)))
    for row, (fields, part) in enumerate(shown):
        style = (
            {"color": BLUE}
            if len(fields) == 1
            else {"facecolor": "white", "edgecolor": VERMILION, "hatch": "////"}
        )
        axes.barh(row, 100 * part, height=0.62, **style)
        axes.annotate(
            f"{100 * part:.1f}",
            (100 * part, row),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
        )
    names = [
        " × ".join(say(f"field.{path.rpartition('.')[2]}") for path in fields)
        for fields, _ in shown
    ]
    axes.set_yticks(range(len(shown)), names)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.margins(x=0.12)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(say("plots.variance_share"))
    handles = [
        Patch(facecolor=BLUE, label=say("plots.one_field")),
        Patch(facecolor="white", edgecolor=VERMILION, hatch="////", label=say("plots.two_fields")),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=2)


@_figure
def by_effort(
    values: Mapping[str, Mapping[int, Sequence[float]]],
    effort: str,
    quantity: str,
    level: float | None = None,
    points: bool = False,
) -> None:
    """Draw what repeated attempts reach against the effort they made: the mean of each name, and a band for the middle half.

    Args:
        values: name -> effort -> one value an attempt, in [0, 1], drawn in percent or points; NaN where there is none yet.
        effort, quantity: what the axes say: ``"epochs_spent"``, ``"configurations"``; ``"chosen_accuracy"``, ``"excess"``.
        level: where to draw the line of the best there is.
        points: mark each mean; the axis of efforts is then logarithmic.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 3.8))
    looks = zip(
        itertools.cycle(COLOURS), itertools.cycle(MARKERS), itertools.cycle(("-", "--", "-.", ":"))
    )
    for (name, by_size), (colour, marker, line) in zip(values.items(), looks):
        tables = {
            size: 100 * np.asarray(attempts, float) for size, attempts in sorted(by_size.items())
        }
        sizes = [size for size, attempts in tables.items() if not np.isnan(attempts).any()]
        low, high = ([np.percentile(tables[size], at) for size in sizes] for at in (25, 75))
        means = [tables[size].mean() for size in sizes]
        label = say("plots.runs", name=name, n=len(next(iter(tables.values()))))
        axes.plot(
            sizes, means, color=colour, linestyle=line, marker=marker if points else "", label=label
        )
        axes.fill_between(sizes, low, high, color=colour, alpha=0.15, linewidth=0)
    if level is not None:
        axes.axhline(100 * level, color=GREY, **LEVEL, label=say("plots.best_there_is"))
    axes.set(xlabel=say(f"plots.{effort}"), ylabel=say(f"plots.{quantity}"))
    if points:
        ticks = sorted({size for by_size in values.values() for size in by_size})
        axes.set_xscale("log")
        axes.set_xticks(ticks, [str(size) for size in ticks])
        axes.xaxis.set_minor_locator(NullLocator())
    figure.legend(loc="outside upper center", ncols=2)


@_figure
def pixel_maps(
    maps: Mapping[str, np.ndarray],
    quantity: str = "mean_output",
    value_range: tuple[float, float] | None = None,
) -> None:
    """Draw quantities that each pixel of an image has, as heat maps in one scale, each with its name above.

    Args:
        maps: name -> (height, width).
        quantity: what they are: ``"mean_output"`` of a network, or ``"contributions"`` that a pixel receives.
        value_range: the values at the ends of the scale; the lowest and highest of all maps by default.
    """
    pictures = {name: np.asarray(picture) for name, picture in maps.items()}
    low, high = value_range or (
        min(map(np.min, pictures.values())),
        max(map(np.max, pictures.values())),
    )
    columns = min(3, len(pictures))
    rows = -(-len(pictures) // columns)
    size = WIDTH / 3
    shape = (max(size * columns, 0.75 * WIDTH), rows * (size + 0.3) + 0.7)
    figure, panels = plt.subplots(rows, columns, squeeze=False, figsize=shape)
    for axes in panels.flat:
        axes.set_axis_off()
    for axes, (name, picture) in zip(panels.flat, pictures.items()):
        drawn = axes.imshow(picture, cmap="cividis", vmin=low, vmax=high, interpolation="nearest")
        place = {"xycoords": "axes fraction", "xytext": (0, 4), "textcoords": "offset points"}
        axes.annotate(
            textwrap.fill(name, 22), (0.5, 1), ha="center", va="bottom", fontsize=9, **place
        )
    beyond = "max" if max(map(np.max, pictures.values())) > high else "neither"
    figure.colorbar(
        drawn,
        ax=panels,
        location="bottom",
        aspect=40,
        extend=beyond,
        label=say(f"plots.{quantity}"),
    )


@_figure
def number_maps(
    maps: Mapping[str, Sequence[Sequence[float]]],
    *,
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    across: str = "",
    form: str = "g",
    marked: Mapping[str, tuple[int, int, int, int]] | None = None,
    per_line: int = 2,
) -> None:
    """Draw small tables as heat maps, the number written in each cell and the name above; each has a scale of its own.

    Args:
        maps: name -> (height, width).
        rows, columns: what the rows and the columns are, the same for all.
        across: what the columns are, as a whole.
        form: how numbers are written, as in ``format(number, form)``.
        marked: name -> (row, column, height, width) of a frame around cells.
        per_line: how many stand side by side.
    """
    tables = {name: np.asarray(table, float) for name, table in maps.items()}
    lines = [
        list(tables.items())[start : start + per_line] for start in range(0, len(tables), per_line)
    ]
    widths = [table.shape[1] for _, table in lines[0]]
    side = (WIDTH - (0.9 if len(rows) else 0) - 0.12 * len(widths)) / sum(widths)
    high = min(side, 0.34)
    size = (
        WIDTH,
        sum(0.4 + high * max(len(table) for _, table in line) for line in lines)
        + (0.55 if len(columns) else 0),
    )
    shape = {"squeeze": False, "sharey": bool(len(rows)), "width_ratios": widths}
    _, panels = plt.subplots(len(lines), len(widths), figsize=size, **shape)
    for line, drawn in zip(panels, lines, strict=True):
        for axes in line[len(drawn) :]:
            axes.set_axis_off()
        for axes, (name, table) in zip(line, drawn):
            reach = np.ptp(table) or 1
            axes.imshow(
                table,
                cmap="Blues",
                vmin=table.min() - 0.1 * reach,
                vmax=table.max() + reach,
                aspect=high / side,
            )
            for (row, column), number in np.ndenumerate(table):
                axes.text(column, row, f"{number:{form}}", ha="center", va="center", fontsize=9)
            if marked and name in marked:
                top, left, height, width = marked[name]
                frame = {"fill": False, "edgecolor": VERMILION, "linewidth": 2, "clip_on": False}
                axes.add_patch(Rectangle((left - 0.5, top - 0.5), width, height, **frame))
            place = {"xycoords": "axes fraction", "xytext": (0, 4), "textcoords": "offset points"}
            axes.annotate(name, (0.5, 1), ha="center", fontsize=9, **place)
            axes.set_xticks(range(len(columns)), columns)
            axes.set_yticks(range(len(rows)), rows)
            axes.tick_params(length=0)
            axes.grid(visible=False)
            axes.spines[:].set_visible(False)
    for axes in panels[-1]:
        axes.set_xlabel(across)


@_figure
def scatter_by_class(points: Mapping[str, np.ndarray], labels) -> None:
    """Draw images as points on planes, one panel each, with the colour and the marker of their class.

    Args:
        points: name of the plane -> (N, 2) places.
        labels: (N,) class numbers.
    """
    labels, names = np.asarray(labels), class_names()
    figure, panels = plt.subplots(
        1, len(points), squeeze=False, figsize=(WIDTH, 0.6 + WIDTH / len(points))
    )
    for axes, (name, places) in zip(panels[0], points.items(), strict=True):
        places = np.asarray(places)
        for label in np.unique(labels):
            look = {
                "color": COLOURS[label % 6],
                "marker": "os^DvPX*<>"[label],
                "alpha": 0.6,
                "linewidths": 0,
                "s": 9,
            }
            axes.scatter(*places[labels == label].T, **look, label=names[label])
        axes.set(xticks=[], yticks=[], xlabel=name)
        axes.grid(visible=False)
    handles = [
        Line2D(
            [],
            [],
            color=COLOURS[label % 6],
            marker="os^DvPX*<>"[label],
            linestyle="",
            markersize=6,
            label=names[label],
        )
        for label in np.unique(labels)
    ]
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=4,
        fontsize=9,
        columnspacing=1,
        handletextpad=0.1,
    )


@_figure
def class_probabilities(image, probabilities, label: int | None = None) -> None:
    """Draw an image and, beside it, the ten probabilities that a classifier gave it.

    With ``label``, the true class is written under the image, and its bar is hatched.

    Args:
        image: (1, 28, 28) or (28, 28).
        probabilities: (10,), one row of what :func:`fmnist_utils.evaluation.predict` returns.
        label: the true class of the image.
    """
    image, probabilities = np.asarray(image), np.asarray(probabilities)
    _, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 2.9), width_ratios=[1, 1.25])
    left.imshow(image.reshape(image.shape[-2:]), cmap="gray")
    left.set_axis_off()
    bars = right.barh(range(10), probabilities, color=SKY, edgecolor=BLUE, linewidth=0.8)
    if label is not None:
        bars[label].set(facecolor=ORANGE, edgecolor=INK, hatch="///")
        caption = say("plots.is", true=class_names()[label])
        left.annotate(
            caption,
            (0.5, 0),
            (0, -14),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="center",
        )
    right.set_yticks(range(10), [f"{name}  {index}" for index, name in enumerate(class_names())])
    right.invert_yaxis()
    right.set_xlim(0, 1)
    right.tick_params(axis="y", length=0)
    right.grid(axis="y", visible=False)
    right.set_xlabel(say("plots.probability"))
