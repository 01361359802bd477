// Try the model: pick a garment, draw one or bring one; the classifier and the autoencoder answer while it changes.
(() => {
  const live = (globalThis.fmnistLive ??= {});

  live.start("try", (place, words) => {
    const { element: h, fill } = live;
    const classify = live.network(live.classifier);
    const encode = live.network(live.autoencoder.encoder), decode = live.network(live.autoencoder.decoder);
    const { classes } = live.examples;

    const bars = classes.map((name) => {
      const bar = h("span", { class: "live-bar" }), number = h("td", {});
      return { row: h("tr", {}, h("th", { scope: "row" }, name), h("td", { class: "live-track" }, bar), number), bar, number };
    });
    const table = h("table", { class: "live-bars" }, h("caption", {}, words.probabilities), h("tbody", {}, ...bars.map(({ row }) => row)));
    const output = live.canvas({ role: "img", "aria-label": words.reconstruction });
    const difference = h("p", {});
    const { line, say } = live.speaker();

    const changed = (image) => {
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
      place.dataset.probabilities = JSON.stringify(probabilities); // for tests, which compare them with PyTorch's
      place.dataset.reconstruction = JSON.stringify([...rebuilt]);
      say(fill(words.says, { name: classes[best], percent: (100 * probabilities[best]).toFixed(1) }));
    };

    const paper = live.paper(words, { title: words.garment, first: 9, changed, say });
    place.append(
      paper.choices,
      h("div", { class: "live-two" },
        paper.drawing,
        h("div", { class: "live-answer" }, table),
        h("figure", {}, h("figcaption", {}, words.reconstruction), output, difference)),
      line, ...paper.tools,
    );
  });
})();
