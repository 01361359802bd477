"""The process in which ``fmnist check`` tries the answers of one notebook.

It reads its tasks as JSON from stdin, and writes a line when it begins one and a line with what
came of it. Nothing that a notebook prints gets among them.
"""

from __future__ import annotations

import json
import linecache
import os
import sys

from fmnist_utils.exercises import WRONG, Result, check
from fmnist_utils.exercises.cases import one_line
from fmnist_utils.text import say, set_language


def main() -> None:
    """Try all tasks."""
    given = json.load(sys.stdin)
    told = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    set_language(given["lang"])
    limit_memory(given["memory"])
    for task in given["tasks"]:
        print(json.dumps({"number": task["number"]}), file=told, flush=True)
        set_language(given["lang"])  # a notebook may have set its own
        result = answer(**task)
        line = {"number": result.number, "state": result.state, "told": result.told}
        print(json.dumps(line), file=told, flush=True)
    told.flush()
    os._exit(0)  # threads that a notebook has left behind do not keep it


def answer(number: str, name: str, source: str) -> Result:
    """Return what the check says of the function ``name`` that ``source`` defines."""
    file = f"<{number}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    names = {"__name__": "__main__"}
    try:
        exec(compile(source, file, "exec"), names)
    except BaseException as error:
        what = one_line(f"{type(error).__name__}: {error}")
        return Result(number, WRONG, say("check.raised", number=number, error=what))
    return check(number, names[name])


def limit_memory(mebibytes: int) -> None:
    """Let this process use no more than so much memory, where the system can say so."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_DATA, (mebibytes * 2**20,) * 2)


if __name__ == "__main__":
    main()
