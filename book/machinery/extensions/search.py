"""The search's index entries of pages that are not written again: Sphinx forgets them, and the terms of the glossary with them."""

from __future__ import annotations

import json
from pathlib import Path


def kept(app) -> Path:
    return Path(app.doctreedir) / "index_entries.json"


def recall(app):
    if kept(app).exists():
        found = json.loads(kept(app).read_text("utf-8"))
        app.env._search_index_index_entries |= {
            page: [tuple(entry) for entry in entries] for page, entries in found.items()
        }


def remember(app, exception):
    if not exception:
        kept(app).write_text(json.dumps(app.env._search_index_index_entries), "utf-8")


def setup(app):
    app.connect("builder-inited", recall)
    app.connect("build-finished", remember)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
