"""The command line: the same verbs as the API, refusals in one message, in the language asked for."""

import json
import re

import pytest
import torch
from click.testing import CliRunner
from small_runs import SHAPES
from test_reports import made_up

from fmnist_utils import data
from fmnist_utils.audit import schema as reports
from fmnist_utils.audit.schema import load_report
from fmnist_utils.audit.verdicts import audit, count_open, count_verdicts
from fmnist_utils.workshop import engine as runs
from fmnist_utils.workshop import fast
from fmnist_utils.workshop.cli import main

SMALL = [
    "--set",
    "num_epochs=1",
    "--set",
    'data.source="synthetic"',
    "--set",
    "data.train_size=200",
]


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
    run(
        "train",
        "01",
        group,
        "--protocol",
        "theirs",
        *(f"--set={name}={value}" for name, value in changes.items()),
    )
    assert given[0] == load_report("01").recipe(group, "theirs").but(changes)
    assert all(given[0].value(name) == value for name, value in changes.items())


def test_what_is_allowed_and_fails_exits_1():
    told = run(
        "--lang",
        "en",
        "train",
        "01",
        "model_2",
        *SMALL,
        "--set",
        "learning_rate=1e6",
        "--set",
        "optimizer=sgd",
    )
    assert (
        told.exit_code == 1
        and "Traceback" not in told.output
        and "learning_rate=1e+06" in told.output
    )


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["train", "01", "modl_2"], ["'modl_2'", "Did you mean 'model_2'"]),
        (["train", "99", "model_2"], ["'99'", "01_ff_classifier"]),
        (["train", "01", "model_2", "--protocol", "their"], ["theirs, ours"]),
        (
            ["train", "01", "model_2", "--set", "num_epoch=3"],
            ["num_epoch:", "Did you mean 'num_epochs'"],
        ),
        (["train", "01", "model_2", "--set", "model.dropout=2"], ["model.dropout: given 2", "< 1"]),
        (["train", "01", "model_2", "--set", "num_epochs"], ["--set", "FIELD=VALUE"]),
        (
            ["train", "01", "model_2", "--set", "model.droput=0.5"],
            ["model.droput:", "Did you mean 'dropout'"],
        ),
        (
            ["train", "01", "model_2", "--set", "optimizer.lr=0.1"],
            ["optimizer.lr: optimizer has no fields"],
        ),
        (["train", "01", "model_2", "--set", "num_epochs=null"], ["num_epochs: given None"]),
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
        assert row["kind"] in ("number", "claim") and row["verdict"] in (
            "agrees",
            "differs",
            "cannot be compared",
        )
        assert row["reason"]


def test_audit_as_a_table_in_both_languages():
    english, spanish = (
        run("--lang", "en", "audit", "01").output,
        run("--lang", "es", "audit", "01").output,
    )
    assert "C1-8" in english and "their protocol" in english and "Claims: 8." in english
    assert "C1-8" in spanish and "su protocolo" in spanish and "Afirmaciones: 8." in spanish


@pytest.mark.parametrize("lang", ["en", "es"])
def test_audit_without_a_report_is_the_whole_audit_and_its_sum(lang, monkeypatch, tmp_path):
    monkeypatch.setenv("FMNIST_RESULTS", str(tmp_path))
    output = run("--lang", lang, "audit").output
    rows = audit()
    titles = re.findall(r"^(\w+)\. .+\n\n", output, re.MULTILINE)
    assert titles == [*reports.student_reports(), "across"]
    for row in rows:
        assert f"{row.id}  " in output and row.reason in output
    numbers, claims, open = output.strip().splitlines()[-3:]
    for line, kind in ((numbers, "number"), (claims, "claim")):
        counts = count_verdicts(rows)[kind].values()
        assert re.findall(r"\d+", line) == [str(sum(counts)), *map(str, counts)]
    counted = count_open(rows)
    assert re.findall(r"\d+", open) == [
        str(counted[why]) for why in ("undecided", "runs", "report")
    ]
    assert "CA-1" in run("--lang", lang, "audit", "across").output


