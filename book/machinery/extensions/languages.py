"""The language switch, and buttons that open the page's notebook and slides in its language."""

from __future__ import annotations

from sphinx.locale import _

from book.machinery import slides
from book.machinery.notebooks import FOLDERS
from book.machinery.pages import LANGUAGE_NAMES, LANGUAGES, ROOT

SLIDES = {"es": "Diapositivas", "en": "Slides"}
GENERATED_PAGES = {"search", "genindex", "py-modindex"}  # Sphinx writes these in every language


def add_links(app, pagename, templatename, context, doctree):
    """Hand the templates one link for each language of the site, to the same page."""
    target = pagename if pagename in app.env.found_docs | GENERATED_PAGES else app.config.root_doc
    context["here"] = app.config.language
    context["language_links"] = [
        (code, LANGUAGE_NAMES[code], f"{context['content_root']}../{code}/{target}.html")
        for code in app.config.site_languages
    ]


def open_own_notebook(app, pagename, templatename, context, doctree):
    """Let the buttons of a page open its notebook: on branch main, or beside it to download."""
    if not context.get("page_source_suffix", "").endswith("ipynb"):
        return
    folder = FOLDERS[app.config.language].relative_to(ROOT).as_posix()
    name = f"{pagename.rpartition('/')[2]}.ipynb"
    for group in context["header_buttons"]:
        group["tooltip"] = _(group.get("tooltip") or "")
        for button in group.get("buttons", []):
            if button.get("label") == "download-source-button":
                button["url"] = name
                continue
            button["tooltip"] = _(button.get("tooltip") or "")
            if "url" in button:
                button["url"] = button["url"].replace(f"notebooks/{name}", f"{folder}/{name}")
    context["header_buttons"].append(
        {
            "type": "link",
            "url": f"../{slides.FOLDER}/{name.removesuffix('.ipynb')}.html",
            "tooltip": SLIDES[app.config.language],
            "icon": "fas fa-person-chalkboard",
            "label": "slides-button",
        }
    )


def setup(app):
    app.add_config_value("site_languages", list(LANGUAGES), "html")
    app.add_config_value("machinery", "", "env")  # a digest of our programs
    # Before the theme drops templates that render empty, and after it has made its buttons.
    app.connect("html-page-context", add_links, priority=400)
    app.connect("html-page-context", open_own_notebook, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
