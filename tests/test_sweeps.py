"""Sweeps: leases, attempts, the board, workers under fire on one shared folder, pages, the commands; Dask where it is."""

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
import small_sweeps
from click.testing import CliRunner
from small_runs import Killed, make, stop_after, without_seconds

from fmnist_utils.audit.records import FORMAT, Record
from fmnist_utils.text import UserError
from fmnist_utils.workshop import sweeps
from fmnist_utils.workshop.cli import main
from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.plans import PageRun, Training, read_plan
from fmnist_utils.workshop.store import RunStore
from fmnist_utils.workshop.sweeps import Board, Lease, adopt, attempts_of, publish, sweep

PRETRAINING = {
    "model": {"name": "conv_autoencoder", "latent_dim": 6},
    "loss": "l1",
    "num_epochs": 1,
}


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "shared")


@pytest.fixture
def in_small(monkeypatch):
    """The attempts of a sweep started here are made on few images, in processes that start in an instant."""
    monkeypatch.setattr(sweeps.LocalHands, "target", staticmethod(small_sweeps.attempt_for_parent))
    monkeypatch.setattr(sweeps.LocalHands, "start_method", "fork")


# --- Leases ---------------------------------------------------------------------------------------------------------


def silence(lease: Lease, seconds: float) -> None:
    """Make a lease look as if its holder had said nothing for so long."""
    then = time.time() - seconds
    os.utime(lease.path, (then, then))


def test_a_lease_has_one_holder(store):
    first, second = Lease(store, "a" * 64, "first"), Lease(store, "a" * 64, "second")
    assert first.claim() and not first.claim() and not second.claim()
    second.release()  # of another's lease nothing happens
    assert first.is_ours() and first.holder().pid == os.getpid()
    first.release()
    assert first.holder() is None and second.claim()


def test_a_lease_that_was_taken_over_is_given_back_by_who_knows_only_its_owner(store):
    gone, heir = Lease(store, "a" * 64, "gone", seconds=30), Lease(store, "a" * 64, "heir")
    assert gone.claim()
    silence(gone, 31)
    assert heir.claim() and heir.path.suffix == ".1"
    Lease(store, "a" * 64, "heir").release()  # as the parent of an attempt that was killed does
    assert heir.holder() is None


def test_a_silent_lease_is_taken_over_by_one(store):
    gone = Lease(store, "a" * 64, "gone", seconds=30)
    assert gone.claim()
    silence(gone, 29)
    assert not Lease(store, "a" * 64, "early").claim()
    for turn in range(40):
        silence(gone, 31)
        winners, start = [], threading.Barrier(8)

        def try_it(name, winners=winners, start=start):
            lease = Lease(store, "a" * 64, name, seconds=30)
            start.wait()
            if lease.claim():
                winners.append(lease)

        while not winners:  # all of them may step back, which is rare
            threads = [
                threading.Thread(target=try_it, args=(f"{turn}.{number}",)) for number in range(8)
            ]
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]
        [winner] = winners
        assert winner.is_ours() and not gone.is_ours()
        assert list(gone.path.parent.iterdir()) == [winner.path]
        gone = winner


def test_whoever_wakes_up_in_the_middle_of_a_takeover_keeps_the_lease(store, monkeypatch):
    sleeper, taker = (Lease(store, "a" * 64, name, seconds=30) for name in ("sleeper", "taker"))
    assert sleeper.claim()
    silence(sleeper, 31)
    looks = []

    def look_and_wake(*arguments):
        silence(sleeper, 0 if looks else 31)  # silent at the first look, awake at the second
        looks.append(arguments)
        return is_alive(taker, *arguments)

    is_alive = Lease._is_alive
    monkeypatch.setattr(taker, "_is_alive", look_and_wake)
    assert not taker.claim() and len(looks) == 2
    assert sleeper.is_ours() and list(sleeper.path.parent.iterdir()) == [sleeper.path]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"owner": 1}'])
def test_a_lease_that_says_nothing_lasts_as_long_as_any(store, content):
    lease = Lease(store, "a" * 64, "me")
    lease.path.parent.mkdir(parents=True)
    lease.path.write_text(content)
    assert not lease.claim()
    silence(lease, sweeps.LEASE + 1)
    assert lease.claim()


def test_whoever_keeps_a_lease_is_not_silent(store):
    lease = Lease(store, "a" * 64, "me", seconds=0.8)
    assert lease.claim()
    lease.keep()
    time.sleep(1.5)
    assert not lease.holder().is_stale and lease.is_ours()
    lease.release()
    assert lease.holder() is None


