"""``fmnist lab``: copies of the notebooks of the pages, for the reader, opened in JupyterLab."""

from __future__ import annotations

import filecmp
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import fmnist_utils
from fmnist_utils.audit.schema import report_names
from fmnist_utils.text import UserError

# Installed with the package, or beside it in a checkout; the English ones in ``en`` below.
_SHIPPED = Path(fmnist_utils.__file__).resolve().parent / "notebooks"
NOTEBOOKS = _SHIPPED if _SHIPPED.is_dir() else _SHIPPED.parents[1] / "notebooks"


class Copies(NamedTuple):
    """What :func:`copy_notebooks` did, by the names of the files in the reader's folder.

    Attributes:
        new: copied now.
        kept: there already with other content, which is the reader's: left as they were.
        first: the notebook to open.
    """

    new: list[str]
    kept: list[str]
    first: Path


def notebooks_folder(lang: str) -> Path:
    """Return the folder of the notebooks in ``lang``.

    Raises:
        UserError: if they are missing.
    """
    folder = NOTEBOOKS if lang == "es" else NOTEBOOKS / lang
    if not page_notebooks(folder):
        raise UserError("lab.no_notebooks", folder=folder)
    return folder


def page_notebooks(folder: Path) -> list[Path]:
    """Return the notebooks of the pages in ``folder``, in order, without copies and outputs."""
    paths = [folder / f"{name}.ipynb" for name in report_names()]
    return [path for path in paths if path.is_file()]


def copy_notebooks(folder: Path, lang: str) -> Copies:
    """Copy the notebooks in ``lang`` into ``folder``.

    What the reader has saved there is never written over. The Spanish ones are put in the folder
    itself, the English ones in ``en`` below it, as in the repository.

    Raises:
        UserError: if the folder cannot be written.
    """
    target = folder if lang == "es" else folder / lang
    sources = page_notebooks(notebooks_folder(lang))
    new, kept = [], []
    try:
        target.mkdir(parents=True, exist_ok=True)
        for source in sources:
            copy = target / source.name
            if not copy.exists():
                shutil.copyfile(source, copy)
                new.append(source.name)
            elif not filecmp.cmp(source, copy, shallow=False):
                kept.append(source.name)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError("lab.no_folder", folder=folder, reason=reason) from None
    return Copies(new, kept, target / sources[0].name)


def open_lab(folder: Path, first: Path) -> int:
    """Run JupyterLab in ``folder`` with the notebook ``first`` open; return its exit status.

    Raises:
        UserError: if JupyterLab is not installed.
    """
    if not importlib.util.find_spec("jupyterlab"):
        raise UserError("lab.no_jupyterlab")
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}", str(first)]
    return subprocess.call(command)
