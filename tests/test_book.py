"""The machinery of the book: selection, captions, the cache's key, and a small site built from end to end."""

from __future__ import annotations

import contextlib
import csv
import json
import math
import os
import re
import shutil
import threading
import time
from io import BytesIO
from pathlib import Path

from book.machinery.extensions import api
from book.machinery.extensions import light
from book.machinery import build
from book.machinery import checks
from book.machinery.generated import closing
from book.machinery.generated import colophon
from book.machinery import links as experiments
import nbformat
import numpy as np
from book.machinery import pages
import pytest
from book.machinery import rerender
import scipy.stats
import toy_book
from book.machinery.generated import verdicts
from book.machinery.generated import writing
import yaml
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from sphinx.application import Sphinx
from sphinx.errors import PycodeError, SphinxWarning
from sphinx.util.docutils import docutils_namespace, patch_docutils
from toy_book import ROOT, code, text, toy_notebook

import fmnist_utils
from fmnist_utils.audit.schema import load_report, student_reports
from fmnist_utils.text import UserError

# --- One language of a notebook ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lang", "other"), [("es", "en"), ("en", "es")])
def test_selection_keeps_all_code_and_the_text_of_one_language(lang, other):
    notebook = toy_notebook()
    kept = pages.one_language(notebook, lang).cells
    assert kept == [cell for cell in notebook.cells if f"lang-{other}" not in pages.tags(cell)]


def test_text_without_a_language_is_refused():
    notebook = toy_notebook()
    notebook.cells[4].metadata["tags"] = []
    with pytest.raises(ValueError, match="cell 5"):
        pages.one_language(notebook, "es")


def test_captions_move_to_the_cell_that_they_are_about():
    page = pages.book_page(toy_notebook(), "es")
    assert not any("caption" in pages.tags(cell) for cell in page.cells)
    shown = {pages.shown(cell): cell.metadata.mystnb for cell in page.cells if pages.shown(cell)}
    assert shown["fig-01-loss"] == {
        "figure": {"caption": "La pérdida de cada época.", "name": "fig-01-loss"},
        "image": {"alt": "Una línea recta que baja de tres a uno en tres épocas.", "width": "80%"},
    }
    assert shown["tab-01-audit"]["figure"]["caption_before"]
    assert (
        "figure" not in shown["fig-01-another"]
    )  # inside a folded solution: alternative text alone


def test_a_caption_without_a_figure_is_refused():
    notebook = toy_notebook()
    notebook.cells += text("Un pie.", "A caption.", "caption")
    with pytest.raises(ValueError, match="Un pie"):
        pages.book_page(notebook, "es")


def test_copy_for_readers_runs_in_its_own_language_and_shows_plain_text():
    page = pages.reader_copy(toy_notebook(), "en")
    assert 'os.environ.get("FMNIST_LANG", "en")' in "\n".join(cell.source for cell in page.cells)
    assert all(
        not cell.outputs and cell.execution_count is None
        for cell in page.cells
        if cell.cell_type == "code"
    )
    assert next(c for c in page.cells if "solution" in pages.tags(c)).metadata.jupyter.source_hidden
    shown = "\n".join(cell.source for cell in page.cells if cell.cell_type == "markdown")
    assert (
        "**Exercise. Another line**" in shown
        and "**Solution**" in shown
        and "**Prediction**" in shown
    )
    assert (
        "**Question**\n\nWhich is second after `eq-01-loss`?\n\n1. One `eq-01-loss` $1$" in shown
        and "\n---\n" not in shown
    )
    assert (
        shown.count("<summary>The answers, explained</summary>\n\n\n1. Falls short.")
        == shown.count("</details>")
        == 5
    )
    assert "**`fig-01-loss`** The loss of each epoch." in shown and "**`None`**" not in shown
    assert not re.search(r":::|\{\w+\}`|\)=$|^:\w+:", shown, re.MULTILINE)
    nbformat.validate(page)


@pytest.mark.parametrize(("myst", "plain"), [
    ("(sec)=\n# Título", "# Título"),
    ("la {term}`exactitud` de {cite:t}`kingma2015adam`", "la exactitud de [kingma2015adam]"),
    ("{term}`logits <logit>`", "logits"),
    (":::{note}\nTexto.\n:::", "**Nota**\n\nTexto."),
    ("[aquí](glossary.md) y [allá](https://a.b)", "aquí y [allá](https://a.b)"),
])  # fmt: skip
def test_plain_markdown(myst, plain):
    assert pages.plain_markdown(myst, "es") == plain


def test_every_work_cited_can_be_found():
    text = (ROOT / "book" / "references.bib").read_text("utf-8")
    entries = dict(re.findall(r"^@\w+\{([\w-]+),(.*?)^\}", text, re.MULTILINE | re.DOTALL))
    # Never published; the page says where it was written.
    coursework = {load_report(name).citation for name in student_reports()}
    assert coursework <= set(entries) and len(entries) > 25
    for name in entries.keys() - coursework:
        assert re.search(r"^  (?:doi|eprint|url) +=", entries[name], re.MULTILINE), name


# --- The cache --------------------------------------------------------------------------------------------------------


