// What scrolls sideways is reached with the keyboard, and paper is white and hides nothing.
(() => {
  const boxes = ".bd-article :is(.output, .cell_output, .pst-scrollable-table-container, figure, pre, div.math, mjx-container, .highlight)";
  const reach = () => document.querySelectorAll(boxes).forEach((box) => {
    const scrolls = box.scrollWidth > box.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(box).overflowX);
    if (scrolls) box.tabIndex = 0;
    else if (box.getAttribute("tabindex") === "0") box.removeAttribute("tabindex");
  });
  addEventListener("load", () => (window.MathJax?.startup?.promise ?? Promise.resolve()).then(reach));
  addEventListener("resize", reach);

  let theme, folded = [];
  addEventListener("beforeprint", () => {
    theme = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = "light";
    folded = [...document.querySelectorAll("article details:not([open])")];
    folded.forEach((part) => { part.open = true; });
  });
  addEventListener("afterprint", () => {
    document.documentElement.dataset.theme = theme;
    folded.forEach((part) => { part.open = false; });
  });
})();
