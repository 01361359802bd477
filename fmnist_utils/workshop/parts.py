"""From a recipe to its parts: data, network, loss, optimizer, minibatches and schedule."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from fmnist_utils.audit.recipes import DataSpec, Recipe
from fmnist_utils.augmentation import Augmentation
from fmnist_utils.data import Split, Splits, load_fashion_mnist
from fmnist_utils.evaluation import encode
from fmnist_utils.models import build_model
from fmnist_utils.training import Batches, Metric, OneHotMSE, accuracy, cosine, one_cycle
from fmnist_utils.workshop.download import fetch_if_missing
from fmnist_utils.workshop.fast import ImageByImage, with_fast_parts

EVALUATION_BATCH = 1000  # images at a time in measurements; results do not depend on it


@functools.lru_cache(maxsize=2)
def load_splits(spec: DataSpec, device: torch.device) -> Splits:
    """Return the splits of ``spec`` on ``device``; the last two are kept for the next runs."""
    if spec.source == "official":
        fetch_if_missing()
    splits = load_fashion_mnist(**spec.model_dump())
    train, val, test = (
        Split(split.images.to(device), split.labels.to(device))
        for split in (splits.train, splits.val, splits.test)
    )
    return Splits(train=train, val=val, test=test, source=splits.source)


def make_model(recipe: Recipe, device: torch.device, pretrained: nn.Module | None) -> nn.Module:
    """Return the network of ``recipe``, its weights drawn by the recipe's seed.

    Args:
        pretrained: the trained autoencoder whose encoder the network starts from, or None.
    """
    torch.manual_seed(recipe.seed << 20)  # what epoch 0 would have; the first epoch is 1
    model = with_fast_parts(build_model(**recipe.model.model_dump()))
    model = model.to(device, memory_format=torch.channels_last)
    if pretrained is not None:
        copy_encoder(pretrained, model)
    return model


def copy_encoder(source: nn.Module, model: nn.Module) -> None:
    """Copy the weights of ``source.encoder`` to ``model.encoder``.

    Where their latent sizes differ, only the convolutions fit, and only they are copied.
    """
    weights = model.encoder.state_dict()
    for name, tensor in source.encoder.state_dict().items():
        if tensor.shape == weights[name].shape:
            weights[name] = tensor
    model.encoder.load_state_dict(weights)


def split_trained_part(
    recipe: Recipe, model: nn.Module, splits: Splits
) -> tuple[nn.Module, dict[str, Tensor]]:
    """Return the part of ``model`` that runs in training, and its inputs by the name of their set.

    With ``freeze="features"`` they are the head and the codes of the frozen encoder, which are
    computed once; else the whole network and the images.
    """
    images = {name: getattr(splits, name).images for name in ("train", recipe.watch)}
    if recipe.freeze in ("gradient", "features"):
        model.encoder.requires_grad_(False)
    if recipe.freeze != "features":
        return model, images
    codes = {
        name: encode(model, tensor, EVALUATION_BATCH).to(tensor.device)
        for name, tensor in images.items()
    }
    return model.head, codes


def make_optimizer(recipe: Recipe, model: nn.Module) -> torch.optim.Optimizer:
    """Return the optimizer of ``recipe`` for ``model``, or for its head if the rest is frozen."""
    learning = model if recipe.freeze == "none" else model.head
    arguments: dict[str, Any] = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay}
    # Apple's GPU does not have all of the fused kernels.
    arguments["fused"] = next(learning.parameters()).device.type in ("cpu", "cuda")
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(learning.parameters(), momentum=recipe.momentum, **arguments)
    if recipe.optimizer == "adam":
        return torch.optim.Adam(learning.parameters(), **arguments)
    return torch.optim.AdamW(learning.parameters(), **arguments)


def make_loss(recipe: Recipe) -> nn.Module:
    """Return the loss of ``recipe``, a mean over the minibatch."""
    if recipe.loss == "cross_entropy":
        return nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
    if recipe.loss == "l1":
        return nn.L1Loss()
    return OneHotMSE() if recipe.task == "classification" else nn.MSELoss()


def make_measured_loss(recipe: Recipe) -> nn.Module:
    """Return the loss that is measured: without label smoothing."""
    return make_loss(recipe.but(label_smoothing=0.0))


def make_metrics(recipe: Recipe) -> dict[str, Metric]:
    """Return what is measured beside the loss, by name."""
    return {"accuracy": accuracy} if recipe.task == "classification" else {}


def make_batches(recipe: Recipe, inputs: Tensor, labels: Tensor) -> Batches:
    """Return the minibatches that train.

    Args:
        inputs: images, or the codes of a frozen encoder; an autoencoder's targets too.
    """
    targets = labels if recipe.task == "classification" else inputs
    if recipe.loading == "per_image":
        return ImageByImage(inputs, targets, recipe.batch_size, recipe.seed)
    return Batches(
        inputs, targets, recipe.batch_size, recipe.seed, augment=make_augmentation(recipe)
    )


def make_evaluation_batches(recipe: Recipe, inputs: Tensor, labels: Tensor) -> Batches:
    """Return the minibatches of a set that is measured; ``inputs`` as in :func:`make_batches`."""
    targets = labels if recipe.task == "classification" else inputs
    return Batches(inputs, targets, EVALUATION_BATCH, recipe.seed)


def make_watched_batches(
    recipe: Recipe, inputs: Mapping[str, Tensor], splits: Splits
) -> dict[str, Batches]:
    """Return the minibatches of the two sets that are measured after each epoch, by name."""
    size = recipe.measure_train
    train = make_evaluation_batches(recipe, inputs["train"][:size], splits.train.labels[:size])
    labels = getattr(splits, recipe.watch).labels
    return {
        "train": train,
        recipe.watch: make_evaluation_batches(recipe, inputs[recipe.watch], labels),
    }


def make_augmentation(recipe: Recipe) -> Augmentation | None:
    """Return what is done to the minibatches of ``recipe`` in training, or None."""
    if not recipe.augments:
        return None
    black = -recipe.data.mean / recipe.data.std
    return Augmentation(recipe.flips, recipe.shifts, recipe.erasing, black)


def make_schedule(recipe: Recipe, num_steps: int) -> Callable[[int], float] | None:
    """Return the learning rate as a function of the steps done, or None if it is constant.

    Args:
        num_steps: the steps of an epoch.
    """
    if recipe.schedule == "one_cycle":
        return one_cycle(recipe.learning_rate, recipe.num_epochs * num_steps)
    if recipe.schedule == "cosine":
        rate_of_epoch = cosine(recipe.learning_rate, recipe.num_epochs)
        return lambda step: rate_of_epoch(step // num_steps + 1)
    return None
