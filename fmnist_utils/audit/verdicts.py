"""The audit: what a report published, what our runs give under its protocol and under ours, and a verdict.

The rules, the same for every report:

*Number.* The published number is one more run: it *agrees* with n runs under the report's protocol (mean m, standard deviation
s) if it lies within the 95 % prediction interval m ± t·s·√(1 + 1/n), widened by half a unit of the last digit printed, where t
is the 0.975 quantile of Student's distribution with n − 1 degrees of freedom; else it *differs*. A proportion that the report
measured on few images, k, also has the noise of drawing those: the half width becomes √(t²·s²·(1 + 1/n) + 1.96²·m(1 − m)/k). The
variances add; that of the drawing follows from m and needs no t.

*Claim.* A claim is one or more measured quantities and their bounds. A condition holds if the 95 % confidence interval of the
mean, m ± t·s/√n, lies within the bounds, and fails if it lies outside. The claim *agrees* if all conditions hold and *differs* if
one fails; otherwise n runs do not decide it and it *cannot be compared*.

*Comparison.* Two groups of one report are compared seed by seed: what a seed does to both drops out, and the differences are n
values like any others. Groups of different reports share no seed in that sense; their variances add, s₁²/n₁ + s₂²/n₂, and the
degrees of freedom are Welch's (B. L. Welch, Biometrika 34, 1947, pp. 28-35). Of a ratio, to first order.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from types import SimpleNamespace

import numpy as np
import pandas as pd
from scipy.special import (  # the quantiles of scipy.stats, which takes a second longer to import
    ndtri,
    stdtrit,
)

from fmnist_utils.audit.records import Records, Run
from fmnist_utils.audit.schema import (
    Across,
    ByGroup,
    Claim,
    Condition,
    Measure,
    Number,
    Report,
    find_group,
    load_across,
    load_report,
    report_names,
)
from fmnist_utils.models import build_model, count_multiply_adds, count_parameters
from fmnist_utils.text import UserError, say


@dataclass(frozen=True)
class Estimate:
    """Mean and sample standard deviation (``None`` below two runs) of ``n`` runs that differ in their seed."""

    mean: float
    sd: float | None
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Estimate | None:
        """Return the estimate from one value a seed, or None if there is no value."""
        if not len(values):
            return None
        return cls(
            float(np.mean(values)),
            float(np.std(values, ddof=1)) if len(values) > 1 else None,
            len(values),
        )

    def half_width(self, one_more_run: bool, images: int | None = None) -> float:
        """Return the half width of the 95 % prediction interval for one more run, else of the confidence interval of the mean.

        With ``images``, the run is measured as a proportion of so many images, and the noise of drawing them is added.
        """
        if self.sd is None:
            return math.inf
        factor = math.sqrt(1 + 1 / self.n) if one_more_run else math.sqrt(1 / self.n)
        sampling = math.sqrt(self.mean * (1 - self.mean) / images) if images else 0.0
        return math.hypot(
            float(stdtrit(self.n - 1, 0.975)) * self.sd * factor, float(ndtri(0.975)) * sampling
        )

    @property
    def runs(self) -> str:
        """How many runs, in writing."""
        return str(self.n)


@dataclass(frozen=True)
class Unpaired(Estimate):
    """The difference, or the ratio, of the means of two groups whose runs do not pair up; ``n`` is the smaller number of runs.

    Attributes:
        sd: of the difference of one run of each.
        parts: what each group brings to it: its standard deviation in the units of the result, and its number of runs.
    """

    parts: tuple[Estimate, Estimate]

    @classmethod
    def compare(cls, first: Estimate, second: Estimate, ratio: bool = False) -> Unpaired:
        """Return the difference of two estimates, or their ratio, whose error is taken to first order."""
        scales = (1 / second.mean, first.mean / second.mean**2) if ratio else (1.0, 1.0)
        mean = first.mean / second.mean if ratio else first.mean - second.mean
        parts = tuple(
            Estimate(each.mean, None if each.sd is None else abs(scale) * each.sd, each.n)
            for each, scale in zip((first, second), scales, strict=True)
        )
        sds = [part.sd for part in parts]
        return cls(mean, None if None in sds else math.hypot(*sds), min(first.n, second.n), parts)

    def half_width(self, one_more_run: bool, images: int | None = None) -> float:
        """Return the half width for one more run of each group, else that of Welch's confidence interval."""
        if self.sd is None:
            return math.inf
        if self.sd == 0:  # costs, which are the same for every seed
            return 0.0
        variances = [part.sd**2 * (one_more_run + 1 / part.n) for part in self.parts]
        freedom = sum(variances) ** 2 / sum(
            v**2 / (part.n - 1) for v, part in zip(variances, self.parts, strict=True)
        )
        return float(stdtrit(freedom, 0.975)) * math.sqrt(sum(variances))

    @property
    def runs(self) -> str:
        return say("audit.unpaired_runs", first=self.parts[0].n, second=self.parts[1].n)


