"""Notebooks of a few cells that belong to report 1, and the command that runs them, for the cases R22 to R25."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "notebooks" / "01_ff_classifier.ipynb"


def parameters_cell() -> str:
    """Return the parameters cell of page 01."""
    cells = json.loads(PAGE.read_text("utf-8"))["cells"]
    return "".join(
        next(cell for cell in cells if "parameters" in cell["metadata"].get("tags", []))["source"]
    )


CHECK = 'from fmnist_utils.reports import load_report\n\nreport = load_report("01")\npage = report.page(globals())'

UNCHECKED = (
    '# load_report("01")'  # a page of report 1 that starts at once, because it loads nothing
)


def write_page(path: Path, *cells: str, check: str = CHECK) -> Path:
    """Write a notebook: the parameters of page 01, their check, and these cells."""
    import nbformat

    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in (parameters_cell(), check, *cells)]
    )
    notebook.cells[0].metadata["tags"] = ["parameters"]
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    nbformat.write(notebook, path)
    return path


def fmnist(*arguments: str, cwd: Path, wait: bool = True, **variables: str):
    """Run the command ``fmnist`` in ``cwd`` as a process; return it, finished unless ``wait`` is False."""
    program = [
        sys.executable,
        "-c",
        "from fmnist_utils.cli import main; main(prog_name='fmnist')",
        *arguments,
    ]
    process = subprocess.Popen(
        program, cwd=cwd, env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | variables,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    if wait:
        process.out, process.err = process.communicate(timeout=300)
    return process
