"""Tables. MyST-NB captions an output as a figure; a table is counted apart, as «Tabla 1».

Pages with tables worth sorting load ``book/_live/sort.js``; without scripts the table stands as it
is.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.locale import _
from sphinx.transforms import SphinxTransform


class table_figure(nodes.figure):
    """A figure that holds a table."""


class table_caption(nodes.caption):
    """Its caption, which stands above the table; docutils would put the table into the caption."""


class MarkTables(SphinxTransform):
    """Turn the figures of class ``captioned-table`` and their captions into these."""

    default_priority = 200

    def apply(self):
        for figure in list(self.document.findall(nodes.figure)):
            if "captioned-table" in figure["classes"]:
                figure.__class__ = table_figure  # the same object: targets point at it
                for caption in figure.findall(nodes.caption):
                    caption.__class__ = table_caption


def title(figure):
    return next((caption.astext() for caption in figure.findall(table_caption)), None)


def visit_figure(translator, node):
    translator.body.append(translator.starttag(node, "figure"))


def depart_figure(translator, node):
    translator.body.append("</figure>\n")


def visit_caption(translator, node):
    translator.body.append("<figcaption>")
    translator.add_fignumber(node.parent)
    translator.body.append(translator.starttag(node, "span", "", CLASS="caption-text"))


def depart_caption(translator, node):
    translator.body.append("</span>")
    translator.add_permalink_ref(node.parent, _("Link to this table"))
    translator.body.append("</figcaption>\n")


EMPTY_HEADING = re.compile(r"<th([^>]*)>\s*</th>")
SORTED = re.compile(r'<figure class="captioned-table|<table class="[^"]*\b(?:wide|texts)\b')
TITLE = {"es": "Ordenar por esta columna", "en": "Sort by this column"}


def finish_tables(app, pagename, templatename, context, doctree):
    """Make empty headings cells, and load the script that sorts where there is a table for it."""
    if "body" in context:
        context["body"] = EMPTY_HEADING.sub(r"<td\1></td>", context["body"])
    if SORTED.search(context.get("body", "")):
        app.add_js_file(
            "sort.js", loading_method="defer", **{"data-title": TITLE[app.config.language]}
        )


def setup(app):
    app.add_enumerable_node(table_figure, "table", title, html=(visit_figure, depart_figure))
    app.add_node(table_caption, html=(visit_caption, depart_caption))
    app.add_transform(MarkTables)
    app.connect("html-page-context", finish_tables)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
