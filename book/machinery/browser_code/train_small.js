// On page 01: the report's SGD and Adam side by side, in the reader's browser; everything else is on the page "Train it here".
(() => {
  const live = (globalThis.fmnistLive ??= {});

  live.start("train_small", (place, words) => {
    const { element: h, fill, trainingPanel: { presets } } = live;
    const sides = [["a", "Adam", presets.model_2], ["b", "SGD", presets.model_1]].map(([letter, name, preset]) => {
      const run = live.train.workerRun((_, kind) => {
        if (kind === "finished" && runs().every(({ state }) => state === "finished")) say();
        show();
      });
      run.reset({ ...preset, num_epochs: 10 });
      return { letter, name, run };
    });
    const runs = () => sides.map(({ run }) => run);
    const accuracy = live.train.accuracyChart(words.val_accuracy), loss = live.train.lossChart(words.val_loss);
    const key = h("p", { class: "train-key train-names" }, ...sides.map(({ letter, name }) => h("span", { class: letter }, name)));
    const results = h("div", { hidden: true }, h("div", { class: "train-charts" }, loss.figure, accuracy.figure), key);
    const spoken = h("p", { class: "live-result", role: "status" });
    const inWords = () => sides.filter(({ run }) => run.last).map(({ name, run: { last } }) =>
      fill(words.says, { name, epoch: +last.epoch.toFixed(1), percent: (100 * last.val.accuracy).toFixed(1) })).join(" ");
    const say = () => { spoken.textContent = inWords(); };

    const show = live.calmly(() => {
      const running = runs().some(({ state }) => state === "running");
      go.textContent = running ? words.pause : words.start;
      go.disabled = runs().every(({ state }) => state === "finished");
      for (const [chart, quantity, title] of [[loss, "loss", words.val_loss], [accuracy, "accuracy", words.val_accuracy]]) {
        chart.draw(sides.map(({ letter, run }) => ({ look: `${letter} val`, points: run.rows.map((row) => [row.epoch, row.val[quantity]]) })), 10, `${title}. ${inWords()}`);
      }
      place.dataset.state = JSON.stringify(runs().map(({ state, rows }) => ({ state, rows: rows.map(({ epoch, val }) => [epoch, val.accuracy]) }))); // for tests
    });
    const go = h("button", { type: "button", class: "train-go", onclick: async () => {
      if (runs().some(({ state }) => state === "running")) {
        for (const run of runs()) run.stop();
        say();
        show();
        return;
      }
      spoken.textContent = words.loading;
      try {
        for (const run of runs().filter((one) => !one.opened())) {
          await run.open();
          run.reset(run.settings);
        }
      } catch {
        spoken.textContent = words.not_loaded;
        return;
      }
      results.hidden = false;
      for (const run of runs().filter(({ state }) => state !== "finished")) run.go();
      spoken.textContent = words.started;
      show();
    } }, words.start);
    place.append(h("div", { class: "live-controls" }, go), spoken, results);
    show();
  });
})();
