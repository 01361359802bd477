// A table with at least five rows sorts by its columns: headings become buttons, and say with aria-sort what they did.
// A row of class «reason» stays below the row that it explains. A third press brings back the order of the page.
(() => {
  const { title } = document.currentScript.dataset;
  const lang = document.documentElement.lang;
  const letters = new Intl.Collator(lang, { numeric: true, sensitivity: "base" });
  const NUMBER = /^(?:[A-Z]{3} )?([−-]?\d+(?:\.\d+)?)(?![\d.]*[-×\p{L}])/u;

  // «0.893 ± 0.002 (n = 5)» is 0.893, «1 204 298» a million; what is not a number is null.
  const number = (text) => {
    const joined = text.replace(/(\d)[\u202f\u00a0 ,](?=\d{3}(?!\d))/g, "$1");
    const found = joined.match(NUMBER);
    return found && parseFloat(found[1].replace("−", "-"));
  };
  const said = (row, column) => row.cells[column]?.textContent.trim().replace(/\s+/g, " ") ?? "";

  const sortable = (table) => {
    const [head, body] = [table.tHead, table.tBodies[0]];
    if (!head || table.tBodies.length > 1 || head.rows.length !== 1 || table.closest(".live")) return;
    const spans = (row) => [...row.cells].some((cell) => cell.rowSpan > 1 || cell.colSpan > 1);
    const own = [...body.rows].filter((row) => !row.classList.contains("reason"));
    if (own.length < 5 || own.some(spans) || spans(head.rows[0])) return;
    const groups = own.map((row, place) => {
      const rows = [row];
      while (rows.at(-1).nextElementSibling?.classList.contains("reason")) rows.push(rows.at(-1).nextElementSibling);
      return { row, rows, place };
    });

    const press = (heading, column) => {
      const next = { none: "ascending", ascending: "descending", descending: "none" }[heading.ariaSort ?? "none"];
      for (const cell of head.rows[0].cells) cell.removeAttribute("aria-sort");
      if (next !== "none") heading.ariaSort = next;
      const keys = new Map(groups.map((group) => [group, number(said(group.row, column))]));
      const words = groups.map((group) => said(group.row, column)).filter((text) => /\d/.test(text));
      const counts = [...keys.values()].filter((key) => key !== null).length;
      const numeric = counts > 0 && counts >= words.length / 2;
      const sign = next === "descending" ? -1 : 1;
      const order = (one, other) => {
        if (next === "none") return one.place - other.place;
        if (!numeric) return sign * letters.compare(said(one.row, column), said(other.row, column)) || one.place - other.place;
        const [a, b] = [keys.get(one), keys.get(other)];
        if (a === null || b === null) return (a === null) - (b === null) || one.place - other.place;  // no number: last
        return sign * (a - b) || one.place - other.place;
      };
      body.append(...[...groups].sort(order).flatMap((group) => group.rows));
    };

    [...head.rows[0].cells].forEach((heading, column) => {
      if (!heading.textContent.trim() || heading.querySelector("a, button")) return;
      const button = Object.assign(document.createElement("button"), { type: "button", className: "sort", title });
      button.append(...(heading.querySelector(":scope > p") ?? heading).childNodes);
      heading.replaceChildren(button);
      heading.scope = "col";
      button.addEventListener("click", () => press(heading, column));
    });
    table.classList.add("sortable");
  };

  document.querySelectorAll("figure.captioned-table table, .bd-article table.wide, .bd-article table.texts").forEach(sortable);
})();