CONTEXT = {
    name: "as it was"
    for name in (
        "package",
        "records",
        "yardsticks",
        "runs",
        "versions",
        "pictures",
        "variables",
        "machine",
    )
}
CONTEXT |= {"shown": {"date": 1}}


def key(notebook=None, lang="es", profile="full", **changes):
    return build.cache_key(notebook or toy_notebook(), lang, profile, CONTEXT | changes)


def test_key_covers_all_that_outputs_depend_on():
    notebook = toy_notebook()
    notebook.cells[2].source += "\nseed = 1"
    other_tags = toy_notebook()
    other_tags.cells[2].metadata["tags"] = []
    reordered = toy_notebook()
    reordered.cells[-1], reordered.cells[-4] = reordered.cells[-4], reordered.cells[-1]
    keys = [
        key(),
        key(notebook),
        key(other_tags),
        key(reordered),
        key(lang="en"),
        key(profile="quick"),
    ]
    keys += [key(**{name: "changed"}) for name in CONTEXT if name != "shown"]
    assert len(set(keys)) == len(keys)


def test_text_and_what_is_only_shown_leave_outputs_alone():
    notebook = toy_notebook()
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source += " Más."
        else:
            cell.outputs, cell.execution_count = [], 99
    assert key(notebook) == key() == key(shown={"date": 2})


@settings(max_examples=30, deadline=None)
@given(
    st.dictionaries(st.text("abc", min_size=1), st.binary(max_size=4), min_size=1, max_size=4),
    st.data(),
)
def test_digest_of_a_folder_knows_every_name_and_byte(tmp_path_factory, files, data):
    def digest(content):
        folder = tmp_path_factory.mktemp("folder")
        for name, value in content.items():
            (folder / "in").mkdir(exist_ok=True)
            (folder / "in" / name).write_bytes(value)
        return build.folder_digest(folder)

    name = data.draw(st.sampled_from(sorted(files)))
    assert digest(files) == digest(dict(reversed(files.items())))
    assert digest(files) != digest(files | {name: files[name] + b"x"})
    assert digest(files) != digest(
        {("new" if other == name else other): value for other, value in files.items()}
    )


def test_data_source_is_what_a_page_would_find(monkeypatch):
    from fmnist_utils import data

    monkeypatch.setattr(data, "status", lambda: {"good": {"a": True, "b": True}})
    assert build.data_source() == "official"
    monkeypatch.setattr(data, "status", lambda: {"good": {"a": True, "b": False}})
    monkeypatch.setenv("FMNIST_OFFLINE", "1")
    assert build.data_source() == "synthetic"
    monkeypatch.setattr(data, "fetch", lambda limits: {})
    assert build.data_source() == "official"


def test_outputs_of_other_code_are_refused():
    page, executed = pages.book_page(toy_notebook(), "es"), toy_notebook()
    executed.cells = [cell for cell in executed.cells if cell.cell_type == "code"]
    build.with_outputs(page, executed)
    executed.cells[3].source += " "
    with pytest.raises(ValueError, match="not that of the page"):
        build.with_outputs(page, executed)


def test_outputs_come_from_the_cache_and_text_from_today(own_build, monkeypatch):
    notebook_path = own_build / "01_toy.ipynb"
    nbformat.write(toy_notebook(), notebook_path)
    monkeypatch.setattr(pages, "paths", lambda: [notebook_path])
    monkeypatch.setattr(build, "surroundings", lambda: CONTEXT)
    build.execute_all(["es"], "quick")

    monkeypatch.setattr(build, "_run", lambda *_: pytest.fail("executed again"))
    notebook = toy_notebook()
    notebook.cells[0].source = "# Otro título"
    nbformat.write(notebook, notebook_path)
    executed = build.execute_all(["es"], "quick")["01_toy", "es"]
    page = build.with_outputs(pages.book_page(notebook, "es"), executed)
    assert page.cells[0].source == "# Otro título"
    figure = next(
        cell
        for cell in page.cells
        if cell.cell_type == "code" and pages.shown(cell) == "fig-01-loss"
    )
    assert "image/png" in figure.outputs[0].data
    assert "papermill" not in (next((own_build / "cache").iterdir())).read_text("utf-8")

    notebook.cells[-1].source += " + 1"
    nbformat.write(notebook, notebook_path)
    with pytest.raises(pytest.fail.Exception, match="executed again"):
        build.execute_all(["es"], "quick")


# --- Links between the audit and the experiments ----------------------------------------------------------------------


def audited_page():
    """A page that trains two groups of report 1 and shows three rows of its audit."""
    rows = "".join(
        f'<tr><th style="text-align: left">{id}</th><td>{id}</td></tr>'
        for id in ("N1-1", "C1-3", "E1-2")
    )
    rows += '<tr class="reason"><td colspan="2">So it is (E1-2), but (N1-7).</td></tr>'
    table = nbformat.v4.new_output(
        "execute_result", data={"text/html": f"<table>{rows}</table>"}, execution_count=4
    )
    shown = code("audit.table(rows)", table="tab-01-all")
    shown.outputs = [table]
    cells = [
        *text(
            "(sec-01-a)=\n## E1-2 en un título\n\nVer `N1-1`, $E1-2$ y C1-3 {cite:p}`x`; no N1-7.",
            "…",
        ),
        code('names = "model_2 model_1"\npage.train(*names.split())'),
        *text("(sec-01-b)=\n## Otra", "…"),
        code("say('model_3')"),
        *text("(sec-01-c)=\n## Otra más", "…"),
        code('page.train(*[f"model_{n}" for n in (1, 3)])'),
        shown,
        *text("Aquí (E1-2).", "Here.", "caption"),
    ]
    return pages.book_page(nbformat.v4.new_notebook(cells=cells), "es")


