"""What the computer around the program decides: variables, folders, and how a command is typed.

An environment variable that is set but empty counts as not set; ``~`` in a folder is the user's.
"""

from __future__ import annotations

import importlib.metadata
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import platformdirs

PACKAGE = Path(__file__).resolve().parent


def variable(name: str) -> str | None:
    """Return the value of an environment variable, or None if it is not set, or empty."""
    return os.environ.get(name, "").strip() or None


def folder(name: str) -> Path | None:
    """Return the folder that an environment variable names, or None if it names none."""
    value = variable(name)
    return without_tilde(value) if value else None


class NoHome(RuntimeError):
    """The path has a ``~``, and the system does not know the user's folder."""


def without_tilde(path: str | os.PathLike[str]) -> Path:
    """Return a path with the user's folder in place of its ``~``.

    Raises:
        NoHome: if it has one, in a container for example, and there is no such folder.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise NoHome(str(path)) from None


def user_folder() -> Path:
    """Return the folder of this system for what the package keeps between sessions.

    Of a user whom the system does not know, without a home, it is among the temporary folders.
    """
    try:
        return platformdirs.user_cache_path("fmnist_utils", appauthor=False).expanduser()
    except RuntimeError:  # a container in which the user has only a number
        return Path(tempfile.gettempdir()) / f"fmnist_utils-{os.getuid()}"


def cache_folder() -> Path:
    """Return the folder that downloads go to: that of ``FMNIST_CACHE``, else the user's."""
    return folder("FMNIST_CACHE") or user_folder()


def runs_folder() -> Path:
    """Return the folder of the runs made here: that of ``FMNIST_RUNS``, else one of the user's."""
    return folder("FMNIST_RUNS") or user_folder() / "runs"


# --- How a command is typed -----------------------------------------------------------------------


def command(name: str) -> str:
    """Return how ``fmnist``, ``pip``, ``python`` or ``export`` is typed where a message is read.

    In a cell of a notebook ``!`` or ``%`` goes before it. A program that the reader's ``PATH`` does
    not lead to, or leads to another Python's, is called by way of this Python.

    Raises:
        KeyError: for any other name.
    """
    in_cell = _is_in_cell()
    if name == "export":
        return "%env" if in_cell else "set" if os.name == "nt" else "export"
    if name == "pip" and in_cell:
        return "%pip"
    modules = {"fmnist": " -m fmnist_utils", "pip": " -m pip", "python": ""}
    by_this_python = shlex.quote(sys.executable) + modules[name]
    found = shutil.which(name)
    is_ours = found and Path(found).parent.resolve() == Path(sys.executable).parent.resolve()
    return ("!" if in_cell else "") + (name if is_ours else by_this_python)


def _is_in_cell() -> bool:
    """Return whether this program runs in a cell of a notebook, or at IPython's prompt."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None


def restoring(path: Path) -> str | None:
    """Return the command that gives back a file as it was published; None if it never was.

    That is a file of this package, or one that Git keeps.
    """
    kept = ["git", "-C", str(path.parent), "ls-files", "--error-unmatch", path.name]
    try:
        subprocess.run(kept, check=True, capture_output=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        if PACKAGE not in path.resolve().parents:
            return None
        _, _, address = importlib.metadata.metadata("fmnist-utils")["Project-URL"].partition(", ")
        source = shlex.quote(f"fmnist-utils @ git+{address}")
        return f"{command('pip')} install --force-reinstall --no-deps {source}"
    git = "!git" if _is_in_cell() else "git"
    # From HEAD: in the middle of a merge the index has three versions and none to give.
    return f"{git} -C {shlex.quote(str(path.parent))} checkout HEAD -- {shlex.quote(path.name)}"
