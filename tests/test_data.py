"""The data: where they come from, the sets they are cut into, and what is refused.

What mirrors, disks and processes do to them is in ``tests/trust``, R1 to R12.
"""

import gzip
import hashlib
import os
import socket
import threading
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as any_array
from mirrors import DAMAGES, NAMES, TEST, TRAIN, fill, flip, idx, is_right, leftovers, swap

from fmnist_utils import data, synthetic
from fmnist_utils.data import DataError, Limits, load_arrays, load_fashion_mnist
from fmnist_utils.text import LANGUAGES, UserError, set_language

# --- Where the files come from -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("inside", ["", "FashionMNIST", "FashionMNIST/raw"])
def test_fmnist_data_may_name_the_folder_at_any_level(
    small, monkeypatch, tmp_path, files, arrays, inside
):
    fill(tmp_path / "d" / "FashionMNIST" / "raw", files)
    monkeypatch.setenv("FMNIST_DATA", str(tmp_path / "d" / inside))
    assert is_right(load_arrays(), arrays)
    assert not small.exists(), "the cache is not touched"


def test_the_folder_comes_before_the_cache_and_the_cache_before_the_network(
    mirror, small, monkeypatch, tmp_path, files, arrays
):
    server = mirror()
    assert is_right(load_arrays("official"), arrays) and sorted(server.gets) == sorted(NAMES)
    (small / ".lock").unlink()
    assert is_right(load_arrays(), arrays) and len(server.gets) == 4
    assert not (small / ".lock").exists(), "a good cache is only read, so it may be read-only"
    monkeypatch.setenv("FMNIST_DATA", str(tmp_path / "elsewhere"))
    with pytest.raises(DataError):
        load_arrays()


def test_a_download_is_published_whole_with_nothing_beside_it(mirror, small, files):
    server = mirror()
    seen = []
    assert data.fetch(progress=lambda name, size: seen.append(name)) == {
        name: server.url + name for name in NAMES
    }
    assert {
        path.name: path.read_bytes() for path in small.iterdir() if path.name != ".lock"
    } == files
    assert not leftovers(small) and set(seen) <= set(NAMES)
    assert data.fetch() == {} and len(server.gets) == 4


@pytest.mark.parametrize("value", ["1", "true"])
def test_offline_forbids_the_download(mirror, monkeypatch, value):
    server = mirror()
    monkeypatch.setenv("FMNIST_OFFLINE", value)
    with pytest.raises(DataError, match="FMNIST_OFFLINE"):
        load_arrays("official")
    assert load_arrays().source == "synthetic" and not server.gets


def test_offline_is_off_when_it_says_so(mirror, monkeypatch, arrays):
    mirror()
    monkeypatch.setenv("FMNIST_OFFLINE", "0")
    assert is_right(load_arrays(), arrays)


# --- The stand-in is never silent --------------------------------------------------------------------------------------


def test_auto_says_when_it_took_the_stand_in(small):
    splits = load_fashion_mnist(val_size=40)
    assert splits.source == "synthetic" and "127.0.0.1:9" in splits.reason
    assert "SYNTHETIC" in splits.notice() and "fmnist data fetch" in splits.notice()
    set_language("es")
    assert "SINTÉTICOS" in splits.notice()


def test_the_official_data_need_no_notice(mirror):
    mirror()
    splits = load_fashion_mnist(val_size=40)
    assert (splits.source, splits.notice(), splits.reason) == ("official", "", "")


def test_official_never_turns_into_synthetic(small):
    with pytest.raises(DataError):
        load_fashion_mnist("official", val_size=40)


def test_the_stand_in_has_the_shapes_of_the_data_and_is_the_same_each_time(small):
    first, again = load_arrays("synthetic"), load_arrays("synthetic")
    assert first.train_images.shape == (TRAIN, 28, 28) and first.test_images.shape == (TEST, 28, 28)
    assert all(np.array_equal(a, b) for a, b in zip(first[:4], again[:4]))
    with pytest.raises(ValueError, match="read-only"):
        first.train_images[0] = 0