@dataclass(frozen=True)
class Row:
    """One line of the audit; ``published`` is a number in our units or the text of a claim.

    Attributes:
        open: why it cannot be compared: ``runs``, too few of them; ``undecided``, they do not decide; ``report``, which leaves
            out what a comparison needs.
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
    open: str = ""

    def to_json(self) -> dict:
        """Return the line as a JSON object."""
        return asdict(self)


ACROSS = "across"


def audit(name: str | None = None, store: Records | None = None) -> list[Row]:
    """Return the audit of the report called ``name``, of what stands ``across`` them, or of all, in the language in force.

    Raises:
        UserError: if there is no such report, or a record is damaged.
    """
    audited = [_audited(each) for each in ([name] if name else [*report_names(), ACROSS])]
    store = SimpleNamespace(
        find=functools.cache((store or Records()).find)
    )  # numbers and claims share their runs
    rows = []
    for report in audited:
        rows += [_audit_number(report, number, store) for number in getattr(report, "numbers", ())]
        rows += [_audit_claim(report, claim, store) for claim in report.claims]
    return rows


def _audited(name: str) -> Report | Across:
    try:
        return load_across() if name == ACROSS else load_report(name)
    except UserError as error:
        if error.key == "reports.unknown":
            error = UserError(
                error.key, **error.values | {"allowed": ", ".join([*report_names(), ACROSS])}
            )
        raise error from None


def _audit_number(report: Report, number: Number, store: Records) -> Row:
    theirs, ours = (
        estimate(report, number.measure, protocol, store) for protocol in ("theirs", "ours")
    )
    open = ""
    if not number.comparable:
        verdict, reason, open = "cannot be compared", "", "report"
    elif theirs is None or theirs.sd is None:
        verdict, open = "cannot be compared", "runs"
        reason = say("audit.too_few", n=theirs.n if theirs else 0)
    else:
        verdict = (
            "agrees" if agrees(number.value, number.rounding, theirs, number.images) else "differs"
        )
        interval = theirs.half_width(one_more_run=True, images=number.images) + number.rounding
        bounds = [theirs.mean + side * interval for side in (-1, 1)]
        # A number just outside would read as the bound itself; twelve digits more tell apart what differs at all.
        more = (
            next((more for more in range(12) if not _reads_alike(number, bounds, more)), 0)
            if verdict == "differs"
            else 0
        )
        low, high = (format_value(bound, number.unit, more) for bound in bounds)
        reason = say(f"audit.number_{verdict}", low=low, high=high, n=theirs.n)
    reason = " ".join([reason, str(number.why or "")]).strip()
    return Row(
        report.id,
        number.id,
        "number",
        str(number.what),
        number.value,
        number.unit,
        theirs,
        ours,
        verdict,
        reason,
        open,
    )


def _reads_alike(number: Number, bounds: Sequence[float], more: int) -> bool:
    """Return whether a bound, printed with so many digits more, is the published number."""
    return format_value(number.value, number.unit, more) in {
        format_value(bound, number.unit, more) for bound in bounds
    }


def agrees(published: float, rounding: float, runs: Estimate, images: int | None = None) -> bool:
    """Return whether a published number could be one more of ``runs``, measured on few ``images`` if given (95 % interval)."""
    return (
        abs(published - runs.mean) <= runs.half_width(one_more_run=True, images=images) + rounding
    )


def _audit_claim(report: Report | Across, claim: Claim, store: Records) -> Row:
    theirs, ours = (
        [
            estimate(report, condition.measure, condition.protocol or protocol, store)
            for condition in claim.check
        ]
        for protocol in ("theirs", "ours")
    )
    verdict = judge_all(claim.check, theirs)
    evidence = [
        _describe(condition, result) for condition, result in zip(claim.check, theirs, strict=True)
    ]
    second_opinion = judge_all(claim.check, ours)
    if second_opinion != verdict and (second_opinion != "cannot be compared" or all(ours)):
        evidence.append(say("audit.ours_otherwise", verdict=say(f"verdict.{second_opinion}")))
    first = claim.check[0]
    shown = [
        results[0] if first.protocol in (None, protocol) else None
        for protocol, results in (("theirs", theirs), ("ours", ours))
    ]
    too_few = any(result is None or result.sd is None for result in theirs)
    open = ("runs" if too_few else "undecided") if verdict == "cannot be compared" else ""
    reason = " ".join([*evidence, str(claim.why)])
    return Row(
        report.id,
        claim.id,
        "claim",
        str(claim.text),
        str(claim.text),
        first.unit,
        *shown,
        verdict,
        reason,
        open,
    )


def judge(condition: Condition, runs: Estimate | None) -> str:
    """Return whether a condition ``holds``, ``fails`` or is ``open`` given the runs."""
    if runs is None or runs.sd is None:
        return "open"
    low, high = (runs.mean + side * runs.half_width(one_more_run=False) for side in (-1, 1))
    above = -math.inf if condition.above is None else condition.above
    below = math.inf if condition.below is None else condition.below
    if above < low and high < below:
        return "holds"
    return "fails" if high < above or below < low else "open"


def judge_all(conditions: Sequence[Condition], results: Sequence[Estimate | None]) -> str:
    """Return the verdict on a claim from its conditions."""
    outcomes = {
        judge(condition, result) for condition, result in zip(conditions, results, strict=True)
    }
    if "fails" in outcomes:
        return "differs"
    return "cannot be compared" if "open" in outcomes else "agrees"


def _describe(condition: Condition, result: Estimate | None) -> str:
    bounds = [(">", condition.above), ("<", condition.below)]
    wanted = say("allowed.and").join(
        f"{sign} {format_bound(bound, condition.unit)}"
        for sign, bound in bounds
        if bound is not None
    )
    measured = say("audit.no_runs") if result is None else format_estimate(result, condition.unit)
    outcome = say(f"outcome.{judge(condition, result)}")
    return say(
        "audit.condition", what=condition.what, wanted=wanted, measured=measured, outcome=outcome
    )


def estimate(
    report: Report | Across, measure: Measure, protocol: str, store: Records
) -> Estimate | None:
    """Return the estimate of ``measure`` under ``protocol``, or None where a group has no runs under it.

    Groups of one report are compared seed by seed; those of two, by their means.
    """

    def of_group(name: str, what: Measure) -> dict[int, float]:
        owner, group = find_group(name, report)
        quantity, runs = _quantity(what), owner.runs_of(group, protocol, store)
        return {run.recipe.seed: quantity(run) for run in runs if not what.border or run.has_panel}

    def by_seed(groups: tuple[str, ...], what: Measure) -> dict[int, float]:
        """Return the mean over the groups for each seed that all of them have."""
        first, *others = (of_group(group, what) for group in groups)
        seeds = [seed for seed in first if all(seed in other for other in others)]
        return {
            seed: float(np.mean([first[seed], *(other[seed] for other in others)]))
            for seed in seeds
        }

    values = by_seed(measure.of, measure)
    other = measure.minus or measure.over
    if other:
        others = by_seed(other, measure.of_other)
        if find_group(measure.of[0], report)[0] is not find_group(other[0], report)[0]:
            both = [Estimate.of(list(each.values())) for each in (values, others)]
            return Unpaired.compare(*both, ratio=bool(measure.over)) if all(both) else None
        combine = (lambda a, b: a - b) if measure.minus else (lambda a, b: a / b)
        values = {
            seed: combine(value, others[seed]) for seed, value in values.items() if seed in others
        }
    return Estimate.of(list(values.values()))


def _quantity(measure: Measure) -> Callable[[Run], float]:
    """Return the function from a run to the number that ``measure`` names."""

    def column(run: Run, name: str) -> np.ndarray:
        return np.array(run.history[name.replace("watched", run.recipe.watch)])

    def of_run(run: Run) -> float:
        if measure.metric:
            return run.metrics[measure.metric]
        if measure.last:
            return column(run, measure.last)[-1]
        if measure.lowest:
            return column(run, measure.lowest).min()
        if measure.highest:
            return column(run, measure.highest).max()
        if measure.total:
            return column(run, measure.total).sum()
        if measure.at_epoch:
            name, epoch = measure.at_epoch
            return column(run, name)[epoch - 1]
        if measure.best_epoch:
            return 1 + column(run, measure.best_epoch).argmin()
        if measure.after_best:
            name, later = measure.after_best
            best = column(run, "watched_loss").argmin()
            return column(run, name)[best : best + later + 1][-1] - column(run, name)[best]
        if measure.falls:
            return (np.diff(column(run, measure.falls)[9:]) < 0).mean()
        if measure.roughness:
            return math.sqrt((np.diff(column(run, measure.roughness)[9:], n=2) ** 2).mean() / 6)
        if measure.border:
            picture = run.panel[measure.border]
            return np.concatenate([picture[-1], picture[:-1, -1]]).mean()
        if measure.cost:
            return costs(run)[measure.cost]
        matrix = run.confusion
        if measure.cell:
            return matrix[measure.cell]
        recall = matrix.diagonal() / matrix.sum(axis=1)
        if measure.recall is not None:
            return recall[measure.recall]
        if measure.recall_rank is not None:
            return 1 + (recall < recall[measure.recall_rank]).sum()
        true, predicted = measure.error_share
        errors = matrix[true].sum() - matrix[true, true]
        return matrix[true, list(predicted)].sum() / errors

    def quantity(run: Run) -> float:
        value = of_run(run)
        if measure.minus_metric:
            value -= run.metrics[measure.minus_metric]
        if measure.minus_last:
            value -= column(run, measure.minus_last)[-1]
        if measure.minus_lowest:
            value -= column(run, measure.minus_lowest).min()
        if measure.minus_at:
            name, epoch = measure.minus_at
            value -= column(run, name)[epoch - 1]
        return float(value)

    return quantity


def costs(run: Run) -> dict[str, int]:
    """Return what a run's training cost, see :class:`Measure`; without that of the encoder that it started from."""
    recipe, epochs, images = run.recipe, len(run.history), run.recipe.data.num_train
    model = build_model(**recipe.model.model_dump())
    of_one = count_multiply_adds(model)
    return {
        "parameters": count_parameters(model),
        "image_multiply_adds": of_one,
        "updates": epochs * math.ceil(images / recipe.batch_size),
        "multiply_adds": epochs * images * of_one,
    }


