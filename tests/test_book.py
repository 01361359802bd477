"""The machinery of the book: selection, executing and keeping pages, links of the audit, what is generated, building."""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
import threading
from io import BytesIO

import nbformat
import numpy as np
import pytest
import scipy.stats
import torch
from bs4 import BeautifulSoup
from PIL import Image, ImageDraw
from toy_book import ROOT, code, text, toy_notebook, write_source

from book.machinery import build, execution, kernel, links, pages, pictures
from book.machinery.generated import adding, closing, colophon, verdicts, writing
from book.machinery.rules.page import ALT_LENGTH
from fmnist_utils import training
from fmnist_utils.audit import load_report, student_reports
from fmnist_utils.audit.records import Records
from fmnist_utils.text import UserError

# --- One language of a notebook ---------------------------------------------------------------------------------------


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
    assert (
        "figure" not in shown["fig-01-another"]
    )  # inside a folded solution: alternative text alone


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
    text = (ROOT / "book" / "references.bib").read_text("utf-8")
    entries = dict(re.findall(r"^@\w+\{([\w-]+),(.*?)^\}", text, re.MULTILINE | re.DOTALL))
    # Never published; the page says where it was written.
    coursework = {load_report(name).citation for name in student_reports()}
    assert coursework <= set(entries) and len(entries) > 25
    for name in entries.keys() - coursework:
        assert re.search(r"^  (?:doi|eprint|url) +=", entries[name], re.MULTILINE), name


# --- Executing pages, and keeping them ---------------------------------------------------------------------------------


@pytest.fixture
def small_page(own_build, monkeypatch):
    """A page of two cells that uses one module of the package, and how often pages were executed."""
    source = own_build / "01_toy.md"
    cells = [
        *text("# Una página", "# A page"),
        code('lang = "es"\nseed = 0', "parameters"),
        code("from fmnist_utils import text\n\ntext.LANGUAGES[seed], lang"),
    ]
    write_source(nbformat.v4.new_notebook(cells=cells), source)
    count, run = [], execution._run
    monkeypatch.setattr(execution, "_run", lambda *how: count.append(how[1]) or run(*how))
    return source, count


def test_a_page_is_executed_again_when_its_code_has_changed_and_not_its_words(small_page):
    source, executed = small_page
    page = execution.execute_all(["en"], [source])["01_toy", "en"]
    assert page.cells[1].outputs[0].data["text/plain"] == "('es', 'en')"
    assert page.cells[0].source == 'lang = "en"\nseed = 0'
    assert "text.py" in page.metadata.used and "torch" in page.metadata.versions
    content = source.read_text("utf-8")
    source.write_text(content.replace("Una página", "Otra página"), "utf-8")
    execution.execute_all(["en"], [source])
    assert executed == ["en"]
    source.write_text(content.replace("LANGUAGES[seed]", "LANGUAGES[1]"), "utf-8")
    page = execution.execute_all(["en"], [source])["01_toy", "en"]
    assert executed == ["en", "en"]
    assert page.cells[1].outputs[0].data["text/plain"] == "('en', 'en')"


def test_a_kept_page_is_no_longer_right_when_something_that_it_used_has_changed(
    small_page, monkeypatch
):
    source, _ = small_page
    used = set(execution.execute_all(["es"], [source])["01_toy", "es"].metadata.used)
    assert "text.py" in used and not any(name.startswith("workshop") for name in used)
    assert execution.kept(source, "es") is not None
    digest, distribution = execution.digest, execution.distribution
    with monkeypatch.context() as changed:
        changed.setattr(execution, "digest", lambda name: name == "text.py" or digest(name))
        assert execution.kept(source, "es") is None
    with monkeypatch.context() as changed:
        changed.setattr(
            execution, "digest", lambda name: name == "workshop/doctor.py" or digest(name)
        )
        assert execution.kept(source, "es") is not None
    with monkeypatch.context() as changed:
        changed.setattr(
            execution, "distribution", lambda name: name == "torch" or distribution(name)
        )
        assert execution.kept(source, "es") is None
    with monkeypatch.context() as changed:
        changed.setenv("FMNIST_DATA", "/elsewhere")
        assert execution.kept(source, "es") is None
    assert execution.kept(source, "es") is not None


