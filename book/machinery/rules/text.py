"""What is looked at in a text: what two languages share, measured numbers, foreign words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from book.machinery import pages

Findings = Iterator[str]

MATH = re.compile(r"\$\$(.+?)\$\$|(?<![\\$])\$(?!\s)([^$\n]+)(?<!\s)\$", re.DOTALL)
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
FENCED = re.compile(r"^(`{3,})[^\n]*\n.*?^\1`*\s*$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
OPTION, LABEL, OPENING = r"^:[\w-]+:.*$", r"^[ \t]*\([\w-]+\)=?[ \t]*$", r"^:{3,}\{[\w:-]+\}"
MARKUP = re.compile(f"{OPTION}|{LABEL}|{OPENING}", re.MULTILINE)
NUMBER = re.compile(r"(?<![\w.])\d+(?:[\u202f\u00a0,]\d{3}(?!\d))*(?:[.,]\d+)?")
THOUSANDS = re.compile(r"[\u202f\u00a0,](?=\d{3}(?!\d))")


def prose(text: str) -> str:
    """Return what ``text`` says in words, without formulas, code, roles, labels and addresses."""
    for pattern in (FENCED, MATH, pages.ROLE, CODE, MARKUP, LINK):
        text = pattern.sub(" ", text)
    return re.sub(r"https?://\S+", " ", text)


def _roles(text: str) -> list[tuple[str, str]]:
    # The words of the glossary are linked where each language uses them: see terms.py.
    found = []
    for role, content in pages.ROLE.findall(text):
        target = re.search(r"<([^>]+)>$", content)
        if role != "term":
            found.append((role, target[1] if target else content))
    return sorted(found)


def _formulas(text: str) -> list[str]:
    words = re.compile(r"\\(?:text|mathrm|textrm)\{[^}]*\}|\s|\\,|\{,\}")
    formulas = MATH.findall(CODE.sub("", pages.ROLE.sub("", text)))
    return sorted(words.sub("", display or inline) for display, inline in formulas)


def _code_blocks(text: str) -> list[str]:
    # Comments are in the page's language.
    blocks = (block[0] for block in FENCED.finditer(text) if not block[0].startswith("```{"))
    return [re.sub(r" *#.*", "", block) for block in blocks]


def _labels(text: str) -> list[str]:
    pattern = r"^\(([\w-]+)\)=$|^:(?:label|name): *(\S+)$|\$\$ *\(([\w-]+)\)"
    return ["".join(names) for names in re.findall(pattern, text, re.MULTILINE)]


# What the two texts of a pair must have in common.
FACTS: dict[str, Callable[[str], object]] = {
    "heading levels": lambda text: list(
        map(len, re.findall(r"^(#{1,6}) ", FENCED.sub("", text), re.MULTILINE))
    ),
    "labels": _labels,
    "directives": lambda text: re.findall(r"^(?::{3,}|`{3,})\{([\w:-]+)\}", text, re.MULTILINE),
    "roles": _roles,
    "formulas": _formulas,
    "inline code": lambda text: sorted(CODE.findall(pages.ROLE.sub("", FENCED.sub("", text)))),
    "code blocks": _code_blocks,
    "link targets": lambda text: sorted(target.partition("#")[0] for target in LINK.findall(text)),
    "numbers": lambda text: sorted(
        THOUSANDS.sub("", number) for number in NUMBER.findall(prose(text))
    ),
    "list items": lambda text: len(re.findall(r"^ *(?:[-*]|\d+\.) ", text, re.MULTILINE)),
    "table rows": lambda text: len(re.findall(r"^\|", text, re.MULTILINE)),
    "alternative text": lambda text: bool(pages.ALT_COMMENT.search(text)),
}


def differences(spanish: str, english: str) -> Findings:
    """Yield what two texts that should say the same do not have in common."""
    for name, fact in FACTS.items():
        if (es := fact(spanish)) != (en := fact(english)):
            yield f"{name} differ: {es} in Spanish, {en} in English"


METRIC = re.compile(
    r"exactitud|accuracy|pérdida|\bloss|precisión|precision|exhaustividad|\brecall|\bF1\b|\berror(?:es|s)?\b|aciert"
    r"|\bECM\b|\bMSE\b",
    re.IGNORECASE,
)
MEASUREMENT = re.compile(r"(?<![\w.-])(?:\d*[.,]\d+(?:\s*%)?|\d+\s*%)(?!\d)")
SETTING = re.compile(r"tasa|\brate|dropout|momentum|momento|decaimiento|decay", re.IGNORECASE)


def typed_measurements(text: str) -> Findings:
    """Yield the sentences that hold a decimal number or a percentage beside the name of a metric.

    Numbers inside formulas and code are derived or set, not measured, and so is one that follows
    the name of a setting.
    """
    for sentence in re.split(r"(?<=[.!?:;])\s+|\n\s*\n|\n *[-*|] ", prose(text)):
        for number in MEASUREMENT.finditer(sentence):
            around = sentence[max(0, number.start() - 60) : number.end() + 60]
            if METRIC.search(around) and not SETTING.search(
                sentence[max(0, number.start() - 40) : number.start()]
            ):
                yield f"typed-in measurement {number[0].strip()!r}: {' '.join(around.split())!r}"


NOT_OUR_SPANISH = re.compile(
    r"\b(?:teste[oa]\w*|overfitting|learning rate|batch(?:es)?|accuracy|loss|podés|tenés|querés|mirá|fijate|probá)\b",
    re.IGNORECASE,
)


def foreign_words(text: str) -> Findings:
    """Yield the words in Spanish prose for which the glossary has a better one.

    The names of the words of a living part are no prose: ``loss: Pérdida``, ``{loss}``.
    """
    without_glosses = re.sub(r"\*[^*\n]+\*|^\w+: |\{\w+\}", " ", prose(text), flags=re.MULTILINE)
    for word in NOT_OUR_SPANISH.findall(without_glosses):
        yield f"the glossary has another word for {word!r}"
