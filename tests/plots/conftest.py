"""Small figures, closed again after each test."""

import matplotlib
import matplotlib.pyplot as plt
import pytest

from fmnist_utils.plots.style import STYLE

matplotlib.use("agg")


@pytest.fixture(autouse=True)
def small_figures(monkeypatch):
    """Close what other tests drew, and draw with fewer pixels, which is sooner."""
    monkeypatch.setitem(STYLE, "figure.dpi", 60)
    plt.close("all")
    yield
    plt.close("all")
