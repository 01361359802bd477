"""The pages of the book: where they stand, how a source is read, and what one language of it holds.

A source, ``book/pages/NN_name.md``, is a notebook in Jupytext's MyST form and holds both languages.
Its markdown cells come in pairs, ``lang-es`` then ``lang-en``; its code cells serve both. A code
cell that shows a figure or a table names it,
``:fmnist: {"figure": "fig-01-loss", "width": "90%"}`` or ``{"table": "tab-01-audit"}``, and is
    followed by a pair of cells tagged ``caption`` as well. Their text is the caption; the comment
    ``<!-- alt: … -->`` in them describes the figure to someone who cannot see it. A figure inside a
    folded solution has the comment alone.
"""

from __future__ import annotations

import ast
import copy
import functools
import hashlib
import re
import tomllib
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import jupytext
import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "book"
SOURCES = BOOK / "pages"
LANGUAGES = ("es", "en")
LANGUAGE_NAMES = {"es": "Español", "en": "English"}

ALT_COMMENT = re.compile(r"<!--\s*alt:\s*(.*?)\s*-->", re.DOTALL)
ROLE = re.compile(r"\{([\w:-]+)\}`([^`]+)`")
# The directive of the self-check, see extensions/selfcheck.py: the question with its answers, and
# their explanations.
QUESTION = re.compile(r"^:::\{question\}\n(.*?)\n---\n(.*?)\n:::$", re.DOTALL | re.MULTILINE)
# In place of answers, a question may ask for a number: its value, how far off is still right, its
# unit.
NUMBER = re.compile(r"^= *(-?[\d.]+) *± *([\d.]+) *(.*)$", re.MULTILINE)
# What is numbered in a text: a labelled equation, an exercise.
NUMBERED = re.compile(
    r"\$\$[ \t]*\((?P<equation>[\w-]+)\)|^:{3,}\{exercise\}[^\n]*\n:label: *(?P<exercise>\S+)",
    re.MULTILINE,
)
SET_LANGUAGE = re.compile(r"^lang = .*$", re.MULTILINE)


def paths() -> list[Path]:
    """Return the sources of the pages, in the order of the table of contents."""
    contents = (SOURCES.parent / "es" / "_toc.yml").read_text("utf-8")
    named = re.findall(r"file: notebooks/(\S+)", contents)
    return [path for name in named if (path := SOURCES / f"{name}.md").is_file()]


def prose(folder: Path) -> list[Path]:
    """Return the pages of text in ``folder``, without the copies that editors make."""
    return [path for path in sorted(folder.glob("*.md")) if re.fullmatch("[a-z_]+", path.stem)]


def read(path: Path) -> NotebookNode:
    """Return the source at ``path`` as a notebook; a cell's id is its name or a digest."""
    return copy.deepcopy(_parsed(path.read_text("utf-8")))


