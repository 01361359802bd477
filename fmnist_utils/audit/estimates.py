"""Estimates: the mean of some runs, its intervals, and what a comparison of two groups of runs gives.

Every interval is computed on a scale on which the runs spread alike on both sides, and brought back: shares by their logit, so that
it stays within 0 and 1, positive quantities by their logarithm, the epoch of a minimum too, cut at the first epoch and at the last,
events (yes or no) exactly, by Clopper and Pearson. The quantiles and distributions are SciPy's.
"""

from __future__ import annotations

import bisect
import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from fmnist_utils.audit.measures import Scale
from fmnist_utils.text import say

CONFIDENCE = 0.95
POWER = 0.8
MOST_RUNS = 1000  # where more than so many would be needed, nobody would make them
MOST_APART = 8.0  # standard deviations: what lies further apart never comes out in the other order
IMAGES = 10_000  # of the test set: a share of 0 or 1 counts as half an image away from it


def to_scale(value: float, scale: Scale, whole: float = 1.0) -> float:
    """Return ``value`` on its scale; of a share of ``whole`` images, the logit."""
    if scale in ("log", "epoch"):
        return math.log(max(value, 1e-12))
    if scale == "share":
        half = 0.5 / (whole if whole > 1 else IMAGES)
        share = min(max(value / whole, half), 1 - half)
        return math.log(share / (1 - share))
    return value


def from_scale(value: float, scale: Scale, whole: float = 1.0) -> float:
    """Return a value on its scale as it was."""
    if scale == "log":
        return math.exp(min(value, 700))
    if scale == "epoch":
        return min(max(math.exp(min(value, 700)), 1.0), whole)
    if scale == "share":
        return whole / (1 + math.exp(-min(max(value, -700), 700)))
    return value


@dataclass(frozen=True)
class Part:
    """What one group of runs brings to an estimate, on its scale.

    Attributes:
        variance: of one run; None where a single run does not tell it.
        freedom: the degrees of freedom of that variance.
    """

    mean: float
    variance: float | None
    n: int
    freedom: float

    @classmethod
    def of(cls, values: Sequence[float], least: float = 0.0) -> Part:
        """Return the part of some runs; their variance is at least ``least``, that of rounding to whole numbers."""
        n = len(values)
        variance = max(float(np.var(values, ddof=1)), least) if n > 1 else None
        return cls(float(np.mean(values)), variance, n, n - 1)


