"""Build the bilingual book: ``python -m book.machinery.build [--profile full|quick] [--lang es en]``.

For each language: select its cells from every notebook, execute the code with papermill (or take the outputs from the
cache), lay everything out as an ordinary Jupyter Book in ``book/_build/stage/<lang>``, render it, check it. When all of
it is right the result replaces ``book/_build/html``; a build that fails changes nothing there. Two builds at once take
turns.
"""

from __future__ import annotations

import sys

sys.modules.setdefault(
    "rfc3987_syntax", None
)  # jsonschema, which nbformat loads, can do without: two seconds of each start

import argparse
import base64
import contextlib
import datetime
import hashlib
import importlib.metadata
import inspect
import json
import os
import pkgutil
import re
import shutil
import string
import subprocess
import time
import tomllib
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path

from book.machinery import checks
from book.machinery.generated import closing
from book.machinery.generated import colophon
from book.machinery import links as experiments
import filelock
from book.machinery import forks
from book.machinery.generated import live
import nbformat
from book.machinery import pages
from book.machinery.generated import reliability
from book.machinery import rerender
from book.machinery.generated import speed
from book.machinery.generated import verdicts
import yaml
from book.machinery.extensions.light import difference, with_palette
from nbformat import NotebookNode
from book.machinery.pages import LANGUAGES, ROOT, SOURCES
from book.machinery.generated.writing import short

import fmnist_utils
from fmnist_utils.audit.schema import load_report, report_names, student_reports
from fmnist_utils.text import UserError
from fmnist_utils.workshop.machine import available_cores
from fmnist_utils.workshop.store import RunStore

BOOK = ROOT / "book"
BUILD = BOOK / "_build"
CACHE, STAGE, SITE = BUILD / "cache", BUILD / "stage", BUILD / "html"
MACHINERY = BOOK / "machinery"
SHARED = {  # what both languages use, by where it stands in the laid-out book
    "images": BOOK / "images",
    "references.bib": BOOK / "references.bib",
    "_live": MACHINERY / "browser_code",
    "_static": MACHINERY / "static",
    "_templates": MACHINERY / "templates",
}
PACKAGE = Path(fmnist_utils.__file__).parent
# Of the time of a build a third went into looking for garbage among millions of live nodes, and two seconds into the grammar of
# internationalized addresses, which jsonschema does without.
START = "import gc, sys; gc.disable(); sys.modules['rfc3987_syntax'] = None; from jupyter_book.cli.main import main; main()"
JUPYTER_BOOK = [sys.executable, "-c", START]
MANY = 5  # pages to execute: for fewer, a process that imports for all of them does not pay
LANGUAGE_NAMES = {"es": "Español", "en": "English"}
MODULE_PAGE = """# `{name}`

```{{eval-rst}}
.. automodule:: fmnist_utils.{name}
   :members:
```
"""


