"""The directive ``live``: a place that a script fills, and the scripts on its page only.

Its argument names what is put there, its content the words for it, in the page's language, as YAML;
those that several parts share are in ``_paper.yml``. They travel in the attribute ``data-words``,
so that a script holds no word of any language; ``noscript`` is shown where scripts are not run.
"""

from __future__ import annotations

import html
import json
from pathlib import Path

import yaml
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

FOLDER = "_live"
PAPER = ["live.js", "networks.js", "examples.js", "own_image.js", "paper.js"]
TRAINING = [
    *("live.js", "networks.js", "image_text.js", "training.js", "training_run.js"),
    *("training_panel.js", "train_views.js"),
]
# What each one needs, in the order of loading; those of ``book/live.py`` are made by the build.
SCRIPTS = {
    "convolution": ["live.js", "convolution.js"],
    "try": [*PAPER, "classifier.js", "autoencoder.js", "try.js"],
    "inside": [*PAPER, "inside.js"],  # and cnn.js, which the reader asks for
    "train_here": [*TRAINING, "train_here.js"],
    "train_autoencoder": [*TRAINING, "train_autoencoder.js"],
    "train_small": [*TRAINING, "train_small.js"],
    "explorer": ["live.js", "networks.js", "garments.js", "decoder.js", "explorer.js"],
}


class Live(SphinxDirective):
    """Leave an empty element for the script, with its words."""

    required_arguments = 1
    has_content = True

    def run(self):
        name, words = self.arguments[0], yaml.safe_load("\n".join(self.content))
        if (
            name not in SCRIPTS
            or not isinstance(words, dict)
            or not all(isinstance(word, str) for word in words.values())
        ):
            raise self.error(
                f"live: one of {', '.join(SCRIPTS)}, then words as YAML; a word is a text"
            )
        self.env.metadata[self.env.docname].setdefault("live", []).append(name)
        if "paper.js" in SCRIPTS[name]:
            self.env.note_dependency("_paper.yml")
            shared = Path(self.env.srcdir, "_paper.yml").read_text("utf-8")
            words = yaml.safe_load(shared) | words
        carried = html.escape(json.dumps(words, ensure_ascii=False))
        without = f"<noscript><p>{html.escape(words['noscript'])}</p></noscript>"
        return [
            nodes.raw(
                "",
                f'<div class="live" data-live="{name}" data-words="{carried}">{without}</div>',
                format="html",
            )
        ]


def keep_apart(app, config):
    """Have Sphinx copy the folder; Jupyter Book would load each of its scripts on every page."""
    config.html_static_path.append(FOLDER)


def load(app, pagename, templatename, context, doctree):
    """Load on a page the scripts that it needs."""
    names = app.env.metadata.get(pagename, {}).get("live", [])
    for script in dict.fromkeys(script for name in names for script in SCRIPTS[name]):
        app.add_js_file(script, loading_method="defer")
    if names:
        app.add_css_file("live.css")
    if any(name.startswith("train") for name in names):
        app.add_css_file("train.css")


def setup(app):
    app.add_directive("live", Live)
    app.connect("config-inited", keep_apart)
    app.connect("html-page-context", load)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
