"""Slides of the pages: a deck for each page and language, made from the built page.

A heading begins a slide, with the first sentence of its text; formulas and short lists stand below.
Every figure, table, prediction, exercise and question has a slide of its own, and so has code that
writes out a network or a function. What is said beside them becomes the notes of the speaker. The
decks use the pictures and the MathJax of the site, and reveal.js as the package ``sphinx-revealjs``
brings it: a deck asks nothing of any other host.
"""

from __future__ import annotations

import copy
import re
import shutil
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import resources
from itertools import accumulate
from pathlib import Path

from bs4 import BeautifulSoup, Tag

from book.machinery import pages

FOLDER = "slides"  # beside the folder of the pages
REVEAL = ["dist/reveal.js", "dist/reveal.css", "plugin/notes/notes.js", "LICENSE"]
TEMPLATE = Path(__file__).parent / "templates" / "slides.html"
WORDS = {
    "es": {
        "page": "La página del libro", "print": "Para imprimir", "keys": "Espacio: siguiente · S: notas · O: todas",
        "more": "Las {} filas están en la página.", "references": "Referencias", "previous": "Atrás", "next": "Siguiente",
    },
    "en": {
        "page": "The page of the book", "print": "To print", "keys": "Space: next · S: notes · O: all of them",
        "more": "All {} rows are on the page.", "references": "References", "previous": "Previous", "next": "Next",
    },
}  # fmt: skip
UNSHOWN = ".headerlink, .copybtn, input, button, script, noscript, [role=status], .toggle-hidden"
SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[A-ZÁÉÍÓÚÑ¿¡«“<\\])")
FULL = 690  # what a slide holds, see size()
LEAD, BESIDE, BELOW = 360, 300, 150  # characters that open a slide; of a caption beside or below
ROWS, CELLS, LINES = 8, 700, 26  # rows of a table; characters in them; lines of code
FOLDED = {"tag_hide-input", "tag_remove-cell"}
WRITTEN_OUT = re.compile(r"^(?:class|def) ", re.MULTILINE)


@dataclass
class Slide:
    """One slide as HTML: heading, kind (a class of the styles), what is shown, what is said."""

    heading: str
    kind: str = "text"
    shown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def write(site: Path, lang: str) -> None:
    """Write the decks of ``lang`` that are older than their pages into ``slides/`` of its site.

    reveal.js goes into its ``_static``.
    """
    (site / FOLDER).mkdir(exist_ok=True)
    (site / "_static" / "reveal").mkdir()
    package = resources.files("sphinx_revealjs") / "_static" / "revealjs"
    for name in REVEAL:
        shutil.copyfile(package / name, site / "_static" / "reveal" / name.rpartition("/")[2])
    for source in pages.paths():
        page = site / "notebooks" / f"{source.stem}.html"
        target = site / FOLDER / page.name
        if not target.exists() or target.stat().st_mtime_ns < page.stat().st_mtime_ns:
            read = BeautifulSoup(page.read_bytes(), "html.parser")
            target.write_text(deck(read, source.stem, lang), "utf-8")


def deck(page: BeautifulSoup, name: str, lang: str) -> str:
    """Return the deck of a built page, as HTML for the folder beside that of the pages."""
    article = page.select_one("article.bd-article")
    title = article.h1.get_text().removesuffix("#").strip()
    mathjax = [str(tag) for tag in page.find_all("script") if "mathjax" in str(tag).lower()]
    first, *others = slides(article, lang)
    rest = "\n".join(as_section(slide) for slide in others)
    return string.Template(TEMPLATE.read_text("utf-8")).substitute(
        WORDS[lang], lang=lang, title=title, name=name, mathjax="\n".join(mathjax), slides=rest,
        lead="\n".join(first.shown), notes="\n".join(first.notes),
        address=f"{pages.public_site()}/{lang}/notebooks/{name}.html",
    )  # fmt: skip


def as_section(slide: Slide) -> str:
    """Return a slide as reveal.js wants it."""
    notes = f'\n<aside class="notes">{"".join(slide.notes)}</aside>' if slide.notes else ""
    shown = "\n".join([f"<h2>{slide.heading}</h2>", *slide.shown])
    return f'<section class="{slide.kind}">\n<div class="fill">\n{shown}\n</div>{notes}\n</section>'


# --- From the page to its slides ------------------------------------------------------------------


def slides(article: Tag, lang: str) -> list[Slide]:
    """Return the slides of a page; the first is its title."""
    for unshown in article.select(UNSHOWN):
        unshown.decompose()
    found = [Slide("")]
    skipping = False
    for block in blocks(article):
        if re.fullmatch("h[1-4]", block.name):
            parameters = block.name != "h1" and block.parent.select_one(".tag_parameters")
            references = block.get_text(strip=True) == WORDS[lang]["references"]
            skipping = bool(parameters or references)
            if not skipping and block.name != "h1":
                found.append(Slide(inner(block)))
        elif not skipping:
            add(found, block, lang)
    return joined(found)


def blocks(parent: Tag) -> Iterator[Tag]:
    """Yield the blocks of a page in their order, without folded and closing parts."""
    for child in parent.find_all(recursive=False):
        classes = set(child.get("class", []))
        if child.name == "section":
            yield from blocks(child)
        elif not classes & {"dropdown", "solution", "ran-with", "tag_parameters", "live"}:
            yield child