def test_reproduce_makes_any_record_again_that_is_deleted(monkeypatch, tmp_path):
    """On a machine that has nothing but the committed records: the same numbers, weights and files."""
    classifier = {"name": "encoder_classifier", "latent_dim": 4, "encoder": "conv"}
    fields = {
        "data": {"source": "synthetic", "train_size": 200, "val_size": 100, "test_size": 100},
        "model": classifier,
    }
    fields |= {
        "loss": "cross_entropy",
        "optimizer": "adam",
        "learning_rate": 0.01,
        "batch_size": 50,
        "num_epochs": 1,
    }
    report = made_up(
        tuned={
            "recipe": fields,
            "encoder_from": "base",
            "seeds": 2,
            "protocols": ["theirs", "ours"],
        }
    )
    report = report.model_copy(
        update={"groups": {name: report.groups[name] for name in ("base", "tuned")}}
    )
    monkeypatch.setattr(reports, "load_report", lambda name: report)
    monkeypatch.setattr(data, "SHAPES", SHAPES)
    runs.load_splits.cache_clear()
    monkeypatch.setenv("FMNIST_RESULTS", str(tmp_path / "results"))

    def reproduce(machine):
        monkeypatch.setenv("FMNIST_RUNS", str(tmp_path / machine))
        result = run("reproduce", report.id, "--jobs", "1")
        assert result.exit_code == 0, result.output
        return result.output

    def numbers(path):
        record = json.loads(path.read_bytes())
        history = {name: column for name, column in record["history"].items() if name != "seconds"}
        return [
            history,
            *(
                record[name]
                for name in ("id", "metrics", "confusion", "weights_sha256", "panel_sha256")
            ),
        ]

    reproduce("first")
    folder = tmp_path / "results" / report.id / "records"
    files = sorted(folder.iterdir())
    records = [path for path in files if path.suffix == ".json"]
    assert len(records) == sum(map(len, report.all_recipes().values())) == 6
    assert [path.name for path in files if path.suffixes[-2:] == [".weights", ".safetensors"]]
    for place, path in enumerate(records):
        before = numbers(path)
        for file in folder.glob(f"{path.stem}.*"):
            file.unlink()
        assert "6 runs, 1 missing" in reproduce(f"machine_{place}")
        assert numbers(path) == before and sorted(folder.iterdir()) == files
    assert "6 runs, 0 missing" in reproduce("last")
    runs.load_splits.cache_clear()


@pytest.mark.parametrize(("device", "total"), [("cpu", 0), ("cuda", 3)])
def test_reproduce_leaves_the_runs_meant_for_a_gpu_to_one(device, total, monkeypatch, tmp_path):
    report = made_up(wide={"like": "base", "gpu": True})
    report = report.model_copy(
        update={"groups": {name: report.groups[name] for name in ("base", "wide")}}
    )
    monkeypatch.setattr(reports, "load_report", lambda name: report)
    monkeypatch.setenv("FMNIST_RESULTS", str(tmp_path))
    monkeypatch.setattr("fmnist_utils.training.pick_device", lambda name: torch.device(name))
    monkeypatch.setattr(runs, "train_all", lambda recipes, **how: None)
    assert (
        f"{2 + total} runs, {2 + total} missing"
        in run("reproduce", report.id, "--device", device).output
    )


def test_reproduce_makes_what_is_missing_and_publishes_it(monkeypatch, tmp_path):
    """With a report of two runs in place of the real one; a second start trains nothing."""
    from fmnist_utils.audit import schema as reports

    report = load_report("01")
    small = {
        "data": {"source": "synthetic", "train_size": 200, "val_size": 100, "test_size": 100},
        "watch": "val",
    }
    group = report.groups["model_1"].model_copy(update={"seeds": 2, "protocols": ["ours"]})
    recipe = group.recipe | {"num_epochs": 1}
    tiny = report.model_copy(
        update={
            "groups": {"model_1": group.model_copy(update={"recipe": recipe})},
            "protocols": {"ours": small},
        }
    )
    monkeypatch.setattr(reports, "load_report", lambda name: tiny)
    monkeypatch.setenv("FMNIST_RESULTS", str(tmp_path / "results"))
    first = run("reproduce", "01", "--jobs", "1")
    assert first.exit_code == 0 and "2 runs, 2 missing" in first.output
    records = sorted((tmp_path / "results" / "01_ff_classifier" / "records").glob("*.json"))
    assert [path.name.split(".")[:3] for path in records] == [
        ["model_1", "ours", "seed0"],
        ["model_1", "ours", "seed1"],
    ]
    assert (
        len(
            list(
                (tmp_path / "results" / "01_ff_classifier" / "records").glob("*.panel.safetensors")
            )
        )
        == 1
    )
    assert "2 runs, 0 missing" in run("reproduce", "01").output
    records[0].unlink()
    assert "2 runs, 1 missing" in run("reproduce", "01").output and records[0].exists()


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
    assert status.exit_code == 0 and "train-images-idx3-ubyte.gz" in status.output
    assert run("data", "verify").exit_code == 1
