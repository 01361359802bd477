"""The whole audit, what pages show of it, and what of it is told in words."""

import itertools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from fake_runs import REPORT, FakeStore, fake_run
from independent_audit import (
    CLAIMS,
    NUMBERS,
    TABLES,
    verdict_on_claim,
    verdict_on_number,
    verdict_on_table,
)

from fmnist_utils import audit
from fmnist_utils.audit.estimates import Estimate, to_scale
from fmnist_utils.text import say, set_language


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


def test_no_interval_of_the_whole_audit_leaves_what_is_possible():
    whole = audit.rows()
    assert {row.report for row in whole} == {*audit.student_reports(), audit.ACROSS}
    for row in whole:
        if row.kind != "number" or row.high is None:
            continue
        assert row.low <= row.theirs.mean <= row.high, row.id
        if row.unit in ("percent", "share"):
            assert row.low >= 0 and row.high <= 1, row.id
        if row.unit == "epochs":
            assert row.low >= 1 and row.high <= 100, row.id  # the most that any report trained


def test_what_is_said_of_the_candidates_for_the_recipe_of_report_2_is_counted():
    """Which claims change with another candidate: C2-1 and C2-2 hardly, C2-4 would."""
    report = audit.load_report("02")
    fell, kept, better, tried, older = 0, 0, 0, 0, 0
    for hidden, output in itertools.product(
        ("relu", "sigmoid", "leaky_relu"), ("none", "sigmoid", "relu")
    ):
        groups = [f"fit_{hidden}_{output}_{size}" for size in (64, 128, 256, 512)]
        runs = report.runs(*groups, protocol="inferred")
        errors = np.array([runs[group][0].history["test_loss"] for group in groups])
        means = errors.mean(axis=0)
        tried, older = tried + errors.shape[1], older + errors.shape[1] - 7
        kept += (np.diff(errors, axis=0) < 0).all(axis=0).sum()
        better += (errors[1] / errors[0] < 0.9).sum()
        fell += (means[7:] / means[:-7] < 0.98).sum()
    claims = {claim.id: claim.why.en for claim in report.claims}
    assert (
        f"of the {tried} candidates (9 pairs of activations, 60 epochs), {kept} have"
        in claims["C2-1"]
    )
    assert f"in {fell} of the {older} candidates" in claims["C2-2"]
    assert f"Of the {tried} candidates" in claims["C2-4"] and f", {better} do so" in claims["C2-4"]


def test_who_computes_it_again_from_the_raw_files_gets_the_same_verdicts():
    """A script without our code: twelve numbers, twelve claims, columns of tables."""
    found = {row.id: row.verdict for name in ("01", "03", "04", "05") for row in audit.rows(name)}
    wanted = {row: verdict_on_number(row) for row in NUMBERS}
    wanted |= {row: verdict_on_claim(row) for row in CLAIMS}
    wanted |= {row: verdict_on_table(row) for row in TABLES}
    assert len(wanted) == 30 and {row: found[row] for row in wanted} == wanted


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
    assert numbers.loc["N1-2", "published"] == "81.0 %"
    assert numbers.loc["N1-1", "published"] == "0.51"


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
    """Of the real runs: 95 of 100 are expected; four of five, or all, would be wrong."""
    shown = audit.coverage()
    held, left_out = (
        int(shown.loc["all", say(f"scrutiny.{name}")]) for name in ("held", "left_out")
    )
    assert left_out > 80 and 0.88 <= held / left_out <= 0.995


def test_wider_margins_leave_less_that_is_not_enough():
    shown = audit.sensitivity(audit.rows("01"))
    not_enough = [int(count) for count in shown[say("verdict.not enough")]]
    assert not_enough == sorted(not_enough, reverse=True)
    assert len(set(shown[say("verdict.differs")])) == 1


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
    shown, *others = scrutiny.witnesses().to_numpy().tolist()
    assert "+1.00 points" in shown and "no" in shown and len(scrutiny.read_witnesses()) == 1
    assert [line[-1] for line in others] == [say("scrutiny.not_again")] * 4