def add(found: list[Slide], block: Tag, lang: str) -> None:
    """Add a block as slides of its own, to the last slide, or to its notes."""
    last = found[-1]
    if own := list(own_slides(last.heading, block, lang)):
        found += own
        return
    whole = inner(block, outer=True)
    room = last.kind == "text" and size("".join([*last.shown, whole])) <= FULL
    if block.name == "p":
        if last.kind == "text" and not last.shown:
            last.shown.append(f"<p>{sentences(block, LEAD)}</p>")
        last.notes.append(whole)
    elif "math" in block.get("class", []) or block.select_one(":scope > div.math"):
        if room:
            last.shown.append(whole)
        else:
            found.append(Slide(last.heading, "text", [whole]))
    elif block.name in ("ul", "ol", "div", "dl", "table"):
        (last.shown if room and block.name in ("ul", "ol") else last.notes).append(whole)


def own_slides(heading: str, block: Tag, lang: str) -> Iterator[Slide]:
    """Yield the slides of what has its own: code, pictures, tables, boxes, questions."""
    classes = set(block.get("class", []))
    if "cell" in classes or block.name == "figure":
        code = block.select_one(".cell_input .highlight")
        lines = len(code.get_text().splitlines()) if code else 0
        if 0 < lines <= LINES and WRITTEN_OUT.search(code.get_text()) and not classes & FOLDED:
            yield Slide(heading, f"code lines-{min(5, lines // 5)}", [str(code)])
        for figure in block.find_all("figure") or [block]:
            if figure.find(["img", "table"]):
                kind = "picture tall" if is_tall(figure) else "picture"
                yield Slide(heading, kind, *picture(figure, lang))
    for kind in classes & {"predict", "exercise"}:
        yield Slide(heading, kind, [body(block)])
    if block.name == "fieldset":
        block.details.summary.extract()
        yield Slide(heading, "question", list(question(block)), [inner(block.details)])


def joined(found: list[Slide]) -> list[Slide]:
    """Return the slides without those that show nothing; their notes go to the next one."""
    kept, waiting = [], []
    for slide in found:
        if slide.shown or slide is found[0]:
            kept.append(slide)
            slide.notes[:0] = waiting
            waiting = []
        else:
            waiting += slide.notes
    kept[-1].notes += waiting
    return kept


# --- Parts of a slide -----------------------------------------------------------------------------


def inner(block: Tag, outer: bool = False) -> str:
    """Return what is in a block, or the block: without ids, which would stand twice, and links."""
    own = copy.copy(block)
    for around in own.find_all(["a", "section"]):
        around.unwrap()
    for element in [own, *own.find_all(id=True)]:
        element.attrs.pop("id", None)
    return str(own) if outer else own.decode_contents().strip()


def size(html: str) -> int:
    """Return the room of a piece of HTML in characters; an empty line counts as sixty."""
    text = BeautifulSoup(html, "html.parser").get_text()
    lines = len(re.findall(r"<(?:p|li|ul|ol|div)\b", html)) + 2 * text.count(r"\\\\")
    return len(text) - 4 * text.count("\\") + 60 * lines


def sentences(block: Tag, room: int) -> str:
    """Return a block's first sentence, and those after it that ``room`` holds; no tag is cut."""
    html = inner(block)
    ends = [place.start() for place in SENTENCE.finditer(html)]
    heads = [html[:end] for end in [*ends, len(html)]]
    whole = [head for head in heads if len(re.findall(r"<\w", head)) == head.count("</")]
    return max([*whole[:1], *(head for head in whole if size(head) <= room)], key=len)


def body(box: Tag) -> str:
    """Return what a box says, its title as a line above."""
    for words in box.select(".predicted"):
        words.decompose()
    title = box.select_one(".admonition-title")
    above = f'<p class="box-title">{inner(title.extract())}</p>' if title else ""
    return above + inner(box)


def question(group: Tag) -> Iterator[str]:
    """Yield the question of a self-check, and its answers as a list."""
    yield f"<p>{inner(group.legend)}</p>"
    for block in group.find_all(["p", "div", "ul"], recursive=False):
        yield inner(block, outer=True)
    if field := group.select_one("label.number"):
        yield f"<p>{field.get_text(' ', strip=True)}</p>"
        return
    answers = "".join(
        f"<li>{inner(label.find_all('span', recursive=False)[-1])}</li>"
        for label in group.find_all("label", recursive=False)
    )
    yield f"<ol>{answers}</ol>"


def picture(figure: Tag, lang: str) -> tuple[list[str], list[str]]:
    """Return a picture or a table's first rows with its caption's start; the caption if cut."""
    shown = []
    if table := figure.find("table"):
        for reason in table.select("tr.reason"):
            reason.decompose()
        rows = table.select("tbody tr")
        characters = list(accumulate(len(row.get_text()) for row in rows))
        kept = sum(count <= CELLS for count in characters[:ROWS])
        for row in rows[kept:]:
            row.decompose()
        shown.append(inner(table, outer=True))
        if len(rows) > kept:
            shown.append(f'<p class="more">{WORDS[lang]["more"].format(len(rows))}</p>')
    shown += [inner(image, outer=True) for image in figure.find_all("img")]
    caption = figure.find("figcaption")
    if caption is None:
        return shown, []
    for around in caption.select("p, .caption-text"):
        around.unwrap()
    head = sentences(caption, BESIDE if is_tall(figure) else BELOW)
    cut = [f"<p>{inner(caption)}</p>"] if head != inner(caption) else []
    return [*shown, f'<p class="caption">{head}</p>'], cut


def is_tall(figure: Tag) -> bool:
    """Return whether the caption of a picture should stand beside it, as it is not wide."""
    image = figure.find("img", width=True, height=True)
    return image is not None and int(image["height"]) > 0.75 * int(image["width"])
