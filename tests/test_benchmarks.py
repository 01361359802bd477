"""The comparison of speed: both engines do the same work, and the ratio is taken within each turn."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from fmnist_utils.models import FeedForwardClassifier


@pytest.fixture(scope="module")
def bench():
    path = Path(__file__).resolve().parents[1] / "benchmarks" / "bench_epoch.py"
    spec = importlib.util.spec_from_file_location("bench_epoch", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def count_passes(model: torch.nn.Module) -> list[tuple[int, float]]:
    """Return a list that notes the size and the largest pixel of every minibatch that ``model`` trains on."""
    seen = []
    model.register_forward_hook(lambda module, inputs, _: seen.append((len(inputs[0]), inputs[0].max().item())))
    return seen


def test_both_engines_train_on_the_same_minibatches(bench):
    random = np.random.default_rng(0)
    arrays = SimpleNamespace(
        train_images=random.integers(0, 255, (250, 28, 28), dtype=np.uint8, endpoint=True),
        train_labels=random.integers(0, 10, 250, dtype=np.uint8),
    )
    for prepare in bench.PREPARE.values():
        model = FeedForwardClassifier()
        before = model[-1].bias.detach().clone()
        seen = count_passes(model)
        prepare(arrays, model)(1)
        assert [size for size, _ in seen] == [100, 100, 50]
        assert max(pixel for _, pixel in seen) == 1
        assert not torch.equal(model[-1].bias, before)


def test_the_ratio_is_taken_within_each_turn(bench, monkeypatch):
    seconds = {"ours": iter([1.0, 2.0, 1.0]), "usual": iter([4.0, 10.0, 6.0])}
    rest = {"test_accuracy": 0.9, "data": "synthetic", "threads": 2, "torch": "2.15"}
    monkeypatch.setattr(bench, "measure_apart", lambda engine, *_: {"seconds": next(seconds[engine]), **rest})
    result = bench.compare(repetitions=3, epochs=1, source="synthetic")
    assert result["ratio"] == {"median": 5.0, "min": 4.0, "max": 6.0}
    assert "5.00" in bench.table(result).splitlines()[-1]
