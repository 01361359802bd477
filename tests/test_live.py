"""The living parts of the book: their arithmetic is PyTorch's, and every word that they show is there in both languages.

The arithmetic of the scripts runs in Node here, where there is one, and in a browser in ``test_site_live.py``.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pages
import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional
from toy_book import ROOT

BOOK = ROOT / "book"
SCRIPTS = BOOK / "_live"
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="Node is not installed")


def run_scripts(names: list[str], expression: str, given=None):
    """Return what a JavaScript expression gives after these scripts, with ``given`` at hand; both travel as JSON."""
    program = "\n".join((SCRIPTS / name).read_text("utf-8") for name in names)
    program += "\nconst given = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
    program += f"\nprocess.stdout.write(JSON.stringify({expression}));"
    done = subprocess.run([NODE, "-e", program], input=json.dumps(given), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# --- Words ------------------------------------------------------------------------------------------------------------


def living_parts() -> dict[str, dict[str, dict[str, str]]]:
    """Return the words of every living part of the pages, by its name and language."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for lang in pages.LANGUAGES:
        for path in sorted((BOOK / lang).glob("*.md")):
            for name, words in re.findall(
                r"^:::\{live\} (\w+)\n(.*?)^:::$", path.read_text("utf-8"), re.MULTILINE | re.DOTALL
            ):
                found.setdefault(name, {})[lang] = yaml.safe_load(words)
    return found


@pytest.mark.parametrize("name", sorted(living_parts()))
def test_every_word_is_there_in_both_languages_and_used(name):
    spanish, english = (living_parts()[name][lang] for lang in pages.LANGUAGES)
    assert list(spanish) == list(english)
    assert not [key for key in spanish if re.findall(r"\{\w+\}", spanish[key]) != re.findall(r"\{\w+\}", english[key])]
    script = (SCRIPTS / f"{name}.js").read_text("utf-8")
    said = set(re.findall(r"\bwords\.(\w+)", script)) | {"noscript"}
    assert not said - set(spanish)
    by_name = {key for key in set(spanish) - said if re.search(rf"\b{key}\b", script)}  # words[name]
    assert said | by_name == set(spanish)


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.js")), ids=lambda path: path.name)
def test_scripts_ask_for_nothing_and_make_no_code_of_texts(path):
    risky = r"\b(?:fetch|XMLHttpRequest|WebSocket|import|eval|Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write)\b|https?:"
    assert not re.search(risky, path.read_text("utf-8"))


# --- Convolutions -----------------------------------------------------------------------------------------------------


def in_pytorch(case: dict) -> torch.Tensor:
    """Return the output of the operation of ``case`` on its image, (n, n), float64."""
    image = torch.tensor(case["image"], dtype=torch.float64)[None, None]
    weights = torch.tensor(case["weights"], dtype=torch.float64)[None, None]
    size = case["settings"]
    if case["operation"] in ("max", "average"):
        pool = {"max": functional.max_pool2d, "average": functional.avg_pool2d}[case["operation"]]
        return pool(image, size["kernel"], size["stride"], size["padding"])[0, 0]
    if case["operation"] == "convolution":
        return functional.conv2d(image, weights, stride=size["stride"], padding=size["padding"])[0, 0]
    last = {"padding": size["padding"], "output_padding": size["outputPadding"]}
    return functional.conv_transpose2d(image, weights, stride=size["stride"], **last)[0, 0]


def convolution_case(draw, operation: str) -> dict:
    """Return a drawn case that is PyTorch's too; images and kernels hold small integers, so that sums are exact."""
    kernel, stride = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    padding = draw(st.integers(0, kernel // 2 if operation in ("max", "average") else 3))
    output_padding = draw(st.integers(0, stride - 1)) if operation == "transposed" else 0
    smallest = {"transposed": -(-(2 * padding + 1 - kernel - output_padding) // stride) + 1}
    least = max(1, smallest.get(operation, kernel - 2 * padding))
    size = draw(st.integers(least, least + 6))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 1000)))
    image, weights = (torch.randint(-9, 10, (side, side), generator=generator).tolist() for side in (size, kernel))
    sizes = {"input": size, "kernel": kernel, "stride": stride, "padding": padding, "outputPadding": output_padding}
    return {"operation": operation, "settings": sizes, "image": image, "weights": weights}


CALCULATE = """given.map(({ operation, settings, image, weights }) => fmnistLive.convolution.problem(operation, settings)
  ?? fmnistLive.convolution.apply(operation, settings, image, weights))"""


@needs_node
@settings(max_examples=4, deadline=None)
@given(st.data())
def test_the_calculator_computes_what_pytorch_does(data):
    names = [name for name in ("convolution", "transposed", "max", "average") for _ in range(12)]
    cases = [convolution_case(data.draw, name) for name in names]
    for case, found in zip(cases, run_scripts(["live.js", "convolution.js"], CALCULATE, cases), strict=True):
        wanted = in_pytorch(case)
        assert isinstance(found, list), (found, case)
        assert torch.tensor(found, dtype=torch.float64).shape == wanted.shape, case
        assert torch.allclose(torch.tensor(found, dtype=torch.float64), wanted, atol=1e-9, rtol=0), case


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
    case = {"operation": operation, "settings": sizes, "image": torch.ones(6, 6).tolist(), "weights": [[1] * 3] * 3}
    assert run_scripts(["live.js", "convolution.js"], CALCULATE, [case]) == [problem]
    if changes.get("input", 1) == 1 and problem != "notWhole":
        side, kernel = sizes["input"], sizes["kernel"]
        case |= {"image": torch.ones(side, side).tolist(), "weights": torch.ones(kernel, kernel).tolist()}
        with pytest.raises(RuntimeError):
            in_pytorch(case)


@pytest.mark.parametrize("lang", pages.LANGUAGES)
def test_the_sizes_in_the_table_of_layers_are_right(lang):
    rows = re.findall(
        r"^\| `(nn\..+?)` \|.*\$(\d+) .*\$(\d+) \\times \d+\$ \|$", (BOOK / lang / "calculators.md").read_text("utf-8"), re.MULTILINE
    )
    assert len(rows) == 10
    for written, before, after in rows:
        kind, arguments = re.fullmatch(r"nn\.(\w+)\((.*)\)", written).groups()
        positional = [int(each) for each in arguments.split(", ") if "=" not in each]
        named = {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", arguments)}
        channels = 1 if kind == "MaxPool2d" else positional[0]
        output = getattr(nn, kind)(*positional, **named)(torch.zeros(1, channels, int(before), int(before)))
        assert output.shape[-1] == int(after), written
