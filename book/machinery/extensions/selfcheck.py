"""The directive ``question`` of the self-check, and predictions chosen before the result.

A question has three or four answers, every one explained.

Its content is ordinary Markdown: the question, a numbered list of answers, a rule (``---``), and a
numbered list that explains the answers in the same order. The explanation of the right one, and no
other, begins in bold::

    :::{question}
    What does dropout do in evaluation?

    1. The same as in training.
    2. It halves the outputs.
    3. Nothing.

    ---

    1. Only if `model.eval()` was forgotten, which is why one fears it.
    2. The scale was seen to already: in training, what survives is multiplied.
    3. **Nothing at all.** It lets everything through.
    :::

Or it asks for a number, ``= value ± tolerance unit`` (what is allowed is off by so much at most).
The explanation begins in bold as well; a list after it explains numbers that tempt::

    = 100480 ± 0 parameters

    ---

    **784 × 128 + 128.** Each unit has one weight a pixel, and a bias.

    - 100352: the biases are missing.

Without a script a reader opens the explanations; ``selfcheck.js`` adds the button that checks an
answer. It also makes the numbered list of an admonition ``predict`` a choice, and covers what the
cells after it show until one is chosen.
"""

from __future__ import annotations

import json
import re

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from book.machinery.pages import NUMBER

WORDS = {
    "es": {
        "question": "Pregunta {}.", "check": "Comprobar", "explained": "Las respuestas, explicadas", "right": "Correcto.",
        "wrong": "No es esa.", "none": "Primero hay que elegir una respuesta.", "count": "Aciertos en esta página: {} de {}.",
        "number": "Un número:", "other": "No es ese.", "unread": "Hace falta un número, por ejemplo 0.25.",
        "covered": "Mostrar el resultado sin predecir", "chosen": "Predicción elegida: {}. El resultado ya se ve, para comparar.",
        "compare": "Predicción: {}.", "remember": "Recordarla en este navegador",
    },
    "en": {
        "question": "Question {}.", "check": "Check", "explained": "The answers, explained", "right": "Right.",
        "wrong": "Not that one.", "none": "First choose an answer.", "count": "Right so far on this page: {} of {}.",
        "number": "A number:", "other": "Not that one.", "unread": "A number is needed, such as 0.25.",
        "covered": "Show the result without predicting", "chosen": "Prediction chosen: {}. The result can be seen now, to compare.",
        "compare": "Prediction: {}.", "remember": "Remember it in this browser",
    },
}  # fmt: skip
FEW, MANY = 3, 4
MISTAKE = re.compile(r"(-?[\d.]+): ")


class element(nodes.General, nodes.Element):
    """An HTML element: its name in ``tag``, its attributes in ``html``."""


def visit(translator, node):
    translator.body.append(translator.starttag(node, node["tag"], "", **node["html"]))


def depart(translator, node):
    translator.body.append("" if node["tag"] == "input" else f"</{node['tag']}>\n")


def html(tag, *children, classes=(), **attributes):
    """Return an HTML element; an underscore in an attribute's name becomes a hyphen."""
    return element(
        "",
        *children,
        tag=tag,
        classes=[*classes],
        html={k.replace("_", "-"): v for k, v in attributes.items()},
    )


