"""A page is one language of a bilingual source: how it is selected, captioned, and made plain for readers elsewhere.

A source, ``book/pages/NN_name.md``, is a notebook in Jupytext's MyST form and holds both languages. Its markdown cells come
in pairs, ``lang-es`` then ``lang-en``; its code cells serve both. A code cell that shows a figure or a table names it, ``metadata.fmnist = {"figure":
"fig-01-loss", "width": "90%"}`` or ``{"table": "tab-01-audit"}``, and is followed by a pair of cells tagged ``caption``
as well. Their text is the caption; the comment ``<!-- alt: … -->`` in them says what the figure shows to someone who
cannot see it. A figure inside a folded solution has the comment alone.

``python -m book.machinery.pages`` writes the notebooks that readers open, one for each language, from the sources.
"""

from __future__ import annotations

import copy
import hashlib
import re
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "book" / "pages"
NOTEBOOKS = {"es": ROOT / "notebooks", "en": ROOT / "notebooks" / "en"}
LANGUAGES = ("es", "en")

ALT_COMMENT = re.compile(r"<!--\s*alt:\s*(.*?)\s*-->", re.DOTALL)
ROLE = re.compile(r"\{([\w:-]+)\}`([^`]+)`")
DIRECTIVE = re.compile(r"^:{3,}\{([\w:-]+)\} *(.*)$")
QUESTION = re.compile(
    r"^:::\{question\}\n(.*?)\n---\n(.*?)\n:::$", re.DOTALL | re.MULTILINE
)  # see extensions/selfcheck.py

# How the directives of a page are called in a copy that no MyST renders; the others are named by their own title.
PLAIN_TITLES = {
    "exercise": {"es": "Ejercicio", "en": "Exercise"},
    "question": {"es": "Pregunta", "en": "Question"},
    "solution-start": {"es": "Solución", "en": "Solution"},
    "note": {"es": "Nota", "en": "Note"},
    "tip": {"es": "Consejo", "en": "Tip"},
    "warning": {"es": "Atención", "en": "Warning"},
}
FOLDED_ANSWERS = {"es": "Las respuestas, explicadas", "en": "The answers, explained"}


def paths() -> list[Path]:
    """Return the sources of the book's pages in reading order."""
    return sorted(SOURCES.glob("[0-9][0-9]_*.md"))


def read(path: Path) -> NotebookNode:
    """Return the source or the notebook at ``path`` as nbformat 4; the cells of a source get ids that stay the same."""
    if path.suffix == ".ipynb":
        return nbformat.read(path, as_version=4)
    notebook = jupytext.read(path, fmt="md:myst")
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"] | {"language": "python"}}
    used: dict[str, int] = {}
    for cell in notebook.cells:
        name = shown(cell) or hashlib.sha256(cell.source.encode()).hexdigest()[:12]
        used[name] = used.get(name, 0) + 1
        cell.id = name if used[name] == 1 else f"{name}-{used[name]}"
    return nbformat.from_dict(notebook)


