"""What a trained network says about images, and how often it is right.

``predict``, ``reconstruct`` and ``encode`` run a model over images: in evaluation mode, batch by batch, without
gradients; afterwards every part of the model is in the mode it was in before. ``pca_reconstruct`` and ``pca_errors`` give
the best linear reconstruction, ``constant_errors`` that of someone who does not look: the yardsticks of an autoencoder. The
other functions count: they take labels, predictions or a confusion matrix and never see a model. Tables are made to be shown,
so their headings are in the language in force; those that a figure reads, :func:`most_confident_mistakes` and
:func:`pca_errors`, have plain names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from fmnist_utils.text import class_names, say

if TYPE_CHECKING:
    import pandas as pd


def predict(model: nn.Module, images: Tensor, batch_size: int = 1000) -> Tensor:
    """Return the probabilities of the classes, the softmax of the model's logits.

    Args:
        images: (N, 1, 28, 28), prepared as in training.

    Returns:
        (N, 10) on the CPU, float32; each row sums to 1. ``.argmax(1)`` of it are the predictions.
    """
    return _apply(model, lambda inputs: model(inputs).softmax(1), images, batch_size)


def reconstruct(model: nn.Module, images: Tensor, batch_size: int = 1000) -> Tensor:
    """Return what an autoencoder makes of ``images``: a tensor of their shape, on the CPU."""
    return _apply(model, model, images, batch_size)


def encode(model: nn.Module, images: Tensor, batch_size: int = 1000) -> Tensor:
    """Return the latent codes that ``model.encoder`` gives to ``images``: (N, latent_dim), on the CPU."""
    return _apply(model, model.encoder, images, batch_size)


def principal_components(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean image (784,) and the eigenvectors of the covariance of the pixels (784, 784), largest variance first."""
    pixels = images.flatten(1)
    mean = pixels.mean(dim=0)
    centred = pixels - mean
    _, vectors = torch.linalg.eigh((centred.T @ centred).double())
    return mean, vectors.flip(1).T.float()


def pca_reconstruct(train_images: Tensor, images: Tensor, latent_dim: int) -> Tensor:
    """Return what principal component analysis of ``train_images`` keeps of ``images`` with ``latent_dim`` numbers each.

    No linear encoder and decoder of that size reconstruct the training images with a smaller mean squared error
    (C. Eckart and G. Young, Psychometrika 1, 1936, pp. 211-218).

    Args:
        train_images, images: (N, 1, 28, 28), on the CPU.

    Returns:
        A tensor of the shape of ``images``.
    """
    mean, components = principal_components(train_images)
    return _projected(images, mean, components[:latent_dim])


def pca_errors(train_images: Tensor, images: Tensor, latent_dims: Sequence[int]) -> pd.DataFrame:
    """Return the errors of :func:`pca_reconstruct`, means over all pixels of ``images``: a row for each size.

    Returns:
        Columns ``mse`` (squared) and ``l1`` (absolute), and the same with the outputs brought into [0, 1], as those of a Sigmoid
        are: ``mse_clamped`` and ``l1_clamped``. The index are the sizes.
    """
    mean, components = principal_components(train_images)
    rows = {}
    for size in latent_dims:
        outputs = _projected(images, mean, components[:size])
        error, clamped = outputs - images, outputs.clamp(0, 1) - images
        rows[size] = {"mse": float(error.square().mean()), "l1": float(error.abs().mean())}
        rows[size] |= {
            "mse_clamped": float(clamped.square().mean()),
            "l1_clamped": float(clamped.abs().mean()),
        }
    return _table(list(rows.values()), index=list(rows))


def constant_errors(train_images: Tensor, images: Tensor) -> pd.DataFrame:
    """Return the errors of answering one image to all: black, or the mean or the median of ``train_images``, pixel by pixel.

    Returns:
        As :func:`pca_errors`; the index is ``black``, ``mean``, ``median``.
    """
    answers = {
        "black": 0.0,
        "mean": train_images.mean(dim=0),
        "median": train_images.median(dim=0).values,
    }
    differences = ((name, answer - images) for name, answer in answers.items())
    rows = {
        name: {"mse": float(error.square().mean()), "l1": float(error.abs().mean())}
        for name, error in differences
    }
    return _table(list(rows.values()), index=list(rows))


def confusion_matrix(labels, predictions, num_classes: int = 10) -> np.ndarray:
    """Count how often each true class (row) received each predicted class (column).

    Args:
        labels, predictions: (N,) class numbers, tensors or arrays.

    Returns:
        (num_classes, num_classes) integers whose sum is N; the diagonal holds the hits.

    Raises:
        ValueError: if the two differ in length, or name a class that is not there.
    """
    # As sklearn.metrics does, which every training of a classifier would take a second to import.
    pairs = np.stack(
        [np.asarray(labels, np.int64).ravel(), np.asarray(predictions, np.int64).ravel()]
    )
    return np.bincount(
        np.ravel_multi_index(pairs, (num_classes,) * 2), minlength=num_classes**2
    ).reshape(num_classes, -1)


