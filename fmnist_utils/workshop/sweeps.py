"""Sweeps: many runs, made by however many hands there are, on one machine or on all that share a folder.

The run store is the queue and the truth. Whoever has a hand free looks for a task that nobody has done and nobody is doing, takes
a *lease* on it and works in a folder of its own, ``attempts/ID.OWNER``; the finished folder is renamed to its place in
the store, at once and whole. A lease is a file that its holder touches now and then. If nobody does, the holder is gone:
another takes the lease over and renames the attempt's folder to its own, so it goes on from the last epoch, and a holder that
was only asleep finds its folder gone and stops. So any task may be tried twice, by anybody, and has one record. Only renaming and
exclusive creation are asked of the file system, no locks: they are missing on many network drives.

An engine only brings hands: processes of this machine (``local``), or of those that a Dask scheduler knows (``dask``).
"""

from __future__ import annotations

import errno
import hashlib
import json
import multiprocessing
import os
import queue
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from multiprocessing import connection
from pathlib import Path
from typing import Any, NamedTuple

import filelock

from fmnist_utils.audit.recipes import Recipe
from fmnist_utils.audit.records import Record, Run
from fmnist_utils.text import Failure, UserError, get_language, say, set_language
from fmnist_utils.training import pick_device, progress_bar
from fmnist_utils.workshop.checkpoints import PROGRESS, write_atomically
from fmnist_utils.workshop.machine import default_jobs, now
from fmnist_utils.workshop.plans import Task, longest_first, task_from_json, with_encoders
from fmnist_utils.workshop.store import RunStore

LEASE = 60.0  # seconds without a sign of life after which the holder of a lease counts as gone
POLL = 5.0  # seconds between two looks at the store
DEATHS = 3  # a run that dies so often without finishing an epoch is given up
PATIENCE = (
    600.0  # seconds that a scheduler or a network drive which went away may take to come back
)
PROGRAM = "from fmnist_utils.sweeps import serve; serve()"


# --- Leases ---------------------------------------------------------------------------------------------------------


class Holder(NamedTuple):
    """Who holds a lease, and for how many seconds it has given no sign of life."""

    owner: str
    host: str
    pid: int
    silent: float
    seconds: float

    @property
    def is_stale(self) -> bool:
        return self.silent > self.seconds


def read_lease(path: Path, clock: float) -> Holder | None:
    """Return who holds the lease at ``path``; None if nobody does. ``clock``: the present, by the store's clock."""
    try:
        with open(
            path, encoding="utf8"
        ) as file:  # opened, not only looked at: network drives then ask the server
            silent, content = clock - os.fstat(file.fileno()).st_mtime, file.read()
    except OSError:
        return None
    try:
        card = json.loads(content)
        return Holder(card["owner"], card["host"], card["pid"], silent, card["seconds"])
    except (
        ValueError,
        LookupError,
        TypeError,
    ):  # its holder died before it had written a word, or is writing it now
        return Holder("?", "?", 0, silent, LEASE)


def store_clock(folder: Path) -> float:
    """Return the time by the clock of the file system of ``folder``; the machines that share it may each have another.

    Whoever may only read there has to do with the clock of this machine.
    """
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".clock-") as file:
            return os.fstat(file.fileno()).st_mtime
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        return time.time()


def _generation(path: Path) -> int:
    return int(path.suffix[1:])


def last_holder(leases: Iterable[Path], clock: float) -> Holder | None:
    """Return who holds the last of a task's ``leases``; None if there is none."""
    held = (read_lease(path, clock) for path in sorted(leases, key=_generation, reverse=True))
    return next(filter(None, held), None)


