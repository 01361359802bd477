// Report 2's autoencoder, trained by the reader's browser: its reconstructions beside PCA's with as many numbers.
(() => {
  const live = (globalThis.fmnistLive ??= {});
  const EPOCHS = 15, HIGHEST = 0.1; // of the chart: the mean squared error of a black image is about there

  live.start("train_autoencoder", (place, words) => {
    const { element: h, fill, labelled, trainingPanel: panel } = live;
    const usual = Object.values(panel.presets)[0];
    const run = live.train.workerRun((_, kind) => {
      if (kind === "finished" || kind === "diverged") say();
      show();
    });
    let pictures = null, pca = null, drawn = null;

    const latent = live.select(panel.latentDims.map((size) => [size, size]), () => reset());
    const dropout = live.select([0, 0.1, 0.5].map((share) => [share, share]), () => reset());
    latent.value = "64";
    dropout.value = "0.1";
    const settings = () => ({ ...usual, latent_dim: +latent.value, dropout: +dropout.value, num_epochs: EPOCHS });
    const chart = live.train.chart(words.loss, HIGHEST, [[0, "0"], [0.025, "0.025"], [0.05, "0.050"], [0.075, "0.075"], [0.1, "0.100"]]);
    const row = (title) => {
      const canvases = panel.classes.map((name) => live.canvas({ role: "img", "aria-label": `${title}: ${name}` }));
      return { title: h("p", { class: "live-hint" }, title), canvases, shown: h("div", { class: "train-row" }, ...canvases) };
    };
    const rows = { test: row(words.originals), now: row(words.reconstructions), pca: row(words.pca) };
    const paint = ({ canvases }, bytes) => canvases.forEach((canvas, n) => live.paint(canvas, live.train.picture(bytes, n)));
    const spoken = h("p", { class: "live-result", role: "status" });
    const results = h("div", { hidden: true }, h("div", { class: "train-charts" }, chart.figure),
      h("p", { class: "train-key", "aria-hidden": "true" }, h("span", { class: "train" }, words.on_train), h("span", { class: "val" }, words.on_val), h("span", { class: "pca" }, words.pca)),
      ...Object.values(rows).flatMap(({ title, shown }) => [title, shown]));

    const inWords = () => fill(words.says, { epoch: +run.last.epoch.toFixed(1), loss: run.last.val.loss.toFixed(4), size: latent.value, pca: pca[latent.value].toFixed(4) });
    const say = () => { spoken.textContent = run.state === "diverged" ? words.diverged : inWords(); };
    const show = live.calmly(() => {
      const running = run.state === "running", over = ["finished", "diverged"].includes(run.state);
      go.textContent = running ? words.pause : words.start;
      go.disabled = over;
      once.disabled = running || over;
      const { last } = run;
      if (!last || last === drawn) return;
      drawn = last;
      const series = ["train", "val"].map((set) => ({ look: `a ${set}`, points: run.rows.map((one) => [one.epoch, one[set].loss]) }));
      series.push({ look: "pca", points: [[0, pca[latent.value]], [EPOCHS, pca[latent.value]]] });
      chart.draw(series, EPOCHS, `${words.loss}. ${inWords()}`);
      paint(rows.now, last.reconstructions);
      paint(rows.pca, pictures[`pca_${latent.value}`]);
      place.dataset.state = JSON.stringify({ state: run.state, pca: pca[latent.value], rows: run.rows.map(({ epoch, val }) => [epoch, val.loss]) }); // for tests
    });

    const opened = async () => {
      if (run.opened()) return true;
      spoken.textContent = words.loading;
      try {
        ({ pca } = await live.train.images());
        pictures = await run.open();
      } catch {
        spoken.textContent = words.not_loaded;
        return false;
      }
      paint(rows.test, pictures.test);
      run.reset(settings());
      spoken.textContent = "";
      results.hidden = false;
      return true;
    };
    const reset = () => { run.reset(settings()); show(); };
    const go = h("button", { type: "button", class: "train-go", onclick: async () => {
      if (run.state === "running") { run.stop(); say(); }
      else if (await opened()) { run.go(); spoken.textContent = words.started; }
      show();
    } }, words.start);
    const once = h("button", { type: "button", onclick: async () => { if (await opened()) run.once(); } }, words.step);
    place.append(
      h("div", { class: "live-controls" }, labelled(words.latent_dim, latent), labelled(words.dropout, dropout),
        go, once, h("button", { type: "button", onclick: reset }, words.reset)),
      spoken, results);
    reset();
  });
})();
