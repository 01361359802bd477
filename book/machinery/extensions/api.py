"""The reference of the package, without the machinery that pydantic puts into a class."""

from __future__ import annotations

import importlib
import pkgutil

from sphinx.errors import PycodeError
from sphinx.pycode import ModuleAnalyzer

import fmnist_utils

MACHINERY = {"model_config", "model_post_init", "model_fields", "model_computed_fields"}


def skip(app, what, name, member, skipped, options):
    """Leave out what nobody who reads about a class wants to know."""
    # Its documentation is «Alias for field number 0».
    field_of_named_tuple = type(member).__name__ == "_tuplegetter"
    return True if name in MACHINERY or field_of_named_tuple else None


def ours_only(name: str, of_any_module=ModuleAnalyzer.for_module) -> ModuleAnalyzer:
    """Read the comments in our modules alone; those of all base classes would take seconds."""
    if name.partition(".")[0] != fmnist_utils.__name__:
        raise PycodeError("not a module of this package")
    return of_any_module(name)


def import_all(app, page, source):
    """Import all of the package before autodoc documents any of it, and only if it does.

    Autodoc changes the annotations of pydantic's base class, and models that are defined after that
    are incomplete.
    """
    if page.startswith("api/"):
        for module in pkgutil.walk_packages(fmnist_utils.__path__, "fmnist_utils."):
            importlib.import_module(module.name)


def belong_to_the_page(app, page):
    """Let all nodes of a page name it as their document.

    MyST gives what is written in reStructuredText another document, through which all that Sphinx
    knows would be kept with each page of the reference, and loaded again: 200 MB.
    """
    for node in page.findall():
        node.document = page


def setup(app):
    app.connect("source-read", import_all)
    app.connect("doctree-read", belong_to_the_page)
    app.connect("autodoc-skip-member", skip)
    ModuleAnalyzer.for_module = ours_only
    return {"parallel_read_safe": True, "parallel_write_safe": True}
