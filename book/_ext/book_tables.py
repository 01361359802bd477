"""Captioned tables: MyST-NB puts an output with a caption into a figure; a table is counted apart, as «Tabla 1»."""

from __future__ import annotations

from docutils import nodes
from sphinx.transforms import SphinxTransform


class table_figure(nodes.figure):
    """A figure that holds a table."""


class MarkTables(SphinxTransform):
    """Turn the figures of class ``captioned-table`` into :class:`table_figure`."""

    default_priority = 200

    def apply(self):
        for figure in list(self.document.findall(nodes.figure)):
            if "captioned-table" in figure["classes"]:
                figure.__class__ = table_figure  # keeps the targets that point at the very object


def caption_of(node):
    return next((caption.astext() for caption in node.findall(nodes.caption)), None)


def visit(translator, node):
    translator.visit_figure(node)


def depart(translator, node):
    translator.depart_figure(node)


def setup(app):
    app.add_enumerable_node(table_figure, "table", caption_of, html=(visit, depart))
    app.add_transform(MarkTables)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
