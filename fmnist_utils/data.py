"""Fashion-MNIST as tensors: a training set, a validation set and a test set.

    splits = load_fashion_mnist()
    splits.train.images  # float32, (8000, 1, 28, 28), from 0 (black) to 1 (white)
    splits.train.labels  # int64, (8000,), from 0 to 9

There are two sources. ``"sample"`` comes with the package and needs no download: the first 10,000
training images, of which 8,000 train and 2,000 validate, and the 10,000 official test images.
``"official"`` is all of Fashion-MNIST (H. Xiao, K. Rasul and R. Vollgraf, arXiv:1708.07747): 50,000
images train, the next 10,000 validate, 10,000 test. Its four files are looked for in the folder
that the variable ``FMNIST_DATA`` names, else in the user's cache (``FMNIST_CACHE`` moves it), where
the command ``fmnist data fetch`` puts them.

Whatever is read is compared with the published data by SHA-256 first.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import numbers
import shlex
import struct
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from fmnist_utils import settings
from fmnist_utils.text import UserError, nearest, say

SOURCES = ("sample", "official")
TRAIN_SIZES = {"sample": 8_000, "official": 50_000}  # of the training sets, unless asked otherwise
SAMPLE = Path(__file__).parent / "sample"
ARCHIVES = {".zip": "zipfile", ".tar": "tarfile", ".tgz": "tarfile"}  # and what unpacks them
OTHER_FORMS = {*ARCHIVES, ".7z", ".rar", ".csv", ".npz", ".parquet", ".png"}  # as others share it


class IdxFile(NamedTuple):
    """An array of bytes in the IDX format: its shape, and the SHA-256 of the unpacked file."""

    shape: tuple[int, ...]
    sha256: str


OFFICIAL_FILES = {
    "train-images-idx3-ubyte": IdxFile(
        (60_000, 28, 28), "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
    ),
    "train-labels-idx1-ubyte": IdxFile(
        (60_000,), "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
    ),
    "t10k-images-idx3-ubyte": IdxFile(
        (10_000, 28, 28), "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
    ),
    "t10k-labels-idx1-ubyte": IdxFile(
        (10_000,), "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
    ),
}
SAMPLE_FILES = {
    "train-10k-images-idx3-ubyte": IdxFile(
        (10_000, 28, 28), "ed2e37ed5a3a57d212141a69fe0a0de5a7126ffba14ac3f7e76f5f52cc04b1f0"
    ),
    "train-10k-labels-idx1-ubyte": IdxFile(
        (10_000,), "a69f2dad024ca220a8c4d85f621fdf929042d40c444abde2868903e9220ad517"
    ),
    "t10k-images-idx3-ubyte": OFFICIAL_FILES["t10k-images-idx3-ubyte"],
    "t10k-labels-idx1-ubyte": OFFICIAL_FILES["t10k-labels-idx1-ubyte"],
}


class DataError(UserError):
    """The files of the data set are missing or damaged."""


class Split(NamedTuple):
    """Images, float32 (N, 1, 28, 28), and their labels, int64 (N,), from 0 to 9.

    A pixel is (byte / 255 - mean) / std: between 0 and 1, unless mean and std were given.
    """

    images: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Splits:
    """The three sets, and the ``source`` that they come from."""

    train: Split
    val: Split
    test: Split
    source: str


def load_fashion_mnist(
    source: str = "sample",
    *,
    val_size: int | None = None,
    val_from: str = "train",
    split_seed: int | None = None,
    fold: int = 0,
    train_size: int | None = None,
    subset_seed: int | None = None,
    test_size: int | None = None,
    mean: float = 0.0,
    std: float = 1.0,
) -> Splits:
    """Return Fashion-MNIST in three sets.

    Args:
        source: ``"sample"`` or ``"official"``.
        val_size: how many images validate; ``None`` means 2,000 of the sample and 10,000 of the
            official data, 0 leaves all of them to the training set.
        val_from: the set that they are cut from: ``"train"``, its end, or ``"test"``, its
            beginning, as some reports did.
        split_seed: shuffle that set first, as ``torch.utils.data.random_split`` does with a
            generator of this seed.
        fold: for cross-validation: which of the successive blocks of ``val_size`` images
            validates, 0 being the last one.
        train_size, test_size: keep only so many, the first, of the training and of the test set.
        subset_seed: draw those training images at random with this seed instead.
        mean, std: the normalization, in units of byte / 255.

    Raises:
        UserError: if an argument is not among what it may be.
        DataError: if the official files are missing or damaged.
    """
    _check_choice("source", source, SOURCES)
    _check_choice("val_from", val_from, ("train", "test"))
    train_images, train_labels, test_images, test_labels = load_arrays(source)
    sets: dict[str, tuple[np.ndarray, ...]]
    sets = {"train": (train_images, train_labels), "test": (test_images, test_labels)}
    total = len(sets[val_from][1])
    if val_size is None:
        val_size = 2_000 if source == "sample" else 10_000
    _check_number("val_size", val_size, 0, total - 1)
    num_train = len(train_labels) - (val_size if val_from == "train" else 0)
    num_test = len(test_labels) - (val_size if val_from == "test" else 0)
    _check_number("train_size", num_train if train_size is None else train_size, 1, num_train)
    _check_number("test_size", num_test if test_size is None else test_size, 1, num_test)
    _check_number("split_seed", 0 if split_seed is None else split_seed, 0, 2**63 - 1)
    _check_number("subset_seed", 0 if subset_seed is None else subset_seed, 0, 2**63 - 1)
    _check_number("fold", fold, 0, max(total // max(val_size, 1) - 1, 0))
    _check_number("mean", mean, -1, 1, numbers.Real)
    _check_number("std", std, 0.001, 1000, numbers.Real)

    if split_seed is not None:
        order = _random_order(total, split_seed)
        sets[val_from] = tuple(array[order] for array in sets[val_from])
    if fold:
        sets[val_from] = tuple(np.roll(array, fold * val_size, axis=0) for array in sets[val_from])
    if subset_seed is not None:
        order = _random_order(num_train, subset_seed)
        sets["train"] = tuple(
            np.concatenate([array[order], array[num_train:]]) for array in sets["train"]
        )

    def cut(name: str, start: int, size: int) -> Split:
        images, labels = (array[start : start + size] for array in sets[name])
        pixels = torch.from_numpy(images[:, None] / np.float32(255))
        if (mean, std) != (0, 1):
            pixels.sub_(mean).div_(std)
        return Split(pixels, torch.from_numpy(labels.astype(np.int64)))

    return Splits(
        train=cut("train", 0, train_size or num_train),
        val=cut(val_from, num_train if val_from == "train" else 0, val_size),
        test=cut("test", val_size if val_from == "test" else 0, test_size or num_test),
        source=source,
    )


def load_arrays(source: str = "sample") -> tuple[np.ndarray, ...]:
    """Return the data as bytes: training images (N, 28, 28), labels (N,), test images, labels.

    Raises:
        UserError: if there is no such source.
        DataError: if the official files are missing or damaged.
    """
    _check_choice("source", source, SOURCES)
    if source == "sample":
        return _read_all(SAMPLE, SAMPLE_FILES)
    folder = official_folder()
    return _read_all(folder, OFFICIAL_FILES)


def _read_all(folder: Path, files: Mapping[str, IdxFile]) -> tuple[np.ndarray, ...]:
    return tuple(read_idx(find_file(folder, name), files[name]) for name in files)


# --- Where the files are, and how one is read -----------------------------------------------------


def official_folder() -> Path:
    """Return the folder in which the official files are looked for.

    With ``FMNIST_DATA`` that one, or the first folder in it, such as torchvision makes,
    that has any of the files; the variable may also name one of the files.
    """
    top = settings.folder("FMNIST_DATA")
    if top is None:
        return settings.cache_folder()
    if top.is_file():
        top = top.parent
    usual = [top / "FashionMNIST" / "raw", top / "raw", top]
    deeper = (sorted(top.glob(pattern)) for pattern in ("*", "*/raw", "*/FashionMNIST/raw", "*/*"))
    for folder in itertools.chain(usual, itertools.chain.from_iterable(deeper)):
        if any(_candidates(folder, name) for name in OFFICIAL_FILES):
            return folder
    return top


def _candidates(folder: Path, name: str) -> list[Path]:
    """Return the files that may be the one called ``name``, the likeliest first.

    Programs that unpack or save files change their names: ``name.gz``, ``name``,
    ``train-images.idx3-ubyte``, ``name (1).gz``.
    """
    pattern = name.replace("-idx", "?idx") + "*"
    found = [path for path in folder.glob(pattern) if path.is_file()]
    return sorted(found, key=lambda path: (path.name != f"{name}.gz", path.name))


def find_file(folder: Path, name: str) -> Path:
    """Return the file that holds ``name``, packed or not; ``name.gz`` where there is none."""
    candidates = _candidates(folder, name)
    for path in candidates:
        if len(candidates) == 1 or check_idx(path, _expected(name)) == "":
            return path
    return (candidates or [folder / f"{name}.gz"])[0]


def _expected(name: str) -> IdxFile:
    return (OFFICIAL_FILES | SAMPLE_FILES)[name]


def check_idx(path: Path, expected: IdxFile) -> str:
    """Return what is wrong with a file, in words; an empty text if nothing is."""
    try:
        read_idx(path, expected)
    except DataError as error:
        return str(error)
    return ""


def read_idx(path: Path, expected: IdxFile) -> np.ndarray:
    """Return the array in an IDX file, packed with gzip or not, once its SHA-256 is proved.

    Raises:
        DataError: if the file is missing, cannot be read, or holds anything else.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError("data.missing", file=str(path), way_out=way_out(path)) from None
    except OSError as error:
        raise DataError(
            "data.unreadable", file=str(path), reason=error.strerror, way_out=way_out(path)
        ) from error
    header = struct.pack(f">HBB{len(expected.shape)}I", 0, 8, len(expected.shape), *expected.shape)
    length = len(header) + math.prod(expected.shape)
    if content.startswith(b"\x1f\x8b"):
        content = _unpack(content, length)
    found = hashlib.sha256(content).hexdigest()
    whole = content.startswith(header) and len(content) == length
    if found != expected.sha256 or not whole:
        raise DataError(
            "data.damaged",
            file=str(path),
            expected=expected.sha256,
            length=length,
            found=found,
            size=len(content),
            way_out=way_out(path),
        )
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(expected.shape)


