"""The figure of the home page: how many numbers and claims of each report, and of all together, have each verdict."""

from __future__ import annotations

import string
from pathlib import Path

import matplotlib

from fmnist_utils import plots
from fmnist_utils.audit import ACROSS, VERDICTS, audit, count_verdicts
from fmnist_utils.reports import load_report, student_reports
from fmnist_utils.text import get_language, say, set_language


def write(folder: Path, names: list[str], lang: str) -> None:
    """Draw ``verdicts.png`` into ``folder`` and fill in its ``_verdicts.md``, where ``$number_agrees`` and the like are counts.

    Args:
        names: the reports to show, which should be those whose runs have all been made. Where these are all, the figure has one
            more bar, of the claims across them, and counts what ``fmnist audit`` counts.
    """
    before = get_language()
    set_language(lang)
    try:
        counts = {f"{int(name[:2])} · {_family(name)}": count_verdicts(audit(name)) for name in names}
        if set(names) == set(student_reports()):
            counts[say("closing.together")] = count_verdicts(audit(ACROSS))
        matplotlib.use("agg")
        plots.verdicts(counts)
        plots.plt.savefig(folder / "verdicts.png")
        plots.plt.close()
    finally:
        set_language(before)
    fields = {
        f"{kind}_{verdict.split()[0]}": sum(of_report[kind][verdict] for of_report in counts.values())
        for kind in ("number", "claim")
        for verdict in VERDICTS
    }
    fields |= {f"{kind}s": sum(fields[f"{kind}_{verdict.split()[0]}"] for verdict in VERDICTS) for kind in ("number", "claim")}
    page = folder / "_verdicts.md"
    page.write_text(string.Template(page.read_text("utf-8")).substitute(fields, reports=len(names)), "utf-8")


def _family(name: str) -> str:
    """Return the family name of a report's first author, with *et al.* if there are others."""
    authors = load_report(name).authors
    first = authors[0].split()[-1]
    return f"{first} et al." if len(authors) > 1 else first
