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

  // The row and the column of the pointer on a square with so many cells a side.
  live.cellAt = ({ currentTarget, clientX, clientY }, side) => {
    const box = currentTarget.getBoundingClientRect();
    const index = (position, start, length) => Math.max(0, Math.min(side - 1, Math.floor(((position - start) / length) * side)));
    return [index(clientY, box.top, box.height), index(clientX, box.left, box.width)];
  };

  // A line that a screen reader says once the hand rests, so that it does not chatter.
  live.speaker = (attributes = { class: "live-result" }) => {
    const line = live.element("p", { ...attributes, role: "status" });
    let waiting = 0;
    const say = (text, wait = 500) => {
      clearTimeout(waiting);
      waiting = setTimeout(() => { line.textContent = text; }, wait);
    };
    return { line, say };
  };

  // A script of the same folder, loaded when it is asked for: what is heavy comes to those who want it.
  const folder = typeof document === "undefined" ? "" : document.currentScript.src;
  live.load = (name) => new Promise((done, failed) => {
    document.head.append(live.element("script", { src: new URL(name, folder).href, onload: done, onerror: failed }));
  });

  live.start = (name, build) => {
    if (typeof document === "undefined") return; // read for its arithmetic alone
    document.querySelectorAll(`[data-live="${name}"]`).forEach((place) => {
      place.replaceChildren();
      build(place, JSON.parse(place.dataset.words));
      place.dataset.ready = "";
    });
  };
})();
