"""What the page for teachers shows: the steps of adding a report, from ``CONTRIBUTING.md``, and links to the slides."""

from __future__ import annotations

import re
from pathlib import Path

from book.machinery import pages, slides
from book.machinery.pages import ROOT


def write(folder: Path, lang: str, executed: dict) -> None:
    """Write ``_adding.md`` and ``_slides.md``, which ``teaching.md`` includes."""
    (folder / "_adding.md").write_text(steps(lang) + "\n", "utf-8")
    (folder / "_slides.md").write_text(decks(lang) + "\n", "utf-8")


def steps(lang: str) -> str:
    """Return the numbered steps in ``lang``."""
    english, _, spanish = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## En español")
    text = spanish if lang == "es" else english
    return re.search(r"^1\. .*?(?=\n\n)", text, re.MULTILINE | re.DOTALL)[0]


def decks(lang: str) -> str:
    """Return a list of links to the slides of all pages; Sphinx has none of them yet, so the links are HTML."""
    lines = []
    for source in pages.paths():
        first = pages.one_language(pages.read(source), lang).cells[0].source
        title = re.search(r"^# (.+)$", first, re.MULTILINE)[1]
        place = f"{slides.FOLDER}/{source.stem}.html"
        lines.append(f'- <a href="{place}">{source.stem[:2]}</a> {title}')
    return "\n".join(lines)
