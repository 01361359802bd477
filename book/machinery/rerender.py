"""After a change of words alone, Sphinx reads and writes again only the pages that have changed.

Sphinx knows by the times of the files which pages to read again, but not what else on the site says what they say: a title stands
in the menu of every page, a label behind links elsewhere. So what it made of the pages last time is kept only if nothing else
differs than plain text: no title, label, directive, role or link, no code and no output, no program and no style.
"""

from __future__ import annotations

import filecmp
import json
import os
import re
import shutil
from pathlib import Path

WHOLE = "whole"  # in the folder of what Sphinx has made: it was made to the end, without a warning
MARKUP = re.compile(
    r"""^\#[^\n]* | ^\([\w-]+\)= | ^(?P<fence>:{3,}|`{3,}).*?^(?P=fence)$ | \{[\w:-]+\}`[^`]*` | \]\([^)]*\) | ^\[[^\]]*\]:
    | <(?=[a-zA-Z/!])[^>]*> | \$\$[ ]*\([^)]*\) | \{[.#][^}]*\}""",
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)


def carry_over(old: Path, new: Path) -> bool:
    """Move what Sphinx made of the laid-out book ``old`` to ``new``, if what differs is plain text; return whether it was."""
    made, before, after = old / "_build", files(old), files(new)
    if not (made / WHOLE).exists() or before.keys() != after.keys():
        return False
    same = {name for name in before if filecmp.cmp(before[name], after[name], shallow=False)}
    if any(frame(before[name]) != frame(after[name]) for name in before.keys() - same):
        return False
    for name in after:  # by its time Sphinx knows which page has changed; a file restored from a copy may bring an old one
        shutil.copystat(before[name], after[name]) if name in same else os.utime(after[name])
    (made / WHOLE).unlink()
    made.rename(new / "_build")
    return True


def files(book: Path) -> dict[str, Path]:
    """Return the files of a laid-out book by their names, without what Sphinx has made of them."""
    found = {path.relative_to(book).as_posix(): path for path in book.rglob("*") if path.is_file()}
    return {
        name: path
        for name, path in found.items()
        if not name.startswith("_build/") and "__pycache__" not in path.parts
    }


def frame(path: Path) -> object:
    """Return all of a file but its plain text."""
    if path.suffix == ".md":
        return [match[0] for match in MARKUP.finditer(path.read_text("utf-8"))]
    if path.suffix != ".ipynb":
        return path.read_bytes()
    notebook = json.loads(path.read_text("utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = [match[0] for match in MARKUP.finditer("".join(cell["source"]))]
    return notebook