@functools.lru_cache(maxsize=64)
def _parsed(text: str) -> NotebookNode:
    notebook = jupytext.reads(text, fmt="md:myst")
    notebook.metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
    }
    used: Counter[str] = Counter()
    for cell in notebook.cells:
        name = shown(cell) or hashlib.sha256(cell.source.encode()).hexdigest()[:12]
        used[name] += 1
        cell.id = name if used[name] == 1 else f"{name}-{used[name]}"
    return nbformat.from_dict(notebook)


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Write ``notebook`` to ``path`` in the form that git keeps."""
    path.write_text(nbformat.writes(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")


def tags(cell: NotebookNode) -> set[str]:
    """Return the tags of ``cell``."""
    return set(cell.metadata.get("tags", []))


def syntax_tree(source: str) -> ast.Module:
    """Return the syntax tree of a code cell, whose commands for IPython count as calls."""
    return ast.parse(TransformerManager().transform_cell(source))


def shown(cell: NotebookNode) -> str | None:
    """Return the name of the figure or table that a code cell shows, or None."""
    names = cell.metadata.get("fmnist", {})
    return names.get("figure") or names.get("table")


def caption_and_alt(cell: NotebookNode) -> tuple[str, str]:
    """Return the caption and the alternative text in a caption cell; either may be empty."""
    alt = ALT_COMMENT.search(cell.source)
    return ALT_COMMENT.sub("", cell.source).strip(), " ".join(alt[1].split()) if alt else ""


def one_language(notebook: NotebookNode, lang: str) -> NotebookNode:
    """Return a copy of ``notebook`` with all code cells and the markdown cells of ``lang``.

    The parameters cell sets ``lang``, so that figures, tables and messages speak it too.

    Raises:
        ValueError: if a markdown cell has no language.
    """
    page = copy.deepcopy(notebook)
    page.cells = []
    for number, cell in enumerate(notebook.cells, start=1):
        languages = [code for code in LANGUAGES if f"lang-{code}" in tags(cell)]
        if cell.cell_type == "markdown" and len(languages) != 1:
            raise ValueError(f"cell {number} is text without a language: tag it lang-es or lang-en")
        if cell.cell_type == "code" or lang in languages:
            page.cells.append(copy.deepcopy(cell))
        if "parameters" in tags(cell):
            page.cells[-1].source = SET_LANGUAGE.sub(f'lang = "{lang}"', cell.source)
    return page


def numbers(page: NotebookNode) -> dict[str, tuple[str, int]]:
    """Return what is numbered on a page in one language: label → its kind and its number.

    The kinds are ``figure``, ``table``, ``equation`` and ``exercise``; each is counted from 1 on
    each page, as ``extensions/numbering.py`` does on the site.
    """
    found: dict[str, tuple[str, int]] = {}
    counts: Counter[str] = Counter()

    def add(kind: str, label: str) -> None:
        counts[kind] += 1
        found[label] = (kind, counts[kind])

    for cell, following in zip(page.cells, [*page.cells[1:], None], strict=True):
        if cell.cell_type == "markdown":
            for match in NUMBERED.finditer(cell.source):
                add(match.lastgroup, match[match.lastgroup])
        elif shown(cell) and following and caption_and_alt(following)[0]:
            add("figure" if "figure" in cell.metadata["fmnist"] else "table", shown(cell))
    return found


def book_page(notebook: NotebookNode, lang: str) -> NotebookNode:
    """Return the page as Jupyter Book wants it: one language, captions in the cells' metadata.

    Raises:
        ValueError: if a caption follows no code cell that names a figure or a table.
    """
    page = one_language(notebook, lang)
    cells: list[NotebookNode] = []
    for cell in page.cells:
        if "caption" not in tags(cell):
            cells.append(cell)
        elif cells and shown(cells[-1]):
            cells[-1].metadata["mystnb"] = _caption_options(cells[-1], *caption_and_alt(cell))
        else:
            raise ValueError(f"caption without a figure or table before it: {cell.source[:60]!r}")
    page.cells = cells
    return page


def _caption_options(cell: NotebookNode, caption: str, alt: str) -> dict:
    """Return MyST-NB's options for a cell with this caption and alternative text."""
    width = cell.metadata["fmnist"].get("width")
    options: dict = {"image": {"alt": alt} | ({"width": width} if width else {})} if alt else {}
    if caption:
        options["figure"] = {"caption": caption, "name": shown(cell)}
        if "table" in cell.metadata["fmnist"]:  # see extensions/tables.py
            options["figure"] |= {"caption_before": True, "classes": "captioned-table"}
    return options


@functools.cache
def project() -> dict:
    """Return what ``pyproject.toml`` says of the project."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def repository() -> str:
    """Return the public address of the project."""
    return project()["urls"]["Repository"]


def public_site() -> str:
    """Return where the site is published: the GitHub Pages of the repository."""
    owner, name = urlsplit(repository()).path.strip("/").split("/")
    return f"https://{owner}.github.io/{name}"
