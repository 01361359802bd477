"""The pages as they are read and laid out: one language, links of the audit, building."""

from __future__ import annotations

import re
import threading
from io import BytesIO

import docutils.nodes
import docutils.utils
import nbformat
import pytest
from bs4 import BeautifulSoup
from PIL import Image, ImageDraw
from toy_book import ROOT, code, text, toy_notebook, write_source

from book.machinery import build, links, pages, pictures
from book.machinery.extensions import api
from fmnist_utils.audit import load_report, student_reports

# --- One language of a notebook -------------------------------------------------------------------


@pytest.mark.parametrize(("lang", "other"), [("es", "en"), ("en", "es")])
def test_selection_keeps_all_code_and_the_text_of_one_language(lang, other):
    notebook = toy_notebook()
    kept = pages.one_language(notebook, lang).cells
    for cell in notebook.cells:
        cell.source = cell.source.replace('lang = "es"', f'lang = "{lang}"')
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
    # Inside a folded solution: alternative text alone.
    assert "figure" not in shown["fig-01-another"]


def test_a_caption_without_a_figure_is_refused():
    notebook = toy_notebook()
    notebook.cells += text("Un pie.", "A caption.", "caption")
    with pytest.raises(ValueError, match="Un pie"):
        pages.book_page(notebook, "es")


def test_a_source_is_read_as_it_was_written_with_ids_that_stay(tmp_path):
    notebook = toy_notebook()
    write_source(notebook, tmp_path / "01_toy.md")
    read = pages.read(tmp_path / "01_toy.md")
    assert [(c.cell_type, c.source, c.metadata) for c in read.cells] == [
        (c.cell_type, c.source, c.metadata) for c in notebook.cells
    ]
    names = [cell.id for cell in read.cells]
    assert len(set(names)) == len(names) and {"fig-01-loss", "tab-01-audit"} <= set(names)
    notebook.cells[0].source += " Más."
    write_source(notebook, tmp_path / "01_toy.md")
    assert [cell.id for cell in pages.read(tmp_path / "01_toy.md").cells][1:] == names[1:]


def test_what_is_numbered_is_counted_on_the_page():
    assert pages.numbers(pages.one_language(toy_notebook(), "es")) == {
        "eq-01-loss": ("equation", 1),
        "fig-01-loss": ("figure", 1),
        "tab-01-audit": ("table", 1),
        "ex-01-1": ("exercise", 1),
    }


def test_every_work_cited_can_be_found():
    works = (ROOT / "book" / "references.bib").read_text("utf-8")
    entries = dict(re.findall(r"^@\w+\{([\w-]+),(.*?)^\}", works, re.MULTILINE | re.DOTALL))
    # Never published; the page says where it was written.
    coursework = {load_report(name).citation for name in student_reports()}
    assert coursework <= set(entries) and len(entries) > 25
    for name in entries.keys() - coursework:
        assert re.search(r"^  (?:doi|eprint|url) +=", entries[name], re.MULTILINE), name


def test_outputs_of_other_code_are_refused():
    page, executed = pages.book_page(toy_notebook(), "es"), toy_notebook()
    executed.cells = [cell for cell in executed.cells if cell.cell_type == "code"]
    build.with_outputs(page, executed)
    executed.cells[3].source += " "
    with pytest.raises(ValueError, match="not that of the page"):
        build.with_outputs(page, executed)


def test_a_page_that_changes_during_the_build_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "STAGE", tmp_path)
    monkeypatch.setattr(build.execution, "kept", lambda source, lang: None)
    with pytest.raises(build.BuildError, match=r"00_tensor_to_gradient\.md.*build again"):
        build.lay_out("es", ["es"])


# --- Links between the audit and the experiments --------------------------------------------------


def audited_page():
    """A page that shows two groups of report 1 and shows three rows of its audit."""
    rows = "".join(
        f'<tr><th style="text-align: left">{name}</th><td>{name}</td></tr>'
        for name in ("N1-1", "C1-3", "E1-2")
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
        code('names = "model_2 model_1"\nreport.runs(*names.split())'),
        *text("(sec-01-b)=\n## Otra", "…"),
        code("say('model_3')"),
        *text("(sec-01-c)=\n## Otra más", "…"),
        code('report.runs(*[f"model_{n}" for n in (1, 3)])'),
        shown,
        *text("Aquí (E1-2).", "Here.", "caption"),
    ]
    return pages.book_page(nbformat.v4.new_notebook(cells=cells), "es")


