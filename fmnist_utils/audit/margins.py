"""Margins: what deviation matters for each kind of number, fixed once in ``reports/margins.yaml``."""

from __future__ import annotations

import functools
from typing import Annotated

from pydantic import Field

from fmnist_utils.audit.forms import Number
from fmnist_utils.audit.groups import Bilingual, read_yaml
from fmnist_utils.audit.recipes import CheckedSpec, PositiveInt, Spec
from fmnist_utils.audit.schema import FOLDER

# The margin of each unit, by its name in margins.yaml, where a number does not name another.
MARGINS = {
    "percent": "accuracy",
    "share": "accuracy",
    "points": "accuracy",
    "nats": "loss",
    "error": "error",
    "images": "images",
    "epochs": "epochs",
    "seconds": "seconds",
    "ratio": "seconds",
}


class Margin(Spec):
    """What deviation matters for a kind of number, and why; ``relative``: as a share of the published one."""

    margin: Annotated[float, Field(gt=0)]
    relative: bool
    why: Bilingual

    def of(self, published: float) -> float:
        """Return the margin of a published number, in our units."""
        return self.margin * abs(published) if self.relative else self.margin


class Margins(CheckedSpec):
    """The rules of all reports: ``margins.yaml``; since when each reads so stands in ``dates.json``.

    Attributes:
        equivalence: the share of the margin within which two things are the same.
        least_runs: how many runs stand behind each published number and each claim.
    """

    fixed: str
    confidence: Annotated[float, Field(gt=0.5, lt=1)]
    margins: dict[str, Margin]
    equivalence: Annotated[float, Field(gt=0, le=1)]
    least_runs: PositiveInt

    def of(self, number: Number) -> float:
        """Return the margin of a published number, in our units."""
        return self.margins[number.margin or MARGINS[number.unit]].of(number.value)


@functools.cache
def load_margins() -> Margins:
    """Return the rules of all reports."""
    return Margins(**read_yaml(FOLDER / "margins.yaml"))
