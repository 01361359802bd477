"""A report is a data file: who wrote it, what it trained, the numbers it published, the claims it made and how each is checked.

``load_report("01_ff_classifier")`` reads and checks one; a sixth report is a sixth YAML file in this folder. The classes below
are its form, field by field. :class:`Page` is a report under the parameters of its notebook.
"""

from __future__ import annotations

import functools
import re
import types
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, create_model

from fmnist_utils.data import Splits, load_fashion_mnist
from fmnist_utils.recipes import MODEL_ARGUMENTS, AsTuple, CheckedSpec, DataSpec, PositiveInt, Recipe, Spec
from fmnist_utils.runs import Run, RunStore, train_all
from fmnist_utils.text import LANGUAGES, UserError, get_language, nearest, say, set_language

FOLDER = Path(__file__).parent
Label = Annotated[int, Field(ge=0, le=9)]
SCALES = {"percent": Decimal(100), "nats": Decimal(1), "images": Decimal(1), "error": Decimal(1), "seconds": Decimal(1)}


class Bilingual(Spec):
    """A text in both languages; ``str()`` gives the one in force."""

    es: str
    en: str

    def __str__(self) -> str:
        return getattr(self, get_language())


class Group(Spec):
    """The runs of one recipe over its seeds and protocols.

    Attributes:
        like: the group whose recipe this one starts from; ``recipe`` holds what differs.
        epochs_factor: this group trains so many times the epochs of the page.
        protocols: the names of the protocols it runs under.
        question: the question it answers, when it is an experiment of ours and not of the report.
    """

    label: Bilingual
    like: str | None = None
    recipe: dict[str, Any] = {}
    epochs_factor: PositiveInt = 1
    seeds: PositiveInt = 3
    protocols: list[str] = ["theirs"]
    question: Bilingual | None = None


class Measure(Spec):
    """A quantity of a run, from its record.

    Exactly one of the first group says what; ``minus`` or ``over`` compares with the same quantity (or ``take_other``) of another
    group, seed by seed. In columns, ``watched`` stands for the set watched after each epoch.

    Attributes:
        metric: of the selected weights: ``test_accuracy``, ….
        last, lowest, total: a column of the history: its value after the last epoch, its minimum, its sum.
        at_epoch: (column, epoch).
        falls: the share of the epochs after the tenth at whose end a column is lower than at the end of the one before.
        roughness: the standard deviation of a column around its own trend from epoch ten on: the root of the mean squared second
            difference over six (T. Gasser, L. Sroka and C. Jennen-Steinmetz, Biometrika 73, 1986, pp. 625-633).
        cell: (true, predicted) labels: a count of the confusion matrix.
        recall_rank: a label: 1 if its recall is the lowest of the ten.
        error_share: (true, predicted labels): of the errors of the true class, the share that go to those.
    """

    of: str
    metric: str | None = None
    last: str | None = None
    lowest: str | None = None
    total: str | None = None
    at_epoch: Annotated[tuple[str, PositiveInt], AsTuple] | None = None
    falls: str | None = None
    roughness: str | None = None
    cell: Annotated[tuple[Label, Label], AsTuple] | None = None
    recall_rank: Label | None = None
    error_share: Annotated[tuple[Label, Annotated[tuple[Label, ...], AsTuple]], AsTuple] | None = None
    minus: str | None = None
    over: str | None = None
    minus_last: str | None = None


class Number(Spec):
    """A number that the report printed: as printed, its unit, where it stands, and what of our runs it is compared with."""

    id: str
    what: Bilingual
    published: str
    unit: Literal[tuple(SCALES)]
    where: Bilingual
    measure: Measure
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
        return float(Decimal(1).scaleb(Decimal(self.published).as_tuple().exponent) / 2 / SCALES[self.unit])


class Condition(Spec):
    """A measure, ``what`` it is in words, and the bounds it must keep for the claim to hold."""

    what: Bilingual
    measure: Measure
    above: float | None = None
    below: float | None = None
    unit: Literal[(*SCALES, "points", "ratio", "rank")] = "points"


class Claim(Spec):
    """A claim of the report: all conditions must hold. ``why`` says what the evidence means."""

    id: str
    text: Bilingual
    check: Annotated[list[Condition], Field(min_length=1)]
    why: Bilingual


class Erratum(Spec):
    """A mistake or an omission of the report, and what is right."""

    id: str
    text: Bilingual


