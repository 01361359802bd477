"""The rules for the built site: links, languages, pictures, numbers, nothing from elsewhere.

A rule takes a :class:`Site` and yields one line for each thing found wrong; ``SITE_RULES`` lists
them all.
"""

from __future__ import annotations

import filecmp
import gc
import html
import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, NavigableString, Tag

from book.machinery import pages
from book.machinery.notebooks import FOLDERS
from book.machinery.pages import LANGUAGES, ROOT
from book.machinery.rules.text import Findings

LOCAL_PATH = re.compile(
    r"(?<![\w.:/-])/(?:home|root|work|tmp|Users|private|mnt|opt)/\w|[A-Z]:\\Users|site-packages|file:///"
)


VERBATIM = ["pre", "code", "script", "style"]


class Site:
    """A built site, or a part of it, every page that is to be judged parsed once.

    Attributes:
        pages: page, as its address from the root → what it holds; ``elements``, all that is marked
            up in it, in its order.
        unchanged: the addresses of the pages that have passed before.
        everything: the addresses of the pages of the whole site.
    """

    def __init__(self, root: Path, part: str | None = None, passed: Path | None = None):
        """Read the site in ``root``, or a ``part``: a language, or what is in none (``"."``).

        Pages that are as they are in the site ``passed`` need not be judged.
        """
        self.root, self.part = root, part
        self.everything = {
            path.relative_to(root).as_posix()
            for path in root.rglob("*.html")
            if "_static" not in path.parts
        }
        own = [path.relative_to(root).as_posix() for path in self.files("*.html")]
        own = [page for page in own if page in self.everything]
        self.unchanged = {page for page in own if passed and _same(root / page, passed / page)}
        collects = gc.isenabled()
        gc.disable()  # looking for garbage, of which there is none, would take a third of the time
        try:
            self.pages = {page: self.parsed(page) for page in own if page not in self.unchanged}
        finally:
            if collects:
                gc.enable()
        self.elements = {page: soup.find_all(True) for page, soup in self.pages.items()}
        self._places: dict[str, set[str]] = {}
        self.languages = [lang for lang in LANGUAGES if (root / lang).is_dir()]

    def files(self, pattern: str) -> list[Path]:
        """Return the files of the part whose names are like ``pattern``."""
        folder = self.root / (self.part or "")
        elsewhere = [self.root / lang for lang in LANGUAGES] if self.part == "." else []
        found = (
            path
            for path in folder.rglob(pattern)
            if not any(other in path.parents for other in elsewhere)
        )
        return sorted(path for path in found if path.is_file())

    def parsed(self, page: str) -> BeautifulSoup:
        """Return what ``page`` holds."""
        return BeautifulSoup((self.root / page).read_bytes(), "html.parser")

    def places(self, page: str) -> set[str]:
        """Return what a link may name in ``page``, which may be in another part."""
        if page not in self._places:
            elements = self.elements.get(page) or self.parsed(page).find_all(True)
            self._places[page] = {
                element[name] for element, name in _with_attributes(elements, "id", "name")
            }
        return self._places[page]


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and filecmp.cmp(one, other, shallow=False)


def _with_attributes(elements: Iterable[Tag], *names: str) -> Iterator[tuple[Tag, str]]:
    return ((element, name) for element in elements for name in names if name in element.attrs)


def _is_verbatim(text: NavigableString) -> bool:
    return any(parent.name in VERBATIM for parent in text.parents)


ADDRESS = re.compile(r'<[^<>]*\s(?:href|src)="([^"]*)"')


def links(site: Site) -> Findings:
    """Every link within the site leads to a file that exists and to a place that exists in it."""
    for page, elements in site.elements.items():
        for element, attribute in _with_attributes(elements, "href", "src"):
            yield from _leads_nowhere(site, page, element[attribute], site.everything)
    changed = site.everything - site.unchanged
    for page in sorted(site.unchanged):
        text = (site.root / page).read_text("utf-8")
        for address in sorted({html.unescape(found) for found in ADDRESS.findall(text)}):
            yield from _leads_nowhere(site, page, address, changed)


