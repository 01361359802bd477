"""Many runs: how they are handed out, what happens when they fail or are killed, the commands."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest
import shot
import torch
from click.testing import CliRunner
from small_runs import make

from fmnist_utils.audit import schema
from fmnist_utils.audit.records import Record
from fmnist_utils.audit.schema import load_report
from fmnist_utils.text import Failure, UserError
from fmnist_utils.workshop import many, one_run
from fmnist_utils.workshop.cli import main
from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.many import make_all, standing_of, take_part, with_encoders
from fmnist_utils.workshop.store import LOCK, Busy, RunStore

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
    monkeypatch.setattr(many, "make_run", lambda order, source=None: one_run.make(order))


@pytest.fixture
def armed(monkeypatch):
    """The processes of runs are those of :mod:`shot`."""
    monkeypatch.setattr(one_run, "PROGRAM", "shot")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), *sys.path]))


def left_in(store, recipe):
    return {path.name for path in store.folder(recipe).iterdir()}


# --- The lock of a run --------------------------------------------------------------------------


@pytest.mark.racing
def test_one_at_a_time_works_in_a_folder_and_no_lock_file_stays(store):
    """The file of the lock is removed each time while others wait for it."""
    folder, inside, times = store.root / "run", [], 25

    def work():
        for _ in range(times):
            with store.alone(folder):
                inside.append("in")
                assert len(inside) == 1
                time.sleep(0.001)
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    errors = []
    threading.excepthook, hook = lambda error: errors.append(error), threading.excepthook
    try:
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
    finally:
        threading.excepthook = hook
    assert not errors and not list(folder.iterdir())


def hold_and_die(folder: Path) -> None:
    """Have a process take the lock of ``folder`` and be killed with it in hand."""
    program = (
        "import os, signal, sys; from pathlib import Path; from filelock import FileLock\n"
        "FileLock(Path(sys.argv[1]) / 'lock').acquire(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    folder.mkdir(parents=True, exist_ok=True)
    died = subprocess.run([sys.executable, "-c", program, str(folder)])
    assert died.returncode == -signal.SIGKILL and (folder / LOCK).exists()


@pytest.mark.racing
def test_the_lock_of_a_killed_process_is_taken_over_and_its_file_removed(store):
    folder = store.root / "run"
    hold_and_die(folder)
    with store.alone(folder, wait=False):
        assert (folder / LOCK).exists()
    assert not list(folder.iterdir())


def test_a_lock_left_beside_a_finished_run_goes_when_somebody_looks(store):
    run = train(make(num_epochs=1), store=store)
    hold_and_die(store.folder(run.recipe))
    assert make_all([run.recipe], store=store)[0].record == run.record
    assert left_in(store, run.recipe) == FINISHED


def test_whoever_does_not_wait_is_told_that_another_is_at_it(store):
    busy = pytest.raises(Busy, match="another process is at work")
    with store.alone(store.root / "run"), busy, store.alone(store.root / "run", wait=False):
        pytest.fail("both are inside")


# --- Handing out --------------------------------------------------------------------------------


def test_encoders_come_before_what_starts_from_them_and_keep_their_weights(store):
    first, second = (make(model=ENCODED, encoder_from=PRETRAINING, seed=seed) for seed in (0, 1))
    tasks = with_encoders([make(), first, second, make()], store)
    assert list(tasks.items()) == [
        (make(), False),
        (PRETRAINING, True),
        (first, False),
        (second, False),
    ]
    assert with_encoders([PRETRAINING, first], store)[PRETRAINING]
    train(PRETRAINING, store=store)
    assert list(with_encoders([first], store)) == [first]


@pytest.mark.parametrize("jobs", [1, 3])
def test_the_runs_come_in_the_order_asked_for_and_are_those_made_alone(jobs, store, tmp_path):
    last = make(model=ENCODED, encoder_from=PRETRAINING, freeze="features", num_epochs=1)
    plan = [last, make(seed=1), make(seed=0), last]
    finished = []
    runs = make_all(plan, jobs=jobs, store=store, progress=False, on_run=finished.append)
    assert [run.id for run in runs] == [recipe.id for recipe in plan]
    alone = [train(recipe, store=RunStore(tmp_path / "alone")) for recipe in plan]
    digests = [[run.record.weights_sha256 for run in made] for made in (runs, alone)]
    assert digests[0] == digests[1]
    assert {run.id for run in finished} == {recipe.id for recipe in plan} and len(finished) == 3
    assert all(run.record.made_with["threads"] == 1 for run in runs)
    assert all(left_in(store, recipe) == FINISHED for recipe in [*plan, PRETRAINING])


def test_parts_are_always_the_same_and_make_up_the_whole():
    recipes = [make(seed=seed) for seed in range(11)]
    parts = [take_part(recipes, number, 4) for number in (1, 2, 3, 4)]
    assert [len(part) for part in parts] == [3, 3, 3, 2]
    assert sorted(recipe.seed for part in parts for recipe in part) == list(range(11))


def test_a_committed_record_counts_as_done(store, monkeypatch):
    run = train(make(num_epochs=1), store=store)
    store.publish(run, "01_report", "group")
    monkeypatch.setattr(many, "make_run", lambda *_: pytest.fail("trained again"))
    elsewhere = RunStore(store.root / "other", store.results)
    assert make_all([run.recipe], jobs=1, store=elsewhere)[0].record == run.record


@pytest.mark.racing
def test_what_another_process_is_making_comes_last_and_is_waited_for(store, in_process):
    taken, free = make(seed=0), make(seed=1)
    order, opened = [], store.alone(store.folder(taken))
    opened.__enter__()

    def on_run(run):
        order.append(run.recipe)
        if run.recipe == free:
            opened.__exit__(None, None, None)

    make_all([taken, free], jobs=1, store=store, progress=False, on_run=on_run)
    assert order == [free, taken] and left_in(store, taken) == FINISHED


# --- Failures -----------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_failure_is_told_with_its_traceback_and_stops_no_other(jobs, store, armed):
    broken, good = make(seed=0), make(seed=1)
    shot.set_fate(store.root, broken.id, "raise")
    with pytest.raises(Failure, match="1 of 2 runs failed") as caught:
        make_all([broken, good], jobs=jobs, store=store, progress=False)
    assert "Injected: it was laid down so" in str(caught.value) and "shot.py" in str(caught.value)
    assert store.find(good) and standing_of(broken, store).state == "failed"
    note = json.loads((store.folder(broken) / "failed.json").read_bytes())
    assert note["id"] == broken.id and "Traceback" in note["traceback"]
    make_all(
        [broken, good], jobs=jobs, store=store, progress=False
    )  # the same again tries it again
    assert left_in(store, broken) == FINISHED


def test_what_starts_from_a_failed_encoder_is_not_begun(store, armed):
    shot.set_fate(store.root, PRETRAINING.id, "raise")
    waiting = make(model=ENCODED, encoder_from=PRETRAINING)
    with pytest.raises(Failure, match="(?s)2 of 2.*Injected.*whose encoder it starts from"):
        make_all([waiting], jobs=1, store=store, progress=False)
    assert not store.folder(waiting).exists()


@pytest.mark.racing
def test_a_run_that_kills_its_process_each_time_has_failed(store, monkeypatch):
    monkeypatch.setattr(one_run, "PROGRAM", "antigravity_that_is_not_there")
    with pytest.raises(Failure, match=r"its process died 3 times .*code 1;"):
        make_all([make()], jobs=1, store=store, progress=False)


@pytest.mark.racing
def test_a_process_that_was_killed_goes_on_from_the_last_epoch(store, armed):
    recipe = make(num_epochs=6)
    shot.set_fate(store.root, recipe.id, "child 9")
    run = make_all([recipe], jobs=1, store=store, progress=False)[0]
    seen = (store.root / "log").read_text().split()[::2]
    assert seen == ["begin", "kill", "begin", "end"]
    assert run.history["seconds"] and run.record.made_with["one_environment"] is not False


@pytest.mark.racing
def test_the_process_ends_with_the_one_that_asked_it(store):
    """Also in the middle of a run, and before it has read an order."""
    for order in (None, {"recipe": json.loads(make(num_epochs=10_000).canonical_json)}):
        fields = {"weights": False, "wait": True, "lang": "en", "device": "cpu"}
        where = {"root": str(store.root), "results": str(store.results)}
        child = subprocess.Popen(
            [sys.executable, "-m", one_run.PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if order:
            child.stdin.write(json.dumps(order | fields | where) + "\n")
            child.stdin.flush()
            while not list(store.root.glob("*/progress.json")):
                time.sleep(0.01)
        child.stdin.close()
        assert child.wait(60) == 0 and child.stdout.read() == ""


def test_without_dask_one_run_at_a_time_is_made_and_more_are_refused(
    store, in_process, monkeypatch
):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert len(make_all([make(num_epochs=1)], jobs=1, store=store, progress=False)) == 1
    with pytest.raises(UserError, match="pip install distributed"):
        make_all([make(seed=1), make(seed=2)], jobs=2, store=store, progress=False)


def test_a_scheduler_that_is_not_there_is_told(store, tmp_path, monkeypatch):
    (tmp_path / "scheduler.json").write_text("{}")
    for scheduler in (tmp_path / "none.json", tmp_path / "scheduler.json", "tcp:/nowhere"):
        with pytest.raises(UserError, match="scheduler at .* cannot be reached"):
            make_all([make()], scheduler=scheduler, store=store, progress=False)


# --- Under fire ---------------------------------------------------------------------------------


def runs_under_fire(count, kills, victims, store, tmp_path, monkeypatch):
    """Return ``count`` recipes, so many of which are laid down to kill; the last one, to fail once.

    The moments of the kills are spread evenly over all that a run changes in its folder.
    """
    recipes = [
        make(seed=seed, num_epochs=6, select="best" if seed % 2 else "last")
        for seed in range(count)
    ]
    changes = []
    replace, unlink = os.replace, Path.unlink
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *paths: changes.append(paths) or replace(*paths))
        patch.setattr(
            Path, "unlink", lambda *path, **how: changes.append(path) or unlink(*path, **how)
        )
        train(recipes[0], store=RunStore(tmp_path / "counted"))
    for place, recipe in enumerate(recipes[:kills]):
        moment = 1 + place * len(changes) // kills
        shot.set_fate(store.root, recipe.id, f"{victims[place % len(victims)]} {moment}")
    shot.set_fate(store.root, recipes[-1].id, "raise")
    return recipes


def check(recipes, store, tmp_path, monkeypatch, kills, others=0):
    """Check that nothing is lost, doubled, half-written or left behind, and that all are the same.

    Args:
        others: how often a run may have been begun anew for another reason than its own death.
    """
    for recipe in recipes:
        run = store.find(recipe, weights=True)
        assert run is not None and Record.read(run.path).id == recipe.id
        run.model(), run.panel
        assert left_in(store, recipe) == FINISHED
    folders = {store.folder(recipe).name for recipe in recipes}
    assert {path.name for path in store.root.iterdir()} == folders | {"fates", "log"}
    assert not list((store.root / "fates").iterdir())

    lines = (store.root / "log").read_text().splitlines()
    times = {what: Counter() for what in ("begin", "end", "kill", "fail")}
    for line in lines:
        what, name = line.split()
        times[what][name] += 1
    assert sum(times["kill"].values()) == kills and set(times["end"].values()) == {1}
    for name in folders:
        assert times["begin"][name] <= 1 + times["kill"][name] + times["fail"][name] + others
        assert times["end"][name] or times["kill"][name]  # killed between its record and the note

    for recipe in recipes[:: len(recipes) // 4]:
        alone = train(recipe, store=RunStore(tmp_path / "alone"), progress=False)
        assert store.find(recipe).record.weights_sha256 == alone.record.weights_sha256
    monkeypatch.setattr(many, "make_run", lambda *_: pytest.fail("trained again"))
    assert len({run.id for run in make_all(recipes, store=store)}) == len(recipes)


@pytest.mark.racing
@pytest.mark.parametrize(
    ("count", "kills"), [(40, 8), pytest.param(120, 50, marks=pytest.mark.nightly)]
)
def test_nothing_is_lost_doubled_or_half_written_when_workers_are_killed(
    count, kills, store, armed, tmp_path, monkeypatch
):
    """Four workers of Dask, in processes of their own; half of the kills hit them."""
    import dask
    from distributed import LocalCluster

    recipes = runs_under_fire(count, kills, ("worker", "child"), store, tmp_path, monkeypatch)
    fail = round(0.02 * count) or 1
    for recipe in recipes[-fail:]:
        shot.set_fate(store.root, recipe.id, "raise")
    how = {"n_workers": 4, "threads_per_worker": 1, "memory_limit": 0, "dashboard_address": None}
    how |= {"preload": ["shot"], "local_directory": str(tmp_path / "dask")}
    patient = dask.config.set({"distributed.scheduler.allowed-failures": kills})
    with patient, LocalCluster(**how) as cluster:
        with pytest.raises(Failure, match=f"{fail} of {count} runs failed"):
            make_all(recipes, scheduler=cluster, store=store, progress=False)
        make_all(recipes, scheduler=cluster, store=store, progress=False)
    check(recipes, store, tmp_path, monkeypatch, kills)
