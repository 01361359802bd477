"""The form of what a report published and claimed, field by field, as it stands in its YAML."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from fmnist_utils.audit.groups import Bilingual
from fmnist_utils.audit.measures import Groups, Measure
from fmnist_utils.audit.recipes import Count, PositiveInt, Spec
from fmnist_utils.text import UserError

SCALES = {"percent": Decimal(100), "points": Decimal(100)} | dict.fromkeys(
    ("share", "nats", "images", "error", "seconds", "epochs", "ratio"), Decimal(1)
)


class Number(Spec):
    """A number that the report printed: as printed, its unit, where it stands, and what of our runs it is compared with.

    Attributes:
        margin: of margins.yaml, if it is not that of its unit.
        images: how many images it was measured on, when few: those of the printed confusion matrix, class by class.
        comparable: false where what the report leaves out forbids a verdict, as the computer behind its seconds; ``why`` says it.
        calibrated: whether our recipe was chosen to fit it, so that its agreement says nothing.
    """

    id: str
    what: Bilingual
    published: str
    unit: Literal[tuple(SCALES)]  # type: ignore[valid-type]
    where: Bilingual
    measure: Measure
    margin: str | None = None
    images: PositiveInt | None = None
    comparable: bool = True
    calibrated: bool = False
    why: Bilingual | None = None

    @property
    def value(self) -> float:
        """The published value in our units (accuracy in [0, 1])."""
        return float(Decimal(self.published) / SCALES[self.unit])

    @property
    def printed(self) -> str:
        """The number as the report printed it, with its unit."""
        return f"{self.published} %" if self.unit == "percent" else self.published

    @property
    def rounding(self) -> float:
        """Half a unit of the last digit printed, in our units."""
        exponent = Decimal(self.published).as_tuple().exponent
        assert isinstance(exponent, int)  # of a number, not of NaN
        return float(Decimal(1).scaleb(exponent) / 2 / SCALES[self.unit])


class PublishedTable(Spec):
    """A column of a printed table, judged as one beside its numbers.

    Attributes:
        numbers: the ids of its rows, all in one unit.
        pooled: whether its rows are networks so alike that they share the spread of a run, which is then known better.
    """

    id: str
    what: Bilingual
    numbers: Annotated[list[str], Field(min_length=2)]
    pooled: bool = False


class Condition(Spec):
    """A measure, ``what`` it is in words, and the bounds it must keep for the claim to hold.

    Attributes:
        protocol: the one that it is measured under in any case, where there are no such runs under another.
        same: whether the claim says that two things are the same: both bounds are then tested one-sided, at 5 % each.
        mcnemar: whether the two groups answer the same test images, so that their runs can be compared image by image too.
    """

    what: Bilingual
    measure: Measure
    above: float | None = None
    below: float | None = None
    unit: Literal[(*SCALES, "rank", "runs")] = "points"  # type: ignore[valid-type]
    protocol: str | None = None
    same: bool = False
    mcnemar: bool = False

    @property
    def bounds(self) -> list[float]:
        """One bound or both, ``above`` first."""
        return [bound for bound in (self.above, self.below) if bound is not None]

    @property
    def asks_which_is_larger(self) -> bool:
        """Whether it compares two groups, and all that is asked is which of them lies above the other."""
        equal = 1 if self.measure.over else 0
        return bool(self.measure.compared_with) and self.bounds == [equal]

    @model_validator(mode="after")
    def _has_a_bound(self) -> Condition:
        bounds = self.bounds
        if not bounds or bounds != sorted(bounds) or (self.same and len(bounds) < 2):
            raise UserError("reports.no_bound", what=self.what.en)
        return self


class Claim(Spec):
    """A claim of the report: all conditions must hold. ``why`` says what the evidence means.

    Attributes:
        derived: whether it is ours: read off a table of the report, or from several reports, and written by none of them.
        comparable: false for a judgement that no run decides.
        calibrated: whether it stands on what was chosen to fit the published numbers.
    """

    id: str
    text: Bilingual
    check: Annotated[list[Condition], Field(min_length=1)]
    why: Bilingual
    derived: bool = False
    comparable: bool = True
    calibrated: bool = False


class Erratum(Spec):
    """A mistake or an omission of the report, and what is right; or one that a study of ours makes on purpose.

    Attributes:
        sign: how one made on purpose can be noticed.
    """

    id: str
    text: Bilingual
    sign: Bilingual | None = None


class Landmark(Spec):
    """What others reached, to be seen beside our results.

    Attributes:
        accuracy: in [0, 1].
        year: in which it was published.
        tier: who vouches for it: ``self_reported`` by its author; ``listed``, sent in to a list that checks nothing;
            ``reproduced`` by others.
        citation: the key of the work that says so.
    """

    what: Bilingual
    accuracy: Annotated[float, Field(gt=0, lt=1)]
    year: Annotated[int, Field(ge=2017)]
    tier: Literal["self_reported", "listed", "reproduced"]
    citation: str


class Card(Spec):
    """What a reader should know of our audit of a report, on one page; the counts and the hours come from the records.

    Attributes:
        scope: what of the report was made again, and what was not.
        method: how.
        stated, missing: what the report says of what it takes to repeat it, and what it does not.
        guesses: how many settings were tried until the first agreement; ``guessing`` says which.
        contact: with its authors.
    """

    scope: Bilingual
    method: Bilingual
    stated: Bilingual
    missing: Bilingual
    easy: Bilingual
    difficult: Bilingual
    guesses: Count
    guessing: Bilingual
    contact: Bilingual


class Family(Spec):
    """Groups that train one kind of network, ``01/model_1`` and so on."""

    network: Bilingual
    of: Annotated[Groups, Field(min_length=1)]
