"""A report is a data file: who wrote it, what it trained, the numbers it published, the claims it made and how each is checked.

``load_report("01_ff_classifier")`` reads and checks one; a sixth report is a sixth YAML file in this folder. The classes below
are its form, field by field. A file without authors is a study of the book's own: it published nothing, so nothing of it is
audited. ``load_across()`` reads
``across.yaml``: what the reports claim together, and which of their networks stand in one table.
"""

from __future__ import annotations

import copy
import functools
import itertools
import re
import types
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import yaml
from pydantic import BeforeValidator, Field, create_model, model_validator
from torch import nn

from fmnist_utils.audit.recipes import (
    MODEL_ARGUMENTS,
    AsTuple,
    CheckedSpec,
    Count,
    DataSpec,
    PositiveInt,
    Recipe,
    Spec,
    set_field,
)
from fmnist_utils.audit.records import Records, Run
from fmnist_utils.data import SOURCES
from fmnist_utils.text import LANGUAGES, UserError, get_language, nearest, set_language

FOLDER = Path(__file__).resolve().parents[1] / "reports"
LOADER = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)  # where PyYAML has libyaml, in an eighth of the time
Label = Annotated[int, Field(ge=0, le=9)]
Seeds = PositiveInt | Annotated[tuple[Count, ...], AsTuple, Field(min_length=1)]
Groups = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else tuple(value)),
]
Ten = Field(min_length=10, max_length=10)
SCALES = {"percent": Decimal(100)} | dict.fromkeys(
    ("share", "nats", "images", "error", "seconds", "epochs"), Decimal(1)
)


class ByGroup(dict):
    """What groups of runs have, by the name of the group: their runs, or one value a run.

    Attributes:
        labels: each group's name in words, in the language in force when they were read.
    """

    def __init__(self, items: Mapping[str, list], labels: Mapping[str, str]):
        super().__init__(items)
        self.labels = dict(labels)


class Bilingual(Spec):
    """A text in both languages; ``str()`` gives the one in force."""

    es: str
    en: str

    def __str__(self) -> str:
        return getattr(self, get_language())


class Group(Spec):
    """The runs of one recipe over its seeds and protocols.

    In ``label``, ``{latent_dim}`` and the like stand for fields of the recipe or of its model.

    Attributes:
        grid: only in the file, path of a field → its values: one group for each combination, named after this one and the values
            (``n_64``, ``n_128``; the items of a list joined by ``x``: ``600x120``). In ``like`` and ``encoder_from``,
            ``{latent_dim}`` stands for the value. An entry named as one of those groups adds its fields to it.
        like: the group whose recipe this one starts from; ``recipe`` holds what differs. A network that it names replaces the
            other one, arguments and all.
        epochs_factor: this group trains so many times the epochs of the page.
        encoder_from: the group whose encoder, of the same protocol and seed, this one starts from; or protocol → that group.
        first_seed, seeds: the seeds are ``seeds`` successive ones, or those listed; or protocol → that. Their number is fixed
            before the runs are made, and ``why_seeds`` says why it is not five at least where a published number or a claim
            stands on the group.
        gpu: whether it is meant for a GPU: neither the page nor the book waits for its records, and without a GPU
            ``fmnist reproduce`` leaves it out.
        panel: whether the committed record of the first seed keeps its panel of example outputs; ``all``: that of every seed.
        later_seeds: the fields of the recipe that every seed but the first has otherwise, to save time: ``{patience: 10}``.
        by_seed: fields of the recipe that change with the seed and take its value: ``data.fold`` (modulo the number of folds),
            ``data.subset_seed``, ``data.split_seed``. Seeds below ``by_seed_from`` keep the recipe's own value.
        protocols: the names of the protocols it runs under; if none is given, the report's first one.
        checkpoint: the name under which the weights of the first seed, under the first protocol, are committed too.
        question: the question it answers, when it is an experiment of ours and not of the report.
    """

    label: Bilingual
    like: str | None = None
    recipe: dict[str, Any] = {}
    epochs_factor: PositiveInt = 1
    encoder_from: str | dict[str, str] | None = None
    first_seed: Count = 0
    seeds: Seeds | dict[str, Seeds] = 3
    why_seeds: Bilingual | None = None
    later_seeds: dict[str, Any] = {}
    by_seed: list[str] = []
    by_seed_from: Count = 0
    gpu: bool = False
    panel: bool | Literal["all"] = True
    protocols: list[str] = []
    question: Bilingual | None = None
    checkpoint: str | None = None

    def all_seeds(self, protocol: str) -> Sequence[int]:
        """Return the seeds of the full runs under ``protocol``."""
        seeds = self.seeds[protocol] if isinstance(self.seeds, dict) else self.seeds
        if isinstance(seeds, int):
            return range(self.first_seed, self.first_seed + seeds)
        return seeds


