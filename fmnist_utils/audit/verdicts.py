"""The verdicts: what a report published, what our runs give under its protocol and under ours, and a rule for each kind.

*A number* is one more run of ours, if it lies where one more run would fall in 95 of 100, widened by half a unit of its last digit.
Outside, it **differs**. Inside, it **agrees** only if that interval is no wider than the margin of its unit, which is the same for
all reports (``reports/margins.yaml``): else a deviation that matters could have gone unnoticed, and there is **not enough**. What our
recipe was fitted to is **calibrated**; where the report leaves out what it takes, it **cannot be compared**.

*A claim* is one or more measured quantities and their bounds. A condition holds if the 95 % interval of the mean lies within the
bounds, and fails if it lies outside. The claim **agrees** if all hold and **differs** if one fails; else it is **undecided**, with the
number of runs that would decide. Where it says that two things are the same, both bounds are tested one-sided, at 5 % each, and what
holds is **no relevant difference**.

*A column of a table* is one more column of ours; its rows may share a split. See :func:`fmnist_utils.audit.estimates.joint`.

*A comparison* of two groups is one of their means, as Welch's; seed by seed only where the runs of a seed belong together.

The module is long, so that all rules of a verdict stand in one place.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from fmnist_utils.audit.dates import Timing, timing_of
from fmnist_utils.audit.estimates import Estimate, hits_in_few, joint, mcnemar, pooled, to_scale
from fmnist_utils.audit.formats import format_bound, format_estimate, format_p, format_value
from fmnist_utils.audit.forms import Claim, Condition, Number, PublishedTable
from fmnist_utils.audit.margins import Margins, load_margins
from fmnist_utils.audit.measures import Measure, recalls
from fmnist_utils.audit.readings import Readings
from fmnist_utils.audit.records import Records
from fmnist_utils.audit.schema import Across, Report, Store, load_audited, student_reports
from fmnist_utils.data import load_fashion_mnist
from fmnist_utils.text import say

ACROSS = "across"
VERDICTS = (
    "agrees",
    "equivalent",
    "differs",
    "not enough",
    "undecided",
    "calibrated",
    "cannot be compared",
)
KINDS = ("number", "claim", "table", "derived")
TESTED = 0.05  # the share of the numbers that would differ by chance alone


@dataclass(frozen=True)
class Row:
    """One line of the audit.

    Attributes:
        kind: ``number``, ``claim``, ``table``, or ``derived``: a claim that no report wrote.
        published: a number in our units, or the text of a claim; ``printed`` as the report printed it.
        runs: which runs it stands on, in words; ``n``: how many, of the smallest group.
        p: of a number or a column: how often one more run would be at least as far from ours.
        low, high: where one more run would fall; of a claim, where the mean of its first condition is.
        noticed: the smallest deviation that would have been noticed; ``margin``: the one that matters.
        needed: how many runs would decide or be enough; None where none are needed, or more than a thousand would be.
        timing: when its rule was fixed and its runs were made, where git has told it.
    """

    report: str
    id: str
    kind: str
    what: str
    published: float | str
    unit: str
    theirs: Estimate | None
    ours: Estimate | None
    verdict: str
    reason: str
    printed: str = ""
    runs: str = ""
    n: int = 0
    p: float | None = None
    low: float | None = None
    high: float | None = None
    noticed: float | None = None
    margin: float | None = None
    needed: int | None = None
    timing: Timing | None = None
    where: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the line as a JSON object; what has no bound is left out."""
        fields = asdict(self) | {"timing": self.timing and self.timing.to_json()}
        for name in ("theirs", "ours"):
            if fields[name]:
                fields[name] = {key: fields[name][key] for key in ("mean", "sd", "n")}
        for name in ("low", "high", "noticed"):
            if fields[name] is not None and not np.isfinite(fields[name]):
                fields[name] = None
        return fields


