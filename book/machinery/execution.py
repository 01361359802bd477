"""Executing the pages, each in a kernel of its own, in one language after the other.

An executed page is kept in ``book/_build/cache`` with a list of what it has used: its code, the
modules of the package that it has imported, the reports and the other files that it has read, the
versions of the libraries, the variables ``FMNIST_*``. It is executed again when one of them has
changed, and only then: mending a sentence executes nothing, nor does a change in a module that the
page does not reach.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from book.machinery import pages
from book.machinery.pages import BOOK, LANGUAGES, ROOT
from book.machinery.pictures import smaller_pictures

CACHE = BOOK / "_build" / "cache"
PACKAGE = ROOT / "fmnist_utils"
HERE = Path(__file__).parent
MAKERS = [HERE / name for name in ("execution.py", "kernel.py", "pictures.py")]


# Kernels find the machinery; pages show the committed records, not runs that were made on this
# machine.
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "FMNIST_RUNS": str(BOOK / "_build" / "no-runs")}


class ExecutionError(Exception):
    """A page did not run to its end; the message names the page, the cell and the exception."""


def execute_all(
    languages: list[str] | tuple[str, ...] = LANGUAGES, sources: list[Path] | None = None
) -> dict[tuple[str, str], NotebookNode]:
    """Return the executed code of the pages, by name and language; a page on each core.

    Args:
        sources: of the pages; all of the book if None.

    Raises:
        ExecutionError: if a cell of any page fails; the other pages are executed and kept all the
            same.
    """
    sources = pages.paths() if sources is None else sources
    os.environ |= ENVIRONMENT
    found = {(source, lang): kept(source, lang) for source in sources for lang in languages}
    missing: dict[Path, list[str]] = {}
    for source, lang in (which for which, page in found.items() if page is None):
        missing.setdefault(source, []).append(lang)
    counted = sum(page is not None for page in found.values())
    print(f"{counted} of {len(found)} pages were in the cache", flush=True)
    # Those with most code first: they are likely to take longest, and the others fill the end.
    order = sorted(missing, key=code_length, reverse=True)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with ThreadPoolExecutor(cores or 1) as pool:
        jobs = {source: pool.submit(_execute, source, missing[source]) for source in order}
    failures = [str(job.exception()) for job in jobs.values() if job.exception()]
    if failures:
        raise ExecutionError("\n  ".join(failures))
    for source, job in jobs.items():
        found |= {(source, lang): page for lang, page in job.result().items()}
    return {(source.stem, lang): page for (source, lang), page in found.items()}


def code_length(source: Path) -> int:
    """Return how many characters of code a page has."""
    return sum(len(c.source) for c in pages.read(source).cells if c.cell_type == "code")


def _execute(source: Path, languages: list[str]) -> dict[str, NotebookNode]:
    """Execute a page in ``languages``, and keep it in each."""
    CACHE.mkdir(parents=True, exist_ok=True)
    log = CACHE / f"{source.stem}.json"
    # Known before it runs: words or code may change meanwhile.
    keys = {lang: key(source, lang) for lang in languages}
    executed = _run(source, languages, log)
    used = json.loads(log.read_text("utf-8"))
    log.unlink()
    for lang, page in executed.items():
        seconds = round(sum(cell.metadata.papermill.duration for cell in page.cells))
        for warning in _warnings(page):
            print(f"{source.stem} [{lang}] wrote to stderr: {warning}", flush=True)
        smaller_pictures(page)
        page.metadata = {
            "key": keys[lang],
            "used": {name: digest(name) for name in _grouped(used["files"])},
            "versions": versions(used["imported"]),
            "ran_with": described() | {"seconds": seconds},
        }
        target = CACHE / f"{source.stem}.{lang}.ipynb"
        unfinished = target.with_suffix(".part.ipynb")
        nbformat.write(page, unfinished)
        unfinished.replace(target)
        print(f"{source.stem} [{lang}] executed in {seconds} s", flush=True)
    return executed


def _run(source: Path, languages: list[str], log: Path) -> dict[str, NotebookNode]:
    """Return the page's code with its outputs, in each language.

    One kernel executes one language after the other, in a namespace that is empty again: what the
    page imports and trains is then imported and trained once.

    Raises:
        ExecutionError: if a cell fails, or the kernel ends.
    """
    import papermill  # slow to import, and not needed when every page is in the cache

    found = {}
    together = nbformat.v4.new_notebook()
    places = []  # of its cells: the language, and where in the page
    for lang in languages:
        page = pages.one_language(pages.read(source), lang)
        found[lang] = nbformat.v4.new_notebook(metadata=page.metadata)
        found[lang].cells = [cell for cell in page.cells if cell.cell_type == "code"]
        numbers = [n for n, cell in enumerate(page.cells, 1) if cell.cell_type == "code"]
        places += [(lang, number) for number in [0, *numbers]]
        for code in ["%reset -f", *(cell.source for cell in found[lang].cells)]:
            together.cells.append(nbformat.v4.new_code_cell(code))
    kernel = "__import__('book.machinery.kernel', fromlist=['start'])"
    together.cells.append(nbformat.v4.new_code_cell(f"{kernel}.write_log({str(log)!r})"))
    try:
        executed = papermill.execute_notebook(
            together,
            None,
            kernel_name="python3",
            progress_bar=False,
            log_output=False,
            shutdown_kernel="immediate",
            # papermill's own cwd= would be that of all threads.
            resources={"metadata": {"path": str(CACHE)}},
            extra_arguments=[
                "--log-level=CRITICAL",
                f"--IPKernelApp.exec_lines={kernel}.start()",
            ],
        )
    except papermill.PapermillExecutionError as error:
        lang, number = places[error.cell_index]
        what = " ".join(f"{error.ename}: {error.evalue}".split())
        raise ExecutionError(f"{source.name} [{lang}] failed in cell {number}: {what}") from None
    except RuntimeError as error:  # a kernel that did not start, or died
        raise ExecutionError(f"{source.name}: {error}") from None
    done = iter(executed.cells)
    for page in found.values():
        next(done)  # %reset
        for cell in page.cells:
            ran = next(done)
            cell.outputs = ran.outputs
            cell.execution_count = ran.execution_count
            cell.metadata.papermill = ran.metadata.papermill
    return found


def _warnings(executed: NotebookNode) -> list[str]:
    """Take stderr and papermill's notes out of a notebook; return the first lines of stderr."""
    found = []
    for cell in executed.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        written = [output for output in cell.outputs if output.get("name") == "stderr"]
        found += [output.text.strip().partition("\n")[0] for output in written]
        cell.outputs = [output for output in cell.outputs if output not in written]
    return found


