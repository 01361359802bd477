"""Look for images that come twice in the data set, or nearly so."""

from __future__ import annotations

import base64
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fmnist_utils.audit.quality import NAME, SHOWN
from fmnist_utils.data import load_arrays
from fmnist_utils.workshop.download import fetch_if_missing
from fmnist_utils.workshop.store import RunStore

Images = NDArray[np.uint8]


def publish_quality(store: RunStore, sets: tuple[Images, Images] | None = None) -> Path:
    """Compare all images and put what is found with the committed records; return its file.

    Args:
        sets: the training and the test images, bytes (N, 28, 28); ``None`` means the official ones.
    """
    if sets is None:
        fetch_if_missing()
        train, _, test, _ = load_arrays("official")
    else:
        train, test = sets
    nearest, distance = nearest_images(train, test)
    rounded = distance.astype("<f2")
    closest = train[nearest[rounded.argsort(kind="stable")[:SHOWN]]]
    content: dict[str, Any] = {
        "identical": identical_pairs(train, test),
        "nearest": _packed(nearest.astype("<u2")),
        "distance": _packed(rounded),
        "closest": _packed(closest),
    }
    return store.write_sealed(NAME, content)


def identical_pairs(train: Images, test: Images) -> dict[str, list[list[int]]]:
    """Return the pairs of places with the same bytes: within each set, and between them."""
    places: dict[bytes, list[tuple[str, int]]] = {}
    for name, images in (("train", train), ("test", test)):
        for place, image in enumerate(images):
            places.setdefault(image.tobytes(), []).append((name, place))
    pairs: dict[str, list[list[int]]] = {"train": [], "test": [], "between": []}
    for same in places.values():
        for (name, place), (other_name, other_place) in itertools.combinations(same, 2):
            pairs[name if name == other_name else "between"].append([place, other_place])
    return pairs


def nearest_images(train: Images, test: Images) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the place of the training image nearest to each test image, and its distance.

    The distance is the root of the mean squared difference of the pixels, in levels of grey.
    """
    known = torch.tensor(train.reshape(len(train), -1), dtype=torch.float32)
    lengths = known.square().sum(dim=1)
    parts = torch.tensor(test.reshape(len(test), -1), dtype=torch.float32).split(500)
    # |a - b|² = |a|² + |b|² - 2 ab, and |a|² is the same for all b
    found = [(lengths - 2 * asked @ known.T).argmin(dim=1) for asked in parts]
    nearest = torch.cat(found).numpy()
    differences = test.astype(float) - train[nearest]
    return nearest, np.sqrt((differences**2).mean(axis=(1, 2)))


def _packed(array: NDArray[Any]) -> str:
    return base64.b64encode(array.tobytes()).decode()
