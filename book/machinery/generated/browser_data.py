"""What the pages that run a network in the browser are given: weights, images and the figures shown without scripts.

Made at each build from the committed checkpoints and from the first thirty test images of each class. Scripts are data only, read by ``browser_code/networks.js``; a page
opened from the disk cannot load anything else.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from book.machinery.generated.writing import save_figure, write_table
from fmnist_utils.audit.schema import load_pretrained
from fmnist_utils.data import load_fashion_mnist
from fmnist_utils.evaluation import encode, predict, reconstruct
from fmnist_utils.text import class_names, say, speaking

CLASSIFIER, AUTOENCODER, CNN = "ff_classifier", "conv_autoencoder_64", "cnn_3_128"
EACH = 30  # images of each class
WALK = [7 * EACH, 9 * EACH]  # from the first sneaker to the first ankle boot
INSIDE = [6 * EACH, 9 * EACH]  # the first shirt and the first ankle boot
# In eval mode, and on data that lie flat, they change nothing.
PASSED = (nn.Flatten, nn.Dropout, nn.Identity)


def write(folder: Path, lang: str, executed: dict) -> None:
    """Write into ``folder`` what the pages with networks need in ``lang``: scripts, figures, tables."""
    classifier, autoencoder, cnn = map(load_pretrained, (CLASSIFIER, AUTOENCODER, CNN))
    images, labels = garments()
    first = torch.arange(0, len(images), EACH)  # one of each class
    scripts = folder / "_live"
    with speaking(lang):
        write_script(scripts / "classifier.js", "classifier", network(classifier))
        parts = {"encoder": network(autoencoder.encoder), "decoder": network(autoencoder.decoder)}
        write_script(scripts / "autoencoder.js", "autoencoder", parts)
        write_script(scripts / "examples.js", "examples", shown(images[first], labels[first]))
        codes = encode(autoencoder, images)
        mean, axes, share = plane(codes)
        packed = {"codes": pack(codes), "mean": pack(mean), "axes": pack(axes), "share": share}
        write_script(scripts / "garments.js", "garments", shown(images, labels) | packed)
        write_script(scripts / "decoder.js", "decoder", parts["decoder"])
        places = {say("live.plane", percent=f"{100 * share:.0f}"): (codes - mean) @ axes.T}
        save_figure(folder / "plane.png", "scatter_by_class", places, labels)
        draw_walk(folder, autoencoder.decoder, images[WALK], codes[WALK])
        draw_examples(folder, images[first], reconstruct(autoencoder, images[first]))
        write_script(scripts / "cnn.js", "cnn", network(cnn))
        draw_maps(folder, cnn, images[INSIDE])
        for name, model in {"examples.csv": classifier, "inside.csv": cnn}.items():
            write_table(folder / name, answers(labels[first], predict(model, images[first])))


def plane(codes: Tensor) -> tuple[Tensor, Tensor, float]:
    """Return the plane on which ``codes`` (N, d) are most spread, as PCA has it, and its share of their variance.

    The plane is a point (d,) and two axes of length one (2, d), each with its largest component positive.
    """
    mean = codes.mean(dim=0)
    _, spread, axes = torch.linalg.svd((codes - mean).double(), full_matrices=False)
    axes = axes[:2] * axes[:2].gather(1, axes[:2].abs().argmax(dim=1, keepdim=True)).sign()
    return mean, axes.float(), ((spread[:2] ** 2).sum() / (spread**2).sum()).item()


# --- Networks and images as scripts -----------------------------------------------------------------------------------


def network(model: nn.Module) -> dict:
    """Return a network for ``networks.js``: its layers and, in their order, their weights, biases and what batch norm keeps.

    Raises:
        TypeError: if it has a layer for which the script has no arithmetic.
    """
    layers, weights = [], []
    for module in model.modules():
        if any(True for _ in module.children()) or isinstance(module, PASSED):
            continue  # a module of modules, whose layers follow in the order in which they are run
        layers.append(layer(module))
        weights += [
            pack(tensor)
            for name, tensor in module.state_dict().items()
            if name != "num_batches_tracked"
        ]
    return {"layers": layers, "weights": weights}


def layer(module: nn.Module) -> dict:
    """Return the kind and the sizes of a layer."""
    match module:
        case nn.Linear():
            return {"kind": "linear", "inputs": module.in_features, "outputs": module.out_features}
        case nn.Conv2d() | nn.ConvTranspose2d():
            kind = "transposed" if isinstance(module, nn.ConvTranspose2d) else "convolution"
            sizes = {
                "inputs": module.in_channels,
                "outputs": module.out_channels,
                "kernel": module.kernel_size[0],
            }
            sizes |= {
                "stride": module.stride[0],
                "padding": module.padding[0],
                "outputPadding": module.output_padding[0],
            }
            return {"kind": kind} | sizes
        case nn.MaxPool2d():
            return {"kind": "max", "kernel": module.kernel_size, "stride": module.stride}
        case nn.BatchNorm2d():
            return {"kind": "batchNorm", "epsilon": module.eps}
        case nn.LeakyReLU():
            return {"kind": "leakyRelu", "slope": module.negative_slope}
        case nn.ReLU():
            return {"kind": "relu"}
        case nn.Sigmoid():
            return {"kind": "sigmoid"}
        case nn.Unflatten():
            return {"kind": "reshape", "shape": list(module.unflattened_size)}
    raise TypeError(f"networks.js has no layer {type(module).__name__}")


def pack(values: Tensor) -> dict:
    """Return numbers as fractions of the largest, in base64: three bytes a number, which is four characters.

    Each is off by about a 2⁻²⁴ of the largest at most, as float32 is for the largest itself, in three quarters of the space.
    """
    largest = values.abs().max().item() or 1.0
    numerators = np.rint(values.flatten().double().numpy() / largest * (2**23 - 1)).astype(">i4")
    upper_byte_dropped = numerators.view(np.uint8).reshape(-1, 4)[:, 1:]
    return {"largest": largest, "numbers": base64.b64encode(upper_byte_dropped.tobytes()).decode()}


def shown(images: Tensor, labels: Tensor) -> dict:
    """Return images, as bytes, with their labels and the names of all classes."""
    pixels = (images * 255).round().byte().numpy().tobytes()
    return {
        "classes": list(class_names()),
        "labels": labels.tolist(),
        "pixels": base64.b64encode(pixels).decode(),
    }


def write_script(path: Path, name: str, value: dict) -> None:
    """Write a script that holds ``value`` under ``name``, where the other scripts look for it."""
    content = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    path.write_text(f"(globalThis.fmnistLive ??= {{}}).{name} = {content};\n", "utf-8")


# --- What is shown without scripts ------------------------------------------------------------------------------------


def draw_examples(folder: Path, images: Tensor, outputs: Tensor) -> None:
    """Draw ``examples.png``: images and what the autoencoder makes of them."""
    save_figure(
        folder / "examples.png",
        "reconstructions",
        {say("live.image"): images, say("live.reconstruction"): outputs},
    )


def draw_maps(folder: Path, cnn: nn.Sequential, images: Tensor) -> None:
    """Draw ``inside.png``: images and the first five maps that leave each of the two blocks."""
    layers = list(cnn)
    with torch.no_grad():
        block_1 = nn.Sequential(*layers[:4])(images)  # N × 32 × 14 × 14
        block_2 = nn.Sequential(*layers[4:8])(block_1)  # N × 64 × 6 × 6
    maps = {"32 × 14 × 14": block_1[:, :5], "64 × 6 × 6": block_2[:, :5]}
    save_figure(folder / "inside.png", "feature_maps", images, maps)


def draw_walk(folder: Path, decoder: nn.Module, images: Tensor, codes: Tensor) -> None:
    """Draw ``walk.png``: from one image to another in equal steps, once by their codes and once by their pixels."""
    steps = torch.linspace(0, 1, 7)[:, None]
    with torch.no_grad():
        decoded = decoder((1 - steps) * codes[0] + steps * codes[1])
    mixed = (1 - steps) * images[0].flatten() + steps * images[1].flatten()
    rows = {
        say("live.mixed_codes"): decoded,
        say("live.mixed_pixels"): mixed.reshape(decoded.shape),
    }
    save_figure(folder / "walk.png", "reconstructions", rows)


def answers(labels: Tensor, probabilities: Tensor) -> list[tuple[str, str, str]]:
    """Return what the classifier says of each image: its class, the one that it names, with what probability."""
    names = class_names()
    rows = zip(
        labels.tolist(),
        probabilities.argmax(1).tolist(),
        probabilities.amax(1).tolist(),
        strict=True,
    )
    return [(names[label], names[said], percent(probability)) for label, said, probability in rows]


def percent(probability: float) -> str:
    """Return a probability in percent, of which no rounding makes a certainty; Markdown would take a bare ``>`` for a quotation."""
    return "\\> 99.99 %" if 0.99995 <= probability < 1 else f"{100 * probability:.2f} %"


# --- The images -------------------------------------------------------------------------------------------------------


def garments() -> tuple[Tensor, Tensor]:
    """Return the first thirty test images of each class, (300, 1, 28, 28) from 0 to 1, class by class, and their labels."""
    test = load_fashion_mnist("sample").test
    first = torch.cat([(test.labels == label).nonzero()[:EACH, 0] for label in range(10)])
    return test.images[first], test.labels[first]
