"""The notebooks run as students get them; their checked cells show what they showed.

The English ones, whose code is the same, run at night.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from book.machinery.notebooks import FOLDERS
from book.machinery.pages import ROOT
from fmnist_utils.workshop.lab import page_notebooks

NOTEBOOKS = [
    pytest.param(
        path, marks=[pytest.mark.nightly] if lang == "en" else [], id=f"{path.stem}-{lang}"
    )
    for lang, folder in FOLDERS.items()
    for path in page_notebooks(folder)
]


def nbval(notebook: Path, scratch: Path) -> subprocess.CompletedProcess:
    """Run ``notebook`` with nbval, without network and the user's files, on one thread."""
    ours = ("PYTEST_", "FMNIST_")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    variables |= {
        "PYTHONPATH": str(ROOT),
        "FMNIST_OFFLINE": "1",
        "FMNIST_RUNS": str(scratch / "runs"),
        "FMNIST_CACHE": str(scratch / "cache"),
        "TQDM_DISABLE": "1",
        "OMP_NUM_THREADS": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # the others take a second
    }
    # The machinery of the book comes first, as it spares two seconds of loading jsonschema.
    options = ["-p", "book.machinery", "-p", "nbval.plugin", "-p", "no:cacheprovider", "-q"]
    options += ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=300"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(notebook)],
        cwd=ROOT,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1800,
    )


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_a_notebook_runs(notebook, tmp_path):
    finished = nbval(notebook, tmp_path)
    assert finished.returncode == 0, finished.stdout[-8000:] + finished.stderr[-2000:]
    cells = sum(cell.cell_type == "code" for cell in nbformat.read(notebook, as_version=4).cells)
    assert f"{cells} passed" in finished.stdout


def test_a_checked_cell_that_says_something_else_is_found(tmp_path):
    output = nbformat.v4.new_output("execute_result", {"text/plain": "3"}, execution_count=1)
    cell = nbformat.v4.new_code_cell("1 + 1", execution_count=1, outputs=[output])
    cell.metadata["tags"] = ["nbval-check-output"]
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "wrong.ipynb")
    finished = nbval(tmp_path / "wrong.ipynb", tmp_path)
    assert finished.returncode == 1
    assert "1 failed" in finished.stdout
