"""Download the four official files into the user's cache, each proved by its SHA-256.

``FMNIST_MIRRORS`` names other addresses, with commas between; ``FMNIST_OFFLINE=1`` forbids
downloading; ``FMNIST_CACHE`` moves the cache.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import filelock
import requests
import urllib3

from fmnist_utils import settings
from fmnist_utils.data import (
    OFFICIAL_FILES,
    DataError,
    check_idx,
    find_file,
    official_folder,
    way_out,
)
from fmnist_utils.text import UserError, say
from fmnist_utils.workshop.files import held, replace_file

MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
)
PACKED_SHA256 = {  # of the files as they are published, the smallest first
    "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    "train-labels-idx1-ubyte.gz": (
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"
    ),
    "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "train-images-idx3-ubyte.gz": (
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"
    ),
}
REQUESTS_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
YES, NO = ("1", "yes", "true", "on"), ("0", "no", "false", "off")
LARGEST = 100_000_000  # bytes: no official file comes near
SLOWEST = 20_000  # bytes a second: a slower mirror is left for the next one


Progress = Callable[[str, int], None]  # called with a file's name and how many bytes have come


class Limits(NamedTuple):
    """Seconds: to connect, to wait for a byte, for all the files together."""

    connect: float = 10
    read: float = 15
    total: float = 600


PATIENT = Limits()


def fetch(progress: Progress | None = None, limits: Limits = PATIENT) -> dict[str, str]:
    """Download what is missing or damaged in the cache; return the address of each such file.

    Processes that ask at once wait for the first, which downloads for all. A file appears in the
    cache whole and proved, or not at all.

    Raises:
        DataError: if no mirror gives a file within the limits, or the cache cannot be written.
    """
    folder, deadline = settings.cache_folder(), time.monotonic() + limits.total
    came_from: dict[str, str] = {}
    addresses = mirrors()
    try:
        if missing(folder):
            if is_offline():
                raise DataError("data.offline", file=str(folder / missing(folder)[0]))
            folder.mkdir(parents=True, exist_ok=True)
            told = {"folder": folder, "limit": limits.total}
            with held(folder / ".lock", "data.waiting", limits.total, **told):
                for part in folder.glob("*.part"):  # left by a process that was killed
                    part.unlink(missing_ok=True)
                for name in missing(folder):
                    came_from[name] = _fetch_one(
                        folder / name, addresses, progress, limits, deadline
                    )
    except filelock.Timeout:
        lock = str(folder / ".lock")
        raise DataError("data.busy", lock=lock, seconds=limits.total) from None
    except (OSError, NotImplementedError) as error:  # the latter: a file system without locks
        cause = getattr(error, "strerror", None) or str(error)
        there = next(path for path in (folder, *folder.parents) if os.path.exists(path))
        free = shutil.disk_usage(there).free / 1e6
        raise DataError("data.cache", folder=str(folder), cause=cause, free=free) from error
    return came_from


def fetch_if_missing() -> None:
    """Download the official files unless they are at hand or ``FMNIST_DATA`` names their folder.

    Raises:
        DataError: as :func:`fetch`.
    """
    if not settings.variable("FMNIST_DATA"):
        fetch()


def verify() -> dict[str, tuple[Path, str]]:
    """Return for each official file where it is, and what is wrong with it (nothing: ``""``)."""
    folder = official_folder()
    paths = {name: find_file(folder, name) for name in OFFICIAL_FILES}
    return {name: (path, check_idx(path, OFFICIAL_FILES[name])) for name, path in paths.items()}


def status() -> dict[str, Any]:
    """Return where the files are looked for, whether each is good, and where they come from."""
    return {
        "folder": str(official_folder()),
        "good": {name: not problem for name, (_, problem) in verify().items()},
        "way_out": way_out(official_folder() / "-"),
        "offline": is_offline(),
        "mirrors": mirrors(),
    }


def is_offline() -> bool:
    """Return whether ``FMNIST_OFFLINE`` forbids downloading.

    Raises:
        UserError: if it says neither yes nor no.
    """
    given = settings.variable("FMNIST_OFFLINE") or "0"
    if given.lower() not in YES + NO:
        allowed = ", ".join(YES + NO)
        raise UserError("data.choice", name="FMNIST_OFFLINE", given=given, allowed=allowed, hint="")
    return given.lower() in YES


def missing(folder: Path) -> list[str]:
    """Return the names of the files that are missing or damaged in ``folder``, smallest first."""
    return [
        name
        for name in PACKED_SHA256
        if check_idx(folder / name, OFFICIAL_FILES[name.removesuffix(".gz")])
    ]


def mirrors() -> list[str]:
    """Return the addresses to download from, in the order in which they are tried."""
    given = (settings.variable("FMNIST_MIRRORS") or "").replace(",", " ").split()
    return [mirror.rstrip("/") + "/" for mirror in given or MIRRORS]


def _fetch_one(
    path: Path,
    addresses: list[str],
    progress: Progress | None,
    limits: Limits,
    deadline: float,
) -> str:
    """Download a file from the first mirror that has it and is then the first; return its URL."""
    failures = []
    for mirror in list(addresses):
        url = mirror + path.name
        try:
            content = _get(url, path.name, progress, limits, deadline)
        except (OSError, urllib3.exceptions.HTTPError) as error:  # those of requests are OSErrors
            wrong = _root_cause(error)
        else:
            found = hashlib.sha256(content).hexdigest()
            if found == PACKED_SHA256[path.name]:
                _put(path, content)
                return url
            wrong = say("data.wrong_bytes", size=len(content), found=found)
        failures.append(f"  {mirror}: {wrong}")
        addresses.append(addresses.pop(0))
    told = {"causes": "\n".join(failures), "variable": told_by_variables(addresses)}
    raise DataError("data.unreachable", file=str(path), expected=PACKED_SHA256[path.name], **told)


def told_by_variables(addresses: Iterable[str]) -> str:
    """Return in words which environment variables lead the way to the addresses; ``""`` if none."""
    found = {}
    for address in addresses:
        scheme = address.partition(":")[0]
        names = [*REQUESTS_CERTIFICATES] if scheme == "https" else []
        if not requests.utils.should_bypass_proxies(address, no_proxy=None):
            names += [f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY"]
        found |= {name: os.environ[name] for name in names if settings.variable(name)}
    lines = [say("data.by_variable", name=name, value=value) for name, value in found.items()]
    return "".join(f"\n{line}" for line in lines)


def _get(url: str, name: str, progress: Progress | None, limits: Limits, deadline: float) -> bytes:
    """Return what ``url`` gives.

    Raises:
        TimeoutError: if it comes too slowly, or is too much to be one of the official files.
    """
    started, content = time.monotonic(), bytearray()
    timeout = (limits.connect, limits.read)
    headers = {"Accept-Encoding": "identity"}
    with requests.get(url, stream=True, timeout=timeout, headers=headers) as response:
        response.raise_for_status()
        # read1 gives what has come; read would wait for a whole block from a mirror that drips.
        while block := response.raw.read1(1 << 16):
            content += block
            seconds = time.monotonic() - started
            slow = seconds > limits.read and len(content) < SLOWEST * seconds
            if slow or len(content) > LARGEST or time.monotonic() > deadline:
                raise TimeoutError(say("data.given_up", size=len(content), seconds=seconds))
            if progress:
                progress(name, len(content))
        expected = response.headers.get("Content-Length", len(content))
        if len(content) < int(expected):
            raise requests.ConnectionError(f"{len(content)} of {expected} bytes came")
    return bytes(content)


def _root_cause(error: BaseException) -> str:
    """Return the error below those in which the libraries wrap it, more wordily each time."""
    while error.__context__:
        error = error.__context__
    return f"{type(error).__name__}: {error}"


def _put(path: Path, content: bytes) -> None:
    """Write a file of the cache, in the place of whatever was there."""
    if path.is_dir():
        shutil.rmtree(path)
    try:
        replace_file(path, content)
    except FileNotFoundError:  # swept by another process, where locks do not work
        _put(path, content)
