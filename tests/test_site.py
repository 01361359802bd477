"""A small site, built from end to end, and the rules for a site with what breaks each of them."""

from __future__ import annotations

import contextlib
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image
from sphinx.application import Sphinx
from sphinx.errors import PycodeError, SphinxWarning
from sphinx.util.docutils import docutils_namespace, patch_docutils
from toy_book import QUESTION, ROOT, run_in, soup

from book.machinery import notebooks, pages
from book.machinery.extensions import api, light
from book.machinery.rules import check_part, check_site
from book.machinery.rules.site import SITE_RULES, Site, launches, numbers

# --- A small site, from end to end ----------------------------------------------------------------


@pytest.mark.parametrize(("lang", "figure", "table", "solution"), [
    ("es", "Figura 1", "Tabla 1", "Solución a Ejercicio 1"),
    ("en", "Figure 1", "Table 1", "Solution to Exercise 1"),
])  # fmt: skip
def test_page_in_its_language(toy_site, lang, figure, table, solution):
    page = soup(toy_site / lang / "notebooks" / "01_toy.html")
    assert [
        caption.get_text().strip() for caption in page.select("figcaption .caption-number")
    ] == [figure, table]
    assert solution in page.get_text()
    image = page.select_one("#fig-01-loss img")
    assert image["alt"].startswith({"es": "Una línea recta", "en": "A straight line"}[lang])
    assert page.select_one("#tab-01-audit > .output table") is not None
    assert f'lang = "{lang}"' in page.select_one(".tag_parameters").get_text()
    assert "PyTorch" in page.select_one(".ran-with").get_text()


@pytest.mark.parametrize(("lang", "asked", "check"), [
    ("es", "Pregunta 1. ¿Cuál es la segunda tras (1)?", "Comprobar"),
    ("en", "Question 1. Which is second after (1)?", "Check"),
])  # fmt: skip
def test_self_check_of_a_page(toy_site, lang, asked, check):
    page = soup(toy_site / lang / "notebooks" / "01_toy.html")
    first, *others = page.select("fieldset.question")
    assert len(others) == 4 and first.legend.get_text() == asked
    labels = first.find_all("label")
    assert [label.input["value"] for label in labels] == ["1", "2", "3"]
    assert first["data-right"] == "2"
    assert {label.input["name"] for label in labels} == {"question-1"}
    assert labels[1].select_one(".math") is not None
    # There is no script yet.
    assert first.button.get_text() == check and first.button.has_attr("hidden")
    assert first.select_one("[role=status][aria-live=polite]").get_text() == ""
    explanations = first.select("details > ol > li")  # and none of it needs one
    assert [item.strong is not None for item in explanations] == [False, True, False]
    loaded = [script["src"].partition("?")[0] for script in page.select("script[src*=selfcheck]")]
    assert loaded == ["../_static/selfcheck.js"]
    assert (toy_site / lang / "_static" / "selfcheck.js").is_file()
    assert not soup(toy_site / lang / "glossary.html").select("[src*=selfcheck], [href*=selfcheck]")


def test_buttons_lead_to_the_same_page_and_to_its_own_copy(toy_site):
    page = soup(toy_site / "en" / "notebooks" / "01_toy.html")
    links = {a["href"] for a in page.find_all("a", href=True)}
    assert "../../es/notebooks/01_toy.html" in links
    assert any(re.search(r"colab.*/blob/main/notebooks/en/01_toy\.ipynb$", link) for link in links)
    binder = r"mybinder.*/main\?urlpath=lab/tree/notebooks/en/01_toy\.ipynb$"
    assert any(re.search(binder, link) for link in links)
    copy = (toy_site / "en" / "notebooks" / "01_toy.ipynb").read_text("utf-8")
    assert "01_toy.ipynb" in links and "# A page" in copy and "Una página" not in copy


@pytest.mark.parametrize(("name", "was", "becomes"), [
    ("es/notebooks/01_toy.html", "main/notebooks/01_toy.ipynb", "main/notebooks/en/01_toy.ipynb"),
    ("en/notebooks/01_toy.html", "urlpath=lab/tree/notebooks/en/", "urlpath=lab/tree/"),
    ("es/notebooks/01_toy.html", 'href="01_toy.ipynb"', 'href="../../en/notebooks/01_toy.ipynb"'),
    ("en/notebooks/01_toy.ipynb", "", None),
])  # fmt: skip
def test_a_button_that_leads_elsewhere_is_found(toy_site, tmp_path, name, was, becomes):
    lang = name[:2]
    assert not list(launches(Site(toy_site, lang)))
    for page in (f"{lang}/notebooks/01_toy.html", f"{lang}/notebooks/01_toy.ipynb"):
        (tmp_path / page).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(toy_site / page, tmp_path / page)
    path = tmp_path / name
    if becomes is None:
        path.unlink()
    else:
        assert was in path.read_text("utf-8")
        path.write_text(path.read_text("utf-8").replace(was, becomes), "utf-8")
    assert list(launches(Site(tmp_path, lang)))


