"""The figures show the data they were given, in the language in force, and nothing else."""

import re
from types import SimpleNamespace

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.colors import to_rgb
from matplotlib.patches import Circle, Rectangle

from fmnist_utils import evaluation, plots, text
from fmnist_utils.audit.records import ByGroup
from fmnist_utils.plots.style import STYLE, book_figure
from fmnist_utils.training import History

IMAGES = np.random.default_rng(0).random((6, 1, 28, 28))


@pytest.fixture(params=["es", "en"])
def language(request, monkeypatch):
    monkeypatch.setattr(text, "_language", request.param)
    return request.param


@pytest.fixture(autouse=True)
def small_figures(monkeypatch):
    """Close what other tests drew, and draw with fewer pixels, which is sooner."""
    monkeypatch.setitem(STYLE, "figure.dpi", 60)
    plt.close("all")
    yield
    plt.close("all")


def history(val_loss):
    frame = pd.DataFrame(
        {"val_loss": val_loss}, index=pd.RangeIndex(1, len(val_loss) + 1, name="epoch")
    )
    frame["val_accuracy"] = 1 - frame["val_loss"] / 10
    return frame.assign(train_loss=0.5, running_loss=0.6, seconds=1.0)


def texts():
    """Every visible text of the current figure."""
    return {item.get_text() for item in plt.gcf().findobj(matplotlib.text.Text) if item.get_text()}


def legend():
    return [item.get_text() for legend in plt.gcf().legends for item in legend.get_texts()]


def lines(axes, column):
    return [line for line in axes.lines if line.get_label() == column]


def stars(axes):
    """The places of the stars, from left to right."""
    marks = [line for line in axes.lines if line.get_marker() == "*"]
    return sorted(point for line in marks for point in line.get_xydata().tolist())


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
)
SPENT["test_loss"] = [0.2, 0.02]

SMALL_NETWORK = ([1, 2], [[0.5, 0.25], [-1, 0.75]], [[2, -2], [0.5, 1]])
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
    "recalls_by_class": lambda: plots.recalls_by_class(
        {"a": [np.full(10, 0.9), np.full(10, 0.8)], "b": [np.full(10, 0.7)]}
    ),
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
    "by_effort": lambda: plots.by_effort(
        {"a": {1: [np.nan] * 2, 2: [0.6, 0.7]}}, "epochs_spent", "chosen_accuracy", level=0.8
    ),
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
    "class_probabilities": lambda: plots.class_probabilities(IMAGES[0], np.full(10, 0.1), label=9),
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


def test_attempts_are_drawn_from_where_all_of_them_have_something():
    plots.by_effort(
        {"a": {1: [np.nan, 0.5], 2: [0.6, 0.7], 3: [0.7, 0.8]}},
        "epochs_spent",
        "chosen_accuracy",
        level=0.9,
    )
    axes = plt.gcf().axes[0]
    [course, best] = axes.lines
    assert list(course.get_xdata()) == [2, 3] and list(course.get_ydata()) == pytest.approx(
        [65, 75]
    )
    assert list(best.get_ydata()) == [90, 90] and text.say("plots.best_there_is") in legend()


def test_shares_are_sorted_and_only_the_largest_shown():
    plots.shares(
        {("optimizer",): 0.1, ("batch_size", "model.dropout"): 0.6, ("learning_rate",): 0.05},
        most=2,
    )
    axes = plt.gcf().axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == [
        f"{text.say('field.batch_size')} × dropout",
        text.say("field.optimizer"),
    ]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([60, 10])


