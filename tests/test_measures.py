"""What is measured of a run, and how two groups of runs are compared."""

import math

import numpy as np
import pytest
from fake_runs import REPORT, WORDS, FakeStore, audit_of, fake_run, one_run

from fmnist_utils import audit
from fmnist_utils.audit import verdicts
from fmnist_utils.audit.forms import Claim, Condition
from fmnist_utils.audit.measures import QUANTITIES, Measure, read_quantity
from fmnist_utils.audit.schema import load_across, load_report
from fmnist_utils.text import UserError


def test_quantities_of_the_history():
    columns = {
        "test_loss": [3.0, 1.0, 2.0],
        "train_accuracy": [0.5, 0.8, 0.9],
        "test_accuracy": [0.5, 0.7, 0.6],
        "seconds": [1.0, 2.0, 4.0],
    }

    def of(quantity):
        return one_run(quantity, columns=columns)

    assert of({"last": "watched_loss"}) == 2.0 and of({"lowest": "watched_loss"}) == 1.0
    assert of({"highest": "watched_loss"}) == 3.0
    assert of({"at_epoch": ["watched_loss", 1]}) == 3.0
    assert of({"median": "seconds"}) == 3.0  # without the epoch that warms up
    assert of({"training": "seconds"}) == 6.0
    assert of({"best_epoch": "watched_loss"}) == 2 and of({"most_at": "watched_accuracy"}) == 2
    assert of({"best_within": ["watched_loss", 1, 2]}) == 1
    assert of({"best_within": ["watched_loss", 3, 9]}) == 0
    assert of({"after_best": ["train_accuracy", 1]}) == pytest.approx(0.1)
    assert of({"after_best": ["watched_loss", 10]}) == 1  # the run ends before that
    gap = Measure(of="model_2", last="train_accuracy", less={"last": "watched_accuracy"})
    run = fake_run(REPORT.recipe("model_2", "theirs"), columns=columns)
    assert gap.of_run(run) == pytest.approx(0.3) and gap.scale == "plain"


def test_falls_and_roughness_look_from_the_tenth_epoch_on():
    def of(name, values):
        return one_run({name: "watched_loss"}, columns={"test_loss": [9.0] * 9 + values})

    assert of("falls", [1.0, 2.0, 1.0, 3.0, 4.0]) == 0.25
    assert of("roughness", [1.0, 2.0, 3.0, 4.0, 5.0]) == 0  # a trend is no tremor
    assert of("roughness", [0.0, 1.0, 0.0, 0.0]) == pytest.approx(math.sqrt((4 + 1) / 2 / 6))
    # Rising by 2 and by 0 in turn: it never falls, and half of its steps are below its trend.
    assert of("falls", [0.0, 2.0, 2.0, 4.0, 4.0, 6.0]) == 0
    assert of("detrended_falls", [0.0, 2.0, 2.0, 4.0, 4.0, 6.0]) == pytest.approx(0.4)


def test_roughness_of_a_noisy_trend_is_the_sd_of_its_noise():
    values = 0.01 * np.arange(4000) + np.random.default_rng(0).normal(0, 0.3, 4000)
    found = one_run({"roughness": "watched_loss"}, columns={"test_loss": values})
    assert found == pytest.approx(0.3, rel=0.05)


def test_quantities_of_the_confusion_matrix():
    matrix = np.eye(10, dtype=int) * 100
    matrix[6, 6], matrix[6, 0], matrix[6, 2] = 60, 30, 10
    matrix[4, 4], matrix[4, 6] = 80, 20

    def of(quantity):
        return one_run(quantity, matrix=matrix)

    assert of({"cell": [6, 0]}) == 30 and of({"recall": 6}) == 0.6
    assert of({"among_worst": [6, 1]}) == 1 and of({"among_worst": [4, 1]}) == 0
    assert of({"among_worst": [4, 2]}) == 1 and of({"among_best": [4, 3]}) == 0
    assert of({"among_best": [1, 1]}) == 1
    assert of({"error_share": [6, [0]]}) == pytest.approx(0.75)
    assert of({"errors": [6, 4]}) == 60
    with pytest.raises(ValueError, match="confusion"):
        one_run({"recall": 6})


def test_the_border_is_the_last_row_and_column_of_the_panel():
    picture = np.zeros((28, 28))
    picture[27], picture[:, 27] = 1.0, 1.0
    picture[27, 27] = 56.0  # the corner counts once

    def run_of(recipe):
        run = fake_run(recipe)
        run.has_panel, run.panel = recipe.seed != 3, {"mean_output": picture}
        return run

    measure = Measure(of="model_2", border="mean_output")
    found = audit_of(REPORT, run_of).estimate(measure, "ours")
    assert found.mean == pytest.approx(2.0) and found.n == 4


def test_costs_of_a_training():
    # 784·128 + 128·64 + 64·10 weights and 202 biases; 60,000 images in batches of 100; each weight
    # multiplies once an image
    weights = 784 * 128 + 128 * 64 + 64 * 10
    wanted = {
        "parameters": weights + 202,
        "updates": 3 * 600,
        "multiply_adds": 3 * 60_000 * weights,
        "image_multiply_adds": weights,
    }
    for name, value in wanted.items():
        assert one_run({"cost": name}, columns={"seconds": [1.0] * 3}) == value
    store = FakeStore(lambda recipe: fake_run(recipe, columns={"seconds": [1.0] * 3}))
    measure = Measure(of="05/juan", cost="image_multiply_adds", over="01/model_2")
    found = audit.estimate(load_across(), measure, "theirs", store)
    assert found.mean == pytest.approx((784 * 512 + 512 * 10) / weights)
    assert found.interval() == (found.mean, found.mean)
    assert "±" not in audit.format_estimate(found, "ratio")


