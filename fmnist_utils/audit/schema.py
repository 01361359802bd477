"""A report is a data file: who wrote it, what it trained, the numbers it published, the claims it made and how each is checked.

``load_report("01_ff_classifier")`` reads and checks one; a sixth report is a sixth YAML file in a folder of its own. The classes below
are its form, field by field; :mod:`~fmnist_utils.audit.groups` has that of its runs, :mod:`~fmnist_utils.audit.measures` that of
what is measured. A file without authors is a study of the book's own: it published nothing, so nothing of it is audited.
``load_across()`` reads ``across.yaml``: what the reports claim together, and which of their networks stand in one table.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import pandas as pd
from pydantic import Field, model_validator
from torch import nn

from fmnist_utils.audit import parameters
from fmnist_utils.audit.forms import Card, Claim, Erratum, Family, Landmark, Number, PublishedTable
from fmnist_utils.audit.groups import Bilingual, Group, expand_grids, flatten, name_of, read_yaml
from fmnist_utils.audit.measures import Measure
from fmnist_utils.audit.recipes import CheckedSpec, Count, DataSpec, Recipe, set_field
from fmnist_utils.audit.records import ByGroup, Records, Run
from fmnist_utils.text import UserError, nearest

FOLDER = Path(__file__).resolve().parents[1] / "reports"
Ten = Field(min_length=10, max_length=10)


class Store(Protocol):
    """Where the runs of recipes are found."""

    def find(self, recipe: Recipe) -> Run | None: ...


class Publisher(Protocol):
    """A store of the workshop, which may write."""

    def publish(
        self, run: Run, report: str, name: str, panel: bool = True, weights: bool = False
    ) -> Path: ...


class Across(CheckedSpec):
    """What stands across the reports: ``across.yaml``. Groups are named with the number of their report.

    Attributes:
        families: the networks of the one table of all, in its order.
        claims: as those of a report.
    """

    id: Literal["across"]
    title: Bilingual
    families: list[Family]
    claims: list[Claim]


class Report(CheckedSpec):
    """One student report; see the YAML files of this folder.

    Attributes:
        authors: of the student report; without them it is a study of the book's own, which published nothing to be audited.
        protocols: name → the fields of the recipe that it sets; ``theirs`` does as the report did, ``ours`` as the course asks.
        parameters: name of a page parameter → the field of the recipe that it sets.
        confusion: the confusion matrix that it printed, rows true, columns predicted.
        confusion_of: the group that it is of.
        landmarks: results of others, of a study of ours.
    """

    id: str
    title: Bilingual
    authors: list[str] = []
    date: str = ""
    institution: Bilingual | None = None
    citation: str | None = None
    protocols: dict[str, dict[str, Any]]
    parameters: dict[str, str]
    groups: dict[str, Group]
    numbers: list[Number] = []
    claims: list[Claim] = []
    errors: list[Erratum] = []
    confusion: Annotated[list[Annotated[list[Count], Ten]], Ten] | None = None
    confusion_of: str | None = None
    landmarks: list[Landmark] = []
    tables: list[PublishedTable] = []
    card: Card | None = None

    @model_validator(mode="after")
    def _refers_to_what_it_has(self) -> Report:
        if bool(self.confusion) != bool(self.confusion_of):
            raise UserError("reports.matrix_of_a_group")
        _check_known(self.groups, [self.confusion_of] if self.confusion_of else [])
        for group in self.groups.values():
            bases = (
                group.encoder_from.values()
                if isinstance(group.encoder_from, dict)
                else [group.encoder_from]
            )
            _check_known(self.groups, [name for name in (group.like, *bases) if name is not None])
            _check_known(self.protocols, group.protocols)
        for measure in self.measures():
            _check_known(self.groups, [name for name in measure.groups if "/" not in name])
        for table in self.tables:
            _check_known([number.id for number in self.numbers], table.numbers)
        return self

    def measures(self) -> list[Measure]:
        """Return all that is measured for its numbers and its claims."""
        of_claims = [condition.measure for claim in self.claims for condition in claim.check]
        return [number.measure for number in self.numbers] + of_claims

    @model_validator(mode="before")
    @classmethod
    def _expand(cls, fields: dict[str, Any]) -> dict[str, Any]:
        return expand_grids(fields)

    @property
    def main_protocol(self) -> str:
        """The first of its protocols: ``theirs`` of a student report."""
        return next(iter(self.protocols))

    def label(self, group: str, recipe: Recipe) -> str:
        """Return the label of ``group``, with the values of ``recipe`` in it."""
        values = recipe.model_dump()
        values |= values["data"] | values["model"]
        named = {
            name: name_of(value) if isinstance(value, tuple) else value
            for name, value in values.items()
        }
        return str(self.groups[group].label).format(**named)

    def recipe(self, group: str, protocol: str, seed: int = 0) -> Recipe:
        """Return the recipe of ``group`` under ``protocol`` with this seed.

        Raises:
            UserError: if there is no such group or protocol.
        """
        _check_known(self.groups, [group])
        _check_known(self.protocols, [protocol])
        own, fields = self.groups[group], self._fields(group)
        fields["num_epochs"] *= own.epochs_factor
        for path, value in flatten(self.protocols[protocol]):
            set_field(fields, path, value)
        for path in own.by_seed if seed >= own.by_seed_from else ():
            set_field(fields, path, seed)
        if "data.fold" in own.by_seed:
            fields["data"]["fold"] = seed % DataSpec(**fields["data"]).num_folds
        if seed > own.first_seed:
            for path, value in flatten(own.later_seeds):
                set_field(fields, path, value)
        base = own.encoder_from
        if isinstance(base, dict):
            base = base.get(protocol)
        if base:
            fields["encoder_from"] = self.recipe(base, protocol, seed)
        return Recipe(**fields, seed=seed)

    def _fields(self, group: str) -> dict[str, Any]:
        """Return the fields of a group's recipe, those of the group that it is like included."""
        own = self.groups[group]
        fields = self._fields(own.like) if own.like else {}
        if own.like and "name" in own.recipe.get("model", {}):
            fields["model"] = {}  # another network, with arguments of its own
        for path, value in flatten(own.recipe):
            set_field(fields, path, value)
        return fields

    def number(self, name: str) -> Number:
        """Return the published number whose id is ``name``, such as N1-4.

        Raises:
            UserError: if there is none.
        """
        numbers = {number.id: number for number in self.numbers}
        _check_known(numbers, [name])
        return numbers[name]

    def runs(
        self, *groups: str, protocol: str | None = None, store: Records | None = None
    ) -> ByGroup:
        """Return the recorded runs of ``groups``, by the name of the group, one a seed.

        Args:
            protocol: of this report; without it, the report's first one.

        Raises:
            UserError: if there is no such group or protocol, or a group has no record.
        """
        protocol, store = protocol or self.main_protocol, store or Records()
        found = {group: self.runs_of(group, protocol, store) for group in groups}
        for group, runs in found.items():
            if not runs:
                raise UserError(
                    "reports.no_records", group=group, protocol=protocol, report=self.id
                )
        labels = {group: self.label(group, runs[0].recipe) for group, runs in found.items()}
        return ByGroup(found, labels)

    def recipes(self, *groups: str, protocol: str | None = None) -> pd.DataFrame:
        """Return a table of recipes, one row a group: the fields in which they differ.

        Of a single group, the network and what it is trained with.

        Args:
            protocol: of this report; without it, the report's first one.

        Raises:
            UserError: if there is no such group or protocol.
        """
        protocol = protocol or self.main_protocol
        recipes = {
            group: self.recipe(group, protocol, self.groups[group].first_seed) for group in groups
        }
        rows = {}
        for group, recipe in recipes.items():
            fields = recipe.model_dump(
                exclude={"seed", "encoder_from", "measure_train", "snapshots"}
            )
            fields["network"] = fields["model"].pop("name")
            if recipe.encoder_from:
                fields["encoder_from"] = recipe.encoder_from.model.name
            flat = {path.rpartition(".")[2]: name_of(value) for path, value in flatten(fields)}
            rows[self.label(group, recipe)] = flat
        frame = pd.DataFrame.from_dict(rows, orient="index").fillna("")
        if len(frame) > 1:
            return frame[[name for name in frame if frame[name].nunique() > 1]]
        model = ["network", *recipes[groups[0]].model.model_dump(exclude={"name"})]
        training = ["loss", "optimizer", "learning_rate", "batch_size", "num_epochs"]
        return frame[model + training]

    def runs_of(self, group: str, protocol: str, store: Store | None = None) -> list[Run]:
        """Return the recorded runs of one group, one a seed; seeds without a record are left out."""
        store = store or Records()
        seeds = self.groups[group].all_seeds(protocol)
        recipes = [self.recipe(group, protocol, seed) for seed in seeds]
        return [run for recipe in recipes if (run := store.find(recipe))]

    def all_recipes(self, gpu: bool = True) -> dict[str, list[Recipe]]:
        """Return every recipe of the report: ``group.protocol`` → one a seed; without ``gpu``, those that need none."""
        return {
            f"{name}.{protocol}": [
                self.recipe(name, protocol, seed) for seed in group.all_seeds(protocol)
            ]
            for name, group in self.groups.items()
            if gpu or not group.gpu
            for protocol in group.protocols
        }

    def every_recipe(self) -> list[Recipe]:
        """Return the recipes of all groups under all of their protocols, each once."""
        groups = self.all_recipes().values()
        return list(dict.fromkeys(recipe for of_group in groups for recipe in of_group))

    def every_run(self, store: Store) -> list[Run]:
        """Return all recorded runs of the report, each once."""
        return [run for recipe in self.every_recipe() if (run := store.find(recipe))]

    def publish(self, run: Run, store: Publisher) -> Path:
        """Copy ``run``, one of this report's, to the committed records, with the panel and the weights that belong there.

        Raises:
            KeyError: if it is not one of this report's.
        """
        recipes = self.all_recipes()
        owners: dict[str, str] = {}
        for name, of_group in recipes.items():
            for recipe in of_group:
                owners.setdefault(recipe.id, name)  # two groups may share a run: the first has it
        name = owners[run.id]
        kept = self.groups[name.rpartition(".")[0]].panel
        panel = kept == "all" or (bool(kept) and run.id == recipes[name][0].id)
        weights = run.recipe in self.checkpoints().values()
        return store.publish(run, self.id, name, panel, weights)

    def checkpoints(self) -> dict[str, Recipe]:
        """Return the names of the weights that are committed and the recipes of their runs."""
        return {
            group.checkpoint: self.recipe(name, group.protocols[0], group.first_seed)
            for name, group in self.groups.items()
            if group.checkpoint
        }

    def is_published(self, recipe: Recipe, store: Records) -> bool:
        """Return whether the committed records hold the run of ``recipe``, with its weights if they belong there."""
        path = store.published(recipe)
        needed = recipe in self.checkpoints().values()
        return path is not None and (
            not needed or path.with_suffix(".weights.safetensors").exists()
        )

    def check_parameters(self, namespace: dict[str, Any]) -> None:
        """Check a page's parameters and set its language.

        A page calls it with its ``globals()``, right after its parameters cell. Whatever that cell has
        assigned, and papermill's below it, has to be a parameter, since papermill assigns a misspelt
        name without a word. What other cells assign is left alone, so that they may run before.

        Args:
            namespace: the parameters by name; those of a notebook are picked out of its variables.

        Raises:
            UserError: if a name is misspelt, or a value is of the wrong type or out of range.
        """
        parameters.check(self.id, self.parameters, namespace)