class Lease:
    """The right to work on a task, for as long as ``keep`` gives signs of life.

    Each is a file ``ID.N``. Who takes over a silent one creates that of the next number, and no two can; the silent one is removed
    only then. So nobody ever removes or renames a lease that another may just have taken.
    """

    def __init__(self, store: RunStore, id: str, owner: str, seconds: float = LEASE):
        self.path, self.owner, self.seconds = store.root / "leases" / f"{id[:16]}.0", owner, seconds
        self._ended = threading.Event()

    def _all(self) -> list[Path]:
        return list(self.path.parent.glob(f"{self.path.stem}.*"))

    def holder(self) -> Holder | None:
        return last_holder(self._all(), store_clock(self.path.parent))

    def claim(self) -> bool:
        """Take the lease if nobody holds it, or nobody alive; return whether it is ours now."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        before = self._all()
        if self._is_alive(before):
            return False
        mine = self.path.with_suffix(f".{max(map(_generation, before), default=-1) + 1}")
        try:
            with open(
                mine, "x", encoding="utf8"
            ) as file:  # fails if it is there, on network drives too
                card = {
                    "owner": self.owner,
                    "host": socket.gethostname(),
                    "pid": os.getpid(),
                    "seconds": self.seconds,
                }
                json.dump(card, file)
        except FileExistsError:
            return False
        # Between the look and the file, a silent holder may have woken up, or others may have taken the lease over, given it back
        # and taken it again from number 0. Of two who see each other here, both step back, and a later look decides.
        others = [path for path in self._all() if path != mine]
        if self._is_alive(others):
            mine.unlink(missing_ok=True)
            return False
        for path in others:
            path.unlink(missing_ok=True)
        self.path = mine
        return True

    def _is_alive(self, leases: list[Path]) -> bool:
        clock = store_clock(self.path.parent)
        return any(
            held is not None and not held.is_stale
            for held in (read_lease(path, clock) for path in leases)
        )

    def is_ours(self) -> bool:
        held = self.holder()
        return held is not None and held.owner == self.owner

    def keep(self) -> None:
        """Give signs of life from now on; end this process if the lease is found in other hands."""

        def beat() -> None:
            while not self._ended.wait(self.seconds / 4):
                try:
                    held = self.holder()
                    if held and held.owner == self.owner:
                        os.utime(self.path)
                    elif not self._ended.is_set() and (held or not self.claim()):
                        end_group()
                except OSError:  # a network drive that is away for a moment
                    continue

        threading.Thread(target=beat, daemon=True).start()

    def release(self) -> None:
        """Give the lease back, if it is ours."""
        self._ended.set()
        try:
            for path in (
                self._all()
            ):  # whoever releases it for an attempt that was killed does not know its number
                held = read_lease(path, 0)
                if held and held.owner == self.owner:
                    path.unlink(missing_ok=True)
        except OSError:  # it runs out by itself
            pass


# --- One attempt, in a process of its own ---------------------------------------------------------------------------


class _AttemptStore(RunStore):
    """The store as one attempt sees it: its own run is in ``own``, all others where they are."""

    def __init__(self, store: RunStore, id: str, own: Path):
        self.root, self.results, self.id, self.own = store.root, store.results, id, own

    def folder(self, task: Task | Recipe) -> Path:
        return self.own if task.id == self.id else super().folder(task)

    def alone(self, folder: Path, wait: bool = True) -> AbstractContextManager:
        """The lease has seen to that; where file systems know no locks, it alone."""
        return nullcontext() if folder == self.own else super().alone(folder, wait)


def attempt(order: dict[str, Any]) -> None:
    """Carry out an order, as :func:`work` gives them, unless it is done or another is at it; a failure is noted in the store."""
    set_language(order["lang"])
    store, task = RunStore(order["root"], order["results"]), task_from_json(order["task"])
    lease = Lease(store, task.id, order["owner"], order["lease"])
    if not lease.claim():
        return
    lease.keep()
    folder = None
    try:
        if task.find(store) is None and (folder := adopt(store, task, order["owner"])):
            task.perform(_AttemptStore(store, task.id, folder), order["threads"], order["device"])
            publish(store, task, folder)
    except Exception as error:
        if folder is None:
            folder = attempts_of(store) / f"{task.id[:16]}.{order['owner']}"
            folder.mkdir(parents=True, exist_ok=True)
        if (
            folder.exists() and lease.is_ours()
        ):  # otherwise it was taken over, and this is no failure
            note_failure(folder, task, error)
    finally:
        lease.release()


def attempt_for_parent(order: dict[str, Any]) -> None:
    """Carry out an order in a child process, which is a group with all it starts, and ends when its parent does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
    if hasattr(os, "setsid"):
        os.setsid()
    parent = multiprocessing.parent_process()
    threading.Thread(target=lambda: (parent.join(), end_group()), daemon=True).start()
    attempt(order)