@dataclass(frozen=True)
class Estimate:
    """The mean and the sample standard deviation of ``n`` runs, and the intervals that follow from them.

    Attributes:
        sd: None for a single run.
        parts: one of a group of runs; of a comparison whose runs do not belong together in pairs, one of each group.
        whole: what a share is of: the images of a row of the confusion matrix; of an epoch, the last one.
        overlap: see :class:`~fmnist_utils.audit.measures.Measure`.
    """

    mean: float
    sd: float | None
    n: int
    scale: Scale = "plain"
    parts: tuple[Part, ...] = ()
    whole: float = 1.0
    overlap: float = 0.0

    @classmethod
    def of(
        cls,
        values: Sequence[float],
        scale: Scale = "plain",
        whole: float = 1.0,
        grain: float = 0.0,
        overlap: float = 0.0,
    ) -> Estimate | None:
        """Return the estimate from one value a run, or None if there is no value."""
        if not len(values):
            return None
        mean, n = float(np.mean(values)), len(values)
        sd = float(np.std(values, ddof=1)) if n > 1 else None
        on_scale = [to_scale(value, scale, whole) for value in values]
        least = grain**2 / 12  # the variance of rounding, carried to the scale to first order
        if scale in ("log", "epoch"):
            least /= mean**2
        elif scale == "share":
            share = min(max(mean / whole, 1 / IMAGES), 1 - 1 / IMAGES)
            least /= (whole * share * (1 - share)) ** 2
        return cls(mean, sd, n, scale, (Part.of(on_scale, least),), whole, overlap)

    @classmethod
    def compare(
        cls, first: Sequence[float], second: Sequence[float], ratio: bool = False
    ) -> Estimate | None:
        """Return the difference of the means of two groups, or their ratio; None if one has no runs.

        The runs do not belong together in pairs: the variances add (B. L. Welch, Biometrika 34, 1947, pp. 28-35). Of a ratio, those
        of the logarithms.
        """
        if not len(first) or not len(second):
            return None
        scale: Scale = "log" if ratio else "plain"
        one, other = (
            Part.of([to_scale(value, scale) for value in values]) for values in (first, second)
        )
        parts = (one, dataclasses.replace(other, mean=-other.mean))
        means = float(np.mean(first)), float(np.mean(second))
        mean = means[0] / means[1] if ratio else means[0] - means[1]
        sd = None
        if one.variance is not None and other.variance is not None:
            spread = math.sqrt(one.variance + other.variance)
            sd = abs(mean) * spread if ratio else spread
        return cls(mean, sd, min(len(first), len(second)), scale, parts)

    def with_spread(self, variance: float, freedom: float) -> Estimate:
        """Return this estimate with the variance of one run taken from elsewhere: pooled over the rows of a table."""
        part = dataclasses.replace(self.parts[0], variance=variance, freedom=freedom)
        return dataclasses.replace(self, parts=(part,))

    @property
    def runs(self) -> str:
        """How many runs, in words."""
        if len(self.parts) > 1:
            return say("audit.unpaired_runs", first=self.parts[0].n, second=self.parts[1].n)
        return str(self.n)

    @property
    def decides(self) -> bool:
        """Whether there are runs enough for an interval."""
        if self.scale in ("exact", "event"):
            return True
        return all(part.variance is not None for part in self.parts) and bool(self.parts)

    @property
    def centre(self) -> float:
        """The middle of the intervals, on the scale."""
        return sum(part.mean for part in self.parts)

    @property
    def possible(self) -> tuple[float, float]:
        """The least and the most that it can be."""
        ranges = {"log": (0.0, math.inf), "share": (0.0, self.whole), "epoch": (1.0, self.whole)}
        return ranges.get(self.scale, (-math.inf, math.inf))

    def _spread(self, one_more_run: bool) -> tuple[float, float]:
        """Return the standard error and the degrees of freedom, of the mean or of one more run of each group."""
        variances = [
            (part.variance or 0.0) * (one_more_run + 1 / part.n + self.overlap)
            for part in self.parts
        ]
        total = sum(variances)
        if total == 0:
            return 0.0, 1.0
        weights = sum(
            (variance / total) ** 2 / part.freedom
            for variance, part in zip(variances, self.parts, strict=True)
        )
        return math.sqrt(total), 1 / weights

    def interval(
        self, one_more_run: bool = False, confidence: float = CONFIDENCE
    ) -> tuple[float, float]:
        """Return where the mean is, or where one more run would fall.

        Without runs enough, everything that is possible.
        """
        if self.scale == "exact":
            return self.mean, self.mean
        if self.scale == "event":
            found = scipy.stats.binomtest(round(self.mean * self.n), self.n).proportion_ci(
                confidence
            )
            return float(found.low), float(found.high)
        if not self.decides:
            return self.possible
        error, freedom = self._spread(one_more_run)
        half = float(scipy.stats.t.ppf((1 + confidence) / 2, freedom)) * error
        low, high = (
            from_scale(self.centre + side * half, self.scale, self.whole) for side in (-1, 1)
        )
        return low, high

    def half_width(self, one_more_run: bool = False) -> float:
        """Return half the length of the interval."""
        low, high = self.interval(one_more_run)
        return (high - low) / 2

    def p_value(self, published: float, rounding: float = 0.0) -> float:
        """Return how often one more run would be at least as far from the mean as a published number is.

        Anything that rounds to the published number counts as it.
        """
        if not self.decides:
            return 1.0
        low, high = (
            to_scale(published + side * rounding, self.scale, self.whole) for side in (-1, 1)
        )
        distance = max(low - self.centre, self.centre - high, 0.0)
        error, freedom = self._spread(one_more_run=True)
        if error == 0:
            return 1.0 if distance == 0 else 0.0
        return float(2 * scipy.stats.t.sf(distance / error, freedom))

    def chance_above(self) -> tuple[float, float, float] | None:
        """Return how often one run of the first group would lie above one of the second, and its 95 % interval.

        Of paired runs, how often the first of a pair does. For normal runs it is a function of the standardized difference, whose
        interval is that of the noncentral t (X. Bouthillier et al., MLSys 2021, recommend it beside means). None without runs enough.
        """
        if not self.decides or self.scale not in ("plain", "log"):
            return None
        error, freedom = self._spread(one_more_run=False)
        of_one = math.sqrt(sum(part.variance or 0.0 for part in self.parts))
        if error == 0:
            return None
        scaled = of_one / error
        t = self.centre / error  # its noncentrality is scaled * difference / of_one

        def edge(share: float) -> float:
            """Return the standardized difference under which so large a t or a larger one has this share."""
            reach = (-MOST_APART, MOST_APART)
            left, right = (
                float(scipy.stats.nct.sf(t, freedom, scaled * effect)) - share for effect in reach
            )
            if left >= 0 or right <= 0:
                return reach[0] if left >= 0 else reach[1]

            def missing(difference: float) -> float:
                return float(scipy.stats.nct.sf(t, freedom, scaled * difference)) - share

            return float(scipy.optimize.brentq(missing, *reach))

        tail = (1 - CONFIDENCE) / 2
        seen = min(max(self.centre / of_one, -MOST_APART), MOST_APART)
        differences = (seen, edge(tail), edge(1 - tail))
        found, low, high = (float(scipy.stats.norm.cdf(difference)) for difference in differences)
        return found, low, high

    def needed_for(self, bound: float) -> int | None:
        """Return how many runs a group would decide on which side of ``bound`` the mean is, if the truth is what was seen.

        Decide: with a probability of 80 %. None if more than 1,000 would not.
        """
        if self.scale == "event":
            runs = np.arange(2, MOST_RUNS)
            hits = np.round(self.mean * runs)
            tail = (1 - CONFIDENCE) / 2
            low = np.nan_to_num(scipy.stats.beta.ppf(tail, hits, runs - hits + 1), nan=0.0)
            high = np.nan_to_num(scipy.stats.beta.ppf(1 - tail, hits + 1, runs - hits), nan=1.0)
            decided = runs[(low > bound) | (high < bound)]
            return int(decided[0]) if len(decided) else None
        variance = sum(part.variance or 0.0 for part in self.parts)
        distance = abs(self.centre - to_scale(bound, self.scale, self.whole))
        if not self.decides or distance == 0 or variance == 0:
            return None

        def is_enough(n: int) -> bool:
            freedom = (n - 1) * len(self.parts)
            effect = distance / math.sqrt(variance * (1 / n + self.overlap))
            critical = scipy.stats.t.ppf((1 + CONFIDENCE) / 2, freedom)
            return bool(scipy.stats.nct.sf(critical, freedom, effect) >= POWER)

        return _least(is_enough)

    def needed_to_notice(self, margin: float, rounding: float = 0.0) -> int | None:
        """Return for how many runs the interval of one more would not be wider than ``margin``; None if for none."""
        if not self.decides or self.scale == "exact":
            return None

        def is_enough(n: int) -> bool:
            part = dataclasses.replace(self.parts[0], n=n, freedom=max(n - 1, 1))
            wide = dataclasses.replace(self, parts=(part, *self.parts[1:]))
            return wide.half_width(one_more_run=True) + rounding <= margin

        return _least(is_enough)


