"""The yardsticks of reconstruction on the official data: what a network has to beat, computed once and committed.

``reports/yardsticks.json`` holds the errors of answering one image to all (black, mean, median) and those of principal
component analysis with 1 to 784 numbers. The pages read it where the data are not there too; ``fmnist
reproduce`` makes it where it is missing.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from fmnist_utils.audit.records import Records, read_sealed

NAME = "yardsticks.json"
SETS = {
    50_000: ("val", "test"),
    60_000: ("test",),
}  # how many training images are fitted, and what is measured
SHOWN = 64  # numbers an image in the reconstructions that figures show


class Yardsticks:
    """What ``yardsticks.json`` holds.

    Raises:
        UserError: if the file is not whole, or was altered.
    """

    def __init__(self, path: Path):
        self.content = read_sealed(path)

    def constant_errors(self, split: str, images: int = 50_000) -> pd.DataFrame:
        """Return what :func:`~fmnist_utils.evaluation.constant_errors` does, fitted on so many training images.

        Args:
            split: ``val``, the last 10,000 training images (only for 50,000), or ``test``.
        """
        return pd.DataFrame.from_dict(self.content["constant"][f"{images} {split}"], orient="index")

    def pca_errors(
        self, split: str, latent_dims: Sequence[int], images: int = 50_000
    ) -> pd.DataFrame:
        """Return what :func:`~fmnist_utils.evaluation.pca_errors` does; the arguments as in :meth:`constant_errors`."""
        columns = self.content["pca"][f"{images} {split}"]
        return pd.DataFrame(
            {
                name: [values[min(n, len(values)) - 1] for n in latent_dims]
                for name, values in columns.items()
            },
            index=list(latent_dims),
        )

    def pca_examples(self) -> np.ndarray:
        """Return what PCA with 64 numbers keeps of the first test image of each class: bytes (10, 28, 28)."""
        return np.frombuffer(base64.b64decode(self.content["examples"]), np.uint8).reshape(
            10, 28, 28
        )


def find(store: Records | None = None) -> Yardsticks | None:
    """Return the committed yardsticks, or None where there are none."""
    path = (store or Records()).results / NAME
    return Yardsticks(path) if path.exists() else None
