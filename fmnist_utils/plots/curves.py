"""Training histories against the epoch, and against what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, NullLocator
from numpy.typing import NDArray

from fmnist_utils.plots.style import (
    BLUE,
    GREY,
    INK,
    LEVEL,
    LINES,
    ORANGE,
    PALE,
    SKY,
    STAR,
    VERMILION,
    WIDTH,
    book_figure,
    history_frames,
    in_percent,
    labels_of,
    legend_above,
    looks,
    use_plain_decimals,
    with_count,
    without_rows,
)
from fmnist_utils.text import say


@book_figure
def curves(
    histories: Mapping[str, Any],
    columns: str | Sequence[str],
    *,
    mark_best: bool = False,
    pca: Mapping[str, float] | None = None,
    log: bool = False,
) -> None:
    """Draw columns of training histories against the epoch.

    Of the runs of a name, it draws the mean and the band from the lowest to the highest; the mean
    ends with the shortest run. Losses and accuracies have panels of their own. Colour and marker
    tell the models apart, the line tells the columns apart: solid for val and test, dotted for
    train, dashed for the running loss.

    Args:
        histories: name -> a history or a list of histories (one a seed); a history is what ``fit``
            returns, a table indexed by epoch, or what has one as its ``history``, as a run has.
            Recorded runs, as ``report.runs`` gives them, are called by their labels.
        columns: such as ``"val_loss"``, or ``["train_loss", "val_loss", "val_accuracy"]``.
        mark_best: put a star at the best epoch of every run (lowest loss, highest accuracy) in val
            and test columns.
        pca: name -> the loss of PCA of the same size, a horizontal line in the colour of the name.
        log: a logarithmic scale for the losses.

    Raises:
        UserError: if a history has no such column.
    """
    columns = [columns] if isinstance(columns, str) else list(columns)
    frames = {name: history_frames(value, columns) for name, value in histories.items()}
    styles = dict(zip(frames, looks(), strict=False))
    quantities = list(dict.fromkeys(_quantity(column) for column in columns))
    models = _model_handles(frames, labels_of(histories))
    lines = _line_handles(columns, several=max(map(len, frames.values())) > 1, best=mark_best)
    if pca:
        lines.append(Line2D([], [], color=GREY, **LEVEL, label=say("plots.pca")))
    height = 2.4 * len(quantities) + 0.2 * (len(models) + len(lines) / 2) + 0.5
    figure, panels = plt.subplots(
        len(quantities), sharex=True, squeeze=False, figsize=(WIDTH, height)
    )
    for axes, quantity in zip(panels[:, 0], quantities, strict=True):
        for name in frames:
            for column in columns:
                if _quantity(column) == quantity:
                    _draw_mean_and_band(axes, frames[name], column, styles[name], mark_best)
        axes.set_ylabel(say(f"plots.{quantity}"))
        if quantity == "loss":
            if log:
                axes.set_yscale("log")
                use_plain_decimals(axes.yaxis)
            for name, loss in (pca or {}).items():
                axes.axhline(loss, color=styles[name][0], **LEVEL)
    panels[-1, 0].set_xlabel(say("plots.epoch"))
    panels[-1, 0].xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    legend_above(figure, handles=models)
    figure.legend(handles=lines, loc="outside lower center", ncols=2, fontsize=9)


def _quantity(column: str) -> str:
    """Return ``"loss"`` for ``"val_loss"``, and so on."""
    return column.split("_", 1)[1]


def _draw_mean_and_band(
    axes: Axes,
    frames: Sequence[pd.DataFrame],
    column: str,
    style: tuple[str, str, str],
    mark_best: bool,
) -> None:
    colour, marker, _ = style
    quantity = _quantity(column)
    line = LINES[column.split("_")[0]]
    table = pd.concat([frame[column] for frame in frames], axis=1, join="inner")
    values = in_percent(table, quantity)
    axes.plot(
        table.index,
        values.mean(axis=1),
        line,
        color=colour,
        marker=marker,
        markevery=max(1, len(table) // 8),
        markerfacecolor=colour if line == "-" else "white",
        label=column,
    )
    if len(frames) > 1:
        low = values.min(axis=1)
        high = values.max(axis=1)
        axes.fill_between(table.index, low, high, color=colour, alpha=0.2, linewidth=0)
    if mark_best and line == "-":
        for frame in frames:
            course = in_percent(frame[column], quantity)
            best = course.argmax() if quantity == "accuracy" else course.argmin()
            epochs = frame.index.to_numpy()
            axes.plot(epochs[best], course[best], "*", color=colour, **STAR, zorder=4)


def _model_handles(
    frames: Mapping[str, Sequence[pd.DataFrame]], labels: Mapping[str, str]
) -> list[Artist]:
    """Return the entries of the legend that tell the models apart."""
    handles: list[Artist] = []
    for (name, runs), (colour, marker, _) in zip(frames.items(), looks(), strict=False):
        label = with_count(labels[name], runs)
        handles.append(Line2D([], [], color=colour, marker=marker, label=label))
    return handles


def _line_handles(columns: Sequence[str], several: bool, best: bool) -> list[Artist]:
    """Return the entries of the legend that tell the columns apart, the band and the stars."""
    handles: list[Artist] = []
    for split in dict.fromkeys(column.split("_")[0] for column in columns):
        label = say(f"plots.{split}")
        handles.append(Line2D([], [], color=GREY, linestyle=LINES[split], label=label))
    if several:
        handles.append(Patch(color=GREY, alpha=0.3, label=say("plots.band")))
    if best:
        star = Line2D([], [], color=GREY, marker="*", linestyle="", label=say("plots.best"), **STAR)
        handles.append(star)
    return handles


@book_figure
def best_epochs(
    histories: Mapping[str, Any], published: Sequence[float] = (), tolerance: float = 0.01
) -> None:
    """Draw at which epoch the validation set would stop each run: one row a name, one line a run.

    A line spans the epochs around the lowest loss in which the loss stays within ``tolerance`` of
    it (a share): it shows how flat the minimum is. On it are the epoch of the lowest loss and that
    of the highest accuracy.

    Args:
        histories: as in :func:`curves`, with the columns ``val_loss`` and ``val_accuracy``.
        published: the best epoch that the report gives, in the order of the names.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 1.3 + 0.36 * len(histories)))
    accuracy_style: dict[str, Any] = {"color": ORANGE, "marker": "^", "markeredgecolor": INK}
    for row, value in enumerate(histories.values()):
        axes.axhspan(row - 0.45, row + 0.45, color=PALE, alpha=0.5, linewidth=0, zorder=0)
        frames = history_frames(value, ["val_loss", "val_accuracy"])
        for place, frame in enumerate(frames):
            y = row + 0.24 * (place - (len(frames) - 1) / 2)
            epochs = frame.index.to_numpy()
            losses = frame["val_loss"].to_numpy()
            first, last = _flat_minimum(losses, tolerance)
            reach = [epochs[first], epochs[last]]
            axes.plot(reach, [y, y], color=SKY, linewidth=3, solid_capstyle="round")
            axes.plot(epochs[losses.argmin()], y, "o", color=BLUE)
            highest = epochs[frame["val_accuracy"].to_numpy().argmax()]
            axes.plot(highest, y, markeredgewidth=0.6, **accuracy_style)
    handles = [
        Line2D([], [], color=BLUE, marker="o", linestyle="", label=say("plots.lowest_loss")),
        Line2D([], [], linestyle="", label=say("plots.highest_accuracy"), **accuracy_style),
        Line2D(
            [], [], color=SKY, linewidth=3, label=say("plots.flat", share=f"{100 * tolerance:g}")
        ),
    ]
    if len(published):
        tick: dict[str, Any] = {"color": VERMILION, "marker": "|", "markeredgewidth": 2}
        axes.plot(published, range(len(published)), linestyle="", markersize=22, zorder=1.5, **tick)
        label = say("plots.published")
        handles.append(Line2D([], [], linestyle="", markersize=12, label=label, **tick))
    axes.set_yticks(range(len(histories)), list(labels_of(histories).values()))
    axes.set_ylim(len(histories) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    without_rows(axes)
    axes.set_xlabel(say("plots.epoch"))
    legend_above(figure, columns=2, handles=handles, fontsize=9)


def _flat_minimum(losses: NDArray[np.float64], tolerance: float) -> tuple[int, int]:
    """Return the first and the last place around the minimum at which a loss is near the lowest."""
    near = losses <= (1 + tolerance) * losses.min()
    first = last = int(losses.argmin())
    while first > 0 and near[first - 1]:
        first -= 1
    while last < len(losses) - 1 and near[last + 1]:
        last += 1
    return first, last


@book_figure
def losses_by_cost(frames: Mapping[str, pd.DataFrame]) -> None:
    """Draw the test loss against what training had spent, one panel for each way of counting.

    All axes are logarithmic.

    Args:
        frames: name -> a row an epoch, with ``test_loss`` and the columns ``epochs``, ``updates``,
            ``multiply_adds`` and ``seconds``, as ``spending`` gives them.
    """
    costs = ("epochs", "updates", "multiply_adds", "seconds")
    figure, panels = plt.subplots(2, 2, sharey=True, figsize=(WIDTH, 4.6 + 0.24 * len(frames)))
    labels = labels_of(frames)
    for axes, cost in zip(panels.flat, costs, strict=True):
        styles = looks(("-", "--", ":"))
        for (name, frame), (colour, marker, line) in zip(frames.items(), styles, strict=False):
            every = max(1, len(frame) // 6)
            style = {"color": colour, "marker": marker, "markevery": every, "label": labels[name]}
            axes.plot(frame[cost], frame["test_loss"], line, **style)
        axes.set(xscale="log", yscale="log", xlabel=say(f"plots.cost_{cost}"))
        axes.xaxis.set_minor_locator(NullLocator())
        use_plain_decimals(axes.yaxis)
        if cost == "epochs":
            use_plain_decimals(axes.xaxis)
    for axes in panels[:, 0]:
        axes.set_ylabel(say("plots.loss"))
    handles, names = panels[0, 0].get_legend_handles_labels()
    legend_above(figure, handles=handles, labels=names)