def test_rows_of_the_audit_lead_to_their_sections_and_mentions_to_their_rows():
    page = audited_page()
    links.link(page, "01_ff_classifier", "es")
    table = BeautifulSoup(page.cells[-1].outputs[0].data["text/html"], "html.parser")
    *rows, reason = table.find_all("tr")
    assert str(reason.td) == '<td colspan="2">So it is (<a href="#E1-2">E1-2</a>), but (N1-7).</td>'
    led = {row["id"]: row.th.a["href"] for row in rows}
    assert led == {"N1-1": "#sec-01-a", "C1-3": "#sec-01-c", "E1-2": "#sec-01-a"}
    assert [row.td.text for row in rows] == list(led)
    assert page.cells[0].source == (
        '(sec-01-a)=\n## E1-2 en un título\n\nVer `N1-1`, $E1-2$ y <a href="#C1-3">C1-3</a> {cite:p}`x`; no N1-7.'
    )
    assert links.caption_of(page.cells[-1])["caption"] == 'Aquí (<a href="#E1-2">E1-2</a>).'


def test_a_group_belongs_where_most_of_its_name_is_written_and_its_runs_are_shown():
    places = links.sections(audited_page(), load_report("01"))
    assert places["N1-5"] == "sec-01-c"  # model_3 is only spoken of in the second section
    assert "E1-9" not in places


# --- Building -------------------------------------------------------------------------------------


@pytest.mark.racing
def test_second_build_waits_for_the_first(own_build, monkeypatch, capsys):
    first_may_end, order = threading.Event(), []
    begun = threading.Event()

    def slow(languages):
        order.append(("begin", *languages))
        begun.set()
        first_may_end.wait(60)
        order.append(("end", *languages))

    monkeypatch.setattr(build, "build", slow)
    first = threading.Thread(target=build.main, args=[["--lang", "es"]])
    first.start()
    assert begun.wait(60)
    second = threading.Thread(target=build.main, args=[["--lang", "en"]])
    second.start()
    second.join(0.3)
    assert order == [("begin", "es")]
    first_may_end.set()
    first.join(60)
    second.join(60)
    assert order == [("begin", "es"), ("end", "es"), ("begin", "en"), ("end", "en")]
    assert "waits" in capsys.readouterr().out


def test_a_file_that_is_as_it_was_keeps_its_time(tmp_path):
    new, old = tmp_path / "new", tmp_path / "old"
    for folder, words in ((old, "before"), (new, "after")):
        (folder / "notebooks").mkdir(parents=True)
        (folder / "notebooks" / "same").write_text("same")
        (folder / "changed").write_text(words)
    (old / "gone").write_text("x")
    (new / "added").write_text("x")
    (old / "_build").mkdir()
    (old / "_build" / "made").write_text("by Sphinx")
    before = (old / "notebooks" / "same").stat().st_mtime_ns
    build.replace_changed(new, old)
    found = {p.relative_to(old).as_posix(): p.read_text() for p in old.rglob("*") if p.is_file()}
    assert found == {
        "notebooks/same": "same", "changed": "after", "added": "x", "_build/made": "by Sphinx",
    }  # fmt: skip
    assert (old / "notebooks" / "same").stat().st_mtime_ns == before and not new.exists()


def test_english_configuration_derives_from_the_spanish_one():
    spanish, english = (build.configuration(lang, ["es", "en"]) for lang in ("es", "en"))
    assert [c["sphinx"]["config"]["language"] for c in (spanish, english)] == ["es", "en"]
    assert english["sphinx"]["config"]["extensions"] == spanish["sphinx"]["config"]["extensions"]
    assert english["execute"]["execute_notebooks"] == "off"
    assert spanish["repository"]["url"] == pages.repository()


def test_pictures_become_small_and_stay_the_same():
    picture = Image.new("RGBA", (300, 200), "white")
    ImageDraw.Draw(picture).line([(0, 0), (300, 200)], fill="#d55e00", width=9)
    written = BytesIO()
    picture.save(written, "PNG")
    small = pictures.with_palette(written.getvalue())
    assert len(small) < len(written.getvalue())
    assert (
        pictures.difference(Image.open(BytesIO(small)).convert("RGB"), picture.convert("RGB")) == 0
    )
    noise = Image.effect_noise((200, 200), 90).convert("RGB")
    many = Image.merge(
        "RGB",
        [noise.getchannel(0), noise.getchannel(0).rotate(90), noise.getchannel(0).rotate(180)],
    )
    written = BytesIO()
    many.save(written, "PNG")
    # Too many colours: as it was.
    assert pictures.with_palette(written.getvalue()) == written.getvalue()


def test_a_page_of_the_reference_keeps_no_other_document():
    page, other = docutils.utils.new_document("page"), docutils.utils.new_document("other")
    other += docutils.nodes.paragraph("", "", docutils.nodes.Text("of eval-rst"))
    page.extend(other.children)
    page[0].document = other
    api.belong_to_the_page(None, page)
    assert all(node.document is page for node in page.findall())