def test_pages_are_lightened(toy_site):
    page = soup(toy_site / "es" / "notebooks" / "01_toy.html")
    image = page.select_one("#fig-01-loss img")
    with Image.open((toy_site / "es" / "notebooks" / image["src"]).resolve()) as picture:
        assert (image["width"], image["height"], image["loading"]) == (
            *map(str, picture.size),
            "lazy",
        )
        assert picture.mode == "P"
    loaded = {
        tag.get("src", tag.get("href", "")).partition("?")[0].rpartition("/")[2]
        for tag in page.select("script, link")
    }
    assert "icons.css" in loaded and not loaded & {"fontawesome.js", "searchindex.js"}
    assert "searchindex.js" in (toy_site / "es" / "search.html").read_text("utf-8")
    drawn = (toy_site / "es" / "_static" / "styles" / "icons.css").read_text("utf-8")
    used = {
        name
        for tag in page.select("[class*=fa-]")
        for name in tag["class"]
        if name.startswith("fa-")
    }
    used -= {"fa-lg", "fa-solid", "fa-regular", "fa-brands"}
    assert used and [name for name in used if f".{name} {{" not in drawn] == []
    assert not (toy_site / "es" / "_static" / "scripts" / "fontawesome.js").exists()
    mathjax = {path.name for path in (toy_site / "es" / "_static" / "mathjax").glob("*.js")}
    assert mathjax == {"startup.js", "core.js"} <= loaded | {"core.js"}


def test_styles_keep_what_a_page_uses():
    css = """/*! A licence */@charset "UTF-8";/* a note */.used{color:red}.gone,.used.too{color:blue}
@media print{.gone{x:y}}@media screen{#here:not(.gone){z:w}}:is(.gone,p)>.used::after{content:"a"}
.fa-bars:before{content:"b"}@keyframes turn{from{x:y}}"""
    kept = light.in_use(css, {"used", "here", "fa-bars"})
    for part in (
        '@charset "UTF-8";',
        ".used{color:red}",
        "#here:not(.gone){z:w}",
        "@keyframes turn{from{x:y}}",
    ):
        assert part in kept
    assert ':is(.gone,p)>.used::after{content:"a"}' in kept and "A licence" in kept
    assert not re.search(r"a note|blue|fa-bars", kept)


def test_numbers_are_those_of_the_notebook(toy_site):
    for lang, words in notebooks.WORDS.items():
        page = soup(toy_site / lang / "notebooks" / "01_toy.html")
        copy = (toy_site / lang / "notebooks" / "01_toy.ipynb").read_text("utf-8")
        for kind in ("figure", "table"):
            name = f"{words[kind]} 1"
            assert f"**{name}.**" in copy and page.find(string=re.compile(rf"^\s*{name}\s*$"))
        assert (
            "tag{1}" in copy
            and page.select_one("#equation-eq-01-loss .eqno").get_text()[:3] == "(1)"
        )
        assert f"**{words['exercise']} 1" in copy


@pytest.mark.parametrize(
    ("was", "becomes"), [("Figura 1", "Figura 2"), ("(1)<", "(4)<"), ("Tabla 1", "Tabla")]
)
def test_another_number_on_the_site_is_found(toy_site, tmp_path, was, becomes, monkeypatch):
    monkeypatch.setattr(pages, "SOURCES", toy_site.parents[1] / "pages")
    assert not list(numbers(Site(toy_site, "es")))
    page = tmp_path / "es" / "notebooks" / "01_toy.html"
    page.parent.mkdir(parents=True)
    text = (toy_site / "es" / "notebooks" / "01_toy.html").read_text("utf-8")
    assert was in text
    page.write_text(text.replace(was, becomes), "utf-8")
    assert list(numbers(Site(tmp_path, "es")))


def test_landing_page_knows_both_languages_without_script(toy_site):
    page = soup(toy_site / "index.html")
    assert [a["href"] for a in page.select("body a")] == ["es/index.html", "en/index.html"]


WRITTEN = QUESTION.format(
    "Which?", "One", "Another", "The last", "Falls short.", "This one.", "Too far."
)


