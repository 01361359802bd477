"""``fmnist lab``: copies of the notebooks for the reader, never over what she has saved."""

from __future__ import annotations

import filecmp
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from fmnist_utils.text import LANGUAGES, UserError, set_language
from fmnist_utils.workshop import lab
from fmnist_utils.workshop.cli import main


def fmnist(*arguments):
    return CliRunner().invoke(main, arguments)


@pytest.mark.parametrize(("lang", "below"), [("es", ""), ("en", "en")])
def test_all_notebooks_of_a_language_are_copied(tmp_path, lang, below):
    result = fmnist("lab", "--no-open", "--lang", lang, str(tmp_path / "mine"))
    assert result.exit_code == 0, result.output
    copies = sorted((tmp_path / "mine" / below).glob("*.ipynb"))
    sources = sorted(lab.notebooks_folder(lang).glob("*.ipynb"))
    assert [path.name for path in copies] == [path.name for path in sources] and copies
    assert all(map(filecmp.cmp, copies, sources))
    assert f": {len(copies)}." in result.output


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_the_reader_saved_stays(tmp_path, lang):
    set_language(lang)
    first = lab.copy_notebooks(tmp_path, lang).first
    first.write_text("mine", "utf-8")
    gone = max(first.parent.glob("*.ipynb"))
    gone.unlink()
    result = fmnist("lab", "--no-open", "--lang", lang, str(tmp_path))
    assert first.read_text("utf-8") == "mine" and gone.exists()
    assert first.name in result.output and ": 1." in result.output
    assert lab.copy_notebooks(tmp_path, lang).kept == [first.name]


def test_jupyterlab_opens_on_the_first_notebook(tmp_path, monkeypatch):
    called = []
    monkeypatch.setattr(lab.subprocess, "call", lambda command: called.append(command) or 0)
    assert fmnist("lab", "--lang", "en", str(tmp_path)).exit_code == 0
    (command,) = called
    assert command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert command[3] == f"--ServerApp.root_dir={tmp_path}"
    assert Path(command[4]).parent == tmp_path / "en" and Path(command[4]).exists()


def test_without_jupyterlab_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(lab.importlib.util, "find_spec", lambda name: None)
    result = fmnist("lab", str(tmp_path))
    assert result.exit_code == 2 and "pip install jupyterlab" in result.output


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    result = fmnist("lab", "--no-open", str(tmp_path / "file" / "below"))
    assert result.exit_code == 2 and "fmnist lab" in result.output


def test_without_notebooks_the_package_is_incomplete(tmp_path, monkeypatch):
    monkeypatch.setattr(lab, "NOTEBOOKS", tmp_path / "notebooks")
    with pytest.raises(UserError, match="notebooks"):
        lab.notebooks_folder("es")