class BuildError(Exception):
    """The book cannot be built; the message is for the person at the terminal."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--profile", choices=["full", "quick"], default="full", help="full: the reports' own runs"
    )
    parser.add_argument(
        "--lang", nargs="+", choices=LANGUAGES, default=LANGUAGES, help="languages of the site"
    )
    chosen = parser.parse_args(arguments)
    BUILD.mkdir(exist_ok=True)
    try:
        check_jupyter_book()
        with one_at_a_time():
            build([lang for lang in LANGUAGES if lang in chosen.lang], chosen.profile)
    except (BuildError, UserError) as error:
        print(f"book: {error}", file=sys.stderr)
        return 1
    return 0


def check_jupyter_book() -> None:
    """Refuse a Jupyter Book of another major version: 2.x ignores ``_config.yml`` and makes no site, without an error.

    Raises:
        BuildError: if it is not 1.x.
    """
    try:
        version = importlib.metadata.version("jupyter-book")
    except importlib.metadata.PackageNotFoundError:
        raise BuildError("Jupyter Book is not installed: pip install -e '.[book]'") from None
    if not version.startswith("1."):
        raise BuildError(
            f"Jupyter Book {version} was found, 1.x is needed: pip install 'jupyter-book>=1.0.4.post1,<2'"
        )


@contextlib.contextmanager
def one_at_a_time():
    """Hold the lock of the builds; if another build has it, say so and wait. A process that dies lets it go."""
    lock = filelock.FileLock(BUILD / "lock")
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        print("Another build is running; this one waits for it", flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def build(languages: list[str], profile: str) -> None:
    """Build the site in ``languages`` and publish it in ``book/_build/html``.

    Raises:
        BuildError: if a notebook fails, Jupyter Book warns, or the finished site does not pass its checks.
    """
    started = time.perf_counter()
    os.environ.setdefault(
        "OMP_NUM_THREADS", "1"
    )  # pages run side by side, and come out alike on any number of cores
    executed = execute_all(languages, profile)
    forks.side_by_side(partial(lay_out, languages=languages, executed=executed), languages)
    render_all(languages)
    site = assemble(languages)
    if findings := checks.check_site(site):
        raise BuildError(
            "\n  ".join([f"the site in {site} is not fit to be published:", *findings])
        )
    publish(site)
    print(f"The book stands in {SITE / 'index.html'} ({time.perf_counter() - started:.0f} s)")


# --- Executing the pages ----------------------------------------------------------------------------------------------


def execute_all(languages: list[str], profile: str) -> dict[tuple[str, str], NotebookNode]:
    """Return the executed code of every page, by (name of the page, language); pages run side by side on the cores.

    Raises:
        BuildError: if a cell fails; it names the notebook, the cell and the exception.
    """
    context = surroundings()
    profiles = {path: feasible(path.stem, profile) for path in pages.paths()}
    targets = {
        (path, lang): cache_path(path, lang, profiles[path], context)
        for path in profiles
        for lang in languages
    }
    missing = [page for page, target in targets.items() if not target.exists()]
    if missing:
        CACHE.mkdir(exist_ok=True)
        # One language after the other: what the first has trained, the second loads. The later pages first: the longest are among
        # them and, begun last, would leave the other cores with nothing to do.
        order = sorted(reversed(missing), key=lambda page: languages.index(page[1]))
        _execute_pages(
            [(*page, targets[page], profiles[page[0]]) for page in order], context["shown"]
        )
    print(f"{len(targets) - len(missing)} of {len(targets)} pages were in the cache", flush=True)
    return {(path.stem, lang): pages.read(target) for (path, lang), target in targets.items()}


def _execute_pages(wanted: list[tuple[Path, str, Path, str]], shown: dict) -> None:
    # Each as its notebook, language, place in the cache and profile.
    with (
        ThreadPoolExecutor(available_cores()) as pool,
        forks.Kernels(copied=len(wanted) >= MANY) as kernels,
    ):
        running: dict[Path, Future] = {}
        every = []
        for path, *how in wanted:
            running[path] = pool.submit(
                _execute_page, path, *how, shown, kernels, running.get(path)
            )
            every.append(running[path])
        try:
            for page in as_completed(every):
                page.result()
        except BuildError as error:
            print(
                f"{error}\nThe pages that have begun go on to their end, and are kept", flush=True
            )
            pool.shutdown(cancel_futures=True)
            failed = [
                page.exception() for page in every if not page.cancelled() and page.exception()
            ]
            raise BuildError(
                "\n  ".join(dict.fromkeys(map(str, failed)))
            ) from None  # a page that fails takes its twin along
        except BaseException:  # who interrupts waits for none
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def feasible(name: str, profile: str) -> str:
    """Return the profile in which the page ``name`` can be shown: ``full`` would train for hours where records are missing."""
    if profile == "full" and name in report_names() and not is_complete(name):
        print(
            f"{name}: runs without a record (make reproduce makes them); shown in its quick profile",
            flush=True,
        )
        return "quick"
    return profile


def is_complete(name: str) -> bool:
    """Return whether ``name`` is a report, all of whose runs have a record, but for those meant for a GPU."""
    store = RunStore()
    return name in report_names() and all(
        store.find(recipe)
        for of_group in load_report(name).all_recipes(gpu=False).values()
        for recipe in of_group
    )


def _execute_page(
    path: Path,
    lang: str,
    target: Path,
    profile: str,
    shown: dict,
    kernels: forks.Kernels,
    first: Future | None,
) -> None:
    if first:  # the same page in the other language
        first.result()
    started = time.perf_counter()
    executed = _run(path, lang, profile, kernels)
    seconds = round(time.perf_counter() - started)
    print(f"{path.stem} [{lang}] executed in {seconds} s", flush=True)
    for warning in _strip(executed):
        print(f"{path.stem} [{lang}] wrote to stderr: {warning}", flush=True)
    _lighten(executed)
    executed.metadata["ran_with"] = {**shown, "profile": profile, "seconds": seconds}
    for outdated in CACHE.glob(f"{path.stem}.{lang}.{profile}.*"):
        outdated.unlink()
    unfinished = target.with_suffix(".part")
    nbformat.write(executed, unfinished)
    unfinished.replace(target)


def _run(path: Path, lang: str, profile: str, kernels: forks.Kernels) -> NotebookNode:
    import papermill  # slow to import, and not needed when every page is in the cache

    source = pages.read(path)
    code = nbformat.v4.new_notebook(metadata=source.metadata)
    code.cells = [cell for cell in source.cells if cell.cell_type == "code"]
    try:
        return papermill.execute_notebook(
            code,
            None,
            parameters={"lang": lang, "profile": profile},
            kernel_name="python3",
            resources={
                "metadata": {"path": str(SOURCES)}
            },  # papermill's own cwd= would be that of all threads
            progress_bar=False,
            log_output=False,
            extra_arguments=[
                "--log-level=CRITICAL"
            ],  # else every kernel warns that it speaks TCP on this machine
            kernel_manager_class=kernels.manager(),
        )
    except (
        RuntimeError
    ) as error:  # a kernel that did not start, or died: three libraries have their own
        raise BuildError(f"{path.name} [{lang}]: {error}") from None
    except papermill.PapermillExecutionError as error:
        number = next(
            (n for n, cell in enumerate(source.cells, start=1) if cell.source == error.source), "?"
        )
        what = " ".join(f"{error.ename}: {error.evalue}".split())
        raise BuildError(f"{path.name} [{lang}] failed in cell {number}: {what}") from None


def _strip(executed: NotebookNode) -> list[str]:
    """Remove what is of this machine from an executed notebook; return the first lines that it wrote to stderr."""
    kept = ("kernelspec", "language_info")
    executed.metadata = {name: value for name, value in executed.metadata.items() if name in kept}
    warnings = []
    for cell in executed.cells:
        cell.metadata = {"tags": sorted(pages.tags(cell))}
        if "injected-parameters" in pages.tags(cell):
            cell.source = cell.source.removeprefix("# Parameters\n")
        warnings += [
            out.text.strip().partition("\n")[0]
            for out in cell.outputs
            if out.get("name") == "stderr"
        ]
        cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    return warnings


def _lighten(executed: NotebookNode) -> None:
    # What the site would do to the pictures whenever a word of the text has changed is done once, when they are drawn.
    for cell in executed.cells:
        for output in cell.outputs:
            if png := output.get("data", {}).get("image/png"):
                output.data["image/png"] = base64.b64encode(
                    with_palette(base64.b64decode(png))
                ).decode()


# --- The cache: a page is executed again when anything that it depends on has changed, and only then ------------------


def surroundings() -> dict:
    """Return what the outputs of every page depend on besides its code; ``shown`` is what the page says of it."""
    from fmnist_utils import training
    from fmnist_utils.workshop import engine as runs

    store = runs.RunStore()
    machine = runs.describe_environment(training.pick_device("auto")) | {"data": data_source()}
    commit = short(
        machine.pop("commit")
    )  # one that changes nothing below leaves every page as it is
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    package = folder_digest(PACKAGE)
    records = folder_digest(
        store.results, "*/records/*"
    )  # the scorecard beside them is on no executed page
    shown = {
        "package": f"{fmnist_utils.__version__} ({package[:7]})",
        "records": records[:7],
        "commit": commit,
        "date": today,
    }
    return {
        "package": package,
        "records": records,
        "yardsticks": folder_digest(store.results, "yardsticks.*"),
        "runs": runs_made_here(),
        "versions": versions(),
        "pictures": [inspect.getsource(each) for each in (with_palette, difference)],
        "variables": {
            name: value for name, value in os.environ.items() if name.startswith("FMNIST_")
        },
        "machine": machine,
        "shown": machine | {"machine": colophon.machine(machine)} | shown,
    }


def runs_made_here() -> str:
    """Return a digest of the runs made on this machine that a page would show in place of committed records.

    Those that pages train as they are executed in ``quick`` are no part of it: a build would make its own pages stale.
    """
    store, digest = RunStore(), hashlib.sha256()
    recipes = (
        recipe
        for name in report_names()
        for of_group in load_report(name).all_recipes().values()
        for recipe in of_group
    )
    for record in sorted({store.folder(recipe) / "record.json" for recipe in recipes}):
        if record.exists():
            digest.update(
                f"{record.parent.name} {hashlib.sha256(record.read_bytes()).hexdigest()}\n".encode()
            )
    return digest.hexdigest()


def versions() -> list[str]:
    """Return the name and version of every package that is installed."""
    return sorted(
        {f"{package.name} {package.version}" for package in importlib.metadata.distributions()}
    )


def data_source() -> str:
    """Return which data the pages will find, ``official`` or ``synthetic``; like them, download what is not here."""
    from fmnist_utils import data

    if not all(data.status()["good"].values()):
        try:
            data.fetch(limits=data.HASTY)
        except data.DataError:
            return "synthetic"
    return "official"


def cache_path(path: Path, lang: str, profile: str, context: dict) -> Path:
    """Return where the executed page is kept, or will be."""
    key = cache_key(pages.read(path), lang, profile, context)
    return CACHE / f"{path.stem}.{lang}.{profile}.{key[:20]}.ipynb"


def cache_key(notebook: NotebookNode, lang: str, profile: str, context: dict) -> str:
    """Return the SHA-256 of all that the outputs of a page depend on. Its text is not part of it: outputs stay."""
    code = [
        [cell.source, sorted(pages.tags(cell))]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
    depends_on = {name: value for name, value in context.items() if name != "shown"}
    return hashlib.sha256(
        json.dumps([code, lang, profile, depends_on], sort_keys=True).encode()
    ).hexdigest()


def folder_digest(folder: Path, pattern: str = "**/*") -> str:
    """Return a digest of the names and contents of the files under ``folder``, compiled Python aside."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob(pattern)):
        if path.is_file() and "__pycache__" not in path.parts:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return digest.hexdigest()