def end_group() -> None:
    """End this process and, if it leads a group, all of the group."""
    if hasattr(os, "killpg") and os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def attempts_of(store: RunStore) -> Path:
    return store.root / "attempts"


def finished_epochs(folder: Path) -> int:
    """Return how many epochs the checkpoints in ``folder`` hold."""
    try:
        return len(json.loads((folder / PROGRESS).read_bytes())["entries"][-1]["rows"])
    except (OSError, ValueError, LookupError, TypeError):
        return 0


def adopt(store: RunStore, task: Task, owner: str) -> Path | None:
    """Return the folder of this attempt, with the checkpoints of earlier ones in it; None if ``train`` is at it elsewhere."""
    own, shared = attempts_of(store) / f"{task.id[:16]}.{owner}", store.folder(task)
    left = [path for path in own.parent.glob(f"{task.id[:16]}.*") if path != own]
    if shared.exists() and any(
        shared.iterdir()
    ):  # begun by ``train``, which holds a lock while it is at it
        try:
            with filelock.FileLock(shared / "lock", timeout=0):
                pass
        except filelock.Timeout:
            return None
        except (
            OSError,
            NotImplementedError,
        ):  # a file system without locks, where ``train`` could not have begun
            pass
        if task.find(store):
            return None
        left.append(shared)
    own.parent.mkdir(parents=True, exist_ok=True)
    for path in sorted(
        left,
        key=lambda path: ((path / "record.json").exists(), finished_epochs(path)),
        reverse=True,
    ):
        useful = task.resumes and not own.exists()
        # It may be published at this moment: moved away first, it is deleted whole or stays whole.
        aside = own.with_name(f".{path.name}.{owner}")
        with suppress(FileNotFoundError):  # another took it, or it has just been published
            os.rename(path, own if useful else aside)
    for useless in own.parent.glob(f".{task.id[:16]}*"):
        shutil.rmtree(useless, ignore_errors=True)
    own.mkdir(exist_ok=True)
    (own / "lock").unlink(missing_ok=True)  # one that sleeps may still hold it
    (own / "failed.json").unlink(missing_ok=True)
    return own


def publish(store: RunStore, task: Task, folder: Path) -> bool:
    """Put a finished attempt in its place, at once and whole, and return True. If another was quicker, his stays."""
    target = store.folder(task)
    try:
        os.rename(folder, target)
        return True
    except OSError:
        if not folder.exists():  # taken over
            return False
    if theirs := task.find(store):
        if (
            isinstance(theirs, Run)
            and theirs.record.weights_sha256 != Record.read(folder / "record.json").weights_sha256
        ):
            warnings.warn(
                say("sweeps.differs", id=task.id[:12]), stacklevel=2
            )  # made on another kind of machine, say
        shutil.rmtree(folder, ignore_errors=True)
    # else ``train`` has begun it meanwhile: what is finished stays in ``attempts``, and the next to look puts it in its place
    return False


def note_failure(folder: Path, task: Task, error: Exception | str) -> None:
    """Write ``failed.json`` beside what the attempt has made so far."""
    path, known = folder / "failed.json", {}
    if path.exists():  # a training that diverged has left its figures
        known = json.loads(path.read_bytes())
    lines = "".join(traceback.format_exception(error)) if isinstance(error, Exception) else ""
    reason = (
        f"{type(error).__name__}: {error}"
        if isinstance(error, Exception) and not isinstance(error, UserError)
        else str(error)
    )
    known |= {
        "id": task.id,
        "error": reason,
        "traceback": lines,
        "host": socket.gethostname(),
        "date": now(),
    }
    write_atomically(path, json.dumps(known, indent=1, ensure_ascii=False).encode())


# --- The board: what is done and what is not ------------------------------------------------------------------------


class Standing(NamedTuple):
    """How a task stands: ``done``, ``running``, ``stale`` (begun, its worker gone), ``failed`` or ``waiting``."""

    state: str
    epochs: int = 0
    host: str = ""
    silent: float = 0.0
    reason: str = ""


