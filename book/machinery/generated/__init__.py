"""The parts of the site that are computed when it is built: tables, figures, filled-in texts, scripts with data.

Each module here makes what one page shows, by a function ``write(folder, lang, executed)``: the folder of the laid-out book,
the language, and the executed pages by name. A new one is one line in ``PARTS``.

What takes long is kept in ``book/_build/cache`` until the package with its records, the machinery, the measurements of
speed, a text of the site or a library changes: mending a sentence of a page computes nothing.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from nbformat import NotebookNode

from book.machinery import execution
from book.machinery.pages import BOOK, ROOT

# The module that makes a part → the file in the folder of a language that shows it; without the file, it is not made.
PARTS = {
    "colophon": "colophon.md",
    "reliability": "reliability.md",
    "closing": "together.md",
    "browser_data": "try.md",
    "training_data": "train_here.md",
    "speed": "speed.md",
    "adding": "teaching.md",
    "verdicts": "_verdicts.md",
    "api": "api.md",
}
# Those that take seconds. They need but the names of the pages, and are made while these are executed.
KEPT = {"closing", "browser_data", "training_data", "speed", "verdicts"}
LIBRARIES = ("torch", "numpy", "scipy", "pandas", "scikit-learn", "matplotlib", "seaborn", "pillow")


def write_all(folder: Path, lang: str, executed: dict[str, NotebookNode]) -> None:
    """Write the parts of all pages that are there into ``folder``."""
    write_kept(folder, lang, executed)
    _write(PARTS.keys() - KEPT, folder, lang, executed)


def write_kept(folder: Path, lang: str, executed: Iterable[str]) -> None:
    """Write those that are kept into ``folder``, and make them before if something has changed."""
    kept = execution.CACHE / "parts" / lang
    made_from, known = kept / "made_from", digest(folder, executed)
    if not made_from.exists() or made_from.read_text("utf-8") != known:
        shutil.rmtree(kept, ignore_errors=True)
        before = contents(folder)
        _write(KEPT, folder, lang, dict.fromkeys(executed))
        for name, content in contents(folder).items():
            if before.get(name) != content:
                (kept / "files" / name).parent.mkdir(parents=True, exist_ok=True)
                (kept / "files" / name).write_bytes(content)
        kept.mkdir(parents=True, exist_ok=True)
        made_from.write_text(known, "utf-8")  # last: now it is whole
    elif (kept / "files").exists():
        shutil.copytree(kept / "files", folder, dirs_exist_ok=True)


def _write(names: Iterable[str], folder: Path, lang: str, executed: dict) -> None:
    for name in sorted(names):
        if (folder / PARTS[name]).exists():
            importlib.import_module(f"{__name__}.{name}").write(folder, lang, executed)


def contents(folder: Path) -> dict[str, bytes]:
    """Return what the files in ``folder`` hold, by their names in it, without those of Python."""
    paths = (path for path in sorted(folder.rglob("*")) if "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths if path.is_file()}


def digest(folder: Path, executed: Iterable[str]) -> str:
    """Return a digest of all that the parts that are kept are made from."""
    variables = {name: value for name, value in os.environ.items() if name.startswith("FMNIST_")}
    versions = [execution.distribution(name) for name in LIBRARIES]
    found = hashlib.sha256(json.dumps([sorted(executed), variables, versions]).encode())
    texts = {path.name: path.read_bytes() for path in sorted(folder.glob("*.md"))}
    sources = (execution.PACKAGE, BOOK / "machinery", ROOT / "benchmarks")
    for files in (*map(contents, sources), texts):
        for name, content in files.items():
            found.update(f"{name} {len(content)}\n".encode())
            found.update(content)
    return found.hexdigest()
