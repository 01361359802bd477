"""Every word that appears inside a figure, a table or a message, in Spanish and in English.

The other modules name a text by its key (``say("axis.epoch")``) and never hold a sentence of their own, so a page in one
language cannot show the other. Errors that a reader can cause are :class:`UserError`: what was given, what is allowed and
what to do next, in the reader's language.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable

LANGUAGES = ("es", "en")

# key: (Spanish, English). Fields in braces are filled by ``say``. One block per module, keys in the order of use.
WORDS: dict[str, tuple[str, str]] = {
    # text
    "text.unknown_language": (
        "idioma desconocido: {given!r}. Se admiten: {allowed}.",
        "unknown language: {given!r}. Allowed: {allowed}.",
    ),
    "text.did_you_mean": ("¿Quiso decir {name!r}?", "Did you mean {name!r}?"),
    # classes, in the order of the labels
    "class.0": ("Camiseta", "T-shirt/top"),
    "class.1": ("Pantalón", "Trouser"),
    "class.2": ("Pulóver", "Pullover"),
    "class.3": ("Vestido", "Dress"),
    "class.4": ("Abrigo", "Coat"),
    "class.5": ("Sandalia", "Sandal"),
    "class.6": ("Camisa", "Shirt"),
    "class.7": ("Zapatilla", "Sneaker"),
    "class.8": ("Bolso", "Bag"),
    "class.9": ("Botín", "Ankle boot"),
    # data and synthetic
    # models
    # training
    # evaluation
    # plots
    # recipes
    # runs
    # reports and audit
    # cli
}

_language: str | None = None


def set_language(lang: str) -> None:
    """Choose the language of figures, tables and messages: ``"es"`` or ``"en"``.

    Raises:
        UserError: for any other value.
    """
    global _language
    if lang not in LANGUAGES:
        raise UserError("text.unknown_language", given=lang, allowed=", ".join(LANGUAGES))
    _language = lang


def get_language() -> str:
    """Return the language in force: the one set, else ``FMNIST_LANG``, else Spanish."""
    if _language is not None:
        return _language
    from_environment = os.environ.get("FMNIST_LANG", "es")
    return from_environment if from_environment in LANGUAGES else "es"


def say(key: str, /, lang: str | None = None, **values) -> str:
    """Return the text named ``key`` in the language in force (or ``lang``), its fields filled with ``values``.

    Raises:
        KeyError: if there is no such text; that is a mistake of ours, not of the reader.
    """
    return WORDS[key][LANGUAGES.index(lang or get_language())].format(**values)


def class_names(lang: str | None = None) -> list[str]:
    """Return the names of the ten classes, in the order of their labels."""
    return [say(f"class.{label}", lang=lang) for label in range(10)]


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Return the sentence *Did you mean …?* for the allowed name closest to ``name``, or an empty string."""
    matches = difflib.get_close_matches(str(name), [str(item) for item in allowed], n=1, cutoff=0.6)
    return say("text.did_you_mean", name=matches[0]) if matches else ""


class UserError(ValueError):
    """An error that the reader can cause and can mend; its message is a text of this module.

    Attributes:
        key: the key of the text.
        values: the fields that fill it.
    """

    def __init__(self, key: str, /, **values):
        self.key, self.values = key, values
        super().__init__(say(key, **values))

    def __reduce__(self):  # so that it crosses process borders: keyword arguments are lost by default
        return _rebuild_error, (type(self), self.key, self.values)


def _rebuild_error(cls, key, values):
    return cls(key, **values)
