"""What is made when the site is built: the figure of the home page, closing pages, colophon."""

from __future__ import annotations

import csv
import json
import math
import re
import runpy
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.stats
from toy_book import ROOT

from book.machinery import build, execution, generated, pages
from book.machinery.generated import adding, closing, colophon, verdicts, writing
from book.machinery.rules.page import ALT_LENGTH
from fmnist_utils.audit import count_verdicts, rows, schema, student_reports
from fmnist_utils.audit.records import Records
from fmnist_utils.text import UserError, say, set_language


@pytest.mark.parametrize("lang", pages.LANGUAGES)
def test_the_figure_of_the_home_page_counts_the_verdicts(lang, tmp_path):
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
    assert (tmp_path / "verdicts.png").exists()


def test_with_all_reports_the_figure_counts_the_whole_audit(tmp_path, monkeypatch):
    monkeypatch.setenv("FMNIST_RESULTS", str(tmp_path))
    drawn = []
    monkeypatch.setattr("fmnist_utils.plots.verdicts", drawn.append)
    for names in (student_reports(), student_reports()[:-1]):
        (tmp_path / "_verdicts.md").write_text(
            "$numbers $claims $number_not_enough $claim_undecided", "utf-8"
        )
        verdicts.write(tmp_path, "en", dict.fromkeys(names))
    whole = count_verdicts(rows())
    assert len(drawn[0]) == len(student_reports()) + 1
    assert len(drawn[1]) == len(student_reports()) - 1
    for kind in ("number", "claim"):
        for verdict, count in whole[kind].items():
            assert sum(of_report[kind][verdict] for of_report in drawn[0].values()) == count


@pytest.fixture
def a_part(tmp_path, monkeypatch):
    """A part that takes long: it fills in a text and writes a table; how often it was made."""
    made = []

    def write(folder, lang, executed):
        made.append(lang)
        writing.fill(folder / "text.md", {"count": len(made)})
        (folder / "below").mkdir()
        writing.write_table(folder / "below" / "table.csv", [[lang]])

    monkeypatch.setitem(sys.modules, "book.machinery.generated.slow", SimpleNamespace(write=write))
    monkeypatch.setattr(generated, "PARTS", {"slow": "text.md"})
    monkeypatch.setattr(generated, "KEPT", {"slow"})
    monkeypatch.setattr(execution, "CACHE", tmp_path / "cache")
    package = tmp_path / "package"
    package.mkdir()
    monkeypatch.setattr(execution, "PACKAGE", package)
    return made


def test_a_part_that_takes_long_is_made_again_when_something_changes_and_only_then(
    a_part, tmp_path, monkeypatch
):
    def made(text="$count", lang="es", pages_executed=("01",)):
        folder = tmp_path / "laid out"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "text.md").write_text(text, "utf-8")
        generated.write_all(folder, lang, dict.fromkeys(pages_executed))
        assert (folder / "below" / "table.csv").read_text("utf-8").strip() == lang
        return (folder / "text.md").read_text("utf-8")

    assert [made(), made(), made(lang="en"), made()] == ["1", "1", "2", "1"]
    assert [made("$count!"), made("$count!")] == ["3!", "3!"]
    assert made("$count!", pages_executed=("01", "02")) == "4!"
    (execution.PACKAGE / "record.json").write_text("{}")
    assert made() == "5"
    monkeypatch.setattr(execution, "distribution", lambda name: "99")
    assert made() == "6"
    (execution.CACHE / "parts" / "es" / "made_from").unlink()  # it was stopped in the middle
    assert [made(), made()] == ["7", "7"]
    assert len(a_part) == 7


def test_what_was_made_while_pages_were_executed_is_not_made_again(a_part, tmp_path, monkeypatch):
    def copy_texts(lang, folder):
        folder.mkdir()
        (folder / "text.md").write_text("$count", "utf-8")

    monkeypatch.setattr(build, "copy_texts", copy_texts)
    monkeypatch.setattr(sys, "argv", ["generated", "es", "en"])
    runpy.run_module("book.machinery.generated.__main__")
    assert a_part == ["es", "en"]
    copy_texts("en", tmp_path / "laid out")
    names = [source.stem for source in pages.paths()]
    generated.write_all(tmp_path / "laid out", "en", dict.fromkeys(names))
    assert a_part == ["es", "en"]
    assert (tmp_path / "laid out" / "text.md").read_text("utf-8") == "2"


