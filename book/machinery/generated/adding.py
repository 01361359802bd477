"""The steps of adding a report, from ``CONTRIBUTING.md``: the page for teachers shows the same ones."""

from __future__ import annotations

import re
from pathlib import Path

from book.machinery.pages import ROOT


def write(folder: Path, lang: str, executed: dict) -> None:
    """Write ``_adding.md``, which ``teaching.md`` includes."""
    (folder / "_adding.md").write_text(steps(lang) + "\n", "utf-8")


def steps(lang: str) -> str:
    """Return the numbered steps in ``lang``."""
    english, _, spanish = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## En español")
    text = spanish if lang == "es" else english
    return re.search(r"^1\. .*?(?=\n\n)", text, re.MULTILINE | re.DOTALL)[0]
