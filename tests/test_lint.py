"""`make lint`: the form, the types and the floors of the code."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RECIPE = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
COMMANDS = [line.strip() for line in RECIPE.splitlines()]


def run(command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess:
    command = command.replace("$(BIN)", str(Path(sys.prefix) / "bin"))
    return subprocess.run(command, shell=True, cwd=cwd, capture_output=True, text=True)


# Without its cache mypy takes half a minute; continuous integration runs `make lint` as well.
SLOW = [pytest.mark.nightly]


@pytest.mark.parametrize(
    "command", [pytest.param(c, marks=SLOW if "mypy" in c else []) for c in COMMANDS]
)
def test_the_code_is_clean(command):
    finished = run(command)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_a_module_that_reaches_upstairs_is_found(tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(
        ROOT / "fmnist_utils",
        tmp_path / "fmnist_utils",
        ignore=shutil.ignore_patterns("records", "sample", "__pycache__"),
    )
    with (tmp_path / "fmnist_utils" / "evaluation.py").open("a") as module:
        module.write("\n\ndef late():\n    from fmnist_utils.audit import records\n")
    finished = run(COMMANDS[-1], tmp_path)
    assert finished.returncode == 1
    assert "fmnist_utils.evaluation is not allowed to import fmnist_utils.audit" in finished.stdout
