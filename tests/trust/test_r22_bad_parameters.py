"""R22. A bad parameter is refused before anything is trained: through the API, the command line and raw papermill."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from small_pages import CHECK, ROOT, parameters_cell, write_page

from fmnist_utils.audit.schema import load_report
from fmnist_utils.text import LANGUAGES, UserError, set_language
from fmnist_utils.workshop import execution
from fmnist_utils.workshop.cli import main

NAMES = "lang, profile, source, seed, num_seeds, num_epochs, train_size, hidden_sizes, dropout, batch_size, learning_rate"
INTEGER, SIZES = (
    {"es": "entero ≥", "en": "integer ≥"},
    {"es": "lista de: entero ≥ 1", "en": "list of: integer ≥ 1"},
)
NUMBER = {"es": "número", "en": "number"}
# name, value as typed on a command line, what is allowed, the name or the choice that was meant
CASES = [
    ("num_epoch", "3", NAMES, "num_epochs"),
    ("epochs", "3", NAMES, "num_epochs"),
    ("Num_Epochs", "3", NAMES, "num_epochs"),
    ("numEpochs", "3", NAMES, "num_epochs"),
    ("batchsize", "32", NAMES, "batch_size"),
    ("BATCH_SIZE", "32", NAMES, "batch_size"),
    ("learning_rat", "0.1", NAMES, "learning_rate"),
    ("lerning_rate", "0.1", NAMES, "learning_rate"),
    ("droput", "0.1", NAMES, "dropout"),
    ("drop_out", "0.1", NAMES, "dropout"),
    ("hiden_sizes", "[64]", NAMES, "hidden_sizes"),
    ("trainsize", "1000", NAMES, "train_size"),
    ("profil", "full", NAMES, "profile"),
    ("langs", "es", NAMES, "lang"),
    ("seeds", "1", NAMES, "seed"),
    ("_num_epochs", "3", NAMES, "num_epochs"),
    ("num_epochs", "ten", INTEGER, None),
    ("num_epochs", "2.5", INTEGER, None),
    ("num_epochs", "0", INTEGER, None),
    ("num_epochs", "-1", INTEGER, None),
    ("num_epochs", "true", INTEGER, None),
    ("num_epochs", "[3]", INTEGER, None),
    ("num_epochs", "10001", INTEGER, None),
    ("dropout", "1", NUMBER, None),
    ("dropout", "-0.1", NUMBER, None),
    ("dropout", "NaN", NUMBER, None),
    ("learning_rate", "0", NUMBER, None),
    ("learning_rate", "Infinity", NUMBER, None),
    ("learning_rate", "0,001", NUMBER, None),
    ("learning_rate", "1e9", NUMBER, None),
    ("batch_size", "0", INTEGER, None),
    ("batch_size", "60001", INTEGER, None),
    ("batch_size", "64.0", INTEGER, None),
    ("hidden_sizes", "128", SIZES, None),
    ("hidden_sizes", "[128, 0]", SIZES, None),
    ("hidden_sizes", '[128, "64"]', SIZES, None),
    ("train_size", "0", INTEGER, None),
    ("seed", "-1", INTEGER, None),
    ("seed", "2147483648", INTEGER, None),
    ("num_seeds", "0", INTEGER, None),
    ("lang", "fr", "es, en", None),
    ("profile", "FULL", "quick, full", "full"),
    ("source", "offical", "auto, official, synthetic", "official"),
    ("source", "../data", "auto, official, synthetic", None),
]
BY_NAME = [f"{name}={value}" for name, value, *_ in CASES]


def test_there_are_44_cases():
    assert len(CASES) == len(set(BY_NAME)) == 44


def value_of(typed: str):
    from fmnist_utils.workshop.cli import _value

    return _value(typed)


def explains(message: str, case: tuple, lang: str) -> bool:
    """Return whether ``message`` names the parameter, what is allowed and what was meant, in ``lang``."""
    name, _, allowed, meant = case
    said = {"es": ["hay que corregir", "e admite"], "en": ["to be corrected", "llowed"]}[lang]
    hint = {"es": f"¿Quiso decir {meant!r}?", "en": f"Did you mean {meant!r}?"}[lang]
    wanted = [
        *said,
        allowed if isinstance(allowed, str) else allowed[lang],
        *([hint] if meant else []),
    ]
    named = re.search(
        rf"^(?:.*Error: )?{name}(?:\.\d)?: ", message, re.MULTILINE
    )  # hidden_sizes.1: the second of the list
    return bool(named) and all(part in message for part in wanted)


def nothing_trained() -> bool:
    return not list(Path(os.environ["FMNIST_RUNS"]).rglob("*"))


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("case", CASES, ids=BY_NAME)
def test_through_the_api(case, lang):
    name, value = case[0], value_of(case[1])
    set_language(lang)
    namespace = {
        "In": ["profile = 'quick'", f"{name} = {value!r}"],
        "lang": lang,
        "profile": "quick",
        name: value,
    }
    with pytest.raises(UserError) as error:
        load_report("01").page(namespace)
    assert explains(str(error.value), case, lang) and nothing_trained()


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("case", CASES, ids=BY_NAME)
def test_through_the_command_line(case, lang, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        execution.subprocess, "Popen", lambda *_, **__: pytest.fail("a kernel was started")
    )
    result = CliRunner().invoke(main, ["run", "01", "--lang", lang, "-p", case[0], case[1]])
    assert result.exit_code == 2 and explains(result.output, case, lang)
    assert nothing_trained() and not list(tmp_path.glob("*.ipynb"))


ASK = """from fmnist_utils.text import UserError
from fmnist_utils.audit.schema import load_report
try:
    load_report("01").page(globals())
    refusals.append(None)
