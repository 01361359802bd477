"""Runs compared: intervals, sizes, times, ranks."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator, ScalarFormatter

from fmnist_utils.plots.style import (
    BLUE,
    COLOURS,
    GREY,
    INK,
    LEVEL,
    MARKERS,
    ORANGE,
    PALE,
    ROUND_SECONDS,
    SKY,
    STAR,
    VERMILION,
    WIDTH,
    _figure,
    _frames,
    _labels,
    _percent_if_accuracy,
    _plain_decimals,
)
from fmnist_utils.text import say


@_figure
def intervals(
    groups: Mapping[str, Sequence[float]],
    published: float | None = None,
    quantity: str = "accuracy",
    each: str = "seed",
) -> None:
    """Draw one row per group: a point for every run, and their mean with one standard deviation to each side.

    The bar is the sample standard deviation (n - 1); a group of one run has none.

    Args:
        groups: name -> the values of its runs, called by its label if it has one; the first is the top row. Names stand
            inside, above their points, so that long ones leave the points their room on a phone. Points that would hide each other are stacked.
        published: where to draw the vertical line of the published value.
        quantity: ``"accuracy"`` (values in [0, 1], drawn in percent), or what else the axis says: ``"loss"``, ``"drop"``.
        each: what a point stands for, ``"seed"`` or ``"fold"``.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 1.1 + 0.55 * len(groups)))
    label = {"transform": axes.get_yaxis_transform(), "va": "center", "fontsize": 9, "zorder": 3}
    label["bbox"] = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    labels = _labels(groups)
    groups = {name: _percent_if_accuracy(values, quantity) for name, values in groups.items()}
    apart = 0.01 * np.ptp(
        np.concatenate(list(groups.values()))
    )  # the width of a point, more or less
    for row, (name, values) in enumerate(groups.items()):
        spread = values.std(ddof=1) if len(values) > 1 else 0
        axes.text(0.01, row - 0.28, say("plots.runs", name=labels[name], n=len(values)), **label)
        places = row + 0.24 + 0.06 * _stacked(values, apart)
        axes.plot(values, places, "o", color=SKY, markeredgecolor=BLUE, markeredgewidth=0.6)
        axes.errorbar(values.mean(), row + 0.05, xerr=spread, fmt="D", color=BLUE, capsize=4)
        axes.axhline(row + 0.5, color=PALE, linewidth=0.8, zorder=0)
    handles = [
        Line2D(
            [],
            [],
            color=SKY,
            marker="o",
            markeredgecolor=BLUE,
            linestyle="",
            label=say(f"plots.one_{each}"),
        ),
        Line2D([], [], color=BLUE, marker="D", label=say("plots.mean_sd")),
    ]
    if published is not None:
        handles.append(
            axes.axvline(
                _percent_if_accuracy(published, quantity),
                color=VERMILION,
                linestyle="--",
                label=say("plots.published"),
            )
        )
    axes.set_yticks([])
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.set_xlabel(say(f"plots.{quantity}"))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))


def _stacked(values: np.ndarray, apart: float) -> np.ndarray:
    """Return a level from 0 to 3 for each point, so that those closer than ``apart`` to the one before do not hide each other."""
    levels, order = np.zeros(len(values)), np.argsort(values, kind="stable")
    for before, this in itertools.pairwise(order):
        levels[this] = (levels[before] + 1) % 4 if values[this] - values[before] <= apart else 0
    return levels


