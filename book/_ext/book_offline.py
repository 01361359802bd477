"""A site that loads nothing from elsewhere: MathJax from the installed wheel, and no files that no page uses."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

MATHJAX = Path("vendor/mathjax")
MATHJAX_FILES = ["tex-chtml.js", "output/chtml/fonts/woff-v2"]
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
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