def test_rows_of_the_audit_lead_to_their_sections_and_mentions_to_their_rows():
    page = audited_page()
    experiments.link(page, load_report("01"), "es")
    table = BeautifulSoup(page.cells[-1].outputs[0].data["text/html"], "html.parser")
    *rows, reason = table.find_all("tr")
    assert str(reason.td) == '<td colspan="2">So it is (<a href="#E1-2">E1-2</a>), but (N1-7).</td>'
    led = {row["id"]: row.th.a["href"] for row in rows}
    assert led == {"N1-1": "#sec-01-a", "C1-3": "#sec-01-c", "E1-2": "#sec-01-a"}
    assert [row.td.text for row in rows] == list(led)
    assert page.cells[0].source == (
        '(sec-01-a)=\n## E1-2 en un título\n\nVer `N1-1`, $E1-2$ y <a href="#C1-3">C1-3</a> {cite:p}`x`; no N1-7.'
    )
    assert experiments.caption_of(page.cells[-1])["caption"] == 'Aquí (<a href="#E1-2">E1-2</a>).'


def test_a_group_belongs_where_most_of_its_name_is_written_and_it_is_trained():
    places = experiments.sections(audited_page(), load_report("01"))
    assert places["N1-5"] == "sec-01-c"  # model_3 is only spoken of in the second section
    assert "E1-9" not in places


# --- Building ---------------------------------------------------------------------------------------------------------


@pytest.mark.racing
def test_second_build_waits_for_the_first(own_build, monkeypatch, capsys):
    first_may_end, order = threading.Event(), []

    def slow(languages, profile):
        order.append(f"begin {profile}")
        first_may_end.wait(10)
        order.append(f"end {profile}")

    monkeypatch.setattr(build, "build", slow)
    first = threading.Thread(target=build.main, args=[["--profile", "full"]])
    first.start()
    while not order:
        pass
    second = threading.Thread(target=build.main, args=[["--profile", "quick"]])
    second.start()
    second.join(0.3)
    assert order == ["begin full"]
    first_may_end.set()
    first.join(10)
    second.join(10)
    assert order == ["begin full", "end full", "begin quick", "end quick"]
    assert "waits" in capsys.readouterr().out


def test_a_page_without_all_its_records_is_shown_in_its_quick_profile(monkeypatch, capsys):
    assert build.feasible("01_ff_classifier", "full") == "full" and build.is_complete(
        "01_ff_classifier"
    )
    monkeypatch.setattr(
        build.RunStore, "find", lambda store, recipe: None if recipe.seed else "a run"
    )
    assert (
        build.feasible("01_ff_classifier", "full") == "quick"
        and "make reproduce" in capsys.readouterr().out
    )
    assert (
        build.feasible("01_ff_classifier", "quick") == build.feasible("00_toy", "quick") == "quick"
    )
    assert build.feasible("00_toy", "full") == "full" and not build.is_complete("00_toy")


@pytest.mark.parametrize("lang", pages.LANGUAGES)
def test_the_figure_of_the_home_page_counts_the_verdicts(lang, tmp_path):
    from fmnist_utils.audit import count_verdicts, rows

    source = (ROOT / "book" / lang / "_verdicts.md").read_text("utf-8")
    (tmp_path / "_verdicts.md").write_text(source, "utf-8")
    verdicts.write(tmp_path, ["01_ff_classifier"], lang)
    counted = count_verdicts(rows("01"))
    numbers = re.findall(
        r"\d+", (tmp_path / "_verdicts.md").read_text("utf-8").partition(":alt:")[2]
    )
    claims = [sum(counted[kind].values()) for kind in ("number", "claim")]
    wanted = [claims[0], *(counted["number"][name] for name in ("agrees", "differs", "not enough"))]
    wanted += [claims[1], *(counted["claim"][name] for name in ("agrees", "differs", "undecided"))]
    assert numbers[:8] == list(map(str, wanted))
    assert (tmp_path / "verdicts.png").stat().st_size > 5000


@pytest.mark.parametrize("lang", pages.LANGUAGES)
def test_with_all_reports_the_figure_counts_the_whole_audit(lang, tmp_path, monkeypatch):
    from fmnist_utils.audit.schema import student_reports
    from fmnist_utils.audit import count_verdicts, rows

    monkeypatch.setenv("FMNIST_RESULTS", str(tmp_path))
    drawn = []
    monkeypatch.setattr("fmnist_utils.plots.verdicts", drawn.append)
    for names in (student_reports(), student_reports()[:-1]):
        (tmp_path / "_verdicts.md").write_text(
            "$numbers $claims $number_not_enough $claim_undecided", "utf-8"
        )
        verdicts.write(tmp_path, names, lang)
    whole = count_verdicts(rows())
    assert (
        len(drawn[0]) == len(student_reports()) + 1 and len(drawn[1]) == len(student_reports()) - 1
    )
    for kind in ("number", "claim"):
        for verdict, count in whole[kind].items():
            assert sum(of_report[kind][verdict] for of_report in drawn[0].values()) == count


