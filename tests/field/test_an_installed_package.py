"""The package, installed from its wheel and far from the checkout, gives the same audit."""

import os
import subprocess
import sys

import pytest
from small_pages import ROOT
from test_floors import installed  # noqa: F401

AUDIT = "import sys; from fmnist_utils.workshop.cli import main; main(sys.argv[1:])"


def audited(package, folder, report):
    """Return the audit of a report as JSON, made by the package in a folder."""
    variables = os.environ | {"PYTHONPATH": str(package)}
    variables.pop("FMNIST_RESULTS", None)
    command = [sys.executable, "-c", AUDIT, "audit", report, "--format", "json"]
    options = {"cwd": folder, "env": variables, "capture_output": True, "timeout": 300}
    return subprocess.run(command, check=True, **options).stdout


@pytest.mark.parametrize("report", ["01", "04", "across"])
def test_the_installed_package_gives_the_same_numbers(report, installed, tmp_path):  # noqa: F811
    here = audited(ROOT, ROOT, report)
    assert b'"n": 0' not in here or report != "01"
    assert audited(installed, tmp_path, report) == here
