"""Where a classifier errs."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import PowerNorm
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator

from fmnist_utils.plots.style import (
    BEHIND,
    BLUE,
    COLOURS,
    GREEN,
    GREY,
    INK,
    MARKERS,
    PALE,
    SKY,
    VERMILION,
    WIDTH,
    _figure,
    _grid,
)
from fmnist_utils.text import class_names, say


@_figure
def verdicts(counts: Mapping[str, Mapping[str, Mapping[str, int]]]) -> None:
    """Draw how many numbers and how many claims have each verdict, one bar a report, the first on top.

    Args:
        counts: name of a report -> what :func:`fmnist_utils.audit.count_verdicts` gives for it.
    """
    looks = zip((GREEN, VERMILION, PALE), (None, "///", "..."), strict=True)
    looks = dict(zip(("agrees", "differs", "cannot be compared"), looks, strict=True))
    figure, panels = plt.subplots(1, 2, sharey=True, figsize=(WIDTH, 0.42 * len(counts) + 1.15))
    for axes, kind in zip(panels, ("number", "claim"), strict=True):
        left = np.zeros(len(counts))
        for verdict, (colour, hatch) in looks.items():
            widths = np.array([of_report[kind][verdict] for of_report in counts.values()])
            bars = axes.barh(
                list(counts),
                widths,
                0.62,
                left,
                color=colour,
                hatch=hatch,
                edgecolor="white",
                linewidth=0.8,
            )
            axes.bar_label(
                bars,
                [width or "" for width in widths],
                label_type="center",
                bbox=BEHIND if hatch else None,
            )
            left += widths
        axes.set_xlabel(say(f"plots.{kind}s"))
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.grid(axis="y", visible=False)
    panels[0].invert_yaxis()
    patches = [
        Patch(facecolor=colour, hatch=hatch, edgecolor="white") for colour, hatch in looks.values()
    ]
    figure.legend(
        patches,
        [say(f"verdict.{verdict}") for verdict in looks],
        loc="outside upper center",
        ncols=3,
    )


@_figure
def confusion_matrix(matrix) -> None:
    """Draw a confusion matrix as a heat map with its counts: true classes in rows, predicted ones in columns.

    The shade grows with the square root of the share of the row, so that few errors are seen beside many hits.

    Args:
        matrix: (10, 10) counts.
    """
    matrix = np.asarray(matrix)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    _, axes = plt.subplots(figsize=(WIDTH, WIDTH))
    axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, vmin=0, vmax=1))
    for (row, column), count in np.ndenumerate(matrix):
        colour = "white" if shares[row, column] > 0.45 else INK if count else GREY
        axes.text(column, row, count, ha="center", va="center", color=colour, fontsize=9)
    _label_classes(axes)


def _label_classes(axes) -> None:
    """Name the rows and columns of a confusion matrix, and take away all lines but its own."""
    axes.set_xticks(range(10), class_names(), rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(10), class_names())
    axes.set_xlabel(say("evaluation.predicted"))
    axes.set_ylabel(say("evaluation.true"))
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


@_figure
def confusion_comparison(published, runs, z) -> None:
    """Draw two confusion matrices in one: in each cell the published count above ours, and the colour of their distance.

    Ours is the mean of the runs for as many images of the class as the report had. A frame marks the cells that are further
    apart than chance puts one in twenty: z beyond ±1.96.

    Args:
        published: (10, 10) counts.
        runs: (runs, 10, 10) counts, one matrix a seed, true classes in rows as well.
        z: (10, 10), the distance of each cell in standard deviations, as :func:`fmnist_utils.evaluation.confusion_z` gives it.
    """
    published, runs, z = np.asarray(published), np.asarray(runs).reshape(-1, 10, 10), np.asarray(z)
    total = runs.sum(axis=0)
    ours = (
        total
        * published.sum(axis=1, keepdims=True)
        / np.maximum(total.sum(axis=1, keepdims=True), 1)
    )
    figure, axes = plt.subplots(figsize=(WIDTH, WIDTH + 1.1))
    picture = axes.imshow(z, cmap="PuOr", vmin=-5, vmax=5)
    for (row, column), value in np.ndenumerate(z):
        empty = not published[row, column] and ours[row, column] < 0.5
        look = {
            "ha": "center",
            "fontsize": 8,
            "color": "white" if value > 2.7 or value < -3.6 else GREY if empty else INK,
        }
        axes.text(column, row - 0.04, published[row, column], va="bottom", **look)
        axes.text(column, row + 0.06, f"{ours[row, column]:.0f}", va="top", style="italic", **look)
        if abs(value) > 1.96:
            axes.add_patch(
                Rectangle(
                    (column - 0.47, row - 0.47),
                    0.94,
                    0.94,
                    fill=False,
                    edgecolor=INK,
                    linewidth=1.2,
                )
            )
    _label_classes(axes)
    label = say("plots.z", n=len(runs))
    figure.colorbar(picture, ax=axes, location="top", aspect=40, extend="both", label=label)


@_figure
def recall_bars(matrices) -> None:
    """Draw the recall of each class as a bar, the lowest on top; of several matrices, their mean and a point for each.

    Args:
        matrices: (10, 10) counts with true classes in rows, or (runs, 10, 10), one matrix per seed.
    """
    matrices = np.asarray(matrices).reshape(-1, 10, 10)
    recalls = 100 * np.diagonal(matrices, axis1=1, axis2=2) / matrices.sum(axis=2)
    order = recalls.mean(axis=0).argsort(kind="stable")
    _, axes = plt.subplots(figsize=(WIDTH, 3.6))
    axes.barh(range(10), recalls.mean(axis=0)[order], color=SKY, edgecolor=BLUE, linewidth=0.8)
    if len(matrices) > 1:
        for recall in recalls:
            axes.plot(recall[order], range(10), "o", color=BLUE, markersize=3)
    axes.set_yticks(range(10), [class_names()[label] for label in order])
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(say("plots.recall", n=len(matrices)))


@_figure
def recalls_by_class(recalls: Mapping[str, Sequence]) -> None:
    """Draw the recall of each class in many classifiers, one row a class, the hardest on top, and one point a classifier.

    Args:
        recalls: name of a group of classifiers, which is told by colour and marker -> for each of them, (10,) in [0, 1].
    """
    # By the median: one network that has not learned must not move the rows.
    order = np.median(np.concatenate(list(recalls.values())), axis=0).argsort(kind="stable")
    _, axes = plt.subplots(figsize=(WIDTH, 4.6))
    looks = zip(itertools.cycle(COLOURS), itertools.cycle(MARKERS))
    for place, ((name, group), (colour, marker)) in enumerate(zip(recalls.items(), looks)):
        height = 0.16 * (
            place - (len(recalls) - 1) / 2
        )  # each group has its own line within the row
        for number, recall in enumerate(group):
            label = say("plots.classifiers", name=name, n=len(group)) if number == 0 else None
            points = 100 * np.asarray(recall)[order]
            axes.plot(
                points,
                np.arange(10) + height,
                marker,
                color=colour,
                alpha=0.75,
                markersize=4,
                label=label,
            )
    for row in range(9):
        axes.axhline(row + 0.5, color=PALE, linewidth=0.8, zorder=0)
    axes.set_yticks(range(10), [class_names()[label] for label in order])
    axes.set_ylim(9.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(say("plots.recall_alone"))
    plt.gcf().legend(loc="outside upper center", ncols=2, fontsize=9)


@_figure
def mistakes(images, table: pd.DataFrame, *, columns: int = 4) -> None:
    """Draw wrongly classified images, each with its class, the class that the model gave it, and how sure it was.

    Args:
        images: all images that were classified, (N, 1, 28, 28); the table says which to show.
        table: as :func:`fmnist_utils.evaluation.most_confident_mistakes` gives it.
    """
    names = class_names()
    captions = [
        say(
            "plots.mistake",
            true=names[row.true],
            predicted=names[row.predicted],
            confidence=_percent(row.confidence),
        )
        for row in table.itertuples()
    ]
    _grid(np.asarray(images)[table["index"].to_numpy()], captions, columns, value_range=None)


def _percent(probability: float) -> str:
    return "> 99.9 %" if 0.9995 <= probability < 1 else f"{100 * probability:.1f} %"
