"""The rules for the pages: languages, figures, code, parameters, exercises, questions, length.

A rule takes a source as a notebook and yields one line for each thing found wrong; ``PAGE_RULES``
lists them all.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from functools import partial

from nbformat import NotebookNode

from book.machinery import pages
from book.machinery.notebooks import Directive, PlainText, blocks
from book.machinery.pages import LANGUAGES, tags
from book.machinery.rules.text import (
    Findings,
    differences,
    foreign_words,
    prose,
    typed_measurements,
)

MAX_LINES, MAX_COLUMNS = 25, 88
ALT_LENGTH = range(40, 251)
QUESTIONS, ANSWERS = 5, (3, 4)  # of the self-check of a page
MAX_WORDS, WORDS_A_MINUTE = 3000, 120
REFERENCES = re.compile(r"^## (?:Referencias|References)$.*", re.MULTILINE | re.DOTALL)
WORD = re.compile(r"[^\W\d_]+")
HOUR_ES, HOUR_EN = "una hora(?: y cuarto| y media)?", "an hour(?: and a (?:quarter|half))?"
STATED_TIME = {
    "es": re.compile(rf"\*\*Tiempo[:.]\*\*[^.;]*?(\d+|{HOUR_ES})(?: minutos)?\b"),
    "en": re.compile(rf"\*\*Time[:.]\*\*[^.;]*?(\d+|{HOUR_EN})(?: minutes)?\b"),
}
KNOWN_TAGS = {
    "lang-es", "lang-en", "caption", "parameters", "solution", "hide-input", "remove-cell", "raises-exception",
    "nbval-check-output", "nbval-ignore-output", "nbval-skip",
}  # fmt: skip


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
        wanted = tags(cell) - {"lang-es"} | {"lang-en"}
        if twin is None or twin.cell_type != "markdown" or tags(twin) != wanted:
            yield f"cell {number}: its lang-en twin does not follow it"
            return  # every later pair would be out of step
        for difference in differences(cell.source, twin.source):
            yield f"cells {number} and {number + 1}: {difference}"


def figures(notebook: NotebookNode) -> Findings:
    """Every figure and table has its own name and a caption; pictures, an alternative text."""
    names = []
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        following = notebook.cells[index + 1 :]
        after = list(itertools.takewhile(lambda one: "caption" in tags(one), following))
        name = pages.shown(cell)
        if name:
            names.append(name)
            yield from _caption_findings(cell, name, after)
            continue
        if re.search(r"^(?:\w+\.)*plots\.\w+\(", cell.source, re.MULTILINE):
            yield f"cell {index + 1}: it draws, and names no figure in metadata.fmnist"
        if after:
            yield f"cell {index + 2}: a caption without a figure or table before it"
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"two outputs are called {name}"


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
    for number, source in _code(notebook):
        lines = source.splitlines()
        if len(lines) > MAX_LINES:
            yield f"cell {number}: {len(lines)} lines of code, at most {MAX_LINES}"
        # An address cannot be broken.
        widest = max((len(line) for line in lines if "://" not in line), default=0)
        if widest > MAX_COLUMNS:
            yield f"cell {number}: a line of {widest} columns, at most {MAX_COLUMNS}"


def _code(notebook: NotebookNode) -> Iterator[tuple[int, str]]:
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "code":
            yield number, cell.source


def one_statement_a_line(notebook: NotebookNode) -> Findings:
    """A line of code holds one statement; a semicolon may end a cell that draws."""
    for number, source in _code(notebook):
        nodes = ast.walk(pages.syntax_tree(source))
        lines = [node.lineno for node in nodes if isinstance(node, ast.stmt)]
        for line in sorted({line for line in lines if lines.count(line) > 1}):
            yield f"cell {number}, line {line}: more than one statement"


def networks_written_out(notebook: NotebookNode) -> Findings:
    """A page that trains shows the network's class, the loss, the optimizer and the loop."""
    nodes = [node for _, source in _code(notebook) for node in ast.walk(pages.syntax_tree(source))]
    calls = [ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)]
    if not {call.rpartition(".")[2] for call in calls} & {"fit", "backward"}:
        return
    parts = [part for node in nodes if isinstance(node, ast.ClassDef) for part in node.body]
    if "forward" not in {part.name for part in parts if isinstance(part, ast.FunctionDef)}:
        yield "it trains, and writes out no network: no class with a forward"
    if not any(re.search(r"\boptim\.\w+$", call) for call in calls):
        yield "it trains, and shows no optimizer of torch.optim"
    if not any(re.search(r"Loss$|cross_entropy$|mse_loss$|l1_loss$", call) for call in calls):
        yield "it trains, and shows no loss"


