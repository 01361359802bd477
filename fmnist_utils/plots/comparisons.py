"""Groups of runs compared: intervals, sizes, efforts, parts of a variance, ranks, misfits."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from fmnist_utils.plots.style import (
    BLUE,
    COLOURS,
    INK,
    LEVEL,
    PALE,
    SKY,
    STAR,
    VERMILION,
    WIDTH,
    book_figure,
    in_percent,
    labels_of,
    legend_above,
    looks,
    mark_sizes,
    mean_and_reach,
    use_plain_decimals,
    with_count,
    without_rows,
)
from fmnist_utils.text import say


@book_figure
def intervals(
    groups: Mapping[str, Sequence[float]],
    published: float | None = None,
    quantity: str = "accuracy",
    each: str = "seed",
) -> None:
    """Draw one row a group: a point for every run, and their mean with one standard deviation.

    The bar is the sample standard deviation (n − 1) to each side; a group of one run has none.
    Points that would hide each other are stacked.

    Args:
        groups: name -> the values of its runs; the first group is the top row.
        published: where to draw the vertical line of the published value.
        quantity: ``"accuracy"`` (values in [0, 1], drawn in percent), or another name of the axis:
            ``"loss"``, ``"drop"``.
        each: what a point stands for, ``"seed"`` or ``"fold"``.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 1.1 + 0.55 * len(groups)))
    labels = labels_of(groups)
    rows = {name: in_percent(values, quantity) for name, values in groups.items()}
    point = 0.01 * np.ptp(np.concatenate(list(rows.values())))  # about the width of a point
    # Names stand above their points, so that long ones leave them their room on a phone.
    above: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center", "zorder": 3}
    above["bbox"] = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    for row, (name, values) in enumerate(rows.items()):
        axes.text(0.01, row - 0.28, with_count(labels[name], values), fontsize=9, **above)
        heights = row + 0.24 + 0.06 * _levels(values, point)
        axes.plot(values, heights, "o", color=SKY, markeredgecolor=BLUE, markeredgewidth=0.6)
        deviation = values.std(ddof=1) if len(values) > 1 else 0
        axes.errorbar(values.mean(), row + 0.05, xerr=deviation, fmt="D", color=BLUE, capsize=4)
        axes.axhline(row + 0.5, color=PALE, linewidth=0.8, zorder=0)
    dot: dict[str, Any] = {"color": SKY, "marker": "o", "markeredgecolor": BLUE, "linestyle": ""}
    handles = [
        Line2D([], [], label=say(f"plots.one_{each}"), **dot),
        Line2D([], [], color=BLUE, marker="D", label=say("plots.mean_sd")),
    ]
    if published is not None:
        value = float(in_percent(published, quantity))
        label = say("plots.published")
        handles.append(axes.axvline(value, color=VERMILION, linestyle="--", label=label))
    axes.set_yticks([])
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.set_xlabel(say(f"plots.{quantity}"))
    legend_above(figure, columns=len(handles), handles=handles)


