"""R28. Nothing committed or built carries active content, keys, or traces of a machine."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from toy_book import ROOT

from book.machinery.notebooks import FOLDERS
from book.machinery.rules import check_site
from book.machinery.rules.site import LOCAL_PATH, Site, active_content, no_local_paths, no_outside
from fmnist_utils.workshop.lab import page_notebooks

# The form in which well-known services write their keys, and the beginning of private ones.
KEY = re.compile(
    r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|hf_[A-Za-z]{30,}|pypi-[\w-]{50,}|AKIA[0-9A-Z]{16}"
    r"|xox[baprs]-[\w-]{10,}|sk-[A-Za-z0-9]{30,})|-----BEGIN [A-Z ]*PRIVATE KEY-----|://[^/\s:@\"']+:[^/\s:@\"'{}$]{3,}@"
)
ACTIVE = re.compile(r"<(?:script|iframe|object|embed|form)\b|\bon\w+ *=|javascript:", re.IGNORECASE)
MACHINE_PATH = re.compile(
    r"(?<![\w.:/*-])/(?:home|root|Users|mnt|opt|work|tmp|var/folders)/[\w.-]+"
)
REGISTRY = re.compile(
    r"--(?:extra-)?index-url|--find-links|--trusted-host|files\.pythonhosted\.org|/simple\b"
)


def tracked_texts() -> Iterator[tuple[Path, str]]:
    """Yield every tracked text file and its content."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in names.split("\0"):
        path = ROOT / name
        if name and path.is_file():
            try:
                yield path, path.read_text("utf-8")
            except UnicodeDecodeError:
                continue  # a picture or an archive


def test_no_file_tells_of_the_machine_it_was_made_on():
    found = {
        str(path.relative_to(ROOT)): match[0]
        for path, text in tracked_texts()
        for pattern in (MACHINE_PATH, REGISTRY, KEY)
        if path != Path(__file__).resolve() and (match := pattern.search(text))
    }
    assert not found


def test_such_traces_would_be_found():
    assert MACHINE_PATH.search('File "/home/ana/fmnist/data.py"')
    assert MACHINE_PATH.search("file:///tmp/x") is None
    assert not MACHINE_PATH.search("https://example.org/home/ana")
    assert REGISTRY.search("--index-url https://packages.example.org/pypi/simple")
    for key in (
        "ghp_" + "a1" * 18,
        "AKIA" + "Z" * 16,
        "-----BEGIN RSA " + "PRIVATE KEY-----",
        "https://ana:secret@example.org",
    ):
        assert KEY.search(f"token = {key}")
    assert not KEY.search("https://example.org:8080/a@b and sk-learn and user:password")


NOTEBOOKS = [path for folder in FOLDERS.values() for path in page_notebooks(folder)]
LONGEST = 4000  # characters that one cell may leave in git


def carried(notebook: nbformat.NotebookNode) -> list[str]:
    """Return what the cells of a notebook carry beside short texts."""
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (match := ACTIVE.search(cell.source)):
            found.append(match[0])
        for output in cell.get("outputs", []):
            written = output.get("text", "") + output.get("data", {}).get("text/plain", "")
            if output.output_type == "error" or output.get("name") == "stderr":
                found.append("an error or a warning")
            found += set(output.get("data", {})) - {"text/plain"}
            if (
                len(written) > LONGEST
                or LOCAL_PATH.search(written)
                or re.search(r"\b0x[0-9a-f]{6,}", written)
            ):
                found.append(written[:80])
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_notebook_carries_anything_but_text(path):
    assert carried(nbformat.read(path, as_version=4)) == []


@pytest.mark.parametrize("data", [
    {"application/javascript": "alert(1)"},
    {"text/html": "<script>alert(1)</script>"},
    {"image/svg+xml": "<svg onload='alert(1)'/>"},
    {"application/vnd.jupyter.widget-view+json": {}},
    {"text/plain": "/home/ana/fmnist"},
    {"text/plain": "<object at 0x7f0001112223>"},
    {"text/plain": "x" * 5000},
])  # fmt: skip
def test_active_outputs_would_be_found(data):
    cell = nbformat.v4.new_code_cell("x", outputs=[nbformat.v4.new_output("display_data", data)])
    assert carried(nbformat.v4.new_notebook(cells=[cell]))


def test_a_site_passes(toy_site):
    assert check_site(toy_site) == [] and not keys_in(toy_site)


@pytest.mark.parametrize("body", [
    '<div class="cell_output"><script>alert(1)</script></div>',
    '<p><img src="index.html" alt="x" onerror="alert(1)"></p>',
    '<a href="javascript:alert(1)">x</a>',
    '<iframe src="index.html"></iframe>',
    '<object data="index.html"></object>',
    '<form action="https://example.org"><input></form>',
])  # fmt: skip
def test_active_pages_would_be_found(body, tmp_path):
    (tmp_path / "es").mkdir()
    (tmp_path / "es" / "index.html").write_text(
        f'<html lang="es"><body><article>{body}</article></body></html>'
    )
    assert [finding for finding in check_site(tmp_path) if finding.startswith("active_content: ")]


def keys_in(site: Path) -> list[str]:
    """Return the files of a site that hold a key."""
    texts = (
        path
        for path in site.rglob("*")
        if path.suffix in {".html", ".ipynb", ".md", ".txt", ".js", ".json"}
    )
    return [str(path.relative_to(site)) for path in texts if KEY.search(path.read_text("utf-8"))]


@pytest.mark.nightly
def test_the_site_of_the_project_has_none():
    site = ROOT / "book" / "_build" / "html"
    if not site.exists():
        pytest.skip("make book has not been run here; test_r27 builds the site")
    assert list(active_content(Site(site))) == [] and not keys_in(site)
    assert list(no_outside(Site(site))) == [] and list(no_local_paths(Site(site))) == []
