"""Build the laid-out books with plain, current Sphinx, and list what differs: ``make canary``.

Jupyter Book 1.x holds Sphinx back at version 7 and will break some day. This builds what it was
given, ``book/_build/stage``, with the newest Sphinx, MyST-NB and theme that resolve, in an
environment of their own, and compares the pages. It fails only when a book cannot be built.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from itertools import zip_longest
from pathlib import Path

from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[1]
STAGE = ROOT / "book" / "_build" / "stage"
FOLDER = ROOT / "book" / "_build" / "canary"
NEWEST = [
    "sphinx", "myst-nb", "sphinx-book-theme", "sphinx-external-toc", "sphinx-design",
    "sphinx-copybutton", "sphinx-togglebutton", "sphinx-exercise", "sphinxcontrib-bibtex",
    "sphinxext-opengraph", "sphinx-mathjax-offline",
]  # fmt: skip
OF_JUPYTER_BOOK = {"jupyter_book", "sphinx_comments"}  # extensions
COUNTED = ["img", "figure", "table", "a", ".math", "h2", "h3", "details", "fieldset", ".cell"]
SHOWN = 15  # lines of each kind


def environment() -> Path:
    """Return the Python of an environment with the newest packages, and those of this one below."""
    python = FOLDER / "venv" / "bin" / "python"
    if not python.exists():
        venv.create(python.parents[1], with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "-qq", "--upgrade", *NEWEST], check=True)
    [packages] = python.parents[1].glob("lib/python*/site-packages")
    below = sysconfig.get_path("purelib")
    (packages / "below.pth").write_text(f"import site; site.addsitedir({below!r})\n", "utf-8")
    return python


def build(python: Path, lang: str) -> list[str] | None:
    """Build the book of ``lang`` in ``FOLDER/lang``; return its warnings, or None if it fails."""
    book = FOLDER / lang
    shutil.rmtree(book, ignore_errors=True)
    shutil.copytree(STAGE / lang, book, ignore=shutil.ignore_patterns("_build"))
    jupyter_book = Path(sys.executable).with_name("jupyter-book")  # it writes Sphinx's settings
    subprocess.run([jupyter_book, "config", "sphinx", book], check=True, capture_output=True)
    with (book / "conf.py").open("a", encoding="utf-8") as conf:
        conf.write(f"\nextensions = [e for e in extensions if e not in {OF_JUPYTER_BOOK}]\n")
    options = ["-q", "-n", "--keep-going", "-w", book / "warnings.txt"]
    finished = subprocess.run(
        [python, "-m", "sphinx", *options, "-b", "html", book, book / "out"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    if finished.returncode:
        print(finished.stderr[-3000:])
        return None
    said = (book / "warnings.txt").read_text("utf-8").replace(f"{book}/", "").splitlines()
    return [line for line in said if "WARNING" in line or "ERROR" in line]


def differences(old: Path, new: Path) -> list[str]:
    """Return one line for each page that is missing, or has other elements or words."""
    paths = [path.relative_to(site) for site in (old, new) for path in site.rglob("*.html")]
    found = []
    for name in sorted({path for path in paths if path.parts[0] not in ("_static", "slides")}):
        if not (old / name).exists() or not (new / name).exists():
            found.append(f"{name}: {'gone' if (old / name).exists() else 'new'}")
            continue
        pages = [BeautifulSoup((s / name).read_bytes(), "html.parser") for s in (old, new)]
        articles = [page.select_one("article") or page for page in pages]
        for selector in COUNTED:
            before, after = (len(article.select(selector)) for article in articles)
            if before != after:
                found.append(f"{name}: {before} × {selector} become {after}")
        for formula in (math for article in articles for math in article.select(".math")):
            formula.string = "".join(formula.get_text().split())  # its blanks mean nothing
        words = [article.get_text(" ").split() for article in articles]
        pairs = enumerate(zip_longest(*words))
        if (place := next((n for n, (one, other) in pairs if one != other), None)) is not None:
            said = (" ".join(text[max(0, place - 3) : place + 6]) for text in words)
            found.append(f"{name}: “{next(said)}” becomes “{next(said)}”")
    return found


def main() -> int:
    """Build and compare all languages; return 1 if one fails, 2 if there is none."""
    languages = sorted(path.name for path in STAGE.glob("e[ns]") if path.is_dir())
    if not languages:
        print("canary: there is no laid-out book: first, make book", file=sys.stderr)
        return 2
    python = environment()
    subprocess.run([python, "-m", "sphinx", "--version"], check=True)
    failed = 0
    for lang in languages:
        warnings = build(python, lang)
        if warnings is None:
            print(f"== {lang}: not built")
            failed = 1
            continue
        found = differences(STAGE / lang / "_build" / "html", FOLDER / lang / "out")
        print(f"== {lang}: {len(warnings)} warnings", *warnings[:SHOWN], sep="\n   ")
        print(f"== {lang}: {len(found)} differences", *found[:SHOWN], sep="\n   ")
    return failed


if __name__ == "__main__":
    sys.exit(main())