QUANTITIES = (
    *(
        "metric",
        "last",
        "lowest",
        "highest",
        "total",
        "at_epoch",
        "best_epoch",
        "after_best",
        "falls",
        "roughness",
    ),
    *("cell", "recall", "recall_rank", "error_share", "border", "cost"),
)


class Measure(Spec):
    """A quantity of a run, from its record.

    Exactly one of the first group says what; ``minus`` or ``over`` compares with the same quantity of another group, seed by
    seed. Several groups count as one: their mean, seed by seed. In columns, ``watched`` stands for the set watched after each
    epoch. A group of another report is named with the number of that report: ``05/cnn_3_512_0.1``; between two reports seeds
    do not pair up.

    Attributes:
        of, minus, over: a group, or a list of groups of one report.
        metric: of the selected weights: ``test_accuracy``, ….
        last, lowest, highest, total: a column of the history: its value after the last epoch, minimum, maximum, sum.
        at_epoch: (column, epoch).
        best_epoch: a column: the epoch, from 1, of its minimum.
        after_best: (column, k): its value k epochs after the minimum of the watched loss (or after the last epoch, if that
            comes first), less its value at that minimum.
        falls: the share of the epochs after the tenth at whose end a column is lower than at the end of the one before.
        roughness: the standard deviation of a column around its own trend from epoch ten on: the root of the mean squared second
            difference over six (T. Gasser, L. Sroka and C. Jennen-Steinmetz, Biometrika 73, 1986, pp. 625-633).
        cell: (true, predicted) labels: a count of the confusion matrix.
        recall, recall_rank: a label: its recall; 1 if that is the lowest of the ten.
        error_share: (true, predicted labels): of the errors of the true class, the share that go to those.
        border: ``mean_output`` or ``mean_error`` of the panel: its mean over the last row and the last column. Runs whose panel
            is not kept are left out.
        cost: of the network, its ``parameters`` and its ``image_multiply_adds``, those of one image forward; of the whole
            training, its ``updates`` and its ``multiply_adds`` forward (with the backward pass, about three times as many).
        minus_metric, minus_last, minus_lowest, minus_at: subtract another metric, or a value of a column, of the same run.
        take_other: the fields in which what is taken of the other group differs: ``{at_epoch: [watched_loss, 60]}``.
    """

    of: Annotated[Groups, Field(min_length=1)]
    metric: str | None = None
    last: str | None = None
    lowest: str | None = None
    highest: str | None = None
    total: str | None = None
    at_epoch: Annotated[tuple[str, PositiveInt], AsTuple] | None = None
    best_epoch: str | None = None
    after_best: Annotated[tuple[str, PositiveInt], AsTuple] | None = None
    falls: str | None = None
    roughness: str | None = None
    cell: Annotated[tuple[Label, Label], AsTuple] | None = None
    recall: Label | None = None
    recall_rank: Label | None = None
    error_share: Annotated[tuple[Label, Annotated[tuple[Label, ...], AsTuple]], AsTuple] | None = (
        None
    )
    border: Literal["mean_output", "mean_error"] | None = None
    cost: Literal["parameters", "image_multiply_adds", "updates", "multiply_adds"] | None = None
    minus: Groups = ()
    over: Groups = ()
    minus_metric: str | None = None
    minus_last: str | None = None
    minus_lowest: str | None = None
    minus_at: Annotated[tuple[str, PositiveInt], AsTuple] | None = None
    take_other: dict[str, Any] = {}

    @model_validator(mode="after")
    def _check_other(self) -> Measure:
        self.of_other  # refuses a field that does not exist
        given = [name for name in QUANTITIES if getattr(self, name) is not None]
        if len(given) != 1 or (self.minus and self.over):
            raise UserError(
                "reports.one_quantity", given=", ".join(given) or "–", allowed=", ".join(QUANTITIES)
            )
        for groups in (self.of, self.minus, self.over):
            if len({group.rpartition("/")[0] for group in groups}) > 1:
                raise UserError("reports.mixed_groups", given=", ".join(groups))
        return self

    @property
    def of_other(self) -> Measure:
        """What is taken of the other group."""
        return (
            Measure(**(self.model_dump() | self.take_other | {"take_other": {}}))
            if self.take_other
            else self
        )


