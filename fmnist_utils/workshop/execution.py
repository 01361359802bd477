"""A page run with papermill, checked before and after.

papermill by itself ignores a misspelt parameter, runs a parameter's name as code, and takes a
notebook that exits early for a finished one. Here the parameters are checked before a kernel
starts, and a notebook counts as finished only if every cell has run. papermill is called as a
program, since nothing else needs it.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import importlib.util
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock
import yaml

from fmnist_utils import settings
from fmnist_utils.audit import damage
from fmnist_utils.audit.damage import read_json
from fmnist_utils.audit.parameters import PageParameters, assigned_names, parse_cell
from fmnist_utils.audit.schema import Report, load_report
from fmnist_utils.text import (
    Failure,
    UserError,
    chosen_language,
    get_language,
    language_named,
    nearest,
    say,
    set_language,
)
from fmnist_utils.workshop.files import check_name, held, read_holder, write_atomically
from fmnist_utils.workshop.lab import NOTEBOOKS, page_notebooks

TOO_LONG = "a cell took too long"  # what stands in for papermill's own words
NOTICE = "partial"  # the id of the cell on top of an unfinished notebook
PROBE = "fmnist-in-force"  # the tag of a last cell, taken away afterwards: what the parameters are


class PageFailed(Failure):
    """The notebook did not run to its end; what there is of it is marked as partial."""


def run_page(
    page: str,
    parameters: dict[str, Any],
    out: str | None = None,
    timeout: int | None = None,
    on_cell: Callable[[int, int], None] | None = None,
) -> Path:
    """Run a page with these parameters and return where the executed notebook is.

    Args:
        page: a report's name or number, or the path of a copy of its notebook.
        out: where to put the result, in the working folder; by default ``NAME.out.ipynb``. Until it
            is finished it is called ``….partial.ipynb``, and it keeps that name if it fails.
        timeout: stop when a cell takes longer than so many seconds.
        on_cell: called now and then with the number of cells that have run and of all.

    Raises:
        UserError: before a kernel starts, if the page, a parameter or ``out`` is not allowed.
        PageFailed: if the notebook dies, hangs, leaves early or raises.
    """
    notebook, report = find_page(page, str(parameters.get("lang") or get_language()))
    content = _read(notebook)
    own = own_parameters(notebook, report)
    chosen = chosen_language() or language_named(settings.variable("FMNIST_LANG"))
    report.check_parameters({"lang": get_language()} | own | parameters)
    set_language(chosen or get_language())  # the page's, if the reader has chosen none
    _check_in_force(notebook, content, parameters)
    target = check_output(out or f"{notebook.stem}.out.ipynb", notebook)
    if not importlib.util.find_spec("papermill"):
        raise UserError("execution.no_papermill")
    partial = target.with_suffix(".partial.ipynb")
    with _alone(target):
        partial.unlink(missing_ok=True)
        try:
            said = _papermill(content, partial, parameters, timeout, on_cell)
        except BaseException:  # Ctrl-C and the like
            _mark(partial, say("execution.interrupted"))
            raise
        finished, in_force = _without_probe(partial)
        problem = _why_unfinished(partial, said, timeout) or _why_other(parameters, in_force)
        if problem:
            _mark(partial, problem)
            key = "execution.failed" if finished else "execution.failed_at_once"
            raise PageFailed(key, notebook=notebook.name, problem=problem, partial=partial.name)
        os.replace(partial, target)
    return target


def find_page(page: str, lang: str = "es") -> tuple[Path, Report]:
    """Return the notebook of a page, in one language, and its report.

    Raises:
        UserError: if there is no such notebook, or it names no report.
    """
    if not page.endswith(".ipynb"):
        report = load_report(page)
        folder = NOTEBOOKS / "en" if lang == "en" else NOTEBOOKS
        path = folder / f"{report.id}.ipynb"
        if not path.is_file():
            pages = ", ".join(known.stem for known in page_notebooks(NOTEBOOKS)) or "–"
            raise UserError("execution.no_page", report=report.id, allowed=pages)
        return path, report
    path = Path(page)
    if not path.is_file():
        beside = path.parent.glob("*.ipynb") if path.parent.is_dir() else ()
        near = nearest(path.name, [known.name for known in beside])
        raise UserError("execution.no_notebook", path=page, hint=near)
    name = next(filter(None, map(_report_name, code_of(path))), None)
    if name is None:
        raise UserError("execution.no_report", path=page)
    return path, load_report(name)


def code_of(path: Path) -> list[str]:
    """Return the sources of a notebook's code cells.

    Raises:
        UserError: if the file cannot be read as a notebook: what is wrong with it, and where an
            older copy is.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        values = {"path": path, "reason": error.strerror, "older": ""}
        raise UserError("execution.not_a_notebook", **values) from None
    try:
        notebook = json.loads(read_json(content))
        if "cells" not in notebook:
            raise LookupError("cells")
        return [_source(cell) for cell in _code(notebook)]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        reason = damage.describe(path, content)
        saved = path.parent / ".ipynb_checkpoints" / f"{path.stem}-checkpoint.ipynb"
        older = say("execution.checkpoint", path=saved) if saved.is_file() else ""
        raise UserError("execution.not_a_notebook", path=path, reason=reason, older=older) from None