@_figure
def errors_by_size(
    errors: Mapping[str, Mapping[int, Sequence[float]]],
    *,
    pca: Mapping[int, float] | None = None,
    published: Mapping[int, float] | None = None,
    quantity: str = "mse",
) -> None:
    """Draw the error of autoencoders against the size of their latent space, both on logarithmic axes.

    Each name is a line through the means, with a bar from the lowest to the highest of its seeds.

    Args:
        errors: name -> size -> one value a seed.
        pca: size -> the error of PCA, as :func:`fmnist_utils.evaluation.pca_errors` gives it.
        published: size -> the value that the report gives.
        quantity: ``"mse"`` or ``"l1"``.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 3.6 + 0.1 * len(errors)))
    looks = zip(itertools.cycle(COLOURS), itertools.cycle(MARKERS))
    for (name, by_size), (colour, marker) in zip(errors.items(), looks):
        sizes = sorted(by_size)
        runs = [np.asarray(by_size[size], float) for size in sizes]
        means = np.array([values.mean() for values in runs])
        reach = [
            means - [values.min() for values in runs],
            [values.max() for values in runs] - means,
        ]
        n = min(map(len, runs))
        axes.errorbar(
            sizes,
            means,
            reach,
            color=colour,
            marker=marker,
            capsize=3,
            label=say("plots.runs", name=name, n=n),
        )
    if pca is not None:
        axes.plot(*zip(*sorted(pca.items())), color=INK, marker="x", **LEVEL, label="PCA")
    if published is not None:
        axes.plot(
            *zip(*published.items()),
            "*",
            color=VERMILION,
            **STAR,
            zorder=4,
            label=say("plots.published"),
        )
    ticks = sorted(
        {size for by_size in errors.values() for size in by_size}
        | set(pca.keys() if pca is not None else ())
    )
    axes.set(
        xscale="log", yscale="log", xlabel=say("plots.latent_dim"), ylabel=say(f"plots.{quantity}")
    )
    axes.set_xticks(ticks, [str(size) for size in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    _plain_decimals(axes.yaxis)
    figure.legend(loc="outside upper center", ncols=2, fontsize=9)


@_figure
def misfit(surface: Mapping[str, Sequence[float]]) -> None:
    """Draw how badly each recipe fits published values after each epoch: a row for each, and a star at the best point.

    On the right of each row, its lowest misfit and the epoch of it.

    Args:
        surface: name -> the misfit after each epoch, a ratio: 0.01 is 1 %.
    """
    rows = 100 * np.array([list(row) for row in surface.values()])
    figure, axes = plt.subplots(figsize=(WIDTH, 1.5 + 0.36 * len(rows)))
    extent = (0.5, rows.shape[1] + 0.5, len(rows) - 0.5, -0.5)
    picture = axes.imshow(
        rows, cmap="cividis", norm=LogNorm(), aspect="auto", interpolation="nearest", extent=extent
    )
    epochs = rows.argmin(axis=1) + 1
    for place, (row, epoch) in enumerate(zip(rows, epochs, strict=True)):
        label = say("plots.best_fit", misfit=f"{row.min():.3g}", epoch=epoch)
        axes.annotate(
            label, (1.02, place), xycoords=axes.get_yaxis_transform(), va="center", fontsize=9
        )
    axes.plot(epochs, range(len(rows)), "o", markerfacecolor="none", markeredgecolor="white")
    best = rows.min(axis=1).argmin()
    axes.plot(
        epochs[best],
        best,
        "*",
        color=VERMILION,
        **STAR | {"markersize": 13, "markeredgecolor": "white"},
    )
    axes.set_yticks(range(len(rows)), list(surface))
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False)
    axes.set_xlabel(say("plots.epoch"))
    bar = figure.colorbar(picture, ax=axes, location="top", aspect=35, label=say("plots.misfit"))
    _plain_decimals(bar.ax.xaxis)


@_figure
def times(seconds: Mapping[str, Mapping[int, Sequence[float]]]) -> None:
    """Draw times against the size of the latent space: a point for each repetition, the median and the middle half.

    Args:
        seconds: name -> size -> one value for each repetition.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 3.4))
    looks = zip(itertools.cycle(COLOURS), itertools.cycle(MARKERS))
    for place, ((name, by_size), (colour, marker)) in enumerate(zip(seconds.items(), looks)):
        sizes = sorted(by_size)
        low, middle, high = (
            np.array([np.quantile(by_size[size], share) for size in sizes])
            for share in (0.25, 0.5, 0.75)
        )
        x = np.arange(len(sizes)) + 0.12 * (place - (len(seconds) - 1) / 2)
        for one, size in zip(x, sizes, strict=True):
            axes.plot(
                np.full(len(by_size[size]), one + 0.06),
                by_size[size],
                ".",
                color=colour,
                alpha=0.5,
                markersize=4,
            )
        n = min(len(by_size[size]) for size in sizes)
        label = say("plots.runs", name=name, n=n)
        axes.errorbar(
            x,
            middle,
            [middle - low, high - middle],
            color=colour,
            marker=marker,
            capsize=4,
            label=label,
        )
    axes.set_xticks(range(len(sizes)), [str(size) for size in sizes])
    axes.set_ylim(bottom=0)
    axes.set(xlabel=say("plots.latent_dim"), ylabel=say("plots.seconds"))
    figure.legend(loc="outside upper center", ncols=2)


