"""Adding a report, done as CONTRIBUTING.md says: one that is made up goes through every step, in a copy of the project.

It trains on the stand-in, here with fewer images, so that the walk needs neither data nor patience. The files of
``sixth_report`` are what its author would write; whatever else a step needs would be something missing in the project. Its number
is 90, so that it never meets that of a real one.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from book.machinery import build
from book.machinery import checks
from book.machinery import links as experiments
from book.machinery import pages
import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner
from toy_book import ROOT, run_in, write_toy_book

from fmnist_utils import data
from fmnist_utils.audit import schema as reports
from fmnist_utils.workshop import engine as runs
from fmnist_utils.workshop.cli import main

NAME, AUTHORED = "90_one_hidden_layer", Path(__file__).parent / "sixth_report"
SHAPES = dict(
    zip(data.REGISTRY, ((12_000, 28, 28), (12_000,), (2_000, 28, 28), (2_000,)), strict=True)
)
GROUPS = "narrow", "wide"
VERDICTS = {"N90-1": "agrees", "N90-2": "differs", "C90-1": "agrees"}
FAMILY = """
  - network: {es: "densa 784-n-10", en: "dense 784-n-10"}
    of: [90/narrow, 90/wide]
"""


def in_place_of(text: str, old: str, new: str) -> str:
    """Return ``text`` with ``old``, which must be there, replaced by ``new``."""
    assert old in text
    return text.replace(old, new, 1)


def steps_1_4_and_5(project: Path) -> None:
    """Put the data file and the notebook where they belong, and the lines that name the report where it is named."""
    shutil.copy(AUTHORED / f"{NAME}.yaml", project / "fmnist_utils" / "reports")
    shutil.copy(AUTHORED / f"{NAME}.md", project / "book" / "pages")
    with (project / "book" / "references.bib").open("a", encoding="utf-8") as bibliography:
        bibliography.write("\n" + (AUTHORED / f"{NAME}.bib").read_text("utf-8"))
    across = project / "fmnist_utils" / "reports" / "across.yaml"
    across.write_text(
        in_place_of(across.read_text("utf-8"), "\nfamilies:", f"\nfamilies:{FAMILY}"), "utf-8"
    )
    for lang in pages.LANGUAGES:
        contents = project / "book" / lang / "_toc.yml"
        page = f"  - file: notebooks/{NAME}\n  - file: glossary"
        contents.write_text(
            in_place_of(contents.read_text("utf-8"), "  - file: glossary", page), "utf-8"
        )


def verdicts(audit_as_json: str) -> dict[str, str]:
    return {row["id"]: row["verdict"] for row in json.loads(audit_as_json)}


@pytest.fixture
def sixth(monkeypatch, tmp_path):
    """The data file among those of the package, an empty folder of records, and few images."""
    folder = tmp_path / "reports"
    shutil.copytree(reports.FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    shutil.copy(AUTHORED / f"{NAME}.yaml", folder)
    monkeypatch.setattr(reports, "FOLDER", folder)
    monkeypatch.setattr(data, "SHAPES", SHAPES)
    monkeypatch.setenv("FMNIST_RESULTS", str(tmp_path / "results"))
    runs.load_splits.cache_clear()
    yield tmp_path / "results" / NAME
    runs.load_splits.cache_clear()


def test_a_data_file_is_audited_reproduced_and_published(sixth):
    def fmnist(*arguments):
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, result.output
        return result.output

    before = json.loads(fmnist("--lang", "en", "audit", "90", "--format", "json"))
    assert [row["id"] for row in before] == list(VERDICTS)
    assert {row["verdict"] for row in before} == {"cannot be compared"} and all(
        row["open"] == "runs" for row in before
    )
    assert "16 runs, 16 missing" in fmnist("--lang", "en", "reproduce", "90", "--jobs", "1")
    records = {path.name.rsplit(".", 2)[0] for path in sixth.glob("*.json")}
    assert records == {
        f"{group}.{whose}.seed{k}"
        for group in GROUPS
        for whose in ("theirs", "ours")
        for k in range(4)
    }
    assert "16 runs, 0 missing" in fmnist("--lang", "en", "reproduce", "90")
    assert verdicts(fmnist("audit", "90", "--format", "json")) == VERDICTS


def test_its_notebook_keeps_to_the_rules(sixth):
    notebook = pages.read(AUTHORED / f"{NAME}.md")
    assert checks.check_notebook(notebook, checks.known_parameters(NAME)) == []
    assert list(experiments.missing(notebook, reports.load_report(NAME))) == []
    for cell in notebook.cells:
        if "E90-1" in cell.source or ".train(" in cell.source:
            cell.source = ""
    gone = {
        finding.partition(":")[0]
        for finding in experiments.missing(notebook, reports.load_report(NAME))
    }
    assert gone == {"N90-1", "N90-2", "C90-1", "E90-1"}


def test_the_steps_are_the_same_in_both_languages_and_on_the_page_for_teachers():
    named = r"`([\w./-]+\.\w+|[\w./]+/|(?:make|fmnist|python) [\w./]+(?: NN)?)`"
    steps = [
        re.split(r"^\d\. ", build.steps_of_adding_a_report(lang), flags=re.MULTILINE)[1:]
        for lang in pages.LANGUAGES
    ]
    assert len(steps[0]) == len(steps[1]) == 7
    for one, other in zip(*steps, strict=True):
        assert re.findall(named, one) == re.findall(named, other)
    for lang in pages.LANGUAGES:
        assert ":::{include} _adding.md" in (ROOT / "book" / lang / "teaching.md").read_text(
            "utf-8"
        )


@pytest.mark.nightly
def test_a_report_is_added_step_by_step(tmp_path):
    project = write_toy_book(tmp_path / "project")
    source = project / "fmnist_utils" / "data.py"
    shapes = in_place_of(
        source.read_text("utf-8"), "(60_000, 28, 28), (60_000,)", "(12_000, 28, 28), (12_000,)"
    )
    source.write_text(
        in_place_of(shapes, "(10_000, 28, 28), (10_000,)", "(2_000, 28, 28), (2_000,)"), "utf-8"
    )
    for lang in pages.LANGUAGES:
        shutil.copy(ROOT / "book" / lang / "_verdicts.md", project / "book" / lang)
        with (project / "book" / lang / "index.md").open("a", encoding="utf-8") as home:
            home.write("\n\n:::{include} _verdicts.md\n:::\n")
    steps_1_4_and_5(project)

    def fmnist(*arguments):
        finished = run_in(
            project, "-c", "from fmnist_utils.cli import main; main(prog_name='fmnist')", *arguments
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    assert set(verdicts(fmnist("audit", "90", "--format", "json")).values()) == {
        "cannot be compared"
    }
    fmnist("run", "90", "--profile", "quick", "-o", "quick.ipynb")
    fmnist("reproduce", "90", "--jobs", "1")
    assert len(list((project / "book" / "results" / NAME).glob("*.json"))) == 16
    assert verdicts(fmnist("audit", "90", "--format", "json")) == VERDICTS
    built = run_in(project, "-m", "book.machinery.build")
    assert built.returncode == 0, built.stdout + built.stderr
    assert "quick profile" not in built.stdout
    for lang, title, agrees in (
        ("es", "Una sola capa oculta", "coincide"),
        ("en", "A single hidden layer", "agrees"),
    ):
        site = project / "book" / "_build" / "html" / lang
        page = BeautifulSoup(
            (site / "notebooks" / f"{NAME}.html").read_text("utf-8"), "html.parser"
        )
        assert title in page.h1.get_text() and agrees in page.find(id="tab-90-numbers").get_text()
        assert "Ejemplo" in (site / "bibliography.html").read_text("utf-8")
        assert "90" in (site / "colophon.html").read_text("utf-8")
