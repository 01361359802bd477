"""A folder in a variable is written with ~ or is not there; a report is called by its number alone."""

import json
import shutil

import pytest

from fmnist_utils.audit import load_report
from fmnist_utils.audit.records import RESULTS, Records
from fmnist_utils.workshop.plans import read_plan
from fmnist_utils.workshop.store import RunStore


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return tmp_path


def test_a_tilde_means_the_readers_folder(home, monkeypatch):
    records = home / "r" / "01_ff_classifier" / "records"
    records.mkdir(parents=True)
    for path in (RESULTS / "01_ff_classifier" / "records").glob("model_1.ours.*"):
        shutil.copy(path, records)
    monkeypatch.setenv("FMNIST_RESULTS", "~/r")
    monkeypatch.setenv("FMNIST_RUNS", "~/mine")
    assert load_report("01").runs("model_1", protocol="ours")["model_1"]
    assert Records().root == RunStore().root == home / "mine"
    assert RunStore("~/other").root == home / "other"
    (home / "plan.yaml").write_text("runs: [{report: 01, group: model_2}]")
    assert len(read_plan("~/plan.yaml")) == 1


@pytest.mark.parametrize(
    ("folder", "lang"), [("~/gone", "es"), ("~/gone", "en"), ("no such folder/here", "en")]
)
@pytest.mark.parametrize("arguments", [["audit", "01"], ["audit", "--card"], ["audit", "across"]])
def test_a_folder_that_is_absent_is_no_empty_audit(
    arguments, folder, lang, home, monkeypatch, fmnist
):
    monkeypatch.setenv("FMNIST_RESULTS", folder)
    said = fmnist("--lang", lang, *arguments)
    assert said.exit_code == 2 and "FMNIST_RESULTS" in said.output
    assert folder.lstrip("~") in said.output and "`export FMNIST_RESULTS=`" in said.output
    monkeypatch.delenv("FMNIST_RESULTS")  # the advice
    assert load_report("01").runs("model_1")


def test_what_makes_runs_may_make_the_folder(home, monkeypatch, fmnist):
    monkeypatch.setenv("FMNIST_RESULTS", str(home / "new"))
    assert fmnist("reproduce", "01/model_1", "--dry-run").exit_code == 0


@pytest.mark.parametrize("number", ["1", "01", "3"])
def test_a_number_without_its_zero_is_enough(number, fmnist):
    name = load_report(number.zfill(2)).id
    assert load_report(number).id == name
    found = json.loads(fmnist("audit", number, "--format", "json").output)
    assert {row["report"] for row in found} == {name} and found


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize(
    ("report", "options"),
    [("06", []), ("7", ["--card"]), ("00_tensor_to_gradient", ["--format", "json"])],
)
def test_a_study_of_the_book_has_no_audit_of_zeros(report, options, lang, fmnist):
    said = fmnist("--lang", lang, "audit", report, *options)
    assert said.exit_code == 2 and load_report(report).id in said.output
    assert "01_ff_classifier" in said.output and "across" in said.output
    command = said.output.partition("`fmnist ")[2].partition("`")[0].split()
    assert fmnist(*command).exit_code == 0


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize(
    ("name", "meant"), [("accross", "across"), ("05_cnn_gird", "05_cnn_grid"), ("Across", "across")]
)
def test_a_misspelt_name_is_told_the_nearest(name, meant, lang, fmnist):
    said = fmnist("--lang", lang, "audit", name)
    assert said.exit_code == 2 and f"'{meant}'?" in said.output
