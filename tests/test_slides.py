"""The slides of the pages: what becomes one, what is said beside it, and that each fits."""

from __future__ import annotations

import re

import pytest
from bs4 import BeautifulSoup
from site_browser import SITE, needs_the_site
from toy_book import soup

from book.machinery import slides

DECKS = sorted(path.relative_to(SITE).as_posix() for path in SITE.glob(f"*/{slides.FOLDER}/*.html"))


@pytest.fixture(params=["es", "en"])
def deck(request, toy_site):
    """The deck of the toy page in one language, and the page."""
    folder = toy_site / request.param
    return soup(folder / "slides" / "01_toy.html"), soup(folder / "notebooks" / "01_toy.html")


def test_a_page_and_its_slides_lead_to_each_other(deck, toy_site):
    shown, page = deck
    lang = page.html["lang"]
    [button] = page.select("a.btn-slides-button")
    assert button["title"] == {"es": "Diapositivas", "en": "Slides"}[lang]
    assert (toy_site / lang / "notebooks" / button["href"]).resolve().is_file()
    assert shown.html["lang"] == lang and shown.h1.get_text() in page.h1.get_text()
    assert shown.select_one(".title a")["href"] == "../notebooks/01_toy.html"


def test_figures_tables_predictions_and_questions_have_slides(deck):
    shown, page = deck
    [picture] = shown.select("section.picture:has(img)")  # and not the one of the solution
    figure = page.select_one("#fig-01-loss")
    assert picture.img["src"] == figure.img["src"] and picture.img["alt"] == figure.img["alt"]
    assert picture.select_one(".caption").get_text() in figure.figcaption.get_text()
    [prediction] = shown.select("section.predict")
    answers = page.select(".admonition.predict li")
    assert [item.get_text() for item in prediction.select("li")] == [a.get_text() for a in answers]
    asked = shown.select("section.question")
    assert len(asked) == 5 and all(len(question.select("ol li")) >= 3 for question in asked)
    right = page.select_one("fieldset.question details strong").get_text()
    assert right in asked[0].aside.get_text() and right not in asked[0].ol.get_text()
    assert len(shown.select("section.exercise")) == 1 and shown.select("section.picture table")


def test_what_is_said_is_the_text_of_the_page(deck):
    shown, page = deck
    notes = " ".join(shown.get_text() for shown in shown.select("aside.notes"))
    text = page.select_one("article").get_text()
    paragraphs = shown.select("aside.notes > p")
    assert len(paragraphs) > 8 and all(paragraph.get_text() in text for paragraph in paragraphs)
    assert not re.search("seed = 0|colof", notes)  # neither parameters nor the last line of a page


def test_a_deck_asks_nothing_of_others_and_names_nothing_twice(deck):
    shown, _ = deck
    loaded = [
        tag.get("src") or tag.get("href") for tag in shown.select("[src], link[rel=stylesheet]")
    ]
    assert len(loaded) >= 7 and [url for url in loaded if not url.startswith("../_")] == []
    assert any("mathjax" in url for url in loaded)
    assert shown.select("[id]") == [] and [i for i in shown.select("img") if not i.get("alt")] == []


ARTICLE = """<article class="bd-article"><section><h1>T</h1><p>Lead.</p>
<section><h2>Empty</h2><div class="admonition predict"><p class="admonition-title">P</p><p>Up?</p></div></section>
<section><h2>Long</h2><p>One <em>word. Two</em> words. {rest}</p><ul><li>{item}</li></ul></section>
<section><h2>Table</h2><figure class="captioned-table"><figcaption>Rows.</figcaption>
<table><tbody>{rows}</tbody></table></figure></section>
<section><h2>References</h2><p>Gone.</p></section></section></article>"""


def test_a_slide_has_little_on_it():
    rows = "<tr><td>x</td></tr><tr class='reason'><td>why</td></tr>" * 12
    page = BeautifulSoup(
        ARTICLE.format(rest="The rest " + "is long, and " * 40, item="w " * 300, rows=rows),
        "html.parser",
    )
    title, predict, long, table = slides.slides(page.article, "en")
    assert title.shown == ["<p>Lead.</p>"]
    assert (predict.heading, predict.kind) == ("Empty", "predict")  # no slide with a heading alone
    assert long.shown == ["<p>One <em>word. Two</em> words.</p>"]
    assert "The rest is" in long.notes[0] and "<li>" in long.notes[1]  # the list has no room
    assert table.shown[0].count("<tr") == slides.ROWS and "All 12 rows" in table.shown[1]


# --- At night, in Chromium ------------------------------------------------------------------------

OVERFULL = """Reveal.getSlides().filter((slide, n) => { Reveal.slide(n);
  const box = slide.querySelector(".fill"); return box.scrollHeight > 721 || box.scrollWidth > 1281; }).map((slide) => slide.querySelector("h1, h2").textContent)"""


@pytest.mark.parametrize("name", DECKS)
class TestShown:
    pytestmark = needs_the_site

    def test_every_slide_fits_and_nothing_comes_from_elsewhere(self, visit, address, name):
        visited = visit(name)
        visited.page.wait_for_function("window.Reveal?.isReady()")
        assert visited.evaluate(OVERFULL) == []
        assert visited.complaints == []
        assert [r.url for r in visited.requests if not r.url.startswith((address, "data:"))] == []
        not_set = ".math:not(:has(mjx-container)), mjx-merror, [data-mjx-error]"
        assert visited.page.locator(not_set).count() == 0

    def test_paper_has_every_slide(self, visit, name):
        page = visit(f"{name}?print-pdf").page
        page.wait_for_selector(".pdf-page")
        wanted = soup(SITE / name).select(".slides > section")
        assert page.locator(".pdf-page").count() == len(wanted)
        heights = page.evaluate(
            "[...document.images].map((image) => image.naturalHeight && image.height)"
        )
        assert all(height > 100 for height in heights)
