"""R22. A bad parameter is refused before training: by API, command line and papermill."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from small_pages import CHECK, ROOT, write_page

from fmnist_utils.audit import load_report
from fmnist_utils.audit.parameters import PageParameters
from fmnist_utils.text import LANGUAGES, UserError, set_language
from fmnist_utils.workshop import execution
from fmnist_utils.workshop.cli import main
from fmnist_utils.workshop.cli_runs import read_value
from fmnist_utils.workshop.lab import page_notebooks

REPORT = load_report("01")
NOTEBOOKS = page_notebooks(ROOT / "notebooks") + page_notebooks(ROOT / "notebooks" / "en")
NAMES = ", ".join([*PageParameters.model_fields, *REPORT.parameters])
INTEGER = {"es": "entero ≥", "en": "integer ≥"}
SIZES = {"es": "lista de: entero ≥ 1", "en": "list of: integer ≥ 1"}
NUMBER = {"es": "número", "en": "number"}
GOOD = {
    "lang": "es", "source": "sample", "seed": 0, "num_epochs": 10, "train_size": 8000,
    "hidden_sizes": [128, 64], "dropout": 0.2, "batch_size": 100, "learning_rate": 0.001,
}  # fmt: skip
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
    ("profile", "full", NAMES, None),
    ("langs", "es", NAMES, "lang"),
    ("seeds", "1", NAMES, "seed"),
    ("num_seeds", "3", NAMES, None),
    ("_num_epochs", "3", NAMES, "num_epochs"),
    ("num_epochs", "ten", INTEGER, None),
    ("num_epochs", "2.5", INTEGER, None),
    ("num_epochs", "0", INTEGER, None),
    ("num_epochs", "-1", INTEGER, None),
    ("num_epochs", "true", INTEGER, None),
    ("num_epochs", "null", INTEGER, None),
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
    ("lang", "fr", "es, en", None),
    ("source", "offical", "sample, official", "official"),
    ("source", "../data", "sample, official", None),
]
BY_NAME = [f"{name}={value}" for name, value, *_ in CASES]
ONE_OF_A_KIND = [CASES[place] for place in (0, 16, 20, 35)]


def test_there_are_44_cases():
    assert len(CASES) == len(set(BY_NAME)) == 44


def explains(message: str, case: tuple, lang: str) -> bool:
    """Return whether ``message`` names the parameter, what is allowed and what was meant."""
    name, _, allowed, meant = case
    said = {"es": ["hay que corregir", "e admite"], "en": ["to be corrected", "llowed"]}[lang]
    hint = {"es": f"¿Quiso decir {meant!r}?", "en": f"Did you mean {meant!r}?"}[lang]
    wanted = [*said, allowed if isinstance(allowed, str) else allowed[lang]]
    if meant:
        wanted.append(hint)
    # hidden_sizes.1: the second of the list
    named = re.search(rf"^(?:.*Error: )?{name}(?:\.\d)?: ", message, re.MULTILINE)
    return bool(named) and all(part in message for part in wanted)


def nothing_trained() -> bool:
    return not list(Path(os.environ["FMNIST_RUNS"]).rglob("*"))


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("case", CASES, ids=BY_NAME)
def test_in_a_notebook(case, lang):
    """With the variables of a kernel that has run the parameters cell alone."""
    given = GOOD | {"lang": lang, case[0]: read_value(case[1])}
    cell = "\n".join(f"{name} = {value!r}" for name, value in given.items())
    of_ipython = {"__name__": "__main__", "In": ["", cell], "Out": {}, "_i1": cell}
    set_language(lang)
    with pytest.raises(UserError) as error:
        REPORT.check_parameters(of_ipython | given)
    assert explains(str(error.value), case, lang)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("case", ONE_OF_A_KIND, ids=lambda case: case[0])
def test_through_the_command_line(case, lang, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    start = execution.subprocess
    monkeypatch.setattr(start, "Popen", lambda *_, **__: pytest.fail("a kernel was started"))
    result = CliRunner().invoke(main, ["run", "01", "--lang", lang, "-p", case[0], case[1]])
    assert result.exit_code == 2 and explains(result.output, case, lang)
    assert nothing_trained() and not list(tmp_path.glob("*.ipynb"))


@pytest.mark.parametrize(
    ("case", "lang"),
    [
        pytest.param(
            case, LANGUAGES[place % 2], marks=[] if place in (0, 21) else [pytest.mark.nightly]
        )
        for place, case in enumerate(CASES)
    ],
    ids=BY_NAME,
)
def test_through_papermill_itself(case, lang, tmp_path):
    """The setup cell of the page stops papermill, which exits with 1."""
    page = write_page(tmp_path / "page.ipynb", "trained = True")
    value = yaml.safe_dump({case[0]: read_value(case[1])})
    asked = [] if case[0] == "lang" else ["-p", "lang", lang]  # papermill puts -p above -y
    command = [sys.executable, "-m", "papermill", "page.ipynb", "out.ipynb", *asked, "-y", value]
    variables = os.environ | {"FMNIST_LANG": lang, "PYTHONPATH": str(ROOT)}
    finished = subprocess.run(
        command, cwd=page.parent, env=variables, capture_output=True, text=True, timeout=300
    )
    assert finished.returncode == 1 and explains(finished.stderr, case, lang)


@pytest.mark.parametrize("page", NOTEBOOKS, ids=str)
def test_every_page_checks_its_parameters_first(page):
    """The cell after the parameters is the one that stops papermill here."""
    cells = json.loads(page.read_text("utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    tagged = [
        place for place, cell in enumerate(code) if "parameters" in cell["metadata"].get("tags", [])
    ]
    assert len(tagged) == 1
    check = "".join(code[tagged[0] + 1]["source"])
    assert re.sub(r"[\"']\d\d_\w+[\"']", "''", check) == re.sub(r"[\"']\d\d_\w+[\"']", "''", CHECK)


def test_a_cell_may_run_again_after_others():
    """The first time every variable has to be a parameter; later a reader's own are left alone."""
    namespace = {"__name__": "__main__", **GOOD}
    REPORT.check_parameters(namespace)
    REPORT.check_parameters(namespace | {"num_epoch": 3, "my_own": [1, 2]})
    with pytest.raises(UserError, match="num_epochs"):
        REPORT.check_parameters(namespace | {"num_epochs": 0})


def test_good_parameters_pass_and_set_the_language():
    REPORT.check_parameters({"lang": "en", "dropout": 0.0, "hidden_sizes": [64], "num_epochs": 1})
    REPORT.check_parameters({"lang": "es"})
    with pytest.raises(UserError, match="se admite"):
        REPORT.check_parameters({"lang": "es", "dropout": 2})
