"""A small bilingual page that keeps to every rule, and a book around it, to build and break."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]

PARAMETERS = """lang = "es"
seed = 0"""

SOLUTION = ":::{solution-start} ex-01-1\n:class: dropdown\n:::"

FORMULA = "$$\n\\ell = -\\log p\n$$ (eq-01-loss)"

QUESTION = """:::{{question}}
{}

1. {} $1$
2. {} $2$
3. {} $3$

---

1. {}
2. **{}**
3. {}
:::"""
SPANISH = [
    "¿Cuál es la segunda tras {eq}`eq-01-loss`?",
    "Una {eq}`eq-01-loss`",
    "Otra",
    "La última",
    "Se queda corta.",
    "Esta.",
    "No.",
]
ENGLISH = [
    "Which is second after {eq}`eq-01-loss`?",
    "One {eq}`eq-01-loss`",
    "Another",
    "The last",
    "Falls short.",
    "This one.",
    "No.",
]
ASKED = {"## Preguntas": QUESTION.format(*SPANISH), "## Questions": QUESTION.format(*ENGLISH)}

FIGURE = """plt.plot([3, 2, 1])
plt.xlabel({"es": "época", "en": "epoch"}[lang]);"""


def text(spanish: str, english: str, *more_tags: str) -> list[NotebookNode]:
    """Return a pair of markdown cells."""
    return [
        nbformat.v4.new_markdown_cell(source, metadata={"tags": [f"lang-{lang}", *more_tags]})
        for lang, source in (("es", spanish), ("en", english))
    ]


def code(source: str, *cell_tags: str, **shows: str) -> NotebookNode:
    """Return a code cell, with tags, that may show a ``figure`` or a ``table``."""
    metadata = ({"tags": list(cell_tags)} if cell_tags else {}) | (
        {"fmnist": shows} if shows else {}
    )
    return nbformat.v4.new_code_cell(source, metadata=metadata)


def toy_notebook() -> NotebookNode:
    """Return a page with parameters, formula, prediction, figure, table, exercise and questions."""
    cells = [
        *text(
            "(page-01)=\n# Una página\n\nLa {term}`exactitud` {cite:p}`kingma2015adam`; véase {numref}`fig-01-loss`.\n\n**Tiempo:** unos 15 minutos.",
            "(page-01)=\n# A page\n\nThe {term}`accuracy` {cite:p}`kingma2015adam`; see {numref}`fig-01-loss`.\n\n**Time:** some 15 minutes.",
        ),
        code(PARAMETERS, "parameters"),
        *text(f"## Teoría\n\n{FORMULA}", f"## Theory\n\n{FORMULA}"),
        *text(
            ":::{admonition} Predicción\n:class: predict\nLa pérdida {eq}`eq-01-loss`,\n\n- baja\n- sube\n:::",
            ":::{admonition} Prediction\n:class: predict\nThe loss {eq}`eq-01-loss`\n\n- falls\n- rises\n:::",
        ),
        code("import matplotlib.pyplot as plt\nimport pandas as pd"),
        code(FIGURE, figure="fig-01-loss", width="80%"),
        *text(
            "La pérdida de cada época.\n\n<!-- alt: Una línea recta que baja de tres a uno en tres épocas. -->",
            "The loss of each epoch.\n\n<!-- alt: A straight line that falls from three to one in three epochs. -->",
            "caption",
        ),
        *text("Véase {numref}`tab-01-audit`.", "See {numref}`tab-01-audit`."),
        code('pd.DataFrame({"n": [5, 5]}, index=["a", "b"])', table="tab-01-audit"),
        *text("Cuántas corridas hay.", "How many runs there are.", "caption"),
        *text(
            f":::{{exercise}} Otra línea\n:label: ex-01-1\n\nDibujar otra.\n:::\n\n{SOLUTION}",
            f":::{{exercise}} Another line\n:label: ex-01-1\n\nDraw another.\n:::\n\n{SOLUTION}",
        ),
        code("plt.plot([1, 2]);", "solution", figure="fig-01-another"),
        *text(
            "<!-- alt: Una línea recta corta que sube de uno a dos, sin nada más. -->",
            "<!-- alt: A short straight line that rises from one to two, nothing else. -->",
            "caption",
        ),
        *text(":::{solution-end}\n:::", ":::{solution-end}\n:::"),
    ]
    cells += text(*("\n\n".join([heading, *[question] * 5]) for heading, question in ASKED.items()))
    for step in range(8):
        cells += [*text(f"Un paso, el {step}.", f"A step, number {step}."), code(f"{step} + 1")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    for count, cell in enumerate((cell for cell in cells if cell.cell_type == "code"), start=1):
        cell.execution_count = count
    return notebook


def write_source(notebook: NotebookNode, path: Path) -> None:
    """Write ``notebook`` as the source of a page."""
    path.write_text(jupytext.writes(notebook, fmt="md:myst"), "utf-8")


PROSE = {
    "es": {
        "index": "# Inicio\n\nVer {ref}`page-01` y la [página](notebooks/01_toy.ipynb).\n\n## Más\n\nUn texto de prueba.",
        "glossary": "# Glosario\n\n:::{glossary}\nexactitud\n  Proporción de aciertos.\n:::",
        "bibliography": "# Bibliografía\n\nTodo lo que se cita.\n\n:::{bibliography}\n:all:\n:::",
    },
    "en": {
        "index": "# Home\n\nSee {ref}`page-01` and the [page](notebooks/01_toy.ipynb).\n\n## More\n\nA text to try things.",
        "glossary": "# Glossary\n\n:::{glossary}\naccuracy\n  Share of hits.\n:::",
        "bibliography": "# Bibliography\n\nAll that is cited.\n\n:::{bibliography}\n:all:\n:::",
    },
}
TOC = "format: jb-book\nroot: index\nchapters:\n" + "".join(
    f"  - file: {name}\n" for name in ("notebooks/01_toy", "glossary", "colophon", "bibliography")
)


def write_toy_book(root: Path) -> Path:
    """Write a book of one page that runs and four of text, with the project's package."""
    shutil.copytree(
        ROOT / "fmnist_utils", root / "fmnist_utils", ignore=shutil.ignore_patterns("__pycache__")
    )
    unwanted = shutil.ignore_patterns("_build", "pages", "__pycache__", "*.md", "_toc.yml")
    shutil.copytree(ROOT / "book", root / "book", ignore=unwanted)
    for name in ("pyproject.toml", "environment.yml"):
        shutil.copyfile(ROOT / name, root / name)
    # Without the reference of the package, which takes longer to import than all the rest to build.
    lines = (ROOT / "_config.yml").read_text("utf-8").splitlines(keepends=True)
    (root / "_config.yml").write_text(
        "".join(line for line in lines if "extensions.api" not in line), "utf-8"
    )
    for lang, files in PROSE.items():
        for name, content in files.items():
            (root / "book" / lang / f"{name}.md").write_text(content, "utf-8")
        for name in ("colophon.md", "_ran_with.md"):
            shutil.copyfile(ROOT / "book" / lang / name, root / "book" / lang / name)
        (root / "book" / lang / "_toc.yml").write_text(TOC, "utf-8")
    (root / "book" / "pages").mkdir()
    write_source(toy_notebook(), root / "book" / "pages" / "01_toy.md")
    return root