class Number(Spec):
    """A number that the report printed: as printed, its unit, where it stands, and what of our runs it is compared with.

    Attributes:
        images: how many images it was measured on, when few: the sampling noise of a proportion is added to the interval.
        comparable: false where what the report leaves out forbids a verdict, as the computer behind its seconds; ``why`` says it.
    """

    id: str
    what: Bilingual
    published: str
    unit: Literal[tuple(SCALES)]
    where: Bilingual
    measure: Measure
    images: PositiveInt | None = None
    comparable: bool = True
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
        return float(
            Decimal(1).scaleb(Decimal(self.published).as_tuple().exponent) / 2 / SCALES[self.unit]
        )


class Condition(Spec):
    """A measure, ``what`` it is in words, and the bounds it must keep for the claim to hold.

    ``protocol`` is the one that it is measured under in any case, where there are no such runs under another.
    """

    what: Bilingual
    measure: Measure
    above: float | None = None
    below: float | None = None
    unit: Literal[(*SCALES, "points", "ratio", "rank")] = "points"
    protocol: str | None = None

    @model_validator(mode="after")
    def _has_a_bound(self) -> Condition:
        bounds = [bound for bound in (self.above, self.below) if bound is not None]
        if not bounds or bounds != sorted(bounds):
            raise UserError("reports.no_bound", what=self.what.en)
        return self


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


class Landmark(Spec):
    """What others reached, to be seen beside our results: ``accuracy`` in [0, 1], and the key of who says so."""

    what: Bilingual
    accuracy: Annotated[float, Field(gt=0, lt=1)]
    citation: str