# --- Attempts -------------------------------------------------------------------------------------------------------


def order(store: RunStore, task, **changes) -> dict:
    return sweeps._order(store, task, 60, 1, "cpu") | changes


def test_an_attempt_goes_on_from_what_others_left(store, monkeypatch, tmp_path):
    recipe = make(num_epochs=6)
    whole = train(recipe, store=RunStore(tmp_path / "whole"))
    with (
        monkeypatch.context() as patch
    ):  # first of all, ``train`` by itself, killed after two epochs
        stop_after(patch, 2)
        with pytest.raises(Killed):
            train(recipe, store=store)
    task = Training(recipe)
    killed = order(store, task)
    with monkeypatch.context() as patch:  # then an attempt, killed after four
        stop_after(patch, 4)
        patch.setattr(sweeps, "note_failure", lambda *_: None)
        sweeps.attempt(killed)
    folder = attempts_of(store) / f"{task.id[:16]}.{killed['owner']}"
    assert sweeps.finished_epochs(folder) == 4 and not store.folder(recipe).exists()
    assert Board(store, [task]).look()[task.id][:2] == ("waiting", 4)
    sweeps.attempt(order(store, task))
    run = store.find(recipe, weights=True)
    assert run.record.weights_sha256 == whole.record.weights_sha256 and without_seconds(
        run.history
    ) == without_seconds(whole.history)
    assert not list(attempts_of(store).iterdir()) and not list((store.root / "leases").iterdir())


def test_what_was_taken_over_is_out_of_reach_of_its_former_owner(store):
    task = Training(make())
    first = adopt(store, task, "first")
    (first / "progress.json").write_text('{"entries": [{"rows": [{}]}]}')
    (attempts_of(store) / f"{task.id[:16]}.older").mkdir()
    second = adopt(store, task, "second")
    assert [path.name for path in attempts_of(store).iterdir()] == [second.name] and (
        second / "progress.json"
    ).exists()
    publish(store, task, first)
    assert not store.folder(task).exists()


def test_of_two_that_finish_the_first_stays(store, tmp_path):
    task = Training(make(num_epochs=1))
    folders = [attempts_of(store) / f"{task.id[:16]}.{name}" for name in "ab"]
    for folder in folders:
        train(task.recipe, store=RunStore(tmp_path / folder.name))
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(tmp_path / folder.name / task.id[:16], folder)
    publish(store, task, folders[0])
    before = (store.folder(task) / "record.json").read_bytes()
    publish(store, task, folders[1])
    assert (store.folder(task) / "record.json").read_bytes() == before and not list(
        attempts_of(store).iterdir()
    )


def test_of_two_that_differ_the_first_stays_and_it_is_said(store, tmp_path):
    task = Training(make(num_epochs=1))
    train(task.recipe, store=store)
    folder = attempts_of(store) / f"{task.id[:16]}.b"
    shutil.copytree(store.folder(task), folder)
    record = (
        Record.read(folder / "record.json").model_copy(update={"weights_sha256": "0" * 64}).sealed()
    )
    (folder / "record.json").write_text(record.to_json())
    with pytest.warns(UserWarning, match="made twice"):
        publish(store, task, folder)
    assert task.find(store).model()


def test_a_run_that_train_is_at_is_left_alone(store):
    import filelock

    task = Training(make())
    store.folder(task).mkdir(parents=True)
    with filelock.FileLock(store.folder(task) / "lock"):
        sweeps.attempt(order(store, task))
        assert not list(attempts_of(store).glob("*")) and task.find(store) is None
    sweeps.attempt(order(store, task))
    assert task.find(store)


def test_a_failure_is_kept_with_its_traceback_and_tried_again_when_asked(
    store, in_small, monkeypatch
):
    wild, tame = (
        make(learning_rate=1_000_000.0, optimizer="sgd", loss="mse", num_epochs=3),
        make(num_epochs=1),
    )
    with pytest.raises(UserError, match="1 of 2 runs failed") as caught:
        sweep([wild, tame], store=store, jobs=1, progress=False)
    assert wild.id[:12] in str(caught.value) and "learning_rate" in str(caught.value)
    standing = Board(store, [Training(wild), Training(tame)]).look()
    assert (standing[wild.id].state, standing[tame.id].state) == ("failed", "done")
    note = json.loads(next(attempts_of(store).glob("*/failed.json")).read_bytes())
    assert "TrainingDiverged" in note["traceback"] and note["host"] and note["epoch"] == 1
    monkeypatch.setattr(sweeps.LocalHands, "start", lambda *_: pytest.fail("tried again"))
    with pytest.raises(UserError, match="1 of 1 runs failed"):
        sweep([wild, tame], store=store, jobs=1, progress=False)
    monkeypatch.setattr(sweeps.LocalHands, "start", lambda self, task, order: sweeps.attempt(order))
    with pytest.raises(UserError, match="1 of 1 runs failed"):
        sweep([wild, tame], store=store, jobs=1, progress=False, retry=True)


