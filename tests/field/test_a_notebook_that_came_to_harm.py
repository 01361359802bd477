"""Notebooks with conflict marks, in another Unicode or cut short; results in folders of all kinds."""

import json
import os
import re
import shlex
import shutil
import subprocess

import pytest
from small_pages import UNCHECKED, write_page

from fmnist_utils.text import UserError, speaking
from fmnist_utils.workshop import execution, lab
from fmnist_utils.workshop.execution import check_output, find_page

PAGE = lab.NOTEBOOKS / "01_ff_classifier.ipynb"
CONTENT = PAGE.read_bytes()
HARM = {
    "conflict": (CONTENT.replace(b'"cells"', b'<<<<<<< HEAD\n"cells"', 1), ("línea 2", "line 2")),
    "other side": (CONTENT + b">>>>>>> theirs\n", ("conflicto de Git", "Git conflict")),
    "cut": (CONTENT[:3000], ("se corta", "breaks off")),
    "cut early": (CONTENT[:12], ("se corta", "breaks off")),
    "empty": (b"", ("vacío", "empty")),
    "page": (b"\n<!DOCTYPE html>", ("página web", "page of the web")),
    "latin": (json.dumps({"cells": "á"}, ensure_ascii=False).encode("latin-1"), ("UTF-8",) * 2),
    "no cells": (b"[1, 2]", ("no es el que se espera", "not what is expected")),
}


@pytest.mark.parametrize(("number", "lang"), [(0, "es"), (1, "en")])
@pytest.mark.parametrize("harm", HARM)
def test_what_happened_to_it_is_said_and_nothing_is_lost(harm, number, lang, tmp_path):
    content, told = HARM[harm]
    path = tmp_path / "mine.ipynb"
    path.write_bytes(content)
    saved = tmp_path / ".ipynb_checkpoints" / "mine-checkpoint.ipynb"
    saved.parent.mkdir()
    saved.write_bytes(CONTENT)
    with speaking(lang), pytest.raises(UserError) as refused:
        find_page(str(path))
    message = str(refused.value)
    assert told[number] in message and str(saved) in message
    assert not re.search("descargarlo|borrar|[Dd]ownload|[Dd]elete", message)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_another_unicode_is_run(encoding, tmp_path, monkeypatch):
    path = write_page(tmp_path / "mine.ipynb", "print('ñandú')", check=UNCHECKED)
    path.write_text(path.read_text("utf-8"), encoding)
    monkeypatch.chdir(tmp_path)
    if encoding == "utf-16":  # one is really run; of the others, what would be run is looked at
        done = execution.run_page("mine.ipynb", {"lang": "es"})
        [shown] = json.loads(done.read_text("utf-8"))["cells"][-1]["outputs"]
        assert shown["text"] == ["ñandú\n"]
        return
    given = []
    monkeypatch.setattr(execution, "_papermill", lambda content, *_: given.append(content) or "")
    with pytest.raises(execution.PageFailed):
        execution.run_page("mine.ipynb", {"lang": "es"})
    assert given[0]["cells"][-1]["source"] == ["print('ñandú')"]


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout of the notebooks alone, in which a reader stands."""
    shutil.copytree(lab.NOTEBOOKS, tmp_path / "notebooks")
    monkeypatch.setattr(execution, "NOTEBOOKS", tmp_path / "notebooks")
    return tmp_path / "notebooks"


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize("folder", [".", "en"])
@pytest.mark.parametrize(
    "out", ["02_ff_autoencoder.ipynb", "01_ff_classifier.ipynb", "x.html", "x"]
)
def test_the_name_that_is_offered_is_taken(out, folder, lang, checkout, monkeypatch):
    monkeypatch.chdir(checkout / folder)
    page = checkout / folder / PAGE.name
    with speaking(lang), pytest.raises(UserError) as refused:
        check_output(out, page)
    offered = re.findall(r"[\w.]+\.ipynb", str(refused.value))[-1]
    assert offered != out and check_output(offered, page) == checkout / folder / offered
    (checkout / folder / offered).write_bytes(CONTENT)
    assert offered not in [path.name for path in lab.page_notebooks(checkout / folder)]


@pytest.mark.parametrize("out", ["{}/out.ipynb", "{}/sub/out.ipynb", "sub/../out.ipynb"])
@pytest.mark.parametrize("stands", ["real", "link"])
@pytest.mark.parametrize("named", ["real", "link"])
def test_one_folder_by_two_paths_is_one_folder(named, stands, out, tmp_path, monkeypatch):
    (tmp_path / "real" / "sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.chdir(tmp_path / stands)
    target = check_output(out.format(tmp_path / named), PAGE)
    assert target.parent.resolve().is_relative_to(tmp_path / "real")


@pytest.mark.parametrize(
    "out", ["../out.ipynb", "/out.ipynb", "away/out.ipynb", "sub/../../o.ipynb"]
)
def test_a_path_that_leads_out_is_still_refused(out, tmp_path, monkeypatch):
    (tmp_path / "real" / "sub").mkdir(parents=True)
    (tmp_path / "real" / "away").symlink_to(os.sep)
    monkeypatch.chdir(tmp_path / "real")
    with pytest.raises(UserError, match="outside"):
        check_output(out, PAGE)


@pytest.mark.parametrize("folder", ["results", "mis resultados/hoy"])
def test_the_folder_that_is_missing_is_made_by_what_is_printed(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="mkdir") as refused:
        check_output(f"{folder}/out.ipynb", PAGE)
    subprocess.run(shlex.split(str(refused.value).split("`")[1]), check=True)
    assert check_output(f"{folder}/out.ipynb", PAGE).name == "out.ipynb"
