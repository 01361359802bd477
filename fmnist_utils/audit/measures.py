"""Measures: what the audit reads off the record of a run.

Each quantity is a small class: its fields, as they stand in the YAML of a report (``{at_epoch: [watched_loss, 62]}``), and
``of(run)``, which returns the number. A new quantity is one new class here. In the names of columns, ``watched`` stands for the
set that the run measured after each epoch: ``watched_loss`` is ``val_loss`` or ``test_loss``. The module is long, so that whoever
looks for a quantity finds all of them in one place.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import BeforeValidator, Field, SerializeAsAny, model_validator

from fmnist_utils.audit.recipes import AsTuple, PositiveInt, Spec
from fmnist_utils.audit.records import Run
from fmnist_utils.models import build_model, count_multiply_adds, count_parameters
from fmnist_utils.text import UserError

Label = Annotated[int, Field(ge=0, le=9)]
Labels = Annotated[tuple[Label, ...], AsTuple]
Groups = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else tuple(value)),
]

# How a quantity spreads from run to run, which decides its intervals: `plain` may be any number, `log` is positive, `epoch` one of
# those trained, `share` lies in [0, 1], `event` is 0 or 1, and `exact` is the same in every run.
Scale = Literal["plain", "log", "epoch", "share", "event", "exact"]


def column(run: Run, name: str) -> np.ndarray:
    """Return a column of the run's history, one value an epoch."""
    return np.array(run.history[name.replace("watched", run.recipe.watch)], dtype=float)


def counts(run: Run) -> np.ndarray:
    """Return the confusion matrix of a run on the test set, (10, 10), rows true.

    Raises:
        ValueError: if the run is not of a classifier.
    """
    if run.confusion is None:
        raise ValueError(f"run {run.id[:12]} has no confusion matrix")
    return run.confusion


def recalls(run: Run) -> np.ndarray:
    """Return the recall of each class on the test set, (10,)."""
    matrix = counts(run)
    return matrix.diagonal() / matrix.sum(axis=1)


class Quantity(Spec):
    """What is read off one run. ``name`` is that of its first field, by which the YAML calls it."""

    spread: ClassVar[Scale] = "plain"
    grain: ClassVar[float] = 0  # the distance between two neighbouring values, of counts and epochs

    @property
    def scale(self) -> Scale:
        return self.spread

    def of(self, run: Run) -> float:
        """Return the quantity of one run."""
        raise NotImplementedError

    def whole(self, run: Run) -> float:
        """Return the most that the quantity can be: what a share is of, the last epoch."""
        return 1.0

    def fits(self, run: Run) -> bool:
        """Return whether the run has kept what it takes."""
        return True


class OfColumn(Quantity):
    """A value of a column or a metric: shares of hits lie in [0, 1], losses and seconds are positive."""

    @property
    def scale(self) -> Scale:
        value = getattr(self, next(iter(type(self).model_fields)))
        name = value if isinstance(value, str) else value[0]
        if name.endswith("accuracy"):
            return "share"
        return "log" if name.endswith(("loss", "mse", "l1")) or name == "seconds" else "plain"


class Metric(OfColumn):
    """A metric of the weights kept: ``test_accuracy``, ``val_loss``, ``test_l1``."""

    metric: str

    def of(self, run: Run) -> float:
        return float(run.metrics[self.metric])

    def fits(self, run: Run) -> bool:
        return self.metric in run.metrics


class Last(OfColumn):
    """A column after the last epoch."""

    last: str

    def of(self, run: Run) -> float:
        return float(column(run, self.last)[-1])


class Lowest(OfColumn):
    """The minimum of a column."""

    lowest: str

    def of(self, run: Run) -> float:
        return float(column(run, self.lowest).min())


class Highest(OfColumn):
    """The maximum of a column."""

    highest: str

    def of(self, run: Run) -> float:
        return float(column(run, self.highest).max())


