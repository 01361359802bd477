"""The command line: the verbs of the API, refusals in one message, in the language asked for."""

import json
import re

import pytest
from click.testing import CliRunner

from fmnist_utils.audit import VERDICTS, chance, count_verdicts, rows
from fmnist_utils.audit import schema as reports
from fmnist_utils.audit.schema import load_report
from fmnist_utils.workshop import engine as runs
from fmnist_utils.workshop import fast
from fmnist_utils.workshop.cli import main

CHANGES = ["num_epochs=1", 'data.source="sample"', "data.train_size=200", "data.val_size=100"]
SMALL = [f"--set={change}" for change in CHANGES]


def run(*arguments):
    return CliRunner().invoke(main, arguments)


def test_train_prints_the_metrics_and_loads_the_second_time():
    first = run("train", "01", "model_2", *SMALL)
    assert first.exit_code == 0, first.output
    metrics = json.loads(first.output)
    assert {"id", "test_accuracy", "test_loss", "weights_sha256"} <= set(metrics)
    assert run("train", "01", "model_2", *SMALL).output == first.output


@pytest.mark.parametrize(
    ("group", "changes"),
    [
        ("rate_3e-3", {"learning_rate": 0.1}),
        ("model_3", {"num_epochs": 1}),
        ("model_2", {"watch": "val", "data.val_size": 7}),
    ],
)
def test_train_changes_what_it_is_told_to_also_where_the_group_or_the_protocol_sets_it(
    group, changes, monkeypatch
):
    given = []
    monkeypatch.setattr(runs, "train", lambda recipe, **_: given.append(recipe) or 1 / 0)
    options = [f"--set={name}={value}" for name, value in changes.items()]
    run("train", "01", group, "--protocol", "theirs", *options)
    assert given[0] == load_report("01").recipe(group, "theirs").but(changes)
    assert all(given[0].value(name) == value for name, value in changes.items())


def test_what_is_allowed_and_fails_exits_1():
    too_fast = ["--set=learning_rate=1e6", "--set=optimizer=sgd"]
    told = run("--lang", "en", "train", "01", "model_2", *SMALL, *too_fast)
    assert told.exit_code == 1 and "Traceback" not in told.output
    assert "learning_rate=1e+06" in told.output


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("train 01 modl_2", ["'modl_2'", "Did you mean 'model_2'"]),
        ("train 01 model_2 --set num_epoch=3", ["num_epoch:", "Did you mean 'num_epochs'"]),
        ("train 01 model_2 --set num_epochs", ["--set", "FIELD=VALUE"]),
        ("train 01 model_2 --device cuda:9 --set data.source=sample", ["cuda:9", "cpu"]),
        ("audit 99", ["'99'", "01_ff_classifier"]),
    ],
)
def test_mistakes_are_one_message_and_exit_2(line, parts):
    arguments = line.split()
    result = run(*arguments)
    assert result.exit_code == 2 and "Traceback" not in result.output
    for part in parts:
        assert part in result.output
    spanish = run("--lang", "es", *arguments)
    assert spanish.exit_code == 2 and spanish.output != result.output


def test_audit_as_json_has_a_row_for_every_number_column_and_claim():
    lines = json.loads(run("audit", "01", "--format", "json").output)
    report = load_report("01")
    items = [*report.numbers, *report.tables, *report.claims]
    assert [line["id"] for line in lines] == [item.id for item in items]
    for line in lines:
        assert line["kind"] in ("number", "table", "claim") and line["verdict"] in VERDICTS
        assert line["reason"] and line["n"] >= 0


def test_audit_as_a_table_in_both_languages():
    english, spanish = (run("--lang", lang, "audit", "01").output for lang in ("en", "es"))
    for words in ("C1-8", "their protocol", "Claims of the reports: 11."):
        assert words in english
    for words in ("C1-8", "su protocolo", "Afirmaciones de los informes: 11."):
        assert words in spanish


def test_audit_without_a_report_is_the_whole_audit_and_its_sum(monkeypatch, tmp_path):
    monkeypatch.setenv("FMNIST_RESULTS", str(tmp_path))
    output = run("--lang", "es", "audit").output
    found = rows()
    titles = re.findall(r"^(\w+)\. .+\n\n", output, re.MULTILINE)
    assert titles == [*reports.student_reports(), "across"]
    for row in found:
        assert f"{row.id}  " in output and row.reason in output
    told = output.strip().splitlines()[-4:]
    for line, (kind, counts) in zip(told, count_verdicts(found).items(), strict=True):
        assert re.search(r"\d+", line)[0] == str(sum(counts.values())), kind
    assert chance(found)["tested"] == 0  # without runs nothing is tested, and nothing agrees
    assert sum(counts["agrees"] for counts in count_verdicts(found).values()) == 0
    assert "CA-1" in run("audit", "across").output


def test_the_card_of_a_report_has_its_counts_and_its_effort():
    card = run("audit", "01", "--card").output
    assert "Numbers: 8:" in card and "runs," in card and "10 W" in card and "To cite it" in card


@pytest.mark.parametrize("emulated", [True, False])
def test_runs_in_bfloat16_are_told_of_where_they_take_many_times_as_long(
    emulated, monkeypatch, tmp_path
):
    monkeypatch.setattr(fast, "emulates_bfloat16", lambda device: emulated)
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        "runs:\n- {report: '05', group: winner}\n- {report: '01', group: model_1, seeds: 2}\n"
    )
    planned = run("sweep", str(plan), "--dry-run", "--store", str(tmp_path / "store"))
    assert planned.exit_code == 0 and ("multiply in bfloat16: 1." in planned.output) == emulated


def test_data_commands_say_what_is_where(monkeypatch, tmp_path):
    monkeypatch.setenv("FMNIST_DATA", str(tmp_path))
    monkeypatch.setenv("FMNIST_OFFLINE", "1")
    status = run("data", "status")
    assert status.exit_code == 0 and "train-images-idx3-ubyte" in status.output
    assert run("data", "verify").exit_code == 1
