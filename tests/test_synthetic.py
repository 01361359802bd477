"""The stand-in: seeded, balanced, and neither trivial nor hopeless to learn."""

import time

import numpy as np
import pytest
import torch
from torch import nn

from fmnist_utils import synthetic
from fmnist_utils.text import class_names


@pytest.fixture(scope="module")
def garments():
    return synthetic.draw(12_000)


def test_images_are_bytes_on_black_and_balanced(garments):
    images, labels = garments
    assert images.shape == (12_000, 28, 28) and images.dtype == np.uint8
    assert labels.shape == (12_000,) and labels.dtype == np.uint8
    for start in range(0, 12_000, 1000):
        assert np.bincount(labels[start : start + 1000], minlength=10).tolist() == [100] * 10
    assert np.median(images) == 0 and images.max() == 255
    assert 0.15 < images.mean() / 255 < 0.35, (
        "about as bright as the real ones, whose mean is 0.286"
    )
    assert (images.reshape(12_000, -1).max(axis=1) > 40).all(), "no image is empty"


def test_there_is_one_garment_for_each_class_name():
    assert [garment.__name__ for garment in synthetic.GARMENTS] == [
        name.lower().split("/")[0].replace(" ", "_").replace("-", "_") for name in class_names("en")
    ]


def test_a_seed_fixes_each_image_however_many_are_drawn(garments):
    images, labels = synthetic.draw(1500)
    assert np.array_equal(images, garments[0][:1500]) and np.array_equal(labels, garments[1][:1500])
    assert not np.array_equal(synthetic.draw(1500, seed=1)[0], images)


def test_no_two_images_are_alike(garments):
    assert len(np.unique(garments[0].reshape(12_000, -1), axis=0)) == 12_000


@pytest.mark.parametrize("count", [0, 1, 1000, 1001])
def test_as_many_as_asked(count):
    images, labels = synthetic.draw(count)
    assert images.shape == (count, 28, 28) and labels.shape == (count,)


def test_seventy_thousand_take_seconds():
    start = time.process_time()
    synthetic.draw(7000)
    assert time.process_time() - start < 2  # measured: 0.5 s


def accuracy_after_training(
    model: nn.Module, garments, epochs: int, learning_rate: float = 0.005
) -> float:
    """Train on the first 10,000 garments with Adam and a one-cycle schedule; return the accuracy on the other 2,000."""
    images = torch.from_numpy(garments[0][:, None] / np.float32(255))
    labels = torch.from_numpy(garments[1].astype(np.int64))
    steps = epochs * (10_000 // 100)
    optimizer = torch.optim.Adam(model.parameters(), learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=steps)
    for _ in range(epochs):
        for batch in torch.randperm(10_000).split(100):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images[batch]), labels[batch]).backward()
            optimizer.step()
            schedule.step()
    with torch.no_grad():
        return (model(images[10_000:]).argmax(dim=1) == labels[10_000:]).float().mean().item()


def test_a_linear_model_learns_most_of_it_but_not_all(garments):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    assert 0.75 <= accuracy_after_training(model, garments, epochs=10) <= 0.90  # measured: 0.85


def test_a_small_convolutional_network_learns_nearly_all(garments):
    torch.manual_seed(0)
    model = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(32 * 7 * 7, 64), nn.ReLU(), nn.Linear(64, 10)),
    )
    assert accuracy_after_training(model, garments, epochs=3) >= 0.93  # measured: 0.96