class Family(Spec):
    """Groups that train one kind of network, ``01/model_1`` and so on."""

    network: Bilingual
    of: Annotated[Groups, Field(min_length=1)]


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
        measures = [number.measure for number in self.numbers]
        measures += [condition.measure for claim in self.claims for condition in claim.check]
        for measure in measures:
            _check_known(
                self.groups,
                [name for name in (*measure.of, *measure.minus, *measure.over) if "/" not in name],
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _expand(cls, fields: dict[str, Any]) -> dict[str, Any]:
        """Put the groups of each grid in its place, and name the protocols of those that name none."""
        groups: dict[str, Any] = {}
        for name, group in _mapping("groups", fields.get("groups", {})).items():
            if isinstance(group, Group):
                groups[name] = group
                continue
            grid = _mapping(f"{name}.grid", _mapping(name, group).get("grid", {}))
            for values in itertools.product(*grid.values()):
                one = {key: value for key, value in copy.deepcopy(group).items() if key != "grid"}
                if grid:
                    known = {
                        path.rpartition(".")[2]: _name(value)
                        for path, value in zip(grid, values, strict=True)
                    }
                    one |= {
                        key: _fill(one[key], known)
                        for key in ("like", "encoder_from")
                        if key in one
                    }
                    one |= {"recipe": one.get("recipe", {})}
                    for path, value in zip(grid, values, strict=True):
                        set_field(one["recipe"], path, value)
                name_of_one = "_".join([name, *map(_name, values)])
                groups[name_of_one] = groups[name_of_one] | one if name_of_one in groups else one
        first = {"protocols": list(_mapping("protocols", fields.get("protocols", {})))[:1]}
        return {
            **fields,
            "groups": {
                name: first | one if isinstance(one, dict) else one for name, one in groups.items()
            },
        }

    @property
    def main_protocol(self) -> str:
        """The first of its protocols: ``theirs`` of a student report."""
        return next(iter(self.protocols))

    def label(self, group: str, recipe: Recipe) -> str:
        """Return the label of ``group``, with the values of ``recipe`` in it."""
        values = recipe.model_dump()
        values |= values["data"] | values["model"]
        named = {
            name: _name(value) if isinstance(value, tuple) else value
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
        for path, value in _flatten(self.protocols[protocol]):
            set_field(fields, path, value)
        for path in own.by_seed if seed >= own.by_seed_from else ():
            set_field(fields, path, seed)
        if "data.fold" in own.by_seed:
            fields["data"]["fold"] = seed % DataSpec(**fields["data"]).num_folds
        if seed > own.first_seed:
            for path, value in _flatten(own.later_seeds):
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
        for path, value in _flatten(own.recipe):
            set_field(fields, path, value)
        return fields

    def number(self, id: str) -> Number:
        """Return the published number called ``id``.

        Raises:
            UserError: if there is none.
        """
        numbers = {number.id: number for number in self.numbers}
        if id not in numbers:
            raise UserError(
                "reports.unknown", given=id, allowed=", ".join(numbers), hint=nearest(id, numbers)
            )
        return numbers[id]

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
                raise UserError("reports.no_records", group=group, protocol=protocol)
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
            flat = {path.rpartition(".")[2]: _name(value) for path, value in _flatten(fields)}
            rows[self.label(group, recipe)] = flat
        frame = pd.DataFrame.from_dict(rows, orient="index").fillna("")
        if len(frame) > 1:
            return frame[[name for name in frame if frame[name].nunique() > 1]]
        model = ["network", *recipes[groups[0]].model.model_dump(exclude={"name"})]
        training = ["loss", "optimizer", "learning_rate", "batch_size", "num_epochs"]
        return frame[model + training]

    def runs_of(self, group: str, protocol: str, store: Records | None = None) -> list[Run]:
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

    def publish(self, run: Run, store: Records) -> Path:
        """Copy ``run``, one of this report's, to the committed records, with the panel and the weights that belong there.

        Raises:
            KeyError: if it is not one of this report's.
        """
        recipes = self.all_recipes()
        owners = {}
        for name, of_group in recipes.items():
            for recipe in of_group:
                owners.setdefault(recipe.id, name)  # two groups may share a run: the first has it
        name = owners[run.id]
        kept = self.groups[name.rpartition(".")[0]].panel
        panel = kept == "all" or (kept and run.id == recipes[name][0].id)
        return store.publish(
            run, self.id, name, panel, weights=run.id in self.checkpoints().values()
        )

    def checkpoints(self) -> dict[str, str]:
        """Return the names of the weights that are committed and the ids of their runs."""
        groups = {
            group.checkpoint: (name, group)
            for name, group in self.groups.items()
            if group.checkpoint
        }
        return {
            name: self.recipe(of, group.protocols[0], group.first_seed).id
            for name, (of, group) in groups.items()
        }

    def is_published(self, recipe: Recipe, store: Records) -> bool:
        """Return whether the committed records hold the run of ``recipe``, with its weights if they belong there."""
        path = store.published(recipe)
        needed = recipe.id in self.checkpoints().values()
        return path is not None and (
            not needed or path.with_suffix(".weights.safetensors").exists()
        )

    def check_parameters(self, namespace: dict[str, Any]) -> None:
        """Check a page's parameters and set its language.

        A page calls it with its ``globals()``, right after its parameters cell. The first time in a
        kernel, whatever has been assigned so far has to be a parameter, since papermill assigns a
        misspelt name without a word. Later calls look at the known names alone, so that the cell may
        run again after others.

        Args:
            namespace: the parameters by name; those of a notebook are picked out of its variables.

        Raises:
            UserError: if a name is misspelt, or a value is of the wrong type or out of range.
        """
        known = {*PageParameters.model_fields, *self.parameters}
        if "__name__" in namespace:
            given = {name: namespace[name] for name in known if name in namespace}
            if self.id not in _CHECKED:
                given |= _assigned(namespace)
        else:
            given = dict(namespace)
        if given.get("lang") in LANGUAGES:
            set_language(given["lang"])
        fields = {name: (_field_type(path), ...) for name, path in self.parameters.items()}
        optional = {name: (field[0], None) for name, field in fields.items() if name not in given}
        create_model("Parameters", __base__=PageParameters, **fields | optional)(**given)
        if "__name__" in namespace:
            _CHECKED.add(self.id)


# What Python and IPython put among the variables of a notebook: __name__, _, _i3, Out, ….
_OF_IPYTHON = re.compile(r"__.*__|_+|_i+\d*|_\d+|_[dio]h|_exit_code|In|Out|exit|quit|open")
_CHECKED: set[str] = set()  # the reports whose parameters were checked in this process


def _assigned(namespace: dict[str, Any]) -> dict[str, Any]:
    """Return the plain values in a notebook's namespace: no modules, functions, reports or IPython's own."""

    def is_value(name: str, value: Any) -> bool:
        of_ipython = _OF_IPYTHON.fullmatch(name) is not None
        return not (of_ipython or callable(value) or isinstance(value, types.ModuleType | Spec))

    return {name: value for name, value in namespace.items() if is_value(name, value)}


class PageParameters(CheckedSpec):
    """The parameters that every page has; a report adds those that it names in ``parameters``."""

    lang: Literal[LANGUAGES]
    source: Literal[SOURCES] = "sample"
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0


def load_pretrained(name: str) -> nn.Module:
    """Return a trained network by the name of its committed checkpoint, ``conv_autoencoder_64`` for one, in eval mode.

    Its SHA-256 is compared with the one in the record of its run.

    Raises:
        UserError: if there is none of that name, or its file is missing or damaged.
    """
    known = {
        each: (load_report(report), id)
        for report in report_names()
        for each, id in load_report(report).checkpoints().items()
    }
    if name not in known:
        raise UserError(
            "reports.no_checkpoint", given=name, allowed=", ".join(known), hint=nearest(name, known)
        )
    report, id = known[name]
    recipe = next(
        recipe for recipes in report.all_recipes().values() for recipe in recipes if recipe.id == id
    )
    run = Records().find(recipe)
    if run is None:
        raise UserError("reports.checkpoint_missing", name=name, report=report.id)
    return run.model()


def load_report(name: str) -> Report:
    """Return the report called ``name``, or whose number it is (``"01"``).

    Raises:
        UserError: if there is none, or its file is not in the form described here.
    """
    matches = [known for known in report_names() if name in (known, known[:2])]
    if not matches:
        hint = nearest(name, report_names())
        raise UserError("reports.unknown", given=name, allowed=", ".join(report_names()), hint=hint)
    return _load(matches[0])


@functools.cache
def _load(name: str) -> Report:
    return Report(**_read(FOLDER / name / "report.yaml"))


def report_names() -> list[str]:
    """Return the names of the reports and of the book's own studies, in order."""
    return sorted(path.parent.name for path in FOLDER.glob("[0-9][0-9]_*/report.yaml"))


def student_reports() -> list[str]:
    """Return the names of the reports that students wrote, in order: those that are audited."""
    return [name for name in report_names() if load_report(name).authors]


@functools.cache
def load_across() -> Across:
    """Return what stands across the reports."""
    return Across(**_read(FOLDER / "across.yaml"))


def _read(path: Path) -> dict[str, Any]:
    """Return the fields of a YAML file."""
    try:
        fields = LOADER(path.read_text("utf-8")).get_single_data()
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UserError("reports.unreadable", file=path.name, reason=error) from None
    return _mapping(path.name, fields)


def _mapping(name: str, given: Any) -> dict[str, Any]:
    """Return ``given`` if it is a dictionary of fields, as what is called ``name`` has to be."""
    if isinstance(given, dict) and all(isinstance(key, str) for key in given):
        return given
    raise UserError("reports.not_a_mapping", name=name, given=type(given).__name__)


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
    return (load_report(number) if slash else report), group


def _flatten(fields: dict[str, Any], prefix: str = ""):
    """Yield (path, value) for each leaf of nested dictionaries."""
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _fill(names: str | dict[str, str], values: dict[str, Any]) -> str | dict[str, str]:
    """Return a name, or the names in a dictionary, with the values of a grid in place of ``{latent_dim}`` and the like."""
    return (
        {key: _fill(name, values) for key, name in names.items()}
        if isinstance(names, dict)
        else names.format(**values)
    )


def _name(value: Any) -> str:
    """Return a value of a recipe as it stands in names and labels: ``512``, ``600x120``."""
    return "x".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _field_type(path: str):
    """Return the type of a recipe's field by its path: ``num_epochs``, ``data.train_size``, ``model.dropout``."""
    part, _, name = path.rpartition(".")
    if part == "model":
        return MODEL_ARGUMENTS[name]
    field = (DataSpec if part == "data" else Recipe).model_fields[name]
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
