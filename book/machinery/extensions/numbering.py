"""Figures, tables, equations and exercises are counted from 1 on each page, as in the notebooks.

Sphinx counts them through the whole book, so that the first figure of page 05 would be the
eightieth. It keeps its own numbers, by which it knows at the next build which pages have others.
"""

from __future__ import annotations

from itertools import count


def count_on_each_page(app, env):
    """Replace Sphinx's numbers, page after page."""
    for of_page in env.toc_fignumbers.values():
        for kind, numbers in of_page.items():
            of_page[kind] = {name: (number,) for name, number in zip(numbers, count(1))}


def setup(app):
    app.connect("env-check-consistency", count_on_each_page)  # after what is kept has been written
    return {"parallel_read_safe": True, "parallel_write_safe": True}