@_figure
def epoch_times(seconds: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """Draw the seconds of an epoch of each engine, one panel a workload: a bar to the median, a point for each measurement.

    Args:
        seconds: workload -> engine -> one value for each measurement. Engines whose name begins with ``ours`` are hatched.
    """
    heights = [max(1, len(by_engine)) for by_engine in seconds.values()]
    how = {"figsize": (WIDTH, 0.27 * sum(heights) + 0.75 * len(heights)), "height_ratios": heights}
    figure, panels = plt.subplots(len(heights), 1, squeeze=False, **how)
    for axes, (workload, by_engine) in zip(panels[:, 0], seconds.items(), strict=True):
        for place, (engine, values) in enumerate(by_engine.items()):
            look = (
                {"color": BLUE, "hatch": "///"} if engine.startswith("ours") else {"color": ORANGE}
            )
            axes.barh(place, np.median(values), 0.62, edgecolor="white", **look)
            axes.plot(values, np.full(len(values), place), ".", color=INK, markersize=4)
        names = [engine.replace("ours", say("plots.ours"), 1) for engine in by_engine]
        axes.set_yticks(range(len(names)), names)
        axes.set_title(workload, loc="left", fontsize=10)
        axes.set_xlim(left=0)
        axes.grid(axis="y", visible=False)
        axes.invert_yaxis()
    panels[-1, 0].set_xlabel(say("plots.epoch_seconds"))


@_figure
def accuracy_by_labels(accuracies: Mapping[str, Mapping[int, Sequence[float]]]) -> None:
    """Draw the accuracy of classifiers against the number of labels that they were trained with, on a logarithmic axis.

    Each name is a line through the means, with a bar from the lowest to the highest of its seeds.

    Args:
        accuracies: name -> number of labels -> one value a seed, in [0, 1].
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 3.8))
    looks = zip(
        itertools.cycle(COLOURS), itertools.cycle(MARKERS), itertools.cycle(("-", "--", ":"))
    )
    for (name, by_size), (colour, marker, line) in zip(accuracies.items(), looks):
        sizes = sorted(by_size)
        runs = [100 * np.asarray(by_size[size], float) for size in sizes]
        means = np.array([values.mean() for values in runs])
        reach = [
            means - [values.min() for values in runs],
            [values.max() for values in runs] - means,
        ]
        label = say("plots.runs", name=name, n=min(map(len, runs)))
        axes.errorbar(
            sizes, means, reach, color=colour, marker=marker, linestyle=line, capsize=3, label=label
        )
    ticks = sorted({size for by_size in accuracies.values() for size in by_size})
    axes.set(xscale="log", xlabel=say("plots.labels"), ylabel=say("plots.accuracy"))
    axes.set_xticks(ticks, [str(size) for size in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    figure.legend(loc="outside upper center", ncols=1)


@_figure
def accuracy_by_seconds(
    points: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    landmarks: Mapping[str, float] | None = None,
    limit: float | None = None,
) -> None:
    """Draw the accuracy of recipes against the time that they took to train, on a logarithmic axis: a point for each.

    A point stands at the median of the seconds and at the mean of the accuracy, with a bar from its lowest to its highest seed.

    Args:
        points: name -> (seconds, accuracy in [0, 1]), one value a seed.
        landmarks: name -> accuracy in [0, 1]: horizontal lines.
        limit: seconds: a vertical line.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 3.4 + 0.22 * len(points)))
    looks = zip(itertools.cycle(COLOURS), itertools.cycle(MARKERS))
    shared = {"capsize": 3, "linestyle": ""}
    for number, ((name, (seconds, accuracies)), (colour, marker)) in enumerate(
        zip(points.items(), looks)
    ):
        values = 100 * np.asarray(accuracies, float)
        reach = [[values.mean() - values.min()], [values.max() - values.mean()]]
        label = say("plots.runs", name=name, n=len(values))
        shared["markerfacecolor"] = (
            colour if number < len(COLOURS) else "none"
        )  # the second time round they are hollow
        axes.errorbar(
            np.median(seconds),
            values.mean(),
            reach,
            color=colour,
            marker=marker,
            label=label,
            **shared,
        )
    for name, accuracy in (landmarks or {}).items():
        axes.axhline(100 * accuracy, color=GREY, linestyle=":", linewidth=1, zorder=0)
        axes.text(
            0.01,
            100 * accuracy,
            name,
            transform=axes.get_yaxis_transform(),
            va="bottom",
            fontsize=8,
            color=GREY,
        )
    if limit is not None:
        axes.axvline(limit, color=GREY, linestyle="--", linewidth=1, zorder=0)
    axes.set(xscale="log", xlabel=say("plots.training_seconds"), ylabel=say("plots.val_accuracy"))
    low, high = axes.get_xlim()
    axes.set_xticks([tick for tick in ROUND_SECONDS if low <= tick <= high], minor=False)
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_locator(NullLocator())
    figure.legend(loc="outside upper center", ncols=1)