def test_a_run_that_kills_its_process_again_and_again_has_failed(store, monkeypatch):
    monkeypatch.setattr(sweeps.LocalHands, "target", staticmethod(small_sweeps.die))
    monkeypatch.setattr(sweeps.LocalHands, "start_method", "fork")
    with pytest.raises(UserError, match="killed from outside three times"):
        sweep([make()], store=store, jobs=1, lease=0.2, progress=False)
    assert not list((store.root / "leases").iterdir())


# --- The board ------------------------------------------------------------------------------------------------------


def test_the_board_tells_how_every_task_stands(store):
    done, running, stale, failed, waiting = tasks = [
        Training(make(seed=seed, num_epochs=1)) for seed in range(5)
    ]
    train(done.recipe, store=store)
    for task in (running, stale):
        assert Lease(store, task.id, "w", seconds=10).claim()
    silence(Lease(store, stale.id, "w"), 11)
    folder = adopt(store, failed, "w")
    sweeps.note_failure(folder, failed, ValueError("no way"))
    board = Board(store, tasks)
    standing = board.look()
    assert [standing[task.id].state for task in tasks] == [
        "done",
        "running",
        "stale",
        "failed",
        "waiting",
    ]
    assert (
        standing[failed.id].reason == "ValueError: no way"
        and str(os.getpid()) in standing[running.id].host
    )
    board.forgive()
    assert board.look()[failed.id].state == "waiting"
    (store.folder(waiting)).mkdir()
    (store.folder(waiting) / "record.json").write_text("{")
    assert "damaged" in board.look()[waiting.id].reason


def test_a_committed_record_counts_as_done(tmp_path, monkeypatch):
    elsewhere = RunStore(tmp_path / "other", tmp_path / "results")
    run = train(make(num_epochs=1), store=elsewhere)
    elsewhere.publish(run, "01_report", "group")
    monkeypatch.setattr(sweeps.LocalHands, "start", lambda *_: pytest.fail("trained again"))
    (found,) = sweep(
        [make(num_epochs=1)],
        store=RunStore(tmp_path / "here", tmp_path / "results"),
        progress=False,
    )
    assert found.record == run.record


# --- Whole sweeps ---------------------------------------------------------------------------------------------------


def test_a_sweep_gives_the_runs_in_order_encoders_first(store, in_small, tmp_path):
    encoded = {"name": "encoder_classifier", "latent_dim": 6}
    last = make(model=encoded, encoder_from=make(**PRETRAINING), freeze="features", num_epochs=1)
    plan = [last, make(seed=1, num_epochs=2), make(seed=0, num_epochs=2), last]
    runs = sweep(plan, store=store, jobs=2, lease=5, progress=False)
    assert [run.id for run in runs] == [recipe.id for recipe in plan]
    alone = [train(recipe, store=RunStore(tmp_path / "alone")) for recipe in plan]
    assert [run.record.weights_sha256 for run in runs] == [
        run.record.weights_sha256 for run in alone
    ]
    assert store.find(make(**PRETRAINING), weights=True)


def test_processes_of_their_own_with_fixed_threads(store, monkeypatch):
    """As it is used: the children come from a server that has PyTorch already, and run on one thread."""
    monkeypatch.setattr(sweeps.LocalHands, "target", staticmethod(small_sweeps.attempt_for_parent))
    run, _ = sweep(
        [make(num_epochs=1), make(num_epochs=1, seed=1)], store=store, jobs=2, progress=False
    )
    assert run.record.made_with["threads"] == 1 and run.record.format == FORMAT


def leases_at(root: Path) -> list[int]:
    """Return the processes that hold a lease now."""
    pids = []
    for path in (root / "leases").glob("[0-9a-f]*"):
        try:
            pids.append(json.loads(path.read_text())["pid"])
        except (OSError, ValueError):
            continue
    return pids


