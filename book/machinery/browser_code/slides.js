// Starts the slides once the formulas are set. `?print-pdf` lays them out for paper; S opens the notes of the speaker.
(async () => {
  const words = document.currentScript.dataset;
  await (window.MathJax?.startup?.promise ?? Promise.resolve());
  if (location.search.includes("print-pdf")) {
    const images = [...document.querySelectorAll("img")];
    images.forEach((image) => { image.loading = "eager"; });
    await Promise.allSettled(images.map((image) => image.decode()));
  }
  await Reveal.initialize({
    width: 1280, height: 720, margin: 0.02, center: false, hash: true, slideNumber: "c/t", transition: "none",
    pdfSeparateFragments: false, plugins: [RevealNotes],
  });
  const name = (selector, word) => document.querySelectorAll(selector).forEach((button) => button.setAttribute("aria-label", word));
  name(".controls :is(.navigate-left, .navigate-up)", words.previous);
  name(".controls :is(.navigate-right, .navigate-down)", words.next);
})();