@_figure
def best_epochs(
    histories: Mapping, published: Sequence[float] = (), tolerance: float = 0.01
) -> None:
    """Draw at which epoch the validation set would stop each run: one row per name, one line per run.

    A line spans the epochs around the lowest loss in which it stays within ``tolerance`` of it (a share): how flat the
    minimum is. On it, the epoch of the lowest loss and that of the highest accuracy.

    Args:
        histories: as in :func:`curves`, with the columns ``val_loss`` and ``val_accuracy``.
        published: the best epoch that the report gives, in the order of the names.
    """
    tick = {
        "color": VERMILION,
        "marker": "|",
        "linestyle": "",
        "markersize": 22,
        "markeredgewidth": 2,
    }
    figure, axes = plt.subplots(figsize=(WIDTH, 1.3 + 0.36 * len(histories)))
    for row, value in enumerate(histories.values()):
        axes.axhspan(row - 0.45, row + 0.45, color=PALE, alpha=0.5, linewidth=0, zorder=0)
        frames = _frames(value, ["val_loss", "val_accuracy"])
        for place, frame in enumerate(frames):
            y = row + 0.24 * (place - (len(frames) - 1) / 2)
            best, near = (
                frame["val_loss"].idxmin(),
                frame["val_loss"] <= (1 + tolerance) * frame["val_loss"].min(),
            )
            flat = near.groupby((~near).cumsum()).get_group((~near).cumsum()[best])
            axes.plot(
                [flat.index[flat].min(), flat.index.max()],
                [y, y],
                color=SKY,
                linewidth=3,
                solid_capstyle="round",
            )
            axes.plot(best, y, "o", color=BLUE)
            axes.plot(
                frame["val_accuracy"].idxmax(),
                y,
                "^",
                color=ORANGE,
                markeredgecolor=INK,
                markeredgewidth=0.6,
            )
    if len(published):
        axes.plot(published, range(len(published)), **tick, zorder=1.5)
    axes.set_yticks(range(len(histories)), list(histories))
    axes.set_ylim(len(histories) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(say("plots.epoch"))
    handles = [
        Line2D([], [], color=BLUE, marker="o", linestyle="", label=say("plots.lowest_loss")),
        Line2D(
            [],
            [],
            color=ORANGE,
            marker="^",
            linestyle="",
            markeredgecolor=INK,
            label=say("plots.highest_accuracy"),
        ),
        Line2D(
            [], [], color=SKY, linewidth=3, label=say("plots.flat", share=f"{100 * tolerance:g}")
        ),
    ]
    if len(published):
        handles.append(Line2D([], [], label=say("plots.published"), **tick | {"markersize": 12}))
    figure.legend(handles=handles, loc="outside upper center", ncols=2, fontsize=9)


@_figure
def ranks(
    values: Mapping[str, Sequence[float]], columns: Sequence[str], *, lowest_first: bool = True
) -> None:
    """Draw the place of each name in successive rankings, joined by a line: lines that cross change places.

    The first six names have solid lines, the following ones dashed lines; names stand where the last ranking puts them.

    Args:
        values: name -> one value for each ranking.
        columns: what the rankings are called.
        lowest_first: whether the lowest value has place 1 (losses) or the highest one (accuracies).
    """
    table = np.array([list(row) for row in values.values()], float)
    places = 1 + (table if lowest_first else -table).argsort(axis=0, kind="stable").argsort(axis=0)
    _, axes = plt.subplots(figsize=(WIDTH, 1 + 0.3 * len(table)))
    for index, (name, row) in enumerate(zip(values, places, strict=True)):
        look = {
            "color": COLOURS[index % 6],
            "marker": MARKERS[index % 6],
            "linestyle": "-" if index < 6 else "--",
        }
        axes.plot(range(len(columns)), row, **look)
        axes.annotate(
            name,
            (len(columns) - 1, row[-1]),
            (8, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(1, len(table) + 1))
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_ylabel(say("plots.place"))


@_figure
def seconds_by_cost(
    costs: Mapping[str, Mapping[str, float]], seconds: Mapping[str, Sequence[float]]
) -> None:
    """Draw the time of an epoch against what may explain it, one panel each: a point per name at its median.

    A bar goes from the lowest to the highest value.

    Args:
        costs: name -> quantity (``"parameters"``, ``"multiply_adds"``) -> how many.
        seconds: name -> one value for each epoch.
    """
    quantities = list(next(iter(costs.values())))
    figure, panels = plt.subplots(
        1, len(quantities), sharey=True, squeeze=False, figsize=(WIDTH, 3.4)
    )
    for axes, quantity in zip(panels[0], quantities, strict=True):
        looks = zip(itertools.cycle(COLOURS), itertools.cycle(MARKERS))
        for (name, of_name), (colour, marker) in zip(costs.items(), looks):
            middle = np.median(seconds[name])
            reach = [[middle - min(seconds[name])], [max(seconds[name]) - middle]]
            label = (
                say("plots.runs", name=name, n=len(seconds[name]))
                if quantity == quantities[0]
                else None
            )
            look = {
                "color": colour,
                "marker": marker,
                "linestyle": "",
                "markersize": 7,
                "capsize": 3,
            }
            axes.errorbar(of_name[quantity] / 1e6, middle, reach, **look, label=label)
        axes.set(
            xlim=(0, 1.12 * max(each[quantity] for each in costs.values()) / 1e6), ylim=(0, None)
        )
        axes.set_xlabel(say(f"plots.{quantity}"))
    panels[0, 0].set_ylabel(say("plots.seconds"))
    figure.legend(loc="outside upper center", ncols=2, fontsize=9)
