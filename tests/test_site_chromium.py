"""The published site in a real browser: nothing from outside, no errors, formulas set, nothing wider than the screen.

Screenshots of every page are left in ``book/_build/screenshots`` for people to look at.
"""

from __future__ import annotations

import base64
import functools
import http.server
import json
import shutil
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

import pytest

BUILD = Path(__file__).resolve().parents[1] / "book" / "_build"
CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
WIDTHS = {"desktop": 1400, "phone": 390}

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
    pytest.mark.skipif(not (BUILD / "html").exists(), reason="the book is not built: make book"),
]


class Browser:
    """Headless Chromium, driven over its DevTools protocol. It can reach this machine only."""

    def __init__(self, profile: Path):
        self.process = subprocess.Popen(
            [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
             "--remote-debugging-port=0", "--remote-allow-origins=*", f"--user-data-dir={profile}",
             "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        port_file = profile / "DevToolsActivePort"
        self.port = int(wait_for(lambda: port_file.exists() and port_file.read_text().split("\n")[0]))
        websocket = pytest.importorskip("websocket")  # comes with JupyterLab
        targets = wait_for(lambda: json.load(urllib.request.urlopen(f"http://127.0.0.1:{self.port}/json/list")))
        address = next(target["webSocketDebuggerUrl"] for target in targets if target["type"] == "page")
        self.socket = websocket.create_connection(address, timeout=60)
        self.events: list[dict] = []
        self.number = 0
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters) -> dict:
        """Send one command and return its result; events that arrive meanwhile are kept."""
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == self.number:
                assert "error" not in message, message
                return message["result"]
            self.events.append(message)

    def evaluate(self, script: str):
        """Return the value of a JavaScript expression on the page; promises are awaited."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def open(self, address: str, width: int, scheme: str = "light", languages: str = "es") -> None:
        """Open a page and wait until it is still: loaded, formulas set."""
        self.events.clear()
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", **screen)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Network.setUserAgentOverride", userAgent="Mozilla/5.0 Chrome", acceptLanguage=languages)
        self.call("Page.navigate", url=address)
        wait_for(lambda: self.evaluate("document.readyState == 'complete' && location.href != 'about:blank'"))
        self.evaluate("window.MathJax?.startup?.promise?.then(() => true)")

    def screenshot(self, path: Path) -> None:
        """Save a picture of the whole page."""
        picture = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(picture["data"]))

    def requests(self) -> list[str]:
        """Return the addresses that the open page has asked for."""
        asked = (event["params"] for event in self.events if event["method"] == "Network.requestWillBeSent")
        return [parameters["request"]["url"] for parameters in asked]

    def complaints(self) -> list[str]:
        """Return the errors and warnings of the console and the requests that failed."""
        found = []
        for event in self.events:
            parameters = event.get("params", {})
            if event["method"] == "Runtime.exceptionThrown":
                found.append(parameters["exceptionDetails"]["text"])
            elif event["method"] == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning"):
                found.append(str([argument.get("value") for argument in parameters["args"]]))
            elif event["method"] == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
                found.append(parameters["entry"]["text"] + " " + parameters["entry"].get("url", ""))
        return found

    def close(self) -> None:
        self.socket.close()
        self.process.terminate()
        self.process.wait(10)


def wait_for(condition, seconds: float = 30):
    """Return what ``condition`` gives as soon as it is true.

    Raises:
        TimeoutError: if it has not become true after ``seconds``.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if value := condition():
                return value
        except OSError:
            pass
        time.sleep(0.05)
    raise TimeoutError(f"nothing after {seconds} s")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def serve(folder: Path) -> http.server.ThreadingHTTPServer:
    """Serve ``folder`` on a free port of 127.0.0.1, in a thread."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="module")
def address():
    server = serve(BUILD / "html")
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    opened = Browser(tmp_path_factory.mktemp("chromium"))
    yield opened
    opened.close()


PAGES = sorted(path.relative_to(BUILD / "html").as_posix() for path in (BUILD / "html").glob("*/**/*.html"))
VIEWS = [("desktop", "light"), ("desktop", "dark"), ("phone", "light"), ("phone", "dark")]


@pytest.mark.parametrize(("screen", "scheme"), VIEWS)
@pytest.mark.parametrize("page", [page for page in PAGES if "_static" not in page])
def test_page(browser, address, page, screen, scheme):
    browser.open(f"{address}/{page}", WIDTHS[screen], scheme)
    browser.screenshot(BUILD / "screenshots" / f"{page.removesuffix('.html').replace('/', '.')}.{screen}.{scheme}.png")
    assert browser.complaints() == []
    outside = [url for url in browser.requests() if not url.startswith((address, "data:", "blob:"))]
    assert outside == []
    assert browser.evaluate("document.documentElement.scrollWidth") <= WIDTHS[screen]
    assert browser.evaluate("document.documentElement.dataset.theme") == scheme
    not_set = "document.querySelectorAll('.math:not(:has(mjx-container)), mjx-merror, [data-mjx-error]').length"
    assert browser.evaluate(not_set) == 0


def test_language_switch_keeps_the_place_and_the_choice(browser, address):
    browser.open(f"{address}/es/how_to_run.html", 1400)
    there = browser.evaluate("[...document.querySelectorAll('article section[id]')].map(section => section.id)")
    browser.evaluate(f"document.getElementById('{there[5]}').scrollIntoView()")
    browser.evaluate("document.querySelector('.language-switcher a').click()")
    wait_for(lambda: browser.evaluate("location.pathname.startsWith('/en/') && document.readyState == 'complete'"))
    here = browser.evaluate("[...document.querySelectorAll('article section[id]')].map(section => section.id)")
    assert browser.evaluate("location.pathname + location.hash") == f"/en/how_to_run.html#{here[5]}"
    assert browser.evaluate("Math.abs(document.querySelector(location.hash).getBoundingClientRect().top)") < 200
    browser.open(f"{address}/index.html", 1400, languages="es")  # the reader's choice comes before the browser's
    wait_for(lambda: browser.evaluate("location.pathname") == "/en/index.html")
    browser.evaluate("localStorage.clear()")


@pytest.mark.parametrize(("languages", "lang"), [("es-AR,en", "es"), ("en-GB,es", "en"), ("ca", "es"), ("fr,de", "en")])
def test_landing_page_chooses_the_language_of_the_browser(browser, address, languages, lang):
    browser.open(f"{address}/index.html", 1400, languages=languages)
    wait_for(lambda: browser.evaluate("location.pathname") == f"/{lang}/index.html")


@pytest.mark.parametrize(("query", "page"), [("validacion", "es/search.html"), ("validation", "en/search.html")])
def test_search_finds_and_quotes_the_article(browser, address, query, page):
    browser.open(f"{address}/{page}?q={query}", 1400)
    wait_for(lambda: browser.evaluate("document.querySelectorAll('#search-results li').length"))
    wait_for(lambda: browser.evaluate("document.querySelectorAll('#search-results p.context').length"))
    excerpts = browser.evaluate("[...document.querySelectorAll('#search-results p.context')].map(p => p.textContent)")
    assert not any("ES EN" in " ".join(text.split()) for text in excerpts)


def test_site_works_from_the_disk(browser):
    browser.open((BUILD / "html" / "es" / "notation.html").as_uri(), 1400)
    assert browser.evaluate("document.querySelectorAll('mjx-container').length") > 10
    assert browser.complaints() == []


def test_menu_opens_on_a_phone(browser, address):
    browser.open(f"{address}/es/index.html", WIDTHS["phone"])
    visible = "document.querySelector('#pst-primary-sidebar-modal, #pst-primary-sidebar')?.getBoundingClientRect().left >= 0"
    browser.evaluate("document.querySelector('.primary-toggle').click()")
    wait_for(lambda: browser.evaluate(f"{visible} && !!document.querySelector('dialog[open], .show')"))
