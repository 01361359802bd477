"""The words of the interface that Sphinx, the theme and MyST-NB leave in English, or say badly, on a Spanish page."""

from __future__ import annotations

import re
from pathlib import Path

SPANISH = {
    "Toggle primary sidebar": "Mostrar u ocultar el menú",
    "Toggle secondary sidebar": "Mostrar u ocultar el índice de la página",
    "Toggle hidden content": "Mostrar u ocultar el contenido",
    "Main": "Menú principal",
    "Page": "Índice de la página",
    "Launch interactive content": "Ejecutar esta página",
    "Launch on Colab": "Abrir en Colab",
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
# sphinx-exercise puts the blank of «Solución a Ejercicio 1» inside the link, where it is underlined.
BLANK_IN_LINK = re.compile(r'(<a class="reference internal" href="[^"]*">) (?=\w)')


def mend(app, exception):
    """Replace them in the built pages, where they are the whole text of an element or of a label."""
    if exception or app.builder.format != "html":
        return
    words = SPANISH if app.config.language == "es" else {}
    for page in Path(app.outdir).rglob("*.html"):
        text = BLANK_IN_LINK.sub(r" \1", page.read_text("utf-8"))
        for english, spanish in words.items():
            text = text.replace(f'"{english}"', f'"{spanish}"').replace(f">{english}<", f">{spanish}<")
        page.write_text(text, "utf-8")


def setup(app):
    app.connect("build-finished", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
