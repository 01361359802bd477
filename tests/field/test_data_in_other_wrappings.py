"""The official data, as people have them: unpacked, renamed, zipped, in a folder above, or not at all."""

import gzip
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from mirrors import NAMES

from fmnist_utils import data
from fmnist_utils.data import DataError, load_arrays
from fmnist_utils.text import speaking
from fmnist_utils.workshop import download

PLAIN = [name.removesuffix(".gz") for name in NAMES]


def unpacked(name, content):
    return {name.removesuffix(".gz"): gzip.decompress(content)}


WRAPPINGS = {
    "unpacked": unpacked,
    "7-Zip": lambda name, content: {
        name.removesuffix(".gz").replace("-idx", ".idx"): gzip.decompress(content)
    },
    "downloaded twice": lambda name, content: {name.replace(".gz", " (1).gz"): content},
    "gzipped anew": lambda name, content: {name: gzip.compress(gzip.decompress(content), 1)},
    "named .gz, unpacked": lambda name, content: {name: gzip.decompress(content)},
    "torchvision's root": lambda name, content: {f"FashionMNIST/raw/{name}": content},
    "a clone of the publisher": lambda name, content: {f"fashion-mnist/data/{name}": content},
    "Kaggle's folders": lambda name, content: {f"archive/{name}": content},
    "parent of torchvision's root": lambda name, content: {
        f"data/FashionMNIST/raw/{name}": content
    },
}


@pytest.fixture
def folder(small, tmp_path, monkeypatch):
    monkeypatch.setenv("FMNIST_DATA", str(tmp_path / "mine"))
    (tmp_path / "mine").mkdir()
    return tmp_path / "mine"


def write(folder: Path, wrapping, files) -> None:
    for name, content in files.items():
        for path, packed in wrapping(name, content).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(packed)


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_the_right_content_is_taken_in_whatever_it_is_wrapped(wrapping, folder, files, arrays):
    write(folder, WRAPPINGS[wrapping], files)
    found = load_arrays("official")
    assert all((mine == theirs).all() for mine, theirs in zip(found, arrays.values(), strict=True))


def test_the_variable_may_name_one_of_the_files(folder, files, monkeypatch):
    write(folder, unpacked, files)
    monkeypatch.setenv("FMNIST_DATA", str(folder / PLAIN[2]))
    assert len(load_arrays("official")) == 4


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize("name", ["archive.zip", "fashion mnist.zip", "raw.tar", "data.tar.gz"])
def test_an_archive_is_named_and_the_advice_unpacks_it(name, lang, folder, files, tmp_path):
    for stem, content in files.items():
        (tmp_path / "packed" / stem).parent.mkdir(exist_ok=True)
        (tmp_path / "packed" / stem).write_bytes(content)
    form = {".zip": "zip", ".tar": "tar", ".gz": "gztar"}[Path(name).suffix]
    made = shutil.make_archive(str(tmp_path / "made"), form, tmp_path / "packed")
    shutil.move(made, folder / name)
    with speaking(lang), pytest.raises(DataError, match=name) as refused:
        load_arrays("official")
    advice = re.findall(r"`([^`]*(?:zip|tar)file[^`]*)`", str(refused.value))
    subprocess.run(shlex.split(advice[0]), check=True)
    assert len(load_arrays("official")) == 4


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize(
    "name", ["fashion-mnist_train.csv", "train.parquet", "mnist.npz", "all.7z"]
)
def test_another_form_of_it_is_said_to_be_there(name, lang, folder):
    (folder / name).write_text("label,pixel1\n")
    with speaking(lang), pytest.raises(DataError, match=name) as refused:
        load_arrays("official")
    assert {"es": "descomprimidos", "en": "unpacked"}[lang] in str(refused.value)


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize("there", [0, 3])
def test_the_advice_for_an_incomplete_folder_leads_out(there, lang, folder, files, monkeypatch):
    """Not: fetch, complete, and refused again, as long as the variable is in force."""
    write(folder, unpacked, dict(list(files.items())[:there]))
    with speaking(lang), pytest.raises(DataError) as refused:
        load_arrays("official")
    first, second = re.findall(r"`([^`]+)`", str(refused.value))
    assert first == "export FMNIST_DATA=" and second == "fmnist data fetch"
    monkeypatch.setenv(*first.removeprefix("export ").split("="))
    write(data.settings.cache_folder(), lambda name, content: {name: content}, files)
    assert download.fetch() == {} and len(load_arrays("official")) == 4
    assert os.environ["FMNIST_DATA"] == ""
