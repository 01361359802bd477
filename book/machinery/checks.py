"""What every page must keep to, and what the built site must be: ``python -m book.machinery.checks``.

A rule is a function that takes what it judges and yields one line for each thing found wrong; ``NOTEBOOK_RULES``,
``PROSE_RULES`` and ``SITE_RULES`` list them all. Some are matters of truth (no measured number is typed into text: it
comes from a record), some of access (alternative texts), some keep the two languages one book.
"""

from __future__ import annotations

import ast
import gc
import itertools
import posixpath
import re
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

from book.machinery import links as experiments
from book.machinery import forks
from book.machinery import pages
from book.machinery import terms
from bs4 import BeautifulSoup, NavigableString, Tag
from nbformat import NotebookNode
from book.machinery.pages import LANGUAGES, ROOT, tags

MAX_LINES, MAX_COLUMNS, MAX_MEDIAN_LINES = 15, 79, 4
CELLS = range(25, 46)  # as a reader of one language counts them
ALT_LENGTH = range(40, 251)
QUESTIONS, ANSWERS = 5, (3, 4)  # of the self-check of a page

KNOWN_TAGS = {
    "lang-es", "lang-en", "caption", "parameters", "solution", "hide-input", "remove-cell", "raises-exception",
    "nbval-check-output", "nbval-ignore-output", "nbval-skip",
}  # fmt: skip
LOCAL_PATH = re.compile(
    r"(?<![\w.:/-])/(?:home|root|work|tmp|Users|private|mnt|opt)/\w|[A-Z]:\\Users|site-packages|file:///"
)

Findings = Iterator[str]


# --- The text of a cell or a file -------------------------------------------------------------------------------------