class AtEpoch(OfColumn):
    """A column after the epoch of that number, from 1."""

    at_epoch: Annotated[tuple[str, PositiveInt], AsTuple]

    def of(self, run: Run) -> float:
        name, epoch = self.at_epoch
        return float(column(run, name)[epoch - 1])

    def fits(self, run: Run) -> bool:
        return len(run.history) >= self.at_epoch[1]


class MedianEpoch(OfColumn):
    """The median of a column over the epochs after the first, which warms up."""

    median: str

    def of(self, run: Run) -> float:
        return float(np.median(column(run, self.median)[1:]))


class Training(OfColumn):
    """What the whole training took of a column: its median over the epochs, times how many there were."""

    training: str

    def of(self, run: Run) -> float:
        return float(np.median(column(run, self.training)) * len(run.history))


class EpochOf(Quantity):
    """An epoch, from 1 to the last one that the run may train."""

    grain: ClassVar[float] = 1

    spread: ClassVar[Scale] = "epoch"

    def whole(self, run: Run) -> float:
        return float(run.recipe.num_epochs)


class BestEpoch(EpochOf):
    """The epoch, from 1, of the minimum of a column."""

    best_epoch: str

    def of(self, run: Run) -> float:
        return float(1 + column(run, self.best_epoch).argmin())


class MostAt(EpochOf):
    """The epoch, from 1, of the maximum of a column."""

    most_at: str

    def of(self, run: Run) -> float:
        return float(1 + column(run, self.most_at).argmax())


class BestWithin(Quantity):
    """Whether the epoch of the minimum of a column lies between two epochs, both included."""

    best_within: Annotated[tuple[str, PositiveInt, PositiveInt], AsTuple]

    spread: ClassVar[Scale] = "event"

    def of(self, run: Run) -> float:
        name, first, last = self.best_within
        return float(first <= 1 + column(run, name).argmin() <= last)


class AfterBest(Quantity):
    """A column so many epochs after the minimum of the watched loss, less its value at that minimum.

    Where the run ends before that, its last epoch counts.
    """

    after_best: Annotated[tuple[str, PositiveInt], AsTuple]

    def of(self, run: Run) -> float:
        name, later = self.after_best
        best = int(column(run, "watched_loss").argmin())
        following = column(run, name)[best : best + later + 1]
        return float(following[-1] - following[0])


class Falls(Quantity):
    """The share of the epochs after the tenth at whose end a column is lower than at the end of the one before."""

    falls: str

    spread: ClassVar[Scale] = "share"

    def of(self, run: Run) -> float:
        return float((np.diff(column(run, self.falls)[9:]) < 0).mean())


class Roughness(Quantity):
    """The standard deviation of a column around its own trend from epoch ten on.

    It is the root of the mean squared second difference over six (T. Gasser, L. Sroka and C. Jennen-Steinmetz, Biometrika 73,
    1986, pp. 625-633): a trend that is a straight line over three epochs does not count.
    """

    roughness: str

    spread: ClassVar[Scale] = "log"

    def of(self, run: Run) -> float:
        second = np.diff(column(run, self.roughness)[9:], n=2)
        return math.sqrt((second**2).mean() / 6)


class DetrendedFalls(Quantity):
    """As ``falls``, of what is left of a column when its straight trend from epoch ten on is taken away."""

    detrended_falls: str

    spread: ClassVar[Scale] = "share"

    def of(self, run: Run) -> float:
        values = column(run, self.detrended_falls)[9:]
        steps = np.diff(values)
        return float((steps < np.polyfit(np.arange(len(values)), values, 1)[0]).mean())


class Cell(Quantity):
    """A count of the confusion matrix: (true, predicted)."""

    cell: Annotated[tuple[Label, Label], AsTuple]
    grain: ClassVar[float] = 1

    spread: ClassVar[Scale] = "share"

    def of(self, run: Run) -> float:
        return float(counts(run)[self.cell])

    def whole(self, run: Run) -> float:
        return float(counts(run)[self.cell[0]].sum())


