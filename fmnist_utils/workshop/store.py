"""The run store: where runs are made and records are published."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from filelock import FileLock

from fmnist_utils.audit.records import Records, Run
from fmnist_utils.text import UserError
from fmnist_utils.workshop.checkpoints import check_name, write_atomically


class RunStore(Records):
    """Where runs live, with the right to write: see :class:`~fmnist_utils.audit.records.Records`."""

    def alone(self, folder: Path, wait: bool = True) -> AbstractContextManager:
        """Make a run's folder and hold its lock, which the system frees if this process dies.

        Raises:
            UserError: if that cannot be had here; without ``wait``, also if another process holds the lock.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return FileLock(folder / "lock").acquire(blocking=wait)
        except (
            OSError,
            NotImplementedError,
        ) as error:  # no permission, no space, a file system without locks
            reason = getattr(error, "strerror", None) or str(error)
            raise UserError("runs.no_folder", folder=str(folder.parent), reason=reason) from error

    def publish(
        self, run: Run, report: str, name: str, panel: bool = True, weights: bool = False
    ) -> Path:
        """Copy a run's record, its predictions and, if asked, its panel and its weights, to the committed records.

        The record is then ``report/records/name.seed….id.json``, and the others stand beside it.
        """
        path = (
            self.results
            / check_name(report)
            / "records"
            / check_name(f"{name}.seed{run.recipe.seed}.{run.id[:12]}.json")
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        for wanted, suffix in (
            (panel, ".panel.safetensors"),
            (weights, ".weights.safetensors"),
            (run.record.predictions_sha256 is not None, ".predictions.npz"),
            (True, ".json"),
        ):
            if wanted:  # the record last: it says that the run is there
                write_atomically(
                    path.with_suffix(suffix), run.path.with_suffix(suffix).read_bytes()
                )
        self._committed[run.id[:12]] = path
        return path
