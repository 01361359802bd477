"""Checkpoints of a run in training, such that it can be killed at any moment and goes on bit by bit.

A checkpoint is the weights and the optimizer's state after an epoch. Nothing else is needed: shuffling and dropout are keyed by
(seed, epoch) and the learning rate is a function of the epoch. Files are safetensors, never pickle.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import nn

from fmnist_utils.text import UserError
from fmnist_utils.training import History

FORMAT = 1  # of records and checkpoints; raised when what a recipe means changes, so that older runs are made anew


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a power cut.

    Raises:
        UserError: if it cannot be written (no space, no permission); what was there before is untouched.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        megabytes = len(content) / 1e6
        raise UserError("runs.cannot_write", file=path.name, reason=error.strerror, megabytes=f"{megabytes:.1f}") from error


class Checkpoints:
    """The checkpoints of a run in training: the last two epochs and, if one is selected, the best.

    ``progress.json`` names the files with their SHA-256 and is renamed into place after them.
    """

    def __init__(self, folder: Path, environment: dict[str, Any], select: str | None):
        self.folder, self.environment, self.select = folder, environment, select
        self.entries: list[dict[str, Any]] = []
        self.one_environment = True

    def save(self, model: nn.Module, optimizer: torch.optim.Optimizer, history: History) -> None:
        """Save the state after the last epoch of ``history``."""
        epoch = len(history)
        entry = {"file": f"epoch-{epoch}.safetensors", "rows": list(history.rows), "environment": self.environment}
        entry["sha256"] = self._write(entry["file"], _state(model) | _state(optimizer))
        if self.select:
            entry["best"] = self.entries[-1]["best"] if self.entries else None
            if history.best_epoch(self.select) == epoch:
                name = f"best-{epoch}.safetensors"
                entry["best"] = {"file": name, "sha256": self._write(name, _state(model))}
        self.entries = [*self.entries[-1:], entry]
        write_atomically(self.folder / "progress.json", json.dumps({"format": FORMAT, "entries": self.entries}).encode())
        self.remove(keep={name for entry in self.entries for name in (entry["file"], (entry.get("best") or entry)["file"])})

    def restore(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> History:
        """Put ``model`` and ``optimizer`` into the newest undamaged checkpoint; return its history (empty if there is none)."""
        try:
            progress = json.loads((self.folder / "progress.json").read_bytes())
            entries = progress["entries"] if progress["format"] == FORMAT else []
        except (OSError, ValueError, KeyError):
            entries = []
        for index, entry in reversed(list(enumerate(entries))):
            tensors = self._read(entry)
            if tensors is None or (self.select and self._read(entry["best"]) is None):
                continue
            _load_model(model, tensors)
            _load_optimizer(optimizer, tensors)
            self.entries = entries[: index + 1]
            self.one_environment = entry["environment"] == self.environment
            return History(entry["rows"])
        return History()

    def load_selected(self, model: nn.Module) -> None:
        """Put ``model`` into the selected epoch: the best one, or leave it at the last."""
        if self.select:
            best = self._read(self.entries[-1]["best"])
            if best is None:
                raise UserError("runs.damaged", file=self.entries[-1]["best"]["file"], folder=self.folder.name)
            _load_model(model, best)

    def remove(self, keep: Iterable[str] = ()) -> None:
        """Remove all checkpoints but those named in ``keep``; without any to keep, the progress file too."""
        keep = set(keep)
        stale = [*self.folder.glob("epoch-*"), *self.folder.glob("best-*"), *self.folder.glob("*.part")]
        for path in [*stale, *([] if keep else [self.folder / "progress.json", self.folder / "failed.json"])]:
            if path.name not in keep:
                path.unlink(missing_ok=True)

    def _write(self, name: str, tensors: dict[str, torch.Tensor]) -> str:
        content = safetensors.torch.save(tensors)
        write_atomically(self.folder / name, content)
        return hashlib.sha256(content).hexdigest()

    def _read(self, entry: dict[str, Any]) -> dict[str, torch.Tensor] | None:
        path = self.folder / Path(entry["file"]).name
        content = path.read_bytes() if path.is_file() else b""
        return safetensors.torch.load(content) if hashlib.sha256(content).hexdigest() == entry["sha256"] else None


def _state(owner: nn.Module | torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Return the tensors of a model (``model.…``) or an optimizer (``optimizer.index.name``) by name, on the CPU."""
    if isinstance(owner, nn.Module):
        named = {f"model.{name}": tensor for name, tensor in owner.state_dict().items()}
    else:
        states = owner.state_dict()["state"]
        named = {f"optimizer.{index}.{name}": value for index, state in states.items() for name, value in state.items()}
    return {name: tensor.detach().cpu().contiguous() for name, tensor in named.items() if tensor is not None}


def _load_model(model: nn.Module, tensors: dict[str, torch.Tensor]) -> None:
    model.load_state_dict({name[6:]: tensor for name, tensor in tensors.items() if name.startswith("model.")})


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    states: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".", 2)
            states.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({"state": states, "param_groups": optimizer.state_dict()["param_groups"]})
