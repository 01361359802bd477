"""Copies of a process: a page finds in such a kernel what it finds in any other, and nothing outlives a build."""

import os
import time

import nbformat
import pytest
from toy_book import code, toy_notebook

import build
import forks
from nbclient.exceptions import DeadKernelError

pytestmark = pytest.mark.skipif(not forks.AVAILABLE, reason="kernels are forked on Linux alone")


@pytest.fixture(scope="module")
def server():
    with forks.ForkServer() as server:
        yield server


@pytest.fixture
def run(tmp_path):
    """Return a function that runs cells as a page, in a fork if a server is given, and returns what they show."""

    def outputs(sources, server=None):
        notebook = toy_notebook()
        notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"] + [code(source) for source in sources]
        nbformat.write(notebook, tmp_path / "01_toy.ipynb")
        executed = build._run(tmp_path / "01_toy.ipynb", "en", "quick", server)
        return [output.get("data") or output.get("text") for cell in executed.cells for output in cell.outputs]

    return outputs


LOOKS = [
    "import os, sys; os.getcwd(), os.environ.get('FMNIST_LANG'), sys.path, __name__",
    "import pandas; pandas.DataFrame([range(30)])",
    "import matplotlib; matplotlib.get_backend()",
    "import os; os.system('echo from the system')",
]


def test_a_page_sees_no_difference(run, server, monkeypatch):
    monkeypatch.setenv("FMNIST_LANG", "en")
    assert run(LOOKS, server) == run(LOOKS)


def test_its_imports_are_done(run, server):
    assert run(["import sys; sorted({'torch._dynamo', 'pandas'} & set(sys.modules))"], server)[-1]["text/plain"] == (
        "['pandas', 'torch._dynamo']"
    )


def test_a_failing_cell_is_told_as_ever(run, server):
    with pytest.raises(
        build.BuildError, match=r"^01_toy.ipynb \[en\] failed in cell \d+: ZeroDivisionError: division by zero$"
    ):
        run(["1 / 0"], server)


def test_a_kernel_that_is_killed_ends_the_page(run, server):
    with pytest.raises(DeadKernelError):
        run(["import os, signal; os.kill(os.getpid(), signal.SIGKILL)"], server)


def test_kernels_end_with_the_server(tmp_path):
    with forks.ForkServer() as server:
        command = ["-f", str(tmp_path / "connection.json")]
        fork = server.fork(command, str(tmp_path), dict(os.environ))
        assert fork.poll() is None
    deadline = time.monotonic() + 30
    while fork.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert fork.poll() == 0
    with pytest.raises(RuntimeError, match="has ended"):
        server.fork(command, str(tmp_path), {})


def test_steps_side_by_side_give_the_same_and_fail_the_same(monkeypatch):
    there = forks.side_by_side(_where, "ab")
    assert [item for item, _ in there] == ["a", "b"] and os.getpid() not in {process for _, process in there}
    with pytest.raises(build.BuildError, match="^c cannot be$"):
        forks.side_by_side(_where, "bc")
    monkeypatch.setattr(forks, "AVAILABLE", False)
    assert forks.side_by_side(_where, "ab") == [("a", os.getpid()), ("b", os.getpid())]


def _where(item):
    if item == "c":
        raise build.BuildError(f"{item} cannot be")
    return item, os.getpid()
