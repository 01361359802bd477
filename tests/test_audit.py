"""The statistics of the audit against cases worked by hand, every quantity against a run written out, every rule of a verdict."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from independent_audit import CLAIMS, NUMBERS, verdict_on_claim, verdict_on_number

from fmnist_utils import audit
from fmnist_utils.audit import verdicts
from fmnist_utils.audit.estimates import Estimate, hits_in_few, joint, mcnemar, pooled, to_scale
from fmnist_utils.audit.forms import Claim, Condition, Number
from fmnist_utils.audit.margins import load_margins
from fmnist_utils.audit.measures import QUANTITIES, Measure, read_quantity
from fmnist_utils.audit.schema import load_across, load_report
from fmnist_utils.audit.verdicts import Audit, judge, judge_all
from fmnist_utils.text import UserError, say, set_language
from fmnist_utils.training import History

REPORT = load_report("01")
WORDS = {"es": "una medida", "en": "a measure"}
ACCURACY = {"of": "model_1", "metric": "test_accuracy"}


class FakeStore:
    """A store whose runs are computed from the recipe."""

    def __init__(self, run_of):
        self.run_of = run_of

    def find(self, recipe):
        return self.run_of(recipe)


def fake_run(recipe, *, accuracy=0.9, loss=0.3, columns=None, matrix=None):
    columns = columns or {"running_loss": [1.0, 0.5]}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return SimpleNamespace(
        id="0" * 64,
        recipe=recipe,
        metrics={"test_accuracy": accuracy, "test_loss": loss},
        history=History(rows),
        confusion=matrix,
        record=SimpleNamespace(predictions_sha256=None),
    )


def audit_of(report, run_of):
    return Audit(report, FakeStore(run_of), load_margins())


def one_run(quantity, **run):
    """Return a quantity of a run written out."""
    return read_quantity(quantity).of(fake_run(REPORT.recipe("model_2", "theirs"), **run))


def number(published, unit, measure=None, **fields):
    words = {"id": "N9-1", "what": WORDS, "where": WORDS}
    return Number(published=published, unit=unit, measure=measure or ACCURACY, **words, **fields)


def verdict_on(number, values, report=REPORT):
    """Return the row of a number whose runs, one a seed, have these accuracies."""

    def run_of(recipe):
        return fake_run(recipe, accuracy=values[recipe.seed]) if recipe.seed < len(values) else None

    return audit_of(report, run_of).number(number)


# --- intervals

SEVERAL = st.lists(st.floats(-100, 100), min_size=2, max_size=9)
SHARES = st.lists(st.floats(0, 1), min_size=2, max_size=9)


@given(SEVERAL, st.randoms(), st.floats(-100, 100), st.floats(0.01, 100))
@settings(deadline=None)
def test_an_estimate_follows_its_values(values, order, shift, factor):
    """In any order, shifted, scaled: the mean goes along, the widths scale."""
    moved = [shift + factor * value for value in values]
    order.shuffle(moved)
    one, other = Estimate.of(values), Estimate.of(moved)
    assert other.mean == pytest.approx(shift + factor * one.mean, abs=1e-6)
    for one_more_run in (True, False):
        width = one.half_width(one_more_run)
        assert other.half_width(one_more_run) == pytest.approx(factor * width, rel=1e-5, abs=1e-6)
    assert one.half_width(True) == pytest.approx(one.half_width(False) * math.sqrt(one.n + 1))


@given(SHARES)
@settings(deadline=None)
def test_the_interval_of_a_share_stays_within_0_and_1(values):
    low, high = Estimate.of(values, "share").interval(one_more_run=True)
    assert 0 <= low <= high <= 1


@given(st.lists(st.integers(1, 60), min_size=2, max_size=9))
@settings(deadline=None)
def test_the_interval_of_an_epoch_stays_positive_and_has_a_width(epochs):
    low, high = Estimate.of([float(each) for each in epochs], "log", grain=1).interval(True)
    assert 0 < low < high


def test_intervals_are_scipys():
    values = [0.31, 0.28, 0.35, 0.3]
    wanted = scipy.stats.t.interval(0.95, 3, np.mean(values), scipy.stats.sem(values))
    assert Estimate.of(values).interval() == pytest.approx(wanted)
    logs = np.log(values)
    wanted = scipy.stats.t.interval(0.95, 3, logs.mean(), logs.std(ddof=1) * math.sqrt(1.25))
    assert Estimate.of(values, "log").interval(True) == pytest.approx(np.exp(wanted))
    events = Estimate.of([1.0, 1.0, 1.0, 0.0], "event").interval()
    assert events == pytest.approx((0.1941, 0.9937), abs=1e-4)  # Clopper and Pearson, 3 of 4


def test_one_more_run_falls_within_in_95_of_100():
    chance = np.random.default_rng(0)
    for scale, draws in (
        ("plain", chance.normal(0.89, 0.003, (2000, 6))),
        ("log", np.exp(chance.normal(-1.4, 0.1, (2000, 6)))),
        ("share", 1 / (1 + np.exp(-chance.normal(2.0, 0.3, (2000, 6))))),
    ):
        inside = [Estimate.of(list(row[:5]), scale).p_value(row[5]) >= 0.05 for row in draws]
        assert np.mean(inside) == pytest.approx(0.95, abs=0.017), scale


def test_two_groups_are_compared_as_welch_does():
    first, second = [0.921, 0.924, 0.919], [0.888, 0.890, 0.887, 0.892, 0.889]
    found = Estimate.compare(first, second)
    wanted = scipy.stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    assert found.interval() == pytest.approx(tuple(wanted))
    assert audit.format_estimate(found, "points") == "+3.21 ± 0.32 (n = 3 and 5, unpaired)"
    assert Estimate.compare(first, []) is None and not Estimate.compare(first, [1.0]).decides


def test_a_ratio_of_two_groups_is_that_of_many_draws():
    chance = np.random.default_rng(0)
    ratios = chance.normal(5.0, 0.1, 20_000) / chance.normal(2.0, 0.05, 20_000)
    first, second = chance.normal(5.0, 0.1, 400), chance.normal(2.0, 0.05, 400)
    assert Estimate.compare(first, second, ratio=True).sd == pytest.approx(ratios.std(), rel=0.1)


def test_folds_that_share_their_training_images_are_less_sure():
    values = [0.001, 0.003, -0.002, 0.004, 0.0]
    plain, corrected = Estimate.of(values), Estimate.of(values, overlap=0.25)
    # Nadeau and Bengio: 1/n + n_test/n_train instead of 1/n
    assert corrected.half_width() / plain.half_width() == pytest.approx(math.sqrt(0.45 / 0.2))


def test_what_rounds_to_the_published_number_counts_as_it():
    runs = Estimate.of([0.800, 0.801, 0.799])
    edge = runs.interval(one_more_run=True)[1]
    assert runs.p_value(edge + 0.0004) < 0.05 < runs.p_value(edge + 0.0004, rounding=0.0005)
    assert runs.p_value(0.8) == pytest.approx(1.0)


def test_the_spread_of_several_rows_is_pooled():
    rows = [Estimate.of([1.0, 2.0, 3.0]), Estimate.of([5.0, 5.0, 8.0])]
    variance, freedom = pooled(rows)
    assert (variance, freedom) == (pytest.approx((1.0 * 2 + 3.0 * 2) / 4), 4)
    assert rows[0].with_spread(variance, freedom).interval() == pytest.approx(
        scipy.stats.t.interval(0.95, 4, 2.0, math.sqrt(variance / 3))
    )


def test_as_many_runs_as_are_said_to_decide_do_decide_in_four_of_five():
    n = Estimate.of([0.4, 1.6, 1.0, 0.2, 1.8]).needed_for(0.0)
    chance = np.random.default_rng(1)
    sd = float(np.std([0.4, 1.6, 1.0, 0.2, 1.8], ddof=1))
    draws = chance.normal(1.0, sd, (4000, n))
    decided = [Estimate.of(list(row)).interval()[0] > 0 for row in draws[:1500]]
    assert np.mean(decided) == pytest.approx(0.85, abs=0.07)
    assert Estimate.of([-1.0, 1.0]).needed_for(0.0) is None  # nothing to be seen


def test_no_number_of_runs_notices_less_than_a_single_run_varies():
    runs = Estimate.of([0.88, 0.90, 0.92, 0.89, 0.91])
    assert runs.needed_to_notice(0.02) is None  # 1.96 × 0.016 at best
    needed = runs.needed_to_notice(0.04)
    assert needed and runs.needed_to_notice(0.05) <= needed


def test_a_column_that_is_one_of_ours_differs_in_five_of_a_hundred():
    chance = np.random.default_rng(0)
    found = []
    for _ in range(1500):
        splits, rows = chance.normal(0, 0.8, 6), chance.normal(0, 3, (12, 1))
        table = rows + splits + chance.normal(0, 0.4, (12, 6))
        found.append(joint(table[:, :5], table[:, 5]).p < 0.05)
    assert np.mean(found) == pytest.approx(0.05, abs=0.02)


def test_a_column_shifted_by_more_than_a_split_does_differs():
    chance = np.random.default_rng(0)
    table = chance.normal(0, 0.1, 6) + chance.normal(0, 0.1, (12, 6))
    shifted = joint(table[:, :5], table[:, 5] + 1.0)
    assert shifted.p < 0.01 and shifted.shift == pytest.approx(1.0, abs=0.4) and shifted.n == 5


def test_hits_among_few_images_follow_their_classes():
    recalls, counts = np.array([[0.9, 0.5]]), [2, 1]
    wanted = [0.1**2 * 0.5, 2 * 0.1 * 0.9 * 0.5 + 0.01 * 0.5, 0.81 * 0.5 + 0.18 * 0.5, 0.81 * 0.5]
    assert hits_in_few(recalls, counts) == pytest.approx(wanted)


def test_mcnemar_counts_what_only_one_has_right():
    labels = np.zeros(20, int)
    first, second = np.zeros(20, int), np.zeros(20, int)
    first[:1], second[1:10] = 1, 1
    wanted = scipy.stats.binomtest(9, 10).pvalue
    assert mcnemar(labels, first, second) == (9, 1, pytest.approx(wanted))
    assert mcnemar(labels, first, first) == (0, 0, 1.0)


# --- verdicts on numbers


def test_few_runs_do_not_agree_they_are_not_enough():
    """The same mean: with two runs anything would have agreed; that says nothing."""
    few = verdict_on(number("81.0", "percent"), [0.80, 0.82])
    many = verdict_on(number("81.0", "percent"), [0.810, 0.811, 0.809, 0.8105, 0.8095])
    assert (few.verdict, many.verdict) == ("not enough", "agrees")
    assert few.noticed > few.margin >= many.noticed and few.needed is None
    assert verdict_on(number("75.0", "percent"), [0.810, 0.811, 0.809]).verdict == "differs"
    for values in ([0.81], []):
        assert verdict_on(number("81.0", "percent"), values).verdict == "not enough"


def test_a_wider_margin_only_turns_not_enough_into_agrees():
    values = [0.80, 0.82, 0.81]
    for factor in (0.5, 1, 2, 5, 50):
        fields = FakeStore(lambda recipe: fake_run(recipe, accuracy=values[recipe.seed % 3]))
        rule = Audit(REPORT, fields, load_margins().times(factor))
        row = rule.number(number("81.0", "percent"))
        assert row.verdict == ("agrees" if row.noticed <= row.margin else "not enough")
        assert row.margin == pytest.approx(0.01 * factor)


def test_what_was_fitted_is_calibrated_and_what_is_not_said_is_not_compared():
    values = [0.810, 0.811, 0.809]
    assert verdict_on(number("81.0", "percent", calibrated=True), values).verdict == "calibrated"
    why = {"es": "No se dice.", "en": "It is not stated."}
    row = verdict_on(number("81.0", "percent", comparable=False, why=why), values)
    assert (row.verdict, row.reason, row.theirs.n) == ("cannot be compared", why["en"], 3)


def test_a_number_on_the_very_edge_of_its_interval_is_audited():
    """Seeds that agree to the last bit, at half a digit from what was printed."""
    row = verdict_on(number("0.5", "share"), [0.505] * 3)
    assert row.verdict in ("agrees", "differs", "not enough") and "0.5" in row.reason


def test_a_number_just_outside_does_not_read_as_the_bound():
    row = verdict_on(number("90.54", "percent"), [0.898 + 0.001 * seed for seed in range(5)])
    assert row.verdict == "differs" and "90.5 %" not in row.reason
    assert f"{100 * row.high:.2f} %" in row.reason


def test_hits_among_the_hundred_images_of_report_3_are_counted_by_their_classes():
    report = load_report("03")
    matrix = np.diag([90] * 10)
    matrix[range(9), range(1, 10)] = 10
    matrix[9, 0] = 10
    matrix[6] = 0
    matrix[6, 6], matrix[6, 0] = 20, 80  # shirt, of which the printed matrix has five

    def run_of(recipe):
        return fake_run(recipe, accuracy=0.83, matrix=matrix)

    row = audit_of(report, run_of).number(report.number("N3-2"))
    expected = sum(0.2 * 5 if k == 6 else 0.9 * sum(report.confusion[k]) for k in range(10))
    assert row.low < expected / 100 < row.high and row.low > 0.78
    assert row.p == pytest.approx(0.0, abs=1e-3) and row.verdict == "differs"


# --- verdicts on claims


def condition(**bounds):
    return Condition(what=WORDS, measure=Measure(**ACCURACY), **bounds)


@pytest.mark.parametrize(
    ("values", "bounds", "outcome"),
    [
        ([0.1, 0.11, 0.12], {"above": 0}, "holds"),
        ([-0.1, -0.11, -0.12], {"above": 0}, "fails"),
        ([-0.1, 0.1, 0.05], {"above": 0}, "open"),
        ([0.1, 0.11, 0.12], {"above": 0, "below": 0.2}, "holds"),
        ([0.3, 0.31, 0.32], {"above": 0, "below": 0.2}, "fails"),
        ([1.0], {"below": 1.5}, "open"),
        ([], {"below": 1.5}, "open"),
    ],
)
def test_conditions(values, bounds, outcome):
    assert judge(condition(**bounds), Estimate.of(values)) == outcome


def test_sameness_is_tested_one_sided_at_both_bounds():
    """An interval of 90 % within the bounds, of 95 % not: no relevant difference holds, the plain condition is open."""
    values = [0.0, 0.002, -0.002, 0.001, -0.001, 0.0005, -0.0005]
    reach = [Estimate.of(values).interval(confidence=level)[1] for level in (0.9, 0.95)]
    bound = sum(reach) / 2
    bounds = {"above": -bound, "below": bound}
    assert judge(condition(**bounds, same=True), Estimate.of(values)) == "holds"
    assert judge(condition(**bounds), Estimate.of(values)) == "open"
    assert judge_all([condition(**bounds, same=True)], [Estimate.of(values)]) == "equivalent"
    with pytest.raises(ValueError, match="always or never"):
        condition(above=0, same=True)


def test_a_claim_needs_all_its_conditions():
    above = condition(above=0)
    holds, fails, undecided = (Estimate.of([m - 0.1, m, m + 0.1]) for m in (1, -1, 0))
    assert judge_all([above] * 2, [holds, holds]) == "agrees"
    assert judge_all([above] * 2, [holds, undecided]) == "undecided"
    assert judge_all([above] * 2, [undecided, fails]) == "differs"


def test_an_undecided_claim_says_how_many_runs_would_decide():
    claim = Claim(id="C9", text=WORDS, why=WORDS, check=[condition(above=0.9)])

    def run_of(recipe):
        return (
            fake_run(recipe, accuracy=0.905 + 0.01 * (recipe.seed - 2)) if recipe.seed < 5 else None
        )

    row = audit_of(REPORT, run_of).claim(claim)
    assert row.verdict == "undecided" and row.n == 5 and row.needed > 5
    assert f"{row.needed} runs would decide it" in row.reason


@pytest.mark.parametrize("bounds", [{}, {"above": 1, "below": 0}])
def test_a_condition_that_always_or_never_holds_is_refused(bounds):
    with pytest.raises(ValueError, match="always or never"):
        condition(**bounds)


def test_events_of_several_groups_are_counted_together():
    """Two of two runs say nothing; twelve of twelve say more than three of four."""
    matrix = np.diag([900] * 10)
    matrix[6, 6], matrix[6, 0] = 100, 800

    def estimate(groups):
        measure = Measure(of=groups, among_worst=[6, 1])
        return audit_of(REPORT, lambda recipe: fake_run(recipe, matrix=matrix)).estimate(
            measure, "ours"
        )

    one, three = estimate("model_1"), estimate(["model_1", "model_2", "model_3"])
    assert (one.mean, one.n, three.n) == (1.0, 5, 15)
    assert one.interval()[0] == pytest.approx(0.025 ** (1 / 5))
    assert audit.format_estimate(three, "runs") == "15 of 15 runs"


def test_a_claim_of_ours_is_counted_apart():
    found = audit.rows(audit.ACROSS, FakeStore(lambda recipe: None))
    assert {row.kind for row in found} == {"derived"} and {row.verdict for row in found} == {
        "undecided"
    }
    with pytest.raises(UserError, match="05_cnn_grid, across"):
        audit.rows("99")


def test_a_condition_may_be_measured_under_one_protocol_in_any_case():
    fields = {"id": "C", "text": WORDS, "why": WORDS}
    fixed, free = (
        {"what": WORDS, "measure": ACCURACY, "above": 0.85} | more
        for more in ({"protocol": "ours"}, {})
    )

    def ours(recipe):
        found = fake_run(recipe, accuracy=0.9 + 0.001 * recipe.seed)
        return found if recipe.data.val_size else None

    row = audit_of(REPORT, ours).claim(Claim(check=[fixed], **fields))
    assert row.verdict == "agrees" and row.theirs is None and row.ours.n == 5
    row = audit_of(REPORT, ours).claim(Claim(check=[free], **fields))
    assert row.verdict == "undecided" and "Under our protocol: agrees" in row.reason


# --- columns of tables


def test_a_column_is_judged_beside_its_numbers():
    report = load_report("05")
    table = next(table for table in report.tables if table.id == "T5-2")
    wanted = {
        report.number(name).measure.of[0]: report.number(name).value for name in table.numbers
    }

    def run_of(factor):
        def found(recipe):
            name = next(
                (name for name in wanted if report.recipe(name, "theirs", recipe.seed) == recipe),
                None,
            )
            if name is None:
                return None
            shift = (
                factor + 0.002 * (recipe.seed - 2) + 0.001 * ((len(name) + 2 * recipe.seed) % 3 - 1)
            )
            run = fake_run(recipe)
            run.metrics["val_loss"] = wanted[name] + shift
            return run

        return found

    same, shifted = (audit_of(report, run_of(factor)).table(table) for factor in (0.0, 0.05))
    assert (same.verdict, same.kind, same.n) == ("agrees", "table", 5)
    assert shifted.verdict == "differs" and shifted.p < 0.01 and "is -0.0" in shifted.reason


# --- quantities


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
    # 784·128 + 128·64 + 64·10 weights and 202 biases; 60,000 images in batches of 100; each weight multiplies once an image
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


# --- comparisons


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


# --- the whole audit


def test_without_records_nothing_is_decided_and_nothing_breaks():
    found = audit.rows("01", FakeStore(lambda recipe: None))
    assert {row.verdict for row in found} == {"not enough", "undecided"}
    counts = audit.count_verdicts(found)
    assert sum(counts["number"].values()) == len(REPORT.numbers)
    assert sum(counts["claim"].values()) == len(REPORT.claims)
    assert audit.chance(found)["tested"] == 0


def test_the_whole_audit_is_that_of_each_report_and_of_what_stands_across():
    store = FakeStore(lambda recipe: None)
    whole = audit.rows(store=store)
    apart = [
        row for name in (*audit.student_reports(), audit.ACROSS) for row in audit.rows(name, store)
    ]
    assert whole == apart and len({row.id for row in whole}) == len(whole)


def test_what_chance_alone_does_is_told():
    rows = [SimpleNamespace(kind="number", p=p) for p in (0.001, 0.04, 0.3, 0.5, None)]
    assert audit.chance(rows) == {"tested": 4, "expected": 0.2, "differ": 2, "corrected": 1}


def test_no_row_of_two_runs_agrees_within_a_margin_that_it_could_not_notice():
    """Of the real audit: whatever agrees would have noticed a deviation that matters."""
    for row in audit.rows("01"):
        if row.kind == "number" and row.verdict == "agrees":
            assert row.noticed <= row.margin and 0 <= row.low <= row.high
        if row.unit == "percent" and row.high is not None:
            assert row.high <= 1 + 0.005


def test_who_computes_it_again_from_the_raw_files_gets_the_same_verdicts():
    """A script that has none of our code, of twelve numbers and twelve claims."""
    found = {row.id: row.verdict for name in ("01", "03", "04") for row in audit.rows(name)}
    wanted = {row: verdict_on_number(row) for row in NUMBERS}
    wanted |= {row: verdict_on_claim(row) for row in CLAIMS}
    assert len(wanted) == 24 and {row: found[row] for row in wanted} == wanted


def test_both_languages_and_the_form_of_the_json():
    store = FakeStore(lambda recipe: None)
    english = audit.rows("01", store)
    set_language("es")
    spanish = audit.rows("01", store)
    assert [row.id for row in english] == [row.id for row in spanish]
    assert all(a.reason != b.reason for a, b in zip(english, spanish, strict=True))
    keys = {"report", "id", "kind", "published", "theirs", "ours", "verdict", "reason", "p", "n"}
    assert keys <= set(english[0].to_json())
    assert list(audit.table(spanish).columns)[-2:] == ["veredicto", "por qué"]


# --- what pages show


def test_tables_for_the_page():
    runs = {
        "a": [fake_run(None, accuracy=0.9), fake_run(None, accuracy=0.8)],
        "b": [fake_run(None)],
    }
    assert audit.values(runs, "test_accuracy") == {"a": [0.9, 0.8], "b": [0.9]}
    assert audit.values(runs, "running_loss")["b"] == [0.5]
    shown = audit.summary(runs, ["test_accuracy", "test_loss"])
    assert shown.loc["a", "accuracy % (test)"] == "85.0 ± 7.1 (n = 2)"
    assert shown.loc["b", "loss (test)"] == "0.300 (n = 1)"
    autoencoder = fake_run(SimpleNamespace(model=SimpleNamespace(latent_dim=64)), loss=0.04)
    assert audit.by_size({"64 units": [autoencoder] * 2}, "test_loss") == {64: [0.04, 0.04]}
    assert audit.errors_table(REPORT).index[0] == "E1-1"
    numbers = audit.table([row for row in audit.rows("01") if row.kind == "number"])
    assert (
        numbers.loc["N1-2", "published"] == "81.0 %" and numbers.loc["N1-1", "published"] == "0.51"
    )


def test_what_was_spent_after_each_epoch():
    recipe = REPORT.recipe("model_2", "theirs")
    columns = {"seconds": [1.0, 2.0, 3.0], "test_loss": [0.9, 0.5, 0.3]}
    shorter = {"seconds": [3.0, 4.0], "test_loss": [0.7, 0.1]}
    runs = [
        fake_run(recipe, columns={"epoch": [1, 2, 3], **columns}),
        fake_run(recipe, columns={"epoch": [1, 2], **shorter}),
    ]
    spent = audit.spending(runs)
    assert list(spent["epochs"]) == [1, 2] and list(spent["updates"]) == [600, 1200]
    assert list(spent["seconds"]) == [2.75, 5.5]
    shown = audit.cost_table(
        {"a": [fake_run(recipe, columns={"seconds": [s] * 3}) for s in (1.0, 2.0)]}
    )
    assert shown.loc["a"].tolist() == [
        "109\u202f386", "0.11", "3", "1\u202f800", "20", "4.5 ± 2.1 (n = 2)",
    ]  # fmt: skip


def test_a_table_shows_texts_whole_and_safe():
    columns = {
        say("audit.what"): ["a < b"],
        "ours": ["1.0 ± 0.1 (n = 5)"],
        say("audit.reason"): ["because " * 50],
    }
    shown = audit.Table(columns, index=pd.Index(["N1"], name="id"))._repr_html_()
    assert '">a &lt; b</td>' in shown and shown.count("because") == 50
    assert 'data-label="ours">1.0&nbsp;±&nbsp;0.1 (n&nbsp;=&nbsp;5)</td>' in shown
    assert 'colspan="3">because' in shown and shown.count("<th ") == 4


@pytest.mark.parametrize(("length", "folded"), [(10, False), (11, True)])
def test_a_long_table_is_folded(length, folded):
    index = pd.Index([f"N{number}" for number in range(length)], name="id")
    shown = audit.Table({"error": ["text"] * length}, index=index)._repr_html_()
    assert shown.count("<tr>") == length + 1
    assert shown.startswith("<details>") == folded and ("</details>" in shown) == folded
    assert (say("audit.unfold", n=length) in shown) == folded


def test_code_in_a_text_is_shown_as_code():
    shown = audit.Table(
        {"error": ["write `a = <b>` (n = 5), not `"]}, index=pd.Index(["E1"], name="id")
    )._repr_html_()
    assert "write <code>a = &lt;b&gt;</code> (n&nbsp;=&nbsp;5), not `</td>" in shown


def test_the_intervals_hold_the_runs_that_are_left_out_of_them():
    """Of the real runs: 95 of 100 are expected; a rule that held four of five, or all, would be wrong."""
    shown = audit.coverage()
    held, left_out = (
        int(shown.loc["all", say(f"scrutiny.{name}")]) for name in ("held", "left_out")
    )
    assert left_out > 80 and 0.88 <= held / left_out <= 0.995


def test_wider_margins_leave_less_that_is_not_enough():
    shown = audit.sensitivity(audit.rows("01"))
    not_enough = [int(each) for each in shown[say("verdict.not enough")]]
    assert (
        not_enough == sorted(not_enough, reverse=True)
        and len(set(shown[say("verdict.differs")])) == 1
    )


def test_the_runs_of_all_reports_say_where_they_were_made():
    shown = audit.provenance()
    counts = [shown[say(f"scrutiny.{name}")].astype(int).sum() for name in ("float32", "bfloat16")]
    assert sum(counts) > 1000 and min(counts) > 100


def test_formats():
    assert audit.format_value(0.81, "percent") == "81.0 %"
    assert audit.format_value(0.083, "points") == "+8.30 points"
    assert audit.format_value(0.011, "percent", plain=True) == "1.10 points"
    assert (
        audit.format_estimate(Estimate.of([0.891, 0.893, 0.895]), "percent") == "89.3 ± 0.2 (n = 3)"
    )
    assert audit.format_estimate(None, "percent") == "—"
    assert (
        audit.format_estimate(Estimate.of([-2e-5, -4e-5]), "error") == "-0.00003 ± 0.00001 (n = 2)"
    )
    assert audit.format_estimate(Estimate.of([0.5, 0.5]), "error") == "0.5000 ± 0.0000 (n = 2)"
    bounds = [(0.003, "points"), (0.9, "percent"), (0, "nats")]
    assert [audit.format_bound(*bound) for bound in bounds] == ["0.3 points", "90 %", "0"]
    assert [audit.format_p(p) for p in (0.0001, 0.042, 0.39)] == [
        "p < 0.001",
        "p = 0.042",
        "p = 0.39",
    ]
    assert to_scale(0.5, "share") == 0.0


def test_a_run_that_is_made_again_is_set_beside_the_first(tmp_path, monkeypatch):
    from small_runs import make

    from fmnist_utils.audit import scrutiny
    from fmnist_utils.workshop import witness
    from fmnist_utils.workshop.engine import train
    from fmnist_utils.workshop.store import RunStore

    recipe = make(num_epochs=1)
    first = train(recipe, store=RunStore(tmp_path / "first"), threads=1)
    report = REPORT.model_copy(update={"groups": {"model_1": REPORT.groups["model_1"]}})
    monkeypatch.setattr(type(report), "all_recipes", lambda *_: {"model_1.theirs": [recipe]})
    entry = witness.make_again(report, first)
    assert entry["same_weights"] and entry["first"] == entry["again"]
    path = tmp_path / scrutiny.WITNESSES
    for changed in (entry, entry | {"again": entry["first"] + 0.01, "same_weights": False}):
        witness.keep(changed, path)
    monkeypatch.setattr(scrutiny, "FOLDER", tmp_path)
    (shown,) = scrutiny.witnesses().to_numpy().tolist()
    assert "+1.00 points" in shown and "no" in shown and len(scrutiny.read_witnesses()) == 1
