// Paper to draw a garment on: examples to begin with, brushes, moves, and a picture of one's own.
(() => {
  const live = (globalThis.fmnistLive ??= {});
  const SIDE = 28;
  let papers = 0;
  const STEPS = ["given", "grey", "negated", "trimmed", "small"]; // of own_image.js

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

  // The bytes of a picture's file, upright as its data say.
  const bytesOf = async (file) => {
    const bitmap = await createImageBitmap(file), { width, height } = bitmap;
    const context = live.element("canvas", { width, height }).getContext("2d");
    context.drawImage(bitmap, 0, 0);
    return context.getImageData(0, 0, width, height);
  };

  // Paper with the first of the examples that it begins with. Whenever the image changes, changed(image, chosen) is called,
  // chosen if it is another image and not a stroke; say(text) says what a screen reader should.
  live.paper = (words, { title, first, changed, say }) => {
    const { element: h, labelled, fill } = live;
    const { classes, pixels } = live.examples, examples = live.images(pixels);
    const id = `live-keys-${papers++}`;
    let image = examples[first], earlier = [], at = [14, 14], drawnTo = null, chosen = true;

    const buttons = examples.map((example, label) => {
      const canvas = live.canvas({ "aria-hidden": "true" });
      live.paint(canvas, example);
      return h("button", { type: "button", "aria-label": classes[label], title: classes[label], onclick: () => change(example) }, canvas);
    });
    const paper = live.canvas({ tabindex: "0", role: "application", "aria-label": words.paper, "aria-describedby": id });
    const cursor = h("span", { class: "live-cursor", "aria-hidden": "true" });
    const shade = live.select([["1", words.white], ["0.7", words.light], ["0.4", words.dark], ["0", words.eraser]]);
    const brush = live.select([["1", words.medium], ["0", words.fine], ["2", words.thick]]);
    const tool = (name, work) => h("button", { type: "button", onclick: () => change(work(image)) }, words[name]);
    const undo = h("button", { type: "button", onclick: () => { image = earlier.pop() ?? image; chosen = true; show(); } }, words.undo);
    const tools = [
      tool("clear", (now) => now.map(() => 0)), undo, tool("up", (now) => moved(now, -1, 0)), tool("down", (now) => moved(now, 1, 0)),
      tool("left", (now) => moved(now, 0, -1)), tool("right", (now) => moved(now, 0, 1)), tool("mirror", mirrored),
    ];

    const show = live.calmly(() => {
      live.paint(paper, image);
      buttons.forEach((button, label) => button.setAttribute("aria-pressed", `${examples[label] === image}`));
      undo.disabled = !earlier.length;
      changed(image, chosen);
      chosen = false;
    });
    const remember = () => { earlier = [...earlier.slice(-49), image]; };
    const change = (next) => { remember(); image = next; chosen = true; show(); };

    // --- Drawing
    const put = (...places) => {
      for (const place of places) image = dotted(image, place, +brush.value, +shade.value);
      show();
    };
    const placeCursor = () => cursor.setAttribute("style", `--row: ${at[0]}; --column: ${at[1]}`);
    paper.addEventListener("pointerdown", (event) => {
      paper.setPointerCapture(event.pointerId);
      remember();
      drawnTo = at = live.cellAt(event, SIDE);
      placeCursor();
      put(drawnTo);
    });
    paper.addEventListener("pointermove", (event) => {
      if (!drawnTo) return;
      const next = live.cellAt(event, SIDE);
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
      say(fill(words.place, { row: at[0] + 1, column: at[1] + 1, percent: Math.round(100 * image[at[0] * SIDE + at[1]]) }), 100);
    });

    // --- A picture of one's own
    const steps = h("div", { class: "live-row live-steps", hidden: true });
    const file = h("input", { type: "file", accept: "image/*", onchange: async () => {
      if (!file.files.length) return;
      steps.hidden = true;
      try {
        const made = live.ownImage(await bytesOf(file.files[0]));
        steps.replaceChildren(...STEPS.map((name) => {
          const { data, width, colours } = made[name], canvas = live.canvas({ role: "img", "aria-label": words[name] });
          live.paint(canvas, data, width, colours ? (_, n) => colours.map((numbers) => Math.round(255 * numbers[n])) : live.grey);
          return h("figure", {}, canvas, h("figcaption", {}, words[name]));
        }));
        steps.hidden = false;
        problem.textContent = "";
        change(made.small.data);
      } catch (error) {
        problem.textContent = error.message === "plain" ? words.plain : words.unreadable;
      }
      file.value = ""; // the same file can be chosen again
    } });
    const problem = h("p", { role: "alert" });

    placeCursor();
    show();
    return {
      choices: h("div", { class: "live-examples", role: "group", "aria-label": words.examples }, ...buttons),
      drawing: h("figure", {}, h("figcaption", {}, title), h("div", { class: "live-paper" }, paper, cursor)),
      tools: [
        h("div", { class: "live-controls" }, labelled(words.shade, shade), labelled(words.brush, brush)),
        h("div", { class: "live-controls" }, ...tools),
        h("p", { class: "live-hint", id }, words.keys),
        h("div", { class: "live-controls" }, labelled(words.own, file)),
        problem, steps,
      ],
    };
  };
})();
