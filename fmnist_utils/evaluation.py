"""What a trained network says about images, and how often it is right.

``predict``, ``reconstruct`` and ``encode`` run a model over images: in evaluation mode, batch by
batch, without gradients; afterwards every part of the model is in the mode in which it was.
``pca_errors`` and ``constant_errors`` measure what an autoencoder has to beat: the best linear
reconstruction, and one image as the answer to all. The others count hits and confusions, and take
labels, predictions or confusion matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor, nn

from fmnist_utils.text import UserError

LARGEST = (
    20  # the largest value of an image: inputs from 0 to 255 are beyond it, normalized ones not
)


def predict(model: nn.Module, images: Tensor, batch_size: int = 200) -> Tensor:
    """Return the probabilities of the classes, the softmax of the model's logits.

    Args:
        images: (N, 1, 28, 28), prepared as in training.
        batch_size: images at a time; of more, the feature maps of a convolution fill the memory.

    Returns:
        (N, 10) on the CPU; each row sums to 1. The predictions are its ``.argmax(1)``.

    Raises:
        UserError: as all functions here that take images do, if they are of another form.
    """

    def probabilities(inputs: Tensor) -> Tensor:
        return model(inputs).softmax(dim=1)

    return _apply(model, probabilities, images, batch_size)


def reconstruct(model: nn.Module, images: Tensor, batch_size: int = 200) -> Tensor:
    """Return an autoencoder's reconstructions of ``images``: of their shape, on the CPU."""
    return _apply(model, model, images, batch_size)


def encode(model: nn.Module, images: Tensor, batch_size: int = 200) -> Tensor:
    """Return the latent codes of ``images`` by ``model.encoder``: (N, latent_dim), on the CPU."""
    return _apply(model, model.get_submodule("encoder"), images, batch_size)


def _apply(
    model: nn.Module, function: Callable[[Tensor], Tensor], images: Tensor, batch_size: int
) -> Tensor:
    """Return ``function`` of all images, a batch at a time on the device of ``model``."""
    _check_images(images)
    device = next((parameter.device for parameter in model.parameters()), images.device)
    # Not inference_mode: tensors made there could not train a head.
    with _evaluation_mode(model), torch.no_grad():
        outputs = [function(batch.to(device)).cpu() for batch in images.split(int(batch_size))]
    return torch.cat(outputs)


def _check_images(images: object) -> None:
    """Refuse what is not a batch of images: a network may answer to other shapes, and wrongly."""
    given = ""
    if not isinstance(images, Tensor):
        given = type(images).__name__
    elif images.ndim != 4 or images.shape[1:] != (1, 28, 28) or not len(images):
        given = str(tuple(images.shape))
    elif not images.is_floating_point():
        given = str(images.dtype).removeprefix("torch.")
    elif not images.abs().max() <= LARGEST:  # NaN is not
        given = f"{images.min():g} … {images.max():g}"
    if given:
        raise UserError("evaluation.images", given=given)


@contextmanager
def _evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Put ``model`` in evaluation mode, and afterwards each of its parts in its former mode."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training