class Report(CheckedSpec):
    """One student report; see the YAML files of this folder.

    Attributes:
        protocols: name → the fields of the recipe that it sets; ``theirs`` does as the report did, ``ours`` as the course asks.
        quick: the fields that the quick profile sets, and ``num_seeds``.
        parameters: name of a page parameter → the field of the recipe that it sets.
    """

    id: str
    title: Bilingual
    authors: list[str]
    date: str
    institution: Bilingual
    citation: str
    protocols: dict[str, dict[str, Any]]
    quick: dict[str, Any]
    parameters: dict[str, str]
    groups: dict[str, Group]
    numbers: list[Number]
    claims: list[Claim]
    errors: list[Erratum]

    def recipe(self, group: str, protocol: str, seed: int = 0, overrides: dict[str, Any] | None = None) -> Recipe:
        """Return the recipe of ``group`` under ``protocol``; ``overrides`` change what the group does not vary on purpose.

        Raises:
            UserError: if there is no such group or protocol, or an override is not allowed.
        """
        for name, known in ((group, self.groups), (protocol, self.protocols)):
            if name not in known:
                raise UserError("reports.unknown", given=name, allowed=", ".join(known), hint=nearest(name, known))
        fields, varied = self._fields(group)
        for path, value in (overrides or {}).items():
            if path not in varied:
                _set(fields, path, value)
        fields["num_epochs"] *= self.groups[group].epochs_factor
        for path, value in _flatten(self.protocols[protocol]):
            _set(fields, path, value)
        return Recipe(**fields, seed=seed)

    def _fields(self, group: str) -> tuple[dict[str, Any], set[str]]:
        """Return the fields of a group's recipe and the paths in which it differs from the group that it is like."""
        own = self.groups[group]
        fields, varied = self._fields(own.like) if own.like else ({}, set())
        for path, value in _flatten(own.recipe):
            _set(fields, path, value)
            varied = varied | {path} if own.like else varied
        return fields, varied

    def number(self, id: str) -> Number:
        """Return the published number called ``id``.

        Raises:
            UserError: if there is none.
        """
        numbers = {number.id: number for number in self.numbers}
        if id not in numbers:
            raise UserError("reports.unknown", given=id, allowed=", ".join(numbers), hint=nearest(id, numbers))
        return numbers[id]

    def runs(self, group: str, protocol: str, store: RunStore | None = None) -> list[Run]:
        """Return the finished runs of ``group`` under ``protocol``, seed by seed; those without a record are left out."""
        store = store or RunStore()
        recipes = [self.recipe(group, protocol, seed) for seed in range(self.groups[group].seeds)]
        return [run for recipe in recipes if (run := store.find(recipe))]

    def all_recipes(self) -> dict[str, list[Recipe]]:
        """Return every recipe of the report: ``group.protocol`` → one a seed."""
        return {
            f"{name}.{protocol}": [self.recipe(name, protocol, seed) for seed in range(group.seeds)]
            for name, group in self.groups.items()
            for protocol in group.protocols
        }

    def page(self, namespace: dict[str, Any]) -> Page:
        """Return the page of this report under the parameters found in a notebook's ``globals()``, and set its language.

        Raises:
            UserError: before anything is trained, if a parameter is misspelt, of the wrong type or out of range.
        """
        fields = {name: (_field_type(path) | None, None) for name, path in self.parameters.items()}
        form = create_model("Parameters", __base__=PageParameters, **fields)
        given = _given(namespace, form.model_fields)
        if given.get("lang") in LANGUAGES:
            set_language(given["lang"])
        parameters = form(**given)
        if parameters.profile == "full" and parameters.source == "synthetic":
            raise UserError("reports.full_is_official")
        return Page(self, parameters)


class PageParameters(CheckedSpec):
    """The parameters that every page has; a report adds those it names in ``parameters``. None means the profile's own value."""

    lang: Literal[LANGUAGES]
    profile: Literal["quick", "full"]
    source: Literal["auto", "official", "synthetic"] = "auto"
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    num_seeds: Annotated[int, Field(ge=1, le=100)] | None = None


