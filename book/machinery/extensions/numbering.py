"""Figures, tables, equations and exercises are counted from 1 on each page, as in the notebooks.

Sphinx counts them through the whole book, so that the first figure of page 05 would be the
eightieth.
"""

from __future__ import annotations

from itertools import count


def count_on_each_page(app, env):
    """Replace Sphinx's numbers, page after page."""
    for of_page in env.toc_fignumbers.values():
        for kind, numbers in of_page.items():
            of_page[kind] = {name: (number,) for name, number in zip(numbers, count(1))}
    return []


def setup(app):
    # After Sphinx's own counting, which is connected to the same event with the priority of all.
    app.connect("env-get-updated", count_on_each_page, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
