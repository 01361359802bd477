"""Nothing is lost, doubled or half written when workers, schedulers and runs are killed."""

import json
import signal
import subprocess
import sys
import time

import pytest
import shot
from many_runs import Cluster, check, runs_under_fire

from fmnist_utils.text import Failure
from fmnist_utils.workshop.many import make_all


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
    # A worker needs longer than Dask's fifteen seconds to come back where all cores are busy; the
    # cluster would shoot it again, with a run that nobody meant to.
    patience = {"scheduler.allowed-failures": kills, "deploy.lost-worker-timeout": "1 hour"}
    patience = {f"distributed.{name}": value for name, value in patience.items()}
    with dask.config.set(patience), LocalCluster(**how) as cluster:
        with pytest.raises(Failure, match=f"{fail} of {count} runs failed"):
            make_all(recipes, scheduler=cluster, store=store, progress=False)
        shot.mend(store.root)
        make_all(recipes, scheduler=cluster, store=store, progress=False)
    check(recipes, store, tmp_path, monkeypatch, kills)


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
        shot.mend(store.root)
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
                [sys.executable, "-c", program, "sweep", f"{name}.yaml", *options], cwd=tmp_path
            )
            for name in ("one", "other")
        ]
        assert {process.wait() for process in started} == codes
        shot.mend(store.root)
    check(recipes, store, tmp_path, monkeypatch, kills=50)


MANY = """
import sys
from small_runs import make
from fmnist_utils.workshop.many import make_all
from fmnist_utils.workshop.store import RunStore
make_all([make(seed=seed) for seed in range(12)], jobs=2, store=RunStore(*sys.argv[1:]))
"""


@pytest.mark.racing
@pytest.mark.nightly
def test_runs_go_on_after_the_computer_has_slept(store, armed, monkeypatch):
    """Dask gives up a worker that is silent for its time to live, or for five seconds."""
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL", "1s")
    command = [sys.executable, "-c", MANY, str(store.root), str(store.results)]
    with subprocess.Popen(command) as process:
        try:
            while not list(store.root.glob("*/record.json")):
                assert process.poll() is None
                time.sleep(0.1)
            process.send_signal(signal.SIGSTOP)
            time.sleep(7)
            process.send_signal(signal.SIGCONT)
            assert process.wait(120) == 0
        finally:
            process.kill()
    assert len(list(store.root.glob("*/record.json"))) == 12