# --- The closing pages ------------------------------------------------------------------------------------------------


@pytest.fixture
def few_records(tmp_path, monkeypatch):
    """A folder of results with the networks of report 1 alone."""
    folder = tmp_path / "results" / "01_ff_classifier" / "records"
    folder.mkdir(parents=True)
    for path in (ROOT / "fmnist_utils" / "reports" / "01_ff_classifier" / "records").glob(
        "model_?.*.json"
    ):
        shutil.copy(path, folder)
    monkeypatch.setenv("FMNIST_RESULTS", str(tmp_path / "results"))


@pytest.mark.parametrize(
    ("lang", "missing"), [("es", "sin registro todavía"), ("en", "no record yet")]
)
def test_closing_pages_show_what_has_records_and_say_what_has_none(
    lang, missing, few_records, tmp_path
):
    from fmnist_utils.audit.schema import load_across

    for name in ("_recalls.md", "_worked.md"):
        shutil.copy(ROOT / "book" / lang / name, tmp_path)
    closing.write(tmp_path, lang)
    tables = {
        name: list(csv.reader((tmp_path / f"{name}.csv").open("r", encoding="utf-8")))
        for name in ("classifiers", "autoencoders")
    }
    networks = [name for family in load_across().families for name in family.of]
    assert sum(map(len, tables.values())) == len(networks)
    page = (ROOT / "book" / lang / "together.md").read_text("utf-8")
    headers = re.findall(r"^:header: (.*)$", page, re.MULTILINE)
    assert [len(header.split(", ")) for header in headers] == [
        len(table[0]) for table in tables.values()
    ]
    rows = {row[0]: row[1:] for table in tables.values() for row in table}
    assert len(rows) == len(networks)  # no two rows have one name
    shown = next(row for name, row in rows.items() if "2: Adam" in name)
    assert shown[2:] == ["0.11", "109386", "[01](notebooks/01_ff_classifier.ipynb)"]
    assert re.fullmatch(r"8\d\.\d ± 0\.\d \(n = 5\)", shown[0]) and float(shown[1]) > 0
    nahuel = next(row for name, row in rows.items() if "Nahuel" in name)
    assert nahuel[:4] == [missing, "–", "4.34", "1475338"]
    claims = (tmp_path / "claims.html").read_text("utf-8")
    assert all(f">{claim.id}</th>" in claims for claim in load_across().claims)
    recalls = (tmp_path / "_recalls.md").read_text("utf-8")
    alt = re.search(r":alt: (.*)", recalls)[1]
    hardest = {"es": "Camisa", "en": "Shirt"}[lang]
    assert len(alt) in checks.ALT_LENGTH and hardest in alt and "$" not in recalls
    assert (tmp_path / "recalls.png").stat().st_size > 5000


@pytest.mark.parametrize("lang", pages.LANGUAGES)
def test_the_example_on_the_page_is_the_verdict_of_the_audit(lang, few_records, tmp_path):
    from fmnist_utils.audit import rows
    from fmnist_utils.text import say, set_language

    set_language(lang)
    row = next(row for row in rows("01") if row.id == closing.EXAMPLE[1])
    facts = closing.worked_example(build.RunStore())
    assert facts["verdict"] == say(f"verdict.{row.verdict}") and facts["n"] == row.theirs.n >= 5
    assert (facts["mean"], facts["sd"]) == (
        f"{100 * row.theirs.mean:.2f}",
        f"{100 * row.theirs.sd:.2f}",
    )
    inside = float(facts["low"]) <= float(facts["published"]) <= float(facts["high"])
    assert inside == (row.verdict == "agrees")
    page = tmp_path / "_worked.md"
    shutil.copy(ROOT / "book" / lang / page.name, page)
    writing.fill(page, facts)
    assert "$" not in page.read_text("utf-8") and f"| {facts['values']} |" in page.read_text(
        "utf-8"
    )


def test_without_the_records_of_the_example_it_is_said_what_makes_them(tmp_path):
    with pytest.raises(UserError, match="fmnist reproduce 01_ff_classifier"):
        closing.worked_example(build.RunStore(tmp_path, tmp_path / "none"))


@pytest.mark.parametrize("lang", pages.LANGUAGES)
def test_the_arithmetic_of_the_page_on_reading_results_is_right(lang):
    page = (ROOT / "book" / lang / "reading_results.md").read_text("utf-8")
    spread = {images: math.sqrt(0.9 * 0.1 / images) for images in (10_000, 100)}
    wanted = [rf"/ 10\,000}} = {spread[10_000]:.3f}", f"/ 100}} = {spread[100]:.2f}"]
    wanted += [
        rf"$0.9 {sign} 1.96 \cdot 0.03 \approx {0.9 + side * 1.96 * 0.03:.2f}$"
        for sign, side in (("-", -1), ("+", 1))
    ]
    for n in (2, 3, 5, 10):
        quantile = scipy.stats.t.ppf(0.975, n - 1)
        widths = f"${quantile:.2f}$ | ${quantile / math.sqrt(n):.2f}$ | ${quantile * math.sqrt(1 + 1 / n):.2f}$"
        wanted.append(f"| ${n}$ | {widths} |")
    for count in (12, 50):  # the mean of the largest of so many standard normal numbers
        x = np.linspace(-8, 8, 20_001)
        density = count * scipy.stats.norm.pdf(x) * scipy.stats.norm.cdf(x) ** (count - 1)
        wanted.append(rf"${np.sum(x * density) * (x[1] - x[0]):.2f}\, s$")
    wanted.append(rf"$1.63 \cdot 0.003 \approx {1.63 * 0.003:.3f}$")
    assert [words for words in wanted if words not in page] == []