ANSWERS = WRITTEN[WRITTEN.index("1. One") : WRITTEN.rindex("\n:::")]
NUMERIC = "= 2.5 ± 0.1 units\n\n---\n\n**Two and a half.** So it is.\n\n- 3: too much."


@pytest.mark.parametrize(("right", "wrong", "said"), [
    ("", "", None),
    ("**This one.**", "**$2$, this one.**", None),
    ("**This one.**", "This one.", "0 explanations begin in bold"),
    ("1. Falls", "1. **It** falls", "2 explanations begin in bold"),
    ("3. Too far.", "", "3 answers and 2 explanations"),
    ("3. The last $3$", "", "2 answers, not 3 to 4"),
    ("---", "", "a numbered list of explanations"),
    ("Which?", "", "a paragraph that asks"),
    ("1. One $1$", "1. One $1$\n   - and more", "every answer is one paragraph"),
    (ANSWERS, NUMERIC, None),
    (ANSWERS, NUMERIC.replace("- 3: too", "- 3, too"), "is explained as"),
    (ANSWERS, NUMERIC.replace("**Two", "Two"), "= value ± tolerance unit"),
])  # fmt: skip
def test_a_question_written_wrong_stops_the_build(tmp_path, right, wrong, said):
    extensions = ["myst_parser", "book.machinery.extensions.selfcheck"]
    settings = {"extensions": extensions, "myst_enable_extensions": ["colon_fence", "dollarmath"]}
    (tmp_path / "index.md").write_text("# A page\n\n" + WRITTEN.replace(right, wrong), "utf-8")
    with patch_docutils(), docutils_namespace():
        app = Sphinx(
            tmp_path,
            None,
            tmp_path / "out",
            tmp_path / "doctrees",
            "html",
            settings,
            warningiserror=True,
        )
        with (
            pytest.raises(SphinxWarning, match=re.escape(said))
            if said
            else contextlib.nullcontext()
        ):
            app.build()


@pytest.mark.nightly
@pytest.mark.parametrize(("was", "becomes", "seen_by_others"), [
    ("Un paso, el 3.", "Un paso más, el 3.", False),
    ("# Una página", "# Una página de prueba", True),
    ("Un paso, el 3.", "Un paso, el tercero.\n\n$$\nx = 1\n$$ (eq-01-more)", True),
])  # fmt: skip
def test_after_a_change_the_site_is_the_one_made_from_nothing(
    toy_site, tmp_path, was, becomes, seen_by_others
):
    book = shutil.copytree(toy_site.parents[2], tmp_path / "toy")
    site, stage = (book / "book" / "_build" / name for name in ("html", "stage"))
    other_page = stage / "es" / "_build" / "html" / "glossary.html"

    def contents() -> dict[str, bytes]:
        assert run_in(book, "-m", "book.machinery.build").returncode == 0
        # The index of the search may keep a word that no page has any more, with no page.
        found = (p for p in site.rglob("*") if p.is_file() and p.name != "searchindex.js")
        return {path.relative_to(site).as_posix(): path.read_bytes() for path in found}

    contents()
    written = other_page.stat().st_mtime_ns
    source = book / "book" / "pages" / "01_toy.md"
    text = source.read_text("utf-8")
    assert was in text
    source.write_text(text.replace(was, becomes), "utf-8")
    after = contents()
    assert becomes.partition("\n")[0].lstrip("# ") in after["es/notebooks/01_toy.html"].decode()
    assert (other_page.stat().st_mtime_ns != written) == seen_by_others
    shutil.rmtree(stage)
    from_nothing = contents()
    assert after.keys() == from_nothing.keys()
    assert [name for name in after if after[name] != from_nothing[name]] == []


# --- The checks of a site, and a site that breaks each --------------------------------------------

PAGE = '<html lang="{lang}"><head><title>x</title></head><body><article>{body}</article>{more}</body></html>'


def small_site(root: Path, body: str = "", more: str = "") -> Path:
    (root / "index.html").write_text(
        '<html lang="es"><body><a href="es/index.html">x</a></body></html>'
    )
    for lang in ("es", "en"):
        (root / lang).mkdir()
        (root / lang / "index.html").write_text(
            PAGE.format(lang=lang, body="<p id='here'>x</p>", more="")
        )
    (root / "es" / "index.html").write_text(
        PAGE.format(lang="es", body=f"<p id='here'>x</p>{body}", more=more)
    )
    return root


