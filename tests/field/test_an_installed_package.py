"""The package, installed from its wheel and far from the checkout, needs none and audits the same."""

import os
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner
from small_pages import ROOT

from fmnist_utils.workshop.cli import main


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


def run_elsewhere(code, *arguments, package, folder):
    """Return what a program prints, run in a folder with a package that comes first."""
    variables = os.environ | {"PYTHONPATH": str(package)}
    options = {"cwd": folder, "env": variables, "capture_output": True, "timeout": 300}
    return subprocess.run([sys.executable, "-c", code, *arguments], check=True, **options).stdout


EVERY_MODULE = """
import importlib, pathlib, pkgutil, sys
import fmnist_utils
home = pathlib.Path(fmnist_utils.__file__).parent
assert home == pathlib.Path(sys.argv[1]) / "fmnist_utils", home
for module in pkgutil.walk_packages([str(home)], "fmnist_utils."):
    importlib.import_module(module.name)
from fmnist_utils.audit import load_report
from fmnist_utils.data import load_fashion_mnist
from fmnist_utils.workshop.lab import notebooks_folder
assert len(load_fashion_mnist().test.labels) == 10000
assert load_report("01").runs("model_1")
for lang in ("es", "en"):
    assert notebooks_folder(lang).is_relative_to(home)
"""


def test_it_needs_no_checkout(installed, tmp_path):
    run_elsewhere(EVERY_MODULE, str(installed), package=installed, folder=tmp_path)


AUDIT = """
import sys
from fmnist_utils.workshop.cli import main
for report in sys.argv[1:]:
    main(["audit", report, "--format", "json"], standalone_mode=False)
"""


def test_the_installed_package_gives_the_same_numbers(installed, tmp_path, monkeypatch):
    monkeypatch.delenv("FMNIST_RESULTS", raising=False)
    reports = ["01", "04", "across"]
    audits = [["audit", report, "--format", "json"] for report in reports]
    here = [CliRunner().invoke(main, arguments).stdout_bytes for arguments in audits]
    assert b'"n": 0' not in here[0] and all(here)
    there = run_elsewhere(AUDIT, *reports, package=installed, folder=tmp_path)
    assert there == b"".join(here)
