"""R23. Names and values that carry code, and names that lead elsewhere, are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from fmnist_utils.audit.schema import load_report
from fmnist_utils.text import UserError
from fmnist_utils.workshop import execution
from fmnist_utils.workshop.cli import main
from fmnist_utils.workshop.files import check_name
from fmnist_utils.workshop.store import RunStore

TOUCH = "__import__('pathlib').Path('canary').touch()"
# Names and values of parameters. papermill pastes a name as it is into the notebook: the first ones
# would run there.
PARAMETERS = [
    (f"x={TOUCH};y", "1"),
    (f"num_epochs=1\n{TOUCH}\nseed", "1"),
    ("num_epochs]", "1"),
    ("{0.__class__}", "1"),
    ("num_epochs #", "1"),
    ("__builtins__", "1"),
    ("In", f'["{TOUCH}"]'),
    ("lang", f'es"; {TOUCH}; "'),
    ("source", f"synthetic'\n{TOUCH}\n'"),
    ("hidden_sizes", f"[{TOUCH}]"),
]
OUTPUTS = [
    "../escaped.ipynb",
    "a/../../escaped.ipynb",
    "/escaped/out.ipynb",
    "out\0.ipynb",
    "n" * 300 + ".ipynb",
    "CON.ipynb",
    "{0.__class__}.ipynb",
    "{lang}/../../out.ipynb",
    "a\nb.ipynb",
    "link/out.ipynb",  # a symbolic link that leads outside
]


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A working folder with a link that leaves it, where starting papermill is a failure."""
    (tmp_path / "here" / "a").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "here" / "link").symlink_to(tmp_path / "outside")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(
        execution.subprocess, "Popen", lambda *_, **__: pytest.fail("a kernel was started")
    )
    yield tmp_path
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert left <= {"here", "here/a", "here/link", "outside"}


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["--lang", "en", *arguments])
    assert result.exit_code == 2
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    return result.output


@pytest.mark.parametrize(("name", "value"), PARAMETERS, ids=range(len(PARAMETERS)))
def test_parameters_with_code(name, value, elsewhere):
    said = refused("run", "01", "-p", name, value)
    assert "nothing was trained" in said and "llowed" in said


@pytest.mark.parametrize("out", OUTPUTS, ids=range(len(OUTPUTS)))
def test_outputs_that_lead_elsewhere(out, elsewhere):
    said = refused("run", "01", "-o", out)
    assert "outside the working folder" in said or "cannot be a file's name" in said


def test_a_page_is_not_overwritten(elsewhere, monkeypatch):
    monkeypatch.chdir(execution.NOTEBOOKS)
    assert "would take the place of a page" in refused("run", "01", "-o", "01_ff_classifier.ipynb")
    assert "would take the place of a page" in refused(
        "run", "01", "-o", "en/01_ff_classifier.ipynb"
    )


@pytest.mark.parametrize(
    "name",
    ["../x", "/x", "x/y", "x\\y", "x\0", "n" * 300, "nul", "COM1.json", "x.", "", " x", "{x}"],
)
def test_records_stay_in_their_folder(name, tmp_path):
    store = RunStore(tmp_path / "runs", tmp_path / "results")
    with pytest.raises(UserError, match="cannot be a file's name"):
        store.publish(None, name, "model_1.ours")
    with pytest.raises(UserError, match="cannot be a file's name"):
        check_name(name)
    assert not list(tmp_path.iterdir())


def test_the_names_that_reports_use_are_good():
    for name in ("01", "02", "03"):
        report = load_report(name)
        assert all(check_name(part) for part in (report.id, *report.all_recipes()))


def test_a_report_is_no_path(tmp_path, monkeypatch):
    """A report is one of those that there are, and a notebook's report is read, not run."""
    monkeypatch.chdir(tmp_path)
    for page in ("../01", "/etc/passwd", "01/../02"):
        assert f"there is no '{page}'. Allowed: " in refused("run", page)
    (tmp_path / "page.ipynb").write_text(
        '{"cells": [{"cell_type": "code", "source": "load_report(\\"../../x\\")"}]}'
    )
    assert "'../../x'" in refused("run", "page.ipynb")
    Path("page.ipynb").write_text("not a notebook")
    assert "cannot be read as a Jupyter notebook" in refused("run", "page.ipynb")
