"""The scripts of the living parts, run in Node."""

import json
import shutil
import subprocess

import pytest

from book.machinery.pages import BOOK

SCRIPTS = BOOK / "machinery" / "browser_code"
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="Node is not installed")


def run_scripts(names: list[str], expression: str, given=None):
    """Return what a JavaScript expression gives after these scripts, with ``given`` at hand."""
    program = "\n".join((SCRIPTS / name).read_text("utf-8") for name in names)
    program += (
        f"\nconst given = {json.dumps(given)};\nprocess.stdout.write(JSON.stringify({expression}));"
    )
    done = subprocess.run(
        [NODE, "-"], input=program, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