@pytest.mark.parametrize("damage", [damage for damage in DAMAGES if damage is not swap])
def test_the_stand_in_is_drawn_once_and_again_when_what_was_kept_is_damaged(
    small, monkeypatch, damage
):
    data._stand_in.cache_clear()
    first = load_arrays("synthetic")
    (kept,) = small.iterdir()
    drawn = []
    monkeypatch.setattr(
        synthetic, "draw", lambda count, draw=synthetic.draw: drawn.append(count) or draw(count)
    )

    def again() -> bool:
        data._stand_in.cache_clear()  # as in a new process
        return all(np.array_equal(a, b) for a, b in zip(first[:4], load_arrays("synthetic")[:4]))

    assert again() and not drawn
    good = kept.read_bytes()
    damage(kept)
    assert again() and drawn == [TRAIN + TEST]
    assert kept.read_bytes() == good and again() and len(drawn) == 1


def test_a_stand_in_drawn_by_other_code_is_not_kept(small):
    small.mkdir()
    for name, days in (("stand-in-0123456789abcdef-800", 8), ("stand-in-fedcba9876543210-800", 6)):
        (small / name).touch()
        os.utime(small / name, (time.time() - days * 86400,) * 2)
    data._stand_in.cache_clear()
    load_arrays("synthetic")
    assert {path.name for path in small.iterdir()} == {
        "stand-in-fedcba9876543210-800",
        f"stand-in-{data.DRAWN_BY}-{TRAIN + TEST}",
    }