def _leads_nowhere(site: Site, page: str, link: str, changed: set[str]) -> Findings:
    """Yield what is wrong with a link of ``page``; places are looked for in ``changed`` pages."""
    address = urlsplit(link)
    if address.scheme or address.netloc or link == "#":
        return
    path = posixpath.join(posixpath.dirname(page), unquote(address.path))
    target = posixpath.normpath(path) if address.path else page
    if not (site.root / target).is_file():
        yield f"{page}: {link} leads nowhere"
    elif (
        address.fragment
        and target in changed
        and unquote(address.fragment) not in site.places(target)
    ):
        yield f"{page}: there is no #{address.fragment} in {target}"


def same_site_pages(site: Site) -> Findings:
    """Every page is there in every language, and says in which it is."""
    names = {
        lang: {page[3:] for page in site.everything if page.startswith(f"{lang}/")}
        for lang in site.languages
    }
    everywhere = set().union(*names.values())
    for lang in site.languages if site.part is None else {site.part} & set(site.languages):
        yield from (f"{lang}/{name} is missing" for name in sorted(everywhere - names[lang]))
    for page, soup in site.pages.items():
        lang = page.partition("/")[0]
        if lang in site.languages and (said := soup.html.get("lang")) != lang:
            yield f"{page} says that its language is {said}"


def alternative_texts(site: Site) -> Findings:
    """Every picture says in words what it shows, but for decoration beside the same words."""
    for page, soup in site.pages.items():
        for image in soup.find_all("img"):
            decoration = image.get("alt") == "" and (
                image.find_parent(class_="navbar-brand") or page == "index.html"
            )
            if not (image.get("alt") or decoration):
                yield f"{page}: {image.get('src')} has no alternative text"


def table_headers(site: Site) -> Findings:
    """Every column of a table has a header in words: a screen reader passes over a formula."""
    for page, soup in site.pages.items():
        tables = soup.find_all("table", class_="table")
        for header in (header for table in tables for header in table.select("thead th")):
            formulas = "".join(formula.get_text() for formula in header.select(".math"))
            if header.get_text(strip=True) == formulas.strip():
                columns = header.parent.get_text(" | ", strip=True)
                yield f"{page}: a column without a header in words: {columns}"


LOADING = {
    "script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src", "embed": "src",
    "object": "data",
}  # fmt: skip
LOADING_LINKS = {
    "stylesheet",
    "icon",
    "preload",
    "prefetch",
    "modulepreload",
    "preconnect",
    "dns-prefetch",
    "manifest",
}
REMOTE = re.compile(r"^(?:https?:)?//")
REMOTE_IN_CSS = re.compile(r"""(?:url\(|@import)\s*["']?(?:https?:)?//[^)"'\s]+""")


def no_outside(site: Site) -> Findings:
    """Opening a page asks nothing of any other host."""
    for page, elements in site.elements.items():
        loaded = []
        styles = [element["style"] for element, _ in _with_attributes(elements, "style")]
        for element in elements:
            if element.name in LOADING:
                loaded.append(element.get(LOADING[element.name]))
            if element.name == "link" and LOADING_LINKS & set(element.get("rel", [])):
                loaded.append(element.get("href"))
            if element.name == "style":
                styles.append(element.get_text())
            if element.name == "script" and "src" not in element.attrs:
                named = re.findall(r"https?://[^\s\"']+", element.get_text())
                yield from (f"{page}: a script names {address}" for address in named)
        for element, _ in _with_attributes(elements, "srcset"):
            loaded += [part.split()[0] for part in element["srcset"].split(",")]
        yield from (
            f"{page} loads {address}" for address in loaded if address and REMOTE.match(address)
        )
        yield from (
            f"{page} loads {match[0]}"
            for style in styles
            for match in REMOTE_IN_CSS.finditer(style)
        )
    for path in site.files("*.css"):
        for match in REMOTE_IN_CSS.finditer(path.read_text("utf-8")):
            yield f"{path.relative_to(site.root)} loads {match[0]}"


