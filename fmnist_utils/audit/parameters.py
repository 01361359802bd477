"""The parameters of a page, which papermill, Colab or a reader may set, checked before anything is trained."""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from fmnist_utils.audit.recipes import MODEL_ARGUMENTS, CheckedSpec, DataSpec, Recipe, Spec
from fmnist_utils.data import SOURCES
from fmnist_utils.text import LANGUAGES, set_language


class PageParameters(CheckedSpec):
    """The parameters that every page has; a report adds those that it names in ``parameters``."""

    lang: Literal[LANGUAGES]  # type: ignore[valid-type]
    source: Literal[SOURCES] = "sample"  # type: ignore[valid-type]
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0


# What Python and IPython put among the variables of a notebook: __name__, _, _i3, Out, ….
_OF_IPYTHON = re.compile(r"__.*__|_+|_i+\d*|_\d+|_[dio]h|_exit_code|In|Out|exit|quit|open")
_CHECKED: set[str] = set()  # the reports whose parameters were checked in this process


def check(report: str, own: Mapping[str, str], namespace: dict[str, Any]) -> None:
    """Check the parameters of a report's page, see :meth:`~fmnist_utils.audit.schema.Report.check_parameters`.

    Args:
        own: the parameters that the report adds: name → path of the field of the recipe.
    """
    known = {*PageParameters.model_fields, *own}
    if "__name__" in namespace:
        given = {name: namespace[name] for name in known if name in namespace}
        if report not in _CHECKED:
            given |= _assigned(namespace)
    else:
        given = dict(namespace)
    if given.get("lang") in LANGUAGES:
        set_language(given["lang"])
    fields: dict[str, Any] = {name: (_field_type(path), ...) for name, path in own.items()}
    optional = {name: (field[0], None) for name, field in fields.items() if name not in given}
    create_model("Parameters", __base__=PageParameters, **fields | optional)(**given)
    if "__name__" in namespace:
        _CHECKED.add(report)


def _assigned(namespace: dict[str, Any]) -> dict[str, Any]:
    """Return the plain values in a notebook's namespace: no modules, functions, reports or IPython's own."""

    def is_value(name: str, value: Any) -> bool:
        of_ipython = _OF_IPYTHON.fullmatch(name) is not None
        return not (of_ipython or callable(value) or isinstance(value, types.ModuleType | Spec))

    return {name: value for name, value in namespace.items() if is_value(name, value)}


def _field_type(path: str) -> Any:
    """Return the type of a recipe's field by its path: ``num_epochs``, ``data.train_size``, ``model.dropout``."""
    part, _, name = path.rpartition(".")
    if part == "model":
        return MODEL_ARGUMENTS[name]
    field = (DataSpec if part == "data" else Recipe).model_fields[name]
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