def test_the_stand_in_does_without_a_cache(small, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("FMNIST_CACHE", str(tmp_path / "file" / "cache"))
    data._stand_in.cache_clear()
    assert load_arrays("synthetic").train_images.shape == (TRAIN, 28, 28)


def test_auto_waits_only_seconds_for_a_silent_mirror(mirror):
    mirror("silent", "silent")
    start = time.monotonic()
    assert load_arrays().source == "synthetic"
    assert time.monotonic() - start < data.HASTY.total + 5


def test_auto_waits_only_seconds_for_a_name_look_up(small, monkeypatch):
    release = threading.Event()

    def look_up(*_, **__):
        release.wait(30)
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setenv("FMNIST_MIRRORS", "http://mirror.invalid/")
    start = time.monotonic()
    assert load_arrays().source == "synthetic"
    assert time.monotonic() - start < data.HASTY.total + 5
    release.set()


# --- Limits ------------------------------------------------------------------------------------------------------------


def test_the_total_limit_holds_for_a_mirror_that_is_slow_but_not_too_slow(mirror, monkeypatch):
    mirror(pause=0.3)
    monkeypatch.setattr(data, "SLOWEST", 0)
    start = time.monotonic()
    with pytest.raises(DataError, match="too slow"):
        data.fetch(limits=Limits(1, 1, 0.8))
    assert time.monotonic() - start < 6


def test_a_mirror_that_never_ends_is_left(mirror, monkeypatch):
    monkeypatch.setattr(data, "LARGEST", 1000)
    mirror(pause=0.1)
    with pytest.raises(DataError, match="too slow"):
        data.fetch()


def test_a_swapped_file_is_called_by_its_name(small, files):
    swap(fill(small, files) / NAMES[0])
    assert data.verify()[NAMES[0]]["found"].endswith(f" = {NAMES[2]}")


# --- FMNIST_DATA is the reader's: never written to, never ignored ------------------------------------------------------


@pytest.mark.parametrize("source", ["auto", "official"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_in_fmnist_data_is_an_error_and_stays(
    mirror, monkeypatch, tmp_path, files, source, damage
):
    server = mirror()
    raw = fill(tmp_path / "mine" / "FashionMNIST" / "raw", files)
    damage(raw / NAMES[1])
    monkeypatch.setenv("FMNIST_DATA", str(tmp_path / "mine"))
    with pytest.raises(DataError) as caught:
        load_arrays(source)
    for part in (str(raw / NAMES[1]), data.REGISTRY[NAMES[1]], "FMNIST_DATA", "fmnist data fetch"):
        assert part in str(caught.value)
    assert not server.gets and set(os.listdir(raw)) <= set(NAMES)


@pytest.mark.parametrize("named", ["nowhere", "."])
def test_fmnist_data_without_the_files_is_an_error(small, monkeypatch, tmp_path, named):
    monkeypatch.setenv("FMNIST_DATA", str(tmp_path / named))
    with pytest.raises(DataError, match="no file"):
        load_arrays()


def test_a_file_with_the_right_digest_and_the_wrong_array_is_refused(small, monkeypatch, files):
    wrong = idx(np.zeros((28, 28, TRAIN), np.uint8))
    fill(small, files | {NAMES[0]: wrong})
    monkeypatch.setitem(data.REGISTRY, NAMES[0], hashlib.sha256(wrong).hexdigest())
    with pytest.raises(DataError, match="IDX"):
        load_arrays("official")


def test_a_lock_that_is_never_given_up_ends_the_wait(mirror, small):
    import filelock

    mirror()
    small.mkdir()
    with filelock.FileLock(small / ".lock"), pytest.raises(DataError, match="Another process"):
        data.fetch(limits=Limits(1, 1, 0.3))


# --- The sets ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def loaded(small, files, arrays):
    fill(small, files)
    return {"train": arrays[NAMES[0]], "test": arrays[NAMES[2]]}


def pixels(split: data.Split) -> np.ndarray:
    return (split.images * 255).round().to(torch.uint8).squeeze(1).numpy()


def test_our_split_is_the_first_the_last_and_the_test_set(loaded):
    splits = load_fashion_mnist(val_size=40)
    assert np.array_equal(pixels(splits.train), loaded["train"][:-40])
    assert np.array_equal(pixels(splits.val), loaded["train"][-40:])
    assert np.array_equal(pixels(splits.test), loaded["test"])
    assert splits.train.images.dtype == torch.float32 and splits.train.images.shape == (
        160,
        1,
        28,
        28,
    )
    assert splits.train.labels.dtype == torch.int64 and splits.train.labels.tolist() == [
        k % 10 for k in range(160)
    ]
    assert splits.train.images.min() == 0 and splits.train.images.max() == 1


def test_without_validation_all_training_images_train(loaded):
    splits = load_fashion_mnist(val_size=0)
    assert np.array_equal(pixels(splits.train), loaded["train"])
    assert splits.val.images.shape == (0, 1, 28, 28) and splits.val.labels.shape == (0,)


@pytest.mark.parametrize("val_from", ["train", "test"])
def test_a_random_split_is_the_one_of_pytorch(loaded, val_from):
    size = 40
    splits = load_fashion_mnist(val_size=size, val_from=val_from, split_seed=7)
    images = torch.from_numpy(loaded[val_from].copy())
    lengths = [len(images) - size, size] if val_from == "train" else [size, len(images) - size]
    parts = torch.utils.data.random_split(
        images, lengths, generator=torch.Generator().manual_seed(7)
    )
    names = ("train", "val") if val_from == "train" else ("val", "test")
    for name, part in zip(names, parts):
        assert np.array_equal(pixels(getattr(splits, name)), images[part.indices].numpy())


def test_validation_may_be_cut_from_the_test_set(loaded):
    splits = load_fashion_mnist(val_size=50, val_from="test")
    assert np.array_equal(pixels(splits.train), loaded["train"])
    assert np.array_equal(pixels(splits.val), loaded["test"][:50])
    assert np.array_equal(pixels(splits.test), loaded["test"][50:])


def test_sizes_keep_the_first_of_each_set_and_leave_validation_alone(loaded):
    splits = load_fashion_mnist(val_size=40, train_size=30, test_size=20)
    assert np.array_equal(pixels(splits.train), loaded["train"][:30])
    assert np.array_equal(pixels(splits.val), loaded["train"][-40:])
    assert np.array_equal(pixels(splits.test), loaded["test"][:20])


def test_normalization(loaded):
    plain, normal = (
        load_fashion_mnist(val_size=0),
        load_fashion_mnist(val_size=0, mean=0.5, std=0.25),
    )
    assert torch.allclose(normal.test.images, (plain.test.images - 0.5) / 0.25)


# --- Arguments ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    "arguments, parts",
    [
        (
            {"source": "oficial"},
            ["source", "'oficial'", "auto, official, synthetic", "'official'?"],
        ),
        ({"source": None}, ["source", "None", "auto, official, synthetic"]),
        ({"val_from": "tset"}, ["val_from", "'tset'", "train, test", "'test'?"]),
        ({"val_size": 60_000}, ["val_size", "60000", "0", "59999"]),
        ({"val_size": -1}, ["val_size", "-1"]),
        ({"val_size": 0.5}, ["val_size", "0.5"]),
        ({"val_size": None}, ["val_size", "None"]),
        ({"val_size": True}, ["val_size", "True"]),
        ({"val_size": "10000"}, ["val_size", "'10000'"]),
        ({"val_size": 10_000, "val_from": "test"}, ["val_size", "10000", "9999"]),
        ({"train_size": 50_001}, ["train_size", "50001", "1", "50000"]),
        ({"train_size": 0}, ["train_size", "0", "1"]),
        ({"test_size": 1001, "val_from": "test", "val_size": 9000}, ["test_size", "1001", "1000"]),
        ({"split_seed": -1}, ["split_seed", "-1"]),
        ({"split_seed": "7"}, ["split_seed", "'7'"]),
        ({"mean": float("nan")}, ["mean", "nan", "-1", "1"]),
        ({"std": 0}, ["std", "0", "0.001"]),
    ],
)
def test_a_wrong_argument_is_named_before_anything_is_read(monkeypatch, lang, arguments, parts):
    set_language(lang)
    monkeypatch.setattr(data, "load_arrays", lambda source: pytest.fail("data were loaded"))
    with pytest.raises(UserError) as caught:
        load_fashion_mnist(**arguments)
    for part in (*parts, {"es": "Se admite", "en": "Allowed"}[lang]):
        assert part in str(caught.value)


def test_messages_are_in_the_language_of_the_reader(small, monkeypatch):
    monkeypatch.setenv("FMNIST_LANG", "es")
    with pytest.raises(DataError, match="esperado") as caught:
        load_arrays("official")
    assert "no se pudo descargar" in str(caught.value) and "ningún archivo" in str(caught.value)


# --- What the command line shows ---------------------------------------------------------------------------------------


def test_status_and_verify_tell_where_and_how_the_files_are(small, monkeypatch, files):
    flip(fill(small, files) / NAMES[3])
    assert data.status() == {
        "folder": str(small),
        "good": {name: name != NAMES[3] for name in NAMES},
        "offline": False,
        "mirrors": ["http://127.0.0.1:9/"],
    }
    checks = data.verify()
    assert [check["found"] == check["expected"] for check in checks.values()] == [
        True,
        True,
        True,
        False,
    ]
    monkeypatch.delenv("FMNIST_MIRRORS")
    assert data.status()["mirrors"] == list(data.MIRRORS)


def test_folds_share_out_the_training_set():
    whole = load_fashion_mnist("synthetic", val_size=0).train
    folds = [load_fashion_mnist("synthetic", val_size=12_000, fold=fold) for fold in range(5)]
    assert torch.equal(torch.cat([fold.val.labels for fold in reversed(folds)]), whole.labels)
    assert torch.equal(
        torch.cat([folds[1].train.labels, folds[1].val.labels]).roll(-12_000), whole.labels
    )
    with pytest.raises(UserError, match="fold"):
        load_fashion_mnist("synthetic", val_size=12_000, fold=5)


def test_a_subset_drawn_with_a_seed():
    first, drawn, again = (
        load_fashion_mnist("synthetic", train_size=500, subset_seed=seed).train
        for seed in (None, 3, 3)
    )
    whole = load_fashion_mnist("synthetic")
    assert torch.equal(drawn.images, again.images) and not torch.equal(drawn.labels, first.labels)
    assert torch.equal(
        whole.val.images, load_fashion_mnist("synthetic", train_size=500, subset_seed=3).val.images
    )
    known = {image.tobytes() for image in whole.train.images.numpy()}
    assert all(image.tobytes() in known for image in drawn.images.numpy())


# --- The IDX reader ----------------------------------------------------------------------------------------------------


def read_idx(folder, content: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """Return what the reader makes of a file whose digest is right, of whatever content."""
    (folder / NAMES[0]).write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(data.REGISTRY, NAMES[0], hashlib.sha256(content).hexdigest())
        patch.setitem(data.SHAPES, NAMES[0], shape)
        return data._read(folder / NAMES[0])


@given(
    any_array(
        np.uint8, st.one_of(st.tuples(st.integers(1, 9)), st.tuples(*[st.integers(1, 9)] * 3))
    )
)
@settings(max_examples=100, deadline=None)
def test_the_reader_gives_back_what_was_written(tmp_path_factory, array):
    folder = tmp_path_factory.getbasetemp()
    assert np.array_equal(read_idx(folder, idx(array), array.shape), array)
    for other in {(len(array) + 1, *array.shape[1:]), (*array.shape, 1), array.shape[::-1]} - {
        array.shape
    }:
        with pytest.raises(DataError, match="IDX"):
            read_idx(folder, idx(array), other)


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_the_reader_refuses_whatever_is_not_idx(tmp_path_factory, content):
    for each in (content, gzip.compress(content), gzip.compress(content)[:-3]):
        with pytest.raises(DataError):
            read_idx(tmp_path_factory.getbasetemp(), each, (7, 28, 28))
