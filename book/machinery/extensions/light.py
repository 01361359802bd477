"""What a page weighs: styles without the rules that nothing uses, icons as small drawings, palettes for the pictures.

The theme brings 4 MB to every page: two megabytes of icons in two forms, of which a page shows a dozen, the index of the
search, the styles of all that Bootstrap can do. What is left after this is in ``tests/test_site_look.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

from PIL import Image, ImageChops, ImageStat

ALL_ICONS = "scripts/fontawesome.js"  # below _static, as everything here
UNUSED = [ALL_ICONS, "vendor/fontawesome/webfonts/*"]
ICONS_TAG = re.compile(
    r'<script defer src="([^"]*_static/)scripts/fontawesome\.js[^"]*">\s*</script>'
)
SEARCH_TAGS = re.compile(
    r'\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"></script>'
)
# The theme follows the reader's system after the first paint only: a flash of white for whoever prefers the dark.
THEME_LATER = 'document.documentElement.dataset.theme = localStorage.getItem("theme") || "auto";'
THEME_NOW = """document.documentElement.dataset.theme = document.documentElement.dataset.mode != "auto" ? localStorage.getItem("theme")
      : matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";"""
PICTURE = re.compile(r'<img (?=[^>]*src="([^"]*_images/([^"/]+\.png))")(?![^>]* height=)')


def lighten(out: Path) -> None:
    """Lighten the site of one language that stands in ``out``, in place."""
    static = out / "_static"
    if not (static / ALL_ICONS).exists() and (static / "styles" / "icons.css").exists():
        return  # no page has changed, so Sphinx wrote none: they are light already
    for path in (out / "_images").glob("*.png"):
        path.write_bytes(with_palette(path.read_bytes()))
    pages = {
        path: path.read_text("utf-8") for path in out.rglob("*.html") if static not in path.parents
    }
    drawings = icons(pages.values(), (static / ALL_ICONS).read_text("utf-8"))
    (static / "styles" / "icons.css").write_text(drawings, "utf-8")
    for pattern in UNUSED:
        for path in list(static.glob(pattern)):
            path.unlink()
    for path, text in pages.items():
        text = ICONS_TAG.sub(r'<link rel="stylesheet" href="\1styles/icons.css" />', text).replace(
            THEME_LATER, THEME_NOW
        )
        if path.name != "search.html":
            text = SEARCH_TAGS.sub("", text)
        path.write_text(with_sizes(text, out / "_images"), "utf-8")
    used = names_in_use(pages.values(), static)
    for path in static.rglob("*.css"):
        path.write_text(in_use(path.read_text("utf-8"), used), "utf-8")


# --- Pictures ---------------------------------------------------------------------------------------------------------


