"""Variables that are empty, in capitals or unclear; terminals that lack characters; no home."""

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
    assert CliRunner().invoke(main, ["audit", "01"]).exit_code == 0
    assert CliRunner().invoke(main, ["--lang", lang.upper(), "audit", "01"]).exit_code == 0


@pytest.mark.parametrize("value", ["fr", "english", "C"])
def test_another_language_is_refused_by_name(value, monkeypatch):
    monkeypatch.setenv("FMNIST_LANG", value)
    told = CliRunner().invoke(main, ["audit", "01"])
    assert told.exit_code == 2 and repr(value) in told.output and "es, en" in told.output


@pytest.mark.parametrize(("value", "forbids"), [("ON", True), ("Yes", True), ("off", False)])
def test_yes_and_no_are_understood(value, forbids, monkeypatch):
    monkeypatch.setenv("FMNIST_OFFLINE", value)
    assert is_offline() == forbids


@pytest.mark.parametrize("value", ["maybe", "2", "si no"])
def test_what_is_neither_yes_nor_no_is_refused(value, monkeypatch):
    monkeypatch.setenv("FMNIST_OFFLINE", value)
    with pytest.raises(UserError, match=rf"FMNIST_OFFLINE: given '{value}'.*yes"):
        is_offline()


def typed(*arguments, **variables):
    """Run ``python -m fmnist_utils`` in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FMNIST_LANG": "es", **variables}
    environment = {name: value for name, value in environment.items() if value is not None}
    command = [sys.executable, "-m", "fmnist_utils", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, timeout=300)


@pytest.mark.parametrize("encoding", ["iso-8859-1", "cp1252", "cp850", "ascii"])
def test_a_terminal_that_lacks_a_character_shows_the_rest(encoding):
    done = typed("audit", "01", PYTHONIOENCODING=encoding)
    assert done.returncode == 0 and done.stderr == b""
    assert "Afirmaciones de los informes: 11." in done.stdout.decode(encoding, "replace")
    refused = typed("audit", "− 99", PYTHONIOENCODING=encoding)
    assert refused.returncode == 2 and b"Traceback" not in refused.stderr


@pytest.mark.parametrize("variables", [{"HOME": None}, {"HOME": "/nowhere"}, {"HOME": ""}])
@pytest.mark.parametrize("arguments", [("data", "status"), ("run", "99"), ("audit", "02")])
def test_a_user_without_a_home_is_served(arguments, variables):
    code = (
        "import pwd, runpy, sys; sys.argv[0] = 'fmnist'; pwd.getpwuid = lambda number: {}[number]\n"
        "runpy.run_module('fmnist_utils', run_name='__main__')"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    for name in ("FMNIST_CACHE", "FMNIST_RUNS", *[n for n in variables if not variables[n]]):
        environment.pop(name, None)
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert "Traceback" not in done.stderr and done.returncode in (0, 2), done.stderr
