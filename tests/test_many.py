"""Many runs: how they are handed out, what happens when they fail or are killed, the commands."""

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

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
    folder = store.root / "run"
    with (
        store.alone(folder),
        pytest.raises(Busy, match="another process is at work"),
        store.alone(folder, wait=False),
    ):
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


def test_the_runs_come_in_the_order_asked_for_and_are_those_made_alone(store, tmp_path):
    last = make(model=ENCODED, encoder_from=PRETRAINING, freeze="features", num_epochs=1)
    plan = [last, make(seed=1), make(seed=0), last]
    finished = []
    runs = make_all(plan, jobs=2, store=store, progress=False, on_run=finished.append)
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


def test_a_failure_is_told_with_its_traceback_and_stops_no_other(store, in_process, breaks):
    broken, good = make(seed=0), make(seed=1)
    breaks(broken)
    with pytest.raises(Failure, match="1 of 2 runs failed") as caught:
        make_all([broken, good], jobs=1, store=store, progress=False)
    assert "in fail" in str(caught.value) and "a mistake of ours" in str(caught.value)
    assert store.find(good) and standing_of(broken, store).state == "failed"
    note = json.loads((store.folder(broken) / "failed.json").read_bytes())
    assert note["id"] == broken.id and note["traceback"].count("File ") == 3
    breaks.repair()  # the same call tries it again
    make_all([broken, good], jobs=1, store=store, progress=False)
    assert left_in(store, broken) == FINISHED


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_starts_from_a_failed_encoder_is_not_begun(jobs, store, in_process, breaks):
    breaks(PRETRAINING)
    waiting = make(model=ENCODED, encoder_from=PRETRAINING)
    with pytest.raises(
        Failure, match="(?s)2 of 2.*a mistake of ours.*the run that gives it the encoder failed"
    ):
        make_all([waiting], jobs=jobs, store=store, progress=False)
    assert not store.folder(waiting).exists()


@pytest.mark.racing
def test_a_run_whose_process_dies_each_time_has_failed(store, monkeypatch):
    monkeypatch.setattr(one_run, "PROGRAM", "no_such_module")
    with pytest.raises(Failure, match=r"its process died 3 times .*code 1;"):
        make_all([make()], jobs=1, store=store, progress=False)


@pytest.mark.racing
def test_the_process_of_a_run_ends_with_the_one_that_asked_it(store):
    """Also in the middle of a run, and before it has read an order."""
    order = {
        "recipe": json.loads(make(num_epochs=10_000).canonical_json),
        "root": str(store.root),
        "results": str(store.results),
        "weights": False,
        "wait": True,
        "lang": "en",
        "device": "cpu",
    }
    for line in ("", json.dumps(order) + "\n"):
        command = [sys.executable, "-m", one_run.PROGRAM]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, **pipes) as child:
            child.stdin.write(line)
            child.stdin.flush()
            while line and not list(store.root.glob("*/progress.json")):
                time.sleep(0.01)
            child.stdin.close()
            assert child.wait(300) == 0 and child.stdout.read() == ""


def test_without_dask_one_run_at_a_time_is_made_and_more_are_refused(
    store, in_process, monkeypatch
):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert len(make_all([make(num_epochs=1)], jobs=1, store=store, progress=False)) == 1
    with pytest.raises(UserError, match="pip install distributed"):
        make_all([make(seed=1), make(seed=2)], jobs=2, store=store, progress=False)


def test_a_scheduler_that_is_not_there_is_told(store, tmp_path):
    (tmp_path / "empty.json").write_text("{}")
    for scheduler in (tmp_path / "none.json", tmp_path / "empty.json", "nowhere"):
        with pytest.raises(UserError, match="scheduler at .* cannot be reached"):
            make_all([make()], scheduler=scheduler, store=store, progress=False)


# --- How runs stand, and the commands -----------------------------------------------------------


def test_how_a_run_stands(store, breaks):
    done, running, failed, begun, waiting = [make(seed=seed, num_epochs=2) for seed in range(5)]
    train(done, store=store)
    breaks(failed)
    one_run.make(order_for(failed, store))
    store.folder(begun).mkdir()
    (store.folder(begun) / "progress.json").write_text('{"entries": [{"rows": [{}]}]}')
    hold_and_die(store.folder(begun))
    with store.alone(store.folder(running)):
        standing = [
            standing_of(recipe, store) for recipe in (done, running, failed, begun, waiting)
        ]
    states = ["done", "running", "failed", "waiting", "waiting"]
    assert [one.state for one in standing] == states and list(many.STATES) == states[:4]
    assert [one.epochs for one in standing] == [2, 0, 0, 1, 0]
    assert "a mistake of ours" in standing[2].reason and not store.folder(waiting).exists()
    (store.folder(done) / "record.json").write_text("{")
    assert "damaged" in standing_of(done, store).reason


