"""Copies that people and programs leave beside the files of the book; a checkout of another system."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from toy_book import run_in, write_toy_book

from book.machinery import notebooks, pages
from fmnist_utils import settings
from fmnist_utils.audit import load_report, quality, schema
from fmnist_utils.audit.records import RESULTS, Records
from fmnist_utils.workshop import lab

ROOT = pages.ROOT
PAGES = lab.page_notebooks(lab.NOTEBOOKS)
COPIES = [
    "{}-Copy1", "{} (1)", "{}_old", "._{}", "{} - copia", "10_mine", "{}.out", "{}.out.partial",
]  # fmt: skip


def test_notebooks_of_a_reader_among_the_notebooks_are_left_alone(tmp_path, monkeypatch):
    folders = {"es": tmp_path / "notebooks", "en": tmp_path / "notebooks" / "en"}
    shutil.copytree(lab.NOTEBOOKS, folders["es"])
    stems = [copy.format(page) for copy in COPIES for page in ("01_ff_classifier", "05_cnn_grid")]
    for folder in folders.values():
        for stem in stems:
            (folder / f"{stem}.ipynb").write_text('{"cells": []}', "utf-8")
        assert [path.name for path in lab.page_notebooks(folder)] == [p.name for p in PAGES]
    monkeypatch.setattr(notebooks, "FOLDERS", folders)
    assert not list(notebooks.outdated())
    assert all((folder / f"{stem}.ipynb").exists() for folder in folders.values() for stem in stems)


@pytest.mark.parametrize("copy", ["{}-Copy1", "{} (1)", "{}_old", "._{}", ".#{}", "11_mine"])
def test_a_copy_of_a_source_is_no_page(copy, tmp_path, monkeypatch):
    expected = [path.name for path in pages.paths()]
    for lang in ("es", "en"):
        (tmp_path / lang).mkdir()
        shutil.copy(pages.BOOK / lang / "_toc.yml", tmp_path / lang)
    sources = shutil.copytree(pages.SOURCES, tmp_path / "pages")
    monkeypatch.setattr(pages, "SOURCES", sources)
    (sources / f"{copy.format('01_ff_classifier')}.md").write_text("# Mine\n")
    assert [path.name for path in pages.paths()] == expected


@pytest.mark.parametrize("copy", ["{} (1)", "{} - Copy", "._{}", "{}-old", "{}.orig"])
def test_a_copy_of_a_report_is_no_report(copy, tmp_path, monkeypatch):
    expected = schema.report_names()
    folder = shutil.copytree(schema.FOLDER, tmp_path / "reports", ignore=lambda *_: ["records"])
    monkeypatch.setattr(schema, "FOLDER", folder)
    shutil.copytree(folder / expected[1], folder / copy.format(expected[1]))
    assert schema.report_names() == expected and load_report("01").id == expected[1]


@pytest.mark.parametrize("copy", ["._{}", "{} (1)", "{}~"])
def test_foreign_files_beside_predictions_are_no_predictions(copy, tmp_path):
    records = tmp_path / "09_ninety_nine" / "records"
    records.mkdir(parents=True)
    for path in sorted(RESULTS.glob("*/records/*.predictions.npz"))[:2]:
        shutil.copy(path, records)
        shutil.copy(path.with_name(path.name.replace(".predictions.npz", ".json")), records)
    expected = quality.recorded_predictions(Records(results=tmp_path))
    assert len(expected) == 2
    path = min(records.glob("*.predictions.npz"))
    stem = path.name.removesuffix(".predictions.npz")
    (records / f"{copy.format(stem)}.predictions.npz").write_bytes(b"\0\5\x16\7")
    assert quality.recorded_predictions(Records(results=tmp_path)).equals(expected)


@pytest.mark.nightly
@pytest.mark.parametrize("lang", ["es", "en"])
def test_one_language_is_a_whole_site(lang, tmp_path):
    """With the copies of editors beside the sources."""
    book = write_toy_book(tmp_path)
    shutil.copy(book / "book" / "pages" / "01_toy.md", book / "book" / "pages" / "01_toy-Copy1.md")
    built = run_in(book, "-m", "book.machinery.build", "--lang", lang)
    assert built.returncode == 0, built.stderr
    site = book / "book" / "_build" / "html"
    assert (site / lang / "notebooks" / "01_toy.html").is_file()
    links = re.findall(r'<a [^>]*href="([^"]+)"', (site / "index.html").read_text("utf-8"))
    assert links == [f"{lang}/index.html"]


@pytest.mark.nightly
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_cell_can_be_run_twice(page, tmp_path):
    """One after the other, and then the whole page once more from the top."""
    notebook = nbformat.read(page, as_version=4)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    twice = [source for source in code for _ in range(2)] + code
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in twice]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    client = NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute(env=environment)


# --- Tools that are set otherwise -----------------------------------------------------------------


def test_the_tests_do_without_parts_of_pytest():
    without = ["-p", "no:cacheprovider", "-p", "no:xdist"]
    test = str(ROOT / "tests" / "test_text.py::test_nearest")
    command = [sys.executable, "-m", "pytest", "-q", *without, test]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kept", ["of the package", "elsewhere"])
def test_a_checkout_of_another_owner_is_not_asked_of_git(kept, tmp_path, monkeypatch):
    """Git refuses it ("dubious ownership"), so no command of Git is advised."""
    path = RESULTS / "yardsticks.json" if kept == "of the package" else tmp_path / "record.json"
    if kept == "elsewhere":
        subprocess.run(["git", "init", "-q", tmp_path], check=True)
        path.write_text("{}")
        subprocess.run(["git", "-C", tmp_path, "add", path.name], check=True)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "0")  # conftest.py lets Git look at every checkout
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    advice = settings.restoring(path)
    assert advice is None if kept == "elsewhere" else "pip install" in advice


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout of Git")
@pytest.mark.parametrize("setting", [["core.autocrlf=true"], ["core.eol=crlf"]])
def test_a_checkout_on_windows_has_the_line_ends_of_the_others(setting, tmp_path):
    names = [
        ".ci/run", "Makefile", "fmnist_utils/data.py", "fmnist_utils/reports/yardsticks.json",
        "notebooks/01_ff_classifier.ipynb", "book/pages/01_ff_classifier.md", "requirements.lock",
        "book/machinery/browser_code/live.js",
    ]  # fmt: skip
    options = [word for value in setting for word in ("-c", value)]
    out = ["checkout-index", f"--prefix={tmp_path}/", "--", *names]
    subprocess.run(["git", *options, *out], cwd=ROOT, check=True)
    for name in names:
        content = Path(tmp_path / name).read_bytes()
        assert content and b"\r" not in content, name
