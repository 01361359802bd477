"""Adding a report as CONTRIBUTING.md says: the files are what its author would write.

Its number is 90, so that it never meets that of a real one.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from book.machinery import links, pages
from book.machinery.rules.page import check_page, known_parameters
from fmnist_utils.audit import load_report, rows, schema

NAME, AUTHORED = "90_one_hidden_layer", Path(__file__).parent / "sixth_report"
SOURCE = AUTHORED / f"{NAME}.md"


@pytest.fixture
def sixth(monkeypatch, tmp_path):
    """The folder of the report among those of the package, without records."""
    folder = tmp_path / "reports"
    shutil.copytree(schema.FOLDER, folder, ignore=shutil.ignore_patterns("records"))
    (folder / NAME).mkdir()
    shutil.copy(AUTHORED / f"{NAME}.yaml", folder / NAME / "report.yaml")
    monkeypatch.setattr(schema, "FOLDER", folder)
    monkeypatch.setenv("FMNIST_RESULTS", str(folder))
    schema._load.cache_clear()
    yield load_report(NAME)
    schema._load.cache_clear()


def test_a_data_file_is_audited_before_there_are_runs(sixth):
    found = rows("90")
    assert [row.id for row in found] == ["N90-1", "N90-2", "C90-1"]
    assert {row.verdict for row in found} == {"not enough", "undecided"}


def test_its_page_keeps_to_the_rules(sixth):
    findings = check_page(pages.read(SOURCE), known_parameters(NAME))
    assert [finding for finding in findings if not finding.startswith("plain_text")] == []


def test_its_page_deals_with_all_that_it_says(sixth, tmp_path):
    assert list(links.missing(SOURCE)) == []
    poorer = tmp_path / SOURCE.name
    text = SOURCE.read_text("utf-8").replace(".runs(", ".recipes(").replace("E90-1", "")
    poorer.write_text(text, "utf-8")
    gone = {finding.partition(":")[0] for finding in links.missing(poorer)}
    assert gone == {"N90-1", "N90-2", "C90-1", "E90-1"}
