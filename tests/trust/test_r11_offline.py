"""R11. Without a network: after `fmnist data fetch`, every page; before it, a clear message."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from patience import at_most

from fmnist_utils.text import LANGUAGES
from fmnist_utils.workshop import download
from fmnist_utils.workshop.lab import page_notebooks

ROOT = Path(__file__).resolve().parents[2]
PAGES = page_notebooks(ROOT / "notebooks")


def without_network(command: list[str], **environment: str) -> subprocess.CompletedProcess:
    """Run ``command`` with no network but the machine's own address, which a kernel needs."""
    inner = 'ip link set lo up && exec "$@"'
    if not shutil.which("unshare") or not shutil.which("ip"):
        pytest.skip("needs unshare and ip")
    if subprocess.run(
        ["unshare", "-rn", "sh", "-c", inner, "sh", "true"], capture_output=True
    ).returncode:
        pytest.skip("no right to take the network away")
    variables = {
        name: value for name, value in os.environ.items() if not name.startswith("FMNIST_")
    }
    return subprocess.run(
        ["unshare", "-rn", "sh", "-c", inner, "sh", *command],
        env=variables | environment,
        capture_output=True,
        text=True,
    )


FIRST_START = """
import time
from fmnist_utils.data import DataError
from fmnist_utils.workshop.download import fetch
start = time.monotonic()
try:
    fetch()
except DataError as error:
    print(error, time.monotonic() - start, sep="\\n")
"""


@pytest.mark.racing
@pytest.mark.parametrize("lang", LANGUAGES)
def test_without_the_files_a_clear_message_at_once(tmp_path, lang):
    done = without_network(
        [sys.executable, "-c", FIRST_START], FMNIST_CACHE=str(tmp_path), FMNIST_LANG=lang
    )
    *message, seconds = done.stdout.splitlines()
    message = "\n".join(message)
    for part in (
        str(tmp_path),
        *download.MIRRORS,
        "fmnist data fetch",
        {"es": "No se pudo descargar", "en": "could not be"}[lang],
    ):
        assert part in message
    # Ten seconds is how long it would wait for a mirror to answer.
    assert float(seconds) < at_most(2, slack=8) and not done.stderr


@pytest.mark.nightly
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_page_without_a_network(tmp_path, page, lang):
    """On the sample, which needs no file but those of the package."""
    command = [
        str(Path(sys.executable).with_name("fmnist")),
        "--lang",
        lang,
        "run",
        str(page),
        "-o",
        "out.ipynb",
    ]
    environment = {
        "FMNIST_CACHE": str(tmp_path / "cache"),
        "FMNIST_RUNS": str(tmp_path / "runs"),
        "FMNIST_LANG": lang,
    }
    done = without_network(
        ["sh", "-c", 'cd "$0" && exec "$@"', str(tmp_path), *command], **environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
