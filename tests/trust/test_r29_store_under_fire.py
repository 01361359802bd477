"""R29. Workers that share a store are killed, paused and fail: no run is lost or made twice."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
import torch
from small_runs import make

from fmnist_utils.audit.recipes import Recipe
from fmnist_utils.audit.records import Record
from fmnist_utils.workshop import engine as runs
from fmnist_utils.workshop.checkpoints import PROGRESS
from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.store import RunStore

WORKERS = 6
FAILING = 0.02  # share of the runs that raise the first time


class Injected(Exception):
    """A failure that is not the run's own."""


def work(number: int, fields: list[dict], root: str) -> None:
    """Make all runs, in an order of one's own; note what happens in ``log``.

    The last recipe's turn comes when the fire is over, so that nobody is done before.
    """
    torch.set_num_threads(1)
    order = random.Random(number)
    recipes = order.sample([Recipe(**recipe) for recipe in fields], len(fields))
    store, log, train_here = RunStore(root), Path(root) / "log", runs._make_run

    def noted(recipe, *arguments, **options):
        note(log, "begin", recipe, number)
        mark = store.folder(recipe) / "failed-once"
        if recipe.seed % round(1 / FAILING) == 0 and not mark.exists():
            mark.touch()
            note(log, "fail", recipe, number)
            raise Injected
        run = train_here(recipe, *arguments, **options)
        note(log, "end", recipe, number)
        return run

    runs._make_run = noted
    while any(store.find(recipe) is None for recipe in recipes):
        for recipe in recipes:
            if recipe.seed == len(recipes) - 1 and not (store.root / "peace").exists():
                continue
            try:
                train(recipe, store=store, progress=False)
            except Injected:
                continue


def note(log: Path, what: str, recipe: Recipe, number: int) -> None:
    """Append one line; short appends of several processes do not mix."""
    with open(log, "ab", buffering=0) as file:
        file.write(f"{what} {recipe.id} {number} {os.getpid()}\n".encode())


def events(root: Path) -> list[list[str]]:
    return (
        [line.split() for line in (root / "log").read_text().splitlines()]
        if (root / "log").exists()
        else []
    )


def under_fire(forks, recipes: list[Recipe], root: Path, kills: int) -> tuple[int, bool]:
    """Have the workers make all runs under fire; return how many died and if one was paused."""
    fields, moments = [recipe.model_dump() for recipe in recipes], random.Random(29)

    def start(number: int):
        process = forks.Process(target=work, args=(number, fields, str(root)))
        process.start()
        return process

    workers = {number: start(number) for number in range(WORKERS)}
    killed, paused = 0, None
    while not events(root):
        time.sleep(0.01)
    deadline = time.monotonic() + 600  # a bug ends here, and nothing else
    while any(process.is_alive() for process in workers.values()):
        assert time.monotonic() < deadline
        if paused is None:  # one that is in the middle of a run, and so holds its lock
            inside = busy(root) & {process.pid for process in workers.values()}
            if inside:
                paused = min(inside)
                os.kill(paused, signal.SIGSTOP)
                resumed_at = time.monotonic() + 3
        if paused and resumed_at and time.monotonic() > resumed_at:
            os.kill(paused, signal.SIGCONT)
            resumed_at = 0
        if killed == kills and paused and not resumed_at:
            (root / "peace").touch()
        time.sleep(moments.uniform(0.01, 0.15))
        targets = [
            number
            for number, process in workers.items()
            if process.is_alive() and process.pid != paused
        ]
        if killed < kills and targets:
            number = moments.choice(targets)
            os.kill(workers[number].pid, signal.SIGKILL)
            workers[number].join()
            killed += 1
        for number, process in workers.items():
            if process.exitcode not in (None, 0):
                workers[number] = start(number)
    return killed, paused is not None


def busy(root: Path) -> set[int]:
    """Return the processes that have begun a run and not ended it."""
    now = {}
    for what, _, _, pid in events(root):
        now[int(pid)] = what == "begin"
    return {pid for pid, inside in now.items() if inside}


@pytest.mark.racing
@pytest.mark.parametrize(
    ("count", "kills"),
    [
        pytest.param(24, 10, id="24 runs, 10 kills"),
        pytest.param(120, 50, id="120 runs, 50 kills", marks=pytest.mark.nightly),
    ],
)
def test_nothing_is_lost_doubled_or_half_written(count, kills, forks, tmp_path, monkeypatch):
    recipes = [
        make(seed=seed, num_epochs=12, select="best" if seed % 2 else "last")
        for seed in range(count)
    ]
    store = RunStore(tmp_path / "shared")
    store.root.mkdir()
    killed, paused = under_fire(forks, recipes, store.root, kills)
    assert killed == kills and paused

    # 0 lost, 0 half-written: every record is whole, and so is what it names.
    for recipe in recipes:
        run = store.find(recipe, weights=True)
        assert run is not None and Record.read(run.path).id == recipe.id
        run.model(), run.panel
    # At most the killed left checkpoints beside their record.
    assert sum((store.folder(recipe) / PROGRESS).exists() for recipe in recipes) <= kills
    # 0 duplicated: a worker may be killed between the record and its note, but no run ends twice.
    noted = events(store.root)
    ended = Counter(run_id for what, run_id, *_ in noted if what == "end")
    assert set(ended.values()) == {1} and len(ended) >= count - kills
    assert len({recipe.id for recipe in recipes}) == count
    failures = Counter(run_id for what, run_id, *_ in noted if what == "fail")
    assert set(failures.values()) == {1}  # each failed once, and was made afterwards
    assert sum(1 for what, *_ in noted if what == "begin") > count  # the fire did hit

    # The same numbers as in peace, and a second start trains nothing.
    for recipe in random.Random(0).sample(recipes, 4):
        alone = train(recipe, store=RunStore(tmp_path / "alone"), progress=False)
        assert store.find(recipe).record.weights_sha256 == alone.record.weights_sha256
    monkeypatch.setattr(runs, "_make_run", lambda *_, **__: pytest.fail("trained again"))
    again = [train(recipe, store=store) for recipe in recipes]
    assert len({run.id for run in again}) == count
    # Nor is anything over: not even of a worker that was killed after its record and before it had
    # cleared its checkpoints.
    for recipe in recipes:
        left = {path.name for path in store.folder(recipe).iterdir()} - {"failed-once"}
        assert left == {"record.json", "record.panel.safetensors", "record.weights.safetensors"}
    json.dumps([run.record.metrics for run in again], allow_nan=False)
