"""R13, a gate. Killed at random moments of training: nothing is lost, the weights are the same.

50 kills over 10 runs of 6 epochs; in ``make test``, 10 over 2.
"""

import random
import time

import pytest
from small_runs import checkpointed, make, train_here, without_seconds

from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.store import RunStore

pytestmark = pytest.mark.racing

KINDS = [
    {
        "model": {"name": "cnn", "dense_sizes": [16], "dropout": 0.25},
        "select": "best",
        "batch_size": 20,
    },
    {
        "model": {"name": "conv_autoencoder", "latent_dim": 8, "dropout": 0.2},
        "loss": "l1",
        "batch_size": 10,
    },
]


@pytest.mark.parametrize(
    ("runs", "kills"), [(2, 10), pytest.param(10, 50, marks=pytest.mark.nightly)]
)
def test_killed_at_random_moments_it_ends_with_the_same_weights(forks, tmp_path, runs, kills):
    moments, killed = random.Random(4), 0
    for seed in range(runs):
        recipe = make(**KINDS[seed % 2], seed=seed, num_epochs=6)
        start = time.monotonic()
        whole = train(recipe, store=RunStore(tmp_path / "whole"))
        seconds = time.monotonic() - start
        rows = without_seconds(whole.history)
        store = RunStore(tmp_path / "killed")
        attempt = 0
        finished = 0
        while killed < kills * (seed + 1) // runs:
            process = forks.Process(
                target=train_here, args=([recipe.model_dump(mode="json")], str(store.root))
            )
            process.start()
            while process.is_alive() and not (store.folder(recipe) / "lock").exists():
                time.sleep(0.01)
            time.sleep(moments.uniform(0, seconds / 2))
            if process.is_alive():
                process.kill()
                killed += 1
            process.join()
            if store.find(recipe):  # it was quicker: on with a store that is empty
                assert store.find(recipe).record.weights_sha256 == whole.record.weights_sha256
                attempt, finished = attempt + 1, 0
                store = RunStore(tmp_path / f"killed{attempt}")
                continue
            found = checkpointed(recipe, store)
            assert found == rows[: len(found)] and len(found) >= finished, (
                "no finished epoch is lost"
            )
            finished = len(found)
        resumed = train(recipe, store=store)
        assert resumed.record.weights_sha256 == whole.record.weights_sha256
        assert without_seconds(resumed.history) == rows and resumed.metrics == whole.metrics
        assert sorted(path.name for path in store.folder(recipe).iterdir()) == [
            "record.json", "record.panel.safetensors", "record.weights.safetensors",
        ]  # fmt: skip
