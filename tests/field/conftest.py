"""What the tests of what people do share."""

import atexit
import json
import os
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1] / "trust"))

from small_pages import write_page

from fmnist_utils.audit import load_report
from fmnist_utils.text import UserError
from fmnist_utils.workshop.cli import main


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A function that writes ``page.ipynb``, report 1's page in small, and returns its path.

    Its cells are changed by their number, ``{0: "lang = 'es'"}``; ``tagged`` says which one has the
    tag ``parameters``.
    """
    monkeypatch.chdir(tmp_path)

    def write(*cells, tagged=0, name="page.ipynb", **changed):
        path = write_page(tmp_path / name, *cells)
        notebook = json.loads(path.read_text("utf-8"))
        for number, cell in enumerate(notebook["cells"]):
            cell["metadata"]["tags"] = ["parameters"] if number == tagged else []
            cell["source"] = changed.get(f"cell_{number}", cell["source"])
        path.write_text(json.dumps(notebook), "utf-8")
        return path

    return write


@pytest.fixture
def fmnist(monkeypatch):
    """The command line, in this process, whose kernels import this checkout."""
    root = str(Path(__file__).parents[2])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]))
    return lambda *arguments: CliRunner().invoke(main, [str(item) for item in arguments])


@pytest.fixture
def notebook_cells():
    """A function that runs cells one after the other, checks page 01's parameters, says what is wrong."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    def run(*cells):
        shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
        atexit.unregister(shell.atexit_operations)  # as many times as there are shells, for minutes
        for cell in cells:
            shell.run_cell(cell, store_history=True).raise_error()
        try:
            load_report("01").check_parameters(shell.user_ns)
        except UserError as error:
            return str(error)
        return ""

    return run
