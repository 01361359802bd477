"""Where a classifier errs: verdicts, confusion matrices, recalls, mistaken images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from fmnist_utils.plots.style import (
    BLUE,
    COLOURS,
    GREY,
    INK,
    MARKERS,
    PALE,
    SKY,
    WIDTH,
    book_figure,
    draw_grid,
    labels_of,
    legend_above,
    without_frame,
    without_rows,
)
from fmnist_utils.text import class_names, say


@book_figure
def confusion_matrix(matrix: ArrayLike) -> None:
    """Draw a confusion matrix as a heat map with its counts: true classes in rows.

    The shade grows with the square root of the share of the row, so that few errors can be seen
    beside many hits.

    Args:
        matrix: (10, 10) counts.
    """
    matrix = np.asarray(matrix)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    _, axes = plt.subplots(figsize=(WIDTH, WIDTH))
    axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, vmin=0, vmax=1))
    for (row, column), count in np.ndenumerate(matrix):
        colour = GREY if count == 0 else INK
        if shares[row, column] > 0.45:
            colour = "white"
        axes.text(column, row, f"{count}", ha="center", va="center", color=colour, fontsize=9)
    _name_classes(axes)


def _name_classes(axes: Axes) -> None:
    """Name the rows and the columns of a confusion matrix."""
    axes.set_xticks(range(10), class_names(), rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(10), class_names())
    axes.set_xlabel(say("evaluation.predicted"))
    axes.set_ylabel(say("evaluation.true"))
    without_frame(axes)


@book_figure
def confusion_comparison(published: ArrayLike, runs: ArrayLike, z: ArrayLike) -> None:
    """Draw two confusion matrices in one: in each cell the published count above ours.

    Ours is the mean of the runs for as many images of the class as the report had. The colour is
    the distance of the two; a frame marks the cells that are further apart than chance puts one in
    twenty: z beyond ±1.96.

    Args:
        published: (10, 10) counts, true classes in rows.
        runs: (runs, 10, 10) counts, one matrix a seed.
        z: (10, 10), the distance of each cell in standard deviations, as
            :func:`fmnist_utils.evaluation.confusion_z` gives it.
    """
    published = np.asarray(published)
    runs = np.asarray(runs).reshape(-1, 10, 10)
    z = np.asarray(z)
    total = runs.sum(axis=0)
    published_images = published.sum(axis=1, keepdims=True)
    ours = total * published_images / np.maximum(total.sum(axis=1, keepdims=True), 1)
    figure, axes = plt.subplots(figsize=(WIDTH, WIDTH + 1.1))
    picture = axes.imshow(z, cmap="PuOr", vmin=-5, vmax=5)
    for (row, column), distance in np.ndenumerate(z):
        counted = published[row, column] > 0 or ours[row, column] >= 0.5
        colour = INK if counted else GREY
        if distance > 2.7 or distance < -3.6:
            colour = "white"
        style: dict[str, Any] = {"ha": "center", "fontsize": 8, "color": colour}
        axes.text(column, row - 0.04, f"{published[row, column]}", va="bottom", **style)
        axes.text(column, row + 0.06, f"{ours[row, column]:.0f}", va="top", **style, style="italic")
        if abs(distance) > 1.96:
            corner = (column - 0.47, row - 0.47)
            axes.add_patch(Rectangle(corner, 0.94, 0.94, fill=False, edgecolor=INK, linewidth=1.2))
    _name_classes(axes)
    label = say("plots.z", n=len(runs))
    figure.colorbar(picture, ax=axes, location="top", aspect=40, extend="both", label=label)


@book_figure
def recall_bars(matrices: ArrayLike) -> None:
    """Draw the recall of each class as a bar, the lowest on top.

    Of several matrices, the bars are their means, and there is a point for each.

    Args:
        matrices: (10, 10) counts with true classes in rows, or (runs, 10, 10), one matrix a seed.
    """
    import seaborn as sns  # it takes most of a second, and few figures need it

    matrices = np.asarray(matrices).reshape(-1, 10, 10)
    recalls = 100 * np.diagonal(matrices, axis1=1, axis2=2) / matrices.sum(axis=2)
    table = pd.DataFrame(recalls, columns=class_names())
    means = recalls.mean(axis=0)
    order = [class_names()[label] for label in means.argsort(kind="stable")]
    _, axes = plt.subplots(figsize=(WIDTH, 3.6))
    bars: dict[str, Any] = {"color": SKY, "edgecolor": BLUE, "linewidth": 0.8, "saturation": 1}
    sns.barplot(table, orient="h", order=order, errorbar=None, ax=axes, **bars)
    if len(matrices) > 1:
        points: dict[str, Any] = {"color": BLUE, "size": 3, "jitter": False}
        sns.stripplot(table, orient="h", order=order, ax=axes, **points)
    axes.set_xlim(0, 100)
    axes.set_xlabel(say("plots.recall", n=len(matrices)))
    without_rows(axes)


@book_figure
def recalls_by_class(recalls: Mapping[str, Sequence[ArrayLike]]) -> None:
    """Draw the recall of each class in many classifiers: a row a class, a point a classifier.

    The hardest class, by the median of all classifiers, is the top row.

    Args:
        recalls: name of a group of classifiers -> for each of them, (10,) in [0, 1]. Groups differ
            in colour and marker, and each has a line of its own within the row.
    """
    medians = np.median(np.concatenate([np.asarray(group) for group in recalls.values()]), axis=0)
    order = medians.argsort(kind="stable")
    figure, axes = plt.subplots(figsize=(WIDTH, 4.6))
    labels = labels_of(recalls)
    for place, (name, group) in enumerate(recalls.items()):
        height = 0.16 * (place - (len(recalls) - 1) / 2)
        points = 100 * np.asarray(group)[:, order]
        heights = np.broadcast_to(np.arange(10) + height, points.shape)
        axes.plot(
            points.ravel(),
            heights.ravel(),
            MARKERS[place % len(MARKERS)],
            color=COLOURS[place % len(COLOURS)],
            alpha=0.75,
            markersize=4,
            label=say("plots.classifiers", name=labels[name], n=len(group)),
        )
    for row in range(9):
        axes.axhline(row + 0.5, color=PALE, linewidth=0.8, zorder=0)
    axes.set_yticks(range(10), [class_names()[label] for label in order])
    axes.set_ylim(9.5, -0.5)
    without_rows(axes)
    axes.set_xlabel(say("plots.recall_alone"))
    legend_above(figure, columns=2, fontsize=9)


@book_figure
def mistakes(images: ArrayLike, table: pd.DataFrame, *, columns: int = 4) -> None:
    """Draw wrongly classified images, each with its class, the predicted class and its probability.

    Args:
        images: all images that were classified, (N, 1, 28, 28); the table says which to show.
        table: as :func:`fmnist_utils.evaluation.most_confident_mistakes` gives it.
    """
    names = class_names()
    captions = []
    for row in table.to_dict("records"):
        confidence = row["confidence"]
        percent = "> 99.9 %" if 0.9995 <= confidence < 1 else f"{100 * confidence:.1f} %"
        true, predicted = names[row["true"]], names[row["predicted"]]
        captions.append(say("plots.mistake", true=true, predicted=predicted, confidence=percent))
    draw_grid(np.asarray(images)[table["index"].to_numpy()], captions, columns, value_range=None)
