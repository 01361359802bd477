"""The figure of the home page: how many numbers and claims of each report, and of all together, have each verdict."""

from __future__ import annotations

from pathlib import Path

from book.machinery.generated.writing import fill, save_figure

from fmnist_utils.audit.schema import load_report, student_reports
from fmnist_utils.audit.verdicts import ACROSS, VERDICTS, audit, count_verdicts
from fmnist_utils.text import say, speaking


def write(folder: Path, lang: str, executed: dict) -> None:
    """Draw ``verdicts.png`` into ``folder`` and fill in its ``_verdicts.md``, where ``$number_agrees`` and the like are counts.

    Where all reports have their page, the figure has one more bar, of the claims across them, and counts what ``fmnist audit``
    counts.
    """
    names = [name for name in student_reports() if name in executed]
    with speaking(lang):
        counts = {
            f"{int(name[:2])} · {_family(name)}": count_verdicts(audit(name)) for name in names
        }
        if set(names) == set(student_reports()):
            counts[say("closing.together")] = count_verdicts(audit(ACROSS))
        save_figure(folder / "verdicts.png", "verdicts", counts)
    fields = {
        f"{kind}_{verdict.split()[0]}": sum(
            of_report[kind][verdict] for of_report in counts.values()
        )
        for kind in ("number", "claim")
        for verdict in VERDICTS
    }
    fields |= {
        f"{kind}s": sum(fields[f"{kind}_{verdict.split()[0]}"] for verdict in VERDICTS)
        for kind in ("number", "claim")
    }
    fill(folder / "_verdicts.md", fields | {"reports": len(names)})


def _family(name: str) -> str:
    """Return the family name of a report's first author, with *et al.* if there are others."""
    authors = load_report(name).authors
    first = authors[0].split()[-1]
    return f"{first} et al." if len(authors) > 1 else first
