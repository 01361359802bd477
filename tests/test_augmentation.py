"""Augmentation: each image has draws of its own, of the sizes that are promised."""

import pytest
import torch
from torch import nn

from fmnist_utils.augmentation import Augmentation, FlipAveraged, erase, flip, shift


@pytest.fixture
def images():
    torch.manual_seed(0)
    return torch.rand(400, 1, 28, 28) + 0.5  # no pixel is zero


def same(one, other):
    """Return for each image whether it is the same in both, (N,)."""
    return (one == other).flatten(1).all(dim=1)


def test_a_flip_mirrors_about_half_of_the_images_each_on_its_own(images):
    flipped = flip(images)
    kept, mirrored = same(flipped, images), same(flipped, images.flip(3))
    assert (kept ^ mirrored).all() and 150 < kept.sum() < 250


def test_a_shift_is_one_of_the_crops_of_the_image_with_a_border(images):
    moved, seen = shift(images, 2, black=-1.0), set()
    padded = nn.functional.pad(images, [2] * 4, value=-1.0)
    for index, image in enumerate(moved):
        places = [
            (y, x)
            for y in range(5)
            for x in range(5)
            if torch.equal(padded[index, :, y : y + 28, x : x + 28], image)
        ]
        assert len(places) == 1
        seen |= set(places)
    assert moved.shape == images.shape and len(seen) == 25


def test_an_erased_rectangle_has_the_area_and_the_shape_that_it_should(images):
    holes = erase(images, 0.5)[:, 0] == 0
    erased = holes.flatten(1).any(dim=1)
    assert 150 < erased.sum() < 250
    for hole in holes[erased]:
        rows, columns = hole.any(dim=1), hole.any(dim=0)
        assert torch.equal(hole, rows[:, None] & columns)  # a whole rectangle
        assert rows.diff().sum() <= 2 and columns.diff().sum() <= 2  # in one piece
        assert hole.sum() <= 0.4 * 784
    assert len({tuple(hole.nonzero()[0].tolist()) for hole in holes[erased]}) > 50
    for edge in (holes[:, 0], holes[:, -1], holes[:, :, 0], holes[:, :, -1]):
        assert edge.any()  # it may lie anywhere
    assert not (erase(images, 0.0) == 0).any()
    assert (erase(images, 1.0) == 0).flatten(1).any(dim=1).all()


def test_the_images_that_came_in_stay_as_they_are(images):
    before = images.clone()
    Augmentation(flips=True, shifts=2, erasing=1.0)(images)
    assert torch.equal(images, before)


def test_without_anything_to_do_nothing_is_done(images):
    assert Augmentation()(images) is images


def test_draws_are_repeated_with_the_seed(images):
    augment, found = Augmentation(flips=True, shifts=2, erasing=0.5, black=-0.8), []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(augment(images))
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


def test_flip_averaged_is_the_mean_of_both_logits_and_does_not_care_which_came_first(images):
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    both = FlipAveraged(model)
    assert torch.allclose(both(images), (model(images) + model(images.flip(3))) / 2)
    assert torch.allclose(both(images), both(images.flip(3)), atol=1e-6)
