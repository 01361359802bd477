"""The pages keep to the rules of ``book/machinery/rules``; each rule finds what breaks it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest
from toy_book import ROOT, code, text, toy_notebook

import fmnist_utils
from book.machinery import links, pages, terms
from book.machinery.rules.page import (
    PAGE_RULES,
    STATED_TIME,
    check_page,
    known_parameters,
    main_path,
)
from book.machinery.rules.prose import check_prose
from book.machinery.rules.text import differences, typed_measurements

PAGES = pages.paths()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_keeps_to_the_rules(path):
    assert check_page(pages.read(path), known_parameters(path.stem)) == []


def test_prose_keeps_to_the_rules():
    assert check_prose() == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_links_the_words_of_the_glossary_that_it_uses(path):
    assert list(terms.check([path.stem[:2]])) == []


def test_the_texts_link_the_words_of_the_glossary_that_they_use(monkeypatch):
    monkeypatch.setattr(pages, "paths", list)
    assert list(terms.check()) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_all_that_a_report_says_has_a_section_on_its_page(path):
    assert list(links.missing(path)) == []


def test_a_word_of_the_glossary_is_linked_once_and_where_both_languages_use_it():
    before = [
        ("# La pérdida\n\nNada, salvo una `pérdida`.", "# The loss\n\nNothing but a `loss`."),
        ("Bajan las pérdidas.", "What is lost falls."),
        (
            "La *pérdida*: otra pérdida, y convoluciones traspuestas.",
            "The *loss*: one loss more, and transposed convolutions.",
        ),
    ]
    after = terms.with_links(before)
    assert after[:2] == before[:2]
    assert after[2] == (
        "La *{term}`pérdida`*: otra pérdida, y {term}`convoluciones traspuestas <convolución traspuesta>`.",
        "The *{term}`loss`*: one loss more, and {term}`transposed convolutions <transposed convolution>`.",
    )
    assert [concept for _, concept in terms.owed(before)] == [
        ("convolución traspuesta", "transposed convolution"),
        ("pérdida", "loss"),
    ]
    assert not list(terms.owed(after)) and terms.with_links(after) == after


def test_the_two_glossaries_have_the_same_concepts():
    assert {english for _, english in terms.concepts()} == set(terms._entries("en"))


@pytest.mark.parametrize("lang", pages.LANGUAGES)
def test_reference_introduces_every_module(lang):
    page = (ROOT / "book" / lang / "api.md").read_text("utf-8")
    package = ROOT / "fmnist_utils"
    modules = [path.relative_to(ROOT).with_suffix("") for path in sorted(package.rglob("[!_]*.py"))]
    names = {".".join(path.parts) for path in modules}
    own_words = {name for name in names if name.endswith(".text") and name.count(".") > 1}
    whole = ("fmnist_utils.exercises", "fmnist_utils.plots")
    inside = {name for name in names if name.startswith(tuple(f"{one}." for one in whole))}
    for name in sorted(names - own_words - inside | set(whole)):
        assert f"<{name}>" in page, name


@pytest.mark.parametrize(("lang", "word"), [("es", "Lectura"), ("en", "Reading")])
def test_the_home_page_states_the_times_of_the_pages(lang, word):
    home = (ROOT / "book" / lang / "index.md").read_text("utf-8")
    at_home = re.findall(rf"\*{word}: ([^.]+?)(?: minut\w+)?\.", home)
    texts = [path.read_text("utf-8") for path in PAGES]
    assert at_home == [STATED_TIME[lang].search(text)[1] for text in texts]


def test_no_signature_shows_a_folder_of_this_machine():
    """The reference prints what an argument is by default."""
    names = [
        module.name for module in pkgutil.walk_packages(fmnist_utils.__path__, "fmnist_utils.")
    ]
    modules = [importlib.import_module(name) for name in names if not name.endswith("__main__")]
    functions = {
        value for module in modules for value in vars(module).values() if inspect.isfunction(value)
    }
    assert len(functions) > 300
    for function in functions:
        for argument in inspect.signature(function).parameters.values():
            assert not isinstance(argument.default, Path), f"{function.__qualname__}, {argument}"


# --- Each rule, and a notebook that breaks it -----------------------------------------------------

KNOWN = {"lang", "seed", "num_epochs"}


def cell_with(notebook, words):
    return next(cell for cell in notebook.cells if words in cell.source)


def replace(old, new):
    """Return a change that replaces words in the first cell that has them."""

    def change(notebook):
        cell = cell_with(notebook, old)
        cell.source = cell.source.replace(old, new)

    return change


def add(cells):
    return lambda notebook: notebook.cells.extend(cells if isinstance(cells, list) else [cells])


def remove(words):
    return lambda notebook: notebook.cells.remove(cell_with(notebook, words))


def retag(words, tags):
    def change(notebook):
        cell_with(notebook, words).metadata["tags"] = tags

    return change


def forget_figure(notebook):
    cell = cell_with(notebook, "plt.plot([3")
    cell.source = "plots.curves(history)"
    del cell.metadata["fmnist"]


def second_name(notebook):
    cell_with(notebook, "plt.plot([1").metadata["fmnist"]["figure"] = "fig-01-loss"


TRAINING = """class Net(nn.Module):
    def forward(self, images):
        return images

