"""The engine: ``train(recipe)`` loads a run if its record exists, resumes it if it was interrupted, else trains it.

While a run trains, its folder holds the checkpoints of the last two epochs; when it is done, its record.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import safetensors.numpy
import safetensors.torch
import torch
from torch import nn

from fmnist_utils.audit.recipes import DataSpec, Recipe
from fmnist_utils.audit.records import FORMAT, Record, Run
from fmnist_utils.augmentation import Augmentation, FlipAveraged
from fmnist_utils.data import Split, Splits, load_fashion_mnist
from fmnist_utils.evaluation import (
    confusion_matrix,
    encode,
    most_confident_mistakes,
    predict,
    reconstruct,
)
from fmnist_utils.models import build_model
from fmnist_utils.text import Failure
from fmnist_utils.training import (
    Batches,
    History,
    Metric,
    OneHotMSE,
    TrainingDiverged,
    WeightAverage,
    accuracy,
    cosine,
    evaluate,
    fit,
    one_cycle,
    pick_device,
    set_learning_rate,
)
from fmnist_utils.workshop.checkpoints import Checkpoints, write_atomically
from fmnist_utils.workshop.download import fetch_if_missing
from fmnist_utils.workshop.fast import (
    Bfloat16,
    ImageByImage,
    keep_freed_memory,
    with_fast_parts,
)
from fmnist_utils.workshop.machine import describe_environment, now
from fmnist_utils.workshop.store import RunStore

EVALUATION_BATCH = 1000  # does not change results, only speed and memory


def train(
    recipe: Recipe,
    *,
    store: RunStore | None = None,
    device: str = "auto",
    threads: int | None = None,
    weights: bool = False,
    progress: bool | None = None,
) -> Run:
    """Return the run of ``recipe``: loaded if it is finished, resumed if it was interrupted, else trained.

    Args:
        device: ``auto``, ``cpu``, ``cuda``, ``mps``.
        threads: CPU threads, of this process from now on; ``None`` leaves PyTorch's. Runs are bit-identical for the same number,
            torch build and device.
        weights: train even where a committed record exists, if the weights are not here.
        progress: as in :func:`fmnist_utils.training.fit`.

    Raises:
        TrainingDiverged: if the loss became NaN or infinite.
        Failure: if memory is short.
        UserError: if the data cannot be had, a file of the store is damaged, or it cannot be written.
    """
    store, place = store or RunStore(), pick_device(device)
    if run := store.finished(recipe, weights):
        return run
    if threads:
        torch.set_num_threads(threads)
    how = {"store": store, "device": device, "progress": progress}
    pretrained = (
        train(recipe.encoder_from, weights=True, **how).model() if recipe.encoder_from else None
    )
    folder = store.folder(recipe)
    with store.alone(folder):
        try:
            return store.find(recipe, weights) or _train(
                recipe, folder, place, pretrained, progress
            )
        except RuntimeError as error:
            # CUDA's has a class of its own, those of the CPU and of Apple's GPU have not; all have these words.
            if not re.search(r"(allocate|enough|out of) memory", str(error)):
                raise
            raise Failure(
                "runs.out_of_memory", device=str(place), batch_size=recipe.batch_size
            ) from error


def _train(
    recipe: Recipe,
    folder: Path,
    device: torch.device,
    pretrained: nn.Module | None,
    progress: bool | None,
) -> Run:
    start = time.perf_counter()
    keep_freed_memory()
    splits = load_splits(recipe.data, device)
    torch.manual_seed(recipe.seed << 20)  # the weights' own key: epoch 0
    model = with_fast_parts(build_model(**recipe.model.model_dump()))
    model = model.to(device, memory_format=torch.channels_last)
    if pretrained:
        copy_encoder(pretrained, model)
    part, inputs = trainable(recipe, model, splits)
    optimizer = make_optimizer(recipe, model if recipe.freeze == "none" else model.head)
    average = WeightAverage(model, recipe.average) if recipe.average else None
    outcome = average.model if average else model  # the network that is measured and kept
    monitor, environment = f"{recipe.watch}_loss", describe_environment(device)
    checkpoints = Checkpoints(
        folder,
        recipe.id,
        environment,
        monitor if recipe.select == "best" else None,
        average and outcome,
    )
    history = checkpoints.restore(model, optimizer)
    examples = splits.test.images[first_of_each_class(splits.test.labels.cpu().numpy())]

    def save(history: History) -> None:
        if (epoch := len(history)) in recipe.snapshots:
            seen = to_pixels(recipe, reconstruct(outcome, examples))
            checkpoints.snapshots[f"reconstructions_after_{epoch}"] = torch.from_numpy(seen)
        if epoch:
            checkpoints.save(model, optimizer, history)

    if not history.rows:
        save(history)  # the untrained network
    training, watched = make_batches(recipe, splits, inputs)
    schedule = make_schedule(recipe, training.num_steps)

    def after_step(step: int) -> None:
        if recipe.schedule == "one_cycle":
            set_learning_rate(optimizer, schedule(step))
        if average:
            average.update(step)

    try:
        fit(
            Bfloat16(part) if recipe.precision == "bfloat16" else part,
            training,
            make_loss(recipe),
            optimizer,
            recipe.num_epochs,
            watch=watched,
            metrics=metrics_of(recipe),
            learning_rate_at=schedule
            and (lambda epoch: schedule((epoch - 1) * training.num_steps)),
            after_step=after_step if average or recipe.schedule == "one_cycle" else None,
            measured=average and outcome,
            measured_loss_fn=make_loss(recipe.but(label_smoothing=0.0)),
            patience=recipe.patience,
            monitor=monitor,
            history=history,
            on_epoch_end=save,
            progress=progress,
        )
    except TrainingDiverged as error:
        values = error.values | {"loss": str(error.values["loss"])}  # JSON has no NaN
        last_good = checkpoints.entries[-1]["file"] if checkpoints.entries else None
        failure = {
            "id": recipe.id,
            "error": str(error),
            **values,
            "finished_epochs": len(history),
            "last_good": last_good,
        }
        write_atomically(folder / "failed.json", json.dumps(failure, indent=1).encode())
        raise
    checkpoints.load_selected(outcome)
    panel = make_panel(recipe, outcome, splits) | {
        name: kept.numpy() for name, kept in checkpoints.snapshots.items()
    }
    predictions = panel.pop("predictions", None)
    of_test_file = predict_test_file(recipe, outcome, splits, predictions)
    weights = safetensors.torch.save(
        {name: tensor.contiguous().cpu() for name, tensor in outcome.state_dict().items()}
    )
    panel_bytes = safetensors.numpy.save(panel)
    matrix = (
        None
        if predictions is None
        else confusion_matrix(splits.test.labels.cpu().numpy(), predictions).tolist()
    )
    record = Record(
        format=FORMAT,
        id=recipe.id,
        recipe=recipe.model_dump(mode="json"),
        history={column: history[column] for column in history.rows[0] if column != "epoch"},
        selected_epoch=history.best_epoch(monitor) if recipe.select == "best" else len(history),
        metrics=measure(recipe, outcome, splits),
        confusion=matrix,
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        panel_sha256=hashlib.sha256(panel_bytes).hexdigest(),
        predictions_sha256=of_test_file and hashlib.sha256(of_test_file).hexdigest(),
        made_with=environment | {"one_environment": checkpoints.one_environment, "date": now()},
        seconds=round(time.perf_counter() - start, 3),
    ).sealed()
    path = folder / "record.json"
    write_atomically(path.with_suffix(".weights.safetensors"), weights)
    write_atomically(path.with_suffix(".panel.safetensors"), panel_bytes)
    if of_test_file:
        write_atomically(path.with_suffix(".predictions.npz"), of_test_file)
    write_atomically(
        path, record.to_json().encode()
    )  # last: a run is finished when its record is there
    checkpoints.remove()
    return Run(record, path)


def copy_encoder(source: nn.Module, model: nn.Module) -> None:
    """Copy the weights of ``source.encoder`` to ``model.encoder``; where the latent sizes differ, those of the convolutions."""
    own = model.encoder.state_dict()
    fitting = {
        name: tensor
        for name, tensor in source.encoder.state_dict().items()
        if tensor.shape == own[name].shape
    }
    model.encoder.load_state_dict(own | fitting)


def trainable(
    recipe: Recipe, model: nn.Module, splits: Splits
) -> tuple[nn.Module, dict[str, torch.Tensor]]:
    """Return the part of ``model`` that is run in training and its inputs, by the name of their set.

    That is the whole network and the images, but where the codes of a frozen encoder are kept: then it is the head and the codes.
    """
    images = {name: getattr(splits, name).images for name in ("train", recipe.watch)}
    if recipe.freeze in ("gradient", "features"):
        model.encoder.requires_grad_(False)
    if recipe.freeze != "features":
        return model, images
    return model.head, {
        name: encode(model, of_set).to(of_set.device) for name, of_set in images.items()
    }


def make_optimizer(recipe: Recipe, model: nn.Module) -> torch.optim.Optimizer:
    """Return the optimizer of ``recipe`` for the parameters of ``model``."""
    arguments = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay}
    if recipe.optimizer == "sgd":
        arguments["momentum"] = recipe.momentum
    kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    # Apple's GPU does not have all of the fused kernels.
    fused = next(model.parameters()).device.type in ("cpu", "cuda")
    return kinds[recipe.optimizer](model.parameters(), fused=fused, **arguments)


def make_loss(recipe: Recipe) -> nn.Module:
    """Return the loss of ``recipe``, a mean over the minibatch."""
    if recipe.loss == "mse" and recipe.task == "classification":
        return OneHotMSE()
    if recipe.loss == "cross_entropy":
        return nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
    return {"mse": nn.MSELoss, "l1": nn.L1Loss}[recipe.loss]()


def metrics_of(recipe: Recipe) -> dict[str, Metric]:
    """Return what is measured beside the loss."""
    return {"accuracy": accuracy} if recipe.task == "classification" else {}


def make_batches(
    recipe: Recipe, splits: Splits, inputs: dict[str, torch.Tensor]
) -> tuple[Batches, dict[str, Batches]]:
    """Return the minibatches that train and, by name, the two sets that are measured after each epoch.

    Args:
        inputs: of the training set and of the watched one: images, or the codes of a frozen encoder.
    """
    sizes = {"train": recipe.measure_train, recipe.watch: None}
    watched = {
        name: _batches(
            recipe, inputs[name][:size], getattr(splits, name).labels[:size], EVALUATION_BATCH
        )
        for name, size in sizes.items()
    }
    form = ImageByImage if recipe.loading == "per_image" else Batches
    augment = make_augmentation(recipe)
    return _batches(
        recipe, inputs["train"], splits.train.labels, recipe.batch_size, form, augment=augment
    ), watched


def _batches(
    recipe: Recipe,
    inputs: torch.Tensor,
    labels: torch.Tensor,
    size: int,
    form: type[Batches] = Batches,
    **options,
) -> Batches:
    """Return minibatches whose targets are the labels or, for an autoencoder, the inputs themselves."""
    return form(
        inputs, labels if recipe.task == "classification" else inputs, size, recipe.seed, **options
    )


def measure(recipe: Recipe, model: nn.Module, splits: Splits) -> dict[str, float]:
    """Return what the trained ``model`` reaches: ``test_loss``, ``val_accuracy``, … of the test set and of the watched one.

    With ``test_flips`` the same again with ``_flipped`` before the measure's name, averaged over each image and its mirror
    image; of an autoencoder, whatever it was trained with, ``test_mse``, ``test_l1``, … and ``test_dead_units``.
    """
    loss_fn = make_loss(recipe.but(label_smoothing=0.0))
    both = {"mse": nn.MSELoss(), "l1": nn.L1Loss()} if recipe.task == "reconstruction" else {}
    ways = {"": model} | ({"_flipped": FlipAveraged(model)} if recipe.test_flips else {})
    found = {}
    for way, asked in ways.items():
        for name in sorted({"test", recipe.watch}):
            batches = _batches(recipe, *getattr(splits, name), EVALUATION_BATCH)
            of_set = evaluate(asked, batches, loss_fn, metrics_of(recipe) | both)
            found |= {f"{name}{way}_{metric}": value for metric, value in of_set.items()}
    if recipe.task == "reconstruction":
        found["test_dead_units"] = count_dead_units(encode(model, splits.test.images))
    return found


def make_augmentation(recipe: Recipe) -> Augmentation | None:
    """Return what is done to the minibatches of ``recipe`` in training, or None."""
    black = -recipe.data.mean / recipe.data.std
    return (
        Augmentation(recipe.flips, recipe.shifts, recipe.erasing, black)
        if recipe.augments
        else None
    )


def make_schedule(recipe: Recipe, num_steps: int) -> Callable[[int], float] | None:
    """Return the learning rate of ``recipe`` by how many steps are done; None if it stays. An epoch has ``num_steps``."""
    if recipe.schedule == "one_cycle":
        return one_cycle(recipe.learning_rate, recipe.num_epochs * num_steps)
    if recipe.schedule == "cosine":
        by_epoch = cosine(recipe.learning_rate, recipe.num_epochs)
        return lambda step: by_epoch(step // num_steps + 1)
    return None


def make_panel(recipe: Recipe, model: nn.Module, splits: Splits) -> dict[str, np.ndarray]:
    """Return the example outputs that figures show.

    ``examples``: the first test image of each class, with ``example_probabilities`` (10, 10) or ``example_reconstructions``.
    For autoencoders also ``mean_output`` and ``mean_error`` (absolute), (28, 28), the means of each pixel over the test set.
    For classifiers also ``predictions`` for the whole test set and the 24 most confident mistakes: ``mistakes``,
    ``mistake_labels``, ``mistake_probabilities``.
    """
    test = splits.test
    labels = test.labels.cpu().numpy()
    first = first_of_each_class(labels)
    panel = {"examples": to_pixels(recipe, test.images[first]), "example_labels": labels[first]}
    if recipe.task == "reconstruction":
        outputs = reconstruct(model, test.images)
        error = (outputs - test.images.cpu()).abs()
        means = {
            "mean_output": outputs.mean(dim=0)[0].numpy(),
            "mean_error": error.mean(dim=0)[0].numpy(),
        }
        return panel | means | {"example_reconstructions": to_pixels(recipe, outputs[first])}
    probabilities = predict(model, test.images).cpu().numpy()
    worst = most_confident_mistakes(probabilities, labels, 24)["index"].tolist()
    return panel | {
        "example_probabilities": probabilities[first],
        "mistakes": to_pixels(recipe, test.images[worst]),
        "mistake_labels": labels[worst],
        "mistake_probabilities": probabilities[worst],
        "predictions": probabilities.argmax(axis=1),
    }


def predict_test_file(
    recipe: Recipe, model: nn.Module, splits: Splits, predictions: np.ndarray | None
) -> bytes | None:
    """Return the classes that ``model`` gives the images of the test file, in its order, as a compressed ``.npz``.

    None for an autoencoder, and where only a part of the test file was measured. ``predictions`` are those of the test set;
    where the test file was shuffled to validate as well, both parts are put back in their places.
    """
    if predictions is None or recipe.data.test_size is not None:
        return None
    if recipe.data.val_from == "test":
        of_val = predict(model, splits.val.images).argmax(dim=1).cpu().numpy()
        shuffled = np.concatenate([of_val, predictions])
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


def first_of_each_class(labels: np.ndarray) -> list[int]:
    """Return the place of the first image of each class that is there."""
    return [int(np.flatnonzero(labels == label)[0]) for label in np.unique(labels)]


def to_pixels(recipe: Recipe, images: torch.Tensor) -> np.ndarray:
    """Return images as bytes, uint8 (N, 28, 28), whatever the normalization of ``recipe``; values out of range are clipped."""
    scaled = (images * recipe.data.std + recipe.data.mean) * 255
    return scaled.round().clamp(0, 255).to(torch.uint8).squeeze(1).cpu().numpy()


def count_dead_units(codes: torch.Tensor) -> int:
    """Return how many entries of the latent codes (N, latent_dim) are the same for all images: units that carry nothing."""
    return int((codes == codes[0]).all(dim=0).sum())


@functools.lru_cache(maxsize=2)
def load_splits(spec: DataSpec, device: torch.device) -> Splits:
    """Return the splits of ``spec`` on ``device``; the last two are kept: runs one after the other tend to share them."""
    if spec.source == "official":
        fetch_if_missing()
    splits = load_fashion_mnist(**spec.model_dump())
    moved = {
        name: Split(*(tensor.to(device) for tensor in getattr(splits, name)))
        for name in ("train", "val", "test")
    }
    return Splits(**moved, source=splits.source)
