// The calculator: sizes of convolutions, transposed convolutions and poolings, and what makes each number of their output.
// Arithmetic as in PyTorch: Conv2d (a cross-correlation), ConvTranspose2d, MaxPool2d, AvgPool2d; square, one channel, no bias.
(() => {
  const live = (globalThis.fmnistLive ??= {});
  const WIDEST = 32; // cells a side that are still drawn
  const NUMBERED = 9; // and with their numbers

  const isPooling = (operation) => operation === "max" || operation === "average";

  // The number of rows (or columns) of the output.
  const outputSize = (operation, { input, kernel, stride, padding, outputPadding }) => operation === "transposed"
    ? (input - 1) * stride - 2 * padding + kernel + outputPadding
    : Math.floor((input + 2 * padding - kernel) / stride) + 1;

  // The name of what is wrong with the settings, null if nothing is.
  const problem = (operation, settings) => {
    const { input, kernel, stride, padding, outputPadding } = settings;
    const whole = [input, kernel, stride, padding, outputPadding].every(Number.isInteger);
    if (!whole || input < 1 || kernel < 1 || stride < 1 || padding < 0 || outputPadding < 0) return "notWhole";
    if (isPooling(operation) && 2 * padding > kernel) return "poolingPadding";
    if (operation === "transposed" && outputPadding >= stride) return "tooMuchOutputPadding";
    return outputSize(operation, settings) < 1 ? "tooSmall" : null;
  };

  // What makes the number in (row, column) of the output: places in the input and in the kernel. Outside the input there
  // is padding, with inside = false.
  const terms = (operation, { input, kernel, stride, padding }, row, column) => {
    const places = (at) => {
      const found = [];
      for (let k = 0; k < kernel; k++) {
        const i = operation === "transposed" ? (at + padding - k) / stride : at * stride + k - padding;
        if (operation !== "transposed" || (Number.isInteger(i) && i >= 0 && i < input)) found.push([i, k]);
      }
      return found;
    };
    const inside = (i) => i >= 0 && i < input;
    return places(row).flatMap(([i, k]) => places(column).map(([j, l]) => ({ i, j, k, l, inside: inside(i) && inside(j) })));
  };

  const value = (operation, settings, found, image, weights) => {
    const at = ({ i, j, inside }) => (inside ? image[i][j] : 0);
    if (operation === "max") return Math.max(...found.filter((term) => term.inside).map(at));
    const weight = ({ k, l }) => (operation === "average" ? 1 / settings.kernel ** 2 : weights[k][l]);
    return found.reduce((sum, term) => sum + at(term) * weight(term), 0);
  };

  const square = (size, number) => Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => number(i, j, size)));

  const apply = (operation, settings, image, weights) => square(outputSize(operation, settings),
    (row, column) => value(operation, settings, terms(operation, settings, row, column), image, weights));

  Object.assign(live, { convolution: { outputSize, problem, terms, apply } });

  const PICTURES = {
    edge: (i, j, n) => (j < n / 2 ? 0 : 1),
    box: (i, j, n) => (Math.min(i, j, n - 1 - i, n - 1 - j) >= Math.floor(n / 4) ? 1 : 0),
    ramp: (i, j) => i + j,
    ones: () => 1,
  };
  const KERNELS = {
    vertical: (k, l, n) => (l === 0 ? -1 : 0) + (l === n - 1 ? 1 : 0),
    horizontal: (k, l, n) => (k === 0 ? -1 : 0) + (k === n - 1 ? 1 : 0),
    sum: () => 1,
    identity: (k, l, n) => (k === Math.floor(n / 2) && l === k ? 1 : 0),
  };
  // Layers of the networks of this book: operation, input, kernel, stride, padding, output padding.
  const LAYERS = [
    ["convolution", 28, 3, 1, 0, 0], ["max", 26, 2, 2, 0, 0], ["convolution", 13, 3, 1, 0, 0], ["max", 11, 2, 2, 0, 0],
    ["transposed", 5, 4, 2, 0, 1], ["transposed", 13, 3, 2, 0, 1], ["convolution", 28, 3, 2, 1, 0], ["transposed", 7, 3, 2, 1, 0],
  ];
  const IN_PYTORCH = { convolution: "Conv2d", transposed: "ConvTranspose2d", max: "MaxPool2d", average: "AvgPool2d" };
  const SETTINGS = ["input", "kernel", "stride", "padding", "outputPadding"];
  const HIGHEST = { input: 1024, kernel: 64, stride: 64, padding: 64, outputPadding: 63 };

  const code = (operation, { kernel, stride, padding, outputPadding }) => {
    const said = [isPooling(operation) ? `${kernel}` : `1, 1, ${kernel}`, `stride=${stride}`];
    if (padding) said.push(`padding=${padding}`);
    if (outputPadding && operation === "transposed") said.push(`output_padding=${outputPadding}`);
    return `nn.${IN_PYTORCH[operation]}(${said.join(", ")})`;
  };
  const shown = (number) => `${+number.toFixed(2)}`.replace("-", "−");
  const inBrackets = (number) => (number < 0 ? `(${shown(number)})` : shown(number));

  live.start("convolution", (place, words) => {
    const { element: h, labelled, fill } = live;
    let operation = "convolution", at = [0, 1], weights = [], size = 0, cells = {}, output = [];
    const settings = { input: 6, kernel: 3, stride: 1, padding: 0, outputPadding: 0 };
    let image = [];

    // --- Controls
    const operations = Object.keys(IN_PYTORCH).map((name) => [name, words[name]]);
    const chooseOperation = live.select(operations, () => { operation = chooseOperation.value; chooseLayer.value = ""; renew(); });
    const layers = LAYERS.map(([name, ...numbers], index) => {
      const given = Object.fromEntries(SETTINGS.map((setting, k) => [setting, numbers[k]]));
      const sizes = `${given.input} → ${outputSize(name, given)}`;
      return [index, `${IN_PYTORCH[name]}, ${words.kernel.toLowerCase()} ${given.kernel}, ${sizes}`];
    });
    const chooseLayer = live.select([["", words.noLayer], ...layers], () => {
      if (chooseLayer.value === "") return;
      const [name, ...numbers] = LAYERS[chooseLayer.value];
      operation = chooseOperation.value = name;
      SETTINGS.forEach((setting, k) => { fields[setting].value = settings[setting] = numbers[k]; });
      renew();
    });
    const fields = Object.fromEntries(SETTINGS.map((name) => [name, h("input", {
      type: "number", min: ["padding", "outputPadding"].includes(name) ? 0 : 1, max: HIGHEST[name], value: settings[name],
      oninput: ({ target }) => {
        settings[name] = target.value === "" ? NaN : Math.min(+target.value, HIGHEST[name]);
        chooseLayer.value = "";
        renew();
      },
    })]));
    const labels = Object.fromEntries(SETTINGS.map((name) => [name, labelled(words[name], fields[name])]));
    const choosePicture = live.select(Object.keys(PICTURES).map((name) => [name, words[name]]), () => renew());
    const chooseKernel = live.select([...Object.keys(KERNELS).map((name) => [name, words[name]]), ["own", words.own]], () => renew());
    const kernelChoice = labelled(words.kernelNumbers, chooseKernel);

    // --- What it says
    const result = h("p", { class: "live-result", role: "status" });
    const sum = h("p", { class: "live-sum" });
    const { line, say } = live.speaker({ class: "visually-hidden" });
    const grids = h("div", { class: "live-grids" });
    place.append(
      h("div", { class: "live-controls" }, labelled(words.operation, chooseOperation), labelled(words.layer, chooseLayer)),
      h("div", { class: "live-controls" }, ...Object.values(labels)),
      result,
      h("div", { class: "live-controls" }, labelled(words.picture, choosePicture), kernelChoice),
      h("p", { class: "live-hint" }, words.keys), grids, sum, line,
    );

    // A table of numbers, shaded by their size; cells are kept by their place.
    const table = (name, rows, first, cell) => {
      const highest = Math.max(1e-9, ...rows.flat().map(Math.abs));
      cells[name] = {};
      const body = rows.map((row, i) => h("tr", {}, ...row.map((number, j) => {
        const made = cell(i + first, j + first, number);
        made.style.setProperty("--much", `${(60 * Math.abs(number)) / highest}%`);
        if (number < 0) made.classList.add("negative");
        cells[name][`${i + first},${j + first}`] = made;
        return made;
      })));
      return h("table", { class: rows.length > NUMBERED ? "tiny" : "" }, h("tbody", {}, ...body));
    };
    const figure = (title, drawn) => h("figure", { style: `--columns: ${drawn.rows.length}` }, h("figcaption", {}, title), drawn);

    const drawInput = () => {
      const around = operation === "transposed" ? 0 : settings.padding;
      const padded = square(settings.input + 2 * around, (i, j) => image[i - around]?.[j - around] ?? 0);
      const drawn = table("input", padded, -around, (i, j, number) => {
        const inside = image[i]?.[j] !== undefined;
        return h("td", { class: inside ? "" : "padding" }, inside || operation !== "max" ? shown(number) : "");
      });
      return figure(`${words.input}: ${settings.input} × ${settings.input}`, drawn);
    };
    const drawKernel = () => figure(words.kernel, table("kernel", weights, 0, (k, l, number) => h("td", {}, h("input", {
      type: "number", step: "any", value: number, "aria-label": fill(words.weight, { row: k + 1, column: l + 1 }),
      oninput: ({ target }) => {
        weights[k][l] = +target.value || 0;
        chooseKernel.value = "own";
        redrawOutput();
      },
    }))));
    const drawOutput = () => {
      output = apply(operation, settings, image, weights);
      const drawn = table("output", output, 0, (i, j, number) => h("td", { role: "gridcell", tabindex: "-1", "data-at": `${i},${j}` }, shown(number)));
      drawn.setAttribute("role", "grid");
      drawn.setAttribute("aria-label", words.output);
      drawn.querySelectorAll("tr").forEach((row) => row.setAttribute("role", "row"));
      drawn.addEventListener("pointerover", ({ target }) => target.dataset.at && move(...target.dataset.at.split(",").map(Number)));
      drawn.addEventListener("click", ({ target }) => target.focus());
      drawn.addEventListener("focusin", ({ target }) => target.dataset.at && move(...target.dataset.at.split(",").map(Number)));
      drawn.addEventListener("keydown", walk);
      return figure(`${words.output}: ${output.length} × ${output.length}`, drawn);
    };
    const redrawOutput = () => {
      grids.lastChild.replaceWith(drawOutput());
      move(...at);
    };

    const walk = (event) => {
      const last = output.length - 1;
      const steps = {
        ArrowUp: [at[0] - 1, at[1]], ArrowDown: [at[0] + 1, at[1]], ArrowLeft: [at[0], at[1] - 1], ArrowRight: [at[0], at[1] + 1],
        Home: [at[0], 0], End: [at[0], last],
      };
      if (!(event.key in steps)) return;
      event.preventDefault();
      move(...steps[event.key].map((index) => Math.max(0, Math.min(last, index))));
      cells.output[at.join()].focus();
    };

    const move = (row, column) => {
      const before = cells.output[at.join()];
      before?.setAttribute("tabindex", "-1");
      before?.removeAttribute("aria-selected");
      at = [Math.min(row, output.length - 1), Math.min(column, output.length - 1)];
      grids.querySelectorAll(".used").forEach((cell) => cell.classList.remove("used"));
      const found = terms(operation, settings, ...at);
      for (const { i, j, k, l } of found) {
        cells.input[`${i},${j}`]?.classList.add("used");
        cells.kernel?.[`${k},${l}`]?.classList.add("used");
      }
      const cell = cells.output[at.join()];
      cell.classList.add("used");
      cell.setAttribute("tabindex", "0");
      cell.setAttribute("aria-selected", "true");
      const where = fill(words.cell, { row: at[0] + 1, column: at[1] + 1 });
      sum.textContent = `${where} ${inWords(found)} = ${shown(output[at[0]][at[1]])}`;
      say(sum.textContent);
    };

    // The sum or the maximum, written out.
    const inWords = (found) => {
      if (!found.length) return `${words.nothing} 0`;
      const numbers = found.filter((term) => term.inside || operation !== "max").map(({ i, j, k, l, inside }) => {
        const number = shown(inside ? image[i][j] : 0);
        return isPooling(operation) ? number : `${number}·${inBrackets(weights[k][l])}`;
      });
      if (operation === "max") return `max(${numbers.join(", ")})`;
      return operation === "average" ? `(${numbers.join(" + ")}) / ${settings.kernel ** 2}` : numbers.join(" + ");
    };

    const renew = () => {
      const wrong = problem(operation, settings);
      labels.outputPadding.hidden = operation !== "transposed";
      kernelChoice.hidden = isPooling(operation);
      if (operation !== "transposed") settings.outputPadding = fields.outputPadding.value = 0;
      if (wrong) {
        result.textContent = words[wrong];
        grids.replaceChildren();
        sum.textContent = "";
        return;
      }
      const n = outputSize(operation, settings), { input, kernel, stride, padding, outputPadding } = settings;
      const numbers = operation === "transposed"
        ? `(${input} − 1) · ${stride} − 2 · ${padding} + ${kernel} + ${outputPadding}`
        : `⌊(${input} + 2 · ${padding} − ${kernel}) / ${stride}⌋ + 1`;
      result.replaceChildren(`${words.size}: ${numbers} = `, h("strong", {}, `${n}`), ` (${n} × ${n}). `, h("code", {}, code(operation, settings)));
      if (size !== kernel || chooseKernel.value !== "own") {
        if (chooseKernel.value === "own") chooseKernel.value = "vertical";
        weights = square(kernel, KERNELS[chooseKernel.value]);
        size = kernel;
      }
      if (Math.max(input + 2 * padding, n) > WIDEST || (kernel > NUMBERED && !isPooling(operation))) {
        grids.replaceChildren();
        sum.textContent = fill(words.tooLarge, { widest: WIDEST });
        return;
      }
      cells = {};
      image = square(input, PICTURES[choosePicture.value]);
      grids.replaceChildren(drawInput(), ...(isPooling(operation) ? [] : [drawKernel()]), drawOutput());
      move(...at);
    };
    renew();
  });
})();
