"""Build the bilingual book: ``python -m book.machinery.build [--lang es en]``.

The pages are executed (or taken from the cache), then each language is laid out as an ordinary
Jupyter Book in ``book/_build/stage/<lang>`` and rendered, both side by side. When the whole site
has passed its checks it replaces ``book/_build/html``; a build that fails changes nothing there.
Two builds at once take turns.
"""

from __future__ import annotations

import argparse
import contextlib
import filecmp
import hashlib
import importlib.metadata
import json
import multiprocessing
import os
import re
import shutil
import string
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import filelock
import nbformat
import yaml
from nbformat import NotebookNode

from book.machinery import execution, notebooks, pages, rules, slides
from book.machinery.pages import BOOK, LANGUAGE_NAMES, LANGUAGES, ROOT
from fmnist_utils.text import UserError

BUILD = BOOK / "_build"
STAGE, SITE = BUILD / "stage", BUILD / "html"
PASSED = BUILD / "passed"  # the digest of the machinery whose rules found nothing in SITE
MACHINERY = BOOK / "machinery"
SHARED = {  # what both languages use: its place in the laid-out book, and where it stands
    "images": BOOK / "images",
    "references.bib": BOOK / "references.bib",
    "_live": MACHINERY / "browser_code",
    "_static": MACHINERY / "static",
    "_templates": MACHINERY / "templates",
    "_locale": MACHINERY / "locale",
}
# Without looking for garbage among millions of live nodes, which takes a third of the time, nor at
# the end, when everything goes.
JUPYTER_BOOK = (
    "import atexit, gc, book.machinery; gc.disable(); atexit.register(gc.freeze); "
    "from jupyter_book.cli.main import main; main()"
)
PAGES = {".md", ".ipynb", ".mo"}  # and what Sphinx makes of the translations
DOWNLOADS = Path("_build") / "downloads"  # in STAGE / lang: the notebooks that a page offers
CARD = "card.png"  # the picture of a shared page that has none of its own
ALTERNATES = re.compile(r'<link rel="alternate" hreflang="(\w+)" href="(https[^"]+)"')
TRANSLATION = '<xhtml:link rel="alternate" hreflang="{}" href="{}"/>'


