"""The audit in figures: how many rows have each verdict, how far numbers are from ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from fmnist_utils.plots.style import (
    BEHIND,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    SKY,
    VERMILION,
    WIDTH,
    book_figure,
    labels_of,
    legend_above,
)
from fmnist_utils.text import say

BARS: dict[str, dict[str, Any]] = {
    "agrees": {"facecolor": GREEN},
    "equivalent": {"facecolor": SKY, "hatch": "\\\\"},
    "differs": {"facecolor": VERMILION, "hatch": "///"},
    "not enough": {"facecolor": PALE, "hatch": "..."},
    "undecided": {"facecolor": PALE, "hatch": "xx"},
    "calibrated": {"facecolor": ORANGE, "hatch": "++"},
    "cannot be compared": {"facecolor": GREY},
}
POINTS = {"agrees": (GREEN, "o"), "differs": (VERMILION, "D"), "not enough": (GREY, "s")}
REACH = 4.0  # margins; what lies beyond is drawn at the edge


@book_figure
def verdicts(counts: Mapping[str, Mapping[str, Mapping[str, int]]]) -> None:
    """Draw how many numbers and how many claims have each verdict, one bar a report.

    Args:
        counts: name of a report -> what ``count_verdicts`` gives for it.
    """
    kinds = ("number", "claim")
    found = {
        verdict
        for report in counts.values()
        for kind in kinds
        for verdict, count in report[kind].items()
        if count
    }
    styles = {verdict: style for verdict, style in BARS.items() if verdict in found}
    names = list(labels_of(counts).values())
    figure, panels = plt.subplots(1, 2, sharey=True, figsize=(WIDTH, 0.42 * len(counts) + 1.4))
    for axes, kind in zip(panels, kinds, strict=True):
        left = np.zeros(len(counts))
        for verdict, style in styles.items():
            widths = np.array([report[kind][verdict] for report in counts.values()])
            bars = axes.barh(names, widths, 0.62, left, edgecolor="white", linewidth=0.8, **style)
            texts = [str(width) if width else "" for width in widths]
            box = BEHIND if "hatch" in style else None
            axes.bar_label(bars, texts, label_type="center", bbox=box)
            left += widths
        axes.set_xlabel(say(f"plots.{kind}s"))
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.grid(axis="y", visible=False)
    panels[0].invert_yaxis()
    handles = [
        Patch(edgecolor="white", label=say(f"verdict.{verdict}"), **style)
        for verdict, style in styles.items()
    ]
    legend_above(figure, columns=3, handles=handles)


@book_figure
def deviations(rows: Sequence[Any]) -> None:
    """Draw how far each published number lies from ours, in margins.

    Zero is our mean, a bar is where one more run of ours would fall, and a mark the published
    number. Between the two dashed lines a deviation does not matter: a bar that reaches beyond them
    says too little.

    Args:
        rows: lines of the audit of numbers: ``Row``. Those without an
            interval are left out; if none has one, the picture says so.
    """
    shown = [row for row in rows if row.low is not None and row.margin]
    figure, axes = plt.subplots(figsize=(WIDTH, 1.2 + 0.26 * len(shown)))
    for place, row in enumerate(shown):
        colour, marker = POINTS[row.verdict]
        edges = np.array([row.low, row.high, row.published], dtype=float)
        low, high, published = np.clip((edges - row.theirs.mean) / row.margin, -REACH, REACH)
        axes.plot([low, high], [place, place], color=colour, linewidth=5, alpha=0.35)
        axes.plot(published, place, marker, color=colour, markersize=6, markeredgecolor=INK)
    if not shown:
        axes.text(0, 0, say("plots.no_interval"), ha="center", va="center", backgroundcolor="white")
    for side in (-1, 1):
        axes.axvline(side, color=INK, linestyle="--", linewidth=0.9)
    axes.axvline(0, color=INK, linewidth=0.7)
    axes.set_yticks(range(len(shown)), [row.id for row in shown], fontsize=9)
    axes.set(xlim=(-1.04 * REACH, 1.04 * REACH), xlabel=say("plots.in_margins"))
    axes.set_ylim(max(len(shown), 1) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    handles = [
        Line2D(
            [],
            [],
            color=colour,
            marker=marker,
            linestyle="",
            markeredgecolor=INK,
            label=say(f"verdict.{verdict}"),
        )
        for verdict, (colour, marker) in POINTS.items()
        if any(row.verdict == verdict for row in shown)
    ]
    legend_above(figure, columns=3, handles=handles)