def test_english_configuration_derives_from_the_spanish_one():
    spanish, english = (build.configuration(lang, ["es", "en"]) for lang in ("es", "en"))
    assert (spanish["sphinx"]["config"]["language"], english["sphinx"]["config"]["language"]) == (
        "es",
        "en",
    )
    assert (
        spanish["repository"]["path_to_book"] == "es"
        and english["repository"]["path_to_book"] == "en"
    )
    assert english["sphinx"]["config"]["extensions"] == spanish["sphinx"]["config"]["extensions"]
    assert english["execute"]["execute_notebooks"] == "off"


def test_colophon_sums_up_the_records(tmp_path):
    (tmp_path / "01").mkdir()
    made = {"torch": "2.15", "device": "cpu", "device_name": "x86_64", "threads": 1}
    made |= {"commit": "0123456789ab+", "date": "2026-11-20T10:00:00Z"}
    for seed in (1, 0):
        record = {"recipe": {"seed": seed}, "seconds": 90, "made_with": made}
        (tmp_path / "01" / f"rate_0.5.ours.seed{seed}.{seed}.json").write_text(json.dumps(record))
    (row,) = colophon.record_rows(tmp_path)
    assert row == [
        "01",
        "rate_0.5",
        2,
        "0, 1",
        "2.15",
        "x86_64 × 1",
        "3.0",
        "2026-11-20",
        "0123456+",
    ]


# --- A small site, from end to end ------------------------------------------------------------------------------------


def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_bytes(), "html.parser")


def test_site_passes_its_checks(toy_site):
    assert checks.check_site(toy_site) == []


@pytest.mark.parametrize(("lang", "figure", "table", "solution"), [
    ("es", "Figura 1", "Tabla 1", "Solución a Ejercicio 1"),
    ("en", "Fig. 1", "Table 1", "Solution to Exercise 1"),
])  # fmt: skip
def test_page_in_its_language(toy_site, lang, figure, table, solution):
    page = soup(toy_site / lang / "notebooks" / "01_toy.html")
    assert [
        caption.get_text().strip() for caption in page.select("figcaption .caption-number")
    ] == [figure, table]
    assert solution in page.get_text()
    image = page.select_one("#fig-01-loss img")
    assert image["alt"].startswith({"es": "Una línea recta", "en": "A straight line"}[lang])
    assert page.select_one("#tab-01-audit > .output table") is not None
    ran_with = page.select_one(".tag_injected-parameters").get_text()
    assert f'lang = "{lang}"' in ran_with and 'profile = "quick"' in ran_with
    last_line = page.select_one(".ran-with").get_text()
    digests = rf"fmnist_utils {re.escape(fmnist_utils.__version__)} \([0-9a-f]{{7}}\), \w+ [0-9a-f]{{7}}, commit"
    assert "synthetic" in last_line and re.search(
        digests, last_line
    )  # what it was made of: package and records


@pytest.mark.parametrize(("lang", "asked", "check"), [
    ("es", "Pregunta 1. ¿Cuál es la segunda tras (1)?", "Comprobar"),
    ("en", "Question 1. Which is second after (1)?", "Check"),
])  # fmt: skip
def test_self_check_of_a_page(toy_site, lang, asked, check):
    page = soup(toy_site / lang / "notebooks" / "01_toy.html")
    first, *others = page.select("fieldset.question")
    assert len(others) == 4 and first.legend.get_text() == asked
    labels = first.find_all("label")
    assert [label.input["value"] for label in labels] == ["1", "2", "3"] and first[
        "data-right"
    ] == "2"
    assert {label.input["name"] for label in labels} == {"question-1"} and labels[1].select_one(
        ".math"
    ) is not None
    assert first.button.get_text() == check and first.button.has_attr(
        "hidden"
    )  # there is no script yet
    assert first.select_one("[role=status][aria-live=polite]").get_text() == ""
    explanations = first.select("details > ol > li")  # and none of it needs one
    assert [item.strong is not None for item in explanations] == [False, True, False]
    loaded = [script["src"].partition("?")[0] for script in page.select("script[src*=selfcheck]")]
    assert (
        loaded == ["../_static/selfcheck.js"]
        and (toy_site / lang / "_static" / "selfcheck.js").is_file()
    )
    assert not soup(toy_site / lang / "glossary.html").select("[src*=selfcheck], [href*=selfcheck]")


