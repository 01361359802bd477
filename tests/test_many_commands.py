"""How runs stand, and the commands that make many of them."""

import itertools
import json
import re

import pytest
import torch
from many_runs import ENCODED, PRETRAINING, hold_and_die, order_for, run
from small_runs import make

from fmnist_utils.audit import schema
from fmnist_utils.audit.schema import load_report
from fmnist_utils.text import Failure
from fmnist_utils.workshop import many, one_run
from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.many import make_all, standing_of


def test_how_a_run_stands(store, breaks):
    done, running, failed, begun, waiting = [make(seed=seed, num_epochs=2) for seed in range(5)]
    train(done, store=store)
    breaks(failed)
    one_run.make(order_for(failed, store))
    store.folder(begun).mkdir()
    (store.folder(begun) / "progress.json").write_text('{"entries": [{"rows": [{}]}]}')
    hold_and_die(store.folder(begun))
    with store.alone(store.folder(running)):
        standing = [
            standing_of(recipe, store) for recipe in (done, running, failed, begun, waiting)
        ]
    states = ["done", "running", "failed", "waiting", "waiting"]
    assert [one.state for one in standing] == states and list(many.STATES) == states[:4]
    assert [one.epochs for one in standing] == [2, 0, 0, 1, 0]
    assert "a mistake of ours" in standing[2].reason and not store.folder(waiting).exists()
    (store.folder(done) / "record.json").write_text("{")
    assert "damaged" in standing_of(done, store).reason


@pytest.fixture
def plan(tmp_path):
    recipe = json.loads(make(num_epochs=1).canonical_json)
    (tmp_path / "plan.yaml").write_text(json.dumps({"runs": [{"recipe": recipe, "seeds": 3}]}))
    return tmp_path / "plan.yaml"


def test_sweep_and_status(plan, store, in_process):
    where = ["--store", store.root, "--jobs", 1]
    dry = run("sweep", plan, *where, "--dry-run")
    assert dry.exit_code == 0 and "3 runs, 3 missing" in dry.output and not store.root.exists()
    assert "one after the other" in dry.output and "With 1 at a time" in dry.output
    first = run("sweep", plan, *where, "--part", "1/2")
    assert first.exit_code == 0 and "Done: 2 runs" in first.output
    told = run("status", plan, "--store", store.root, "--all")
    assert told.exit_code == 0 and "2  done" in told.output and "1  waiting" in told.output
    assert "seed=2" in told.output and "1/1" in told.output
    again = run("--lang", "es", "sweep", plan, *where)
    assert again.exit_code == 0 and "faltan 1" in again.output
    assert "3  hechas" in run("status", plan, "--store", store.root).output


def test_status_without_a_plan_is_that_of_all_reports():
    told = run("status")
    assert told.exit_code == 0
    counts = re.findall(r"^ +(\d+)  (?:done|running|failed|waiting)", told.output, re.MULTILINE)
    groups = [load_report(name).all_recipes().values() for name in schema.report_names()]
    wanted = {recipe.id for recipes in itertools.chain(*groups) for recipe in recipes}
    assert sum(map(int, counts)) == len(wanted)


def test_a_failure_is_told_by_sweep_and_by_status(plan, store, in_process, breaks):
    breaks(make(num_epochs=1, seed=1))
    where = ["--store", store.root]
    failed = run("sweep", plan, *where, "--jobs", 1)
    assert failed.exit_code == 1 and "1 of 3 runs failed" in failed.output
    told = run("status", plan, *where).output
    assert "1  failed" in told and "Traceback" in told and "failed.json" in told


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--jobs", 2, "--scheduler", "tcp://127.0.0.1:1"], "one of the two options"),
        (["--part", "0/4"], "'0/4'; allowed: K/N"),
        (["--part", "5/4"], "K/N"),
        (["--part", "a/b"], "K/N"),
        (["--part", "3"], "K/N"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, part, plan, store):
    refused = run("sweep", plan, "--store", store.root, *options)
    assert refused.exit_code == 2 and part in refused.output and not store.root.exists()


def test_status_of_a_folder_that_is_not_there_makes_none(plan, tmp_path):
    refused = run("status", plan, "--store", tmp_path / "typo")
    assert refused.exit_code == 2 and "typo" in refused.output
    assert not (tmp_path / "typo").exists()


@pytest.fixture
def report(monkeypatch, tmp_path):
    """A report of 6 small runs, one of whose groups starts from the other's encoder."""
    text = {"es": "una red", "en": "a network"}
    base = json.loads(PRETRAINING.canonical_json)
    tuned = json.loads(make(model=ENCODED, num_epochs=1).canonical_json)
    both = {"label": text, "seeds": 2, "encoder_from": "base", "protocols": ["theirs", "ours"]}
    made_up = schema.Report(
        id="99_made_up",
        title=text,
        parameters={},
        protocols={"theirs": {}, "ours": {"select": "best"}},
        groups={
            "base": {"label": text, "seeds": 2, "recipe": base, "checkpoint": "small"},
            "tuned": both | {"recipe": tuned},
            "wide": {"label": text, "seeds": 3, "like": "base", "gpu": True},
        },
    )
    monkeypatch.setattr(schema, "load_report", lambda name: made_up)
    monkeypatch.setenv("FMNIST_RESULTS", str(tmp_path / "results"))
    return made_up


def test_reproduce_makes_any_record_again_that_is_deleted(
    report, in_process, monkeypatch, tmp_path
):
    """On a machine that has only the committed records: the same numbers, weights and files."""

    def reproduce(machine, *options):
        monkeypatch.setenv("FMNIST_RUNS", str(tmp_path / machine))
        result = run("reproduce", report.id, "--jobs", 1, *options)
        assert result.exit_code == 0, result.output
        return result.output

    def numbers(path):
        record = json.loads(path.read_bytes())
        history = {name: column for name, column in record["history"].items() if name != "seconds"}
        names = ("id", "metrics", "confusion", "weights_sha256", "panel_sha256")
        return [history, *(record[name] for name in names)]

    assert "3 runs, 3 missing" in reproduce("first", "--part", "2/2")
    assert "6 runs, 3 missing" in reproduce("first")
    folder = tmp_path / "results" / report.id / "records"
    files = sorted(folder.iterdir())
    records = [path for path in files if path.suffix == ".json"]
    assert len(records) == sum(map(len, report.all_recipes(gpu=False).values())) == 6
    assert [path.name for path in files if path.suffixes[-2:] == [".weights", ".safetensors"]]
    for place, path in enumerate(records):
        before = numbers(path)
        for file in folder.glob(f"{path.stem}.*"):
            file.unlink()
        assert "6 runs, 1 missing" in reproduce(f"machine_{place}")
        assert numbers(path) == before and sorted(folder.iterdir()) == files
    assert "6 runs, 0 missing" in reproduce("last")


@pytest.mark.parametrize(("device", "total"), [("cpu", 6), ("cuda", 9)])
def test_reproduce_leaves_the_runs_meant_for_a_gpu_to_one(report, device, total, monkeypatch):
    monkeypatch.setattr("fmnist_utils.training.pick_device", lambda name: torch.device(name))
    told = run("reproduce", report.id, "--device", device, "--dry-run").output
    assert f"{total} runs, {total} missing" in told


def test_a_run_that_is_made_elsewhere_and_not_seen_here_is_told(store, monkeypatch):
    monkeypatch.setattr(many, "make_run", lambda *_: {"state": "done"})
    with pytest.raises(Failure, match="All the computers must see the same folder"):
        make_all([make()], jobs=1, store=store, progress=False)
