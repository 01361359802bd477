"""The comparison of the book with and without Jupyter Book, on two small sites."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from toy_book import ROOT

spec = importlib.util.spec_from_file_location("canary", ROOT / ".ci" / "canary.py")
canary = importlib.util.module_from_spec(spec)
spec.loader.exec_module(canary)

PAGE = r"<html><article><h2>One</h2><p>a b c</p><div class='math'>\[ x \]</div></article></html>"


def site(root: Path, **pages: str) -> Path:
    for name, text in pages.items():
        path = root / f"{name}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


@pytest.mark.parametrize(("pages", "said"), [
    ({"a": PAGE}, []),
    ({"a": PAGE.replace("[ x ", "[x")}, []),
    ({}, ["a.html: gone"]),
    ({"a": PAGE, "b": PAGE, "slides/c": PAGE}, ["b.html: new"]),
    ({"a": PAGE.replace("h2", "h3")}, ["a.html: 1 × h2 become 0", "a.html: 0 × h3 become 1"]),
    ({"a": PAGE.replace("b", "B")}, [r"a.html: “One a b c \[x\]” becomes “One a B c \[x\]”"]),
])  # fmt: skip
def test_what_differs_is_listed(tmp_path, pages, said):
    old = site(tmp_path / "old", a=PAGE)
    assert canary.differences(old, site(tmp_path / "new", **pages)) == said
