"""The data: the sets they are cut into, where the files come from, and what is refused.

What mirrors, disks and processes do to them is in ``tests/trust``, R1 to R12.
"""

import os
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mirrors import DAMAGES, LIMITS, NAMES, fetch_and_load, fill, flip, is_right, leftovers

from fmnist_utils import data
from fmnist_utils.data import DataError, load_arrays, load_fashion_mnist
from fmnist_utils.text import LANGUAGES, UserError, set_language
from fmnist_utils.workshop import download

# --- The sample -----------------------------------------------------------------------------------


def test_the_sample_needs_no_file_but_the_package(monkeypatch, tmp_path):
    monkeypatch.setenv("FMNIST_DATA", str(tmp_path / "nowhere"))
    splits = load_fashion_mnist()
    assert splits.source == "sample"
    shapes = [tuple(split.images.shape) for split in (splits.train, splits.val, splits.test)]
    assert shapes == [(8_000, 1, 28, 28), (2_000, 1, 28, 28), (10_000, 1, 28, 28)]
    assert splits.train.images.dtype == torch.float32 and splits.train.labels.dtype == torch.int64
    assert (splits.train.images.min(), splits.train.images.max()) == (0, 1)


def test_a_damaged_sample_is_refused(monkeypatch, tmp_path):
    for path in data.SAMPLE.glob("*.gz"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    flip(tmp_path / "train-10k-images-idx3-ubyte.gz")
    monkeypatch.setattr(data, "SAMPLE", tmp_path)
    with pytest.raises(DataError, match="train-10k-images"):
        data.load_arrays("sample")


# --- Where the official files are -----------------------------------------------------------------


def test_the_folder_comes_before_the_cache_and_the_cache_before_the_network(
    mirror, small, monkeypatch, tmp_path, arrays
):
    server = mirror()
    with pytest.raises(DataError, match="fmnist data fetch"):
        load_arrays("official")
    assert is_right(fetch_and_load(), arrays) and sorted(server.gets) == sorted(NAMES)
    (small / ".lock").unlink()
    assert is_right(fetch_and_load(), arrays) and len(server.gets) == 4
    assert not (small / ".lock").exists(), "a good cache is only read, so it may be read-only"
    monkeypatch.setenv("FMNIST_DATA", str(tmp_path / "elsewhere"))
    with pytest.raises(DataError):
        fetch_and_load()


def test_of_two_files_the_right_one_is_taken(small, files, arrays):
    fill(small, files)
    (small / f"{NAMES[0].removesuffix('.gz')} (1).gz").write_bytes(files[NAMES[0]])
    flip(small / NAMES[0])
    assert is_right(load_arrays("official"), arrays)


# --- FMNIST_DATA is the reader's: never written to, never ignored ---------------------------------


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damage_in_fmnist_data_is_an_error_and_stays(mirror, monkeypatch, tmp_path, files, damage):
    server = mirror()
    raw = fill(tmp_path / "mine" / "FashionMNIST" / "raw", files)
    damage(raw / NAMES[1])
    monkeypatch.setenv("FMNIST_DATA", str(tmp_path / "mine"))
    with pytest.raises(DataError) as caught:
        fetch_and_load()
    for part in (str(raw / NAMES[1]), "FMNIST_DATA", "fmnist data fetch"):
        assert part in str(caught.value)
    assert not server.gets and set(os.listdir(raw)) <= set(NAMES)


# --- Downloading ----------------------------------------------------------------------------------


def test_a_download_is_published_whole_with_nothing_beside_it(mirror, small, files):
    server = mirror()
    seen = []
    came_from = download.fetch(lambda name, size: seen.append(name))
    assert came_from == {name: server.url + name for name in NAMES}
    kept = {path.name: path.read_bytes() for path in small.iterdir() if path.name != ".lock"}
    assert kept == files and set(seen) == set(NAMES) and not leftovers(small)
    assert download.fetch() == {} and len(server.gets) == 4


def test_offline_forbids_the_download(mirror, monkeypatch):
    server = mirror()
    monkeypatch.setenv("FMNIST_OFFLINE", "1")
    with pytest.raises(DataError, match="FMNIST_OFFLINE"):
        fetch_and_load()
    assert not server.gets


@pytest.mark.racing
def test_the_total_limit_holds_for_a_mirror_that_is_slow_but_not_too_slow(mirror, monkeypatch):
    mirror(pause=2)
    monkeypatch.setattr(download, "SLOWEST", 0)
    start = time.monotonic()
    with pytest.raises(DataError, match="too slow"):
        download.fetch(limits=LIMITS._replace(total=0.8))
    assert time.monotonic() - start < 30  # all four files would take twice that


def test_a_mirror_that_never_ends_is_left(mirror, monkeypatch):
    monkeypatch.setattr(download, "LARGEST", 1000)
    mirror(pause=0.1)
    with pytest.raises(DataError, match="too slow"):
        download.fetch()


def test_a_lock_that_is_never_given_up_ends_the_wait(mirror, small):
    import filelock

    mirror()
    small.mkdir()
    with filelock.FileLock(small / ".lock"), pytest.raises(DataError, match="Another process"):
        download.fetch(limits=LIMITS._replace(total=0.3))


def test_status_and_verify_tell_where_and_how_the_files_are(small, monkeypatch, files):
    flip(fill(small, files) / NAMES[3])
    state = download.status()
    assert state["folder"] == str(small) and not state["offline"]
    assert list(state["good"].values()) == [True, True, True, False]
    assert state["mirrors"] == ["http://127.0.0.1:9/"]
    problems = [problem for _, problem in download.verify().values()]
    assert problems[:3] == ["", "", ""] and "SHA-256" in problems[3]
    monkeypatch.delenv("FMNIST_MIRRORS")
    assert download.status()["mirrors"] == list(download.MIRRORS)


# --- The sets -------------------------------------------------------------------------------------


@pytest.fixture
def loaded(small, files, arrays):
    fill(small, files)
    return {"train": arrays[NAMES[0]], "test": arrays[NAMES[2]]}


def load(**arguments) -> data.Splits:
    return load_fashion_mnist("official", **arguments)


def pixels(split: data.Split) -> np.ndarray:
    return (split.images * 255).round().to(torch.uint8).squeeze(1).numpy()


def test_our_split_is_the_first_the_last_and_the_test_set(loaded):
    splits = load(val_size=40)
    assert np.array_equal(pixels(splits.train), loaded["train"][:-40])
    assert np.array_equal(pixels(splits.val), loaded["train"][-40:])
    assert np.array_equal(pixels(splits.test), loaded["test"])
    assert splits.train.labels.tolist() == [k % 10 for k in range(160)]
    few = load(val_size=40, train_size=30, test_size=20)
    assert np.array_equal(pixels(few.train), loaded["train"][:30])
    assert torch.equal(few.val.images, splits.val.images)
    assert np.array_equal(pixels(few.test), loaded["test"][:20])


def test_without_validation_all_training_images_train_and_may_be_normalized(loaded):
    plain, normal = load(val_size=0), load(val_size=0, mean=0.5, std=0.25)
    assert np.array_equal(pixels(plain.train), loaded["train"])
    assert plain.val.images.shape == (0, 1, 28, 28) and plain.val.labels.shape == (0,)
    assert torch.allclose(normal.test.images, (plain.test.images - 0.5) / 0.25)


@pytest.mark.parametrize("val_from", ["train", "test"])
def test_a_random_split_is_the_one_of_pytorch(loaded, val_from):
    size = 40
    splits = load(val_size=size, val_from=val_from, split_seed=7)
    images = torch.from_numpy(loaded[val_from].copy())
    lengths = [len(images) - size, size] if val_from == "train" else [size, len(images) - size]
    generator = torch.Generator().manual_seed(7)
    parts = torch.utils.data.random_split(images, lengths, generator=generator)
    names = ("train", "val") if val_from == "train" else ("val", "test")
    for name, part in zip(names, parts, strict=True):
        assert np.array_equal(pixels(getattr(splits, name)), images[part.indices].numpy())


def test_validation_may_be_cut_from_the_test_set(loaded):
    splits = load(val_size=50, val_from="test")
    assert np.array_equal(pixels(splits.train), loaded["train"])
    assert np.array_equal(pixels(splits.val), loaded["test"][:50])
    assert np.array_equal(pixels(splits.test), loaded["test"][50:])


def test_folds_share_out_the_training_set():
    whole = load_fashion_mnist(val_size=0).train
    folds = [load_fashion_mnist(fold=fold) for fold in range(5)]
    assert torch.equal(torch.cat([fold.val.labels for fold in reversed(folds)]), whole.labels)
    both = torch.cat([folds[1].train.labels, folds[1].val.labels])
    assert torch.equal(both.roll(-2_000), whole.labels)
    with pytest.raises(UserError, match="fold"):
        load_fashion_mnist(fold=5)


def test_a_subset_drawn_with_a_seed():
    first = load_fashion_mnist(train_size=500)
    drawn, again = (load_fashion_mnist(train_size=500, subset_seed=3) for _ in range(2))
    assert torch.equal(drawn.train.images, again.train.images)
    assert not torch.equal(drawn.train.labels, first.train.labels)
    assert torch.equal(drawn.val.images, first.val.images)


@settings(max_examples=15, deadline=None)
@given(
    val_size=st.integers(0, 9_999),
    train_size=st.integers(1, 10_000),
    fold=st.integers(0, 3),
    split_seed=st.none() | st.integers(0, 100),
)
def test_no_image_trains_and_validates(val_size, train_size, fold, split_seed):
    try:
        splits = load_fashion_mnist(
            val_size=val_size, train_size=train_size, fold=fold, split_seed=split_seed
        )
    except UserError:
        return
    seen = {image.tobytes() for image in pixels(splits.train)}
    both = [image for image in pixels(splits.val) if image.tobytes() in seen]
    assert len(both) <= 20, "the official images hold a few pairs of twins"
    assert len(splits.train.labels) == train_size and len(splits.val.labels) == val_size


# --- Arguments ------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ({"source": "oficial"}, ["source", "'oficial'", "sample, official", "'official'?"]),
        ({"source": None}, ["source", "None", "sample, official"]),
        ({"val_from": "tset"}, ["val_from", "'tset'", "train, test", "'test'?"]),
        ({"val_size": 10_000}, ["val_size", "10000", "0", "9999"]),
        ({"val_size": True}, ["val_size", "True"]),
        ({"val_size": "2000"}, ["val_size", "'2000'"]),
        ({"train_size": 8_001}, ["train_size", "8001", "1", "8000"]),
        ({"test_size": 1001, "val_from": "test", "val_size": 9000}, ["test_size", "1001", "1000"]),
        ({"split_seed": -1}, ["split_seed", "-1"]),
        ({"mean": float("nan")}, ["mean", "nan", "-1", "1"]),
        ({"std": 0}, ["std", "0", "0.001"]),
    ],
)
def test_a_wrong_argument_is_named_with_what_is_allowed(lang, arguments, parts):
    set_language(lang)
    with pytest.raises(UserError) as caught:
        load_fashion_mnist(**arguments)
    for part in (*parts, {"es": "Se admite", "en": "Allowed"}[lang]):
        assert part in str(caught.value)
