"""The command line: the same verbs as the API, refusals in one message, in the language asked for."""

import json

import pytest
from click.testing import CliRunner

from fmnist_utils.cli import main
from fmnist_utils.reports import load_report

SMALL = ["--set", "num_epochs=1", "--set", 'data.source="synthetic"', "--set", "data.train_size=200"]


def run(*arguments):
    return CliRunner().invoke(main, arguments)


def test_train_prints_the_metrics_and_loads_the_second_time():
    first = run("train", "01", "model_2", *SMALL)
    assert first.exit_code == 0, first.output
    metrics = json.loads(first.output)
    assert {"id", "test_accuracy", "test_loss", "weights_sha256"} <= set(metrics)
    assert run("train", "01", "model_2", *SMALL).output == first.output


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["train", "01", "modl_2"], ["'modl_2'", "Did you mean 'model_2'"]),
        (["train", "07", "model_2"], ["'07'", "01_ff_classifier"]),
        (["train", "01", "model_2", "--protocol", "their"], ["theirs, ours"]),
        (["train", "01", "model_2", "--set", "num_epoch=3"], ["num_epoch:", "Did you mean 'num_epochs'"]),
        (["train", "01", "model_2", "--set", "model.dropout=2"], ["model.dropout: given 2", "< 1"]),
        (["train", "01", "model_2", "--set", "num_epochs"], ["--set", "FIELD=VALUE"]),
        (["train", "01", "model_2", "--device", "cuda:9", *SMALL], ["cuda:9", "cpu"]),
        (["audit", "99"], ["'99'", "01_ff_classifier"]),
        (["reproduce", "99"], ["'99'"]),
    ],
)
def test_mistakes_are_one_message_and_exit_2(arguments, parts):
    result = run(*arguments)
    assert result.exit_code == 2 and "Traceback" not in result.output
    for part in parts:
        assert part in result.output
    spanish = run("--lang", "es", *arguments)
    assert spanish.exit_code == 2 and spanish.output != result.output


def test_audit_as_json_has_a_row_for_every_number_and_claim():
    rows = json.loads(run("audit", "01", "--format", "json").output)
    report = load_report("01")
    assert [row["id"] for row in rows] == [item.id for item in [*report.numbers, *report.claims]]
    for row in rows:
        assert row["kind"] in ("number", "claim") and row["verdict"] in ("agrees", "differs", "cannot be compared")
        assert row["reason"]


def test_audit_as_a_table_in_both_languages():
    english, spanish = run("--lang", "en", "audit", "01").output, run("--lang", "es", "audit", "01").output
    assert "C1-8" in english and "their protocol" in english and "Claims: 8." in english
    assert "C1-8" in spanish and "su protocolo" in spanish and "Afirmaciones: 8." in spanish


def test_reproduce_makes_what_is_missing_and_publishes_it(monkeypatch, tmp_path):
    """With a report of two runs in place of the real one; a second start trains nothing."""
    from fmnist_utils import reports

    report = load_report("01")
    small = {"data": {"source": "synthetic", "train_size": 200, "val_size": 100, "test_size": 100}, "watch": "val"}
    group = report.groups["model_1"].model_copy(update={"seeds": 2, "protocols": ["ours"]})
    recipe = group.recipe | {"num_epochs": 1}
    tiny = report.model_copy(
        update={"groups": {"model_1": group.model_copy(update={"recipe": recipe})}, "protocols": {"ours": small}}
    )
    monkeypatch.setattr(reports, "load_report", lambda name: tiny)
    monkeypatch.setenv("FMNIST_RESULTS", str(tmp_path / "results"))
    first = run("reproduce", "01", "--jobs", "1")
    assert first.exit_code == 0 and "2 runs, 2 missing" in first.output
    records = sorted((tmp_path / "results" / "01_ff_classifier").glob("*.json"))
    assert [path.name.split(".")[:3] for path in records] == [["model_1", "ours", "seed0"], ["model_1", "ours", "seed1"]]
    assert len(list((tmp_path / "results" / "01_ff_classifier").glob("*.panel.safetensors"))) == 1
    assert "2 runs, 0 missing" in run("reproduce", "01").output
    records[0].unlink()
    assert "2 runs, 1 missing" in run("reproduce", "01").output and records[0].exists()


def test_data_commands_say_what_is_where(monkeypatch, tmp_path):
    monkeypatch.setenv("FMNIST_DATA", str(tmp_path))
    monkeypatch.setenv("FMNIST_OFFLINE", "1")
    status = run("data", "status")
    assert status.exit_code == 0 and "train-images-idx3-ubyte.gz" in status.output
    assert run("data", "verify").exit_code == 1
