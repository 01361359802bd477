"""The set-up of the environment: done once, repaired after a kill, never by two processes at a time."""

import fcntl
import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fmnist_utils.text import UserError

SCRIPT = Path(__file__).resolve().parents[1] / ".ci" / "make_env.py"


def load_script(project: Path):
    """Return the script as a module that works on ``project`` instead of this repository."""
    spec = importlib.util.spec_from_file_location("make_env", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.ROOT = project
    return module


class FakeRun:
    """Stands for ``subprocess.run``: notes the commands, makes what ``venv`` would make, fails where told to."""

    def __init__(self, fail_on: str | None = None, error: BaseException | None = None):
        self.fail_on, self.error, self.commands = fail_on, error, []

    def __call__(self, command, **options):
        command = [str(part) for part in command]
        self.commands.append(command)
        if self.fail_on in command:
            raise self.error or subprocess.CalledProcessError(1, command)
        if "venv" in command:
            make_skeleton(Path(command[-1]))

    def did(self, word: str) -> bool:
        return any(word in command for command in self.commands)


def make_skeleton(venv: Path) -> None:
    (venv / "bin").mkdir(parents=True, exist_ok=True)
    (venv / "lib" / "python3.11" / "site-packages").mkdir(parents=True, exist_ok=True)
    (venv / "bin" / "python").touch()
    (venv / "pyvenv.cfg").touch()


@pytest.fixture
def project(tmp_path) -> Path:
    (tmp_path / "requirements.lock").write_text("numpy==2.0 --hash=sha256:0\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    return tmp_path


@pytest.fixture
def script(project):
    return load_script(project)


def test_made_once_then_left_alone(script, project):
    run = FakeRun()
    assert script.make_env(project / ".venv", run)
    assert [command[1:3] for command in run.commands] == [
        ["-m", "venv"],
        ["-m", "pip"],
        ["-m", "pip"],
    ]
    assert not script.make_env(project / ".venv", FakeRun(fail_on="install"))


def test_installs_by_hash_and_the_package_without_the_network(script, project):
    run = FakeRun()
    script.make_env(project / ".venv", run)
    _, locked, package = run.commands
    assert {"--require-hashes", "--only-binary"} < set(locked) and locked[-1].endswith(
        "requirements.lock"
    )
    assert {"--no-deps", "--no-build-isolation", "--editable"} < set(package)


@pytest.mark.parametrize("changed", ["requirements.lock", "pyproject.toml"])
def test_a_change_updates_the_same_environment(script, project, changed):
    script.make_env(project / ".venv", FakeRun())
    (project / changed).write_text("# changed\n")
    run = FakeRun()
    assert script.make_env(project / ".venv", run)
    assert run.did("--require-hashes") and not run.did("venv")


def test_a_moved_checkout_is_installed_again(script, project, tmp_path):
    script.make_env(project / ".venv", FakeRun())
    elsewhere = tmp_path / "moved"
    elsewhere.mkdir()
    for name in ("requirements.lock", "pyproject.toml", ".venv"):
        (project / name).rename(elsewhere / name)
    run = FakeRun()
    assert load_script(elsewhere).make_env(elsewhere / ".venv", run)
    assert run.did("--editable")


def test_an_environment_without_its_python_is_made_anew(script, project):
    script.make_env(project / ".venv", FakeRun())
    (project / ".venv" / "bin" / "python").unlink()
    run = FakeRun()
    assert script.make_env(project / ".venv", run)
    assert run.did("--clear")


def test_one_above_another_sees_its_packages_and_adds_the_peers(script, project):
    (project / "benchmarks").mkdir()
    (project / "benchmarks" / "requirements.lock").write_text("keras==3.8 --hash=sha256:0\n")
    script.make_env(project / ".venv", FakeRun())
    run = FakeRun()
    assert script.make_env(project / ".venv-bench", run, above=project / ".venv")
    assert run.commands[1][-1].endswith("benchmarks/requirements.lock") and len(run.commands) == 2
    packages = "lib/python3.11/site-packages"
    assert (
        str(project / ".venv" / packages)
        in (project / ".venv-bench" / packages / "fmnist-above.pth").read_text()
    )
    assert not script.make_env(
        project / ".venv-bench", FakeRun(fail_on="install"), above=project / ".venv"
    )
    assert not script.make_env(project / ".venv", FakeRun(fail_on="install"))
    (project / "benchmarks" / "requirements.lock").write_text("keras==3.9 --hash=sha256:0\n")
    assert script.make_env(project / ".venv-bench", FakeRun(), above=project / ".venv")


def test_a_failed_download_is_explained_and_leaves_the_environment(script, project):
    with pytest.raises(UserError) as caught:
        script.make_env(project / ".venv", FakeRun(fail_on="--require-hashes"))
    assert "pip" in str(caught.value) and "TMPDIR" in str(caught.value)
    run = FakeRun()
    script.make_env(project / ".venv", run)
    assert run.did("--require-hashes") and not run.did("venv")


@pytest.mark.parametrize("word", ["venv", "--require-hashes", "--editable"])
def test_cut_short_it_is_made_anew(script, project, word):
    with pytest.raises(KeyboardInterrupt):
        script.make_env(project / ".venv", FakeRun(fail_on=word, error=KeyboardInterrupt()))
    run = FakeRun()
    assert script.make_env(project / ".venv", run)
    assert run.did("--clear")


def test_pip_killed_is_not_pip_failed(script, project):
    killed = subprocess.CalledProcessError(-signal.SIGKILL, ["python", "-m", "pip"])
    with pytest.raises(UserError):
        script.make_env(project / ".venv", FakeRun(fail_on="--require-hashes", error=killed))
    run = FakeRun()
    script.make_env(project / ".venv", run)
    assert run.did("--clear")


def test_a_folder_of_something_else_is_not_touched(script, project):
    (project / "thesis").mkdir()
    (project / "thesis" / "chapter.tex").write_text("years of work")
    run = FakeRun()
    with pytest.raises(UserError):
        script.make_env(project / "thesis", run)
    assert not run.commands and os.listdir(project / "thesis") == ["chapter.tex"]


# What a process under test runs: the set-up, with a pip that ends when the file "go" is there.
SLOW = f"""
import subprocess, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_make_env import load_script, make_skeleton
project = Path(sys.argv[1])
def run(command, **options):
    if "venv" in map(str, command):
        make_skeleton(Path(command[-1]))
    else:
        with (project / "pip.log").open("a") as log:
            log.write("pip\\n")
        subprocess.run(["sh", "-c", "for i in $(seq 2400); do [ -e go ] && exit; sleep 0.05; done"], cwd=project, **options)
load_script(project).make_env(project / ".venv", run)
"""


def start_slow(project: Path) -> subprocess.Popen:
    environment = os.environ | {"FMNIST_LANG": "en"}
    command = [sys.executable, "-c", SLOW, str(project)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def wait_for(path: Path) -> None:
    end = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not come"
        time.sleep(0.02)


def test_two_at_once_install_once(project):
    first = start_slow(project)
    wait_for(project / "pip.log")
    second = start_slow(project)
    assert "waiting" in second.stdout.readline()
    (project / "go").touch()
    for process in (first, second):
        process.communicate(timeout=120)
        assert process.returncode == 0
    assert (project / "pip.log").read_text().count(
        "pip"
    ) == 2  # the lock and the package, by the first alone


def test_killed_its_pip_still_holds_the_lock_and_the_next_run_repairs(script, project):
    process = start_slow(project)
    wait_for(project / "pip.log")
    process.kill()
    process.wait()
    with (project / ".venv.lock").open() as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    (project / "go").touch()
    run = FakeRun()
    assert script.make_env(project / ".venv", run)
    assert run.did("--clear")


def test_an_old_python_is_named():
    pretend = f"import sys, runpy; sys.version_info = (3, 9); runpy.run_path({str(SCRIPT)!r})"
    finished = subprocess.run([sys.executable, "-c", pretend], capture_output=True, text=True)
    assert finished.returncode == 1
    assert "3.11" in finished.stderr and "Traceback" not in finished.stderr