def test_every_figure_is_in_the_list_above():
    public = {name for name, item in vars(plots).items() if hasattr(item, "__wrapped__")}
    assert public - {"deviations"} == set(CALLS), "deviations draws rows of the audit, below"


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
        shown = [item for item in figure.findobj(matplotlib.text.Text) if item.get_text()]
        smallest = min(item.get_fontsize() for item in shown)
        # In CSS pixels, on a screen 360 pixels wide.
        assert smallest * 360 / (72 * figure.get_figwidth()) >= 6
        words[lang] = {
            item.get_text()
            for item in shown
            if re.search(r"\w{4}", item.get_text()) and not re.search(r"\$|_|Adam", item.get_text())
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


# curves


def test_curves_draws_the_mean_and_the_band_of_the_seeds(language):
    plots.curves({"SGD": [history([2.0, 1.0]), history([4.0, 1.5])]}, "val_loss")
    (axes,) = plt.gcf().axes
    (line,) = lines(axes, "val_loss")
    assert line.get_xydata().tolist() == [[1, 3], [2, 1.25]]
    band = axes.collections[0].get_paths()[0].vertices
    assert {tuple(point) for point in band} >= {(1, 2), (1, 4), (2, 1), (2, 1.5)}
    assert (axes.get_xlabel(), axes.get_ylabel()) == {
        "es": ("época", "pérdida"),
        "en": ("epoch", "loss"),
    }[language]
    explained = {
        "es": ["validación", "de mínimo a máximo"],
        "en": ["validation", "minimum to maximum"],
    }[language]
    assert legend() == ["SGD (n = 2)", *explained]


def test_curves_puts_losses_and_accuracies_in_two_panels(language):
    plots.curves({"Adam": history([2.0, 1.0])}, ["train_loss", "val_loss", "val_accuracy"])
    loss, accuracy = plt.gcf().axes
    assert [line.get_label() for line in loss.lines] == ["train_loss", "val_loss"]
    np.testing.assert_allclose(lines(accuracy, "val_accuracy")[0].get_ydata(), [80, 90])
    assert accuracy.get_ylabel() == {"es": "exactitud (%)", "en": "accuracy (%)"}[language]
    assert not loss.collections  # one run has no band


def test_curves_tells_models_apart_by_colour_and_marker_and_columns_by_line():
    plots.curves(
        {"a": history([1.0]), "b": history([2.0])}, ["val_loss", "train_loss", "running_loss"]
    )
    drawn = plt.gcf().axes[0].lines
    looks = {(line.get_color(), line.get_marker(), line.get_linestyle()) for line in drawn}
    assert len(looks) == len(drawn) == 6
    assert {line.get_label(): line.get_linestyle() for line in drawn} == {
        "val_loss": "-",
        "train_loss": ":",
        "running_loss": "--",
    }


def test_curves_accepts_what_fit_returns_and_runs_that_hold_it():
    one = History([{"epoch": 1, "val_loss": 0.4}, {"epoch": 2, "val_loss": 0.3}])
    plots.curves({"a": [one, SimpleNamespace(history=one)], "b": one}, "val_loss")
    assert [line.get_xydata().tolist() for line in plt.gcf().axes[0].lines] == [
        [[1, 0.4], [2, 0.3]]
    ] * 2


def test_curves_of_runs_of_different_length_end_with_the_shortest():
    plots.curves({"a": [history([3.0, 2.0, 1.0]), history([3.0, 2.0])]}, "val_loss")
    assert plt.gcf().axes[0].lines[0].get_xdata().tolist() == [1, 2]


def test_curves_marks_the_best_epoch_of_every_run():
    runs = [history([3.0, 1.0, 2.0]), history([3.0, 2.0, 1.5])]
    plots.curves({"a": runs}, ["train_loss", "val_loss", "val_accuracy"], mark_best=True)
    loss, accuracy = plt.gcf().axes
    assert stars(loss) == [[2, 1.0], [3, 1.5]]
    np.testing.assert_allclose(stars(accuracy), [[2, 90], [3, 85]])


def test_accuracy_by_labels_draws_means_and_their_reach_in_percent(language):
    plots.accuracy_by_labels({"frozen": {500: [0.8], 50: [0.6, 0.7]}})
    (axes,) = plt.gcf().axes
    np.testing.assert_allclose(axes.containers[0].lines[0].get_xydata(), [[50, 65], [500, 80]])
    np.testing.assert_allclose(axes.containers[0].lines[2][0].get_segments()[0][:, 1], [60, 70])
    assert (
        axes.get_xlabel() == {"es": "etiquetas de entrenamiento", "en": "training labels"}[language]
    )
    assert legend() == ["frozen (n = 1)"]


def test_pixel_maps_share_one_scale_which_says_when_values_go_beyond(language):
    plots.pixel_maps({"a": np.eye(2), "b": 3 * np.eye(2)}, "contributions", (0, 2))
    *panels, bar = [axes for axes in plt.gcf().axes if axes.images or axes.get_xlabel()]
    assert [axes.images[0].get_clim() for axes in panels] == [(0, 2)] * 2
    assert [axes.texts[0].get_text() for axes in panels] == ["a", "b"]
    said = {"es": "productos que suma cada píxel", "en": "products that each pixel adds up"}
    assert bar.get_xlabel() == said[language] and bar._colorbar.extend == "max"


def test_number_maps_write_every_number_and_frame_what_is_marked():
    maps = {"a": [[1, 2.25], [3, 4]], "b": [[5, 6]], "c": [[7, 8]]}
    plots.number_maps(
        maps, rows=["x"], columns=["y", "z"], across="w", form=".1f", marked={"a": (0, 1, 2, 1)}
    )
    panels = [axes for axes in plt.gcf().axes if axes.images]
    assert [[item.get_text() for item in axes.texts] for axes in panels] == [
        ["1.0", "2.2", "3.0", "4.0", "a"], ["5.0", "6.0", "b"], ["7.0", "8.0", "c"],
    ]  # fmt: skip
    assert [
        (patch.get_xy(), patch.get_width(), patch.get_height()) for patch in panels[0].patches
    ] == [((0.5, -0.5), 1, 2)]
    assert panels[2].get_xlabel() == "w" and not panels[1].patches
    for axes in panels:
        for item in axes.texts[:-1]:
            column, row = item.get_position()
            cell = axes.images[0].to_rgba(axes.images[0].get_array())[row, column, :3]
            assert contrast(cell, to_rgb(item.get_color())) >= 4.5


def test_scatter_by_class_gives_each_class_its_own_marker_and_colour(language):
    places = np.arange(40.0).reshape(20, 2)
    plots.scatter_by_class({"PCA": places, "t-SNE": -places}, list(range(10)) * 2)
    left, right = plt.gcf().axes
    drawn = np.concatenate([group.get_offsets() for group in left.collections])
    assert sorted(drawn.tolist()) == places.tolist() and right.get_xlabel() == "t-SNE"
    (key,) = plt.gcf().legends
    assert len({(line.get_color(), line.get_marker()) for line in key.get_lines()}) == 10
    assert legend() == text.class_names()


def test_volumes_diagram_names_every_shape_and_both_parts(language):
    plots.volumes_diagram([(1, 28, 28), (16, 13, 13), (64,), (1, 28, 28)], code=2)
    parts = {"es": {"codificador", "decodificador"}, "en": {"encoder", "decoder"}}[language]
    assert texts() == {"1×28×28", "16×13×13", "64"} | parts
    plots.volumes_diagram([(1, 28, 28), (64,), (10,)], code=1)
    assert len(texts() & parts) == 1  # a classifier decodes nothing
    plt.close("all")
    plots.volumes_diagram([(1, 28, 28), (32, 14, 14), (10,)])
    assert texts() == {"1×28×28", "32×14×14", "10"}


def test_curves_names_an_unknown_column_and_the_nearest(language):
    with pytest.raises(text.UserError, match="val_los'.*val_loss.*'val_loss'"):
        plots.curves({"a": history([1.0])}, "val_los")


def test_curves_draws_the_loss_of_pca_in_the_colour_of_its_name(language):
    plots.curves(
        {"a": history([1.0]), "b": history([2.0])},
        ["val_loss", "val_accuracy"],
        pca={"a": 0.1, "b": 0.2},
        log=True,
    )
    loss, accuracy = plt.gcf().axes
    curve = {line.get_color(): line.get_ydata()[0] for line in lines(loss, "val_loss")}
    level = {
        line.get_color(): line.get_ydata()[0] for line in loss.lines if line.get_linestyle() == "-."
    }
    assert {curve[colour]: value for colour, value in level.items()} == {1.0: 0.1, 2.0: 0.2}
    assert (
        loss.get_yscale() == "log"
        and accuracy.get_yscale() == "linear"
        and len(accuracy.lines) == 2
    )
    assert legend()[-1] == {"es": "PCA del mismo tamaño", "en": "PCA of the same size"}[language]


# comparing runs


def test_intervals_draws_every_seed_the_mean_and_the_published_value(language):
    plots.intervals({"first": [0.80, 0.82, 0.84], "second": [0.5]}, published=0.81)
    (axes,) = plt.gcf().axes
    seeds = [line for line in axes.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(np.sort(seeds[0].get_xdata()), [80, 82, 84])
    (segment,), (nothing,) = (container.lines[2][0].get_segments() for container in axes.containers)
    np.testing.assert_allclose(segment[:, 0], [80, 84])  # the sample deviation of 80, 82, 84 is 2
    np.testing.assert_allclose(nothing[:, 0], [50, 50])
    assert [list(line.get_xdata()) for line in axes.lines if line.get_linestyle() == "--"] == [
        [81, 81]
    ]
    assert [label.get_text() for label in axes.texts] == ["first (n = 3)", "second (n = 1)"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first group is the top row
    assert legend()[-1] == {"es": "publicado", "en": "published"}[language]


def test_recorded_groups_are_called_by_their_labels():
    labels = {"model_1": "Model 1: SGD", "model_2": "Model 2: Adam"}
    plots.intervals(ByGroup({"model_1": [0.7, 0.8], "model_2": [0.9]}, labels))
    (axes,) = plt.gcf().axes
    shown = [label.get_text() for label in axes.texts]
    assert shown == ["Model 1: SGD (n = 2)", "Model 2: Adam (n = 1)"]
    plots.curves(ByGroup({"model_1": history([1.0])}, labels), "val_loss")
    assert legend()[0] == "Model 1: SGD (n = 1)"


def test_seeds_that_came_out_alike_are_all_seen():
    plots.intervals({"dead": [0.2869, 0.2868, 0.08, 0.2870], "alive": [0.1, 0.12]}, quantity="loss")
    (axes,) = plt.gcf().axes
    dead, alive = [line.get_xydata() for line in axes.lines if line.get_marker() == "o"]
    assert len({round(y, 3) for x, y in dead if x > 0.2}) == 3 and dead[2][1] == min(dead[:, 1])
    assert alive[0][1] == alive[1][1] and dead[:, 1].max() < 0.5 < alive[0][1]


def test_intervals_of_losses_are_not_percent(language):
    plots.intervals({"a": [0.4, 0.6]}, quantity="loss")
    (axes,) = plt.gcf().axes
    assert axes.containers[0].lines[0].get_xdata() == pytest.approx(0.5)
    assert axes.get_xlabel() == {"es": "pérdida", "en": "loss"}[language]
    assert len(legend()) == 2


def test_intervals_says_what_a_point_stands_for(language):
    plots.intervals({"a": [0.4, 0.6]}, each="fold")
    assert legend()[0] == {"es": "un bloque", "en": "one fold"}[language]


def test_errors_by_size_draws_means_their_reach_pca_and_what_was_published(language):
    errors = {"SGD": {128: [0.02], 64: [0.03, 0.05]}}
    plots.errors_by_size(
        errors, pca={64: 0.01, 128: 0.005}, published={64: 0.041, 128: 0.03}, quantity="l1"
    )
    (axes,) = plt.gcf().axes
    means, pca, published = (
        axes.containers[0].lines[0],
        *[line for line in axes.lines if line.get_marker() in "x*"],
    )
    np.testing.assert_allclose(means.get_xydata(), [[64, 0.04], [128, 0.02]])
    (reach, _) = axes.containers[0].lines[2][0].get_segments()
    np.testing.assert_allclose(reach[:, 1], [0.03, 0.05])
    assert pca.get_xydata().tolist() == [
        [64, 0.01],
        [128, 0.005],
    ] and published.get_ydata().tolist() == [0.041, 0.03]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["64", "128"]
    assert (
        axes.get_ylabel() == {"es": "error absoluto medio", "en": "mean absolute error"}[language]
    )
    assert {"SGD (n = 1)", "PCA", {"es": "publicado", "en": "published"}[language]} == set(legend())


def test_accuracy_by_seconds_draws_a_point_a_recipe_and_what_to_compare_it_with(language):
    points = {"short": ([10.0, 30.0, 20.0], [0.9, 0.92, 0.94]), "long": ([100.0], [0.95])}
    plots.accuracy_by_seconds(points, {"people": 0.835}, limit=600)
    (axes,) = plt.gcf().axes
    assert [box.lines[0].get_xydata().tolist() for box in axes.containers] == [
        [[20, 92]],
        [[100, 95]],
    ]
    (reach,) = axes.containers[0].lines[2][0].get_segments()
    np.testing.assert_allclose(reach[:, 1], [90, 94])
    assert [label.get_text() for label in axes.texts] == ["people"] and axes.get_xscale() == "log"
    assert legend() == ["short (n = 3)", "long (n = 1)"]
    assert {"es": "validación", "en": "validation"}[language] in axes.get_ylabel()


def test_misfit_marks_the_lowest_of_each_row_and_of_all(language):
    plots.misfit({"relu": [0.5, 0.1, 0.2], "sigmoid": [0.9, 0.8, 0.7]})
    axes = plt.gcf().axes[0]
    np.testing.assert_allclose(axes.images[0].get_array(), [[50, 10, 20], [90, 80, 70]])
    assert [line.get_xydata().tolist() for line in axes.lines] == [[[2, 0], [3, 1]], [[2, 0]]]
    epoch = {"es": "época", "en": "epoch"}[language]
    assert [item.get_text() for item in axes.texts] == [f"10 %\n{epoch} 2", f"70 %\n{epoch} 3"]


def test_times_draws_every_repetition_their_median_and_middle_half(language):
    plots.times(
        {
            "resident": {128: [4.0, 1.0, 3.0, 2.0, 9.0], 64: [1.0] * 5},
            "per_image": {64: [7.0] * 5, 128: [8.0] * 5},
        }
    )
    (axes,) = plt.gcf().axes
    drawn = [line for line in axes.lines if len(line.get_xdata())]  # without the legend's
    medians = [line.get_ydata().tolist() for line in drawn if line.get_marker() in ("o", "s")]
    assert medians == [[1, 3], [7, 8]]
    halves = [line.get_ydata() for line in drawn if line.get_marker() == "None"]
    assert [2, 4] in [[np.nanmin(half), np.nanmax(half)] for half in halves]
    points = np.concatenate([dots.get_offsets() for dots in axes.collections])
    assert sorted(points[:, 1]) == [1] * 6 + [2, 3, 4] + [7] * 5 + [8] * 5 + [9]
    assert legend() == ["resident (n = 5)", "per_image (n = 5)"] and axes.get_ylim()[0] == 0
    assert axes.get_ylabel() == {"es": "segundos por época", "en": "seconds per epoch"}[language]


def test_losses_by_cost_draws_each_network_in_a_panel_for_each_way_of_counting(language):
    plots.losses_by_cost(
        {"a": SPENT, "b": SPENT / 2}, costs=["updates", "multiply_adds", "seconds"]
    )
    updates, multiply_adds, _, unused = plt.gcf().axes
    assert [line.get_xydata().tolist() for line in updates.lines] == [
        [[60, 0.2], [120, 0.02]],
        [[30, 0.1], [60, 0.01]],
    ]
    assert multiply_adds.lines[0].get_xdata().tolist() == [5e9, 1e10] and not unused.get_visible()
    assert (
        len({(line.get_color(), line.get_marker(), line.get_linestyle()) for line in updates.lines})
        == 2
    )
    assert (updates.get_xlabel(), updates.get_ylabel()) == {
        "es": ("actualizaciones", "pérdida"),
        "en": ("updates", "loss"),
    }[language]
    assert legend() == ["a", "b"]


def test_best_epochs_marks_each_run_its_flat_minimum_and_what_was_published(language):
    runs = [history([2.0, 1.009, 1.0, 1.005, 1.5, 1.001]), history([1.0, 3.0])]
    runs[0].loc[5, "val_accuracy"] = 1.0
    plots.best_epochs({"a": runs, "b": history([2.0, 1.0])}, published=[4, 1])
    (axes,) = plt.gcf().axes
    flat = [line.get_xdata().tolist() for line in axes.lines if line.get_linewidth() == 3]
    assert flat == [[2, 4], [1, 1], [2, 2]]  # the sixth epoch is near but apart
    marks = {}
    for line in axes.lines:
        marks.setdefault(line.get_marker(), []).extend(line.get_xdata().tolist())
    assert (marks["o"], marks["^"], marks["|"]) == ([3, 1, 2], [5, 1, 2], [4, 1])
    assert {line.get_ydata()[0] for line in axes.lines[:6]} == {-0.12, 0.12}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
    assert {"es": "a menos del 1 % del mínimo", "en": "within 1 % of the minimum"}[
        language
    ] in legend()


def test_ranks_joins_the_places_of_each_name(language):
    values = {"a": [0.2, 0.5], "b": [0.1, 0.4], "c": [0.3, 0.1]}
    for lowest_first, places in (
        (True, [[2, 3], [1, 2], [3, 1]]),
        (False, [[2, 1], [3, 2], [1, 3]]),
    ):
        plots.ranks(values, ["first", "second"], lowest_first=lowest_first)
        (axes,) = plt.gcf().axes
        assert [line.get_ydata().tolist() for line in axes.lines] == places
        ends = [(name, (1, row[1])) for name, row in zip(values, places, strict=True)]
        assert [(item.get_text(), item.xy) for item in axes.texts] == ends
        assert (
            axes.yaxis_inverted() and axes.get_ylabel() == {"es": "puesto", "en": "place"}[language]
        )


def test_seconds_by_cost_draws_medians_and_reach_against_each_cost(language):
    plots.seconds_by_cost(COSTS, {"a": [1.0, 2.0, 6.0], "b": [5.0]})
    for axes, places in zip(
        plt.gcf().axes, ([[0.4, 2], [0.3, 5]], [[0.4, 2], [3, 5]]), strict=True
    ):
        np.testing.assert_allclose(
            [container.lines[0].get_xydata()[0] for container in axes.containers], places
        )
        assert axes.containers[0].lines[2][0].get_segments()[0][:, 1].tolist() == [1, 6]
    assert legend() == ["a (n = 3)", "b (n = 1)"]
    assert (
        plt.gcf().axes[0].get_xlabel()
        == {"es": "parámetros (millones)", "en": "parameters (millions)"}[language]
    )


# where a classifier errs


def test_verdicts_writes_the_counts_that_are_not_zero(language):
    plots.verdicts(VERDICTS)
    numbers, claims = plt.gcf().axes
    assert [
        [item.get_text() for item in axes.texts if item.get_text()] for axes in (numbers, claims)
    ] == [["4", "2"]] * 2
    assert legend() == [text.say(f"verdict.{verdict}") for verdict in ("agrees", "differs")]


def test_deviations_are_in_margins_and_coloured_by_verdict(language):
    def row(name, verdict, low, high, published):
        fields = {"id": name, "verdict": verdict, "published": published, "margin": 0.1}
        return SimpleNamespace(low=low, high=high, theirs=SimpleNamespace(mean=1.0), **fields)

    plots.deviations(
        [
            row("N1", "agrees", 0.95, 1.05, 1.02),
            row("N2", "differs", 0.95, 1.05, 2.0),  # nine margins away: drawn at the edge
            row("N3", "not enough", 0.5, 1.5, 1.0),
            row("N4", "not enough", 0.9, 1.3, 1.1),  # not symmetric around the mean
            row("N5", "calibrated", None, None, 1.0),  # nothing to draw
        ]
    )
    (axes,) = plt.gcf().axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["N1", "N2", "N3", "N4"]
    bars = [line for line in axes.lines if line.get_linewidth() == 5]
    marks = [line for line in axes.lines if line.get_marker() in ("o", "D", "s")]
    assert list(bars[0].get_xdata()) == pytest.approx([-0.5, 0.5])
    assert list(bars[2].get_xdata()) == [-4, 4]
    assert list(bars[3].get_xdata()) == pytest.approx([-1, 3])
    assert [float(mark.get_xdata()[0]) for mark in marks] == pytest.approx([0.2, 4.0, 0.0, 1.0])
    assert legend() == [text.say(f"verdict.{name}") for name in ("agrees", "differs", "not enough")]


def test_deviations_without_any_interval_say_so(language):
    plots.deviations([SimpleNamespace(id="N1", low=None, high=None, margin=0.1)])
    (axes,) = plt.gcf().axes
    assert [label.get_text() for label in axes.texts] == [text.say("plots.no_interval")]


def test_confusion_matrix_writes_each_count_in_its_cell(language):
    matrix = np.arange(100).reshape(10, 10)
    plots.confusion_matrix(matrix)
    (axes,) = plt.gcf().axes
    assert {item.get_position(): item.get_text() for item in axes.texts} == {
        (column, row): str(matrix[row, column]) for row in range(10) for column in range(10)
    }
    np.testing.assert_allclose(
        axes.images[0].get_array(), matrix / matrix.sum(axis=1, keepdims=True)
    )
    assert axes.get_xlabel() == {"es": "clase predicha", "en": "predicted class"}[language]
    assert [label.get_text() for label in axes.get_yticklabels()] == text.class_names()


def test_confusion_comparison_writes_both_counts_and_frames_what_chance_does_not_explain(language):
    published, ours, z = np.full((10, 10), 100), np.full((2, 10, 10), 50), np.zeros((10, 10))
    z[6, 0], z[0, 6], ours[0, 3, 3] = (
        2.5,
        -1.9,
        150,
    )  # the rows of the third class hold 1,100 images in all, its cell 200
    plots.confusion_comparison(published, ours, z)
    axes = plt.gcf().axes[0]
    written = [item.get_text() for item in axes.texts]
    assert written[0::2] == ["100"] * 100 and set(written[1::2]) == {"100", "91", "182"}
    assert [(frame.get_x() + 0.47, frame.get_y() + 0.47) for frame in axes.patches] == [(0, 6)]
    np.testing.assert_allclose(axes.images[0].get_array(), z)
    assert {"es": "media de n = 2", "en": "mean of n = 2"}[language] in plt.gcf().axes[
        1
    ].get_xlabel()


def test_counts_stand_out_from_their_cells():
    matrix = np.tile(np.arange(10) * 7, (10, 1))
    matrix[np.diag_indices(10)] = np.arange(10) ** 3
    plots.confusion_matrix(matrix)
    (axes,) = plt.gcf().axes
    for item in axes.texts:
        column, row = item.get_position()
        cell = axes.images[0].to_rgba(axes.images[0].get_array())[row, column, :3]
        assert contrast(cell, to_rgb(item.get_color())) >= 3


def test_both_counts_stand_out_from_their_cells():
    counts = np.full((10, 10), 100)
    plots.confusion_comparison(counts, counts, np.linspace(-7, 7, 100).reshape(10, 10))
    axes = plt.gcf().axes[0]
    for item in axes.texts:
        column, row = (round(place) for place in item.get_position())
        cell = axes.images[0].to_rgba(axes.images[0].get_array())[row, column, :3]
        assert contrast(cell, to_rgb(item.get_color())) >= 3


def contrast(one, other):
    """WCAG 2.1 contrast ratio."""

    def luminance(colour):
        colour = np.asarray(colour)
        return np.where(colour <= 0.03928, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4) @ [
            0.2126,
            0.7152,
            0.0722,
        ]

    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def test_recall_bars_put_the_hardest_class_on_top(language):
    matrix = np.diag([10] * 10)
    matrix[6, 6], matrix[6, 0] = 4, 6
    plots.recall_bars([matrix, np.diag([10] * 10)])
    (axes,) = plt.gcf().axes
    assert [bar.get_width() for bar in axes.patches] == [70] + [100] * 9
    assert axes.get_yticklabels()[0].get_text() == {"es": "Camisa", "en": "Shirt"}[language]
    assert axes.yaxis_inverted()
    points = np.concatenate([dots.get_offsets() for dots in axes.collections])
    assert sorted(points[:, 0]) == [40] + [100] * 19
    assert (
        axes.get_xlabel() == {"es": "exhaustividad (%), n = 2", "en": "recall (%), n = 2"}[language]
    )


def test_mistakes_shows_the_pictures_of_the_table(language):
    table = pd.DataFrame(
        {"index": [4, 1], "true": [6, 9], "predicted": [0, 7], "confidence": [0.99951, 0.875]}
    )
    plots.mistakes(IMAGES, table)
    shown = [axes.images[0].get_array() for axes in plt.gcf().axes if axes.images]
    np.testing.assert_array_equal(shown, IMAGES[[4, 1], 0])
    captions = [[item.get_text() for item in axes.texts] for axes in plt.gcf().axes]
    assert (
        captions
        == {
            "es": [
                ["es: Camisa", "dice: Camiseta", "> 99.9 %"],
                ["es: Botín", "dice: Zapatilla", "87.5 %"],
            ],
            "en": [
                ["is: Shirt", "says: T-shirt/top", "> 99.9 %"],
                ["is: Ankle boot", "says: Sneaker", "87.5 %"],
            ],
        }[language]
    )


# images


def test_image_grid_takes_tensors_arrays_class_numbers_and_texts(language):
    plots.image_grid(
        torch.tensor(IMAGES), labels=[torch.tensor(9), np.int64(1), 2, "x", "y", "z"], columns=4
    )
    panels = plt.gcf().axes
    assert [len(axes.images) for axes in panels] == [1] * 6 + [0] * 2
    np.testing.assert_array_equal(panels[5].images[0].get_array(), IMAGES[5, 0])
    assert [axes.texts[0].get_text() for axes in panels[:6]] == [
        *np.array(text.class_names())[[9, 1, 2]],
        *"xyz",
    ]


def test_image_grid_gives_all_images_the_same_black_and_white():
    plots.image_grid(IMAGES[:2, 0] * np.array([1, 3]).reshape(2, 1, 1))
    assert len({axes.images[0].get_clim() for axes in plt.gcf().axes}) == 1
    plots.image_grid(IMAGES, value_range=(-1, 1))
    assert plt.gcf().axes[0].images[0].get_clim() == (-1, 1)


def test_reconstructions_names_each_row_and_draws_bytes_and_numbers_alike():
    plots.reconstructions(
        {"bytes": np.full((2, 28, 28), 51, np.uint8), "numbers": torch.full((2, 1, 28, 28), 0.2)}
    )
    panels = plt.gcf().axes
    shown = [axes.images[0] for axes in panels]
    np.testing.assert_allclose(
        [image.get_array() for image in shown], np.full((4, 28, 28), 0.2), rtol=1e-6
    )
    assert {image.get_clim() for image in shown} == {(0, 1)}
    assert [[item.get_text() for item in axes.texts] for axes in panels] == [
        ["bytes"],
        [],
        ["numbers"],
        [],
    ]


def test_long_names_leave_the_columns_of_reconstructions_where_they_are():
    lefts = []
    for name in ("x", "a name as long as three columns of the figure"):
        plots.reconstructions({name: np.zeros((10, 28, 28)), "y": np.zeros((10, 28, 28))})
        plt.gcf().canvas.draw()
        lefts.append([axes.get_position().x0 for axes in plt.gcf().axes])
    np.testing.assert_allclose(*lefts, atol=1e-3)


def test_class_probabilities_draws_the_ten_outputs_and_marks_the_true_class(language):
    probabilities = np.linspace(0, 0.2, 10)
    plots.class_probabilities(IMAGES[0], probabilities, label=9)
    left, right = plt.gcf().axes
    np.testing.assert_allclose([bar.get_width() for bar in right.patches], probabilities)
    assert [bool(bar.get_hatch()) for bar in right.patches] == [False] * 9 + [True]
    assert (
        right.get_yticklabels()[9].get_text() == {"es": "Botín  9", "en": "Ankle boot  9"}[language]
    )
    assert left.texts[0].get_text() == {"es": "es: Botín", "en": "is: Ankle boot"}[language]
    assert right.get_xlabel() == {"es": "probabilidad", "en": "probability"}[language]


# diagrams


def test_network_diagrams_join_every_unit_to_every_unit_of_the_next_layer(language):
    plots.feed_forward_diagram()
    (axes,) = plt.gcf().axes
    assert sum(isinstance(patch, Circle) for patch in axes.patches) == 4 + 3 + 2
    assert len(axes.patches) - 9 == 4 * 3 + 3 * 2
    assert {"es": "capa oculta", "en": "hidden layer"}[language] in texts()
    plots.autoencoder_diagram()
    assert {"es": {"codificador", "decodificador"}, "en": {"encoder", "decoder"}}[
        language
    ] <= texts()
    plots.autoencoder_diagram(64)
    assert {"es": "código latente: 64", "en": "latent code: 64"}[language] in texts()


def test_classifier_diagram_names_the_blocks_and_the_sizes():
    plots.classifier_diagram(IMAGES[0], hidden_sizes=(32,), dropout=0.5, label=3)
    (axes,) = plt.gcf().axes
    assert {"Flatten", "Linear", "ReLU", "Dropout 0.5", "28 × 28", "784", "32", "10"} <= texts()
    marked = [
        patch
        for patch in axes.patches
        if isinstance(patch, Circle) and patch.get_facecolor()[:3] != (1, 1, 1)
    ]
    assert len(marked) == 1
    assert (
        sum(isinstance(patch, Rectangle) for patch in axes.patches) == 1 + 3 + 1 + 2
    )  # blocks and two layers


def test_recalls_of_many_classifiers_stand_by_class_the_hardest_on_top(language):
    recall = np.linspace(0.9, 0.99, 10)
    recall[6] = 0.6
    outlier = np.where(np.arange(10) == 5, 0.1, recall)  # one of three does not move the rows
    plots.recalls_by_class({"1": [recall, outlier], "2": [recall]})
    axes = plt.gcf().axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels[0] == text.class_names()[6] and labels[1] == text.class_names()[0]
    first, second = [line for line in axes.lines if len(line.get_xdata()) >= 10]
    assert len(first.get_xdata()) == 20 and first.get_xdata()[0] == pytest.approx(60)
    assert first.get_marker() != second.get_marker() and len(legend()) == 2


DIAGRAMS = [
    name
    for name in CALLS
    if name.endswith("diagram") and name not in ("volumes_diagram", "batch_norm_diagram")
]


@pytest.mark.parametrize("name", DIAGRAMS)
def test_nothing_of_a_diagram_is_cut_off(name, language):
    CALLS[name]()
    figure = plt.gcf()
    figure.canvas.draw()
    for item in figure.axes[0].texts:
        box = item.get_window_extent()
        assert (
            box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
        ), item.get_text()


def test_the_paths_into_the_valley_are_those_of_pytorch():
    plots.descent_paths()
    sgd, adam = torch.optim.SGD, torch.optim.Adam
    ways = [(sgd, {"lr": 0.07}), (sgd, {"lr": 0.07, "momentum": 0.8}), (adam, {"lr": 0.6})]
    for (kind, settings), line in zip(ways, plt.gcf().axes[0].lines, strict=False):
        place = torch.tensor([-9.0, 1.6], dtype=torch.float64, requires_grad=True)
        optimizer, path = kind([place], **settings), [place.tolist()]
        for _ in range(25):
            optimizer.zero_grad()
            ((place**2 * torch.tensor([1.0, 25.0])).sum() / 2).backward()
            optimizer.step()
            path.append(place.tolist())
        assert np.allclose(np.transpose(line.get_data()), path, atol=1e-6)


def test_the_way_back_adds_up_as_many_products_as_pytorch():
    plots.strides_diagram()
    drawn = [int(item.get_text()) for item in plt.gcf().axes[0].texts if item.get_text().isdigit()]
    ones = torch.ones(1, 1, 2, 2), torch.ones(1, 1, 3, 3)
    counted = torch.nn.functional.conv_transpose2d(*ones, stride=2, output_padding=1)
    assert drawn == counted.int().flatten().tolist()


def test_the_gradients_of_the_small_network_are_those_of_pytorch():
    inputs, *weights = (torch.tensor(item, dtype=torch.float64) for item in SMALL_NETWORK)
    first, second = (item.requires_grad_() for item in weights)
    logits = second @ torch.relu(first @ inputs)
    torch.nn.functional.cross_entropy(logits[None], torch.tensor([0])).backward()
    plots.gradient_diagram(*SMALL_NETWORK, backward=True)
    shown = sorted(float(item.replace("−", "-")) for item in texts() if re.match(r"−?\d", item))
    wanted = [*first.grad.flatten().tolist(), *second.grad.flatten().tolist()]
    assert set(wanted) <= set(shown)
    plots.gradient_diagram(*SMALL_NETWORK)
    assert "$L = -\\ln\\,p_1 = 0.69$" in texts()


def test_pixels_are_written_where_they_stand():
    plots.pixel_numbers(IMAGES[0], 10, 3, size=2)
    whole, part = plt.gcf().axes
    assert whole.patches[0].get_xy() == (2.5, 9.5)
    window = IMAGES[0, 0, 10:12, 3:5]
    assert [item.get_text() for item in part.texts] == [f"{value:.1f}" for value in window.flat]


def test_the_best_constants_are_the_mean_and_the_median(language):
    plots.best_constants([0.0, 0.1, 0.1, 0.2, 1.0])
    squared, best, absolute, middle, _ = plt.gcf().axes[0].lines
    for error, mark, answer in ((squared, best, 0.28), (absolute, middle, 0.1)):
        assert mark.get_xdata()[0] == pytest.approx(answer)
        assert error.get_xdata()[error.get_ydata().argmin()] == pytest.approx(answer, abs=0.006)


def test_a_code_is_drawn_in_rows_of_eight_between_the_two_images(language):
    plots.code_diagram(IMAGES[0], np.arange(20.0), IMAGES[1])
    first, last, code = (np.asarray(image.get_array()) for image in plt.gcf().axes[0].images)
    np.testing.assert_array_equal(first, IMAGES[0, 0])
    np.testing.assert_array_equal(last, IMAGES[1, 0])
    assert code.shape == (3, 8) and code.ravel()[:20].tolist() == list(range(20))
    said = {"es": "código latente", "en": "latent code"}
    assert said[language] in texts()


def test_each_point_is_joined_to_its_projection_on_the_line():
    points, centre, direction = np.array([[0, 0], [1, 0], [1, 1.0]]), [0.5, 0.5], [0.6, 0.8]
    plots.projection(points, centre, direction)
    segments = [line.get_xydata() for line in plt.gcf().axes[0].lines[: len(points)]]
    for point, (start, foot) in zip(points, segments, strict=True):
        assert start.tolist() == point.tolist()
        np.testing.assert_allclose((foot - point) @ direction, 0, atol=1e-12)
        offset = foot - centre
        np.testing.assert_allclose(offset, (offset @ direction) * np.array(direction), atol=1e-12)


def test_batch_norm_gives_one_number_as_many_outputs_as_minibatches_and_then_one():
    plots.batch_norm_diagram()
    norm, wanted = torch.nn.BatchNorm1d(1, eps=1e-12, affine=False), set()
    for batch in ([1.0, 2, 3, 6], [3.0, 5, 7, 9]):
        numbers = torch.tensor(batch)[:, None]
        wanted.add(f"{norm(numbers)[batch.index(3)].item():.2f}".replace("-", "−"))
    norm.running_mean[:], norm.running_var[:] = 4.5, 4.25
    wanted.add(f"{norm.eval()(torch.tensor([[3.0]])).item():.2f}".replace("-", "−"))
    assert len(wanted) == 3 and wanted <= texts()


def test_filters_share_one_scale_with_zero_in_the_middle():
    plots.filters(np.linspace(-0.5, 0.2, 27).reshape(3, 3, 3))
    drawn = [axes.images[0] for axes in plt.gcf().axes if axes.images]
    assert [image.get_clim() for image in drawn] == [(-0.5, 0.5)] * 3


def test_feature_maps_draws_an_image_and_its_channels_in_a_row(language):
    layers = {"first": np.ones((2, 3, 14, 14)), "second": np.full((2, 1, 6, 6), 2.0)}
    plots.feature_maps(IMAGES[:2], layers)
    drawn = [axes.images[0] for axes in plt.gcf().axes if axes.images]
    assert [image.get_array().shape[0] for image in drawn] == [28, 14, 14, 14, 6] * 2
    assert {image.get_clim() for image in drawn[1:4]} == {(0, 1)}
    assert drawn[4].get_clim() == (0, 2)


def test_importance_maps_draws_the_image_and_each_method(language):
    plots.importance_maps(IMAGES[0], {"one": np.eye(28), "two": -3 * np.eye(28)})
    panels = [axes for axes in plt.gcf().axes if axes.images]
    assert [axes.texts[0].get_text() for axes in panels][1:] == ["one", "two"]
    assert panels[2].images[0].get_clim() == (-3, 3)


def test_value_ridges_has_a_ridge_a_layer_and_counts_zeros(language):
    layers = {"a": np.array([0.0, 0.0, 0.0, 1.0]), "b": np.array([1e-3, 10.0])}
    plots.value_ridges({"start": {"g = 1": layers}})
    (axes,) = plt.gcf().axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
    zeros = {"es": "75 % ceros", "en": "75 % zeros"}
    assert zeros[language] in [item.get_text() for item in axes.texts]
    assert len(axes.lines) == 2


def test_interaction_joins_the_runs_and_the_means():
    plots.interaction([{"a": ([0.8, 0.7], [0.9, 0.8]), "b": ([0.9], [0.9])}], ["x", "y"])
    (axes,) = plt.gcf().axes
    heights = [list(line.get_ydata()) for line in axes.lines]
    expected = [[80, 90], [70, 80], [75, 85], [90, 90], [90, 90]]
    np.testing.assert_allclose(heights, expected)
    assert legend() == ["a", "b"]
