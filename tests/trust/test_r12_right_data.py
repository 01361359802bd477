"""R12. The four official files are the published ones, and their arrays those of torchvision."""

import gzip
import os
import shutil
import socket
import time

import numpy as np
import pytest
import torch

from fmnist_utils.data import SAMPLE, load_arrays, load_fashion_mnist
from fmnist_utils.workshop import download

pytestmark = pytest.mark.skipif(
    not os.environ.get("FMNIST_DATA"),
    reason="FMNIST_DATA does not name a folder with the official files",
)


def test_the_official_data_are_the_right_data_without_a_network(monkeypatch):
    monkeypatch.setattr(socket, "socket", None)
    train_images, train_labels, test_images, test_labels = load_arrays("official")
    assert train_images.shape == (60_000, 28, 28) and test_images.shape == (10_000, 28, 28)
    assert np.bincount(train_labels).tolist() == [6000] * 10
    assert np.bincount(test_labels).tolist() == [1000] * 10
    assert abs(train_images.mean() / 255 - 0.286041) < 1e-6


def test_the_arrays_are_those_of_torchvision(tmp_path):
    from torchvision.datasets import FashionMNIST
    from torchvision.transforms import ToTensor

    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for path, _ in download.verify().values():
        with gzip.open(path) as packed, open(raw / path.stem, "wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)
    train_images, train_labels, test_images, test_labels = load_arrays("official")
    splits = load_fashion_mnist("official", val_size=0)
    for train, images, labels, split in (
        (True, train_images, train_labels, splits.train),
        (False, test_images, test_labels, splits.test),
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


def test_the_sample_is_a_part_of_the_official_data():
    official, sample = load_arrays("official"), load_arrays("sample")
    for whole, part in zip(official, sample, strict=True):
        assert np.array_equal(whole[:10_000], part)
    for name in ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"):
        path, problem = download.verify()[name.removesuffix(".gz")]
        assert not problem and path.read_bytes() == (SAMPLE / name).read_bytes()
