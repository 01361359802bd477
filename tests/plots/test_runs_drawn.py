"""The figures of runs, classifiers and verdicts show what they were given, nothing else."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from drawn import (
    COSTS,
    IMAGES,
    SPENT,
    VERDICTS,
    history,
    least_contrast,
    legend,
    lines,
    panels,
    points,
    rows,
    stars,
    written,
)

from fmnist_utils import plots, text
from fmnist_utils.audit.records import ByGroup
from fmnist_utils.training import History

# --- Curves ---------------------------------------------------------------------------------------


def test_curves_draws_the_mean_and_the_band_of_the_seeds():
    plots.curves({"SGD": [history([2.0, 1.0]), history([4.0, 1.5])]}, "val_loss")
    (axes,) = plt.gcf().axes
    (line,) = lines(axes, "val_loss")
    assert line.get_xydata().tolist() == [[1, 3], [2, 1.25]]
    band = axes.collections[0].get_paths()[0].vertices
    assert {tuple(point) for point in band} >= {(1, 2), (1, 4), (2, 1), (2, 1.5)}
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "loss")
    assert legend() == ["SGD (n = 2)", "validation", "minimum to maximum"]


def test_curves_puts_losses_and_accuracies_in_two_panels():
    plots.curves({"Adam": history([2.0, 1.0])}, ["train_loss", "val_loss", "val_accuracy"])
    loss, accuracy = plt.gcf().axes
    assert [line.get_label() for line in loss.lines] == ["train_loss", "val_loss"]
    np.testing.assert_allclose(lines(accuracy, "val_accuracy")[0].get_ydata(), [80, 90])
    assert accuracy.get_ylabel() == "accuracy (%)"
    assert not loss.collections  # one run has no band


def test_curves_tells_models_apart_by_colour_and_marker_and_columns_by_line():
    columns = {"val_loss": "-", "train_loss": ":", "running_loss": "--"}
    plots.curves({"a": history([1.0]), "b": history([2.0])}, list(columns))
    drawn = plt.gcf().axes[0].lines
    looks = {(line.get_color(), line.get_marker(), line.get_linestyle()) for line in drawn}
    assert len(looks) == len(drawn) == 6
    assert {line.get_label(): line.get_linestyle() for line in drawn} == columns


def test_curves_accepts_what_fit_returns_and_runs_that_hold_it():
    one = History([{"epoch": 1, "val_loss": 0.4}, {"epoch": 2, "val_loss": 0.3}])
    plots.curves({"a": [one, SimpleNamespace(history=one)], "b": one}, "val_loss")
    drawn = [line.get_xydata().tolist() for line in plt.gcf().axes[0].lines]
    assert drawn == [[[1, 0.4], [2, 0.3]]] * 2


def test_curves_of_runs_of_different_length_end_with_the_shortest():
    plots.curves({"a": [history([3.0, 2.0, 1.0]), history([3.0, 2.0])]}, "val_loss")
    assert plt.gcf().axes[0].lines[0].get_xdata().tolist() == [1, 2]


def test_curves_marks_the_best_epoch_of_every_run():
    runs = [history([3.0, 1.0, 2.0]), history([3.0, 2.0, 1.5])]
    plots.curves({"a": runs}, ["train_loss", "val_loss", "val_accuracy"], mark_best=True)
    loss, accuracy = plt.gcf().axes
    assert stars(loss) == [[2, 1.0], [3, 1.5]]
    np.testing.assert_allclose(stars(accuracy), [[2, 90], [3, 85]])


def test_curves_names_an_unknown_column_and_the_nearest():
    with pytest.raises(text.UserError, match="val_los'.*val_loss.*'val_loss'"):
        plots.curves({"a": history([1.0])}, "val_los")


def test_curves_draws_the_loss_of_pca_in_the_colour_of_its_name():
    runs = {"a": history([1.0]), "b": history([2.0])}
    plots.curves(runs, ["val_loss", "val_accuracy"], pca={"a": 0.1, "b": 0.2}, log=True)
    loss, accuracy = plt.gcf().axes
    curve = {line.get_color(): line.get_ydata()[0] for line in lines(loss, "val_loss")}
    levels = [line for line in loss.lines if line.get_linestyle() == "-."]
    assert {curve[line.get_color()]: line.get_ydata()[0] for line in levels} == {1: 0.1, 2: 0.2}
    assert (loss.get_yscale(), accuracy.get_yscale()) == ("log", "linear")
    assert len(accuracy.lines) == 2 and legend()[-1] == "PCA of the same size"


# --- Comparing runs -------------------------------------------------------------------------------


def test_intervals_draws_every_seed_the_mean_and_the_published_value():
    plots.intervals({"first": [0.80, 0.82, 0.84], "second": [0.5]}, published=0.81)
    (axes,) = plt.gcf().axes
    seeds = [line for line in axes.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(np.sort(seeds[0].get_xdata()), [80, 82, 84])
    (segment,), (nothing,) = (container.lines[2][0].get_segments() for container in axes.containers)
    np.testing.assert_allclose(segment[:, 0], [80, 84])  # the sample deviation of 80, 82, 84 is 2
    np.testing.assert_allclose(nothing[:, 0], [50, 50])
    dashed = [line for line in axes.lines if line.get_linestyle() == "--"]
    assert [list(line.get_xdata()) for line in dashed] == [[81, 81]]
    assert written(axes) == ["first (n = 3)", "second (n = 1)"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first group is the top row
    assert legend()[-1] == "published"


def test_recorded_groups_are_called_by_their_labels():
    labels = {"model_1": "Model 1: SGD", "model_2": "Model 2: Adam"}
    plots.intervals(ByGroup({"model_1": [0.7, 0.8], "model_2": [0.9]}, labels))
    assert written(plt.gcf().axes[0]) == ["Model 1: SGD (n = 2)", "Model 2: Adam (n = 1)"]
    plots.curves(ByGroup({"model_1": history([1.0])}, labels), "val_loss")
    assert legend()[0] == "Model 1: SGD (n = 1)"


def test_seeds_that_came_out_alike_are_all_seen():
    plots.intervals({"dead": [0.2869, 0.2868, 0.08, 0.2870], "alive": [0.1, 0.12]}, quantity="loss")
    (axes,) = plt.gcf().axes
    dead, alive = [line.get_xydata() for line in axes.lines if line.get_marker() == "o"]
    assert len({round(y, 3) for x, y in dead if x > 0.2}) == 3 and dead[2][1] == min(dead[:, 1])
    assert alive[0][1] == alive[1][1] and dead[:, 1].max() < 0.5 < alive[0][1]


def test_intervals_of_losses_are_not_percent_and_say_what_a_point_stands_for():
    plots.intervals({"a": [0.4, 0.6]}, quantity="loss", each="fold")
    (axes,) = plt.gcf().axes
    assert axes.containers[0].lines[0].get_xdata() == pytest.approx(0.5)
    assert axes.get_xlabel() == "loss" and legend()[0] == "one fold" and len(legend()) == 2


def test_errors_by_size_draws_means_their_reach_pca_and_what_was_published():
    pca, published = {64: 0.01, 128: 0.005}, {64: 0.041, 128: 0.03}
    errors = {"SGD": {128: [0.02], 64: [0.03, 0.05]}}
    plots.errors_by_size(errors, pca=pca, published=published, quantity="l1")
    (axes,) = plt.gcf().axes
    box = axes.containers[0]
    np.testing.assert_allclose(box.lines[0].get_xydata(), [[64, 0.04], [128, 0.02]])
    np.testing.assert_allclose(box.lines[2][0].get_segments()[0][:, 1], [0.03, 0.05])
    marked = [dict(line.get_xydata()) for line in axes.lines if line.get_marker() in "x*"]
    assert marked == [pca, published]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["64", "128"]
    assert axes.get_ylabel() == "mean absolute error"
    assert {"SGD (n = 1)", "PCA", "published"} == set(legend())


def test_accuracy_by_labels_draws_means_and_their_reach_in_percent():
    plots.accuracy_by_labels({"frozen": {500: [0.8], 50: [0.6, 0.7]}})
    (axes,) = plt.gcf().axes
    box = axes.containers[0]
    np.testing.assert_allclose(box.lines[0].get_xydata(), [[50, 65], [500, 80]])
    np.testing.assert_allclose(box.lines[2][0].get_segments()[0][:, 1], [60, 70])
    assert axes.get_xlabel() == "training labels" and legend() == ["frozen (n = 1)"]


def test_accuracy_by_seconds_draws_a_point_a_recipe_and_what_to_compare_it_with():
    recipes = {"short": ([10.0, 30.0, 20.0], [0.9, 0.92, 0.94]), "long": ([100.0], [0.95])}
    plots.accuracy_by_seconds(recipes, {"people": 0.835}, limit=600)
    (axes,) = plt.gcf().axes
    centres = [box.lines[0].get_xydata().tolist() for box in axes.containers]
    assert centres == [[[20, 92]], [[100, 95]]]
    (reach,) = axes.containers[0].lines[2][0].get_segments()
    np.testing.assert_allclose(reach[:, 1], [90, 94])
    assert written(axes) == ["people"] and axes.get_xscale() == "log"
    assert legend() == ["short (n = 3)", "long (n = 1)"] and "validation" in axes.get_ylabel()


def test_by_effort_draws_the_mean_of_the_attempts_and_their_middle_half():
    plots.by_effort({"plain": {3: [0.02, 0.04, 0.06], 1: [0.0, 0.01, 0.02]}})
    (axes,) = plt.gcf().axes
    np.testing.assert_allclose(axes.lines[0].get_xydata(), [[1, 1], [3, 4]])
    band = axes.collections[0].get_paths()[0].vertices
    assert {tuple(point) for point in band} >= {(1, 0.5), (1, 1.5), (3, 3), (3, 5)}
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "3"]
    assert legend() == ["plain (n = 3)"]


def test_shares_are_sorted_and_only_the_largest_shown():
    shares = {("optimizer",): 0.1, ("batch_size", "model.dropout"): 0.6, ("learning_rate",): 0.05}
    plots.shares(shares, most=2)
    (axes,) = plt.gcf().axes
    first = f"{text.say('field.batch_size')} × dropout"
    assert rows(axes) == [first, text.say("field.optimizer")]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([60, 10])


def test_misfit_marks_the_lowest_of_each_row_and_of_all():
    plots.misfit({"relu": [0.5, 0.1, 0.2], "sigmoid": [0.9, 0.8, 0.7]})
    axes = plt.gcf().axes[0]
    np.testing.assert_allclose(axes.images[0].get_array(), [[50, 10, 20], [90, 80, 70]])
    assert [line.get_xydata().tolist() for line in axes.lines] == [[[2, 0], [3, 1]], [[2, 0]]]
    assert written(axes) == ["10 %\nepoch 2", "70 %\nepoch 3"]


def test_times_draws_every_repetition_their_median_and_middle_half():
    ours = {128: [4.0, 1.0, 3.0, 2.0, 9.0], 64: [1.0] * 5}
    plots.times({"resident": ours, "per_image": {64: [7.0] * 5, 128: [8.0] * 5}})
    (axes,) = plt.gcf().axes
    drawn = [line for line in axes.lines if len(line.get_xdata())]  # without the legend's
    medians = [line.get_ydata().tolist() for line in drawn if line.get_marker() in ("o", "s")]
    assert medians == [[1, 3], [7, 8]]
    halves = [line.get_ydata() for line in drawn if line.get_marker() == "None"]
    assert [2, 4] in [[np.nanmin(half), np.nanmax(half)] for half in halves]
    assert sorted(points(axes)[:, 1]) == [1] * 6 + [2, 3, 4] + [7] * 5 + [8] * 5 + [9]
    assert legend() == ["resident (n = 5)", "per_image (n = 5)"] and axes.get_ylim()[0] == 0
    assert axes.get_ylabel() == "seconds per epoch"


def test_losses_by_cost_draws_each_network_in_a_panel_for_each_way_of_counting():
    plots.losses_by_cost({"a": SPENT, "b": SPENT / 2})
    _, updates, multiply_adds, _ = plt.gcf().axes
    drawn = [line.get_xydata().tolist() for line in updates.lines]
    assert drawn == [[[60, 0.2], [120, 0.02]], [[30, 0.1], [60, 0.01]]]
    assert multiply_adds.lines[0].get_xdata().tolist() == [5e9, 1e10]
    assert len({(line.get_color(), line.get_marker()) for line in updates.lines}) == 2
    assert (updates.get_xlabel(), multiply_adds.get_ylabel()) == ("updates", "loss")
    assert legend() == ["a", "b"]


def test_best_epochs_marks_each_run_its_flat_minimum_and_what_was_published():
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
    assert rows(axes) == ["a", "b"] and "within 1 % of the minimum" in legend()


def test_ranks_joins_the_places_of_each_name():
    places = [[2, 3], [1, 2], [3, 1]]
    values = {"a": [0.2, 0.5], "b": [0.1, 0.4], "c": [0.3, 0.1]}
    plots.ranks(values, ["first", "second"])
    (axes,) = plt.gcf().axes
    assert [line.get_ydata().tolist() for line in axes.lines] == places
    ends = [(name, (1, row[1])) for name, row in zip(values, places, strict=True)]
    assert [(item.get_text(), item.xy) for item in axes.texts] == ends
    assert axes.yaxis_inverted() and axes.get_ylabel() == "place"


def test_seconds_by_cost_draws_medians_and_reach_against_each_cost():
    plots.seconds_by_cost(COSTS, {"a": [1.0, 2.0, 6.0], "b": [5.0]})
    expected = [[[0.4, 2], [0.3, 5]], [[0.4, 2], [3, 5]]]
    for axes, places in zip(plt.gcf().axes, expected, strict=True):
        centres = [container.lines[0].get_xydata()[0] for container in axes.containers]
        np.testing.assert_allclose(centres, places)
        assert axes.containers[0].lines[2][0].get_segments()[0][:, 1].tolist() == [1, 6]
    assert legend() == ["a (n = 3)", "b (n = 1)"]
    assert plt.gcf().axes[0].get_xlabel() == "parameters (millions)"


def test_interaction_joins_the_runs_and_the_means():
    plots.interaction([{"a": ([0.8, 0.7], [0.9, 0.8]), "b": ([0.9], [0.9])}], ["x", "y"])
    (axes,) = plt.gcf().axes
    heights = [list(line.get_ydata()) for line in axes.lines]
    np.testing.assert_allclose(heights, [[80, 90], [70, 80], [75, 85], [90, 90], [90, 90]])
    assert legend() == ["a", "b"]


# --- Where a classifier errs, and verdicts --------------------------------------------------------


def test_verdicts_writes_the_counts_that_are_not_zero():
    plots.verdicts(VERDICTS)
    assert [list(filter(None, written(axes))) for axes in plt.gcf().axes] == [["4", "2"]] * 2
    assert legend() == [text.say(f"verdict.{verdict}") for verdict in ("agrees", "differs")]


def test_deviations_are_in_margins_and_coloured_by_verdict():
    columns = ("id", "verdict", "low", "high", "published")
    found = [
        ("N1", "agrees", 0.95, 1.05, 1.02),
        ("N2", "differs", 0.95, 1.05, 2.0),  # nine margins away: drawn at the edge
        ("N3", "not enough", 0.5, 1.5, 1.0),
        ("N4", "not enough", 0.9, 1.3, 1.1),  # not symmetric around the mean
        ("N5", "calibrated", None, None, 1.0),  # nothing to draw
    ]
    same = {"margin": 0.1, "theirs": SimpleNamespace(mean=1.0)}
    plots.deviations([SimpleNamespace(**same, **dict(zip(columns, row))) for row in found])
    (axes,) = plt.gcf().axes
    assert rows(axes) == ["N1", "N2", "N3", "N4"]
    bars = [line for line in axes.lines if line.get_linewidth() == 5]
    marks = [line for line in axes.lines if line.get_marker() in ("o", "D", "s")]
    assert list(bars[0].get_xdata()) == pytest.approx([-0.5, 0.5])
    assert list(bars[2].get_xdata()) == [-4, 4]
    assert list(bars[3].get_xdata()) == pytest.approx([-1, 3])
    assert [float(mark.get_xdata()[0]) for mark in marks] == pytest.approx([0.2, 4.0, 0.0, 1.0])
    assert legend() == [text.say(f"verdict.{name}") for name in ("agrees", "differs", "not enough")]


def test_deviations_without_any_interval_say_so():
    plots.deviations([SimpleNamespace(id="N1", low=None, high=None, margin=0.1)])
    (axes,) = plt.gcf().axes
    assert [label.get_text() for label in axes.texts] == [text.say("plots.no_interval")]


def test_confusion_matrix_writes_each_count_in_its_cell():
    matrix = np.arange(100).reshape(10, 10)
    plots.confusion_matrix(matrix)
    (axes,) = plt.gcf().axes
    counts = {item.get_position()[::-1]: int(item.get_text()) for item in axes.texts}
    assert counts == dict(np.ndenumerate(matrix))
    shares = matrix / matrix.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(axes.images[0].get_array(), shares)
    assert axes.get_xlabel() == "predicted class" and rows(axes) == text.class_names()


def test_confusion_comparison_writes_both_counts_and_frames_what_chance_does_not_explain():
    published, ours, z = np.full((10, 10), 100), np.full((2, 10, 10), 50), np.zeros((10, 10))
    z[6, 0], z[0, 6] = 2.5, -1.9
    ours[0, 3, 3] = 150  # the rows of the third class hold 1,100 images in all, its cell 200
    plots.confusion_comparison(published, ours, z)
    axes, bar = plt.gcf().axes
    assert written(axes)[0::2] == ["100"] * 100
    assert set(written(axes)[1::2]) == {"100", "91", "182"}
    assert [(frame.get_x() + 0.47, frame.get_y() + 0.47) for frame in axes.patches] == [(0, 6)]
    np.testing.assert_allclose(axes.images[0].get_array(), z)
    assert "mean of n = 2" in bar.get_xlabel()


def test_counts_stand_out_from_their_cells():
    matrix = np.tile(np.arange(10) * 7, (10, 1))
    matrix[np.diag_indices(10)] = np.arange(10) ** 3
    plots.confusion_matrix(matrix)
    axes = plt.gcf().axes[0]
    assert least_contrast(axes, axes.texts) >= 3
    counts = np.full((10, 10), 100)
    plots.confusion_comparison(counts, counts, np.linspace(-7, 7, 100).reshape(10, 10))
    axes = plt.gcf().axes[0]
    assert least_contrast(axes, axes.texts) >= 3


def test_recall_bars_put_the_hardest_class_on_top():
    matrix = np.diag([10] * 10)
    matrix[6, 6], matrix[6, 0] = 4, 6
    plots.recall_bars([matrix, np.diag([10] * 10)])
    (axes,) = plt.gcf().axes
    assert [bar.get_width() for bar in axes.patches] == [70] + [100] * 9
    assert rows(axes)[0] == "Shirt" and axes.yaxis_inverted()
    assert sorted(points(axes)[:, 0]) == [40] + [100] * 19
    assert axes.get_xlabel() == "recall (%), n = 2"


def test_recalls_of_many_classifiers_stand_by_class_the_hardest_on_top():
    recall = np.linspace(0.9, 0.99, 10)
    recall[6] = 0.6
    outlier = np.where(np.arange(10) == 5, 0.1, recall)  # one of three does not move the rows
    plots.recalls_by_class({"1": [recall, outlier], "2": [recall]})
    axes = plt.gcf().axes[0]
    assert rows(axes)[:2] == [text.class_names()[6], text.class_names()[0]]
    first, second = [line for line in axes.lines if len(line.get_xdata()) >= 10]
    assert len(first.get_xdata()) == 20 and first.get_xdata()[0] == pytest.approx(60)
    assert first.get_marker() != second.get_marker() and len(legend()) == 2


def test_mistakes_shows_the_pictures_of_the_table():
    columns = {"index": [4, 1], "true": [6, 9], "predicted": [0, 7], "confidence": [0.99951, 0.875]}
    plots.mistakes(IMAGES, pd.DataFrame(columns))
    np.testing.assert_array_equal([p.images[0].get_array() for p in panels()], IMAGES[[4, 1], 0])
    assert [written(axes) for axes in plt.gcf().axes] == [
        ["is: Shirt", "says: T-shirt/top", "> 99.9 %"],
        ["is: Ankle boot", "says: Sneaker", "87.5 %"],
    ]