BREAKS = [
    ("links", '<a href="gone.html">x</a>', ""),
    ("links", '<a href="../en/index.html#gone">x</a>', ""),
    ("links", '<a href="#gone">x</a>', ""),
    ("links", '<img src="gone.png" alt="x">', ""),
    ("alternative_texts", '<img src="index.html">', ""),
    ("alternative_texts", '<img src="index.html" alt="">', ""),
    ("table_headers", '<table class="table"><thead><th></th><th>b</th></thead></table>', ""),
    ("table_headers", '<table class="table"><thead><th><span class="math">n</span></th></thead></table>', ""),
    ("no_outside", "", '<script src="https://cdn.example.org/x.js"></script>'),
    ("no_outside", "", '<link rel="stylesheet" href="//example.org/x.css">'),
    ("no_outside", '<p style="background: url(https://example.org/x.png)">x</p>', ""),
    ("no_outside", "", '<script>load("https://example.org/x.js")</script>'),
    ("rendered", "<p>la pérdida \\(\\ell\\)</p>", ""),
    ("rendered", "<p>véase {numref}`fig-1`</p>", ""),
    ("rendered", '<div class="cell_output"><pre>Traceback (most recent call last)</pre></div>', ""),
    ("no_local_paths", "<p>/{}/someone/fashion</p>".format("home"), ""),
    ("no_local_paths", f"<p>{ROOT}/book</p>", ""),
    ("spanish_interface", "", '<button title="Toggle sidebar">x</button>'),
    ("spanish_interface", '<p class="admonition-title">Warning</p>', ""),
    ("spanish_interface", '<img src="index.html" alt="A shirt, next to the bag">', ""),
    ("spanish_text", "<p>This page was not translated, and nobody saw it.</p>", ""),
    ("spanish_text", "<ul><li>texto <b>of the other language</b></li></ul>", ""),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "body", "more"), BREAKS)
def test_each_check_of_a_site_finds_what_breaks_it(tmp_path, rule, body, more):
    found = check_site(small_site(tmp_path, body, more))
    assert [finding for finding in found if finding.startswith(f"{rule}: ")]


def test_a_page_that_has_passed_is_asked_only_where_it_leads(tmp_path):
    passed, site = tmp_path / "passed", tmp_path / "site"
    passed.mkdir()
    unrendered = "<p>la pérdida \\(\\ell\\)</p>"
    small_site(passed, f'<a href="../en/index.html#here">x</a>{unrendered}')
    shutil.copytree(passed, site)
    assert [found.partition(":")[0] for found in check_part("es", site)] == ["rendered"]
    assert check_part("es", site, passed) == []
    (site / "en" / "index.html").write_text(PAGE.format(lang="en", body="", more=""))
    wrong = "links: es/index.html: there is no #here in en/index.html"
    assert check_part("es", site, passed) == [wrong]
    (site / "es" / "index.html").write_text(PAGE.format(lang="es", body=unrendered, more=""))
    assert [found.partition(":")[0] for found in check_part("es", site, passed)] == ["rendered"]


def test_a_page_in_one_language_only_is_found(tmp_path):
    (small_site(tmp_path) / "en" / "more.html").write_text(PAGE.format(lang="es", body="", more=""))
    assert [f for f in check_site(tmp_path) if f.startswith("same_site_pages")] == [
        "same_site_pages: es/more.html is missing",
        "same_site_pages: en/more.html says that its language is es",
    ]


def test_what_stands_in_no_language_is_looked_at(tmp_path):
    (small_site(tmp_path) / "extra").mkdir()
    (tmp_path / "extra" / "more.html").write_text(
        '<html lang="es"><a href="gone.html">x</a></html>'
    )
    (tmp_path / "index.html").write_text(
        '<html lang="es"><script src="https://cdn.example.org/x.js"></script></html>'
    )
    assert check_site(tmp_path) == [
        "links: extra/more.html: gone.html leads nowhere",
        "no_outside: index.html loads https://cdn.example.org/x.js",
    ]


def test_small_site_passes(tmp_path):
    name = "<p>oneDNN eligió Intel AVX-512 with Intel DL Boost and bfloat16 support.</p>"
    newer = "Intel AVX10.1 and Intel AMX with bfloat16 and 8-bit integer support"
    name += f"<p>Y en otro, {newer}.</p>"
    assert check_site(small_site(tmp_path, name)) == []


def test_every_rule_has_a_site_that_breaks_it():
    of_their_own = {"active_content", "launches", "numbers", "same_site_pages"}  # the first in R28
    assert {rule.__name__ for rule in SITE_RULES} == {rule for rule, *_ in BREAKS} | of_their_own


# --- The reference of the package -----------------------------------------------------------------


def test_comments_are_read_in_our_modules_alone():
    read = api.ours_only("fmnist_utils.text")
    read.analyze()
    assert "say" in read.tags
    with pytest.raises(PycodeError):
        api.ours_only("torch.nn.modules.linear")
