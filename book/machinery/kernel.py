"""What the build adds to the kernels in which it executes the pages. The pages know nothing of it.

:func:`start` is called when such a kernel starts. From then on the kernel notes what the page uses;
:func:`write_log` writes it down, so that ``execution.py`` knows when the page has to be executed
again. And ``fmnist_utils.training`` remembers what it has trained and evaluated, so that the second
language of a page, whose code is the same, does not train again.
"""

from __future__ import annotations

import copy
import dis
import functools
import hashlib
import inspect
import json
import os
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

import fmnist_utils
from fmnist_utils import training

PACKAGE = Path(fmnist_utils.__file__).parent
PROGRAMS = (".py", ".pyc")

_opened: set[str] = set()  # files


def start() -> None:
    """Note what the page uses; remember what it trains and evaluates."""
    for name in ("fit", "train_one_epoch", "evaluate"):
        setattr(training, name, remembering(getattr(training, name)))
    sys.addaudithook(_note)


def _note(event: str, arguments: tuple) -> None:
    """Note a file that is being opened."""
    if event == "open" and isinstance(arguments[0], str | os.PathLike):
        _opened.add(os.fspath(arguments[0]))


def write_log(log: str) -> None:
    """Write the files of the package that were used, and the other modules by their first name."""
    modules = dict(sys.modules)
    own = [modules[name] for name in modules if name.partition(".")[0] == PACKAGE.name]
    files = {Path(module.__file__) for module in own if getattr(module, "__file__", None)}
    data = (Path(name) for name in list(_opened) if isinstance(name, str) and PACKAGE.name in name)
    files |= {path for path in data if PACKAGE in path.parents and path.suffix not in PROGRAMS}
    used = {
        "files": sorted(path.relative_to(PACKAGE).as_posix() for path in files),
        "imported": sorted({name.partition(".")[0] for name in modules} - {PACKAGE.name}),
    }
    Path(log).write_text(json.dumps(used), "utf-8")


# --- What has been trained is not trained again ---------------------------------------------------


class Unknown(Exception):
    """A value that cannot be compared with another, or a function that may do more than compute."""


def remembering(function: Callable) -> Callable:
    """Return ``fit``, ``train_one_epoch`` or ``evaluate``, which does not compute the same twice.

    The network, the optimizer, the history and PyTorch's random numbers are then as if it had. A
    call is always carried out if one of its arguments is a function that is written on the page
    and may change something there.
    """
    signature = inspect.signature(function)
    known: dict[str, dict] = {}

    @functools.wraps(function)
    def wrapped(*positional, **named):
        call = signature.bind(*positional, **named)
        call.apply_defaults()
        given = dict(call.arguments)
        try:
            key = None if _carrying_out else Digest(given).found.hexdigest()
        except Unknown:
            key = None
        if key is None:
            return function(*positional, **named)
        if key in known:
            return _restored(copy.deepcopy(known[key]), given)
        _carrying_out.append(function)
        try:
            result = function(*positional, **named)
        finally:
            _carrying_out.pop()
        known[key] = copy.deepcopy({"result": result} | _state(given))
        return result

    return wrapped


# The call that is being carried out and will be remembered: those that it makes need not be.
_carrying_out: list[Callable] = []


def _state(given: Mapping[str, Any]) -> dict:
    """Return all that training has changed: nothing where there is no optimizer."""
    if "optimizer" not in given:
        return {}
    model = given["model"]
    return {
        "model": model.state_dict(),
        "modes": [module.training for module in model.modules()],
        "gradients": [parameter.grad for parameter in model.parameters()],
        "optimizer": given["optimizer"].state_dict(),
        "random": torch.get_rng_state(),
    }


def _restored(state: dict, given: Mapping[str, Any]) -> Any:
    """Put ``state`` into the network and the optimizer, and return the result."""
    if "optimizer" in given:
        model = given["model"]
        model.load_state_dict(state["model"])
        for module, mode in zip(model.modules(), state["modes"], strict=True):
            module.training = mode
        for parameter, gradient in zip(model.parameters(), state["gradients"], strict=True):
            parameter.grad = gradient
        given["optimizer"].load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
    result, history = state["result"], given.get("history")
    if history is None:
        return result
    history.rows[:] = result.rows
    return history


