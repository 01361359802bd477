"""The notebooks that students open, one a page and language: ``make notebooks``.

They are made from the sources, hold one language, and are plain Markdown: JupyterLab, VS Code,
Colab, GitHub and nbviewer show them as they should look. Figures, tables, equations and exercises
have the numbers that they have on the site; works are cited as "Mansilla (2024)" and listed at the
end; links lead to the other notebooks and to the site; solutions are folded. Nothing here runs
code, but for cells tagged ``nbval-check-output``: what they show is kept in the notebook, for nbval
compares it. A new one is executed once.
"""

from __future__ import annotations

import argparse
import functools
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import nbformat
from docutils.nodes import make_id
from nbformat import NotebookNode
from pybtex.backends.markdown import Backend
from pybtex.database import BibliographyData, parse_file
from pybtex.style.formatting.plain import Style as EnglishStyle

from book.machinery import pages
from book.machinery.extensions.bibliography import SpanishStyle
from book.machinery.pages import BOOK, ROOT, tags

FOLDERS = {"es": ROOT / "notebooks", "en": ROOT / "notebooks" / "en"}
KEPT_TAGS = {
    "parameters", "raises-exception", "nbval-check-output", "nbval-ignore-output", "nbval-skip",
}  # fmt: skip
FOLDED_CODE = {"solution", "hide-input", "remove-cell"}
COLAB = """import sys

if "google.colab" in sys.modules:
    %pip install -q git+{address}"""

WORDS = {
    "es": {
        "figure": "Figura", "table": "Tabla", "exercise": "Ejercicio", "question": "Pregunta", "and": "y",
        "solution": "Solución del ejercicio", "answers": "Las respuestas, explicadas", "references": "Referencias",
        "number": "La respuesta es un número",
        "note": "Nota", "tip": "Consejo", "warning": "Atención", "important": "Importante", "seealso": "Ver también",
    },
    "en": {
        "figure": "Figure", "table": "Table", "exercise": "Exercise", "question": "Question", "and": "and",
        "solution": "Solution of exercise", "answers": "The answers, explained", "references": "References",
        "number": "The answer is a number",
        "note": "Note", "tip": "Tip", "warning": "Warning", "important": "Important", "seealso": "See also",
    },
}  # fmt: skip
BOXES = {"admonition", "dropdown", "note", "tip", "warning", "important", "seealso"}

OPENING = re.compile(r"^(:{3,})\{([\w:-]+)\}[ \t]*(.*)$")
OPTION = re.compile(r"^:([\w-]+):[ \t]*(.*)$")
LABEL = re.compile(r"^\(([\w-]+)\)=[ \t]*$")
LABELLED = re.compile(r"^\(([\w-]+)\)=[ \t]*\n+(?:#+ +([^\n]+))?", re.MULTILINE)
TITLED = re.compile(r"(.+?)\s*<([^<>]+)>", re.DOTALL)
NEEDLESS_ESCAPE = re.compile(r"\\([.-])")  # pybtex is careful
NOT_PLAIN = re.compile(r"^%|\[\^[\w-]+\]|\{\{|^\{[.#]|!\[", re.MULTILINE)
INLINE = re.compile(
    r"""(?P<fence>^(?P<ticks>`{3,})[^\n]*\n.*?^(?P=ticks)`*[ \t]*$)
    | \$\$(?P<display>.+?)\$\$(?:[ \t]*\((?P<equation>[\w-]+)\))?
    | \{(?P<role>[\w:-]+)\}`(?P<content>[^`]+)`
    | (?P<code>`[^`\n]+`)
    | (?P<math>(?<!\\)\$[^$\n]+\$)
    | (?<!!)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)
    | (?P<comment><!--.*?-->)""",
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)


