"""Many runs: where they are kept, how they are made, what kills them, what stands afterwards."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
import shot
from click.testing import CliRunner
from small_runs import make

from fmnist_utils.audit.records import Record
from fmnist_utils.workshop import many, one_run
from fmnist_utils.workshop.cli import main
from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.many import make_all
from fmnist_utils.workshop.store import LOCK, RunStore

HERE = Path(__file__).parent
FINISHED = {"record.json", "record.panel.safetensors", "record.weights.safetensors"}
PRETRAINING = make(model={"name": "conv_autoencoder", "latent_dim": 6}, loss="l1", num_epochs=1)
ENCODED = {"name": "encoder_classifier", "latent_dim": 6}


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "shared", tmp_path / "results")


@pytest.fixture
def in_process(monkeypatch):
    """Runs are made in this process, which spares the start of another."""
    here = SimpleNamespace(poll=lambda: None, stdin=io.StringIO(), kill=lambda: None)
    here.stdout = SimpleNamespace(readline=lambda: json.dumps(answer()) + "\n")

    def answer():
        order = here.stdin.getvalue().splitlines()[-1]
        return one_run.make(json.loads(order))

    monkeypatch.setattr(one_run, "start_child", lambda: here)


@pytest.fixture
def armed(monkeypatch):
    """The processes of runs are those of :mod:`shot`."""
    monkeypatch.setattr(one_run, "PROGRAM", "shot")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), *sys.path]))


def left_in(store, recipe):
    return {path.name for path in store.folder(recipe).iterdir()}


def hold_and_die(folder: Path) -> None:
    """Have a process take the lock of ``folder`` and be killed with it in hand."""
    program = (
        "import os, signal, sys; from pathlib import Path; from filelock import FileLock\n"
        "FileLock(Path(sys.argv[1]) / 'lock').acquire(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    folder.mkdir(parents=True, exist_ok=True)
    died = subprocess.run([sys.executable, "-c", program, str(folder)])
    assert died.returncode == -signal.SIGKILL and (folder / LOCK).exists()


@pytest.fixture
def breaks(monkeypatch):
    """A function that makes the training of a recipe fail, until ``repair`` is called."""
    from fmnist_utils.workshop import engine

    whole = engine._make_run

    def break_it(broken):
        def fail(recipe, *arguments, **options):
            if recipe == broken:
                raise ZeroDivisionError("a mistake of ours")
            return whole(recipe, *arguments, **options)

        monkeypatch.setattr(engine, "_make_run", fail)

    break_it.repair = lambda: monkeypatch.setattr(engine, "_make_run", whole)
    return break_it


def order_for(recipe, store):
    given = []
    with pytest.MonkeyPatch.context() as patch:
        done = {"state": "failed", "reason": ""}
        patch.setattr(many, "make_run", lambda order, source: given.append(order) or done)
        list(many.carry_out({recipe: False}, store, "cpu", 1, None))
    return given[0]


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def runs_under_fire(count, kills, victims, store, tmp_path, monkeypatch):
    """Return ``count`` recipes, so many of which are laid down to kill; the last one, to fail.

    The moments of the kills are spread evenly over all that a run changes in its folder.
    """
    recipes = [
        make(seed=seed, num_epochs=6, select="best" if seed % 2 else "last")
        for seed in range(count)
    ]
    alone = RunStore(tmp_path / "counted")
    paths = []
    with monkeypatch.context() as patch:
        shot.watch(paths.append, patch.setattr)
        train(recipes[0], store=alone)
    changes = sum(path.parent == alone.folder(recipes[0]) for path in paths)
    for place, recipe in enumerate(recipes[:kills]):
        moment = 1 + place * changes // kills
        shot.set_fate(store.root, recipe.id, f"{victims[place % len(victims)]} {moment}")
    shot.set_fate(store.root, recipes[-1].id, "raise")
    return recipes


def check(recipes, store, tmp_path, monkeypatch, kills, others=0):
    """Check that nothing is lost, doubled, half-written or left behind, and that all are the same.

    Args:
        others: how often four processes were ended from outside, which may spare them their kills.
    """
    for recipe in recipes:
        run = store.find(recipe, weights=True)
        assert run is not None and Record.read(run.path).id == recipe.id
        run.model(), run.panel
        assert left_in(store, recipe) == FINISHED
    folders = {store.folder(recipe).name for recipe in recipes}
    assert {path.name for path in store.root.iterdir()} == folders | {"fates", "log"}
    assert not list((store.root / "fates").iterdir())

    times = {what: Counter() for what in ("begin", "end", "kill", "fail")}
    kept = Counter()
    for line in (store.root / "log").read_text().splitlines():
        what, name, epochs = line.split()
        times[what][name] += 1
        assert what != "begin" or int(epochs) >= kept[name]  # no finished epoch is lost
        kept[name] = int(epochs)
    assert kills - 4 * others <= sum(times["kill"].values()) <= kills
    assert set(times["end"].values()) == {1}
    for name in folders:
        assert times["begin"][name] <= 1 + times["kill"][name] + times["fail"][name] + others
        assert times["end"][name] or times["kill"][name]  # killed between its record and the note

    for recipe in recipes[:: len(recipes) // 4]:
        alone = train(recipe, store=RunStore(tmp_path / "alone"), progress=False)
        assert store.find(recipe).record.weights_sha256 == alone.record.weights_sha256
    monkeypatch.setattr(many, "make_run", lambda *_: pytest.fail("trained again"))
    assert len({run.id for run in make_all(recipes, store=store)}) == len(recipes)


class Cluster:
    """A scheduler of Dask at a fixed address and two workers, in processes that can be shot."""

    def __init__(self, folder: Path):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address, self.folder = f"tcp://127.0.0.1:{self.port}", folder

    def __enter__(self):
        scheduler = ["scheduler", "--host", "127.0.0.1", "--port", str(self.port)]
        worker = ["worker", self.address, "--nthreads", "2", "--memory-limit", "0"]
        worker += ["--preload", "shot", "--local-directory", str(self.folder)]
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.processes = [
            subprocess.Popen(
                [sys.executable, "-m", "dask", *command, "--no-dashboard"],
                start_new_session=True,
                **silent,
            )
            for command in (scheduler, worker, worker)
        ]
        return self

    def __exit__(self, *error):
        """End all at once, as when the power fails."""
        for process in self.processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