def test_buttons_lead_to_the_same_page_and_to_its_own_copy(toy_site):
    page = soup(toy_site / "en" / "notebooks" / "01_toy.html")
    links = {a["href"] for a in page.find_all("a", href=True)}
    assert "../../es/notebooks/01_toy.html" in links
    assert any(
        re.search(r"colab.*/blob/gh-pages/en/notebooks/01_toy\.ipynb$", link) for link in links
    )
    assert any(
        re.search(r"mybinder.*/gh-pages\?urlpath=lab/tree/en/notebooks/01_toy\.ipynb$", link)
        for link in links
    )
    copy = pages.read(toy_site / "en" / "notebooks" / "01_toy.ipynb")
    assert "01_toy.ipynb" in links and "A page" in copy.cells[0].source


@pytest.mark.parametrize(("name", "was", "becomes"), [
    ("es/notebooks/01_toy.html", "gh-pages/es/notebooks/01_toy.ipynb", "gh-pages/en/notebooks/01_toy.ipynb"),  # Colab
    ("en/notebooks/01_toy.html", "urlpath=lab/tree/en/", "urlpath=lab/tree/"),  # Binder
    ("es/notebooks/01_toy.html", 'href="01_toy.ipynb"', 'href="../../en/notebooks/01_toy.ipynb"'),
    ("environment.yml", "", None),
    ("en/notebooks/01_toy.ipynb", "", None),
])  # fmt: skip
def test_a_button_that_leads_elsewhere_is_found(toy_site, tmp_path, name, was, becomes):
    site = shutil.copytree(toy_site, tmp_path / "html")
    path = site / name
    if becomes is None:
        path.unlink()
    else:
        assert was in path.read_text("utf-8")
        path.write_text(path.read_text("utf-8").replace(was, becomes), "utf-8")
    assert any(finding.startswith("launches: ") for finding in checks.check_site(site))


def test_binder_finds_an_environment_with_the_package(toy_site):
    environment = yaml.safe_load((toy_site / "environment.yml").read_text("utf-8"))
    assert (
        environment["dependencies"][:-1]
        == yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))["dependencies"][:-1]
    )
    assert environment["dependencies"][-1]["pip"][0].startswith("git+https://github.com/")


# --- What a page weighs -----------------------------------------------------------------------------------------------


def test_styles_keep_what_a_page_uses():
    css = """@charset "UTF-8"; /* a note */ .used { color: red } .gone, .used.too { color: blue; }
    @media print { .gone { x: y } } @media screen { #here:not(.gone) { background: url(data:image/svg+xml;a{b}) } }
    :is(.gone, p) > .used::after { content: "}" } .fa-bars:before { content: "a" } @keyframes turn { from { x: y } }"""
    kept = light.in_use(css, {"used", "here", "fa-bars"})
    for rule in (
        '@charset "UTF-8";',
        ".used {color: red}",
        "#here:not(.gone)",
        "url(data:image/svg+xml;a{b})",
        "@keyframes turn",
    ):
        assert rule in kept
    assert ':is(.gone, p) > .used::after {content: "}"}' in kept
    assert not re.search(r"note|blue|print|fa-bars", kept)


def test_pictures_become_small_and_stay_the_same():
    picture = Image.new("RGBA", (300, 200), "white")
    ImageDraw.Draw(picture).line([(0, 0), (300, 200)], fill="#d55e00", width=9)
    written = BytesIO()
    picture.save(written, "PNG")
    small = light.with_palette(written.getvalue())
    assert len(small) < len(written.getvalue())
    assert light.difference(Image.open(BytesIO(small)).convert("RGB"), picture.convert("RGB")) == 0
    noise = Image.effect_noise((200, 200), 90).convert("RGB")
    many = Image.merge(
        "RGB",
        [noise.getchannel(0), noise.getchannel(0).rotate(90), noise.getchannel(0).rotate(180)],
    )
    written = BytesIO()
    many.save(written, "PNG")
    assert (
        light.with_palette(written.getvalue()) == written.getvalue()
    )  # too many colours: as it was


def test_pages_are_lightened(toy_site):
    page = soup(toy_site / "es" / "notebooks" / "01_toy.html")
    image = page.select_one("#fig-01-loss img")
    with Image.open((toy_site / "es" / "notebooks" / image["src"]).resolve()) as picture:
        assert (image["width"], image["height"], image["loading"]) == (
            *map(str, picture.size),
            "lazy",
        )
        assert picture.mode == "P"
    loaded = {
        tag.get("src", tag.get("href", "")).partition("?")[0].rpartition("/")[2]
        for tag in page.select("script, link")
    }
    assert "icons.css" in loaded and not loaded & {"fontawesome.js", "searchindex.js"}
    assert "searchindex.js" in (toy_site / "es" / "search.html").read_text("utf-8")
    drawn = (toy_site / "es" / "_static" / "styles" / "icons.css").read_text("utf-8")
    used = {
        name
        for tag in page.select("[class*=fa-]")
        for name in tag["class"]
        if name.startswith("fa-")
    }
    used -= {"fa-lg", "fa-solid", "fa-regular", "fa-brands"}
    assert used and [name for name in used if f".{name} {{" not in drawn] == []
    assert not (toy_site / "es" / "_static" / "scripts" / "fontawesome.js").exists()


