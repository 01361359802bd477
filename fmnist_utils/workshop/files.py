"""Files that are there whole or not at all, and names that every system allows."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from fmnist_utils.text import UserError

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
