"""Answers to the exercises: a right one, and wrong ones with what is said of them."""

import itertools
import math

import torch
from torch import nn


def softmax_by(dimension):
    return lambda logits: logits.exp() / logits.exp().sum(dim=dimension, keepdim=True)


def one_hot(labels):
    return nn.functional.one_hot(labels, num_classes=10)


def dense(*sizes, last=()):
    """Return a network of dense layers with ReLU between them, and of the layers ``last``."""
    layers = [nn.Flatten()]
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1], *last)


IMAGE = [nn.Unflatten(1, (1, 28, 28))]


def transposed(stride, kernel_size=4):
    """Return Raschka's four layers with this kernel and stride in the third."""
    return nn.Sequential(
        nn.ConvTranspose2d(64, 64, 3, padding=1),
        nn.ConvTranspose2d(64, 64, 4, stride=2, padding=1),
        nn.ConvTranspose2d(64, 32, kernel_size, stride, padding=1),
        nn.ConvTranspose2d(32, 1, 3, padding=1),
    )


def with_bias(value):
    return lambda network: nn.init.constant_(network.decoder[7].bias, value)


def all_parameters(network):
    for parameter in network.parameters():
        nn.init.constant_(parameter, 0.3)


def effects(sign):
    return lambda s, t, u, v: [(u - s + v - t) / 2, (t - s + v - u) / 2, sign * (v - u - t + s)]


def early_stop(losses, patience, forgiving=False):
    best, waited = math.inf, 0
    for epoch, loss in enumerate(losses, start=1):
        waited = 0 if loss < best else waited + 1
        best = loss if forgiving else min(best, loss)
        if waited == patience:
            return epoch
    return len(losses)


def normalized(dimensions, power=0.5):
    def function(maps):
        variance = maps.var(dimensions, correction=0, keepdim=True)
        return (maps - maps.mean(dimensions, keepdim=True)) / (variance + 1e-5) ** power

    return function


def trials(rounded):
    return lambda share, probability: rounded(math.log(1 - probability) / math.log(1 - share))


def mirrored(where, chance=0.5):
    def function(images):
        chosen = torch.rand(len(images), 1, 1, 1) < chance
        return torch.where(chosen, images.flip(where), images)

    return function


def without_gradient(condition):
    return lambda network: [n for n, p in network.named_parameters() if condition(p.grad)]


