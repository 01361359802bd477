"""Every figure has the style of the book, in both languages, and nothing of it is cut off."""

import re

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from drawn import COSTS, IMAGES, SMALL_NETWORK, SPENT, VERDICTS, history

from fmnist_utils import evaluation, plots, text
from fmnist_utils.plots.style import book_figure

CALLS = {
    "photo_steps": lambda: plots.photo_steps({"given": np.ones((9, 5, 3)), "small": IMAGES[0, 0]}),
    "curves": lambda: plots.curves({"SGD": history([2.0, 1.0])}, "val_loss"),
    "intervals": lambda: plots.intervals({"a": [0.8, 0.9]}, published=0.81),
    "epoch_times": lambda: plots.epoch_times(
        {"ff": {"ours": [1.0, 1.2], "ours, bfloat16": [1.1], "JAX": [7.0, 8.0]}}
    ),
    "verdicts": lambda: plots.verdicts(VERDICTS),
    "errors_by_size": lambda: plots.errors_by_size(
        {"SGD": {64: [0.02, 0.03], 128: [0.01]}}, pca={64: 0.005, 128: 0.002}
    ),
    "misfit": lambda: plots.misfit({"a": [0.5, 0.1], "b": [0.9, 0.8]}),
    "times": lambda: plots.times({"a": {64: [1.0, 2.0], 128: [3.0, 4.0]}}),
    "losses_by_cost": lambda: plots.losses_by_cost({"a": SPENT}),
    "confusion_comparison": lambda: plots.confusion_comparison(
        np.eye(10, dtype=int), np.eye(10, dtype=int), np.eye(10)
    ),
    "best_epochs": lambda: plots.best_epochs({"a": history([2.0, 1.0])}),
    "ranks": lambda: plots.ranks({"a": [1.0, 2.0], "b": [2.0, 1.0]}, ["x", "y"]),
    "seconds_by_cost": lambda: plots.seconds_by_cost(COSTS, {"a": [1.0, 2.0, 4.0], "b": [5.0]}),
    "confusion_matrix": lambda: plots.confusion_matrix(np.eye(10, dtype=int)),
    "recall_bars": lambda: plots.recall_bars(np.eye(10, dtype=int)),
    "recalls_by_class": lambda: plots.recalls_by_class({"a": [np.full(10, 0.9)] * 2}),
    "mistakes": lambda: plots.mistakes(
        IMAGES, evaluation.most_confident_mistakes(np.eye(10)[:6], [1] * 6)
    ),
    "image_grid": lambda: plots.image_grid(IMAGES, range(6)),
    "reconstructions": lambda: plots.reconstructions({text.say("plots.reconstruction"): IMAGES}),
    "accuracy_by_labels": lambda: plots.accuracy_by_labels({"a": {50: [0.6, 0.7], 500: [0.8]}}),
    "accuracy_by_seconds": lambda: plots.accuracy_by_seconds(
        {"a": ([10.0, 30.0], [0.9, 0.92])}, {"b": 0.835}, limit=600
    ),
    "shares": lambda: plots.shares({("optimizer",): 0.7, ("optimizer", "model.dropout"): 0.2}),
    "by_effort": lambda: plots.by_effort({"a": {1: [0.0, 0.01], 3: [0.02, 0.04]}}),
    "pixel_maps": lambda: plots.pixel_maps({"a": IMAGES[0, 0], "b": IMAGES[1, 0]}),
    "number_maps": lambda: plots.number_maps(
        {text.say("plots.loss"): np.eye(2), "b": np.ones((2, 2))}
    ),
    "scatter_by_class": lambda: plots.scatter_by_class(
        {"PCA": IMAGES[:, 0, 0, :2], "t-SNE": IMAGES[:, 0, 1, :2]}, range(6)
    ),
    "volumes_diagram": lambda: plots.volumes_diagram(
        [(1, 28, 28), (16, 13, 13), (64,), (16, 13, 13), (1, 28, 28)], code=2
    ),
    "class_probabilities": lambda: plots.class_probabilities(IMAGES[0], np.full(10, 0.1), 9),
    "feed_forward_diagram": plots.feed_forward_diagram,
    "autoencoder_diagram": plots.autoencoder_diagram,
    "classifier_diagram": lambda: plots.classifier_diagram(IMAGES[0], label=9),
    "descent_paths": plots.descent_paths,
    "dropout_diagram": plots.dropout_diagram,
    "splits_diagram": plots.splits_diagram,
    "strides_diagram": plots.strides_diagram,
    "best_constants": plots.best_constants,
    "channels_diagram": plots.channels_diagram,
    "code_diagram": lambda: plots.code_diagram(IMAGES[0], np.arange(64.0), IMAGES[1]),
    "projection": lambda: plots.projection([[0, 0], [1, 0], [1, 1]], [0.5, 0.5], [0.6, 0.8]),
    "transfer_diagram": plots.transfer_diagram,
    "batch_norm_diagram": plots.batch_norm_diagram,
    "interaction": lambda: plots.interaction([{"a": ([0.8], [0.9])}], ["x", "y"]),
    "filters": lambda: plots.filters(IMAGES[:, 0, :3, :3] - 0.5),
    "feature_maps": lambda: plots.feature_maps(
        IMAGES[:1], {text.say("plots.reconstruction"): IMAGES[:1]}
    ),
    "importance_maps": lambda: plots.importance_maps(IMAGES[0], {"a": IMAGES[0, 0] - 0.5}),
    "value_ridges": lambda: plots.value_ridges({"a": {"b": {"c": IMAGES}}}),
    "learning_rates": lambda: plots.learning_rates({"a": [0.1, 0.05], "b": [0.1, 0.1]}),
    "gradient_diagram": lambda: plots.gradient_diagram(*SMALL_NETWORK),
    "pixel_numbers": lambda: plots.pixel_numbers(IMAGES[0], 10, 3),
}
ROOM_BEYOND = ("volumes_diagram", "batch_norm_diagram")  # diagrams drawn in several panels


