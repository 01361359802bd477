"""The published site in a real browser: nothing from outside, no errors, formulas set, nothing wider than the screen.

Screenshots of every page are left in ``book/_build/screenshots`` for people to look at.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from book.machinery.browser import CHROMIUM, Browser, serve, wait_for

BUILD = Path(__file__).resolve().parents[1] / "book" / "_build"
WIDTHS = {"desktop": 1400, "tablet": 768, "phone": 390}

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
    pytest.mark.skipif(not (BUILD / "html").exists(), reason="the book is not built: make book"),
]


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


PAGES = sorted(
    path.relative_to(BUILD / "html").as_posix() for path in (BUILD / "html").glob("*/**/*.html")
)
VIEWS = [
    ("desktop", "light"),
    ("desktop", "dark"),
    ("tablet", "light"),
    ("phone", "light"),
    ("phone", "dark"),
]


@pytest.mark.parametrize(("screen", "scheme"), VIEWS)
@pytest.mark.parametrize("page", [page for page in PAGES if "_static" not in page])
def test_page(browser, address, page, screen, scheme):
    browser.open(f"{address}/{page}", WIDTHS[screen], scheme)
    browser.screenshot(
        BUILD
        / "screenshots"
        / f"{page.removesuffix('.html').replace('/', '.')}.{screen}.{scheme}.png"
    )
    assert browser.complaints() == []
    outside = [url for url in browser.requests() if not url.startswith((address, "data:", "blob:"))]
    assert outside == []
    assert browser.evaluate("document.documentElement.scrollWidth") <= WIDTHS[screen]
    assert browser.evaluate("document.documentElement.dataset.theme") == scheme
    not_set = "document.querySelectorAll('.math:not(:has(mjx-container)), mjx-merror, [data-mjx-error]').length"
    assert browser.evaluate(not_set) == 0


def test_language_switch_keeps_the_place_and_the_choice(browser, address):
    browser.open(f"{address}/es/how_to_run.html", 1400)
    there = browser.evaluate(
        "[...document.querySelectorAll('article section[id]')].map(section => section.id)"
    )
    browser.evaluate(f"document.getElementById('{there[5]}').scrollIntoView()")
    browser.evaluate("document.querySelector('.language-switcher a').click()")
    wait_for(
        lambda: browser.evaluate(
            "location.pathname.startsWith('/en/') && document.readyState == 'complete'"
        )
    )
    here = browser.evaluate(
        "[...document.querySelectorAll('article section[id]')].map(section => section.id)"
    )
    assert browser.evaluate("location.pathname + location.hash") == f"/en/how_to_run.html#{here[5]}"
    assert (
        browser.evaluate(
            "Math.abs(document.querySelector(location.hash).getBoundingClientRect().top)"
        )
        < 200
    )
    browser.open(
        f"{address}/index.html", 1400, languages="es"
    )  # the reader's choice comes before the browser's
    wait_for(lambda: browser.evaluate("location.pathname") == "/en/index.html")
    browser.evaluate("localStorage.clear()")


@pytest.mark.parametrize(
    ("languages", "lang"), [("es-AR,en", "es"), ("en-GB,es", "en"), ("ca", "es"), ("fr,de", "en")]
)
def test_landing_page_chooses_the_language_of_the_browser(browser, address, languages, lang):
    browser.open(f"{address}/index.html", 1400, languages=languages)
    wait_for(lambda: browser.evaluate("location.pathname") == f"/{lang}/index.html")


@pytest.mark.parametrize(
    ("query", "page"), [("validacion", "es/search.html"), ("validation", "en/search.html")]
)
def test_search_finds_and_quotes_the_article(browser, address, query, page):
    browser.open(f"{address}/{page}?q={query}", 1400)
    wait_for(lambda: browser.evaluate("document.querySelectorAll('#search-results li').length"))
    wait_for(
        lambda: browser.evaluate("document.querySelectorAll('#search-results p.context').length")
    )
    excerpts = browser.evaluate(
        "[...document.querySelectorAll('#search-results p.context')].map(p => p.textContent)"
    )
    assert not any("ES EN" in " ".join(text.split()) for text in excerpts)


def test_site_works_from_the_disk(browser):
    browser.open((BUILD / "html" / "es" / "notation.html").as_uri(), 1400)
    assert browser.evaluate("document.querySelectorAll('mjx-container').length") > 10
    assert browser.complaints() == []


def test_menu_opens_on_a_phone(browser, address):
    browser.open(f"{address}/es/index.html", WIDTHS["phone"])
    visible = "document.querySelector('#pst-primary-sidebar-modal, #pst-primary-sidebar')?.getBoundingClientRect().left >= 0"
    browser.evaluate("document.querySelector('.primary-toggle').click()")
    wait_for(
        lambda: browser.evaluate(f"{visible} && !!document.querySelector('dialog[open], .show')")
    )