def _report_name(source: str) -> str | None:
    """Return what a cell's first call of ``load_report`` names, or None."""
    for node in ast.walk(parse_cell(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("load_report"):
            named = node.args[0] if node.args else None
            if isinstance(named, ast.Constant) and isinstance(named.value, str):
                return named.value
    return None


def own_parameters(notebook: Path, report: Report) -> dict[str, Any]:
    """Return the values that a notebook's parameters cell writes out, and all unknown names."""
    cell = _parameters_cell(_read(notebook))
    names = assigned_names(_source(cell)) if cell else {}
    known = {*PageParameters.model_fields, *report.parameters}
    return {name: value for name, value in names.items() if value is not ... or name not in known}


def _parameters_cell(notebook: dict[str, Any]) -> dict[str, Any] | None:
    """Return the cell below which papermill puts the parameters that it was given, or None."""
    return next((cell for cell in _code(notebook) if "parameters" in _tags(cell)), None)


def _check_in_force(path: Path, notebook: dict[str, Any], parameters: dict[str, Any]) -> None:
    """Refuse parameters that the notebook would not take, or would assign anew."""
    tagged = _parameters_cell(notebook)
    if parameters and tagged is None:
        raise UserError("execution.no_parameters_cell", path=path, names=", ".join(parameters))
    for cell in _code(notebook):
        again = sorted(set(parameters) & set(assigned_names(_source(cell))))
        if again and cell is not tagged and "injected-parameters" not in _tags(cell):
            raise UserError("execution.assigned_again", name=again[0], cell=_name(cell))


def _why_other(parameters: dict[str, Any], in_force: list[str] | None) -> str | None:
    """Return, in words, which parameters were not as asked for at the end; None if all were."""
    told = [
        say("execution.not_in_force", name=name, given=value, found=found)
        for (name, value), found in zip(parameters.items(), in_force or [], strict=False)
        if found != repr(value)
    ]
    return "\n".join(told) or None


def check_output(out: str, notebook: Path) -> Path:
    """Return the path ``out``, within the working folder.

    Raises:
        UserError: if it is elsewhere, cannot be a notebook's name, or would overwrite a page.
    """
    if "\0" in out:  # no path can be made of it
        check_name(out)
    here, target = Path.cwd().resolve(), Path(out).resolve()  # symbolic links on both sides
    if not target.is_relative_to(here):
        raise UserError("execution.outside", out=out, folder=str(here))
    path = target.relative_to(here)
    for part in path.parts:
        check_name(part)
    if path.suffix != ".ipynb":
        example = f"{path.stem or notebook.stem}.out.ipynb"
        raise UserError("execution.not_ipynb", out=out, example=example)
    if not target.parent.is_dir():
        folder = shlex.quote(str(path.parent))
        raise UserError("execution.no_folder", out=out, folder=folder)
    shipped = page_notebooks(NOTEBOOKS) + page_notebooks(NOTEBOOKS / "en")
    if target in (notebook.resolve(), *shipped):
        raise UserError("execution.overwrites", out=out, example=f"{notebook.stem}.out.ipynb")
    return target


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Hold the right to write ``target``; two runs into one file would mix their cells."""
    name = hashlib.sha256(str(target.resolve()).encode()).hexdigest()[:16]
    lock = Path(tempfile.gettempdir()) / f"fmnist-{name}.lock"
    try:
        with held(lock, "execution.busy", 0):
            yield
    except filelock.Timeout:
        _, holder = read_holder(lock)
        raise UserError("execution.busy", out=target.name, holder=holder) from None


def _papermill(
    notebook: dict, partial: Path, parameters: dict, timeout: int | None, on_cell: Callable | None
) -> str:
    """Run ``notebook`` into ``partial``; return what papermill wrote to stderr."""
    names = "".join(f"{name!r}, " for name in parameters)
    probe = {"cell_type": "code", "metadata": {"tags": [PROBE]}, "outputs": []}
    probe |= {"execution_count": None, "source": f"[repr(globals().get(_)) for _ in ({names})]"}
    if notebook.get("nbformat_minor", 0) >= 5:
        probe["id"] = PROBE
    cells = [cell for cell in notebook["cells"] if cell.get("id") != NOTICE] + [probe]
    metadata = dict(notebook.get("metadata", {}))
    metadata.pop("fmnist", None)
    # Programs that clean notebooks leave these out; papermill cannot do without.
    notebook = {"nbformat": 4, "nbformat_minor": 4} | notebook
    # Paths are relative, and the page comes by stdin: papermill fills braces in a path with
    # parameters.
    given = base64.b64encode(yaml.safe_dump(parameters).encode()).decode()
    command = [sys.executable, "-m", "papermill", "-", os.path.relpath(partial)]
    command += ["--parameters_base64", given, "--kernel", "python3", "--language", "python"]
    command += ["--no-progress-bar", "--log-level", "ERROR"]
    with tempfile.TemporaryFile() as page, tempfile.TemporaryFile() as stderr:
        page.write(json.dumps(notebook | {"cells": cells, "metadata": metadata}).encode())
        page.seek(0)
        process = subprocess.Popen(command, stdin=page, stdout=subprocess.DEVNULL, stderr=stderr)
        try:
            begun, since = 0, time.monotonic()
            while process.poll() is None:
                cells = _code(_read(partial))
                if (now_begun := sum(map(_has_begun, cells))) != begun:
                    begun, since = now_begun, time.monotonic()
                if on_cell and cells:
                    on_cell(begun, len(cells))
                if timeout and begun and time.monotonic() - since > timeout:
                    return TOO_LONG
                time.sleep(0.3)
        finally:
            process.kill()  # unless it is done; its kernel, left alone, ends itself
            process.wait()
        stderr.seek(0)
        return stderr.read().decode(errors="replace")


def _without_probe(partial: Path) -> tuple[bool, list[str] | None]:
    """Take the last cell away that was put into a notebook to run; return what it showed.

    Returns:
        Whether there is a notebook, and the parameters in force at its end, as Python writes them;
        None if it did not come to its end.
    """
    if not (notebook := _read(partial)):
        return False, None
    shown = [cell for cell in notebook["cells"] if PROBE in _tags(cell)]
    notebook["cells"] = [cell for cell in notebook["cells"] if PROBE not in _tags(cell)]
    write_atomically(partial, json.dumps(notebook, indent=1, ensure_ascii=False).encode())
    outputs = shown[0]["outputs"] if shown else []
    texts = [output["data"]["text/plain"] for output in outputs if "data" in output]
    return True, ast.literal_eval("".join(texts[0])) if texts else None


def _why_unfinished(partial: Path, said: str, timeout: int | None) -> str | None:
    """Return, in words, why the notebook did not run to its end; None if it did."""
    cells = _code(_read(partial))
    last = _name(next((cell for cell in reversed(cells) if _has_begun(cell)), None))
    for sign, key in (
        (TOO_LONG, "timeout"),
        ("DeadKernelError", "died"),
        ("NoSuchKernel", "no_kernel"),
    ):
        if sign in said:
            return say(f"execution.{key}", cell=last, seconds=timeout)
    for cell in cells:
        error = next(
            (output for output in cell["outputs"] if output["output_type"] == "error"), None
        )
        if error and "raises-exception" not in _tags(cell):
            key = "execution.left" if error["ename"] == "SystemExit" else "execution.raised"
            return say(key, cell=_name(cell), error=f"{error['ename']}: {error['evalue']}")
    if not cells:
        return say("execution.not_started", reason=(said.strip().splitlines() or ["papermill"])[-1])
    if any(cell["execution_count"] is None and _source(cell).strip() for cell in cells):
        if said.strip():
            return say("execution.not_started", reason=said.strip().splitlines()[-1])
        return say("execution.left", cell=last, error="")
    return None


def _has_begun(cell: dict[str, Any]) -> bool:
    return bool(cell["metadata"].get("papermill", {}).get("start_time"))


def _name(cell: dict[str, Any] | None) -> str:
    """Return how a reader finds a cell: its number, if it has one, and its first line."""
    if cell is None:
        return "–"
    first = next(iter(_source(cell).strip().splitlines()), "")
    return f"[{cell.get('execution_count') or ' '}] {first[:60]}"


def _source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def _tags(cell: dict[str, Any]) -> list[str]:
    return cell.get("metadata", {}).get("tags", [])


def _mark(partial: Path, problem: str) -> None:
    """Mark an unfinished notebook: in its metadata, on top, and at the cells that never ran."""
    if not (notebook := _read(partial)):
        return
    cells = _code(notebook)
    for cell in cells:
        if not _has_begun(cell):
            # papermill says "completed".
            cell["metadata"].setdefault("papermill", {})["status"] = "pending"
    run = sum(map(_has_begun, cells))
    notebook["metadata"]["fmnist"] = {
        "partial": True,
        "reason": problem,
        "cells_run": run,
        "cells": len(cells),
    }
    notice = say("execution.notice", problem=problem, run=run, cells=len(cells))
    notebook["cells"].insert(
        0, {"cell_type": "markdown", "id": NOTICE, "metadata": {}, "source": notice}
    )
    write_atomically(partial, json.dumps(notebook, indent=1, ensure_ascii=False).encode())


def _read(path: Path) -> dict[str, Any]:
    """Return the notebook at ``path``; empty if it is not there or just being written."""
    try:
        return json.loads(read_json(path.read_bytes()))
    except (OSError, ValueError):
        return {}


def _code(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    cells = [cell for cell in notebook.get("cells", []) if cell["cell_type"] == "code"]
    return [cell for cell in cells if PROBE not in _tags(cell)]