class Board:
    """How the tasks stand in the store. ``look`` reads what has changed; what is done stays done."""

    def __init__(self, store: RunStore, tasks: Sequence[Task]):
        self.store, self.tasks = store, tasks
        self.found: dict[str, Run | Path] = {}

    def look(self) -> dict[str, Standing]:
        """Return the standing of each task, by its id."""
        leases, attempts = self.store.root / "leases", attempts_of(self.store)
        present, held = names_in(self.store.root), names_in(leases)
        clock = store_clock(leases) if held else 0.0
        of: dict[str, tuple[list[Path], list[Path]]] = {}
        for number, (folder, names) in enumerate(((leases, held), (attempts, names_in(attempts)))):
            for name in names:
                of.setdefault(name.partition(".")[0], ([], []))[number].append(folder / name)
        return {
            task.id: self._standing(task, present, *of.get(task.id[:16], ([], [])), clock)
            for task in self.tasks
        }

    def _standing(
        self, task: Task, present: set[str], held: list[Path], tried: list[Path], clock: float
    ) -> Standing:
        short = task.id[:16]
        if task.id not in self.found and (short in present or self._is_committed(task)):
            try:
                if (found := task.find(self.store)) is not None:
                    self.found[task.id] = found
            except UserError as error:  # a damaged record
                return Standing("failed", reason=str(error))
        if task.id in self.found:
            return Standing("done", task.epochs)
        folders = [*tried, self.store.root / short] if short in present else tried
        epochs = max(map(finished_epochs, folders), default=0)
        if lease := last_holder(held, clock):
            return Standing(
                "stale" if lease.is_stale else "running",
                epochs,
                f"{lease.host}:{lease.pid}",
                lease.silent,
            )
        for folder in folders:
            try:
                return Standing(
                    "failed",
                    epochs,
                    reason=json.loads((folder / "failed.json").read_bytes())["error"],
                )
            except (OSError, ValueError, LookupError):
                continue
        return Standing("waiting", epochs)

    def _is_committed(self, task: Task) -> bool:
        recipe = getattr(task, "recipe", None)
        return recipe is not None and self.store.published(recipe) is not None

    def forgive(self) -> None:
        """Forget the failures of these tasks, so that they are tried again from their last epoch."""
        for task in self.tasks:
            for folder in [
                *attempts_of(self.store).glob(f"{task.id[:16]}.*"),
                self.store.folder(task),
            ]:
                (folder / "failed.json").unlink(missing_ok=True)


def names_in(folder: Path) -> set[str]:
    """Return the names of what is in ``folder``; none if it is not there yet."""
    try:
        return set(os.listdir(folder))
    except FileNotFoundError:
        return set()


def save_plan(store: RunStore, tasks: Sequence[Task]) -> None:
    """Leave the tasks in the store, so that :func:`saved_plan` knows of them on any machine that shares it.

    Raises:
        UserError: if the store cannot be written.
    """
    folder = store.root / "plans"
    for needed in (folder, store.root / "leases", attempts_of(store)):
        try:
            needed.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                "runs.no_folder", folder=str(store.root), reason=error.strerror
            ) from error
    content = json.dumps([task.to_json() for task in tasks]).encode()
    known = hashlib.sha256("".join(sorted(task.id for task in tasks)).encode()).hexdigest()
    write_atomically(folder / f"{known[:16]}.json", content)


def saved_plan(store: RunStore) -> list[Task]:
    """Return the tasks of all plans that were ever started in this store."""
    plans = sorted((store.root / "plans").glob("*.json"))
    return with_encoders(
        task_from_json(fields) for plan in plans for fields in json.loads(plan.read_bytes())
    )


# --- Hands ----------------------------------------------------------------------------------------------------------


class Ended(NamedTuple):
    """An attempt that has ended: whose it was, and whether it ended by itself. What it achieved, the store tells."""

    task: Task
    owner: str
    orderly: bool


