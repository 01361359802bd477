"""Answers to the exercises: one that is right, and wrong ones with what is said of them (a key of ``exercises.…``)."""

import torch
from torch import nn


def softmax_by(dimension):
    return lambda logits: logits.exp() / logits.exp().sum(dim=dimension, keepdim=True)


def one_hot(labels):
    return nn.functional.one_hot(labels, num_classes=10)


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
}  # fmt: skip
