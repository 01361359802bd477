"""The yardsticks: what is committed agrees with the functions of the course and with others."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner

from fmnist_utils import evaluation
from fmnist_utils.audit import quality, yardsticks
from fmnist_utils.audit import schema as reports
from fmnist_utils.data import Split, Splits
from fmnist_utils.text import UserError
from fmnist_utils.workshop import yardsticks as making
from fmnist_utils.workshop.cli import main
from fmnist_utils.workshop.store import RunStore

COMMITTED = RunStore().results / yardsticks.NAME


@pytest.fixture
def splits():
    draw = torch.Generator().manual_seed(0)
    parts = [
        Split(
            torch.rand(size, 1, 28, 28, generator=draw), torch.arange(size, dtype=torch.uint8) % 10
        )
        for size in (60, 30, 20)
    ]
    return Splits(*parts, source="made up")


@pytest.fixture
def made(splits, tmp_path):
    store = RunStore(results=tmp_path / "results")
    return yardsticks.Yardsticks(making.publish_yardsticks(store, splits))


def test_they_are_what_the_functions_of_the_course_compute(made, splits):
    train, whole = splits.train.images, torch.cat([splits.train.images, splits.val.images])
    for fitted, name, images in (
        (train, "val", 50_000),
        (train, "test", 50_000),
        (whole, "test", 60_000),
    ):
        measured = getattr(splits, name).images
        found = made.pca_errors(name, [1, 7, 40], images)
        pd.testing.assert_frame_equal(
            found, evaluation.pca_errors(fitted, measured, [1, 7, 40]), rtol=1e-4
        )
        found = made.constant_errors(name, images)
        pd.testing.assert_frame_equal(
            found, evaluation.constant_errors(fitted, measured), rtol=1e-4
        )


def test_the_examples_are_what_pca_keeps_of_the_first_image_of_each_class(made, splits):
    kept = evaluation.pca_reconstruct(splits.train.images, splits.test.images[:10], 64)[:, 0]
    assert np.abs(made.pca_examples() / 255 - kept.clamp(0, 1).numpy()).max() < 0.003
    assert made.pca_examples().tobytes() == making.pca_examples(splits).tobytes()


def test_constant_answers_by_hand():
    train = torch.tensor([0.0, 0.2, 1.0]).reshape(3, 1, 1, 1).expand(3, 1, 28, 28)
    errors = evaluation.constant_errors(train, torch.full((2, 1, 28, 28), 0.5))
    assert errors["l1"].tolist() == pytest.approx([0.5, 0.1, 0.3])
    assert errors["mse"].tolist() == pytest.approx([0.25, 0.01, 0.09])


def test_an_altered_or_broken_file_is_refused(made, tmp_path):
    path = tmp_path / "results" / yardsticks.NAME
    content = json.loads(path.read_bytes())
    content["pca"]["50000 val"]["mse"][3] = 0.1
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match="SHA-256"):
        yardsticks.Yardsticks(path)
    for broken in ("{", "[]", '{"pca": {}}'):
        path.write_text(broken)
        with pytest.raises(UserError, match="damaged"):
            yardsticks.Yardsticks(path)


def test_those_committed_are_of_the_official_data():
    """Against values measured by other code, on 60,000 training and 10,000 test images."""
    committed = yardsticks.Yardsticks(COMMITTED)
    constants = committed.constant_errors("test", 60_000)
    assert constants["mse"].tolist() == pytest.approx([0.206499, 0.086641, 0.103130], abs=2e-6)
    assert constants["l1"].tolist() == pytest.approx([0.286849, 0.231134, 0.209540], abs=2e-6)
    errors = committed.pca_errors("test", [10, 64, 128, 256, 512], 60_000)
    assert errors["mse"].tolist() == pytest.approx(
        [0.024352, 0.010368, 0.006312, 0.002986, 0.000610], abs=2e-6
    )
    assert errors["mse_clamped"].tolist() == pytest.approx(
        [0.023717, 0.009836, 0.005909, 0.002739, 0.000535], abs=2e-6
    )
    assert errors["l1_clamped"].tolist() == pytest.approx(
        [0.094578, 0.056297, 0.042069, 0.027643, 0.011314], abs=2e-6
    )
    for name in ("val", "test"):
        column = committed.pca_errors(name, range(1, 785))["mse"]
        assert column.is_monotonic_decreasing and len(column) == 784


def test_reproduce_makes_them_where_they_are_missing(monkeypatch, splits, tmp_path):
    monkeypatch.setenv("FMNIST_RESULTS", str(tmp_path))
    monkeypatch.setattr(reports, "report_names", list)
    monkeypatch.setattr(making, "load_fashion_mnist", lambda source: splits)
    monkeypatch.setattr(making, "fetch_if_missing", lambda: None)
    shutil.copy(COMMITTED.with_name(quality.NAME), tmp_path)
    assert yardsticks.NAME in CliRunner().invoke(main, ["reproduce"]).output
    before = (tmp_path / yardsticks.NAME).read_bytes()
    again = CliRunner().invoke(main, ["reproduce"])
    assert again.output == ""
    assert again.exit_code == 0
    assert (tmp_path / yardsticks.NAME).read_bytes() == before
