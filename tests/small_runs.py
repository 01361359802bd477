"""Recipes that train within a second, on a few images, and the ways in which a training stops."""

import json
import os
import sys

import torch

from fmnist_utils.audit.recipes import Recipe
from fmnist_utils.models import build_model
from fmnist_utils.training import History
from fmnist_utils.workshop import one_run
from fmnist_utils.workshop.checkpoints import Checkpoints
from fmnist_utils.workshop.cli import main
from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.parts import make_optimizer
from fmnist_utils.workshop.store import RunStore

DATA = {"source": "sample", "train_size": 300, "val_size": 100, "test_size": 200}


def make(**changes) -> Recipe:
    fields = {
        "data": DATA,
        "model": {"name": "ff_classifier", "hidden_sizes": [8]},
        "loss": "cross_entropy",
        "optimizer": "adam",
        "learning_rate": 0.01,
        "batch_size": 50,
        "num_epochs": 4,
    }
    return Recipe(**{**fields, **changes})


class Killed(Exception):
    """In place of a signal."""


def checkpointed(recipe: Recipe, store: RunStore) -> list[dict[str, float]]:
    """Return the rows of the newest checkpoint, which is loaded to prove that it can be."""
    model = build_model(**recipe.model.model_dump())
    checkpoints = Checkpoints(
        store.folder(recipe), recipe.id, {}, "val_loss" if recipe.select == "best" else None
    )
    return without_seconds(checkpoints.restore(model, make_optimizer(recipe, model)))


def stop_after(monkeypatch, epoch: int) -> None:
    """Make training die after the checkpoint of ``epoch``."""
    save = Checkpoints.save

    def save_and_die(self, model, optimizer, history):
        save(self, model, optimizer, history)
        if len(history) == epoch:
            raise Killed

    monkeypatch.setattr(Checkpoints, "save", save_and_die)


def without_seconds(history: History) -> list[dict[str, float]]:
    return [
        {name: value for name, value in row.items() if name != "seconds"} for row in history.rows
    ]


def train_here(fields: list[dict], root: str, threads: int = 1, results=None) -> None:
    """Train recipes in a process of its own; put their digests into ``results``."""
    torch.set_num_threads(threads)
    made = [train(Recipe(**recipe), store=RunStore(root), progress=False) for recipe in fields]
    if results is not None:
        results.put([run.record.weights_sha256 for run in made])


def command_line(
    arguments: list[str], environment: dict[str, str], said: str, program: str | None = None
) -> None:
    """Run ``fmnist`` in a process of its own, what it says into the file ``said``.

    ``program`` is the module, one of these tests, that takes the place of the process of a run.
    """
    os.environ.update(environment)
    file = os.open(said, os.O_WRONLY | os.O_CREAT)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.argv = ["fmnist", *arguments]
    torch.set_num_threads(1)
    if program:
        one_run.PROGRAM = program
        os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    main(arguments)


def as_options(changes: dict) -> list[str]:
    """Return the options ``--set`` of these changes."""
    return [
        word for name, value in changes.items() for word in ("--set", f"{name}={json.dumps(value)}")
    ]
