"""The run store: where runs are made and records are published."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from fmnist_utils.audit.recipes import Recipe
from fmnist_utils.audit.records import FORMAT, Records, Run, digest
from fmnist_utils.text import UserError
from fmnist_utils.workshop.checkpoints import PROGRESS, remove_checkpoints
from fmnist_utils.workshop.files import acquire, check_name, write_atomically
from fmnist_utils.workshop.machine import describe_environment, now

LOCK = "lock"


class Busy(UserError):
    """Another process is making this run."""


class RunStore(Records):
    """Where runs live, with the right to write: see :class:`~fmnist_utils.audit.records.Records`.

    Args:
        wait: whether :meth:`alone` waits for a run that another process is making.
    """

    may_write = True

    def __init__(
        self, root: str | Path | None = None, results: str | Path | None = None, wait: bool = True
    ):
        super().__init__(root, results)
        self.wait = wait

    @contextmanager
    def alone(self, folder: Path, wait: bool | None = None) -> Iterator[None]:
        """Make a run's folder and hold its lock, so that one process at a time works in it.

        The file ``lock`` exists while a process works in the folder: the one that holds the lock
        removes the file, last of all and still holding it. The system frees the lock of a process
        that was killed; its file stays, and the next process takes it over and removes it. So a
        finished run has no such file once somebody has looked at it (:meth:`finished`).

        Args:
            wait: as that of the store, which is the default.

        Raises:
            Busy: without ``wait``, if another process holds the lock.
            UserError: if the folder or the lock cannot be had here.
        """
        lock = FileLock(folder / LOCK)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            patient = self.wait if wait is None else wait
            acquire(lock, "runs.waiting", -1 if patient else 0, folder=folder)
        except Timeout:
            raise Busy("runs.busy", folder=str(folder)) from None
        except (OSError, NotImplementedError) as error:
            # No permission, no space, or a file system without locks.
            reason = getattr(error, "strerror", None) or str(error)
            raise UserError("runs.no_folder", folder=str(folder.parent), reason=reason) from error
        try:
            yield
        finally:
            # Whoever has opened this file and waits for it sees that it is gone, and opens the
            # next one. Windows removes it when it is closed.
            with suppress(OSError):
                (folder / LOCK).unlink()
            lock.release()

    def finished(self, recipe: Recipe, weights: bool = False) -> Run | None:
        """Return the finished run of ``recipe``, or None, as :meth:`find` does.

        What a process left in its folder that was killed after its record is removed.
        """
        run, folder = self.find(recipe, weights), self.folder(recipe)
        made_here = run and run.path.parent == folder and run.has_weights
        if made_here and any((folder / name).exists() for name in (PROGRESS, LOCK)):
            # A store that may only be read stays as it is, and who holds the lock is about to do
            # the same.
            with suppress(UserError, OSError), self.alone(folder, wait=False):
                remove_checkpoints(folder)
        return run

    def publish(
        self, run: Run, report: str, name: str, panel: bool = True, weights: bool = False
    ) -> Path:
        """Copy a run's record and predictions to the committed records; return where the record is.

        That is ``REPORT/records/NAME.seedN.ID.json``; the other files stand beside it.

        Args:
            panel, weights: copy the examples and the weights too.
        """
        folder = self.results / check_name(report) / "records"
        path = folder / check_name(f"{name}.seed{run.recipe.seed}.{run.id[:12]}.json")
        folder.mkdir(parents=True, exist_ok=True)
        suffixes = [".json"]
        if run.record.predictions_sha256 is not None:
            suffixes.insert(0, ".predictions.npz")
        if weights:
            suffixes.insert(0, ".weights.safetensors")
        if panel:
            suffixes.insert(0, ".panel.safetensors")
        for suffix in suffixes:  # the record last: where it is, the run is complete
            write_atomically(path.with_suffix(suffix), run.path.with_suffix(suffix).read_bytes())
        self._committed[run.id[:12]] = path
        return path

    def write_sealed(self, name: str, content: dict[str, Any]) -> Path:
        """Write a JSON file beside the reports, with what made it, sealed; return its path."""
        made_with = describe_environment(torch.device("cpu")) | {"date": now()}
        content = {"format": FORMAT, "made_with": made_with} | content
        content["digest"] = digest(content)
        lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in content.items()]
        path = self.results / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, ("{\n" + ",\n".join(lines) + "\n}\n").encode())
        return path
