"""Groups of runs: one recipe over its seeds and protocols, and grids of them, as they stand in the YAML of a report."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field

from fmnist_utils.audit.recipes import AsTuple, Count, PositiveInt, Spec, set_field
from fmnist_utils.text import UserError, get_language

# Where PyYAML has libyaml, in an eighth of the time.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Seeds = PositiveInt | Annotated[tuple[Count, ...], AsTuple, Field(min_length=1)]


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
        note: what every row of the audit says that stands on these runs.
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
    note: Bilingual | None = None
    checkpoint: str | None = None

    def all_seeds(self, protocol: str) -> Sequence[int]:
        """Return the seeds of the full runs under ``protocol``."""
        seeds = self.seeds[protocol] if isinstance(self.seeds, dict) else self.seeds
        if isinstance(seeds, int):
            return range(self.first_seed, self.first_seed + seeds)
        return seeds


def expand_grids(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a report with the groups of each grid in its place, and protocols for those that name none."""
    groups: dict[str, Any] = {}
    for name, group in check_mapping("groups", fields.get("groups", {})).items():
        if isinstance(group, Group):
            groups[name] = group
            continue
        grid = check_mapping(f"{name}.grid", check_mapping(name, group).get("grid", {}))
        for values in itertools.product(*grid.values()):
            one = {key: value for key, value in copy.deepcopy(group).items() if key != "grid"}
            if grid:
                _fill_in(one, dict(zip(grid, values, strict=True)))
            name_of_one = "_".join([name, *map(name_of, values)])
            groups[name_of_one] = groups[name_of_one] | one if name_of_one in groups else one
    first = {"protocols": list(check_mapping("protocols", fields.get("protocols", {})))[:1]}
    named = {
        name: first | group if isinstance(group, dict) else group for name, group in groups.items()
    }
    return {**fields, "groups": named}


def _fill_in(group: dict[str, Any], values: dict[str, Any]) -> None:
    """Set the fields of one group of a grid, and name the groups that it is like or starts from."""
    known = {path.rpartition(".")[2]: name_of(value) for path, value in values.items()}
    for key in ("like", "encoder_from"):
        if key in group:
            group[key] = _fill(group[key], known)
    group.setdefault("recipe", {})
    for path, value in values.items():
        set_field(group["recipe"], path, value)


class Loader(_LOADER):  # type: ignore[misc]
    """Reads YAML as people write it: 1e-3 is a number, 01 a text, and no key stands twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        first: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if key.value in first and key.value != "<<":
                raise UserError("yaml.repeated", key=key.value, line=line, first=first[key.value])
            first[key.value] = line
        return super().construct_mapping(node, deep)


Loader.yaml_implicit_resolvers = {
    letter: [
        (tag, re.compile(r"[-+]?(0|[1-9][0-9_]*)$") if tag.endswith(":int") else pattern)
        for tag, pattern in resolvers
    ]
    for letter, resolvers in _LOADER.yaml_implicit_resolvers.items()
}
_FLOAT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$")
Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))


def parse_yaml(path: Path) -> Any:
    """Return what a YAML file holds.

    Raises:
        OSError, ValueError, yaml.YAMLError: if it cannot be read, is not YAML, or a key is repeated.
    """
    return Loader(path.read_bytes()).get_single_data()


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the fields of a YAML file."""
    try:
        fields = parse_yaml(path)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UserError("reports.unreadable", file=path.name, reason=error) from None
    return check_mapping(path.name, fields)


def check_mapping(name: str, given: Any) -> dict[str, Any]:
    """Return ``given`` if it is a dictionary of fields, as what is called ``name`` has to be."""
    if isinstance(given, dict) and all(isinstance(key, str) for key in given):
        return given
    raise UserError("reports.not_a_mapping", name=name, given=type(given).__name__)


def flatten(fields: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (path, value) for each leaf of nested dictionaries."""
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _fill(names: str | dict[str, str], values: dict[str, Any]) -> str | dict[str, str]:
    """Return a name, or the names in a dictionary, with the values of a grid in place of ``{latent_dim}`` and the like."""
    if isinstance(names, dict):
        return {key: name.format(**values) for key, name in names.items()}
    return names.format(**values)


def name_of(value: Any) -> str:
    """Return a value of a recipe as it stands in names and labels: ``512``, ``600x120``."""
    return "x".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