except UserError as error:
    refusals.append(str(error))"""


@pytest.mark.parametrize("lang", LANGUAGES)
def test_through_papermill_in_one_kernel(lang, tmp_path):
    """Every case as papermill injects it, one after the other in a kernel: a real notebook that is run again and again."""
    import nbformat
    import papermill
    from nbformat import NotebookNode
    from papermill.parameterize import parameterize_notebook

    cells = ["refusals = []"]
    for case in CASES:
        one = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(parameters_cell(), metadata={"tags": ["parameters"]})]
        )
        one.metadata = NotebookNode(
            {"kernelspec": {"name": "python3", "language": "python"}, "papermill": {}}
        )
        given = {"lang": lang, case[0]: value_of(case[1])}
        cells += [cell.source for cell in parameterize_notebook(one, given).cells] + [ASK]
    cells.append("print(repr(refusals))")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    executed = papermill.execute_notebook(
        notebook, None, kernel_name="python3", progress_bar=False, cwd=str(tmp_path)
    )
    refusals = ast.literal_eval(executed.cells[-1].outputs[0].text)
    assert len(refusals) == 44
    assert [case for case, said in zip(BY_NAME, refusals, strict=True) if said is None] == []
    for case, said in zip(CASES, refusals, strict=True):
        assert explains(said, case, lang), said
    assert nothing_trained()


@pytest.mark.parametrize(
    ("case", "lang"),
    [
        pytest.param(
            case, LANGUAGES[index % 2], marks=[] if index in (0, 17) else [pytest.mark.nightly]
        )
        for index, case in enumerate(CASES)
    ],
    ids=BY_NAME,
)
def test_through_papermill_itself(case, lang, tmp_path):
    """The command papermill, its own way of reading values: the first cell of the page stops it, and it exits with 1."""
    page = write_page(tmp_path / "page.ipynb", 'page.train("model_1")')
    value = yaml.safe_dump({case[0]: value_of(case[1])})
    asked = [] if case[0] == "lang" else ["-p", "lang", lang]  # papermill puts -p above -y
    command = [sys.executable, "-m", "papermill", "page.ipynb", "out.ipynb", *asked, "-y", value]
    variables = os.environ | {"FMNIST_LANG": lang, "PYTHONPATH": str(ROOT)}
    finished = subprocess.run(
        command, cwd=page.parent, env=variables, capture_output=True, text=True, timeout=300
    )
    assert finished.returncode == 1 and explains(finished.stderr, case, lang) and nothing_trained()


def test_the_check_is_the_pages_own():
    """The cell that stops papermill here is the one that page 01 has."""
    import json

    from small_pages import PAGE

    sources = ["".join(cell["source"]) for cell in json.loads(PAGE.read_text("utf-8"))["cells"]]
    assert any(
        "report.page(globals())" in source and "load_report(" in source for source in sources
    )
    assert "report.page(globals())" in CHECK


def test_good_parameters_pass():
    page = load_report("01").page(
        {"lang": "en", "profile": "quick", "dropout": 0.0, "hidden_sizes": [64], "num_epochs": 1}
    )
    assert page.parameters.hidden_sizes == (64,)
