"""A headless Chromium for the PDF of the book and for the tests of the site, driven over its DevTools protocol."""

from __future__ import annotations

import base64
import functools
import http.server
import io
import json
import shutil
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
PIECE = 4000  # pixels of height of a picture taken at once
PATIENCE = 120  # seconds: a machine may be busy with other things


class PageGone(RuntimeError):
    """The page went away before it had answered."""


class Browser:
    """Headless Chromium, driven over its DevTools protocol. It can reach this machine only."""

    def __init__(self, profile: Path):
        self.process = subprocess.Popen(
            [
                CHROMIUM,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                "--no-first-run",
                "--remote-debugging-port=0",
                "--remote-allow-origins=*",
                f"--user-data-dir={profile}",
                "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        port_file = profile / "DevToolsActivePort"
        self.port = int(
            wait_for(lambda: port_file.exists() and port_file.read_text().split("\n")[0])
        )
        import websocket  # comes with JupyterLab

        targets = wait_for(
            lambda: json.load(urllib.request.urlopen(f"http://127.0.0.1:{self.port}/json/list"))
        )
        address = next(
            target["webSocketDebuggerUrl"] for target in targets if target["type"] == "page"
        )
        self.socket = websocket.create_connection(address, timeout=PATIENCE)
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
                if "target navigated" in message.get("error", {}).get("message", ""):
                    raise PageGone(method)
                assert "error" not in message, message
                return message["result"]
            self.events.append(message)

    def evaluate(self, script: str):
        """Return the value of a JavaScript expression on the page; promises are awaited."""
        try:
            result = self.call(
                "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
            )
        except PageGone:  # it went on to another page meanwhile, which is the one that is meant
            result = self.call(
                "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
            )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def open(self, address: str, width: int, scheme: str = "light", languages: str = "es") -> None:
        """Open a page and wait until it is still: loaded, formulas set."""
        self.events.clear()
        self.screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", **self.screen)
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )
        self.call(
            "Network.setUserAgentOverride", userAgent="Mozilla/5.0 Chrome", acceptLanguage=languages
        )
        self.call("Page.navigate", url=address)
        wait_for(
            lambda: self.evaluate(
                "document.readyState == 'complete' && location.href != 'about:blank'"
            )
        )
        self.evaluate("window.MathJax?.startup?.promise?.then(() => true)")

    def screenshot(self, path: Path) -> None:
        """Save a picture of the whole page, put together of pieces: asked for all at once, Chromium lays it out anew, too wide."""
        from PIL import Image

        width, height = self.evaluate("[innerWidth, document.documentElement.scrollHeight]")
        self.call("Emulation.setDeviceMetricsOverride", **self.screen | {"height": PIECE})
        self.evaluate("[...document.images].forEach((image) => { image.loading = 'eager'; })")
        self.evaluate(
            "Promise.all([...document.images].map((image) => image.decode().catch(() => null))).then(() => true)"
        )
        whole = Image.new("RGB", (width, height))
        for top in range(0, height, PIECE):
            top = max(0, min(top, height - PIECE))  # the last piece ends where the page does
            self.evaluate(f"scrollTo({{top: {top}, behavior: 'instant'}})")
            picture = self.call("Page.captureScreenshot", format="png")
            whole.paste(Image.open(io.BytesIO(base64.b64decode(picture["data"]))), (0, top))
        path.parent.mkdir(parents=True, exist_ok=True)
        whole.save(path)
        self.call("Emulation.setDeviceMetricsOverride", **self.screen)

    def requests(self) -> list[str]:
        """Return the addresses that the open page has asked for."""
        asked = (
            event["params"]
            for event in self.events
            if event["method"] == "Network.requestWillBeSent"
        )
        return [parameters["request"]["url"] for parameters in asked]

    def complaints(self) -> list[str]:
        """Return the errors and warnings of the console and the requests that failed."""
        found = []
        for event in self.events:
            parameters = event.get("params", {})
            if event["method"] == "Runtime.exceptionThrown":
                found.append(parameters["exceptionDetails"]["text"])
            elif event["method"] == "Runtime.consoleAPICalled" and parameters["type"] in (
                "error",
                "warning",
            ):
                found.append(str([argument.get("value") for argument in parameters["args"]]))
            elif event["method"] == "Log.entryAdded" and parameters["entry"]["level"] in (
                "error",
                "warning",
            ):
                found.append(parameters["entry"]["text"] + " " + parameters["entry"].get("url", ""))
        return found

    def close(self) -> None:
        self.socket.close()
        self.process.terminate()
        self.process.wait(PATIENCE)


def wait_for(condition, seconds: float = PATIENCE):
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
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=folder)
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
