"""What the runs of a report give for a measure: one value a seed, and the estimate from all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fmnist_utils.audit.estimates import Estimate
from fmnist_utils.audit.measures import Measure, Metric
from fmnist_utils.audit.records import Run
from fmnist_utils.audit.schema import Across, Report, Store, find_group
from fmnist_utils.text import say


@dataclass
class Readings:
    """The measures of one report, read off the runs of a store."""

    report: Report | Across
    store: Store

    def runs_of(self, name: str, protocol: str) -> list[Run]:
        """Return the recorded runs of the group that ``name`` means, see :func:`find_group`."""
        owner, group = find_group(name, self.report)
        return owner.runs_of(group, protocol, self.store)

    def by_seed(self, measure: Measure, protocol: str) -> list[dict[int, float]]:
        """Return the value of each seed, one dictionary for each group of ``measure.of``; without a group's runs, it is empty."""
        found = []
        for name in measure.of:
            runs = [run for run in self.runs_of(name, protocol) if measure.fits(run)]
            found.append({run.recipe.seed: measure.of_run(run) for run in runs})
        return found

    def runs_behind(self, measure: Measure, protocol: str) -> list[Run]:
        """Return the runs of all groups that a measure is of."""
        return [run for name in measure.groups for run in self.runs_of(name, protocol)]

    def planned(self, measure: Measure, protocol: str) -> int:
        """Return how many runs are planned of each group of a measure; of the one with fewest."""
        counts = []
        for name in measure.groups:
            owner, group = find_group(name, self.report)
            counts.append(len(owner.groups[group].all_seeds(protocol)))
        return min(counts)

    def values(self, measure: Measure, protocol: str) -> dict[int, float]:
        """Return the value of each seed that all groups of ``measure.of`` have."""
        found = self.by_seed(measure, protocol)
        if measure.scale == "event":
            pairs = [value for of_group in found for value in of_group.values()]
            return dict(enumerate(pairs))
        ways: dict[str, Callable[[Sequence[float]], Any]]
        ways = {"mean": np.mean, "lowest": min, "highest": max}
        together = ways[measure.together]
        seeds = [seed for seed in found[0] if all(seed in other for other in found)]
        return {seed: float(together([of_group[seed] for of_group in found])) for seed in seeds}

    def estimate(self, measure: Measure, protocol: str) -> Estimate | None:
        """Return the estimate of ``measure`` under ``protocol``, or None where a group has no runs under it."""
        first = self.values(measure, protocol)
        if not measure.compared_with:
            values = list(first.values())
            return Estimate.of(values, measure.scale, self.whole(measure, protocol), measure.grain)
        second = self.values(measure.other_side, protocol)
        if measure.scale == "exact":
            means = [float(np.mean(list(values.values()))) for values in (first, second) if values]
            if len(means) < 2:
                return None
            value = means[0] / means[1] if measure.over else means[0] - means[1]
            return Estimate(value, 0.0, min(len(first), len(second)), "exact")
        if not measure.paired:
            return Estimate.compare(
                list(first.values()), list(second.values()), ratio=bool(measure.over)
            )
        pairs = [(value, second[seed]) for seed, value in first.items() if seed in second]
        values = [one / other if measure.over else one - other for one, other in pairs]
        scale = "log" if measure.over else "plain"
        return Estimate.of(values, scale, overlap=measure.overlap)  # type: ignore[arg-type]

    def whole(self, measure: Measure, protocol: str) -> float:
        """Return what a share of ``measure`` is of."""
        fitting = [run for run in self.runs_of(measure.of[0], protocol) if measure.fits(run)]
        return measure.quantity.whole(fitting[0]) if fitting and not measure.less else 1.0

    def describe(self, measure: Measure, protocol: str) -> str:
        """Return in words which runs a measure stands on, and what their rows have to say."""
        texts, notes, recipes = [], [], []
        for name in measure.groups:
            owner, group = find_group(name, self.report)
            recipes.append(owner.recipe(group, protocol, owner.groups[group].first_seed))
            texts.append(f"«{owner.label(group, recipes[-1])}»")
            if owner.groups[group].note:
                notes.append(str(owner.groups[group].note))
        if len(texts) > 4:
            texts = [*texts[:2], say("audit.and_more", count=len(texts) - 2)]
        described = say("audit.runs_of", groups=", ".join(texts))
        if isinstance(measure.quantity, Metric) and recipes[0].task == "classification":
            described += " " + say(f"audit.kept_{recipes[0].select}")
        return " ".join([described, *dict.fromkeys(notes)])
