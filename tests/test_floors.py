"""What a student's notebook imports works without POSIX, and installed far from the checkout."""

import ast
import os
import shutil
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


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder into which the package was installed from its wheel, without its dependencies."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("fmnist_utils", "notebooks"):
        shutil.copytree(
            ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
        )
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "wheel", *offline, "-w", source / "dist", source], check=True)
    [wheel] = (source / "dist").glob("*.whl")
    subprocess.run([*pip, "install", *offline, "--target", target, wheel], check=True)
    shutil.rmtree(source)
    return target


ELSEWHERE = """
import importlib, pathlib, pkgutil, sys
import fmnist_utils
home = pathlib.Path(fmnist_utils.__file__).parent
assert home == pathlib.Path({target!r}) / "fmnist_utils", home
for module in pkgutil.walk_packages([str(home)], "fmnist_utils."):
    importlib.import_module(module.name)
from fmnist_utils.audit import load_report
from fmnist_utils.data import load_fashion_mnist
from fmnist_utils.workshop.lab import notebooks_folder
assert len(load_fashion_mnist().test.labels) == 10000
assert load_report("01").runs("model_1")
for lang in ("es", "en"):
    assert notebooks_folder(lang).is_relative_to(home)
from fmnist_utils.workshop.cli import main
main(["audit", "01"])
"""


def test_the_installed_package_needs_no_checkout(installed, tmp_path):
    code = ELSEWHERE.format(target=str(installed))
    environment = os.environ | {"PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "N1-1" in done.stdout and "N1-8" in done.stdout and "C1-1" in done.stdout
