"""What a student's notebook imports works without POSIX."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "fmnist_utils"
FOR_STUDENTS = [
    path
    for folder in ("", "exercises/", "plots/", "audit/")
    for path in PACKAGE.glob(f"{folder}*.py")
]
POSIX_MODULES = {"fcntl", "grp", "posix", "pwd", "resource", "termios"}
POSIX_NAMES = {"fork", "geteuid", "mallopt", "mkfifo", "sched_getaffinity", "SIGKILL", "SIGUSR1"}


def posix_parts(source: str) -> set[str]:
    """Return what of POSIX the code names."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & POSIX_MODULES
        elif isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names}
            found |= {node.module} & POSIX_MODULES | names & POSIX_NAMES
        elif isinstance(node, ast.Attribute):
            found |= {node.attr} & POSIX_NAMES
        elif isinstance(node, ast.Constant) and str(node.value).startswith(("/dev/", "/proc/")):
            found.add(str(node.value))
    return found


def test_no_module_for_students_names_a_part_of_posix():
    for path in FOR_STUDENTS:
        assert not posix_parts(path.read_text("utf-8")), path.name


@pytest.mark.parametrize(
    "line",
    ["import fcntl", "from os import fork", "os.kill(1, signal.SIGKILL)", "open('/dev/shm/x')"],
)
def test_a_part_of_posix_is_found(line):
    assert posix_parts(f"import os, signal\n{line}\n")


# Other people's modules come first: they may look at the system that they run on.
WITHOUT_POSIX = """
import importlib, os, signal, sys
import matplotlib.pyplot, numpy, pandas, platformdirs, pydantic, safetensors.torch, scipy.stats
import seaborn, sklearn.metrics, torch, tqdm, yaml
for name in {modules}:
    sys.modules[name] = None
for name in {names}:
    for owner in (os, signal):
        if hasattr(owner, name):
            delattr(owner, name)
for name in {ours}:
    importlib.import_module(name)
from fmnist_utils.data import load_fashion_mnist
assert len(load_fashion_mnist().train.labels) == 8000
print("imported")
"""


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_what_students_import_works_where_there_is_no_posix():
    code = WITHOUT_POSIX.format(
        modules=sorted(POSIX_MODULES),
        names=sorted(POSIX_NAMES),
        ours=[module_name(path) for path in FOR_STUDENTS],
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "imported\n", done.stderr
