"""The language switch in the header, and buttons that open the page's own language."""

from __future__ import annotations

NAMES = {"es": "Español", "en": "English"}
GENERATED_PAGES = {"search", "genindex", "py-modindex"}  # Sphinx writes these in every language


def add_links(app, pagename, templatename, context, doctree):
    """Hand the templates one link for each language of the site, to the same page."""
    target = pagename if pagename in app.env.found_docs | GENERATED_PAGES else app.config.root_doc
    context["here"] = app.config.language
    context["language_links"] = [
        (code, NAMES[code], f"{context['content_root']}../{code}/{target}.html")
        for code in app.config.site_languages
    ]


def open_own_copy(app, pagename, templatename, context, doctree):
    """Let the download button of a notebook page give the copy beside the page: one language, no outputs."""
    if not context.get("page_source_suffix", "").endswith("ipynb"):
        return
    for group in context["header_buttons"]:
        for button in group.get("buttons", []):
            if button.get("label") == "download-source-button":
                button["url"] = f"{pagename.rpartition('/')[2]}.ipynb"


def setup(app):
    app.add_config_value("site_languages", list(NAMES), "html")
    app.connect(
        "html-page-context", add_links, priority=400
    )  # before the theme drops templates that render empty
    app.connect(
        "html-page-context", open_own_copy, priority=600
    )  # after the theme has made its buttons
    return {"parallel_read_safe": True, "parallel_write_safe": True}
