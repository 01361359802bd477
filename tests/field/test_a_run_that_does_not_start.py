"""A notebook that lacks what programs take for granted, a user without a folder, a run done again."""

import inspect
import json
import os
import pwd
import re
from collections import Counter

import pytest
from small_pages import UNCHECKED, write_page

from fmnist_utils.text import speaking
from fmnist_utils.workshop import doctor, execution
from fmnist_utils.workshop.execution import PageFailed, run_page


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """A function that writes a small page, changed by ``change``, and returns its folder."""
    monkeypatch.chdir(tmp_path)

    def write(change=lambda notebook: None, *cells):
        path = write_page(tmp_path / "page.ipynb", *cells or ["print(num_epochs)"], check=UNCHECKED)
        content = json.loads(path.read_text("utf-8"))
        change(content)
        path.write_text(json.dumps(content), "utf-8")
        return tmp_path

    return write


def leave_out_all(notebook):
    """Remove all that is not a cell's kind or source."""
    for cell in notebook["cells"]:
        for name in ("id", "outputs", "execution_count"):
            cell.pop(name)
    for name in ("metadata", "nbformat", "nbformat_minor"):
        notebook.pop(name)


LACKING = {
    "all but the cells": leave_out_all,
    "the kernel of another program": lambda notebook: notebook["metadata"].update(
        kernelspec={"name": "ir", "language": "R", "display_name": "R"}
    ),
}


@pytest.mark.kernel
@pytest.mark.parametrize("lacking", LACKING)
def test_what_a_cleaner_leaves_out_is_not_needed(lacking, notebook):
    notebook(LACKING[lacking])
    done = json.loads(run_page("page.ipynb", {"num_epochs": 2}).read_text("utf-8"))
    assert done["cells"][-1]["outputs"][0]["text"] == ["2\n"]


@pytest.mark.parametrize(("lang", "word"), [("es", "no empezó"), ("en", "did not start")])
@pytest.mark.parametrize(
    "change",
    [
        lambda notebook: notebook.update(nbformat=99),
        lambda notebook: notebook["cells"][-1].update(source=7),
    ],
)
def test_only_what_exists_is_named(change, lang, word, notebook):
    folder = notebook(change)
    with speaking(lang), pytest.raises((PageFailed, ValueError)) as refused:
        run_page("page.ipynb", {"lang": lang})
    message = str(refused.value)
    assert "partial" not in message and not (folder / "page.out.partial.ipynb").exists()


@pytest.fixture
def no_home(monkeypatch):
    """A user who has only a number, as in a container, and whom HOME does not help."""

    def unknown(number):
        raise KeyError(f"uid not found: {number}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.delenv("HOME")


@pytest.mark.kernel
def test_a_user_without_a_home_is_led_out(notebook, no_home, monkeypatch, fmnist):
    """The programs that are started do not know the user either."""
    folder = notebook()
    source = f"{inspect.getsource(pwd_unknown)}\npwd_unknown()\n"
    (folder / "sitecustomize.py").write_text(f"import pwd\n\n\n{source}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ["PYTHONPATH"]]))
    failed = fmnist("--lang", "en", "run", "page.ipynb")
    assert failed.exit_code == 1 and "sys.exit" not in failed.output and "home" in failed.output
    assert re.search("`fmnist (.*)`", failed.output)[1] == "doctor"
    [finding] = doctor.check_home()
    name, value = re.search(r"`export (HOME)=(.*)`", finding.text).groups()
    monkeypatch.setenv(name, value)
    assert not list(doctor.check_home())
    done = fmnist("--lang", "es", "run", "page.ipynb")
    assert done.exit_code == 0, done.output


def pwd_unknown():
    def unknown(number):
        raise KeyError(f"uid not found: {number}")

    pwd.getpwuid = unknown


@pytest.mark.parametrize(
    ("arguments", "variable"),
    [(("lab", "--no-open"), ""), (("audit", "01"), "FMNIST_RESULTS"), (("status",), "FMNIST_RUNS")],
)
@pytest.mark.parametrize(("lang", "word"), [("es", "carpeta personal"), ("en", "of the user")])
def test_a_tilde_without_a_home_is_told(
    lang, word, arguments, variable, no_home, fmnist, monkeypatch, tmp_path
):
    if variable:
        monkeypatch.setenv(variable, "~")
    said = fmnist("--lang", lang, *arguments)
    assert said.exit_code == 2 and word in said.output
    name = re.search(r"`export (HOME)=.*`", said.output)[1]
    monkeypatch.setenv(name, str(tmp_path))  # not the folder that is printed, which others share
    assert fmnist("--lang", lang, *arguments).exit_code == 0


@pytest.mark.parametrize(
    ("environment", "own", "lang"),
    [("en", "es", "en"), ("es_AR.UTF-8", "en", "es"), ("", "en", "en"), ("", "es", "es")],
)
def test_messages_are_in_the_language_chosen_else_in_the_notebooks(
    environment, own, lang, notebook, monkeypatch
):
    cell = f'lang = "{own}"\nseed = 0'
    notebook(lambda content: content["cells"][0].update(source=cell))
    monkeypatch.setenv("FMNIST_LANG", environment)
    monkeypatch.setattr(execution, "_papermill", lambda *_: "DeadKernelError")
    with pytest.raises(PageFailed) as failed:
        run_page("page.ipynb", {})
    assert {"es": "el núcleo murió", "en": "the kernel died"}[lang] in str(failed.value)


@pytest.mark.kernel
def test_a_partial_notebook_is_run_again_and_again(notebook):
    """Its notice is not doubled, no two cells share an id, and once mended it comes to its end."""
    folder = notebook(lambda content: None, "left = 1", "1 / 0")
    name = "page.ipynb"
    for _ in range(2):
        with pytest.raises(PageFailed):
            run_page(name, {"num_epochs": 3}, "again.ipynb")
        partial = folder / "again.partial.ipynb"
        cells = json.loads(partial.read_text("utf-8"))["cells"]
        assert Counter(cell["id"] for cell in cells).most_common(1)[0][1] == 1
        assert sum("PARTIAL" in "".join(cell["source"]) for cell in cells) == 1
        name = "before.ipynb"
        partial.replace(folder / name)
    mended = (folder / name).read_text("utf-8").replace("1 / 0", "1 / 2")
    (folder / name).write_text(mended, "utf-8")
    done = json.loads(run_page(name, {"num_epochs": 3}).read_text("utf-8"))
    assert "fmnist" not in done["metadata"]
    assert not any("PARTIAL" in "".join(cell["source"]) for cell in done["cells"])


@pytest.mark.parametrize(
    ("lang", "words"), [("es", "en lugar de {}, que está"), ("en", "in place of {}, which is")]
)
@pytest.mark.parametrize(
    ("name", "own", "given"), [("batch_size", 32, "64"), ("hidden_sizes", [10], "[20, 10]")]
)
def test_a_setting_of_the_copy_that_is_replaced_is_told(
    name, own, given, lang, words, page, fmnist, monkeypatch
):
    monkeypatch.setattr(execution, "_papermill", lambda *_: "")  # it is told before
    page(cell_0=f'lang = "es"\nseed = 0\n{name} = {own}')
    told = fmnist("--lang", lang, "run", "page.ipynb", "-p", name, given).output
    assert f"{name}: {given}" in told and words.format(own) in told
    assert words.format(own) not in fmnist("--lang", lang, "run", "page.ipynb").output