def _least(is_enough: Callable[[int], bool]) -> int | None:
    """Return the least number of runs that is enough, of a rule that holds from there on; None if 1,000 are not."""
    if not is_enough(MOST_RUNS):
        return None
    return bisect.bisect_left(range(MOST_RUNS), True, lo=2, key=is_enough)


def pooled(estimates: Sequence[Estimate]) -> tuple[float, float] | None:
    """Return the variance of one run, pooled over groups of runs on one scale, and its degrees of freedom."""
    parts = [part for estimate in estimates for part in estimate.parts if part.variance is not None]
    freedom = sum(part.freedom for part in parts)
    if not freedom:
        return None
    return sum((part.variance or 0.0) * part.freedom for part in parts) / freedom, freedom


@dataclass(frozen=True)
class Joint:
    """What a whole column of a table says together.

    Attributes:
        p: of the column as it was published, if it were one more of our columns.
        shift: by how much it lies above ours on average, in its units.
        noticed: the smallest shift that would have been noticed.
    """

    p: float
    shift: float
    noticed: float
    n: int


def joint(values: np.ndarray, published: np.ndarray) -> Joint:
    """Judge a column of a table as one: what the runs of a seed share, a split, and what each has of its own.

    A published column is one more column of ours, if the rows spread independently but for a shift that all of a column share. Its
    mean distance from ours is compared with the spread of the column means, F with 1 and n − 1 degrees of freedom; what is left of
    each distance, with what is left of ours when rows and columns are taken away, F with J − 1 and (J − 1)(n − 1). The two are
    independent, and Fisher's method makes one probability of them.

    Args:
        values: (J, n) on their scale: J rows of the table, n columns that each share a split and a seed.
        published: (J,) on the same scale.
    """
    rows, n = values.shape
    distances = published - values.mean(axis=1)
    of_columns = values.mean(axis=0)
    rest = values - values.mean(axis=1, keepdims=True) - of_columns + values.mean()
    between = float(of_columns.var(ddof=1)) * (1 + 1 / n)
    within = float((rest**2).sum()) / ((rows - 1) * (n - 1)) * (1 + 1 / n)
    shift = float(distances.mean())
    of_shift = float(scipy.stats.f.sf(shift**2 / between, 1, n - 1))
    left = float(((distances - shift) ** 2).sum()) / (rows - 1)
    of_rest = float(scipy.stats.f.sf(left / within, rows - 1, (rows - 1) * (n - 1)))
    noticed = float(scipy.stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)) * math.sqrt(between)
    p = float(scipy.stats.combine_pvalues([of_shift, of_rest], method="fisher").pvalue)
    return Joint(p, shift, noticed, n)


