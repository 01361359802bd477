"""Records: what is kept of a run, readable without Python, and where records are found.

A run is a folder named after the recipe's id. When it is done, ``record.json`` holds all that figures and tables need; with
their SHA-256 in it, ``record.panel.safetensors`` (a few example images), ``record.weights.safetensors`` and, of a classifier,
``record.predictions.npz`` stand beside it.
The package ships the records of the reports, ``reports/NN_name/records``; there only a group's first seed has a panel, and
only the checkpoints that a report names have weights.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import safetensors.torch
from pydantic import BaseModel, ConfigDict
from safetensors import SafetensorError
from torch import nn

from fmnist_utils import settings
from fmnist_utils.audit.damage import damaged, read_json
from fmnist_utils.audit.recipes import Recipe
from fmnist_utils.models import build_model
from fmnist_utils.text import UserError
from fmnist_utils.training import History

RESULTS = Path(__file__).resolve().parents[1] / "reports"
FORMAT = 1  # of records and checkpoints; raised when what a recipe means changes, so that older runs are made anew


def digest(content: dict[str, Any]) -> str:
    """Return the SHA-256 of the canonical JSON of ``content``."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def read_sealed(path: Path) -> dict[str, Any]:
    """Return what a JSON file sealed with its :func:`digest` holds.

    Raises:
        UserError: if the file is not whole, or was altered.
    """
    written = path.read_bytes() if path.is_file() else b""
    try:
        content: dict[str, Any] = json.loads(read_json(written))
        unaltered = content.pop("digest") == digest(content)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise damaged(path, written) from error
    if not unaltered:
        raise damaged(path, written, "runs.altered")
    return content


