// What the living parts of the book share: making elements, and starting each where its page left a place for it.
(() => {
  const live = (globalThis.fmnistLive ??= {});

  // An element: attributes, a function for "on…", a Boolean for what is there or not; then its children, elements or texts.
  live.element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (typeof value === "boolean") made.toggleAttribute(name, value);
      else made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  };

  // A label and what it names, side by side or one above the other as there is room.
  live.labelled = (words, control) => live.element("label", {}, live.element("span", {}, words), control);

  live.select = (choices, onchange, attributes = {}) => live.element("select", { ...attributes, onchange },
    ...choices.map(([value, words]) => live.element("option", { value }, words)));

  // "{row} of {n}" with the values put in.
  live.fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

  // At most one call per picture of the screen, with the newest arguments.
  live.calmly = (work) => {
    let waiting = null;
    return (...newest) => {
      if (!waiting) requestAnimationFrame(() => { const last = waiting; waiting = null; work(...last); });
      waiting = newest;
    };
  };

  live.start = (name, build) => {
    if (typeof document === "undefined") return; // read for its arithmetic alone
    document.querySelectorAll(`[data-live="${name}"]`).forEach((place) => {
      place.replaceChildren();
      build(place, JSON.parse(place.dataset.words));
      place.dataset.ready = "";
    });
  };
})();
