"""What search engines, shared links and readers who found a mistake get from a page of the site."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest
import yaml
from bs4 import BeautifulSoup
from toy_book import ROOT, soup

from book.machinery import pages

SITE = pages.public_site()
PAGES = ["index.html", "notebooks/01_toy.html", "glossary.html", "bibliography.html"]


def said(page: BeautifulSoup, name: str) -> str:
    """Return what exactly one ``meta`` element says under ``name``."""
    [found] = page.select(f'meta[property="{name}"], meta[name="{name}"]')
    return found["content"]


def in_site(toy_site: Path, address: str) -> Path:
    """Return the file of the built site that a public address leads to."""
    assert address.startswith(f"{SITE}/")
    return toy_site / address.removeprefix(f"{SITE}/")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("lang", "site"), [("es", "informes a prueba"), ("en", "put to the test")])
def test_a_shared_page_shows_its_title_text_and_picture(toy_site, lang, site, name):
    page = soup(toy_site / lang / name)
    heading = page.select_one("article h1").find(string=True, recursive=False)
    assert said(page, "og:title") == heading.strip()
    assert site in said(page, "og:site_name")
    assert said(page, "og:url") == f"{SITE}/{lang}/{name}"
    assert 15 <= len(said(page, "description")) <= 200
    assert said(page, "og:description") == said(page, "description")
    assert in_site(toy_site, said(page, "og:image")).suffix == ".png"
    assert in_site(toy_site, said(page, "og:image")).is_file()


def test_the_picture_is_the_first_figure_of_the_page_with_its_text(toy_site):
    for lang, words in (("es", "Una línea recta"), ("en", "A straight line")):
        page = soup(toy_site / lang / "notebooks" / "01_toy.html")
        shown = Path(page.select_one("#fig-01-loss img")["src"]).name
        assert said(page, "og:image").endswith(f"/{lang}/_images/{shown}")
        assert said(page, "og:image:alt").startswith(words)
        assert said(soup(toy_site / lang / "glossary.html"), "og:image") == f"{SITE}/card.png"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_names_its_address_in_each_language(toy_site, name):
    for lang in ("es", "en"):
        page = soup(toy_site / lang / name)
        [canonical] = page.select('link[rel="canonical"]')
        assert canonical["href"] == f"{SITE}/{lang}/{name}"
        alternates = {
            link["hreflang"]: link["href"] for link in page.select("link[rel=alternate][hreflang]")
        }
        assert alternates == {code: f"{SITE}/{code}/{name}" for code in ("es", "en")}


def test_the_sitemap_lists_every_page_beside_its_translation(toy_site):
    names = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
    entries = ElementTree.parse(toy_site / "sitemap.xml").findall("s:url", names)
    listed = {entry.find("s:loc", names).text: entry for entry in entries}
    assert set(listed) == {
        f"{SITE}/{lang}/{name}" for lang in ("es", "en") for name in [*PAGES, "colophon.html"]
    }
    for address, entry in listed.items():
        assert in_site(toy_site, address).is_file()
        others = {link.get("hreflang"): link.get("href") for link in entry if link.get("hreflang")}
        assert address in others.values() and set(others) == {"es", "en"}


@pytest.mark.parametrize(("lang", "language"), [("es", "español"), ("en", "English")])
def test_the_form_for_a_mistake_is_filled_in(toy_site, lang, language):
    [link] = soup(toy_site / lang / "notebooks" / "01_toy.html").select("a.report-mistake")
    filled = {name: value for name, [value] in parse_qs(urlsplit(link["href"]).query).items()}
    form = ROOT / ".github" / "ISSUE_TEMPLATE" / filled.pop("template")
    assert link["href"].startswith(f"{pages.repository()}/issues/new?")
    assert filled["page"] == f"{lang}/notebooks/01_toy"
    assert filled["language"] == language
    assert re.fullmatch(re.escape(pages.project()["version"]) + r" \(\S+\)", filled["version"])
    fields = yaml.safe_load(form.read_text("utf-8"))["body"]
    # GitHub fills in fields of text by the name of the field.
    assert set(filled) <= {field["id"] for field in fields if field["type"] == "input"}