class Record(BaseModel):
    """What ``record.json`` holds.

    Attributes:
        history: one list for each column of :class:`~fmnist_utils.training.History`.
        metrics: of the selected weights: ``test_loss``, ``test_accuracy``, ``val_loss``, …
        confusion: for classifiers, the 10×10 counts on the test set, rows true, columns predicted.
        predictions_sha256: for classifiers, of ``record.predictions.npz``; records made before 2026-11-28 have none.
        made_with: versions, device, threads, commit and date.
        digest: SHA-256 of all the rest, so that a number edited by hand is noticed.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    format: int
    id: str
    recipe: dict[str, Any]
    history: dict[str, list[float]]
    selected_epoch: int
    metrics: dict[str, float]
    confusion: list[list[int]] | None
    weights_sha256: str
    panel_sha256: str
    made_with: dict[str, str | int | bool | None]
    seconds: float
    predictions_sha256: str | None = None
    digest: str = ""

    def _fields(self) -> dict[str, Any]:
        """Return what is written and sealed: a field that older records lack is left out where it says nothing."""
        fields = self.model_dump(mode="json")
        if self.predictions_sha256 is None:
            del fields["predictions_sha256"]
        return fields

    def sealed(self) -> Record:
        """Return this record with its digest."""
        fields = self._fields()
        del fields["digest"]
        return self.model_copy(update={"digest": digest(fields)})

    def to_json(self) -> str:
        """Return the record as JSON, one line for each field and each column of the history."""
        fields = self._fields()
        history = ",\n".join(
            f"  {json.dumps(name)}: {json.dumps(column)}"
            for name, column in fields["history"].items()
        )
        lines = [
            f"{json.dumps(name)}: {json.dumps(value)}"
            for name, value in fields.items()
            if name != "history"
        ]
        lines.insert(3, f'"history": {{\n{history}\n}}')
        return "{\n" + ",\n".join(lines) + "\n}\n"

    @classmethod
    def read(cls, path: Path) -> Record:
        """Read and check a record.

        Raises:
            UserError: if the file is not a whole, unaltered record.
        """
        content = path.read_bytes() if path.is_file() else b""
        try:
            record = cls.model_validate_json(read_json(content))
            unaltered = record.sealed().digest == record.digest
        except ValueError as error:  # not JSON, other fields, NaN
            raise damaged(path, content) from error
        if not unaltered:
            raise damaged(path, content, "runs.altered")
        return record


@dataclass(frozen=True)
class Run:
    """A finished run: its record and, where they are, its panel and its weights."""

    record: Record
    path: Path

    @property
    def recipe(self) -> Recipe:
        return Recipe(**self.record.recipe)

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def history(self) -> History:
        columns = self.record.history
        rows = zip(*columns.values(), strict=True)
        return History(
            [
                dict(zip(columns, row, strict=True)) | {"epoch": index}
                for index, row in enumerate(rows, 1)
            ]
        )

    @property
    def metrics(self) -> dict[str, float]:
        return self.record.metrics

    @property
    def confusion(self) -> np.ndarray | None:
        """The 10×10 counts on the test set, or None for an autoencoder."""
        return None if self.record.confusion is None else np.array(self.record.confusion)

    @property
    def panel(self) -> dict[str, np.ndarray]:
        """Example outputs, by name: images uint8 (k, 28, 28), labels, probabilities (k, 10).

        Raises:
            UserError: if the panel is not here (committed records keep that of a group's first seed) or is damaged.
        """
        return self._load(
            self.path.with_suffix(".panel.safetensors"),
            self.record.panel_sha256,
            safetensors.numpy.load,
        )

    @property
    def predictions(self) -> np.ndarray | None:
        """The class that the network gives each test image, uint8 (10000,), in the order of the official file.

        None where the record keeps none: autoencoders, a part of the test set, runs made before 2026-11-28.

        Raises:
            UserError: if the record names a file of predictions that is not here or is damaged.
        """
        if self.record.predictions_sha256 is None:
            return None
        path = self.path.with_suffix(".predictions.npz")
        return self._load(path, self.record.predictions_sha256, _predictions)

    @property
    def has_panel(self) -> bool:
        return self.path.with_suffix(".panel.safetensors").exists()

    @property
    def has_weights(self) -> bool:
        return self._weights.exists()

    @property
    def _weights(self) -> Path:
        return self.path.with_suffix(".weights.safetensors")

    def model(self) -> nn.Module:
        """Return the trained network, on the CPU, in eval mode.

        Raises:
            UserError: if the weights are not here (few committed records have them) or are damaged.
        """
        recipe = self.recipe
        model = build_model(**recipe.model.model_dump())
        model.load_state_dict(
            self._load(self._weights, self.record.weights_sha256, safetensors.torch.load)
        )
        return model.eval()

    def _load(self, path: Path, sha256: str, load: Callable[[bytes], Any]) -> Any:
        if not path.exists():
            raise UserError("runs.missing", file=path.name)
        content = path.read_bytes() if path.is_file() else b""
        try:
            if hashlib.sha256(content).hexdigest() == sha256:
                return load(content)
        except SafetensorError:
            pass
        raise damaged(path, content)


def _predictions(content: bytes) -> np.ndarray:
    """Return the array of a file of predictions."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return arrays["predictions"]


def published_records(results: Path) -> Iterator[tuple[Path, str]]:
    """Yield the committed records below a folder, each with the beginning of its id.

    Copies and whatever other programs leave beside them (``._model_1…``, ``… (1).json``) are none.
    """
    for path in results.glob("*/records/*.json"):
        if name := re.fullmatch(r"\w[^ ]*\.seed\d+\.([0-9a-f]{12})\.json", path.name):
            yield path, name[1]


class ByGroup(dict[str, list[Any]]):
    """What groups of runs have, by the name of the group: their runs, or one value a run.

    Attributes:
        labels: each group's name in words, in the language in force when they were read.
    """

    def __init__(self, items: Mapping[str, list[Any]], labels: Mapping[str, str]):
        super().__init__(items)
        self.labels = dict(labels)


class Records:
    """Where runs live: ``root`` for those made here, ``results`` for the committed records.

    Args:
        root: a folder; ``None`` means ``FMNIST_RUNS``, else the user's cache.
        results: the committed records; ``None`` means ``FMNIST_RESULTS``, else those of the package.
    """

    may_write = False

    def __init__(self, root: str | Path | None = None, results: str | Path | None = None):
        self.root = settings.without_tilde(root or settings.runs_folder())
        named = results or settings.folder("FMNIST_RESULTS")
        self.results = settings.without_tilde(named or RESULTS)

    def folder(self, recipe: Recipe) -> Path:
        """Return the folder of ``recipe``'s run, which need not exist."""
        return self.root / recipe.id[:16]

    def find(self, recipe: Recipe, weights: bool = False) -> Run | None:
        """Return the finished run of ``recipe``, made here or committed, or None; with ``weights``, only one that has them."""
        here = self.folder(recipe) / "record.json"
        for path in filter(None, (here if here.exists() else None, self.published(recipe))):
            record = Record.read(path)
            run = Run(record, path)
            if (
                record.format == FORMAT
                and record.id == recipe.id
                and (run.has_weights or not weights)
            ):
                return run
        return None

    def published(self, recipe: Recipe) -> Path | None:
        """Return the committed record of ``recipe``, or None."""
        path = self._committed.get(recipe.id[:12])
        return path if path and path.exists() else None

    @functools.cached_property
    def _committed(self) -> dict[str, Path]:
        """The committed records by the beginning of their id: hundreds of files, listed once.

        Raises:
            UserError: if their folder is absent, unless this store may make it.
        """
        if not (self.may_write or self.results.is_dir()):
            raise UserError("records.no_folder", folder=self.results)
        found = sorted(published_records(self.results), reverse=True)
        return {run_id: path for path, run_id in found}