def test_a_page_that_fails_is_named_with_its_cell(small_page):
    source, _ = small_page
    source.write_text(source.read_text("utf-8").replace("LANGUAGES[seed]", "LANGUAGES[9]"), "utf-8")
    with pytest.raises(
        execution.ExecutionError, match=r"01_toy\.md \[es\] failed in cell 3: IndexError"
    ):
        execution.execute_all(["es", "en"], [source])
    assert not list(execution.CACHE.glob("*.ipynb")) and not execution.MEMORY.exists()


def test_a_record_that_is_added_changes_what_a_page_has_used():
    assert execution._grouped(["text.py", "reports/01_a/records/x.json", "reports/across.yaml"]) == {
        "text.py", "reports/01_a", "reports/across.yaml",
    }  # fmt: skip


# --- What the first language has trained, the second loads ---------------------------------------------------------------


class Net(torch.nn.Module):
    """A network as a page writes it."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(784, 10)
        self.dropout = torch.nn.Dropout(0.2)

    def forward(self, images):
        return self.dropout(self.layer(images.flatten(1)))


IMAGES = torch.rand(200, 1, 28, 28, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(200) % 10


def trained(fit, net=Net, epochs=2, rate=0.01, **more):
    """Train a network with ``fit``; return all that it leaves behind."""
    torch.manual_seed(3)
    model = net()
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    train = training.Batches(IMAGES[:150], LABELS[:150], 50, seed=1)
    watch = {"val": training.Batches(IMAGES[150:], LABELS[150:], 50)}
    metrics = {"accuracy": training.accuracy}
    history = fit(
        model,
        train,
        torch.nn.CrossEntropyLoss(),
        optimizer,
        epochs,
        watch=watch,
        metrics=metrics,
        **more,
    )
    rows = [
        {name: value for name, value in row.items() if name != "seconds"} for row in history.rows
    ]
    weights = [parameter.tolist() for parameter in model.parameters()]
    gradients = [parameter.grad.tolist() for parameter in model.parameters()]
    moments = [state["exp_avg"].tolist() for state in optimizer.state.values()]
    return rows, weights, gradients, moments, torch.rand(3).tolist(), model.training


@pytest.fixture
def counted(monkeypatch):
    """How often ``fit`` was carried out."""
    calls, fit = [], training.fit
    monkeypatch.setattr(kernel, "get_ipython", lambda: None, raising=False)

    def counting(model, train, loss_fn, optimizer, num_epochs, **more):
        calls.append(num_epochs)
        return fit(model, train, loss_fn, optimizer, num_epochs, **more)

    counting.__signature__ = __import__("inspect").signature(fit)
    return calls, counting


def test_what_was_trained_is_loaded_and_everything_is_as_after_training(counted, tmp_path):
    calls, fit = counted
    alone = trained(fit)
    remembering = kernel.remembering(fit, tmp_path)
    assert trained(remembering) == alone and len(calls) == 2
    assert trained(remembering) == alone and len(calls) == 2
    assert trained(kernel.remembering(fit, tmp_path)) == alone and len(calls) == 2


class Other(Net):
    def forward(self, images):
        return self.layer(images.flatten(1))


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 1},
        {"rate": 0.02},
        {"net": Other},
        {"patience": 1},
        {"measured_loss_fn": torch.nn.NLLLoss()},
    ],
    ids=str,
)
def test_another_network_or_setting_is_trained(counted, tmp_path, change):
    calls, fit = counted
    remembering = kernel.remembering(fit, tmp_path)
    trained(remembering)
    assert trained(remembering, **change) == trained(fit, **change)
    assert len(calls) == 3


def test_what_calls_back_is_always_trained(counted, tmp_path):
    calls, fit = counted
    remembering = kernel.remembering(fit, tmp_path)
    written_here = lambda step: None  # noqa: E731
    written_here.__module__ = "__main__"
    for _ in range(2):
        trained(remembering, after_step=written_here)
    assert len(calls) == 2 and not list(tmp_path.iterdir())


def test_outputs_of_other_code_are_refused():
    page, executed = pages.book_page(toy_notebook(), "es"), toy_notebook()
    executed.cells = [cell for cell in executed.cells if cell.cell_type == "code"]
    build.with_outputs(page, executed)
    executed.cells[3].source += " "
    with pytest.raises(ValueError, match="not that of the page"):
        build.with_outputs(page, executed)


# --- Links between the audit and the experiments ----------------------------------------------------------------------


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


# --- Building ---------------------------------------------------------------------------------------------------------


@pytest.mark.racing
def test_second_build_waits_for_the_first(own_build, monkeypatch, capsys):
    first_may_end, order = threading.Event(), []
    begun = threading.Event()

    def slow(languages):
        order.append(("begin", *languages))
        begun.set()
        first_may_end.wait(10)
        order.append(("end", *languages))

    monkeypatch.setattr(build, "build", slow)
    first = threading.Thread(target=build.main, args=[["--lang", "es"]])
    first.start()
    assert begun.wait(10)
    second = threading.Thread(target=build.main, args=[["--lang", "en"]])
    second.start()
    second.join(0.3)
    assert order == [("begin", "es")]
    first_may_end.set()
    first.join(10)
    second.join(10)
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
    assert (
        pictures.with_palette(written.getvalue()) == written.getvalue()
    )  # too many colours: as it was


# --- What is generated ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", pages.LANGUAGES)
def test_the_figure_of_the_home_page_counts_the_verdicts(lang, tmp_path):
    from fmnist_utils.audit import count_verdicts, rows

    source = (ROOT / "book" / lang / "_verdicts.md").read_text("utf-8")
    (tmp_path / "_verdicts.md").write_text(source, "utf-8")
    verdicts.write(tmp_path, lang, {"01_ff_classifier": None})
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
    from fmnist_utils.audit import count_verdicts, rows
    from fmnist_utils.audit.schema import student_reports

    monkeypatch.setenv("FMNIST_RESULTS", str(tmp_path))
    drawn = []
    monkeypatch.setattr("fmnist_utils.plots.verdicts", drawn.append)
    for names in (student_reports(), student_reports()[:-1]):
        (tmp_path / "_verdicts.md").write_text(
            "$numbers $claims $number_not_enough $claim_undecided", "utf-8"
        )
        verdicts.write(tmp_path, lang, dict.fromkeys(names))
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
    monkeypatch.setenv("FMNIST_RESULTS", str(folder.parents[1]))


@pytest.mark.parametrize(
    ("lang", "missing"), [("es", "sin registro todavía"), ("en", "no record yet")]
)
def test_closing_pages_show_what_has_records_and_say_what_has_none(
    lang, missing, few_records, tmp_path
):
    from fmnist_utils.audit.schema import load_across

    for name in ("_recalls.md", "_worked.md"):
        shutil.copy(ROOT / "book" / lang / name, tmp_path)
    closing.write(tmp_path, lang, {})
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
    assert len(alt) in ALT_LENGTH and hardest in alt and "$" not in recalls
    assert (tmp_path / "recalls.png").stat().st_size > 5000


@pytest.mark.parametrize("lang", pages.LANGUAGES)
def test_the_example_on_the_page_is_the_verdict_of_the_audit(lang, few_records, tmp_path):
    from fmnist_utils.audit import rows
    from fmnist_utils.text import say, set_language

    set_language(lang)
    row = next(row for row in rows("01") if row.id == closing.EXAMPLE[1])
    facts = closing.worked_example(Records())
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
    (tmp_path / "none").mkdir()
    with pytest.raises(UserError, match="fmnist reproduce 01_ff_classifier"):
        closing.worked_example(Records(tmp_path, tmp_path / "none"))


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


def test_colophon_sums_up_the_records(tmp_path):
    (tmp_path / "01" / "records").mkdir(parents=True)
    made = {"torch": "2.15", "device": "cpu", "device_name": "x86_64", "threads": 1}
    made |= {"commit": "0123456789ab+", "date": "2026-11-20T10:00:00Z"}
    for seed in (1, 0):
        record = {"recipe": {"seed": seed}, "seconds": 90, "made_with": made}
        (tmp_path / "01" / "records" / f"rate_0.5.ours.seed{seed}.{seed:012x}.json").write_text(
            json.dumps(record)
        )
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


@pytest.mark.parametrize("lang", pages.LANGUAGES)
def test_the_page_for_teachers_shows_the_steps_of_contributing(lang, tmp_path):
    adding.write(tmp_path, lang, {})
    steps = (tmp_path / "_adding.md").read_text("utf-8")
    assert steps.startswith("1. ") and "\n5. " in steps
    assert ":::{include} _adding.md" in (ROOT / "book" / lang / "teaching.md").read_text("utf-8")
