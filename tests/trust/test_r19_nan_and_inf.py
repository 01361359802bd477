"""R19. A loss that becomes NaN or infinite: stopped in that epoch; `failed.json` says where.

Inf in an image and NaN in the weights are put in by hand, in 6 networks; a rate much too large
makes 5 of them overflow.
"""

import json
import math

import pytest
import torch
from small_runs import DATA, make

from fmnist_utils.text import UserError
from fmnist_utils.training import TrainingDiverged
from fmnist_utils.workshop import engine as runs
from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.many import make_all
from fmnist_utils.workshop.store import RunStore

FEW = DATA | {"train_size": 100, "val_size": 50, "test_size": 50}
CLASSIFIERS = [
    {"name": "ff_classifier", "hidden_sizes": [32] * 4},
    {"name": "cnn", "dense_sizes": [16]},
    {"name": "encoder_classifier", "latent_dim": 8},
]
AUTOENCODERS = [
    {"name": "ff_autoencoder", "latent_dim": 8},
    {"name": "conv_autoencoder", "latent_dim": 8},
    {"name": "raschka_autoencoder", "latent_dim": 8},
]
MODELS = [{"model": model} for model in CLASSIFIERS] + [
    {"model": model, "loss": "mse"} for model in AUTOENCODERS
]


def with_inf_in_one_image(monkeypatch) -> None:
    load = runs.load_splits

    def spoiled(*arguments):
        splits = load(*arguments)
        images = splits.train.images.clone()
        images[57, 0, 5, 5] = math.inf
        return runs.Splits(
            splits.train._replace(images=images), splits.val, splits.test, splits.source
        )

    monkeypatch.setattr(runs, "load_splits", spoiled)


def with_nan_in_the_weights_after(monkeypatch, epoch: int) -> None:
    """Put NaN into the weights after ``epoch``: only the measuring can notice."""
    from fmnist_utils import training

    train_one_epoch = training.train_one_epoch

    def overflow(model, batches, loss_fn, optimizer, number, *more):
        loss = train_one_epoch(model, batches, loss_fn, optimizer, number, *more)
        if number == epoch:
            with torch.no_grad():
                next(model.parameters()).fill_(math.nan)
        return loss

    monkeypatch.setattr(training, "train_one_epoch", overflow)


@pytest.mark.parametrize("changes", MODELS, ids=lambda changes: changes["model"]["name"])
@pytest.mark.parametrize("cause", ["inf in one image", "nan in the weights"])
def test_it_stops_within_the_epoch_and_says_where(tmp_path, monkeypatch, changes, cause):
    recipe, store = make(**changes, data=FEW), RunStore(tmp_path)
    good = 0 if cause == "inf in one image" else 2
    with_inf_in_one_image(monkeypatch) if not good else with_nan_in_the_weights_after(
        monkeypatch, good + 1
    )
    with pytest.raises(
        TrainingDiverged, match=f"epoch {good + 1}, step [12], with learning_rate=0.01"
    ):
        train(recipe, store=store)
    failed = json.loads(
        (store.folder(recipe) / "failed.json").read_text(), parse_constant=pytest.fail
    )
    assert (failed["id"], failed["epoch"], failed["finished_epochs"], failed["rate"]) == (
        recipe.id,
        good + 1,
        good,
        0.01,
    )
    assert failed["step"] in (1, 2) and failed["loss"] in ("nan", "inf")
    assert failed["last_good"] == (f"epoch-{good}.safetensors" if good else None)
    assert not good or (store.folder(recipe) / failed["last_good"]).exists()
    assert store.find(recipe) is None


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("changes", MODELS[:5], ids=lambda changes: changes["model"]["name"])
def test_a_rate_much_too_large_overflows_and_is_told(tmp_path, changes, precision):
    """Nothing is put in by hand. raschka_autoencoder, saturated, stays finite at any rate."""
    way = {"loss": "mse", "optimizer": "sgd", "learning_rate": 1e6, "precision": precision}
    recipe, store = make(**{**changes, **way}, data=FEW), RunStore(tmp_path)
    with pytest.raises(TrainingDiverged, match="learning_rate=1e\\+06"):
        train(recipe, store=store)
    failed = json.loads(
        (store.folder(recipe) / "failed.json").read_text(), parse_constant=pytest.fail
    )
    assert failed["loss"] in ("nan", "inf")
    assert failed["epoch"] == failed["finished_epochs"] + 1 <= recipe.num_epochs


def test_one_failure_does_not_stop_the_others_and_is_told(tmp_path, in_process):
    store = RunStore(tmp_path)
    deep = {"name": "ff_classifier", "hidden_sizes": [32] * 8, "dropout": 0.0}
    diverging = make(model=deep, loss="mse", optimizer="sgd", learning_rate=1e6)
    finished = []
    with pytest.raises(UserError) as error:
        make_all(
            [diverging, make(seed=1), make(seed=2)], jobs=1, store=store, on_run=finished.append
        )
    assert "1 of 3 runs failed" in str(error.value) and "learning_rate=1e+06" in str(error.value)
    assert [run.recipe.seed for run in finished] == [1, 2]
    failure = json.loads((store.folder(diverging) / "failed.json").read_text())
    assert failure["rate"] == 1e6 and failure["id"] == diverging.id
    assert "TrainingDiverged" in failure["traceback"]
    with pytest.raises(TrainingDiverged):
        train(diverging, store=store)
