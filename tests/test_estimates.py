"""Intervals, comparisons and tests: those of SciPy, and as wide as they say."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from fmnist_utils import audit
from fmnist_utils.audit.estimates import (
    Estimate,
    hits_in_few,
    joint,
    mcnemar,
    pooled,
    shared_spread,
)

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
def test_the_interval_of_an_epoch_has_a_width_and_no_epoch_that_was_not_trained(epochs):
    runs = Estimate.of([float(epoch) for epoch in epochs], "epoch", whole=60, grain=1)
    low, high = runs.interval(True)
    assert 1 <= low < high <= 60
    free = Estimate.of([float(epoch) for epoch in epochs], "log", grain=1).interval(True)
    assert (low, high) == pytest.approx((max(free[0], 1), min(free[1], 60)))


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


def test_how_often_one_run_lies_above_another_is_within_its_interval_in_95_of_100():
    chance = np.random.default_rng(0)
    for truth, sizes, sds in ((1.2, (4, 7), (1, 2)), (2.0, (3, 3), (1, 1))):
        wanted = scipy.stats.norm.cdf(truth / math.hypot(*sds))
        inside = []
        for _ in range(200):
            first, second = (
                chance.normal(m, s, n) for m, s, n in zip((truth, 0), sds, sizes, strict=True)
            )
            p, low, high = Estimate.compare(first, second).chance_above()
            assert low <= p <= high
            inside.append(low <= wanted <= high)
        assert np.mean(inside) == pytest.approx(0.95, abs=0.045), truth
    drawn = chance.normal(1.2, 1, 100_000) > chance.normal(0, 2, 100_000)
    many = Estimate.compare(chance.normal(1.2, 1, 4000), chance.normal(0, 2, 4000)).chance_above()
    assert many[0] == pytest.approx(drawn.mean(), abs=0.01) and many[2] - many[1] < 0.03


def test_which_run_lies_above_is_told_of_pairs_too_and_of_what_never_crosses():
    pairs = Estimate.of([0.1, 0.3, 0.2, -0.1, 0.2])
    p, low, high = pairs.chance_above()
    mean, sd = np.mean([0.1, 0.3, 0.2, -0.1, 0.2]), np.std([0.1, 0.3, 0.2, -0.1, 0.2], ddof=1)
    assert p == pytest.approx(scipy.stats.norm.cdf(mean / sd)) and low < 0.8 < high < 1
    apart = Estimate.compare([0.9, 0.9001], [0.1, 0.1001]).chance_above()
    assert apart[0] == pytest.approx(1) and apart[2] == pytest.approx(1)
    assert Estimate.of([0.1]).chance_above() is None
    assert Estimate.of([1.0, 0.0], "event").chance_above() is None


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


def test_what_all_rows_share_is_told_from_what_each_has_of_its_own():
    chance = np.random.default_rng(3)
    rows, columns = chance.normal(0, 5, (40, 1)), chance.normal(0, 2, (1, 300))
    shared, own = shared_spread(rows + columns + chance.normal(0, 0.7, (40, 300)))
    assert shared == pytest.approx(2, rel=0.1) and own == pytest.approx(0.7, rel=0.05)
    apart = shared_spread(chance.normal(0, 1, (40, 300)))
    assert apart[0] < 0.1 and apart[1] == pytest.approx(1, rel=0.05)
    assert shared_spread(np.zeros((12, 1))) is None


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
