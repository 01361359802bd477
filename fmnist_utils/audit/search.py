"""Searching for hyperparameters: a table of all that could be found, and methods that look for it within a budget.

A :class:`Grid` holds what every configuration of a space gave when it was trained. A search on it trains nothing, so each
method can be repeated hundreds of times and compared with what there was to be found (as in NAS-Bench-101, arXiv:1902.09635).
The same :func:`search` trains live where its ``evaluate`` does.
"""

from __future__ import annotations

import functools
import itertools
import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import chdtri

from fmnist_utils.audit.records import Run
from fmnist_utils.text import UserError, nearest, say

Space = Mapping[str, Sequence[Any]]
Scores = Iterable[float]
METHODS = ("grid", "random", "tpe", "halving")


class Trial(NamedTuple):
    """A configuration that a search tried, and its score after each epoch that it was given."""

    configuration: dict[str, Any]
    scores: tuple[float, ...]


# --- What there is to be found --------------------------------------------------------------------------------------


class Grid:
    """The scores of every configuration of a space: all combinations of the values of its fields, each with several runs.

    Attributes:
        space: path of a field → its values, ascending.
        curves: configuration (values in the order of ``space``) → scores, shape (runs, epochs).
        tests: configuration → the test accuracy of each run.
    """

    def __init__(
        self, runs: Mapping[str, Sequence[Run]], fields: Sequence[str], column: str = "val_accuracy"
    ):
        """Sort ``runs``, lists of them by label, by the values of ``fields``; a score is ``column`` of the history.

        Raises:
            UserError: if a combination has no run, or not as many as the others.
        """
        sorted_runs: dict[tuple, list[Run]] = {}
        for run in itertools.chain.from_iterable(runs.values()):
            sorted_runs.setdefault(tuple(run.recipe.value(path) for path in fields), []).append(run)
        self.space = {
            path: sorted({key[place] for key in sorted_runs}) for place, path in enumerate(fields)
        }
        self.curves, self.tests, most = {}, {}, max(map(len, sorted_runs.values()), default=1)
        for key in itertools.product(*self.space.values()):
            found = sorted(sorted_runs.get(key, []), key=lambda run: run.recipe.seed)
            if len(found) != most:
                raise UserError(
                    "search.incomplete", given=", ".join(map(str, key)), found=len(found)
                )
            self.curves[key] = np.array([run.history[column] for run in found])
            self.tests[key] = np.array([run.metrics["test_accuracy"] for run in found])

    def __len__(self) -> int:
        return len(self.curves)

    def key(self, configuration: Mapping[str, Any]) -> tuple:
        """Return a configuration's values in the order of ``space``."""
        return tuple(configuration[path] for path in self.space)

    @property
    def num_epochs(self) -> int:
        """How many epochs every run has."""
        return next(iter(self.curves.values())).shape[1]

    @functools.cached_property
    def qualities(self) -> dict[tuple, float]:
        """How good each configuration is: its score after the last epoch, mean over its runs. No search sees it."""
        return {key: float(curves[:, -1].mean()) for key, curves in self.curves.items()}

    @property
    def best(self) -> tuple:
        """The configuration of the highest quality."""
        return max(self.qualities.items(), key=lambda item: item[1])[0]

    @property
    def noise(self) -> float:
        """The standard deviation of a score between the runs of a typical configuration.

        It comes from the median of their variances, which the few that now learn and now do not leave alone, as a mean would not.
        The median of a variance of k + 1 normal values is that of χ² with k degrees of freedom, over k.
        """
        variances = [curves[:, -1].var(ddof=1) for curves in self.curves.values()]
        freedom = len(next(iter(self.curves.values()))) - 1
        return math.sqrt(np.median(variances) * freedom / chdtri(freedom, 0.5))

    def quality(self, configuration: Mapping[str, Any]) -> float:
        """Return the quality of a configuration given by the names of its fields."""
        return self.qualities[self.key(configuration)]

    def evaluate(self, seed: int = 0) -> Callable[[Mapping[str, Any]], Scores]:
        """Return the function that a search asks: it gives the scores of one run of a configuration, drawn by chance."""
        chance = random.Random(seed)
        return lambda configuration: map(float, chance.choice(self.curves[self.key(configuration)]))

    def maps(self, across: str, down: str) -> np.ndarray:
        """Return the mean quality for each pair of values of two fields, shape (values of ``down``, values of ``across``)."""
        qualities = self._array()
        places = [list(self.space).index(path) for path in (down, across)]
        others = tuple(axis for axis in range(qualities.ndim) if axis not in places)
        table = qualities.mean(axis=others)
        return table if places[0] < places[1] else table.T

    def shares(self) -> dict[tuple[str, ...], float]:
        """Return what part of the variance between configurations each field explains by itself, and each pair beyond that.

        The analysis of variance of a complete design, where sums of squares of different terms add up; what is missing to 1 is
        due to three fields or more, and to noise (F. Hutter, H. Hoos and K. Leyton-Brown, ICML 2014, estimate the same from
        incomplete ones).
        """
        qualities = self._array()
        total, effects = qualities.var(), {(): np.full_like(qualities, qualities.mean())}
        for order in (1, 2):
            for axes in itertools.combinations(range(qualities.ndim), order):
                others = tuple(axis for axis in range(qualities.ndim) if axis not in axes)
                mean = np.broadcast_to(qualities.mean(axis=others, keepdims=True), qualities.shape)
                within = [
                    part for size in range(order) for part in itertools.combinations(axes, size)
                ]
                effects[axes] = mean - sum(effects[part] for part in within)
        names = list(self.space)
        return {
            tuple(names[axis] for axis in axes): float((effect**2).mean() / total)
            for axes, effect in effects.items()
            if axes
        }

    def promises(self, size: int, seed: int = 0) -> tuple[float, float, float]:
        """Choose among ``size`` configurations drawn by chance, and return what is promised of the choice and what it keeps.

        Each run of a configuration was validated on images of its own. Returns:
            the highest mean score of the drawn ones, which is what one reports after choosing by it;
            the nested one: each run in turn is kept out of the choice, and is then asked about it; the mean of their scores;
            the test accuracy of the configuration that all runs together choose.
        """
        keys = random.Random(seed).sample(list(self.curves), size)
        scores = np.array([self.curves[key][:, -1] for key in keys])
        best = scores.mean(axis=1).argmax()
        runs = range(scores.shape[1])
        held_out = [
            scores[np.delete(scores, run, axis=1).mean(axis=1).argmax(), run] for run in runs
        ]
        return (
            float(scores[best].mean()),
            float(np.mean(held_out)),
            float(self.tests[keys[best]].mean()),
        )

    def excess(self, sizes: Iterable[int], draws: int) -> dict[str, dict[int, np.ndarray]]:
        """Return what is promised less what is kept, by plain and by nested validation: way → size → one value a draw."""
        all_of = {
            size: np.array([self.promises(size, seed) for seed in range(draws)]) for size in sizes
        }
        ways = enumerate(("plain", "nested"))
        return {
            say(f"search.{way}"): {size: of[:, place] - of[:, 2] for size, of in all_of.items()}
            for place, way in ways
        }

    def foresight(self) -> list[float]:
        """Return how much the order after each epoch resembles the last one: Spearman's rank correlation, an epoch a number."""
        means = pd.DataFrame([curves.mean(axis=0) for curves in self.curves.values()])
        return [
            round(float(one), 2) for one in means.corrwith(means.iloc[:, -1], method="spearman")
        ]

    def _array(self) -> np.ndarray:
        return np.reshape(
            list(self.qualities.values()), [len(values) for values in self.space.values()]
        )


