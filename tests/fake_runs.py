"""Runs that were never made, and audits of a report that they would give."""

from types import SimpleNamespace

from fmnist_utils.audit.forms import Condition, Number
from fmnist_utils.audit.measures import Measure, read_quantity
from fmnist_utils.audit.schema import load_report
from fmnist_utils.audit.verdicts import Audit
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
        record=SimpleNamespace(predictions_sha256=None, made_with={"date": "2026-11-20T20:00:00Z"}),
    )


def audit_of(report, run_of):
    return Audit(report, FakeStore(run_of))


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


def condition(**bounds):
    return Condition(what=WORDS, measure=Measure(**ACCURACY), **bounds)
