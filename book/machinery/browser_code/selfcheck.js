// What a reader answers on a page: the questions of the self-check, and predictions. Nothing is sent; a prediction is kept in the
// browser if the reader asks for it. Without this script the explanations can be opened, and results are simply there.
(() => {
  const block = (tag, name, ...content) => {
    const made = document.createElement(tag);
    made.className = name;
    made.append(...content);
    return made;
  };
  const fill = (text, ...values) => values.reduce((filled, value) => filled.replace("{}", value), text);

  // --- Questions ----------------------------------------------------------------------------------------------------------

  const questions = [...document.querySelectorAll("fieldset.question")];

  // The numbers that a text may mean: 1,234 and 1.234 are read in both ways, and 1/4 is a number.
  const readings = (text) => {
    const plain = text.replace(/[\s\u00a0\u2009\u202f%]/g, "").replace(/[−–]/g, "-");
    const quotient = (part) => part.split("/").map((one) => (one === "" ? NaN : Number(one))).reduce((a, b) => a / b);
    return [plain.replaceAll(",", ""), plain.replaceAll(".", "").replace(",", ".")].map(quotient).filter(Number.isFinite);
  };

  // Whether the answer is right, and what explains it.
  const judged = (question) => {
    const { right, within, tempting } = question.dataset;
    const explained = [...question.querySelectorAll(":scope > details > :not(summary)")];
    if (within === undefined) {
      const chosen = question.querySelector("input:checked");
      return chosen && { right: chosen.value === right, why: explained[0].children[chosen.value - 1].childNodes };
    }
    const found = readings(question.querySelector("input").value);
    const is = (number) => found.some((value) => Math.abs(value - number) <= Number(within) + 1e-9 * Math.abs(number));
    if (!found.length) return null;
    if (is(Number(right))) return { right: true, why: explained.filter((part) => part.tagName !== "UL") };
    const place = JSON.parse(tempting).findIndex((number) => is(Number(number)));
    return { right: false, why: place < 0 ? [] : explained.at(-1).children[place].childNodes };
  };

  const say = (question, words) => {
    const verdict = judged(question);
    if (!verdict) return [block("div", "question-none", question.dataset.within === undefined ? words.none : words.unread)];
    question.dataset.answered = verdict.right ? "right" : "wrong";
    const wrong = question.dataset.within === undefined ? words.wrong : words.other;
    const count = questions.filter((other) => other.dataset.answered === "right").length;
    return [
      block("div", "question-verdict", verdict.right ? words.right : wrong),
      block("div", "question-why", ...[...verdict.why].map((node) => node.cloneNode(true))),
      block("div", "question-count", fill(words.count, count, questions.length)),
    ];
  };

  for (const question of questions) {
    const button = question.querySelector(":scope > button");
    const status = question.querySelector(":scope > [role=status]");
    button.hidden = false;
    button.addEventListener("click", () => status.replaceChildren(...say(question, JSON.parse(question.dataset.words))));
    question.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.type === "text") button.click();
    });
    question.addEventListener("input", () => {  // what was said is about another answer
      delete question.dataset.answered;
      status.replaceChildren();
    });
  }

  // --- Predictions --------------------------------------------------------------------------------------------------------

  const kept = {  // where the browser allows it
    get: (key) => { try { return localStorage.getItem(key); } catch { return null; } },
    set: (key, value) => { try { value ? localStorage.setItem(key, value) : localStorage.removeItem(key); } catch { /* not kept */ } },
  };

  // What the cells between a prediction and the next heading or prediction show.
  const results = (box) => {
    const found = [];
    for (let next = box.nextElementSibling; next && !next.matches("section, .predict"); next = next.nextElementSibling) {
      found.push(...next.querySelectorAll(".cell_output"));
    }
    return found;
  };

  document.querySelectorAll(".admonition.predict").forEach((box, number) => {
    const status = box.querySelector(":scope > .predicted");
    if (!status) return;
    const words = JSON.parse(status.dataset.words);
    const key = `prediction ${location.pathname} ${number}`;
    const items = [...box.querySelectorAll(":scope > ol > li")];
    const outputs = results(box);
    const remember = block("input", "");
    remember.type = "checkbox";
    const keeping = block("label", "remember", remember, ` ${words.remember}`);
    keeping.hidden = true;
    status.after(keeping);

    const show = () => {
      for (const output of outputs) {
        output.classList.remove("covered");
        output.querySelector(":scope > .uncover")?.remove();
      }
    };
    const choose = (place) => {
      items[place].querySelector("input").checked = true;
      const said = [...items[place].querySelector("label").childNodes].slice(1).map((node) => node.cloneNode(true));
      status.textContent = fill(words.chosen, place + 1);
      keeping.hidden = false;
      show();
      outputs[0]?.querySelector(":scope > .compare")?.remove();
      outputs[0]?.prepend(block("div", "compare", fill(words.compare, place + 1), " ", ...said));
      kept.set(key, remember.checked ? String(place + 1) : "");
    };

    items.forEach((item, place) => {
      const input = block("input", "");
      Object.assign(input, { type: "radio", name: key, value: place + 1 });
      item.replaceChildren(block("label", "", input, ...item.childNodes));
      input.addEventListener("change", () => choose(place));
    });
    remember.addEventListener("change", () => {
      kept.set(key, remember.checked ? box.querySelector("input:checked").value : "");
    });

    for (const output of outputs) {
      const button = block("button", "uncover", words.covered);
      button.type = "button";
      button.addEventListener("click", show);
      output.classList.add("covered");
      output.append(button);
    }
    const before = Number(kept.get(key));
    if (items[before - 1]) {
      remember.checked = true;
      choose(before - 1);
    }
    const visited = () => {  // a link that leads into a result
      const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if (outputs.some((output) => target && (output.contains(target) || target.contains(output)))) show();
    };
    addEventListener("hashchange", visited);
    visited();
  });
})();