MATH = re.compile(r"\$\$(.+?)\$\$|(?<![\\$])\$(?!\s)([^$\n]+)(?<!\s)\$", re.DOTALL)
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
FENCED = re.compile(r"^(`{3,})[^\n]*\n.*?^\1`*\s*$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
OPTION, LABEL, OPENING = r"^:[\w-]+:.*$", r"^[ \t]*\([\w-]+\)=?[ \t]*$", r"^:{3,}\{[\w:-]+\}"
MARKUP = re.compile(f"{OPTION}|{LABEL}|{OPENING}", re.MULTILINE)
NUMBER = re.compile(r"(?<![\w.])\d+(?:[\u202f\u00a0,]\d{3}(?!\d))*(?:[.,]\d+)?")
THOUSANDS = re.compile(r"[\u202f\u00a0,](?=\d{3}(?!\d))")


def prose(text: str) -> str:
    """Return ``text`` without formulas, code, roles, labels, options and addresses: what is left is said in words."""
    for pattern in (FENCED, MATH, pages.ROLE, CODE, MARKUP, LINK):
        text = pattern.sub(" ", text)
    return re.sub(r"https?://\S+", " ", text)


def _roles(text: str) -> list[tuple[str, str]]:
    # A term of the glossary is another word in the other language.
    found = []
    for role, content in pages.ROLE.findall(text):
        target = re.search(r"<([^>]+)>$", content)
        found.append((role, "" if role == "term" else target[1] if target else content))
    return sorted(found)


def _formulas(text: str) -> list[str]:
    words = re.compile(r"\\(?:text|mathrm|textrm)\{[^}]*\}|\s")
    formulas = MATH.findall(CODE.sub("", pages.ROLE.sub("", text)))
    return sorted(words.sub("", display or inline) for display, inline in formulas)


def _code_blocks(text: str) -> list[str]:
    # Comments are in the page's language.
    blocks = (block[0] for block in FENCED.finditer(text) if not block[0].startswith("```{"))
    return [re.sub(r" *#.*", "", block) for block in blocks]


def _labels(text: str) -> list[str]:
    pattern = r"^\(([\w-]+)\)=$|^:(?:label|name): *(\S+)$|\$\$ *\(([\w-]+)\)"
    return ["".join(names) for names in re.findall(pattern, text, re.MULTILINE)]


# What the two texts of a pair must have in common.
FACTS: dict[str, Callable[[str], object]] = {
    "heading levels": lambda text: list(
        map(len, re.findall(r"^(#{1,6}) ", FENCED.sub("", text), re.MULTILINE))
    ),
    "labels": _labels,
    "directives": lambda text: re.findall(r"^(?::{3,}|`{3,})\{([\w:-]+)\}", text, re.MULTILINE),
    "roles": _roles,
    "formulas": _formulas,
    "inline code": lambda text: sorted(CODE.findall(pages.ROLE.sub("", FENCED.sub("", text)))),
    "code blocks": _code_blocks,
    "link targets": lambda text: sorted(target.partition("#")[0] for target in LINK.findall(text)),
    "numbers": lambda text: sorted(
        THOUSANDS.sub("", number) for number in NUMBER.findall(prose(text))
    ),
    "list items": lambda text: len(re.findall(r"^ *(?:[-*]|\d+\.) ", text, re.MULTILINE)),
    "table rows": lambda text: len(re.findall(r"^\|", text, re.MULTILINE)),
    "alternative text": lambda text: bool(pages.ALT_COMMENT.search(text)),
}


def differences(spanish: str, english: str) -> Findings:
    """Yield what two texts that should say the same do not have in common."""
    for name, fact in FACTS.items():
        if (es := fact(spanish)) != (en := fact(english)):
            yield f"{name} differ: {es} in Spanish, {en} in English"


METRIC = re.compile(
    r"exactitud|accuracy|pérdida|\bloss|precisión|precision|exhaustividad|\brecall|\bF1\b|\berror(?:es|s)?\b|aciert"
    r"|\bECM\b|\bMSE\b",
    re.IGNORECASE,
)
MEASUREMENT = re.compile(r"(?<![\w.-])(?:\d*[.,]\d+(?:\s*%)?|\d+\s*%)(?!\d)")
SETTING = re.compile(r"tasa|\brate|dropout|momentum|momento|decaimiento|decay", re.IGNORECASE)


def typed_measurements(text: str) -> Findings:
    """Yield the sentences that hold a decimal number or a percentage beside the name of a metric.

    Numbers inside formulas and code are derived or set, not measured, and so is one that follows the name of a setting.
    """
    for sentence in re.split(r"(?<=[.!?:;])\s+|\n\s*\n|\n *[-*|] ", prose(text)):
        for number in MEASUREMENT.finditer(sentence):
            around = sentence[max(0, number.start() - 60) : number.end() + 60]
            if METRIC.search(around) and not SETTING.search(
                sentence[max(0, number.start() - 40) : number.start()]
            ):
                yield f"typed-in measurement {number[0].strip()!r}: {' '.join(around.split())!r}"


NOT_OUR_SPANISH = re.compile(
    r"\b(?:teste[oa]\w*|overfitting|learning rate|batch(?:es)?|accuracy|loss|podés|tenés|querés|mirá|fijate|probá)\b",
    re.IGNORECASE,
)


def foreign_words(text: str) -> Findings:
    """Yield the words in Spanish prose for which the glossary has a better one; one in italics is a gloss."""
    without_glosses = re.sub(r"\*[^*\n]+\*", " ", prose(text))
    for word in NOT_OUR_SPANISH.findall(without_glosses):
        yield f"the glossary has another word for {word!r}"


# --- Notebooks --------------------------------------------------------------------------------------------------------


def language_pairs(notebook: NotebookNode) -> Findings:
    """Every Spanish cell is followed by its English twin, which has the same parts."""
    cells = iter(enumerate(notebook.cells, start=1))
    for number, cell in cells:
        if cell.cell_type != "markdown":
            continue
        if "lang-es" not in tags(cell) or "lang-en" in tags(cell):
            yield f"cell {number}: expected a lang-es cell, its tags are {sorted(tags(cell))}"
            continue
        _, twin = next(cells, (None, None))
        if (
            twin is None
            or twin.cell_type != "markdown"
            or tags(twin) != tags(cell) - {"lang-es"} | {"lang-en"}
        ):
            yield f"cell {number}: its lang-en twin does not follow it"
            return  # every later pair would be out of step
        for difference in differences(cell.source, twin.source):
            yield f"cells {number} and {number + 1}: {difference}"


def figures(notebook: NotebookNode) -> Findings:
    """Every figure and table has its own name, a caption and, if it is a picture, an alternative text."""
    names = []
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        after = list(
            itertools.takewhile(
                lambda following: "caption" in tags(following), notebook.cells[index + 1 :]
            )
        )
        name = pages.shown(cell)
        if name:
            names.append(name)
            yield from _caption_findings(cell, name, after)
            continue
        if re.search(r"^(?:\w+\.)*plots\.\w+\(", cell.source, re.MULTILINE):
            yield f"cell {index + 1}: it draws, and names no figure in metadata.fmnist"
        if after:
            yield f"cell {index + 2}: a caption without a figure or table before it"
    yield from (
        f"two outputs are called {name}" for name in sorted(set(names)) if names.count(name) > 1
    )


def _caption_findings(cell: NotebookNode, name: str, captions: list[NotebookNode]) -> Findings:
    kind = "figure" if "figure" in cell.metadata["fmnist"] else "table"
    if not re.fullmatch(rf"{kind[:3]}-\d\d-[a-z0-9-]+", name):
        yield f"{name} is not of the form {kind[:3]}-NN-words"
    if len(captions) != len(LANGUAGES):
        yield f"{name}: there is no pair of caption cells after it"
    for caption, alt in map(pages.caption_and_alt, captions):
        if bool(caption) == ("solution" in tags(cell)):
            yield f"{name}: a caption is for what is not inside a folded solution"
        if kind == "figure" and len(alt) not in ALT_LENGTH:
            yield f"{name}: its alternative text has {len(alt)} characters: {alt!r}"
        if kind == "figure" and alt in (caption, name):
            yield f"{name}: its alternative text only repeats its caption or name"


def code_size(notebook: NotebookNode) -> Findings:
    """Code cells are short and narrow enough to be read beside the text, on a phone as well."""
    lengths = []
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type != "code":
            continue
        lines = cell.source.splitlines()
        lengths.append(len(lines))
        if len(lines) > MAX_LINES:
            yield f"cell {number}: {len(lines)} lines of code, at most {MAX_LINES}"
        # An address cannot be broken.
        if (
            widest := max((len(line) for line in lines if "://" not in line), default=0)
        ) > MAX_COLUMNS:
            yield f"cell {number}: a line of {widest} columns, at most {MAX_COLUMNS}"
    if lengths and statistics.median(lengths) > MAX_MEDIAN_LINES:
        yield f"the median code cell has {statistics.median(lengths)} lines, at most {MAX_MEDIAN_LINES}"


def page_length(notebook: NotebookNode) -> Findings:
    """A page is one sitting: its code cells and one language's text; captions, drawings, removed cells and the self-check do not count.

    A drawing is a figure whose code is folded: it is part of the text that it goes with.
    """
    shown = [cell for cell in notebook.cells if not tags(cell) & {"caption", "remove-cell"}]
    cells = [cell for cell in shown if not _is_drawing(cell) and "{question}" not in cell.source]
    count = sum(cell.cell_type == "code" or "lang-es" in tags(cell) for cell in cells)
    if count not in CELLS:
        yield f"{count} cells, not {CELLS.start} to {CELLS.stop - 1}"


def _is_drawing(cell: NotebookNode) -> bool:
    return "hide-input" in tags(cell) and "figure" in cell.metadata.get("fmnist", {})


def parameters(notebook: NotebookNode, known: set[str] | None = None) -> Findings:
    """One cell holds the parameters: scalars under names that the report knows; lang, profile and seed are there."""
    found = [cell for cell in notebook.cells if "parameters" in tags(cell)]
    if len(found) != 1:
        yield f"{len(found)} cells are tagged parameters, not one"
        return
    names = set()
    for statement in ast.parse(found[0].source).body:
        if isinstance(statement, ast.Import):
            continue
        target = (
            statement.targets[0]
            if isinstance(statement, ast.Assign) and len(statement.targets) == 1
            else None
        )
        if isinstance(target, ast.Name) and _is_scalar(statement.value):
            names.add(target.id)
        else:
            yield f"parameters, line {statement.lineno}: not one name set to a number, a text, True, False or None"
    if missing := {"lang", "profile", "seed"} - names:
        yield f"the parameters cell does not set {', '.join(sorted(missing))}"
    if known is not None and (unknown := names - known):
        yield f"the report knows no parameter {', '.join(sorted(unknown))}; it knows {', '.join(sorted(known))}"


def _is_scalar(value: ast.expr) -> bool:
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub):
        value = value.operand
    from_environment = isinstance(value, ast.Call) and ast.unparse(value.func) == "os.environ.get"
    constants = from_environment and all(
        isinstance(argument, ast.Constant) for argument in value.args
    )
    return isinstance(value, ast.Constant) or constants


