// What the panels that train share: the data, the worker of a run, and the pictures of what it has learned.
(() => {
  const live = (globalThis.fmnistLive ??= {});
  const SVG = "http://www.w3.org/2000/svg", SIDE = 28;
  const WIDE = 340, HIGH = 200, LEFT = 38, BOTTOM = 24, TOP = 8, RIGHT = 8; // units of a chart

  const svg = (tag, attributes = {}, ...children) => {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };

  // The images, which are asked for when a panel is started and not before.
  let loading = null;
  const images = () => (loading ??= new Promise((done, fail) => {
    const beside = document.querySelector('script[src*="/live.js"]').src;
    const script = live.element("script", { src: new URL(live.trainingPanel.images, beside).href });
    script.onload = () => done(live.trainingImages);
    script.onerror = () => { loading = null; fail(new Error(script.src)); };
    document.head.append(script);
  }));

  // A run in a worker of its own. What it was last told and has measured: settings, rows, last, state.
  const workerRun = (report) => {
    let worker = null;
    const run = { settings: null, rows: [], last: null, place: { step: 0, epoch: 0, milliseconds: 0 }, state: "ready" };
    const send = (order, more = {}) => worker.postMessage({ order, ...more });
    let opened = null;
    const heard = ({ data: { kind, ...found } }) => {
      if (kind === "opened") { opened(found.pictures); return; }
      run.place = found;
      if (kind === "measured") run.rows.push((run.last = found));
      else if (kind !== "progress") run.state = kind; // finished, diverged
      report(run, kind);
    };
    // Start the worker; what comes is the pictures of its small sets.
    run.open = async () => {
      const packed = await images();
      const address = URL.createObjectURL(new Blob([live.workerText()], { type: "text/javascript" }));
      worker = new Worker(address);
      worker.onmessage = heard;
      const pictures = new Promise((done) => { opened = done; });
      send("open", { packed });
      return pictures;
    };
    run.reset = (settings) => {
      run.settings = settings;
      run.rows = [];
      run.last = null;
      run.state = "ready";
      run.place = { step: 0, epoch: 0, milliseconds: 0 };
      if (worker) send("reset", { settings });
    };
    run.go = () => { run.state = "running"; send("run"); };
    run.stop = () => { if (run.state === "running") run.state = "paused"; if (worker) send("pause"); };
    run.once = () => { run.state = "paused"; send("step"); };
    run.opened = () => worker !== null;
    run.imagesASecond = () => {
      const { step, milliseconds } = run.place, { batch_size: batch, train_size: size } = run.settings;
      return milliseconds ? Math.round((1000 * step * Math.min(batch, size)) / milliseconds) : 0;
    };
    return run;
  };

  // A chart of lines over the epochs. draw([{ points: [[epoch, value], …], look: "a val" }, …], epochs).
  const chart = (title, highest, marks) => {
    const drawing = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": title });
    const y = (value) => HIGH - BOTTOM - (Math.min(value, highest) / highest) * (HIGH - BOTTOM - TOP);
    for (const [value, words] of marks) {
      drawing.append(svg("line", { class: "train-grid", x1: LEFT, x2: WIDE - RIGHT, y1: y(value), y2: y(value) }),
        svg("text", { x: LEFT - 5, y: y(value) + 4, "text-anchor": "end" }, words));
    }
    const lines = svg("g"), axis = svg("g");
    drawing.append(lines, axis);
    const draw = (series, epochs, said) => {
      const x = (epoch) => LEFT + (epoch / epochs) * (WIDE - LEFT - RIGHT);
      const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => share * epochs).filter((tick) => Number.isInteger(tick));
      axis.replaceChildren(...ticks.map((tick) => svg("text", { x: x(tick), y: HIGH - 7, "text-anchor": tick === epochs ? "end" : "middle" }, `${tick}`)));
      lines.replaceChildren(...series.map(({ points, look }) => svg("polyline", {
        class: `train-line ${look}`,
        points: points.filter(([, value]) => Number.isFinite(value)).map(([epoch, value]) => `${x(epoch).toFixed(1)},${y(value).toFixed(1)}`).join(" "),
      })));
      drawing.setAttribute("aria-label", said);
    };
    return { figure: live.element("figure", {}, live.element("figcaption", {}, title), drawing), draw };
  };
  const lossChart = (title) => chart(title, 3, [[0, "0"], [1, "1"], [2, "2"], [3, "3"]]);
  const accuracyChart = (title) => chart(title, 1, [[0, "0 %"], [0.25, "25 %"], [0.5, "50 %"], [0.75, "75 %"], [1, "100 %"]]);

  // The weights of the units of the first layer, one picture each: blue above zero, orange below, each to its own scale.
  const COLUMNS = 16;
  const paintWeights = (canvas, weights) => {
    const units = weights.length / SIDE ** 2, rows = Math.ceil(units / COLUMNS), cell = SIDE + 1;
    const across = Math.min(units, COLUMNS) * cell - 1;
    canvas.width = across;
    canvas.height = rows * cell - 1;
    canvas.style.aspectRatio = `${canvas.width} / ${canvas.height}`;
    const picture = new ImageData(canvas.width, canvas.height);
    for (let unit = 0; unit < units; unit++) {
      const own = weights.subarray(unit * SIDE ** 2, (unit + 1) * SIDE ** 2);
      let largest = 1e-9;
      for (const weight of own) largest = Math.max(largest, Math.abs(weight));
      const start = Math.floor(unit / COLUMNS) * cell * across + (unit % COLUMNS) * cell;
      own.forEach((weight, at) => {
        const share = weight / largest, pale = 1 - Math.abs(share), end = share > 0 ? [0, 114, 178] : [213, 94, 0];
        const place = 4 * (start + Math.floor(at / SIDE) * across + (at % SIDE));
        for (let c = 0; c < 3; c++) picture.data[place + c] = end[c] + (255 - end[c]) * pale;
        picture.data[place + 3] = 255;
      });
    }
    canvas.getContext("2d").putImageData(picture, 0, 0);
  };

  // A table of hits and mistakes: a row for each true class, a column for each answer.
  const confusionTable = (classes, words) => {
    const { element: h } = live;
    const cells = Array.from({ length: 100 }, () => h("td", {}));
    const head = h("tr", {}, h("td", {}), ...classes.map((name) => h("th", { scope: "col" }, h("span", {}, name))));
    const rows = classes.map((name, n) => h("tr", {}, h("th", { scope: "row" }, name), ...cells.slice(10 * n, 10 * n + 10)));
    const table = h("table", { class: "train-confusion" }, h("caption", {}, words.confusion), h("thead", {}, head), h("tbody", {}, ...rows));
    const fill = (counts) => cells.forEach((cell, at) => {
      const whole = counts.slice(10 * Math.floor(at / 10), 10 * Math.floor(at / 10) + 10).reduce((sum, one) => sum + one, 0);
      cell.textContent = counts[at] || "";
      cell.style.setProperty("--much", `${Math.round((100 * counts[at]) / Math.max(1, whole))}%`);
      cell.classList.toggle("mistake", at % 11 !== 0);
    });
    return { table, fill };
  };

  // Garments with what the network says of each: ten bars, the true class marked.
  const garmentRow = (classes, words) => {
    const { element: h } = live;
    const shown = classes.map((name) => {
      const canvas = live.canvas({ "aria-hidden": "true" }), said = h("figcaption", {}, name);
      const bars = classes.map((_, label) => h("span", label === classes.indexOf(name) ? { class: "true" } : {}));
      return { canvas, said, bars, figure: h("figure", {}, canvas, h("div", { class: "train-bars", "aria-hidden": "true" }, ...bars), said) };
    });
    const paint = (bytes) => shown.forEach(({ canvas }, n) => live.paint(canvas, live.train.picture(bytes, n)));
    const fill = (probabilities) => shown.forEach(({ said, bars, figure }, n) => {
      const own = probabilities[n], best = own.indexOf(Math.max(...own));
      bars.forEach((bar, label) => bar.style.setProperty("--much", `${(100 * own[label]).toFixed(1)}%`));
      figure.classList.toggle("wrong", best !== n);
      said.textContent = live.fill(best === n ? words.right : words.wrong, { name: classes[n], said: classes[best], percent: Math.round(100 * own[best]) });
    });
    return { row: h("div", { class: "live-row train-garments" }, ...shown.map(({ figure }) => figure)), paint, fill };
  };

  // The n-th picture among bytes, from 0 to 1.
  const picture = (bytes, n) => Float32Array.from(bytes.subarray(n * SIDE ** 2, (n + 1) * SIDE ** 2), (byte) => byte / 255);

  live.train = { images, picture, workerRun, lossChart, accuracyChart, chart, paintWeights, confusionTable, garmentRow };
})();
