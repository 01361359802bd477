"""The notebooks as a student sees them: all opened in JupyterLab, page 01 run there."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from book.machinery.browser import CHROMIUM, launched
from book.machinery.pages import ROOT, paths
from fmnist_utils.text import LANGUAGES
from fmnist_utils.workshop.lab import copy_notebooks

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
MADE = [(path.stem, lang) for path in paths() for lang in LANGUAGES]
# What is left of a source, or of a formula, where it was not understood.
UNREAD = re.compile(
    r"\{[\w:-]+\}`|:::|\$\$|\\(?:tag|frac|times|begin)\b|\]\(|<!--|^#+ |\*\*\w", re.MULTILINE
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Start JupyterLab on copies of all notebooks; the value is its folder and its address."""
    folder, settings = tmp_path_factory.mktemp("lab"), tmp_path_factory.mktemp("settings")
    for lang in LANGUAGES:
        copy_notebooks(folder, lang)
    file = settings / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    file.parent.mkdir(parents=True)
    file.write_text(
        json.dumps({"windowingMode": "none"})
    )  # every cell is drawn, also off the screen
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--expose-app-in-browser"]
    command += ["--allow-root", f"--port={port}", "--IdentityProvider.token=t", "--ip=127.0.0.1"]
    environment = os.environ | {
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "PYTHONPATH": str(ROOT),
        "JUPYTER_CONFIG_DIR": str(settings / "none"),
    }
    server = subprocess.Popen(
        [*command, f"--ServerApp.root_dir={folder}"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: answers(f"{address}/api?token=t"), seconds=120)
        yield folder, address
    finally:
        server.terminate()
        server.wait(30)


def answers(url):
    try:
        return urlopen(url, timeout=5).status == 200
    except (URLError, ConnectionError, TimeoutError):
        return False


def wait_for(holds, seconds):
    """Ask every half second until it holds; fail after ``seconds``."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.5)


@pytest.fixture(scope="module")
def browser():
    with launched() as chromium:
        yield chromium


@pytest.fixture
def opened(lab, browser):
    """Open a notebook, wait until its text is drawn, and return Playwright's page."""
    pages = []

    def open_notebook(name, lang):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        pages.append(page)
        page.set_default_timeout(180_000)
        below = "" if lang == "es" else f"{lang}/"
        page.goto(f"{lab[1]}/doc/tree/{below}{name}.ipynb?token=t&reset")
        count = len(json.loads((lab[0] / below / f"{name}.ipynb").read_text("utf-8"))["cells"])
        page.wait_for_function(
            "(count) => document.querySelectorAll('.jp-Notebook .jp-Cell').length >= count",
            arg=count,
        )
        page.wait_for_function(
            "() => !document.querySelector('.jp-MarkdownCell .jp-MarkdownOutput:empty')"
        )
        page.wait_for_function("() => window.jupyterapp.restored.then(() => true)")
        return page

    yield open_notebook
    for page in pages:
        page.close()


def texts(page):
    """Return the text of each markdown cell as it is drawn, without code and formulas."""
    return page.evaluate(
        """() => [...document.querySelectorAll('.jp-MarkdownCell .jp-MarkdownOutput')].map((cell) => {
             const copy = cell.cloneNode(true);
             copy.querySelectorAll('code, pre, mjx-container').forEach((part) => part.remove());
             return copy.textContent;
           })"""
    )


@pytest.mark.parametrize(("name", "lang"), MADE)
def test_a_notebook_opens_as_plain_text(opened, name, lang):
    page = opened(name, lang)
    page.wait_for_function("() => document.querySelector('mjx-container')")
    found = [match[0] for text in texts(page) for match in UNREAD.finditer(text)]
    assert found == []
    assert page.locator("mjx-merror, [data-mjx-error]").count() == 0
    assert page.locator(".jp-MarkdownOutput h1").count() == 1
    pictures = ".jp-MarkdownOutput img"
    broken = page.locator(pictures).evaluate_all(
        "(all) => all.filter((one) => !one.naturalWidth).length"
    )
    assert broken == 0


@pytest.mark.parametrize("lang", LANGUAGES)
def test_page_01_runs_from_top_to_bottom(opened, lang):
    page = opened("01_ff_classifier", lang)
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status == 'idle'"
    )
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    prompts = page.locator(".jp-CodeCell .jp-InputArea-prompt")
    code_cells = prompts.count()

    def finished():
        shown = prompts.all_text_contents()
        return all(re.fullmatch(r"\[\d+\]:", text.strip()) for text in shown)

    wait_for(finished, seconds=600)
    assert code_cells > 20
    assert (
        page.locator("[data-mime-type='application/vnd.jupyter.stderr']").all_text_contents() == []
    )
    assert page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0
    assert page.locator(".jp-OutputArea img").count() >= 8
