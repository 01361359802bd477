// The latent space: codes of garments on a plane, what the decoder draws at any point of it, neighbours, and walks.
(() => {
  const live = (globalThis.fmnistLive ??= {});
  // Colours and markers of a class, those of plots.scatter_by_class.
  const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
  const star = Array.from({ length: 10 }, (_, n) => [n % 2 ? 0.5 : 1.25, (n * Math.PI) / 5 - Math.PI / 2])
    .map(([radius, angle]) => `${(radius * Math.cos(angle)).toFixed(3)},${(radius * Math.sin(angle)).toFixed(3)}`).join("L");
  const MARKERS = [
    "M-1,0a1,1 0 1,0 2,0a1,1 0 1,0 -2,0z", "M-.9,-.9h1.8v1.8h-1.8z", "M0,-1.1L1.05,.8H-1.05z", "M0,-1.2L1.2,0L0,1.2L-1.2,0z",
    "M0,1.1L1.05,-.8H-1.05z", "M-.4,-1.1h.8v.7h.7v.8h-.7v.7h-.8v-.7h-.7v-.8h.7z",
    "M-1,-.5L-.5,-1L0,-.5L.5,-1L1,-.5L.5,0L1,.5L.5,1L0,.5L-.5,1L-1,.5L-.5,0z", `M${star}z`, "M-1.1,0L.8,-1.05V1.05z", "M1.1,0L-.8,-1.05V1.05z",
  ];
  const WIDE = 100, MARGIN = 4; // units of the drawing
  const STEPS = 20; // of a walk

  const dot = (a, b) => a.reduce((sum, number, n) => sum + number * b[n], 0);
  const distance = (a, b) => Math.sqrt(a.reduce((sum, number, n) => sum + (number - b[n]) ** 2, 0));
  const mix = (a, b, share) => a.map((number, n) => (1 - share) * number + share * b[n]);

  // Where a code falls on the plane, and the code of a point of it. Codes come out of a ReLU: none is negative.
  const place = ({ mean, axes }, code) => axes.map((axis) => dot(code.map((number, n) => number - mean[n]), axis));
  const codeAt = ({ mean, axes }, point) => mean.map((number, n) => Math.max(0, number + point[0] * axes[0][n] + point[1] * axes[1][n]));

  const rows = (numbers, count) => Array.from({ length: count }, (_, n) => {
    const size = numbers.length / count;
    return numbers.slice(n * size, (n + 1) * size);
  });

  // The garments as they are used: images, codes, plane.
  const unpack = ({ pixels, labels, codes, mean, axes }) => {
    const plane = { mean: live.numbers(mean), axes: rows(live.numbers(axes), 2) };
    const unpacked = { images: live.images(pixels), labels, codes: rows(live.numbers(codes), labels.length), plane };
    return { ...unpacked, points: unpacked.codes.map((code) => place(plane, code)) };
  };

  // The indices in order of distance.
  const nearest = (all, from, allowed = () => true) =>
    all.map((one, n) => [distance(one, from), n]).filter(([, n]) => allowed(n)).sort((a, b) => a[0] - b[0]);

  live.latent = { unpack, place, codeAt, nearest, mix };

  live.start("explorer", (here, words) => {
    const { element: h, fill } = live;
    const { images, labels, codes, plane, points } = unpack(live.garments);
    const { classes } = live.garments;
    const decoder = live.network(live.decoder), decode = (code) => decoder(code, [code.length]);
    const hidden = new Set();
    let pinned = points[270], start = 210, end = 270, garment = end;

    // --- The plane: as many units in both directions
    const lowest = [0, 1].map((axis) => Math.min(...points.map((point) => point[axis])));
    const highest = [0, 1].map((axis) => Math.max(...points.map((point) => point[axis])));
    const unit = (WIDE - 2 * MARGIN) / (highest[0] - lowest[0]), high = (highest[1] - lowest[1]) * unit + 2 * MARGIN;
    const toDrawing = ([x, y]) => [MARGIN + (x - lowest[0]) * unit, high - MARGIN - (y - lowest[1]) * unit];
    const fromDrawing = ([x, y]) => [lowest[0] + (x - MARGIN) / unit, lowest[1] + (high - MARGIN - y) / unit];
    const svg = (tag, attributes) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
      return made;
    };
    const moveTo = (shape, point) => shape.setAttribute("transform", `translate(${toDrawing(point).map((number) => number.toFixed(2))})`);
    const drawing = svg("svg", { viewBox: `0 0 ${WIDE} ${high.toFixed(1)}`, tabindex: 0, role: "application", "aria-label": words.plane, "aria-describedby": "live-explorer-keys" });
    const look = (label) => ({ d: MARKERS[label], fill: COLOURS[label % 6] });
    const marks = points.map((point, n) => {
      const mark = svg("path", look(labels[n]));
      moveTo(mark, point);
      return mark;
    });
    const path = svg("line", { class: "live-path" }), walker = svg("circle", { class: "live-walker", r: 1.6 });
    const ring = svg("circle", { class: "live-ring", r: 2.2 }), cross = svg("path", { class: "live-cross", d: "M-3,0H3M0,-3V3" });
    drawing.append(path, ...marks, walker, ring, cross);

    // --- What it shows
    const picture = (title, extra = {}) => {
      const canvas = live.canvas({ role: "img", "aria-label": title }), caption = h("figcaption", {}, title);
      return { canvas, caption, figure: h("figure", extra, canvas, caption) };
    };
    const name = (shown, words) => {
      shown.caption.textContent = words;
      shown.canvas.setAttribute("aria-label", words);
    };
    const decoded = picture(words.decoded), closest = picture(words.closest), rebuilt = picture(words.rebuilt);
    const neighbours = Array.from({ length: 5 }, () => picture(""));
    const from = picture(""), to = picture(""), mixedCodes = picture(words.mixedCodes), mixedPixels = picture(words.mixedPixels);
    const { line, say } = live.speaker();

    const show = live.calmly((point) => {
      const shown = decode(codeAt(plane, point));
      const order = nearest(points, point, (n) => !hidden.has(labels[n]));
      moveTo(cross, point);
      live.paint(decoded.canvas, shown);
      here.dataset.point = JSON.stringify(point); // for tests, which compare them with PyTorch's
      here.dataset.decoded = JSON.stringify([...shown]);
      if (!order.length) return;
      garment = order[0][1];
      moveTo(ring, points[garment]);
      live.paint(closest.canvas, images[garment]);
      name(closest, `${words.closest}: ${classes[labels[garment]]}`);
      live.paint(rebuilt.canvas, decode(codes[garment]));
      const others = nearest(codes, codes[garment], (n) => n !== garment && !hidden.has(labels[n])).slice(0, neighbours.length);
      neighbours.forEach((neighbour, n) => {
        neighbour.figure.hidden = !others[n];
        if (!others[n]) return;
        live.paint(neighbour.canvas, images[others[n][1]]);
        name(neighbour, classes[labels[others[n][1]]]);
      });
      const names = others.map(([, n]) => classes[labels[n]]).join(", ");
      say(fill(words.says, { name: classes[labels[garment]], names }));
    });

    const slider = h("input", { type: "range", min: 0, max: STEPS, value: STEPS / 2, oninput: () => walk() });
    const walk = live.calmly(() => {
      const share = slider.value / STEPS, code = mix(codes[start], codes[end], share), shown = decode(code);
      for (const [shape, n] of [[from, start], [to, end]]) {
        live.paint(shape.canvas, images[n]);
        name(shape, `${shape === from ? words.start : words.end}: ${classes[labels[n]]}`);
      }
      live.paint(mixedCodes.canvas, shown);
      live.paint(mixedPixels.canvas, mix(images[start], images[end], share));
      slider.setAttribute("aria-valuetext", `${Math.round(100 * share)} %`);
      const [a, b] = [toDrawing(points[start]), toDrawing(points[end])];
      for (const [attribute, value] of Object.entries({ x1: a[0], y1: a[1], x2: b[0], y2: b[1] })) path.setAttribute(attribute, value.toFixed(2));
      moveTo(walker, place(plane, code));
      here.dataset.walked = JSON.stringify([start, end, share, [...shown]]);
    });

    // --- Moving about: the pointer shows, a click or an arrow key stays
    const pointAt = (event) => {
      const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(drawing.getScreenCTM().inverse());
      return fromDrawing([x, y]);
    };
    drawing.addEventListener("pointermove", (event) => show(pointAt(event)));
    drawing.addEventListener("pointerleave", () => show(pinned));
    drawing.addEventListener("click", (event) => show((pinned = pointAt(event))));
    drawing.addEventListener("keydown", (event) => {
      const step = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
      if (!step) return;
      event.preventDefault();
      const limits = [WIDE, high];
      pinned = fromDrawing(toDrawing(pinned).map((at, axis) => Math.max(0, Math.min(limits[axis], at + 2 * step[axis]))));
      show(pinned);
    });

    const key = (label) => {
      const marker = svg("svg", { viewBox: "-1.5 -1.5 3 3", "aria-hidden": "true" });
      marker.append(svg("path", look(label)));
      const box = h("input", { type: "checkbox", checked: true, onchange: () => {
        box.checked ? hidden.delete(label) : hidden.add(label);
        marks.forEach((mark, n) => mark.classList.toggle("hidden", hidden.has(labels[n])));
        show(pinned);
      } });
      return h("label", {}, box, marker, classes[label]);
    };
    const button = (words, work) => h("button", { type: "button", onclick: () => { work(); walk(); } }, words);

    here.append(
      h("p", {}, fill(words.share, { percent: Math.round(100 * live.garments.share) })),
      h("p", { class: "live-hint", id: "live-explorer-keys" }, words.keys),
      h("fieldset", { class: "live-legend" }, h("legend", {}, words.classes), ...classes.map((_, label) => key(label))),
      h("div", { class: "live-plane" }, drawing, h("div", { class: "live-row" }, decoded.figure, closest.figure, rebuilt.figure)),
      line,
      h("h3", {}, words.neighbours), h("div", { class: "live-row" }, ...neighbours.map(({ figure }) => figure)),
      h("h3", {}, words.walk),
      h("div", { class: "live-controls" },
        button(words.setStart, () => { start = garment; }), button(words.setEnd, () => { end = garment; }), live.labelled(words.step, slider)),
      h("div", { class: "live-row" }, from.figure, mixedCodes.figure, mixedPixels.figure, to.figure),
    );
    show(pinned);
    walk();
  });
})();