def main(arguments: list[str] | None = None) -> int:
    """Write the notebooks; with ``--check``, only say which are stale, and return 1 if any is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail if one is stale")
    parser.add_argument("--refresh", action="store_true", help="execute all checked cells again")
    chosen = parser.parse_args(arguments)
    failed = False
    for target, notebook in outdated(refresh=chosen.refresh):
        failed |= chosen.check or isinstance(notebook, ValueError)
        print(notebook if isinstance(notebook, ValueError) else target.relative_to(ROOT))
        if chosen.check or isinstance(notebook, ValueError):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if missing := without_output(notebook):
            fill_in(notebook, missing, target)
        pages.write_notebook(notebook, target)
    return int(failed)


def outdated(refresh: bool = False) -> Iterator[tuple[Path, NotebookNode | ValueError]]:
    """Yield each notebook that is not as its source wants it, with what it should be.

    That is an error where the source has no plain form. A notebook without a source is a reader's.
    """
    for lang, folder in FOLDERS.items():
        for source in pages.paths():
            target = folder / f"{source.stem}.ipynb"
            present = nbformat.read(target, as_version=4) if target.exists() else None
            kept = {} if refresh else kept_outputs(source.stem, lang)
            try:
                notebook = plain_notebook(source, lang)
            except ValueError as error:
                yield target, error
                continue
            for cell in notebook.cells:
                if "nbval-check-output" in tags(cell):
                    keep(cell, kept.get(cell.id, []))
            if notebook != present or without_output(notebook):
                yield target, notebook


def kept_outputs(name: str, lang: str) -> dict[str, list[NotebookNode]]:
    """Return the outputs in a page's notebook, by cell, else those of the other language."""
    found: dict[str, list[NotebookNode]] = {}
    for folder in sorted(FOLDERS.values(), key=FOLDERS[lang].__eq__):
        path = folder / f"{name}.ipynb"
        cells = nbformat.read(path, as_version=4).cells if path.exists() else []
        found |= {cell.id: cell.outputs for cell in cells if cell.get("outputs")}
    return found


