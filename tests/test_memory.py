"""A page runs on a small laptop: the memory and the processor time that its notebook takes."""

import os
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from fmnist_utils.workshop.lab import NOTEBOOKS, page_notebooks

ROOT = NOTEBOOKS.parent
LIMIT = 1.03e9  # bytes: 1.0 GB, and some percent by which it varies from run to run
# What the kernel has had at most, less what PyTorch's libraries for GPUs take of it: the build for
# GPUs loads them, where there is none too, and the one for CPUs has none.
USED = r"""
import re

with open("/proc/self/status") as status:
    peak = int(re.search(r"VmHWM:\s+(\d+)", status.read())[1])
gpu_libraries, file = 0, ""
with open("/proc/self/smaps") as maps:
    for line in maps:
        if named := re.match(r"[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+\s*(.*)", line):
            file = named[1]
        elif line.startswith("Rss:") and re.search(r"/nvidia/|/triton/|_cuda\.so", file):
            gpu_libraries += int(line.split()[1])
print(1024 * peak, 1024 * gpu_libraries)
"""


def memory(notebook, folder):
    """Return the bytes that a notebook has taken at most, and those of the libraries for GPUs."""
    content = nbformat.read(notebook, as_version=4)
    content.cells.append(nbformat.v4.new_code_cell(USED))
    client = NotebookClient(
        content, timeout=600, kernel_name="python3", resources={"metadata": {"path": folder}}
    )
    variables = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "FMNIST_OFFLINE": "1"}
    client.execute(env=os.environ | variables)
    return map(int, content.cells[-1].outputs[-1].text.split())


@pytest.mark.nightly
@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells it")
@pytest.mark.parametrize("notebook", page_notebooks(NOTEBOOKS), ids=lambda path: path.stem)
def test_a_page_takes_a_gigabyte_at_most(notebook, tmp_path):
    peak, gpu_libraries = memory(notebook, tmp_path)
    assert peak - gpu_libraries <= LIMIT


@pytest.mark.nightly
@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells it")
def test_more_would_be_noticed(tmp_path):
    cell = nbformat.v4.new_code_cell("much = bytearray(b'1') * 1_100_000_000; del much")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "large.ipynb")
    peak, gpu_libraries = memory(tmp_path / "large.ipynb", tmp_path)
    assert peak - gpu_libraries > LIMIT