def _texts(notebook: NotebookNode, *languages: str) -> Iterator[tuple[int, str]]:
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "markdown" and tags(cell) & {f"lang-{lang}" for lang in languages}:
            yield number, cell.source


def measured_numbers(notebook: NotebookNode) -> Findings:
    """No measured number is typed into the text."""
    for number, text in _texts(notebook, *LANGUAGES):
        yield from (f"cell {number}: {finding}" for finding in typed_measurements(text))


def spanish_words(notebook: NotebookNode) -> Findings:
    """The Spanish text uses the words of the glossary."""
    for number, text in _texts(notebook, "es"):
        yield from (f"cell {number}: {finding}" for finding in foreign_words(text))


def exercises(notebook: NotebookNode) -> Findings:
    """Every exercise has its solution, folded, and the code of the solution is tagged."""
    text = "\n".join(text for _, text in _texts(notebook, "es"))
    asked = re.findall(r"^:{3,}\{exercise\}.*\n:label: *(\S+)", text, re.MULTILINE)
    solved = re.findall(r"^:{3,}\{solution-start\} *(\S+)\n:class: dropdown$", text, re.MULTILINE)
    if asked != solved:
        yield f"exercises {asked}, folded solutions {solved}"
    inside = False
    for number, cell in enumerate(notebook.cells, start=1):
        if "lang-es" in tags(cell):
            marks = re.findall(r"\{solution-(start|end)\}", cell.source)
            inside = marks[-1] == "start" if marks else inside
        if cell.cell_type == "code" and inside != ("solution" in tags(cell)):
            yield f"cell {number}: code inside a solution, and no other, is tagged solution"