def order_for(recipe, store):
    given = []
    with pytest.MonkeyPatch.context() as patch:
        done = {"state": "failed", "reason": ""}
        patch.setattr(many, "make_run", lambda order, source: given.append(order) or done)
        list(many.carry_out({recipe: False}, store, "cpu", 1, None))
    return given[0]


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def plan(tmp_path):
    recipe = json.loads(make(num_epochs=1).canonical_json)
    (tmp_path / "plan.yaml").write_text(json.dumps({"runs": [{"recipe": recipe, "seeds": 3}]}))
    return tmp_path / "plan.yaml"


def test_sweep_and_status(plan, store, in_process):
    where = ["--store", store.root, "--jobs", 1]
    dry = run("sweep", plan, *where, "--dry-run")
    assert dry.exit_code == 0 and "3 runs, 3 missing" in dry.output and not store.root.exists()
    assert "one after the other" in dry.output and "With 1 at a time" in dry.output
    first = run("sweep", plan, *where, "--part", "1/2")
    assert first.exit_code == 0 and "Done: 2 runs" in first.output
    told = run("status", plan, "--store", store.root, "--all")
    assert told.exit_code == 0 and "2  done" in told.output and "1  waiting" in told.output
    assert "seed=2" in told.output and "1/1" in told.output
    again = run("--lang", "es", "sweep", plan, *where)
    assert again.exit_code == 0 and "faltan 1" in again.output
    assert "3  hechas" in run("status", plan, "--store", store.root).output


def test_status_without_a_plan_is_that_of_all_reports():
    told = run("status")
    assert told.exit_code == 0
    counted = sum(
        map(
            int, re.findall(r"^ +(\d+)  (?:done|running|failed|waiting)", told.output, re.MULTILINE)
        )
    )
    reports = [load_report(name) for name in schema.report_names()]
    wanted = {
        recipe.id
        for report in reports
        for recipes in report.all_recipes().values()
        for recipe in recipes
    }
    assert counted == len(wanted)


def test_a_failure_is_told_by_sweep_and_by_status(plan, store, in_process, breaks):
    breaks(make(num_epochs=1, seed=1))
    where = ["--store", store.root]
    failed = run("sweep", plan, *where, "--jobs", 1)
    assert failed.exit_code == 1 and "1 of 3 runs failed" in failed.output
    told = run("status", plan, *where).output
    assert "1  failed" in told and "Traceback" in told and "failed.json" in told


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--jobs", 2, "--scheduler", "tcp://127.0.0.1:1"], "one of the two options"),
        (["--part", "0/4"], "'0/4'; allowed: K/N"),
        (["--part", "5/4"], "K/N"),
        (["--part", "a/b"], "K/N"),
        (["--part", "3"], "K/N"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, part, plan, store):
    refused = run("sweep", plan, "--store", store.root, *options)
    assert refused.exit_code == 2 and part in refused.output and not store.root.exists()


def test_status_of_a_folder_that_is_not_there_makes_none(plan, tmp_path):
    refused = run("status", plan, "--store", tmp_path / "typo")
    assert refused.exit_code == 2 and "typo" in refused.output
    assert not (tmp_path / "typo").exists()


@pytest.fixture
def report(monkeypatch, tmp_path):
    """A report of 6 small runs, one of whose groups starts from the other's encoder."""
    text = {"es": "una red", "en": "a network"}
    base = json.loads(PRETRAINING.canonical_json)
    tuned = json.loads(make(model=ENCODED, num_epochs=1).canonical_json)
    both = {"label": text, "seeds": 2, "encoder_from": "base", "protocols": ["theirs", "ours"]}
    made_up = schema.Report(
        id="99_made_up",
        title=text,
        parameters={},
        protocols={"theirs": {}, "ours": {"select": "best"}},
        groups={
            "base": {"label": text, "seeds": 2, "recipe": base, "checkpoint": "small"},
            "tuned": both | {"recipe": tuned},
            "wide": {"label": text, "seeds": 3, "like": "base", "gpu": True},
        },
    )
    monkeypatch.setattr(schema, "load_report", lambda name: made_up)
    monkeypatch.setenv("FMNIST_RESULTS", str(tmp_path / "results"))
    return made_up


