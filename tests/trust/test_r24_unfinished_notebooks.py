"""R24. A notebook that dies, hangs, leaves or raises is marked partial and leaves no number."""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from patience import at_most
from small_pages import UNCHECKED, fmnist, write_page

from fmnist_utils.workshop.cli import main

pytestmark = pytest.mark.racing

AFTER = 'print("after")'
# how it ends → the cell, what the message says in Spanish and in English
ENDINGS = {
    "dies": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "núcleo murió", "kernel died"),
    "runs out of memory": (
        # The system's own killer ends a process that takes too much: here it is asked to come
        # early.
        "import os, resource, signal\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))\n"
        "try:\n    taken = [bytearray(2**28) for _ in range(64)]\n"
        "except MemoryError:\n    os.kill(os.getpid(), signal.SIGKILL)",
        "falta memoria", "Memory may be short",
    ),
    "hangs": ("import time\nwhile True:\n    time.sleep(1)", "límite de --timeout", "limit of --timeout"),
    "leaves early": ("import sys; sys.exit(0)", "antes de tiempo", "ended early"),
    "raises": ("1 / 0", "ZeroDivisionError: division by zero", "ZeroDivisionError: division by zero"),
}  # fmt: skip
TIMEOUT = 4


def kernels() -> set[int]:
    """Return the ids of the processes that are kernels of Jupyter."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"ipykernel_launcher" in path.read_bytes():
                found.add(int(path.parent.name))
        except OSError:
            continue
    return found


def mine(before: set[int], folder: Path) -> set[int]:
    """Return the kernels started since in ``folder``: other tests may run theirs."""
    return {
        pid
        for pid in kernels() - before
        if os.path.exists(f"/proc/{pid}/cwd") and cwd_of(pid) == folder.resolve()
    }


def cwd_of(pid: int) -> Path | None:
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd"))
    except OSError:
        return None


def run_here(folder: Path, *options: str):
    """Run ``fmnist run`` on the page in ``folder``, in this process, which spares its start."""
    with contextlib.chdir(folder):
        return CliRunner().invoke(main, ["run", "page.ipynb", *options])


@pytest.mark.parametrize(
    "ending",
    [
        pytest.param(name, marks=[pytest.mark.nightly] if "memory" in name else [])
        for name in ENDINGS
    ],
)
def test_it_is_told_marked_and_counted_nowhere(ending, tmp_path):
    cell, *said = ENDINGS[ending]
    lang = ("es", "en")[list(ENDINGS).index(ending) % 2]
    write_page(tmp_path / "page.ipynb", "open('began', 'w').close()", cell, AFTER, check=UNCHECKED)
    before = kernels()
    limit = ["--timeout", str(TIMEOUT)] if ending == "hangs" else []
    result = run_here(tmp_path, "--lang", lang, "-p", "seed", "7", *limit)
    if limit:  # from the start of the cell to the refusal: the limit and five seconds at most
        assert time.time() - (tmp_path / "began").stat().st_mtime <= at_most(TIMEOUT + 5)
    assert result.exit_code == 1 and result.stdout == ""
    for words in (said[lang == "en"], "page.out.partial.ipynb", f"] {cell.splitlines()[0][:40]}"):
        assert words in result.stderr
    assert "Traceback" not in result.stderr

    assert not (tmp_path / "page.out.ipynb").exists()
    partial = json.loads((tmp_path / "page.out.partial.ipynb").read_text("utf-8"))
    told = partial["metadata"]["fmnist"]
    assert told["partial"] is True and told["reason"] in result.stderr
    assert ("PARCIAL" if lang == "es" else "PARTIAL") in "".join(partial["cells"][0]["source"])
    last = partial["cells"][-1]
    assert "".join(last["source"]) == AFTER
    assert last["outputs"] == [] and last["execution_count"] is None
    assert last["metadata"]["papermill"]["status"] == "pending"
    assert not list(Path(os.environ["FMNIST_RUNS"]).rglob("record.json"))
    wait_until_gone(before, tmp_path)


def wait_until_gone(before: set[int], folder: Path) -> None:
    """Fail if a kernel that was started in ``folder`` does not end within ten seconds."""
    deadline = time.monotonic() + at_most(10)
    while mine(before, folder) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not mine(before, folder)


def test_a_stopped_program_takes_its_kernel_with_it(tmp_path):
    """SIGTERM, as a closing session sends it."""
    began = tmp_path / "began"
    write_page(
        tmp_path / "page.ipynb",
        f"open({str(began)!r}, 'w').close()\nimport time; time.sleep(600)",
        check=UNCHECKED,
    )
    before = kernels()
    process = fmnist("run", "page.ipynb", cwd=tmp_path, wait=False)
    while not began.exists() and process.poll() is None:
        time.sleep(0.1)
    assert mine(before, tmp_path)
    process.terminate()
    process.communicate(timeout=120)
    assert process.returncode == 143
    wait_until_gone(before, tmp_path)
    partial = json.loads((tmp_path / "page.out.partial.ipynb").read_text("utf-8"))
    assert partial["metadata"]["fmnist"]["partial"] is True


def test_a_notebook_that_ends_well_is_whole(tmp_path):
    write_page(tmp_path / "page.ipynb", "print(seed)", check=UNCHECKED)
    (tmp_path / "page.out.partial.ipynb").write_text("{}")
    result = run_here(tmp_path, "-p", "seed", "7", "-o", "mine.ipynb")
    assert result.exit_code == 0, result.output
    whole = json.loads((tmp_path / "mine.ipynb").read_text("utf-8"))
    assert "fmnist" not in whole["metadata"] and whole["cells"][-1]["outputs"][0]["text"] == ["7\n"]
    assert not (tmp_path / "mine.partial.ipynb").exists() and str(tmp_path) not in json.dumps(whole)
