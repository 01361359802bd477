"""The statistics of the audit against cases worked by hand, and every measure against a run written out."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

import fmnist_utils.audit as auditing
from fmnist_utils.audit.schema import (
    Claim,
    Condition,
    Measure,
    Number,
    load_across,
    load_report,
    report_names,
)
from fmnist_utils.audit.verdicts import (
    ACROSS,
    Estimate,
    Table,
    Unpaired,
    _audit_claim,
    _audit_number,
    agrees,
    audit,
    by_size,
    cost_table,
    count_open,
    count_verdicts,
    errors_table,
    estimate,
    format_bound,
    format_estimate,
    format_value,
    judge,
    judge_all,
    spending,
    summary,
    table,
    values,
)
from fmnist_utils.text import UserError, say, set_language
from fmnist_utils.training import History

REPORT = load_report("01")
WORDS = {"es": "una medida", "en": "a measure"}


class FakeStore:
    """A store whose runs are computed from the recipe."""

    def __init__(self, run_of):
        self.run_of = run_of

    def find(self, recipe):
        return self.run_of(recipe)


def fake_run(recipe, *, accuracy=0.9, loss=0.3, columns=None, matrix=None):
    columns = columns or {"running_loss": [1.0, 0.5]}
    rows = [dict(zip(columns, row)) for row in zip(*columns.values())]
    return SimpleNamespace(
        recipe=recipe,
        metrics={"test_accuracy": accuracy, "test_loss": loss},
        history=History(rows),
        confusion=matrix,
    )


def measure_of_one_run(run_of, **fields):
    return estimate(REPORT, Measure(of="model_2", **fields), "theirs", FakeStore(run_of))


# --- statistics

SEVERAL = st.lists(st.floats(-100, 100), min_size=2, max_size=9)
FACTOR = st.floats(0.01, 100)


@given(SEVERAL, st.randoms(), st.floats(-100, 100), FACTOR)
@settings(deadline=None)
def test_an_estimate_follows_its_values(values, order, shift, factor):
    """In any order, shifted, scaled: the mean goes along, the widths scale."""
    result = Estimate.of(values)
    moved = [shift + factor * value for value in values]
    order.shuffle(moved)
    other = Estimate.of(moved)
    assert other.mean == pytest.approx(shift + factor * result.mean, abs=1e-6)
    for one_more_run in (True, False):
        width = result.half_width(one_more_run)
        assert width >= 0 and other.half_width(one_more_run) == pytest.approx(
            factor * width, rel=1e-6, abs=1e-6
        )
    assert result.half_width(True) == pytest.approx(
        result.half_width(False) * math.sqrt(result.n + 1)
    )


@given(st.lists(st.floats(0, 1), min_size=2, max_size=9), st.integers(1, 10_000))
@settings(deadline=None)
def test_measuring_on_few_images_only_widens(values, images):
    result = Estimate.of(values)
    for one_more_run in (True, False):
        narrow, wide = result.half_width(one_more_run), result.half_width(one_more_run, images)
        assert narrow <= wide <= narrow + 1.96 * math.sqrt(0.25 / images) + 1e-9


@given(SEVERAL, st.floats(-200, 200), st.floats(0, 5), st.floats(0, 5))
@settings(deadline=None)
def test_agreement_is_symmetric_and_never_lost_to_coarser_rounding(
    values, published, rounding, more
):
    result = Estimate.of(values)
    agreed = agrees(published, rounding, result)
    assert agrees(result.mean, rounding, result)
    assert not agreed or agrees(published, rounding + more, result)
    edge = result.half_width(one_more_run=True) + rounding
    if (
        abs(abs(published - result.mean) - edge) > 1e-6
    ):  # not on the edge itself, where rounding of floats decides
        assert (
            agreed
            == agrees(2 * result.mean - published, rounding, result)
            == (abs(published - result.mean) < edge)
        )


@given(SEVERAL, st.floats(-200, 200), FACTOR)
@settings(deadline=None)
def test_a_condition_and_its_contrary(values, bound, width):
    """Above holds just where below fails; a wider window never fails where a narrower holds; without runs all is open."""
    result = Estimate.of(values)
    above, below, window = (
        Condition(what=WORDS, measure=Measure(of="model_1", metric="test_accuracy"), **bounds)
        for bounds in ({"above": bound}, {"below": bound}, {"above": bound, "below": bound + width})
    )
    contrary = {"holds": "fails", "fails": "holds", "open": "open"}
    assert judge(below, result) == contrary[judge(above, result)]
    if judge(window, result) == "holds":
        assert judge(above, result) == "holds"
    assert {judge(each, None) for each in (above, below, window)} == {"open"}
    outcomes = [judge(each, result) for each in (above, window)]
    verdict = (
        "differs"
        if "fails" in outcomes
        else "cannot be compared"
        if "open" in outcomes
        else "agrees"
    )
    assert judge_all([above, window], [result, result]) == verdict


def test_estimate_by_hand():
    result = Estimate.of([1.0, 2.0, 3.0, 4.0, 5.0])
    assert (result.mean, result.n) == (3.0, 5)
    assert result.sd == pytest.approx(math.sqrt(2.5))
    # t(0.975; 4) = 2.776445
    assert result.half_width(one_more_run=True) == pytest.approx(
        2.776445 * math.sqrt(2.5) * math.sqrt(1.2), rel=1e-6
    )
    assert result.half_width(one_more_run=False) == pytest.approx(
        2.776445 * math.sqrt(2.5 / 5), rel=1e-6
    )


def test_few_runs():
    assert Estimate.of([]) is None
    assert Estimate.of([0.5]) == Estimate(0.5, None, 1)


def test_confidence_interval_equals_scipy():
    values = [0.31, 0.28, 0.35, 0.3]
    low, high = scipy.stats.t.interval(0.95, 3, np.mean(values), scipy.stats.sem(values))
    half = Estimate.of(values).half_width(one_more_run=False)
    assert (np.mean(values) - half, np.mean(values) + half) == pytest.approx((low, high))


def test_prediction_interval_covers_one_more_run_in_95_of_100():
    draws = np.random.default_rng(0).normal(0.89, 0.003, (4000, 6))
    inside = [agrees(row[5], 0.0, Estimate.of(row[:5])) for row in draws]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.012)


def test_rounding_widens_the_interval():
    runs = Estimate.of([0.800, 0.801, 0.799])
    edge = runs.mean + runs.half_width(one_more_run=True)
    assert not agrees(edge + 0.0004, 0.0, runs) and agrees(edge + 0.0004, 0.0005, runs)


def test_published_numbers_know_their_unit_and_their_rounding():
    measure = {"of": "model_1", "metric": "test_accuracy"}
    fields = {
        "id": "N",
        "what": {"es": "a", "en": "a"},
        "where": {"es": "a", "en": "a"},
        "measure": measure,
    }
    number = Number(published="81.0", unit="percent", **fields)
    assert number.value == 0.81 and number.rounding == pytest.approx(0.0005)
    number = Number(published="75", unit="images", **fields)
    assert number.value == 75 and number.rounding == 0.5


def test_a_proportion_of_few_images_has_their_noise_too():
    runs = Estimate.of([0.909, 0.911])
    of_seeds = 12.7062 * runs.sd * math.sqrt(1.5)
    of_images = 1.959964 * math.sqrt(0.91 * 0.09 / 100)
    assert runs.half_width(one_more_run=True, images=100) == pytest.approx(
        math.hypot(of_seeds, of_images), rel=1e-5
    )
    assert not agrees(0.97, 0.005, runs) and agrees(0.97, 0.005, runs, images=100)
    assert not agrees(0.97, 0.005, runs, images=10_000)
    draw = np.random.default_rng(0)
    accuracies = draw.normal(0.91, 0.003, (4000, 6))
    printed = draw.binomial(1000, accuracies[:, 5]) / 1000
    inside = [
        agrees(one, 0.0, Estimate.of(row[:5]), images=1000) for one, row in zip(printed, accuracies)
    ]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.015)


def test_a_number_on_the_very_edge_of_its_interval_is_audited(monkeypatch):
    """Seeds that agree to the last bit, at half a digit from what was printed: no more digits tell the bound from the number."""
    number = REPORT.number("N1-4").model_copy(update={"published": "0.51", "unit": "nats"})
    monkeypatch.setattr(
        auditing,
        "load_report",
        lambda name: REPORT.model_copy(update={"numbers": [number], "claims": []}),
    )
    monkeypatch.setattr(auditing, "estimate", lambda *_: Estimate.of([0.515] * 3))
    (row,) = audit("01")
    assert row.verdict in ("agrees", "differs") and "0.5" in row.reason


def test_the_audit_reads_how_many_images_a_number_was_measured_on():
    few, many = (
        REPORT.model_copy(
            update={
                "numbers": [
                    REPORT.number("N1-4").model_copy(update={"published": "95", "images": images})
                ]
            }
        )
        for images in (100, None)
    )

    def verdict(report):
        store = FakeStore(
            lambda recipe: fake_run(recipe, accuracy=0.893 + 0.001 * (recipe.seed - 2))
        )
        return _audit_number(report, report.numbers[0], store)

    assert (verdict(few).verdict, verdict(many).verdict) == ("agrees", "differs")
    assert "82.7 % and 95.9 %" in verdict(few).reason


def test_a_number_that_nothing_can_be_compared_with_says_why():
    why = {"es": "No se dice en qué equipo.", "en": "The computer is not stated."}
    number = Number(**REPORT.number("N1-4").model_dump() | {"comparable": False, "why": why})
    row = _audit_number(
        REPORT,
        number,
        FakeStore(lambda recipe: fake_run(recipe, accuracy=0.893 + 0.001 * recipe.seed)),
    )
    assert (row.verdict, row.reason, row.theirs.n) == ("cannot be compared", why["en"], 5)


@pytest.mark.parametrize(
    ("values", "bounds", "outcome"),
    [
        ([0.1, 0.11, 0.12], {"above": 0}, "holds"),
        ([-0.1, -0.11, -0.12], {"above": 0}, "fails"),
        ([-0.1, 0.1, 0.05], {"above": 0}, "open"),
        ([0.1, 0.11, 0.12], {"above": 0, "below": 0.2}, "holds"),
        ([0.3, 0.31, 0.32], {"above": 0, "below": 0.2}, "fails"),
        ([1.0, 1.0, 1.0], {"below": 1.5}, "holds"),
        ([1.0], {"below": 1.5}, "open"),
        ([], {"below": 1.5}, "open"),
    ],
)
def test_conditions(values, bounds, outcome):
    condition = Condition(
        what=WORDS, measure=Measure(of="model_1", metric="test_accuracy"), **bounds
    )
    assert judge(condition, Estimate.of(values)) == outcome


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"metric": "test_accuracy", "last": "val_loss"},
        {"metric": "test_accuracy", "minus": "model_2", "over": "model_2"},
        {"minus": "model_2"},
    ],
)
def test_a_measure_is_of_one_quantity(fields):
    with pytest.raises(ValueError, match="one quantity"):
        Measure(of="model_1", **fields)


@pytest.mark.parametrize("bounds", [{}, {"above": 1, "below": 0}])
def test_a_condition_that_always_or_never_holds_is_refused(bounds):
    with pytest.raises(ValueError, match="always or never"):
        Condition(what=WORDS, measure=Measure(of="model_1", metric="test_accuracy"), **bounds)


def test_a_claim_needs_all_its_conditions():
    condition = Condition(
        what=WORDS, measure=Measure(of="model_1", metric="test_accuracy"), above=0
    )
    holds, fails, undecided = Estimate(1, 0.1, 5), Estimate(-1, 0.1, 5), Estimate(0, 1, 5)
    assert judge_all([condition] * 2, [holds, holds]) == "agrees"
    assert judge_all([condition] * 2, [holds, undecided]) == "cannot be compared"
    assert judge_all([condition] * 2, [undecided, fails]) == "differs"


# --- measures


def test_measures_of_the_history():
    columns = {
        "test_loss": [3.0, 1.0, 2.0],
        "train_accuracy": [0.5, 0.8, 0.9],
        "test_accuracy": [0.5, 0.6, 0.7],
        "seconds": [1.0, 2.0, 4.0],
    }

    def run_of(recipe):
        return fake_run(recipe, columns=columns)

    assert measure_of_one_run(run_of, last="watched_loss").mean == 2.0
    assert measure_of_one_run(run_of, lowest="watched_loss").mean == 1.0
    assert measure_of_one_run(run_of, highest="watched_loss").mean == 3.0
    assert measure_of_one_run(run_of, last="watched_loss", minus_lowest="watched_loss").mean == 1.0
    assert measure_of_one_run(run_of, total="seconds", minus_at=("seconds", 1)).mean == 6.0
    assert measure_of_one_run(run_of, total="seconds").mean == 7.0
    assert measure_of_one_run(run_of, at_epoch=("watched_loss", 1)).mean == 3.0
    assert measure_of_one_run(
        run_of, last="train_accuracy", minus_last="watched_accuracy"
    ).mean == pytest.approx(0.2)


def test_falls_and_roughness_look_from_the_tenth_epoch_on():
    def measured(values, **fields):
        return measure_of_one_run(
            lambda recipe: fake_run(recipe, columns={"test_loss": [9.0] * 9 + values}), **fields
        ).mean

    assert measured([1.0, 2.0, 1.0, 3.0, 4.0], falls="watched_loss") == 0.25
    assert (
        measured([1.0, 2.0, 3.0, 4.0, 5.0], roughness="watched_loss") == 0
    )  # a trend is no tremor
    assert measured([0.0, 1.0, 0.0, 0.0], roughness="watched_loss") == pytest.approx(
        math.sqrt((4 + 1) / 2 / 6)
    )


def test_roughness_of_a_noisy_trend_is_the_sd_of_its_noise():
    values = 0.01 * np.arange(4000) + np.random.default_rng(0).normal(0, 0.3, 4000)
    result = measure_of_one_run(
        lambda recipe: fake_run(recipe, columns={"test_loss": values}), roughness="watched_loss"
    )
    assert result.mean == pytest.approx(0.3, rel=0.05)


def test_measures_of_the_confusion_matrix():
    matrix = np.eye(10, dtype=int) * 100
    matrix[6, 6], matrix[6, 0], matrix[6, 2] = 60, 30, 10
    matrix[4, 4], matrix[4, 6] = 80, 20

    def run_of(recipe):
        return fake_run(recipe, matrix=matrix)

    assert measure_of_one_run(run_of, cell=(6, 0)).mean == 30
    assert measure_of_one_run(run_of, recall_rank=6).mean == 1
    assert measure_of_one_run(run_of, recall=6).mean == 0.6
    assert measure_of_one_run(run_of, recall_rank=4).mean == 2
    assert measure_of_one_run(run_of, error_share=(6, (0,))).mean == pytest.approx(0.75)


def test_the_border_is_the_last_row_and_column_of_the_panel():
    picture = np.zeros((28, 28))
    picture[27], picture[:, 27] = 1.0, 1.0
    picture[27, 27] = 56.0  # the corner counts once

    def run_of(recipe):
        run = fake_run(recipe)
        run.has_panel, run.panel = recipe.seed != 3, {"mean_output": picture}
        return run

    border = measure_of_one_run(run_of, border="mean_output")
    assert border.mean == pytest.approx(2.0) and border.n == 4


def test_costs_of_a_training():
    # 784·128 + 128·64 + 64·10 weights and 202 biases; 60,000 images in batches of 100; each weight multiplies once an image
    def measured(**fields):
        return measure_of_one_run(
            lambda recipe: fake_run(recipe, columns={"seconds": [1.0] * 3}), **fields
        ).mean

    weights = 784 * 128 + 128 * 64 + 64 * 10
    assert measured(cost="parameters") == weights + 202
    assert measured(cost="updates") == 3 * 600
    assert measured(cost="multiply_adds") == 3 * 60_000 * weights
    assert measured(cost="image_multiply_adds") == weights
    assert measured(cost="updates", over="model_1") == 1


def test_what_was_spent_after_each_epoch():
    recipe = REPORT.recipe("model_2", "theirs")
    columns = {"seconds": [1.0, 2.0, 3.0], "test_loss": [0.9, 0.5, 0.3]}
    shorter = {"seconds": [3.0, 4.0], "test_loss": [0.7, 0.1]}
    runs = [
        fake_run(recipe, columns={"epoch": [1, 2, 3], **columns}),
        fake_run(recipe, columns={"epoch": [1, 2], **shorter}),
    ]
    spent = spending(runs)
    assert list(spent["epochs"]) == [1, 2] and list(spent["updates"]) == [600, 1200]
    weights = 784 * 128 + 128 * 64 + 64 * 10
    assert list(spent["multiply_adds"]) == [60_000 * weights, 120_000 * weights]
    assert list(spent["seconds"]) == [2.75, 5.5] and spent["test_loss"].tolist() == pytest.approx(
        [0.8, 0.3]
    )


def test_the_costs_of_networks_as_a_table():
    runs = [
        fake_run(REPORT.recipe("model_2", "theirs"), columns={"seconds": seconds})
        for seconds in ([1.0] * 3, [2.0] * 3)
    ]
    shown = cost_table({"a": runs})
    assert shown.loc["a"].tolist() == [
        "109\u202f386",
        "0.11",
        "3",
        "1\u202f800",
        "20",
        "4.5 ± 2.1 (n = 2)",
    ]


def test_of_the_other_group_something_else_can_be_taken():
    columns = {"test_loss": [5.0, 3.0, 2.0], "train_loss": [5.0, 2.0, 0.5]}

    def measured(**fields):
        return measure_of_one_run(lambda recipe: fake_run(recipe, columns=columns), **fields).mean

    late = {"at_epoch": ("watched_loss", 3)}
    assert measured(at_epoch=("watched_loss", 1), minus="model_1", take_other=late) == 3.0
    # how much a gap grew, of one group: (2.0 − 0.5) − (3.0 − 2.0)
    early = {"at_epoch": ("watched_loss", 2), "minus_at": ("train_loss", 2)}
    assert measured(**late, minus_at=("train_loss", 3), minus="model_2", take_other=early) == 0.5
    with pytest.raises(ValueError, match="at_epok"):
        Measure(of="model_1", metric="test_loss", minus="model_2", take_other={"at_epok": 3})


def test_comparisons_are_paired_by_seed():
    def run_of(recipe):
        adam = recipe.optimizer == "adam"
        if adam and recipe.seed == 3:
            return None
        return fake_run(recipe, accuracy=0.8 + 0.01 * recipe.seed + (0.05 if adam else 0))

    difference = measure_of_one_run(run_of, metric="test_accuracy", minus="model_1")
    assert (
        difference.mean == pytest.approx(0.05)
        and difference.sd == pytest.approx(0, abs=1e-12)
        and difference.n == 4
    )
    assert measure_of_one_run(run_of, metric="test_accuracy", over="model_1").mean == pytest.approx(
        1.06, abs=0.01
    )


def test_several_groups_count_as_their_mean_for_the_seeds_that_all_have():
    def run_of(recipe):
        if recipe.num_epochs == 60 and recipe.seed == 4:
            return None
        return fake_run(
            recipe,
            accuracy={"sgd": 0.8, "adam": 0.9}[recipe.optimizer] + 0.02 * (recipe.num_epochs == 60),
        )

    both = {"metric": "test_accuracy", "minus": ["model_2", "model_3"]}
    result = estimate(REPORT, Measure(of="model_1", **both), "theirs", FakeStore(run_of))
    assert result.mean == pytest.approx(0.8 - 0.91) and result.n == 4


def test_the_best_epoch_and_what_comes_after_it():
    columns = {"test_loss": [3.0, 1.0, 2.0, 4.0], "train_loss": [2.0, 0.9, 0.5, 0.2]}

    def measured(**fields):
        return measure_of_one_run(lambda recipe: fake_run(recipe, columns=columns), **fields).mean

    assert measured(best_epoch="watched_loss") == 2 and measured(best_epoch="train_loss") == 4
    assert measured(after_best=("train_loss", 1)) == pytest.approx(-0.4)
    assert measured(after_best=("watched_loss", 10)) == 3  # the run ends before that
    assert measured(metric="test_accuracy", minus_metric="test_loss") == pytest.approx(0.9 - 0.3)


# --- across reports


def test_two_groups_that_do_not_pair_up_are_compared_as_welch_does():
    first, second = [0.921, 0.924, 0.919], [0.888, 0.890, 0.887, 0.892, 0.889]
    found = Unpaired.compare(Estimate.of(first), Estimate.of(second))
    low, high = scipy.stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    half = found.half_width(one_more_run=False)
    assert (found.mean - half, found.mean + half) == pytest.approx((low, high))
    assert found.sd == pytest.approx(math.hypot(np.std(first, ddof=1), np.std(second, ddof=1)))
    assert format_estimate(found, "points") == "+3.21 ± 0.32 (n = 3 and 5, unpaired)"
    assert found.half_width(one_more_run=True) > half


def test_unpaired_without_spread_or_with_a_single_run():
    exact = Unpaired.compare(Estimate(4000.0, 0.0, 3), Estimate(400.0, 0.0, 5), ratio=True)
    assert exact.mean == 10 and exact.half_width(one_more_run=False) == 0
    alone = Unpaired.compare(Estimate(0.9, None, 1), Estimate(0.8, 0.01, 5))
    assert alone.sd is None and alone.half_width(one_more_run=False) == math.inf


def test_the_error_of_a_ratio_is_that_of_many_draws():
    draw = np.random.default_rng(0)
    ratios = draw.normal(5.0, 0.1, 20_000) / draw.normal(2.0, 0.05, 20_000)
    assert Unpaired.compare(
        Estimate(5.0, 0.1, 9), Estimate(2.0, 0.05, 9), ratio=True
    ).sd == pytest.approx(ratios.std(), rel=0.03)


def test_a_measure_names_groups_of_other_reports():
    """By seed within a report, by means between two; the data of the runs say which seeds are compared."""

    def run_of(recipe):
        network = {"ff_classifier": 0.8, "cnn": 0.9}[recipe.model.name]
        return fake_run(
            recipe, accuracy=network + 0.01 * recipe.seed + 0.05 * (recipe.optimizer == "adam")
        )

    store = FakeStore(run_of)
    paired = Measure(of="01/model_2", metric="test_accuracy", minus="01/model_1")
    result = estimate(load_across(), paired, "theirs", store)
    assert type(result) is Estimate and result.sd == pytest.approx(0, abs=1e-12) and result.n == 5
    between = Measure(of="05/nahuel", metric="test_accuracy", minus="01/model_2")
    for report in (load_across(), load_report("05"), REPORT):
        result = estimate(report, between, "theirs", store)
        assert isinstance(result, Unpaired) and result.runs == "3 and 5, unpaired"
        assert result.mean == pytest.approx(0.1 + 0.01 - 0.02) and result.n == 3
    same = estimate(
        REPORT, Measure(of="model_2", metric="test_accuracy", minus="01/model_1"), "theirs", store
    )
    assert type(same) is Estimate
    assert estimate(load_across(), between, "theirs", FakeStore(lambda recipe: None)) is None
    with pytest.raises(ValueError, match="01/model_1, 05/juan"):
        Measure(of=["01/model_1", "05/juan"], metric="test_accuracy")


def test_the_cost_of_one_image_is_that_of_the_network_alone():
    measure = Measure(of="05/juan", cost="image_multiply_adds", over="01/model_2")
    store = FakeStore(lambda recipe: fake_run(recipe, columns={"seconds": [1.0] * 3}))
    result = estimate(load_across(), measure, "theirs", store)
    assert (
        result.mean == pytest.approx((784 * 512 + 512 * 10) / (784 * 128 + 128 * 64 + 64 * 10))
        and result.sd == 0
    )


def test_a_condition_may_be_measured_under_one_protocol_in_any_case():
    measure = Measure(of="model_2", metric="test_accuracy")
    fields = {"id": "C", "text": WORDS, "why": WORDS}
    fixed, free = (
        {"what": WORDS, "measure": measure, "above": 0.85} | more
        for more in ({"protocol": "ours"}, {})
    )
    ours = FakeStore(
        lambda recipe: (
            fake_run(recipe, accuracy=0.9 + 0.001 * recipe.seed) if recipe.data.val_size else None
        )
    )
    row = _audit_claim(REPORT, Claim(check=[fixed], **fields), ours)
    assert row.verdict == "agrees" and row.theirs is None and row.ours.n == 5 and row.open == ""
    row = _audit_claim(REPORT, Claim(check=[free], **fields), ours)
    assert (row.verdict, row.open) == (
        "cannot be compared",
        "runs",
    ) and "Under our protocol: agrees" in row.reason
    row = _audit_claim(
        REPORT,
        Claim(check=[free | {"above": 0.902}], **fields),
        FakeStore(lambda r: ours.find(r) or fake_run(r)),
    )
    assert (
        row.verdict == "differs" and "Under our protocol: cannot" in row.reason
    )  # all measured, and not decided


def test_the_claims_across_the_reports_without_records():
    rows = audit(ACROSS, FakeStore(lambda recipe: None))
    assert [row.id for row in rows] == [claim.id for claim in load_across().claims] and len(
        rows
    ) >= 7
    assert count_open(rows) == {"runs": len(rows), "undecided": 0, "report": 0}
    with pytest.raises(UserError, match=f"{report_names()[-1]}, across"):
        audit("99")


def test_the_whole_audit_is_that_of_each_report_and_of_what_stands_across():
    store = FakeStore(lambda recipe: None)
    rows = audit(store=store)
    apart = [row for name in (*report_names(), ACROSS) for row in audit(name, store)]
    assert rows == apart
    assert sum(count_open(rows).values()) == len(rows) and count_open(rows)["report"] > 0


# --- the whole audit


def test_without_records_nothing_is_decided_and_nothing_breaks():
    rows = audit("01", FakeStore(lambda recipe: None))
    assert len(rows) == 15
    assert {row.verdict for row in rows} == {"cannot be compared"}
    assert count_verdicts(rows)["claim"] == {"agrees": 0, "differs": 0, "cannot be compared": 8}


def test_a_published_number_inside_and_outside():
    def run_of(recipe):
        names = [
            f"{part}_{metric}"
            for part in ("train", recipe.watch)
            for metric in ("loss", "accuracy")
        ]
        columns = {name: [0.8] * 30 for name in ["seconds", *names]}
        accuracy = 0.893 + 0.001 * (recipe.seed - 2)
        return fake_run(
            recipe, accuracy=accuracy, columns=columns, matrix=np.eye(10, dtype=int) + 1
        )

    verdicts = {row.id: row.verdict for row in audit("01", FakeStore(run_of))}
    assert verdicts["N1-4"] == "agrees" and verdicts["N1-2"] == "differs"


def test_both_languages_and_the_form_of_the_json():
    store = FakeStore(lambda recipe: None)
    english = audit("01", store)
    set_language("es")
    spanish = audit("01", store)
    assert [row.id for row in english] == [row.id for row in spanish]
    assert all(a.reason != b.reason for a, b in zip(english, spanish))
    keys = {"report", "id", "kind", "published", "theirs", "ours", "verdict", "reason"}
    assert keys <= set(english[0].to_json())
    assert list(table(spanish).columns) == [
        "qué",
        "publicado",
        "su protocolo",
        "nuestro protocolo",
        "veredicto",
        "por qué",
    ]


def test_tables_for_the_page():
    runs = {
        "a": [fake_run(None, accuracy=0.9), fake_run(None, accuracy=0.8)],
        "b": [fake_run(None)],
    }
    assert values(runs, "test_accuracy") == {"a": [0.9, 0.8], "b": [0.9]}
    assert values(runs, "running_loss")["b"] == [0.5]
    chosen = {
        "a": [SimpleNamespace(record=SimpleNamespace(selected_epoch=epoch)) for epoch in (9, 12)]
    }
    assert values(chosen, "selected_epoch") == {"a": [9, 12]}
    assert summary(chosen, ["selected_epoch"]).loc["a", "best epoch"] == "10.5 ± 2.1 (n = 2)"
    shown = summary(runs, ["test_accuracy", "test_loss"])
    assert (
        shown.loc["a", "accuracy % (test)"] == "85.0 ± 7.1 (n = 2)"
        and shown.loc["b", "loss (test)"] == "0.300 (n = 1)"
    )
    autoencoder = fake_run(SimpleNamespace(model=SimpleNamespace(latent_dim=64)), loss=0.04)
    assert by_size({"64 units": [autoencoder] * 2}, "test_loss") == {64: [0.04, 0.04]}
    autoencoder = SimpleNamespace(metrics={"test_loss": 0.04118, "test_dead_units": 3.0})
    shown = summary({"a": [autoencoder]}, ["test_loss", "test_dead_units"], unit="error")
    assert list(shown.loc["a"]) == ["0.0412 (n = 1)", "3.0 (n = 1)"]
    assert (
        "..." not in errors_table(REPORT)._repr_html_()
        and list(errors_table(REPORT).index)[0] == "E1-1"
    )
    numbers = table(
        [row for row in audit("01", FakeStore(lambda recipe: None)) if row.kind == "number"]
    )
    assert (
        numbers.loc["N1-2", "published"] == "81.0 %" and numbers.loc["N1-1", "published"] == "0.51"
    )


def test_a_table_shows_texts_whole_and_safe():
    columns = {
        say("audit.what"): ["a < b"],
        "ours": ["1.0 ± 0.1 (n = 5)"],
        say("audit.reason"): ["because " * 50],
    }
    shown = Table(columns, index=pd.Index(["N1"], name="id"))._repr_html_()
    assert '">a &lt; b</td>' in shown and shown.count("because") == 50
    assert 'data-label="ours">1.0&nbsp;±&nbsp;0.1 (n&nbsp;=&nbsp;5)</td>' in shown
    assert 'colspan="3">because' in shown and shown.count("<th ") == 4


def test_code_in_a_text_is_shown_as_code():
    shown = Table(
        {"error": ["write `a = <b>` (n = 5), not `"]}, index=pd.Index(["E1"], name="id")
    )._repr_html_()
    assert "write <code>a = &lt;b&gt;</code> (n&nbsp;=&nbsp;5), not `</td>" in shown


def test_formats():
    assert format_value(0.81, "percent") == "81.0 %"
    assert format_value(0.083, "points") == "+8.30 points"
    assert format_estimate(Estimate(0.893, 0.0021, 5), "percent") == "89.3 ± 0.2 (n = 5)"
    assert format_estimate(None, "percent") == "—"
    assert [
        format_bound(0.003, "points"),
        format_bound(0.9, "percent"),
        format_bound(0, "nats"),
    ] == [
        "0.3 points",
        "90 %",
        "0",
    ]


def test_a_number_just_outside_does_not_read_as_the_bound():
    fields = {
        "id": "N1-2",
        "what": {"es": "…", "en": "…"},
        "where": {"es": "…", "en": "…"},
        "unit": "percent",
    }
    number = Number(
        **fields, published="90.54", measure={"of": "model_2", "metric": "test_accuracy"}
    )
    # Five runs of deviation 0.158 %: one more would fall within 2.776 × √(6/5) deviations, and half a hundredth.
    store = FakeStore(lambda recipe: fake_run(recipe, accuracy=0.898 + 0.001 * recipe.seed))
    row = _audit_number(REPORT, number, store)
    assert row.verdict == "differs" and "89.51 % to 90.49 %" in row.reason
    inside = _audit_number(REPORT, number.model_copy(update={"published": "90.48"}), store)
    assert inside.verdict == "agrees" and "89.5 % and 90.5 %" in inside.reason
