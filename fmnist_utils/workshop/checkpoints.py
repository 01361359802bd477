"""Checkpoints of a run in training: it can be killed at any moment and goes on bit by bit.

A checkpoint is the weights and the optimizer's state after an epoch. Nothing else is needed:
shuffling, dropout and augmentation depend on (seed, epoch), and the learning rate is a function of
the steps done. The files are safetensors, which hold tensors and no program, as pickle may.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from fmnist_utils.audit.damage import damaged
from fmnist_utils.audit.records import FORMAT, digest
from fmnist_utils.training import History
from fmnist_utils.workshop.files import write_atomically

PROGRESS = "progress.json"


class Checkpoints:
    """The checkpoints of a run in training: the last two epochs and, if it is selected, the best.

    ``progress.json`` names the files with their SHA-256, has a digest of its own, and is written
    after them.

    Args:
        run: the id of the run.
        environment: in which it trains, as ``describe_environment`` returns it.
        select: the column of the history whose smallest value selects the best epoch, or None.

    Attributes:
        average: the network with the averaged weights, if there is one. It is kept beside the
            network in training, and it is what is selected.
        snapshots: other tensors to keep until the run is finished, by name.
        one_environment: whether all epochs so far were made in the same one.
    """

    def __init__(
        self,
        folder: Path,
        run: str,
        environment: dict[str, Any],
        select: str | None,
        average: nn.Module | None = None,
    ):
        self.folder = folder
        self.run = run
        self.environment = environment
        self.select = select
        self.average = average
        self.entries: list[dict[str, Any]] = []
        self.snapshots: dict[str, Tensor] = {}
        self.one_environment = True

    def save(self, model: nn.Module, optimizer: torch.optim.Optimizer, history: History) -> None:
        """Save the state after the last epoch of ``history``."""
        epoch = len(history)
        tensors = _model_state(model) | _optimizer_state(optimizer)
        if self.average:
            tensors |= _model_state(self.average, "average.")
        for name, tensor in self.snapshots.items():
            tensors[f"snapshot.{name}"] = tensor
        entry: dict[str, Any] = self._write(f"epoch-{epoch}.safetensors", tensors)
        entry["rows"] = list(history.rows)
        entry["environment"] = self.environment
        entry["one_environment"] = self.one_environment
        if self.select:
            if history.best_epoch(self.select) == epoch:
                best = _model_state(self.average or model)
                entry["best"] = self._write(f"best-{epoch}.safetensors", best)
            else:
                entry["best"] = self.entries[-1]["best"]
        self.entries = [*self.entries[-1:], entry]
        self._write_progress()
        self.remove(keep=self._files())

    def _write(self, name: str, tensors: dict[str, Tensor]) -> dict[str, Any]:
        """Write tensors to a file; return its name and its SHA-256."""
        content = safetensors.torch.save(tensors)
        write_atomically(self.folder / name, content)
        return {"file": name, "sha256": hashlib.sha256(content).hexdigest()}

    def _write_progress(self) -> None:
        progress = {"format": FORMAT, "run": self.run, "entries": self.entries}
        content = json.dumps(progress | {"digest": digest(progress)})
        write_atomically(self.folder / PROGRESS, content.encode())

    def _files(self) -> set[str]:
        """Return the names of the files that the entries need."""
        files = {entry["file"] for entry in self.entries}
        return files | {entry["best"]["file"] for entry in self.entries if "best" in entry}

    def restore(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> History:
        """Put the newest undamaged checkpoint into ``model`` and ``optimizer``.

        Returns:
            Its history; an empty one if there is no such checkpoint.
        """
        entries = self._read_progress()
        while entries:
            entry = entries[-1]
            tensors = self._read(entry, model)
            best_is_whole = not self.select or self._read(entry["best"], model) is not None
            if tensors is not None and best_is_whole:
                self._load(entry, tensors, model, optimizer)
                self.entries = entries
                return History(entry["rows"])
            entries.pop()
        return History()

    def _read_progress(self) -> list[dict[str, Any]]:
        """Return the entries of ``progress.json``; none if it is damaged or of another run."""
        try:
            progress = json.loads((self.folder / PROGRESS).read_bytes())
            whole = progress.pop("digest") == digest(progress)
            same_run = (progress["format"], progress["run"]) == (FORMAT, self.run)
            return list(progress["entries"]) if whole and same_run else []
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return []

    def _read(self, entry: dict[str, Any], model: nn.Module) -> dict[str, Tensor] | None:
        """Return the tensors of a file, or None if it is damaged or of another network."""
        path = self.folder / Path(entry["file"]).name
        content = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            return None
        try:
            tensors = safetensors.torch.load(content)
        except SafetensorError:
            return None
        shapes = {name: tensor.shape for name, tensor in _model_state(model).items()}
        found = {name: tensors[name].shape for name in tensors if name.startswith("model.")}
        return tensors if found == shapes else None

    def _load(
        self,
        entry: dict[str, Any],
        tensors: dict[str, Tensor],
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
    ) -> None:
        model.load_state_dict(_with_prefix(tensors, "model."))
        if self.average:
            self.average.load_state_dict(_with_prefix(tensors, "average."))
        _load_optimizer(optimizer, _with_prefix(tensors, "optimizer."))
        self.snapshots = _with_prefix(tensors, "snapshot.")
        same_environment = entry["environment"] == self.environment
        self.one_environment = entry["one_environment"] and same_environment

    def load_selected(self, model: nn.Module) -> None:
        """Put the weights of the best epoch into ``model``, if the best epoch is selected."""
        if not self.select:
            return
        entry = self.entries[-1]["best"]
        tensors = self._read(entry, model)
        if tensors is None:
            raise damaged(self.folder / Path(entry["file"]).name, content=b"?")
        model.load_state_dict(_with_prefix(tensors, "model."))

    def remove(self, keep: Collection[str] = ()) -> None:
        """Remove what is no longer needed, as :func:`remove_checkpoints` does."""
        remove_checkpoints(self.folder, keep)


def remove_checkpoints(folder: Path, keep: Collection[str] = ()) -> None:
    """Remove the checkpoints and unfinished files in ``folder`` that are not named in ``keep``.

    If none is to keep, the note of a failure is removed too and, last, the progress file: as long
    as it is there, there may be more to remove.
    """
    stale = [*folder.glob("epoch-*"), *folder.glob("best-*"), *folder.glob("*.part")]
    if not keep:
        stale += [folder / "failed.json", folder / PROGRESS]
    for path in stale:
        if path.name not in keep:
            path.unlink(missing_ok=True)


def _model_state(model: nn.Module, prefix: str = "model.") -> dict[str, Tensor]:
    """Return the tensors of a network by name, on the CPU."""
    return {prefix + name: _packed(tensor) for name, tensor in model.state_dict().items()}


def _optimizer_state(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the tensors of an optimizer, called ``optimizer.INDEX.NAME``, on the CPU."""
    tensors = {}
    for index, state in optimizer.state_dict()["state"].items():
        for name, value in state.items():
            if value is not None:
                tensors[f"optimizer.{index}.{name}"] = _packed(value)
    return tensors


def _packed(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().contiguous()


def _with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose name begins with ``prefix``, by the rest of their name."""
    names = [name for name in tensors if name.startswith(prefix)]
    return {name.removeprefix(prefix): tensors[name] for name in names}


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put tensors called ``INDEX.NAME`` into the state of ``optimizer``."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    states: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        index, name = key.split(".", 1)
        parameter = parameters[int(index)].detach()
        if tensor.shape == parameter.shape:
            # In the memory format of the parameter, which fused optimizers rely on.
            tensor = torch.empty_like(parameter).copy_(tensor)
        states.setdefault(int(index), {})[name] = tensor
    param_groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": states, "param_groups": param_groups})
