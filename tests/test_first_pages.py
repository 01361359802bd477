"""Whoever has read page 00 can read the code of page 01: what a cell uses was taught before."""

import ast
import re

import nbformat
import pytest

from book.machinery.notebooks import FOLDERS
from fmnist_utils.text import LANGUAGES

# What somebody who knows functions, lists and loops has met.
PLAIN_PYTHON = {"append", "float", "int", "list", "round", "mean", "index"}
# What a record or a row of the audit holds, under its own name; and PyTorch's module of functions.
HELD = {"confusion", "panel", "kind", "functional"}
# Their functions are named for what they draw or show.
NAMED_FOR_WHAT_THEY_DO = ("plots", "audit", "evaluation", "report")


def cells_of(name, lang):
    """Return a notebook's cells: the text's words in code, or the tree of the code."""
    cells = nbformat.read(FOLDERS[lang] / f"{name}.ipynb", as_version=4).cells
    return [
        words_in_code(cell.source) if cell.cell_type == "markdown" else ast.parse(cell.source)
        for cell in cells
        if "%pip" not in cell.source
    ]


def words_in_code(text):
    return {
        word
        for code in re.findall(r"`([^`]+)`", text)
        for word in re.findall(r"\w+|\*(?=\w)", code)
    }


def used(tree):
    """Return what code uses: functions, attributes, and Python beyond the first lessons."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not drawn(node):
            found.add(node.attr)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found.add(node.func.id)
        elif isinstance(node, ast.Starred):
            found.add("*")
        elif isinstance(node, ast.comprehension) and node.ifs:
            found.add("if in a list")
        elif isinstance(node, ast.Lambda | ast.IfExp | ast.DictComp | ast.With | ast.Try):
            found.add(type(node).__name__)
    return found


def drawn(node):
    return isinstance(node.value, ast.Name) and node.value.id in NAMED_FOR_WHAT_THEY_DO


def defined(tree):
    """Return the names that code gives: to values, functions, classes, arguments, imports."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def untaught(first, second):
    """Return what the second page uses before it was taught, in the order of its use."""
    taught = PLAIN_PYTHON | HELD
    for cell in first:
        taught |= cell if isinstance(cell, set) else used(cell) | defined(cell)
    missing = []
    for cell in second:
        if isinstance(cell, set):
            taught |= cell
        else:
            taught |= defined(cell)
            missing += sorted(used(cell) - taught)
            taught |= used(cell)
    return missing


@pytest.mark.parametrize("lang", LANGUAGES)
def test_page_00_teaches_what_page_01_uses(lang):
    first = cells_of("00_tensor_to_gradient", lang)
    assert untaught(first, cells_of("01_ff_classifier", lang)) == []


def test_what_was_not_taught_is_found():
    page = [ast.parse("x = torch.outer(a, b)"), {"clamp"}]
    next_page = [
        ast.parse("torch.outer(a, b).clamp(0)"),
        {"roll"},
        ast.parse("x.roll(1); x.flip(0)"),
    ]
    assert untaught(page, next_page) == ["flip"]
    assert untaught([], [ast.parse("f(*[a for a in b if a])"), {"flip"}]) == [
        "*",
        "f",
        "if in a list",
    ]
