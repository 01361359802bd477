"""Which pages are written again: those that have changed, and all when others can see the change.

Sphinx writes what it has read again, the pages that are counted differently, and those that list a
changed page. It does not know which pages show a title, a number, a term or a work of another.
"""

from __future__ import annotations

import hashlib
import json


def to_write(app, env):
    """Return the pages to be written beyond those that Sphinx knows of: the first one at least."""
    before = getattr(env, "seen_by_others", None)
    env.seen_by_others = seen_by_others(env)
    return env.found_docs if env.seen_by_others != before else [app.config.root_doc]


def seen_by_others(env) -> str:
    """Return a digest of what pages show of each other: titles, places, numbers, names, works."""
    standard = env.get_domain("std")
    works = [(work.key, work.citation_id) for work in env.get_domain("cite").citations]
    seen = [
        {name: title.astext() for name, title in env.titles.items()},
        standard.labels,
        standard.anonlabels,
        [[page, list(numbers.items())] for page, numbers in sorted(env.toc_fignumbers.items())],
        env.get_domain("math").equations,
        [sorted(domain.get_objects(), key=str) for _, domain in sorted(env.domains.items())],
        sorted(works),
    ]
    return hashlib.sha256(json.dumps(seen, sort_keys=True, default=str).encode()).hexdigest()


def setup(app):
    app.connect("env-get-updated", to_write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