def without_output(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the cells whose output nbval shall compare and which have none."""
    return [c for c in notebook.cells if "nbval-check-output" in tags(c) and not c.outputs]


def fill_in(notebook: NotebookNode, missing: list[NotebookNode], target: Path) -> None:
    """Give the cells in ``missing`` what they show as text when the page is executed."""
    from book.machinery import execution  # papermill and a kernel, which most calls do not need

    lang = next(lang for lang, folder in FOLDERS.items() if folder == target.parent)
    executed = execution.execute_all([lang], [pages.SOURCES / f"{target.stem}.md"])
    outputs = {cell.id: cell.outputs for cell in executed[target.stem, lang].cells}
    for cell in missing:
        for output in outputs[cell.id]:
            if "data" in output:
                output.data = {"text/plain": output.data["text/plain"]}
                output.metadata = {}
        keep(cell, outputs[cell.id])


def keep(cell: NotebookNode, outputs: list[NotebookNode]) -> None:
    """Keep ``outputs`` in a cell, numbered: nbval takes a cell without a number for unrun."""
    for output in outputs:
        output.pop("execution_count", None)
        if output.output_type == "execute_result":
            output.execution_count = 1
    cell.outputs = outputs
    cell.execution_count = 1 if outputs else None


def plain_notebook(source: Path, lang: str) -> NotebookNode:
    """Return the notebook of a page in ``lang``, without outputs.

    Raises:
        ValueError: if the page holds markup that has no plain form; it names the page and the cell.
    """
    page = pages.one_language(pages.read(source), lang)
    text = PlainText(source.stem, lang, pages.numbers(page))
    cells = [nbformat.v4.new_code_cell(COLAB.format(address=pages.repository()), id="colab")]
    cells[0].metadata = {"tags": ["nbval-ignore-output"]}
    name = None
    for number, cell in enumerate(page.cells, start=1):
        if cell.cell_type == "code":
            name = pages.shown(cell)
            if "google.colab" not in cell.source:
                cells.append(_plain_code(cell))
            continue
        is_caption = "caption" in tags(cell)
        try:
            cell.source = text.caption(cell, name) if is_caption else text.plain(cell.source)
        except ValueError as error:
            raise ValueError(f"{source.name} [{lang}], cell {number}: {error}") from None
        cell.metadata = {}
        if cell.source:
            cells.append(cell)
    # The title comes first, before the cell for Colab.
    cells[:2] = cells[1::-1]
    if works := text.list_of_works():
        heading = f"## {WORDS[lang]['references']}"
        if heading in cells[-1].source:
            cells[-1].source += f"\n\n{works}"
        else:
            cells.append(nbformat.v4.new_markdown_cell(f"{heading}\n\n{works}", id="references"))
    page.cells = cells
    return page


def _plain_code(cell: NotebookNode) -> NotebookNode:
    """Return a code cell as a student opens it, without what only the site reads."""
    kept = sorted(tags(cell) & KEPT_TAGS)
    folded = (
        {"jupyter": {"source_hidden": True}, "cellView": "form"} if tags(cell) & FOLDED_CODE else {}
    )
    cell.metadata = folded | ({"tags": kept} if kept else {})
    return cell


# --- Text -----------------------------------------------------------------------------------------


@dataclass
class Directive:
    """A block between colons: ``:::{kind} argument``, its options and its lines."""

    kind: str
    argument: str
    options: dict[str, str]
    lines: list[str]


def blocks(lines: list[str]) -> Iterator[str | Directive]:
    """Yield the directives among ``lines``, and as one text what stands between two of them.

    Raises:
        ValueError: if a directive does not end.
    """
    text: list[str] = []
    rest = iter(lines)
    for line in rest:
        if not (opening := OPENING.match(line)):
            if not LABEL.match(line):
                text.append(line)
            continue
        if "\n".join(text).strip():
            yield "\n".join(text).strip()
        text = []
        colons, kind, argument = opening.groups()
        inside = []
        for inner in rest:
            if inner.rstrip() == colons:
                break
            inside.append(inner)
        else:
            raise ValueError(f"the directive {kind} does not end")
        options = {}
        while inside and (option := OPTION.match(inside[0])):
            options[option[1]] = option[2].strip()
            inside.pop(0)
        yield Directive(kind, argument.strip(), options, inside)
    if "\n".join(text).strip():
        yield "\n".join(text).strip()


@dataclass
class PlainText:
    """The texts of one page in one language, cell after cell, as plain Markdown.

    Attributes:
        page: its name, ``01_ff_classifier``.
        numbers: of its figures, tables, equations and exercises, see :func:`pages.numbers`.
        cited: the keys of the works cited so far.
        solving: the label of the exercise whose solution is open, or None.
    """

    page: str
    lang: str
    numbers: dict[str, tuple[str, int]]
    cited: dict[str, None] = field(default_factory=dict)
    solving: str | None = None
    questions: int = 0

    def plain(self, source: str) -> str:
        """Return the text of a cell as plain Markdown; what belongs to a solution is folded.

        Raises:
            ValueError: for markup that has no plain form.
        """
        pieces: list[tuple[str | None, str]] = []
        for block in blocks(source.splitlines()):
            if isinstance(block, Directive) and block.kind.startswith("solution-"):
                self.solving = block.argument if block.kind == "solution-start" else None
                continue
            piece = self.directive(block) if isinstance(block, Directive) else self.inline(block)
            if not piece:
                continue
            if pieces and pieces[-1][0] == self.solving:
                pieces[-1] = (self.solving, f"{pieces[-1][1]}\n\n{piece}")
            else:
                pieces.append((self.solving, piece))
        return "\n\n".join(
            folded(f"{WORDS[self.lang]['solution']} {self.numbers[label][1]}", piece)
            if label
            else piece
            for label, piece in pieces
        )

    def caption(self, cell: NotebookNode, name: str) -> str:
        """Return the caption of the figure or table ``name`` with its number, if it has one."""
        caption, _ = pages.caption_and_alt(cell)
        return f"**{self.numbered(name)}.** {self.inline(caption)}" if caption else ""

    def numbered(self, label: str) -> str:
        """Return how the text names what is numbered: «Figura 3»; an equation is «(2)».

        Raises:
            ValueError: if nothing on the page has this label.
        """
        if label not in self.numbers:
            raise ValueError(f"nothing on this page is called {label}")
        kind, number = self.numbers[label]
        return f"({number})" if kind == "equation" else f"{WORDS[self.lang][kind]} {number}"

    def directive(self, block: Directive) -> str:
        """Return a directive as plain Markdown: a box as a quotation, or folded."""
        words = WORDS[self.lang]
        if block.kind == "question":
            return self.question(block)
        if block.kind == "live":  # it runs on the site alone
            return ""
        body = "\n\n".join(
            self.directive(inner) if isinstance(inner, Directive) else self.inline(inner)
            for inner in blocks(block.lines)
        )
        title = self.inline(block.argument)
        if block.kind == "exercise":
            title = ". ".join(filter(None, [self.numbered(block.options["label"]), title]))
        elif block.kind in BOXES:
            title = title or words[block.kind]
        else:
            raise ValueError(f"the directive {block.kind} has no plain form")
        if block.kind == "dropdown" or "dropdown" in block.options.get("class", ""):
            return folded(title, body)
        return quoted(f"**{title}**\n\n{body}")

    def question(self, block: Directive) -> str:
        """Return a question of the self-check with its answers; their explanations are folded."""
        self.questions += 1
        asked, _, explained = "\n".join(block.lines).partition("\n---\n")
        words = WORDS[self.lang]
        heading = f"**{words['question']} {self.questions}.** {self.inline(asked.strip())}"
        if asks_number := pages.NUMBER.search(heading):
            unit = f" ({asks_number[3]})" if asks_number[3] else ""
            heading = heading.replace(asks_number[0], f"*{words['number']}{unit}.*")
        return f"{heading}\n\n{folded(words['answers'], self.inline(explained.strip()))}"

    def inline(self, text: str) -> str:
        """Return ``text`` with roles, links, equations and comments made plain."""

        def replaced(match: re.Match) -> str:
            if match["display"]:
                label = match["equation"]
                number = f" \\tag{{{self.numbers[label][1]}}}" if label else ""
                return f"$${match['display'].rstrip()}{number}$$"
            if match["role"]:
                return self.role(match["role"], match["content"])
            if match["target"]:
                return self.link(match["text"], match["target"])
            if match["fence"] and match["fence"].startswith(f"{match['ticks']}{{"):
                raise ValueError("a directive between backticks has no plain form: use colons")
            return "" if match["comment"] else match[0]

        outside = INLINE.sub(" ", text)
        if unknown := NOT_PLAIN.search(outside):
            raise ValueError(f"markup that has no plain form: {outside[unknown.start() :][:40]!r}")
        return INLINE.sub(replaced, text).strip()

    def role(self, role: str, content: str) -> str:
        """Return what a role stands for."""
        content = " ".join(content.split())
        titled = TITLED.fullmatch(content)
        title, target = titled.groups() if titled else ("", content)
        if role in ("cite:t", "cite:p"):
            return self.citation(content.replace(" ", "").split(","), textual=role == "cite:t")
        if role == "term":
            place = f"{pages.public_site()}/{self.lang}/glossary.html#{make_id(f'term-{target}')}"
            return f"[{title or target}]({place})"
        if role in ("numref", "eq"):
            return self.numbered(target)
        if role == "ref":
            return self.reference(title, target)
        if role.startswith("py:"):
            return f"`{title or target.lstrip('~')}`"
        raise ValueError(f"the role {role} has no plain form")

    def citation(self, keys: list[str], textual: bool) -> str:
        """Return «Mansilla (2024)», or «(Mansilla, 2024)», and remember the works."""
        self.cited |= dict.fromkeys(keys)
        said = [author_and_year(key, WORDS[self.lang]["and"]) for key in keys]
        if textual:
            return ", ".join(f"{authors} ({year})" for authors, year in said)
        return f"({'; '.join(f'{authors}, {year}' for authors, year in said)})"

    def reference(self, title: str, label: str) -> str:
        """Return a link to a labelled place: here, in another notebook, or on the site."""
        if label in self.numbers and not title:
            return self.numbered(label)
        places = labels(self.lang)
        if label not in places:
            raise ValueError(f"nothing in the book is called {label}")
        page, heading = places[label]
        title = title or self.inline(heading)
        if not page.startswith("notebooks/"):
            return f"[{title}]({pages.public_site()}/{self.lang}/{page}.html#{label})"
        # JupyterLab, nbviewer and GitHub make a heading's anchor from its words.
        plain_heading = heading and not set("$`{") & set(heading) and not label.startswith("ex-")
        words = re.sub(r"[*_]", "", heading).replace(" ", "-")
        anchor = f"#{quote(words)}" if plain_heading else ""
        notebook = "" if page == f"notebooks/{self.page}" else f"{page.partition('/')[2]}.ipynb"
        return f"[{title}]({notebook}{anchor})" if notebook or anchor else title

    def link(self, text: str, target: str) -> str:
        """Return a Markdown link; one to a file of the book leads to its notebook or page."""
        if re.match(r"\w+:", target):
            return f"[{self.inline(text)}]({target})"
        name, _, fragment = target.removeprefix("../").partition("#")
        page = name.removesuffix(".md").removesuffix(".ipynb")
        title = self.inline(text) or next(t for p, t in labels(self.lang).values() if p == page)
        if page.startswith("notebooks/"):
            return f"[{title}]({page.partition('/')[2]}.ipynb)"
        return f"[{title}]({pages.public_site()}/{self.lang}/{page}.html{'#' + fragment if fragment else ''})"

    def list_of_works(self) -> str:
        """Return the works that the page cites as a list in alphabetical order."""
        cited = [works().entries[key] for key in self.cited]
        listed = [work.text.render(Backend()) for work in style(self.lang).format_entries(cited)]
        return "\n".join(
            "- " + NEEDLESS_ESCAPE.sub(r"\1", " ".join(work.split())) for work in listed
        )


def folded(title: str, body: str) -> str:
    """Return Markdown under a title that opens it."""
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def quoted(text: str) -> str:
    """Return ``text`` as a quotation, each formula on one line, else viewers take > for TeX."""
    formulas = re.compile(r"\$\$.+?\$\$", re.DOTALL)
    text = formulas.sub(lambda formula: " ".join(formula[0].split()), text)
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


@functools.cache
def labels(lang: str) -> dict[str, tuple[str, str]]:
    """Return the labelled places of the book in ``lang``: label → page and heading."""
    found = {}
    texts = {path.stem: path.read_text("utf-8") for path in pages.prose(BOOK / lang)}
    for source in pages.paths():
        page = pages.one_language(pages.read(source), lang)
        name = f"notebooks/{source.stem}"
        cells = [cell.source for cell in page.cells if cell.cell_type == "markdown"]
        texts[name] = "\n\n".join(cells)
        found |= {
            label: (name, f"{WORDS[lang][kind]} {number}")
            for label, (kind, number) in pages.numbers(page).items()
            if kind == "exercise"
        }
    for name, text in texts.items():
        found |= {label: (name, heading.strip()) for label, heading in LABELLED.findall(text)}
    return found


@functools.cache
def style(lang: str) -> SpanishStyle | EnglishStyle:
    """Return how works are listed; making it looks through all that is installed."""
    return SpanishStyle() if lang == "es" else EnglishStyle()


@functools.cache
def works() -> BibliographyData:
    """Return the bibliography of the book."""
    return parse_file(BOOK / "references.bib")


def author_and_year(key: str, conjunction: str) -> tuple[str, str]:
    """Return a work's authors by last names, three or more as «Bruno *et al.*», and its year.

    Raises:
        ValueError: if the bibliography has no such work.
    """
    if key not in works().entries:
        raise ValueError(f"references.bib has no work {key}")
    work = works().entries[key]
    names = [
        " ".join([*person.prelast_names, *person.last_names]).strip("{}")
        for person in work.persons.get("author") or work.persons["editor"]
    ]
    authors = f"{names[0]} *et al.*" if len(names) > 2 else f" {conjunction} ".join(names)
    return authors, work.fields["year"]


if __name__ == "__main__":
    sys.exit(main())