def reading_time(notebook: NotebookNode) -> Findings:
    """The main path has 3,000 words at most; its time is stated: 120 words or a cell a minute."""
    for lang, pattern in STATED_TIME.items():
        words, cells = main_path(notebook, lang)
        if words > MAX_WORDS:
            yield f"{lang}: {words} words on the main path, at most {MAX_WORDS}"
        minutes = words / WORDS_A_MINUTE + cells
        stated = [
            _minutes(m[1]) for _, text in _texts(notebook, lang) for m in pattern.finditer(text)
        ]
        if len(stated) != 1:
            yield f"{lang}: the page states its time once, after {pattern.pattern[:14]!r}; found {stated}"
        elif abs(stated[0] - minutes) > max(5, 0.1 * minutes):
            yield f"{lang}: it states {stated[0]} minutes; {words} words and {cells} code cells take {minutes:.0f}"


def _minutes(said: str) -> int:
    """Return the minutes of «45», «una hora y cuarto» or “an hour and a half”."""
    part = {"cuarto": 15, "quarter": 15, "media": 30, "half": 30}.get(said.split()[-1], 0)
    return int(said) if said.isdigit() else 60 + part


def main_path(notebook: NotebookNode, lang: str) -> tuple[int, int]:
    """Return the words of ``lang`` and the code cells on the main path.

    Captions, exercises, the self-check, the words of a living part, the references and what is
    folded (solutions, boxes to go deeper) are beside it.
    """
    words = cells = 0
    solving = False
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cells += not tags(cell) & {"solution", "hide-input", "remove-cell"}
            continue
        if f"lang-{lang}" not in tags(cell) or "caption" in tags(cell):
            continue
        for block in blocks(REFERENCES.sub("", cell.source).splitlines()):
            if isinstance(block, Directive) and block.kind.startswith("solution-"):
                solving = block.kind == "solution-start"
            elif not solving:
                words += len(WORD.findall(prose(_unfolded(block))))
    return words, cells


def _unfolded(block: str | Directive) -> str:
    """Return what stands on the main path of a text or a box."""
    if isinstance(block, str):
        return block
    if block.kind in ("exercise", "question", "live"):
        return ""
    if block.kind == "dropdown" or "dropdown" in block.options.get("class", ""):
        return block.argument
    return "\n".join([block.argument, *block.lines])


def parameters(notebook: NotebookNode, known: set[str] | None = None) -> Findings:
    """One cell sets the parameters: plain values, names that the report knows, lang and seed."""
    found = [cell for cell in notebook.cells if "parameters" in tags(cell)]
    if len(found) != 1:
        yield f"{len(found)} cells are tagged parameters, not one"
        return
    names = set()
    for statement in ast.parse(found[0].source).body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        if isinstance(target, ast.Name) and _is_plain(statement.value):
            names.add(target.id)
        else:
            yield f"parameters, line {statement.lineno}: not one name set to a number, a text, True, False or a list of them"
    if missing := {"lang", "seed"} - names:
        yield f"the parameters cell does not set {', '.join(sorted(missing))}"
    if known is not None and (unknown := names - known):
        yield f"the report knows no parameter {', '.join(sorted(unknown))}; it knows {', '.join(sorted(known))}"


def _is_plain(value: ast.expr) -> bool:
    try:
        value = ast.literal_eval(value)
    except ValueError:
        return False
    values = value if isinstance(value, list | tuple) else [value]
    return all(isinstance(item, str | int | float | bool) for item in values)


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
    """Every exercise has its solution, folded, or a check; the code of a solution is tagged."""
    text = "\n".join(text for _, text in _texts(notebook, "es"))
    asked = re.findall(r"^:{3,}\{exercise\}.*\n:label: *(\S+)", text, re.MULTILINE)
    solved = re.findall(r"^:{3,}\{solution-start\} *(\S+)\n:class: dropdown$", text, re.MULTILINE)
    checked = [f"ex-{number.replace('.', '-')}" for number in _checks(notebook)]
    if {*solved, *checked} != {*asked}:
        yield f"exercises {asked}, folded solutions {solved}, checks {checked}"
    inside = False
    for number, cell in enumerate(notebook.cells, start=1):
        if "lang-es" in tags(cell):
            marks = re.findall(r"\{solution-(start|end)\}", cell.source)
            inside = marks[-1] == "start" if marks else inside
        if cell.cell_type == "code" and inside != ("solution" in tags(cell)):
            yield f"cell {number}: code inside a solution, and no other, is tagged solution"


def checks(notebook: NotebookNode) -> Findings:
    """``check("01.4", squared_error)``: the exercise is known, and one cell begins its function."""
    from fmnist_utils.exercises import EXERCISES  # loads PyTorch

    code = "\n".join(source for _, source in _code(notebook))
    for number, name in _checks(notebook).items():
        if number not in EXERCISES or EXERCISES[number].name != name:
            yield f"fmnist_utils.exercises has no {name} as exercise {number}"
        if len(re.findall(rf"^def {name}\b", code, re.MULTILINE)) != 1:
            yield f"{name}, asked for in exercise {number}, is not defined once"


