"""What the theme tells a screen reader, and words that it leaves in English, mended.

Words that pass through gettext are in ``locale/es/LC_MESSAGES/sphinx.po``; those here stand in the
theme's templates.
"""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.locale import _

IN_TEMPLATES = ["Toggle primary sidebar", "Toggle secondary sidebar", "Main", "Page"]
BRANCH = {"es": "Mostrar u ocultar sus páginas", "en": "Show or hide its pages"}
MENDED = [
    (
        r'(<details[^>]*>)<summary>(<span class="toctree-toggle")',
        r'\1<summary aria-label="{branch}">\2',
    ),
    (r'<summary aria-label="Toggle hidden content">', "<summary>"),  # the words inside are its name
    (r'(<button class="btn search-button-field[^>]*?) aria-label="[^"]*"', r"\1"),  # the same
    (r'(<i class="theme-switch[^>]*?) title="[^"]*"', r"\1"),  # the button has a name
    (
        r'<div role="list" class="citation-list">',
        '<div class="citation-list">',
    ),  # no list items inside
    (r' role="doc-biblioentry"', ""),
    (r' id="(?:exercise|solution)-content"', ""),  # the same in every exercise of a page
    # The blank of «Solución a Ejercicio 1» stands inside the link, where it is underlined.
    (r'(<a class="reference internal" href="[^"]*">) (?=\w)', r" \1"),
]


def mend(app, exception):
    if exception or app.builder.format != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        text = page.read_text("utf-8")
        if (right := mended(text, app.config.language)) != text:  # else it stays as old as it is
            page.write_text(right, "utf-8")


def mended(text: str, lang: str) -> str:
    """Return a page with what it should say in ``lang``."""
    for pattern, right in MENDED:
        text = re.sub(pattern, right.replace("{branch}", BRANCH[lang]), text)
    # autodoc's name for the field of an attribute's type, which does not pass through gettext
    text = re.sub(r'(<dt class="field-\w+">)Type(?=<)', rf"\1{_('Type')}", text)
    for words in IN_TEMPLATES:
        text = text.replace(f'"{words}"', f'"{_(words)}"')
    return text


def setup(app):
    app.connect("build-finished", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
