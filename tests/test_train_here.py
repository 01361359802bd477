"""Training in the page: PyTorch's steps, the program of its panel, an address that says all."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from in_node import needs_node, run_scripts
from torch import nn

from book.machinery.generated import training_data
from book.machinery.generated.training_data import CHOICES, MODEL_2, PRESETS
from fmnist_utils.data import load_fashion_mnist
from fmnist_utils.models import FeedForwardAutoencoder, FeedForwardClassifier
from fmnist_utils.training import Batches

CLOSE = 1e-5
ENGINE = ["live.js", "image_text.js", "training.js", "training_run.js"]


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """Return the scripts of the page, with its images and its panel, as the build writes them."""
    folder = tmp_path_factory.mktemp("live")
    images = folder / "training_images.js"
    images.write_text(training_data.packed_images()[0], "utf-8")
    panel = folder / "training_panel.js"
    training_data.write_script(panel, "trainingPanel", training_data.panel())
    return [*ENGINE, images, panel, "train_here.js"]


def with_data(body: str) -> str:
    """Return an expression that opens the images as ``data`` and gives what ``body`` returns."""
    return f"(() => {{ const data = fmnistLive.runs.unpack(fmnistLive.trainingImages); {body} }})()"


@needs_node
def test_the_images_are_those_of_the_sample(scripts):
    sizes = "Object.entries(data).map(([name, set]) => [name, set.labels.length])"
    sums = (
        "[...data.train.pixels.slice(0, 784), ...data.val.pixels.slice(-784), ...data.test.pixels]"
    )
    found = run_scripts(
        scripts,
        with_data(f"return [{sizes}, {sums}, [...data.val.labels], [...data.train.labels]]"),
    )
    splits = load_fashion_mnist(train_size=5000)
    first = [splits.test.labels.tolist().index(label) for label in range(10)]
    images = torch.cat(
        [splits.train.images[:1], splits.val.images[999:1000], splits.test.images[first]]
    )
    assert found[1] == (images * 255).round().flatten().int().tolist()
    assert found[2] == splits.val.labels[:1000].tolist()
    assert found[3] == splits.train.labels.tolist()
    assert dict(found[0])["train"] == 5000


TRAIN = """const run = fmnistLive.runs.start(data, given);
  const losses = Array.from({ length: 50 }, () => run.train());
  return [losses, run.model.layers.map(({ weights, biases }) => [[...weights], [...biases]])];"""


@needs_node
@pytest.mark.parametrize("optimizer", CHOICES["optimizer"])
def test_fifty_steps_are_those_of_pytorch(scripts, optimizer):
    settings = MODEL_2 | {"optimizer": optimizer, "dropout": 0, "train_size": 2000, "seed": 3}
    losses, layers = run_scripts(scripts, with_data(TRAIN), settings)
    train = load_fashion_mnist(train_size=2000).train
    batches = Batches(*train, batch_size=100, seed=3)
    torch.manual_seed(3)
    model = FeedForwardClassifier(dropout=0)
    same = in_pytorch(model, batches, nn.CrossEntropyLoss(), optimizer)
    assert np.abs(np.subtract(losses, same)).max() < CLOSE
    linear = [layer for layer in model if isinstance(layer, nn.Linear)]
    for layer, (weights, biases) in zip(linear, layers, strict=True):
        assert (layer.weight.flatten() - torch.tensor(weights)).abs().max() < CLOSE
        assert (layer.bias - torch.tensor(biases)).abs().max() < CLOSE


def in_pytorch(model, batches, loss_fn, optimizer: str) -> list[float]:
    """Return the losses of fifty steps."""
    make = {
        "sgd": lambda: torch.optim.SGD(model.parameters(), lr=0.001),
        "momentum": lambda: torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9),
        "adam": lambda: torch.optim.Adam(model.parameters(), lr=0.001),
    }
    moved = make[optimizer]()
    losses = []
    for epoch in range(1, 50):
        for inputs, targets in batches.epoch(epoch):
            if len(losses) == 50:
                return losses
            loss = loss_fn(model(inputs), targets)
            moved.zero_grad()
            loss.backward()
            moved.step()
            losses.append(loss.item())
    raise AssertionError("too few minibatches")


@needs_node
def test_fifty_steps_of_the_autoencoder_are_those_of_pytorch(scripts):
    settings = MODEL_2 | {"latent_dim": 13, "dropout": 0, "train_size": 2000, "batch_size": 101}
    losses, _ = run_scripts(scripts, with_data(TRAIN), settings)
    images = load_fashion_mnist(train_size=2000).train.images
    torch.manual_seed(0)
    model = FeedForwardAutoencoder(13, dropout=0)
    batches = Batches(images, images, batch_size=101)
    assert (
        np.abs(np.subtract(losses, in_pytorch(model, batches, nn.MSELoss(), "adam"))).max() < CLOSE
    )


DIFFERENCES = """(() => {
  const { Random, network, parametersOf, gradientsOf, forward, backward, crossEntropy, squaredError } = fmnistLive.training;
  const model = network([6, 5, 7, 3], 4), random = new Random(9), count = 5, labels = [0, 2, 1, 1, 0];
  const inputs = Float32Array.from({ length: 6 * count }, () => random.fraction());
  const targets = Float32Array.from({ length: 3 * count }, () => random.fraction());
  const pass = () => forward(model, inputs, count, given.dropout, new Random(1)); // the same units dropped each time
  const measure = (outputs) => (given.loss === "squared" ? squaredError(outputs, targets) : crossEntropy(outputs, labels));
  const activations = pass();
  backward(model, activations, measure(activations.at(-1)).gradients, count, given.dropout);
  const found = gradientsOf(model).map((gradient) => [...gradient]), h = 2 ** -8;
  const wanted = parametersOf(model).map((values) => [...values].map((value, at) => {
    const [above, below] = [value + h, value - h].map((moved) => { values[at] = moved; return measure(pass().at(-1)).loss; });
    values[at] = value;
    return (above - below) / (2 * h);
  }));
  return [found.flat(), wanted.flat()];
})()"""


@needs_node
@pytest.mark.parametrize("loss", ["entropy", "squared"])
@pytest.mark.parametrize("dropout", [0, 0.3])
def test_gradients_are_those_of_finite_differences(loss, dropout):
    found, wanted = run_scripts(ENGINE, DIFFERENCES, {"loss": loss, "dropout": dropout})
    assert np.abs(wanted).max() > 0.01 and np.count_nonzero(found) > 50
    assert np.abs(np.subtract(found, wanted)).max() < 2e-4


@needs_node
def test_dropout_zeroes_its_share_and_keeps_the_mean():
    compute = """(() => { const { Random, network, forward } = fmnistLive.training, model = network([1, 20000, 1], 0);
      const still = forward(model, new Float32Array([1]), 1)[1], hidden = forward(model, new Float32Array([1]), 1, 0.8, new Random(5))[1];
      const mean = (values) => values.reduce((sum, one) => sum + one, 0) / values.length;
      return [mean(still), mean(hidden), still.filter((one) => one > 0).length, hidden.filter((one) => one > 0).length]; })()"""
    mean, kept_mean, alive, kept = run_scripts(ENGINE, compute)
    assert kept / alive == pytest.approx(0.2, abs=0.02)
    assert kept_mean == pytest.approx(mean, rel=0.05)


HISTORY = """const run = fmnistLive.runs.start(data, given), rows = [];
  for (let step = 1; step <= run.lastStep; step++) {
    run.train();
    if (step % run.perEpoch === 0) { const { train, val } = run.measure(); rows.push([train.loss, train.accuracy, val.loss, val.accuracy]); }
  }
  return [rows, fmnistLive.experiments.programFor(fmnistLive.trainingPanel, given)];"""


@needs_node
@pytest.mark.parametrize("preset", PRESETS)
def test_the_program_of_a_preset_does_what_the_panel_does(scripts, preset):
    settings = PRESETS[preset]
    assert all(settings[name] in choices for name, choices in CHOICES.items())
    settings = settings | {
        "num_epochs": 2,
        "train_size": min(settings["train_size"], 300),
        "dropout": 0,  # PyTorch's own random bits
        "learning_rate": min(settings["learning_rate"], 0.1),  # beyond, the last digits grow
    }
    rows, program = run_scripts(scripts, with_data(HISTORY), settings)
    assert program == training_data.program(settings)
    names: dict = {"print": lambda *shown: None}
    exec(program, names)
    columns = ["train_loss", "train_accuracy", "val_loss", "val_accuracy"]
    wanted = [[row[column] for column in columns] for row in names["history"].rows]
    close = {"rtol": 2e-3, "atol": 2e-3}  # of 1,000 images, one or two may be on the edge
    assert np.allclose(np.array(rows, float), np.array(wanted), **close)


@needs_node
def test_the_program_of_a_preset_is_that_of_the_build(scripts):
    compute = "given.map((one) => fmnistLive.experiments.programFor(fmnistLive.trainingPanel, one))"
    programs = run_scripts(scripts, compute, list(PRESETS.values()))
    assert programs == [training_data.program(preset) for preset in PRESETS.values()]


@needs_node
def test_the_address_says_all_settings(scripts):
    other = PRESETS["model_1"] | {"seed": 4, "hidden_2": 0}
    shown = [[first, second] for first in PRESETS.values() for second in (None, other)]
    compute = """(() => { const { toAddress, fromAddress } = fmnistLive.experiments;
      const panel = fmnistLive.trainingPanel;
      return given.map(([first, second]) => toAddress(panel, first, second))
        .map((address) => [address, fromAddress(panel, address)]); })()"""
    found = run_scripts(scripts, compute, shown)
    assert all(address.startswith("#train") for address, _ in found)
    assert [[settings["first"], settings["second"]] for _, settings in found] == shown


@needs_node
def test_an_address_that_says_nothing_known_is_the_first_preset(scripts):
    addresses = ["", "#train-here", "#train&optimizer=lion&seed=-1&x=2"]
    compute = (
        "given.map((one) => fmnistLive.experiments.fromAddress(fmnistLive.trainingPanel, one))"
    )
    assert run_scripts(scripts, compute, addresses) == [{"first": MODEL_2, "second": None}] * 3


def test_the_images_weigh_what_was_promised(scripts):
    assert scripts[4].stat().st_size <= 2_600_000


# What the sentence of a preset says, as a condition on its rows and on those of model 2 with the
# same seed. A row is what was measured after an epoch.
SAYS = {
    "model_2": lambda rows, _: (
        lowest(rows) < len(rows) - 1
        and rows[-1]["train"]["loss"] < rows[lowest(rows)]["train"]["loss"]
    ),
    "model_1": lambda rows, usual: rows[-1]["val"]["loss"] > usual[0]["val"]["loss"],
    "rate_times_100": lambda rows, usual: (
        sum(rows[-1]["val"]["dead"]) > 0.9 * 192
        and rows[-1]["val"]["accuracy"] < usual[-1]["val"]["accuracy"] / 2
    ),
    "dead_units": lambda rows, _: rows[-1]["val"]["dead"][1] == 64,
    "not_shuffled": lambda rows, usual: (
        rows[9]["val"]["accuracy"] < usual[1]["val"]["accuracy"] - 0.1
    ),
    "few_images": lambda rows, usual: (
        rows[-1]["train"]["accuracy"] > 0.99
        and rows[-1]["val"]["accuracy"] < usual[-1]["val"]["accuracy"] - 0.05
    ),
    "much_dropout": lambda rows, usual: (
        rows[4]["val"]["accuracy"] < usual[4]["val"]["accuracy"] - 0.05
        and gap(rows[-1]) < gap(usual[-1]) - 0.02
    ),
    "random_labels": lambda rows, _: (
        rows[-1]["train"]["accuracy"] > 0.9 and rows[-1]["val"]["accuracy"] < 0.2
    ),
}
ROWS = HISTORY.replace(
    "rows.push([train.loss, train.accuracy, val.loss, val.accuracy])", "rows.push({ train, val })"
)


def lowest(rows) -> int:
    return min(range(len(rows)), key=lambda n: rows[n]["val"]["loss"])


def gap(row) -> float:
    return row["train"]["accuracy"] - row["val"]["accuracy"]


@pytest.fixture(scope="module")
def finished(scripts):
    return functools.cache(
        lambda preset, seed: run_scripts(
            scripts, with_data(ROWS), PRESETS[preset] | {"seed": seed}
        )[0]
    )


@pytest.mark.nightly
@needs_node
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("preset", PRESETS)
def test_what_the_sentence_of_a_preset_says_holds(finished, preset, seed):
    assert SAYS[preset](finished(preset, seed), finished("model_2", seed))
