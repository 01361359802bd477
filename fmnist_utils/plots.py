"""The figures of the pages: one a call, drawn from arrays, histories and tables, never from a model.

Every function draws one matplotlib figure and returns None, so that it can be the last line of a cell; afterwards
``plt.gcf()`` is that figure. One style for all: the colours of Okabe and Ito, which people with any kind of colour
vision can tell apart (M. Okabe and K. Ito, *Color Universal Design*, 2008), a second mark beside colour (line style,
marker or hatching), an opaque white background, letters that can be read on a phone, and no titles: what a figure
shows is said in its caption.
"""

from __future__ import annotations

import functools
import itertools
import textwrap
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm, PowerNorm
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyArrowPatch, Patch, Rectangle
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator, ScalarFormatter

from fmnist_utils.text import UserError, class_names, nearest, say

BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
COLOURS, MARKERS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY), "osD^vP"
INK, GREY, PALE = "#222222", "#777777", "#E6E6E6"
LINES = {"val": "-", "test": "-", "train": ":", "running": "--"}  # by the first word of a history's column
LEVEL = {"linestyle": "-.", "linewidth": 1.1}  # of PCA
STAR = {"markersize": 10, "markeredgecolor": INK, "markeredgewidth": 0.7}
BEHIND = {"facecolor": "white", "edgecolor": "none", "pad": 1.2}  # a number on a hatched ground
WIDTH = 5.6  # inches; at this width letters of 10 points stay legible on a phone
ROUND_SECONDS = (1, 2, 5, 10, 20, 40, 100, 200, 400, 1000, 2000, 4000)  # what a logarithmic axis of seconds shows

