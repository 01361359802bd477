"""The rules for the pages of text in ``book/es`` and ``book/en``: ``PROSE_RULES``."""

from __future__ import annotations

import re
from pathlib import Path

from book.machinery.pages import LANGUAGES, ROOT, prose
from book.machinery.rules.text import Findings, differences, foreign_words, typed_measurements

# What the build fills into a fragment, a file whose name begins with «_».
FIELD = re.compile(r"\$[a-z_]+")


def same_pages(book: Path) -> Findings:
    """Both languages have the same files."""
    names = {lang: {path.name for path in prose(book / lang)} for lang in LANGUAGES}
    for lang in LANGUAGES:
        for name in sorted(set.union(*names.values()) - names[lang]):
            yield f"{name} is missing in {lang}"


def paired_prose(book: Path) -> Findings:
    """Both languages of a page have the same parts."""
    for path in prose(book / "es"):
        twin = book / "en" / path.name
        if twin.exists():
            texts = (file.read_text("utf-8") for file in (path, twin))
            if path.name.startswith("_"):
                texts = (FIELD.sub("x", text) for text in texts)
            found = differences(*texts)
            yield from (f"{path.name}: {difference}" for difference in found)


def prose_words(book: Path) -> Findings:
    """Prose holds no measured numbers and, in Spanish, no word that the glossary replaces."""
    for lang in LANGUAGES:
        for path in prose(book / lang):
            text = path.read_text("utf-8")
            found = list(typed_measurements(text))
            if lang == "es" and path.stem != "glossary":
                found += foreign_words(text)
            yield from (f"{lang}/{path.name}: {finding}" for finding in found)


PROSE_RULES = [same_pages, paired_prose, prose_words]


def check_prose(book: Path = ROOT / "book") -> list[str]:
    """Return what is wrong with the pages of text in ``book/es`` and ``book/en``."""
    return [f"{rule.__name__}: {finding}" for rule in PROSE_RULES for finding in rule(book)]
