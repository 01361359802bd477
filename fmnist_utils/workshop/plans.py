"""Plans: the file that says what a sweep is to make, the tasks that come of it, and what they will take.

A plan is a YAML file with a list, ``runs``. Each entry names a group of a report, spells out a recipe, or names a page; and may
vary it: ``set`` changes fields, ``grid`` makes one task of each combination of values, ``seeds`` and ``folds`` repeat it::

    runs:
      - report: "01"
        group: model_2
        protocol: ours
        grid: {learning_rate: [0.003, 0.001], model.dropout: [0.0, 0.2]}
        seeds: 5
      - page: "02"
        set: {lang: en}
        grid: {latent_dim: [16, 32]}
"""

from __future__ import annotations

import hashlib
import heapq
import itertools
import json
import os
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from statistics import mean, median
from typing import Annotated, Any

import yaml
from pydantic import Field, model_validator

from fmnist_utils.audit.recipes import CheckedSpec, Count, PositiveInt, Recipe, changed
from fmnist_utils.audit.records import Run
from fmnist_utils.audit.schema import load_report
from fmnist_utils.text import LANGUAGES, UserError, get_language
from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.execution import find_page, run_page
from fmnist_utils.workshop.store import RunStore

Values = Annotated[list[Any], Field(min_length=1)]
Repeats = PositiveInt | Annotated[list[Count], Field(min_length=1)]


class Entry(CheckedSpec):
    """One entry of a plan: exactly one of ``report``, ``recipe`` and ``page``.

    Attributes:
        report: a report's name or number; by itself, all of its runs.
        group, protocol: one of its groups, under one of its protocols (``ours``, if the plan does not say).
        recipe: the fields of a :class:`~fmnist_utils.recipes.Recipe`.
        page: as for ``fmnist run``; ``set`` and ``grid`` then hold its parameters. ``lang`` and ``profile`` are ``es`` and
            ``quick`` where the plan does not say, whatever the variables of a machine say: all of them must mean the same.
        set: path of a field → value: ``{num_epochs: 10, model.dropout: 0.1}``.
        grid: path of a field → values; one task for each combination.
        seeds: so many seeds from 0, or a list of them.
        folds: so many folds from 0, or a list: ``data.fold`` of the recipe.
    """

    report: str | None = None
    group: str | None = None
    protocol: str | None = None
    recipe: dict[str, Any] | None = None
    page: str | None = None
    set: dict[str, Any] = {}
    grid: dict[str, Values] = {}
    seeds: Repeats | None = None
    folds: Repeats | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Entry:
        if sum(given is not None for given in (self.report, self.recipe, self.page)) != 1:
            raise UserError("plans.one_of")
        if self.group and not self.report:
            raise UserError("plans.group_of_report")
        if self.protocol and not self.group:
            raise UserError("plans.protocol_of_group")
        if self.folds is not None and self.page:
            raise UserError("plans.no_folds")
        if self.seeds is not None and self.report and not self.group:
            raise UserError("plans.seeds_of_group")
        return self

    def tasks(self, folder: Path) -> list[Task]:
        """Return the tasks of this entry; a notebook's path is taken from ``folder``."""
        axes = [[(path, value) for value in values] for path, values in self.grid.items()]
        if self.folds is not None:
            axes.append([("data.fold", fold) for fold in _each(self.folds)])
        if (
            self.seeds is not None and not self.report
        ):  # in a report a seed may decide more, the encoder for one
            axes.append([("seed", seed) for seed in _each(self.seeds)])
        changes = [{**self.set, **dict(point)} for point in itertools.product(*axes)]
        if self.page is not None:
            page = (
                str((folder / self.page).resolve()) if self.page.endswith(".ipynb") else self.page
            )
            return [PageRun.checked(page, parameters) for parameters in changes]
        return [Training(changed(base, change)) for base in self._bases() for change in changes]

    def _bases(self) -> list[dict[str, Any]]:
        """Return the fields of the recipes that ``set`` and ``grid`` change."""
        if self.recipe is not None:
            return [self.recipe]
        report = load_report(self.report)
        if self.group:
            seeds = _each(self.seeds) if self.seeds is not None else [0]
            recipes = [report.recipe(self.group, self.protocol or "ours", seed) for seed in seeds]
        else:
            recipes = [recipe for of_group in report.all_recipes().values() for recipe in of_group]
        return [json.loads(recipe.canonical_json) for recipe in recipes]


def _each(repeats: int | list[int]) -> Sequence[int]:
    return range(repeats) if isinstance(repeats, int) else repeats


class Plan(CheckedSpec):
    """The whole file; each of ``runs`` holds the fields of an :class:`Entry`."""

    runs: Annotated[list[dict[str, Any]], Field(min_length=1)]