def rows(name: str | None = None, store: Store | None = None) -> list[Row]:
    """Return the audit of the report called ``name``, of what stands ``across`` them, or of all, in the language in force.

    Raises:
        UserError: if there is no such report, or a record is damaged.
    """
    names = [name] if name else [*student_reports(), ACROSS]
    audited = [load_audited(report) for report in names]
    found = store or Records()
    # Numbers and claims share their runs: each record is read once.
    runs: Store = SimpleNamespace(find=functools.cache(found.find))
    return [row for report in audited for row in Audit(report, runs).rows()]


@dataclass
class Audit(Readings):
    """The audit of one report."""

    margins: Margins = field(default_factory=load_margins)

    @property
    def report_numbers(self) -> list[Number]:
        """The numbers that the report published."""
        return [] if isinstance(self.report, Across) else self.report.numbers

    @property
    def tables(self) -> list[PublishedTable]:
        """The columns of the report's tables that are judged as one."""
        return [] if isinstance(self.report, Across) else self.report.tables

    @functools.cached_property
    def spreads(self) -> dict[str, tuple[float, float]]:
        """The variance of one run and its degrees of freedom, pooled over each table, by the id of its numbers."""
        spreads: dict[str, tuple[float, float]] = {}
        for table in (table for table in self.tables if table.pooled):
            measures = [number.measure for number in self._numbers_of(table)]
            found = [self.estimate(measure, "theirs") for measure in measures]
            spread = pooled([estimate for estimate in found if estimate])
            if spread:
                spreads |= dict.fromkeys(table.numbers, spread)
        return spreads

    def _timing(self, name: str, measured: Sequence[tuple[Measure, str]]) -> Timing | None:
        """Return when the rule of a row was fixed and its runs were made."""
        groups = [group for measure, _ in measured for group in measure.groups]
        runs = [
            run for measure, protocol in measured for run in self.runs_behind(measure, protocol)
        ]
        return timing_of(self.report, name, groups, runs)

    def rows(self) -> list[Row]:
        """Return its lines: numbers, columns of tables, claims."""
        numbers = [self.number(number) for number in self.report_numbers]
        tables = [self.table(table) for table in self.tables]
        return numbers + tables + [self.claim(claim) for claim in self.report.claims]

    # --- numbers

    def number(self, number: Number) -> Row:
        """Return the line of a published number."""
        theirs, ours = (self.estimate(number.measure, name) for name in ("theirs", "ours"))
        if theirs and number.id in self.spreads:
            theirs = theirs.with_spread(*self.spreads[number.id])
        fields: dict[str, Any] = {
            "report": self.report.id,
            "id": number.id,
            "kind": "number",
            "what": str(number.what),
            "published": number.value,
            "unit": number.unit,
            "theirs": theirs,
            "ours": ours,
            "printed": number.printed,
            "runs": self.describe(number.measure, "theirs"),
            "n": theirs.n if theirs else 0,
            "margin": self.margins.of(number),
            "timing": self._timing(number.id, [(number.measure, "theirs")]),
            "where": str(number.where),
        }
        why = str(number.why or "")
        if not number.comparable or number.calibrated:
            verdict = "calibrated" if number.calibrated else "cannot be compared"
            return Row(**fields, verdict=verdict, reason=why)
        if theirs is None or not theirs.decides:
            reason = self._too_few(number.measure, "theirs", theirs.n if theirs else 0)
            return Row(**fields, verdict="not enough", reason=f"{reason} {why}".strip())
        p, low, high = self._judge(number, theirs)
        noticed = (high - low) / 2
        verdict = "differs" if p < 1 - self.margins.confidence else "agrees"
        needed = None
        if verdict == "agrees" and noticed > fields["margin"]:
            verdict = "not enough"
            needed = theirs.needed_to_notice(fields["margin"], number.rounding)
        fields |= {"p": p, "low": low, "high": high, "noticed": noticed, "needed": needed}
        reason = _explain_number(number, verdict, fields)
        return Row(**fields, verdict=verdict, reason=f"{reason} {why}".strip())

    def _judge(self, number: Number, runs: Estimate) -> tuple[float, float, float]:
        """Return how often one more run would be as far, and where it would fall."""
        if number.images:
            return self._judge_few(number)
        low, high = runs.interval(one_more_run=True)
        least, most = runs.possible
        return (
            runs.p_value(number.value, number.rounding),
            max(low - number.rounding, least),
            min(high + number.rounding, most),
        )

    def _judge_few(self, number: Number) -> tuple[float, float, float]:
        """As :meth:`_judge`, of a share of the few images whose classes the printed matrix counts."""
        assert isinstance(self.report, Report) and self.report.confusion and number.images
        counts = [sum(row) for row in self.report.confusion]
        runs = self.runs_of(number.measure.of[0], "theirs")
        chances = hits_in_few(np.array([recalls(run) for run in runs]), counts)
        hits = round(number.value * number.images)
        p = min(1.0, 2 * min(chances[hits:].sum(), chances[: hits + 1].sum()))
        reached = chances.cumsum()
        edges = [int(np.searchsorted(reached, share)) for share in (0.025, 0.975)]
        return float(p), edges[0] / number.images, edges[1] / number.images

    # --- columns of tables

    def _numbers_of(self, table: PublishedTable) -> list[Number]:
        """Return the rows of a column."""
        return [number for number in self.report_numbers if number.id in table.numbers]

    def table(self, table: PublishedTable) -> Row:
        """Return the line of a column of a published table, judged as one."""
        numbers = self._numbers_of(table)
        by_row = [self.values(number.measure, "theirs") for number in numbers]
        seeds = [seed for seed in by_row[0] if all(seed in other for other in by_row)]
        first = numbers[0]
        unit = "points" if first.unit in ("percent", "share") else first.unit
        fields: dict[str, Any] = {
            "report": self.report.id,
            "id": table.id,
            "kind": "table",
            "what": str(table.what),
            "published": ", ".join(number.printed for number in numbers),
            "printed": "",
            "unit": unit,
            "theirs": None,
            "ours": None,
            "margin": self.margins.of(first),
            "where": str(first.where),
            "n": len(seeds),
        }
        if len(seeds) < 2:
            reason = self._too_few(first.measure, "theirs", len(seeds))
            return Row(**fields, verdict="not enough", reason=reason)
        scale, whole = first.measure.scale, self.whole(first.measure, "theirs")
        values = np.array([[to_scale(row[s], scale, whole) for s in seeds] for row in by_row])
        published = np.array([to_scale(number.value, scale, whole) for number in numbers])
        found = joint(values, published)
        # A shift on the scale is told in the units of the table, at its mean: to first order.
        mean = float(np.mean([number.value for number in numbers]))
        slope = {"log": mean, "epoch": mean, "share": mean * (1 - mean / whole)}.get(scale, 1.0)
        noticed = found.noticed * slope
        verdict = "differs" if found.p < 1 - self.margins.confidence else "agrees"
        if verdict == "agrees" and noticed > fields["margin"]:
            verdict = "not enough"
        reason = say(
            f"audit.table_{verdict.replace(' ', '_')}",
            shift=format_value(found.shift * slope, unit, signed=True),
            n=found.n,
            p=format_p(found.p),
            noticed=format_value(noticed, unit, plain=True),
            margin=format_value(fields["margin"], unit, plain=True),
        )
        return Row(**fields, p=found.p, noticed=noticed, verdict=verdict, reason=reason)

    # --- claims

    def claim(self, claim: Claim) -> Row:
        """Return the line of a claim."""
        theirs, ours = (
            [
                self.estimate(condition.measure, condition.protocol or protocol)
                for condition in claim.check
            ]
            for protocol in ("theirs", "ours")
        )
        verdict = judge_all(claim.check, theirs)
        evidence = [
            self._evidence(condition, result)
            for condition, result in zip(claim.check, theirs, strict=True)
        ]
        second_opinion = judge_all(claim.check, ours)
        if second_opinion not in (verdict, "undecided"):
            told = say(f"verdict.{second_opinion}")
            evidence.append(say("audit.ours_otherwise", verdict=told))
        if claim.calibrated or not claim.comparable:
            verdict = "calibrated" if claim.calibrated else "cannot be compared"
        first = claim.check[0]
        shown = [
            results[0] if first.protocol in (None, protocol) else None
            for protocol, results in (("theirs", theirs), ("ours", ours))
        ]
        low, high = theirs[0].interval() if theirs[0] else (None, None)
        behind = [(condition.measure, condition.protocol or "theirs") for condition in claim.check]
        return Row(
            report=self.report.id,
            id=claim.id,
            kind="derived" if claim.derived or isinstance(self.report, Across) else "claim",
            what=str(claim.text),
            published=str(claim.text),
            unit=first.unit,
            theirs=shown[0],
            ours=shown[1],
            n=min(result.n if result else 0 for result in theirs),
            verdict=verdict,
            reason=" ".join([*evidence, str(claim.why)]),
            low=low,
            high=high,
            needed=_needed(claim.check, theirs) if verdict == "undecided" else None,
            timing=self._timing(claim.id, behind),
        )

    def _evidence(self, condition: Condition, result: Estimate | None) -> str:
        """Return what was measured for a condition, what was asked, and whether it holds."""
        bounds = [(">", condition.above), ("<", condition.below)]
        wanted = say("allowed.and").join(
            f"{sign} {format_bound(bound, condition.unit)}"
            for sign, bound in bounds
            if bound is not None
        )
        measured = say("audit.no_runs")
        if result:
            measured = format_estimate(result, condition.unit)
        outcome = judge(condition, result)
        text = say(
            "audit.condition",
            what=condition.what,
            wanted=wanted,
            measured=measured,
            outcome=say(f"outcome.{outcome}"),
        )
        if outcome == "open" and (result is None or not result.decides):
            protocol = condition.protocol or "theirs"
            made = result.n if result else 0
            text += " " + self._too_few(condition.measure, protocol, made)
        elif outcome == "open":
            needed = _needed([condition], [result])
            text += " " + (say("audit.needed", n=needed) if needed else say("audit.never"))
        if condition.asks_which_is_larger and result and (chance := result.chance_above()):
            found, low, high = chance
            text += " " + say("audit.chance_above", p=found, low=low, high=high)
        if condition.mcnemar:
            text += self._image_by_image(condition.measure, condition.protocol or "theirs")
        return text

    def _too_few(self, measure: Measure, protocol: str, made: int) -> str:
        """Return that there are too few runs to tell what more of them would, and how many are planned."""
        return say("audit.too_few", n=made, planned=self.planned(measure, protocol))

    def _image_by_image(self, measure: Measure, protocol: str) -> str:
        """Return what McNemar's test says of the pairs of runs that answered the same test images."""
        pairs = []
        for name in (measure.of[0], measure.compared_with[0]):
            runs = self.runs_of(name, protocol)
            pairs.append({run.recipe.seed: run for run in runs if run.record.predictions_sha256})
        seeds = [seed for seed in pairs[0] if seed in pairs[1]]
        if not seeds:
            return ""
        labels = test_labels()
        found = []
        for seed in seeds:
            first, second = (of_group[seed].predictions for of_group in pairs)
            if first is not None and second is not None:
                found.append(mcnemar(labels, first, second))
        clear = [(one, other) for one, other, p in found if p < 1 - self.margins.confidence]
        won = sum(one > other for one, other in clear)
        return " " + say("audit.mcnemar", pairs=len(found), first=won, second=len(clear) - won)