def active_content(site: Site) -> Findings:
    """What a page shows is text and pictures: scripts are the theme's, outside the article."""
    for page, soup in site.pages.items():
        article = soup.find("article")
        for element in article.find_all(True) if article else []:
            addresses = [str(element.get(name)).strip().lower() for name in ("href", "src")]
            acts = any(name.startswith("on") for name in element.attrs)
            acts |= any(address.startswith("javascript:") for address in addresses)
            if acts or element.name in ("iframe", "object", "embed", "form", "script"):
                yield f"{page}: active content in the text: {str(element)[:80]!r}"


UNRENDERED = re.compile(
    r"\\\(|\\\[|\$\$|\\(?:frac|sum|log|ln|text|mathrm|hat|cdot|times|ell|eta|theta)\b|\{[a-z:]+\}`|:::|\(\w+-[\w-]+\)="
)


def rendered(site: Site) -> Findings:
    """No TeX, MyST or Python traceback is left where a reader should see its result."""
    for page, soup in site.pages.items():
        article = soup.find("article")
        for text in article.find_all(string=UNRENDERED) if article else []:
            if not _is_verbatim(text) and not text.find_parent(class_="math"):
                match = UNRENDERED.search(text)
                yield f"{page}: not rendered: {text[max(0, match.start() - 20) : match.end() + 40].strip()!r}"
        for output in soup.select(".cell_output"):
            if "Traceback (most recent call last)" in output.get_text():
                yield f"{page}: an output is a traceback"


def no_local_paths(site: Site) -> Findings:
    """Nothing tells where the site was built."""
    built_here = re.compile(
        f"{LOCAL_PATH.pattern}|{re.escape(str(ROOT))}|{re.escape(str(Path.home()))}/"
    )
    for path in site.files("*"):
        if path.suffix in {".html", ".ipynb", ".md", ".txt"} or path.name == "searchindex.js":
            for match in built_here.finditer(path.read_text("utf-8")):
                yield f"{path.relative_to(site.root)} holds {match[0]!r}"


ENGLISH = re.compile(
    r"\b(?:the|this|to|of|toggle|search|show|hide|links?|launch|page|next|previous|download|back|copy|click|contents"
    r"|source|light|dark|skip|main|navigation|theme|print|note|warning|exercise|solution|figure|fig|table|parameters"
    r"|returns?|raises|type)\b",
    re.IGNORECASE,
)
SAID_BY_ATTRIBUTES = [
    "title", "aria-label", "aria-description", "aria-roledescription", "placeholder", "alt", "label", "data-title",
    "data-bs-title", "data-label",
]  # fmt: skip
INTERFACE = {"nav", "header", "button", "summary"}
INTERFACE_CLASSES = {"admonition-title", "caption-number", "prev-next-area", "bd-footer"}


def _is_interface(element: Tag) -> bool:
    if element.name == "dt" and "field-list" in element.parent.get("class", []):
        return True  # "Returns" in a docstring
    return element.name in INTERFACE or bool(INTERFACE_CLASSES & set(element.get("class", [])))


def spanish_interface(site: Site) -> Findings:
    """The interface of a Spanish page is Spanish: labels, tooltips, buttons, titles of boxes."""
    for page, soup in site.pages.items():
        if not page.startswith("es/"):
            continue
        said = [
            element[name]
            for element, name in _with_attributes(site.elements[page], *SAID_BY_ATTRIBUTES)
            if element.name not in ("link", "script")
            and "reference" not in element.get("class", [])  # the title of a work cited
        ]
        said += [
            text
            for text in soup.find_all(string=ENGLISH)
            if any(map(_is_interface, text.parents)) and not _is_verbatim(text)
        ]
        for words in sorted({" ".join(text.split()) for text in said}):
            if ENGLISH.search(words):
                yield f"{page}: English words in the interface: {words!r}"


