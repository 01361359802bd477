"""Copies of a process: a page finds in such a kernel what it finds in any other, and nothing outlives a build."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

from book.machinery import build
from book.machinery import forks
import nbformat
import pytest
from toy_book import code, toy_notebook

pytestmark = pytest.mark.skipif(not forks.AVAILABLE, reason="processes are forked on Linux alone")
needs_handles = pytest.mark.skipif(
    not forks.has_handles(), reason="this Python or this Linux has no handles of processes"
)


@pytest.fixture(scope="module")
def copies():
    with forks.Kernels() as kernels:
        yield kernels


@pytest.fixture(scope="module")
def ordinary():
    with forks.Kernels(copied=False) as kernels:
        yield kernels


def page_of(folder, *sources):
    """Return a page that ends with these cells, and a name of its own."""
    notebook = toy_notebook()
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"] + [
        code(source) for source in sources
    ]
    path = folder / "01_toy.ipynb"
    nbformat.write(notebook, path)
    return path


@pytest.fixture
def run(tmp_path):
    """Return a function that runs cells as a page, and returns what they show."""

    def outputs(sources, kernels):
        executed = build._run(page_of(tmp_path, *sources), "en", "quick", kernels)
        return [
            output.get("data") or output.get("text")
            for cell in executed.cells
            for output in cell.outputs
        ]

    return outputs


LOOKS = [
    "import os, sys; os.getcwd(), os.environ.get('FMNIST_LANG'), sys.path, __name__",
    "import pandas; pandas.DataFrame([range(30)])",
    "import matplotlib; matplotlib.get_backend()",
    "import os; os.system('echo from the system')",
]


def test_a_page_sees_no_difference(run, copies, ordinary, monkeypatch):
    monkeypatch.setenv("FMNIST_LANG", "en")
    assert run(LOOKS, copies) == run(LOOKS, ordinary)


@needs_handles
def test_its_imports_are_done(run, copies):
    assert run(["import sys; sorted({'torch._dynamo', 'pandas'} & set(sys.modules))"], copies)[-1][
        "text/plain"
    ] == ("['pandas', 'torch._dynamo']")


def test_a_failing_cell_is_told_as_ever(run, copies):
    message = r"^01_toy.ipynb \[en\] failed in cell \d+: ZeroDivisionError: division by zero$"
    with pytest.raises(build.BuildError, match=message):
        run(["1 / 0"], copies)


@pytest.mark.parametrize("kernels", ["copies", "ordinary"])
def test_a_kernel_that_is_killed_ends_the_page(run, kernels, request):
    with pytest.raises(build.BuildError, match=r"^01_toy.ipynb \[en\]: Kernel died"):
        run(
            ["import os, signal; os.kill(os.getpid(), signal.SIGKILL)"],
            request.getfixturevalue(kernels),
        )


def test_without_handles_of_processes_kernels_are_ordinary(monkeypatch):
    monkeypatch.delattr(forks.os, "pidfd_open", raising=False)
    assert not forks.Kernels().copied


@needs_handles
def test_a_killed_server_takes_its_kernels_along_and_is_told(tmp_path):
    with forks.Kernels() as kernels:
        server = kernels._server
        command = ["-f", str(tmp_path / "connection.json")]
        fork = server.fork(command, str(tmp_path), dict(os.environ))
        assert fork.poll() is None
        server.process.kill()
        assert fork.poll(seconds=30) == 0
        with pytest.raises(forks.KernelsEnded, match="has ended, with -9$"):
            server.fork(command, str(tmp_path), {})
        fork.kill()  # of what has ended, as of any other


@pytest.mark.parametrize("copied", [True, False])
def test_no_kernel_outlives_what_is_interrupted(copied, tmp_path):
    path, started = page_of(tmp_path, "import time; time.sleep(600)"), time.monotonic()
    with ThreadPoolExecutor(1) as pool, forks.Kernels(copied) as kernels:
        running = pool.submit(build._run, path, "en", "quick", kernels)
        while not kernels._started and time.monotonic() < started + 60:
            time.sleep(0.1)
    [kernel] = kernels._started
    assert kernel.poll() is not None and isinstance(running.exception(), build.BuildError)
    assert time.monotonic() < started + 120


def test_after_the_end_no_kernel_is_started(run):
    with forks.Kernels(copied=False) as kernels:
        pass
    with pytest.raises(build.BuildError, match=r"^01_toy.ipynb \[en\]: the build was interrupted$"):
        run(["1"], kernels)


def test_after_a_page_that_fails_those_that_have_begun_are_kept(
    own_build, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(build, "available_cores", lambda: 3)
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    bad = page_of(tmp_path / "a", "1 / 0")
    good = page_of(tmp_path / "b", "import time; time.sleep(3)").rename(
        tmp_path / "b" / "02_toy.ipynb"
    )
    late = page_of(tmp_path / "b", "import time; time.sleep(4); no_such_name").rename(
        tmp_path / "b" / "03_toy.ipynb"
    )
    (own_build / "cache").mkdir(exist_ok=True)
    wanted = [
        (page, lang, own_build / "cache" / f"{page.stem}.{lang}", "quick")
        for lang in ("es", "en")
        for page in (bad, good, late)
    ]
    with pytest.raises(build.BuildError) as failed:
        build._execute_pages(wanted, {})
    first, second = str(failed.value).splitlines()
    assert first.startswith("01_toy.ipynb [es] failed") and second.startswith(
        "  03_toy.ipynb [es] failed"
    )
    assert capsys.readouterr().out.startswith(first)  # told at once
    assert (own_build / "cache" / "02_toy.es").exists() and not list(
        (own_build / "cache").glob("01_toy*")
    )


def test_steps_side_by_side_give_the_same_and_fail_the_same(monkeypatch):
    there = forks.side_by_side(_where, "ab")
    assert [item for item, _ in there] == ["a", "b"] and os.getpid() not in {
        process for _, process in there
    }
    with pytest.raises(build.BuildError, match="^c cannot be$"):
        forks.side_by_side(_where, "bc")
    monkeypatch.setattr(forks, "AVAILABLE", False)
    assert forks.side_by_side(_where, "ab") == [("a", os.getpid()), ("b", os.getpid())]


def _where(item):
    if item == "c":
        raise build.BuildError(f"{item} cannot be")
    return item, os.getpid()