# --- The cache ------------------------------------------------------------------------------------


def kept(source: Path, lang: str) -> NotebookNode | None:
    """Return the executed page from the cache, or None if anything that it used has changed."""
    path = CACHE / f"{source.stem}.{lang}.ipynb"
    if not path.exists():
        return None
    page = nbformat.read(path, as_version=4)
    used, installed = page.metadata.used, page.metadata.versions
    same = (
        page.metadata.key == key(source, lang)
        and all(digest(name) == known for name, known in used.items())
        and all(distribution(name) == version for name, version in installed.items())
    )
    return page if same else None


def key(source: Path, lang: str) -> str:
    """Return a digest of a page's code, the variables ``FMNIST_*``, Python, what executes pages."""
    page = pages.one_language(pages.read(source), lang)
    code = [[c.source, sorted(pages.tags(c))] for c in page.cells if c.cell_type == "code"]
    variables = {name: value for name, value in os.environ.items() if name.startswith("FMNIST_")}
    makers = [hashlib.sha256(path.read_bytes()).hexdigest() for path in MAKERS]
    known = [code, variables, makers, platform.python_version(), platform.platform()]
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _grouped(files: list[str]) -> set[str]:
    """Return ``files`` of the package, the folder of a report for what is in it."""
    return {re.sub("^(reports/[^/]+)/.*", r"\1", name) for name in files}


@functools.cache
def digest(name: str) -> str:
    """Return the SHA-256 of a file of the package, or of a whole folder; "" if it is gone."""
    path = PACKAGE / name
    found = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            found.update(f"{file.relative_to(path.parent)} {file.stat().st_size}\n".encode())
            found.update(file.read_bytes())
    return found.hexdigest() if path.exists() else ""


@functools.cache
def _distributions() -> dict[str, list[str]]:
    """Return, for each module that can be imported, the packages that it comes from."""
    return dict(importlib.metadata.packages_distributions())


def versions(modules: list[str]) -> dict[str, str]:
    """Return the versions of the packages that these modules come from, by name."""
    names = {name for module in modules for name in _distributions().get(module, [])}
    return {name: distribution(name) for name in sorted(names)}


@functools.cache
def distribution(name: str) -> str:
    """Return the version of an installed package, or "" if it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


@functools.cache
def described() -> dict[str, str]:
    """Return what the colophon says of this machine: date, PyTorch, Python, machine, commit."""
    git = ["git", "describe", "--always", "--dirty=+", "--abbrev=7", "--exclude=*"]
    commit = subprocess.run(git, cwd=ROOT, capture_output=True, text=True).stdout.strip()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "torch": distribution("torch"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "commit": commit or "–",
    }
