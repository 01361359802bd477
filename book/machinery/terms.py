"""The words of the glossary, linked once on each page: ``python -m book.machinery.terms``.

A page owes a link for a concept when some passage of it uses its word in both languages. Not
counted are titles, captions, tables, code, formulas and, in a notebook, what stands before its
parameters: goals are read before they are understood.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator

from book.machinery import pages

GLOSSARY = "glossary.md"
WITHOUT = {GLOSSARY, "colophon.md"}  # the colophon also stands in books without these words
EVERYDAY = {"run", "step", "parameter"}  # these words also mean something else
# And these do so on these pages.
ELSEWHERE = {"how_to_run": {"kernel"}, "reliability": {"kernel"}, "speed": {"precision"}}
NOT_PROSE = re.compile(
    r"^(`{3,})[^\n]*\n.*?^\1`*[ \t]*$|^:::\{(?:live|raw)\}.*?^:::$|\$\$.+?\$\$|<!--.*?-->|^(?:#|\||:|\()[^\n]*$"
    r"|\$[^$\n]+\$|\{[\w:-]+\}`[^`]+`|`[^`\n]+`|\[[^\]]*\]\([^)]*\)|https?://\S+",
    re.DOTALL | re.MULTILINE,
)
Passage = tuple[str, str]  # in Spanish and in English


def _entries(lang: str) -> dict[str, str]:
    text = (pages.BOOK / lang / GLOSSARY).read_text("utf-8").partition(":::{glossary}")[2]
    return dict(re.findall(r"^(\S.*)\n  (.*(?:\n  .*)*)", text, re.MULTILINE))


@functools.cache
def concepts() -> list[Passage]:
    """Return the terms in both languages; a Spanish definition begins with another English term."""
    english, found = _entries("en"), []
    for term, definition in _entries("es").items():
        gloss = re.match(r"\*(.+?)\*", definition)
        found.append((term, gloss[1] if gloss and gloss[1] in english else term))
    return found


def _pattern(term: str) -> str:
    words = [re.escape(word) + "(?:e?s)?" for word in term.split()]
    return r"\b" + r"\s+".join(words).replace("ón(", "(?:ón|ones)(") + r"\b"


def first_uses(text: str, lang: str) -> dict[str, re.Match]:
    """Return term → its first use in the prose of ``text``, the longest terms first."""
    prose = NOT_PROSE.sub(lambda match: re.sub(r"[^\n]", "\0", match[0]), text)
    found = {}
    for term in sorted(
        (pair[pages.LANGUAGES.index(lang)] for pair in concepts()), key=len, reverse=True
    ):
        pattern = re.compile(_pattern(term), 0 if term.isupper() else re.IGNORECASE)
        if match := pattern.search(prose):
            found[term] = match
        prose = pattern.sub(lambda match: "\0" * len(match[0]), prose)
    return found


def linked(text: str) -> set[str]:
    """Return the terms that ``text`` links to, in lower case."""
    roles = re.findall(r"\{term\}`(?:[^`<]*<)?([^`<>]+)>?`", text)
    return {" ".join(term.split()).lower() for term in roles}


def owed(passages: list[Passage], page: str = "") -> Iterator[tuple[int, Passage]]:
    """Yield the place of a passage and the concept that both languages use and do not link."""
    there = [set().union(*(linked(passage[side]) for passage in passages)) for side in (0, 1)]
    uses = [
        [first_uses(text, lang) for text, lang in zip(passage, pages.LANGUAGES)]
        for passage in passages
    ]
    for concept in concepts():
        if concept[1] in EVERYDAY | ELSEWHERE.get(page, set()) or all(
            term.lower() in has for term, has in zip(concept, there)
        ):
            continue
        for place, use in enumerate(uses):
            if all(term in used for term, used in zip(concept, use)):
                yield place, concept
                break


def with_links(passages: list[Passage], page: str = "") -> list[Passage]:
    """Return ``passages`` with the links that they owe."""
    result = list(passages)
    for place, of_place in itertools.groupby(
        sorted(owed(passages, page)), key=lambda item: item[0]
    ):
        wanted, texts = [concept for _, concept in of_place], []
        for side, lang in enumerate(pages.LANGUAGES):
            text = result[place][side]
            uses = first_uses(text, lang)
            for term in sorted(
                (concept[side] for concept in wanted), key=lambda term: -uses[term].start()
            ):
                match = uses[term]
                word = text[match.start() : match.end()]
                role = term if word == term else f"{' '.join(word.split())} <{term}>"
                text = f"{text[: match.start()]}{{term}}`{role}`{text[match.end() :]}"
            texts.append(text)
        result[place] = tuple(texts)
    return result


def notebook_cells(notebook) -> list[tuple]:
    """Return the pairs of text cells whose words count: after the parameters, no captions."""
    first = next(
        (n for n, cell in enumerate(notebook.cells) if "parameters" in pages.tags(cell)), 0
    )
    texts = [
        cell
        for cell in notebook.cells[first:]
        if cell.cell_type == "markdown" and "caption" not in pages.tags(cell)
    ]
    return list(zip(texts[::2], texts[1::2]))


def prose_files() -> list[tuple]:
    """Return the pairs of files of the pages of text, without glossary and fragments."""
    spanish, english = pages.BOOK / "es", pages.BOOK / "en"
    names = [path.name for path in pages.prose(spanish) if path.name not in WITHOUT]
    pairs = ((spanish / name, english / name) for name in names if name[0] != "_")
    return [pair for pair in pairs if pair[1].exists()]


def check(chosen: list[str] | tuple = ()) -> Iterator[str]:
    """Yield the concepts that pages (the ``chosen``, or all) use and do not link."""
    for path in (path for path in pages.paths() if not chosen or path.stem[:2] in chosen):
        passages = [
            (spanish.source, english.source)
            for spanish, english in notebook_cells(pages.read(path))
        ]
        yield from (
            f"{path.name}: {spanish!r}, {english!r} have no link"
            for _, (spanish, english) in owed(passages)
        )
    for files in () if chosen else prose_files():
        missing = owed([tuple(file.read_text("utf-8") for file in files)], files[0].stem)
        yield from (
            f"{files[0].name}: {spanish!r}, {english!r} have no link"
            for _, (spanish, english) in missing
        )


def main() -> None:
    """Put in the links that are missing, on every page."""
    for path in pages.paths():
        notebook = pages.read(path)
        cells = notebook_cells(notebook)
        after = with_links([(spanish.source, english.source) for spanish, english in cells])
        source = path.read_text("utf-8")
        for pair, texts in zip(cells, after, strict=True):
            for cell, text in zip(pair, texts, strict=True):
                source = source.replace(f"\n{cell.source}\n", f"\n{text}\n", 1)
        path.write_text(source, "utf-8")
    for files in prose_files():
        (after,) = with_links([tuple(file.read_text("utf-8") for file in files)], files[0].stem)
        for file, text in zip(files, after, strict=True):
            file.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