def spending(runs: Sequence[Run]) -> pd.DataFrame:
    """Return what training had spent after each epoch: a row an epoch, means over ``runs``, as far as all of them go.

    Returns:
        The columns of the history and ``epochs``, ``updates`` and ``multiply_adds`` as in :func:`costs`; ``seconds``, of the
        training alone, are so many times those of the median epoch.
    """
    frames = []
    for run in runs:
        history, total = run.history.frame(), costs(run)
        epochs = history.index.to_numpy()
        spent = {name: total[name] * epochs / len(history) for name in ("updates", "multiply_adds")}
        frames.append(
            history.assign(epochs=epochs, **spent, seconds=epochs * run.history.epoch_seconds)
        )
    return pd.concat(frames).groupby(level=0).mean().head(min(map(len, frames)))


def cost_table(runs: Mapping[str, Sequence[Run]]) -> Table:
    """Return what each network and its training cost, one row a label: counts, and *mean ± sd (n)* of the seconds.

    Multiply-adds are those of the forward pass, in millions for one image and in thousands of millions for the training. Seconds
    are those of the median epoch times the epochs.
    """
    lines = {}
    for label, (first, *others) in runs.items():
        total, seconds = (
            costs(first),
            [len(run.history) * run.history.epoch_seconds for run in (first, *others)],
        )
        lines[label] = {
            "parameters": f"{total['parameters']:,}",
            "image": f"{total['image_multiply_adds'] / 1e6:.2f}",
            "epochs": f"{len(first.history)}",
            "updates": f"{total['updates']:,}",
            "multiply_adds": f"{total['multiply_adds'] / 1e9:,.0f}",
            "seconds": format_estimate(Estimate.of(seconds), "seconds"),
        }
    frame = pd.DataFrame.from_dict(lines, orient="index").rename(
        columns=lambda name: say(f"cost.{name}")
    )
    return Table(
        frame.map(lambda text: text.replace(",", "\u202f"))
    )  # thousands apart, alike in both languages


