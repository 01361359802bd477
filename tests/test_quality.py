"""Data quality: images that come twice, the nearest ones, what recorded classifiers answer."""

import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from fmnist_utils.audit import quality
from fmnist_utils.audit import schema as reports
from fmnist_utils.data import load_arrays
from fmnist_utils.text import UserError
from fmnist_utils.workshop import quality as making
from fmnist_utils.workshop.cli import main
from fmnist_utils.workshop.store import RunStore

COMMITTED = RunStore().results / quality.NAME


@pytest.fixture
def sets():
    draw = np.random.default_rng(0)
    train = draw.integers(0, 256, (50, 28, 28), dtype=np.uint8)
    test = draw.integers(0, 256, (20, 28, 28), dtype=np.uint8)
    train[7] = train[3]
    test[5] = train[3]
    test[9] = train[30]
    test[9, 0, 0] ^= 128  # one pixel apart: a distance of 128 / 28
    return train, test


def test_planted_pairs_are_found(sets, tmp_path):
    found = quality.Quality(making.publish_quality(RunStore(results=tmp_path), sets))
    assert found.identical == {"train": [[3, 7]], "test": [], "between": [[3, 5], [7, 5]]}
    assert list(found.distance.argsort(kind="stable")[:2]) == [5, 9]
    assert found.distance[[5, 9]] == pytest.approx([0, 128 / 28], rel=1e-3)
    assert found.nearest[[5, 9]].tolist() == [3, 30]
    assert np.array_equal(found.closest[:2], sets[0][[3, 30]])


def test_distances_are_those_of_all_pairs(sets):
    train, test = (images.astype(float) for images in sets)
    table = np.sqrt(((test[:, None] - train) ** 2).mean(axis=(2, 3)))
    nearest, distance = making.nearest_images(*sets)
    assert np.allclose(distance, table.min(axis=1))
    assert np.allclose(table[np.arange(20), nearest], distance)


def test_an_altered_file_is_refused(sets, tmp_path):
    path = making.publish_quality(RunStore(results=tmp_path), sets)
    content = json.loads(path.read_bytes())
    content["identical"]["test"].append([1, 2])
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match="SHA-256"):
        quality.Quality(path)


def test_what_is_committed_fits_the_images():
    """The sample has the test set and 10,000 training images: enough to compute distances again."""
    committed = quality.Quality(COMMITTED)
    train, _, test, _ = load_arrays("sample")
    known = np.flatnonzero(committed.nearest < len(train))
    distance = ((test[known].astype(float) - train[committed.nearest[known]]) ** 2).mean(
        axis=(1, 2)
    )
    assert len(known) > 1000
    assert np.allclose(np.sqrt(distance), committed.distance[known], rtol=1e-3)
    shown = committed.distance.argsort(kind="stable")[: quality.SHOWN]
    apart = ((test[shown].astype(float) - committed.closest) ** 2).mean(axis=(1, 2))
    assert np.allclose(np.sqrt(apart), committed.distance[shown], rtol=1e-3)
    assert committed.identical == {"train": [], "test": [], "between": []}


def test_reproduce_makes_it_where_it_is_missing(monkeypatch, sets, tmp_path):
    monkeypatch.setenv("FMNIST_RESULTS", str(tmp_path))
    monkeypatch.setattr(reports, "report_names", list)
    monkeypatch.setattr(making, "load_arrays", lambda source: (sets[0], None, sets[1], None))
    monkeypatch.setattr(making, "fetch_if_missing", lambda: None)
    shutil.copy(RunStore(results=COMMITTED.parent).results / "yardsticks.json", tmp_path)
    assert quality.NAME in CliRunner().invoke(main, ["reproduce"]).output
    again = CliRunner().invoke(main, ["reproduce"])
    assert again.output == "" and again.exit_code == 0


def test_predictions_are_those_of_the_records():
    answers = quality.recorded_predictions()
    assert answers.shape[1] == 10_000 and answers.index.is_unique
    _, _, _, labels = load_arrays("sample")
    for name, row in list(answers.iterrows())[:5]:
        (path,) = RunStore().results.glob(f"*/records/{name}.json")
        accuracy = json.loads(path.read_bytes())["metrics"]["test_accuracy"]
        assert (row.to_numpy() == labels).mean() == pytest.approx(accuracy, abs=1e-6)
