"""The notebooks that students open: fresh, plain, and with the numbers of their page."""

from __future__ import annotations

import json
import re

import nbformat
import pytest

from book.machinery import notebooks, pages
from fmnist_utils.text import LANGUAGES

MADE = [(path.stem, lang) for path in pages.paths() for lang in LANGUAGES]
KEYS = "|".join(map(re.escape, notebooks.works().entries))
RAW = {
    "role": r"\{[\w:-]+\}`",
    "directive": r"^\s*>?\s*(?::{3,}|`{3,}\{)",
    "option": r"^\s*>?\s*:[\w-]+: ",
    "label": r"\([\w-]+\)=|\$\$ *\([\w-]+\)",
    "name": r"(?<![#/\w-])(?:fig|tab|eq|sec|ex|page)-\d\d",
    "comment": r"<!--|^%|^\+\+\+",
    "key of a work": rf"\b(?:{KEYS})\b",
    "empty link": r"\[\]\(",
    "link into the sources": r"\]\((?!https?:)[^)]*\.md\b",
    "attributes": r"^\{[.#]",
    "footnote": r"\[\^",
}


def opened(name: str, lang: str):
    return nbformat.read(notebooks.FOLDERS[lang] / f"{name}.ipynb", as_version=4)


def texts(notebook) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def test_the_notebooks_are_those_of_the_sources():
    stale = [str(path.relative_to(pages.ROOT)) for path, _ in notebooks.outdated()]
    assert not stale, "make notebooks"


def outside_code(text: str) -> str:
    return re.sub(r"^```\n.*?^```|(?<!\})`[^`\n]+`", " ", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("name", "lang"), MADE)
def test_a_notebook_is_plain(name, lang):
    notebook = opened(name, lang)
    found = [
        (kind, match[0], cell.id)
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for kind, pattern in RAW.items()
        for match in re.finditer(pattern, outside_code(cell.source), re.MULTILINE)
    ]
    assert found == []
    kept = {key for cell in notebook.cells for key in cell.metadata}
    assert kept <= {"tags", "jupyter", "cellView"}
    assert not {tag for cell in notebook.cells for tag in pages.tags(cell)} - notebooks.KEPT_TAGS


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("role", "Véase {ref}`page-01`."),
        ("directive", "> :::{note}"),
        ("directive", "```{figure} x.png"),
        ("option", ":class: dropdown"),
        ("label", "(sec-01-data)="),
        ("label", "$$x$$ (eq-01-layer)"),
        ("name", "como en fig-01-loss"),
        ("comment", "<!-- alt: una línea -->"),
        ("key of a work", "[mansilla2024]"),
        ("empty link", "[](notebooks/01.ipynb)"),
        ("link into the sources", "[so](../speed.md#x)"),
        ("attributes", "{.ran-with}"),
        ("footnote", "algo[^1]"),
    ],
)
def test_markup_that_is_left_is_found(kind, text):
    assert re.search(RAW[kind], outside_code(text), re.MULTILINE)


@pytest.mark.parametrize(("name", "lang"), MADE)
def test_links_lead_to_a_notebook_and_to_a_heading_that_it_has(name, lang):
    def headings(text: str) -> set[str]:
        found = re.findall(r"^#+ +(.*)$", text, re.MULTILINE)
        return {re.sub(r"[*_]", "", heading).strip().replace(" ", "-") for heading in found}

    from urllib.parse import unquote

    for text in texts(opened(name, lang)):
        for target in re.findall(r"\]\(((?!https?:)[^)]+)\)", text):
            file, _, fragment = target.partition("#")
            other = opened(file.removesuffix(".ipynb") if file else name, lang)
            assert not fragment or unquote(fragment) in headings("\n".join(texts(other))), target


@pytest.mark.parametrize(("name", "lang"), MADE)
def test_everything_that_is_numbered_is_counted_in_order(name, lang):
    text = "\n".join(texts(opened(name, lang)))
    words = notebooks.WORDS[lang]
    for kind in ("figure", "table"):
        numbers = [
            int(n) for n in re.findall(rf"^\*\*{words[kind]} (\d+)\.\*\*", text, re.MULTILINE)
        ]
        assert numbers == list(range(1, len(numbers) + 1))
    equations = [int(n) for n in re.findall(r"\\tag\{(\d+)\}", text)]
    assert equations == list(range(1, len(equations) + 1))


def test_only_colab_installs_anything():
    for name, lang in MADE:
        first = next(cell for cell in opened(name, lang).cells if cell.cell_type == "code")
        condition, command = first.source.splitlines()[2:]
        assert condition == 'if "google.colab" in sys.modules:'
        assert command == f"    %pip install -q git+{pages.repository()}"


# --- How a text becomes plain ---------------------------------------------------------------------

NUMBERS = {"fig-01-a": ("figure", 3), "eq-01-b": ("equation", 2), "ex-01-1": ("exercise", 1)}