def load_pretrained(name: str) -> nn.Module:
    """Return a trained network by the name of its committed checkpoint, ``conv_autoencoder_64`` for one, in eval mode.

    Its SHA-256 is compared with the one in the record of its run.

    Raises:
        UserError: if there is none of that name, or its file is missing or damaged.
    """
    known = {
        checkpoint: (report, recipe)
        for report in map(load_report, report_names())
        for checkpoint, recipe in report.checkpoints().items()
    }
    if name not in known:
        raise UserError(
            "reports.no_checkpoint", given=name, allowed=", ".join(known), hint=nearest(name, known)
        )
    report, recipe = known[name]
    run = Records().find(recipe)
    if run is None:
        raise UserError("reports.checkpoint_missing", name=name, report=report.id)
    return run.model()


def load_report(name: str) -> Report:
    """Return the report called ``name``, or whose number it is (``"01"``, ``"1"``).

    Raises:
        UserError: if there is none, or its file is not in the form described here.
    """
    number = name.zfill(2) if name.isdecimal() else name
    matches = [known for known in report_names() if number in (known, known[:2])]
    if not matches:
        hint = nearest(name, report_names())
        raise UserError("reports.unknown", given=name, allowed=", ".join(report_names()), hint=hint)
    return _load(matches[0])


