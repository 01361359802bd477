// The language switch keeps the reader's place and remembers the choice.
// Headings have other ids in the other language, so the place travels as the number of the heading: #@3.
(() => {
  const headings = () => [...document.querySelectorAll("article.bd-article section[id]")];

  document.addEventListener("click", (event) => {
    const link = event.target.closest(".language-switcher a");
    if (!link) return;
    try { localStorage.setItem("site-language", link.hreflang); } catch { /* storage may be closed to us */ }
    const passed = headings().filter((heading) => heading.getBoundingClientRect().top < innerHeight / 3).length;
    const query = location.pathname.endsWith("/search.html") ? location.search : "";
    link.href = link.href.split(/[?#]/)[0] + query + (passed > 1 ? "#@" + (passed - 1) : "");
  });

  document.addEventListener("DOMContentLoaded", () => {
    const place = location.hash.match(/^#@(\d+)$/);
    const heading = place && headings()[+place[1]];
    if (!heading) return;
    history.replaceState(null, "", "#" + heading.id);
    heading.scrollIntoView();
  });
})();
