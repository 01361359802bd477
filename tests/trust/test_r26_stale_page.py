"""R26. A page is executed again when anything that it depends on has changed, and only then."""

from __future__ import annotations

import nbformat
import pytest
from toy_book import PARAMETERS, code, run_in, write_source, write_toy_book

from book.machinery import execution

PAGES = 5
EXECUTE = """
from book.machinery import execution, pages
execution.execute_all(sources=sorted(pages.SOURCES.glob("*.md")))
"""


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A page in the cache that used a module, a report and a library; whether it would be taken."""
    package = tmp_path / "package"
    for name in ("models.py", "doctor.py", "reports/01_a/report.yaml", "reports/02_b/report.yaml"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text("x = 1")
    source = tmp_path / "01_toy.md"
    cells = [code(PARAMETERS, "parameters"), code("seed + 1")]
    write_source(nbformat.v4.new_notebook(cells=cells), source)
    monkeypatch.setattr(execution, "CACHE", tmp_path)
    monkeypatch.setattr(execution, "PACKAGE", package)
    monkeypatch.setattr(execution, "distribution", lambda name: {"torch": "2.10"}.get(name, ""))
    used = execution._grouped(["models.py", "reports/01_a/report.yaml"])
    page = nbformat.v4.new_notebook()
    page.metadata = {
        "key": execution.key(source, "es"),
        "used": {name: execution.digest(name) for name in used},
        "versions": {"torch": "2.10"},
    }
    nbformat.write(page, tmp_path / "01_toy.es.ipynb")

    def taken() -> bool:
        execution.digest.cache_clear()
        return execution.kept(source, "es") is not None

    yield taken, package, source
    execution.digest.cache_clear()


WRITTEN = {  # what is written into which file of the package
    "a module": ("models.py", "x = 2"),
    "another module": ("doctor.py", "x = 2"),
    "a report": ("reports/01_a/report.yaml", "y"),
    "another report": ("reports/02_b/report.yaml", "y"),
    "a record": ("reports/01_a/record.json", "{}"),
}
CHANGES = {
    "nothing": lambda package, source, patch: None,
    "a module that is gone": lambda package, source, patch: (package / "models.py").unlink(),
    "code": lambda package, source, patch: source.write_text(
        source.read_text().replace("+ 1", "+ 2")
    ),
    "a variable": lambda package, source, patch: patch.setenv("FMNIST_DATA", "/elsewhere"),
    "a version": lambda package, source, patch: patch.setattr(
        execution, "distribution", lambda name: "2.11"
    ),
    "what executes": lambda package, source, patch: patch.setattr(execution, "MAKERS", []),
    "words": lambda package, source, patch: source.write_text(
        source.read_text() + '\n+++ {"tags": ["lang-es"]}\n\nMás.\n'
    ),
}


@pytest.mark.parametrize("change", [*WRITTEN, *CHANGES])
def test_a_page_is_taken_from_the_cache_unless_something_that_it_used_has_changed(
    change, kept, monkeypatch
):
    taken, package, source = kept
    assert taken()
    if change in WRITTEN:
        name, content = WRITTEN[change]
        (package / name).write_text(content)
    else:
        CHANGES[change](package, source, monkeypatch)
    assert taken() == (change in ("nothing", "another module", "another report", "words"))


@pytest.mark.nightly
def test_pages_follow_a_constant_of_the_package(tmp_path):
    """Five pages that show a constant are executed once, and once more when it is another."""
    book = write_toy_book(tmp_path)
    (book / "book" / "pages" / "01_toy.md").unlink()
    cells = [
        code(PARAMETERS, "parameters"),
        code("from fmnist_utils.training import CONSTANT\n\nCONSTANT"),
    ]
    for number in range(1, PAGES + 1):
        path = book / "book" / "pages" / f"0{number}_page.md"
        write_source(nbformat.v4.new_notebook(cells=cells), path)
    module = book / "fmnist_utils" / "training.py"
    original = module.read_text("utf-8")

    def executed(constant: int) -> tuple[int, set[str]]:
        module.write_text(f"{original}\n\nCONSTANT = {constant}\n", "utf-8")
        finished = run_in(book, "-c", EXECUTE)
        assert finished.returncode == 0, finished.stderr
        cache = (book / "book" / "_build" / "cache").glob("*.ipynb")
        cached = [nbformat.read(path, 4) for path in cache]
        assert len(cached) == 2 * PAGES
        shown = {page.cells[-1].outputs[0].data["text/plain"] for page in cached}
        return finished.stdout.count("executed in"), shown

    assert executed(1000) == (2 * PAGES, {"1000"})
    assert executed(1000) == (0, {"1000"})
    assert executed(500) == (2 * PAGES, {"500"})