def count_verdicts(rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    """Return how many numbers and how many claims have each verdict."""
    return {
        kind: {
            verdict: sum(row.kind == kind and row.verdict == verdict for row in rows)
            for verdict in VERDICTS
        }
        for kind in ("number", "claim")
    }


def count_open(rows: Sequence[Row]) -> dict[str, int]:
    """Return for how many rows each reason, see :class:`Row`, forbids a comparison."""
    return {why: sum(row.open == why for row in rows) for why in ("runs", "undecided", "report")}


VERDICTS = ("agrees", "differs", "cannot be compared")


class Table(pd.DataFrame):
    """A DataFrame of texts, which a notebook shows whole: each reason on a line of its own, below its row and as wide.

    A cell that needs it carries its heading as ``data-label``, so that a style sheet can show rows as cards on a narrow screen.
    """

    def _repr_html_(self) -> str:
        reason, *obvious = (say(f"audit.{name}") for name in ("reason", "what", "error"))
        columns = [name for name in self if name != reason]
        left = (
            'style="text-align: left; vertical-align: top"'  # Jupyter's own style sheet says right
        )
        heads = "".join(
            f"<th {left}>{escape(name)}</th>" for name in [self.index.name or "", *columns]
        )
        lines = [f'<table class="texts"><thead><tr>{heads}</tr></thead><tbody>']
        for name, row in self.iterrows():
            labels = [
                "" if column in obvious else f' data-label="{escape(column)}"' for column in columns
            ]
            cells = "".join(
                f"<td {left}{label}>{_html(row[column])}</td>"
                for label, column in zip(labels, columns, strict=True)
            )
            lines.append(f"<tr><th {left}>{escape(name)}</th>{cells}</tr>")
            if reason in self:
                lines.append(
                    f'<tr class="reason"><td {left} colspan="{len(columns) + 1}">{_html(row[reason])}</td></tr>'
                )
        return "\n".join([*lines, "</tbody></table>"])


def _html(text: str) -> str:
    """Return ``text`` as HTML: what stands in backticks is code, and ``mean ± sd`` or ``(n = 5)`` stays on one line."""
    coded = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
    return re.sub(r" ([±=]) (?![^<]*</code>)", r"&nbsp;\1&nbsp;", coded)


def table(rows: Sequence[Row]) -> Table:
    """Return the audit as a table, in the language in force: of numbers, of claims, or of both."""
    lines = [
        {
            "id": row.id,
            "what": row.what,
            "published": load_report(row.report).number(row.id).printed
            if row.kind == "number"
            else None,
            "theirs": format_estimate(row.theirs, row.unit),
            "ours": format_estimate(row.ours, row.unit),
            "verdict": say(f"verdict.{row.verdict}"),
            "reason": row.reason,
        }
        for row in rows
    ]
    return _shown(pd.DataFrame(lines).dropna(axis="columns", how="all").fillna(""))


def compare(report: Report, name: str, value: float) -> Table:
    """Return a published number beside the recorded runs and a value measured here.

    Args:
        name: of a number of the report: ``"N1-4"``.
        value: in our units: an accuracy in [0, 1], a loss as it is.

    Raises:
        UserError: if the report has no such number.
    """
    number = report.number(name)
    theirs, ours = (
        estimate(report, number.measure, protocol, Records()) for protocol in ("theirs", "ours")
    )
    columns = {
        "published": number.printed,
        "theirs": format_estimate(theirs, number.unit),
        "ours": format_estimate(ours, number.unit),
        "here": format_value(value, number.unit),
    }
    frame = pd.DataFrame([columns], index=pd.Index([str(number.what)], name=""))
    return Table(frame.rename(columns=lambda column: say(f"audit.{column}")))


def errors_table(report: Report) -> Table:
    """Return the mistakes and omissions of a report as a table, in the language in force."""
    return _shown(
        pd.DataFrame([{"id": error.id, "error": str(error.text)} for error in report.errors])
    )


def values(runs: Mapping[str, Sequence[Run]], name: str) -> ByGroup:
    """Return one value a seed for each group of ``runs``: the metric ``name``, or the last value of that column.

    ``selected_epoch`` is the epoch whose weights are the result.
    """

    def value(run: Run) -> float:
        if name == "selected_epoch":
            return run.record.selected_epoch
        return run.metrics[name] if name in run.metrics else run.history[name][-1]

    found = {group: [value(run) for run in of_group] for group, of_group in runs.items()}
    return ByGroup(found, getattr(runs, "labels", {}))


def by_size(runs: Mapping[str, Sequence[Run]], name: str) -> dict[int, list[float]]:
    """Return what :func:`values` does of autoencoders, by the size of their latent space instead of their label."""
    return {
        runs[label][0].recipe.model.latent_dim: of_label
        for label, of_label in values(runs, name).items()
    }


def summary(runs: Mapping[str, Sequence[Run]], names: Sequence[str], unit: str = "nats") -> Table:
    """Return *mean ± sd (n)* of the metrics or columns ``names``, one row a group; ``unit`` is that of the losses.

    Accuracies are in percent; what is neither is a count.
    """

    def unit_of(name: str) -> str:
        return "percent" if name.endswith("accuracy") else unit if name.endswith("loss") else "rank"

    columns = {
        say(f"metric.{name}"): [
            format_estimate(Estimate.of(each), unit_of(name))
            for each in values(runs, name).values()
        ]
        for name in names
    }
    labels = getattr(runs, "labels", {})
    return Table(columns, index=pd.Index([labels.get(group, group) for group in runs], name=""))


def _shown(frame: pd.DataFrame) -> Table:
    return Table(frame.set_index("id").rename(columns=lambda name: say(f"audit.{name}")))


# Decimals of each unit; three of any other.
DIGITS = {
    "percent": 1,
    "points": 2,
    "images": 0,
    "rank": 1,
    "epochs": 1,
    "ratio": 2,
    "seconds": 1,
    "error": 4,
}


def format_value(value: float, unit: str, more: int = 0) -> str:
    """Return a number of ours with its unit, ``81.0 %``, ``+8.3 points``, ``75``, with ``more`` digits than usual."""
    units = {"percent": " %", "points": f" {say('audit.points')}", "ratio": " ×", "seconds": " s"}
    scaled = value * (100 if unit in ("percent", "points") else 1)
    return f"{scaled:{'+' if unit == 'points' else ''}.{DIGITS.get(unit, 3) + more}f}{units.get(unit, '')}"


def format_bound(bound: float, unit: str) -> str:
    """Return a bound of a condition with its unit: ``0.3 points``, ``90 %``."""
    points = say("audit.point" if bound == 0.01 else "audit.points")
    units = {"percent": " %", "points": f" {points}", "ratio": " ×"}
    return f"{100 * bound if unit in ('percent', 'points') else bound:g}{units.get(unit, '')}"


def format_estimate(estimate: Estimate | None, unit: str) -> str:
    """Return ``mean ± sd (n)``, or a dash where there are no runs."""
    if estimate is None:
        return "—"
    scale = 100 if unit in ("percent", "points") else 1
    digits = DIGITS.get(unit, 3)
    sd = "" if estimate.sd is None else f" ± {scale * estimate.sd:.{max(digits, 1)}f}"
    return f"{format_value(estimate.mean, unit).split(' ')[0]}{sd} (n = {estimate.runs})"
