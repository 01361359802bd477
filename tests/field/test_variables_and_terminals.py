"""Variables that are empty, in capitals or unclear; terminals that lack characters; no home."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from fmnist_utils import settings
from fmnist_utils.audit.records import RESULTS, Records
from fmnist_utils.data import official_folder
from fmnist_utils.text import UserError, get_language
from fmnist_utils.workshop.cli import main
from fmnist_utils.workshop.download import MIRRORS, is_offline, mirrors

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("value", ["", "  "])
def test_a_variable_that_is_set_but_empty_is_not_set(value, monkeypatch):
    for name in ("LANG", "DATA", "CACHE", "RUNS", "RESULTS", "MIRRORS", "OFFLINE"):
        monkeypatch.setenv(f"FMNIST_{name}", value)
    assert get_language() == "es" and not is_offline() and mirrors() == [*MIRRORS]
    assert official_folder() == settings.cache_folder() == settings.user_folder()
    assert (Records().root, Records().results) == (settings.user_folder() / "runs", RESULTS)
    assert CliRunner().invoke(main, ["data", "status"]).exit_code == 0


@pytest.mark.parametrize("name", ["DATA", "CACHE", "RUNS", "RESULTS"])
@pytest.mark.parametrize("value", ["~/r", " ~/r "])
def test_the_home_of_the_user_is_meant_in_each_of_them(name, value, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(f"FMNIST_{name}", value)
    assert settings.folder(f"FMNIST_{name}") == tmp_path / "r"
    used = (official_folder(), settings.cache_folder(), Records().root, Records().results)
    assert tmp_path / "r" in used


@pytest.mark.parametrize(
    ("value", "lang"), [("EN", "en"), ("en_US.UTF-8", "en"), ("es-AR", "es"), ("Es", "es")]
)
def test_a_language_may_be_written_as_systems_do(value, lang, monkeypatch):
    monkeypatch.setenv("FMNIST_LANG", value)
    assert get_language() == lang
    assert CliRunner().invoke(main, ["data", "status"]).exit_code == 0
    assert CliRunner().invoke(main, ["--lang", lang.upper(), "data", "status"]).exit_code == 0


@pytest.mark.parametrize("value", ["fr", "english", "C"])
def test_another_language_is_refused_by_name(value, monkeypatch):
    monkeypatch.setenv("FMNIST_LANG", value)
    told = CliRunner().invoke(main, ["audit", "01"])
    assert told.exit_code == 2 and repr(value) in told.output and "es, en" in told.output


@pytest.mark.parametrize(
    ("value", "forbids"), [("ON", True), ("Yes", True), ("off", False), ("0", False)]
)
def test_yes_and_no_are_understood(value, forbids, monkeypatch):
    monkeypatch.setenv("FMNIST_OFFLINE", value)
    assert is_offline() == forbids


@pytest.mark.parametrize("value", ["maybe", "2", "si no"])
def test_what_is_neither_yes_nor_no_is_refused(value, monkeypatch):
    monkeypatch.setenv("FMNIST_OFFLINE", value)
    with pytest.raises(UserError, match=rf"FMNIST_OFFLINE: given '{value}'.*yes"):
        is_offline()


def process(*arguments, **variables):
    """Run Python in a process of its own, without the variables that are None."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    environment = {name: value for name, value in environment.items() if value is not None}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("encoding", ["iso-8859-1", "cp1252", "cp850", "ascii"])
def test_a_terminal_that_lacks_a_character_shows_the_rest(encoding, monkeypatch):
    for arguments, code, said in (
        (["audit", "01"], 0, "Afirmaciones de los informes: 11."),
        (["audit", "− 99"], 2, "99"),
    ):
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding) for _ in range(2))
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            with pytest.raises(SystemExit) as ended:
                main(["--lang", "es", *arguments])
        shown = [file.buffer.getvalue().decode(encoding, "replace") for file in (out, err)]
        assert ended.value.code == code and said in shown[code > 0] and shown[code == 0] == ""


def test_so_it_does_in_a_process_of_its_own():
    done = process("-m", "fmnist_utils", "audit", "− 99", PYTHONIOENCODING="ascii")
    assert done.returncode == 2 and "99" in done.stderr and "Traceback" not in done.stderr


WITHOUT_A_USER = """
import pwd, sys
pwd.getpwuid = lambda number: {}[number]
from fmnist_utils.workshop.cli import main
for line in sys.argv[1:]:
    try:
        main(line.split())
    except SystemExit as ended:
        assert ended.code in (0, 2), line
"""


@pytest.mark.parametrize("home", [None, "/nowhere"])
def test_a_user_without_a_home_is_served(home):
    commands = ["data status", "run 99", "audit 02"]
    unset = dict.fromkeys(["FMNIST_CACHE", "FMNIST_RUNS"])
    done = process("-c", WITHOUT_A_USER, *commands, HOME=home, **unset)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