def test_what_runs_meanwhile_ends_with_the_build(tmp_path):
    sleeper = ("-c", "import time; time.sleep(600)")
    with pytest.raises(InterruptedError), build.meanwhile(*sleeper) as process:
        raise InterruptedError
    assert process.returncode
    made = tmp_path / "made"
    with build.meanwhile("-c", f"open({str(made)!r}, 'w').close()"):
        pass
    assert made.exists()


# --- The closing pages ----------------------------------------------------------------------------


@pytest.fixture
def few_records(tmp_path, monkeypatch):
    """A folder of results with the networks of report 1 alone."""
    folder = tmp_path / "results" / "01_ff_classifier" / "records"
    folder.mkdir(parents=True)
    for path in ROOT.glob("fmnist_utils/reports/01_ff_classifier/records/model_?.*.json"):
        shutil.copy(path, folder)
    monkeypatch.setenv("FMNIST_RESULTS", str(folder.parents[1]))


@pytest.mark.parametrize(
    ("lang", "missing"), [("es", "sin registro todavía"), ("en", "no record yet")]
)
def test_closing_pages_show_what_has_records_and_say_what_has_none(
    lang, missing, few_records, tmp_path
):
    for name in ("_recalls.md", "_worked.md"):
        shutil.copy(ROOT / "book" / lang / name, tmp_path)
    closing.write(tmp_path, lang, {})
    tables = {
        name: list(csv.reader((tmp_path / f"{name}.csv").open("r", encoding="utf-8")))
        for name in ("classifiers", "autoencoders")
    }
    networks = [name for family in schema.load_across().families for name in family.of]
    assert sum(map(len, tables.values())) == len(networks)
    page = (ROOT / "book" / lang / "together.md").read_text("utf-8")
    headers = re.findall(r"^:header: (.*)$", page, re.MULTILINE)
    assert [len(header.split(", ")) for header in headers] == [
        len(table[0]) for table in tables.values()
    ]
    found = {row[0]: row[1:] for table in tables.values() for row in table}
    assert len(found) == len(networks)  # no two rows have one name
    shown = next(row for name, row in found.items() if "2: Adam" in name)
    assert shown[2:] == ["0.11", "109386", "[01](notebooks/01_ff_classifier.ipynb)"]
    assert re.fullmatch(r"8\d\.\d ± 0\.\d \(n = \d+\)", shown[0]) and float(shown[1]) > 0
    nahuel = next(row for name, row in found.items() if "Nahuel" in name)
    assert nahuel[:4] == [missing, "–", "4.34", "1475338"]
    claims = (tmp_path / "claims.html").read_text("utf-8")
    assert all(f">{claim.id}</th>" in claims for claim in schema.load_across().claims)
    recalls = (tmp_path / "_recalls.md").read_text("utf-8")
    alt = re.search(r":alt: (.*)", recalls)[1]
    hardest = {"es": "Camisa", "en": "Shirt"}[lang]
    assert len(alt) in ALT_LENGTH and hardest in alt and "$" not in recalls
    assert (tmp_path / "recalls.png").exists()


@pytest.mark.parametrize("lang", pages.LANGUAGES)
def test_the_example_on_the_page_is_the_verdict_of_the_audit(lang, few_records, tmp_path):
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
    assert "$" not in page.read_text("utf-8")
    assert f"| {facts['values']} |" in page.read_text("utf-8")


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
        factors = (quantile, quantile / math.sqrt(n), quantile * math.sqrt(1 + 1 / n))
        wanted.append(" | ".join([f"| ${n}$", *(f"${factor:.2f}$" for factor in factors)]) + " |")
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
