"""In place of the process of a run: one that notes what it does, and is killed at a chosen moment.

The folder ``fates`` in the store holds, for a run that something is to happen to, a file named
after the beginning of its id. Whoever makes the run next does what it says, and takes the file:

- ``child 7``: this process is killed before its seventh change of a file in the run's folder;
- ``worker 7``: the process that asked for the run, a worker of Dask, is killed at that moment;
- ``raise``: training fails. The file stays until :func:`mend`: where the worker that was told dies
  before it has told others, Dask has the run made again.

``log`` in the store has a line for each event: ``begin``, ``end``, ``kill`` or ``fail``, the id,
and how many epochs the checkpoints hold. As the kills are tied to what a run does, and not to the
time, they always hit.
"""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

from fmnist_utils.workshop import one_run

run = {"folder": Path(), "fate": "", "changes": 0}  # the run that is being made


class Injected(Exception):
    """A failure that is not the run's own."""


def dask_setup(worker) -> None:
    """Have a worker of Dask, which is given this module as its preload, start this program."""
    one_run.PROGRAM = "shot"


def set_fate(root: Path, run_id: str, fate: str) -> None:
    """Lay down what is to happen to a run when it is made next."""
    (root / "fates").mkdir(parents=True, exist_ok=True)
    (root / "fates" / run_id[:16]).write_text(fate)


def mend(root: Path) -> None:
    """Have no run fail any more."""
    for fate in (root / "fates").iterdir():
        if fate.read_text() == "raise":
            fate.unlink()


def note(what: str) -> None:
    """Append a line to the log; short appends of several processes do not mix."""
    try:
        progress = json.loads((run["folder"] / "progress.json").read_bytes())
        epochs = len(progress["entries"][-1]["rows"])
    except FileNotFoundError:
        epochs = 0
    with open(run["folder"].parent / "log", "ab", buffering=0) as file:
        file.write(f"{what} {run['folder'].name} {epochs}\n".encode())


def before_change(path: Path) -> None:
    """Count the changes of files in the run's folder, and kill if this is the moment."""
    if path.parent != run["folder"]:
        return
    run["changes"] += 1
    if run["fate"] in (f"child {run['changes']}", f"worker {run['changes']}"):
        note("kill")
        victim = os.getpid() if run["fate"].startswith("child") else os.getppid()
        os.kill(victim, signal.SIGKILL)


def watch(on_change: Callable[[Path], None], put=setattr) -> None:
    """Have ``on_change`` called with the path before a file is put in its place, or removed."""
    replace, unlink = os.replace, Path.unlink

    def watched_replace(source, target, **options):
        on_change(Path(target))
        replace(source, target, **options)

    def watched_unlink(path, missing_ok=False):
        if path.exists():
            on_change(path)
        unlink(path, missing_ok)

    put(os, "replace", watched_replace)
    put(Path, "unlink", watched_unlink)


def patch() -> None:
    """Have this process do as its fates say, and note it."""
    make = one_run.make

    def make_with_fate(order):
        # PyTorch is imported only here, where the process already notices that its parent is gone.
        from fmnist_utils.audit.recipes import Recipe
        from fmnist_utils.workshop import engine

        if engine._make_run.__module__ == engine.__name__:
            engine._make_run = noted(engine._make_run)
        root = Path(order["root"])
        run.update(folder=root / Recipe(**order["recipe"]).id[:16], fate="", changes=0)
        laid_down = root / "fates" / run["folder"].name
        if laid_down.exists():
            run["fate"] = laid_down.read_text()
            if run["fate"] != "raise":
                laid_down.unlink()
        return make(order)

    watch(before_change)
    one_run.make = make_with_fate


def noted(train: Callable) -> Callable:
    """Return ``train`` that notes its beginning and its end, and fails where that is laid down."""

    def noted_train(*arguments, **options):
        note("begin")
        if run["fate"] == "raise":
            note("fail")
            raise Injected("it was laid down so")
        made = train(*arguments, **options)
        note("end")
        return made

    return noted_train


if __name__ == "__main__":
    patch()
    one_run.main()