network = Net()
optimizer = torch.optim.Adam(network.parameters())
loss_fn = nn.CrossEntropyLoss()
fit(network, train, loss_fn, optimizer, num_epochs)"""
ALT = "A straight line that falls from three to one in three epochs."
BAD = [
    ("language_pairs", remove("A step, number 3")),
    ("language_pairs", retag("Un paso, el 2", [])),
    ("language_pairs", retag("A step, number 2", ["lang-es"])),
    ("language_pairs", replace("## Theory", "### Theory")),
    ("language_pairs", replace("(page-01)=\n# A page", "(page-1)=\n# A page")),
    ("language_pairs", replace(":::{admonition} Prediction", ":::{note} Prediction")),
    ("language_pairs", replace("see {numref}`fig-01-loss`", "see {numref}`tab-01-audit`")),
    ("language_pairs", replace("- falls\n- rises", "- falls or rises")),
    ("language_pairs", replace("number 5", "number 6")),
    ("language_pairs", replace("A step, number 4", "A step, `number` 4")),
    ("language_pairs", replace("A step, number 4", "A step, $n$ 4")),
    ("language_pairs", replace("A step, number 4", "A [step](https://example.org) 4")),
    ("language_pairs", replace("A step, number 4", "| A step | number 4 |")),
    ("language_pairs", replace("A step, number 4", "A step, number 4.\n\n```python\n4\n```")),
    ("figures", forget_figure),
    ("figures", second_name),
    ("figures", replace("The loss of each epoch.\n\n", "")),
    ("figures", replace(ALT, "A line.")),
    ("figures", replace(ALT, "A line. " * 40)),
    ("figures", replace("The loss of each epoch.", ALT)),
    ("figures", replace("<!-- alt: A short", "A caption.\n\n<!-- alt: A short")),
    (
        "figures",
        lambda notebook: (
            cell_with(notebook, "pd.DataFrame").metadata["fmnist"].update(table="audit")
        ),
    ),
    ("figures", add(text("Un pie sin figura.", "A caption without a figure.", "caption"))),
    ("code_size", replace("0 + 1", "\n".join(["0 + 1"] * 26))),
    ("code_size", replace("0 + 1", "0" + " + 1" * 30)),
    ("one_statement_a_line", replace("0 + 1", "a = 0; a + 1")),
    ("one_statement_a_line", replace("0 + 1", "if True: 0 + 1")),
    ("networks_written_out", replace("0 + 1", TRAINING.replace("forward", "backward"))),
    ("networks_written_out", replace("0 + 1", TRAINING.replace("optim.Adam(", "make("))),
    ("networks_written_out", replace("0 + 1", TRAINING.replace("CrossEntropyLoss(", "loss("))),
    ("reading_time", add(text("palabra " * 3100, "word " * 3100))),
    ("reading_time", replace("unos 15 minutos", "unos 40 minutos")),
    ("reading_time", replace("unos 15 minutos", "un rato")),
    ("own_references", replace("{numref}`tab-01-audit`", "{numref}`fig-02-loss`")),
    ("own_references", replace("La pérdida {eq}`eq-01-loss`", "La pérdida {eq}`eq-02-loss`")),
    ("parameters", retag("seed = 0", [])),
    ("parameters", replace("seed = 0", "seed = 0\nsizes = [[1], 2]")),
    ("parameters", replace("seed = 0", "seed = None")),
    ("parameters", replace("seed = 0", "seed = 1 + 1")),
    ("parameters", replace("seed = 0", "")),
    ("parameters", replace("seed = 0", "seed = 0\nnum_epoch = 3")),
    ("measured_numbers", replace("Un paso, el 6.", "La exactitud fue de 0.89.")),
    ("measured_numbers", replace("A step, number 6.", "It reached 89.3 % accuracy.")),
    ("measured_numbers", replace("A step, number 6.", "The loss fell to .31 at the end.")),
    ("spanish_words", replace("Un paso, el 6.", "El conjunto de testeo tiene 6.")),
    ("exercises", replace(":class: dropdown", ":class: note")),
    ("exercises", retag("plt.plot([1", [])),
    ("exercises", retag("0 + 1", ["solution"])),
    (
        "exercises",
        replace("0 + 1", 'def squared_error():\n    ...\n\ncheck("01.4", squared_error)'),
    ),
    ("checks", replace("0 + 1", 'def squared_error():\n    ...\n\ncheck("01.9", squared_error)')),
    ("checks", replace("0 + 1", 'def error():\n    ...\n\ncheck("01.4", error)')),
    ("checks", replace("0 + 1", 'check("01.4", squared_error)')),
    ("self_check", replace("## Preguntas\n\n:::{question}", "## Preguntas\n\n:::{note}")),
    ("self_check", replace("\n3. The last $3$", ", the last $3$")),
    ("self_check", replace("2. **This one.**\n3. No.", "2. **This one.**")),
    ("self_check", replace("2. **This one.**", "2. This one.")),
    ("self_check", replace("3. No.", "3. **No.**")),
    (
        "self_check",
        replace("1. Falls short.\n2. **This one.**", "1. **This one.**\n2. Falls short."),
    ),
    ("self_check", replace("\n---\n", "\n***\n")),
    ("self_check", replace("1. One", "= 1 ± 0\n\n1. One")),
    ("plain_text", replace("Un paso, el 6.", "```{note}\nUn paso, el 6.\n```")),
    ("plain_text", replace("Un paso, el 6.", ":::{bibliography}\n:::")),
    ("metadata", retag("0 + 1", ["hide-inputs"])),
    ("metadata", lambda notebook: notebook.cells[2].metadata.update(collapsed=True)),
]


def test_toy_page_keeps_to_the_rules():
    assert check_page(toy_notebook(), KNOWN) == []


@pytest.mark.parametrize(
    ("rule", "change"), BAD, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(BAD)]
)
def test_each_rule_finds_what_breaks_it(rule, change):
    notebook = toy_notebook()
    change(notebook)
    assert any(finding.startswith(f"{rule}: ") for finding in check_page(notebook, KNOWN))


def test_a_page_that_trains_in_plain_sight_passes():
    notebook = toy_notebook()
    replace("0 + 1", TRAINING)(notebook)
    assert check_page(notebook, KNOWN) == []


def test_what_is_folded_asked_or_solved_is_beside_the_main_path():
    cells = [
        *text("(sec-01-a)=\n## Una red\n\nDos $x + y$ palabras `código`.", "…"),
        *text(":::{admonition} Para profundizar\n:class: dropdown\n\nNada cuenta aquí.\n:::", "…"),
        *text(":::{admonition} Predecir\n:class: predict\n\nCuenta.\n:::", "…"),
        *text(
            ":::{exercise}\n:label: ex-01-1\n\nNo cuenta.\n:::\n\n:::{solution-start} ex-01-1\n:::",
            "…",
        ),
        code("1 + 1", "solution"),
        *text("Tampoco.\n\n:::{solution-end}\n:::\n\nDespués.\n\n## Referencias\n\nNada.", "…"),
        code("2 + 2"),
    ]
    notebook = toy_notebook()
    notebook.cells = cells
    assert main_path(notebook, "es") == (2 + 2 + 2 + 2 + 1, 1)


def test_every_rule_has_a_notebook_that_breaks_it():
    assert {rule.__name__ for rule in PAGE_RULES} == {rule for rule, _ in BAD}


@pytest.mark.parametrize("sentence", [
    "La tasa de aprendizaje es 0.001 y la pérdida baja.",
    "With dropout 0.2 the loss is higher.",
    "La pérdida al azar es $\\ln 10 \\approx 2.303$.",
    "Hay 10 clases y 60000 imágenes.",
    "La exactitud va de 0 a 1.",
])  # fmt: skip
def test_settings_and_formulas_are_not_measurements(sentence):
    assert list(typed_measurements(sentence)) == []


def test_numbers_of_both_languages_are_compared_whatever_their_separators():
    assert not list(
        differences("Hay 60\u202f000 imágenes y 0.5.", "There are 60,000 images and 0.5.")
    )
    assert list(differences("Hay 60000 imágenes.", "There are 6000 images."))


# --- Pages of text --------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "lang", "name", "content"), [
    ("same_pages", "es", "more", "# Más"),
    ("paired_prose", "en", "page", "# A page\n\n- one\n- two"),
    ("prose_words", "en", "page", "# A page\n\nIts accuracy was 0.91.\n\n- one"),
    ("prose_words", "es", "page", "# Una página\n\nEl accuracy.\n\n- uno"),
])  # fmt: skip
def test_each_rule_of_prose_finds_what_breaks_it(tmp_path, rule, lang, name, content):
    for code_of, text_of in (("es", "# Una página\n\n- uno"), ("en", "# A page\n\n- one")):
        (tmp_path / code_of).mkdir()
        (tmp_path / code_of / "page.md").write_text(text_of, "utf-8")
    assert check_prose(tmp_path) == []
    (tmp_path / lang / f"{name}.md").write_text(content, "utf-8")
    assert any(finding.startswith(f"{rule}: ") for finding in check_prose(tmp_path))
