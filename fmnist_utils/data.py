"""Fashion-MNIST as tensors: training, validation and test set, from files proved to be the published ones.

The four official files (Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747) are looked for in the folder named by
``FMNIST_DATA``, then in the per-user cache (``FMNIST_CACHE`` moves it), and else are downloaded into the cache, unless
``FMNIST_OFFLINE=1`` forbids it; ``FMNIST_MIRRORS`` names other addresses, with commas between. A file is read whole,
its SHA-256 compared with the published one, and only then unpacked, in memory: no unpacked copy lies on the disk to
decay unseen. Where the official files cannot be had, the stand-in of :mod:`fmnist_utils.synthetic` takes their place;
it is drawn once, which takes seconds, and kept in the cache.

The module reads from the top: what a page uses, what ``fmnist data`` uses, and last how a file is read and downloaded.
"""

from __future__ import annotations

import functools
import hashlib
import io
import math
import numbers
import os
import secrets
import shutil
import struct
import threading
import time
import warnings
import zlib
from collections import namedtuple
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import filelock
import numpy as np
import torch
from torch import Tensor

from fmnist_utils import synthetic
from fmnist_utils.text import UserError, nearest, say

# Pooch imports tqdm's bar for notebooks, which warns every reader without ipywidgets; nothing uses it.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pooch

SOURCES = ("auto", "official", "synthetic")
REGISTRY = {  # the SHA-256 of each file
    "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}
SHAPES = dict(
    zip(REGISTRY, ((60_000, 28, 28), (60_000,), (10_000, 28, 28), (10_000,)), strict=True)
)
MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
)


Limits = namedtuple(
    "Limits", "connect read total"
)  # seconds: to connect, without a byte, for all the files together
PATIENT, HASTY = (
    Limits(10, 15, 600),
    Limits(3, 5, 20),
)  # HASTY for `auto`: somebody is waiting for the page
SLOWEST = 20_000  # bytes a second: a mirror that gives less, once its `read` seconds are over, is left for the next one
LARGEST = 100_000_000  # bytes: no official file comes near
DRAWN_BY = hashlib.sha256(
    Path(synthetic.__file__).read_bytes() + np.__version__.encode()
).hexdigest()[:16]  # the stand-in


class DataError(UserError):
    """The official files are missing, damaged or out of reach."""