def test_landing_page_knows_both_languages_without_script(toy_site):
    page = soup(toy_site / "index.html")
    assert [a["href"] for a in page.select("body a")] == ["es/index.html", "en/index.html"]


WRITTEN = toy_book.QUESTION.format(
    "Which?", "One", "Another", "The last", "Falls short.", "This one.", "Too far."
)


@pytest.mark.parametrize(("right", "wrong", "said"), [
    ("", "", None),
    ("**This one.**", "**$2$, this one.**", None),
    ("**This one.**", "This one.", "0 explanations begin in bold"),
    ("1. Falls", "1. **It** falls", "2 explanations begin in bold"),
    ("3. Too far.", "", "3 answers and 2 explanations"),
    ("3. The last $3$", "", "2 answers, not 3 to 4"),
    ("---", "", "a numbered list of explanations"),
    ("Which?", "", "a paragraph that asks"),
    ("1. One $1$", "1. One $1$\n   - and more", "every answer is one paragraph"),
])  # fmt: skip
def test_a_question_written_wrong_stops_the_build(tmp_path, right, wrong, said, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "book" / "_ext")
    extensions = ["myst_parser", "book_selfcheck"]
    settings = {"extensions": extensions, "myst_enable_extensions": ["colon_fence", "dollarmath"]}
    (tmp_path / "index.md").write_text("# A page\n\n" + WRITTEN.replace(right, wrong), "utf-8")
    with patch_docutils(), docutils_namespace():
        app = Sphinx(
            tmp_path,
            None,
            tmp_path / "out",
            tmp_path / "doctrees",
            "html",
            settings,
            warningiserror=True,
        )
        with (
            pytest.raises(SphinxWarning, match=re.escape(said))
            if said
            else contextlib.nullcontext()
        ):
            app.build()


# --- The checks of a site, and a site that breaks each ----------------------------------------------------------------

PAGE = '<html lang="{lang}"><head><title>x</title></head><body><article>{body}</article>{more}</body></html>'


def small_site(root: Path, body: str = "", more: str = "") -> Path:
    (root / "index.html").write_text(
        '<html lang="es"><body><a href="es/index.html">x</a></body></html>'
    )
    for lang in ("es", "en"):
        (root / lang).mkdir()
        (root / lang / "index.html").write_text(
            PAGE.format(lang=lang, body="<p id='here'>x</p>", more="")
        )
    (root / "es" / "index.html").write_text(
        PAGE.format(lang="es", body=f"<p id='here'>x</p>{body}", more=more)
    )
    return root


@pytest.mark.parametrize(("rule", "body", "more"), [
    ("links", '<a href="gone.html">x</a>', ""),
    ("links", '<a href="../en/index.html#gone">x</a>', ""),
    ("links", '<a href="#gone">x</a>', ""),
    ("links", '<img src="gone.png" alt="x">', ""),
    ("alternative_texts", '<img src="index.html">', ""),
    ("alternative_texts", '<img src="index.html" alt="">', ""),
    ("no_outside", "", '<script src="https://cdn.example.org/x.js"></script>'),
    ("no_outside", "", '<link rel="stylesheet" href="//example.org/x.css">'),
    ("no_outside", '<p style="background: url(https://example.org/x.png)">x</p>', ""),
    ("no_outside", "", '<script>load("https://example.org/x.js")</script>'),
    ("rendered", "<p>la pérdida \\(\\ell\\)</p>", ""),
    ("rendered", "<p>véase {numref}`fig-1`</p>", ""),
    ("rendered", '<div class="cell_output"><pre>Traceback (most recent call last)</pre></div>', ""),
    ("no_local_paths", "<p>/" "home/someone/fashion</p>", ""),
    ("no_local_paths", f"<p>{ROOT}/book</p>", ""),
    ("spanish_interface", "", '<button title="Toggle sidebar">x</button>'),
    ("spanish_interface", '<p class="admonition-title">Warning</p>', ""),
    ("spanish_interface", '<img src="index.html" alt="A shirt, next to the bag">', ""),
    ("spanish_text", "<p>This page was not translated, and nobody saw it.</p>", ""),
    ("spanish_text", "<ul><li>texto <b>of the other language</b></li></ul>", ""),
])  # fmt: skip
def test_each_check_of_a_site_finds_what_breaks_it(tmp_path, rule, body, more):
    found = checks.check_site(small_site(tmp_path, body, more))
    assert [finding for finding in found if finding.startswith(f"{rule}: ")]


def test_a_page_in_one_language_only_is_found(tmp_path):
    (small_site(tmp_path) / "en" / "more.html").write_text(PAGE.format(lang="es", body="", more=""))
    assert [f for f in checks.check_site(tmp_path) if f.startswith("same_site_pages")] == [
        "same_site_pages: es/more.html is missing",
        "same_site_pages: en/more.html says that its language is es",
    ]


def test_what_stands_in_no_language_is_looked_at(tmp_path):
    (small_site(tmp_path) / "extra").mkdir()
    (tmp_path / "extra" / "more.html").write_text(
        '<html lang="es"><a href="gone.html">x</a></html>'
    )
    (tmp_path / "index.html").write_text(
        '<html lang="es"><script src="https://cdn.example.org/x.js"></script></html>'
    )
    assert checks.check_site(tmp_path) == [
        "links: extra/more.html: gone.html leads nowhere",
        "no_outside: index.html loads https://cdn.example.org/x.js",
    ]