def per_class_table(matrix) -> pd.DataFrame:
    """Return precision, recall and F1 of each class, in [0, 1], and its number of images.

    Of the images called *c*, precision is the part that are *c*; of the images that are *c*, recall is the part
    called *c*; F1 is their harmonic mean (C. J. van Rijsbergen, *Information Retrieval*, 1979, ch. 7). A class never
    predicted has no precision: NaN.

    Args:
        matrix: (10, 10) counts, true classes in rows.
    """
    matrix = np.asarray(matrix)
    hits, called, present = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
    with np.errstate(invalid="ignore"):  # 0/0 is NaN: the quantity is not defined
        columns = {
            say("evaluation.precision"): hits / called,
            say("evaluation.recall"): hits / present,
            say("evaluation.f1"): 2 * hits / (called + present),
            say("evaluation.images"): present,
        }
    return _table(columns, index=class_names()).rename_axis(index=say("evaluation.class"))


def confusion_z(matrix, runs) -> np.ndarray:
    """Return by how many standard deviations of chance each cell of a confusion matrix differs from those of ``runs``.

    Where c₁ of N₁ images fell in a cell, and c₂ of N₂ in those of all runs together, p = (c₁ + c₂) / (N₁ + N₂) and
    z = (c₁/N₁ − c₂/N₂) / √(φ p(1 − p)(1/N₁ + 1/N₂)): the comparison of two proportions (J. L. Fleiss, B. Levin and M. C. Paik,
    *Statistical Methods for Rates and Proportions*, 3rd ed., 2003, ch. 3), with the :func:`overdispersion` φ of the runs. Where
    p is 0 or 1, z is 0.

    Args:
        matrix: (10, 10) counts, true classes in rows.
        runs: (n, 10, 10), the matrices of n runs on the same images.

    Returns:
        (10, 10) floats.
    """
    matrix, total = np.asarray(matrix, float), np.asarray(runs, float).sum(axis=0)
    images, others = matrix.sum(axis=1, keepdims=True), total.sum(axis=1, keepdims=True)
    pooled = (matrix + total) / (images + others)
    deviation = np.sqrt(overdispersion(runs) * pooled * (1 - pooled) * (1 / images + 1 / others))
    return np.divide(
        matrix / images - total / others, deviation, out=np.zeros_like(matrix), where=deviation > 0
    )


def overdispersion(runs) -> float:
    """Return how many times more than in a lottery the cells of confusion matrices vary from run to run.

    For a cell of mean c in a row of N images, a lottery has the variance c(1 − c/N); what is returned is the mean of the ratio
    over the cells with c ≥ 5: the dispersion φ of P. McCullagh and J. A. Nelder, *Generalized Linear Models*, 2nd ed., 1989, § 4.5.
    One run cannot tell, and gives 1.

    Args:
        runs: (n, 10, 10) counts, true classes in rows, of runs that differ in nothing but their seed.
    """
    counts = np.asarray(runs, float)
    mean, images = counts.mean(axis=0), counts[0].sum(axis=1, keepdims=True)
    lottery = mean * (1 - mean / images)
    seen = (mean >= 5) & (lottery > 0)
    if len(counts) < 2 or not seen.any():
        return 1.0
    return float((counts.var(axis=0, ddof=1)[seen] / lottery[seen]).mean())


def top_confusions(matrix, k: int = 5) -> pd.DataFrame:
    """Return the ``k`` most frequent confusions: true and predicted class, images, and their part of the true class.

    Args:
        matrix: (10, 10) counts, true classes in rows.
    """
    matrix = np.asarray(matrix)
    errors = matrix - np.diag(np.diag(matrix))
    true, predicted = np.unravel_index(
        np.argsort(-errors, axis=None, kind="stable")[:k], matrix.shape
    )
    names = np.array(class_names())
    return _table(
        {
            say("evaluation.true"): names[true],
            say("evaluation.predicted"): names[predicted],
            say("evaluation.images"): errors[true, predicted],
            say("evaluation.share"): errors[true, predicted] / matrix.sum(axis=1)[true],
        }
    )


def most_confident_mistakes(probabilities, labels, k: int = 12) -> pd.DataFrame:
    """Return the ``k`` wrong predictions with the highest probability, highest first.

    Args:
        probabilities: (N, 10), as :func:`predict` gives them.
        labels: (N,) true classes.

    Returns:
        Columns ``index`` (place among the N images), ``true``, ``predicted`` (class numbers) and ``confidence`` in
        [0, 1]; fewer than ``k`` rows if there are fewer mistakes.
    """
    probabilities, labels = np.asarray(probabilities), np.asarray(labels)
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    index = wrong[np.argsort(-confidence[wrong], kind="stable")[:k]]
    return _table(
        {
            "index": index,
            "true": labels[index],
            "predicted": predicted[index],
            "confidence": confidence[index],
        }
    )


def _projected(images: Tensor, mean: Tensor, components: Tensor) -> Tensor:
    codes = (images.flatten(1) - mean) @ components.T
    return (codes @ components + mean).reshape(images.shape)


def _apply(
    model: nn.Module, function: Callable[[Tensor], Tensor], images: Tensor, batch_size: int
) -> Tensor:
    device = next((parameter.device for parameter in model.parameters()), images.device)
    with (
        _evaluating(model),
        torch.no_grad(),
    ):  # not inference_mode: a head may be trained on the codes
        return torch.cat([function(batch.to(device)).cpu() for batch in images.split(batch_size)])


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    modes = [
        (module, module.training) for module in model.modules()
    ]  # a frozen encoder may differ from the rest
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _table(columns, **options) -> pd.DataFrame:
    # Imported here: a run that only trains begins a second sooner and is a hundred megabytes smaller.
    import pandas as pd

    return pd.DataFrame(columns, **options)