def _levels(values: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Return a level from 0 to 3 for each value: one up if its neighbour is within ``width``."""
    levels = np.zeros(len(values))
    order = np.argsort(values, kind="stable")
    for left, right in itertools.pairwise(order):
        if values[right] - values[left] <= width:
            levels[right] = (levels[left] + 1) % 4
    return levels


@book_figure
def interaction(
    panels: Sequence[Mapping[str, tuple[Sequence[float], Sequence[float]]]], levels: Sequence[str]
) -> None:
    """Draw accuracies of a design of two by two: parallel lines have no interaction.

    A thin line joins the two values of a run, and a thick one the means.

    Args:
        panels: for each panel, a level of one factor -> the accuracies at both levels of the other,
            one value a seed, in [0, 1].
        levels: what the two levels of the other factor are called.
    """
    figure, grid = plt.subplots(1, len(panels), squeeze=False, figsize=(WIDTH, 3.0))
    for axes, panel in zip(grid[0], panels, strict=True):
        for (name, ends), (colour, marker, line) in zip(panel.items(), looks(("-", "--"))):
            left, right = (in_percent(values, "accuracy") for values in ends)
            for pair in zip(left, right, strict=True):
                axes.plot([0, 1], pair, line, color=colour, linewidth=0.8, alpha=0.5)
            means = [left.mean(), right.mean()]
            style: dict[str, Any] = {"color": colour, "marker": marker, "linewidth": 2.4}
            axes.plot([0, 1], means, line, label=name, **style)
        axes.set_xticks([0, 1], levels)
        axes.set_xlim(-0.2, 1.2)
        axes.grid(axis="x", visible=False)
    grid[0, 0].set_ylabel(say("plots.accuracy"))
    handles, names = grid[0, 0].get_legend_handles_labels()
    legend_above(figure, columns=2, handles=handles, labels=names)


@book_figure
def errors_by_size(
    errors: Mapping[str, Mapping[int, Sequence[float]]],
    *,
    pca: Mapping[int, float] | None = None,
    published: Mapping[int, float] | None = None,
    quantity: str = "mse",
) -> None:
    """Draw the error of autoencoders against the size of their latent space, on logarithmic axes.

    Each name is a line through the means, with a bar from the lowest to the highest seed.

    Args:
        errors: name -> size -> one value a seed.
        pca: size -> the error of PCA, as :func:`fmnist_utils.evaluation.pca_errors` gives it.
        published: size -> the value that the report gives.
        quantity: ``"mse"`` or ``"l1"``.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 3.6 + 0.1 * len(errors)))
    _draw_by_size(axes, errors)
    sizes = {size for by_size in errors.values() for size in by_size}
    if pca is not None:
        sizes |= set(pca.keys())
        values = [pca[size] for size in sorted(pca.keys())]
        axes.plot(sorted(pca.keys()), values, color=INK, marker="x", **LEVEL, label="PCA")
    if published is not None:
        style: dict[str, Any] = {"color": VERMILION, **STAR, "label": say("plots.published")}
        axes.plot(list(published), list(published.values()), "*", zorder=4, **style)
    axes.set(yscale="log", xlabel=say("plots.latent_dim"), ylabel=say(f"plots.{quantity}"))
    mark_sizes(axes, sizes)
    use_plain_decimals(axes.yaxis)
    legend_above(figure, columns=2, fontsize=9)


@book_figure
def accuracy_by_labels(accuracies: Mapping[str, Mapping[int, Sequence[float]]]) -> None:
    """Draw the accuracy of classifiers against the number of labels that they were trained with.

    Each name is a line through the means, with a bar from the lowest to the highest seed. The axis
    of labels is logarithmic.

    Args:
        accuracies: name -> number of labels -> one value a seed, in [0, 1].
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 3.8))
    _draw_by_size(axes, accuracies, "accuracy", ("-", "--", ":"))
    axes.set(xlabel=say("plots.labels"), ylabel=say("plots.accuracy"))
    mark_sizes(axes, {size for by_size in accuracies.values() for size in by_size})
    legend_above(figure)


def _draw_by_size(
    axes: Axes,
    groups: Mapping[str, Mapping[int, Sequence[float]]],
    quantity: str = "",
    line_styles: Sequence[str] = ("-",),
) -> None:
    """Draw, for each name, a line through the means of its sizes, and their reach."""
    labels = labels_of(groups)
    for name, (colour, marker, line) in zip(groups, looks(line_styles), strict=False):
        sizes = sorted(groups[name])
        runs = [in_percent(groups[name][size], quantity) for size in sizes]
        means, reaches = zip(*map(mean_and_reach, runs), strict=True)
        axes.errorbar(
            sizes,
            means,
            np.concatenate(reaches, axis=1),
            color=colour,
            marker=marker,
            linestyle=line,
            capsize=3,
            label=with_count(labels[name], min(runs, key=len)),
        )


@book_figure
def by_effort(excess: Mapping[str, Mapping[int, Sequence[float]]]) -> None:
    """Draw by how much the best of several configurations promises more than it keeps.

    A line is the mean of a name, and the band its middle half. The axis of the configurations is
    logarithmic.

    Args:
        excess: name -> how many configurations there were to choose from -> one value an attempt:
            what was promised less what was kept, an accuracy in [0, 1].
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 3.8))
    labels = labels_of(excess)
    for name, (colour, marker, line) in zip(excess, looks(("-", "--", "-.", ":")), strict=False):
        sizes = sorted(excess[name])
        attempts = [100 * np.asarray(excess[name][size], float) for size in sizes]
        means = [values.mean() for values in attempts]
        low = [np.percentile(values, 25) for values in attempts]
        high = [np.percentile(values, 75) for values in attempts]
        label = with_count(labels[name], attempts[0])
        axes.plot(sizes, means, color=colour, linestyle=line, marker=marker, label=label)
        axes.fill_between(sizes, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set(xlabel=say("plots.configurations"), ylabel=say("plots.excess"))
    mark_sizes(axes, {size for by_size in excess.values() for size in by_size})
    legend_above(figure, columns=2)


@book_figure
def shares(parts: Mapping[tuple[str, ...], float], most: int = 8) -> None:
    """Draw the parts of a variance as bars, the largest on top; those of a pair are hatched.

    Args:
        parts: paths of the fields of a recipe -> their part, in [0, 1].
        most: how many to show.
    """
    one: dict[str, Any] = {"facecolor": BLUE}
    two: dict[str, Any] = {"facecolor": "white", "edgecolor": VERMILION, "hatch": "////"}
    largest = sorted(parts, key=lambda fields: -parts[fields])[:most]
    figure, axes = plt.subplots(figsize=(WIDTH, 0.9 + 0.36 * len(largest)))
    names = []
    for row, fields in enumerate(largest):
        percent = 100 * parts[fields]
        axes.barh(row, percent, height=0.62, **(one if len(fields) == 1 else two))
        place: dict[str, Any] = {"xytext": (4, 0), "textcoords": "offset points", "va": "center"}
        axes.annotate(f"{percent:.1f}", (percent, row), **place)
        names.append(" × ".join(say(f"field.{path.rpartition('.')[2]}") for path in fields))
    axes.set_yticks(range(len(largest)), names)
    axes.set_ylim(len(largest) - 0.5, -0.5)
    axes.margins(x=0.12)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(say("plots.variance_share"))
    handles = [
        Patch(label=say("plots.one_field"), **one),
        Patch(label=say("plots.two_fields"), **two),
    ]
    legend_above(figure, columns=2, handles=handles)


@book_figure
def ranks(values: Mapping[str, Sequence[float]], columns: Sequence[str]) -> None:
    """Draw the place of each name in successive rankings, joined by a line; the lowest is first.

    The first six names have solid lines, the following ones dashed lines. Each name stands at its
    place in the last ranking.

    Args:
        values: name -> one value for each ranking.
        columns: what the rankings are called.
    """
    table = np.array([list(row) for row in values.values()], float)
    places = 1 + table.argsort(axis=0, kind="stable").argsort(axis=0)
    _, axes = plt.subplots(figsize=(WIDTH, 1 + 0.3 * len(table)))
    lines = ("-",) * len(COLOURS) + ("--",) * len(COLOURS)
    labels = labels_of(values)
    for name, row, (colour, marker, line) in zip(values, places, looks(lines), strict=False):
        axes.plot(range(len(columns)), row, line, color=colour, marker=marker)
        place: dict[str, Any] = {"xytext": (8, 0), "textcoords": "offset points", "va": "center"}
        axes.annotate(labels[name], (len(columns) - 1, row[-1]), fontsize=9, **place)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(1, len(table) + 1))
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_ylabel(say("plots.place"))