class Recall(Quantity):
    """The recall of a class on the test set."""

    recall: Label

    spread: ClassVar[Scale] = "share"

    def of(self, run: Run) -> float:
        return float(recalls(run)[self.recall])


class AmongWorst(Quantity):
    """Whether a class is among the so many with the lowest recall."""

    among_worst: Annotated[tuple[Label, PositiveInt], AsTuple]

    spread: ClassVar[Scale] = "event"

    def of(self, run: Run) -> float:
        label, places = self.among_worst
        found = recalls(run)
        return float((found < found[label]).sum() < places)


class AmongBest(Quantity):
    """Whether a class is among the so many with the highest recall."""

    among_best: Annotated[tuple[Label, PositiveInt], AsTuple]

    spread: ClassVar[Scale] = "event"

    def of(self, run: Run) -> float:
        label, places = self.among_best
        found = recalls(run)
        return float((found > found[label]).sum() < places)


class ErrorShare(Quantity):
    """Of the errors on a class, the share that goes to the classes listed: (true, predicted ones)."""

    error_share: Annotated[tuple[Label, Labels], AsTuple]

    spread: ClassVar[Scale] = "share"

    def of(self, run: Run) -> float:
        true, predicted = self.error_share
        errors = counts(run)[true].sum() - counts(run)[true, true]
        return float(counts(run)[true, list(predicted)].sum() / errors)


class Errors(Quantity):
    """How many images of the classes listed are taken for another."""

    errors: Labels
    grain: ClassVar[float] = 1

    spread: ClassVar[Scale] = "share"

    def of(self, run: Run) -> float:
        return float(sum(counts(run)[k].sum() - counts(run)[k, k] for k in self.errors))

    def whole(self, run: Run) -> float:
        return float(sum(counts(run)[k].sum() for k in self.errors))


class Border(Quantity):
    """The mean of the last row and the last column of ``mean_output`` or ``mean_error`` of the panel.

    Runs whose panel is not kept are left out.
    """

    border: Literal["mean_output", "mean_error"]

    def of(self, run: Run) -> float:
        picture = run.panel[self.border]
        return float(np.concatenate([picture[-1], picture[:-1, -1]]).mean())

    def fits(self, run: Run) -> bool:
        return run.has_panel


class Cost(Quantity):
    """A cost that does not depend on the computer, without that of the encoder that the run started from.

    Of the network its ``parameters`` and its ``image_multiply_adds``, those of one image forward; of the whole training its
    ``updates`` and its ``multiply_adds`` forward: with the backward pass, about three times as many.
    """

    cost: Literal["parameters", "image_multiply_adds", "updates", "multiply_adds"]

    spread: ClassVar[Scale] = "exact"

    def of(self, run: Run) -> float:
        return float(costs(run)[self.cost])


def costs(run: Run) -> dict[str, int]:
    """Return the costs of a run, see :class:`Cost`."""
    recipe, epochs, images = run.recipe, len(run.history), run.recipe.data.num_train
    parameters, of_one = network_costs(recipe.model)
    return {
        "parameters": parameters,
        "image_multiply_adds": of_one,
        "updates": epochs * math.ceil(images / recipe.batch_size),
        "multiply_adds": epochs * images * of_one,
    }


@functools.cache
def network_costs(model: Spec) -> tuple[int, int]:
    """Return how many parameters a network has, and how many multiply-adds one image takes."""
    with torch.device("meta"):  # shapes alone, without the memory and time of drawing weights
        network = build_model(**model.model_dump())
    return count_parameters(network), count_multiply_adds(network)


QUANTITIES: dict[str, type[Quantity]] = {
    next(iter(quantity.model_fields)): quantity
    for family in (Quantity, OfColumn, EpochOf)
    for quantity in family.__subclasses__()
    if quantity not in (OfColumn, EpochOf)
}


