"""One style for all figures, and what several of them draw."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ParamSpec

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import ArrayLike, NDArray

from fmnist_utils.text import UserError, nearest, say

Parameters = ParamSpec("Parameters")

BLUE = "#0072B2"
VERMILION = "#D55E00"
GREEN = "#009E73"
PURPLE = "#CC79A7"
ORANGE = "#E69F00"
SKY = "#56B4E9"
INK = "#222222"
GREY = "#777777"
PALE = "#E6E6E6"
COLOURS = [BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY]
MARKERS = ["o", "s", "D", "^", "v", "P"]
# The line of a history's column, by the first word of its name.
LINES: dict[str, Any] = {"val": "-", "test": "-", "train": ":", "running": "--"}
LEVEL: dict[str, Any] = {"linestyle": "-.", "linewidth": 1.1}  # of PCA
STAR: dict[str, Any] = {"markersize": 10, "markeredgecolor": INK, "markeredgewidth": 0.7}
BEHIND = {"facecolor": "white", "edgecolor": "none", "pad": 1.2}  # a number on a hatched ground
WIDTH = 5.6  # inches; at this width letters of 10 points stay legible on a phone

STYLE: dict[Any, Any] = {
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


def book_figure(draw: Callable[Parameters, None]) -> Callable[Parameters, None]:
    """Give the figure that ``draw`` draws the style of the book, whatever the reader's settings."""

    @functools.wraps(draw)
    def drawn(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        # Not rc_context: it would also undo the interactive mode that Jupyter's backend sets at its
        # first figure.
        settings: dict[Any, Any] = {name: plt.rcParams[name] for name in STYLE}
        plt.rcParams.update(STYLE)
        try:
            draw(*args, **kwargs)
        finally:
            plt.rcParams.update(settings)
        # Jupyter draws the figure when it shows it; a stale one it would draw twice.
        plt.gcf().stale = False

    return drawn


def looks(line_styles: Iterable[str] = ("-",)) -> Iterator[tuple[str, str, str]]:
    """Yield a colour, a marker and a line style for each name of a figure, again and again."""
    cycles = (itertools.cycle(values) for values in (COLOURS, MARKERS, line_styles))
    yield from zip(*cycles, strict=True)


def labels_of(groups: Mapping[str, Any]) -> dict[str, str]:
    """Return what each group is called in a figure: as its ``labels`` say, else by its name."""
    labels = getattr(groups, "labels", {})
    return {name: labels.get(name, name) for name in groups}


def with_count(label: str, values: Sequence[Any] | NDArray[Any]) -> str:
    """Return *label (n = …)*, with the number of values."""
    return say("plots.runs", name=label, n=len(values))


def history_frames(value: Any, columns: Sequence[str]) -> list[pd.DataFrame]:
    """Return training histories as tables.

    Args:
        value: a history or a list of them: what ``fit`` returns, a table indexed by epoch, or what
            has one of these as its ``history``, as a run has.
        columns: those that each must have.

    Raises:
        UserError: if a history lacks one of ``columns``.
    """
    many = value if isinstance(value, list | tuple) else [value]
    frames = []
    for run in many:
        history: Any = getattr(run, "history", run)
        frame = history if isinstance(history, pd.DataFrame) else history.frame()
        for column in columns:
            if column not in frame:
                allowed = [str(name) for name in frame if str(name).split("_")[0] in LINES]
                raise UserError(
                    "plots.unknown_column",
                    column=column,
                    allowed=", ".join(allowed),
                    hint=nearest(column, allowed),
                )
        frames.append(frame)
    return frames


def mean_and_reach(values: ArrayLike) -> tuple[float, list[list[float]]]:
    """Return the mean, and an error bar from it to the lowest and the highest value."""
    values = np.asarray(values, float)
    mean = float(values.mean())
    return mean, [[mean - values.min()], [values.max() - mean]]


def in_percent(values: ArrayLike, quantity: str) -> NDArray[np.float64]:
    """Return accuracies in percent, and the values of other quantities as they are."""
    return np.asarray(values, float) * (100 if quantity == "accuracy" else 1)


def use_plain_decimals(axis: Axis) -> None:
    """Mark a logarithmic axis at 1, 2 and 5 of each decade, written as decimals."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def mark_sizes(axes: Axes, sizes: Iterable[int]) -> None:
    """Make the horizontal axis logarithmic, and mark it at ``sizes`` alone."""
    ticks = sorted(set(sizes))
    axes.set_xscale("log")
    axes.set_xticks(ticks, [str(size) for size in ticks])
    axes.xaxis.set_minor_locator(NullLocator())


def without_frame(axes: Axes) -> None:
    """Take away the ticks, the grid and the border of a heat map."""
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def without_rows(axes: Axes) -> None:
    """Take away the ticks and the lines of the rows of a chart whose rows are names."""
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)


def legend_above(figure: Figure, columns: int = 1, **options: Any) -> None:
    """Put the legend above all panels of ``figure``."""
    figure.legend(loc="outside upper center", ncols=columns, **options)


def draw_grid(
    images: NDArray[Any],
    captions: Sequence[str] | None,
    columns: int,
    value_range: tuple[float, float] | None,
) -> None:
    """Draw images in rows of ``columns``, each with its caption of one or more lines below it."""
    pictures = images.reshape(len(images), *images.shape[-2:])
    low, high = value_range or (pictures.min(), pictures.max())
    if captions is None:
        captions = [""] * len(pictures)
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    lines = max(len(caption.splitlines()) for caption in captions)
    height = rows * (WIDTH / columns + lines * 12 / 72)
    _, panels = plt.subplots(rows, columns, squeeze=False, figsize=(WIDTH, height))
    for axes in panels.flat:
        axes.set_axis_off()
    for axes, picture, caption in zip(panels.flat, pictures, captions, strict=False):
        axes.imshow(picture, cmap="gray", vmin=low, vmax=high)
        # Line by line, so that an accent does not move the line above it.
        for number, line in enumerate(caption.splitlines(), start=1):
            axes.annotate(
                line,
                (0.5, 0),
                (0, -12 * number),
                xycoords="axes fraction",
                textcoords="offset points",
                ha="center",
                fontsize=9,
            )


def canvas(width: float, height: float) -> Axes:
    """Return empty axes that fill a figure; lengths are in inches, from the lower left corner."""
    figure = plt.figure(figsize=(width, height), layout="none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.grid(visible=False)
    axes.set(xlim=(0, width), ylim=(0, height), aspect="equal", autoscale_on=False)
    return axes


def draw_arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], **options: Any
) -> None:
    """Draw an arrow on a canvas."""
    style: dict[str, Any] = {"color": GREY, "linewidth": 0.7, "mutation_scale": 7} | options
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", shrinkA=0, shrinkB=0, **style))


def draw_bracket(axes: Axes, left: float, right: float, height: float, name: str) -> None:
    """Draw a bracket with a name above, over what lies between ``left`` and ``right``."""
    ends = [height - 0.08, height, height, height - 0.08]
    axes.plot([left, left, right, right], ends, color=INK, linewidth=1)
    axes.text((left + right) / 2, height + 0.05, name, ha="center", va="bottom")