# --- Laying out, rendering, publishing --------------------------------------------------------------------------------


def lay_out(lang: str, languages: list[str], executed: dict[tuple[str, str], NotebookNode]) -> None:
    """Write ``book/_build/stage/<lang>``: a complete, ordinary Jupyter Book in one language."""
    previous, stage = STAGE / lang, STAGE / f"{lang}.next"
    shutil.rmtree(stage, ignore_errors=True)
    shutil.copytree(BOOK / lang, stage)
    for name, source in SHARED.items():
        copy = shutil.copytree if source.is_dir() else shutil.copyfile
        copy(source, stage / name)
    (stage / "_config.yml").write_text(
        yaml.safe_dump(configuration(lang, languages), allow_unicode=True), "utf-8"
    )
    last_line = string.Template((stage / "_ran_with.md").read_text("utf-8"))
    (stage / "notebooks").mkdir()
    for path in pages.paths():
        done = executed[path.stem, lang]
        try:
            page = with_outputs(pages.book_page(pages.read(path), lang), done)
        except ValueError as error:
            raise BuildError(f"{path.name}: {error}") from None
        if path.stem in student_reports():
            experiments.link(page, load_report(path.stem), lang)
        page.cells.append(
            nbformat.v4.new_markdown_cell(
                last_line.substitute(done.metadata["ran_with"]), id="ran-with"
            )
        )
        nbformat.write(page, stage / "notebooks" / f"{path.stem}.ipynb")
    ran_with = {path.stem: executed[path.stem, lang].metadata["ran_with"] for path in pages.paths()}
    colophon.write(stage, ran_with, RunStore().results)
    if (stage / "reliability.md").exists():
        reliability.write(stage, lang, ROOT / "tests" / "trust")
    if (stage / "together.md").exists():
        closing.write(stage, lang)
    if (stage / "try.md").exists():
        live.write(stage, lang)
    if (stage / "speed.md").exists():
        speed.write(stage, lang, ROOT / "benchmarks")
    if (stage / "teaching.md").exists():
        (stage / "_adding.md").write_text(steps_of_adding_a_report(lang), "utf-8")
    if audited := [name for name in student_reports() if name in ran_with and is_complete(name)]:
        verdicts.write(stage, audited, lang)
    (stage / "api").mkdir()
    for module in pkgutil.iter_modules([str(PACKAGE)]):
        (stage / "api" / f"{module.name}.md").write_text(
            MODULE_PAGE.format(name=module.name), "utf-8"
        )
    (stage / "made_with").write_text("\n".join([folder_digest(PACKAGE), *versions()]), "utf-8")
    if rerender.carry_over(previous, stage):
        print(f"{lang}: only words have changed; their pages alone are rendered", flush=True)
    shutil.rmtree(previous, ignore_errors=True)
    stage.rename(previous)


