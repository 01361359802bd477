"""The audit audited: whether its intervals hold what they promise, and what its headline depends on."""

from __future__ import annotations

import json
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import scipy

from fmnist_utils.audit.damage import damaged, read_json
from fmnist_utils.audit.dates import Timing, dates_of_margins, span
from fmnist_utils.audit.estimates import Estimate
from fmnist_utils.audit.formats import format_value
from fmnist_utils.audit.records import Records, Run
from fmnist_utils.audit.schema import (
    FOLDER,
    Store,
    load_audited,
    load_report,
    report_names,
    student_reports,
)
from fmnist_utils.audit.tables import Table
from fmnist_utils.audit.verdicts import ACROSS, KINDS, TESTED, VERDICTS, Audit, Row
from fmnist_utils.text import say

LEAST = 3  # runs, to leave one out and still have an interval
FACTORS = (0.5, 1.0, 2.0)
WITNESSES = "witnesses.json"
WITNESSED = tuple(f"scrutiny.{name}" for name in ("precision", "first", "drift", "same", "where"))


def count_verdicts(found: Iterable[Row]) -> dict[str, dict[str, int]]:
    """Return how many numbers, claims, columns of tables and claims of our own have each verdict."""
    every = list(found)
    return {
        kind: {
            verdict: sum(row.kind == kind and row.verdict == verdict for row in every)
            for verdict in VERDICTS
        }
        for kind in KINDS
    }


def chance(found: Iterable[Row]) -> dict[str, float]:
    """Return what chance alone does to the numbers that were tested.

    Returns:
        ``tested`` numbers, how many would differ by chance (``expected``), how many ``differ``, and how many of those do so still
        when the share of false ones among them is held at 5 % (Y. Benjamini and Y. Hochberg, 1995: ``corrected``).
    """
    ps = [row.p for row in found if row.kind == "number" and row.p is not None]
    if not ps:
        return {"tested": 0, "expected": 0.0, "differ": 0, "corrected": 0}
    adjusted = scipy.stats.false_discovery_control(ps)
    return {
        "tested": len(ps),
        "expected": TESTED * len(ps),
        "differ": sum(p < TESTED for p in ps),
        "corrected": int((adjusted < TESTED).sum()),
    }


def coverage(store: Store | None = None) -> Table:
    """Return how often the interval of one more run holds a run of ours that was left out, by unit.

    Each run behind a published number is left out in turn; the others foretell it, by themselves, without what the rows of a
    table share.
    """
    inside: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for name in student_reports():
        audit = Audit(load_report(name), store or Records())
        for number in load_report(name).numbers:
            measure = number.measure
            values = list(audit.values(measure, "theirs").values())
            if measure.compared_with or measure.scale == "exact" or len(values) < LEAST:
                continue
            whole = audit.whole(measure, "theirs")
            for place, left_out in enumerate(values):
                others = values[:place] + values[place + 1 :]
                found = Estimate.of(others, measure.scale, whole, measure.grain)
                total[number.unit] += 1
                inside[number.unit] += found is not None and found.p_value(left_out) >= 0.05
    total["all"], inside["all"] = sum(total.values()), sum(inside.values())
    return _table(
        {
            say(f"scrutiny.unit_{unit}"): {
                "scrutiny.left_out": str(count),
                "scrutiny.held": str(inside[unit]),
                "scrutiny.share": f"{100 * inside[unit] / count:.0f} %",
            }
            for unit, count in total.items()
            if count
        }
    )


def sensitivity(rows: Iterable[Row]) -> Table:
    """Return how many published numbers have each verdict if every margin were half or twice as wide."""
    tested = [row for row in rows if row.kind == "number" and row.p is not None]
    lines = {}
    for factor in FACTORS:
        verdicts = Counter(_verdict(row, factor) for row in tested)
        lines[say(f"scrutiny.margins_{factor:g}")] = {
            f"verdict.{verdict}": str(verdicts[verdict])
            for verdict in ("agrees", "differs", "not enough")
        }
    return _table(lines)


def _verdict(row: Row, factor: float) -> str:
    """Return the verdict of a number with its margin so many times as wide."""
    if row.verdict == "differs" or row.noticed is None or row.margin is None:
        return row.verdict
    return "agrees" if row.noticed <= factor * row.margin else "not enough"


def timing(rows: Iterable[Row]) -> Table:
    """Return, by report, when the rules of its rows were fixed and their runs made, and in how many rows which came first.

    A rule that is younger than all of its runs was written or changed by someone who could have seen them.
    """
    by_report: dict[str, list[Timing]] = defaultdict(list)
    for row in rows:
        if row.timing:
            by_report[row.report].append(row.timing)
    lines = [
        {
            "scrutiny.written": span(when.written for when in found),
            "scrutiny.rules": span(when.fixed for when in found),
            "scrutiny.plans": span(when.planned for when in found),
            "scrutiny.runs_made": span(time for when in found for time in when.made),
            **{f"scrutiny.{order}": str(count) for order, count in orders(found).items()},
        }
        for found in by_report.values()
    ]
    names = [
        str(load_audited(name).title) if name == ACROSS else str(int(name[:2]))
        for name in by_report
    ]
    written, fixed = zip(*dates_of_margins(), strict=True)
    lines.append({"scrutiny.written": span(written), "scrutiny.rules": span(fixed)})
    names.append(say("scrutiny.margins"))
    frame = pd.DataFrame(lines, index=pd.Index(names)).fillna("–")
    return Table(frame.rename(columns=say))