def test_reproduce_makes_any_record_again_that_is_deleted(
    report, in_process, monkeypatch, tmp_path
):
    """On a machine that has only the committed records: the same numbers, weights and files."""

    def reproduce(machine, *options):
        monkeypatch.setenv("FMNIST_RUNS", str(tmp_path / machine))
        result = run("reproduce", report.id, "--jobs", 1, *options)
        assert result.exit_code == 0, result.output
        return result.output

    def numbers(path):
        record = json.loads(path.read_bytes())
        history = {name: column for name, column in record["history"].items() if name != "seconds"}
        names = ("id", "metrics", "confusion", "weights_sha256", "panel_sha256")
        return [history, *(record[name] for name in names)]

    assert "3 runs, 3 missing" in reproduce("first", "--part", "2/2")
    assert "6 runs, 3 missing" in reproduce("first")
    folder = tmp_path / "results" / report.id / "records"
    files = sorted(folder.iterdir())
    records = [path for path in files if path.suffix == ".json"]
    assert len(records) == sum(map(len, report.all_recipes(gpu=False).values())) == 6
    assert [path.name for path in files if path.suffixes[-2:] == [".weights", ".safetensors"]]
    for place, path in enumerate(records):
        before = numbers(path)
        for file in folder.glob(f"{path.stem}.*"):
            file.unlink()
        assert "6 runs, 1 missing" in reproduce(f"machine_{place}")
        assert numbers(path) == before and sorted(folder.iterdir()) == files
    assert "6 runs, 0 missing" in reproduce("last")


@pytest.mark.parametrize(("device", "total"), [("cpu", 6), ("cuda", 9)])
def test_reproduce_leaves_the_runs_meant_for_a_gpu_to_one(report, device, total, monkeypatch):
    monkeypatch.setattr("fmnist_utils.training.pick_device", lambda name: torch.device(name))
    told = run("reproduce", report.id, "--device", device, "--dry-run").output
    assert f"{total} runs, {total} missing" in told


def test_a_run_that_is_made_elsewhere_and_not_seen_here_is_told(store, monkeypatch):
    monkeypatch.setattr(many, "make_run", lambda *_: {"state": "done"})
    with pytest.raises(Failure, match="All the computers must see the same folder"):
        make_all([make()], jobs=1, store=store, progress=False)


# --- Under fire ---------------------------------------------------------------------------------


def runs_under_fire(count, kills, victims, store, tmp_path, monkeypatch):
    """Return ``count`` recipes, so many of which are laid down to kill; the last one, to fail once.

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
    how = {
        "n_workers": 4,
        "threads_per_worker": 1,
        "memory_limit": 0,
        "dashboard_address": "127.0.0.1:0",
    }
    how |= {"preload": ["shot"], "local_directory": str(tmp_path / "dask")}
    patient = dask.config.set({"distributed.scheduler.allowed-failures": kills})
    with patient, LocalCluster(**how) as cluster:
        with pytest.raises(Failure, match=f"{fail} of {count} runs failed"):
            make_all(recipes, scheduler=cluster, store=store, progress=False)
        make_all(recipes, scheduler=cluster, store=store, progress=False)
    check(recipes, store, tmp_path, monkeypatch, kills)


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


@pytest.mark.racing
@pytest.mark.nightly
def test_nothing_is_lost_when_the_scheduler_is_restarted_in_the_middle(
    store, armed, tmp_path, monkeypatch
):
    recipes = runs_under_fire(120, 50, ("child",), store, tmp_path, monkeypatch)
    finished = []

    def on_run(run):
        finished.append(run)
        if len(finished) == 40:
            cluster.__exit__()
            cluster.__enter__()

    with Cluster(tmp_path / "dask") as cluster:
        with pytest.raises(Failure, match="1 of 120 runs failed"):
            make_all(recipes, scheduler=cluster.address, store=store, progress=False, on_run=on_run)
        make_all(recipes, scheduler=cluster.address, store=store, progress=False)
    assert len(finished) == 119
    check(recipes, store, tmp_path, monkeypatch, kills=50, others=1)


@pytest.mark.racing
@pytest.mark.nightly
def test_two_plans_at_once_on_one_folder_make_each_run_once(store, armed, tmp_path, monkeypatch):
    """The second starts with what the first one has in the middle; both are told of the failure."""
    recipes = runs_under_fire(120, 50, ("child",), store, tmp_path, monkeypatch)
    for name, half in (("one", recipes[:80]), ("other", recipes[40:])):
        entries = [{"recipe": json.loads(recipe.canonical_json)} for recipe in half]
        (tmp_path / f"{name}.yaml").write_text(json.dumps({"runs": entries}))
    program = "from fmnist_utils.workshop import cli, one_run\none_run.PROGRAM = 'shot'\ncli.main()"
    options = ["--store", str(store.root), "--jobs", "2"]
    for codes in ({0, 1}, {0}):
        started = [
            subprocess.Popen(
                [sys.executable, "-c", program, "sweep", f"{name}.yaml", *options],
                cwd=tmp_path,
            )
            for name in ("one", "other")
        ]
        assert {process.wait() for process in started} == codes
    check(recipes, store, tmp_path, monkeypatch, kills=50)
