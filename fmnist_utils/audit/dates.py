"""When each rule of the audit was written and fixed: ``reports/dates.json``, which ``.ci/dates.py`` makes from git.

A rule is what a row is judged by, without its texts: what was published, what of which runs it is compared with, the bounds. The
margins are rules too, and so is how many runs a group has.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fmnist_utils.audit.damage import damaged, read_json
from fmnist_utils.audit.groups import expand_grids
from fmnist_utils.audit.records import Run
from fmnist_utils.audit.schema import FOLDER, Across, Report, find_group, student_reports

DATES = "dates.json"
MARGINS = "margins.yaml"
ACROSS = "across.yaml"
# What does not decide a verdict: names, texts, and McNemar's test, which is told beside it.
NO_RULES = {"id", "what", "where", "why", "text", "mcnemar"}


@dataclass(frozen=True)
class Timing:
    """When the rule of a row was fixed, and when the runs that it judges were made: ISO 8601, UTC, which sort as texts do.

    Attributes:
        written: when the rule was first written; ``fixed``: since when it reads as it does.
        planned: since when the number of its runs is what it is.
        made: when each of its runs was made, in order.
    """

    written: str
    fixed: str
    planned: str
    made: tuple[str, ...]

    @property
    def earlier(self) -> int:
        """How many of its runs are older than the rule as it reads now."""
        return sum(time <= self.fixed for time in self.made)

    def to_json(self) -> dict[str, Any]:
        """Return what it says as a JSON object, of the runs the first, the last, and how many."""
        first, last = (self.made[0], self.made[-1]) if self.made else (None, None)
        dates = {"written": self.written, "fixed": self.fixed, "planned": self.planned}
        counts = {"runs": len(self.made), "earlier": self.earlier}
        return dates | {"first_made": first, "last_made": last} | counts


def rule_files() -> list[str]:
    """Return the files that hold the rules, relative to the folder of the reports."""
    return [MARGINS, *(f"{name}/report.yaml" for name in student_reports()), ACROSS]


def rules_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rules of one such file by name: the id of a row, ``margin: loss``, ``runs: model_1``.

    Args:
        fields: of the file as it was read, now or in another version.
    """
    rows = [*(fields.get("numbers") or []), *(fields.get("claims") or [])]
    found = {row["id"]: _deciding(row) for row in rows}
    for name, margin in (fields.get("margins") or {}).items():
        found[f"margin: {name}"] = _deciding(margin)
    for name in ("confidence", "equivalence", "least_runs"):
        if name in fields:
            found[name] = fields[name]
    for name, group in expand_grids(dict(fields))["groups"].items():
        found[f"runs: {name}"] = [group.get("first_seed", 0), group.get("seeds")]
    return found


def _deciding(fields: Any) -> Any:
    """Return ``fields`` without what does not decide, at any depth."""
    if isinstance(fields, Mapping):
        return {key: _deciding(value) for key, value in fields.items() if key not in NO_RULES}
    return [_deciding(field) for field in fields] if isinstance(fields, list) else fields


def fingerprint(rule: Any) -> str:
    """Return ten digits that change if the rule does."""
    text = json.dumps(rule, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


@functools.cache
def read_dates() -> dict[str, dict[str, dict[str, str]]]:
    """Return what is known of each rule, by file and name: when it was ``written`` and ``fixed``, and its ``rule``."""
    path = FOLDER / DATES
    content = path.read_bytes()
    try:
        return json.loads(read_json(content))
    except ValueError as error:
        raise damaged(path, content) from error


def span(times: Iterable[str]) -> str:
    """Return the first and the last day of some times, one if they are the same, a dash if there is none."""
    days = sorted(time[:10] for time in times)
    return " – ".join(dict.fromkeys((days[0], days[-1]))) if days else "–"


def dates_of_margins() -> list[tuple[str, str]]:
    """Return when each margin, and the other rules of all reports, was written, and since when it reads so."""
    return [(dates["written"], dates["fixed"]) for dates in read_dates()[MARGINS].values()]


def timing_of(
    report: Report | Across, row: str, groups: Iterable[str], runs: Iterable[Run]
) -> Timing | None:
    """Return when the rule of a row was fixed and its runs were made; None of a report that has not been dated.

    Args:
        row: its id.
        groups: those that it stands on, ``runs``: their runs.
    """
    dates = _dates_of(report).get(row)
    if not dates:
        return None
    owners = [find_group(group, report) for group in groups]
    plans = [_dates_of(owner).get(f"runs: {group}", {}) for owner, group in owners]
    planned = max(plan.get("fixed", "") for plan in plans)
    made = {run.id: str(run.record.made_with["date"]) for run in runs}
    return Timing(dates["written"], dates["fixed"], planned, tuple(sorted(made.values())))


def _dates_of(report: Report | Across) -> dict[str, dict[str, str]]:
    file = ACROSS if isinstance(report, Across) else f"{report.id}/report.yaml"
    return read_dates().get(file, {})
