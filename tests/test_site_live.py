"""The living parts in a real browser: PyTorch's results, by hand, keyboard, without scripts."""

from __future__ import annotations

import json

import pytest
import torch
from PIL import Image, ImageDraw
from site_browser import SITE, START_PARTS, WIDTHS, needs_the_site

from book.machinery.generated import browser_data
from book.machinery.pages import ROOT
from book.machinery.rules.site import ENGLISH
from fmnist_utils.audit import load_pretrained
from fmnist_utils.evaluation import encode, predict, reconstruct
from fmnist_utils.photos import own_image

CLOSE = 1e-4
PARTS = {
    "calculators": "convolution",
    "try": "try",
    "explorer": "explorer",
    "train_here": "train_here",
    "look_inside": "inside",
}

pytestmark = needs_the_site

# What a script says, with what only a screen reader hears.
SAID = """[...document.querySelectorAll('[data-live] *')].flatMap((element) => [...element.childNodes]
  .filter((node) => node.nodeType === 3 && !element.closest('code')).map((node) => node.textContent)
  .concat(['aria-label', 'title'].map((name) => element.getAttribute(name) ?? ''))).filter((text) => text.trim())"""


@pytest.fixture
def opened(visit):
    """Open a page and wait until every living part is there and has drawn itself."""

    def open_page(name, lang="es", screen="desktop", scheme="light", **how):
        visited = visit(f"{lang}/{name}.html", screen, scheme, **how)
        parts = "[...document.querySelectorAll('[data-live]')]"
        visited.page.wait_for_function(f"{parts}.every((part) => 'ready' in part.dataset)")
        visited.evaluate(START_PARTS)
        visited.frame()
        return visited

    return open_page


def press(visited, key: str, times: int = 1, shift: bool = False) -> None:
    """Press a key, as a keyboard would."""
    for _ in range(times):
        visited.page.keyboard.press(f"{'Shift+' * shift}{'Space' if key == ' ' else key}")
    visited.frame()


def drag(visited, selector: str, *places: tuple[float, float]) -> None:
    """Press, move and release the pointer at these places of an element (shares of its size)."""
    element = visited.page.locator(selector).first
    element.evaluate("element => element.scrollIntoView({block: 'center'})")
    box = element.bounding_box()
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    mouse = visited.page.mouse
    mouse.move(*points[0])
    mouse.down()
    for point in points[1:]:
        mouse.move(*point)
    mouse.up()
    visited.frame()


def data(page, name: str):
    """Return what a living part left for tests."""
    return json.loads(
        page.evaluate(f"document.querySelector('[data-live]').dataset.{name} ?? 'null'")
    )


def tab_to(page, selector: str, back: bool = False) -> None:
    """Press the Tab key until the element has the focus."""
    for _ in range(200):
        if page.evaluate(f"document.activeElement.matches({json.dumps(selector)})"):
            return
        press(page, "Tab", shift=back)
    raise AssertionError(f"the Tab key does not reach {selector}")


@pytest.mark.parametrize(("screen", "scheme"), [("desktop", "light"), ("phone", "dark")])
@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize("name", PARTS)
def test_part_stands_and_fits(opened, name, lang, screen, scheme):
    page = opened(name, lang, screen, scheme)
    assert page.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[screen]
    # Code scrolls within its box.
    parts = "document.querySelectorAll('[data-live] :not(pre *)')"
    inside = f"[...{parts}].every((e) => e.getBoundingClientRect().right <= innerWidth)"
    assert page.evaluate(inside)
    said = page.evaluate(SAID)
    assert len(said) > 10 and not any("undefined" in text or "NaN" in text for text in said)
    if lang == "es":
        # In the names of layers, which are PyTorch's, too.
        assert not [text for text in said if ENGLISH.search(text)]
    names = "[...document.querySelectorAll('[data-live] :is(button, input, select, [role=application], [role=grid], canvas:not([aria-hidden]))')]"
    nameless = f"{names}.filter((e) => !(e.ariaLabel || e.labels?.length || e.textContent.trim())).map((e) => e.outerHTML)"
    assert page.evaluate(nameless) == []


@pytest.mark.parametrize("name", PARTS)
def test_part_works_from_the_disk(opened, name):
    assert opened(name, "en", root=SITE.as_uri()).complaints == []


@pytest.mark.parametrize("name", PARTS)
def test_without_scripts_the_page_says_so_and_shows_the_same(visit, name):
    page = visit(f"es/{name}.html", scripts=False).page
    assert "JavaScript. L" in page.locator("article").inner_text()


