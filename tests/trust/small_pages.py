"""Notebooks of a few cells that belong to report 1, and the command that runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "notebooks" / "01_ff_classifier.ipynb"


PARAMETERS = """lang = "es"
source = "sample"
seed = 0
num_epochs = 10
train_size = 8000
hidden_sizes = [128, 64]
dropout = 0.2
batch_size = 100
learning_rate = 0.001
"""


CHECK = (
    "from fmnist_utils.audit import load_report\n\n"
    'report = load_report("01_ff_classifier")\n'
    "report.check_parameters(globals())"
)

# A page of report 1 that starts at once, because it loads nothing.
UNCHECKED = 'False and load_report("01")'


def write_page(path: Path, *cells: str, check: str = CHECK) -> Path:
    """Write a notebook: the parameters of page 01, their check, and these cells."""
    import nbformat

    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in (PARAMETERS, check, *cells)]
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
    """Run the command ``fmnist`` in ``cwd`` as a process; return it, finished if ``wait``."""
    start = "from fmnist_utils.workshop.cli import main; main(prog_name='fmnist')"
    variables = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | variables
    process = subprocess.Popen(
        [sys.executable, "-c", start, *arguments], cwd=cwd, env=variables,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    if wait:
        process.out, process.err = process.communicate(timeout=300)
    return process
