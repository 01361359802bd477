"""The built book as one PDF in each language, inside the site: ``make pdf``, after ``make book``.

The pages of a language, in the order of its table of contents, become one long page, which headless Chromium prints: so
every link between pages leads to its place in the PDF, and the headings are its outline. The link to the file is put into
the menu of every page; a new build of the site takes both away, so that no PDF is older than its site.
"""

from __future__ import annotations

import base64
import datetime
import posixpath
import re
import string
import sys
import tempfile
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from book.machinery.browser import CHROMIUM, Browser, serve
from bs4 import BeautifulSoup, Tag
from book.machinery.pages import LANGUAGES, ROOT

SITE = ROOT / "book" / "_build" / "html"
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


def public_site() -> str:
    """Return where the site is published: the pages of the repository that ``pyproject.toml`` names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    owner, name = urlsplit(project["urls"]["Repository"]).path.strip("/").split("/")
    return f"https://{owner}.github.io/{name}"


def file_name(lang: str) -> str:
    return f"fashion-mnist-{lang}.pdf"


def order(home: BeautifulSoup) -> list[tuple[str, str]]:
    """Return the table of contents that the menu of the home page shows: (address, title); a part has no address."""
    found = [
        ("index.html", home.select_one("article h1").find(string=True, recursive=False).strip())
    ]
    for entry in home.select("nav.bd-docs-nav :is(p.caption, li > a.reference.internal)"):
        address = "" if entry.name == "p" else entry["href"]
        if not LEFT_OUT.match(address):
            found.append((address, entry.get_text(" ", strip=True)))
    return found


def anchor(address: str, fragment: str = "") -> str:
    """Return the id in the long page of a page, or of a place in it."""
    return re.sub(r"\W+", "-", address.removesuffix(".html")) + (
        f"--{fragment}" if fragment else ""
    )


def article(site: Path, lang: str, address: str, within: set[str]) -> Tag:
    """Return the text of a page, to stand in the long page: ids and links are of the whole, headings one level lower."""
    body = BeautifulSoup((site / lang / address).read_bytes(), "html.parser").select_one(
        "article.bd-article"
    )
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
        picture["src"] = posixpath.normpath(
            posixpath.join(posixpath.dirname(address), picture["src"])
        )
    for link in body.find_all("a", href=True):
        parts = urlsplit(link["href"])
        if parts.scheme:
            continue
        target = (
            posixpath.normpath(posixpath.join(posixpath.dirname(address), parts.path))
            if parts.path
            else address
        )
        known = target in within
        away = posixpath.normpath(f"/{lang}/{target}") + (
            f"#{parts.fragment}" if parts.fragment else ""
        )
        link["href"] = f"#{anchor(target, parts.fragment)}" if known else public_site() + away
    for heading in body.find_all(re.compile("^h[1-5]$")):
        heading.name = f"h{int(heading.name[1]) + 1}"
    body["id"] = anchor(address)
    return body


def whole(site: Path, lang: str) -> str:
    """Return the long page of ``lang``, for its folder in ``site``."""
    home = BeautifulSoup((site / lang / "index.html").read_bytes(), "html.parser")
    contents = order(home)
    within = {address for address, _ in contents}
    pages, entries = [], []
    for address, title in contents:
        kind, target = ("page", anchor(address)) if address else ("part", f"part-{len(entries)}")
        entries.append(f'<li class="of-{kind}"><a href="#{target}">{title}</a></li>')
        pages.append(
            str(article(site, lang, address, within))
            if address
            else f'<h1 class="part" id="{target}">{title}</h1>'
        )
    with_formulas = BeautifulSoup((site / lang / "notation.html").read_bytes(), "html.parser") \
        if (site / lang / "notation.html").exists() else home  # fmt: skip
    scripts = [
        tag
        for tag in with_formulas.find_all("script")
        if "MathJax" in str(tag) or "mathjax" in tag.get("src", "")
    ]
    config = yaml.safe_load(
        (ROOT / ("_config.yml" if lang == "es" else "book/en/_overlay.yml")).read_text("utf-8")
    )
    return string.Template((ROOT / "book" / "machinery" / "templates" / "print.html").read_text("utf-8")).substitute(
        lang=lang, title=config["title"], author=config["author"], date=datetime.date.today().isoformat(),
        address=f"{public_site()}/{lang}/", contents=WORDS[lang]["contents"], root=".", list="\n".join(entries),
        pages="\n".join(pages), scripts="\n".join(map(str, scripts)),
        styles="\n".join(map(str, home.find_all("link", rel="stylesheet"))),
    )  # fmt: skip


def printed(browser: Browser, address: str) -> bytes:
    """Return the PDF of a page, with an outline and tags for screen readers."""
    browser.open(address, 900)
    options = {
        "preferCSSPageSize": True,
        "printBackground": True,
        "generateDocumentOutline": True,
        "generateTaggedPDF": True,
    }
    return base64.b64decode(browser.call("Page.printToPDF", **options)["data"])


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
    """Make the PDF of every language of the site and link it; return 1, with what to do, where that is not possible."""
    if CHROMIUM is None or not (site / "index.html").exists():
        print(NO_CHROMIUM if CHROMIUM is None else NO_SITE, file=sys.stderr)
        return 1
    for left_by_a_kill in site.rglob(WHOLE):
        left_by_a_kill.unlink()
    server = serve(site)
    with tempfile.TemporaryDirectory() as profile:
        browser = Browser(Path(profile))
        browser.socket.settimeout(900)  # a slow machine takes minutes for a hundred pages
        try:
            for lang in (lang for lang in LANGUAGES if (site / lang).is_dir()):
                long_page = site / lang / WHOLE
                long_page.write_text(whole(site, lang), "utf-8")
                try:
                    pdf = printed(browser, f"http://127.0.0.1:{server.server_port}/{lang}/{WHOLE}")
                finally:
                    long_page.unlink()
                (site / lang / file_name(lang)).write_bytes(pdf)
                link(site, lang)
                print(f"{site / lang / file_name(lang)} ({len(pdf) / 1e6:.1f} MB)", flush=True)
        finally:
            browser.close()
            server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
