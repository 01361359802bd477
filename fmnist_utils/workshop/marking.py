"""``fmnist check``: the exercises of other people's notebooks, for whoever teaches.

A notebook is read as text. Of its code, what defines the functions asked for, and what they use, is
run in a process of its own with limits (:mod:`fmnist_utils.workshop.answering`): no training, no
figures. That protects from accidents, not from someone who means harm.
"""

from __future__ import annotations

import ast
import contextlib
import csv
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from fmnist_utils.audit.schema import load_report
from fmnist_utils.exercises import EXERCISES
from fmnist_utils.exercises.cases import one_line
from fmnist_utils.text import UserError, get_language, say
from fmnist_utils.workshop.execution import code_of

MISSING = "missing"
KEPT_VARIABLES = {"PATH", "PYTHONPATH", "SYSTEMROOT", "FMNIST_DATA", "OMP_NUM_THREADS"}


class Mark(NamedTuple):
    """One exercise of one notebook: ``right``, ``wrong``, ``unfinished`` or ``missing``, and why.

    A file that cannot be read as a notebook of a page is ``unreadable``, without an exercise.
    """

    notebook: str
    exercise: str
    state: str
    told: str


def notebooks_in(paths: list[str]) -> list[Path]:
    """Return the notebooks at ``paths``: files, and folders with all that is below them.

    Raises:
        UserError: if there is none.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        below = sorted(path.rglob("*.ipynb")) if path.is_dir() else [path]
        found += [file for file in below if ".ipynb_checkpoints" not in file.parts]
    if not found:
        raise UserError("check.nothing", paths=", ".join(paths))
    return found


def mark(path: Path, seconds: int, memory: int) -> list[Mark]:
    """Return the marks of a notebook, or what is wrong with the file; see :func:`marks_of`."""
    try:
        return marks_of(path, seconds, memory)
    except UserError as error:
        return [Mark(str(path), "", "unreadable", one_line(str(error)))]


def marks_of(path: Path, seconds: int, memory: int) -> list[Mark]:
    """Return the marks of all exercises of the page in the notebook at ``path``.

    Args:
        seconds: that one exercise may take, before its process is ended.
        memory: mebibytes that its process may use, where the system can limit them.

    Raises:
        UserError: if the file is no notebook of a page with exercises.
    """
    cells = without_commands(path)
    names = re.findall(r"\bload_report\(\s*[\"']([^\"']+)[\"']", "\n".join(cells))
    if not names:
        raise UserError("execution.no_report", path=path)
    page = load_report(names[0]).id[:2]
    asked = {number: EXERCISES[number].name for number in EXERCISES if number[:2] == page}
    if not asked:
        raise UserError("check.no_exercises", path=path, page=page)
    tasks, marks = [], {}
    for number, name in asked.items():
        try:
            tasks.append({"number": number, "name": name, "source": needed_for(name, cells)})
        except (LookupError, SyntaxError) as error:
            marks[number] = Mark(str(path), number, MISSING, one_line(str(error.args[0])))
    while tasks:  # a process that ends before its time leaves the rest to the next one
        for result in _answered(tasks, seconds, memory):
            marks[result["number"]] = Mark(
                str(path), result["number"], result["state"], result["told"]
            )
        tasks = [task for task in tasks if task["number"] not in marks]
    return [marks[number] for number in asked]


def without_commands(path: Path) -> list[str]:
    """Return the code cells of a notebook, without commands for IPython.

    Raises:
        UserError: if it cannot be read as a notebook.
    """
    if not path.is_file():
        raise UserError("execution.no_notebook", path=path, hint="")
    cells = code_of(path)
    return [re.sub(r"^(\s*)[%!].*$", r"\1pass", cell, flags=re.MULTILINE) for cell in cells]


def needed_for(name: str, cells: list[str]) -> str:
    """Return the code that defines the function ``name``, with all that it uses, in its order.

    Raises:
        LookupError: if no cell defines it; its message says so.
        SyntaxError: if the cell that does cannot be read.
    """
    statements: list[ast.stmt] = []
    for cell in cells:
        try:
            statements += ast.parse(cell).body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            if re.search(rf"^def {name}\b", cell, re.MULTILINE):
                reason = getattr(error, "msg", error)
                raise SyntaxError(say("check.unreadable", name=name, reason=reason)) from None
    places = [place for place, node in enumerate(statements) if name in _defined(node)]
    if not places:
        raise LookupError(say("check.missing", name=name))
    known = statements[: places[-1] + 1]
    kept, wanted = {places[-1]}, _used(known[-1])
    while new := {
        place for place, node in enumerate(known) if place not in kept and _defined(node) & wanted
    }:
        kept |= new
        wanted = wanted.union(*(_used(known[place]) for place in new))
    return "\n\n\n".join(ast.unparse(known[place]) for place in sorted(kept))


def _defined(statement: ast.stmt) -> set[str]:
    """Return the names that a statement gives a meaning to."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    nodes = list(ast.walk(statement))
    stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    aliases = [node for node in nodes if isinstance(node, ast.alias)]
    return stored | {alias.asname or alias.name.partition(".")[0] for alias in aliases}


def _used(statement: ast.stmt) -> set[str]:
    """Return the names that a statement looks up."""
    nodes = ast.walk(statement)
    return {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def _answered(tasks: list[dict[str, str]], seconds: int, memory: int) -> Iterator[dict[str, str]]:
    """Try tasks in a process of its own until they are done or it ends; yield what is known."""
    variables = {key: value for key, value in os.environ.items() if key.upper() in KEPT_VARIABLES}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        homes = dict.fromkeys(("HOME", "USERPROFILE", "TEMP", "TMP", "TMPDIR"), folder)
        process = subprocess.Popen(
            [sys.executable, "-m", "fmnist_utils.workshop.answering"],
            cwd=folder,
            env=variables | homes | {"MPLBACKEND": "agg", "PYTHONUTF8": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        late: list[bool] = []
        clock = threading.Timer(0, lambda: None)
        begun = tasks[0]["number"]
        try:
            with contextlib.suppress(BrokenPipeError):
                given = {"lang": get_language(), "memory": memory, "tasks": tasks}
                process.stdin.write(json.dumps(given))
                process.stdin.close()
            for line in process.stdout:
                clock.cancel()
                said = json.loads(line)
                if "state" in said:
                    yield said
                    begun = ""
                    continue
                begun = said["number"]
                clock = threading.Timer(seconds, _end, (process, late))
                clock.start()
        finally:
            clock.cancel()
            _end(process, [])
            process.wait()
    if begun:
        key = "check.late" if late else "check.died"
        told = say(key, number=begun, seconds=seconds)
        yield {"number": begun, "state": "wrong", "told": told}


def _end(process: subprocess.Popen[str], late: list[bool]) -> None:
    """End a process with all that it has started, and note it in ``late``."""
    late.append(True)
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def write_csv(marks: list[Mark], path: Path) -> None:
    """Write the marks as a table; no cell begins like a formula of a spreadsheet.

    Raises:
        UserError: if the file cannot be written.
    """
    try:
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            rows = csv.writer(file)
            rows.writerow(Mark._fields)
            for found in marks:
                rows.writerow(
                    f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t")) else cell
                    for cell in (*found[:3], " ".join(found.told.split()))
                )
    except OSError as error:
        raise UserError("check.no_csv", path=path, reason=error.strerror or error) from None
