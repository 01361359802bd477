"""Exercises that answer: ``check("01.4", squared_error)`` beside the cell to be completed.

The function is tried on random inputs, drawn anew at each call. :func:`check` says what was
expected of which input, in the language of the page. A wrong answer raises nothing, so that a page
with exercises still to be completed runs to its end.
"""

from __future__ import annotations

import ast
import copy
import ctypes
import importlib
import inspect
import pkgutil
import sys
import textwrap
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from fmnist_utils.exercises.cases import EXERCISES, Draw, Exercise, one_line, shown
from fmnist_utils.text import UserError, nearest, say

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

CASES = 20  # random inputs of a check
SECONDS = 30  # that all of them may take; the slowest answer takes two, on a busy machine more
RIGHT, WRONG, UNFINISHED = "right", "wrong", "unfinished"


@dataclass(frozen=True, repr=False)
class Result:
    """What a check says.

    Attributes:
        number: of the exercise, ``01.4``.
        state: ``right``, ``wrong`` or ``unfinished``.
        told: the sentences.
    """

    number: str
    state: str
    told: str

    def __repr__(self) -> str:
        lines = self.told.splitlines()
        return "\n".join(textwrap.fill(line, 88, subsequent_indent="  ") for line in lines)


def check(number: str, function: Any) -> Result:
    """Try ``function`` as the answer to an exercise, and say what came of it.

    Args:
        number: of the exercise, page and place: ``"01.4"``.
        function: the function itself, without a call; ``...`` counts as still to be completed.

    Raises:
        UserError: if there is no such exercise.
    """
    if number not in EXERCISES:
        allowed = ", ".join(sorted(EXERCISES))
        hint = nearest(number, EXERCISES)
        raise UserError("exercises.unknown", given=number, allowed=allowed, hint=hint)
    problem = _problem(EXERCISES[number], function)
    if problem is None:
        return Result(number, RIGHT, say("exercises.right", number=number, count=CASES))
    if function is ... or _has_dots(function):
        return Result(number, UNFINISHED, say("exercises.unfinished", number=number))
    return Result(number, WRONG, say("exercises.wrong", number=number, problem=problem))


def _problem(exercise: Exercise, function: Any) -> str | None:
    """Return what is wrong with ``function`` in words, or None."""
    if not callable(function):
        return say("exercises.no_function", name=exercise.name)
    told: list[str] = []
    draw = Draw()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(draw.whole(0, 2**31))
        names = list(exercise.draw(draw).given)
        if not _takes(function, len(names)):
            arguments = ", ".join(names) or say("exercises.no_argument")
            return say("exercises.arguments", arguments=arguments)
        work = threading.Thread(
            target=_try_cases, args=(exercise, function, draw, told), daemon=True
        )
        work.start()
        try:
            work.join(SECONDS)
        finally:
            late = work.is_alive()
            _stop(work)
    if late:
        told = [say("exercises.endless", seconds=SECONDS)]
        told += [say("exercises.restart")] if work.is_alive() and "ipykernel" in sys.modules else []
    return "\n".join(told) or None


def _takes(function: Callable[..., Any], count: int) -> bool:
    """Return whether a function can be called with so many arguments."""
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # a function of C, which says nothing of its arguments
        return True
    return True


def _try_cases(
    exercise: Exercise, function: Callable[..., Any], draw: Draw, told: list[str]
) -> None:
    """Try random inputs until one goes wrong, and add what is wrong to ``told``."""
    for _ in range(CASES):
        case = exercise.draw(draw)
        # A copy of a network would have no gradients.
        given = {
            k: v if isinstance(v, nn.Module) else copy.deepcopy(v) for k, v in case.given.items()
        }
        try:
            problem = case.problem(function(*given.values()), given)
        except TooLong:
            return
        except BaseException as error:  # sys.exit() as well, and what a network raises
            problem = _raised(error, function)
        if problem:
            words = ", ".join(f"{name} = {shown(value)}" for name, value in case.given.items())
            told.append(say("exercises.with", given=words, problem=problem) if words else problem)
            return


def _raised(error: BaseException, function: Callable[..., Any]) -> str:
    """Return in words that ``error`` came up, and in which line of the answer."""
    what = one_line(f"{type(error).__name__}: {error}".removesuffix(": "))
    file = getattr(getattr(function, "__code__", None), "co_filename", None)
    lines = [f.line for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    if lines and lines[-1]:
        return say("exercises.raised_in", error=what, line=lines[-1])
    return say("exercises.raised", error=what)


class TooLong(BaseException):
    """What ends a function that has taken too long; ``except Exception`` does not stop it."""


def _stop(work: threading.Thread) -> None:
    """End a thread that is at work in Python, on any system.

    What stays inside one call of C, such as a long ``time.sleep``, is left to end by itself.
    """
    for _ in range(20):  # a bare except in a loop may swallow the first ones
        if not work.is_alive():
            return
        ident = ctypes.c_ulong(work.ident or 0)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(TooLong))
        work.join(0.05)


def _has_dots(function: Any) -> bool:
    """Return whether a line of the function is still ``...``."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return False
    return any(
        isinstance(node, ast.Expr | ast.Return | ast.Assign)
        and isinstance(node.value, ast.Constant)
        and node.value.value is ...
        for node in ast.walk(tree)
    )
