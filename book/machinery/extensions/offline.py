"""A site that loads nothing from elsewhere: MathJax from the installed wheel, and no files that no page uses."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

MATHJAX = Path("vendor/mathjax")
# The parts that set our formulas, for two thirds of the weight of the one file with everything: it has a menu, too.
MATHJAX_PARTS = ["input/tex-base", "[tex]/ams", "output/chtml", "a11y/assistive-mml"]
MATHJAX_FILES = [
    "startup.js", "core.js", "input/tex-base.js", "input/tex/extensions/ams.js", "output/chtml.js", "output/chtml/fonts/tex.js",
    "output/chtml/fonts/woff-v2", "a11y/assistive-mml.js",
]  # fmt: skip
UNUSED = ["**/*.map", "vendor/fontawesome/**/*.ttf", "locales"]


def finish(app, exception):
    """Copy MathJax into the built site and remove what only weighs."""
    if exception or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    library = Path(find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
    for name in MATHJAX_FILES:
        source, target = library / name, static / MATHJAX / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(source, target)
    for pattern in UNUSED:
        for path in list(static.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def setup(app):
    app.config.mathjax_path = str(MATHJAX / MATHJAX_FILES[0])
    app.config.mathjax3_config = {
        "loader": {"load": MATHJAX_PARTS},
        "tex": {"packages": ["base", "ams"]},
    }
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
