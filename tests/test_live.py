"""The living parts: their arithmetic is PyTorch's, their words are there in both languages.

The arithmetic of the scripts runs in Node here, where there is one, and in a browser in
``test_site_live.py``.
"""

from __future__ import annotations

import base64
import csv
import functools
import json
import re

import numpy as np
import pytest
import safetensors.numpy
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from in_node import SCRIPTS, needs_node, run_scripts
from PIL import Image, ImageDraw
from torch import nn
from torch.nn import functional

from book.machinery import pages
from book.machinery.extensions import live as parts
from book.machinery.generated import browser_data, training_data
from book.machinery.pages import ROOT
from fmnist_utils.audit import load_pretrained
from fmnist_utils.evaluation import encode, predict, reconstruct
from fmnist_utils.models import ConvAutoencoder, EncoderClassifier, FeedForwardAutoencoder
from fmnist_utils.photos import own_image_steps

BOOK = ROOT / "book"
SCRIPTS_OF_PARTS = parts.SCRIPTS


# --- Words ----------------------------------------------------------------------------------------


@functools.cache
def living_parts() -> dict[str, dict[str, dict[str, str]]]:
    """Return the words of every living part of the pages, by its name and language."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for lang in pages.LANGUAGES:
        texts = [path.read_text("utf-8") for path in sorted((BOOK / lang).glob("*.md"))]
        for path in pages.paths():
            texts += [cell.source for cell in pages.one_language(pages.read(path), lang).cells]
        for text in texts:
            for name, words in re.findall(
                r"^:::\{live\} (\w+)\n(.*?)^:::$", text, re.MULTILINE | re.DOTALL
            ):
                shared = (BOOK / lang / "_paper.yml").read_text("utf-8")
                with_paper = "paper.js" in SCRIPTS_OF_PARTS[name]
                given = (yaml.safe_load(shared) if with_paper else {}) | yaml.safe_load(words)
                found.setdefault(name, {})[lang] = given
    return found


def test_every_part_has_its_words_on_a_page():
    assert set(living_parts()) == set(SCRIPTS_OF_PARTS)


@pytest.mark.parametrize("name", sorted(SCRIPTS_OF_PARTS))
def test_every_word_is_there_in_both_languages_and_used(name):
    spanish, english = (living_parts()[name][lang] for lang in pages.LANGUAGES)
    assert list(spanish) == list(english)
    assert not [
        key
        for key in spanish
        if re.findall(r"\{\w+\}", spanish[key]) != re.findall(r"\{\w+\}", english[key])
    ]
    shared = [SCRIPTS / script for script in SCRIPTS_OF_PARTS[name]]
    script = "\n".join(path.read_text("utf-8") for path in shared if path.exists())
    own = [SCRIPTS / f"{name}.js", *(path for path in shared if path.name == "paper.js")]
    said = {word for path in own for word in re.findall(r"\bwords\.(\w+)", path.read_text("utf-8"))}
    said.add("noscript")
    if name == "train_here":  # the names of choices and presets, and a sentence for each preset
        script += json.dumps(training_data.CHOICES)
        said |= {f"{preset}{end}" for preset in training_data.PRESETS for end in ("", "_says")}
    assert not said - set(spanish)
    # As words[name].
    by_name = {key for key in set(spanish) - said if re.search(rf"\b{key}\b", script)}
    assert said | by_name == set(spanish)


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.js")), ids=lambda path: path.name)
def test_scripts_ask_for_nothing_and_make_no_code_of_texts(path):
    risky = r"\b(?:fetch|XMLHttpRequest|WebSocket|import|eval|Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write)\b|https?:"
    namespace = "http://www.w3.org/2000/svg"  # a name, not an address that is asked
    assert not re.search(risky, path.read_text("utf-8").replace(namespace, ""))


# --- Convolutions ---------------------------------------------------------------------------------


def in_pytorch(case: dict) -> torch.Tensor:
    """Return the output of the operation of ``case`` on its image, (n, n), float64."""
    image = torch.tensor(case["image"], dtype=torch.float64)[None, None]
    weights = torch.tensor(case["weights"], dtype=torch.float64)[None, None]
    size = case["settings"]
    if case["operation"] in ("max", "average"):
        pool = {"max": functional.max_pool2d, "average": functional.avg_pool2d}[case["operation"]]
        return pool(image, size["kernel"], size["stride"], size["padding"])[0, 0]
    if case["operation"] == "convolution":
        return functional.conv2d(image, weights, stride=size["stride"], padding=size["padding"])[
            0, 0
        ]
    last = {"padding": size["padding"], "output_padding": size["outputPadding"]}
    return functional.conv_transpose2d(image, weights, stride=size["stride"], **last)[0, 0]


def convolution_case(draw, operation: str) -> dict:
    """Return a drawn case that is PyTorch's too; small integers make its sums exact."""
    kernel, stride = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    padding = draw(st.integers(0, kernel // 2 if operation in ("max", "average") else 3))
    output_padding = draw(st.integers(0, stride - 1)) if operation == "transposed" else 0
    smallest = {"transposed": -(-(2 * padding + 1 - kernel - output_padding) // stride) + 1}
    least = max(1, smallest.get(operation, kernel - 2 * padding))
    size = draw(st.integers(least, least + 6))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 1000)))
    image, weights = (
        torch.randint(-9, 10, (side, side), generator=generator).tolist() for side in (size, kernel)
    )
    sizes = {
        "input": size,
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
        "outputPadding": output_padding,
    }
    return {"operation": operation, "settings": sizes, "image": image, "weights": weights}


CALCULATE = """given.map(({ operation, settings, image, weights }) => fmnistLive.convolution.problem(operation, settings)
  ?? fmnistLive.convolution.apply(operation, settings, image, weights))"""


@needs_node
@settings(max_examples=4, deadline=None)
@given(st.data())
def test_the_calculator_computes_what_pytorch_does(data):
    names = [name for name in ("convolution", "transposed", "max", "average") for _ in range(12)]
    cases = [convolution_case(data.draw, name) for name in names]
    for case, found in zip(
        cases, run_scripts(["live.js", "convolution.js"], CALCULATE, cases), strict=True
    ):
        wanted = in_pytorch(case)
        assert isinstance(found, list), (found, case)
        assert torch.tensor(found, dtype=torch.float64).shape == wanted.shape, case
        assert torch.allclose(
            torch.tensor(found, dtype=torch.float64), wanted, atol=1e-9, rtol=0
        ), case


@needs_node
@pytest.mark.parametrize(("operation", "changes", "problem"), [
    ("convolution", {"kernel": 8}, "tooSmall"),
    ("transposed", {"input": 1, "padding": 2}, "tooSmall"),
    ("max", {"padding": 2}, "poolingPadding"),
    ("transposed", {"stride": 2, "outputPadding": 2}, "tooMuchOutputPadding"),
    ("convolution", {"stride": 0}, "notWhole"),
    ("convolution", {"input": 2.5}, "notWhole"),
    ("convolution", {"padding": None}, "notWhole"),
])  # fmt: skip
def test_the_calculator_refuses_what_pytorch_refuses(operation, changes, problem):
    sizes = {"input": 6, "kernel": 3, "stride": 1, "padding": 0, "outputPadding": 0} | changes
    case = {
        "operation": operation,
        "settings": sizes,
        "image": torch.ones(6, 6).tolist(),
        "weights": [[1] * 3] * 3,
    }
    assert run_scripts(["live.js", "convolution.js"], CALCULATE, [case]) == [problem]
    if changes.get("input", 1) == 1 and problem != "notWhole":
        side, kernel = sizes["input"], sizes["kernel"]
        case |= {
            "image": torch.ones(side, side).tolist(),
            "weights": torch.ones(kernel, kernel).tolist(),
        }
        with pytest.raises(RuntimeError):
            in_pytorch(case)


@pytest.mark.parametrize("lang", pages.LANGUAGES)
def test_the_sizes_in_the_table_of_layers_are_right(lang):
    rows = re.findall(
        r"^\| `(nn\..+?)` \|.*\$(\d+) .*\$(\d+) \\times \d+\$ \|$",
        (BOOK / lang / "calculators.md").read_text("utf-8"),
        re.MULTILINE,
    )
    assert len(rows) == 10
    for written, before, after in rows:
        kind, arguments = re.fullmatch(r"nn\.(\w+)\((.*)\)", written).groups()
        positional = [int(argument) for argument in arguments.split(", ") if "=" not in argument]
        named = {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", arguments)}
        channels = 1 if kind == "MaxPool2d" else positional[0]
        output = getattr(nn, kind)(*positional, **named)(
            torch.zeros(1, channels, int(before), int(before))
        )
        assert output.shape[-1] == int(after), written


# --- Networks -------------------------------------------------------------------------------------

CLOSE = 1e-4  # what the page promises


def in_javascript(model: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    """Return what ``networks.js`` makes of a batch of inputs, each flat, (N, outputs)."""
    given = {
        "network": browser_data.network(model),
        "inputs": inputs.flatten(1).tolist(),
        "shape": list(inputs.shape[1:]),
    }
    compute = "given.inputs.map((one) => [...fmnistLive.network(given.network)(one, given.shape)])"
    return torch.tensor(run_scripts(["live.js", "networks.js"], compute, given))


def small_networks() -> dict[str, tuple[nn.Module, tuple[int, ...]]]:
    """Return networks with every kind of layer, of sizes that differ, and their inputs' shape."""
    strided = [
        nn.Conv2d(2, 3, 3, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(3, 4, 2),
        nn.MaxPool2d(3, stride=2),
    ]
    grown = [
        nn.Unflatten(1, (2, 3, 3)),
        nn.ConvTranspose2d(2, 5, 3, stride=3, padding=1, output_padding=2),
        nn.Sigmoid(),
    ]
    return {
        "strided": (nn.Sequential(*strided), (2, 11, 13)),
        "grown": (nn.Sequential(nn.Linear(7, 18), nn.Dropout(0.5), *grown), (7,)),
        "dense": (FeedForwardAutoencoder(16, "leaky_relu", "sigmoid"), (1, 28, 28)),
        "transferred": (EncoderClassifier("conv", 20), (1, 28, 28)),
        "raschka": (EncoderClassifier("raschka", 10), (1, 28, 28)),
        "covering": (ConvAutoencoder(12, "sigmoid", covering_kernels=True), (1, 28, 28)),
    }


@needs_node
@pytest.mark.parametrize("name", small_networks())
def test_networks_in_javascript_give_what_pytorch_gives(name):
    torch.manual_seed(0)
    model, shape = small_networks()[name]
    inputs = torch.rand(3, *shape)
    with torch.no_grad():
        wanted = model.eval()(inputs).flatten(1)
    assert torch.allclose(in_javascript(model, inputs), wanted, atol=1e-5, rtol=0)


@needs_node
def test_the_trained_networks_in_javascript_give_what_pytorch_gives():
    classifier = load_pretrained(browser_data.CLASSIFIER)
    autoencoder = load_pretrained(browser_data.AUTOENCODER)
    images = browser_data.garments()[0][::30]
    drawn = torch.zeros(2, 1, 28, 28)
    drawn[0, :, 5:20, 8:12] = 1  # not a garment
    images = torch.cat([images, drawn])
    assert (
        in_javascript(classifier, images).softmax(1) - predict(classifier, images)
    ).abs().max() < CLOSE
    assert (
        in_javascript(autoencoder.encoder, images) - encode(autoencoder, images)
    ).abs().max() < CLOSE
    rebuilt = in_javascript(autoencoder, images).reshape(images.shape)
    assert (rebuilt - reconstruct(autoencoder, images)).abs().max() < CLOSE


LOOK = """(() => { const { inside, layers, cnn, softmax } = fmnistLive, network = layers(cnn);
  return given.map(({ image, unit, block, channel, place }) => {
    const values = inside.trace(network, image), { products, bias } = inside.dense(network[8], values[8], unit);
    const { parts, ...pixel } = inside.pixel(network, values, block, channel, place);
    return { values: values.map(({ data }) => [...data]), probabilities: softmax(values.at(-1).data), pixel,
      parts: parts.map(({ products }) => products), unit: products.reduce((a, b) => a + b, bias) }; }); })()"""


@needs_node
def test_a_look_inside_finds_every_number_of_pytorch():
    cnn = load_pretrained(browser_data.CNN)
    drawn = torch.zeros(1, 1, 28, 28)
    drawn[:, :, 3:20, 5:9] = 1
    images = torch.cat([browser_data.garments()[0][::60], drawn])
    drawing = torch.Generator().manual_seed(0)
    looks = []
    for image in images:
        block = 4 * torch.randint(2, (1,), generator=drawing).item()
        side = 12 if block else 28
        pick = [torch.randint(n, (1,), generator=drawing).item() for n in (128, 32, side, side)]
        look = {"unit": pick[0], "block": block, "channel": pick[1], "place": pick[2:]}
        looks.append({"image": image.flatten().tolist(), **look})
    packed = json.dumps(browser_data.network(cnn))
    scripts = ["live.js", "networks.js", "inside.js"]
    found = run_scripts(scripts, f"(fmnistLive.cnn = {packed}, {LOOK})", looks)
    layers = [layer for layer in cnn if not isinstance(layer, browser_data.PASSED)]
    for image, look, seen in zip(images, looks, found, strict=True):
        values = [image[None]]
        with torch.no_grad():
            for layer in layers:
                flat = values[-1].flatten(1) if isinstance(layer, nn.Linear) else values[-1]
                values.append(layer(flat))
        for wanted, given_value in zip(values, seen["values"], strict=True):
            assert (torch.tensor(given_value) - wanted.flatten()).abs().max() < CLOSE
        wanted = predict(cnn, image[None])[0]
        assert (torch.tensor(seen["probabilities"]) - wanted).abs().max() < CLOSE
        assert seen["unit"] == pytest.approx(values[9][0, look["unit"]].item(), abs=CLOSE)
        first, channel, (row, column) = look["block"], look["channel"], look["place"]
        pixel, layer = seen["pixel"], layers[first]
        padded = functional.pad(values[first], [layer.padding[0]] * 4)
        window = padded[0, :, row : row + 3, column : column + 3]
        products = (window * layer.weight[channel]).flatten(1)
        assert (torch.tensor(seen["parts"]) - products).abs().max() < CLOSE
        four = values[first + 3][0, channel].unfold(0, 2, 2).unfold(1, 2, 2)[row // 2, column // 2]
        steps = [values[first + n][0, channel, row, column].item() for n in (1, 2, 3)]
        assert pixel["sum"] + pixel["bias"] == pytest.approx(steps[0], abs=CLOSE)
        norm = (steps[0] - pixel["mean"]) / pixel["deviation"] * pixel["gamma"] + pixel["beta"]
        assert norm == pytest.approx(steps[1], abs=CLOSE)
        names = ("convolved", "normalized", "active", "pooled")
        assert [pixel[name] for name in names] == pytest.approx(
            [*steps, four.max().item()], abs=CLOSE
        )
        assert pixel["four"] == pytest.approx(four.flatten().tolist(), abs=CLOSE)


def pictures_of_one_s_own() -> dict[str, Image.Image]:
    """Return a tinted photograph on light, and a large, half transparent one on dark."""
    noise = np.random.default_rng(0).integers(0, 12, (431, 377, 3))
    light = Image.fromarray((235 - noise).astype(np.uint8))
    draw = ImageDraw.Draw(light)
    draw.polygon([(80, 60), (300, 60), (290, 390), (120, 400)], (150, 40, 90))
    draw.ellipse([150, 60, 230, 110], (235, 230, 228))
    dark = Image.new("RGBA", (766, 1051), (20, 25, 30, 255))
    draw = ImageDraw.Draw(dark)
    draw.rectangle([200, 150, 525, 850], (90, 200, 160, 200))
    draw.rectangle([325, 450, 425, 850], (20, 25, 30, 255))
    return {"light": light, "dark": dark}


@needs_node
@pytest.mark.parametrize("name", ["light", "dark"])
def test_a_picture_of_one_s_own_becomes_the_same_image_as_in_python(name):
    picture = pictures_of_one_s_own()[name]
    data = base64.b64encode(picture.convert("RGBA").tobytes()).decode()
    given_picture = {"data": data, "width": picture.width, "height": picture.height}
    compute = """(() => { const steps = fmnistLive.ownImage({ ...given, data: fmnistLive.bytes(given.data) });
      return Object.fromEntries(Object.entries(steps).map(([name, { data, width, height }]) => [name, [height, width, name === "small" ? [...data] : null]])); })()"""
    steps = run_scripts(["live.js", "networks.js", "own_image.js"], compute, given_picture)
    wanted = own_image_steps(picture)
    assert list(steps) == list(wanted)
    for step, (height, width, _) in steps.items():
        assert (height, width) == wanted[step].shape[:2]
    small = np.array(steps["small"][2]).reshape(28, 28)
    assert np.abs(small - wanted["small"]).max() < 0.02 and wanted["small"].std() > 0.2


@needs_node
def test_a_plain_picture_is_refused():
    plain = {"data": [200] * 64, "width": 4, "height": 4}
    compute = (
        "(() => { try { fmnistLive.ownImage(given); } catch (error) { return error.message; } })()"
    )
    assert run_scripts(["live.js", "own_image.js"], compute, plain) == "plain"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return a function that gives the folder of what the pages of a language are given."""

    @functools.cache
    def folder_of(lang):
        folder = tmp_path_factory.mktemp(lang)
        (folder / "_live").mkdir()
        browser_data.write(folder, lang, {})
        return folder

    return folder_of


@needs_node
def test_the_plane_of_the_explorer_is_that_of_pytorch(written):
    given_data = (written("en") / "_live" / "garments.js").read_text("utf-8")
    compute = """(() => { const { unpack, codeAt, nearest } = fmnistLive.latent, { codes, points, plane, images, labels } =
      unpack(fmnistLive.garments); return { codes: codes.map((code) => [...code]), points, labels, images: images.map((one) => [...one]),
      between: [...codeAt(plane, [1.5, -2])], order: nearest(codes, codes[7]).slice(0, 4).map(([, n]) => n) }; })()"""
    found = run_scripts(
        ["live.js", "networks.js", "explorer.js"], f"(() => {{ {given_data} return {compute}; }})()"
    )
    images, labels = browser_data.garments()
    codes = encode(load_pretrained(browser_data.AUTOENCODER), images)
    mean, axes, share = browser_data.plane(codes)
    assert torch.allclose(axes @ axes.T, torch.eye(2), atol=1e-6) and 0 < share < 1
    points = (codes - mean) @ axes.T
    spread = points.var(dim=0).sum() / codes.var(dim=0).sum()
    assert spread.item() == pytest.approx(share, abs=1e-5)
    assert (torch.tensor(found["codes"]) - codes).abs().max() < 1e-6
    assert found["labels"] == labels.tolist()
    assert (torch.tensor(found["points"]) - points).abs().max() < CLOSE
    assert torch.allclose(torch.tensor(found["images"]), images.flatten(1))
    wanted = (mean + torch.tensor([1.5, -2.0]) @ axes).clamp(min=0)
    assert (torch.tensor(found["between"]) - wanted).abs().max() < CLOSE
    assert found["order"] == (codes - codes[7]).norm(dim=1).argsort()[:4].tolist()


def test_a_layer_without_arithmetic_is_refused():
    with pytest.raises(TypeError, match="Tanh"):
        browser_data.network(nn.Sequential(nn.Linear(2, 2), nn.Tanh()))


@pytest.mark.parametrize(
    "values", [[0.0, 0.0], [1.0, -1.0, 0.5], [-3e-5, 1e-9, 2e-5], [123.25, -0.001]]
)
def test_packed_numbers_are_the_numbers(values):
    packed = browser_data.pack(torch.tensor(values))
    raw = np.frombuffer(base64.b64decode(packed["numbers"]), np.uint8).reshape(-1, 3)
    numerators = np.pad(raw, ((0, 0), (0, 1))).copy().view(">i4")[:, 0] // 256
    off = np.abs(numerators / (2**23 - 1) * packed["largest"] - np.float32(values))
    assert off.max() <= packed["largest"] * 0.501 * 2**-23


def test_the_images_are_the_test_images_of_the_records():
    images, labels = browser_data.garments()
    panel = safetensors.numpy.load_file(
        next(
            ROOT.glob("fmnist_utils/reports/01_*/records/model_2.theirs.seed0.*.panel.safetensors")
        )
    )
    assert images.shape == (300, 1, 28, 28) and labels.bincount().tolist() == [30] * 10
    first = (images[:: browser_data.EACH, 0] * 255).round().byte().numpy()
    assert (first == panel["examples"]).all()
    assert labels[:: browser_data.EACH].tolist() == panel["example_labels"].tolist()


@pytest.mark.parametrize(("lang", "boot"), [("es", "Botín"), ("en", "Ankle boot")])
def test_what_a_page_is_given(lang, boot, written):
    folder = written(lang)
    made = {path.name: path.stat().st_size for path in (folder / "_live").iterdir()}
    of_others = {"selfcheck.js", "slides.js", "sort.js"}  # questions, slides, tables
    committed = {path.name for path in SCRIPTS.glob("*.js")} - of_others
    # test_train_here.py has the panel of training; cnn.js is asked for when its panel is started.
    found = committed | set(made) | {"training_panel.js"}
    assert found == {"cnn.js"}.union(*SCRIPTS_OF_PARTS.values())
    assert made.pop("cnn.js") <= 1_500_000 and sum(made.values()) < 2_000_000
    assert boot in (folder / "_live" / "examples.js").read_text("utf-8")
    rows = list(csv.reader((folder / "examples.csv").open(encoding="utf-8")))
    assert len(rows) == 10 and rows[9][0] == boot
    pictures = {path.stem for path in folder.glob("*.png")}
    assert pictures == {"plane", "walk", "examples", "inside"}


def test_no_rounding_makes_a_certainty():
    assert [browser_data.percent(p) for p in (1.0, 0.99996, 0.5, 0.00001)] == [
        "100.00 %",
        "\\> 99.99 %",
        "50.00 %",
        "0.00 %",
    ]