def write(notebook: NotebookNode, path: Path) -> None:
    """Write ``notebook`` as those in git are written."""
    path.write_text(nbformat.writes(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")


def tags(cell: NotebookNode) -> set[str]:
    """Return the tags of ``cell``."""
    return set(cell.metadata.get("tags", []))


def shown(cell: NotebookNode) -> str | None:
    """Return the name of the figure or table that a code cell shows, or None."""
    names = cell.metadata.get("fmnist", {})
    return names.get("figure") or names.get("table")


def caption_and_alt(cell: NotebookNode) -> tuple[str, str]:
    """Return the caption and the alternative text that a caption cell holds; either may be empty."""
    alt = ALT_COMMENT.search(cell.source)
    return ALT_COMMENT.sub("", cell.source).strip(), " ".join(alt[1].split()) if alt else ""


def one_language(notebook: NotebookNode, lang: str) -> NotebookNode:
    """Return a copy of ``notebook`` with all code cells and the markdown cells of ``lang``.

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
    return page


def book_page(notebook: NotebookNode, lang: str) -> NotebookNode:
    """Return the page as Jupyter Book wants it: one language, captions and alternative texts in the metadata of cells.

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
    width = cell.metadata["fmnist"].get("width")
    options: dict = {"image": {"alt": alt} | ({"width": width} if width else {})} if alt else {}
    if caption:
        options["figure"] = {"caption": caption, "name": shown(cell)}
        if "table" in cell.metadata["fmnist"]:
            options["figure"] |= {
                "caption_before": True,
                "classes": "captioned-table",
            }  # see extensions/tables.py
    return options


def reader_copy(notebook: NotebookNode, lang: str) -> NotebookNode:
    """Return the copy for Colab and for download: one language, no outputs, plain Markdown, solutions folded.

    The default language of the parameters cell becomes ``lang``, so that figures and tables speak it too. Captions begin with
    the name of their figure, by which the text refers to it.
    """
    page = one_language(notebook, lang)
    name = None
    for cell in page.cells:
        if cell.cell_type == "markdown":
            has_caption = "caption" in tags(cell) and caption_and_alt(cell)[0]
            cell.source = (f"**`{name}`** " if has_caption else "") + plain_markdown(
                cell.source, lang
            )
            continue
        name = shown(cell)
        cell.outputs, cell.execution_count = [], None
        if tags(cell) & {"solution", "hide-input"}:
            cell.metadata["jupyter"] = {"source_hidden": True}
        if "parameters" in tags(cell):
            cell.source = re.sub(r'("FMNIST_LANG", *)"\w+"', rf'\1"{lang}"', cell.source)
    return page


def plain_markdown(text: str, lang: str) -> str:
    """Return MyST ``text`` as Markdown that any viewer shows: no labels, directives, roles or relative links.

    The explanations of a question are folded, as in the book: notebooks show the element ``details``.
    """
    folded = rf":::{{question}}\n\1\n<details><summary>{FOLDED_ANSWERS[lang]}</summary>\n\n\2\n\n</details>\n:::"
    text = QUESTION.sub(folded, text)
    lines, options_follow = [], False
    for line in text.splitlines():
        directive = DIRECTIVE.match(line)
        if directive:
            kind, title = directive.groups()
            known = PLAIN_TITLES.get(kind, {}).get(lang, "")
            is_reference = kind == "solution-start"  # its argument is a label, not a title
            words = [known, "" if is_reference else title]
            heading = ". ".join(word for word in words if word)
            lines += [f"**{heading}**", ""] if heading and kind != "bibliography" else []
            options_follow = True
        elif options_follow and re.match(r":[\w-]+:", line):
            continue
        elif not re.fullmatch(r":{3,}|\([\w-]+\)=", line.strip()):
            options_follow = False
            lines.append(line)
    plain = ROLE.sub(_plain_role, "\n".join(lines))
    return re.sub(r"(?<!!)\[([^\]]+)\]\((?!https?:)[^)]*\)", r"\1", plain).strip()


def _plain_role(match: re.Match) -> str:
    role, content = match.groups()
    titled = re.fullmatch(r"(.+?)\s*<[^>]+>", content, re.DOTALL)
    if titled:
        return titled[1]
    if role.startswith("cite"):
        return f"[{content}]"
    return content if role == "term" else f"`{content}`"


def write_reader_copies() -> None:
    """Write the notebooks of both languages; the checked output of a cell stays as long as its code does."""
    for source in paths():
        notebook = read(source)
        for lang, folder in NOTEBOOKS.items():
            folder.mkdir(exist_ok=True)
            target = folder / f"{source.stem}.ipynb"
            page, outputs = reader_copy(notebook, lang), checked_outputs(target)
            for cell in page.cells:
                if "nbval-check-output" in tags(cell):
                    cell.outputs = outputs.get(cell.id, [])
            write(page, target)


def checked_outputs(path: Path) -> dict[str, list[NotebookNode]]:
    """Return the outputs that a notebook holds for nbval, by the id of their cell; none if there is no notebook."""
    if not path.exists():
        return {}
    return {cell.id: cell.outputs for cell in read(path).cells if cell.get("outputs")}


if __name__ == "__main__":
    write_reader_copies()