FUNCTION_WORDS = re.compile(
    r"\b(?:the|of|and|is|are|with|that|this|from|which|its?|for|by|not|was|were|when|how|what)\b",
    re.IGNORECASE,
)
# Docstrings and titles of works.
ENGLISH_PAGES = re.compile(r"es/(?:api/|genindex|py-modindex|bibliography)")
PARAGRAPHS = {
    "p", "li", "td", "th", "dt", "dd", "figcaption", "h1", "h2", "h3", "h4", "h5", "summary",
    "button", "title",
}  # fmt: skip
KERNELS = re.compile(r"\bIntel (AVX|AMX)[\w .,/-]* support\b")  # oneDNN's own name of what it chose
ENGLISH_BY_RIGHT = {*VERBATIM, "em", "noscript"}


def spanish_text(site: Site) -> Findings:
    """A paragraph of a Spanish page has at most one of the function words of English."""
    for page, soup in site.pages.items():
        if not page.startswith("es/") or ENGLISH_PAGES.match(page):
            continue
        # Paragraphs, each with those of its texts that hold such a word.
        found: dict[int, tuple[Tag, list[str]]] = {}
        for text in soup.find_all(string=FUNCTION_WORDS):
            around = list(text.parents)
            paragraph = next((parent for parent in around if parent.name in PARAGRAPHS), None)
            foreign = any(
                parent.name in ENGLISH_BY_RIGHT or parent.get("lang") == "en" for parent in around
            )
            if paragraph is not None and not foreign:
                found.setdefault(id(paragraph), (paragraph, []))[1].append(text)
        for paragraph, texts in found.values():
            ours = KERNELS.sub("", " ".join(texts))
            if len({word.lower() for word in FUNCTION_WORDS.findall(ours)}) > 1:
                yield f"{page}: English text: {' '.join(paragraph.get_text().split())[:100]!r}"


def launches(site: Site) -> Findings:
    """The buttons of a page open its notebook in its language: on main, or beside it."""
    for page, soup in site.pages.items():
        lang, _, name = page.partition("/")
        if not name.startswith("notebooks/"):
            continue
        notebook = FOLDERS[lang].relative_to(ROOT) / f"{Path(page).stem}.ipynb"
        if not (site.root / page).with_suffix(".ipynb").is_file():
            yield f"{page}: there is no notebook beside it"
        asked = {link["href"] for link in soup.select(".article-header-buttons a[href]")}
        wanted = {
            "Colab": f"/blob/main/{notebook.as_posix()}",
            "Binder": f"/main?urlpath=lab/tree/{notebook.as_posix()}",
            "download": f"{notebook.name}",
        }
        for button, end in wanted.items():
            leads = (href.endswith(end) if end[0] == "/" else href == end for href in asked)
            if sum(leads) != 1:
                yield f"{page}: {button} should lead to {end}; the buttons lead to {', '.join(sorted(asked))}"


def numbers(site: Site) -> Findings:
    """Figures, tables, equations and exercises have the numbers that the notebooks give them."""
    for page in site.pages:
        lang, _, name = page.partition("/")
        source = pages.SOURCES / f"{Path(name).stem}.md"
        if not (name.startswith("notebooks/") and source.exists()):
            continue
        wanted = pages.numbers(pages.one_language(pages.read(source), lang))
        places = {
            element["id"]: element for element, _ in _with_attributes(site.elements[page], "id")
        }
        for label, (kind, number) in wanted.items():
            place = places.get("equation-" + label if kind == "equation" else label)
            selector = ".eqno" if kind == "equation" else ".caption-number"
            shown = place.select_one(selector) if place else None
            found = re.search(r"\d+", shown.get_text()) if shown else None
            if found is None or int(found[0]) != number:
                said = shown.get_text().strip() if shown else "nothing"
                yield f"{page}: {label} is {kind} {number}, the page says {said!r}"


SITE_RULES = [
    links, same_site_pages, alternative_texts, table_headers, no_outside, active_content, rendered, no_local_paths, spanish_interface,
    spanish_text, launches, numbers,
]  # fmt: skip
