"""A wait says for whom; a failed download names the variable; commands are those that work here."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from book.machinery import build
from fmnist_utils import settings
from fmnist_utils.data import DataError
from fmnist_utils.text import WORDS, say, speaking
from fmnist_utils.workshop import download, files

HOLD = (
    "import sys, time; from filelock import FileLock; from fmnist_utils.workshop.files import acquire;"
    "lock = FileLock(sys.argv[1]); acquire(lock, 'runs.waiting', 0); print('held', flush=True); time.sleep(600)"
)


@pytest.mark.parametrize(("stopped", "lang"), [(False, "es"), (True, "en")])
def test_the_process_that_is_waited_for_is_named_and_can_be_ended(
    stopped, lang, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(files, "PATIENCE", 0.2)
    command = [sys.executable, "-c", HOLD, str(tmp_path / "lock")]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"held\n"
    if stopped:
        holder.send_signal(signal.SIGSTOP)
    lock = FileLock(tmp_path / "lock")
    with speaking(lang), pytest.raises(files.Timeout):
        files.acquire(lock, "runs.waiting", 0.5, folder=tmp_path)
    told = capsys.readouterr().err
    assert f" {holder.pid} " in told and str(tmp_path) in told
    subprocess.run(told.split("`")[1], shell=True, check=True)  # as it is typed
    holder.wait(60)
    files.acquire(lock, "runs.waiting", 60, folder=tmp_path)
    assert files.read_holder(tmp_path / "lock")[0] == str(os.getpid())


@pytest.mark.parametrize(
    ("name", "lang"), [("http_proxy", "es"), ("HTTP_PROXY", "en"), ("all_proxy", "es")]
)
def test_a_proxy_that_refuses_is_named_and_not_the_mirror_alone(name, lang, small, monkeypatch):
    monkeypatch.setenv("FMNIST_MIRRORS", "http://mirror.example/")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    with speaking(lang), pytest.raises(DataError) as refused:
        download.fetch()
    advice = re.search(r"`export (\w+)=`", str(refused.value))
    assert advice[1] == name and "http://127.0.0.1:9" in str(refused.value)
    monkeypatch.setenv(name, "")
    assert download.told_by_variables(download.mirrors()) == ""


@pytest.mark.parametrize("where", ["on the path", "elsewhere", "in a cell"])
def test_the_command_that_a_message_prints_is_found(where, monkeypatch):
    monkeypatch.setattr(settings, "_is_in_cell", lambda: where == "in a cell")
    if where != "on the path":
        monkeypatch.setenv("PATH", "/usr/bin:/bin")
    typed = say("lab.kept", names="01").split("`")[1].replace("lab", "doctor --help")
    assert typed.startswith("!") == (where == "in a cell")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    subprocess.run(["sh", "-c", typed.removeprefix("!")], check=True, capture_output=True)


PROGRAMS = "fmnist (?:data|run|lab|audit|doctor|reproduce)|pip install|unset |python -m|mkdir "


@pytest.mark.parametrize("number", [0, 1])
def test_commands_in_messages_are_marked_and_fit_the_place(number):
    for key, texts in WORDS.items():
        assert not re.search(
            rf"(?<![}}\w])(?:{PROGRAMS})", re.sub("`mkdir[^`]*`", "", texts[number])
        ), key
        for code in re.findall(r"`([^`]*)`", texts[number]):
            if code.startswith(("{fmnist}", "{pip}", "{python}")):
                assert shutil.which(settings.command(code[1:].partition("}")[0]).split()[0]), key


@pytest.mark.parametrize("reason", [28, 30])
def test_without_shared_memory_the_languages_are_built_in_turn(reason, monkeypatch):
    def refuse(*_):
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(build, "ProcessPoolExecutor", refuse)
    assert build.side_by_side(len, ["es", "en", "."]) == [2, 2, 1]