def self_check(notebook: NotebookNode) -> Findings:
    """A page has five questions, every answer explained, one of them right, and the same one in both languages."""
    keys = {}
    for lang in LANGUAGES:
        text = "\n".join(text for _, text in _texts(notebook, lang))
        questions = [tuple(map(_items, parts)) for parts in pages.QUESTION.findall(text)]
        if (
            len(questions) != QUESTIONS
            or len(re.findall(r"^:{3,}\{question\}", text, re.MULTILINE)) != QUESTIONS
        ):
            yield f"{lang}: {len(questions)} questions that can be read, not {QUESTIONS}"
        keys[lang] = []
        for number, (answers, explanations) in enumerate(questions, start=1):
            right = [
                place
                for place, explanation in enumerate(explanations, start=1)
                if explanation.startswith("**")
            ]
            if len(answers) not in ANSWERS or len(explanations) != len(answers) or len(right) != 1:
                counted = f"{len(answers)} answers, {len(explanations)} explanations, right by their bold start: {right}"
                yield f"{lang}, question {number}: {counted}"
            keys[lang].append((len(answers), right))
    if keys["es"] != keys["en"]:
        yield f"answers and the right ones differ: {keys['es']} in Spanish, {keys['en']} in English"


def _items(text: str) -> list[str]:
    return re.findall(r"^\d+\. +(.*)", text, re.MULTILINE)