class LocalHands:
    """Processes of this machine, ``jobs`` at a time, one for each attempt."""

    target = staticmethod(attempt_for_parent)
    start_method = (
        "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    )

    def __init__(self, jobs: int):
        self._context = multiprocessing.get_context(self.start_method)
        if self.start_method == "forkserver":
            # PyTorch is imported once, by the server: seconds for each run
            self._context.set_forkserver_preload(["fmnist_utils.sweeps"])
        self.jobs, self.running = jobs, {}

    def free(self) -> int:
        return self.jobs - len(self.running)

    def start(self, task: Task, order: dict[str, Any]) -> None:
        process = self._context.Process(target=self.target, args=(order,))
        process.start()
        self.running[task.id] = (task, order["owner"], process)

    def wait(self, seconds: float) -> list[Ended]:
        """Return the attempts that have ended; wait for one for so many seconds."""
        ready = connection.wait(
            [process.sentinel for *_, process in self.running.values()], seconds
        )
        ended = [
            (task, owner, process)
            for task, owner, process in self.running.values()
            if process.sentinel in ready
        ]
        for task, _, process in ended:
            process.join()
            del self.running[task.id]
        return [Ended(task, owner, process.exitcode == 0) for task, owner, process in ended]

    def close(self) -> list[Ended]:
        """End what still runs; return it."""
        running = list(self.running.values())
        for *_, process in running:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except (OSError, AttributeError):
                process.kill()
            process.join()
        self.running = {}
        return [Ended(task, owner, False) for task, owner, _ in running]


class DaskHands:
    """The workers of a Dask scheduler: at ``scheduler`` (an address, a file of its own, or a cluster object), or ``jobs`` here."""

    def __init__(self, scheduler: Any, jobs: int, program: str):
        try:
            import distributed
        except ImportError:
            raise UserError("sweeps.no_dask") from None
        self._dask, self.program, self.running = distributed, program, {}
        self._cluster = None
        if scheduler is None:
            self._cluster = scheduler = distributed.LocalCluster(
                n_workers=jobs, threads_per_worker=1, memory_limit=0, dashboard_address=None
            )
        self._scheduler = scheduler
        self._client = self._connect(patience=20)

    def _connect(self, patience: float = PATIENCE):
        how = {"address": self._scheduler}
        if isinstance(self._scheduler, (str, Path)) and str(self._scheduler).endswith(".json"):
            how = {"scheduler_file": str(self._scheduler)}
        deadline = time.monotonic() + patience
        while True:
            try:
                return self._dask.Client(**how, timeout=10)
            except (OSError, ValueError) as error:
                if isinstance(error, ValueError) or time.monotonic() > deadline:
                    raise UserError(
                        "sweeps.no_scheduler", address=str(self._scheduler), reason=str(error)
                    ) from error
                time.sleep(1)

    def free(self) -> int:
        return 1_000_000  # the scheduler keeps what no worker has room for

    def start(self, task: Task, order: dict[str, Any]) -> None:
        key = f"fmnist-{task.id[:12]}-{order['owner']}"
        future = self._client.submit(attempt_on_worker, order, self.program, key=key, pure=False)
        self.running[task.id] = (task, order["owner"], future)

    def wait(self, seconds: float) -> list[Ended]:
        """Return the attempts that have ended, or that the scheduler has forgotten; wait for one for so many seconds."""
        futures = [future for *_, future in self.running.values()]
        if (
            self._client.status != "running"
        ):  # the scheduler went away, and with it all that it knew
            with suppress(TimeoutError, OSError):
                self._client.close(timeout=1)
            self._client, self.running = self._connect(), {}
            return []
        try:
            if futures:
                self._dask.wait(futures, timeout=seconds, return_when="FIRST_COMPLETED")
            else:
                time.sleep(seconds)
        except (TimeoutError, OSError, self._dask.CancelledError):
            pass
        ended = []
        for task, owner, future in list(self.running.values()):
            if future.status != "pending":
                del self.running[task.id]
                try:
                    code = future.result(timeout=10)
                except (
                    Exception
                ):  # its worker is gone, or the scheduler; that says nothing about the run
                    code = 0
                ended.append(Ended(task, owner, code == 0))
        return ended

    def close(self) -> list[Ended]:
        """Take back what has not begun, end what runs in a cluster of our own, and go."""
        running, self.running = [(task, owner) for task, owner, _ in self.running.values()], {}
        with suppress(TimeoutError, OSError):
            self._client.close(timeout=5)
        if self._cluster:
            self._cluster.close(timeout=30)
        return [Ended(task, owner, True) for task, owner in running]


_of_thread = threading.local()


def attempt_on_worker(order: dict[str, Any], program: str) -> int:
    """On a Dask worker: carry out ``order`` in a process of its own; return its exit code.

    The worker's process stays free to answer its scheduler, and lives on whatever happens to the run. It may not have such
    children, so ``program`` stands between them, which does nothing but :func:`serve`.
    """
    server = getattr(_of_thread, "server", None)
    if server is None or server.poll() is not None:
        environment = os.environ | {"OMP_NUM_THREADS": str(order["threads"])}
        command = [sys.executable, "-c", program]
        server = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
        _of_thread.server = server
    try:
        server.stdin.write(json.dumps(order).encode() + b"\n")
        server.stdin.flush()
        return int(server.stdout.readline())
    except (OSError, ValueError):  # it was killed
        server.kill()
        return server.wait() or 1


def serve() -> None:
    """Carry out the orders in the lines of stdin, one at a time, and answer each with its exit code, until stdin is closed."""
    answers, orders = os.fdopen(os.dup(1), "w"), queue.SimpleQueue()
    os.dup2(2, 1)  # what a run prints is no answer

    def read() -> None:
        for line in sys.stdin:
            orders.put(json.loads(line))
        end_group()  # the worker was killed; the children follow

    threading.Thread(target=read, daemon=True).start()
    hands = LocalHands(1)
    while True:
        order = orders.get()
        hands.start(task_from_json(order["task"]), order)
        while not (ended := hands.wait(POLL)):
            continue
        answers.write(f"{0 if ended[0].orderly else 1}\n")
        answers.flush()


# --- The sweep ------------------------------------------------------------------------------------------------------


def _order(store: RunStore, task: Task, lease: float, threads: int, device: str) -> dict[str, Any]:
    """Return what an attempt needs to know, as JSON has it; ``owner`` is its name, for this attempt only."""
    where = {"root": str(store.root.resolve()), "results": str(store.results.resolve())}
    how = {
        "owner": secrets.token_hex(8),
        "lease": lease,
        "threads": threads,
        "device": device,
        "lang": get_language(),
    }
    return where | how | {"task": task.to_json()}


def work(
    tasks: Sequence[Task],
    store: RunStore,
    hands: LocalHands | DaskHands,
    *,
    lease: float = LEASE,
    threads: int = 1,
    device: str = "auto",
    on_look: Callable[[dict[str, Standing]], None] | None = None,
) -> Board:
    """Have ``hands`` work until no task waits and none is running, here or elsewhere; return the board."""
    board, deaths, pause, since = Board(store, tasks), {}, {}, None
    try:
        while True:
            try:
                standing = board.look()
            except (
                OSError
            ) as error:  # a network drive that is away for a moment; what runs goes on meanwhile
                since = time.monotonic() if since is None else since
                if time.monotonic() - since > PATIENCE:
                    raise UserError(
                        "runs.no_folder",
                        folder=str(store.root),
                        reason=error.strerror or str(error),
                    ) from error
                time.sleep(POLL)
                continue
            since = None
            if on_look:
                on_look(standing)
            ready = [
                task
                for task in tasks
                if standing[task.id].state in ("waiting", "stale")
                and task.id not in hands.running
                and (task.needs not in standing or standing[task.needs].state == "done")
            ]
            elsewhere = any(each.state == "running" for each in standing.values())
            if not (hands.running or ready or elsewhere):
                return board
            rested = [task for task in ready if time.monotonic() >= pause.get(task.id, 0)]
            for task in rested[: max(hands.free(), 0)]:
                hands.start(task, _order(store, task, lease, threads, device))
            for ended in hands.wait(seconds := min(POLL, lease / 4)):
                pause[ended.task.id] = (
                    time.monotonic() + seconds
                )  # if it is not done, another is at it
                if not ended.orderly:
                    with suppress(
                        OSError, UserError
                    ):  # the drive again; the lease of the dead runs out by itself
                        _count_death(store, ended, lease, deaths)
    finally:
        for ended in hands.close():
            if not ended.orderly:
                Lease(store, ended.task.id, ended.owner).release()


def _count_death(store: RunStore, ended: Ended, lease: float, deaths: dict[str, list[int]]) -> None:
    """Free the task of an attempt that was killed; if that happens again and again at the same epoch, it has failed."""
    held = Lease(store, ended.task.id, ended.owner, lease)
    holder = held.holder()
    if holder and holder.owner != ended.owner:  # taken over while it slept
        return
    own = attempts_of(store) / f"{ended.task.id[:16]}.{ended.owner}"
    before, epochs = deaths.setdefault(ended.task.id, []), finished_epochs(own)
    before[:] = [at for at in before if at >= epochs] + [epochs]
    if len(before) >= DEATHS:
        own.mkdir(parents=True, exist_ok=True)
        note_failure(own, ended.task, say("runs.killed"))
        before.clear()
    held.release()


def make_hands(
    engine: str, jobs: int | None, scheduler: Any, device: str
) -> LocalHands | DaskHands:
    """Return the hands of ``engine``, ``"local"`` or ``"dask"``; ``jobs`` None means one for each core (on a GPU, one)."""
    jobs = jobs or default_jobs(pick_device(device))
    return DaskHands(scheduler, jobs, PROGRAM) if engine == "dask" else LocalHands(jobs)


def sweep(
    plan: Sequence[Task | Recipe],
    *,
    engine: str = "local",
    jobs: int | None = None,
    scheduler: Any = None,
    store: RunStore | None = None,
    threads: int = 1,
    device: str = "auto",
    lease: float = LEASE,
    retry: bool = False,
    shuffle: bool = False,
    progress: bool | None = None,
) -> list[Run | Path]:
    """Return the runs of ``plan`` (of a page: its executed notebook), in its order; what is missing is made.

    Started again it goes on where it was; started several times at once, on one machine or on several that share the store, all
    work together. A script that sweeps does it under ``if __name__ == "__main__":``, since each process begins by importing it.

    Args:
        engine: ``"local"``, processes of this machine; ``"dask"``, the workers of ``scheduler``.
        jobs: processes side by side; of Dask, the workers of a cluster made here when no ``scheduler`` is given.
        scheduler: the address of a Dask scheduler, its scheduler file (``….json``), or a cluster object.
        threads: CPU threads of each run; the same number gives the same bits.
        lease: seconds after which a worker that gives no sign of life counts as gone.
        retry: try again what has failed.
        shuffle: begin anywhere: for workers that begin at the same moment.

    Raises:
        UserError: at once, if the engine is not there or the store cannot be written.
        Failure: in the end, if runs have failed, with each one's reason.
    """
    store, tasks = store or RunStore(), with_encoders(plan)
    if not tasks:
        return []
    board = Board(store, tasks)
    save_plan(store, tasks)
    if retry:
        board.forgive()
    before = sum(each.state == "done" for each in board.look().values())
    if before < len(tasks):
        order = (
            random.sample(tasks, len(tasks))
            if shuffle
            else longest_first(tasks, store, pick_device(device).type)
        )
        with progress_bar(len(tasks), initial=before, show=progress) as bar:

            def show(standing: dict[str, Standing]) -> None:
                bar.update(sum(each.state == "done" for each in standing.values()) - bar.n)

            hands = make_hands(engine, jobs, scheduler, device)
            board = work(
                order, store, hands, lease=lease, threads=threads, device=device, on_look=show
            )
    standing = board.look()
    if bad := [task for task in tasks if standing[task.id].state != "done"]:
        lines = [
            f"{task.id[:12]} ({task.label}): {standing[task.id].reason or say('sweeps.blocked')}"
            for task in bad
        ]
        raise Failure(
            "runs.failed", failed=len(bad), total=len(tasks) - before, details="\n".join(lines)
        )
    return [board.found[item.id] for item in plan]
