"""``fmnist check``: the exercises of students' notebooks, whatever those hold."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from fmnist_utils.text import UserError
from fmnist_utils.workshop import marking
from fmnist_utils.workshop.cli import main

ORIGINAL = Path(__file__).parents[1] / "notebooks" / "en" / "00_tensor_to_gradient.ipynb"
SOFTMAX = "    exponentials = logits.exp()  # N × 10\n    ...  # complete"
GRADIENT = "    error = weights @ inputs + bias - target\n    ...  # complete"
RIGHT = (
    "    return row_softmax(logits)",
    "    return 2 * (weights @ inputs + bias - target) * inputs",
)
USED = "def row_softmax(logits):\n    return torch.softmax(logits, dim=LAST)\n\n\nLAST = 1\n%pip list\n"


def hand_in(path: Path, softmax: str, gradient: str, start: str = "") -> Path:
    """Write page 00 with these lines for the dots, and ``start`` in its second code cell."""
    notebook = json.loads(ORIGINAL.read_text("utf-8"))
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        assert source.count("# complete") <= 1
        cell["source"] = source.replace(SOFTMAX, softmax).replace(GRADIENT, gradient)
    extra = {"cell_type": "code", "metadata": {}, "outputs": [], "source": start}
    notebook["cells"].insert(5, extra | {"execution_count": None})
    path.write_text(json.dumps(notebook), "utf-8")
    return path


def states(path: Path, seconds: int = 60) -> list[str]:
    return [found.state for found in marking.mark(path, seconds, 4096)]


def test_only_what_the_answers_use_is_run(tmp_path):
    trap = "raise RuntimeError('a training that failed')\n"
    path = hand_in(tmp_path / "ana.ipynb", *RIGHT, start=trap + USED)
    assert states(path) == ["right", "right"]


def test_the_notebooks_as_they_are_handed_out_are_not_completed():
    assert states(ORIGINAL) == ["unfinished", "unfinished"]


@pytest.mark.racing
@pytest.mark.parametrize(
    ("softmax", "state", "said"),
    [
        ("    import os\n    os._exit(0)", "wrong", "ended suddenly"),
        ("    retur logits", "missing", "invalid syntax"),
        pytest.param(
            *("    return bytearray(10**11)", "wrong", "MemoryError"), marks=pytest.mark.nightly
        ),
    ],
)
def test_one_answer_spoils_no_other(tmp_path, softmax, state, said):
    path = hand_in(tmp_path / "beto.ipynb", softmax, RIGHT[1], start=USED)
    found = marking.mark(path, 20, 4096)
    assert [one.state for one in found] == [state, "right"], found
    assert said in found[0].told


@pytest.mark.racing
def test_a_notebook_that_never_ends_is_ended(tmp_path):
    path = hand_in(tmp_path / "carla.ipynb", *RIGHT, start=f"{USED}while True:\n    LAST = 1\n")
    late, right = marking.mark(path, 5, 4096)
    assert (late.state, right.state) == ("wrong", "right")
    assert "did not end within 5 seconds, and its process was ended" in late.told


def test_a_table_for_each_notebook_and_a_file_of_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "class" / ".ipynb_checkpoints").mkdir(parents=True)
    hand_in(tmp_path / "class" / "=ana.ipynb", *RIGHT, start=USED)
    hand_in(tmp_path / "class" / ".ipynb_checkpoints" / "old.ipynb", *RIGHT)
    (tmp_path / "class" / "notes.ipynb").write_text("{}", "utf-8")
    other = {"cell_type": "code", "source": ["1 + 1"]}
    (tmp_path / "other.ipynb").write_text(json.dumps({"cells": [other]}), "utf-8")
    monkeypatch.chdir(tmp_path / "class")
    arguments = ["--lang", "es", "check", ".", "../other.ipynb", "gone.ipynb", "--csv", "marks.csv"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert "=ana.ipynb  2 de 2 correctos" in result.output
    said = " ".join(result.output.split())
    assert "notes.ipynb no se puede leer como cuaderno" in said
    assert 'other.ipynb no llama a load_report("…")' in result.output
    assert "No existe el archivo gone.ipynb" in result.output
    with open("marks.csv", newline="", encoding="utf-8-sig") as file:
        head, *rows = csv.reader(file)
    assert head == ["notebook", "exercise", "state", "told"]
    assert [(row[0], row[2]) for row in rows] == [
        ("'=ana.ipynb", "right"),
        ("'=ana.ipynb", "right"),
        ("notes.ipynb", "unreadable"),
        ("../other.ipynb", "unreadable"),
        ("gone.ipynb", "unreadable"),
    ]


def test_without_notebooks_or_a_place_for_the_table_it_says_so(tmp_path):
    with pytest.raises(UserError, match=r"no notebook \(\*\.ipynb\)"):
        marking.notebooks_in([str(tmp_path)])
    with pytest.raises(UserError, match=r"cannot be written.*--csv"):
        marking.write_csv([], tmp_path / "none" / "marks.csv")
