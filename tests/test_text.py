"""Words: languages, suggestions, and errors that keep their message across processes."""

import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fmnist_utils.audit
import fmnist_utils.exercises
import fmnist_utils.workshop  # noqa: F401 (the texts of all floors)
from fmnist_utils import text
from fmnist_utils.text import LANGUAGES, UserError, get_language, nearest, say, set_language


def test_an_unknown_language_is_refused():
    with pytest.raises(UserError, match="'fr'.*es, en"):
        set_language("fr")


def test_the_floors_add_their_texts_once():
    text.add({"class.0": ("Camiseta", "T-shirt/top")})
    with pytest.raises(ValueError, match="class.0"):
        text.add({"class.0": ("Remera", "T-shirt")})


def test_say_fills_fields_and_a_missing_text_is_our_mistake():
    assert say("text.did_you_mean", name="x", lang="es") == "¿Quiso decir 'x'?"
    with pytest.raises(KeyError):
        say("no.such.text")


def test_nearest():
    assert nearest("num_epoch", ["num_epochs", "seed"]) == "Did you mean 'num_epochs'?"
    assert nearest("zzz", ["num_epochs", "seed"]) == ""


WORDS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9
) | st.sampled_from(LANGUAGES)


@given(st.none() | WORDS, st.none() | WORDS)
def test_whatever_is_set_the_language_is_one_of_ours(variable, chosen):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "_language", None)
        patch.delenv("FMNIST_LANG") if variable is None else patch.setenv("FMNIST_LANG", variable)
        expected = variable if variable in LANGUAGES else "es"
        if chosen in LANGUAGES:
            set_language(chosen)
            expected = chosen
        elif chosen is not None:
            with pytest.raises(UserError):
                set_language(chosen)
        assert get_language() == expected
        assert say("class.0") == {"es": "Camiseta", "en": "T-shirt/top"}[expected]


ROOT = Path(__file__).parents[1]
SPEAKERS = r"\b(?:say|[A-Za-z]*(?:Error|Failure|Failed|Diverged|BadParameters))"


def sources() -> dict[str, str]:
    """Return the code that may name a text: the package, the scripts, the book, the pages."""
    files = [
        path
        for pattern in (
            "fmnist_utils/**/*.py",
            ".ci/*.py",
            "book/**/*.py",
            "book/pages/*.md",
            "notebooks/**/*.ipynb",
        )
        for path in ROOT.glob(pattern)
        if path.name != "text.py" and "_build" not in path.parts
    ]
    files.append(ROOT / "fmnist_utils" / "text.py")
    found = {str(path): path.read_text("utf-8").replace('\\"', '"') for path in files}
    return {name: source.partition("WORDS: dict")[0] for name, source in found.items()}


def fields(sentence: str) -> set[str]:
    """Return the names in braces."""
    names = [name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None]
    return {re.split(r"[.\[]", name)[0] for name in names}


def test_every_text_has_the_same_fields_in_both_languages():
    for key, (spanish, english) in text.WORDS.items():
        assert spanish.strip() and english.strip(), key
        assert fields(spanish) == fields(english), key


def test_every_key_that_the_code_names_has_its_text():
    for name, source in sources().items():
        named = set(re.findall(SPEAKERS + r'\(\s*"([a-z_]+\.[^"]+)"', source))
        assert not named - text.WORDS.keys(), name


def test_no_text_is_left_unused():
    code = "\n".join(sources().values()).replace("'", '"')
    begun = tuple(re.findall(r'f"([a-z_]+\.[a-z_]*)\{', code))  # say(f"plots.{quantity}")
    unused = [key for key in text.WORDS if f'"{key}"' not in code and not key.startswith(begun)]
    assert not unused
