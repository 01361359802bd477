"""The run store: load, resume, kill, damage, several at once, and the records."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from fmnist_utils.checkpoints import write_atomically
from fmnist_utils.recipes import Recipe
from fmnist_utils.runs import Record, RunStore, load_splits, train, train_all
from fmnist_utils.text import UserError
from fmnist_utils.training import History, TrainingDiverged, evaluate

DATA = {"source": "synthetic", "train_size": 300, "val_size": 100, "test_size": 200}


def make(**changes):
    fields = {
        "data": DATA, "model": {"name": "ff_classifier", "hidden_sizes": [8]}, "loss": "cross_entropy", "optimizer": "adam",
        "learning_rate": 0.01, "batch_size": 50, "num_epochs": 4,
    }  # fmt: skip
    return Recipe(**{**fields, **changes})


class Killed(Exception):
    pass


def stop_after(monkeypatch, epoch):
    """Make training die after the checkpoint of ``epoch``."""
    from fmnist_utils.checkpoints import Checkpoints

    save = Checkpoints.save

    def save_and_die(self, model, optimizer, history):
        save(self, model, optimizer, history)
        if len(history) == epoch:
            raise Killed

    monkeypatch.setattr(Checkpoints, "save", save_and_die)


def without_seconds(history: History):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history.rows]


FAMILIES = {
    "classifier, Adam": {},
    "SGD with momentum, cosine": {"optimizer": "sgd", "momentum": 0.9, "schedule": "cosine"},
    "batch norm and dropout": {"model": {"name": "cnn", "dense_sizes": [16], "dropout": 0.25}, "num_epochs": 3},
    "autoencoder": {"model": {"name": "conv_autoencoder", "latent_dim": 8, "dropout": 0.2}, "loss": "l1", "num_epochs": 3},
    "best epoch, patience": {"select": "best", "patience": 2, "learning_rate": 0.05},
}


@pytest.mark.parametrize("changes", FAMILIES.values(), ids=FAMILIES)
def test_resumed_after_any_epoch_is_bit_identical(changes, tmp_path, monkeypatch):
    recipe = make(**changes)
    whole = train(recipe, store=RunStore(tmp_path / "whole"))
    for epoch in range(1, len(whole.history)):
        store = RunStore(tmp_path / f"stopped{epoch}")
        with monkeypatch.context() as patch:
            stop_after(patch, epoch)
            with pytest.raises(Killed):
                train(recipe, store=store)
        assert store.find(recipe) is None
        torch.rand(3)
        resumed = train(recipe, store=store)
        assert resumed.record.weights_sha256 == whole.record.weights_sha256
        assert without_seconds(resumed.history) == without_seconds(whole.history)
        assert resumed.metrics == whole.metrics and resumed.record.made_with["one_environment"] is True


PROGRAM = """
import sys, torch
torch.set_num_threads(1)
from fmnist_utils.recipes import Recipe
from fmnist_utils.runs import RunStore, train
print("ready", flush=True)
train(Recipe(**eval(sys.argv[1])), store=RunStore(sys.argv[2]), progress=False)
"""


def test_killed_at_random_moments_it_ends_with_the_same_digest(tmp_path):
    recipe = make(num_epochs=60, select="best", data=DATA | {"train_size": 2000})
    whole = train(recipe, store=RunStore(tmp_path / "whole"))
    store = RunStore(tmp_path / "killed")
    moments, kills = random.Random(4), 0
    while kills < 5 and store.find(recipe) is None:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, repr(recipe.model_dump(mode="json")), str(store.root)], stdout=subprocess.PIPE
        )
        process.stdout.readline()
        time.sleep(moments.uniform(0.05, 0.9))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.communicate()
    resumed = train(recipe, store=store)
    assert kills >= 1
    assert resumed.record.weights_sha256 == whole.record.weights_sha256
    assert sorted(path.name for path in store.folder(recipe).iterdir()) == [
        "lock", "record.json", "record.panel.safetensors", "record.weights.safetensors",
    ]  # fmt: skip


def test_a_finished_run_is_loaded_and_not_trained_again(tmp_path, monkeypatch):
    store = RunStore(tmp_path)
    first = train(make(), store=store)
    monkeypatch.setattr("fmnist_utils.runs._train", lambda *arguments: pytest.fail("trained again"))
    again = train(make(), store=store)
    assert again.record == first.record
    assert without_seconds(again.history) == without_seconds(first.history)


def test_the_record_holds_what_was_measured(tmp_path):
    recipe = make(select="best")
    run = train(recipe, store=RunStore(tmp_path))
    splits = load_splits(recipe.data, torch.device("cpu"))
    model = run.model()
    logits = model(splits.test.images).detach()
    assert run.metrics["test_accuracy"] == pytest.approx((logits.argmax(1) == splits.test.labels).double().mean().item())
    assert run.confusion.sum() == 200 and run.confusion.trace() == round(run.metrics["test_accuracy"] * 200)
    assert run.record.selected_epoch == run.history.best_epoch("val_loss")
    assert run.metrics["val_loss"] == pytest.approx(min(run.history["val_loss"]), abs=1e-6)
    assert run.panel["examples"].shape == (10, 28, 28) and run.panel["examples"].dtype == np.uint8
    assert {"torch", "threads", "device", "commit", "date"} <= set(run.record.made_with)
    assert not any("/" in str(value) for value in run.record.made_with.values())
    assert not model.training


def test_an_autoencoders_record_and_panel(tmp_path):
    run = train(make(model={"name": "ff_autoencoder", "latent_dim": 4}, loss="mse", num_epochs=1), store=RunStore(tmp_path))
    assert run.confusion is None and "test_accuracy" not in run.metrics
    assert run.panel["example_reconstructions"].shape == (10, 28, 28)


def test_watching_the_test_set_says_so(tmp_path):
    run = train(make(data=DATA | {"val_size": 0}, watch="test", num_epochs=2), store=RunStore(tmp_path))
    assert {"test_loss", "test_accuracy"} <= set(run.history.rows[0]) and "val_loss" not in run.history.rows[0]


def test_published_records_are_found_without_the_local_store(tmp_path):
    store = RunStore(tmp_path / "runs", tmp_path / "results")
    run = train(make(), store=store)
    path = store.publish(run, "01_test", "model_1.ours")
    assert path.name.startswith("model_1.ours.seed0.") and path.stat().st_size < 10_000
    elsewhere = RunStore(tmp_path / "empty", tmp_path / "results")
    found = train(make(), store=elsewhere)
    assert found.record == run.record and found.panel["mistakes"].shape[1:] == (28, 28)
    with pytest.raises(UserError, match="no weights"):
        found.model()
    trained = train(make(), store=elsewhere, weights=True)
    assert trained.record.weights_sha256 == run.record.weights_sha256


def test_damage_is_seen(tmp_path):
    store = RunStore(tmp_path)
    run = train(make(), store=store)
    weights = run.path.with_suffix(".weights.safetensors")
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(UserError, match="damaged"):
        run.model()
    fields = json.loads(run.path.read_text())
    fields["metrics"]["test_accuracy"] = 0.999
    run.path.write_text(json.dumps(fields))
    with pytest.raises(UserError, match="altered after it was measured"):
        store.find(make())
    run.path.write_text(run.path.read_text()[:100])
    with pytest.raises(UserError, match="damaged"):
        store.find(make())


@pytest.mark.parametrize("fault", ["truncated", "one bit", "gone", "rubbish"])
def test_a_damaged_checkpoint_is_refused_and_the_one_before_taken(fault, tmp_path, monkeypatch):
    recipe = make()
    whole = train(recipe, store=RunStore(tmp_path / "whole"))
    store = RunStore(tmp_path / "damaged")
    with monkeypatch.context() as patch:
        stop_after(patch, 3)
        with pytest.raises(Killed):
            train(recipe, store=store)
    newest = store.folder(recipe) / "epoch-3.safetensors"
    content = newest.read_bytes()
    if fault == "gone":
        newest.unlink()
    else:
        flipped = content[:-1] + bytes([content[-1] ^ 4])
        newest.write_bytes({"truncated": content[:50], "one bit": flipped, "rubbish": b"x" * 99}[fault])
    assert train(recipe, store=store).record.weights_sha256 == whole.record.weights_sha256


def test_a_broken_progress_file_means_starting_anew(tmp_path):
    store = RunStore(tmp_path / "a")
    store.folder(make()).mkdir(parents=True)
    (store.folder(make()) / "progress.json").write_text("{ not json")
    run = train(make(), store=store)
    assert run.record.weights_sha256 == train(make(), store=RunStore(tmp_path / "b")).record.weights_sha256


def test_side_by_side_gives_the_same_as_one_by_one(tmp_path):
    recipes = [make(seed=seed) for seed in (0, 1, 0)]
    one_by_one = train_all(recipes, jobs=1, store=RunStore(tmp_path / "one"))
    side_by_side = train_all(recipes, jobs=2, store=RunStore(tmp_path / "two"))
    digests = [run.record.weights_sha256 for run in one_by_one]
    assert digests == [run.record.weights_sha256 for run in side_by_side]
    assert digests[0] == digests[2] != digests[1]


def kill_each_worker_once(fields, arguments):
    """In place of ``_attempt``: the worker that takes a recipe for the first time is killed."""
    from fmnist_utils import runs

    mark = arguments["store"].root / f"killed-{fields['seed']}"
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return runs.train(Recipe(**fields), **arguments) and None


@pytest.mark.nightly
def test_a_killed_worker_takes_no_other_run_with_it(tmp_path, monkeypatch):
    store = RunStore(tmp_path)
    monkeypatch.setattr("fmnist_utils.runs._attempt", kill_each_worker_once)
    recipes = [make(seed=1), make(seed=2)]
    assert [run.recipe.seed for run in train_all(recipes, jobs=2, store=store)] == [1, 2]


def test_one_failure_does_not_stop_the_others_and_is_told(tmp_path):
    store = RunStore(tmp_path)
    deep = {"name": "ff_classifier", "hidden_sizes": [32] * 8, "dropout": 0.0}
    diverging = make(model=deep, loss="mse", optimizer="sgd", learning_rate=1e6)
    finished = []
    with pytest.raises(UserError) as error:
        train_all([diverging, make(seed=1), make(seed=2)], jobs=1, store=store, on_run=finished.append)
    assert "1 of 3 runs failed" in str(error.value) and "learning_rate=1e+06" in str(error.value)
    assert [run.recipe.seed for run in finished] == [1, 2]
    failure = json.loads((store.folder(diverging) / "failed.json").read_text())
    assert failure["values"]["rate"] == 1e6 and failure["id"] == diverging.id
    with pytest.raises(TrainingDiverged):
        train(diverging, store=store)


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"before")

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left on device"):
        write_atomically(path, b"after")
    assert path.read_bytes() == b"before" and list(tmp_path.iterdir()) == [path]


COMMITTED = sorted(RunStore().results.rglob("*.json"))


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.name)
def test_committed_records_are_whole_and_mean_what_they_meant(path):
    record = Record.read(path)
    assert Recipe(**record.recipe).id == record.id  # fails if a default was ever changed
    assert path.name.split(".")[-2] == record.id[:12]
    assert record.recipe["data"]["source"] == "official"


def test_evaluate_is_what_a_record_calls_test_loss(tmp_path):
    from torch import nn

    from fmnist_utils.training import Batches

    run = train(make(), store=RunStore(tmp_path))
    test = load_splits(run.recipe.data, torch.device("cpu")).test
    measured = evaluate(run.model(), Batches(test.images, test.labels, 37), nn.CrossEntropyLoss())
    assert measured["loss"] == pytest.approx(run.metrics["test_loss"], abs=1e-6)
