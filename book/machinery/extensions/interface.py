"""The words of the interface that Sphinx, the theme and MyST-NB leave in English, or say badly, on a Spanish page."""

from __future__ import annotations

import re
from pathlib import Path

SPANISH = {
    "Toggle primary sidebar": "Mostrar u ocultar el menú",
    "Toggle secondary sidebar": "Mostrar u ocultar el índice de la página",
    "Main": "Menú principal",
    "Page": "Índice de la página",
    "Launch interactive content": "Ejecutar esta página",
    "Launch on Colab": "Abrir en Colab",
    "Launch on Binder": "Abrir en Binder",
    "Binder logo": "Logotipo de Binder",
    "Colab logo": "Logotipo de Colab",
    "Descarga esta pagina": "Descargar esta página",
    "Link to this heading": "Enlace a este apartado",
    "Link to this definition": "Enlace a esta definición",
    "Link to this equation": "Enlace a esta ecuación",
    "Link to this image": "Enlace a esta figura",
    "Link to this table": "Enlace a esta tabla",
    "Link to this term": "Enlace a este término",
    "Type": "Tipo",
    "Muestra": "Lanza",  # Sphinx's word for «raises»
}
# What a screen reader hears, where the theme says nothing or not what stands there.
BRANCH = {"es": "Mostrar u ocultar sus páginas", "en": "Show or hide its pages"}
NAMES = [
    (
        r'(<details[^>]*>)<summary>(<span class="toctree-toggle")',
        r'\1<summary aria-label="{branch}">\2',
    ),
    (r'<summary aria-label="Toggle hidden content">', "<summary>"),  # the words inside are its name
    (r'(<button class="btn search-button-field[^>]*?) aria-label="[^"]*"', r"\1"),  # the same
    (r'(<i class="theme-switch[^>]*?) title="[^"]*"', r"\1"),  # the button has a name
    (
        r'<div role="list" class="citation-list">',
        '<div class="citation-list">',
    ),  # no list items inside
    (r' role="doc-biblioentry"', ""),
    (r' id="(?:exercise|solution)-content"', ""),  # the same in every exercise of a page
]
# sphinx-exercise puts the blank of «Solución a Ejercicio 1» inside the link, where it is underlined.
BLANK_IN_LINK = re.compile(r'(<a class="reference internal" href="[^"]*">) (?=\w)')


def mend(app, exception):
    """Replace them in the built pages, where they are the whole text of an element or of a label."""
    if exception or app.builder.format != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        page.write_text(mended(page.read_text("utf-8"), app.config.language), "utf-8")


def mended(text: str, lang: str) -> str:
    """Return a page with what it should say in ``lang``."""
    text = BLANK_IN_LINK.sub(r" \1", text)
    for pattern, right in NAMES:
        text = re.sub(pattern, right.replace("{branch}", BRANCH[lang]), text)
    for english, spanish in SPANISH.items() if lang == "es" else ():
        text = text.replace(f'"{english}"', f'"{spanish}"').replace(f">{english}<", f">{spanish}<")
    return text


def setup(app):
    app.connect("build-finished", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
