// Try the model: pick a garment or draw one; the classifier and the autoencoder answer while it changes.
(() => {
  const live = (globalThis.fmnistLive ??= {});
  const SIDE = 28;

  // The image moved by whole pixels (what leaves is lost), or mirrored.
  const moved = (image, down, right) => image.map((_, n) => {
    const y = Math.floor(n / SIDE) - down, x = (n % SIDE) - right;
    return x >= 0 && x < SIDE && y >= 0 && y < SIDE ? image[y * SIDE + x] : 0;
  });
  const mirrored = (image) => image.map((_, n) => image[n - (n % SIDE) + SIDE - 1 - (n % SIDE)]);

  // The image with a round spot of paint; a spot of radius 0 is one pixel.
  const dotted = (image, [y, x], radius, shade) => image.map((old, n) =>
    ((Math.floor(n / SIDE) - y) ** 2 + ((n % SIDE) - x) ** 2 <= (radius + 0.3) ** 2 ? shade : old));

  // The pixels from one to another.
  const line = ([y0, x0], [y1, x1]) => {
    const steps = Math.max(Math.abs(y1 - y0), Math.abs(x1 - x0), 1);
    return Array.from({ length: steps + 1 }, (_, n) => [Math.round(y0 + ((y1 - y0) * n) / steps), Math.round(x0 + ((x1 - x0) * n) / steps)]);
  };

  live.drawing = { moved, mirrored, dotted, line };

  live.start("try", (place, words) => {
    const { element: h, fill, labelled } = live;
    const classify = live.network(live.classifier);
    const encode = live.network(live.autoencoder.encoder), decode = live.network(live.autoencoder.decoder);
    const { classes, pixels } = live.examples;
    const examples = live.images(pixels);
    let image = examples[9], earlier = [], at = [14, 14], drawnTo = null, speak = 0;

    // --- The garment: examples, paper, tools
    const buttons = examples.map((example, label) => {
      const canvas = live.canvas({ "aria-hidden": "true" });
      live.paint(canvas, example);
      return h("button", { type: "button", "aria-label": classes[label], title: classes[label], onclick: () => change(example) }, canvas);
    });
    const paper = live.canvas({ tabindex: "0", role: "application", "aria-label": words.paper, "aria-describedby": "live-try-keys" });
    const cursor = h("span", { class: "live-cursor", "aria-hidden": "true" });
    const shade = live.select([["1", words.white], ["0.7", words.light], ["0.4", words.dark], ["0", words.eraser]]);
    const brush = live.select([["1", words.medium], ["0", words.fine], ["2", words.thick]]);
    const tool = (name, work) => h("button", { type: "button", onclick: () => change(work(image)) }, words[name]);
    const undo = h("button", { type: "button", onclick: () => { image = earlier.pop() ?? image; show(); } }, words.undo);
    const tools = [
      tool("clear", (now) => now.map(() => 0)), undo, tool("up", (now) => moved(now, -1, 0)), tool("down", (now) => moved(now, 1, 0)),
      tool("left", (now) => moved(now, 0, -1)), tool("right", (now) => moved(now, 0, 1)), tool("mirror", mirrored),
    ];

    // --- The answers
    const bars = classes.map((name) => {
      const bar = h("span", { class: "live-bar" }), number = h("td", {});
      return { row: h("tr", {}, h("th", { scope: "row" }, name), h("td", { class: "live-track" }, bar), number), bar, number };
    });
    const spoken = h("p", { class: "live-result", role: "status" });
    const output = live.canvas({ role: "img", "aria-label": words.reconstruction });
    const difference = h("p", {});
    const table = h("table", { class: "live-bars" }, h("caption", {}, words.probabilities), h("tbody", {}, ...bars.map(({ row }) => row)));

    const show = live.calmly(() => {
      live.paint(paper, image);
      const probabilities = live.softmax(classify(image));
      const best = probabilities.indexOf(Math.max(...probabilities));
      bars.forEach(({ row, bar, number }, label) => {
        bar.style.width = `${100 * probabilities[label]}%`;
        number.textContent = `${(100 * probabilities[label]).toFixed(1)} %`;
        row.classList.toggle("best", label === best);
      });
      const rebuilt = decode(encode(image), [live.autoencoder.decoder.layers[0].inputs]);
      live.paint(output, rebuilt);
      const error = rebuilt.reduce((sum, number, n) => sum + Math.abs(number - image[n]), 0) / image.length;
      difference.textContent = `${words.difference}: ${error.toFixed(3)}`;
      buttons.forEach((button, label) => button.setAttribute("aria-pressed", `${examples[label] === image}`));
      undo.disabled = !earlier.length;
      place.dataset.probabilities = JSON.stringify(probabilities); // for tests, which compare them with PyTorch's
      place.dataset.reconstruction = JSON.stringify([...rebuilt]);
      clearTimeout(speak); // said once the hand rests
      speak = setTimeout(() => {
        spoken.textContent = fill(words.says, { name: classes[best], percent: (100 * probabilities[best]).toFixed(1) });
      }, 400);
    });
    const remember = () => { earlier = [...earlier.slice(-49), image]; };
    const change = (next) => { remember(); image = next; show(); };

    // --- Drawing
    const put = (...places) => {
      for (const place of places) image = dotted(image, place, +brush.value, +shade.value);
      show();
    };
    const pixelAt = (event) => {
      const box = paper.getBoundingClientRect();
      const index = (position, start, length) => Math.max(0, Math.min(SIDE - 1, Math.floor(((position - start) / length) * SIDE)));
      return [index(event.clientY, box.top, box.height), index(event.clientX, box.left, box.width)];
    };
    const placeCursor = () => cursor.setAttribute("style", `--row: ${at[0]}; --column: ${at[1]}`);
    paper.addEventListener("pointerdown", (event) => {
      paper.setPointerCapture(event.pointerId);
      remember();
      drawnTo = at = pixelAt(event);
      placeCursor();
      put(drawnTo);
    });
    paper.addEventListener("pointermove", (event) => {
      if (!drawnTo) return;
      const next = pixelAt(event);
      put(...line(drawnTo, next));
      drawnTo = at = next;
      placeCursor();
    });
    for (const end of ["pointerup", "pointercancel"]) paper.addEventListener(end, () => { drawnTo = null; });
    paper.addEventListener("keydown", (event) => {
      const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (!step && event.key !== " ") return;
      event.preventDefault();
      if (!step || event.shiftKey) remember();
      if (step) at = at.map((index, axis) => Math.max(0, Math.min(SIDE - 1, index + step[axis])));
      placeCursor();
      if (!step || event.shiftKey) put(at);
      spoken.textContent = fill(words.place, { row: at[0] + 1, column: at[1] + 1, percent: Math.round(100 * image[at[0] * SIDE + at[1]]) });
    });

    place.append(
      h("div", { class: "live-examples", role: "group", "aria-label": words.examples }, ...buttons),
      h("div", { class: "live-two" },
        h("figure", {}, h("figcaption", {}, words.garment), h("div", { class: "live-paper" }, paper, cursor)),
        h("div", { class: "live-answer" }, table),
        h("figure", {}, h("figcaption", {}, words.reconstruction), output, difference)),
      spoken,
      h("div", { class: "live-controls" }, labelled(words.shade, shade), labelled(words.brush, brush)),
      h("div", { class: "live-controls" }, ...tools),
      h("p", { class: "live-hint", id: "live-try-keys" }, words.keys),
    );
    placeCursor();
    show();
  });
})();
