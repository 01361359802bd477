"""Links between the audit of a report and the rest of its page, put in when the page is laid out.

In the tables of the audit the id of a number or of a claim leads to the section that shows the runs
behind it, and that of a mistake to the section that explains it; the ids in the text lead to their
rows. The notebooks stay without these links: in JupyterLab they would lead nowhere.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from book.machinery import pages
from fmnist_utils.audit.schema import Report, load_report, student_reports

ID = r"\b[NCE]\d+-\d+\b"
LABEL_OR_ID = re.compile(rf"^\(([\w-]+)\)=$|({ID})", re.MULTILINE)
ROW = re.compile(rf"<tr>(<th[^>]*>)({ID})</th>")
# Where an id is no mention: in headings, labels, code, formulas, roles, links and tags.
NO_TEXT = r"^(?:#|:::|\().*?$|```.*?```|<!--.*?-->|\$\$.*?\$\$|\$[^$]*\$|(?:\{[\w:-]+\})?`[^`]*`|\[[^\]]*\]\([^)]*\)|<[^>]*>"
MENTION = re.compile(rf"({NO_TEXT})|({ID})", re.DOTALL | re.MULTILINE)
TO_SECTION = {
    "es": "A la sección que lo mide o lo explica",
    "en": "To the section that measures or explains it",
}


def link(page: NotebookNode, name: str, lang: str) -> None:
    """Put the links into an executed page in one language, if it audits a report."""
    if name not in student_reports():
        return
    places, rows = sections(page, load_report(name)), set()

    def to_section(row: re.Match) -> str:
        rows.add(row[2])
        place = places.get(row[2])
        name = f'<a href="#{place}" title="{TO_SECTION[lang]}">{row[2]}</a>' if place else row[2]
        return f'<tr id="{row[2]}">{row[1]}{name}</th>'

    def to_row(found: re.Match) -> str:
        return f'<a href="#{found[2]}">{found[2]}</a>' if found[2] in rows else found[2] or found[0]

    tables = [
        output.data
        for cell in page.cells
        for output in cell.get("outputs", [])
        if "text/html" in output.get("data", {})
    ]
    for data in tables:
        data["text/html"] = ROW.sub(to_section, data["text/html"])
    for data in tables:  # the reasons below the rows mention others
        data["text/html"] = re.sub(
            rf"(\()({ID})(?=\))", lambda found: found[1] + to_row(found), data["text/html"]
        )
    for cell in page.cells:
        if cell.cell_type == "markdown":
            cell.source = MENTION.sub(to_row, cell.source)
        elif figure := caption_of(cell):
            figure["caption"] = MENTION.sub(to_row, figure["caption"])


def missing(source: Path) -> Iterator[str]:
    """Yield the numbers, claims and mistakes of a report that no section of its page deals with."""
    if source.stem not in student_reports():
        return
    report = load_report(source.stem)
    entries = [*report.numbers, *report.claims, *report.errors]
    for lang in pages.LANGUAGES:
        places = sections(pages.book_page(pages.read(source), lang), report)
        for name in (entry.id for entry in entries if entry.id not in places):
            what = "mentions it" if name.startswith("E") else "shows the runs that it is about"
            yield f"{name}: no section {what} [{lang}]"


def caption_of(cell: NotebookNode) -> dict | None:
    """Return the options of the figure that a code cell shows, if they have a caption."""
    figure = cell.metadata.get("mystnb", {}).get("figure", {})
    return figure if "caption" in figure else None


def sections(page: NotebookNode, report: Report) -> dict[str, str]:
    """Return the section of a page in one language for each number, claim and mistake.

    That of a number or claim shows runs of the group that it is about: it calls ``report.runs``,
    and one of the strings in its code is the name of the group, or would be with other values
    filled in. A group that no section names is shown by the one that it is like. That of a mistake
    is the first to mention it.
    """
    shown: dict[str, dict[str, int]] = {}  # section → group → how much of its name is written out
    mentioned: dict[str, str] = {}
    with_runs, label = set(), ""
    for cell in page.cells:
        is_text = cell.cell_type == "markdown"
        text = cell.source if is_text else (caption_of(cell) or {}).get("caption", "")
        for found in LABEL_OR_ID.finditer(text):
            label = found[1] or label
            if found[2]:
                mentioned.setdefault(found[2], label)
        if is_text:
            continue
        if ".runs(" in cell.source:
            with_runs.add(label)
        for pattern, written in names(cell.source):
            for group in filter(pattern.fullmatch, report.groups):
                known = shown.setdefault(label, {})
                known[group] = max(known.get(group, 0), written)
    places = {error.id: mentioned.get(error.id, "") for error in report.errors}
    measured = {number.id: [number.measure] for number in report.numbers}
    measured |= {claim.id: [part.measure for part in claim.check] for claim in report.claims}
    for name, measures in measured.items():
        groups = [group for m in measures for group in (*m.of, *m.minus, *m.over)]
        candidates = [one for group in groups for one in (group, *_likes(report, group))]
        found = (_best_section(group, shown, with_runs) for group in candidates)
        places[name] = next(filter(None, found), "")
    return {name: label for name, label in places.items() if label}


def _likes(report: Report, group: str) -> Iterator[str]:
    """Yield the groups that ``group`` is like, from the nearest on."""
    while group in report.groups and (group := report.groups[group].like):
        yield group


def _best_section(group: str, shown: dict[str, dict[str, int]], with_runs: set[str]) -> str:
    """Return the first section with runs that writes out most of a group's name, or nothing."""
    written = {label: groups[group] for label, groups in shown.items() if group in groups}
    sections_with_runs = [label for label in written if label in with_runs]
    return max(sections_with_runs, key=written.get, default="")


def names(source: str) -> Iterator[tuple[re.Pattern, int]]:
    """Yield a pattern for each word in a code cell's strings, and how many letters are written."""
    parts = set()
    for node in ast.walk(pages.syntax_tree(source)):
        if isinstance(node, ast.JoinedStr):
            written = [
                part.value if isinstance(part, ast.Constant) else None for part in node.values
            ]
            parts |= {id(part) for part in node.values}
            pattern = "".join(r"[\w.]+" if part is None else re.escape(part) for part in written)
            yield re.compile(pattern), sum(len(part or "") for part in written)
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts
        ):
            yield from ((re.compile(re.escape(word)), len(word)) for word in node.value.split())