ANSWERS = {
    "00.4": (
        softmax_by(1),
        [
            (softmax_by(0), "value"),
            (lambda logits: logits.exp().sum(dim=1), "shape"),
            (lambda logits: (logits.exp() / logits.exp().sum(1, keepdim=True)).tolist(), "type"),
        ],
    ),
    "00.5": (
        lambda weights, bias, inputs, target: 2 * (weights @ inputs + bias - target) * inputs,
        [
            (lambda weights, bias, inputs, target: 2 * (weights @ inputs + bias - target), "shape"),
            (lambda weights, bias, inputs, target: (weights @ inputs + bias - target) * inputs, "value"),
            (lambda weights, bias, inputs, target: 2 * (inputs @ weights - bias) @ inputs, "raised"),
        ],
    ),
    "01.4": (
        lambda outputs, labels: (outputs - one_hot(labels)).square().mean(),
        [
            (lambda outputs, labels: (outputs - one_hot(labels)).square().sum(), "value"),
            (lambda outputs, labels: (outputs - one_hot(labels)).square().mean(dim=1).tolist(), "type"),
            (lambda outputs, labels: (outputs.square() - labels).mean(), "raised"),
        ],
    ),
    "01.5": (
        lambda logits, labels: (logits.softmax(dim=1) - one_hot(labels)) / len(labels),
        [
            (lambda logits, labels: (logits.softmax(dim=0) - one_hot(labels)) / len(labels), "place"),
            (lambda logits, labels: logits.softmax(dim=1).mean(dim=0) - one_hot(labels).sum(), "shape"),
            (lambda logits, labels: logits.backward(), "raised"),
        ],
    ),
    "02.4": (
        lambda values, kept, count: values[kept:].square().sum() / (count * 784),
        [
            (lambda values, kept, count: values[:kept].square().sum() / (count * 784), "value"),
            (lambda values, kept, count: values[kept:].square() / (count * 784), "type"),
            (lambda values, count: values.square().sum() / count, "arguments"),
        ],
    ),
    "02.5": (
        lambda: dense(784, 256, 64, 256, 784, last=IMAGE),
        [
            (lambda: dense(784, 128, 64, 128, 784, last=IMAGE), "found"),
            (lambda: dense(784, 256, 64, 256, 784, last=[nn.ReLU(), *IMAGE]), "found"),
            (lambda: dense(784, 256, 64, 256, 784), "shape"),
            (lambda: [nn.Linear(784, 256)], "type"),
        ],
    ),
    "03.4": (
        lambda side, kernel_size, stride, padding: (side + 2 * padding - kernel_size) // stride + 1,
        [
            (lambda side, kernel_size, stride, padding: (side + padding - kernel_size) // stride + 1, "value"),
            (lambda side, kernel_size, stride, padding: (side + 2 * padding - kernel_size) / stride + 1, "type"),
            (lambda side, kernel_size, stride, padding: print(end=""), "none"),
        ],
    ),
    "03.5": (
        with_bias(0.29),
        [
            (with_bias(-0.3), "dead"),
            (all_parameters, "touched"),
            (lambda network: nn.init.constant_(network.decoder[9].bias, 1), "raised"),
        ],
    ),
    "04.4": (
        lambda: transposed(2),
        [
            (lambda: transposed(2, 3), "shape"),
            (lambda: transposed(2)[:3], "found"),
            (lambda: transposed, "type"),
        ],
    ),
    "04.5": (
        effects(1),
        [
            (effects(-1), "value"),
            (lambda s, t, u, v: effects(1)(s, t, u, v)[:2], "value"),
            (lambda s, t, u, v: torch.tensor(effects(1)(s, t, u, v)), "type"),
        ],
    ),
    "05.4": (
        early_stop,
        [
            (lambda losses, patience: early_stop(losses, patience) - patience, "value"),
            (lambda losses, patience: early_stop(losses, patience, forgiving=True), "value"),
            (lambda losses, patience: losses[losses.index(0.5) :], "type"),
        ],
    ),
    "05.5": (
        normalized((1, 2, 3)),
        [
            (normalized((0, 2, 3)), "place"),
            (normalized((1, 2, 3), power=1), "place"),
            (lambda maps: normalized((1, 2, 3))(maps).sum(1), "shape"),
        ],
    ),
    "06.4": (
        trials(math.ceil),
        [
            (trials(math.floor), "value"),
            (trials(float), "type"),
            (lambda share, probability: math.ceil(probability / share), "value"),
        ],
    ),
    "06.5": (
        lambda final, chosen, seen: (final[chosen].sum() - final[chosen, seen]) / (final.shape[1] - 1),
        [
            (lambda final, chosen, seen: final[chosen, seen], "value"),
            (lambda final, chosen, seen: final[chosen].mean(), "value"),
            (lambda final, chosen, seen: final[chosen], "type"),
        ],
    ),
    "07.4": (
        mirrored(2),
        [
            (mirrored(3), "neither"),
            (mirrored(2, chance=1), "unfair"),
            (lambda images: images[0].flip(1), "shape"),
        ],
    ),
    "07.5": (
        lambda labels, alpha: (1 - alpha) * one_hot(labels) + alpha / 10,
        [
            (lambda labels, alpha: (1 - alpha) * one_hot(labels) + alpha / 9, "value|place"),
            (lambda labels, alpha: (1 - alpha) * one_hot(labels)[0], "shape"),
            (lambda labels, alpha: alpha, "type"),
        ],
    ),
    "08.4": (
        math.log,
        [
            (lambda num_classes: -math.log(num_classes), "value"),
            (math.log10, "value"),
            (lambda num_classes: str(math.log(num_classes)), "type"),
        ],
    ),
    "08.5": (
        without_gradient(lambda gradient: not gradient.any()),
        [
            (without_gradient(lambda gradient: (gradient == 0).any()), "value"),
            (without_gradient(lambda gradient: gradient is None), "value"),
            (lambda network: network.state_dict(), "type"),
        ],
    ),
    "09.4": (
        lambda origins, held_out: [k for k, origin in enumerate(origins) if origin not in held_out],
        [
            (lambda origins, held_out: [o for o in origins if o not in held_out], "value"),
            (lambda origins, held_out: [k for k, o in enumerate(origins) if o in held_out], "value"),
            (lambda origins, held_out: [k for k, _ in enumerate(origins) if k not in held_out], "value"),
        ],
    ),
    "09.5": (
        lambda batch_means, batch_sizes: (batch_means * batch_sizes).sum() / batch_sizes.sum(),
        [
            (lambda batch_means, batch_sizes: batch_means.mean(), "value"),
            (lambda batch_means, batch_sizes: batch_means * batch_sizes / batch_sizes.sum(), "type"),
            (lambda batch_means, batch_sizes: (batch_means * batch_sizes).sum(), "value"),
        ],
    ),
}  # fmt: skip