def test_every_quantity_says_what_it_is_and_how_it_spreads():
    for name, quantity in QUANTITIES.items():
        assert quantity.__doc__ and name in quantity.model_fields
    for unknown in ({}, {"metrik": "a"}, {"metric": "a", "last": "b"}, 3):
        with pytest.raises(UserError, match="one quantity"):
            read_quantity(unknown)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "one quantity"),
        ({"metric": "test_accuracy", "last": "val_loss"}, "one quantity"),
        ({"metric": "test_accuracy", "minus": "model_2", "over": "model_2"}, "not by both"),
        ({"metric": "test_accuracy", "of": ["01/model_1", "05/juan"]}, "01/model_1, 05/juan"),
        ({"metric": "test_accuracy", "other": {"metrik": "a"}}, "metrik"),
    ],
)
def test_a_measure_is_of_one_quantity_and_one_comparison(fields, told):
    with pytest.raises(ValueError, match=told):
        Measure(**{"of": "model_1"} | fields)


def test_only_runs_that_belong_together_are_compared_seed_by_seed():
    def run_of(recipe):
        adam = recipe.optimizer == "adam"
        if adam and recipe.seed == 3:
            return None
        return fake_run(recipe, accuracy=0.8 + 0.01 * recipe.seed + (0.05 if adam else 0))

    both = {"of": "model_2", "metric": "test_accuracy"}
    apart, paired, ratio = (
        audit_of(REPORT, run_of).estimate(Measure(**both, **more), "ours")
        for more in (
            {"minus": "model_1"},
            {"minus": "model_1", "paired": True},
            {"over": "model_1", "paired": True},
        )
    )
    assert paired.mean == pytest.approx(0.05) and paired.sd == pytest.approx(0, abs=1e-12)
    assert paired.n == 4 and ratio.mean == pytest.approx(1.06, abs=0.01)
    assert apart.sd > 0.01 and apart.runs == "4 and 5, unpaired"


def test_several_groups_count_as_their_mean_or_their_extremes():
    def run_of(recipe):
        if recipe.num_epochs == 60 and recipe.seed == 4:
            return None
        base = {"sgd": 0.8, "adam": 0.9}[recipe.optimizer]
        return fake_run(recipe, accuracy=base + 0.02 * (recipe.num_epochs == 60))

    def of(together):
        three = ["model_1", "model_2", "model_3"]
        measure = Measure(of=three, metric="test_accuracy", together=together)
        return audit_of(REPORT, run_of).estimate(measure, "ours")

    assert of("mean").mean == pytest.approx((0.8 + 0.9 + 0.92) / 3) and of("mean").n == 4
    assert of("lowest").mean == pytest.approx(0.8) and of("highest").mean == pytest.approx(0.92)


def test_of_the_other_group_something_else_can_be_taken():
    columns = {"test_loss": [5.0, 3.0, 2.0], "train_loss": [5.0, 2.0, 0.5]}

    def run_of(recipe):
        return fake_run(recipe, columns=columns)

    early, late = {"at_epoch": ("watched_loss", 1)}, {"at_epoch": ("watched_loss", 3)}
    measure = Measure(of="model_2", **early, minus="model_1", other=late)
    assert audit_of(REPORT, run_of).estimate(measure, "theirs").mean == pytest.approx(3.0)
    # how much a gap grew, of one group: (2.0 − 0.5) − (3.0 − 2.0)
    growth = Measure(
        of="model_2",
        **late,
        less={"at_epoch": ("train_loss", 3)},
        minus="model_2",
        other={"at_epoch": ("watched_loss", 2)},
        other_less={"at_epoch": ("train_loss", 2)},
        paired=True,
    )
    assert audit_of(REPORT, run_of).estimate(growth, "theirs").mean == pytest.approx(0.5)


def test_a_measure_names_groups_of_other_reports():
    def run_of(recipe):
        network = {"ff_classifier": 0.8, "cnn": 0.9}[recipe.model.name]
        adam = 0.05 * (recipe.optimizer == "adam")
        return fake_run(recipe, accuracy=network + 0.01 * recipe.seed + adam)

    store = FakeStore(run_of)
    between = Measure(of="05/nahuel", metric="test_accuracy", minus="01/model_2")
    for report in (load_across(), load_report("05"), REPORT):
        found = audit.estimate(report, between, "theirs", store)
        assert found.runs == f"3 and {len(REPORT.groups['model_2'].all_seeds('theirs'))}, unpaired"
    none = audit.estimate(load_across(), between, "theirs", FakeStore(lambda recipe: None))
    assert none is None


def test_two_networks_are_compared_image_by_image_where_their_predictions_are_kept(monkeypatch):
    labels = np.zeros(100, int)
    monkeypatch.setattr(verdicts, "test_labels", lambda: labels)

    def run_of(recipe):
        run = fake_run(recipe, accuracy=0.9)
        run.record.predictions_sha256 = "kept"
        run.predictions = np.zeros(100, np.uint8)
        run.predictions[: 30 if recipe.optimizer == "sgd" else 2] = 1
        return run

    measure = {"of": "model_2", "metric": "test_accuracy", "minus": "model_1"}
    check = [Condition(what=WORDS, measure=measure, above=0, mcnemar=True)]
    row = audit_of(REPORT, run_of).claim(Claim(id="C", text=WORDS, why=WORDS, check=check))
    assert "of 10 pairs of networks the first wins clearly in 10 and the second in 0" in row.reason
