"""Every page runs from top to bottom, training live; its checked cells say what they said.

The English notebooks, whose code is the same, run at night.
"""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
from book.machinery import pages
import pytest
from toy_book import ROOT

from fmnist_utils.text import LANGUAGES

PAGES = pages.paths()
# nbval reads notebooks with nbformat and jsonschema, which can do without this grammar: two seconds of each start.
START = "import sys; sys.modules['rfc3987_syntax'] = None; import pytest; sys.exit(pytest.main())"


def nbval(notebook: Path, lang: str, shared: Path) -> subprocess.CompletedProcess:
    """Run ``notebook`` with nbval: every cell must run; those tagged ``nbval-check-output`` must show what is recorded.

    The pages train into a folder of ``shared``, where the stand-in is kept too; what was trained elsewhere is not used. One
    thread, because two that have to wait for a core on a busy machine are many times slower than one.
    """
    variables = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")
    }
    variables |= {
        "FMNIST_LANG": lang,
        "FMNIST_PROFILE": "quick",
        "FMNIST_RUNS": str(shared / notebook.stem),
    }
    variables |= {
        "FMNIST_CACHE": str(shared / "cache"),
        "TQDM_DISABLE": "1",
        "OMP_NUM_THREADS": "1",
    }
    options = [
        "--nbval-lax",
        "--nbval-current-env",
        "--nbval-cell-timeout=300",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    command = [sys.executable, "-c", START, *options, str(notebook)]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1800,
    )


@pytest.mark.parametrize(
    "lang",
    [pytest.param("en", marks=pytest.mark.nightly) if lang == "en" else lang for lang in LANGUAGES],
)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_runs(page, lang, tmp_path_factory, kept_stand_in):
    page = notebooks.FOLDERS[lang] / f"{page.stem}.ipynb"
    shared = tmp_path_factory.getbasetemp()
    with kept_stand_in(shared / "cache"):
        finished = nbval(page, lang, shared)
    assert finished.returncode == 0, finished.stdout[-8000:] + finished.stderr[-2000:]
    cells = sum(cell.cell_type == "code" for cell in nbformat.read(page, as_version=4).cells)
    assert f"{cells} passed" in finished.stdout


def test_a_checked_cell_that_says_something_else_is_found(tmp_path):
    output = nbformat.v4.new_output("execute_result", {"text/plain": "3"}, execution_count=1)
    cell = nbformat.v4.new_code_cell("1 + 1", execution_count=1, outputs=[output])
    cell.metadata["tags"] = ["nbval-check-output"]
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "wrong.ipynb")
    finished = nbval(tmp_path / "wrong.ipynb", "es", tmp_path)
    assert finished.returncode == 1
    assert "1 failed" in finished.stdout
