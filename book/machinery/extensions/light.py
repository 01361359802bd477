"""What a page weighs: icons as small drawings, the search's index only where one searches.

It also says how large pictures are, so that the text does not jump while they load, and follows the
reader's theme from the first paint on.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from PIL import Image

ALL_ICONS = "scripts/fontawesome.js"  # below _static, as everything here
MATHJAX = [  # what mathjax/startup.js loads; the package brings twenty megabytes
    "startup.js", "core.js", "input/tex-base.js", "input/tex/extensions/ams.js", "output/chtml.js", "output/chtml/fonts/tex.js",
    "output/chtml/fonts/woff-v2", "a11y/assistive-mml.js",
]  # fmt: skip
UNUSED = [ALL_ICONS, "vendor/fontawesome", "**/*.map", "locales"]
STYLES = ["styles/pydata-sphinx-theme.css", "sphinx-design.min.css", "mystnb.*.css"]
RULE = re.compile(r"([^{};]+)(\{[^{}]*\})")
COMMA = re.compile(r",(?![^()]*\))")
GLYPH = re.compile(r"\.fa-[\w-]+:{1,2}before")  # an icon as a letter of a font that is not there
ICONS_TAG = re.compile(
    r'<script defer src="([^"]*_static/)scripts/fontawesome\.js[^"]*">\s*</script>'
)
SEARCH_TAGS = re.compile(
    r'\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"></script>'
)
# The theme follows the reader's system after the first paint only: a flash of white for whoever
# prefers the dark.
THEME_LATER = 'document.documentElement.dataset.theme = localStorage.getItem("theme") || "auto";'
THEME_NOW = """document.documentElement.dataset.theme = document.documentElement.dataset.mode != "auto" ? localStorage.getItem("theme")
      : matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";"""
PICTURE = re.compile(r'<img (?=[^>]*src="([^"]*_images/([^"/]+\.png))")(?![^>]* height=)')
ICON_CLASSES = re.compile(
    r'class="([^"]*\b(?:fa|fas|far|fab|fa-solid|fa-regular|fa-brands)\b[^"]*)"'
)
ANY_ICON = r'(?:"{0}"|\b{0}):\[(\d+),(\d+),\[[^\]]*\],"[0-9a-f]+","([^"]+)"\]'
# A drawing is a mask over the colour of the text: it follows the theme, and its colours a reader's
# own.
ICON_RULES = """/* Font Awesome Free by @fontawesome, https://fontawesome.com: icons CC BY 4.0 */
:where(.fa-solid, .fas, .fa-regular, .far, .fa-brands, .fab) {
  display: inline-block; height: 1em; width: calc(var(--wide, 1) * 1em); vertical-align: -.125em; background: currentColor;
  mask: var(--icon) center / contain no-repeat;
}
.fa-lg { font-size: 1.25em; vertical-align: -.2em; }
@media (forced-colors: active) { :where(.fa-solid, .fas, .fa-regular, .far, .fa-brands, .fab) { forced-color-adjust: none; } }
"""


def lighten(out: Path) -> None:
    """Lighten the site of one language that stands in ``out``, in place."""
    static = out / "_static"
    pages = {
        path: path.read_text("utf-8") for path in out.rglob("*.html") if static not in path.parents
    }
    drawings = icons(pages.values(), (static / ALL_ICONS).read_text("utf-8"))
    (static / "styles" / "icons.css").write_text(drawings, "utf-8")
    for pattern in UNUSED:
        for path in list(static.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    wanted = [static / "mathjax" / name for name in MATHJAX]
    for path in list((static / "mathjax").rglob("*")):
        if path.is_file() and not any(kept == path or kept in path.parents for kept in wanted):
            path.unlink()
    for path, text in pages.items():
        light = ICONS_TAG.sub(r'<link rel="stylesheet" href="\1styles/icons.css" />', text)
        light = light.replace(THEME_LATER, THEME_NOW)
        if path.name != "search.html":
            light = SEARCH_TAGS.sub("", light)
        light = with_sizes(light, out / "_images")
        if light != text:  # else it is from an earlier build, and stays as old as it is
            path.write_text(light, "utf-8")
    used = names_in_use(pages.values(), static)
    for path in (path for pattern in STYLES for path in static.glob(pattern)):
        path.write_text(in_use(path.read_text("utf-8"), used), "utf-8")


def in_use(css: str, used: set[str]) -> str:
    """Return minified ``css``, its licences kept, without rules for what is not ``used``."""

    def needed(selector: str) -> bool:
        must_have = re.sub(r"\([^()]*\)", "", selector)
        return set(re.findall(r"[.#](-?[A-Za-z_][\w-]*)", must_have)) <= used and not GLYPH.search(
            selector
        )

    def kept(rule: re.Match) -> str:
        selectors = list(filter(needed, COMMA.split(rule[1])))
        return f"{','.join(selectors)}{rule[2]}" if selectors else ""

    licences = re.findall(r"/\*!.*?\*/", css, re.DOTALL)
    return "\n".join([*licences, RULE.sub(kept, re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))])


def names_in_use(pages: Iterable[str], static: Path) -> set[str]:
    """Return the classes and ids of ``pages`` and all words of the scripts, which may set some."""
    attributes = (name for page in pages for name in re.findall(r'\b(?:class|id)="([^"]*)"', page))
    scripts = (p.read_text("utf-8") for p in static.rglob("*.js") if "mathjax" not in p.parts)
    words = {word for script in scripts for word in re.findall(r"-?[A-Za-z_][\w-]*", script)}
    return words | {name for value in attributes for name in value.split()} | {"MathJax"}


def with_sizes(text: str, images: Path) -> str:
    """Return a page whose pictures say how large they are, and come when they are needed."""

    def say(match: re.Match) -> str:
        width, height = Image.open(images / match[2]).size
        return f'<img width="{width}" height="{height}" loading="lazy" '

    return PICTURE.sub(say, text)


def icons(pages: Iterable[str], library: str) -> str:
    """Return the styles that draw the icons of ``pages``, from Font Awesome (CC BY 4.0)."""
    classes = {
        name for page in pages for found in ICON_CLASSES.findall(page) for name in found.split()
    }
    rules = [ICON_RULES]
    for name in sorted(name.removeprefix("fa-") for name in classes if name.startswith("fa-")):
        if drawn := re.search(ANY_ICON.format(re.escape(name)), library):
            width, height, path = drawn.groups()
            svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"><path d="{path}"/></svg>'
            address = f'url("data:image/svg+xml,{quote(svg, safe=" =/:")}")'
            rules.append(
                f".fa-{name} {{ --wide: {int(width) / int(height):.3g}; --icon: {address}; }}\n"
            )
    return "".join(rules)


def finish(app, exception):
    if not exception and app.builder.format == "html":
        lighten(Path(app.outdir))


def setup(app):
    # After sphinx-mathjax-offline, which asks for all of it.
    app.config.mathjax_path = f"mathjax/{MATHJAX[0]}"
    app.connect("build-finished", finish, priority=900)  # after all that writes pages
    return {"parallel_read_safe": True, "parallel_write_safe": True}
