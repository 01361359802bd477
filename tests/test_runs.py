"""The run store: load, publish, and the records. Stops, kills and damage: R13 to R21."""

import os

import numpy as np
import pytest
import torch
from small_runs import DATA, make, without_seconds

from fmnist_utils.audit.recipes import Recipe
from fmnist_utils.audit.records import RESULTS, Record, Run
from fmnist_utils.augmentation import FlipAveraged
from fmnist_utils.data import Split
from fmnist_utils.text import UserError
from fmnist_utils.training import Batches, accuracy, evaluate
from fmnist_utils.workshop import checkpoints, engine
from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.machine import describe_environment
from fmnist_utils.workshop.parts import load_splits
from fmnist_utils.workshop.results import count_dead_units
from fmnist_utils.workshop.store import RunStore


def test_a_finished_run_is_loaded_and_not_trained_again(tmp_path, monkeypatch):
    store = RunStore(tmp_path)
    first = train(make(), store=store)
    monkeypatch.setattr(engine, "_make_run", lambda *arguments: pytest.fail("trained again"))
    again = train(make(), store=store)
    assert again.record == first.record
    assert without_seconds(again.history) == without_seconds(first.history)


def test_what_a_run_killed_after_its_record_left_is_cleared_away(tmp_path, monkeypatch):
    recipe, store = make(), RunStore(tmp_path)

    def killed(folder, keep=()):
        if not keep:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "remove_checkpoints", killed)
        with pytest.raises(KeyboardInterrupt):
            train(recipe, store=store)
    left = set(os.listdir(store.folder(recipe)))
    assert {"record.json", checkpoints.PROGRESS, "epoch-1.safetensors"} <= left
    monkeypatch.setattr(engine, "_make_run", lambda *_, **__: pytest.fail("trained again"))
    train(recipe, store=store)
    left = set(os.listdir(store.folder(recipe)))
    assert left == {"record.json", "record.panel.safetensors", "record.weights.safetensors"}


def test_the_record_holds_what_was_measured(tmp_path):
    recipe = make(select="best")
    run = train(recipe, store=RunStore(tmp_path))
    splits = load_splits(recipe.data, torch.device("cpu"))
    model = run.model()
    logits = model(splits.test.images).detach()
    right = (logits.argmax(1) == splits.test.labels).double().mean().item()
    assert run.metrics["test_accuracy"] == pytest.approx(right)
    loss = torch.nn.functional.cross_entropy(logits, splits.test.labels)
    assert run.metrics["test_loss"] == pytest.approx(loss.item(), abs=1e-6)
    assert run.confusion.sum() == 200 and run.confusion.trace() == round(right * 200)
    assert run.record.selected_epoch == run.history.best_epoch("val_loss")
    assert run.metrics["val_loss"] == pytest.approx(min(run.history["val_loss"]), abs=1e-6)
    assert run.panel["examples"].shape == (10, 28, 28) and run.panel["examples"].dtype == np.uint8
    assert {"torch", "threads", "device", "commit", "date"} <= set(run.record.made_with)
    assert not any("/" in str(value) for value in run.record.made_with.values())
    assert not model.training


def test_an_autoencoders_record_and_panel(tmp_path):
    recipe = make(model={"name": "ff_autoencoder", "latent_dim": 4}, loss="mse", num_epochs=1)
    run = train(recipe, store=RunStore(tmp_path))
    assert run.confusion is None and "test_accuracy" not in run.metrics
    panel = run.panel
    assert panel["example_reconstructions"].shape == (10, 28, 28)
    assert panel["mean_error"].shape == panel["mean_output"].shape == (28, 28)
    assert (panel["mean_error"] > 0).all()
    assert 0 <= run.metrics["test_dead_units"] <= 4


def test_dead_units_are_those_that_never_change():
    codes = torch.rand(50, 4)
    codes[:, 1], codes[:, 2] = 0, 0
    codes[7, 2] = 1
    assert count_dead_units(codes) == 1


def test_snapshots_show_the_network_as_it_was_after_those_epochs(tmp_path):
    small = {"name": "conv_autoencoder", "latent_dim": 4, "output_activation": "sigmoid"}
    recipe = make(model=small, loss="mse", num_epochs=3, snapshots=[0, 2, 3])
    panel = train(recipe, store=RunStore(tmp_path)).panel
    shorter = train(recipe.but(num_epochs=2, snapshots=[]), store=RunStore(tmp_path)).panel
    assert (panel["reconstructions_after_2"] == shorter["example_reconstructions"]).all()
    assert (panel["reconstructions_after_3"] == panel["example_reconstructions"]).all()
    assert (panel["reconstructions_after_0"] != panel["reconstructions_after_2"]).any()


ENCODED = {"name": "encoder_classifier", "latent_dim": 6}
PRETRAINING = {"model": {"name": "conv_autoencoder", "latent_dim": 6}, "loss": "l1"}
PRETRAINING |= {"num_epochs": 2}