class Question(SphinxDirective):
    """Turn the two lists into radio buttons, or a number's field, and folded explanations."""

    has_content = True

    def run(self):
        parsed = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, parsed)
        number = self.env.temp_data["questions"] = self.env.temp_data.get("questions", 0) + 1
        words = WORDS.get(self.config.language, WORDS["en"])
        asks_number = any(NUMBER.fullmatch(node.astext()) for node in parsed)
        parts = self._number if asks_number else self._choice
        asked, fields, explained, data = parts(parsed.children, words, f"question-{number}")
        asks = nodes.inline("", "", *asked[0].children)  # references want a parent that holds text
        legend = html(
            "legend", nodes.strong("", words["question"].format(number)), nodes.Text(" "), asks
        )
        self.env.metadata[self.env.docname]["selfcheck"] = True
        return [
            html(
                "fieldset",
                legend,
                *asked[1:],
                *fields,
                html("button", nodes.Text(words["check"]), type="button", hidden="hidden"),
                html("div", role="status", aria_live="polite"),
                html("details", html("summary", nodes.Text(words["explained"])), *explained),
                classes=["question"],
                data_words=json.dumps(words, ensure_ascii=False),
                **data,
            )
        ]

    def _choice(self, parsed, words, name):
        """Return the question, the radio buttons, the explanations, and which answer is right."""
        *asked, answers, explanations = self._parts(parsed)
        choices = [
            html(
                "label",
                html("input", type="radio", name=name, value=str(value)),
                nodes.inline("", f"{value}."),
                nodes.inline("", "", *answer[0].children),
            )
            for value, answer in enumerate(answers, start=1)
        ]
        return asked, choices, [explanations], {"data_right": str(self._right(explanations))}

    def _number(self, parsed, words, name):
        """Return the question, the number's field, the explanations, and what they explain."""
        kinds = [type(node) for node in parsed]
        place = kinds.index(nodes.transition) if nodes.transition in kinds else 0
        explained, tempting = parsed[place + 1 :], []
        given = NUMBER.fullmatch(parsed[place - 1].astext()) if place >= 2 else None
        is_explained = explained and self._begins_in_bold(explained[0])
        if not given or kinds[0] != nodes.paragraph or not is_explained:
            raise self.error(
                "question: a paragraph that asks, = value ± tolerance unit, ---, an explanation that begins in bold"
            )
        if isinstance(explained[-1], nodes.bullet_list):
            found = [MISTAKE.match(item.astext()) for item in explained[-1]]
            if not all(found):
                raise self.error("question: a number that tempts is explained as «- 100352: why»")
            tempting = [match[1] for match in found]
        right, within, unit = given.groups()
        label = html(
            "label",
            nodes.inline("", words["number"]),
            html("input", type="text", inputmode="decimal", autocomplete="off", size="12"),
            nodes.inline("", unit),
            classes=["number"],
        )
        data = {"data_right": right, "data_within": within, "data_tempting": json.dumps(tempting)}
        return parsed[: place - 1], [label], explained, data

    def _parts(self, parsed):
        """Return the blocks of the question, its answers and their explanations."""
        kinds = [type(node) for node in parsed]
        if kinds[-3:] != [nodes.enumerated_list, nodes.transition, nodes.enumerated_list] or kinds[
            :1
        ] != [nodes.paragraph]:
            raise self.error(
                "question: a paragraph that asks, a numbered list of answers, ---, a numbered list of explanations"
            )
        *asked, answers, _, explanations = parsed
        if not FEW <= len(answers) <= MANY:
            raise self.error(f"question: {len(answers)} answers, not {FEW} to {MANY}")
        if len(explanations) != len(answers):
            raise self.error(
                f"question: {len(answers)} answers and {len(explanations)} explanations; every answer has its own"
            )
        if any([type(block) for block in answer] != [nodes.paragraph] for answer in answers):
            raise self.error("question: every answer is one paragraph")
        return [*asked, answers, explanations]

    def _right(self, explanations):
        numbered = enumerate(explanations, start=1)
        right = [number for number, one in numbered if self._begins_in_bold(one)]
        if len(right) != 1:
            raise self.error(
                f"question: {len(right)} explanations begin in bold, which marks the right answer; exactly one does"
            )
        return right[0]

    def _begins_in_bold(self, explanation):
        # MyST leaves empty texts.
        here = explanation.next_node(lambda node: isinstance(node, nodes.Text) and node.strip())
        while here not in (None, explanation) and not isinstance(here, nodes.strong):
            here = here.parent  # a formula, say, may stand between
        return isinstance(here, nodes.strong)


def choose(app, doctree):
    """Give a ``predict`` box that has a numbered list the words for choosing from it."""
    words = json.dumps(WORDS.get(app.config.language, WORDS["en"]), ensure_ascii=False)
    for box in doctree.findall(nodes.admonition):
        lists = [part for part in box if isinstance(part, nodes.enumerated_list)]
        if "predict" in box["classes"] and lists:
            live = {"role": "status", "aria_live": "polite", "data_words": words}
            box += html("div", classes=["predicted"], **live)
            app.env.metadata[app.env.docname]["selfcheck"] = True


def load(app, pagename, templatename, context, doctree):
    """Load script and styles on a page with questions or predictions; live.py copies them."""
    if "selfcheck" in app.env.metadata.get(pagename, {}):
        app.add_js_file("selfcheck.js", loading_method="defer")
        app.add_css_file("selfcheck.css")


def setup(app):
    app.add_directive("question", Question)
    app.add_node(element, html=(visit, depart))
    app.connect("doctree-read", choose)
    app.connect("html-page-context", load)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
