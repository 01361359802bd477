"""Training histories against the epoch, and against what they cost."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, NullLocator

from fmnist_utils.plots.style import (
    COLOURS,
    GREY,
    LEVEL,
    LINES,
    MARKERS,
    STAR,
    WIDTH,
    _figure,
    _frames,
    _labels,
    _percent_if_accuracy,
    _plain_decimals,
)
from fmnist_utils.text import say


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
            DataFrame indexed by epoch, or anything that has one as its ``history`` (a run). Recorded
            runs, as ``report.runs`` gives them, are called by their labels.
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
    models, lines = _curve_handles(runs, _labels(histories), columns, mark_best)
    if pca:
        lines.append(Line2D([], [], color=GREY, **LEVEL, label=say("plots.pca")))
    height = 2.4 * len(quantities) + 0.2 * (len(models) + len(lines) / 2) + 0.5
    figure, panels = plt.subplots(
        len(quantities), sharex=True, squeeze=False, figsize=(WIDTH, height)
    )
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


def _quantity(column: str) -> str:
    return column.split("_", 1)[1]


def _mean_and_band(axes, frames, column, colour, marker, mark_best) -> None:
    quantity, split = _quantity(column), column.split("_")[0]
    values = pd.concat([frame[column] for frame in frames], axis=1, join="inner")
    percent = _percent_if_accuracy(values, quantity)
    epochs, every = values.index.to_numpy(), max(1, len(values) // 8)
    solid = LINES[split] == "-"
    style = {
        "marker": marker,
        "markevery": every,
        "markerfacecolor": colour if solid else "white",
        "label": column,
    }
    axes.plot(epochs, percent.mean(axis=1), LINES[split], color=colour, **style)
    if len(frames) > 1:
        axes.fill_between(
            epochs, percent.min(axis=1), percent.max(axis=1), color=colour, alpha=0.2, linewidth=0
        )
    if mark_best and solid:
        best = [
            frame[column].idxmax() if quantity == "accuracy" else frame[column].idxmin()
            for frame in frames
        ]
        heights = [frame.loc[epoch, column] for frame, epoch in zip(frames, best, strict=True)]
        axes.plot(
            best, _percent_if_accuracy(heights, quantity), "*", color=colour, **STAR, zorder=4
        )


def _curve_handles(runs, labels, columns, mark_best) -> tuple[list, list]:
    models = [
        Line2D(
            [],
            [],
            color=colour,
            marker=marker,
            label=say("plots.runs", name=labels[name], n=len(frames)),
        )
        for name, frames, colour, marker in runs
    ]
    splits = dict.fromkeys(column.split("_")[0] for column in columns)
    lines = [
        Line2D([], [], color=GREY, linestyle=LINES[split], label=say(f"plots.{split}"))
        for split in splits
    ]
    if any(len(frames) > 1 for _, frames, _, _ in runs):
        lines.append(Patch(color=GREY, alpha=0.3, label=say("plots.band")))
    if mark_best:
        lines.append(
            Line2D([], [], color=GREY, marker="*", linestyle="", label=say("plots.best"), **STAR)
        )
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
        looks = zip(
            itertools.cycle(COLOURS), itertools.cycle(MARKERS), itertools.cycle(("-", "--", ":"))
        )
        for (name, frame), (colour, marker, line) in zip(frames.items(), looks):
            style = {
                "color": colour,
                "marker": marker,
                "markevery": max(1, len(frame) // 6),
                "label": name,
            }
            axes.plot(frame[cost], frame[column], line, **style)
        axes.set(xscale="log", yscale="log", xlabel=say(f"plots.cost_{cost}"))
        axes.xaxis.set_minor_locator(NullLocator())
        for axis in [axes.yaxis, axes.xaxis] if cost == "epochs" else [axes.yaxis]:
            _plain_decimals(axis)
    for axes in panels[:, 0]:
        axes.set_ylabel(say(f"plots.{_quantity(column)}"))
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper center")