@book_figure
def misfit(surface: Mapping[str, Sequence[float]]) -> None:
    """Draw how badly each recipe fits published values after each epoch: a row for each.

    A circle marks the lowest misfit of a row, a star that of all; at the right of a row stand its
    lowest misfit and its epoch.

    Args:
        surface: name -> the misfit after each epoch, a ratio: 0.01 is 1 %.
    """
    rows = 100 * np.array([list(row) for row in surface.values()])
    figure, axes = plt.subplots(figsize=(WIDTH, 1.5 + 0.36 * len(rows)))
    picture = axes.imshow(
        rows,
        cmap="cividis",
        norm=LogNorm(),
        aspect="auto",
        interpolation="nearest",
        extent=(0.5, rows.shape[1] + 0.5, len(rows) - 0.5, -0.5),
    )
    epochs = rows.argmin(axis=1) + 1
    lowest = rows.min(axis=1)
    beside: dict[str, Any] = {"xycoords": axes.get_yaxis_transform(), "va": "center"}
    for row, (value, epoch) in enumerate(zip(lowest, epochs, strict=True)):
        label = say("plots.best_fit", misfit=f"{value:.3g}", epoch=epoch)
        axes.annotate(label, (1.02, row), fontsize=9, **beside)
    axes.plot(epochs, range(len(rows)), "o", markerfacecolor="none", markeredgecolor="white")
    best = lowest.argmin()
    star: dict[str, Any] = {"color": VERMILION, "markersize": 13, "markeredgecolor": "white"}
    axes.plot(epochs[best], best, "*", markeredgewidth=0.7, **star)
    axes.set_yticks(range(len(rows)), list(labels_of(surface).values()))
    without_rows(axes)
    axes.grid(visible=False)
    axes.set_xlabel(say("plots.epoch"))
    bar = figure.colorbar(picture, ax=axes, location="top", aspect=35, label=say("plots.misfit"))
    use_plain_decimals(bar.ax.xaxis)