def _checks(notebook: NotebookNode) -> dict[str, str]:
    """Return the exercises that are checked: number → name of the function."""
    code = "\n".join(source for _, source in _code(notebook))
    return dict(re.findall(r'^check\("([^"]+)", (\w+)\)$', code, re.MULTILINE))


def self_check(notebook: NotebookNode) -> Findings:
    """A page has five questions; every answer is explained, one is right, as in the twin."""
    keys = {}
    for lang in LANGUAGES:
        text = "\n".join(text for _, text in _texts(notebook, lang))
        questions = pages.QUESTION.findall(text)
        if (
            len(questions) != QUESTIONS
            or len(re.findall(r"^:{3,}\{question\}", text, re.MULTILINE)) != QUESTIONS
        ):
            yield f"{lang}: {len(questions)} questions that can be read, not {QUESTIONS}"
        keys[lang] = []
        for number, (asked, explained) in enumerate(questions, start=1):
            answers, explanations = _items(asked), _items(explained)
            if value := pages.NUMBER.search(asked):
                tempting = re.findall(r"^- ([^:]+):", explained, re.MULTILINE)
                if answers or not explained.lstrip().startswith("**"):
                    yield f"{lang}, question {number}: a number, and an explanation that begins in bold"
                keys[lang].append((*value.groups()[:2], tempting))
                continue
            right = [place for place, one in enumerate(explanations, 1) if one.startswith("**")]
            if len(answers) not in ANSWERS or len(explanations) != len(answers) or len(right) != 1:
                counted = f"{len(answers)} answers, {len(explanations)} explanations, right by their bold start: {right}"
                yield f"{lang}, question {number}: {counted}"
            keys[lang].append((len(answers), right))
    if keys["es"] != keys["en"]:
        yield f"answers and the right ones differ: {keys['es']} in Spanish, {keys['en']} in English"


def _items(text: str) -> list[str]:
    return re.findall(r"^\d+\. +(.*)", text, re.MULTILINE)


def own_references(notebook: NotebookNode) -> Findings:
    """Figures, tables and equations are referred to by number on their own page alone."""
    known = pages.numbers(pages.one_language(notebook, "es"))
    for number, text in _texts(notebook, *LANGUAGES):
        for role, content in pages.ROLE.findall(text):
            target = re.sub(r".*<(.+)>$", r"\1", content)
            if role in ("numref", "eq") and target not in known:
                yield f"cell {number}: {target} is on another page; link to its section with {{ref}}"


def plain_text(notebook: NotebookNode) -> Findings:
    """Every text has a plain form, for the notebooks; and the book has one list of references."""
    for lang in LANGUAGES:
        text = PlainText("", lang, pages.numbers(pages.one_language(notebook, lang)))
        for number, source in _texts(notebook, lang):
            try:
                text.plain(source)
            except ValueError as error:
                yield f"cell {number}: {error}"


def metadata(notebook: NotebookNode) -> Findings:
    """Tags are those that something here reads, and no tool left its notes behind."""
    for number, cell in enumerate(notebook.cells, start=1):
        if unknown := tags(cell) - KNOWN_TAGS:
            yield f"cell {number}: unknown tags {', '.join(sorted(unknown))}"
        if extra := set(cell.metadata) - {"tags", "fmnist"}:
            yield f"cell {number}: metadata that nothing reads: {', '.join(sorted(extra))}"


PAGE_RULES = [
    language_pairs, figures, own_references, code_size, one_statement_a_line, networks_written_out, reading_time, parameters,
    measured_numbers, spanish_words, exercises, checks, self_check, plain_text,
    metadata,
]  # fmt: skip


def known_parameters(page: str) -> set[str]:
    """Return the names that the parameters cell of ``page`` may set."""
    from fmnist_utils.audit import load_report  # loads PyTorch
    from fmnist_utils.audit.parameters import PageParameters

    return set(PageParameters.model_fields) | set(load_report(page).parameters)


def check_page(notebook: NotebookNode, known: set[str] | None = None) -> list[str]:
    """Return what is wrong with a notebook: the name of the rule and the finding.

    Args:
        known: the names of parameters that its report knows; None leaves them unchecked.
    """
    findings = []
    for rule in PAGE_RULES:
        judge = partial(rule, known=known) if rule is parameters else rule
        try:
            findings += [f"{rule.__name__}: {finding}" for finding in judge(notebook)]
        except (ValueError, SyntaxError) as error:  # a page that cannot be read as one
            findings.append(f"{rule.__name__}: {error}")
    return findings
