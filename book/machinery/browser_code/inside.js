// A look inside the CNN of page 05: from a probability back to the sums of products that made it, for one image or two.
(() => {
  const live = (globalThis.fmnistLive ??= {});
  const BLOCKS = [0, 4], DENSE = 8, LAST = 10; // where in the network each begins: convolution, batch norm, ReLU, pooling; dense layers
  const SHOWN = 6; // terms of a sum, the others are added up

  const sumOf = (numbers) => numbers.reduce((a, b) => a + b, 0);
  const best = (numbers) => numbers.reduce((found, number, n) => (number > numbers[found] ? n : found), 0);
  const piece = ({ data, shape: [, height, width] }, channel) => data.subarray(channel * height * width, (channel + 1) * height * width);

  // What every layer makes of an image: the image itself, then one value a layer.
  const trace = (layers, image) => layers.reduce((values, { run }) => [...values, run(values.at(-1))],
    [{ data: Float64Array.from(image), shape: [1, 28, 28] }]);

  // A dense layer's number as a sum: its products, its bias.
  const dense = ({ inputs, tensors: [weights, biases] }, { data }, unit) => {
    const row = weights.subarray(unit * inputs, (unit + 1) * inputs);
    return { weights: row, inputs: data, products: row.map((weight, n) => weight * data[n]), bias: biases[unit] };
  };

  // A number of a block's maps, made step by step; the row and the column are those of the convolution's output.
  const pixel = (layers, values, first, channel, [row, column]) => {
    const [convolution, norm] = layers.slice(first, first + 2), [before, convolved, normalized, active, pooled] = values.slice(first, first + 5);
    const { inputs, kernel, padding, tensors: [weights, biases] } = convolution, [, height, width] = before.shape;
    const parts = Array.from({ length: inputs }, (_, input) => {
      const start = (channel * inputs + input) * kernel ** 2;
      const window = Array.from({ length: kernel ** 2 }, (__, n) => {
        const y = row + Math.floor(n / kernel) - padding, x = column + (n % kernel) - padding;
        return y >= 0 && y < height && x >= 0 && x < width ? before.data[(input * height + y) * width + x] : 0;
      });
      const numbers = [...weights.subarray(start, start + kernel ** 2)], products = numbers.map((weight, n) => weight * window[n]);
      return { window, kernel: numbers, products, sum: sumOf(products) };
    });
    const [, side] = convolved.shape, at = row * side + column, corner = (row - (row % 2)) * side + column - (column % 2);
    const four = [0, 1, side, side + 1].map((step) => piece(active, channel)[corner + step]);
    const [gamma, beta, mean, variance] = norm.tensors.map((tensor) => tensor[channel]);
    return {
      parts, four, gamma, beta, mean, bias: biases[channel], deviation: Math.sqrt(variance + norm.epsilon), sum: sumOf(parts.map((part) => part.sum)),
      convolved: piece(convolved, channel)[at], normalized: piece(normalized, channel)[at], active: piece(active, channel)[at],
      pooled: piece(pooled, channel)[Math.floor(row / 2) * (side / 2) + Math.floor(column / 2)],
    };
  };

  // Which number of the convolution became the one in this row and column after pooling.
  const unpooled = (active, channel, [row, column]) => {
    const map = piece(active, channel), side = active.shape[2];
    const places = [[0, 0], [0, 1], [1, 0], [1, 1]].map(([y, x]) => [2 * row + y, 2 * column + x]);
    return places[best(places.map(([y, x]) => map[y * side + x]))];
  };

  live.inside = { trace, dense, pixel, unpooled };

  const shown = (number) => number.toFixed(3).replace(/^-(?=.*[1-9])/, "−").replace("-", "");
  const bracketed = (number) => (number < 0 ? `(${shown(number)})` : shown(number));

  const begin = (place, words) => {
    const { element: h, fill, labelled } = live;
    const layers = live.layers(live.cnn), { classes } = live.examples;
    const { line, say } = live.speaker();
    const slots = ["imageA", "imageB"].map((name) => ({ name: words[name] }));
    const open = () => slots.filter((slot) => slot.values);
    // What is looked at: a class, a unit of the dense layer, and for each block a channel, a place, and a channel of its input.
    const at = { label: 9, unit: 0, blocks: [{ channel: 0, place: [0, 0], input: 0 }, { channel: 0, place: [0, 0], input: 0 }] };

    // From this step on, the term that adds most to the first image's sum.
    const STEPS = ["label", "unit", "channel", "place", "input", "below"];
    const follow = (from) => {
      const { values, probabilities } = slots[0], [below, above] = at.blocks;
      const asked = (step) => STEPS.indexOf(step) >= STEPS.indexOf(from);
      if (asked("label")) at.label = best(probabilities);
      if (asked("unit")) at.unit = best(dense(layers[LAST], values[LAST], at.label).products);
      const { products } = dense(layers[DENSE], values[DENSE], at.unit), map = (channel) => products.slice(36 * channel, 36 * (channel + 1));
      if (asked("channel")) above.channel = best(Array.from({ length: 64 }, (_, channel) => sumOf(map(channel))));
      if (asked("place")) {
        const strongest = best(map(above.channel));
        above.place = unpooled(values[BLOCKS[1] + 3], above.channel, [Math.floor(strongest / 6), strongest % 6]);
      }
      if (asked("input")) above.input = best(pixel(layers, values, BLOCKS[1], above.channel, above.place).parts.map((part) => part.sum));
      below.channel = above.input;
      below.place = unpooled(values[BLOCKS[0] + 3], below.channel, above.place.map((index) => index + 1)); // the middle of the window
    };
    const choose = (step, change) => {
      change();
      follow(STEPS[STEPS.indexOf(step) + 1]);
      render();
    };

    // --- Pieces: pictures, numbers, sums
    const picture = (numbers, width, title, { signed = false, highest = Math.max(...numbers.map(Math.abs)) || 1, frame = null, pick = null } = {}) => {
      const range = fill(words.range, { low: shown(Math.min(...numbers)), high: shown(Math.max(...numbers)) });
      const canvas = live.canvas({ role: "img", "aria-label": `${title}: ${range}` });
      live.paint(canvas, [...numbers].map((number) => number / highest), width, signed ? live.signed : live.grey);
      const map = h("div", { class: "live-map" }, canvas);
      if (frame) map.append(h("span", { class: "live-frame", style: `--row: ${frame[0]}; --column: ${frame[1]}; --size: ${frame[2]}; --side: ${width}` }));
      if (pick) canvas.addEventListener("click", (event) => pick(live.cellAt(event, width)));
      return h("figure", { class: pick ? "live-pick" : "" }, map, h("figcaption", {}, title));
    };
    const grid = (title, numbers, side) => {
      const highest = Math.max(1e-9, ...numbers.map(Math.abs));
      const cell = (number) => h("td", { class: number < 0 ? "negative" : "", style: `--much: ${(60 * Math.abs(number)) / highest}%` }, shown(number));
      const rows = Array.from({ length: side }, (_, r) => h("tr", {}, ...[...numbers.slice(r * side, (r + 1) * side)].map(cell)));
      return h("figure", { style: `--columns: ${1.2 * side}` }, h("figcaption", {}, title), h("table", {}, h("tbody", {}, ...rows)));
    };
    const radio = (group, value, checked, pick) => h("input", { type: "radio", name: `live-${group}`, value: `${value}`, checked, onchange: pick });
    // What is drawn again keeps the focus where it was.
    const redraw = (part, ...children) => {
      const held = part.contains(document.activeElement) && document.activeElement.name;
      part.replaceChildren(...children.flat());
      if (held) part.querySelector(`[name="${held}"]:is(:checked, [type="number"])`)?.focus();
    };
    const headed = (title, ...names) => h("thead", {}, h("tr", {}, ...[title, ...names].map((name) => h("th", { scope: "col" }, name))));

    // A sum as a table, a column for each image: the largest terms, one of which is chosen, the others together, the bias.
    const sumTable = (group, caption, title, sums, chosen, pick, ends) => {
      const size = (n) => Math.max(...sums.map(({ terms }) => Math.abs(terms[n])));
      const order = [...sums[0].terms.keys()].sort((a, b) => size(b) - size(a)).slice(0, SHOWN);
      if (!order.includes(chosen)) order[SHOWN - 1] = chosen;
      const row = (name, numbers, attributes = {}) => h("tr", attributes, h("th", { scope: "row" }, name), ...numbers.map((number) => h("td", {}, shown(number))));
      const rows = order.map((n) => row(h("label", {}, radio(group, n, n === chosen, () => pick(n)), ` ${title} ${n}`), sums.map(({ terms }) => terms[n])));
      const all = sums.map(({ terms }) => sumOf(terms)), others = sums.map(({ terms }, s) => all[s] - sumOf(order.map((n) => terms[n])));
      return h("div", { class: "live-scroll" }, h("table", { class: "live-terms" }, h("caption", {}, caption),
        headed(title, ...open().map(({ name }) => name)),
        h("tbody", {}, ...rows, row(fill(words.others, { n: sums[0].terms.length - order.length }), others),
          row(words.bias, sums.map(({ bias }) => bias)), row(ends, sums.map(({ bias }, s) => all[s] + bias), { class: "total" }))));
    };

    const beside = (table, ...others) => h("div", { class: "live-two" }, table, h("div", { class: "live-answer" }, ...others));

    // --- The parts of the page, from the answer back to the image
    const parts = Object.fromEntries(["answer", "last", "dense", "block2", "block1"].map((name) => [name, h("div", {})]));

    const drawAnswer = () => {
      const alone = open().length === 1; // two have no room for the logits
      const cells = ({ values, probabilities }, label) => [
        ...(alone ? [h("td", {}, shown(values[LAST + 1].data[label]))] : []),
        h("td", {}, `${(100 * probabilities[label]).toFixed(1)} %`, h("span", { class: "live-bar", style: `width: ${100 * probabilities[label]}%` })),
      ];
      const rows = classes.map((name, label) => h("tr", { class: label === at.label ? "best" : "" },
        h("th", { scope: "row" }, h("label", {}, radio("class", label, label === at.label, () => choose("label", () => { at.label = label; })), ` ${name}`)),
        ...open().flatMap((slot) => cells(slot, label))));
      const heads = open().flatMap(({ name }) => [
        ...(alone ? [h("th", { scope: "col" }, words.logit)] : []), h("th", { scope: "col" }, `${words.probability}, ${name}`),
      ]);
      redraw(parts.answer, h("div", { class: "live-scroll" }, h("table", { class: "live-terms" }, h("caption", {}, words.chooseClass),
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, words.class), ...heads)), h("tbody", {}, ...rows))));
    };

    const drawLast = () => {
      const sums = open().map(({ values }) => dense(layers[LAST], values[LAST], at.label));
      const made = sums.map(({ inputs, weights, products }, s) => h("p", {},
        `${open()[s].name}: ${shown(inputs[at.unit])} · ${bracketed(weights[at.unit])} = ${shown(products[at.unit])}`));
      const table = sumTable("unit", fill(words.lastSum, { name: classes[at.label] }), words.unit,
        sums.map(({ products, bias }) => ({ terms: products, bias })), at.unit,
        (n) => choose("unit", () => { at.unit = n; }), words.logit);
      redraw(parts.last, beside(table, h("p", { class: "live-hint" }, fill(words.lastTerm, { unit: at.unit })), ...made));
    };

    const drawDense = () => {
      const { channel } = at.blocks[1], cut = (numbers) => [...numbers.slice(36 * channel, 36 * (channel + 1))];
      const sums = open().map(({ values }) => dense(layers[DENSE], values[DENSE], at.unit));
      const grouped = sums.map(({ products, bias }) => ({ bias, terms: Array.from({ length: 64 }, (_, k) => sumOf(products.slice(36 * k, 36 * (k + 1)))) }));
      const pictures = sums.map(({ inputs, weights, products }, s) => h("div", { class: "live-row live-maps" },
        picture(cut(inputs), 6, `${words.map}, ${open()[s].name}`), picture(cut(weights), 6, words.weights, { signed: true }),
        picture(cut(products), 6, words.products, { signed: true })));
      const ends = open().map(({ name, values }, s) => fill(words.denseEnd, {
        name, sum: shown(sumOf(grouped[s].terms) + sums[s].bias), result: shown(values[DENSE + 2].data[at.unit]),
      }));
      const table = sumTable("channel", fill(words.denseSum, { unit: at.unit }), words.channel, grouped, channel,
        (n) => choose("channel", () => { at.blocks[1].channel = n; }), words.sum);
      redraw(parts.dense, beside(table, ...ends.map((end) => h("p", {}, end)), h("p", { class: "live-hint" }, fill(words.denseTerm, { channel })), ...pictures));
    };

    // The maps of all channels, to choose one; their canvases are kept, since making hundreds takes long.
    const overviews = BLOCKS.map((first, block) => {
      const labels = Array.from({ length: layers[first].outputs }, (_, n) => {
        const chosen = radio(`channel${block}`, n, false, () => (block
          ? choose("channel", () => { at.blocks[1].channel = n; })
          : (at.blocks[0].channel = n, render())));
        return { chosen, canvases: slots.map(() => live.canvas({ "aria-hidden": "true" })), label: h("label", { title: `${words.channel} ${n}` }, chosen) };
      });
      const part = h("fieldset", { class: "live-channels" }, h("legend", {}, fill(words.channels, { n: labels.length })), ...labels.map(({ label }) => label));
      return { part, labels };
    });
    const drawChannels = (block) => {
      const maps = open().map(({ name, values }) => ({ name, value: values[BLOCKS[block] + 4] }));
      const highest = maps.map(({ value }) => Math.max(...value.data) || 1);
      overviews[block].labels.forEach(({ chosen, canvases, label }, n) => {
        maps.forEach(({ value }, s) => live.paint(canvases[s], piece(value, n).map((number) => number / highest[s]), value.shape[2]));
        if (label.childElementCount !== maps.length + 1) label.replaceChildren(chosen, ...canvases.slice(0, maps.length));
        chosen.checked = n === at.blocks[block].channel;
        const peaks = maps.map(({ name, value }) => fill(words.peak, { name, high: shown(Math.max(...piece(value, n))) }));
        chosen.setAttribute("aria-label", [`${words.channel} ${n}`, ...peaks].join(", "));
      });
    };

    const drawBlock = (part, block) => {
      const first = BLOCKS[block], { channel, place, input } = at.blocks[block], side = [28, 12][block];
      const source = block ? input : 0, above = block === 1;
      const setPlace = (next) => choose("place", () => { at.blocks[block].place = next; });
      const move = above ? setPlace : (next) => { at.blocks[0].place = next; render(); };
      drawChannels(block);
      const numbers = ["row", "column"].map((name, axis) => labelled(words[name], h("input", {
        type: "number", name: `live-${name}${block}`, min: "1", max: `${side}`, value: `${place[axis] + 1}`, "aria-label": `${words[name]}, 1–${side}`,
        onchange: ({ target }) => move(place.map((index, n) => (n === axis ? Math.max(0, Math.min(side - 1, Math.round(+target.value || 1) - 1)) : index))),
      })));
      const frame = [...place, 1], pooledFrame = [...place.map((index) => Math.floor(index / 2)), 1], pad = layers[first].padding;
      const rows = open().map(({ name, values }) => {
        const [before, convolved, normalized, active, pooled] = values.slice(first, first + 5);
        const own = (value) => piece(value, channel), pool = ([row, column]) => move(unpooled(active, channel, [row, column]));
        return h("div", { class: "live-row live-maps" },
          picture(piece(before, source), before.shape[2], above ? `${words.channel} ${source}, ${name}` : name, { frame: [...place.map((index) => index - pad), 3] }),
          picture(own(convolved), side, words.convolution, { signed: true, frame, pick: move }),
          picture(own(normalized), side, words.norm, { signed: true, frame, pick: move }),
          picture(own(active), side, "ReLU", { frame: [...place.map((index) => index - (index % 2)), 2], pick: move }),
          picture(own(pooled), side / 2, words.pooling, { frame: pooledFrame, pick: pool }));
      });
      const made = open().map(({ values }) => pixel(layers, values, first, channel, place));
      const sums = above && sumTable("input", fill(words.inputSum, { row: place[0] + 1, column: place[1] + 1 }), words.input,
        made.map(({ parts: terms, bias }) => ({ terms: terms.map(({ sum }) => sum), bias })), input,
        (n) => choose("input", () => { at.blocks[1].input = n; }), words.convolution);
      const grids = made.map(({ parts: all }, s) => h("div", { class: "live-grids live-products" }, grid(`${words.window}, ${open()[s].name}`, all[source].window, 3),
        ...(s ? [] : [grid(words.kernel, all[source].kernel, 3)]), grid(`${words.products}: ${words.theirSum} ${shown(all[source].sum)}`, all[source].products, 3)));
      const steps = made.map((one, s) => h("div", {}, h("p", {}, h("strong", {}, open()[s].name)), h("ol", {}, ...[
        fill(words.stepConvolution, { n: 9 * one.parts.length, sum: shown(one.sum), bias: bracketed(one.bias), result: shown(one.convolved) }),
        fill(words.stepNorm, { value: shown(one.convolved), mean: bracketed(one.mean), deviation: shown(one.deviation), gamma: bracketed(one.gamma), beta: bracketed(one.beta), result: shown(one.normalized) }),
        fill(words.stepRelu, { value: shown(one.normalized), result: shown(one.active) }),
        fill(words.stepPool, { four: one.four.map(shown).join("; "), result: shown(one.pooled) }),
      ].map((text) => h("li", {}, text)))));
      redraw(part, h("div", { class: "live-controls" }, ...numbers), rows, above ? beside(sums, ...grids) : grids, h("div", { class: "live-two" }, ...steps));
      return made;
    };

    const draw = () => {
      drawAnswer();
      drawLast();
      drawDense();
      const made = [drawBlock(parts.block1, 0), drawBlock(parts.block2, 1)];
      place.dataset.at = JSON.stringify(at); // for tests, which compare these numbers with PyTorch's
      place.dataset.found = JSON.stringify(open().map(({ values, probabilities }, s) => ({
        probabilities, logits: [...values[LAST + 1].data], unit: values[DENSE + 2].data[at.unit], pixels: made.map((block) => ({ sum: block[s].sum + block[s].bias, pooled: block[s].pooled })),
      })));
      say(open().map(({ name, probabilities }) => fill(words.says, {
        image: name, name: classes[best(probabilities)], percent: (100 * Math.max(...probabilities)).toFixed(1),
      })).join(" "));
    };
    const render = live.calmly(draw);

    // --- The images
    const openSlot = (slot, first) => {
      slot.paper = live.paper(words, { title: slot.name, first, say, changed: (image, chosen) => {
        slot.values = trace(layers, image);
        slot.probabilities = live.softmax(slot.values[LAST + 1].data);
        if (chosen && slot === slots[0]) follow("label");
        render();
      } });
      slot.box = h("div", { class: "live-image" }, slot.paper.choices, slot.paper.drawing, h("details", {}, h("summary", {}, words.tools), ...slot.paper.tools));
      images.append(slot.box);
    };
    const images = h("div", { class: "live-two" });
    const compare = h("input", { type: "checkbox", onchange: () => {
      if (compare.checked) return openSlot(slots[1], 0);
      slots[1].box.remove();
      slots[1] = { name: words.imageB };
      render();
    } });
    const again = h("button", { type: "button", onclick: () => { follow("label"); render(); } }, words.follow);
    openSlot(slots[0], 6);
    const section = (title, text, ...drawn) => [h("h3", {}, title), h("p", {}, text), ...drawn];
    place.append(
      images, h("div", { class: "live-controls" }, h("label", { class: "live-check" }, compare, words.compare)), line,
      ...section(words.answerTitle, words.answerText, parts.answer), h("div", { class: "live-controls" }, again),
      ...section(words.lastTitle, words.lastText, parts.last), ...section(words.denseTitle, words.denseText, parts.dense),
      ...section(words.block2Title, words.block2Text, overviews[1].part, parts.block2), ...section(words.block1Title, words.block1Text, overviews[0].part, parts.block1),
    );
  };

  live.start("inside", (place, words) => {
    const { element: h } = live;
    const start = h("button", { type: "button", class: "live-start", onclick: async () => {
      start.disabled = true;
      await live.load("cnn.js");
      place.replaceChildren();
      begin(place, words);
      place.querySelector("button").focus();
      place.dataset.begun = "";
    } }, words.start);
    place.append(h("p", {}, words.before), start);
  });
})();