def with_palette(png: bytes, worst: float = 2.0) -> bytes:
    """Return the same picture with a palette of 256 colours, where that is smaller and no more than ``worst`` levels off.

    ``worst`` is the root of the mean squared difference, of 255: two levels are seen by nobody.
    """
    picture = Image.open(BytesIO(png))
    if picture.mode not in ("RGB", "RGBA") or (
        picture.mode == "RGBA" and picture.getextrema()[3] != (255, 255)
    ):
        return png
    plain = picture.convert("RGB")
    small = plain.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    if difference(plain, small.convert("RGB")) > worst:
        return png
    written = BytesIO()
    small.save(written, "PNG", optimize=True, dpi=picture.info.get("dpi", (100, 100)))
    return min(png, written.getvalue(), key=len)


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return the root of the mean squared difference of two RGB pictures, in levels of 255."""
    return max(ImageStat.Stat(ImageChops.difference(one, other)).rms)


def with_sizes(text: str, images: Path) -> str:
    """Return a page whose pictures say how large they are, so that text does not jump, and come when they are needed."""

    def say(match: re.Match) -> str:
        width, height = Image.open(images / match[2]).size
        return f'<img width="{width}" height="{height}" loading="lazy" '

    return PICTURE.sub(say, text)


# --- Icons ------------------------------------------------------------------------------------------------------------

ICON_CLASSES = re.compile(
    r'class="([^"]*\b(?:fa|fas|far|fab|fa-solid|fa-regular|fa-brands)\b[^"]*)"'
)
ANY_ICON = r'(?:"{0}"|\b{0}):\[(\d+),(\d+),\[[^\]]*\],"[0-9a-f]+","([^"]+)"\]'
# A drawing is a mask over the colour of the text: it follows the theme, and its colours a reader's own.
ICON_RULES = """:where(.fa-solid, .fas, .fa-regular, .far, .fa-brands, .fab) {
  display: inline-block; height: 1em; width: calc(var(--wide, 1) * 1em); vertical-align: -.125em; background: currentColor;
  mask: var(--icon) center / contain no-repeat;
}
.fa-lg { font-size: 1.25em; vertical-align: -.2em; }
@media (forced-colors: active) { :where(.fa-solid, .fas, .fa-regular, .far, .fa-brands, .fab) { forced-color-adjust: none; } }
"""


def icons(pages: Iterator[str], library: str) -> str:
    """Return the styles that draw the icons of ``pages``, from the ``library`` of the theme: Font Awesome, CC BY 4.0."""
    names = {
        name[3:]
        for page in pages
        for classes in ICON_CLASSES.findall(page)
        for name in classes.split()
        if name[:3] == "fa-"
    }
    rules = [
        "/* Font Awesome Free by @fontawesome, https://fontawesome.com: icons CC BY 4.0 */\n",
        ICON_RULES,
    ]
    for name in sorted(names):
        if drawn := re.search(ANY_ICON.format(re.escape(name)), library):
            width, height, path = drawn.groups()
            svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"><path d="{path}"/></svg>'
            wide = int(width) / int(height)
            rules.append(
                f'.fa-{name} {{ --wide: {wide:.3g}; --icon: url("data:image/svg+xml,{quote(svg, safe=" =/:")}"); }}\n'
            )
    return "".join(rules)


# --- Styles -----------------------------------------------------------------------------------------------------------

COMMENT = re.compile(r"""(/\*.*?\*/)|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'""", re.DOTALL)
TOKEN = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|url\([^"')]*\)|[{};]""", re.DOTALL)
COMMA = re.compile(
    r",(?![^()]*(?:\([^()]*(?:\([^()]*\)[^()]*)*\)[^()]*)*\))"
)  # outside of up to three parentheses
GLYPH = re.compile(
    r"\.fa-[\w-]+:{1,2}(?:before|after)"
)  # an icon as a letter of the font that is not there
NESTS = ("@media", "@supports", "@container", "@layer")


def rules_of(css: str) -> Iterator[tuple[str, str | None]]:
    """Yield the head and the body of every rule of the top level; a statement such as ``@charset`` has no body."""
    depth = start = 0
    for token in TOKEN.finditer(css):
        if token[0] == "{":
            if not depth:
                head, inside = css[start : token.start()].strip(), token.end()
            depth += 1
        elif token[0] == "}":
            depth -= 1
            if not depth:
                yield head, css[inside : token.start()].strip()
                start = token.end()
        elif token[0] == ";" and not depth:
            yield css[start : token.start()].strip(), None
            start = token.end()


def asked(selector: str) -> set[str]:
    """Return the classes and ids that an element must have for ``selector``; what stands in parentheses is not a must."""
    while (shorter := re.sub(r"\([^()]*\)|\[[^\]()]*\]", "", selector)) != selector:
        selector = shorter
    return set(re.findall(r"[.#](-?[A-Za-z_][\w-]*)", selector))


def needed(selector: str, used: set[str]) -> bool:
    """Return whether something on a page may match ``selector``."""
    return asked(selector) <= used and not GLYPH.search(selector)


def in_use(css: str, used: set[str]) -> str:
    """Return ``css`` without comments and without the rules for classes and ids that are not among the ``used``."""
    css = COMMENT.sub(
        lambda match: "" if match[1] and not match[1].startswith("/* Font Awesome") else match[0],
        css,
    )
    kept = []
    for head, body in rules_of(css):
        if body is None:
            kept.append(f"{head};")
        elif head.startswith(NESTS):
            if inner := in_use(body, used):
                kept.append(f"{head} {{\n{inner}}}")
        elif head.startswith("@"):
            if "Font Awesome" not in body:
                kept.append(f"{head} {{{body}}}")
        elif selectors := [
            selector.strip() for selector in COMMA.split(head) if needed(selector, used)
        ]:
            kept.append(f"{', '.join(selectors)} {{{body}}}")
    return "".join(f"{rule}\n" for rule in kept)


def names_in_use(pages: Iterator[str], static: Path) -> set[str]:
    """Return the classes and ids of ``pages`` and every word of the scripts, which put classes on elements too."""
    attributes = (
        value for page in pages for value in re.findall(r'\b(?:class|id)="([^"]*)"', page)
    )
    scripts = (
        path.read_text("utf-8") for path in static.rglob("*.js") if "mathjax" not in path.parts
    )
    words = {word for script in scripts for word in re.findall(r"-?[A-Za-z_][\w-]*", script)}
    return (
        words
        | {name for value in attributes for name in value.split()}
        | {"MathJax", "mjx-container"}
    )


def finish(app, exception):
    if not exception and app.builder.format == "html":
        lighten(Path(app.outdir))


def setup(app):
    app.connect("build-finished", finish, priority=900)  # after all that writes pages
    return {"parallel_read_safe": True, "parallel_write_safe": True}