# --- Looking for it -------------------------------------------------------------------------------------------------


def coarse(space: Space, size: int, seed: int = 0) -> dict[str, list[Any]]:
    """Return the grid that a person would make of at most ``size`` points: a few evenly spaced values of each field.

    Values are added one at a time to the field that has the smallest share of its own, the first such, while the product allows
    it; where there is room to shift them, chance does.
    """
    chance, counts = random.Random(seed), dict.fromkeys(space, 1)
    growing = list(space)
    while growing:
        path = min(growing, key=lambda path: counts[path] / len(space[path]))
        more = counts | {path: counts[path] + 1}
        if math.prod(more.values()) <= size:
            counts = more
        if counts != more or counts[path] == len(space[path]):
            growing.remove(path)

    def spread(values: Sequence[Any], count: int) -> list[Any]:
        step = len(values) // count
        start = chance.randrange(len(values) - step * (count - 1))
        return list(values[start::step][:count])

    return {path: spread(values, counts[path]) for path, values in space.items()}


def search(
    method: str,
    space: Space,
    evaluate: Callable[[dict[str, Any]], Scores],
    budget: int,
    num_epochs: int,
    seed: int = 0,
    storage: str | Path | None = None,
    name: str = "search",
) -> list[Trial]:
    """Try configurations of ``space`` until ``budget`` epochs are spent; return the trials of this call, in their order.

    All methods spend the same; they differ in what they try, and the last in when it gives up:

    - ``grid``: the points of :func:`coarse`, in an order drawn by chance;
    - ``random``: each value drawn by chance (J. Bergstra and Y. Bengio, JMLR 13, 2012);
    - ``tpe``: values that were frequent among the best trials so far and rare among the others (J. Bergstra and others, NeurIPS
      2011), after a third of the budget at random;
    - ``halving``: as ``random``, but after 1, 2, 4, … epochs only the better half goes on (K. Jamieson and A. Talwalkar, AISTATS
      2016; asynchronous, L. Li and others, MLSys 2020).

    Args:
        space: path of a field → its values.
        evaluate: gives the scores of a configuration after each epoch, the higher the better, one by one: so one that trains does
            not train the epochs that nobody asks for.
        budget: epochs, of all trials together.
        num_epochs: of a trial that goes on to its end.
        storage: a journal file that several processes may share, on one machine or on a common drive, to search together and to
            go on later; the budget is then that of each, and each has a seed of its own.
        name: of the study in that file.

    Raises:
        UserError: if there is no such method, the budget is less than one trial's, or Optuna is not installed.
    """
    if method not in METHODS:
        raise UserError(
            "search.unknown",
            given=method,
            allowed=", ".join(METHODS),
            hint=nearest(method, METHODS),
        )
    if budget < num_epochs:
        raise UserError("search.budget", budget=budget, epochs=num_epochs)
    study = _study(method, space, budget // num_epochs, seed, storage, name)
    states, trials, spent = _optuna().trial.TrialState, [], 0
    while spent < budget and (
        method != "grid" or study.get_trials(deepcopy=False, states=(states.WAITING,))
    ):
        asked = study.ask()
        configuration = {path: _suggest(asked, path, values) for path, values in space.items()}
        scores: list[float] = []
        for score in itertools.islice(evaluate(configuration), min(num_epochs, budget - spent)):
            scores.append(score)
            asked.report(score, len(scores))
            if asked.should_prune():
                break
        spent += len(scores)
        whole = len(scores) == num_epochs
        study.tell(
            asked, scores[-1] if whole else None, states.COMPLETE if whole else states.PRUNED
        )
        trials.append(Trial(configuration, tuple(scores)))
    return trials


def chosen(trials: Sequence[Trial]) -> Trial:
    """Return the trial that a search ends with: of those that went on longest, the one with the highest last score."""
    return max(trials, key=lambda trial: (len(trial.scores), trial.scores[-1]))


def progress(
    trials: Sequence[Trial],
    quality: Callable[[dict[str, Any]], float],
    num_epochs: int,
    budget: int,
) -> list[float]:
    """Return how good the choice would be if the search ended after each epoch: one number for each epoch of the budget.

    Before the first trial has gone its ``num_epochs``, it is NaN: there is nothing to choose yet. A search that ends before its
    budget keeps its choice.
    """
    best, now, course = -math.inf, math.nan, []
    for trial in trials:
        course += [now] * (len(trial.scores) - 1)
        if len(trial.scores) == num_epochs and trial.scores[-1] > best:
            best, now = trial.scores[-1], quality(trial.configuration)
        course.append(now)
    return course + [now] * (budget - len(course))


def repeat(grid: Grid, budget: int, repeats: int) -> dict[str, list[list[Trial]]]:
    """Search ``grid`` with every method so many times; return the trials of each search, by the name of its method."""
    how = grid.space, grid.evaluate, budget, grid.num_epochs
    return {
        method: [search(method, how[0], how[1](k), *how[2:], k) for k in range(repeats)]
        for method in METHODS
    }


def courses(
    grid: Grid, found: Mapping[str, Sequence[Sequence[Trial]]], budget: int
) -> dict[str, dict[int, np.ndarray]]:
    """Return :func:`progress` of repeated searches: method in words → epochs spent → one value a search."""

    def course(searches: Sequence[Sequence[Trial]]) -> np.ndarray:
        return np.array(
            [progress(trials, grid.quality, grid.num_epochs, budget) for trials in searches]
        )

    return {
        say(f"search.{method}"): dict(enumerate(course(searches).T, 1))
        for method, searches in found.items()
    }


def summary(
    grid: Grid, found: Mapping[str, Sequence[Sequence[Trial]]], budget: int
) -> pd.DataFrame:
    """Return what repeated searches end with, one row a method, in the language in force.

    To arrive is to choose a configuration within one standard deviation of a score of the best one's quality.
    """
    rows, goal = {}, grid.qualities[grid.best] - grid.noise
    for (name, course), searches in zip(
        courses(grid, found, budget).items(), found.values(), strict=True
    ):
        near = np.array(list(course.values())).T >= goal
        arrivals = [1 + line.argmax() for line in near if line.any()]
        final = 100 * course[budget]
        rows[name] = {
            "trials": f"{np.mean([len(trials) for trials in searches]):.0f}",
            "accuracy": f"{final.mean():.1f} ± {final.std(ddof=1):.1f} %",
            "reached": f"{100 * near[:, -1].mean():.0f} %",
            "epochs": f"{np.median(arrivals):.0f}" if arrivals else "–",
        }
    table = pd.DataFrame(rows).T.rename_axis(columns=say("search.method"))
    return table.rename(columns=lambda column: say(f"search.{column}"))


def opened(
    grid: Grid, found: Mapping[str, Sequence[Sequence[Trial]]], usual: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """Return the test accuracies of the ``usual`` configuration and of what the first search of each method ended with.

    Their names, in the language in force, say who picked the configuration and what it is.
    """
    picks = {"usual": usual} | {
        method: chosen(searches[0]).configuration for method, searches in found.items()
    }
    keys = {method: grid.key(configuration) for method, configuration in picks.items()}
    return {
        f"{say(f'search.{name}')}: {' · '.join(map(str, key))}": grid.tests[key]
        for name, key in keys.items()
    }


def _optuna():
    try:
        import optuna
    except ImportError:
        raise UserError("search.no_optuna") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _study(method: str, space: Space, size: int, seed: int, storage: str | Path | None, name: str):
    """Return Optuna's study for ``method``; the points of a grid wait in it."""
    optuna, kept = _optuna(), {}
    if storage is not None:
        backend = optuna.storages.journal.JournalFileBackend(str(storage))
        kept = {
            "storage": optuna.storages.JournalStorage(backend),
            "study_name": name,
            "load_if_exists": True,
        }
    pruner = optuna.pruners.NopPruner()
    if method == "halving":
        pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=2)
    study = optuna.create_study(direction="maximize", pruner=pruner, **kept)
    drawn = seed + 10_007 * len(
        study.get_trials(deepcopy=False)
    )  # going on, it does not draw the same once more
    study.sampler = optuna.samplers.RandomSampler(drawn)
    if method == "tpe":
        study.sampler = optuna.samplers.TPESampler(n_startup_trials=max(1, size // 3), seed=drawn)
    if method != "grid":
        return study
    grid = coarse(space, size, seed)
    points = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    random.Random(seed).shuffle(points)
    for point in points:
        known = {path: _as_index(space[path], value) for path, value in point.items()}
        study.enqueue_trial(
            known, skip_if_exists=storage is not None
        )  # else none is there, and to look takes most of the time
    return study


def _is_ordered(values: Sequence[Any]) -> bool:
    """Return whether the distance between values means something: numbers, at least three of them."""
    return len(values) > 2 and not any(isinstance(value, (str, bool)) for value in values)


def _as_index(values: Sequence[Any], value: Any) -> Any:
    return list(values).index(value) if _is_ordered(values) else value


def _suggest(asked, path: str, values: Sequence[Any]) -> Any:
    """Return the value that the study suggests: of numbers in order their place, so that neighbours are neighbours."""
    if _is_ordered(values):
        return values[asked.suggest_int(path, 0, len(values) - 1)]
    return asked.suggest_categorical(path, list(values))
