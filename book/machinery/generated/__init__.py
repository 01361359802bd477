"""The parts of the site that are computed when it is built: tables, figures, filled-in texts, scripts with data.

Each module here makes what one page shows, by a function ``write(folder, lang, executed)``: the folder of the laid-out book,
the language, and the executed pages by name. A new one is one line in ``PARTS``.
"""

from __future__ import annotations

import importlib
from pathlib import Path

from nbformat import NotebookNode

# The file in the folder of a language that shows the part → the module that makes it; without the file, it is not made.
PARTS = {
    "colophon.md": "colophon",
    "reliability.md": "reliability",
    "together.md": "closing",
    "try.md": "browser_data",
    "train_here.md": "training_data",
    "speed.md": "speed",
    "teaching.md": "adding",
    "_verdicts.md": "verdicts",
    "api.md": "api",
}


def write_all(folder: Path, lang: str, executed: dict[str, NotebookNode]) -> None:
    """Write the parts of all pages that are there into ``folder``."""
    for page, name in PARTS.items():
        if (folder / page).exists():
            importlib.import_module(f"{__name__}.{name}").write(folder, lang, executed)