def soup(path: Path) -> BeautifulSoup:
    """Return a page of a site, parsed."""
    return BeautifulSoup(path.read_bytes(), "html.parser")


def run_in(book: Path, *command: str) -> subprocess.CompletedProcess:
    """Run Python in the toy book, away from the network and from the user's files."""
    own = {
        "FMNIST_OFFLINE": "1",
        "FMNIST_CACHE": str(book / "cache"),
        "FMNIST_RUNS": str(book / "runs"),
    }
    variables = {
        name: value for name, value in os.environ.items() if not name.startswith("FMNIST_")
    }
    variables |= own | {"PYTHONPATH": str(book)}
    command = [sys.executable, *command]
    return subprocess.run(
        command, cwd=book, env=variables, capture_output=True, text=True, timeout=600
    )


@pytest.fixture(scope="session")
def toy_site(tmp_path_factory):
    """The toy book, built in both languages by the project's own script."""
    book = write_toy_book(tmp_path_factory.mktemp("toy"))
    finished = run_in(book, "-m", "book.machinery.build")
    assert finished.returncode == 0, finished.stderr
    assert str(book / "book" / "_build" / "html" / "index.html") in finished.stdout
    return book / "book" / "_build" / "html"


@pytest.fixture
def own_build(monkeypatch, tmp_path):
    """A build folder of its own, with a published site in it."""
    from book.machinery import build, execution

    for name, folder in {"BUILD": "", "STAGE": "stage", "SITE": "html", "PASSED": "passed"}.items():
        monkeypatch.setattr(build, name, tmp_path / folder)
    monkeypatch.setattr(build, "meanwhile", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(execution, "CACHE", tmp_path / "cache")
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "index.html").write_text("the previous site")
    return tmp_path
