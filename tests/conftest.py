"""What every test shares: one thread, Spanish, no progress bars, and a store and cache of its own."""

import os

import pytest

pytest_plugins = ["mirrors", "toy_book"]
os.environ["TQDM_DISABLE"] = "1"


@pytest.fixture(autouse=True)
def own_world(monkeypatch, tmp_path):
    """Nothing that a test makes reaches the user's cache, and nothing there reaches a test."""
    import torch

    from fmnist_utils import text

    torch.set_num_threads(1)
    monkeypatch.setattr(text, "_language", None)
    monkeypatch.setenv("FMNIST_LANG", "en")
    monkeypatch.setenv("FMNIST_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("FMNIST_CACHE", str(tmp_path / "cache"))
