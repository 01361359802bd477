"""R20. Twelve networks in three new processes each: 36 of 36 with the same digest."""

import multiprocessing

import pytest
from small_runs import DATA, Killed, make, stop_after, train_here

from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.store import RunStore

FEW = DATA | {"train_size": 100, "val_size": 50, "test_size": 50}
MODELS = [
    {"name": "cnn", "dense_sizes": [16]},
    {"name": "conv_autoencoder", "latent_dim": 8, "dropout": 0.2},
    {"name": "ff_classifier"},
    {"name": "ff_classifier", "hidden_sizes": [512], "dropout": 0.25},
    {"name": "cnn", "kernel_size": 5, "dense_sizes": [16]},
    {
        "name": "cnn",
        "dense_sizes": [20, 12],
        "dropout": 0.25,
        "dropout_after_flatten": False,
        "squash_logits": True,
    },
    {"name": "ff_autoencoder", "latent_dim": 8},
    {"name": "conv_autoencoder", "latent_dim": 8, "covering_kernels": True},
    {"name": "raschka_autoencoder", "latent_dim": 8},
    {"name": "encoder_classifier", "latent_dim": 8, "flatten_dropout": 0.8},
    {"name": "encoder_classifier", "encoder": "raschka", "latent_dim": 8},
    {"name": "encoder_classifier", "latent_dim": 8, "head_activation": "relu", "head_dropout": 0.2},
]


def recipe(model: dict):
    return make(
        model=model,
        loss="mse" if "autoencoder" in model["name"] else "cross_entropy",
        data=FEW,
        num_epochs=1,
    )


@pytest.mark.parametrize(
    ("models", "processes"), [(2, 2), pytest.param(12, 3, marks=pytest.mark.nightly)]
)
def test_new_processes_give_the_same_digests(tmp_path, models, processes):
    context = multiprocessing.get_context("spawn")
    fields, found = [recipe(model).model_dump(mode="json") for model in MODELS[:models]], []
    for k in range(processes):
        results = context.Queue()
        process = context.Process(
            target=train_here, args=(fields, str(tmp_path / str(k)), 1, results)
        )
        process.start()
        found.append(results.get(timeout=500))
        process.join()
    assert all(digests == found[0] for digests in found) and len(set(found[0])) == models


def test_other_threads_are_told_by_the_record(tmp_path, monkeypatch):
    one, two = (train(make(), store=RunStore(tmp_path / str(k)), threads=k).record for k in (1, 2))
    assert (one.made_with["threads"], two.made_with["threads"]) == (1, 2)
    assert {"torch", "device", "device_name", "cpu", "threads", "system"} <= set(one.made_with)
    with monkeypatch.context() as patch:
        stop_after(patch, 2)
        with pytest.raises(Killed):
            train(make(), store=RunStore(tmp_path / "mixed"), threads=1)
    mixed = train(make(), store=RunStore(tmp_path / "mixed"), threads=2).record
    assert one.made_with["one_environment"] is True and mixed.made_with["one_environment"] is False
