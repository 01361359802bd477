"""What is kept of a trained network: measures, example outputs, predictions."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fmnist_utils.audit.recipes import Recipe
from fmnist_utils.augmentation import FlipAveraged
from fmnist_utils.data import Splits
from fmnist_utils.evaluation import encode, most_confident_mistakes, predict, reconstruct
from fmnist_utils.training import evaluate
from fmnist_utils.workshop.parts import (
    EVALUATION_BATCH,
    make_evaluation_batches,
    make_measured_loss,
    make_metrics,
)

Arrays = dict[str, NDArray[Any]]
NUM_MISTAKES = 24


def measure(recipe: Recipe, model: nn.Module, splits: Splits) -> dict[str, float]:
    """Return what ``model`` reaches on the test set and on the watched one.

    The names are ``test_loss``, ``val_accuracy``, …. With ``test_flips`` there are also
    ``test_flipped_loss``, …, of the mean of the logits of each image and of its mirror image. An
    autoencoder, whatever its loss, has ``test_mse``, ``test_l1``, … and ``test_dead_units``.
    """
    metrics = make_metrics(recipe)
    if recipe.task == "reconstruction":
        metrics |= {"mse": nn.MSELoss(), "l1": nn.L1Loss()}
    networks = {"": model}
    if recipe.test_flips:
        networks["_flipped"] = FlipAveraged(model)
    measured = {}
    for suffix, network in networks.items():
        for name in sorted({"test", recipe.watch}):
            images, labels = getattr(splits, name)
            batches = make_evaluation_batches(recipe, images, labels)
            means = evaluate(network, batches, make_measured_loss(recipe), metrics)
            for metric, value in means.items():
                measured[f"{name}{suffix}_{metric}"] = value
    if recipe.task == "reconstruction":
        measured["test_dead_units"] = count_dead_units(
            encode(model, splits.test.images, EVALUATION_BATCH)
        )
    return measured


def count_dead_units(codes: Tensor) -> int:
    """Return how many entries of the latent codes (N, latent_dim) are the same for all images."""
    return int((codes == codes[0]).all(dim=0).sum())


def predict_test(recipe: Recipe, model: nn.Module, splits: Splits) -> NDArray[Any] | None:
    """Return the probabilities that a classifier gives the test set, (N, 10), else None."""
    if recipe.task != "classification":
        return None
    return predict(model, splits.test.images, EVALUATION_BATCH).numpy()


def make_panel(
    recipe: Recipe, model: nn.Module, splits: Splits, probabilities: NDArray[Any] | None
) -> Arrays:
    """Return the example outputs that figures show.

    ``examples`` is the first test image of each class, with ``example_labels``. An autoencoder has
    ``example_reconstructions``, and ``mean_output`` and ``mean_error`` (absolute), (28, 28), the
    means of each pixel over the test set. A classifier has ``example_probabilities`` (10, 10), and
    its most confident mistakes: ``mistakes``, ``mistake_labels``, ``mistake_probabilities``.

    Args:
        probabilities: what :func:`predict_test` returns.
    """
    images = splits.test.images
    labels = splits.test.labels.cpu().numpy()
    first = first_of_each_class(labels)
    panel = {"examples": to_pixels(recipe, images[first]), "example_labels": labels[first]}
    if probabilities is None:
        outputs = reconstruct(model, images, EVALUATION_BATCH)
        errors = (outputs - images.cpu()).abs()
        panel["mean_output"] = outputs.mean(dim=0)[0].numpy()
        panel["mean_error"] = errors.mean(dim=0)[0].numpy()
        panel["example_reconstructions"] = to_pixels(recipe, outputs[first])
    else:
        worst = most_confident_mistakes(probabilities, labels, NUM_MISTAKES)["index"].tolist()
        panel["example_probabilities"] = probabilities[first]
        panel["mistakes"] = to_pixels(recipe, images[worst])
        panel["mistake_labels"] = labels[worst]
        panel["mistake_probabilities"] = probabilities[worst]
    return panel


def first_of_each_class(labels: NDArray[Any]) -> list[int]:
    """Return the place of the first image of each class that is there."""
    return [int(np.flatnonzero(labels == label)[0]) for label in np.unique(labels)]


def to_pixels(recipe: Recipe, images: Tensor) -> NDArray[np.uint8]:
    """Return images as bytes (N, 28, 28), their normalization undone and their values clipped."""
    scaled = (images * recipe.data.std + recipe.data.mean) * 255
    pixels: NDArray[np.uint8] = (
        scaled.round().clamp(0, 255).to(torch.uint8).squeeze(1).cpu().numpy()
    )
    return pixels


def pack_test_file(
    recipe: Recipe, model: nn.Module, splits: Splits, predictions: NDArray[Any]
) -> bytes | None:
    """Return the classes of the images of the test file, in its order, as a compressed ``.npz``.

    Where the test file was shuffled to validate as well, both parts are put back in their places.
    Where only a part of it was measured, return None.

    Args:
        predictions: the classes of the test set.
    """
    if recipe.data.test_size is not None:
        return None
    if recipe.data.val_from == "test":
        val_predictions = predict(model, splits.val.images, EVALUATION_BATCH).numpy().argmax(axis=1)
        shuffled = np.concatenate([val_predictions, predictions])
        places = np.arange(len(shuffled))
        if recipe.data.split_seed is not None:
            generator = torch.Generator().manual_seed(recipe.data.split_seed)
            places = torch.randperm(len(shuffled), generator=generator).numpy()
        places = np.roll(places, recipe.data.fold * recipe.data.val_size)
        predictions = np.empty_like(shuffled)
        predictions[places] = shuffled
    file = io.BytesIO()
    np.savez_compressed(file, predictions=predictions.astype(np.uint8))
    return file.getvalue()
