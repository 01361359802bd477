"""The notebooks as a student sees them in JupyterLab: each one opened, page 01 run, an exercise completed."""

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
from fmnist_utils.exercises import CASES
from fmnist_utils.text import LANGUAGES, say
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
RAN = re.compile(r"\[\d+\]:")  # the prompt of a cell that has run
SETUP_CELLS = 3  # installing, parameters, report: from then on the notebook speaks its language


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Start JupyterLab on copies of all notebooks; the value is its folder and its address."""
    folder, settings = tmp_path_factory.mktemp("lab"), tmp_path_factory.mktemp("settings")
    for lang in LANGUAGES:
        copy_notebooks(folder, lang)
    file = settings / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    file.parent.mkdir(parents=True)
    # Every cell is drawn, also off the screen.
    file.write_text(json.dumps({"windowingMode": "none"}))
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


def kernel_is_idle(page):
    """Wait until the notebook's kernel has started."""
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status == 'idle'"
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_page_01_runs_from_top_to_bottom(opened, lang):
    page = opened("01_ff_classifier", lang)
    kernel_is_idle(page)
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    prompts = page.locator(".jp-CodeCell .jp-InputArea-prompt")
    code_cells = prompts.count()

    def finished():
        shown = prompts.all_text_contents()
        return all(RAN.fullmatch(text.strip()) for text in shown)

    wait_for(finished, seconds=600)
    assert code_cells > 20
    assert (
        page.locator("[data-mime-type='application/vnd.jupyter.stderr']").all_text_contents() == []
    )
    assert page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0
    assert page.locator(".jp-OutputArea img").count() >= 8


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_exercise_completed_wrongly_and_rightly(opened, lang):
    page = opened("03_conv_autoencoder_transfer", lang)
    kernel_is_idle(page)
    cells = page.locator(".jp-CodeCell")
    for number in range(SETUP_CELLS):
        run(page, cells.nth(number))
    exercise = cells.filter(has_text='check("03.4", output_side)')
    run(page, exercise)
    assert answer(exercise) == say("exercises.unfinished", lang, number="03.4")
    exercise.locator(".cm-line", has_text="...").click()
    complete(page, "return (side + padding - kernel_size) // stride + 1")
    run(page, exercise)
    wrong = answer(exercise)
    assert wrong.startswith(say("exercises.wrong", lang, number="03.4", problem=""))
    assert "side = " in wrong and "2 * padding" not in wrong
    exercise.locator(".cm-line", has_text="return").click()
    complete(page, "return (side + 2 * padding - kernel_size) // stride + 1")
    run(page, exercise)
    assert answer(exercise) == say("exercises.right", lang, number="03.4", count=CASES)


def complete(page, line):
    """Type ``line`` over the line of the cursor, from its first letter on."""
    page.keyboard.press("Home")
    page.keyboard.press("Shift+End")
    page.keyboard.insert_text(line)


def run(page, cell):
    """Run a cell as a reader does, and wait until it has run."""
    prompt = cell.locator(".jp-InputArea-prompt")
    before = prompt.text_content()
    cell.locator(".cm-content").focus()
    page.keyboard.press("Control+Enter")
    wait_for(
        lambda: prompt.text_content() != before and RAN.fullmatch(prompt.text_content().strip()),
        seconds=120,
    )


def answer(cell):
    """Return what a cell has answered, in one line a sentence, as it was before it was broken into lines."""
    return re.sub(r"\n  ", " ", cell.locator(".jp-OutputArea-output").text_content().strip())