def principal_components(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean image (784,) and the principal components of ``images`` (784, 784).

    The components are the eigenvectors of the covariance of the pixels, one a row, that of the
    largest variance first.
    """
    _check_images(images)
    pixels = images.flatten(1)
    mean = pixels.mean(dim=0)
    centred = pixels - mean
    _, vectors = torch.linalg.eigh((centred.T @ centred).double())
    return mean, vectors.flip(1).T.float()


def pca_reconstruct(train_images: Tensor, images: Tensor, latent_dim: int) -> Tensor:
    """Return what ``latent_dim`` principal components of ``train_images`` keep of ``images``.

    No linear encoder and decoder of that size reconstruct the training images with a smaller mean
    squared error (C. Eckart and G. Young, Psychometrika 1, 1936, pp. 211-218).

    Args:
        train_images, images: (N, 1, 28, 28), on the CPU.

    Returns:
        A tensor of the shape of ``images``.
    """
    mean, components = principal_components(train_images)
    return _projected(images, mean, components[:latent_dim])


def _projected(images: Tensor, mean: Tensor, components: Tensor) -> Tensor:
    _check_images(images)
    codes = (images.flatten(1) - mean) @ components.T
    return (codes @ components + mean).reshape(images.shape)


def pca_errors(train_images: Tensor, images: Tensor, latent_dims: Sequence[int]) -> pd.DataFrame:
    """Return the errors of :func:`pca_reconstruct`, means over all pixels: a row for each size.

    Returns:
        Columns ``mse`` (squared) and ``l1`` (absolute), and the same of outputs cut to [0, 1], as
        those of a Sigmoid are: ``mse_clamped``, ``l1_clamped``. The index are the sizes.
    """
    mean, components = principal_components(train_images)
    rows = []
    for size in latent_dims:
        outputs = _projected(images, mean, components[:size])
        clamped = _errors(outputs.clamp(0, 1), images)
        row = _errors(outputs, images)
        row["mse_clamped"] = clamped["mse"]
        row["l1_clamped"] = clamped["l1"]
        rows.append(row)
    return pd.DataFrame(rows, index=list(latent_dims))


def constant_errors(train_images: Tensor, images: Tensor) -> pd.DataFrame:
    """Return the errors of answering one image to all ``images``.

    The image is black, or the mean or the median of ``train_images``, pixel by pixel.

    Returns:
        Columns ``mse`` and ``l1``; the index is ``black``, ``mean``, ``median``.
    """
    _check_images(train_images)
    _check_images(images)
    answers = {
        "black": torch.zeros(()),
        "mean": train_images.mean(dim=0),
        "median": train_images.median(dim=0).values,
    }
    rows = [_errors(answer, images) for answer in answers.values()]
    return pd.DataFrame(rows, index=list(answers))


def _errors(outputs: Tensor, images: Tensor) -> dict[str, float]:
    difference = outputs - images
    return {"mse": float(difference.square().mean()), "l1": float(difference.abs().mean())}


def confusion_matrix(
    labels: npt.ArrayLike, predictions: npt.ArrayLike, num_classes: int = 10
) -> npt.NDArray[np.int64]:
    """Count how often each true class (row) received each predicted class (column).

    Args:
        labels, predictions: (N,) class numbers, tensors or arrays.

    Returns:
        (num_classes, num_classes) counts whose sum is N; the hits are on the diagonal.

    Raises:
        ValueError: if the two differ in length.
    """
    from sklearn import metrics  # it takes a second and 17 MB, and few pages need it

    classes = list(range(num_classes))
    return np.asarray(
        metrics.confusion_matrix(np.asarray(labels), np.asarray(predictions), labels=classes)
    )


def most_confident_mistakes(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, k: int = 12
) -> pd.DataFrame:
    """Return the ``k`` wrong predictions with the highest probability, highest first.

    Args:
        probabilities: (N, 10), as :func:`predict` gives them.
        labels: (N,) true classes.

    Returns:
        Columns ``index`` (place among the N images), ``true``, ``predicted`` (class numbers) and
        ``confidence`` in [0, 1]; fewer than ``k`` rows if there are fewer mistakes.
    """
    probabilities = np.asarray(probabilities)
    labels = np.asarray(labels)
    predicted = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    index = wrong[np.argsort(-confidence[wrong], kind="stable")[:k]]
    columns = {
        "index": index,
        "true": labels[index],
        "predicted": predicted[index],
        "confidence": confidence[index],
    }
    return pd.DataFrame(columns)


def confusion_z(matrix: npt.ArrayLike, runs: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return how far each cell of a confusion matrix is from those of ``runs``.

    The unit is the standard deviation that chance gives to the difference.

    If c₁ of N₁ images are in a cell, and c₂ of N₂ in that of all runs together, then
    p = (c₁ + c₂) / (N₁ + N₂) and z = (c₁/N₁ − c₂/N₂) / √(φ p(1 − p)(1/N₁ + 1/N₂)): the comparison
    of two proportions (J. L. Fleiss, B. Levin and M. C. Paik, *Statistical Methods for Rates and
    Proportions*, 3rd ed., 2003, ch. 3) with the :func:`overdispersion` φ of the runs. If p is 0 or
    1, z is 0.

    Args:
        matrix: (10, 10) counts, true classes in rows.
        runs: (n, 10, 10), the matrices of n runs on the same images.

    Returns:
        (10, 10) floats.
    """
    matrix = np.asarray(matrix, float)
    total = np.asarray(runs, float).sum(axis=0)
    images = matrix.sum(axis=1, keepdims=True)
    total_images = total.sum(axis=1, keepdims=True)
    pooled = (matrix + total) / (images + total_images)
    variance = pooled * (1 - pooled) * (1 / images + 1 / total_images)
    deviation = np.sqrt(overdispersion(runs) * variance)
    difference = matrix / images - total / total_images
    z: npt.NDArray[np.float64] = np.zeros_like(matrix)
    np.divide(difference, deviation, out=z, where=deviation > 0)
    return z


def overdispersion(runs: npt.ArrayLike) -> float:
    """Return how many times more than independent draws the cells of confusion matrices vary.

    If the N images of a row fell into their cells independently, a cell of mean c would have the
    variance c(1 − c/N) from run to run. The result is the mean ratio of the variance to that, over
    the cells with c ≥ 5: the dispersion φ of P. McCullagh and J. A. Nelder, *Generalized Linear
    Models*, 2nd ed., 1989, § 4.5. Of one run it is 1.

    Args:
        runs: (n, 10, 10) counts, true classes in rows, of runs that differ only in their seed.
    """
    counts = np.asarray(runs, float)
    mean = counts.mean(axis=0)
    images = counts[0].sum(axis=1, keepdims=True)
    independent = mean * (1 - mean / images)
    large = (mean >= 5) & (independent > 0)
    if len(counts) < 2 or not large.any():
        return 1.0
    variance = counts.var(axis=0, ddof=1)
    return float((variance[large] / independent[large]).mean())
