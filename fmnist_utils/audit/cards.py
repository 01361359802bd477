"""One card a report: what was audited and how, what was stated and what was missing, the results, and what it took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import fmnist_utils
from fmnist_utils.audit.dates import span
from fmnist_utils.audit.forms import Card
from fmnist_utils.audit.margins import load_margins
from fmnist_utils.audit.records import Records, Run
from fmnist_utils.audit.schema import Report, load_report
from fmnist_utils.audit.scrutiny import count_verdicts, orders
from fmnist_utils.audit.verdicts import VERDICTS, Row, rows
from fmnist_utils.text import say

WATTS = 10  # assumed of one busy core, with its share of memory and cooling: nothing was measured


@dataclass(frozen=True)
class ReportCard:
    """The card of a report: a title, and headings with their text, in the language in which it was made."""

    title: str
    lines: tuple[tuple[str, str], ...]

    def to_text(self) -> str:
        """Return the card as plain text."""
        return "\n".join([self.title, *(f"  {heading}: {text}" for heading, text in self.lines)])

    def _repr_html_(self) -> str:
        left = 'style="text-align: left; vertical-align: top"'
        body = "".join(
            f"<tr><th {left}>{escape(heading)}</th><td {left}>{escape(text)}</td></tr>"
            for heading, text in self.lines
        )
        return (
            f'<table class="texts card"><caption>{escape(self.title)}</caption>'
            f"<tbody>{body}</tbody></table>"
        )


def card(name: str) -> ReportCard:
    """Return the card of the report called ``name``, in the language in force.

    Raises:
        UserError: if there is no such report.
    """
    report, audited = load_report(name), rows(name)
    runs = report.every_run(Records())
    lines = [(say("card.authors"), f"{', '.join(report.authors)} ({report.date})")]
    if report.card:
        lines += _told(report.card, "scope", "method", "stated", "missing")
    lines += [
        (say(f"card.{kind}s"), results(audited, kind)) for kind in ("number", "table", "claim")
    ]
    if report.card:
        lines += _told(report.card, "easy", "difficult", "contact")
    lines += [(say("card.effort"), effort(report, runs)), (say("card.dates"), dates(audited, runs))]
    cited = say(
        "card.citation",
        title=report.title,
        authors=", ".join(report.authors),
        year=report.date[:4],
        version=fmnist_utils.__version__,
    )
    lines.append((say("card.cite"), cited))
    return ReportCard(f"{int(report.id[:2])}. {report.title}", tuple(lines))


def _told(card: Card, *fields: str) -> list[tuple[str, str]]:
    """Return the texts of some fields with their headings."""
    return [(say(f"card.{name}"), str(getattr(card, name))) for name in fields]


def results(audited: Sequence[Row], kind: str) -> str:
    """Return how many lines of one kind have each verdict, in words."""
    counts = count_verdicts(audited)[kind]
    told = [
        f"{say(f'verdict.{verdict}')} {counts[verdict]}" for verdict in VERDICTS if counts[verdict]
    ]
    return f"{sum(counts.values())}: {', '.join(told)}" if told else "0"


def effort(report: Report, runs: Sequence[Run]) -> str:
    """Return what it took: runs, hours, energy, processors and guesses."""
    hours = sum(run.record.seconds for run in runs) / 3600
    made_on = Counter(
        str(run.record.made_with.get("cpu_name") or say("card.not_named")) for run in runs
    )
    told = say(
        "card.spent",
        runs=len(runs),
        hours=hours,
        minutes=60 * hours / max(len(runs), 1),
        energy=hours * WATTS / 1000,
        watts=WATTS,
        processors=", ".join(f"{name} ({count})" for name, count in made_on.most_common()) or "–",
    )
    if not report.card:
        return told
    return f"{told} {say('card.guesses', count=report.card.guesses)} {report.card.guessing}"


def dates(audited: Sequence[Row], runs: Sequence[Run]) -> str:
    """Return when the rules were fixed and when the runs were made."""
    timings = [row.timing for row in audited if row.timing]
    count = orders(timings)
    return say(
        "card.when",
        rules=span(timing.fixed for timing in timings),
        margins=load_margins().fixed,
        made=span(str(run.record.made_with["date"]) for run in runs),
        older=count["older"],
        between=count["between"],
        younger=count["younger"],
    )
