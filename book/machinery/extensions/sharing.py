"""Where search engines find a page in each language, and the form for a mistake, filled in.

What a shared link shows, title, text and picture, is written by ``sphinxext.opengraph``; it would
take the first characters of a page for its text, and gets the question that the page asks instead.
"""

from __future__ import annotations

import html
import textwrap
from urllib.parse import urlencode

from docutils import nodes

from book.machinery import pages

FORM = "mistake.yml"  # in .github/ISSUE_TEMPLATE; its fields have the names that are used here
QUESTION = {"La pregunta", "The question"}  # the section that says what a page is about
LONG_ENOUGH, LONGEST = 60, 200  # characters of a description
LANGUAGE_NAMES = {"es": "español", "en": "English"}


def add_addresses(app, pagename, templatename, context, doctree):
    """Hand the templates the public address of the page in each language, and that of the form."""
    here = app.config.language
    if pagename in app.env.found_docs:
        context["alternates"] = [
            (lang, f"{pages.public_site()}/{lang}/{pagename}.html")
            for lang in app.config.site_languages
        ]
    context["mistake_form"] = mistake_form(f"{here}/{pagename}", here, app.config.site_version)


def add_description(app, pagename, templatename, context, doctree):
    """Describe the page for search engines and shared links."""
    if doctree is not None and (text := description(doctree)):
        context["meta"] = (context["meta"] or {}) | {"og:description": html.escape(text)}
        context["metatags"] += f'<meta name="description" content="{html.escape(text)}" />\n'


def description(doctree: nodes.document) -> str:
    """Return the start of the page's question, else of its first paragraph of some length."""
    paragraphs = [
        node for node in doctree.findall(nodes.paragraph) if isinstance(node.parent, nodes.section)
    ]
    asked = [node for node in paragraphs if node.parent[0].astext() in QUESTION]
    texts = [" ".join(node.astext().split()) for node in asked or paragraphs]
    chosen = next((text for text in texts if len(text) >= LONG_ENOUGH), "".join(texts[:1]))
    return textwrap.shorten(chosen, LONGEST, placeholder="…")


def mistake_form(page: str, lang: str, version: str) -> str:
    """Return the address of the form for a mistake on ``page``, with what is known filled in."""
    known = {"page": page, "language": LANGUAGE_NAMES[lang], "version": version}
    return f"{pages.repository()}/issues/new?{urlencode({'template': FORM} | known)}"


def setup(app):
    app.add_config_value("site_version", "", "html")
    app.connect("html-page-context", add_addresses)
    app.connect("html-page-context", add_description, priority=400)  # before sphinxext.opengraph
    return {"parallel_read_safe": True, "parallel_write_safe": True}