@functools.cache
def _load(name: str) -> Report:
    return Report(**read_yaml(FOLDER / name / "report.yaml"))


def report_names() -> list[str]:
    """Return the names of the reports and of the book's own studies, in order; a copy beside them is none."""
    names = (path.parent.name for path in FOLDER.glob("*/report.yaml"))
    return sorted(name for name in names if re.fullmatch(r"\d\d_[a-z0-9_]+", name))


def student_reports() -> list[str]:
    """Return the names of the reports that students wrote, in order: those that are audited."""
    return [name for name in report_names() if load_report(name).authors]


@functools.cache
def load_across() -> Across:
    """Return what stands across the reports."""
    return Across(**read_yaml(FOLDER / "across.yaml"))


def load_audited(name: str) -> Report | Across:
    """Return the report called ``name``, or what stands across them, ``"across"``.

    Raises:
        UserError: if there is none, or it is a study of the book's own, which published nothing.
    """
    names = [*student_reports(), "across"]
    allowed = ", ".join(names)
    try:
        audited = load_across() if name == "across" else load_report(name)
    except UserError as error:
        if error.key == "reports.unknown":
            told = {"allowed": allowed, "hint": nearest(name, names)}
            error = UserError(error.key, **error.values | told)
        raise error from None
    if isinstance(audited, Report) and not audited.authors:
        number = audited.id[:2]
        raise UserError(
            "verdicts.nothing_published", name=audited.id, number=number, allowed=allowed
        )
    return audited


def _check_known(known: Iterable[str], names: Iterable[str]) -> None:
    """Refuse the first of ``names`` that is not among those known."""
    for name in names:
        if name not in known:
            raise UserError(
                "reports.unknown", given=name, allowed=", ".join(known), hint=nearest(name, known)
            )


def find_group(name: str, report: Report | Across | None = None) -> tuple[Report, str]:
    """Return the report and the name of the group that ``name`` means: ``05/nahuel``, or a group of ``report``."""
    number, slash, group = name.rpartition("/")
    if slash:
        return load_report(number), group
    if not isinstance(report, Report):
        raise UserError("reports.whose_group", given=name)
    return report, group