def test_a_classifier_starts_from_the_encoder_of_another_run(tmp_path):
    store, base = RunStore(tmp_path), make(**PRETRAINING)

    def encoder_of(run):
        return run.model().encoder.state_dict()

    runs = {
        how: train(make(model=ENCODED, encoder_from=base, freeze=how, num_epochs=2), store=store)
        for how in ("optimizer", "gradient", "features")
    }
    encoder = encoder_of(store.find(base, weights=True))
    losses = runs["optimizer"].history["val_loss"]
    assert losses[-1] < losses[0]
    for run in runs.values():
        assert all(torch.equal(mine, encoder[name]) for name, mine in encoder_of(run).items())
        assert run.history["val_loss"] == pytest.approx(losses, abs=1e-5)
    tuned = train(make(model=ENCODED, encoder_from=base, num_epochs=1), store=store)
    for name, mine in encoder_of(tuned).items():
        assert (mine != encoder[name]).any() and torch.allclose(mine, encoder[name], atol=0.2)


def test_of_an_encoder_of_another_size_only_the_convolutions_are_taken(tmp_path):
    store, base = RunStore(tmp_path), make(**PRETRAINING)
    smaller = {"model": ENCODED | {"latent_dim": 5}, "freeze": "gradient", "num_epochs": 1}
    runs = (train(make(**smaller, encoder_from=base), store=store), store.find(base, weights=True))
    mine, theirs = (run.model().encoder.state_dict() for run in runs)
    same = {name for name in mine if torch.equal(mine[name], theirs[name])}
    assert {name for name in mine if mine[name].ndim == 4} <= same and "10.weight" not in same


def test_image_by_image_gives_the_same_run(tmp_path):
    for changes in ({}, PRETRAINING):
        resident, single = (
            make(**changes, loading=loading) for loading in ("resident", "per_image")
        )
        runs = [train(recipe, store=RunStore(tmp_path)) for recipe in (resident, single)]
        assert runs[0].record.weights_sha256 == runs[1].record.weights_sha256


def test_bfloat16_trains_nearly_the_same_and_is_measured_in_float32(tmp_path):
    few = DATA | {"train_size": 100, "test_size": 100}
    recipe = make(model={"name": "cnn", "dense_sizes": [16]}, data=few, num_epochs=2)
    plain, fast = (
        train(recipe.but(precision=precision), store=RunStore(tmp_path))
        for precision in ("float32", "bfloat16")
    )
    assert plain.record.weights_sha256 != fast.record.weights_sha256
    assert fast.metrics["test_loss"] == pytest.approx(plain.metrics["test_loss"], rel=0.2)
    model, splits = fast.model(), load_splits(recipe.data, torch.device("cpu"))
    loss = torch.nn.functional.cross_entropy(model(splits.test.images), splits.test.labels)
    assert fast.metrics["test_loss"] == pytest.approx(loss.item(), rel=1e-5)


def test_the_training_set_may_be_measured_on_its_beginning(tmp_path):
    whole = train(make(num_epochs=1), store=RunStore(tmp_path))
    part = train(make(num_epochs=1, measure_train=100), store=RunStore(tmp_path))
    assert part.record.weights_sha256 == whole.record.weights_sha256
    first = Split(*(tensor[:100] for tensor in load_splits(make().data, torch.device("cpu")).train))
    measured = evaluate(part.model(), Batches(*first, 1000), torch.nn.CrossEntropyLoss())
    assert part.history["train_loss"][-1] == pytest.approx(measured["loss"], rel=1e-5)
    assert part.history["train_loss"] != whole.history["train_loss"]


EVERYTHING = {
    "model": {"name": "residual_net", "width": 2}, "optimizer": "adamw", "schedule": "one_cycle",
    "flips": True, "shifts": 2, "erasing": 0.5, "label_smoothing": 0.1, "average": 0.9,
    "test_flips": True, "data": DATA | {"mean": 0.286, "std": 0.353},
}  # fmt: skip


def test_the_average_is_the_result_and_the_loss_is_the_plain_one(tmp_path):
    recipe = make(**EVERYTHING, num_epochs=2)
    run, raw = (train(recipe.but(average=decay), store=RunStore(tmp_path)) for decay in (0.9, 0.0))
    assert run.record.weights_sha256 != raw.record.weights_sha256
    assert run.history["running_loss"] == raw.history["running_loss"]  # the average only looks on
    test = load_splits(recipe.data, torch.device("cpu")).test
    model = run.model()
    for name, asked in (("test", model), ("test_flipped", FlipAveraged(model))):
        loss_fn, metrics = torch.nn.CrossEntropyLoss(), {"accuracy": accuracy}
        measured = evaluate(asked, Batches(*test, 1000), loss_fn, metrics)
        assert run.metrics[f"{name}_loss"] == pytest.approx(measured["loss"], abs=1e-6)
        assert run.metrics[f"{name}_accuracy"] == measured["accuracy"]
    assert run.metrics["val_loss"] == pytest.approx(run.history["val_loss"][-1], abs=1e-6)
    assert run.metrics["test_flipped_loss"] != run.metrics["test_loss"]


