"""One style for all figures, and what several of them draw."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from fmnist_utils.text import UserError, nearest

BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
)
COLOURS, MARKERS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY), "osD^vP"
INK, GREY, PALE = "#222222", "#777777", "#E6E6E6"
LINES = {
    "val": "-",
    "test": "-",
    "train": ":",
    "running": "--",
}  # by the first word of a history's column
LEVEL = {"linestyle": "-.", "linewidth": 1.1}  # of PCA
STAR = {"markersize": 10, "markeredgecolor": INK, "markeredgewidth": 0.7}
BEHIND = {"facecolor": "white", "edgecolor": "none", "pad": 1.2}  # a number on a hatched ground
WIDTH = 5.6  # inches; at this width letters of 10 points stay legible on a phone
ROUND_SECONDS = (
    1,
    2,
    5,
    10,
    20,
    40,
    100,
    200,
    400,
    1000,
    2000,
    4000,
)  # what a logarithmic axis of seconds shows

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


def _labels(groups) -> dict[str, str]:
    """Return what each group is called in a figure: as its ``labels`` say, else by its name."""
    labels = getattr(groups, "labels", {})
    return {name: labels.get(name, name) for name in groups}


def _frames(value, columns: Sequence[str]) -> list[pd.DataFrame]:
    many = value if isinstance(value, list | tuple) else [value]
    many = [getattr(run, "history", run) for run in many]
    frames = [run if isinstance(run, pd.DataFrame) else run.frame() for run in many]
    for frame in frames:
        for column in columns:
            if column not in frame:
                allowed = [name for name in frame if name.split("_")[0] in LINES]
                hint = nearest(column, allowed)
                raise UserError(
                    "plots.unknown_column", column=column, allowed=", ".join(allowed), hint=hint
                )
    return frames


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
        for number, line in enumerate(
            caption.split("\n"), start=1
        ):  # one by one: accents must not move a line
            offset = {"xytext": (0, -12 * number), "textcoords": "offset points"}
            axes.annotate(
                line, (0.5, 0), xycoords="axes fraction", ha="center", fontsize=9, **offset
            )


def _percent_if_accuracy(values, quantity: str) -> np.ndarray:
    return np.asarray(values, float) * (100 if quantity == "accuracy" else 1)


def _plain_decimals(axis) -> None:
    """Mark a logarithmic axis at 1, 2 and 5 of each decade, written as decimals."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())
