"""The directive ``question``: one question of a page's self-check, with three or four answers, every one explained.

Its content is ordinary Markdown: the question, a numbered list of answers, a rule (``---``), and a numbered list that explains
the answers in the same order. The explanation of the right one, and no other, begins in bold::

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

Without a script a reader opens the explanations; ``selfcheck.js`` adds the button that checks an answer, on pages with questions.
"""

from __future__ import annotations

import json

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

WORDS = {
    "es": {
        "question": "Pregunta {}.", "check": "Comprobar", "explained": "Las respuestas, explicadas", "right": "Correcto.",
        "wrong": "No es esa.", "none": "Primero hay que elegir una respuesta.", "count": "Aciertos en esta página: {} de {}.",
    },
    "en": {
        "question": "Question {}.", "check": "Check", "explained": "The answers, explained", "right": "Right.",
        "wrong": "Not that one.", "none": "First choose an answer.", "count": "Right so far on this page: {} of {}.",
    },
}  # fmt: skip
FEW, MANY = 3, 4


class element(nodes.General, nodes.Element):
    """An HTML element: its name in ``tag``, its attributes in ``html``."""


def visit(translator, node):
    translator.body.append(translator.starttag(node, node["tag"], "", **node["html"]))


def depart(translator, node):
    translator.body.append("" if node["tag"] == "input" else f"</{node['tag']}>\n")


def html(tag, *children, classes=(), **attributes):
    """Return an HTML element around ``children``; an underscore in the name of an attribute becomes a hyphen."""
    return element(
        "",
        *children,
        tag=tag,
        classes=[*classes],
        html={k.replace("_", "-"): v for k, v in attributes.items()},
    )


class Question(SphinxDirective):
    """Turn the two lists into a group of radio buttons and folded explanations."""

    has_content = True

    def run(self):
        parsed = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, parsed)
        *asked, answers, explanations = self._parts(parsed.children)
        number = self.env.temp_data["questions"] = self.env.temp_data.get("questions", 0) + 1
        words = WORDS.get(self.config.language, WORDS["en"])
        name = f"question-{number}"
        asks = nodes.inline("", "", *asked[0].children)  # references want a parent that holds text
        legend = html(
            "legend", nodes.strong("", words["question"].format(number)), nodes.Text(" "), asks
        )
        choices = [
            html(
                "label",
                html("input", type="radio", name=name, value=str(value)),
                nodes.inline("", f"{value}."),
                nodes.inline("", "", *answer[0].children),
            )
            for value, answer in enumerate(answers, start=1)
        ]
        right = self._right(explanations)
        said = {key: words[key] for key in ("right", "wrong", "none", "count")}
        self.env.metadata[self.env.docname]["selfcheck"] = True
        return [
            html(
                "fieldset",
                legend,
                *asked[1:],
                *choices,
                html("button", nodes.Text(words["check"]), type="button", hidden="hidden"),
                html("div", role="status", aria_live="polite"),
                html("details", html("summary", nodes.Text(words["explained"])), explanations),
                classes=["question"],
                data_right=str(right),
                data_words=json.dumps(said, ensure_ascii=False),
            )
        ]

    def _parts(self, parsed):
        """Return the blocks of the question, the list of answers and the list of explanations, or say what is wrong."""
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
        right = [
            number
            for number, explanation in enumerate(explanations, start=1)
            if self._begins_in_bold(explanation)
        ]
        if len(right) != 1:
            raise self.error(
                f"question: {len(right)} explanations begin in bold, which marks the right answer; exactly one does"
            )
        return right[0]

    def _begins_in_bold(self, explanation):
        here = explanation.next_node(
            lambda node: isinstance(node, nodes.Text) and node.strip()
        )  # MyST leaves empty ones
        while here not in (None, explanation) and not isinstance(here, nodes.strong):
            here = here.parent  # a formula, say, may stand between
        return isinstance(here, nodes.strong)


def load(app, pagename, templatename, context, doctree):
    """Load the script and the styles on a page with questions; book_live.py has them copied."""
    if "selfcheck" in app.env.metadata.get(pagename, {}):
        app.add_js_file("selfcheck.js", loading_method="defer")
        app.add_css_file("selfcheck.css")


def setup(app):
    app.add_directive("question", Question)
    app.add_node(element, html=(visit, depart))
    app.connect("html-page-context", load)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