def signal_to(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False


def under_fire(forks, recipes, store: RunStore, kills: int, workers: int, lease: float) -> bool:
    """Have plain workers make all runs while they and their attempts are shot at; return whether one was paused in a run."""
    fields, moments = [recipe.model_dump() for recipe in recipes], random.Random(31)

    def start():
        process = forks.Process(target=small_sweeps.worker, args=(fields, str(store.root), lease))
        process.start()
        return process

    crew, killed, paused, wake = [start() for _ in range(workers)], 0, None, None
    deadline = time.monotonic() + 900
    while any(worker.is_alive() for worker in crew) and time.monotonic() < deadline:
        time.sleep(moments.uniform(0.02, 0.2))
        inside = [pid for pid in leases_at(store.root) if pid != paused]
        if paused is None and inside and signal_to(inside[0], signal.SIGSTOP):
            paused, wake = inside[0], time.monotonic() + 3 * lease
        elif paused and wake and time.monotonic() > wake:
            signal_to(paused, signal.SIGCONT)
            wake = None
        elif killed < kills and killed % 4 == 3:  # a whole worker; its attempt ends with it
            moments.choice([worker for worker in crew if worker.is_alive()]).kill()
            killed += 1
        elif killed < kills and inside:
            killed += signal_to(moments.choice(inside), signal.SIGKILL)
        for place, worker in enumerate(crew):
            if worker.exitcode not in (None, 0):
                crew[place] = start()
    if paused and wake:
        signal_to(paused, signal.SIGCONT)
    assert [worker.exitcode for worker in crew] == [0] * workers
    return paused is not None and killed == kills


@pytest.mark.parametrize(
    ("folder", "count", "kills"),
    [
        ("no-locks", 16, 6),
        pytest.param("shared", 120, 50, marks=pytest.mark.nightly),
        pytest.param("no-locks", 120, 50, marks=pytest.mark.nightly),
    ],
)
def test_workers_under_fire_lose_double_and_halve_nothing(
    folder, count, kills, forks, tmp_path, monkeypatch
):
    store = RunStore(tmp_path / folder)
    recipes = [
        make(seed=seed, num_epochs=30, select="best" if seed % 2 else "last")
        for seed in range(count)
    ]
    assert under_fire(forks, recipes, store, kills, workers=3, lease=1.5)
    for recipe in recipes:
        run = store.find(recipe, weights=True)
        assert run is not None and Record.read(run.path).id == recipe.id
        run.model(), run.panel
        left = {path.name for path in store.folder(recipe).iterdir()}
        assert left == {"record.json", "record.panel.safetensors", "record.weights.safetensors"}
    ended = Counter((store.root / "published.log").read_text().split())
    assert (
        set(ended.values()) == {1} and len(ended) >= count - kills
    )  # one may be killed before it can note it
    standing = Board(store, [Training(recipe) for recipe in recipes]).look()
    assert {each.state for each in standing.values()} == {"done"} and not list(
        attempts_of(store).glob("[0-9a-f]*")
    )
    for recipe in random.Random(0).sample(recipes, 4 if count < 100 else 30):
        alone = train(recipe, store=RunStore(tmp_path / "alone"), progress=False)
        assert store.find(recipe).record.weights_sha256 == alone.record.weights_sha256
    monkeypatch.setattr(sweeps.LocalHands, "start", lambda *_: pytest.fail("trained again"))
    assert len({run.id for run in sweep(recipes, store=store, progress=False)}) == count


def test_a_page_is_run_once_and_its_failure_is_told(store, in_small, tmp_path):
    pytest.importorskip("papermill")
    sys.path.insert(0, str(Path(__file__).parent / "trust"))
    from small_pages import UNCHECKED, write_page

    write_page(tmp_path / "good.ipynb", "print(num_epochs)", check=UNCHECKED)
    write_page(tmp_path / "bad.ipynb", "1 / 0", check=UNCHECKED)
    (tmp_path / "plan.yaml").write_text(
        "runs:\n- page: good.ipynb\n  set: {num_epochs: 2}\n- page: bad.ipynb\n"
    )
    tasks = read_plan(tmp_path / "plan.yaml")
    with pytest.raises(UserError, match="(?s)1 of 2 runs failed.*ZeroDivisionError"):
        sweep(tasks, store=store, jobs=2, progress=False)
    assert '"2\\n"' in tasks[0].find(store).read_text() and tasks[1].find(store) is None
    assert all(isinstance(task, PageRun) for task in tasks)


# --- Commands -------------------------------------------------------------------------------------------------------


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def plan(tmp_path):
    recipe = json.loads(make(num_epochs=1).canonical_json)
    (tmp_path / "plan.yaml").write_text(json.dumps({"runs": [{"recipe": recipe, "seeds": 2}]}))
    return tmp_path / "plan.yaml"


def test_sweep_worker_and_status(plan, store, in_small):
    where = ["--store", store.root]
    dry = run("sweep", plan, *where, "--dry-run")
    assert (
        dry.exit_code == 0
        and "2 runs, 2 missing" in dry.output
        and "2 runs, 0 seconds" in dry.output
    )
    first = run("sweep", plan, *where, "--jobs", 1)
    assert first.exit_code == 0 and "all 2 runs" in first.output
    again = run("--lang", "es", "sweep", plan, *where)
    assert again.exit_code == 0 and "faltan 0" in again.output
    assert "all 2 runs" in run("--lang", "en", "worker", store.root, plan).output
    told = run("--lang", "en", "status", *where, "--all")
    assert told.exit_code == 0 and "2  done" in told.output and "seed=1" in told.output
    assert "0  waiting" in run("--lang", "en", "status", plan, *where).output


def test_status_knows_every_plan_and_makes_no_folder(plan, store, tmp_path):
    one, other, third = (Training(make(seed=seed)) for seed in range(3))
    for tasks in ([one, other], [one, third], [third, one]):
        sweeps.save_plan(store, tasks)
    assert {task.id for task in sweeps.saved_plan(store)} == {one.id, other.id, third.id}
    assert len(list((store.root / "plans").iterdir())) == 2
    nowhere = tmp_path / "typo"
    refused = run("--lang", "en", "status", plan, "--store", nowhere)
    assert refused.exit_code == 2 and "typo" in refused.output and not nowhere.exists()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_status_works_where_one_may_only_read(plan, store, number, monkeypatch):
    task = read_plan(plan)[0]
    assert Lease(store, task.id, "w").claim()

    def refused(*_, **__):
        raise OSError(number, "read-only")

    monkeypatch.setattr(sweeps.tempfile, "NamedTemporaryFile", refused)
    told = run("--lang", "en", "status", plan, "--store", store.root)
    assert told.exit_code == 0 and "1  running" in told.output


def test_a_drive_that_is_away_for_a_moment_ends_no_worker(store, in_small, monkeypatch):
    looks, look = [], Board.look

    def away(board):
        looks.append(board)
        if len(looks) in gone:
            raise OSError(errno.EIO, "Input/output error")
        return look(board)

    monkeypatch.setattr(Board, "look", away)
    monkeypatch.setattr(sweeps, "POLL", 0.1)
    gone = {2, 3}
    assert (
        len(sweep([make(num_epochs=1)], store=store, jobs=1, progress=False)) == 1
        and len(looks) > 3
    )
    gone = range(1_000_000)
    monkeypatch.setattr(sweeps, "PATIENCE", 0.3)
    with pytest.raises(UserError, match="Input/output error"):
        sweeps.work([Training(make(num_epochs=1, seed=9))], store, sweeps.LocalHands(1))


def test_nor_does_one_that_is_away_when_an_attempt_has_died(store, monkeypatch):
    task, away = Training(make(num_epochs=1)), []

    class DeadOnce(sweeps.LocalHands):
        def wait(self, seconds):
            return [
                ended if away else ended._replace(orderly=False) for ended in super().wait(seconds)
            ]

    def holder(lease):
        away.append(lease)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Lease, "holder", holder)
    sweeps.work([task], store, DeadOnce(1))
    assert away and task.find(store) is not None


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_that_refuses_locks_is_no_obstacle(store, number, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def refused(*_):
        raise OSError(number, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refused)
    task = Training(make(num_epochs=1))
    (begun := store.folder(task)).mkdir(parents=True)
    (begun / "progress.json").write_text("{}")  # left by ``train`` where there were locks
    sweeps.attempt(sweeps._order(store, task, 60, 1, "cpu"))
    assert task.find(store) is not None


def test_an_empty_plan_is_done(store):
    assert sweep([], store=store) == []


def test_status_shows_the_reason_of_a_failure(plan, store):
    task = read_plan(plan)[0]
    sweeps.note_failure(adopt(store, task, "w"), task, UserError("sweeps.blocked"))
    told = run("status", plan, "--store", store.root).output
    assert "1  failed" in told and "encoder" in told and "--retry" in told


def test_without_the_extra_dask_is_refused_with_what_to_install(plan, store, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    refused = run("sweep", plan, "--store", store.root, "--engine", "dask")
    assert (
        refused.exit_code == 2
        and ".[cluster]" in refused.output
        and "Traceback" not in refused.output
    )
    assert "--scheduler" in run("sweep", plan, "--scheduler", "tcp://127.0.0.1:1").output


# --- Dask -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def dask(monkeypatch):
    pytest.importorskip(
        "distributed", reason="the extra “cluster” is not installed: pip install -e '.[cluster]'"
    )
    monkeypatch.setattr(sweeps, "PROGRAM", small_sweeps.PROGRAM)


def test_a_local_cluster_makes_the_same_runs(dask, tmp_path):
    recipes = [make(seed=seed, num_epochs=2) for seed in range(4)]
    runs = sweep(
        recipes, engine="dask", jobs=2, store=RunStore(tmp_path / "shared"), lease=5, progress=False
    )
    for recipe, made in zip(recipes, runs, strict=True):
        alone = train(recipe, store=RunStore(tmp_path / "alone"), progress=False)
        assert (
            made.record.weights_sha256 == alone.record.weights_sha256
            and made.record.made_with["threads"] == 1
        )


class Cluster:
    """A Dask scheduler and two workers with nannies, in processes that can be shot."""

    def __init__(self, folder: Path):
        import socket

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder, self.address, self.processes = folder, f"tcp://127.0.0.1:{self.port}", []
        self.start()

    def start(self) -> None:
        scheduler = ["scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"]
        worker = [
            "worker",
            self.address,
            "--nthreads",
            "1",
            "--memory-limit",
            "0",
            "--no-dashboard",
        ]
        worker += ["--local-directory", str(self.folder)]
        self.processes = [
            subprocess.Popen(
                [sys.executable, "-m", "dask", *command],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            for command in (scheduler, worker, worker)
        ]

    def stop(self) -> None:
        """As when the power fails."""
        for process in self.processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def workers(self) -> list[int]:
        """Return the processes that nannies have started."""
        import psutil

        found = []
        for process in self.processes[1:]:
            try:
                children = psutil.Process(process.pid).children(recursive=True)
                found += [
                    child.pid for child in children if "spawn_main" in " ".join(child.cmdline())
                ]
            except psutil.Error:  # it has just ended
                continue
        return found


@pytest.mark.nightly
def test_workers_and_the_scheduler_are_killed_and_nothing_is_lost(dask, tmp_path):
    count, cluster, store = 120, Cluster(tmp_path), RunStore(tmp_path / "shared")
    recipes = [make(seed=seed, num_epochs=30) for seed in range(count)]
    events, over = [], threading.Event()

    def done() -> int:
        return len(list(store.root.glob("*/record.json")))

    def fire() -> None:
        paused = None
        for at, what in (
            (5, "worker"),
            (15, "pause"),
            (30, "attempt"),
            (45, "scheduler"),
            (70, "worker"),
            (80, "attempt"),
        ):
            while done() < at and not over.wait(0.2):
                continue
            if what == "scheduler":
                cluster.stop()
                cluster.start()
                events.append(what)
                continue
            hit, number = None, signal.SIGSTOP if what == "pause" else signal.SIGKILL
            while hit is None and not over.wait(0.02):
                targets = cluster.workers() if what == "worker" else leases_at(store.root)
                hit = next((pid for pid in targets if signal_to(pid, number)), None)
            events.append(what)
            paused = hit if what == "pause" else paused
        if paused:
            over.wait(10)
            signal_to(paused, signal.SIGCONT)

    shooter = threading.Thread(target=fire)
    shooter.start()
    try:
        runs = sweep(
            recipes, engine="dask", scheduler=cluster.address, store=store, lease=3, progress=False
        )
    finally:
        over.set()
        shooter.join()
        cluster.stop()
    assert events == ["worker", "pause", "attempt", "scheduler", "worker", "attempt"]
    assert len({run.id for run in runs}) == count == done()
    ended = Counter((store.root / "published.log").read_text().split())
    assert set(ended.values()) == {1}
    for recipe in random.Random(0).sample(recipes, 30):
        alone = train(recipe, store=RunStore(tmp_path / "alone"), progress=False)
        assert store.find(recipe, weights=True).record.weights_sha256 == alone.record.weights_sha256
