"""The pages keep to the rules of ``book/checks.py``; and each rule finds the page that breaks it."""

from __future__ import annotations

import pkgutil

from book.machinery import checks
from book.machinery import links as experiments
import nbformat
from book.machinery import pages
import pytest
from book.machinery import terms
from toy_book import ROOT, code, text, toy_notebook

import fmnist_utils

PAGES = pages.paths()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_notebook_keeps_to_the_rules(path):
    assert checks.check_notebook(pages.read(path), checks.known_parameters(path.stem)) == []


def test_prose_keeps_to_the_rules():
    assert checks.check_prose() == []


def test_every_page_links_the_words_of_the_glossary_that_it_uses():
    assert list(terms.check()) == []


def test_all_that_a_report_says_has_a_section_on_its_page():
    assert list(experiments.check()) == []


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
    for module in pkgutil.iter_modules(fmnist_utils.__path__):
        assert f"<fmnist_utils.{module.name}>" in page


# --- Each rule, and a notebook that breaks it -------------------------------------------------------------------------

KNOWN = {"lang", "profile", "seed", "num_epochs"}


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


def left_behind(notebook):
    notebook.metadata["papermill"] = {"input_path": "x"}


def second_name(notebook):
    cell_with(notebook, "plt.plot([1").metadata["fmnist"]["figure"] = "fig-01-loss"


def long_cells(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = "1\n" * 5


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
    ("code_size", replace("0 + 1", "\n".join(["0 + 1"] * 16))),
    ("code_size", replace("0 + 1", "0" + " + 1" * 30)),
    ("code_size", long_cells),
    ("page_length", lambda notebook: notebook.cells.__delitem__(slice(-12, None))),
    ("page_length", add([code("1") for _ in range(30)])),
    ("parameters", retag("seed = 0", [])),
    ("parameters", replace("seed = 0", "seed = 0\nsizes = [1, 2]")),
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
    ("plain_fences", replace("Un paso, el 6.", "```{note}\nUn paso, el 6.\n```")),
    ("plain_fences", replace("Un paso, el 6.", ":::{bibliography}\n:::")),
    ("metadata", retag("0 + 1", ["hide-inputs"])),
    ("metadata", left_behind),
    ("metadata", lambda notebook: notebook.cells[2].metadata.update(collapsed=True)),
]


def test_toy_page_keeps_to_the_rules():
    assert checks.check_notebook(toy_notebook(), KNOWN) == []


@pytest.mark.parametrize(
    ("rule", "change"), BAD, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(BAD)]
)
def test_each_rule_finds_what_breaks_it(rule, change):
    notebook = toy_notebook()
    change(notebook)
    assert any(
        finding.startswith(f"{rule}: ") for finding in checks.check_notebook(notebook, KNOWN)
    )


def test_every_rule_has_a_notebook_that_breaks_it():
    assert {rule.__name__ for rule in checks.NOTEBOOK_RULES} == {rule for rule, _ in BAD}


@pytest.mark.parametrize("sentence", [
    "La tasa de aprendizaje es 0.001 y la pérdida baja.",
    "With dropout 0.2 the loss is higher.",
    "La pérdida al azar es $\\ln 10 \\approx 2.303$.",
    "Hay 10 clases y 60000 imágenes.",
    "La exactitud va de 0 a 1.",
])  # fmt: skip
def test_settings_and_formulas_are_not_measurements(sentence):
    assert list(checks.typed_measurements(sentence)) == []


def test_numbers_of_both_languages_are_compared_whatever_their_separators():
    assert not list(
        checks.differences("Hay 60\u202f000 imágenes y 0.5.", "There are 60,000 images and 0.5.")
    )
    assert list(checks.differences("Hay 60000 imágenes.", "There are 6000 images."))


# --- Pages of text ----------------------------------------------------------------------------------------------------


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
    assert checks.check_prose(tmp_path) == []
    (tmp_path / lang / f"{name}.md").write_text(content, "utf-8")
    assert any(finding.startswith(f"{rule}: ") for finding in checks.check_prose(tmp_path))
