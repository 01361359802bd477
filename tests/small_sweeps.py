"""Attempts and workers of a sweep on the few images of :mod:`small_runs`, in processes of their own."""

import os
import sys

import torch

from fmnist_utils import data, sweeps
from fmnist_utils.plans import Training
from fmnist_utils.recipes import Recipe
from fmnist_utils.runs import RunStore
from small_runs import SHAPES

data.SHAPES = SHAPES  # of this process; the tests' own is changed by ``few_images``

PROGRAM = f"import sys; sys.path.insert(0, {os.path.dirname(__file__)!r}); import small_sweeps; small_sweeps.attempt_from_stdin()"


def attempt_for_parent(order: dict) -> None:
    """In place of the function of that name: the same, in a process that has imported this module."""
    _break_locks(order)
    sweeps.attempt_for_parent(order)


def attempt_from_stdin() -> None:
    sweeps.attempt_from_stdin()


def _break_locks(order: dict) -> None:
    """On a store called ``no-locks``, have ``flock`` do nothing, as on some network drives."""
    if order["root"].endswith("no-locks"):
        import fcntl

        fcntl.flock = lambda *_: None


def worker(fields: list[dict], root: str, lease: float, jobs: int = 1) -> None:
    """A plain worker, as ``fmnist worker`` starts one; in a group of its own, so that it can be shot with all it started."""
    os.setsid()
    torch.set_num_threads(1)
    sweeps.LocalHands.target = staticmethod(attempt_for_parent)
    sys.stderr = open(os.devnull, "w")
    recipes = [Recipe(**each) for each in fields]
    sweeps.sweep([Training(recipe) for recipe in recipes], store=RunStore(root), jobs=jobs, lease=lease, shuffle=True)
