"""The built site in Chromium: what the tests of its look, its scripts and its weight share."""

from __future__ import annotations

import dataclasses

import pytest

from book.machinery.browser import CHROMIUM, launched, served
from book.machinery.pages import BOOK, ROOT

SITE = BOOK / "_build" / "html"
AXE = (ROOT / "tests" / "axe" / "axe.min.js").read_text("utf-8")
WIDTHS = {"desktop": 1400, "tablet": 768, "phone": 390}
PAGES = sorted(
    path.relative_to(SITE).as_posix()
    for path in SITE.glob("*/**/*.html")
    if not {"_static", "slides"} & set(path.parts)  # test_slides.py has those
)
# Start every living part that waits to be asked, and wait until it is there.
START_PARTS = """Promise.all([...document.querySelectorAll('.live-start')].map((button) => new Promise((done) => {
  const part = button.closest('[data-live]');
  button.click();
  const look = () => ('begun' in part.dataset ? done(true) : setTimeout(look, 50));
  look();
})))"""
needs_the_site = [
    pytest.mark.nightly,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
    pytest.mark.skipif(not SITE.exists(), reason="the book is not built: make book"),
]


@dataclasses.dataclass
class Visit:
    """An open page, with what the console and the network said of it.

    Attributes:
        page: Playwright's page.
        complaints: errors and warnings of the console, exceptions, requests that failed.
        requests: Playwright's requests, in their order.
    """

    page: object
    complaints: list[str] = dataclasses.field(default_factory=list)
    requests: list = dataclasses.field(default_factory=list)

    def __post_init__(self):
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", lambda request: self.complaints.append(request.url))
        # No built-in method: Playwright marks what it is given.
        self.page.on("request", lambda request: self.requests.append(request))
        self.page.on("console", self._listen)

    def _listen(self, message) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def evaluate(self, script: str):
        """Return the value of a JavaScript expression on the page; promises are awaited."""
        return self.page.evaluate(script)

    def frame(self) -> None:
        """Wait until what was asked for is drawn."""
        frames = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        self.page.evaluate(f"{frames}.then(() => true)")


@pytest.fixture(scope="session")
def chromium():
    with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def address():
    with served(SITE) as where:
        yield where


@pytest.fixture
def visit(chromium, address):
    """Open a page of the site in a context of its own and wait until it is still."""
    contexts = []

    def open_page(
        name, screen="desktop", scheme="light", languages="es", scripts=True, root=address
    ):
        width = WIDTHS[screen]
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            locale=languages,
            java_script_enabled=scripts,
        )
        contexts.append(context)
        context.set_default_timeout(120_000)  # the machine may be busy with other things
        visited = Visit(context.new_page())
        visited.page.goto(f"{root}/{name}")
        if scripts:
            visited.page.evaluate("window.MathJax?.startup?.promise?.then(() => true)")
        return visited

    yield open_page
    for context in contexts:
        context.close()
