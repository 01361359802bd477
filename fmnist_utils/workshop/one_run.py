"""One run, made in a process of its own: the side that asks, and the side that makes.

A process makes one run after the other, on one thread. It reads a line for each, an *order*, and
writes a line, its *outcome*, both JSON. It ends when its input ends, so it never outlives the
process that started it, however that one ended, and when it has long had nothing to do. A run that
crashes takes it along and nothing else.

What asks imports no PyTorch: it is all that a worker of Dask needs.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from fmnist_utils.text import UserError, say, set_language
from fmnist_utils.workshop import text  # noqa: F401

PROGRAM = "fmnist_utils.workshop.one_run"
ATTEMPTS = 3  # times that the process of a run may die before the run counts as failed
IDLE = 60  # seconds without an order after which a process gives its memory back

# "recipe" (its fields), "weights", "root" and "results" of the store, "device", "wait", "lang"
Order = dict[str, Any]
# "state": done, failed (with its "reason"), busy (another process makes it) or lost (nobody knows)
Outcome = dict[str, str]

_thread = threading.local()  # ``child``: the process that makes the runs of this thread
_children: set[subprocess.Popen] = set()  # those of all threads
_starting = threading.Lock()
_stopped = threading.Event()


# --- The side that asks ------------------------------------------------------------------------


def make_run(order: Order, source: Outcome | None = None) -> Outcome:
    """Have the process of this thread carry out an order, and return the outcome.

    Args:
        source: the outcome of the run whose encoder this one starts from, if it was made just now.
    """
    if source and source["state"] == "failed":
        return {"state": "failed", "reason": say("many.no_encoder", lang=order["lang"])}
    for _ in range(ATTEMPTS):
        child = start_child()
        if child is None:
            return {"state": "lost"}
        try:
            child.stdin.write(json.dumps(order) + "\n")
            child.stdin.flush()
            answer = child.stdout.readline()
        except OSError:  # it is gone already
            answer = ""
        if answer.endswith("\n"):
            return json.loads(answer)
        child.kill()
        code = child.wait()
    reason = say("many.died", lang=order["lang"], times=ATTEMPTS, code=code)
    return {"state": "failed", "reason": reason}


def start_child() -> subprocess.Popen | None:
    """Return the process of this thread, a new one if none is alive; None if we are to stop."""
    child = getattr(_thread, "child", None)
    if child and child.poll() is None:
        return child
    with _starting:
        if _stopped.is_set():
            return None
        _children.discard(child)
        # In a session of its own, so that Ctrl-C in a terminal reaches this process alone.
        _thread.child = subprocess.Popen(
            [sys.executable, "-m", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            start_new_session=True,
        )
        _children.add(_thread.child)
        return _thread.child


@contextmanager
def children() -> Iterator[None]:
    """Let the threads of this process start processes for their runs, and end these in the end."""
    _stopped.clear()
    try:
        yield
    finally:
        with _starting:
            _stopped.set()
            for child in _children:
                child.kill()
                child.wait()
            _children.clear()


# --- The side that makes -----------------------------------------------------------------------


def main() -> None:
    """Carry out the orders that come in by stdin, and answer each on stdout."""
    orders: queue.SimpleQueue[str] = queue.SimpleQueue()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a run prints goes to stderr

    def read() -> None:
        for line in sys.stdin:
            orders.put(line)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            order = json.loads(orders.get(timeout=IDLE))
        except queue.Empty:
            os._exit(0)
        answers.write(json.dumps(make(order)) + "\n")
        answers.flush()


def make(order: Order) -> Outcome:
    """Train the recipe of an order in this process.

    The folder of a run that fails keeps the reason, with the whole traceback, in ``failed.json``.
    """
    # Only here, where the thread that notices the end of the input is at work already.
    from fmnist_utils.audit.recipes import Recipe
    from fmnist_utils.workshop.engine import train
    from fmnist_utils.workshop.files import write_atomically
    from fmnist_utils.workshop.store import Busy, RunStore

    set_language(order["lang"])
    recipe = Recipe(**order["recipe"])
    store = RunStore(order["root"], order["results"], wait=order["wait"])
    note = store.folder(recipe) / "failed.json"
    with suppress(OSError):
        note.unlink()  # of an earlier attempt
    how = {"device": order["device"], "weights": order["weights"]}
    try:
        train(recipe, store=store, threads=1, progress=False, **how)
    except Busy:
        return {"state": "busy"}
    except Exception as error:
        told = isinstance(error, UserError)
        reason = str(error) if told else traceback.format_exc(limit=-3).strip()
        failure = {"id": recipe.id, "error": reason, "traceback": traceback.format_exc()}
        with suppress(UserError, OSError), store.alone(note.parent, wait=False):
            if store.find(recipe, order["weights"]) is None:
                known = json.loads(note.read_bytes()) if note.exists() else {}
                write_atomically(note, json.dumps(known | failure, indent=1).encode())
        return {"state": "failed", "reason": reason}
    return {"state": "done"}


if __name__ == "__main__":
    main()