def steps_of_adding_a_report(lang: str) -> str:
    """Return the numbered steps of ``CONTRIBUTING.md`` in ``lang``: the page for teachers shows the same ones."""
    english, _, spanish = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## En español")
    return (
        re.search(
            r"^1\. .*?(?=\n\n)", spanish if lang == "es" else english, re.MULTILINE | re.DOTALL
        )[0]
        + "\n"
    )


def configuration(lang: str, languages: list[str]) -> dict:
    """Return the Jupyter Book configuration of ``lang``: the one at the top, what differs, and what is derived."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    overlay = BOOK / lang / "_overlay.yml"
    if overlay.exists():
        config = merged(config, yaml.safe_load(overlay.read_text("utf-8")))
    address = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"][
        "Repository"
    ]
    derived = {
        "repository": {"url": address, "path_to_book": lang},
        "sphinx": {"config": {"site_languages": languages}},
    }
    return merged(config, derived)


def merged(base: dict, changes: dict) -> dict:
    """Return ``base`` with ``changes`` laid over it, dictionaries within dictionaries as well."""
    result = base | changes
    for key in base.keys() & changes.keys():
        if isinstance(base[key], dict) and isinstance(changes[key], dict):
            result[key] = merged(base[key], changes[key])
    return result


def with_outputs(page: NotebookNode, executed: NotebookNode) -> NotebookNode:
    """Return ``page`` with the outputs of its executed code, and the parameters that it ran with under its own.

    Raises:
        ValueError: if the executed code is not that of the page.
    """
    injected = [cell for cell in executed.cells if "injected-parameters" in pages.tags(cell)]
    ran = [cell for cell in executed.cells if cell not in injected]
    code = [cell for cell in page.cells if cell.cell_type == "code"]
    if [cell.source for cell in ran] != [cell.source for cell in code]:
        raise ValueError("the executed code is not that of the page")
    for cell, done in zip(code, ran, strict=True):
        cell.outputs, cell.execution_count = done.outputs, done.execution_count
    place = next(
        (n for n, cell in enumerate(page.cells, start=1) if "parameters" in pages.tags(cell)), 0
    )
    page.cells[place:place] = injected
    return page


def render_all(languages: list[str]) -> None:
    """Render the laid-out books side by side with Jupyter Book, every warning an error.

    Raises:
        BuildError: with Jupyter Book's warnings.
    """
    processes = {}
    for lang in languages:
        command = [*JUPYTER_BOOK, "build", str(STAGE / lang), "-n", "-W", "--keep-going"]
        processes[lang] = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
    failures = []
    for lang, process in processes.items():
        output = re.sub(r"\x1b\[[\d;]*m", "", process.communicate()[0]).replace(
            f"{STAGE / lang}/", ""
        )
        log = STAGE / f"{lang}.log"
        log.write_text(output, "utf-8")
        if process.returncode:
            warnings = [
                line for line in output.splitlines() if re.search(r"WARNING|ERROR|\w+Error:", line)
            ]
            headline = f"Jupyter Book refuses the pages [{lang}]; all that it says is in {log}"
            failures.append("\n  ".join([headline, *warnings]))
        else:
            (STAGE / lang / "_build" / rerender.WHOLE).touch()
    if failures:
        raise BuildError("\n".join(failures))


def assemble(languages: list[str]) -> Path:
    """Return a folder that holds the whole site: the languages, the landing page, the notebooks to download."""
    site = BUILD / "next"
    shutil.rmtree(site, ignore_errors=True)
    for lang in languages:
        # Sphinx copies the pages as they were rendered; the copies to download are made to be run.
        unwanted = shutil.ignore_patterns(".buildinfo", "*.ipynb")
        shutil.copytree(STAGE / lang / "_build" / "html", site / lang, ignore=unwanted)
        for path in pages.paths():
            nbformat.write(
                pages.reader_copy(pages.read(path), lang),
                site / lang / "notebooks" / f"{path.stem}.ipynb",
            )
    link = '<li><a href="{0}/index.html" lang="{0}" hreflang="{0}">{1}</a></li>'
    links = "\n  ".join(link.format(lang, LANGUAGE_NAMES[lang]) for lang in languages)
    landing = string.Template((MACHINERY / "templates" / "landing.html").read_text("utf-8"))
    (site / "index.html").write_text(
        landing.substitute(languages=json.dumps(languages), links=links), "utf-8"
    )
    shutil.copyfile(BOOK / "images" / "favicon.svg", site / "favicon.svg")
    (site / "environment.yml").write_text(binder_environment(), "utf-8")
    (
        site / ".nojekyll"
    ).touch()  # GitHub Pages would leave out the folders whose names begin with an underscore
    return site


def binder_environment() -> str:
    """Return the conda environment for the branch of the site: the one at the top, with the package from the repository."""
    address = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"][
        "Repository"
    ]
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    environment["dependencies"][-1] = {"pip": [f"git+{address}"]}
    return yaml.safe_dump(environment, sort_keys=False)


def publish(site: Path) -> None:
    """Put ``site`` in the place of the published one."""
    previous = BUILD / "previous"
    shutil.rmtree(previous, ignore_errors=True)
    if SITE.exists():
        SITE.rename(previous)
    site.rename(SITE)
    shutil.rmtree(previous, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
