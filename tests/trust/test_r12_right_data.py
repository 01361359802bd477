"""R12. The four official files are the published ones, and their arrays those of torchvision."""

import gzip
import os
import shutil
import socket
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from fmnist_utils import data
from fmnist_utils.data import load_arrays, load_fashion_mnist

pytestmark = pytest.mark.skipif(
    not os.environ.get("FMNIST_DATA"),
    reason="FMNIST_DATA does not name a folder with the official files",
)


def test_the_official_data_are_the_right_data_without_a_network(monkeypatch):
    monkeypatch.setattr(socket, "socket", None)
    arrays = load_arrays("official")
    assert arrays.train_images.shape == (60_000, 28, 28) and arrays.test_images.shape == (
        10_000,
        28,
        28,
    )
    assert np.bincount(arrays.train_labels).tolist() == [6000] * 10
    assert np.bincount(arrays.test_labels).tolist() == [1000] * 10
    assert abs(arrays.train_images.mean() / 255 - 0.286041) < 1e-6


def test_the_arrays_are_those_of_torchvision(tmp_path):
    from torchvision.datasets import FashionMNIST
    from torchvision.transforms import ToTensor

    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for check in data.verify().values():
        with (
            gzip.open(check["file"]) as packed,
            open(raw / Path(check["file"]).stem, "wb") as unpacked,
        ):
            shutil.copyfileobj(packed, unpacked)
    arrays, splits = load_arrays("official"), load_fashion_mnist("official", val_size=0)
    for train, images, labels, split in (
        (True, arrays.train_images, arrays.train_labels, splits.train),
        (False, arrays.test_images, arrays.test_labels, splits.test),
    ):
        theirs = FashionMNIST(tmp_path, train=train, download=False, transform=ToTensor())
        assert np.array_equal(images, theirs.data.numpy()) and np.array_equal(
            labels, theirs.targets.numpy()
        )
        assert torch.equal(split.labels, theirs.targets)
        assert all(torch.equal(split.images[k], theirs[k][0]) for k in range(0, len(theirs), 997))


def test_a_warm_load_is_quick():
    seconds = []
    for _ in range(3):
        start = time.process_time()
        load_fashion_mnist("official")
        seconds.append(time.process_time() - start)
    assert min(seconds) < 1.5, "measured: 0.4 s on an idle machine; the bound is for busy ones"