class Arrays(NamedTuple):
    """Images, uint8 (N, 28, 28), and labels, uint8 (N,), as in the files; ``reason`` as in :class:`Splits`."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    source: str
    reason: str = ""


class Split(NamedTuple):
    """Images, float32 (N, 1, 28, 28), as (pixel / 255 - mean) / std, and labels, int64 (N,), from 0 to 9."""

    images: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Splits:
    """The three sets; ``source`` is "official" or "synthetic", ``reason`` says why ``auto`` had to take the latter."""

    train: Split
    val: Split
    test: Split
    source: str
    reason: str = ""

    def notice(self) -> str:
        """Return what the reader must be told: nothing about the official data, a loud sentence about the stand-in."""
        return "" if self.source == "official" else say("data.notice")


def load_fashion_mnist(
    source: str = "auto",
    *,
    val_size: int = 10_000,
    val_from: str = "train",
    split_seed: int | None = None,
    fold: int = 0,
    train_size: int | None = None,
    subset_seed: int | None = None,
    test_size: int | None = None,
    mean: float = 0.0,
    std: float = 1.0,
) -> Splits:
    """Return Fashion-MNIST in three sets: by default 50,000 images to train, the 10,000 after them, the 10,000 to test.

    Args:
        source: ``"official"``; ``"synthetic"``, the stand-in; ``"auto"``, the official data where they are at hand or
            come within seconds, else the stand-in.
        val_size: how many images validate; 0 leaves all 60,000 to the training set.
        val_from: the set they are cut from: ``"train"``, its end, or ``"test"``, its beginning, as some reports did.
        split_seed: shuffle that set first, as ``torch.utils.data.random_split`` does with a generator of this seed.
        fold: for cross-validation: which of the successive blocks of ``val_size`` images validates, 0 being the last one.
        train_size, test_size: keep only so many, the first, of the training and of the test set.
        subset_seed: draw those training images at random with this seed instead.
        mean, std: the normalization, in units of pixel / 255.

    Raises:
        UserError: if an argument is not among what it may be.
        DataError: as :func:`load_arrays`.
    """
    _one_of("source", source, SOURCES)
    _one_of("val_from", val_from, ("train", "test"))
    rest = _counts()
    _in_range("val_size", val_size, 0, rest[val_from] - 1)
    rest[val_from] -= val_size
    for name, given, high in (
        ("train_size", train_size, rest["train"]),
        ("test_size", test_size, rest["test"]),
    ):
        _in_range(name, high if given is None else given, 1, high)
    for name, given in (("split_seed", split_seed), ("subset_seed", subset_seed)):
        _in_range(name, 0 if given is None else given, 0, 2**63 - 1)
    _in_range("fold", fold, 0, max(_counts()[val_from] // max(val_size, 1) - 1, 0))
    _in_range("mean", mean, -1, 1, numbers.Real)
    _in_range("std", std, 0.001, 1000, numbers.Real)

    arrays = load_arrays(source)
    sets = {"train": arrays[:2], "test": arrays[2:4]}
    if split_seed is not None:
        order = torch.randperm(
            len(sets[val_from][1]), generator=torch.Generator().manual_seed(split_seed)
        ).numpy()
        sets[val_from] = tuple(array[order] for array in sets[val_from])
    if fold:
        sets[val_from] = tuple(np.roll(array, fold * val_size, axis=0) for array in sets[val_from])
    if subset_seed is not None:
        drawn = torch.randperm(
            rest["train"], generator=torch.Generator().manual_seed(subset_seed)
        ).numpy()
        sets["train"] = tuple(
            np.concatenate([array[drawn], array[rest["train"] :]]) for array in sets["train"]
        )

    def split(name: str, start: int, size: int) -> Split:
        images, labels = (array[start : start + size] for array in sets[name])
        pixels = torch.from_numpy(images[:, None] / np.float32(255))
        if (mean, std) != (0, 1):
            pixels.sub_(mean).div_(std)
        return Split(pixels, torch.from_numpy(labels.astype(np.int64)))

    return Splits(
        train=split("train", 0, train_size or rest["train"]),
        val=split(val_from, rest["train"] if val_from == "train" else 0, val_size),
        test=split("test", val_size if val_from == "test" else 0, test_size or rest["test"]),
        source=arrays.source,
        reason=arrays.reason,
    )


def load_arrays(source: str = "auto") -> Arrays:
    """Return the data as they are in the files: 60,000 training and 10,000 test images.

    Raises:
        DataError: if the official files are asked for and cannot be had, or are missing or damaged in the folder named
            by ``FMNIST_DATA``: that is a mistake to mend, not a reason to use other data.
    """
    _one_of("source", source, SOURCES)
    if source == "synthetic":
        return _stand_in(**_counts())
    try:
        return _official(HASTY if source == "auto" else PATIENT)
    except DataError as error:
        if source == "official" or _local_folder():
            raise
        return _stand_in(**_counts())._replace(reason=str(error))


def fetch(
    progress: Callable[[str, int], None] | None = None, limits: Limits = PATIENT
) -> dict[str, str]:
    """Download into the cache what is missing or damaged there; return the address that each such file came from.

    Processes that ask at once wait for the first, which downloads for all. A file stays in memory until its SHA-256 is
    proved, and appears in the cache whole or not at all.

    Args:
        progress: called some times a second with a file's name and how many bytes have come.

    Raises:
        DataError: if no mirror gives a file within the limits, or the cache cannot be written.
    """
    folder, mirrors, deadline, came_from = (
        _cache_folder(),
        _mirrors(),
        time.monotonic() + limits.total,
        {},
    )
    wanted = _wanted(folder)
    if wanted and _offline():
        raise DataError("data.offline", **_describe(folder / wanted[0]))
    try:
        if wanted:
            folder.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(folder / ".lock", timeout=limits.total):
                for part in folder.glob("*.part"):  # left by a process that was killed
                    part.unlink(missing_ok=True)
                for name in _wanted(folder):
                    content = _download(
                        folder / name,
                        mirrors,
                        limits,
                        deadline,
                        progress or (lambda name, size: None),
                    )
                    _publish(folder / name, content)
                    came_from[name] = mirrors[0] + name
    except filelock.Timeout:
        raise DataError("data.busy", lock=str(folder / ".lock"), seconds=limits.total) from None
    except (OSError, NotImplementedError) as error:  # the latter: a file system without locks
        cause = getattr(error, "strerror", None) or str(error)
        free = (
            shutil.disk_usage(
                next(path for path in (folder, *folder.parents) if os.path.exists(path))
            ).free
            / 1e6
        )
        raise DataError("data.cache", folder=str(folder), cause=cause, free=free) from error
    return came_from


def verify() -> dict[str, dict[str, str]]:
    """Return for each of the four files its path, the SHA-256 expected, and the one found or why there is none."""
    folder = _local_folder() or _cache_folder()
    return {name: _describe(folder / name) for name in REGISTRY}


def status() -> dict[str, object]:
    """Return where the files are looked for, whether each is good, and if and from where they may be downloaded."""
    return {
        "folder": str(_local_folder() or _cache_folder()),
        "good": {name: check["found"] == check["expected"] for name, check in verify().items()},
        "offline": _offline(),
        "mirrors": _mirrors(),
    }


# Where things are, and how many.
def _counts() -> dict[str, int]:
    return {
        "train": SHAPES["train-labels-idx1-ubyte.gz"][0],
        "test": SHAPES["t10k-labels-idx1-ubyte.gz"][0],
    }


def _local_folder() -> Path | None:
    if not os.environ.get("FMNIST_DATA"):
        return None
    root = Path(os.environ["FMNIST_DATA"]).expanduser()
    folders = (
        root / "FashionMNIST" / "raw",
        root / "raw",
        root,
    )  # torchvision's layout, from its top or from within
    return next(
        (folder for folder in folders if any(os.path.exists(folder / name) for name in REGISTRY)),
        folders[0],
    )


def home() -> Path:
    """Return the folder of this system for what the package keeps between sessions, where no variable names another."""
    return Path(pooch.os_cache("fmnist_utils"))


def _cache_folder() -> Path:
    return Path(os.environ.get("FMNIST_CACHE") or home()).expanduser()


def _mirrors() -> list[str]:
    given = os.environ.get("FMNIST_MIRRORS", "").replace(",", " ").split()
    return [mirror.rstrip("/") + "/" for mirror in given] or list(MIRRORS)


def _offline() -> bool:
    return os.environ.get("FMNIST_OFFLINE", "0").lower() not in ("", "0", "false", "no")


# Reading.
def _official(limits: Limits) -> Arrays:
    if folder := _local_folder():
        return _read_all(folder)
    with suppress(DataError):  # the cache is ours: what is missing or damaged there is mended
        return _read_all(_cache_folder())
    fetch(limits=limits)
    return _read_all(_cache_folder())


def _read_all(folder: Path) -> Arrays:
    with ThreadPoolExecutor() as pool:  # hashing and unpacking let go of the interpreter
        return Arrays(*pool.map(_read, [folder / name for name in REGISTRY]), source="official")


def _read(path: Path) -> np.ndarray:
    """Return the array in an IDX file, once the file is proved: a header of type and shape, then the bytes."""
    found, content = _inspect(path)
    if found != REGISTRY[path.name]:
        raise DataError("data.damaged", **_describe(path))
    shape = SHAPES[path.name]
    header = struct.pack(f">HBB{len(shape)}I", 0, 0x08, len(shape), *shape)
    length = len(header) + math.prod(shape)
    gzip = zlib.decompressobj(wbits=31)  # the gzip format, its checksum compared
    try:
        content = gzip.decompress(content, length + 1)  # no more than that, whatever it declares
    except zlib.error as error:
        raise DataError("data.not_idx", file=str(path), shape=shape) from error
    if not content.startswith(header) or len(content) != length or not gzip.eof or gzip.unused_data:
        raise DataError("data.not_idx", file=str(path), shape=shape)
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape)


def _inspect(path: Path) -> tuple[str, bytes]:
    """Return the SHA-256 and the bytes of a file; or, in words, why it cannot be read, and no bytes."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return say("data.no_file"), b""
    except OSError as error:
        return error.strerror or type(error).__name__, b""
    return hashlib.sha256(content).hexdigest(), content