def shared_spread(values: np.ndarray) -> tuple[float, float] | None:
    """Return the standard deviation of what all rows share from column to column, and of what each has of its own.

    The components of variance of a two-way analysis: that of the columns is zero at least. None of a single column.

    Args:
        values: (J, n): J networks, n columns that each share a split or a fold.
    """
    rows, n = values.shape
    if n < 2 or rows < 2:
        return None
    of_columns = values.mean(axis=0)
    rest = values - values.mean(axis=1, keepdims=True) - of_columns + values.mean()
    own = float((rest**2).sum()) / ((rows - 1) * (n - 1))
    shared = max(float(of_columns.var(ddof=1)) - own / rows, 0.0)
    return math.sqrt(shared), math.sqrt(own)


def hits_in_few(recalls: np.ndarray, counts: Sequence[int]) -> np.ndarray:
    """Return the probability of each number of hits, from 0 on, among images of which so many are of each class.

    Args:
        recalls: (n, 10), of each run: the probabilities are the mean over the runs.
        counts: how many images of each class.
    """
    found = np.zeros(sum(counts) + 1)
    for of_run in recalls:
        chances = np.ones(1)
        for recall, count in zip(of_run, counts, strict=True):
            chances = np.convolve(
                chances, scipy.stats.binom.pmf(np.arange(count + 1), count, recall)
            )
        found += chances / len(recalls)
    return found


def mcnemar(labels: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[int, int, float]:
    """Compare two classifiers on the same images: how many only the first has right, only the second, and the probability.

    Exact, of a binomial with one half (Q. McNemar, Psychometrika 12, 1947, pp. 153-157).
    """
    only_first = int(((first == labels) & (second != labels)).sum())
    only_second = int(((first != labels) & (second == labels)).sum())
    if only_first + only_second == 0:
        return 0, 0, 1.0
    test = scipy.stats.binomtest(only_first, only_first + only_second)
    return only_first, only_second, float(test.pvalue)
