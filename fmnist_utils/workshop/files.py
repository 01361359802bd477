"""Files that are there whole or not at all, locks, and names that every system allows."""

from __future__ import annotations

import os
import platform
import re
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from fmnist_utils.text import UserError, say

# Names that Windows keeps for devices.
RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


def check_name(name: str) -> str:
    """Return ``name`` if a file may be called so on every system.

    Raises:
        UserError: if not, or if it would not lie in the folder in which it is put.
    """
    fits = re.fullmatch(r"\w[\w .,()+=-]*", name) and len(name.encode()) <= 120
    if not fits or name[-1] in ". " or RESERVED.fullmatch(name):
        raise UserError("runs.bad_name", given=name[:60])
    return name


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a power cut.

    Raises:
        UserError: if it cannot be written (no space, no permission); what was there is untouched.
    """
    try:
        replace_file(path, content)
    except OSError as error:
        megabytes = f"{len(content) / 1e6:.1f}"
        values = {"file": path.name, "reason": error.strerror, "megabytes": megabytes}
        raise UserError("runs.cannot_write", **values) from error


def replace_file(path: Path, content: bytes) -> None:
    """Do what :func:`write_atomically` does.

    Raises:
        OSError: if it cannot be written.
    """
    # A random name: machines that share a folder may have processes of the same number.
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(part, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


PATIENCE = 3.0  # seconds that somebody waits for a lock without a word


def acquire(lock: FileLock, key: str, seconds: float = -1, **values: object) -> None:
    """Take a lock, and leave in its file who holds it.

    Whoever has to wait is told so on stderr: the text ``key``, with its ``values``, the ``holder``
    in words and the number of its ``process``.

    Args:
        seconds: how long to wait; -1 means for ever, 0 not at all.

    Raises:
        Timeout: if it cannot be had in that time.
        OSError, NotImplementedError: where locks do not work.
    """
    path = Path(lock.lock_file)
    try:
        lock.acquire(timeout=seconds if 0 <= seconds < PATIENCE else PATIENCE)
    except Timeout:
        if 0 <= seconds < PATIENCE:
            raise
        process, holder = read_holder(path)
        told = say(key, process=process, holder=holder, **values)
        print(told, file=sys.stderr, flush=True)
        lock.acquire(timeout=seconds)
    since = time.strftime("%Y-%m-%d %H:%M")
    with suppress(OSError):  # Windows lets nobody write into it
        path.write_text(f"{os.getpid()}\n{platform.node()}\n{since}\n", "utf-8")


@contextmanager
def held(path: Path, key: str, seconds: float = -1, **values: object) -> Iterator[None]:
    """Hold the lock of a file, which :func:`acquire` takes with these arguments."""
    lock = FileLock(path)
    acquire(lock, key, seconds, **values)
    try:
        yield
    finally:
        lock.release()


def read_holder(path: Path) -> tuple[str, str]:
    """Return the number of the process that holds the lock of a file, and in words who it is."""
    try:
        process, computer, since = path.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return "?", "?"
    return process, say("runs.holder", process=process, computer=computer, since=since)
