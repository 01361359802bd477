"""Attempts and workers of a sweep on the few images of :mod:`small_runs`, in processes of their own."""

import os
import signal
from pathlib import Path

import torch
from small_runs import SHAPES

from fmnist_utils import data
from fmnist_utils.audit.recipes import Recipe
from fmnist_utils.workshop import sweeps
from fmnist_utils.workshop.plans import task_from_json
from fmnist_utils.workshop.store import RunStore

PROGRAM = f"import sys; sys.path.insert(0, {os.path.dirname(__file__)!r}); import small_sweeps; small_sweeps.serve()"


def attempt_for_parent(order: dict) -> None:
    """In place of the function of that name: the same on few images; what is published is noted in ``published.log``."""
    if order["root"].endswith("no-locks"):
        import fcntl

        fcntl.flock = lambda *_: None  # as on some network drives
    data.SHAPES = SHAPES
    put = sweeps.publish

    def noted(store: RunStore, task, folder: Path) -> bool:
        if done := put(store, task, folder):
            with open(
                store.root / "published.log", "ab", buffering=0
            ) as file:  # short appends do not mix
                file.write(f"{task.id}\n".encode())
        return done

    sweeps.publish = noted
    sweeps.attempt_for_parent(order)


def die(order: dict) -> None:
    """In place of an attempt: be killed with the lease in hand."""
    sweeps.Lease(
        RunStore(order["root"]), task_from_json(order["task"]).id, order["owner"], order["lease"]
    ).claim()
    os.kill(os.getpid(), signal.SIGKILL)


def serve() -> None:
    """In place of the function of that name."""
    sweeps.LocalHands.target = staticmethod(attempt_for_parent)
    sweeps.serve()


def worker(fields: list[dict], root: str, lease: float, jobs: int = 1) -> None:
    """A plain worker, as ``fmnist worker`` starts one."""
    torch.set_num_threads(1)
    sweeps.DEATHS = 1000  # it is the tests that kill
    sweeps.LocalHands.target, sweeps.LocalHands.start_method = (
        staticmethod(attempt_for_parent),
        "fork",
    )
    recipes = [Recipe(**each) for each in fields]
    sweeps.sweep(
        recipes, store=RunStore(root), jobs=jobs, lease=lease, shuffle=True, progress=False
    )
