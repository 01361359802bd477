"""Checkpoints of a run in training, such that it can be killed at any moment and goes on bit by bit.

A checkpoint is the weights and the optimizer's state after an epoch. Nothing else is needed: shuffling and dropout are keyed by
(seed, epoch) and the learning rate is a function of the epoch. Files are safetensors, never pickle.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import nn

from fmnist_utils.audit.records import FORMAT, digest
from fmnist_utils.text import UserError
from fmnist_utils.training import History

PROGRESS = "progress.json"

RESERVED = re.compile(
    r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE
)  # on Windows, devices


def check_name(name: str) -> str:
    """Return ``name`` if a file may be called so on every system and lies in the folder it is put in.

    Raises:
        UserError: if not.
    """
    fits = re.fullmatch(r"\w[\w .,()+=-]*", name) and len(name.encode()) <= 120
    if not fits or name[-1] in ". " or RESERVED.fullmatch(name):
        raise UserError("runs.bad_name", given=name[:60])
    return name


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a power cut.

    Raises:
        UserError: if it cannot be written (no space, no permission); what was there before is untouched.
    """
    # By chance: machines that share a folder may have processes of the same number.
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(part, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        megabytes = len(content) / 1e6
        raise UserError(
            "runs.cannot_write", file=path.name, reason=error.strerror, megabytes=f"{megabytes:.1f}"
        ) from error


def remove_checkpoints(folder: Path, keep: Iterable[str] = ()) -> None:
    """Remove all checkpoints and unfinished files in ``folder`` but those named in ``keep``.

    Without any to keep, the note of a failure goes too and, last, the progress file, by which one sees that there is more to remove.
    """
    keep = set(keep)
    stale = [*folder.glob("epoch-*"), *folder.glob("best-*"), *folder.glob("*.part")]
    if not keep:
        stale += [folder / "failed.json", folder / PROGRESS]
    for path in stale:
        if path.name not in keep:
            path.unlink(missing_ok=True)


class Checkpoints:
    """The checkpoints of the run called ``run`` in training: the last two epochs and, if one is selected, the best.

    ``progress.json`` names the files with their SHA-256, has a digest of its own, and is renamed into place after them.

    Attributes:
        average: the network with the averaged weights, kept beside those of training; where there is one, it is what is selected.
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
        self.folder, self.run, self.environment, self.select, self.average = (
            folder,
            run,
            environment,
            select,
            average,
        )
        self.entries: list[dict[str, Any]] = []
        self.snapshots: dict[str, torch.Tensor] = {}
        self.one_environment = True

    def save(self, model: nn.Module, optimizer: torch.optim.Optimizer, history: History) -> None:
        """Save the state after the last epoch of ``history``."""
        epoch = len(history)
        entry = {"file": f"epoch-{epoch}.safetensors", "rows": list(history.rows)}
        entry |= {"environment": self.environment, "one_environment": self.one_environment}
        snapshots = {f"snapshot.{name}": tensor for name, tensor in self.snapshots.items()}
        entry["sha256"] = self._write(
            entry["file"], _state(model) | _state(optimizer) | self._average_state() | snapshots
        )
        if self.select:
            entry["best"] = self.entries[-1]["best"] if self.entries else None
            if history.best_epoch(self.select) == epoch:
                name = f"best-{epoch}.safetensors"
                entry["best"] = {
                    "file": name,
                    "sha256": self._write(name, _state(self.average or model)),
                }
        self.entries = [*self.entries[-1:], entry]
        progress = {"format": FORMAT, "run": self.run, "entries": self.entries}
        write_atomically(
            self.folder / PROGRESS, json.dumps(progress | {"digest": digest(progress)}).encode()
        )
        self.remove(
            keep={
                name
                for entry in self.entries
                for name in (entry["file"], (entry.get("best") or entry)["file"])
            }
        )

    def restore(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> History:
        """Put ``model`` and ``optimizer`` into the newest undamaged checkpoint; return its history (empty if there is none)."""
        try:
            progress = json.loads((self.folder / PROGRESS).read_bytes())
            whole = progress.pop("digest") == digest(progress)
            ours = whole and (progress["format"], progress["run"]) == (FORMAT, self.run)
            entries = progress["entries"] if ours else []
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            entries = []
        for index, entry in reversed(list(enumerate(entries))):
            tensors = self._read(entry, model)
            if tensors is None or (self.select and self._read(entry["best"], model) is None):
                continue
            _load_model(model, tensors)
            if self.average:
                _load_model(self.average, tensors, "average.")
            _load_optimizer(optimizer, tensors)
            self.entries = entries[: index + 1]
            self.snapshots = {
                name[9:]: tensor for name, tensor in tensors.items() if name.startswith("snapshot.")
            }
            self.one_environment = (
                entry["one_environment"] and entry["environment"] == self.environment
            )
            return History(entry["rows"])
        return History()

    def load_selected(self, model: nn.Module) -> None:
        """Put ``model`` into the selected epoch: the best one, or leave it at the last."""
        if self.select:
            best = self._read(self.entries[-1]["best"], model)
            if best is None:
                raise UserError(
                    "runs.damaged", file=self.entries[-1]["best"]["file"], folder=self.folder.name
                )
            _load_model(model, best)

    def remove(self, keep: Iterable[str] = ()) -> None:
        """Remove what is no longer needed, as :func:`remove_checkpoints` does."""
        remove_checkpoints(self.folder, keep)

    def _average_state(self) -> dict[str, torch.Tensor]:
        return _state(self.average, "average.") if self.average else {}

    def _write(self, name: str, tensors: dict[str, torch.Tensor]) -> str:
        content = safetensors.torch.save(tensors)
        write_atomically(self.folder / name, content)
        return hashlib.sha256(content).hexdigest()

    def _read(self, entry: dict[str, Any], model: nn.Module) -> dict[str, torch.Tensor] | None:
        """Return the tensors of a checkpoint; None if the file is not the one that was written, or not of ``model``."""
        path = self.folder / Path(entry["file"]).name
        content = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            return None
        try:
            tensors = safetensors.torch.load(content)
        except SafetensorError:
            return None
        found = {
            name: tensor.shape for name, tensor in tensors.items() if name.startswith("model.")
        }
        return (
            tensors
            if found == {name: tensor.shape for name, tensor in _state(model).items()}
            else None
        )


def _state(
    owner: nn.Module | torch.optim.Optimizer, prefix: str = "model."
) -> dict[str, torch.Tensor]:
    """Return the tensors of a model (``model.…``) or an optimizer (``optimizer.index.name``) by name, on the CPU."""
    if isinstance(owner, nn.Module):
        named = {f"{prefix}{name}": tensor for name, tensor in owner.state_dict().items()}
    else:
        states = owner.state_dict()["state"]
        named = {
            f"optimizer.{index}.{name}": value
            for index, state in states.items()
            for name, value in state.items()
        }
    return {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in named.items()
        if tensor is not None
    }


def _load_model(model: nn.Module, tensors: dict[str, torch.Tensor], prefix: str = "model.") -> None:
    own = {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
    model.load_state_dict(own)


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    parameters = [
        parameter.detach() for group in optimizer.param_groups for parameter in group["params"]
    ]
    states: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".", 2)
            parameter = parameters[int(index)]
            if (
                tensor.shape == parameter.shape
            ):  # in the parameter's memory format, which fused optimizers take for granted
                tensor = torch.empty_like(parameter).copy_(tensor)
            states.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict(
        {"state": states, "param_groups": optimizer.state_dict()["param_groups"]}
    )
