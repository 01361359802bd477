"""Data quality: images that come twice or nearly so, and what all recorded classifiers answer.

``reports/quality.json`` holds what is known of the 70,000 official images: which are identical byte by
byte, and the training image nearest to each test image. ``fmnist reproduce`` makes it where it is missing.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fmnist_utils.audit.records import Record, Records, Run, published_records, read_sealed

NAME = "quality.json"
SHOWN = 12  # how many of the closest training images are kept as pictures


class Quality:
    """What ``quality.json`` holds.

    Attributes:
        identical: the pairs of places whose images have the same bytes: within ``train``, within ``test``, and
            ``between`` the two (training image first).
        nearest: the place of the training image nearest to each test image, (10000,).
        distance: how far it is: the square root of the mean squared difference of the pixels, in levels of grey from 0 to
            255, (10000,), with three digits.
        closest: the nearest training images of the twelve test images that have the nearest ones, bytes (12, 28, 28);
            the test images are the first of ``distance.argsort(kind="stable")``.

    Raises:
        UserError: if the file is not whole, or was altered.
    """

    def __init__(self, path: Path):
        content = read_sealed(path)
        self.identical: dict[str, list[list[int]]] = content["identical"]
        self.nearest: NDArray[np.int64] = _unpacked(content["nearest"], "<u2").astype(np.int64)
        self.distance: NDArray[np.float64] = _unpacked(content["distance"], "<f2").astype(float)
        self.closest: NDArray[np.uint8] = _unpacked(content["closest"], "u1").reshape(-1, 28, 28)


def _unpacked(text: str, kind: str) -> NDArray[Any]:
    """Return the numbers of one kind that ``text`` holds in base 64."""
    return np.frombuffer(base64.b64decode(text), kind)


def find(store: Records | None = None) -> Quality | None:
    """Return what was committed, or None where there is nothing."""
    path = (store or Records()).results / NAME
    return Quality(path) if path.exists() else None


def recorded_predictions(store: Records | None = None) -> pd.DataFrame:
    """Return what every committed run that keeps its predictions answers: a row a run, a column a test image."""
    rows = {}
    for record, _ in sorted(published_records((store or Records()).results)):
        if record.with_suffix(".predictions.npz").exists():
            rows[record.stem] = Run(Record.read(record), record).predictions
    return pd.DataFrame.from_dict(rows, orient="index")