def test_small_site_passes(tmp_path):
    assert checks.check_site(small_site(tmp_path)) == []


# --- The reference of the package -------------------------------------------------------------------------------------


def test_comments_are_read_in_our_modules_alone():
    read = api.ours_only("fmnist_utils.text")
    read.analyze()
    assert "say" in read.tags
    with pytest.raises(PycodeError):
        api.ours_only("torch.nn.modules.linear")


# --- What is rendered again ---------------------------------------------------------------------------------------------

WORDS = """# A title

(a-label)=
## Another

Some words, {term}`one` of [them](there.md).

$$
x < y
$$ (eq-one)

:::{note}
Inside.
:::
"""


def laid_out(folder: Path, words: str = WORDS, style: str = "a {}", picture: str = "QUJD") -> Path:
    """Write a book of two pages and a style in ``folder``."""
    (folder / "_static").mkdir(parents=True)
    (folder / "_static" / "site.css").write_text(style)
    (folder / "same.md").write_text(WORDS)
    (folder / "page.md").write_text(words)
    output = nbformat.v4.new_output("display_data", {"image/png": picture})
    cells = [
        nbformat.v4.new_markdown_cell(words, id="words"),
        nbformat.v4.new_code_cell("1", outputs=[output], id="code"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "notebook.ipynb")
    return folder


def rendered(folder: Path) -> Path:
    """Write the same book, rendered an hour ago."""
    laid_out(folder)
    for path in rerender.files(folder).values():
        os.utime(path, (time.time() - 3600,) * 2)
    (folder / "_build" / "html").mkdir(parents=True)
    (folder / "_build" / rerender.WHOLE).touch()
    return folder


def test_other_words_have_their_page_rendered_again_and_no_other(tmp_path):
    old, new = (
        rendered(tmp_path / "old"),
        laid_out(tmp_path / "new", WORDS.replace("Some", "A few")),
    )
    known = (old / "same.md").stat().st_mtime
    assert rerender.carry_over(old, new)
    assert (new / "_build" / "html").is_dir() and not (old / "_build").exists()
    assert not (new / "_build" / rerender.WHOLE).exists()  # until it is rendered to the end
    assert (new / "same.md").stat().st_mtime == known
    assert (
        min((new / name).stat().st_mtime for name in ("page.md", "notebook.ipynb")) > known + 3000
    )


@pytest.mark.parametrize(
    "change",
    [
        {"words": WORDS.replace("A title", "Its title")},
        {"words": WORDS.replace("a-label", "b-label")},
        {"words": WORDS.replace("`one`", "`two`")},
        {"words": WORDS.replace("there", "here")},
        {"words": WORDS.replace("Inside", "Within")},
        {"words": WORDS.replace("eq-one", "eq-two")},
        {"style": "b {}"},
        {"picture": "QUJE"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_other_pages_may_show_has_all_rendered_again(change, tmp_path):
    old, new = rendered(tmp_path / "old"), laid_out(tmp_path / "new", **change)
    assert not rerender.carry_over(old, new) and not (new / "_build").exists()


def test_what_python_leaves_beside_the_extensions_changes_nothing(tmp_path):
    old, new = rendered(tmp_path / "old"), laid_out(tmp_path / "new")
    (old / "_ext" / "__pycache__").mkdir(parents=True)
    (old / "_ext" / "__pycache__" / "light.cpython-311.pyc").touch()
    assert rerender.carry_over(old, new)


def test_another_page_or_a_rendering_that_stopped_has_all_rendered_again(tmp_path):
    old, more = rendered(tmp_path / "old"), laid_out(tmp_path / "more")
    (more / "third.md").write_text("# Third")
    assert not rerender.carry_over(old, more)
    (old / "_build" / rerender.WHOLE).unlink()
    assert not rerender.carry_over(old, laid_out(tmp_path / "new"))
    assert not rerender.carry_over(tmp_path / "none", tmp_path / "new")


def test_a_site_after_other_words_is_the_site(toy_site):
    """In the real build: Sphinx touches that page and the first one, and the search still knows what stands on the others."""
    book, log = toy_site.parents[2], toy_site.parent / "stage" / "en.log"
    search = toy_site / "en" / "searchindex.js"
    before = search.read_text("utf-8")
    path = book / "book" / "en" / "bibliography.md"
    path.write_text(path.read_text("utf-8").replace("All that", "Whatever"), "utf-8")
    os.utime(path, (time.time() - 86400,) * 2)  # as a file that comes back from a copy
    finished = toy_book.run_in(book, "build.py", "--profile", "quick")
    assert finished.returncode == 0, finished.stderr
    assert "Whatever is cited" in (toy_site / "en" / "bibliography.html").read_text("utf-8")
    touched = re.findall(
        r"(?:reading sources|writing output)\.\.\. *\[.*?\] (\S+)", log.read_text("utf-8")
    )
    assert set(touched) == {"index", "bibliography"}
    entries = re.compile(r'"indexentries": ?(\{.*?\})')
    assert entries.search(search.read_text("utf-8"))[1] == entries.search(before)[1] != "{}"