def test_each_step_changes_the_training(tmp_path):
    steps = {"flips": True, "shifts": 1, "erasing": 0.5, "label_smoothing": 0.1}
    steps["schedule"] = "one_cycle"
    changes = [{}, *({name: value} for name, value in steps.items())]
    runs = [train(make(num_epochs=1, **one), store=RunStore(tmp_path)) for one in changes]
    assert len({run.record.weights_sha256 for run in runs}) == len(runs)


def test_watching_the_test_set_says_so(tmp_path):
    recipe = make(data=DATA | {"val_size": 0}, watch="test", num_epochs=2)
    first = train(recipe, store=RunStore(tmp_path)).history.rows[0]
    assert {"test_loss", "test_accuracy"} <= set(first) and "val_loss" not in first


def test_published_records_are_found_without_the_local_store(tmp_path):
    store = RunStore(tmp_path / "runs", tmp_path / "results")
    run = train(make(), store=store)
    path = store.publish(run, "01_test", "model_1.ours")
    assert path.name.startswith("model_1.ours.seed0.") and path.stat().st_size < 10_000
    elsewhere = RunStore(tmp_path / "empty", tmp_path / "results")
    found = train(make(), store=elsewhere)
    assert found.record == run.record and found.panel["mistakes"].shape[1:] == (28, 28)
    with pytest.raises(UserError, match="few published records have weights"):
        found.model()
    trained = train(make(), store=elsewhere, weights=True)
    assert trained.record.weights_sha256 == run.record.weights_sha256


def test_committed_records_are_whole_and_mean_what_they_meant():
    committed = sorted(RunStore().results.glob("*/records/*.json"))
    assert len(committed) > 1000
    for path in committed:
        record = Record.read(path)
        # Fails if a default was ever changed.
        assert Recipe(**record.recipe).id == record.id, path.name
        assert path.name.split(".")[-2] == record.id[:12]
        assert record.recipe["data"]["source"] == "official", path.name


def test_the_class_of_every_test_image_is_kept_in_the_order_of_the_file(tmp_path):
    """Also where the test file was shuffled and cut in two to validate as well."""
    store = RunStore(tmp_path / "runs", tmp_path / "results")
    all_of_it = make(data={"source": "sample", "val_size": 0}, watch="test").data
    whole = load_splits(all_of_it, torch.device("cpu")).test
    plain = {"source": "sample", "train_size": 100, "val_size": 50}
    cut = {"val_from": "test", "val_size": 4000, "split_seed": 3, "fold": 1}
    for data in (plain, plain | cut):
        run = train(make(data=data, num_epochs=1), store=store)
        wanted = run.model()(whole.images).argmax(dim=1).numpy()
        assert run.predictions.dtype == np.uint8 and np.array_equal(run.predictions, wanted)
        path = store.publish(run, "99", "g.theirs", panel=False)
        kept = path.with_suffix(".predictions.npz")
        assert kept.exists() and kept.stat().st_size < 6000
        assert np.array_equal(RunStore("none", store.results).find(run.recipe).predictions, wanted)
    kept.write_bytes(kept.read_bytes()[:-1] + b"x")
    with pytest.raises(UserError, match="predictions"):
        _ = RunStore("none", store.results).find(run.recipe).predictions
    part = train(make(num_epochs=1), store=store)
    assert part.predictions is None and part.record.predictions_sha256 is None


def test_a_record_without_predictions_reads_and_is_sealed_as_it_was(tmp_path):
    path = next(RESULTS.glob("01_ff_classifier/records/model_1.theirs.seed0.*.json"))
    record = Record.read(path)
    assert record.predictions_sha256 is None and record.to_json() == path.read_text("utf-8")
    assert "predictions" not in record.to_json() and Run(record, path).predictions is None


def test_both_errors_of_an_autoencoder_are_measured_whatever_it_was_trained_with(tmp_path):
    model = {"name": "ff_autoencoder", "latent_dim": 4}
    for loss in ("mse", "l1"):
        recipe = make(model=model, loss=loss, num_epochs=1)
        run = train(recipe, store=RunStore(tmp_path))
        test = load_splits(recipe.data, torch.device("cpu")).test.images
        difference = run.model()(test).detach() - test
        assert run.metrics["test_mse"] == pytest.approx((difference**2).mean().item(), rel=1e-5)
        assert run.metrics["val_l1"] > 0 and run.metrics[f"test_{loss}"] == run.metrics["test_loss"]
        assert run.metrics["test_l1"] == pytest.approx(difference.abs().mean().item(), rel=1e-5)


def test_a_new_record_names_the_processor_and_the_kernels():
    made = describe_environment(torch.device("cpu"))
    assert made["cpu_name"] and made["onednn"] != "" and isinstance(made["instruction_sets"], str)
    with open("/proc/cpuinfo" if os.path.exists("/proc/cpuinfo") else os.devnull) as file:
        flags = file.read()
    if "avx512_bf16" in flags:
        assert "avx512_bf16" in made["instruction_sets"] and "bfloat16" in made["onednn"]
