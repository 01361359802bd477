// Train it here: the network of page 01 trained by the reader's browser, one run or two side by side.
(() => {
  const live = (globalThis.fmnistLive ??= {});

  // --- Settings: in the address, and in the program -------------------------------------------------------------------
  // "#train&optimizer=sgd&b.seed=3": what is not as in the first preset; names with "b." are those of the second run.
  const MARK = "#train";

  const toAddress = (panel, first, second) => {
    const usual = Object.values(panel.presets)[0];
    const changed = (settings, prefix) => Object.keys(panel.choices)
      .filter((name) => settings[name] !== usual[name]).map((name) => `&${prefix}${name}=${settings[name]}`).join("");
    return MARK + changed(first, "") + (second ? `&b${changed(second, "b.")}` : "");
  };

  const fromAddress = (panel, address) => {
    const usual = Object.values(panel.presets)[0];
    if (!address.startsWith(MARK)) return { first: usual, second: null };
    const given = new URLSearchParams(address.slice(MARK.length));
    const read = (prefix) => Object.fromEntries(Object.entries(panel.choices).map(([name, choices]) =>
      [name, choices.find((choice) => `${choice}` === given.get(prefix + name)) ?? usual[name]]));
    return { first: read(""), second: given.has("b") ? read("b.") : null };
  };

  // The program in PyTorch that does the same, as training_data.program writes it.
  const programFor = (panel, settings) => {
    const hidden = [settings.hidden_1, settings.hidden_2].filter((units) => units > 0);
    const lines = Object.fromEntries(Object.entries(panel.lines).map(([name, choices]) => [name, choices[settings[name]]]));
    return live.fill(live.fill(panel.program, lines), { ...settings, hidden_sizes: `(${hidden.join(", ")}${hidden.length === 1 ? "," : ""})` });
  };

  live.experiments = { toAddress, fromAddress, programFor };

  live.start("train_here", (place, words) => {
    const { element: h, fill, labelled, trainingPanel: panel } = live;
    const { classes } = panel;
    const calm = matchMedia("(prefers-reduced-motion: reduce)");
    const percent = (share) => `${(100 * share).toFixed(1)} %`;

    // --- Two runs: their settings, their worker
    const side = (letter) => {
      const selects = Object.fromEntries(Object.entries(panel.choices).map(([name, choices]) =>
        [name, live.select(choices.map((choice) => [choice, words[choice] ?? `${name === "hidden_2" && !choice ? words.none : choice}`]), () => changed(own))]));
      const presets = live.select([["", words.own], ...Object.keys(panel.presets).map((name) => [name, words[name]])], () => {
        if (presets.value) take(own, panel.presets[presets.value]);
      });
      const told = h("p", { class: "live-hint" });
      const box = h("fieldset", { class: `train-side train-${letter}` }, h("legend", {}, words[`run_${letter}`]),
        labelled(words.preset, presets), told,
        h("details", { open: innerWidth > 576 }, h("summary", {}, words.settings),
          h("div", { class: "live-controls" }, ...Object.entries(selects).map(([name, select]) => labelled(words[name], select)))));
      const own = { letter, selects, presets, told, box, run: live.train.workerRun(report) };
      return own;
    };
    const settingsOf = ({ selects }) => Object.fromEntries(Object.entries(selects).map(([name, select]) => [name, panel.choices[name][select.selectedIndex]]));
    const put = (own, settings) => {
      for (const [name, select] of Object.entries(own.selects)) select.selectedIndex = panel.choices[name].indexOf(settings[name]);
      named(own);
      own.run.reset(settings);
    };
    const named = (own) => {
      const now = JSON.stringify(settingsOf(own)), keys = Object.keys(panel.choices);
      const same = Object.entries(panel.presets).find(([, preset]) => JSON.stringify(Object.fromEntries(keys.map((key) => [key, preset[key]]))) === now);
      own.presets.value = same?.[0] ?? "";
      own.told.textContent = same ? words[`${same[0]}_says`] : "";
    };
    const take = (own, settings) => { put(own, settings); remember(); show(); };
    const changed = (own) => take(own, settingsOf(own));
    const report = (run, kind) => {
      if (kind === "diverged" || kind === "finished") speak(run);
      show();
    };

    // --- What is drawn
    const loss = live.train.lossChart(words.loss), accuracy = live.train.accuracyChart(words.accuracy);
    const numbers = h("table", { class: "train-numbers" });
    const confusion = live.train.confusionTable(classes, words), garments = live.train.garmentRow(classes, words);
    const weights = h("canvas", { class: "train-weights", role: "img", "aria-label": words.weights });
    const spoken = h("p", { class: "live-result", role: "status" });
    const code = h("code", {}), pre = h("pre", { tabindex: "0", "aria-label": words.code }, code);
    const a = side("a"), b = side("b");
    const compare = h("input", { type: "checkbox", onchange: () => { both(); remember(); show(); } });
    const active = () => (compare.checked ? [a, b] : [a]);
    const shownSide = live.select([["a", words.run_a], ["b", words.run_b]], () => show());
    const shownLabel = labelled(words.shown, shownSide);
    const current = () => (compare.checked && shownSide.value === "b" ? b : a);
    const both = () => { b.box.hidden = shownLabel.hidden = !compare.checked; if (!compare.checked) b.run.stop(); };

    const series = (quantity) => active().flatMap(({ letter, run }) => ["train", "val"].map((set) =>
      ({ look: `${letter} ${set}`, points: run.rows.map((row) => [row.epoch, row[set][quantity]]) })));
    const inWords = ({ letter, run: { last, place } }) => (last
      ? fill(words.says, { run: words[`run_${letter}`], epoch: +last.epoch.toFixed(1), train: percent(last.train.accuracy), val: percent(last.val.accuracy), loss: last.val.loss.toFixed(3) })
      : `${words[`run_${letter}`]}: ${place.step}`);

    const rows = [
      [words.epoch, ({ run }) => `${run.place.epoch.toFixed(run.place.epoch < 10 ? 2 : 1)} / ${run.settings.num_epochs}`],
      [words.speed, ({ run }) => run.imagesASecond() || "–"],
      [words.seconds, ({ run }) => (run.place.milliseconds / 1000).toFixed(1)],
      [words.train_loss, ({ run }) => run.last?.train.loss.toFixed(3) ?? "–"],
      [words.val_loss, ({ run }) => run.last?.val.loss.toFixed(3) ?? "–"],
      [words.train_accuracy, ({ run }) => (run.last ? percent(run.last.train.accuracy) : "–")],
      [words.val_accuracy, ({ run }) => (run.last ? percent(run.last.val.accuracy) : "–")],
      [words.dead, ({ run }) => run.last?.val.dead.join(" + ") ?? "–"],
    ];
    const cells = rows.map(() => [h("td", {}), h("td", {})]);
    const heads = [a, b].map(({ letter }) => h("th", { scope: "col", class: `train-${letter}` }, words[`run_${letter}`]));
    numbers.append(h("caption", {}, words.numbers), h("thead", {}, h("tr", {}, h("td", {}), ...heads)),
      h("tbody", {}, ...rows.map(([name], n) => h("tr", {}, h("th", { scope: "row" }, name), ...cells[n]))));

    let drawn = null; // what the pictures below show
    const results = h("div", {},
      h("div", { class: "train-charts" }, loss.figure, accuracy.figure),
      h("p", { class: "train-key", "aria-hidden": "true" }, h("span", { class: "train" }, words.on_train), h("span", { class: "val" }, words.on_val)),
      numbers, shownLabel,
      h("h3", {}, words.garments), garments.row,
      h("div", { class: "train-wide", tabindex: "0", role: "region", "aria-label": words.confusion }, confusion.table),
      h("h3", {}, words.weights), h("p", { class: "live-hint" }, words.weights_hint), weights);

    const paint = live.calmly(() => {
      const running = active().some(({ run }) => run.state === "running");
      const epochs = Math.max(...active().map(({ run }) => run.settings.num_epochs));
      const said = active().map(inWords).join(" ");
      go.textContent = running ? words.pause : words.start;
      go.disabled = !running && active().every(({ run }) => ["finished", "diverged"].includes(run.state));
      once.disabled = running || go.disabled;
      loss.draw(series("loss"), epochs, `${words.loss}. ${said}`);
      accuracy.draw(series("accuracy"), epochs, `${words.accuracy}. ${said}`);
      heads[1].hidden = !compare.checked;
      rows.forEach(([, value], n) => [a, b].forEach((own, m) => {
        cells[n][m].hidden = m === 1 && !compare.checked;
        cells[n][m].textContent = value(own);
      }));
      const { last } = current().run;
      if (last && last !== drawn) {
        drawn = last;
        confusion.fill(last.val.confusion);
        garments.fill(last.probabilities);
        live.train.paintWeights(weights, last.weights);
      }
      place.dataset.state = JSON.stringify(active().map(({ run }) => ({ // for tests
        state: run.state, settings: run.settings, step: run.place.step, rows: run.rows.map(({ epoch, val, train }) => [epoch, val.loss, val.accuracy, train.loss, train.accuracy]),
      })));
    });
    let later = null; // with reduced motion, pictures change once every two seconds
    const show = () => {
      const text = programFor(panel, settingsOf(current()));
      if (code.textContent !== text) code.textContent = text;
      if (!calm.matches || !active().some(({ run }) => run.state === "running")) { paint(); return; }
      later ??= setTimeout(() => { later = null; paint(); }, 2000);
    };
    const speak = (run) => {
      const own = [a, b].find((one) => one.run === run);
      spoken.textContent = run.state === "diverged" ? fill(words.diverged, { run: words[`run_${own.letter}`], step: run.place.step }) : inWords(own);
    };

    // --- Starting
    const opened = async () => {
      spoken.textContent = words.loading;
      place.setAttribute("aria-busy", "true");
      try {
        for (const { run } of active().filter(({ run }) => !run.opened())) {
          const { test } = await run.open();
          garments.paint(test);
          run.reset(run.settings);
        }
        spoken.textContent = "";
        results.hidden = false;
        return true;
      } catch {
        spoken.textContent = words.not_loaded;
        return false;
      } finally {
        place.removeAttribute("aria-busy");
      }
    };
    const able = ({ run }) => !["finished", "diverged"].includes(run.state);
    const go = h("button", { type: "button", class: "train-go", onclick: async () => {
      if (active().some(({ run }) => run.state === "running")) {
        for (const { run } of active()) run.stop();
        spoken.textContent = active().map(inWords).join(" ");
      } else if (await opened()) {
        for (const { run } of active().filter(able)) run.go();
        spoken.textContent = words.started;
      }
      show();
    } }, words.start);
    const once = h("button", { type: "button", onclick: async () => {
      if (await opened()) for (const { run } of active().filter(able)) run.once();
    } }, words.step);
    const again = h("button", { type: "button", onclick: () => {
      for (const own of active()) put(own, settingsOf(own));
      spoken.textContent = words.was_reset;
      show();
    } }, words.reset);

    // --- The address and the program
    const remember = () => history.replaceState(null, "", toAddress(panel, settingsOf(a), compare.checked ? settingsOf(b) : null));
    const recall = () => {
      const { first, second } = fromAddress(panel, location.hash);
      put(a, first);
      put(b, second ?? panel.presets.model_1);
      compare.checked = second !== null;
      both();
      show();
    };
    addEventListener("hashchange", () => { if (location.hash.startsWith(MARK)) recall(); });
    const copy = (text) => async () => {
      try {
        await navigator.clipboard.writeText(text());
        spoken.textContent = words.copied;
      } catch {
        spoken.textContent = words.not_copied;
      }
    };

    results.hidden = true;
    place.append(
      h("div", { class: "train-sides" }, a.box, b.box),
      h("p", {}, h("label", { class: "train-check" }, compare, words.compare)),
      h("div", { class: "live-controls" }, go, once, again, h("button", { type: "button", onclick: copy(() => location.href) }, words.link)),
      spoken, results,
      h("h3", {}, words.code), pre,
      h("p", {}, h("button", { type: "button", onclick: copy(() => code.textContent) }, words.copy)));
    recall();
  });
})();
