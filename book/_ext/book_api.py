"""The reference of the package, without the machinery that pydantic puts into a class."""

from __future__ import annotations

import importlib
import pkgutil

import fmnist_utils

MACHINERY = {"model_config", "model_post_init", "model_fields", "model_computed_fields"}


def skip(app, what, name, member, skipped, options):
    """Leave out what nobody who reads about a class wants to know."""
    field_of_named_tuple = type(member).__name__ == "_tuplegetter"  # its documentation is «Alias for field number 0»
    return True if name in MACHINERY or field_of_named_tuple else None


def setup(app):
    # All of it before autodoc documents any of it: autodoc changes the annotations of pydantic's base class, and models
    # that are defined after that are incomplete.
    for module in pkgutil.walk_packages(fmnist_utils.__path__, "fmnist_utils."):
        importlib.import_module(module.name)
    app.connect("autodoc-skip-member", skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
