"""The set-up of the environment: done once, repaired after a kill, never by two at a time.

Each test runs the real script on a small project. A shell script stands for the base interpreter:
its `venv` copies itself, and its `pip` writes down how it was called.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / ".ci" / "make_env.py"
FAKE_PYTHON = """#!/bin/sh
cd "$PROJECT" && echo "$*" >> log
[ "$2" = venv ] && mkdir -p "$4/bin" && cp "$0" "$4/bin/python" && touch "$4/pyvenv.cfg"
[ "$2" = pip ] && while [ -e slow ]; do sleep 0.02; done
[ "$2" = pip ] && [ -e code ] && eval "$(cat code)"
[ "$2" != "import pip" ] || [ ! -e no-pip ]
"""
# Runs the script as from an activated environment: its base interpreter is the fake one.
START = (
    "import runpy, sys; _, version, script, sys._base_executable, *folder = sys.argv\n"
    "sys.version_info = (*map(int, version.split('.')), 0)\n"
    "sys.argv = [script, *folder]; runpy.run_path(script, run_name='__main__')"
)


class Project:
    """A checkout of two files and the script, with an interpreter that only pretends."""

    def __init__(self, folder: Path):
        self.folder, self.venv = folder, folder / ".venv"
        (folder / ".ci").mkdir(parents=True)
        shutil.copy(SCRIPT, folder / ".ci")
        for name in ("requirements.lock", "pyproject.toml"):
            (folder / name).write_text(f"{name}\n")
        python = folder / "python"
        python.write_text(FAKE_PYTHON)
        python.chmod(0o755)

    def start(self, *arguments, version: str = "3.11") -> subprocess.Popen:
        script, python = self.folder / ".ci" / "make_env.py", self.folder / "python"
        command = [sys.executable, "-c", START, version, script, python, *arguments]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        environment = os.environ | {"PROJECT": str(self.folder)}
        return subprocess.Popen(command, **options, env=environment, process_group=0)

    def make(self, *arguments, **options) -> tuple[int, list[str], str]:
        """Run the script; return its exit code, what the fake interpreter was asked, its output."""
        (self.folder / "log").unlink(missing_ok=True)
        process = self.start(*arguments, **options)
        output = "".join(process.communicate(timeout=60))
        return process.returncode, self.log(), output

    def log(self) -> list[str]:
        log = self.folder / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line for line in lines if line != "-c import pip"]


@pytest.fixture
def project(tmp_path) -> Project:
    return Project(tmp_path / "pro ject")


def wait_for(condition) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_made_once_then_left_alone(project):
    code, (create, locked, package), output = project.make()
    assert code == 0 and "Se prepara" in output and "Setting up" in output
    assert create.startswith("-m venv --clear") and create.endswith(".venv")
    assert "--require-hashes" in locked and "--only-binary :all:" in locked
    assert locked.endswith("requirements.lock")
    assert "--no-deps --no-build-isolation -e" in package
    assert project.make() == (0, [], "")


@pytest.mark.parametrize("changed", ["requirements.lock", "pyproject.toml"])
def test_a_change_updates_the_same_environment(project, changed):
    project.make()
    (project.folder / changed).write_text("changed\n")
    code, log, output = project.make()
    assert code == 0 and len(log) == 2 and "Updating" in output
    assert project.make() == (0, [], "")


def test_a_moved_checkout_is_installed_again(project, tmp_path):
    project.make()
    moved = Project(tmp_path / "moved")
    project.venv.rename(moved.venv)
    code, log, _ = moved.make()
    assert code == 0 and log[-1].endswith(f"-e {moved.folder}")


def test_an_environment_without_its_python_is_made_anew(project):
    project.make()
    (project.venv / "bin" / "python").unlink()
    assert len(project.make()[1]) == 3


def test_a_base_interpreter_of_another_version_makes_it_anew(project):
    """After an upgrade of the system, bin/python leads to a Python that lacks the packages."""
    project.make()
    link = project.venv / "bin" / "python"
    link.rename(project.folder / "python3.99")
    link.symlink_to(project.folder / "python3.99")
    (project.folder / "no-pip").touch()
    assert len(project.make()[1]) == 3


def test_a_failed_download_is_explained_and_leaves_the_environment(project):
    (project.folder / "code").write_text("exit 1")
    code, log, output = project.make()
    assert code == 1 and len(log) == 2
    assert "TMPDIR elige" in output and "TMPDIR moves" in output and "Traceback" not in output
    (project.folder / "code").unlink()
    code, log, _ = project.make()
    assert code == 0 and len(log) == 2 and "--require-hashes" in log[0]


def test_a_killed_pip_is_no_failed_pip(project):
    (project.folder / "code").write_text("kill -9 $$")
    assert project.make()[0] == 1
    (project.folder / "code").unlink()
    assert len(project.make()[1]) == 3


@pytest.mark.racing
@pytest.mark.parametrize("installs", [1, 2])
def test_interrupted_it_is_made_anew(project, installs):
    project.make()
    (project.folder / "requirements.lock").write_text("changed\n")
    (project.folder / "log").unlink()
    (project.folder / "code").write_text(
        f"if [ $(grep -c 'pip install' log) = {installs} ]; then touch slow; exec sleep 60; fi"
    )
    process = project.start()
    wait_for((project.folder / "slow").exists)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    (project.folder / "slow").unlink()
    (project.folder / "code").unlink()
    assert len(project.make()[1]) == 3


def test_a_folder_of_something_else_is_not_touched(project):
    thesis = project.folder / "thesis"
    thesis.mkdir()
    (thesis / "chapter.tex").write_text("years of work")
    code, log, output = project.make(thesis)
    assert code == 1 and log == [] and "no se toca" in output and "left alone" in output
    assert os.listdir(thesis) == ["chapter.tex"]


@pytest.mark.racing
def test_two_at_once_install_once(project):
    (project.folder / "slow").touch()
    first = project.start()
    wait_for(lambda: len(project.log()) == 2)
    second = project.start()
    assert second.stdout.readline() == "\n" and "se espera" in second.stdout.readline()
    (project.folder / "slow").unlink()
    for process in (first, second):
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert len(project.log()) == 3


@pytest.mark.racing
def test_killed_its_pip_still_holds_the_lock_and_the_next_run_repairs(project):
    (project.folder / "slow").touch()
    first = project.start()
    wait_for(lambda: len(project.log()) == 2)
    first.kill()
    first.wait()
    second = project.start()
    assert second.stdout.readline() == "\n" and "se espera" in second.stdout.readline()
    assert len(project.log()) == 2
    (project.folder / "slow").unlink()
    second.communicate(timeout=60)
    assert second.returncode == 0 and len(project.log()) == 5


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.15"])
def test_an_unfit_python_is_named_before_anything_is_done(project, version):
    code, log, output = project.make(version=version)
    assert code == 1 and log == [] and not project.venv.exists()
    assert "3.11, 3.12, 3.13 o 3.14" in output and "3.11, 3.12, 3.13 or 3.14" in output
