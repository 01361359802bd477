"""`make soak` counts the failures of each test, in the suite and repeated."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).resolve().parents[1] / ".ci" / "soak.py"
TESTS = """
from pathlib import Path
import pytest

@pytest.mark.racing
def test_steady():
    assert True

@pytest.mark.racing
@pytest.mark.parametrize("name", ["a-1", "b"])
def test_every_second_time(name):
    flag = Path(name)
    if flag.exists():
        flag.unlink()
    else:
        flag.touch()
        assert name == "b"

@pytest.mark.nightly
def test_not_run():
    assert False
"""


@pytest.mark.nightly  # it keeps all cores busy
def test_failures_are_counted(tmp_path):
    (tmp_path / "test_small.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  racing\n  nightly\n")
    plugins = ["-p", "xdist.plugin", "-p", "pytest_repeat"]  # the others take seconds to load
    command = [sys.executable, SOAK, "--runs", "2", "--repeats", "5", *plugins]
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    finished = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert finished.returncode == 1, finished.stderr
    assert "The suite was green in 1 of 2 runs." in finished.stdout
    assert "2 of 3 racing tests passed 5 of 5." in finished.stdout
    told = "test_small::test_every_second_time[a-1]: 1 × suite, cores idle; 2 × racing, cores idle"
    assert told in finished.stdout
