"""R15. SIGTERM, Ctrl-C and SLURM's USR1: out within 5 s with 143 or 130, and a next step."""

import os
import random
import signal
import sys
import time

import pytest
from patience import at_most
from small_runs import DATA, as_options, checkpointed, command_line, without_seconds

from fmnist_utils.audit.schema import load_report
from fmnist_utils.text import say
from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.store import RunStore

pytestmark = [
    pytest.mark.racing,
    pytest.mark.skipif(sys.platform == "win32", reason="signals are of Unix"),
]
CODES = {"SIGTERM": 143, "SIGINT": 130, "SIGUSR1": 143}
CHANGES = {
    "num_epochs": 10_000,
    "batch_size": 10,
    **{f"data.{name}": value for name, value in DATA.items()},
}
COMMAND = ["train", "01", "model_2", "--threads", "1", *as_options(CHANGES)]


def stop(process, name, lang, said) -> None:
    """Send a signal; the exit must be quick, with the right code and the next step in words."""
    os.kill(process.pid, getattr(signal, name))
    start = time.monotonic()
    process.join(120)
    assert time.monotonic() - start < at_most(5) and process.exitcode == CODES[name]
    assert say("cli.interrupted", lang=lang, command="")[:20] in said.read_text()
    assert "Traceback" not in said.read_text()


@pytest.mark.parametrize("trials", [3, pytest.param(20, marks=pytest.mark.nightly)])
def test_training_stops_at_once_and_goes_on_bit_by_bit(forks, tmp_path, trials):
    recipe = load_report("01").recipe("model_2", "ours").but(CHANGES)
    moments, found = random.Random(1), []
    for trial in range(trials):
        name, lang = list(CODES)[trial % 3], ("es", "en")[trial % 2]
        store, said = RunStore(tmp_path / f"runs{trial}"), tmp_path / f"said{trial}"
        environment = {"FMNIST_RUNS": str(store.root), "FMNIST_LANG": lang}
        process = forks.Process(target=command_line, args=(COMMAND, environment, str(said)))
        process.start()
        while process.is_alive() and not (store.folder(recipe) / "progress.json").exists():
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.5))
        stop(process, name, lang, said)
        assert "fmnist train 01 model_2" in said.read_text()
        found.append(checkpointed(recipe, store))
    whole = train(recipe.but(num_epochs=max(map(len, found))), store=RunStore(tmp_path / "whole"))
    rows = without_seconds(whole.history)  # the first epochs do not depend on how many follow
    assert all(rows[: len(kept)] == kept for kept in found) and min(map(len, found)) >= 1


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not (os.path.exists(f"/proc/{pid}/stat") and " Z " in open(f"/proc/{pid}/stat").read())


@pytest.mark.parametrize(
    "name",
    [
        "SIGTERM",
        *(
            pytest.param(name, marks=pytest.mark.nightly)
            for name in ("SIGINT", "SIGUSR1", "SIGKILL")
        ),
    ],
)
def test_runs_side_by_side_stop_together(forks, tmp_path, name):
    """The workers do not outlive the command, however it ends."""
    said, folder = tmp_path / "said", tmp_path / "runs"
    environment = {"FMNIST_RUNS": str(folder), "FMNIST_RESULTS": str(tmp_path / "results")}
    arguments = (["reproduce", "01", "--jobs", "2"], environment, str(said), "sleeper")
    process = forks.Process(target=command_line, args=arguments)
    process.start()
    while process.is_alive() and len(list(folder.glob("worker-*"))) < 2:
        time.sleep(0.05)
    workers = [int(path.name.partition("-")[2]) for path in folder.glob("worker-*")]
    assert len(workers) == 2
    if name == "SIGKILL":
        process.kill()
        process.join()
    else:
        stop(process, name, "en", said)
    deadline = time.monotonic() + at_most(5)  # they sleep for ten minutes
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, workers))