class Digest:
    """A digest of the arguments of a call, and of the number of threads.

    Raises:
        Unknown: if it cannot be told whether one of them is the same.
    """

    def __init__(self, given: Mapping[str, Any]):
        self.found = hashlib.sha256(f"{torch.get_num_threads()}".encode())
        self.optimizer = given.get("optimizer")
        self.names = {id(p): name for name, p in given["model"].named_parameters()}
        self.functions: list[types.FunctionType] = []  # of the page, that were added already
        for name, value in given.items():
            if name != "progress":
                self._write(f"\n{name}: ")
                self._add(value)

    def _write(self, text: str) -> None:
        self.found.update(text.encode())

    def _add(self, value: Any) -> None:
        self._write(f"{type(value).__module__}.{type(value).__qualname__}(")
        if isinstance(value, torch.Tensor):
            self._write(f"{value.dtype} {tuple(value.shape)} {value.device} {value.requires_grad} ")
            bytes_of = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
            self.found.update(bytes_of.numpy())
        elif value is None or isinstance(value, bool | int | float | str):
            self._write(repr(value))
        elif isinstance(value, torch.optim.Optimizer):
            self._add_optimizer(value)
        elif isinstance(value, nn.Module):
            self._add_network(value)
        elif isinstance(value, Mapping):
            self._add(list(value.items()))
        elif isinstance(value, list | tuple):
            for item in value:
                self._add(item)
                self._write(",")
        elif isinstance(value, training.Batches):
            self._add(vars(value))
        elif isinstance(value, training.History):
            self._add(value.rows)
        elif isinstance(value, types.FunctionType) and value.__module__ == "__main__":
            self._add_function_of_the_page(value)
        elif isinstance(value, types.FunctionType):
            cells = [cell.cell_contents for cell in value.__closure__ or ()]
            self._add([value.__module__, value.__qualname__, cells])
        else:
            raise Unknown(type(value))
        self._write(")")

    def _add_network(self, network: nn.Module) -> None:
        """Add its parts, their code, their tensors; whoever listens to one may note what passes."""
        if any(part._forward_hooks or part._backward_hooks for part in network.modules()):
            raise Unknown(network)
        tensors = [*network.named_parameters(), *network.named_buffers()]
        self._add([repr(network), network.training, tensors])
        self._add([_code_of(type(part)) for part in network.modules()])

    def _add_optimizer(self, optimizer: torch.optim.Optimizer) -> None:
        """Add its kind, which parameters it moves and how, and what it has gathered."""
        self._add(type(optimizer).__qualname__)
        for group in optimizer.param_groups:
            settings = {key: value for key, value in group.items() if key != "params"}
            self._add([self.names.get(id(parameter), "?") for parameter in group["params"]])
            self._add(settings)
        self._add(optimizer.state_dict()["state"])

    def _add_function_of_the_page(self, function: types.FunctionType) -> None:
        """Add its source and what it takes from the page, if it can change and print nothing there.

        The optimizer of the call is the one thing that it may change, since that is restored.
        """
        if function in self.functions:  # it calls itself, or one that calls it
            self._write(function.__qualname__)
            return
        self.functions.append(function)
        codes = list(_codes_in(function.__code__))
        names = {name for code in codes for name in code.co_names}
        taken = {name: function.__globals__[name] for name in names & function.__globals__.keys()}
        stored = {step.opname for code in codes for step in dis.get_instructions(code)}
        changes = stored & {"STORE_GLOBAL", "DELETE_GLOBAL"}
        if function.__closure__ or changes or names & {"print", "display"}:
            raise Unknown(function)
        self._write(_source(function))
        for name, value in sorted(taken.items()):
            self._write(f"{name}=")
            if isinstance(value, types.ModuleType):
                self._write(value.__name__)
            elif value is self.optimizer:
                self._write("the optimizer")
            elif value is None or isinstance(value, bool | int | float | str | types.FunctionType):
                self._add(value)
            else:
                raise Unknown(type(value))


def _code_of(kind: type) -> str:
    """Return what a class computes: its name and, if the page has it, its functions' source.

    A page has the same code in both languages: what such a function takes from it is the same.
    """
    functions = [
        value
        for part in kind.__mro__
        if part.__module__ == "__main__"
        for value in vars(part).values()
        if isinstance(value, types.FunctionType)
    ]
    return "\n".join([f"{kind.__module__}.{kind.__qualname__}", *map(_source, functions)])


def _codes_in(code: types.CodeType) -> Iterator[types.CodeType]:
    """Yield the code of a function, and that of the functions within it."""
    yield code
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            yield from _codes_in(part)


def _source(function: types.FunctionType) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        raise Unknown(function) from None