class BuildError(Exception):
    """The book cannot be built; the message is for the person at the terminal."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--lang", nargs="+", choices=LANGUAGES, default=LANGUAGES, help="languages of the site"
    )
    chosen = parser.parse_args(arguments)
    BUILD.mkdir(exist_ok=True)
    try:
        check_jupyter_book()
        with one_at_a_time():
            build([lang for lang in LANGUAGES if lang in chosen.lang])
    except (BuildError, execution.ExecutionError, UserError) as error:
        print(f"book: {error}", file=sys.stderr)
        return 1
    return 0


def check_jupyter_book() -> None:
    """Refuse a Jupyter Book of another major version: 2.x ignores ``_config.yml`` in silence.

    Raises:
        BuildError: if it is not 1.x.
    """
    try:
        version = importlib.metadata.version("jupyter-book")
    except importlib.metadata.PackageNotFoundError:
        raise BuildError("Jupyter Book is not installed: pip install -e '.[book]'") from None
    if not version.startswith("1."):
        raise BuildError(
            f"Jupyter Book {version} was found, 1.x is needed: "
            "pip install 'jupyter-book>=1.0.4.post1,<2'"
        )


@contextlib.contextmanager
def one_at_a_time():
    """Hold the lock of the builds; say so and wait if another build has it."""
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


def build(languages: list[str]) -> None:
    """Build the site in ``languages`` and publish it in ``book/_build/html``.

    Raises:
        BuildError: if Jupyter Book warns, or the finished site does not pass its checks.
        ExecutionError: if a page fails.
    """
    started = time.perf_counter()
    os.environ |= execution.ENVIRONMENT
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # pages are executed side by side
    with meanwhile("-m", "book.machinery.generated", *languages):
        execution.execute_all(languages)
    executed = time.perf_counter()
    side_by_side(partial(make_language, languages=languages), languages)
    rendered = time.perf_counter()
    site = assemble(languages)
    passed = SITE if PASSED.exists() and PASSED.read_text("utf-8") == digest(MACHINERY) else None
    check = partial(rules.check_part, root=site, passed=passed)
    parts = side_by_side(check, [*languages, "."])
    findings = [finding for part in parts for finding in part]
    if findings:
        headline = f"the site in {site} is not fit to be published:"
        raise BuildError("\n  ".join([headline, *findings]))
    replace_site(site)
    PASSED.write_text(digest(MACHINERY), "utf-8")
    ended = time.perf_counter()
    steps = {"executing": executed - started, "rendering": rendered - executed}
    steps["checking"] = ended - rendered
    told = ", ".join(f"{step} {seconds:.0f}" for step, seconds in steps.items())
    print(f"The book stands in {SITE / 'index.html'} ({ended - started:.0f} s: {told})")


@contextlib.contextmanager
def meanwhile(*arguments: str):
    """Run Python beside what is done here; what it did not get done is done, or fails, later."""
    command = [sys.executable, *arguments]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
        process.wait()
    finally:
        process.kill()
        process.wait()


def side_by_side(step, items: list) -> list:
    """Return what ``step`` gives for each of ``items``, several in processes of their own."""
    if len(items) == 1:
        return [step(items[0])]
    try:
        pool = ProcessPoolExecutor(len(items), multiprocessing.get_context("spawn"))
    except OSError:  # no shared memory here: one after the other
        return [step(item) for item in items]
    with pool:
        return list(pool.map(step, items))


def make_language(lang: str, languages: list[str]) -> None:
    """Lay out and render the book in one language; make the slides and notebooks of its pages.

    Raises:
        BuildError: if a page cannot be laid out, or Jupyter Book warns.
    """
    lay_out(lang, languages)
    render(lang)
    slides.write(STAGE / lang / "_build" / "html", lang)
    downloads = STAGE / lang / DOWNLOADS
    shutil.rmtree(downloads, ignore_errors=True)  # a page may have gone
    downloads.mkdir()
    for source in pages.paths():
        page = notebooks.plain_notebook(source, lang)
        pages.write_notebook(page, downloads / f"{source.stem}.ipynb")


# --- Laying out -----------------------------------------------------------------------------------


def lay_out(lang: str, languages: list[str]) -> None:
    """Write ``book/_build/stage/<lang>``: a complete, ordinary Jupyter Book in one language.

    A file that is as it was keeps its time, so that Sphinx reads again only what has changed. What
    was rendered goes when anything but pages has changed, so that Sphinx writes all pages.

    Raises:
        BuildError: if a page cannot be laid out.
    """
    # They load PyTorch, which the other steps can do without.
    from book.machinery import generated, links

    new = STAGE / f"{lang}.next"
    shutil.rmtree(new, ignore_errors=True)
    copy_texts(lang, new)
    config = yaml.safe_dump(configuration(lang, languages), allow_unicode=True)
    (new / "_config.yml").write_text(config, "utf-8")
    executed = {source.stem: execution.kept(source, lang) for source in pages.paths()}
    last_line = string.Template((new / "_ran_with.md").read_text("utf-8"))
    (new / "notebooks").mkdir()
    for source in pages.paths():
        done = executed[source.stem]
        if done is None:
            raise BuildError(f"{source.name}, or what it uses, was changed meanwhile: build again")
        try:
            page = with_outputs(pages.book_page(pages.read(source), lang), done)
        except ValueError as error:
            raise BuildError(f"{source.name}: {error}") from None
        links.link(page, source.stem, lang)
        ran_with = last_line.substitute(done.metadata["ran_with"])
        page.cells.append(nbformat.v4.new_markdown_cell(ran_with, id="ran-with"))
        nbformat.write(page, new / "notebooks" / f"{source.stem}.ipynb")
    generated.write_all(new, lang, executed)
    if {Path(name).suffix for name in changed(new, STAGE / lang)} - PAGES:
        shutil.rmtree(STAGE / lang / "_build" / "html", ignore_errors=True)
    replace_changed(new, STAGE / lang)


def copy_texts(lang: str, folder: Path) -> None:
    """Write all that the book in ``lang`` has, but its pages, into the new ``folder``."""
    shutil.copytree(BOOK / lang, folder)
    for name, source in SHARED.items():
        copy = shutil.copytree if source.is_dir() else shutil.copyfile
        copy(source, folder / name)


def configuration(lang: str, languages: list[str]) -> dict:
    """Return the configuration of ``lang``: the one at the top, what differs, what is derived."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    overlay = BOOK / lang / "_overlay.yml"
    if overlay.exists():
        config = merged(config, yaml.safe_load(overlay.read_text("utf-8")))
    address = f"{pages.public_site()}/{lang}/"
    # Without the mark of what is not committed: it would change all pages.
    commit = execution.described()["commit"].rstrip("+")
    own = {
        "site_languages": languages,
        "site_version": f"{pages.project()['version']} ({commit})",
        "machinery": digest(MACHINERY),
        "html_baseurl": address,
        "ogp_site_url": address,
        "ogp_site_name": config["title"],
        "ogp_image": f"{pages.public_site()}/{CARD}",
    }
    derived = {"repository": {"url": pages.repository()}, "sphinx": {"config": own}}
    return merged(config, derived)


