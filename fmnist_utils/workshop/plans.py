"""Plans: the file that says which runs to make, and what they will cost.

A plan is a YAML file with a list, ``runs``. Each entry names a report, or a group of one, or spells
out a recipe; it may vary it: ``set`` changes fields, ``grid`` makes one run of each combination of
values, ``seeds`` and ``folds`` repeat it::

    runs:
      - report: "01"
        group: model_2
        grid: {learning_rate: [0.003, 0.001], model.dropout: [0.0, 0.2]}
        seeds: 5
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from math import inf
from pathlib import Path
from statistics import mean, median
from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator, Field, model_validator

from fmnist_utils import settings
from fmnist_utils.audit.groups import parse_yaml
from fmnist_utils.audit.recipes import CheckedSpec, Count, PositiveInt, Recipe, changed
from fmnist_utils.audit.records import published_records
from fmnist_utils.audit.schema import load_report
from fmnist_utils.text import UserError
from fmnist_utils.workshop.store import RunStore

Name = Annotated[str, BeforeValidator(lambda name: str(name) if isinstance(name, int) else name)]
Repeats = PositiveInt | Annotated[list[Count], Field(min_length=1)]


class Entry(CheckedSpec):
    """One entry of a plan: either ``report`` or ``recipe``.

    Attributes:
        report: a report's name or number; by itself, all of its runs.
        group, protocol: one of its groups, under one of its protocols (``ours`` by default).
        recipe: the fields of a :class:`~fmnist_utils.audit.recipes.Recipe`.
        set: path of a field → value: ``{num_epochs: 10, model.dropout: 0.1}``.
        grid: path of a field → values; one run for each combination.
        seeds: so many seeds from 0, or a list of them.
        folds: so many folds from 0, or a list: ``data.fold`` of the recipe.
    """

    report: Name | None = None
    group: str | None = None
    protocol: str | None = None
    recipe: dict[str, Any] | None = None
    set: dict[str, Any] = {}
    grid: dict[str, Annotated[list[Any], Field(min_length=1)]] = {}
    seeds: Repeats | None = None
    folds: Repeats | None = None

    @model_validator(mode="after")
    def _goes_together(self) -> Entry:
        if (self.report is None) == (self.recipe is None):
            raise UserError("plans.one_of")
        if self.group and not self.report:
            raise UserError("plans.group_of_report")
        if self.protocol and not self.group:
            raise UserError("plans.protocol_of_group")
        if self.seeds is not None and self.report and not self.group:
            raise UserError("plans.seeds_of_group")
        varied = {"data.fold"} if self.folds is not None else set()
        if self.seeds is not None:
            varied.add("seed")
        if twice := (set(self.set) & set(self.grid)) | ({*self.set, *self.grid} & varied):
            raise UserError("plans.twice", names=", ".join(sorted(twice)))
        return self

    def recipes(self) -> list[Recipe]:
        """Return the recipes of this entry."""
        axes = [[(path, value) for value in values] for path, values in self.grid.items()]
        if self.folds is not None:
            axes.append([("data.fold", fold) for fold in _each(self.folds)])
        if self.recipe is not None and self.seeds is not None:
            axes.append([("seed", seed) for seed in _each(self.seeds)])
        changes = [{**self.set, **dict(point)} for point in itertools.product(*axes)]
        return [changed(start, change) for start in self._starts() for change in changes]

    def _starts(self) -> list[dict[str, Any]]:
        """Return the fields of the recipes that ``set``, ``grid`` and ``folds`` change."""
        if self.recipe is not None:
            return [self.recipe]
        report = load_report(self.report)
        if self.group:  # a seed may decide more than the seed: the encoder, for one
            seeds = _each(self.seeds) if self.seeds is not None else [0]
            recipes = [report.recipe(self.group, self.protocol or "ours", seed) for seed in seeds]
        else:
            recipes = report.every_recipe()
        return [json.loads(recipe.canonical_json) for recipe in recipes]


class Plan(CheckedSpec):
    """The whole file; each of ``runs`` holds the fields of an :class:`Entry`."""

    runs: Annotated[list[dict[str, Any]], Field(min_length=1)]


def _each(repeats: int | list[int]) -> Sequence[int]:
    return range(repeats) if isinstance(repeats, int) else repeats


def read_plan(path: str | Path) -> list[Recipe]:
    """Return the recipes of a plan, each once.

    Raises:
        UserError: if the file cannot be read, or an entry is not what it may be.
    """
    try:
        fields = parse_yaml(settings.without_tilde(path))
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError("plans.unreadable", file=str(path), reason=reason) from None
    if not isinstance(fields, dict) or not all(isinstance(name, str) for name in fields):
        raise UserError("plans.unreadable", file=str(path), reason="runs: ?")
    entries = [Entry(**entry) for entry in Plan(**fields).runs]
    return list(dict.fromkeys(recipe for entry in entries for recipe in entry.recipes()))


def estimate(recipes: Sequence[Recipe], store: RunStore, device: str) -> list[float | None]:
    """Return the seconds that each run would take by itself; None where there is no like record.

    Like are runs on such a ``device`` of the same network, minibatch, precision, loading and
    freezing, or else of a network of that name. Their seconds for one training image, in the median
    epoch of each and on average over them, are multiplied; early stopping may save some.
    """
    seen: dict[Any, list[float]] = {}
    published = [path for path, _ in published_records(store.results)]
    for path in [*published, *store.root.glob("*/record.json")]:
        try:
            record = json.loads(path.read_bytes())
            recipe, seconds = Recipe(**record["recipe"]), median(record["history"]["seconds"])
            kinds = _kinds(recipe) if record["made_with"]["device"] == device else []
        except (OSError, ValueError, LookupError, TypeError):
            continue
        for kind in kinds:
            seen.setdefault(kind, []).append(seconds / recipe.data.num_train)
    rates = {kind: mean(values) for kind, values in seen.items()}

    def seconds_of(recipe: Recipe) -> float | None:
        rate = next((rates[kind] for kind in _kinds(recipe) if kind in rates), None)
        return rate and rate * recipe.data.num_train * recipe.num_epochs

    return [seconds_of(recipe) for recipe in recipes]


def _kinds(recipe: Recipe) -> list[Any]:
    """Return what runs of like cost have in common, the narrowest first."""
    narrow = (recipe.model, recipe.batch_size, recipe.precision, recipe.loading, recipe.freeze)
    return [narrow, recipe.model.name]


def longest_first(recipes: Sequence[Recipe], store: RunStore, device: str) -> list[Recipe]:
    """Return ``recipes`` with those of unknown length first, and then the longest.

    Side by side they then take at most a third longer than in the best order (R. L. Graham, SIAM
    J. Appl. Math. 17, 1969).
    """
    seconds = dict(zip(recipes, estimate(recipes, store, device), strict=True))
    return sorted(recipes, key=lambda recipe: -(seconds[recipe] or inf))
