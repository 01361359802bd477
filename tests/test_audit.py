"""The statistics of the audit against cases worked by hand, and every measure against a run written out."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from fmnist_utils.audit import (
    Estimate,
    Table,
    agrees,
    audit,
    count_verdicts,
    errors_table,
    estimate,
    format_bound,
    format_estimate,
    format_value,
    judge,
    judge_all,
    summary,
    table,
    values,
)
from fmnist_utils.reports import Condition, Measure, Number, load_report
from fmnist_utils.text import say, set_language
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
        recipe=recipe, metrics={"test_accuracy": accuracy, "test_loss": loss}, history=History(rows), confusion=matrix
    )


def measure_of_one_run(run_of, **fields):
    return estimate(REPORT, Measure(of="model_2", **fields), "theirs", FakeStore(run_of))


# --- statistics


def test_estimate_by_hand():
    result = Estimate.of([1.0, 2.0, 3.0, 4.0, 5.0])
    assert (result.mean, result.n) == (3.0, 5)
    assert result.sd == pytest.approx(math.sqrt(2.5))
    # t(0.975; 4) = 2.776445
    assert result.half_width(one_more_run=True) == pytest.approx(2.776445 * math.sqrt(2.5) * math.sqrt(1.2), rel=1e-6)
    assert result.half_width(one_more_run=False) == pytest.approx(2.776445 * math.sqrt(2.5 / 5), rel=1e-6)


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
    fields = {"id": "N", "what": {"es": "a", "en": "a"}, "where": {"es": "a", "en": "a"}, "measure": {"of": "model_1"}}
    number = Number(published="81.0", unit="percent", **fields)
    assert number.value == 0.81 and number.rounding == pytest.approx(0.0005)
    number = Number(published="75", unit="images", **fields)
    assert number.value == 75 and number.rounding == 0.5


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
    assert judge(Condition(what=WORDS, measure=Measure(of="model_1"), **bounds), Estimate.of(values)) == outcome


def test_a_claim_needs_all_its_conditions():
    condition = Condition(what=WORDS, measure=Measure(of="model_1"), above=0)
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
    assert measure_of_one_run(run_of, total="seconds").mean == 7.0
    assert measure_of_one_run(run_of, at_epoch=("watched_loss", 1)).mean == 3.0
    assert measure_of_one_run(run_of, last="train_accuracy", minus_last="watched_accuracy").mean == pytest.approx(0.2)


def test_falls_and_roughness_look_from_the_tenth_epoch_on():
    def measured(values, **fields):
        return measure_of_one_run(lambda recipe: fake_run(recipe, columns={"test_loss": [9.0] * 9 + values}), **fields).mean

    assert measured([1.0, 2.0, 1.0, 3.0, 4.0], falls="watched_loss") == 0.25
    assert measured([1.0, 2.0, 3.0, 4.0, 5.0], roughness="watched_loss") == 0  # a trend is no tremor
    assert measured([0.0, 1.0, 0.0, 0.0], roughness="watched_loss") == pytest.approx(math.sqrt((4 + 1) / 2 / 6))


def test_roughness_of_a_noisy_trend_is_the_sd_of_its_noise():
    values = 0.01 * np.arange(4000) + np.random.default_rng(0).normal(0, 0.3, 4000)
    result = measure_of_one_run(lambda recipe: fake_run(recipe, columns={"test_loss": values}), roughness="watched_loss")
    assert result.mean == pytest.approx(0.3, rel=0.05)


def test_measures_of_the_confusion_matrix():
    matrix = np.eye(10, dtype=int) * 100
    matrix[6, 6], matrix[6, 0], matrix[6, 2] = 60, 30, 10
    matrix[4, 4], matrix[4, 6] = 80, 20

    def run_of(recipe):
        return fake_run(recipe, matrix=matrix)

    assert measure_of_one_run(run_of, cell=(6, 0)).mean == 30
    assert measure_of_one_run(run_of, recall_rank=6).mean == 1
    assert measure_of_one_run(run_of, recall_rank=4).mean == 2
    assert measure_of_one_run(run_of, error_share=(6, (0,))).mean == pytest.approx(0.75)


def test_comparisons_are_paired_by_seed():
    def run_of(recipe):
        adam = recipe.optimizer == "adam"
        if adam and recipe.seed == 3:
            return None
        return fake_run(recipe, accuracy=0.8 + 0.01 * recipe.seed + (0.05 if adam else 0))

    difference = measure_of_one_run(run_of, metric="test_accuracy", minus="model_1")
    assert difference.mean == pytest.approx(0.05) and difference.sd == pytest.approx(0, abs=1e-12) and difference.n == 4
    assert measure_of_one_run(run_of, metric="test_accuracy", over="model_1").mean == pytest.approx(1.06, abs=0.01)


# --- the whole audit


def test_without_records_nothing_is_decided_and_nothing_breaks():
    rows = audit("01", FakeStore(lambda recipe: None))
    assert len(rows) == 15
    assert {row.verdict for row in rows} == {"cannot be compared"}
    assert count_verdicts(rows)["claim"] == {"agrees": 0, "differs": 0, "cannot be compared": 8}


def test_a_published_number_inside_and_outside():
    def run_of(recipe):
        names = [f"{part}_{metric}" for part in ("train", recipe.watch) for metric in ("loss", "accuracy")]
        columns = {name: [0.8] * 30 for name in ["seconds", *names]}
        accuracy = 0.893 + 0.001 * (recipe.seed - 2)
        return fake_run(recipe, accuracy=accuracy, columns=columns, matrix=np.eye(10, dtype=int) + 1)

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
    assert list(table(spanish).columns) == ["qué", "publicado", "su protocolo", "nuestro protocolo", "veredicto", "por qué"]


def test_tables_for_the_page():
    runs = {"a": [fake_run(None, accuracy=0.9), fake_run(None, accuracy=0.8)], "b": [fake_run(None)]}
    assert values(runs, "test_accuracy") == {"a": [0.9, 0.8], "b": [0.9]}
    assert values(runs, "running_loss")["b"] == [0.5]
    shown = summary(runs, ["test_accuracy", "test_loss"])
    assert shown.loc["a", "accuracy % (test)"] == "85.0 ± 7.1 (n = 2)" and shown.loc["b", "loss (test)"] == "0.300 (n = 1)"
    assert "..." not in errors_table(REPORT)._repr_html_() and list(errors_table(REPORT).index)[0] == "E1-1"
    numbers = table([row for row in audit("01", FakeStore(lambda recipe: None)) if row.kind == "number"])
    assert numbers.loc["N1-2", "published"] == "81.0 %" and numbers.loc["N1-1", "published"] == "0.51"


def test_a_table_shows_texts_whole_and_safe():
    columns = {say("audit.what"): ["a < b"], "ours": ["1.0 ± 0.1 (n = 5)"], say("audit.reason"): ["because " * 50]}
    shown = Table(columns, index=pd.Index(["N1"], name="id"))._repr_html_()
    assert '">a &lt; b</td>' in shown and shown.count("because") == 50
    assert 'data-label="ours">1.0&nbsp;±&nbsp;0.1 (n&nbsp;=&nbsp;5)</td>' in shown
    assert 'colspan="3">because' in shown and shown.count("<th ") == 4


def test_formats():
    assert format_value(0.81, "percent") == "81.0 %"
    assert format_value(0.083, "points") == "+8.30 points"
    assert format_estimate(Estimate(0.893, 0.0021, 5), "percent") == "89.3 ± 0.2 (n = 5)"
    assert format_estimate(None, "percent") == "—"
    assert [format_bound(0.003, "points"), format_bound(0.9, "percent"), format_bound(0, "nats")] == [
        "0.3 points",
        "90 %",
        "0",
    ]
