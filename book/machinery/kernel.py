"""What the build adds to the kernels in which it executes the pages. The pages know nothing of it.

:func:`start` is called when such a kernel starts. From then on the kernel keeps a list of what the
page has used, from which ``execution.py`` knows when it has to be executed again; and
``fmnist_utils.training.fit`` remembers what it has trained, so that the second language of a page,
whose code is the same, does not train again.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import inspect
import json
import os
import sys
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

import fmnist_utils
from fmnist_utils import training

PACKAGE = Path(fmnist_utils.__file__).parent
PROGRAMS = (".py", ".pyc")


def start(log: str) -> None:
    """Log what the page uses in the file ``log``; remember what ``fit`` trains."""
    training.fit = remembering(training.fit)
    opened: set[str] = set()
    sys.addaudithook(lambda event, arguments: _note(opened, event, arguments))
    get_ipython().events.register("post_run_cell", lambda _: write_log(Path(log), opened))  # noqa: F821


def _note(opened: set[str], event: str, arguments: tuple) -> None:
    """Add a file that is being opened to ``opened``."""
    if event == "open" and isinstance(arguments[0], str | os.PathLike):
        opened.add(os.fspath(arguments[0]))


def write_log(log: Path, opened: set[str]) -> None:
    """Write the files of the package that were used, and the other modules by their first name."""
    modules = dict(sys.modules)
    own = [modules[name] for name in modules if name.partition(".")[0] == PACKAGE.name]
    files = {Path(module.__file__) for module in own if getattr(module, "__file__", None)}
    data = (Path(name) for name in list(opened) if isinstance(name, str) and PACKAGE.name in name)
    files |= {path for path in data if PACKAGE in path.parents and path.suffix not in PROGRAMS}
    used = {
        "files": sorted(path.relative_to(PACKAGE).as_posix() for path in files),
        "imported": sorted({name.partition(".")[0] for name in modules} - {PACKAGE.name}),
    }
    log.write_text(json.dumps(used), "utf-8")


# --- What has been trained is not trained again ---------------------------------------------------


class Unknown(Exception):
    """A value that cannot be compared with another, such as a function written on the page."""


def remembering(fit: Callable) -> Callable:
    """Return ``fit``, which remembers what it has trained and does not train it again.

    The network, the optimizer, the history and PyTorch's random numbers are then as if it had
    trained. Calls with callbacks, or with functions that are written on the page, are always
    carried out.
    """
    signature = inspect.signature(fit)
    known: dict[str, dict] = {}

    @functools.wraps(fit)
    def wrapped(*positional, **named):
        call = signature.bind(*positional, **named)
        call.apply_defaults()
        given = dict(call.arguments)
        try:
            key = key_of(given)
        except Unknown:
            return fit(*positional, **named)
        model, optimizer = given["model"], given["optimizer"]
        if key in known:
            return _restored(copy.deepcopy(known[key]), model, optimizer, given["history"])
        history = fit(*positional, **named)
        known[key] = copy.deepcopy(_state(model, optimizer, history))
        return history

    return wrapped


def _state(model: nn.Module, optimizer: torch.optim.Optimizer, history: training.History) -> dict:
    """Return all that a training has changed."""
    return {
        "model": model.state_dict(),
        "modes": [module.training for module in model.modules()],
        "gradients": [parameter.grad for parameter in model.parameters()],
        "optimizer": optimizer.state_dict(),
        "rows": history.rows,
        "random": torch.get_rng_state(),
    }


def _restored(
    state: dict,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    history: training.History | None,
) -> training.History:
    """Put ``state`` into the network and the optimizer, and return the history."""
    model.load_state_dict(state["model"])
    for module, mode in zip(model.modules(), state["modes"], strict=True):
        module.training = mode
    for parameter, gradient in zip(model.parameters(), state["gradients"], strict=True):
        parameter.grad = gradient
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["random"])
    history = training.History() if history is None else history
    history.rows[:] = state["rows"]
    return history


def key_of(given: Mapping[str, Any]) -> str:
    """Return a digest of the arguments of ``fit`` and of the number of threads.

    Raises:
        Unknown: if it cannot be told whether one of them is the same.
    """
    found = hashlib.sha256()
    found.update(f"{torch.get_num_threads()}".encode())
    names = {id(p): name for name, p in given["model"].named_parameters()}
    for name, value in given.items():
        if name == "progress":
            continue
        found.update(f"\n{name}: ".encode())
        if name == "optimizer":
            _add_optimizer(found, value, names)
        else:
            _add(found, value)
    return found.hexdigest()


def _add_optimizer(found, optimizer: torch.optim.Optimizer, names: dict[int, str]) -> None:
    """Add an optimizer: its kind, which parameters it moves and how, and what it has gathered."""
    _add(found, type(optimizer).__qualname__)
    for group in optimizer.param_groups:
        settings = {key: value for key, value in group.items() if key != "params"}
        _add(found, [names.get(id(parameter), "?") for parameter in group["params"]])
        _add(found, settings)
    _add(found, optimizer.state_dict()["state"])


def _add(found, value: Any) -> None:
    """Add ``value`` to a digest.

    Raises:
        Unknown: if it is of a kind that is not known here.
    """
    found.update(f"{type(value).__module__}.{type(value).__qualname__}(".encode())
    if isinstance(value, torch.Tensor):
        found.update(
            f"{value.dtype} {tuple(value.shape)} {value.device} {value.requires_grad} ".encode()
        )
        found.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    elif value is None or isinstance(value, bool | int | float | str):
        found.update(repr(value).encode())
    elif isinstance(value, nn.Module):
        tensors = [*value.named_parameters(), *value.named_buffers()]
        _add(found, [repr(value), value.training, tensors])
        _add(found, [_code_of(type(part)) for part in value.modules()])
    elif isinstance(value, Mapping):
        _add(found, list(value.items()))
    elif isinstance(value, list | tuple):
        for item in value:
            _add(found, item)
            found.update(b",")
    elif isinstance(value, training.Batches):
        _add(found, vars(value))
    elif isinstance(value, training.History):
        _add(found, value.rows)
    elif isinstance(value, types.FunctionType) and value.__module__ != "__main__":
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        _add(found, [value.__module__, value.__qualname__, cells])
    else:
        raise Unknown(type(value))
    found.update(b")")


def _code_of(kind: type) -> str:
    """Return what a class computes: its name and, if the page has it, its functions' source.

    A page has the same code in both languages: what such a function takes from it is the same.
    """
    name = f"{kind.__module__}.{kind.__qualname__}"
    written_here = [part for part in kind.__mro__ if part.__module__ == "__main__"]
    functions = [
        value
        for part in written_here
        for value in vars(part).values()
        if isinstance(value, types.FunctionType)
    ]
    try:
        return "\n".join([name, *map(inspect.getsource, functions)])
    except (OSError, TypeError):
        raise Unknown(name) from None
