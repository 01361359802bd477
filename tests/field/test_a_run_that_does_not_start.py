"""A notebook that lacks what programs take for granted, a user without a folder, a run done again."""

import json
import os
import re
import subprocess
import sys
from collections import Counter

import pytest
from small_pages import ROOT, UNCHECKED, write_page

from fmnist_utils.text import speaking
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


def without(*names, of=lambda notebook: [notebook]):
    return lambda notebook: [part.pop(name, None) for part in of(notebook) for name in names]


LACKING = {
    "an empty metadata": lambda notebook: notebook.update(metadata={}),
    "no metadata": without("metadata"),
    "no number of the format": without("nbformat", "nbformat_minor"),
    "the kernel of another program": lambda notebook: notebook["metadata"].update(
        kernelspec={"name": "ir", "language": "R", "display_name": "R"}
    ),
    "no ids": without("id", of=lambda notebook: notebook["cells"]),
    "no outputs": without("outputs", "execution_count", of=lambda notebook: notebook["cells"]),
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


WITHOUT_HOME = (  # as in a container whose user has only a number
    "import pwd\n\ndef unknown(number):\n    raise KeyError(f'uid not found: {number}')\n\n"
    "pwd.getpwuid = unknown\n"
)


@pytest.fixture
def without_home(tmp_path, monkeypatch):
    """A function that runs ``fmnist``, and the programs that it starts, for a user without a home."""
    (tmp_path / "early").mkdir()
    (tmp_path / "early" / "sitecustomize.py").write_text(WITHOUT_HOME)
    monkeypatch.delenv("HOME")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'early'}{os.pathsep}{ROOT}")

    def run(*arguments):
        command = [sys.executable, "-m", "fmnist_utils", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("lang", "reason"),
    [("es", "falta la variable HOME"), ("en", "the variable HOME is missing")],
)
def test_a_user_without_a_home_is_led_out(lang, reason, notebook, without_home, monkeypatch):
    notebook()
    monkeypatch.setenv("FMNIST_LANG", lang)
    code, said = without_home("run", "page.ipynb")
    assert code == 1 and "sys.exit" not in said and "home" in said
    assert re.search("`fmnist (.*)`", said)[1] == "doctor"
    code, said = without_home("doctor")
    assert code == 1 and reason in said
    name, value = re.search(r"`export (HOME)=(.*)`", said).groups()
    monkeypatch.setenv(name, value)
    code, said = without_home("run", "page.ipynb")
    assert code == 0, said


@pytest.mark.parametrize(
    ("arguments", "variable"),
    [(("lab", "--no-open"), ""), (("audit", "01"), "FMNIST_RESULTS"), (("status",), "FMNIST_RUNS")],
)
@pytest.mark.parametrize(("lang", "word"), [("es", "carpeta personal"), ("en", "of the user")])
def test_a_tilde_without_a_home_is_told(
    lang, word, arguments, variable, without_home, monkeypatch, tmp_path
):
    if variable:
        monkeypatch.setenv(variable, "~")
    code, said = without_home("--lang", lang, *arguments)
    assert code == 2 and word in said
    name = re.search(r"`export (HOME)=.*`", said)[1]
    monkeypatch.setenv(name, str(tmp_path))  # not the folder that is printed, which others share
    assert without_home("--lang", lang, *arguments)[0] == 0


@pytest.mark.kernel
@pytest.mark.parametrize(("environment", "lang"), [("en", "en"), ("es_AR.UTF-8", "es"), ("", "en")])
def test_messages_are_in_the_language_chosen_else_in_the_notebooks(
    environment, lang, notebook, monkeypatch
):
    page = {"": "en", "en": "es", "es_AR.UTF-8": "en"}[environment]
    cell = f'lang = "{page}"\nseed = 0'
    notebook(lambda content: content["cells"][0].update(source=cell), "1 / 0")
    monkeypatch.setenv("FMNIST_LANG", environment)
    with pytest.raises(PageFailed) as failed:
        run_page("page.ipynb", {})
    assert {"es": "falló la celda", "en": "failed\n"}[lang] in str(failed.value)


@pytest.mark.kernel
@pytest.mark.parametrize("times", [1, 2])
def test_a_partial_notebook_is_run_again(times, notebook):
    """Its notice is not doubled, no two cells share an id, and once mended it comes to its end."""
    folder = notebook(lambda content: None, "left = 1", "1 / 0")
    name = "page.ipynb"
    for _ in range(times):
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
    from fmnist_utils.workshop import execution

    monkeypatch.setattr(execution, "_papermill", lambda *_: "")  # it is told before
    page(cell_0=f'lang = "es"\nseed = 0\n{name} = {own}')
    told = fmnist("--lang", lang, "run", "page.ipynb", "-p", name, given).output
    assert f"{name}: {given}" in told and words.format(own) in told
    assert words.format(own) not in fmnist("--lang", lang, "run", "page.ipynb").output