class Notice(str):
    """A text that a notebook shows as a paragraph."""

    def _repr_markdown_(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Page:
    """A report under the parameters of its notebook."""

    report: Report
    parameters: PageParameters

    @functools.cached_property
    def splits(self) -> Splits:
        """The data of the page: the splits of our protocol."""
        return load_fashion_mnist(self.parameters.source)

    @property
    def notice(self) -> Notice:
        """What this page shows: live training or published records, official data or the stand-in."""
        if self.parameters.profile == "full":
            text = say("page.full")
        else:
            recipe = self.recipes(next(iter(self.report.groups)))[0]
            text = say("page.quick", images=recipe.data.train_size or 50_000, epochs=recipe.num_epochs)
        return Notice(" ".join(filter(None, [text, self.splits.notice()])))

    @property
    def overrides(self) -> dict[str, Any]:
        """The fields of the recipe that the profile and the parameters set; in ``full``, the parameters alone."""
        fields = {} if self.parameters.profile == "full" else {"data.source": self.splits.source, **self.report.quick}
        given = {path: getattr(self.parameters, name) for name, path in self.report.parameters.items()}
        fields |= {path: value for path, value in given.items() if value is not None}
        return {path: value for path, value in fields.items() if path != "num_seeds"}

    def recipes(self, group: str, protocol: str = "theirs") -> list[Recipe]:
        """Return the recipes of ``group`` on this page, one a seed."""
        quick = self.parameters.profile == "quick"
        own = self.report.quick.get("num_seeds", 1) if quick else self.report.groups[group].seeds
        seeds = range(self.parameters.seed, self.parameters.seed + (self.parameters.num_seeds or own))
        return [self.report.recipe(group, protocol, seed, self.overrides) for seed in seeds]

    def train(self, *groups: str, protocol: str = "theirs") -> dict[str, list[Run]]:
        """Train, resume or load the runs of ``groups``; return them by label, one a seed."""
        recipes = {group: self.recipes(group, protocol) for group in groups}
        wanted = [recipe for group in recipes.values() for recipe in group]
        # In quick a run takes seconds, less than starting a process; and on a busy machine several threads wait for each other.
        how = {"jobs": 1, "threads": 1} if self.parameters.profile == "quick" else {}
        runs = {run.id: run for run in train_all(wanted, **how)}
        return {str(self.report.groups[group].label): [runs[r.id] for r in recipes[group]] for group in groups}


@functools.cache
def load_report(name: str) -> Report:
    """Return the report called ``name``, or whose number it is (``"01"``).

    Raises:
        UserError: if there is none, or its file is not in the form described here.
    """
    matches = [known for known in report_names() if name in (known, known[:2])]
    if not matches:
        hint = nearest(name, report_names())
        raise UserError("reports.unknown", given=name, allowed=", ".join(report_names()), hint=hint)
    fields = yaml.safe_load((FOLDER / f"{matches[0]}.yaml").read_text(encoding="utf8"))
    return Report(**fields)


def report_names() -> list[str]:
    """Return the names of the reports, in order."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def _flatten(fields: dict[str, Any], prefix: str = ""):
    """Yield (path, value) for each leaf of nested dictionaries."""
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _set(fields: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        fields = fields.setdefault(parent, {})
    fields[last] = value


def _field_type(path: str):
    """Return the type of a recipe's field by its path: ``num_epochs``, ``data.train_size``, ``model.dropout``."""
    part, _, name = path.rpartition(".")
    if part == "model":
        return MODEL_ARGUMENTS[name]
    field = (DataSpec if part == "data" else Recipe).model_fields[name]
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


def _given(namespace: dict[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """Return the parameters in a notebook's namespace: the known ones, and any others that its parameters cells assign.

    Those cells are the ones executed since the last that assigns ``profile``; where there is no such history (nbval keeps
    none), every value that is no module, function or spec counts.
    """
    cells = list(namespace.get("In", []))
    starts = [index for index, source in enumerate(cells) if re.search(r"^profile\s*=", source, re.MULTILINE)]
    recent = "\n".join(cells[starts[-1] :]) if starts else "\n".join(f"{name} =" for name in namespace)
    assigned = set(re.findall(r"^(\w+)\s*=", recent, re.MULTILINE)) - {"In", "Out", "exit", "quit"}

    def is_value(name: str) -> bool:
        value = namespace[name]
        return not (name.startswith("_") or callable(value) or isinstance(value, (types.ModuleType, Spec)))

    return {name: namespace[name] for name in namespace if name in known or (name in assigned and is_value(name))}
