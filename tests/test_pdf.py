"""The PDF of the book: a long page whose links lead somewhere, its link, and no Chromium."""

from __future__ import annotations

import re
import shutil

import pytest
from bs4 import BeautifulSoup

from book.machinery import pages, pdf
from book.machinery.browser import CHROMIUM


@pytest.fixture
def own_site(toy_site, tmp_path):
    return shutil.copytree(toy_site, tmp_path / "html")


@pytest.mark.parametrize(
    ("lang", "contents", "first"), [("es", "Contenido", "Inicio"), ("en", "Contents", "Home")]
)
def test_the_long_page_is_the_whole_book(toy_site, lang, contents, first):
    page = BeautifulSoup(pdf.whole(toy_site, lang), "html.parser")
    assert page.html["lang"] == lang and page.select_one(".book-contents h1").text == contents
    listed = [link.text for link in page.select(".book-contents a")]
    assert listed[0] == first and len(listed) == len(page.select("article.bd-article")) == 5
    ids = [element["id"] for element in page.find_all(id=True)]
    assert len(ids) == len(set(ids))
    inside = [link["href"] for link in page.find_all("a", href=re.compile("^#"))]
    assert len(inside) > 8 and [href for href in inside if href[1:] not in ids] == []
    assert all(
        link["href"].startswith(("#", "http", "mailto:")) for link in page.find_all("a", href=True)
    )
    assert page.select_one("#notebooks-01_toy--fig-01-loss img")["src"].startswith("_images/")
    assert not page.select(
        "article h1, article script, article details:not([open]), [loading=lazy], .headerlink"
    )


def test_links_out_of_the_pdf_lead_to_the_published_site(own_site):
    path = own_site / "es" / "index.html"
    more = '<p><a href="api/data.html#x">a</a> <a href="../en/index.html">b</a></p></article>'
    path.write_text(path.read_text("utf-8").replace("</article>", more), "utf-8")
    page = pdf.whole(own_site, "es")
    for end in ("/es/api/data.html#x", "/en/index.html"):
        assert f'href="{pages.public_site()}{end}"' in page


def test_every_page_links_to_the_pdf_once(own_site):
    (own_site / "en" / pdf.file_name("en")).write_bytes(b"x" * 3_100_000)
    for _ in range(2):
        pdf.link(own_site, "en")
    for path in (own_site / "en").rglob("*.html"):
        if not {"_static", "slides"} & set(path.parts):
            (link,) = BeautifulSoup(path.read_bytes(), "html.parser").select(".book-pdf a")
            assert link.text == "The book as PDF (3 MB)"
            assert (path.parent / link["href"]).resolve().is_file()
    assert not list((own_site / "es").glob("*.pdf"))


def test_without_chromium_or_a_site_it_says_what_to_do(own_site, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(pdf, "CHROMIUM", None)
    before = (own_site / "es" / "index.html").read_bytes()
    assert pdf.main(own_site) == 1 and (own_site / "es" / "index.html").read_bytes() == before
    said = capsys.readouterr().err
    assert "hace falta Chromium" in said and "it takes Chromium" in said
    monkeypatch.setattr(pdf, "CHROMIUM", "chromium")
    assert pdf.main(tmp_path / "nothing") == 1
    said = capsys.readouterr().err
    assert "primero, make book" in said and "first, make book" in said


@pytest.mark.nightly
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_the_pdf_has_pages_an_outline_and_links(own_site):
    assert pdf.main(own_site) == 0
    for lang in ("es", "en"):
        made = (own_site / lang / pdf.file_name(lang)).read_bytes()
        assert made.startswith(b"%PDF")
        assert made.count(b"/Type /Page\n") + made.count(b"/Type /Page ") >= 5
        assert b"/Outlines" in made and b"/StructTreeRoot" in made and b"/Dest" in made
    assert not list(own_site.rglob(pdf.WHOLE))
