"""What is equal bit by bit, and what but for rounding (stops: R13, R14; processes: R20)."""

import pytest
import torch
from small_runs import DATA, make

from fmnist_utils.models import build_model
from fmnist_utils.text import LANGUAGES, set_language
from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.store import RunStore


def test_what_is_looked_at_does_not_change_the_weights(tmp_path):
    test_watched = (
        make(data=DATA | {"val_size": 0}, watch="test"),
        make(data=DATA | {"val_size": 0}, watch="test", measure_train=10),
    )
    pairs = [(make(), make(measure_train=100)), test_watched]
    for recipes in pairs:
        runs = [train(recipe, store=RunStore(tmp_path)) for recipe in recipes]
        assert len({run.record.weights_sha256 for run in runs}) == 1


def test_neither_language_nor_progress_bar_changes_a_run(tmp_path):
    digests = set()
    for lang in LANGUAGES:
        set_language(lang)
        for progress in (True, False):
            torch.rand(5)
            store = RunStore(tmp_path / f"{lang}{progress}")
            digests.add(train(make(), store=store, progress=progress).record.weights_sha256)
    assert len(digests) == 1


CNN = {"model": {"name": "cnn", "dense_sizes": [16]}, "optimizer": "sgd"}


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("changes", "loss", "weight"),
    [({}, 1e-5, 1e-5), (CNN, 1e-3, 0.02)],
    ids=["ff, adam", "cnn, sgd"],
)
def test_other_threads_give_nearly_the_same(tmp_path, seed, changes, loss, weight):
    """Bounds are ten times what was measured; a CNN under Adam has none (0.4 of a weight)."""
    recipe = make(num_epochs=1, seed=seed, **changes)
    one, two = (train(recipe, store=RunStore(tmp_path / f"{k}"), threads=k) for k in (1, 2))
    assert two.history["train_loss"] == pytest.approx(one.history["train_loss"], rel=loss)
    weights = two.model().state_dict()
    assert all(
        torch.allclose(weights[name], tensor, atol=weight)
        for name, tensor in one.model().state_dict().items()
    )


@pytest.mark.parametrize("size", [400, 39_200, 784_000])
def test_the_random_numbers_do_not_depend_on_the_threads(size):
    drawn = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        torch.manual_seed(3)
        drawn.append(
            (
                torch.nn.functional.dropout(torch.ones(size), 0.2),
                torch.rand(size),
                torch.randperm(size),
            )
        )
    assert all(torch.equal(one, two) for one, two in zip(*drawn, strict=True))


@pytest.mark.parametrize("name", ["cnn", "conv_autoencoder", "encoder_classifier"])
def test_the_memory_format_gives_the_same_but_for_rounding(name):
    model, images = build_model(name).eval(), torch.rand(20, 1, 28, 28)
    with torch.no_grad():
        plain = model(images)
        assert torch.allclose(model.to(memory_format=torch.channels_last)(images), plain, atol=1e-5)


def test_other_seeds_give_other_weights(tmp_path):
    runs = [train(make(seed=seed), store=RunStore(tmp_path)) for seed in range(3)]
    assert len({run.record.weights_sha256 for run in runs}) == 3
