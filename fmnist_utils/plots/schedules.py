"""Learning rates against the steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt

from fmnist_utils.plots.style import COLOURS, WIDTH, book_figure
from fmnist_utils.text import say


@book_figure
def learning_rates(rates: Mapping[str, Sequence[float]]) -> None:
    """Draw learning rates against the step: one line for each schedule.

    Args:
        rates: name of the schedule -> its rate at each step.
    """
    _, axes = plt.subplots(figsize=(WIDTH, 2.6))
    styles = ["-", "--", "-.", ":"]
    for (name, values), colour, style in zip(rates.items(), COLOURS, styles, strict=False):
        axes.plot(range(len(values)), values, style, color=colour, label=name)
    axes.set(xlabel=say("plots.step"), ylabel=say("plots.learning_rate"))
    axes.set_ylim(bottom=0)
    if len(rates) > 1:
        axes.legend()