def _describe(path: Path) -> dict[str, str]:
    found = _inspect(path)[0]
    others = [
        f" = {name}" for name, digest in REGISTRY.items() if digest == found and name != path.name
    ]  # swapped
    return {"file": str(path), "expected": REGISTRY[path.name], "found": found + "".join(others)}


@functools.lru_cache(maxsize=1)
def _stand_in(train: int, test: int) -> Arrays:
    images, labels = _drawn(train + test)
    images.flags.writeable = labels.flags.writeable = False  # the next call gets the same arrays
    return Arrays(
        images[:train], labels[:train], images[train:], labels[train:], source="synthetic"
    )


def _drawn(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return so many images and labels of the stand-in, as drawn before by the same code if the cache still has them."""
    kept = _cache_folder() / f"stand-in-{DRAWN_BY}-{count}"
    with suppress(OSError):
        content = kept.read_bytes()
        if hashlib.sha256(content[32:]).digest() == content[:32]:
            values = np.frombuffer(content, np.uint8, offset=32)
            return values[:-count].reshape(count, 28, 28), values[-count:]
    images, labels = synthetic.draw(count)
    content = images.tobytes() + labels.tobytes()
    with suppress(OSError):  # a cache that cannot be written costs time, no more
        kept.parent.mkdir(parents=True, exist_ok=True)
        _publish(kept, hashlib.sha256(content).digest() + content)
        for outdated in {*kept.parent.glob("stand-in-*")} - {kept}:
            if (
                time.time() - outdated.stat().st_mtime > 7 * 86400
            ):  # not what another environment uses at this moment
                outdated.unlink()
    return images, labels


# Downloading.
def _wanted(folder: Path) -> list[str]:
    """Return the names of the files that are missing or damaged in ``folder``, the smallest first."""
    wanted = [name for name, digest in REGISTRY.items() if _inspect(folder / name)[0] != digest]
    return sorted(wanted, key=lambda name: math.prod(SHAPES[name]))


def _download(
    path: Path, mirrors: list[str], limits: Limits, deadline: float, progress: Callable
) -> bytes:
    """Return the proved bytes of a file from the first mirror that has them; it is then the first in ``mirrors``."""
    failures = []
    for _ in range(len(mirrors)):
        try:
            content = _get(
                mirrors[0] + path.name, limits, deadline, functools.partial(progress, path.name)
            )
            found = hashlib.sha256(content).hexdigest()
            if found == REGISTRY[path.name]:
                return content
            cause = say("data.wrong_bytes", size=len(content), found=found)
        except Exception as error:  # of many kinds, each a reason to try the next mirror
            cause = f"{type(error).__name__}: {error}"
        failures.append(f"  {mirrors[0]}: {cause}")
        mirrors.append(mirrors.pop(0))
    raise DataError("data.unreachable", **_describe(path), causes="\n".join(failures))


def _get(url: str, limits: Limits, deadline: float, progress: Callable[[int], None]) -> bytes:
    """Return what ``url`` gives. It comes in a thread that can be left: name look-ups and drips know no time limit."""
    get = pooch.HTTPDownloader(
        timeout=(limits.connect, limits.read), headers={"Accept-Encoding": "identity"}
    )
    buffer, errors, started = io.BytesIO(), [], time.monotonic()

    def transfer() -> None:
        try:
            get(url, buffer, None)
        except Exception as error:
            while error.__context__:  # the libraries wrap it, more wordily each time
                error = error.__context__
            errors.append(error)

    thread = threading.Thread(target=transfer, daemon=True)
    thread.start()
    while thread.join(0.1) or thread.is_alive():
        now, size = time.monotonic(), buffer.tell()
        progress(size)
        if (
            now > deadline
            or size > LARGEST
            or (now - started > limits.read and size < SLOWEST * (now - started))
        ):
            buffer.close()  # the next write of the thread fails, which ends it
            raise TimeoutError(say("data.given_up", size=size, seconds=now - started))
    if errors:
        raise errors[0]
    return buffer.getvalue()


def _publish(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a power cut."""
    part = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        with open(part, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.is_dir():
            shutil.rmtree(path)
        try:
            os.replace(part, path)
        except (
            FileNotFoundError
        ):  # swept by another process: where locks do not work, both believe to be alone
            _publish(path, content)
    finally:
        part.unlink(missing_ok=True)


# Arguments.
def _one_of(name: str, given: object, allowed: Iterable[str]) -> None:
    if given not in allowed:
        hint = nearest(str(given), allowed)
        raise UserError(
            "data.choice", name=name, given=given, allowed=", ".join(allowed), hint=hint
        )


def _in_range(
    name: str, given: object, low: float, high: float, kind: type = numbers.Integral
) -> None:
    if not isinstance(given, kind) or isinstance(given, bool) or not low <= given <= high:
        key = "data.whole" if kind is numbers.Integral else "data.number"
        raise UserError(key, name=name, given=given, low=low, high=high)
