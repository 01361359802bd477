"""The built book as one PDF in each language, inside the site: ``make pdf``, after ``make book``.

The pages of a language, in the order of its table of contents, become one long page, which headless
Chromium prints: so every link between pages leads to its place in the PDF, and the headings are its
outline. The link to the file is put into the menu of every page; a new build of the site takes both
away, so that no PDF is older than its site.
"""

from __future__ import annotations

import datetime
import posixpath
import re
import string
import sys
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from bs4 import BeautifulSoup, Tag

from book.machinery import pages
from book.machinery.browser import CHROMIUM, launched, served
from book.machinery.pages import LANGUAGES, ROOT

SITE = ROOT / "book" / "_build" / "html"
TEMPLATE = ROOT / "book" / "machinery" / "templates" / "print.html"
WHOLE = "whole.html"  # the long page, beside the pages that it is made of, while it is printed
LEFT_OUT = re.compile(r"^(?:api(?:/|\.)|#)")  # the reference of the package is looked up, not read
UNPRINTED = ".headerlink, .copybtn, script, noscript, [data-live], .toctree-wrapper, input"
WORDS = {
    "es": {"contents": "Contenido", "link": "El libro en PDF", "unit": "MB"},
    "en": {"contents": "Contents", "link": "The book as PDF", "unit": "MB"},
}
NO_CHROMIUM = (
    "pdf: hace falta Chromium o Chrome para hacer el PDF (en Debian o Ubuntu: apt install chromium); el sitio queda como está\n"
    "pdf: it takes Chromium or Chrome to make the PDF (Debian or Ubuntu: apt install chromium); the site stays as it is"
)
NO_SITE = "pdf: el sitio no está: primero, make book\npdf: there is no site: first, make book"
PLACE = '<div class="sidebar-primary-items__end sidebar-primary__section">'
LINK = '<div class="sidebar-primary-item book-pdf"><a href="{href}">{words} ({size:.0f} {unit})</a></div>'


def file_name(lang: str) -> str:
    return f"fashion-mnist-{lang}.pdf"


def order(home: BeautifulSoup) -> list[tuple[str, str]]:
    """Return the table of contents in the home page's menu: (address, or "" for a part, title)."""
    title = home.select_one("article h1").find(string=True, recursive=False).strip()
    found = [("index.html", title)]
    for entry in home.select("nav.bd-docs-nav :is(p.caption, li > a.reference.internal)"):
        address = "" if entry.name == "p" else entry["href"]
        if not LEFT_OUT.match(address):
            found.append((address, entry.get_text(" ", strip=True)))
    return found


def anchor(address: str, fragment: str = "") -> str:
    """Return the id in the long page of a page, or of a place in it."""
    page = re.sub(r"\W+", "-", address.removesuffix(".html"))
    return f"{page}--{fragment}" if fragment else page


def beside(address: str, other: str) -> str:
    """Return the address of what the page at ``address`` calls ``other``."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(address), other))


def article(site: Path, lang: str, address: str, within: set[str]) -> Tag:
    """Return the text of a page for the long page: ids, links and headings are of the whole."""
    page = BeautifulSoup((site / lang / address).read_bytes(), "html.parser")
    body = page.select_one("article.bd-article")
    for unwanted in body.select(UNPRINTED):
        unwanted.decompose()
    for place in body.find_all(id=True):
        place["id"] = anchor(address, place["id"])
    for around in body.select("a.image-reference"):
        around.unwrap()
    for folded in body.find_all("details"):
        folded["open"] = ""
    for picture in body.find_all("img"):
        picture.attrs.pop("loading", None)
        picture["src"] = beside(address, picture["src"])
    for link in body.find_all("a", href=True):
        parts = urlsplit(link["href"])
        if parts.scheme:
            continue
        target = beside(address, parts.path) if parts.path else address
        if target in within:
            link["href"] = f"#{anchor(target, parts.fragment)}"
        else:
            place = posixpath.normpath(f"/{lang}/{target}")
            link["href"] = pages.public_site() + parts._replace(path=place).geturl()
    for heading in body.find_all(re.compile("^h[1-5]$")):
        heading.name = f"h{int(heading.name[1]) + 1}"
    body["id"] = anchor(address)
    return body


def whole(site: Path, lang: str) -> str:
    """Return the long page of ``lang``, for its folder in ``site``."""
    home = BeautifulSoup((site / lang / "index.html").read_bytes(), "html.parser")
    contents = order(home)
    within = {address for address, _ in contents}
    articles, entries = [], []
    for address, title in contents:
        kind, target = ("page", anchor(address)) if address else ("part", f"part-{len(entries)}")
        entries.append(f'<li class="of-{kind}"><a href="#{target}">{title}</a></li>')
        heading = f'<h1 class="part" id="{target}">{title}</h1>'
        articles.append(str(article(site, lang, address, within)) if address else heading)
    notation = site / lang / "notation.html"  # a page with formulas
    formulas = BeautifulSoup(notation.read_bytes(), "html.parser") if notation.exists() else home
    scripts = [tag for tag in formulas.find_all("script") if "mathjax" in str(tag).lower()]
    config = ROOT / ("_config.yml" if lang == "es" else "book/en/_overlay.yml")
    config = yaml.safe_load(config.read_text("utf-8"))
    return string.Template(TEMPLATE.read_text("utf-8")).substitute(
        lang=lang, title=config["title"], author=config["author"], date=datetime.date.today().isoformat(),
        address=f"{pages.public_site()}/{lang}/", contents=WORDS[lang]["contents"], root=".", list="\n".join(entries),
        pages="\n".join(articles), scripts="\n".join(map(str, scripts)),
        styles="\n".join(map(str, home.find_all("link", rel="stylesheet"))),
    )  # fmt: skip


def link(site: Path, lang: str) -> None:
    """Put the link to the PDF of ``lang`` at the foot of the menu of its pages."""
    size = (site / lang / file_name(lang)).stat().st_size / 1e6
    for path in (site / lang).rglob("*.html"):
        text = path.read_text("utf-8")
        href = posixpath.relpath(file_name(lang), path.parent.relative_to(site / lang).as_posix())
        tag = LINK.format(href=href, words=WORDS[lang]["link"], size=size, unit=WORDS[lang]["unit"])
        text = re.sub(r'<div class="sidebar-primary-item book-pdf">.*?</div>', "", text)
        path.write_text(text.replace(PLACE, PLACE + tag), "utf-8")


def main(site: Path = SITE) -> int:
    """Make and link the PDF of each language; return 1 and say what to do if it cannot."""
    if CHROMIUM is None or not (site / "index.html").exists():
        print(NO_CHROMIUM if CHROMIUM is None else NO_SITE, file=sys.stderr)
        return 1
    for left_by_a_kill in site.rglob(WHOLE):
        left_by_a_kill.unlink()
    with launched() as browser, served(site) as address:
        for lang in (lang for lang in LANGUAGES if (site / lang).is_dir()):
            long_page, target = site / lang / WHOLE, site / lang / file_name(lang)
            long_page.write_text(whole(site, lang), "utf-8")
            try:
                page = browser.new_page()
                page.set_default_timeout(900_000)  # a slow machine takes minutes for 100 pages
                page.goto(f"{address}/{lang}/{WHOLE}")
                page.evaluate("window.MathJax?.startup?.promise?.then(() => true)")
                options = {"prefer_css_page_size": True, "print_background": True}
                page.pdf(path=target, outline=True, tagged=True, **options)
                page.close()
            finally:
                long_page.unlink()
            link(site, lang)
            print(f"{target} ({target.stat().st_size / 1e6:.1f} MB)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