@functools.cache
def test_labels() -> np.ndarray:
    """Return the classes of the 10,000 official test images, which the package ships."""
    return load_fashion_mnist("sample").test.labels.numpy()


def _explain_number(number: Number, verdict: str, fields: dict[str, Any]) -> str:
    """Return why a number has its verdict: where one more run would fall, p, and what would have been noticed."""
    low, high = fields["low"], fields["high"]
    # A number just outside would read as the bound itself; some digits more tell them apart.
    more = 0
    if verdict == "differs":
        more = next((k for k in range(12) if not _reads_alike(number, (low, high), k)), 0)
    told = {
        "low": format_value(low, number.unit, more),
        "high": format_value(high, number.unit, more),
        "n": fields["theirs"].runs,
        "p": format_p(fields["p"]),
        "noticed": format_value(fields["noticed"], number.unit, plain=True),
        "margin": format_value(fields["margin"], number.unit, plain=True),
    }
    text = say(f"audit.number_{verdict.replace(' ', '_')}", **told)
    if verdict != "not enough":
        return text
    needed = fields["needed"]
    return f"{text} " + (say("audit.enough", n=needed) if needed else say("audit.never_enough"))


def _reads_alike(number: Number, bounds: Sequence[float], more: int) -> bool:
    """Return whether a bound, printed with so many digits more, is the published number."""
    return format_value(number.value, number.unit, more) in {
        format_value(bound, number.unit, more) for bound in bounds
    }