def test_every_figure_is_in_the_list_above():
    public = {name for name, item in vars(plots).items() if hasattr(item, "__wrapped__")}
    assert public - {"deviations"} == set(CALLS), "deviations draws rows of the audit"


def check_texts_are_inside(figure):
    for item in figure.axes[0].texts:
        box, edge = item.get_window_extent(), figure.bbox
        assert box.x0 >= 0 and box.y0 >= 0, item.get_text()
        assert box.x1 <= edge.x1 and box.y1 <= edge.y1, item.get_text()


@pytest.mark.parametrize("name", CALLS)
def test_every_figure_has_the_style_of_the_book(name, monkeypatch):
    words = {}
    for lang in text.LANGUAGES:
        monkeypatch.setattr(text, "_language", lang)
        with plt.rc_context({"figure.facecolor": "black", "font.size": 30}):
            assert CALLS[name]() is None
            assert plt.rcParams["font.size"] == 30  # the reader's own settings stay
        [number] = plt.get_fignums()
        figure = plt.figure(number)
        assert not figure.stale  # else Jupyter draws it once more before it shows it
        figure.canvas.draw()
        pixels = np.asarray(figure.canvas.buffer_rgba())
        assert figure.get_facecolor() == (1, 1, 1, 1) and pixels[..., 3].min() == 255
        assert not any(axes.get_title() for axes in figure.axes) and not figure.get_suptitle()
        if name.endswith("diagram") and name not in ROOM_BEYOND:
            check_texts_are_inside(figure)
        shown = [item for item in figure.findobj(matplotlib.text.Text) if item.get_text()]
        smallest = min(item.get_fontsize() for item in shown)
        # In CSS pixels, on a screen 360 pixels wide.
        assert smallest * 360 / (72 * figure.get_figwidth()) >= 6
        said = {item.get_text() for item in shown}
        words[lang] = {
            one for one in said if re.search(r"\w{4}", one) and not re.search(r"\$|_|Adam", one)
        }
        plt.close(figure)
    if name != "classifier_diagram":  # its words are those of the code
        assert words["es"] and not words["es"] & words["en"]


def test_the_interactive_mode_that_a_backend_sets_at_its_first_figure_stays():
    before = matplotlib.is_interactive()
    try:
        book_figure(lambda: matplotlib.interactive(True))()
        # Else Jupyter shows the first figure of a page and no other.
        assert matplotlib.is_interactive()
    finally:
        matplotlib.interactive(before)