def orders(found: Iterable[Timing]) -> dict[str, int]:
    """Return of how many rows the rule is ``older`` than all of its runs, ``between`` them, ``younger`` than all.

    ``mended``: of the last, how many had a rule before the first run, which was changed after it.
    """
    judged = [when for when in found if when.made]
    older = sum(when.earlier == 0 for when in judged)
    younger = [when for when in judged if when.earlier == len(when.made)]
    return {
        "older": older,
        "between": len(judged) - older - len(younger),
        "younger": len(younger),
        "mended": sum(when.written < when.made[0] for when in younger),
    }


def provenance(store: Store | None = None) -> Table:
    """Return on which processors the runs of all reports were made: how many, in which precision, and when."""
    store = store or Records()
    runs = {run.id: run for name in report_names() for run in load_report(name).every_run(store)}
    found: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for run in runs.values():
        made = run.record.made_with
        processor = str(made.get("cpu_name") or say("scrutiny.unnamed", cpu=made.get("cpu", "?")))
        if made["device"] != "cpu":
            processor = str(made["device_name"])
        kernels = str(made.get("onednn") or say("scrutiny.not_recorded"))
        found[processor, kernels].append(run)
    lines = [
        {
            "scrutiny.kernels": kernels,
            "scrutiny.float32": str(_count(of_one, "float32")),
            "scrutiny.bfloat16": str(_count(of_one, "bfloat16")),
            "scrutiny.made": span(str(run.record.made_with["date"]) for run in of_one),
            "scrutiny.commits": _unknown_commits(of_one),
            "scrutiny.mixed": str(
                sum(not run.record.made_with.get("one_environment", True) for run in of_one)
            ),
        }
        for (_, kernels), of_one in sorted(found.items())
    ]
    processors = [processor for processor, _ in sorted(found)]
    return Table(pd.DataFrame(lines, index=pd.Index(processors)).rename(columns=say))


def _unknown_commits(runs: Sequence[Run]) -> str:
    """Return how many runs name a commit that this repository does not have; a dash where there is none to ask."""
    named = [str(run.record.made_with.get("commit") or "").rstrip("+") for run in runs]
    asked = "\n".join(dict.fromkeys(filter(None, named))) + "\n"
    command = ["git", "cat-file", "--batch-check"]
    try:
        answer = subprocess.run(
            command, input=asked, cwd=FOLDER, capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return "–"
    unknown = {line.split()[0] for line in answer.stdout.splitlines() if line.endswith("missing")}
    return str(sum(not commit or commit in unknown for commit in named))


def read_witnesses(path: Path | None = None) -> list[dict[str, Any]]:
    """Return what was found where recorded runs were made again, one entry a run; none if no run was."""
    path = path or FOLDER / WITNESSES
    content = path.read_bytes() if path.exists() else b"[]"
    try:
        return json.loads(read_json(content))
    except ValueError as error:
        raise damaged(path, content) from error


def witnesses() -> Table:
    """Return, for each recorded run that was made again, how far the second one is from the first, and where both were made.

    A student report of which no run was made again has a line that says so.
    """
    lines, names = [], []
    for entry in read_witnesses():
        report = load_report(entry["report"])
        group, _, protocol = entry["group"].rpartition(".")
        recipe = report.recipe(group, protocol, entry["seed"])
        accuracy = entry["metric"].endswith("accuracy")
        unit = "points" if accuracy else "error"
        made = [entry["first_made"], entry["again_made"]]
        lines.append(
            {
                "scrutiny.precision": entry["precision"],
                "scrutiny.first": f"{100 * entry['first']:.2f} %"
                if accuracy
                else f"{entry['first']:.4f}",
                "scrutiny.drift": format_value(entry["again"] - entry["first"], unit, signed=True),
                "scrutiny.same": say("scrutiny.yes" if entry["same_weights"] else "scrutiny.no"),
                "scrutiny.where": " → ".join(_where(machine) for machine in made),
            }
        )
        names.append(f"{int(report.id[:2])}: {report.label(group, recipe)}")
    for name in student_reports():
        if not any(entry["report"] == name for entry in read_witnesses()):
            lines.append({"scrutiny.where": say("scrutiny.not_again")})
            names.append(str(int(name[:2])))
    lines = [dict.fromkeys(WITNESSED, "–") | line for line in lines]
    return Table(pd.DataFrame(lines, index=pd.Index(names)).rename(columns=say))


def _where(made: dict[str, str | None]) -> str:
    """Return the processor of a run and the day, as far as they were recorded."""
    named = made["cpu_name"] or say("scrutiny.not_recorded")
    return f"{named} ({str(made['date'])[:10]})"


def _count(runs: Sequence[Run], precision: str) -> int:
    return sum(run.record.recipe.get("precision", "float32") == precision for run in runs)


def _table(lines: dict[str, dict[str, str]]) -> Table:
    frame = pd.DataFrame.from_dict(lines, orient="index")
    return Table(frame.rename(columns=say))
