"""What *Train it here* is given: images, choices, presets, the program that does the same in PyTorch, and a finished run.

The images are the first 5,000 training images of the sample, the first 1,000 that validate, and the first test image of each
class. The page loads them when a panel is started, and not before.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from pathlib import Path

import torch
from torch import Tensor

from book.machinery.generated.browser_data import write_script
from book.machinery.generated.image_text import write_images
from book.machinery.generated.writing import save_figure, write_table
from fmnist_utils.data import load_fashion_mnist
from fmnist_utils.text import class_names, speaking
from fmnist_utils.training import History

TRAIN_SIZE, VAL_SIZE = 5_000, 1_000

# What can be chosen in the panel, under the names of the program's arguments; numbers are shown as they are, names have words.
CHOICES: dict[str, list] = {
    "optimizer": ["sgd", "momentum", "adam"],
    "learning_rate": [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1],
    "batch_size": [10, 32, 100, 500, 1000],
    "hidden_1": [8, 16, 32, 64, 128, 256],
    "hidden_2": [0, 8, 16, 32, 64, 128],
    "dropout": [0, 0.2, 0.5, 0.8],
    "train_size": [100, 500, 1000, 2000, 5000],
    "order": ["shuffled", "in_order", "by_class"],
    "labels": ["true_labels", "mixed_labels"],
    "num_epochs": [5, 10, 30, 60, 100],
    "seed": list(range(10)),
}
MODEL_2 = {
    "optimizer": "adam",
    "learning_rate": 0.001,
    "batch_size": 100,
    "hidden_1": 128,
    "hidden_2": 64,
    "dropout": 0.2,
    "train_size": TRAIN_SIZE,
    "order": "shuffled",
    "labels": "true_labels",
    "num_epochs": 30,
    "seed": 0,
}
PRESETS: dict[str, dict] = {
    "model_2": MODEL_2,
    "model_1": MODEL_2 | {"optimizer": "sgd"},
    "rate_times_100": MODEL_2 | {"learning_rate": 0.1},
    "dead_units": MODEL_2 | {"optimizer": "momentum", "learning_rate": 1, "dropout": 0},
    "not_shuffled": MODEL_2 | {"order": "by_class"},
    "few_images": MODEL_2 | {"train_size": 100, "dropout": 0, "num_epochs": 100},
    "much_dropout": MODEL_2 | {"dropout": 0.8},
    "random_labels": MODEL_2 | {"labels": "mixed_labels", "train_size": 1000, "dropout": 0, "num_epochs": 100},
}  # fmt: skip

PROGRAM = """import torch
from torch import nn

from fmnist_utils.data import load_fashion_mnist
from fmnist_utils.models import FeedForwardClassifier
from fmnist_utils.training import Batches, accuracy, fit

splits = load_fashion_mnist("sample", train_size={train_size})
images, labels = splits.train
{labels}seen = Batches(images[:1000], labels[:1000], batch_size=1000)
val = Batches(splits.val.images[:1000], splits.val.labels[:1000], batch_size=1000)
{order}

torch.manual_seed({seed})
model = FeedForwardClassifier(hidden_sizes={hidden_sizes}, dropout={dropout})
optimizer = {optimizer}
history = fit(
    model,
    train,
    nn.CrossEntropyLoss(),
    optimizer,
    num_epochs={num_epochs},
    watch={"train": seen, "val": val},
    metrics={"accuracy": accuracy},
)
print(history.frame())
"""
IN_ORDER = """

class InOrder(Batches):
    def epoch(self, epoch):
        return iter(self)