def plain_fences(notebook: NotebookNode) -> Findings:
    """Directives stand between colons, which other viewers show as text, and the book has one list of references."""
    for number, text in _texts(notebook, *LANGUAGES):
        if re.search(r"^`{3,}\{", text, re.MULTILINE):
            yield f"cell {number}: a directive in backticks; use :::"
        if "{bibliography}" in text:
            yield f"cell {number}: the bibliography is a page of its own; cite with {{cite:t}}"


def metadata(notebook: NotebookNode) -> Findings:
    """Tags are those that something here reads, and no tool left its notes behind."""
    for number, cell in enumerate(notebook.cells, start=1):
        if unknown := tags(cell) - KNOWN_TAGS:
            yield f"cell {number}: unknown tags {', '.join(sorted(unknown))}"
        if extra := set(cell.metadata) - {"tags", "fmnist"}:
            yield f"cell {number}: metadata that nothing reads: {', '.join(sorted(extra))}"
    if extra := set(notebook.metadata) - {"kernelspec", "language_info"}:
        yield f"notebook metadata that nothing reads: {', '.join(sorted(extra))}"


NOTEBOOK_RULES = [
    language_pairs, figures, code_size, page_length, parameters, measured_numbers, spanish_words, exercises,
    self_check, plain_fences, metadata,
]  # fmt: skip


def known_parameters(page: str) -> set[str]:
    """Return the names that the parameters cell of ``page`` may set: those of every page and those of its report."""
    from fmnist_utils.audit.schema import PageParameters, load_report  # loads PyTorch

    return set(PageParameters.model_fields) | set(load_report(page).parameters)


def check_notebook(notebook: NotebookNode, known: set[str] | None = None) -> list[str]:
    """Return what is wrong with a notebook: the name of the rule and the finding.

    Args:
        known: the names of parameters that its report knows; None leaves them unchecked.
    """
    findings = []
    for rule in NOTEBOOK_RULES:
        judge = partial(rule, known=known) if rule is parameters else rule
        findings += [f"{rule.__name__}: {finding}" for finding in judge(notebook)]
    return findings


# --- Pages of text ----------------------------------------------------------------------------------------------------


def same_pages(book: Path) -> Findings:
    """Both languages have the same files."""
    names = {lang: {path.name for path in (book / lang).glob("*.md")} for lang in LANGUAGES}
    for lang in LANGUAGES:
        for name in sorted(set.union(*names.values()) - names[lang]):
            yield f"{name} is missing in {lang}"


def paired_prose(book: Path) -> Findings:
    """Both languages of a page have the same parts."""
    for path in sorted((book / "es").glob("*.md")):
        twin = book / "en" / path.name
        if twin.exists():
            found = differences(path.read_text("utf-8"), twin.read_text("utf-8"))
            yield from (f"{path.name}: {difference}" for difference in found)


def prose_words(book: Path) -> Findings:
    """Prose holds no measured numbers and, in Spanish, the words of the glossary (which itself names the others)."""
    for lang in LANGUAGES:
        for path in sorted((book / lang).glob("*.md")):
            text = path.read_text("utf-8")
            found = list(typed_measurements(text))
            if lang == "es" and path.stem != "glossary":
                found += foreign_words(text)
            yield from (f"{lang}/{path.name}: {finding}" for finding in found)


PROSE_RULES = [same_pages, paired_prose, prose_words]


def check_prose(book: Path = ROOT / "book") -> list[str]:
    """Return what is wrong with the pages of text in ``book/es`` and ``book/en``."""
    return [f"{rule.__name__}: {finding}" for rule in PROSE_RULES for finding in rule(book)]


