"""Many runs: one at a time in a folder, handed out in their order, and what fails is told."""

import json
import subprocess
import sys
import threading
import time

import pytest
from many_runs import ENCODED, FINISHED, PRETRAINING, hold_and_die, left_in
from small_runs import make

from fmnist_utils.text import Failure, UserError
from fmnist_utils.workshop import many, one_run
from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.many import make_all, standing_of, take_part, with_encoders
from fmnist_utils.workshop.store import LOCK, Busy, RunStore


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


def test_encoders_come_before_what_starts_from_them_and_keep_their_weights(store):
    first, second = (make(model=ENCODED, encoder_from=PRETRAINING, seed=seed) for seed in (0, 1))
    tasks = with_encoders([make(), first, second, make()], store)
    assert list(tasks) == [make(), PRETRAINING, first, second]
    assert [recipe for recipe, keeps_weights in tasks.items() if keeps_weights] == [PRETRAINING]
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
    told = "(?s)2 of 2.*a mistake of ours.*the run that gives it the encoder failed"
    with pytest.raises(Failure, match=told):
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
    order = {"recipe": json.loads(make(num_epochs=10_000).canonical_json), "root": str(store.root)}
    order |= {"results": str(store.results), "weights": False, "wait": True}
    order |= {"lang": "en", "device": "cpu"}
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


@pytest.mark.parametrize("stop_at", [1, 2])
def test_a_record_is_published_after_all_that_belongs_to_it(stop_at, store, monkeypatch):
    run = train(make(), store=store)
    written = []

    def write_some(path, content):
        if len(written) == stop_at:
            raise OSError("no room")
        written.append(path.name.partition(".seed0")[2].partition(".")[2].partition(".")[2])

    monkeypatch.setattr("fmnist_utils.workshop.store.write_atomically", write_some)
    with pytest.raises(OSError, match="no room"):
        store.publish(run, "01_report", "group", panel=True, weights=True)
    assert len(written) == stop_at and "json" not in written
