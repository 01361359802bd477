"""The parameters of a page, which papermill, Colab or a reader may set, checked before anything is trained."""

from __future__ import annotations

import ast
import re
import types
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from fmnist_utils.audit.recipes import (
    MODEL_ARGUMENTS,
    BadParameters,
    CheckedSpec,
    DataSpec,
    Recipe,
    Spec,
)
from fmnist_utils.data import SOURCES, TRAIN_SIZES
from fmnist_utils.text import LANGUAGES, say, set_language


class PageParameters(CheckedSpec):
    """The parameters that every page has; a report adds those that it names in ``parameters``."""

    lang: Literal[LANGUAGES]  # type: ignore[valid-type]
    source: Literal[SOURCES] = "sample"  # type: ignore[valid-type]
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0


# What Python and IPython put among the variables of a notebook: __name__, _, _i3, Out, ….
_OF_IPYTHON = re.compile(r"__.*__|_+|_i+\d*|_\d+|_[dio]h|_exit_code|In|Out|exit|quit|open")
_CHECKED: set[str] = set()  # the reports whose parameters were checked in this process
# How the cell begins that papermill puts below the one tagged parameters.
_INJECTED = "# Parameters"
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp,
           ast.DictComp, ast.GeneratorExp)  # fmt: skip


def check(report: str, own: Mapping[str, str], namespace: dict[str, Any]) -> None:
    """Check the parameters of a report's page, see :meth:`~fmnist_utils.audit.schema.Report.check_parameters`.

    Args:
        own: the parameters that the report adds: name → path of the field of the recipe.
    """
    known = {*PageParameters.model_fields, *own}
    if "__name__" in namespace:
        given = {name: namespace[name] for name in known if name in namespace}
        given |= _assigned(report, namespace)
    else:
        given = dict(namespace)
    if given.get("lang") in LANGUAGES:
        set_language(given["lang"])
    fields: dict[str, Any] = {name: (_field_type(path), ...) for name, path in own.items()}
    optional = {name: (field[0], None) for name, field in fields.items() if name not in given}
    create_model("Parameters", __base__=PageParameters, **fields | optional)(**given)
    most = TRAIN_SIZES[given.get("source", "sample")]
    if given.get("train_size", 1) > most:
        line = say("data.whole", name="train_size", given=given["train_size"], low=1, high=most)
        raise BadParameters("recipes.bad", details=line)
    if "__name__" in namespace:
        _CHECKED.add(report)


def parse_cell(source: str) -> ast.Module:
    """Return the program in a cell, without the lines of IPython; an empty one if it is none."""
    try:
        return ast.parse(re.sub(r"(?m)^(\s*)[%!].*", r"\1pass", source))
    except SyntaxError:
        return ast.Module(body=[], type_ignores=[])


def assigned_names(source: str) -> dict[str, Any]:
    """Return the names that a cell assigns, not those within its functions: their values if these are written out, else ``...``."""
    tree = parse_cell(source)
    names: dict[str, Any] = {}
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, _SCOPES):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.setdefault(node.id, ...)
        waiting.extend(ast.iter_child_nodes(node))
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(target, ast.Name):
            try:
                names[target.id] = ast.literal_eval(node.value) if node.value else ...
            except ValueError:
                names[target.id] = ...
    return names


def _assigned(report: str, namespace: dict[str, Any]) -> dict[str, Any]:
    """Return what the parameters cell of a notebook has assigned, and papermill's below it, by name.

    The cells that have run are in ``In``; the parameters cell is the last one that assigns ``lang``. Where there is none, in a
    program for one, these are all the plain values there are, the first time.

    Raises:
        BadParameters: if papermill's cell came first: what it gave is no longer in force.
    """
    cells = [(source, assigned_names(source)) for source in namespace.get("In", ())]
    written = [
        place
        for place, (source, names) in enumerate(cells)
        if "lang" in names and not source.startswith(_INJECTED)
    ]
    if not written:
        return _plain_values(namespace) if report not in _CHECKED else {}
    names = set(cells[written[-1]][1])
    for place, (source, given) in enumerate(cells):
        if not source.startswith(_INJECTED):
            continue
        if place > written[-1]:
            names |= set(given)
        elif len(written) == 1:
            _check_in_force(given, namespace)
    return {name: namespace[name] for name in names if name in namespace}


def _check_in_force(given: Mapping[str, Any], namespace: Mapping[str, Any]) -> None:
    """Refuse values that papermill gave and the notebook assigned anew below."""
    lines = [
        say("parameters.not_in_force", name=name, given=value, found=namespace[name])
        for name, value in given.items()
        if name in namespace and namespace[name] != value
    ]
    if lines:
        raise BadParameters("recipes.bad", details="\n".join(lines))


def _plain_values(namespace: dict[str, Any]) -> dict[str, Any]:
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