def digest(folder: Path) -> str:
    """Return a digest of the programs in ``folder``; if it is another, Sphinx reads all again."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()


def merged(base: dict, changes: dict) -> dict:
    """Return ``base`` with ``changes`` laid over it, dictionaries within dictionaries as well."""
    result = base | changes
    for key in base.keys() & changes.keys():
        if isinstance(base[key], dict) and isinstance(changes[key], dict):
            result[key] = merged(base[key], changes[key])
    return result


def with_outputs(page: NotebookNode, executed: NotebookNode) -> NotebookNode:
    """Return ``page`` with the outputs of its executed code.

    Raises:
        ValueError: if the executed code is not that of the page.
    """
    code = [cell for cell in page.cells if cell.cell_type == "code"]
    if [cell.source for cell in executed.cells] != [cell.source for cell in code]:
        raise ValueError("the executed code is not that of the page")
    for cell, done in zip(code, executed.cells, strict=True):
        cell.outputs, cell.execution_count = done.outputs, done.execution_count
    return page


def changed(new: Path, old: Path) -> list[str]:
    """Return the files in which the folders differ, those of ``old/_build`` aside."""
    names = {
        path.relative_to(folder).as_posix()
        for folder in (new, old)
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0] != "_build"
    }
    _, different, missing = filecmp.cmpfiles(new, old, names, shallow=False)
    return sorted([*different, *missing])


def replace_changed(new: Path, old: Path) -> None:
    """Make the files of ``old`` those of ``new``, which goes; ``old/_build`` stays."""
    for name in changed(new, old):
        if (new / name).is_file():
            (old / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).replace(old / name)
        else:
            (old / name).unlink()
    shutil.rmtree(new)


# --- Rendering, publishing ------------------------------------------------------------------------


def render(lang: str) -> None:
    """Render what has changed in the laid-out book with Jupyter Book; every warning is an error.

    Raises:
        BuildError: with Jupyter Book's warnings.
    """
    stage = STAGE / lang
    html, whole = stage / "_build" / "html", stage / "_build" / "whole"
    # Pages that were interrupted are written again; what is made of all pages is, each time.
    shutil.rmtree(html / "_static" if whole.exists() else html, ignore_errors=True)
    whole.unlink(missing_ok=True)
    options = ["-n", "-W", "--keep-going"]
    finished = subprocess.run(
        [sys.executable, "-c", JUPYTER_BOOK, "build", str(stage), *options],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace",
    )  # fmt: skip
    output = re.sub(r"\x1b\[[\d;]*m", "", finished.stdout).replace(f"{stage}/", "")
    log = STAGE / f"{lang}.log"
    log.write_text(output, "utf-8")
    if finished.returncode:
        # A page that was read with a warning would not warn again.
        shutil.rmtree(stage / "_build", ignore_errors=True)
        lines = re.findall(r"^.*(?:WARNING|ERROR|\w+Error:).*$", output, re.MULTILINE)
        headline = f"Jupyter Book refuses the pages [{lang}]; all that it says is in {log}"
        raise BuildError("\n  ".join([headline, *lines]))
    whole.touch()


def assemble(languages: list[str]) -> Path:
    """Return a folder with the whole site: languages, first page, notebooks to download."""
    site = BUILD / "next"
    shutil.rmtree(site, ignore_errors=True)
    for lang in languages:
        # Sphinx copies the pages as they were rendered; the notebooks to download are made to be
        # run.
        unwanted = shutil.ignore_patterns(".buildinfo", "*.ipynb")
        shutil.copytree(STAGE / lang / "_build" / "html", site / lang, ignore=unwanted)
        shutil.copytree(STAGE / lang / DOWNLOADS, site / lang / "notebooks", dirs_exist_ok=True)
    link = '<li><a href="{0}/index.html" lang="{0}" hreflang="{0}">{1}</a></li>'
    root = pages.public_site()
    alternate = f'<link rel="alternate" hreflang="{{0}}" href="{root}/{{0}}/index.html">'
    landing = string.Template((MACHINERY / "templates" / "landing.html").read_text("utf-8"))
    filled = landing.substitute(
        languages=json.dumps(languages),
        links="\n  ".join(link.format(lang, LANGUAGE_NAMES[lang]) for lang in languages),
        alternates="\n".join(alternate.format(lang) for lang in languages),
        root=root,
        card=f"{root}/{CARD}",
    )
    (site / "index.html").write_text(filled, "utf-8")
    (site / "sitemap.xml").write_text(sitemap(site, languages), "utf-8")
    for name in ("favicon.svg", CARD):
        shutil.copyfile(BOOK / "images" / name, site / name)
    # GitHub Pages would leave out the folders whose names begin with an underscore.
    (site / ".nojekyll").touch()
    return site


def sitemap(site: Path, languages: list[str]) -> str:
    """Return the list of pages for search engines, each beside its translations.

    A Sphinx extension would write one for each language, which knows nothing of the other. Pages
    that name no public address of their own, as the search does, are left out.
    """
    entries = []
    for lang in languages:
        for path in sorted((site / lang).rglob("*.html")):
            if found := ALTERNATES.findall(path.read_text("utf-8")):
                same = "".join(TRANSLATION.format(*one) for one in found)
                entries.append(f"<url><loc>{dict(found)[lang]}</loc>{same}</url>")
    namespaces = (
        'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
        'xmlns:xhtml="http://www.w3.org/1999/xhtml"'
    )
    body = "\n".join(entries)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset {namespaces}>\n{body}\n</urlset>\n'


def replace_site(site: Path) -> None:
    """Put ``site`` in the place of the published one."""
    previous = BUILD / "previous"
    shutil.rmtree(previous, ignore_errors=True)
    if SITE.exists():
        SITE.rename(previous)
    site.rename(SITE)
    shutil.rmtree(previous, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
