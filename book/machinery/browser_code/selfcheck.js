// The self-check of a page: the button of a question says whether the chosen answer is right, and why. Nothing is kept or sent.
// Without this script the explanations below each question can still be opened.
(() => {
  const questions = [...document.querySelectorAll("fieldset.question")];

  const block = (name, ...content) => {
    const made = document.createElement("div");
    made.className = name;
    made.append(...content);
    return made;
  };

  const say = (question, words) => {
    const chosen = question.querySelector("input:checked");
    if (!chosen) return [block("question-none", words.none)];
    const right = chosen.value === question.dataset.right;
    question.dataset.answered = right ? "right" : "wrong";
    const explanation = question.querySelectorAll(":scope > details > ol > li")[chosen.value - 1].cloneNode(true);
    const count = questions.filter((other) => other.dataset.answered === "right").length;
    return [
      block("question-verdict", right ? words.right : words.wrong),
      block("question-why", ...explanation.childNodes),
      block("question-count", words.count.replace("{}", count).replace("{}", questions.length)),
    ];
  };

  for (const question of questions) {
    const button = question.querySelector(":scope > button");
    const status = question.querySelector(":scope > [role=status]");
    button.hidden = false;
    button.addEventListener("click", () => status.replaceChildren(...say(question, JSON.parse(question.dataset.words))));
    question.addEventListener("change", () => {  // what was said is about another answer
      delete question.dataset.answered;
      status.replaceChildren();
    });
  }
})();
