// Two repairs to Sphinx's search, on the search page only.
document.addEventListener("DOMContentLoaded", () => {
  // Excerpts take all of <main>, so each began with the words of the header's buttons: read the article alone.
  if (typeof Search !== "undefined") {
    const excerptOf = Search.htmlToText;
    Search.htmlToText = (html, anchor) => {
      const page = new DOMParser().parseFromString(html, "text/html");
      const around = ".bd-header-article, .bd-sidebar-secondary, .prev-next-footer, .bd-footer-content, #jb-print-docs-body, .headerlink";
      page.querySelectorAll(around).forEach((element) => element.remove());
      return excerptOf(page.documentElement.outerHTML, anchor);
    };
  }
  // Many type «exploracion»; its stem is not that of «exploración».
  if (typeof Stemmer !== "undefined" && document.documentElement.lang === "es") {
    const Spanish = Stemmer;
    window.Stemmer = function () {
      const stemmer = new Spanish();
      const stem = stemmer.stemWord.bind(stemmer);
      stemmer.stemWord = (word) => stem(word.replace(/([cgstx])ion$/, "$1ión"));
      return stemmer;
    };
  }
}, { capture: true, once: true });
