"""What the tests of the figures draw, and how they look at it."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb

IMAGES = np.random.default_rng(0).random((6, 1, 28, 28))
SMALL_NETWORK = ([1, 2], [[0.5, 0.25], [-1, 0.75]], [[2, -2], [0.5, 1]])
VERDICTS = {
    "1": {
        kind: {"agrees": 4, "differs": 2, "cannot be compared": 0} for kind in ("number", "claim")
    }
}
COSTS = {
    "a": {"parameters": 4e5, "multiply_adds": 4e5},
    "b": {"parameters": 3e5, "multiply_adds": 3e6},
}
SPENT = pd.DataFrame(
    {"epochs": [1, 2], "updates": [60, 120], "multiply_adds": [5e9, 1e10], "seconds": [0.5, 0.9]}
).assign(test_loss=[0.2, 0.02])


def history(val_loss):
    epochs = pd.RangeIndex(1, len(val_loss) + 1, name="epoch")
    frame = pd.DataFrame({"val_loss": val_loss}, index=epochs)
    frame["val_accuracy"] = 1 - frame["val_loss"] / 10
    return frame.assign(train_loss=0.5, running_loss=0.6, seconds=1.0)


def panels():
    """Return the axes of the current figure that show an image."""
    return [axes for axes in plt.gcf().axes if axes.images]


def written(axes):
    return [item.get_text() for item in axes.texts]


def texts():
    """Return every visible text of the current figure."""
    return {item.get_text() for item in plt.gcf().findobj(matplotlib.text.Text) if item.get_text()}


def legend():
    return [item.get_text() for legend in plt.gcf().legends for item in legend.get_texts()]


def lines(axes, column):
    return [line for line in axes.lines if line.get_label() == column]


def stars(axes):
    """Return the places of the stars, from left to right."""
    marks = [line for line in axes.lines if line.get_marker() == "*"]
    return sorted(point for line in marks for point in line.get_xydata().tolist())


def rows(axes):
    """Return what the rows of a figure are called, from the first on."""
    return [label.get_text() for label in axes.get_yticklabels()]


def points(axes):
    """Return all points of a figure."""
    return np.concatenate([dots.get_offsets() for dots in axes.collections])


def least_contrast(axes, items):
    """Return the lowest contrast of texts with the cells below them, as WCAG 2.1 counts it."""
    image = axes.images[0]
    cells = image.to_rgba(image.get_array())

    def luminance(colour):
        colour = np.asarray(colour)
        linear = np.where(colour <= 0.03928, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    found = []
    for item in items:
        column, row = (round(place) for place in item.get_position())
        dark, light = sorted(map(luminance, (cells[row, column, :3], to_rgb(item.get_color()))))
        found.append((light + 0.05) / (dark + 0.05))
    return min(found)
