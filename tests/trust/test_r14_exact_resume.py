"""R14, a gate. Stopped after each of 5 epochs, 4 networks, 2 optimizers: 40 of 40 bit by bit."""

import shutil

import pytest
import torch
from small_runs import DATA, Killed, make, stop_after, without_seconds

from fmnist_utils.workshop.checkpoints import Checkpoints
from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.store import RunStore

FEW = DATA | {"train_size": 100, "val_size": 50, "test_size": 50}
NETWORKS = {
    "mlp": {},
    "batch norm and dropout": {"model": {"name": "cnn", "dense_sizes": [16], "dropout": 0.25}},
    "cnn": {"model": {"name": "encoder_classifier", "encoder": "conv", "latent_dim": 8}},
    "autoencoder": {
        "model": {"name": "conv_autoencoder", "latent_dim": 8, "dropout": 0.2},
        "loss": "l1",
    },
}
OPTIMIZERS = {"adam": {}, "sgd": {"optimizer": "sgd", "momentum": 0.9, "schedule": "cosine"}}
OTHERS = {
    "bfloat16, snapshots": {
        "model": {"name": "conv_autoencoder", "latent_dim": 8}, "loss": "mse", "precision": "bfloat16",
        "snapshots": [0, 1, 3, 6],
    },
    "frozen features": {"model": {"name": "encoder_classifier", "latent_dim": 8}, "freeze": "features"},
    "best epoch, patience": {"select": "best", "patience": 3, "learning_rate": 0.05},
}  # fmt: skip
EVERYTHING = {
    "model": {"name": "residual_net", "width": 2}, "data": FEW | {"mean": 0.286, "std": 0.353}, "optimizer": "adamw",
    "schedule": "one_cycle", "flips": True, "shifts": 2, "erasing": 0.5, "label_smoothing": 0.1, "average": 0.9,
    "test_flips": True,
}  # fmt: skip
OTHERS |= {
    "all of page 07": EVERYTHING,
    "all of page 07, best epoch": {**EVERYTHING, "select": "best"},
}
FAMILIES = {
    f"{network}, {name}": {**NETWORKS[network], **OPTIMIZERS[name]}
    for network in NETWORKS
    for name in OPTIMIZERS
}


@pytest.mark.parametrize(
    "changes", [*FAMILIES.values(), *OTHERS.values()], ids=[*FAMILIES, *OTHERS]
)
def test_resumed_after_any_epoch_is_bit_identical(changes, tmp_path, monkeypatch):
    recipe = make(**{"num_epochs": 6, "batch_size": 25, "data": FEW, **changes})
    save = Checkpoints.save

    def save_and_copy(self, model, optimizer, history):
        save(self, model, optimizer, history)
        shutil.copytree(self.folder, tmp_path / f"stopped{len(history)}" / self.folder.name)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", save_and_copy)
        whole = train(recipe, store=RunStore(tmp_path / "whole"))
    assert len(whole.history) == 6 or recipe.patience
    for epoch in range(1, len(whole.history)):
        store = RunStore(tmp_path / f"stopped{epoch}")
        assert store.find(recipe) is None
        torch.rand(3)  # whatever else drew from the generator
        resumed = train(recipe, store=store)
        assert resumed.record.weights_sha256 == whole.record.weights_sha256
        assert without_seconds(resumed.history) == without_seconds(whole.history)
        assert resumed.record.panel_sha256 == whole.record.panel_sha256
        assert resumed.metrics == whole.metrics
        assert resumed.record.made_with["one_environment"] is True


def test_a_run_made_in_two_environments_says_so_for_good(tmp_path, monkeypatch):
    recipe, store = make(), RunStore(tmp_path)
    for epoch, version in ((1, "2.10.0"), (2, "2.11.0")):
        with monkeypatch.context() as patch:
            patch.setattr(torch, "__version__", version)
            stop_after(patch, epoch)
            with pytest.raises(Killed):
                train(recipe, store=store)
    with monkeypatch.context() as patch:  # the environment of the second epoch again
        patch.setattr(torch, "__version__", "2.11.0")
        assert train(recipe, store=store).record.made_with["one_environment"] is False