{sorting}train = InOrder(images, labels, batch_size={batch_size})"""
# The lines that a choice puts into the program.
LINES: dict[str, dict[str, str]] = {
    "optimizer": {
        "sgd": "torch.optim.SGD(model.parameters(), lr={learning_rate})",
        "momentum": "torch.optim.SGD(model.parameters(), lr={learning_rate}, momentum=0.9)",
        "adam": "torch.optim.Adam(model.parameters(), lr={learning_rate})",
    },
    "labels": {
        "true_labels": "",
        "mixed_labels": "torch.manual_seed({seed})\nlabels = labels[torch.randperm(len(labels))]\n",
    },
    "order": {
        "shuffled": "train = Batches(images, labels, batch_size={batch_size}, seed={seed})",
        "in_order": IN_ORDER.replace("{sorting}", ""),
        "by_class": IN_ORDER.replace(
            "{sorting}",
            "by_class = labels.argsort(stable=True)\nimages = images[by_class]\nlabels = labels[by_class]\n",
        ),
    },
}

LATENT_DIMS = [8, 16, 32, 64, 128]
FINISHED = {"Adam": "model_2"}  # what is shown without scripts


def write(folder: Path, lang: str, executed: dict) -> None:
    """Write into ``folder`` the scripts of the page in ``lang``, and the figure and the table of a finished run."""
    scripts = folder / "_live"
    (scripts / "training_images.js").write_text(packed_images()[0], "utf-8")
    with speaking(lang):
        write_script(scripts / "training_panel.js", "trainingPanel", panel())
        runs = {name: finished_run(preset) for name, preset in FINISHED.items()}
        columns = ["train_loss", "val_loss", "train_accuracy", "val_accuracy"]
        save_figure(folder / "finished.png", "curves", runs, columns)
        write_table(folder / "finished.csv", map(last_row, runs, runs.values()))


def panel() -> dict:
    """Return what the panels know before they are started, with words in the language that is spoken."""
    return {
        "choices": CHOICES,
        "presets": PRESETS,
        "program": PROGRAM,
        "lines": LINES,
        "latentDims": LATENT_DIMS,
        "classes": list(class_names()),
        "images": f"training_images.js?v={packed_images()[1]}",
    }


def program(settings: dict) -> str:
    """Return the program in PyTorch that does what the panel does with ``settings``; the panel fills it in the same way."""
    hidden = [str(settings[name]) for name in ("hidden_1", "hidden_2") if settings[name]]
    values = {name: str(value) for name, value in settings.items()}
    values["hidden_sizes"] = f"({', '.join(hidden)}{',' * (len(hidden) == 1)})"
    lines = {name: LINES[name][settings[name]] for name in LINES}
    return fill(fill(PROGRAM, lines), values)


def fill(text: str, values: dict[str, str]) -> str:
    """Return ``text`` with each ``{name}`` replaced by its value; other braces stay."""
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), text)


# --- Images -----------------------------------------------------------------------------------------------------------


@functools.cache
def packed_images() -> tuple[str, str]:
    """Return the script with all images, and a digest of it for its address."""
    splits = load_fashion_mnist("sample", train_size=TRAIN_SIZE)
    first = torch.tensor([splits.test.labels.tolist().index(label) for label in range(10)])
    sets = {
        "train": splits.train,
        "val": (splits.val.images[:VAL_SIZE], splits.val.labels[:VAL_SIZE]),
        "test": (splits.test.images[first], splits.test.labels[first]),
    }
    pca = {}
    for latent_dim, (garments, loss) in principal_components(sets).items():
        pca[latent_dim] = loss
        sets[f"pca_{latent_dim}"] = (garments, sets["test"][1])
    pixels = torch.cat([(images * 255).round().byte()[:, 0] for images, _ in sets.values()])
    packed = {
        "images": write_images(pixels.numpy()),
        "labels": {name: labels.tolist() for name, (_, labels) in sets.items()},
        "pca": pca,
    }
    content = json.dumps(packed, separators=(",", ":"))
    script = f"(globalThis.fmnistLive ??= {{}}).trainingImages = {content};\n"
    return script, hashlib.sha256(script.encode()).hexdigest()[:8]


def principal_components(sets: dict) -> dict[int, tuple[Tensor, float]]:
    """Return, for each size of code, PCA's reconstructions of the test garments and its mean squared error in validation.

    The components are those of the training images.
    """
    flat = {name: images.flatten(1) for name, (images, _) in sets.items()}
    mean = flat["train"].mean(dim=0)
    centred = (flat["train"] - mean).double()
    axes = torch.linalg.eigh(centred.T @ centred).eigenvectors.float().T.flip(0)
    found = {}
    for latent_dim in LATENT_DIMS:
        kept = axes[:latent_dim]
        rebuilt = {name: (flat[name] - mean) @ kept.T @ kept + mean for name in ("val", "test")}
        error = (rebuilt["val"] - flat["val"]).square().mean().item()
        garments = rebuilt["test"].clamp(0, 1).reshape(-1, 1, 28, 28)
        found[latent_dim] = (garments, round(error, 6))
    return found


# --- Finished runs, for who runs no scripts ---------------------------------------------------------------------------


@functools.cache
def finished_run(preset: str) -> History:
    """Return the history of a preset, trained by its program."""
    names: dict = {"print": lambda *shown: None}
    exec(program(PRESETS[preset]), names)  # the text is ours: it stands in this file
    return names["history"]


def last_row(name: str, history: History) -> tuple[str, ...]:
    """Return what a run measured after its last epoch: its name, the epoch, losses, accuracies in percent."""
    row = history.rows[-1]
    losses = [f"{row[f'{part}_loss']:.3f}" for part in ("train", "val")]
    accuracies = [f"{100 * row[f'{part}_accuracy']:.1f} %" for part in ("train", "val")]
    return (name, str(row["epoch"]), *losses, *accuracies)
