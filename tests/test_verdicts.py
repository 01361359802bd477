"""The rules of the verdicts: on numbers, on claims and on whole columns of tables."""

import numpy as np
import pytest
from fake_runs import (
    ACCURACY,
    REPORT,
    WORDS,
    FakeStore,
    audit_of,
    condition,
    fake_run,
    number,
    verdict_on,
)

from fmnist_utils import audit
from fmnist_utils.audit.estimates import Estimate
from fmnist_utils.audit.forms import Claim
from fmnist_utils.audit.margins import load_margins
from fmnist_utils.audit.measures import Measure
from fmnist_utils.audit.schema import load_report
from fmnist_utils.audit.verdicts import Audit, _needed, judge, judge_all
from fmnist_utils.text import UserError


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
        margins = {
            name: margin.model_copy(update={"margin": factor * margin.margin})
            for name, margin in load_margins().margins.items()
        }
        rules = load_margins().model_copy(update={"margins": margins})
        rule = Audit(REPORT, fields, rules)
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
    """An interval of 90 % within the bounds, of 95 % not: sameness holds, the rest is open."""
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


def test_more_runs_are_asked_for_than_those_that_did_not_decide():
    """Two runs far above the bound: two would mostly have decided, but these did not."""
    open_still = Estimate.compare([0.92, 0.94], [0.88, 0.8801])
    assert judge(condition(above=0), open_still) == "open"
    assert open_still.needed_for(0) <= 3 <= _needed([condition(above=0)], [open_still])


def test_where_it_is_asked_which_of_two_is_larger_it_is_told_how_often_it_is():
    values = {"model_2": [0.90, 0.91, 0.92], "model_1": [0.88, 0.905, 0.87]}
    check = [
        {"measure": {"of": "model_2", "metric": "test_accuracy", "minus": "model_1"}, **bounds}
        for bounds in ({"above": 0}, {"above": 0.01})
    ]
    claim = Claim(
        id="C9", text=WORDS, why=WORDS, check=[{"what": WORDS, **condition} for condition in check]
    )
    optimizers = {"adam": "model_2", "sgd": "model_1"}

    def run_of(recipe):
        of_group = values[optimizers[recipe.optimizer]]
        if recipe.seed < 3 and recipe.num_epochs == 30:
            return fake_run(recipe, accuracy=of_group[recipe.seed])
        return None

    found = audit_of(REPORT, run_of).claim(claim).reason
    wanted = Estimate.compare(values["model_2"], values["model_1"]).chance_above()
    assert found.count("P(A > B)") == 1
    assert "P(A > B) = {:.2f}, between {:.2f} and {:.2f}.".format(*wanted) in found


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
    assert {row.kind for row in found} == {"derived"}
    assert {row.verdict for row in found} == {"undecided"}
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