def test_the_networks_in_the_browser_give_what_pytorch_gives(opened):
    page = opened("try")
    images = browser_data.garments()[0][:: browser_data.EACH]
    probabilities = predict(load_pretrained(browser_data.CLASSIFIER), images)
    rebuilt = reconstruct(load_pretrained(browser_data.AUTOENCODER), images).flatten(1)
    for index in range(len(images)):
        page.evaluate(f"document.querySelectorAll('.live-examples button')[{index}].click()")
        page.frame()
        assert (
            torch.tensor(data(page, "probabilities")) - probabilities[index]
        ).abs().max() < CLOSE
        assert (torch.tensor(data(page, "reconstruction")) - rebuilt[index]).abs().max() < CLOSE
        bars = page.evaluate(
            "[...document.querySelectorAll('.live-bars td:last-child')].map((cell) => parseFloat(cell.textContent))"
        )
        assert bars == pytest.approx((100 * probabilities[index]).tolist(), abs=0.0501)


PIXELS = """(() => { const paper = document.querySelector('.live-paper canvas');
  return [...paper.getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, n) => n % 4 === 0).map((byte) => byte / 255); })()"""


def test_a_garment_is_drawn_by_hand_and_by_keyboard(opened):
    page = opened("try", "en")
    page.evaluate(
        "[...document.querySelectorAll('[data-live] button')].find((button) => button.textContent === 'Clear').click()"
    )
    page.frame()
    assert sum(page.evaluate(PIXELS)) == 0
    drag(page, ".live-paper canvas", (0.3, 0.1), (0.3, 0.5), (0.35, 0.9))
    by_hand = page.evaluate(PIXELS)
    assert sum(by_hand) > 60 and by_hand[28 * 14 + 8] == 1
    tab_to(page, ".live-paper canvas")
    press(page, "ArrowRight", 9)
    press(page, " ")
    press(page, "ArrowUp", 12, shift=True)
    drawn = page.evaluate(PIXELS)
    assert sum(drawn) > sum(by_hand) + 30
    # Only full white and black, which bytes hold exactly.
    image = torch.tensor(drawn, dtype=torch.float32).reshape(1, 1, 28, 28)
    wanted = predict(load_pretrained(browser_data.CLASSIFIER), image)[0]
    assert (torch.tensor(data(page, "probabilities")) - wanted).abs().max() < CLOSE
    spoken = "document.querySelector('[data-live] [role=status]').textContent"
    page.page.wait_for_function(f"{spoken}.includes('The classifier says')")
    for _ in range(60):
        page.evaluate(
            "[...document.querySelectorAll('[data-live] button')].find((button) => button.textContent === 'Undo').click()"
        )
    page.frame()
    first = (browser_data.garments()[0][9 * browser_data.EACH] * 255).round().flatten() / 255
    assert (torch.tensor(page.evaluate(PIXELS)) - first).abs().max() < 1e-6


ALERT = "document.querySelector('[data-live] [role=alert]').textContent"


@pytest.mark.parametrize("name", ["try", "look_inside"])
def test_a_picture_of_one_s_own_is_brought(opened, name, tmp_path):
    photo = Image.new("RGB", (640, 480), "ivory")
    draw = ImageDraw.Draw(photo)
    draw.polygon([(200, 60), (420, 60), (400, 430), (230, 430)], "navy")
    photo.save(tmp_path / "photo.png")
    (tmp_path / "note.txt").write_text("no picture")
    page = opened(name, "en", "phone")
    choose = page.page.locator("[data-live] input[type=file]").first
    choose.set_input_files(tmp_path / "note.txt")
    page.page.wait_for_function(ALERT)
    assert "could not be read" in page.evaluate(ALERT)
    asked = len(page.requests)
    choose.set_input_files(tmp_path / "photo.png")
    steps = "document.querySelectorAll('.live-steps canvas').length"
    page.page.wait_for_function(f"{steps} === 5 && !{ALERT}")
    page.frame()
    drawn = torch.tensor(page.evaluate(PIXELS)).reshape(28, 28)
    assert (drawn - own_image(photo)[0, 0]).abs().max() < 0.02
    assert len(page.requests) == asked  # nothing leaves the machine
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS["phone"]


