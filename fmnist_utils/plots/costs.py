"""What training costs: seconds, compared with sizes, engines, accuracies and operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import NullLocator, ScalarFormatter

from fmnist_utils.plots.style import (
    BLUE,
    COLOURS,
    GREY,
    INK,
    MARKERS,
    ORANGE,
    WIDTH,
    book_figure,
    labels_of,
    legend_above,
    looks,
    mean_and_reach,
    with_count,
)
from fmnist_utils.text import say

# The marks of a logarithmic axis of seconds.
ROUND_SECONDS = [1, 2, 5, 10, 20, 40, 100, 200, 400, 1000, 2000, 4000]


@book_figure
def times(seconds: Mapping[str, Mapping[int, Sequence[float]]]) -> None:
    """Draw times against the size of the latent space: each repetition, and their median.

    A bar at the median holds the middle half of the repetitions.

    Args:
        seconds: name -> size -> one value for each repetition.
    """
    import seaborn as sns  # it takes most of a second, and few figures need it

    labels = labels_of(seconds)
    rows = []
    for name, by_size in seconds.items():
        label = with_count(labels[name], min(by_size.values(), key=len))
        for size, values in by_size.items():
            rows += [(label, size, value) for value in values]
    table = pd.DataFrame(rows, columns=["name", "size", "seconds"])
    count = len(seconds)
    figure, axes = plt.subplots(figsize=(WIDTH, 3.4))
    columns: dict[str, Any] = {"x": "size", "y": "seconds", "hue": "name", "ax": axes}
    columns |= {"palette": COLOURS[:count], "dodge": 0.2 if count > 1 else False}
    sns.pointplot(
        table,
        **columns,
        estimator="median",
        errorbar=("pi", 50),
        markers=MARKERS[:count],
        capsize=0.05,
        linewidth=1.6,
    )
    columns["dodge"] = count > 1
    sns.stripplot(table, **columns, jitter=False, size=3, alpha=0.5, legend=False)
    handles, names = axes.get_legend_handles_labels()
    if axes.legend_ is not None:
        axes.legend_.remove()
    axes.set_ylim(bottom=0)
    axes.set(xlabel=say("plots.latent_dim"), ylabel=say("plots.seconds"))
    axes.grid(axis="x", visible=False)
    legend_above(figure, columns=2, handles=handles, labels=names)


@book_figure
def epoch_times(seconds: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """Draw the seconds of an epoch of each engine, one panel a workload.

    A bar ends at the median, a point is a measurement.

    Args:
        seconds: workload -> engine -> one value for each measurement. Engines whose name begins
            with ``ours`` are hatched.
    """
    heights = [max(1, len(engines)) for engines in seconds.values()]
    _, panels = plt.subplots(
        len(heights),
        squeeze=False,
        figsize=(WIDTH, 0.27 * sum(heights) + 0.75 * len(heights)),
        height_ratios=heights,
    )
    for axes, (workload, engines) in zip(panels[:, 0], seconds.items(), strict=True):
        for place, (engine, values) in enumerate(engines.items()):
            ours = engine.startswith("ours")
            look: dict[str, Any] = {"color": BLUE if ours else ORANGE, "edgecolor": "white"}
            axes.barh(place, np.median(values), 0.62, hatch="///" if ours else None, **look)
            axes.plot(values, np.full(len(values), place), ".", color=INK, markersize=4)
        names = [engine.replace("ours", say("plots.ours"), 1) for engine in engines]
        axes.set_yticks(range(len(names)), names)
        axes.set_title(workload, loc="left", fontsize=10)
        axes.set_xlim(left=0)
        axes.grid(axis="y", visible=False)
        axes.invert_yaxis()
    panels[-1, 0].set_xlabel(say("plots.epoch_seconds"))


@book_figure
def accuracy_by_seconds(
    points: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    landmarks: Mapping[str, float] | None = None,
    limit: float | None = None,
) -> None:
    """Draw the accuracy of recipes against the time of their training: a point for each.

    A point is at the median of the seconds and at the mean of the accuracy, with a bar from the
    lowest to the highest seed. The axis of seconds is logarithmic.

    Args:
        points: name -> (seconds, accuracy in [0, 1]), one value a seed.
        landmarks: name -> accuracy in [0, 1]: horizontal lines.
        limit: seconds: a vertical line.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 3.4 + 0.22 * len(points)))
    labels = labels_of(points)
    for name, (colour, marker, _) in zip(points, looks(), strict=False):
        seconds, accuracies = points[name]
        mean, reach = mean_and_reach(100 * np.asarray(accuracies, float))
        # From the seventh name on the colours come again, with hollow markers.
        hollow = len(axes.containers) >= len(COLOURS)
        axes.errorbar(
            np.median(seconds),
            mean,
            reach,
            color=colour,
            marker=marker,
            markerfacecolor="none" if hollow else colour,
            linestyle="",
            capsize=3,
            label=with_count(labels[name], accuracies),
        )
    for name, accuracy in (landmarks or {}).items():
        axes.axhline(100 * accuracy, color=GREY, linestyle=":", linewidth=1, zorder=0)
        place: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "bottom"}
        axes.text(0.01, 100 * accuracy, name, fontsize=8, color=GREY, **place)
    if limit is not None:
        axes.axvline(limit, color=GREY, linestyle="--", linewidth=1, zorder=0)
    axes.set(xscale="log", xlabel=say("plots.training_seconds"), ylabel=say("plots.val_accuracy"))
    low, high = axes.get_xlim()
    axes.set_xticks([tick for tick in ROUND_SECONDS if low <= tick <= high])
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_locator(NullLocator())
    legend_above(figure)


@book_figure
def seconds_by_cost(
    costs: Mapping[str, Mapping[str, float]], seconds: Mapping[str, Sequence[float]]
) -> None:
    """Draw the time of an epoch against what may explain it, one panel a quantity.

    A point is a name, at its median; a bar goes from its lowest to its highest value.

    Args:
        costs: name -> quantity (``"parameters"``, ``"multiply_adds"``) -> how many.
        seconds: name -> one value for each epoch.
    """
    quantities = list(next(iter(costs.values())))
    figure, panels = plt.subplots(
        1, len(quantities), sharey=True, squeeze=False, figsize=(WIDTH, 3.4)
    )
    labels = labels_of(costs)
    for axes, quantity in zip(panels[0], quantities, strict=True):
        for name, (colour, marker, _) in zip(costs, looks(), strict=False):
            values = seconds[name]
            median = np.median(values)
            axes.errorbar(
                costs[name][quantity] / 1e6,
                median,
                [[median - min(values)], [max(values) - median]],
                color=colour,
                marker=marker,
                linestyle="",
                markersize=7,
                capsize=3,
                label=with_count(labels[name], values),
            )
        largest = max(quantities_of_name[quantity] for quantities_of_name in costs.values())
        axes.set(xlim=(0, 1.12 * largest / 1e6), ylim=(0, None), xlabel=say(f"plots.{quantity}"))
    panels[0, 0].set_ylabel(say("plots.seconds"))
    handles, names = panels[0, 0].get_legend_handles_labels()
    legend_above(figure, columns=2, handles=handles, labels=names, fontsize=9)