# --- The built site ---------------------------------------------------------------------------------------------------


VERBATIM = ["pre", "code", "script", "style"]


class Site:
    """A built site, or a part of it, every page parsed once.

    Attributes:
        pages: page, as its address from the root → what it holds; ``elements``, all that is marked up in it, in its order.
        everything: the addresses of the pages of the whole site.
    """

    def __init__(self, root: Path, part: str | None = None):
        """Read the site in ``root``: all of it, or a ``part``: a language, or what stands in none (``"."``)."""
        self.root, self.part = root, part
        self.everything = {
            path.relative_to(root).as_posix()
            for path in root.rglob("*.html")
            if "_static" not in path.parts
        }
        own = [path.relative_to(root).as_posix() for path in self.files("*.html")]
        collects = gc.isenabled()
        gc.disable()  # a third of the time would go into looking for garbage among the elements, all of which are in use
        try:
            self.pages = {page: self.parsed(page) for page in own if page in self.everything}
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


def _with_attributes(elements: Iterable[Tag], *names: str) -> Iterator[tuple[Tag, str]]:
    return ((element, name) for element in elements for name in names if name in element.attrs)


def _is_verbatim(text: NavigableString) -> bool:
    return any(parent.name in VERBATIM for parent in text.parents)


def links(site: Site) -> Findings:
    """Every link within the site leads to a file that exists and to a place that exists in it."""
    for page, elements in site.elements.items():
        for element, attribute in _with_attributes(elements, "href", "src"):
            address = urlsplit(element[attribute])
            if address.scheme or address.netloc or element[attribute] == "#":
                continue
            path = (
                posixpath.join(posixpath.dirname(page), unquote(address.path))
                if address.path
                else page
            )
            target = posixpath.normpath(path)
            if not (site.root / target).is_file():
                yield f"{page}: {element[attribute]} leads nowhere"
            elif (
                address.fragment
                and target in site.everything
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
        for name in sorted(names[lang]):
            if (said := site.pages[f"{lang}/{name}"].html.get("lang")) != lang:
                yield f"{lang}/{name} says that its language is {said}"


def alternative_texts(site: Site) -> Findings:
    """Every picture says in words what it shows; only decoration beside the same words may say nothing."""
    for page, soup in site.pages.items():
        for image in soup.find_all("img"):
            decoration = image.get("alt") == "" and (
                image.find_parent(class_="navbar-brand") or page == "index.html"
            )
            if not (image.get("alt") or decoration):
                yield f"{page}: {image.get('src')} has no alternative text"


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
        loaded, styles = (
            [],
            [element["style"] for element, _ in _with_attributes(elements, "style")],
        )
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


ACTIVE = re.compile(r"<(?:script|iframe|object|embed|form)\b|\bon\w+ *=|javascript:", re.IGNORECASE)


def active_content(site: Site) -> Findings:
    """What a page shows is text and pictures: the scripts are the theme's, outside the article, and none is an output."""
    for page, soup in site.pages.items():
        article = soup.find("article")
        for element in article.find_all(True) if article else []:
            acts = [name for name in element.attrs if name.startswith("on")]
            acts += [
                name
                for name in ("href", "src")
                if str(element.get(name)).strip().lower().startswith("javascript:")
            ]
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
    field = element.name == "dt" and "field-list" in element.parent.get(
        "class", []
    )  # "Returns" in a docstring
    return (
        field
        or element.name in INTERFACE
        or bool(INTERFACE_CLASSES & set(element.get("class", [])))
    )


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
        for text in soup.find_all(string=ENGLISH):
            if any(map(_is_interface, text.parents)) and not _is_verbatim(text):
                said.append(text)
        for words in sorted({" ".join(text.split()) for text in said}):
            if ENGLISH.search(words):
                yield f"{page}: English words in the interface: {words!r}"


FUNCTION_WORDS = re.compile(
    r"\b(?:the|of|and|is|are|with|that|this|from|which|its?|for|by|not|was|were|when|how|what)\b",
    re.IGNORECASE,
)
ENGLISH_PAGES = re.compile(
    r"es/(?:api/|genindex|py-modindex|bibliography)"
)  # docstrings and titles of works
PARAGRAPHS = set("p li td th dt dd figcaption h1 h2 h3 h4 h5 summary button title".split())
ENGLISH_BY_RIGHT = {*VERBATIM, "em", "noscript"}


def spanish_text(site: Site) -> Findings:
    """The text of a Spanish page is Spanish: two different function words of English in one paragraph are too many."""
    for page, soup in site.pages.items():
        if not page.startswith("es/") or ENGLISH_PAGES.match(page):
            continue
        found: dict[
            int, tuple[Tag, list[str]]
        ] = {}  # paragraphs, each with those of its texts that hold such a word
        for text in soup.find_all(string=FUNCTION_WORDS):
            around = list(text.parents)
            paragraph = next((parent for parent in around if parent.name in PARAGRAPHS), None)
            foreign = any(
                parent.name in ENGLISH_BY_RIGHT or parent.get("lang") == "en" for parent in around
            )
            if paragraph is not None and not foreign:
                found.setdefault(id(paragraph), (paragraph, []))[1].append(text)
        for paragraph, texts in found.values():
            if len({word.lower() for word in FUNCTION_WORDS.findall(" ".join(texts))}) > 1:
                yield f"{page}: English text: {' '.join(paragraph.get_text().split())[:100]!r}"


def launches(site: Site) -> Findings:
    """The buttons of a notebook page open its own copy in its own language, and the copy is in what is published."""
    for page, soup in site.pages.items():
        if not page.partition("/")[2].startswith("notebooks/"):
            continue
        copy = page.removesuffix(".html") + ".ipynb"
        if not (site.root / copy).is_file():
            yield f"{page}: there is no {copy}"
        asked = {link["href"] for link in soup.select(".article-header-buttons a[href]")}
        wanted = {
            "Colab": f"/blob/gh-pages/{copy}",
            "Binder": f"/gh-pages?urlpath=lab/tree/{copy}",
            "download": posixpath.basename(copy),
        }
        for name, end in wanted.items():
            opened = [
                href
                for href in asked
                if href == end or (end.startswith("/") and href.endswith(end))
            ]
            if len(opened) != 1:
                yield f"{page}: {name} should lead to {copy}; the buttons lead to {', '.join(sorted(asked))}"
        if not (site.root / "environment.yml").is_file():
            yield f"{page}: Binder finds no environment.yml beside the languages"


SITE_RULES = [
    links, same_site_pages, alternative_texts, no_outside, active_content, rendered, no_local_paths, spanish_interface,
    spanish_text, launches,
]  # fmt: skip


def check_site(root: Path) -> list[str]:
    """Return what is wrong with the site built in ``root``, its languages looked at side by side."""
    parts = [lang for lang in LANGUAGES if (root / lang).is_dir()]
    return sum(forks.side_by_side(partial(check_part, root), [*parts, "."]), [])


def check_part(root: Path, part: str) -> list[str]:
    """Return what is wrong with the pages of one language, or with those of none (``"."``)."""
    site = Site(root, part)
    return [f"{rule.__name__}: {finding}" for rule in SITE_RULES for finding in rule(site)]


def main() -> int:
    """Check the notebooks, the pages of text and, where it is built, the site; return 1 if anything is wrong."""
    findings = []
    for path in pages.paths():
        found = check_notebook(pages.read(path), known_parameters(path.stem))
        findings += [f"{path.name}: {finding}" for finding in found]
    findings += check_prose()
    findings += [f"terms: {finding}" for finding in terms.check()]
    findings += [f"experiments: {finding}" for finding in experiments.check()]
    if (site := ROOT / "book" / "_build" / "html").is_dir():
        findings += check_site(site)
    print("\n".join([*findings, f"{len(findings)} findings"]))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