def judge(condition: Condition, runs: Estimate | None) -> str:
    """Return whether a condition ``holds``, ``fails`` or is ``open`` given the runs."""
    if runs is None or not runs.decides:
        return "open"
    above = -np.inf if condition.above is None else condition.above
    below = np.inf if condition.below is None else condition.below
    low, high = runs.interval(confidence=0.9 if condition.same else 0.95)
    if above < low and high < below:
        return "holds"
    low, high = runs.interval()
    return "fails" if high < above or below < low else "open"


def judge_all(conditions: Sequence[Condition], results: Sequence[Estimate | None]) -> str:
    """Return the verdict on a claim from its conditions."""
    pairs = zip(conditions, results, strict=True)
    outcomes = {judge(condition, result) for condition, result in pairs}
    if "fails" in outcomes:
        return "differs"
    if "open" in outcomes:
        return "undecided"
    return "equivalent" if all(condition.same for condition in conditions) else "agrees"


def _needed(conditions: Sequence[Condition], results: Sequence[Estimate | None]) -> int | None:
    """Return for how many runs all open conditions would be decided, if the truth is what was seen; None if for none."""
    most = 0
    for condition, result in zip(conditions, results, strict=True):
        if judge(condition, result) != "open":
            continue
        if result is None or not result.decides:
            return None
        above, below = condition.above, condition.below
        crossed = [
            bound
            for bound, outside in (
                (above, above is not None and result.mean <= above),
                (below, below is not None and result.mean >= below),
            )
            if outside and bound is not None
        ]
        # Outside, the bound that was crossed has to be left behind; inside, both.
        needs = [result.needed_for(bound) for bound in crossed or condition.bounds]
        if None in needs:
            return None
        # As many as there are did not decide, even where they would have in four cases of five.
        most = max(most, result.n + 1, *(need for need in needs if need is not None))
    return most or None


def estimate(
    report: Report | Across, measure: Measure, protocol: str, store: Store | None = None
) -> Estimate | None:
    """Return the estimate of ``measure`` under ``protocol``, or None where a group has no runs under it."""
    return Audit(report, store or Records()).estimate(measure, protocol)


def measured(
    report: Report | Across, measure: Measure, protocol: str, store: Store | None = None
) -> list[float]:
    """Return the value of ``measure`` in each run under ``protocol``, without what it is compared with."""
    runs = Audit(report, store or Records())
    return list(runs.values(measure, protocol).values())
