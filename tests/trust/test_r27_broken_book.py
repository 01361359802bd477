"""R27. An empty or broken book is not published; each page of a good one says its source."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup
from toy_book import ROOT, code, run_in, toy_notebook, write_source, write_toy_book

from book.machinery import build, execution, notebooks, pages
from book.machinery.rules import check_site
from book.machinery.rules.text import prose
from fmnist_utils.text import LANGUAGES


def test_failing_cell_is_told_in_one_line(own_build):
    notebook = toy_notebook()
    notebook.cells.insert(5, code("1 / 0"))
    source = own_build / "01_toy.md"
    write_source(notebook, source)
    number = next(
        number
        for number, cell in enumerate(pages.one_language(notebook, "en").cells, start=1)
        if cell.source == "1 / 0"
    )
    message = f"01_toy.md [en] failed in cell {number}: ZeroDivisionError: division by zero"
    with pytest.raises(execution.ExecutionError, match=f"^{re.escape(message)}$"):
        execution.execute_all(["en"], [source])
    assert not list(execution.CACHE.glob("*.ipynb"))


def test_failed_build_leaves_the_published_site_alone(own_build, monkeypatch, capsys):
    def refuse(*_):
        raise execution.ExecutionError("01_toy.md [es] failed in cell 3: KeyError: 'x'")

    monkeypatch.setattr(execution, "execute_all", refuse)
    assert build.main([]) == 1
    assert capsys.readouterr().err == "book: 01_toy.md [es] failed in cell 3: KeyError: 'x'\n"
    assert (own_build / "html" / "index.html").read_text() == "the previous site"


def test_site_that_fails_its_checks_is_not_published(own_build, monkeypatch, capsys):
    bad = own_build / "next"
    bad.mkdir()
    (bad / "index.html").write_text('<a href="nowhere.html">x</a>')
    monkeypatch.setattr(execution, "execute_all", lambda *_: {})
    monkeypatch.setattr(build, "side_by_side", lambda step, items: [step(item) for item in items])
    monkeypatch.setattr(build, "make_language", lambda *_, **__: None)
    monkeypatch.setattr(build, "assemble", lambda _: bad)
    assert build.main([]) == 1
    assert "nowhere.html leads nowhere" in capsys.readouterr().err
    assert (own_build / "html" / "index.html").read_text() == "the previous site"


@pytest.mark.parametrize("version", ["2.0.0", "2.1.4", "0.15.1", None])
def test_another_jupyter_book_is_refused(version, own_build, monkeypatch, capsys):
    def found(name):
        if version is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(importlib.metadata, "version", found)
    monkeypatch.setattr(build, "build", lambda *_: pytest.fail("built"))
    assert build.main([]) == 1
    assert "pip install" in capsys.readouterr().err
    assert (own_build / "html" / "index.html").read_text() == "the previous site"


@pytest.mark.nightly
@pytest.mark.parametrize(
    "missing", ["book/pages/01_toy.md", "book/es/glossary.md", "book/en/index.md"]
)
def test_a_book_without_a_page_is_not_built(missing, tmp_path):
    book = write_toy_book(tmp_path)
    (book / missing).unlink()
    site = book / "book" / "_build" / "html"
    site.mkdir(parents=True)
    (site / "index.html").write_text("the previous site")
    finished = run_in(book, "-m", "book.machinery.build")
    assert finished.returncode == 1 and finished.stderr.startswith("book: ")
    assert Path(missing).stem in finished.stderr
    assert (site / "index.html").read_text() == "the previous site"


def known_sentence(text: str) -> str:
    """Return the longest run of plain words in ``text``, which must stand on its page."""
    plain = re.sub(
        r"(?<=\S)\n(?=[^\W\d_])", " ", re.sub(r"<!--.*?-->", "", prose(text), flags=re.DOTALL)
    )
    return max(re.findall(r"[^\W\d_]{2,}(?:,? [^\W\d_]+)+", plain), key=len)


def unsaid(project: Path, site: Path) -> list[str]:
    """Return the pages in the contents that are not in ``site`` or do not say their source."""
    found = []
    for lang in LANGUAGES:
        contents = yaml.safe_load((project / "book" / lang / "_toc.yml").read_text("utf-8"))
        chapters = [
            chapter for part in contents.get("parts", [contents]) for chapter in part["chapters"]
        ]
        for name in [contents["root"], *(chapter["file"] for chapter in chapters)]:
            page = site / lang / f"{name}.html"
            source = project / "book" / "pages" / f"{Path(name).name}.md"
            if source.exists():
                cells = pages.one_language(pages.read(source), lang).cells
                texts = [
                    cell.source
                    for cell in cells
                    if cell.cell_type == "markdown" and "caption" not in pages.tags(cell)
                ]
            else:
                texts = [(project / "book" / lang / f"{name}.md").read_text("utf-8")]
            shown = (
                BeautifulSoup(page.read_bytes(), "html.parser").find("article")
                if page.exists()
                else None
            )
            said = " ".join(shown.get_text().split()) if shown else ""
            if known_sentence("\n\n".join(texts)) not in said:
                found.append(f"{lang}/{name}")
    return found


def test_every_page_of_a_site_says_what_its_source_says(toy_site, tmp_path):
    project = toy_site.parents[2]
    assert unsaid(project, toy_site) == []
    assert len(list(toy_site.glob("*/*.html"))) >= 2 * 4
    page = toy_site / "es" / "glossary.html"
    content = page.read_bytes()
    try:
        page.write_text("<article></article>")
        assert unsaid(project, toy_site) == ["es/glossary"]
        page.unlink()
        assert unsaid(project, toy_site) == ["es/glossary"]
    finally:
        page.write_bytes(content)


@pytest.mark.parametrize("path", pages.paths(), ids=lambda path: path.stem)
def test_both_languages_run_the_same_code(path):
    def sources(notebook):
        code_cells = [c.source for c in notebook.cells if c.cell_type == "code" and c.id != "colab"]
        return [pages.SET_LANGUAGE.sub("", source) for source in code_cells]

    notebook = pages.read(path)
    for lang in LANGUAGES:
        assert sources(pages.book_page(notebook, lang)) == sources(notebook)
        assert sources(notebooks.plain_notebook(path, lang)) == sources(notebook)


@pytest.mark.nightly
def test_the_book_is_built_and_passes_its_checks():
    finished = subprocess.run(
        [sys.executable, "-m", "book.machinery.build"], cwd=ROOT, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stderr
    site = ROOT / "book" / "_build" / "html"
    assert check_site(site) == [] and unsaid(ROOT, site) == []