def plain(text: str, lang: str = "es") -> str:
    return notebooks.PlainText("01_ff_classifier", lang, NUMBERS).plain(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("En la {numref}`fig-01-a`, por {eq}`eq-01-b`.", "En la Figura 3, por (2)."),
        ("$$\nx\n$$ (eq-01-b)", "$$\nx \\tag{2}$$"),
        (
            "{cite:t}`mansilla2024` y {cite:p}`kingma2015adam`",
            "Mansilla (2024) y (Kingma y Ba, 2015)",
        ),
        ("{cite:p}`fredriks2023, bruno2023`", "(Fredriks *et al.*, 2023; Bruno, 2023)"),
        ("el módulo {py:mod}`fmnist_utils.data`", "el módulo `fmnist_utils.data`"),
        ("(sec-01-x)=\n## Título\n\nTexto.", "## Título\n\nTexto."),
        ("`{ref}` se deja: `$x$ <!-- -->`", "`{ref}` se deja: `$x$ <!-- -->`"),
        ("a\n<!-- alt: nada -->\nb", "a\n\nb"),
        (
            ":::{admonition} Predecir\n:class: predict\n\nUno $$\na\n$$\n\n- dos\n:::",
            "> **Predecir**\n>\n> Uno $$ a$$\n>\n> - dos",
        ),
        (":::{note}\nAlgo.\n:::", "> **Nota**\n>\n> Algo."),
        (":::{dropdown} Más\nAlgo.\n:::", "<details><summary>Más</summary>\n\nAlgo.\n\n</details>"),
        (
            "::::{note}\n:::{tip} Así\nDentro.\n:::\n::::",
            "> **Nota**\n>\n> > **Así**\n> >\n> > Dentro.",
        ),
        (
            ":::{exercise}\n:label: ex-01-1\n\nHacer.\n:::\n\n:::{solution-start} ex-01-1\n:class: dropdown\n:::\n\nHecho.",
            "> **Ejercicio 1**\n>\n> Hacer.\n\n<details><summary>Solución del ejercicio 1</summary>\n\nHecho.\n\n</details>",
        ),
        (
            ":::{question}\n¿Qué?\n\n1. Sí\n2. No\n\n---\n\n1. Porque no.\n2. **Porque sí.**\n:::",
            "**Pregunta 1.** ¿Qué?\n\n1. Sí\n2. No\n\n<details><summary>Las respuestas, explicadas</summary>\n\n"
            "1. Porque no.\n2. **Porque sí.**\n\n</details>",
        ),
        (
            ":::{question}\n¿Cuántos?\n\n= 1.50 ± 0 pesos\n\n---\n\n**Uno y medio.** Porque sí.\n\n- 3: el doble.\n:::",
            "**Pregunta 1.** ¿Cuántos?\n\n*La respuesta es un número (pesos).*\n\n<details><summary>Las respuestas, explicadas"
            "</summary>\n\n**Uno y medio.** Porque sí.\n\n- 3: el doble.\n\n</details>",
        ),
    ],
)
def test_markup_becomes_plain(text, expected):
    assert plain(text) == expected


def test_a_solution_goes_on_in_the_next_cell_until_it_ends():
    text = notebooks.PlainText("01_ff_classifier", "en", NUMBERS)
    text.plain(":::{solution-start} ex-01-1\n:class: dropdown\n:::\n\nOne.")
    assert text.plain("Two.").startswith("<details><summary>Solution of exercise 1</summary>")
    assert text.plain(":::{solution-end}\n:::\n\nThree.") == "Three."


def test_words_of_the_glossary_and_places_elsewhere_are_linked():
    site = pages.public_site()
    assert plain("{term}`capas densas <capa densa>`") == (
        f"[capas densas]({site}/es/glossary.html#term-capa-densa)"
    )
    assert plain("{ref}`así <how-to-run>`") == f"[así]({site}/es/how_to_run.html#how-to-run)"
    assert re.fullmatch(r"\[.+\]\(02_ff_autoencoder\.ipynb#.+\)", plain("{ref}`page-02`"))
    assert plain("[ver](../speed.md)") == f"[ver]({site}/es/speed.html)"


@pytest.mark.parametrize(
    "text",
    [
        "{download}`x`", "{numref}`fig-01-z`", "{cite:t}`nobody1999`", "{ref}`sec-99-x`", "![x](y.png)", "algo[^1]",
        ":::{figure} x.png\n:::", ":::{note}\nsin fin", "```{note}\nx\n```", "% comentario", "{{ x }}",
    ],
)  # fmt: skip
def test_markup_without_a_plain_form_is_refused(text):
    with pytest.raises(ValueError, match="."):
        plain(text)


def test_what_a_checked_cell_shows_is_kept_while_its_code_stays(monkeypatch, tmp_path):
    source = pages.paths()[0]
    present = {lang: opened(source.stem, lang) for lang in LANGUAGES}
    # Of all pages: they refer to others.
    known = {lang: notebooks.labels(lang) for lang in LANGUAGES}
    monkeypatch.setattr(notebooks, "labels", known.get)
    monkeypatch.setattr(pages, "paths", lambda: [source])
    folders = {lang: tmp_path / lang for lang in LANGUAGES}
    monkeypatch.setattr(notebooks, "FOLDERS", folders)
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    asked = []
    monkeypatch.setattr(
        notebooks, "fill_in", lambda notebook, missing, target: asked.append(target)
    )
    for lang in LANGUAGES:
        folders[lang].mkdir()
        pages.write_notebook(present[lang], folders[lang] / f"{source.stem}.ipynb")
    assert notebooks.main(["--check"]) == 0
    target = folders["en"] / f"{source.stem}.ipynb"
    content = json.loads(target.read_text("utf-8"))
    for cell in content["cells"]:
        if "nbval-check-output" in cell["metadata"].get("tags", []):
            cell["outputs"] = []
    target.write_text(json.dumps(content), "utf-8")
    (folders["es"] / "99_mine.ipynb").write_text(json.dumps(content), "utf-8")
    assert notebooks.main(["--check"]) == 1 and not asked
    assert notebooks.main([]) == 0
    assert not asked and (folders["es"] / "99_mine.ipynb").exists()  # a reader's