def read_quantity(fields: Any) -> Quantity:
    """Return the quantity that is written as ``{name: value}``.

    Raises:
        UserError: if there is none of that name, or more than one.
    """
    if isinstance(fields, Quantity):
        return fields
    given = list(fields) if isinstance(fields, Mapping) else []
    if len(given) != 1 or given[0] not in QUANTITIES:
        raise UserError(
            "reports.one_quantity", given=", ".join(given) or "–", allowed=", ".join(QUANTITIES)
        )
    return QUANTITIES[given[0]](**fields)


AnyQuantity = Annotated[SerializeAsAny[Quantity], BeforeValidator(read_quantity)]


class Measure(Spec):
    """A quantity of the runs of a group, alone or compared with that of another group.

    In the YAML the quantity stands among the other fields: ``{of: model_2, metric: test_accuracy, minus: model_1}``. A group of
    another report is named with the number of that report: ``05/nahuel``.

    Attributes:
        of: a group, or several of one report, which count as one.
        quantity: what is read off each run.
        less: another quantity of the same run that is taken away from it.
        together: how several groups count as one: the ``mean``, the ``lowest`` or the ``highest`` of them, seed by seed; of
            events, all their runs count.
        minus, over: the groups that it is compared with, by a difference or by a ratio.
        other, other_less: the quantities of those groups, if they are not the same.
        paired: whether the runs of a seed belong together beyond sharing its number: the same split or fold, the same encoder,
            or one run that goes on where the other ends. Without it the two groups are compared by their means.
        overlap: for folds, the images that validate over those that train: their training sets overlap, and the variance of the
            mean is that much larger (C. Nadeau and Y. Bengio, Machine Learning 52, 2003, pp. 239-281).
    """

    of: Annotated[Groups, Field(min_length=1)]
    quantity: AnyQuantity
    less: AnyQuantity | None = None
    together: Literal["mean", "lowest", "highest"] = "mean"
    minus: Groups = ()
    over: Groups = ()
    other: AnyQuantity | None = None
    other_less: AnyQuantity | None = None
    paired: bool = False
    overlap: Annotated[float, Field(ge=0, le=1)] = 0.0

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, fields: Any) -> Any:
        """Put the quantity that stands among the fields into ``quantity``."""
        if not isinstance(fields, dict) or "quantity" in fields:
            return fields
        named = {name: fields[name] for name in fields if name in QUANTITIES}
        rest = {name: value for name, value in fields.items() if name not in named}
        return rest | {"quantity": named}

    @model_validator(mode="after")
    def _check(self) -> Measure:
        if self.minus and self.over:
            raise UserError("reports.one_comparison")
        for groups in (self.of, self.minus, self.over):
            if len({group.rpartition("/")[0] for group in groups}) > 1:
                raise UserError("reports.mixed_groups", given=", ".join(groups))
        return self

    @property
    def compared_with(self) -> tuple[str, ...]:
        """The groups on the other side of a comparison, if it is one."""
        return self.minus or self.over

    @property
    def groups(self) -> tuple[str, ...]:
        """All groups that it is of."""
        return (*self.of, *self.compared_with)

    @property
    def scale(self) -> Scale:
        """How the quantity of a run spreads; a difference of two may be any number."""
        return "plain" if self.less else self.quantity.scale

    @property
    def grain(self) -> float:
        """The distance between two neighbouring values, of counts and epochs."""
        return 0.0 if self.less else self.quantity.grain

    @property
    def other_side(self) -> Measure:
        """What is read off the groups that it is compared with."""
        return Measure(
            of=self.compared_with,
            quantity=self.other or self.quantity,
            less=self.other_less if self.other else self.less,
            together=self.together,
        )

    def of_run(self, run: Run) -> float:
        """Return the value of one run."""
        return self.quantity.of(run) - (self.less.of(run) if self.less else 0.0)

    def fits(self, run: Run) -> bool:
        """Return whether the run has kept what it takes."""
        return self.quantity.fits(run) and (self.less is None or self.less.fits(run))
