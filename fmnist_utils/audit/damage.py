"""What happened to a file that is not what it was, in words, and the way out."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from fmnist_utils import settings
from fmnist_utils.text import UserError, say


def read_json(content: bytes) -> str:
    """Return the text of a JSON file, in whichever Unicode an editor has saved it, without its mark.

    Raises:
        UnicodeDecodeError: if it is none.
    """
    return content.decode(json.detect_encoding(content))


def describe(path: Path, content: bytes) -> str:
    """Return in words what is wrong with a file, whose name says whether it should hold JSON."""
    if not content.strip():
        return say("damage.empty")
    if content.startswith(b"version https://git-lfs"):
        return say("damage.lfs")
    if path.suffix not in (".json", ".ipynb"):
        return say("damage.other")
    for line, start in enumerate(content.splitlines(), 1):
        if start.startswith((b"<<<<<<< ", b">>>>>>> ")):
            return say("damage.conflict", line=line)
    try:
        text = read_json(content)
        json.loads(text)
    except UnicodeDecodeError as error:
        return say("damage.encoding", byte=error.start)
    except json.JSONDecodeError as error:
        if text.lstrip().startswith("<"):
            return say("damage.page")
        if not text[error.pos :].strip() or error.msg.startswith("Unterminated"):
            return say("damage.cut_short", line=text.count("\n") + 1)
        return say("damage.not_json", line=error.lineno, column=error.colno)
    except RecursionError:  # brackets within brackets, thousands deep
        return say("damage.other")
    return say("damage.other")


def damaged(path: Path, content: bytes, key: str = "runs.damaged") -> UserError:
    """Return the error that says of a file of records what happened to it and how to get it back."""
    quoted, command = shlex.quote(str(path)), settings.restoring(path)
    if command:
        way_out = say("runs.restore", command=command)
    elif path.parent.name == "records":
        way_out = say("runs.publish_anew", quoted=quoted, report=path.parts[-3])
    else:
        way_out = say("runs.make_anew", quoted=quoted)
    return UserError(key, file=str(path), reason=describe(path, content), way_out=way_out)