STYLE = {
    "figure.dpi": 160,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "savefig.facecolor": "white",
    "savefig.dpi": "figure",
    "font.size": 10,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": PALE,
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def _figure(draw):
    """Give ``draw`` the style of the book, whatever the reader's own settings are."""

    @functools.wraps(draw)
    def drawn(*args, **kwargs) -> None:
        own = {name: plt.rcParams[name] for name in STYLE}
        plt.rcParams.update(STYLE)
        try:
            draw(*args, **kwargs)
        finally:  # not rc_context: it would also undo the interactive mode that Jupyter's backend sets at its first figure
            plt.rcParams.update(own)
        plt.gcf().stale = False  # Jupyter draws it to show it: what it finds unfinished it would draw once more before that

    return drawn


# --- Training ---------------------------------------------------------------------------------------------------------


@_figure
def curves(
    histories: Mapping,
    columns: str | Sequence[str],
    *,
    mark_best: bool = False,
    pca: Mapping[str, float] | None = None,
    log: bool = False,
) -> None:
    """Draw columns of training histories against the epoch: mean over the runs and the band from lowest to highest.

    Losses and accuracies stand in panels one above the other. Colour and marker tell the models apart; the line tells
    the columns apart: solid for val and test, dotted for train, dashed for the running loss. A mean goes as far as all
    runs of its name go.

    Args:
        histories: name -> a history or a list of histories (one per seed); a history is what ``fit`` returns, a
            DataFrame indexed by epoch, or anything that has one as its ``history`` (a run).
        columns: such as ``"val_loss"`` or ``["train_loss", "val_loss", "train_accuracy", "val_accuracy"]``.
        mark_best: put a star at the best epoch of every run (lowest loss, highest accuracy) in val and test columns.
        pca: name -> the loss of PCA of the same size, a horizontal line in the colour of that name.
        log: a logarithmic scale for the losses.

    Raises:
        UserError: if a history has no such column.
    """
    columns = [columns] if isinstance(columns, str) else list(columns)
    looks = zip(itertools.cycle(COLOURS), itertools.cycle(MARKERS))
    runs = [(name, _frames(value, columns), *next(looks)) for name, value in histories.items()]
    quantities = list(dict.fromkeys(_quantity(column) for column in columns))
    models, lines = _curve_handles(runs, columns, mark_best)
    if pca:
        lines.append(Line2D([], [], color=GREY, **LEVEL, label=say("plots.pca")))
    height = 2.4 * len(quantities) + 0.2 * (len(models) + len(lines) / 2) + 0.5
    figure, panels = plt.subplots(len(quantities), sharex=True, squeeze=False, figsize=(WIDTH, height))
    for axes, quantity in zip(panels[:, 0], quantities, strict=True):
        for _, frames, colour, marker in runs:
            for column in columns:
                if _quantity(column) == quantity:
                    _mean_and_band(axes, frames, column, colour, marker, mark_best)
        axes.set_ylabel(say(f"plots.{quantity}"))
        if quantity == "loss":
            if log:
                axes.set_yscale("log")
                _plain_decimals(axes.yaxis)
            for name, _, colour, _ in runs if pca else ():
                axes.axhline(pca[name], color=colour, **LEVEL)
    panels[-1, 0].set_xlabel(say("plots.epoch"))
    panels[-1, 0].xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    figure.legend(handles=models, loc="outside upper center")
    figure.legend(handles=lines, loc="outside lower center", ncols=2, fontsize=9)


def _frames(value, columns: Sequence[str]) -> list[pd.DataFrame]:
    many = value if isinstance(value, list | tuple) else [value]
    many = [getattr(run, "history", run) for run in many]
    frames = [run if isinstance(run, pd.DataFrame) else run.frame() for run in many]
    for frame in frames:
        for column in columns:
            if column not in frame:
                allowed = [name for name in frame if name.split("_")[0] in LINES]
                hint = nearest(column, allowed)
                raise UserError("plots.unknown_column", column=column, allowed=", ".join(allowed), hint=hint)
    return frames


def _quantity(column: str) -> str:
    return column.split("_", 1)[1]


def _percent_if_accuracy(values, quantity: str) -> np.ndarray:
    return np.asarray(values, float) * (100 if quantity == "accuracy" else 1)


def _mean_and_band(axes, frames, column, colour, marker, mark_best) -> None:
    quantity, split = _quantity(column), column.split("_")[0]
    values = pd.concat([frame[column] for frame in frames], axis=1, join="inner")
    percent = _percent_if_accuracy(values, quantity)
    epochs, every = values.index.to_numpy(), max(1, len(values) // 8)
    solid = LINES[split] == "-"
    style = {"marker": marker, "markevery": every, "markerfacecolor": colour if solid else "white", "label": column}
    axes.plot(epochs, percent.mean(axis=1), LINES[split], color=colour, **style)
    if len(frames) > 1:
        axes.fill_between(epochs, percent.min(axis=1), percent.max(axis=1), color=colour, alpha=0.2, linewidth=0)
    if mark_best and solid:
        best = [frame[column].idxmax() if quantity == "accuracy" else frame[column].idxmin() for frame in frames]
        heights = [frame.loc[epoch, column] for frame, epoch in zip(frames, best, strict=True)]
        axes.plot(best, _percent_if_accuracy(heights, quantity), "*", color=colour, **STAR, zorder=4)


def _curve_handles(runs, columns, mark_best) -> tuple[list, list]:
    models = [
        Line2D([], [], color=colour, marker=marker, label=say("plots.runs", name=name, n=len(frames)))
        for name, frames, colour, marker in runs
    ]
    splits = dict.fromkeys(column.split("_")[0] for column in columns)
    lines = [Line2D([], [], color=GREY, linestyle=LINES[split], label=say(f"plots.{split}")) for split in splits]
    if any(len(frames) > 1 for _, frames, _, _ in runs):
        lines.append(Patch(color=GREY, alpha=0.3, label=say("plots.band")))
    if mark_best:
        lines.append(Line2D([], [], color=GREY, marker="*", linestyle="", label=say("plots.best"), **STAR))
    return models, lines


@_figure
def losses_by_cost(
    frames: Mapping[str, pd.DataFrame],
    column: str = "test_loss",
    costs: Sequence[str] = ("epochs", "updates", "multiply_adds", "seconds"),
) -> None:
    """Draw a loss against what training had spent, one panel for each way of counting it, all axes logarithmic.

    Args:
        frames: name -> a row an epoch, with ``column`` and all of ``costs``, as :func:`fmnist_utils.audit.spending` gives them.
        column: the loss to be drawn.
        costs: ``"epochs"``, ``"updates"``, ``"multiply_adds"``, ``"seconds"``, or some of them.
    """
    rows = -(-len(costs) // 2)
    shape = (WIDTH, 2.2 * rows + 0.24 * len(frames) + 0.2)
    figure, panels = plt.subplots(rows, 2, sharey=True, squeeze=False, figsize=shape)
    for axes in panels.flat[len(costs) :]:
        axes.set_visible(False)
    for axes, cost in zip(panels.flat, costs):
        looks = zip(itertools.cycle(COLOURS), itertools.cycle(MARKERS), itertools.cycle(("-", "--", ":")))
        for (name, frame), (colour, marker, line) in zip(frames.items(), looks):
            style = {"color": colour, "marker": marker, "markevery": max(1, len(frame) // 6), "label": name}
            axes.plot(frame[cost], frame[column], line, **style)
        axes.set(xscale="log", yscale="log", xlabel=say(f"plots.cost_{cost}"))
        axes.xaxis.set_minor_locator(NullLocator())
        for axis in [axes.yaxis, axes.xaxis] if cost == "epochs" else [axes.yaxis]:
            _plain_decimals(axis)
    for axes in panels[:, 0]:
        axes.set_ylabel(say(f"plots.{_quantity(column)}"))
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper center")


# --- Comparing runs ---------------------------------------------------------------------------------------------------


@_figure
def intervals(
    groups: Mapping[str, Sequence[float]], published: float | None = None, quantity: str = "accuracy", each: str = "seed"
) -> None:
    """Draw one row per group: a point for every run, and their mean with one standard deviation to each side.

    The bar is the sample standard deviation (n - 1); a group of one run has none.

    Args:
        groups: name -> the values of its runs; the first group is the top row. Names stand inside, above their points,
            so that long ones leave the points their room on a phone. Points that would hide each other are stacked.
        published: where to draw the vertical line of the published value.
        quantity: ``"accuracy"`` (values in [0, 1], drawn in percent), or what else the axis says: ``"loss"``, ``"drop"``.
        each: what a point stands for, ``"seed"`` or ``"fold"``.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 1.1 + 0.55 * len(groups)))
    label = {"transform": axes.get_yaxis_transform(), "va": "center", "fontsize": 9, "zorder": 3}
    label["bbox"] = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    groups = {name: _percent_if_accuracy(values, quantity) for name, values in groups.items()}
    apart = 0.01 * np.ptp(np.concatenate(list(groups.values())))  # the width of a point, more or less
    for row, (name, values) in enumerate(groups.items()):
        spread = values.std(ddof=1) if len(values) > 1 else 0
        axes.text(0.01, row - 0.28, say("plots.runs", name=name, n=len(values)), **label)
        places = row + 0.24 + 0.06 * _stacked(values, apart)
        axes.plot(values, places, "o", color=SKY, markeredgecolor=BLUE, markeredgewidth=0.6)
        axes.errorbar(values.mean(), row + 0.05, xerr=spread, fmt="D", color=BLUE, capsize=4)
        axes.axhline(row + 0.5, color=PALE, linewidth=0.8, zorder=0)
    handles = [
        Line2D([], [], color=SKY, marker="o", markeredgecolor=BLUE, linestyle="", label=say(f"plots.one_{each}")),
        Line2D([], [], color=BLUE, marker="D", label=say("plots.mean_sd")),
    ]
    if published is not None:
        handles.append(
            axes.axvline(
                _percent_if_accuracy(published, quantity), color=VERMILION, linestyle="--", label=say("plots.published")
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
        reach = [means - [values.min() for values in runs], [values.max() for values in runs] - means]
        n = min(map(len, runs))
        axes.errorbar(sizes, means, reach, color=colour, marker=marker, capsize=3, label=say("plots.runs", name=name, n=n))
    if pca is not None:
        axes.plot(*zip(*sorted(pca.items())), color=INK, marker="x", **LEVEL, label="PCA")
    if published is not None:
        axes.plot(*zip(*published.items()), "*", color=VERMILION, **STAR, zorder=4, label=say("plots.published"))
    ticks = sorted({size for by_size in errors.values() for size in by_size} | set(pca.keys() if pca is not None else ()))
    axes.set(xscale="log", yscale="log", xlabel=say("plots.latent_dim"), ylabel=say(f"plots.{quantity}"))
    axes.set_xticks(ticks, [str(size) for size in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    _plain_decimals(axes.yaxis)
    figure.legend(loc="outside upper center", ncols=2, fontsize=9)


def _plain_decimals(axis) -> None:
    """Mark a logarithmic axis at 1, 2 and 5 of each decade, written as decimals."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


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
    picture = axes.imshow(rows, cmap="cividis", norm=LogNorm(), aspect="auto", interpolation="nearest", extent=extent)
    epochs = rows.argmin(axis=1) + 1
    for place, (row, epoch) in enumerate(zip(rows, epochs, strict=True)):
        label = say("plots.best_fit", misfit=f"{row.min():.3g}", epoch=epoch)
        axes.annotate(label, (1.02, place), xycoords=axes.get_yaxis_transform(), va="center", fontsize=9)
    axes.plot(epochs, range(len(rows)), "o", markerfacecolor="none", markeredgecolor="white")
    best = rows.min(axis=1).argmin()
    axes.plot(epochs[best], best, "*", color=VERMILION, **STAR | {"markersize": 13, "markeredgecolor": "white"})
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
        low, middle, high = (np.array([np.quantile(by_size[size], share) for size in sizes]) for share in (0.25, 0.5, 0.75))
        x = np.arange(len(sizes)) + 0.12 * (place - (len(seconds) - 1) / 2)
        for one, size in zip(x, sizes, strict=True):
            axes.plot(np.full(len(by_size[size]), one + 0.06), by_size[size], ".", color=colour, alpha=0.5, markersize=4)
        n = min(len(by_size[size]) for size in sizes)
        label = say("plots.runs", name=name, n=n)
        axes.errorbar(x, middle, [middle - low, high - middle], color=colour, marker=marker, capsize=4, label=label)
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
            look = {"color": BLUE, "hatch": "///"} if engine.startswith("ours") else {"color": ORANGE}
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
    looks = zip(itertools.cycle(COLOURS), itertools.cycle(MARKERS), itertools.cycle(("-", "--", ":")))
    for (name, by_size), (colour, marker, line) in zip(accuracies.items(), looks):
        sizes = sorted(by_size)
        runs = [100 * np.asarray(by_size[size], float) for size in sizes]
        means = np.array([values.mean() for values in runs])
        reach = [means - [values.min() for values in runs], [values.max() for values in runs] - means]
        label = say("plots.runs", name=name, n=min(map(len, runs)))
        axes.errorbar(sizes, means, reach, color=colour, marker=marker, linestyle=line, capsize=3, label=label)
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
    for number, ((name, (seconds, accuracies)), (colour, marker)) in enumerate(zip(points.items(), looks)):
        values = 100 * np.asarray(accuracies, float)
        reach = [[values.mean() - values.min()], [values.max() - values.mean()]]
        label = say("plots.runs", name=name, n=len(values))
        shared["markerfacecolor"] = colour if number < len(COLOURS) else "none"  # the second time round they are hollow
        axes.errorbar(np.median(seconds), values.mean(), reach, color=colour, marker=marker, label=label, **shared)
    for name, accuracy in (landmarks or {}).items():
        axes.axhline(100 * accuracy, color=GREY, linestyle=":", linewidth=1, zorder=0)
        axes.text(0.01, 100 * accuracy, name, transform=axes.get_yaxis_transform(), va="bottom", fontsize=8, color=GREY)
    if limit is not None:
        axes.axvline(limit, color=GREY, linestyle="--", linewidth=1, zorder=0)
    axes.set(xscale="log", xlabel=say("plots.training_seconds"), ylabel=say("plots.val_accuracy"))
    low, high = axes.get_xlim()
    axes.set_xticks([tick for tick in ROUND_SECONDS if low <= tick <= high], minor=False)
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_locator(NullLocator())
    figure.legend(loc="outside upper center", ncols=1)


@_figure
def best_epochs(histories: Mapping, published: Sequence[float] = (), tolerance: float = 0.01) -> None:
    """Draw at which epoch the validation set would stop each run: one row per name, one line per run.

    A line spans the epochs around the lowest loss in which it stays within ``tolerance`` of it (a share): how flat the
    minimum is. On it, the epoch of the lowest loss and that of the highest accuracy.

    Args:
        histories: as in :func:`curves`, with the columns ``val_loss`` and ``val_accuracy``.
        published: the best epoch that the report gives, in the order of the names.
    """
    tick = {"color": VERMILION, "marker": "|", "linestyle": "", "markersize": 22, "markeredgewidth": 2}
    figure, axes = plt.subplots(figsize=(WIDTH, 1.3 + 0.36 * len(histories)))
    for row, value in enumerate(histories.values()):
        axes.axhspan(row - 0.45, row + 0.45, color=PALE, alpha=0.5, linewidth=0, zorder=0)
        frames = _frames(value, ["val_loss", "val_accuracy"])
        for place, frame in enumerate(frames):
            y = row + 0.24 * (place - (len(frames) - 1) / 2)
            best, near = frame["val_loss"].idxmin(), frame["val_loss"] <= (1 + tolerance) * frame["val_loss"].min()
            flat = near.groupby((~near).cumsum()).get_group((~near).cumsum()[best])
            axes.plot([flat.index[flat].min(), flat.index.max()], [y, y], color=SKY, linewidth=3, solid_capstyle="round")
            axes.plot(best, y, "o", color=BLUE)
            axes.plot(frame["val_accuracy"].idxmax(), y, "^", color=ORANGE, markeredgecolor=INK, markeredgewidth=0.6)
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
        Line2D([], [], color=ORANGE, marker="^", linestyle="", markeredgecolor=INK, label=say("plots.highest_accuracy")),
        Line2D([], [], color=SKY, linewidth=3, label=say("plots.flat", share=f"{100 * tolerance:g}")),
    ]
    if len(published):
        handles.append(Line2D([], [], label=say("plots.published"), **tick | {"markersize": 12}))
    figure.legend(handles=handles, loc="outside upper center", ncols=2, fontsize=9)


@_figure
def ranks(values: Mapping[str, Sequence[float]], columns: Sequence[str], *, lowest_first: bool = True) -> None:
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
        look = {"color": COLOURS[index % 6], "marker": MARKERS[index % 6], "linestyle": "-" if index < 6 else "--"}
        axes.plot(range(len(columns)), row, **look)
        axes.annotate(name, (len(columns) - 1, row[-1]), (8, 0), textcoords="offset points", va="center", fontsize=9)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(1, len(table) + 1))
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_ylabel(say("plots.place"))


@_figure
def seconds_by_cost(costs: Mapping[str, Mapping[str, float]], seconds: Mapping[str, Sequence[float]]) -> None:
    """Draw the time of an epoch against what may explain it, one panel each: a point per name at its median.

    A bar goes from the lowest to the highest value.

    Args:
        costs: name -> quantity (``"parameters"``, ``"multiply_adds"``) -> how many.
        seconds: name -> one value for each epoch.
    """
    quantities = list(next(iter(costs.values())))
    figure, panels = plt.subplots(1, len(quantities), sharey=True, squeeze=False, figsize=(WIDTH, 3.4))
    for axes, quantity in zip(panels[0], quantities, strict=True):
        looks = zip(itertools.cycle(COLOURS), itertools.cycle(MARKERS))
        for (name, of_name), (colour, marker) in zip(costs.items(), looks):
            middle = np.median(seconds[name])
            reach = [[middle - min(seconds[name])], [max(seconds[name]) - middle]]
            label = say("plots.runs", name=name, n=len(seconds[name])) if quantity == quantities[0] else None
            look = {"color": colour, "marker": marker, "linestyle": "", "markersize": 7, "capsize": 3}
            axes.errorbar(of_name[quantity] / 1e6, middle, reach, **look, label=label)
        axes.set(xlim=(0, 1.12 * max(each[quantity] for each in costs.values()) / 1e6), ylim=(0, None))
        axes.set_xlabel(say(f"plots.{quantity}"))
    panels[0, 0].set_ylabel(say("plots.seconds"))
    figure.legend(loc="outside upper center", ncols=2, fontsize=9)


# --- Where a classifier errs ------------------------------------------------------------------------------------------


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
            bars = axes.barh(list(counts), widths, 0.62, left, color=colour, hatch=hatch, edgecolor="white", linewidth=0.8)
            axes.bar_label(bars, [width or "" for width in widths], label_type="center", bbox=BEHIND if hatch else None)
            left += widths
        axes.set_xlabel(say(f"plots.{kind}s"))
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.grid(axis="y", visible=False)
    panels[0].invert_yaxis()
    patches = [Patch(facecolor=colour, hatch=hatch, edgecolor="white") for colour, hatch in looks.values()]
    figure.legend(patches, [say(f"verdict.{verdict}") for verdict in looks], loc="outside upper center", ncols=3)


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
    ours = total * published.sum(axis=1, keepdims=True) / np.maximum(total.sum(axis=1, keepdims=True), 1)
    figure, axes = plt.subplots(figsize=(WIDTH, WIDTH + 1.1))
    picture = axes.imshow(z, cmap="PuOr", vmin=-5, vmax=5)
    for (row, column), value in np.ndenumerate(z):
        empty = not published[row, column] and ours[row, column] < 0.5
        look = {"ha": "center", "fontsize": 8, "color": "white" if value > 2.7 or value < -3.6 else GREY if empty else INK}
        axes.text(column, row - 0.04, published[row, column], va="bottom", **look)
        axes.text(column, row + 0.06, f"{ours[row, column]:.0f}", va="top", style="italic", **look)
        if abs(value) > 1.96:
            axes.add_patch(Rectangle((column - 0.47, row - 0.47), 0.94, 0.94, fill=False, edgecolor=INK, linewidth=1.2))
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
        height = 0.16 * (place - (len(recalls) - 1) / 2)  # each group has its own line within the row
        for number, recall in enumerate(group):
            label = say("plots.classifiers", name=name, n=len(group)) if number == 0 else None
            points = 100 * np.asarray(recall)[order]
            axes.plot(points, np.arange(10) + height, marker, color=colour, alpha=0.75, markersize=4, label=label)
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
        say("plots.mistake", true=names[row.true], predicted=names[row.predicted], confidence=_percent(row.confidence))
        for row in table.itertuples()
    ]
    _grid(np.asarray(images)[table["index"].to_numpy()], captions, columns, value_range=None)


def _percent(probability: float) -> str:
    return "> 99.9 %" if 0.9995 <= probability < 1 else f"{100 * probability:.1f} %"


# --- Images -----------------------------------------------------------------------------------------------------------


@_figure
def image_grid(images, labels=None, *, columns: int = 5, value_range: tuple[float, float] | None = None) -> None:
    """Draw images side by side, the lowest value black and the highest white; with ``labels``, a text under each.

    Args:
        images: (N, 1, 28, 28) or (N, 28, 28).
        labels: class numbers, whose names are written, or texts.
        value_range: the values drawn black and white; the lowest and highest of all ``images`` by default.
    """
    names = class_names()
    captions = None if labels is None else [item if isinstance(item, str) else names[int(item)] for item in labels]
    _grid(np.asarray(images), captions, columns, value_range)


def _grid(images: np.ndarray, captions: Sequence[str] | None, columns: int, value_range) -> None:
    pictures = images.reshape(len(images), *images.shape[-2:])
    low, high = value_range or (pictures.min(), pictures.max())
    rows, columns = -(-len(pictures) // columns), min(columns, len(pictures))
    lines = max((caption.count("\n") + 1 for caption in captions), default=0) if captions else 0
    cell = WIDTH / columns
    size = (WIDTH, rows * (cell + lines * 12 / 72))
    _, panels = plt.subplots(rows, columns, squeeze=False, figsize=size)
    for axes in panels.flat:
        axes.set_axis_off()
    for axes, picture, caption in zip(panels.flat, pictures, captions or [""] * len(pictures)):
        axes.imshow(picture, cmap="gray", vmin=low, vmax=high)
        for number, line in enumerate(caption.split("\n"), start=1):  # one by one: accents must not move a line
            offset = {"xytext": (0, -12 * number), "textcoords": "offset points"}
            axes.annotate(line, (0.5, 0), xycoords="axes fraction", ha="center", fontsize=9, **offset)


@_figure
def reconstructions(rows: Mapping[str, np.ndarray], *, value_range: tuple[float, float] = (0, 1)) -> None:
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
        above = {"xycoords": "axes fraction", "xytext": (0, 4), "textcoords": "offset points", "fontsize": 9}
        line[0].annotate(name, (0, 1), **above).set_in_layout(False)  # a long one would push the columns apart
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
        style = {"color": BLUE} if len(fields) == 1 else {"facecolor": "white", "edgecolor": VERMILION, "hatch": "////"}
        axes.barh(row, 100 * part, height=0.62, **style)
        axes.annotate(f"{100 * part:.1f}", (100 * part, row), xytext=(4, 0), textcoords="offset points", va="center")
    names = [" × ".join(say(f"field.{path.rpartition('.')[2]}") for path in fields) for fields, _ in shown]
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
    looks = zip(itertools.cycle(COLOURS), itertools.cycle(MARKERS), itertools.cycle(("-", "--", "-.", ":")))
    for (name, by_size), (colour, marker, line) in zip(values.items(), looks):
        tables = {size: 100 * np.asarray(attempts, float) for size, attempts in sorted(by_size.items())}
        sizes = [size for size, attempts in tables.items() if not np.isnan(attempts).any()]
        low, high = ([np.percentile(tables[size], at) for size in sizes] for at in (25, 75))
        means = [tables[size].mean() for size in sizes]
        label = say("plots.runs", name=name, n=len(next(iter(tables.values()))))
        axes.plot(sizes, means, color=colour, linestyle=line, marker=marker if points else "", label=label)
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
    maps: Mapping[str, np.ndarray], quantity: str = "mean_output", value_range: tuple[float, float] | None = None
) -> None:
    """Draw quantities that each pixel of an image has, as heat maps in one scale, each with its name above.

    Args:
        maps: name -> (height, width).
        quantity: what they are: ``"mean_output"`` of a network, or ``"contributions"`` that a pixel receives.
        value_range: the values at the ends of the scale; the lowest and highest of all maps by default.
    """
    pictures = {name: np.asarray(picture) for name, picture in maps.items()}
    low, high = value_range or (min(map(np.min, pictures.values())), max(map(np.max, pictures.values())))
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
        axes.annotate(textwrap.fill(name, 22), (0.5, 1), ha="center", va="bottom", fontsize=9, **place)
    beyond = "max" if max(map(np.max, pictures.values())) > high else "neither"
    figure.colorbar(drawn, ax=panels, location="bottom", aspect=40, extend=beyond, label=say(f"plots.{quantity}"))


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
    lines = [list(tables.items())[start : start + per_line] for start in range(0, len(tables), per_line)]
    widths = [table.shape[1] for _, table in lines[0]]
    side = (WIDTH - (0.9 if len(rows) else 0) - 0.12 * len(widths)) / sum(widths)
    high = min(side, 0.34)
    size = (WIDTH, sum(0.4 + high * max(len(table) for _, table in line) for line in lines) + (0.55 if len(columns) else 0))
    shape = {"squeeze": False, "sharey": bool(len(rows)), "width_ratios": widths}
    _, panels = plt.subplots(len(lines), len(widths), figsize=size, **shape)
    for line, drawn in zip(panels, lines, strict=True):
        for axes in line[len(drawn) :]:
            axes.set_axis_off()
        for axes, (name, table) in zip(line, drawn):
            reach = np.ptp(table) or 1
            axes.imshow(table, cmap="Blues", vmin=table.min() - 0.1 * reach, vmax=table.max() + reach, aspect=high / side)
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
    figure, panels = plt.subplots(1, len(points), squeeze=False, figsize=(WIDTH, 0.6 + WIDTH / len(points)))
    for axes, (name, places) in zip(panels[0], points.items(), strict=True):
        places = np.asarray(places)
        for label in np.unique(labels):
            look = {"color": COLOURS[label % 6], "marker": "os^DvPX*<>"[label], "alpha": 0.6, "linewidths": 0, "s": 9}
            axes.scatter(*places[labels == label].T, **look, label=names[label])
        axes.set(xticks=[], yticks=[], xlabel=name)
        axes.grid(visible=False)
    handles = [
        Line2D([], [], color=COLOURS[label % 6], marker="os^DvPX*<>"[label], linestyle="", markersize=6, label=names[label])
        for label in np.unique(labels)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=9, columnspacing=1, handletextpad=0.1)


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
        left.annotate(caption, (0.5, 0), (0, -14), xycoords="axes fraction", textcoords="offset points", ha="center")
    right.set_yticks(range(10), [f"{name}  {index}" for index, name in enumerate(class_names())])
    right.invert_yaxis()
    right.set_xlim(0, 1)
    right.tick_params(axis="y", length=0)
    right.grid(axis="y", visible=False)
    right.set_xlabel(say("plots.probability"))


# --- Diagrams: lengths are in inches, the origin is the lower left corner ---------------------------------------------


@_figure
def feed_forward_diagram() -> None:
    """Draw a feed-forward network: inputs, one hidden layer, outputs, and an arrow for every weight."""
    words = [say("plots.inputs"), say("plots.hidden_layer"), say("plots.outputs")]
    axes = _canvas(WIDTH, 3.15)
    symbols = (r"\xi_{1} \xi_{2} \xi_{3} \xi_{K}", "V_{1} V_{2} V_{J}", "O_{1} O_{I}")
    _network(axes, (5, 4, 3), symbols, words, ("w_{jk}", "W_{ij}"))


@_figure
def autoencoder_diagram(latent_dim: int | None = None) -> None:
    """Draw a feed-forward autoencoder: a hidden layer smaller than the inputs, and as many outputs as inputs.

    With ``latent_dim``, the number of units stands beside the name of each layer.
    """
    words = [say("plots.inputs"), say("plots.latent_code"), say("plots.reconstruction")]
    if latent_dim:
        words = [f"{word}: {units}" for word, units in zip(words, (784, latent_dim, 784), strict=True)]
    inputs = r"\xi_{1} \xi_{2} \xi_{3} \xi_{K}"
    axes = _canvas(WIDTH, 3.55)
    symbols = (inputs, "V_{1} V_{J}", inputs.replace(r"\xi", r"\hat{\xi}"))
    _network(axes, (5, 3, 5), symbols, words, ("w_{jk}", "W_{kj}"))
    for left, right, word in [(0.75, 2.75, "plots.encoder"), (2.85, 4.85, "plots.decoder")]:
        axes.plot([left, left, right, right], [3.17, 3.25, 3.25, 3.17], color=INK, linewidth=1)
        axes.text((left + right) / 2, 3.3, say(word), ha="center", va="bottom")


@_figure
def classifier_diagram(image, hidden_sizes: Sequence[int] = (128, 64), dropout: float = 0.2, label: int | None = None) -> None:
    """Draw a feed-forward classifier block by block, from the image to its ten outputs.

    The heights of the layers grow with the square root of their numbers of units.

    Args:
        image: (1, 28, 28) or (28, 28), drawn where the data come in.
        hidden_sizes: units of the hidden layers.
        dropout: probability written in the dropout blocks.
        label: the output to be marked, the class of the image.
    """
    hidden = [["Linear", "ReLU", f"Dropout {dropout:g}"]] * len(hidden_sizes)
    width = 3.5 + 1.36 * len(hidden_sizes)
    axes, middle = _canvas(width, 2.6), 1.45
    pixels = np.asarray(image).reshape(np.shape(image)[-2:])
    axes.imshow(pixels, cmap="gray", extent=(0.05, 1.05, middle - 0.5, middle + 0.5))
    axes.text(0.55, 0.2, " × ".join(map(str, pixels.shape)), ha="center")
    x = 1.05
    for names, units in zip([["Flatten"], *hidden], [pixels.size, *hidden_sizes], strict=True):
        x = _blocks(axes, x, middle, names)
        height = 0.078 * units**0.5
        axes.add_patch(Rectangle((x, middle - height / 2), 0.16, height, facecolor=BLUE))
        axes.text(x + 0.08, 0.2, units, ha="center")
        x += 0.16
    x = _blocks(axes, x, middle, ["Linear"]) + 0.1
    for output in range(10):
        y, chosen = middle + 0.215 * (4.5 - output), output == label
        axes.add_patch(Circle((x, y), 0.09, facecolor=ORANGE if chosen else "white", edgecolor=INK, linewidth=0.8))
        axes.text(x + 0.17, y, output, va="center", fontsize=8, fontweight="bold" if chosen else "normal")
    axes.text(x, 0.2, "10", ha="center")


@_figure
def volumes_diagram(shapes: Sequence[Sequence[int]], code: int | None = None) -> None:
    """Draw what leaves each stage of a convolutional network: maps as boxes, channels deep, and vectors as bars.

    Args:
        shapes: of each stage, (channels, height, width) or (units,), the image first.
        code: the place of the latent code: the end of the encoder and, where the last shape is an image, the start of the decoder.
            None where there are no such parts.
    """
    axes, middle, x, places = _canvas(WIDTH, 2.3), 1.2, 0.08, []
    gap = (WIDTH - 0.16 - sum(map(_volume_width, shapes))) / max(len(shapes) - 1, 1)
    for stage, shape in enumerate(shapes):
        width = _volume_width(shape)
        if len(shape) == 1:
            height = min(0.046 * shape[0] ** 0.5, 1.4)  # of the largest, room is left for its name
            axes.add_patch(Rectangle((x, middle - height / 2), width, height, facecolor=ORANGE if stage == code else BLUE))
        else:
            side = 0.024 * shape[1]
            layers = np.linspace(width - side, 0, max(2, round(shape[0] / 4)) if shape[0] > 1 else 1)
            for shift in layers:
                corner = (x + shift, middle - side / 2 + 0.6 * shift)
                axes.add_patch(Rectangle(corner, side, side, facecolor="#DCEBF5", edgecolor=BLUE, linewidth=0.8))
        name = "×".join(map(str, shape))
        axes.text(x + width / 2, 0.2 if stage % 2 else 0.42, name, ha="center", va="center", fontsize=8)
        if stage:
            _arrow(axes, (places[-1][1] + 0.03, middle), (x - 0.03, middle))
        places.append((x, x + width))
        x += width + gap
    parts = [] if code is None else [(0, code, "plots.encoder")]
    parts += [(code, len(shapes) - 1, "plots.decoder")] if parts and len(shapes[-1]) == 3 else []
    for first, last, word in parts:
        left, right = places[first][0] + (0.06 if first else 0), places[last][1] - (0.06 if last == code else 0)
        axes.plot([left, left, right, right], [1.84, 1.92, 1.92, 1.84], color=INK, linewidth=1)
        axes.text((left + right) / 2, 1.97, say(word), ha="center", va="bottom")


@_figure
def descent_paths() -> None:
    """Draw how SGD, SGD with momentum and Adam descend into a narrow valley, (x² + 25 y²) / 2, from one place."""
    slopes, start, steps = np.array([1.0, 25.0]), np.array([-9.0, 1.6]), 25
    figure, axes = plt.subplots(figsize=(WIDTH, 3.1))
    x, y = np.meshgrid(np.linspace(-10, 2.5, 120), np.linspace(-2, 2, 80))
    axes.contour(x, y, (x**2 + 25 * y**2) / 2, levels=np.geomspace(0.4, 90, 9), colors="#BBBBBB", linewidths=0.8)
    ways = [("SGD", 0.07, 0.0, "o", "-"), (say("plots.momentum"), 0.07, 0.8, "s", "--"), ("Adam", 0.6, None, "D", ":")]
    for (name, rate, momentum, marker, line), colour in zip(ways, COLOURS):
        place, path, speed, square = start, [start], np.zeros(2), np.zeros(2)
        for step in range(1, steps + 1):
            gradient = slopes * place
            if momentum is None:
                speed, square = 0.9 * speed + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
                move = (speed / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
            else:
                move = speed = momentum * speed + gradient
            place = place - rate * move
            path.append(place)
        label = f"{name}, η = {rate:g}"
        axes.plot(*np.transpose(path), line, color=colour, marker=marker, markersize=3.5, linewidth=1.2, label=label)
    axes.plot(0, 0, "*", color=ORANGE, **STAR, zorder=4)
    axes.set(xlabel="$x$", ylabel="$y$", xlim=(-10, 2.5), ylim=(-2, 2))
    axes.grid(visible=False)
    figure.legend(loc="outside upper center", ncols=3, fontsize=9, columnspacing=1, handletextpad=0.4)


@_figure
def dropout_diagram() -> None:
    """Draw a layer with dropout of 1/2 twice: in training, half of its units off and the others doubled; in evaluation, all."""
    axes = _canvas(WIDTH, 2.9)
    for left, word, off in ((0.25, "plots.training_mode", (1, 2)), (3.05, "plots.evaluation_mode", ())):
        hidden = [(left + 1.15, 0.62 + 0.55 * place) for place in range(4)]
        axes.text(left + 1.15, 2.72, say(word), ha="center", va="center")
        for place, (x, y) in enumerate(hidden):
            dropped = place in off
            for x_end, heights in ((left + 0.2, (0.9, 1.45, 2.0)), (left + 2.1, (1.15, 1.75))):
                for height in () if dropped else heights:
                    ends = sorted([(x_end, height), (x, y)])
                    axes.plot(*np.transpose(ends), color=GREY, linewidth=0.7, zorder=1)
            style = {"facecolor": "white", "linestyle": "--"} if dropped else {"facecolor": "#DCEBF5"}
            axes.add_patch(Circle((x, y), 0.2, edgecolor=GREY if dropped else BLUE, linewidth=1.2, zorder=3, **style))
            axes.text(x, y, "0" if dropped else "×2" if off else "×1", ha="center", va="center", fontsize=9, zorder=4)
        for x, heights in ((left + 0.2, (0.9, 1.45, 2.0)), (left + 2.1, (1.15, 1.75))):
            for y in heights:
                axes.add_patch(Circle((x, y), 0.13, facecolor="white", edgecolor=INK, linewidth=1, zorder=3))
    axes.text(WIDTH / 2, 0.14, "$p = 1/2$", ha="center", va="center")


@_figure
def splits_diagram() -> None:
    """Draw the three sets of images and what each is for, early stopping on the second, and cross-validation in five blocks."""
    looks = {"fits": {"facecolor": SKY}, "decides": {"facecolor": ORANGE, "hatch": "///"}, "measures": {"facecolor": "white"}}
    axes, left, right = _canvas(WIDTH, 4.5), 0.15, WIDTH - 0.15
    unit = (right - left) / 7

    def block(start, length, height, purpose):
        axes.add_patch(
            Rectangle((left + start * unit, height), length * unit, 0.26, edgecolor=INK, linewidth=1, **looks[purpose])
        )

    axes.text(left, 4.3, say("plots.three_sets"), va="center", fontweight="bold")
    for start, length, purpose in ((0, 5, "fits"), (5, 1, "decides"), (6, 1, "measures")):
        block(start, length, 3.85, purpose)
    for place, purpose in enumerate(looks):
        corner = left + (0, 2.1, 3.6)[place]
        axes.add_patch(Rectangle((corner, 3.53), 0.2, 0.15, edgecolor=INK, linewidth=0.8, **looks[purpose]))
        axes.text(corner + 0.27, 3.6, say(f"plots.{purpose}"), va="center", fontsize=8.5)
    axes.text(left, 3.2, say("plots.early_stopping"), va="center", fontweight="bold")
    epochs = np.linspace(0, 1, 60)
    train, val = 2.0 + 0.95 * np.exp(-4 * epochs), 2.05 + 0.9 * np.exp(-5 * epochs) + 0.55 * epochs**2
    x, best, stop = left + 0.1 + 3.2 * epochs, int(val.argmin()), int(val.argmin()) + 16
    axes.plot(x[: stop + 1], train[: stop + 1], ":", color=BLUE)
    axes.plot(x[: stop + 1], val[: stop + 1], "-", color=VERMILION)
    axes.plot(x[best], val[best], "*", color=ORANGE, **STAR, zorder=4)
    for place, line in ((best, ":"), (stop, "-")):
        axes.plot([x[place]] * 2, [1.9, 2.95], line, color=GREY, linewidth=1)
    axes.annotate("", (x[best], 2.85), (x[stop], 2.85), arrowprops={"arrowstyle": "<->", "color": GREY})
    axes.text((x[best] + x[stop]) / 2, 2.95, say("plots.patience"), ha="center", va="bottom", fontsize=8.5)
    for name, curve, colour, shift in (("train_loss", train, BLUE, -0.04), ("val_loss", val, VERMILION, 0.05)):
        axes.text(x[stop] + 0.08, curve[stop] + shift, name, va="center", fontsize=8.5, color=colour)
    axes.text(x[best], 1.8, say("plots.kept"), ha="center", va="center", fontsize=8.5)
    axes.text(left, 1.5, say("plots.cross_validation"), va="center", fontweight="bold")
    for fold in range(5):
        for part in range(5):
            block(1.2 * part, 1.2, 1.1 - 0.26 * fold, "decides" if part == 4 - fold else "fits")
        block(6, 1, 1.1 - 0.26 * fold, "measures")


@_figure
def strides_diagram() -> None:
    """Draw a 3×3 kernel on 5×5 pixels, with stride 2, without and with padding, and the way back of a transposed convolution.

    The numbers of the way back are how many products each pixel adds up; output padding adds a row and a column that get none.
    """
    axes, cell = _canvas(WIDTH, 3.1), 0.21
    frames = [(BLUE, "-"), (VERMILION, "--")]

    def grid(x, y, side, numbers=None, pale=()):
        for row, column in np.ndindex(side, side):
            ground = PALE if row in pale or column in pale else "white"
            corner = (x + column * cell, y - (row + 1) * cell)
            axes.add_patch(Rectangle(corner, cell, cell, facecolor=ground, edgecolor=GREY, linewidth=0.7))
            if numbers is not None:
                place = {"ha": "center", "va": "center", "fontsize": 8}
                axes.text(corner[0] + cell / 2, corner[1] + cell / 2, numbers[row][column], **place)

    def frame(x, y, column, size, look):
        style = {"fill": False, "edgecolor": look[0], "linestyle": look[1], "linewidth": 2, "zorder": 4}
        axes.add_patch(Rectangle((x + column * cell, y - size * cell), size * cell, size * cell, **style))

    top = 2.45
    for x, side, pale, result, padding in ((0.12, 5, (), 2, 0), (1.85, 7, (0, 6), 3, 1)):
        grid(x, top, side, pale=pale)
        below = x + (side - result) * cell / 2
        grid(below, 0.72, result)
        for place, look in enumerate(frames):
            frame(x, top, 2 * place, 3, look)
            frame(below, 0.72, place, 1, look)
        _arrow(axes, (x + side * cell / 2, top - side * cell - 0.06), (x + side * cell / 2, 0.78), linewidth=1)
        word = say("plots.stride_padding", stride=2, padding=padding)
        axes.text(x + side * cell / 2, 2.72, word, ha="center", va="center", fontsize=8.5)
    touched = np.array([1, 1, 2, 1, 1, 0])
    grid(4.18, top, 6, np.outer(touched, touched), pale=(5,))
    below = 4.18 + 2 * cell
    grid(below, 0.72, 2)
    for place, look in enumerate(frames):
        frame(4.18, top, 2 * place, 3, look)
        frame(below, 0.72, place, 1, look)
    _arrow(axes, (4.18 + 3 * cell, 0.78), (4.18 + 3 * cell, top - 6 * cell - 0.06), linewidth=1)
    word = f"{say('plots.transposed')}\n{say('plots.output_padding')}"
    axes.text(4.18 + 3 * cell, 2.78, word, ha="center", va="center", fontsize=8.5)


@_figure
def best_constants(values: Sequence[float] = (0.0, 0.0, 0.0, 0.2, 0.8)) -> None:
    """Draw the mean squared and the mean absolute error of one constant for all ``values``: least at their mean, at their median.

    Args:
        values: numbers in [0, 1].
    """
    values, answers = np.asarray(values, float), np.linspace(0, 1, 201)
    away = answers[:, None] - values
    errors = [("mse", (away**2).mean(axis=1), values.mean(), "plots.mean_at", BLUE, "-", "o")]
    errors += [("l1", np.abs(away).mean(axis=1), np.median(values), "plots.median_at", VERMILION, "--", "s")]
    figure, axes = plt.subplots(figsize=(WIDTH, 3.2))
    for name, error, best, word, colour, line, marker in errors:
        axes.plot(answers, error, line, color=colour, label=say(f"plots.{name}"))
        lowest = np.interp(best, answers, error)
        axes.plot(best, lowest, marker, color=colour, markersize=8, zorder=4)
        axes.annotate(say(word, value=best), (best, lowest), (2, 11), textcoords="offset points", color=colour)
    stacked = [sum(values[:place] == value) for place, value in enumerate(values)]
    heights = -0.05 - 0.035 * np.array(stacked)
    axes.plot(values, heights, "D", color=INK, linestyle="", label=say("plots.values"), clip_on=False)
    axes.set(xlabel=say("plots.constant"), xlim=(-0.03, 1.03), ylim=(-0.16, None))
    figure.legend(loc="outside upper center", ncols=3, fontsize=9, columnspacing=1)


@_figure
def transfer_diagram() -> None:
    """Draw three ways of using an encoder: from scratch, frozen and fine-tuned; what is trained is coloured, what is not, hatched."""
    axes = _canvas(WIDTH, 2.75)
    ways = (("scratch", "random_weights", True), ("frozen", "pretrained", False), ("tuned", "pretrained", True))
    fixed, trained = {"facecolor": "white", "hatch": "////", "edgecolor": GREY}, {"facecolor": SKY, "edgecolor": INK}
    for place, (way, origin, is_trained) in enumerate(ways):
        middle = WIDTH * (place + 0.5) / 3
        axes.text(middle, 2.58, say(f"plots.{way}"), ha="center", va="center", fontweight="bold")
        axes.text(middle, 0.68, say(f"plots.{origin}"), ha="center", va="center", fontsize=9)
        style = trained if is_trained else fixed
        axes.add_patch(Rectangle((middle - 0.75, 0.95), 1.5, 0.45, linewidth=1.2, **style))
        axes.add_patch(Rectangle((middle - 0.75, 1.75), 1.5, 0.45, linewidth=1.2, **trained))
        axes.text(middle, 1.175, say("plots.encoder"), ha="center", va="center", bbox=None if is_trained else BEHIND)
        axes.text(middle, 1.975, say("plots.linear_layer"), ha="center", va="center")
        _arrow(axes, (middle, 1.42), (middle, 1.73), linewidth=1)
    for x, style, word in ((0.9, trained, "plots.trained"), (3.0, fixed, "plots.fixed")):
        axes.add_patch(Rectangle((x, 0.12), 0.3, 0.2, linewidth=1, **style))
        axes.text(x + 0.4, 0.22, say(word), va="center")


@_figure
def batch_norm_diagram() -> None:
    """Draw what batch normalization makes of one number, 3: in training it depends on the others of its minibatch, in evaluation not.

    A is {1, 2, 3, 6} and B {3, 5, 7, 9}; in evaluation the running means stand for both: mean 4.5 and variance 4.25.
    """
    figure, (left, right) = plt.subplots(1, 2, sharey=True, figsize=(WIDTH, 3.4))
    batches = {"A": np.array([1.0, 2, 3, 6]), "B": np.array([3.0, 5, 7, 9])}
    ends, lines = np.array([0.0, 10.0]), []
    for (name, batch), colour, marker, line in zip(batches.items(), COLOURS, MARKERS, ("-", "--")):
        mean, deviation = batch.mean(), batch.std()
        label = say("plots.minibatch", name=name, values=", ".join(f"{value:g}" for value in batch))
        left.plot(ends, (ends - mean) / deviation, line, color=colour, linewidth=1)
        left.plot(batch, (batch - mean) / deviation, marker, color=colour, linestyle="")
        lines.append(Line2D([], [], color=colour, marker=marker, linestyle=line, label=label))
        _mark_output(left, (3 - mean) / deviation, colour)
    mean = np.mean([batch.mean() for batch in batches.values()])
    deviation = np.mean([batch.var() for batch in batches.values()]) ** 0.5
    right.plot(ends, (ends - mean) / deviation, "-.", color=GREEN)
    lines.append(Line2D([], [], color=GREEN, linestyle="-.", label=say("plots.running_mean")))
    _mark_output(right, (3 - mean) / deviation, GREEN)
    for axes, word in ((left, "plots.training_mode"), (right, "plots.evaluation_mode")):
        axes.set(xlim=(0, 10), ylim=(-2.6, 2.6), xlabel=f"$x$, {say(word)}")
        axes.set_xticks([0, 3, 6, 9])
    left.set_ylabel("$y$")
    figure.legend(handles=lines, loc="outside upper center", ncols=2, fontsize=9)


def _mark_output(axes, output: float, colour) -> None:
    """Lead from the input 3 up or down to its output, and from there to the left edge, with the value there."""
    axes.plot([3, 3, 0], [-2.6, output, output], ":", color=colour, linewidth=1.2)
    axes.plot(3, output, "o", markersize=9, markerfacecolor="none", markeredgecolor=colour)
    axes.text(0.15, output - 0.1, f"{output:.2f}".replace("-", "−"), color=colour, fontsize=9, va="top")


def _volume_width(shape: Sequence[int]) -> float:
    return 0.024 * shape[1] + 0.005 * shape[0] * (shape[0] > 1) if len(shape) == 3 else 0.12


def _canvas(width: float, height: float):
    figure = plt.figure(figsize=(width, height), layout="none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.grid(visible=False)
    axes.set(xlim=(0, width), ylim=(0, height), aspect="equal", autoscale_on=False)
    return axes


def _arrow(axes, start, end, **style) -> None:
    style = {"color": GREY, "linewidth": 0.7, "mutation_scale": 7} | style
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", shrinkA=0, shrinkB=0, **style))


def _blocks(axes, x: float, middle: float, names: Sequence[str]) -> float:
    """Draw an arrow through a stack of named operations that begins at ``x``; return where the arrow ends."""
    width, height, gap = 0.9 if len(names) > 1 else 0.6, 0.27, 0.15
    _arrow(axes, (x + 0.03, middle), (x + width + 2 * gap - 0.03, middle), linewidth=1, mutation_scale=9)
    top = middle + height * len(names) / 2
    for row, (name, colour) in enumerate(zip(names, ("#DCEBF5", "#D9F0E8", "#FBECCB"))):
        corner = (x + gap, top - height * (row + 1))
        axes.add_patch(Rectangle(corner, width, height, facecolor=colour, edgecolor=INK, linewidth=0.8, zorder=3))
        axes.text(x + gap + width / 2, corner[1] + height / 2, name, ha="center", va="center", fontsize=9, zorder=4)
    return x + width + 2 * gap


def _network(axes, places: Sequence[int], symbols: Sequence[str], words: Sequence[str], weights: Sequence[str]) -> None:
    """Draw layers of units joined by arrows; of each layer the last but one place holds three dots."""
    radius, middle, columns = 0.21, 1.75, (0.8, 2.8, 4.8)
    layers = []
    for x, count, layer, word in zip(columns, places, symbols, words, strict=True):
        heights = [middle + 0.56 * ((count - 1) / 2 - place) for place in range(count)]
        axes.text(x, heights.pop(-2), r"$\vdots$", ha="center", va="center", fontsize=13)
        layers.append([(x, y) for y in heights])
        for y, symbol in zip(heights, layer.split(), strict=True):
            axes.add_patch(Circle((x, y), radius, facecolor="#DCEBF5", edgecolor=BLUE, linewidth=1.2, zorder=3))
            axes.text(x, y, f"${symbol}$", ha="center", va="center", zorder=4)
        axes.text(x, 0.16, word, ha="center", va="bottom")
    for before, after, weight in zip(layers, layers[1:], weights):
        for x, y in before:
            for end, height in after:
                step = np.array([end - x, height - y])
                step *= radius / np.hypot(*step)
                _arrow(axes, (x + step[0], y + step[1]), (end - step[0], height - step[1]))
        (x, y), (end, height) = before[0], after[0]
        axes.text((x + end) / 2, (y + height) / 2 + 0.1, f"${weight}$", ha="center", va="bottom")
