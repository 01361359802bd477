"""What the exercises are made of: random inputs, cases, and what is wrong with an answer, in words.

An exercise is a function that draws one case: what is given, and what is expected of it::

    @exercise("00.4")
    def softmax_of_rows(draw: Draw) -> Case:
        logits = draw.normal(draw.whole(2, 4), draw.whole(3, 5))
        return Case({"logits": logits}, logits.softmax(dim=1))

It bears the name of the function that the page asks for. ``page_NN.py`` holds those of a page.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fmnist_utils.text import say

CLOSE = 1e-4  # relative and absolute: float32, and another order of the sums
SHOWN = 12  # numbers of a tensor that are written out; of a larger one, its shape


class Draw:
    """Random inputs from a source of its own: the seed of the page stays as it was."""

    def __init__(self) -> None:
        self.random = torch.Generator()
        self.random.seed()

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from ``low`` to ``high``, both included."""
        return int(torch.randint(low, high + 1, (), generator=self.random))

    def number(self, low: float, high: float) -> float:
        """Return a number between ``low`` and ``high``, rounded to two decimals."""
        return round(low + (high - low) * float(torch.rand((), generator=self.random)), 2)

    def uniform(self, *shape: int) -> Tensor:
        """Return numbers between 0 and 1, such as pixels."""
        return torch.rand(shape, generator=self.random)

    def normal(self, *shape: int) -> Tensor:
        """Return normally distributed numbers."""
        return torch.randn(shape, generator=self.random)

    def permutation(self, count: int) -> Tensor:
        """Return the numbers from 0 to ``count`` − 1 in random order."""
        return torch.randperm(count, generator=self.random)

    def labels(self, count: int) -> Tensor:
        """Return ``count`` labels from 0 to 9."""
        return torch.randint(10, (count,), generator=self.random)


Judge = Callable[[Any, Mapping[str, Any]], "str | None"]


@dataclass
class Case:
    """One input with what is expected of it.

    Attributes:
        given: the arguments, by their names on the page.
        expected: the answer: a number, a tensor, a list or a tuple.
        judge: where many answers are right: takes the answer and the arguments, as the function
            has left them, and returns what is wrong in words, or None.
    """

    given: dict[str, Any]
    expected: Any = None
    judge: Judge | None = None

    def problem(self, answer: Any, given: Mapping[str, Any]) -> str | None:
        """Return what is wrong with ``answer`` in words, or None."""
        return self.judge(answer, given) if self.judge else difference(self.expected, answer)


@dataclass(frozen=True)
class Exercise:
    """An exercise: its number, as ``01.4``, the name of the function asked for, and its cases."""

    number: str
    name: str
    draw: Callable[[Draw], Case]


EXERCISES: dict[str, Exercise] = {}


def exercise(number: str) -> Callable[[Callable[[Draw], Case]], Callable[[Draw], Case]]:
    """Enter the function below as the exercise ``number``."""

    def enter(draw: Callable[[Draw], Case]) -> Callable[[Draw], Case]:
        EXERCISES[number] = Exercise(number, draw.__name__, draw)
        return draw

    return enter


# --- What is wrong with an answer -----------------------------------------------------------------


def difference(expected: Any, answer: Any) -> str | None:
    """Return in words how ``answer`` differs from ``expected``, or None if it does not.

    A tensor with one number counts as that number, a list as a tuple.
    """
    if answer is None:
        return say("exercises.none")
    if isinstance(expected, Tensor) and expected.dim():
        return _of_tensors(expected.detach(), answer)
    if isinstance(expected, list | tuple):
        return _of_lists(expected, answer)
    if isinstance(expected, Tensor):
        expected = expected.item()
    number = answer.item() if isinstance(answer, Tensor) and answer.numel() == 1 else answer
    whole = isinstance(expected, int)
    if isinstance(number, bool) or not isinstance(
        number, numbers.Integral if whole else numbers.Real
    ):
        return unlike("whole" if whole else "number", answer)
    same = math.isclose(number, expected, rel_tol=CLOSE, abs_tol=CLOSE)
    return None if same else value(expected, number)


def value(expected: Any, answer: Any) -> str:
    """Return what was expected, and what came."""
    return say("exercises.value", expected=shown(expected), answer=shown(answer))


def found(what: str, expected: Any, answer: Any) -> str:
    """Return what was expected of a part of the answer, as ``dense``, and what was found."""
    return say(
        "exercises.found",
        what=say(f"exercises.{what}"),
        expected=shown(expected),
        answer=shown(answer),
    )


def unlike(kind: str, answer: Any) -> str:
    """Return: an answer of this kind was expected, as ``number``; and what came."""
    return say(
        "exercises.type",
        expected=say(f"exercises.{kind}"),
        answer=shown(answer),
        type=type(answer).__name__,
    )


def of_shape(expected: Sequence[int], answer: Any) -> str | None:
    """Return in words what is wrong with the shape of ``answer``, or None."""
    if not isinstance(answer, Tensor):
        return unlike("tensor", answer)
    if tuple(answer.shape) != tuple(expected):
        return say("exercises.shape", expected=shape(expected), answer=shape(answer.shape))
    return None


def _of_tensors(expected: Tensor, answer: Any) -> str | None:
    if wrong := of_shape(expected.shape, answer):
        return wrong
    expected, answer = expected.double(), answer.detach().cpu().double()
    far = ~torch.isclose(answer, expected, rtol=CLOSE, atol=CLOSE)
    if not far.any():
        return None
    if expected.numel() <= SHOWN:
        return value(expected, answer)
    place = tuple(far.nonzero()[0].tolist())
    return say(
        "exercises.place",
        place=", ".join(map(str, place)),
        expected=shown(expected[place]),
        answer=shown(answer[place]),
    )


def _of_lists(expected: Sequence[Any], answer: Any) -> str | None:
    if not isinstance(answer, list | tuple):
        return unlike("list", answer)
    if len(answer) != len(expected):
        return value(expected, answer)
    for wanted, found in zip(expected, answer, strict=True):
        different = wanted != found if isinstance(wanted, str) else difference(wanted, found)
        if different:
            return value(expected, answer)
    return None


# --- How things are shown -------------------------------------------------------------------------


def shape(sizes: Sequence[int]) -> str:
    """Return a shape as the pages write it: ``5 × 1 × 28 × 28``."""
    return " × ".join(map(str, sizes)) or say("exercises.single")


def shown(thing: Any) -> str:
    """Return a value as a message shows it: short, with four digits."""
    if isinstance(thing, np.ndarray):
        thing = torch.from_numpy(thing)
    if isinstance(thing, Tensor):
        if thing.numel() > SHOWN:
            return say("exercises.tensor_of", shape=shape(thing.shape))
        return shown(thing.detach().tolist())
    if isinstance(thing, nn.Module):
        return type(thing).__name__
    if isinstance(thing, list | tuple):
        inside = ", ".join(map(shown, thing))
        return f"[{inside}]" if isinstance(thing, list) else f"({inside})"
    if isinstance(thing, float):
        return f"{thing:.4g}"
    return one_line(repr(thing))


def one_line(text: str) -> str:
    """Return a text of somebody else's program as one short line that can be printed."""
    text = "".join(character if character.isprintable() else " " for character in text)
    return text if len(text) <= 160 else f"{text[:159]}…"