@dataclass(frozen=True)
class Training:
    """A task: the training of a recipe; with ``weights``, a record alone will not do, as another run starts from its encoder."""

    recipe: Recipe
    weights: bool = False
    resumes = True

    @property
    def id(self) -> str:
        return self.recipe.id

    @property
    def label(self) -> str:
        recipe = self.recipe
        return f"{recipe.model.name} {recipe.data.source} epochs={recipe.num_epochs} seed={recipe.seed} fold={recipe.data.fold}"

    @property
    def epochs(self) -> int:
        return self.recipe.num_epochs

    @property
    def needs(self) -> str | None:
        """The id of the task that must be done before this one, if any."""
        return self.recipe.encoder_from.id if self.recipe.encoder_from else None

    def find(self, store: RunStore) -> Run | None:
        """Return the finished run, or None."""
        return store.find(self.recipe, self.weights)

    def perform(self, store: RunStore, threads: int, device: str) -> None:
        """Train in the folder that ``store`` gives for it."""
        train(
            self.recipe,
            store=store,
            device=device,
            threads=threads,
            weights=self.weights,
            progress=False,
        )

    def to_json(self) -> dict[str, Any]:
        return {"recipe": json.loads(self.recipe.canonical_json), "weights": self.weights}


@dataclass(frozen=True)
class PageRun:
    """A task: a page run with parameters. Its id covers the notebook's content, so that a changed page is another task."""

    page: str
    parameters: tuple[tuple[str, Any], ...]
    id: str
    resumes, needs, epochs = False, None, 0

    @classmethod
    def checked(cls, page: str, parameters: dict[str, Any]) -> PageRun:
        """Return the task.

        Raises:
            UserError: if there is no such page, or a parameter is misspelt or not allowed.
        """
        page = (
            str(Path(page).resolve()) if page.endswith(".ipynb") else page
        )  # wherever the one who runs it may be
        notebook, report = find_page(page)
        chosen = {"lang": "es", "profile": "quick"} | parameters
        # The check speaks the language that it is given.
        mine = {"lang": get_language()} if chosen["lang"] in LANGUAGES else {}
        report.check_parameters(chosen | mine)
        content = hashlib.sha256(notebook.read_bytes()).hexdigest()
        known = json.dumps([content, chosen], sort_keys=True)
        return cls(page, cls._values(chosen), hashlib.sha256(known.encode()).hexdigest())

    @property
    def label(self) -> str:
        return " ".join(
            [Path(self.page).stem, *(f"{name}={value}" for name, value in self.parameters)]
        )

    def find(self, store: RunStore) -> Path | None:
        """Return the executed notebook, or None."""
        path = store.folder(self) / "page.ipynb"
        return path if path.exists() else None

    def perform(self, store: RunStore, threads: int, device: str) -> None:
        """Run the page in the folder that ``store`` gives for it, which becomes this process's working folder.

        Raises:
            UserError: if the notebook is no longer the one that the task was made from.
        """
        if self.checked(self.page, self._given).id != self.id:
            raise UserError("plans.page_changed", page=Path(self.page).name)
        os.chdir(store.folder(self))
        # For the notebook's kernel.
        os.environ |= {
            "OMP_NUM_THREADS": str(threads),
            "FMNIST_RUNS": str(store.root),
            "FMNIST_RESULTS": str(store.results),
        }
        run_page(self.page, self._given, "page.ipynb")

    @property
    def _given(self) -> dict[str, Any]:
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in self.parameters
        }

    def to_json(self) -> dict[str, Any]:
        return {"page": self.page, "parameters": self._given, "id": self.id}

    @staticmethod
    def _values(parameters: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
        return tuple(
            (name, tuple(v) if isinstance(v, list) else v) for name, v in sorted(parameters.items())
        )


Task = Training | PageRun


def task_from_json(fields: dict[str, Any]) -> Task:
    """Return the task that ``to_json`` wrote; a page is not looked at, which may have changed or gone since."""
    if "page" in fields:
        return PageRun(fields["page"], PageRun._values(fields["parameters"]), fields["id"])
    return Training(Recipe(**fields["recipe"]), fields["weights"])


def read_plan(path: str | Path) -> list[Task]:
    """Return the tasks of a plan, each once, with the encoders that they start from before them.

    Raises:
        UserError: if the file cannot be read, or an entry is not what it may be; nothing has been started then.
    """
    path = Path(path)
    try:
        fields = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UserError("plans.unreadable", file=str(path), reason=str(error)) from None
    if not isinstance(fields, dict) or not all(isinstance(name, str) for name in fields):
        raise UserError("plans.unreadable", file=str(path), reason="runs: ?")
    return with_encoders(
        task for entry in Plan(**fields).runs for task in Entry(**entry).tasks(path.parent)
    )


def with_encoders(work: Iterable[Task | Recipe]) -> list[Task]:
    """Return the tasks of ``work``, each once; before a recipe that starts from another run's encoder, that run."""
    tasks: dict[str, Task] = {}
    for item in work:
        task = Training(item) if isinstance(item, Recipe) else item
        chain = [task]
        while isinstance(chain[0], Training) and chain[0].recipe.encoder_from:
            chain.insert(0, Training(chain[0].recipe.encoder_from, weights=True))
        for each in chain:
            if each.id not in tasks or getattr(each, "weights", False):
                tasks[each.id] = each
    return list(tasks.values())


# --- What it will take ----------------------------------------------------------------------------------------------


def estimate(tasks: Sequence[Task], store: RunStore, device: str = "cpu") -> list[float | None]:
    """Return the seconds that each task would take alone, from the records of like runs on a ``device``; None where none is.

    Like are those of the same network, minibatch, precision, loading and freezing, or else of a network of that name. Their
    seconds for one training image, in the median epoch of each and on average over them, are multiplied; early stopping may save some.
    """
    seen: dict[Any, list[float]] = {}
    for path in [*store.results.glob("*/records/*.json"), *store.root.glob("*/record.json")]:
        try:
            fields = json.loads(path.read_bytes())
            recipe, seconds, made_on = (
                Recipe(**fields["recipe"]),
                fields["history"]["seconds"],
                fields["made_with"]["device"],
            )
        except (OSError, ValueError, LookupError, TypeError):
            continue
        if made_on == device and seconds:
            for kind in _kinds(recipe):
                seen.setdefault(kind, []).append(median(seconds) / recipe.data.num_train)
    known = {kind: mean(values) for kind, values in seen.items()}

    def of(recipe: Recipe) -> float | None:
        rate = next((known[kind] for kind in _kinds(recipe) if kind in known), None)
        return None if rate is None else rate * recipe.data.num_train * recipe.num_epochs

    return [of(task.recipe) if isinstance(task, Training) else None for task in tasks]


def longest_first(tasks: Sequence[Task], store: RunStore, device: str = "cpu") -> list[Task]:
    """Return ``tasks`` with the longest first, so that no worker is left alone with a long one in the end.

    A task counts with what has to wait for it: an encoder with the longest of its classifiers. Unknown ones come first. Runs that
    wait for no other then end at most a third later than in the best order (R. L. Graham, SIAM J. Appl. Math. 17, 1969).
    """
    alone = {
        task.id: inf if each is None else each
        for task, each in zip(tasks, estimate(tasks, store, device), strict=True)
    }
    total = dict(alone)
    for task in reversed(tasks):  # ``with_encoders`` puts what is needed before what needs it
        if task.needs in total:
            total[task.needs] = max(total[task.needs], alone[task.needs] + total[task.id])
    return sorted(tasks, key=lambda task: -total[task.id])


def _kinds(recipe: Recipe) -> list[Any]:
    """Return what runs of like cost have in common, the narrowest first."""
    return [
        (recipe.model, recipe.batch_size, recipe.precision, recipe.loading, recipe.freeze),
        recipe.model.name,
    ]


@dataclass(frozen=True)
class Conditions:
    """What a projection takes for granted besides the seconds of the runs.

    Attributes:
        start_up: seconds before a run begins to train: Python, PyTorch, the data.
        failing: the share of the runs that fail once, at a random moment, and are made again from their last epoch.
        losses_per_day: how often a worker is lost (switched off, pre-empted, out of memory).
        back_after: seconds until a lost worker is there again.
        lease: seconds until the others notice.
        epochs: in how many equal parts a run keeps what it has done.
    """

    start_up: float = 10
    failing: float = 0.02
    losses_per_day: float = 1
    back_after: float = 600
    lease: float = 60
    epochs: int = 30


@dataclass(frozen=True)
class Projection:
    """How a sweep would go: ``seconds`` from start to end, ``busy`` share of the workers' time that ends in a record, ``losses``."""

    seconds: float
    busy: float
    losses: int


def project(
    seconds: Sequence[float], workers: int, conditions: Conditions = Conditions(), seed: int = 0
) -> Projection:
    """Return how runs of so many ``seconds`` would go on so many workers: a simulation, event by event.

    A free worker takes the first run that waits, at the beginning the longest. It ends, fails, or the worker is lost; what
    finished epochs hold is kept, and the rest waits again. Losses are a Poisson process. The workers are alike and do not slow
    each other down.
    """
    chance, day = random.Random(seed), 86_400
    order = sorted(seconds, reverse=True)
    waiting = [
        (0.0, number, run, run, chance.random() < conditions.failing)
        for number, run in enumerate(order)
    ]
    free = [(0.0, worker) for worker in range(workers)]
    end, losses, numbers = 0.0, 0, itertools.count(len(waiting))
    while waiting:
        now, worker = heapq.heappop(free)
        since, _, rest, whole, fails = heapq.heappop(waiting)
        begin = max(now, since)
        needed = conditions.start_up + rest
        stop = chance.uniform(0, needed) if fails else needed
        lost = (
            chance.expovariate(conditions.losses_per_day / day)
            if conditions.losses_per_day
            else float("inf")
        )
        if lost >= stop and not fails:
            end = max(end, begin + needed)
            heapq.heappush(free, (begin + needed, worker))
            continue
        spent = min(lost, stop)
        part = whole / conditions.epochs
        kept = max(spent - conditions.start_up, 0) // part * part if part else 0.0
        gone = lost < stop
        losses += gone
        again = begin + spent + (conditions.lease if gone else 0)
        heapq.heappush(
            waiting, (again, next(numbers), max(rest - kept, 0.0), whole, fails and gone)
        )
        heapq.heappush(free, (begin + spent + (conditions.back_after if gone else 0), worker))
    return Projection(end, sum(seconds) / (workers * end) if end else 1.0, losses)
