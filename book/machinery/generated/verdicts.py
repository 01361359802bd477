"""The figure of the home page: how many numbers and claims of each report, and of all together, have each verdict."""

from __future__ import annotations

from pathlib import Path

from book.machinery.generated.writing import fill, save_figure
from fmnist_utils import audit
from fmnist_utils.text import say, speaking


def write(folder: Path, lang: str, executed: dict) -> None:
    """Draw ``verdicts.png`` into ``folder`` and fill in its ``_verdicts.md``, where ``$number_agrees`` and the like are counts.

    Where all reports have their page, the figure has one more bar, of the claims across them, and counts what ``fmnist audit``
    counts.
    """
    names = [name for name in audit.student_reports() if name in executed]
    with speaking(lang):
        found = {name: audit.rows(name) for name in names}
        counts = {
            f"{int(name[:2])} · {_family(name)}": audit.count_verdicts(rows)
            for name, rows in found.items()
        }
        if set(names) == set(audit.student_reports()):
            found[audit.ACROSS] = audit.rows(audit.ACROSS)
            counts[say("closing.together")] = audit.count_verdicts(found[audit.ACROSS])
        save_figure(folder / "verdicts.png", "verdicts", counts)
    every = [row for rows in found.values() for row in rows]
    fill(folder / "_verdicts.md", headline(every) | {"reports": len(names)})


def headline(rows: list[audit.Row]) -> dict[str, int | str]:
    """Return the counts that the home page and the README tell: ``number_agrees``, ``claims``, ``expected``, …."""
    fields: dict[str, int | str] = {}
    for kind, counts in audit.count_verdicts(rows).items():
        fields[f"{kind}s"] = sum(counts.values())
        fields |= {f"{kind}_{name.replace(' ', '_')}": count for name, count in counts.items()}
    by_chance = audit.chance(rows)
    return fields | by_chance | {"expected": f"{by_chance['expected']:.0f}"}


def _family(name: str) -> str:
    """Return the family name of a report's first author, with *et al.* if there are others."""
    authors = audit.load_report(name).authors
    first = authors[0].split()[-1]
    return f"{first} et al." if len(authors) > 1 else first