def test_a_probability_is_followed_down_to_a_sum(opened):
    page = opened("look_inside", "en")
    cnn = load_pretrained(browser_data.CNN)
    tab_to(page, "input[name=live-class]")
    press(page, "ArrowUp")
    assert data(page, "at")["label"] == 5  # and the focus is still there
    press(page, "ArrowDown")
    page.page.check(".live-check input")
    page.frame()
    page.page.locator(".live-image").nth(1).locator(".live-examples button").nth(9).click()
    page.frame()
    page.page.locator("input[name=live-row1]").fill("3")
    tab_to(page, "input[name=live-column1]")
    press(page, "ArrowUp")
    at, found = data(page, "at"), data(page, "found")
    assert page.evaluate("document.activeElement.name") == "live-column1"
    assert at["label"] == 6 and at["blocks"][1]["place"][0] == 2
    layers = list(cnn)
    images = browser_data.garments()[0][[6 * browser_data.EACH, 9 * browser_data.EACH]]
    assert len(found) == 2
    for image, seen in zip(images, found, strict=True):
        values = [image[None]]
        with torch.no_grad():
            for layer in layers:
                values.append(layer(values[-1]))
        assert (torch.tensor(seen["probabilities"]) - values[-1].softmax(1)).abs().max() < CLOSE
        assert (torch.tensor(seen["logits"]) - values[-1]).abs().max() < CLOSE
        assert seen["unit"] == pytest.approx(values[13][0, at["unit"]].item(), abs=CLOSE)
        for first, block, pixel in zip((0, 4), at["blocks"], seen["pixels"], strict=True):
            row, column = block["place"]
            convolved = values[first + 1][0, block["channel"], row, column]
            pooled = values[first + 4][0, block["channel"], row // 2, column // 2]
            assert pixel["sum"] == pytest.approx(convolved.item(), abs=CLOSE)
            assert pixel["pooled"] == pytest.approx(pooled.item(), abs=CLOSE)
    # The convolution of block 2, at a corner.
    drag(page, ".live-maps .live-pick canvas", (0.1, 0.1))
    assert data(page, "at")["blocks"][1]["place"] == [1, 1]


def test_the_calculator_is_walked_by_keyboard_and_by_hand(opened):
    page = opened("calculators", "en")
    tab_to(page, "[role=gridcell]")
    press(page, "ArrowDown")
    press(page, "ArrowRight")
    cell = "document.querySelector('[data-live] .live-sum').textContent"
    assert page.evaluate(cell).startswith("Output, row 2, column 3: 0·(−1)")
    assert page.evaluate(cell).endswith("= 3")
    assert (
        page.evaluate("document.querySelectorAll('.live-grids figure:first-child .used').length")
        == 9
    )
    drag(page, ".live-grids [data-at='3,0']", (0.5, 0.5))
    assert page.evaluate(cell).startswith("Output, row 4, column 1")
    page.evaluate("(() => { const layer = document.querySelectorAll('[data-live] select')[1]; layer.value = '5';"
                  "layer.dispatchEvent(new Event('change')); })()")  # fmt: skip
    assert "= 28 (28 × 28)" in page.evaluate("document.querySelector('.live-result').textContent")
    page.evaluate("document.querySelector('[data-at=\"27,5\"]').focus()")
    assert "no pixel of the input" in page.evaluate(cell)
    page.evaluate("(() => { const input = document.querySelector('[data-live] input'); input.value = '';"
                  "input.dispatchEvent(new Event('input')); })()")  # fmt: skip
    assert "whole number" in page.evaluate("document.querySelector('.live-result').textContent")


def decoded(code: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return load_pretrained(browser_data.AUTOENCODER).decoder(code[None]).flatten()


def test_the_explorer_draws_what_pytorch_draws(opened):
    page = opened("explorer", "en")
    images, _ = browser_data.garments()
    codes = encode(load_pretrained(browser_data.AUTOENCODER), images)
    mean, axes, _ = browser_data.plane(codes)

    def point_is_right() -> list[float]:
        point = data(page, "point")
        code = (mean + torch.tensor(point) @ axes).clamp(min=0)
        assert (torch.tensor(data(page, "decoded")) - decoded(code)).abs().max() < CLOSE
        return point

    before = point_is_right()
    drag(page, ".live-plane svg", (0.7, 0.5))
    clicked = point_is_right()
    assert clicked != before
    places = (codes - mean) @ axes.T
    nearest = (places - torch.tensor(clicked)).norm(dim=1).argmin().item()
    page.evaluate("document.querySelector('[data-live] .live-controls button').click()")
    page.frame()
    tab_to(page, ".live-plane svg")
    press(page, "ArrowLeft", 5)
    walked = point_is_right()
    assert walked[0] < clicked[0] and walked[1] == pytest.approx(clicked[1])
    start, end, share, shown = data(page, "walked")
    assert (start, end, share) == (nearest, 9 * browser_data.EACH, 0.5)
    assert (torch.tensor(shown) - decoded((codes[start] + codes[end]) / 2)).abs().max() < CLOSE
    names = page.evaluate("document.querySelectorAll('[data-live] .live-row')[1].textContent")
    assert len(names) > 10


def test_a_part_is_light():
    static = SITE / "es" / "_static"
    own = {path.name for path in (ROOT / "book" / "machinery" / "browser_code").iterdir()}
    # And cnn.js, on demand.
    made = {"classifier.js", "autoencoder.js", "examples.js", "garments.js", "decoder.js"}
    assert sum((static / name).stat().st_size for name in own | made) < 3_000_000


@pytest.mark.parametrize(
    ("lang", "words"),
    [("es", ("Correcto.", "No es esa.", "1 de 5")), ("en", ("Right.", "Not that one.", "1 of 5"))],
)
def test_a_question_is_answered_by_keyboard(opened, lang, words):
    page = opened("notebooks/08_clinic", lang, "phone")
    first = "document.querySelector('fieldset.question')"
    page.evaluate(
        f"(() => {{ const place = {first}.querySelector('legend'); place.tabIndex = -1; place.focus(); }})()"
    )
    right = int(page.evaluate(f"{first}.dataset.right"))
    answers = page.evaluate(f"{first}.querySelectorAll('input').length")
    said = f"{first}.querySelector('[role=status]').textContent"
    tab_to(page, ".question input")  # formulas take the focus too: their menu is MathJax's
    press(page, " ")
    for answer in range(1, answers + 1):
        assert page.evaluate("document.activeElement.value") == str(answer)
        assert page.evaluate(said) == ""
        tab_to(page, ".question button")
        press(page, " ")
        text, explained = (
            page.evaluate(said),
            page.evaluate(f"{first}.querySelectorAll('li')[{answer - 1}].textContent.trim()"),
        )
        assert text.startswith(words[answer != right])
        assert explained in text
        assert (words[2] in text) == (answer == right)
        tab_to(page, ".question input", back=True)
        press(page, "ArrowDown")  # another answer: what was said goes away
    page.evaluate(
        "document.querySelectorAll('fieldset.question')[1].querySelector('button').click()"
    )
    assert page.evaluate("[...document.querySelectorAll('.question-none')].length") == 1
    assert page.complaints == []


@pytest.mark.parametrize(
    ("lang", "right", "wrong", "unread"),
    [
        ("es", "Correcto.", "No es ese.", "Hace falta un número"),
        ("en", "Right.", "Not that one.", "A number is needed"),
    ],
)
def test_a_number_is_read_however_it_is_written(opened, lang, right, wrong, unread):
    visited = opened("notebooks/01_ff_classifier", lang, "phone")
    question = visited.page.locator("fieldset.question").first
    field, said = question.locator("input"), question.locator("[role=status]")
    for text in ("8256", "8 256", "8,256", "8.256", "8256.0"):
        field.fill(text)
        assert said.inner_text() == ""  # what was said was about another answer
        field.press("Enter")
        assert said.inner_text().startswith(right), text
    for text, told in (("8192", "8192"), ("8255", ""), ("1e3", "")):
        field.fill(text)
        question.locator("button").click()
        assert said.inner_text().startswith(wrong) and told in said.inner_text()
    field.fill("?")
    field.press("Enter")
    assert said.inner_text().startswith(unread) and visited.complaints == []


@pytest.mark.parametrize("lang", ["es", "en"])
def test_a_prediction_uncovers_its_result_and_is_kept_only_if_asked(opened, lang):
    visited = opened("notebooks/00_tensor_to_gradient", lang)
    page = visited.page
    box, covered = page.locator(".predict").first, page.locator(".covered")
    before = covered.count()
    assert before >= 2 and page.locator(".covered pre").first.is_hidden()
    box.locator("input").nth(1).check()
    assert covered.count() < before and " 2" in box.locator(".predicted").inner_text()
    assert page.locator(".compare").count() == 1
    assert page.evaluate("Object.keys(localStorage).filter((key) => key[0] == 'p').length") == 0
    box.locator(".remember input").check()
    page.reload()
    assert box.locator("input").nth(1).is_checked() and covered.count() < before
    box.locator(".remember input").uncheck()
    page.reload()
    assert not box.locator("input").nth(1).is_checked() and covered.count() == before
    page.locator(".uncover").first.click()
    assert covered.count() < before and box.locator(".predicted").inner_text() == ""
    sent = [request.url for request in visited.requests if request.post_data]
    assert sent == [] and visited.complaints == []


def test_without_scripts_results_are_there(visit):
    page = visit("es/notebooks/00_tensor_to_gradient.html", scripts=False).page
    assert page.locator(".covered").count() == page.locator(".predict input").count() == 0
    assert page.locator(".predict ol li").count() >= 6
