"""Spanish bibliography: ``plain_es`` and ``author_year_es``; pybtex speaks English only."""

from __future__ import annotations

from dataclasses import dataclass, field

from pybtex.plugin import register_plugin as register_list_style
from pybtex.style.formatting.unsrt import Style, pages
from pybtex.style.template import field as entry_field
from pybtex.style.template import join, names, optional, sentence, together, words
from sphinxcontrib.bibtex.plugin import register_plugin as register_reference_style
from sphinxcontrib.bibtex.style.referencing import PersonStyle
from sphinxcontrib.bibtex.style.referencing.author_year import AuthorYearReferenceStyle

WORDS = {
    "In": "En",
    "PhD thesis": "Tesis doctoral",
    "Master's thesis": "Tesis de maestría",
    "Technical Report": "Informe técnico",
}


def translated(node):
    """Translate the literal words of a pybtex template in place, and no field of an entry."""
    if isinstance(node, str):
        return WORDS.get(node, node)
    if hasattr(node, "children"):
        node.children = list(map(translated, node.children))
    return node


class SpanishStyle(Style):
    """pybtex's ``plain``, which sorts by author and year, in Spanish."""

    default_sorting_style = "author_year_title"

    def format_names(self, role, as_sentence=True):
        people = names(role, sep=", ", sep2=" y ", last_sep=" y ")
        return sentence[people] if as_sentence else people

    def format_editor(self, entry, as_sentence=True):
        people = self.format_names("editor", as_sentence=False)
        if "editor" in entry.persons:
            people = join(sep=" ")[
                people, "(eds.)" if len(entry.persons["editor"]) > 1 else "(ed.)"
            ]
        return sentence[people] if as_sentence else people

    def format_chapter_and_pages(self, entry):
        return join(sep=", ")[
            optional[together["cap.", entry_field("chapter")]], optional[together["pp.", pages]]
        ]

    def format_edition(self, entry):
        return optional[words[entry_field("edition", apply_func=str.lower), "ed."]]


def _add_translated_templates():
    for kind in ("inproceedings", "incollection", "phdthesis", "mastersthesis", "techreport"):
        name = f"get_{kind}_template"
        english = getattr(Style, name)
        setattr(
            SpanishStyle,
            name,
            lambda self, entry, english=english: translated(english(self, entry)),
        )


@dataclass
class SpanishReferences(AuthorYearReferenceStyle):
    """«Kingma y Ba, 2015»."""

    person: PersonStyle = field(default_factory=lambda: PersonStyle(sep2=" y ", last_sep=" y "))


def setup(app):
    _add_translated_templates()
    register_list_style("pybtex.style.formatting", "plain_es", SpanishStyle)
    register_reference_style(
        "sphinxcontrib.bibtex.style.referencing", "author_year_es", SpanishReferences
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