def way_out(path: Path) -> str:
    """Return in words what to do about a file of the data that is missing or damaged."""
    folder = path.parent
    if folder == SAMPLE:
        return say("data.restore", command=settings.restoring(path))
    if not settings.variable("FMNIST_DATA"):
        return say("data.fetch")
    others = [path for path in sorted(folder.glob("*")) if OTHER_FORMS & {*path.suffixes}]
    archives = [path for path in others if ARCHIVES.keys() & {*path.suffixes}]
    names = ", ".join(path.name for path in others[:5])
    found = say("data.found_instead", names=names) if others else ""
    told = say("data.other_folder", folder=folder, found=found)
    for archive in archives[:1]:
        values = {"quoted": shlex.quote(str(archive)), "folder": shlex.quote(str(folder))}
        values["module"] = next(ARCHIVES[end] for end in archive.suffixes if end in ARCHIVES)
        told = f"{told} {say('data.packed', archive=archive.name, **values)}"
    return told


def _unpack(content: bytes, length: int) -> bytes:
    """Return the unpacked bytes, at most ``length`` + 1; of a broken file, those that are there."""
    try:
        return zlib.decompressobj(wbits=31).decompress(content, length + 1)
    except zlib.error:
        return b""


# --- Arguments ------------------------------------------------------------------------------------


def _random_order(size: int, seed: int) -> np.ndarray:
    return torch.randperm(size, generator=torch.Generator().manual_seed(seed)).numpy()


def _check_choice(name: str, given: object, allowed: Collection[str]) -> None:
    if given not in allowed:
        hint = nearest(str(given), allowed)
        raise UserError(
            "data.choice", name=name, given=given, allowed=", ".join(allowed), hint=hint
        )


def _check_number(
    name: str, given: Any, low: float, high: float, kind: type = numbers.Integral
) -> None:
    is_number = isinstance(given, kind) and not isinstance(given, bool)
    if not (is_number and low <= given <= high):
        key = "data.whole" if kind is numbers.Integral else "data.number"
        raise UserError(key, name=name, given=given, low=low, high=high)
