"""R26. A page is executed again when anything that its outputs depend on has changed, and only then."""

from __future__ import annotations

import json

from book.machinery import build
import nbformat
import pytest
from toy_book import PARAMETERS, run_in, write_source, write_toy_book

from fmnist_utils.audit.schema import load_report

PAGES = 5
EXECUTE = "from book.machinery import build; build.CACHE.parent.mkdir(exist_ok=True); build.execute_all(['es', 'en'], 'quick')"


def test_surroundings_change_with_everything_outside_the_page(monkeypatch, tmp_path):
    """A change in the package, a record, a run made here, a version, the data or a variable changes what they are."""
    import importlib.metadata

    from fmnist_utils.workshop import engine as runs

    package, records, store = tmp_path / "package", tmp_path / "records", tmp_path / "store"
    made = runs.RunStore(store, records).folder(load_report("01").recipe("model_1", "theirs"))
    rehearsed = store / made.name[::-1]  # of no report's full profile
    for folder in (package / "reports", records / "01", made, rehearsed):
        folder.mkdir(parents=True)
    monkeypatch.setattr(build, "PACKAGE", package)
    monkeypatch.setenv("FMNIST_RESULTS", str(records))
    monkeypatch.setenv("FMNIST_RUNS", str(store))
    monkeypatch.setattr(build, "data_source", lambda: "official")
    machine = {"commit": None, "device": "cpu", "device_name": "y", "threads": 1}
    monkeypatch.setattr(runs, "describe_environment", lambda _: dict(machine))

    def covered():
        return json.dumps(build.surroundings() | {"shown": None}, sort_keys=True)

    seen = [covered()]
    assert covered() == seen[0]
    for change in (
        lambda: (package / "models.py").write_text("x = 1"),
        lambda: (package / "models.py").write_text("x = 2"),
        lambda: (package / "reports" / "06.yaml").write_text("id: 06"),
        lambda: (records / "01" / "model.json").write_text("{}"),
        lambda: (records / "01" / "model.panel.safetensors").write_bytes(b"1"),
        lambda: (made / "record.json").write_text("{}"),
        lambda: monkeypatch.setattr(build, "data_source", lambda: "synthetic"),
        lambda: monkeypatch.setenv("FMNIST_DATA", "/elsewhere"),
        lambda: monkeypatch.setattr(
            build, "difference", json.dumps
        ),  # by which a picture's palette is chosen
        lambda: monkeypatch.setattr(importlib.metadata, "distributions", lambda: []),
    ):
        change()
        seen.append(covered())
    assert len(set(seen)) == len(seen)
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "models.pyc").write_bytes(b"compiled")
    (rehearsed / "record.json").write_text("{}")  # what a page trained when it was executed
    assert covered() == seen[-1]


@pytest.mark.nightly
def test_pages_follow_a_constant_of_the_package(tmp_path):
    """Five pages that show a constant: executed once, then not at all, then all of them when the constant is another."""
    book = write_toy_book(tmp_path)
    (book / "book" / "pages" / "01_toy.md").unlink()
    cells = [nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})]
    cells += [nbformat.v4.new_code_cell("from fmnist_utils.synthetic import BLOCK\n\nBLOCK")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    for number in range(1, PAGES + 1):
        write_source(notebook, book / "book" / "pages" / f"0{number}_page.md")

    def executed() -> tuple[int, set[str]]:
        finished = run_in(book, "-c", EXECUTE)
        assert finished.returncode == 0, finished.stderr
        cached = [
            nbformat.read(path, 4) for path in (book / "book" / "_build" / "cache").glob("*.ipynb")
        ]
        assert len(cached) == 2 * PAGES
        return finished.stdout.count("executed in"), {
            page.cells[-1].outputs[0].data["text/plain"] for page in cached
        }

    assert executed() == (2 * PAGES, {"1000"})
    assert executed() == (0, {"1000"})
    module = book / "fmnist_utils" / "synthetic.py"
    module.write_text(module.read_text("utf-8").replace("BLOCK = 1000", "BLOCK = 500"), "utf-8")
    assert executed() == (2 * PAGES, {"500"})
