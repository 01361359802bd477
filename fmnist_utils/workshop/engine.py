"""The engine: ``train(recipe)`` returns the run of a recipe, and trains it if need be.

While a run trains, its folder holds the checkpoints of the last two epochs; once it is finished,
its record. A run that was interrupted goes on after its last epoch, bit by bit as if it had not
been.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.numpy
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import nn

from fmnist_utils.audit.recipes import Recipe
from fmnist_utils.audit.records import FORMAT, Record, Run
from fmnist_utils.data import Splits
from fmnist_utils.evaluation import confusion_matrix, reconstruct
from fmnist_utils.text import Failure
from fmnist_utils.training import (
    Batches,
    History,
    TrainingDiverged,
    WeightAverage,
    fit,
    pick_device,
    set_learning_rate,
)
from fmnist_utils.workshop.checkpoints import Checkpoints
from fmnist_utils.workshop.fast import Bfloat16, keep_freed_memory
from fmnist_utils.workshop.files import write_atomically
from fmnist_utils.workshop.machine import describe_environment, now
from fmnist_utils.workshop.parts import (
    load_splits,
    make_batches,
    make_loss,
    make_measured_loss,
    make_metrics,
    make_model,
    make_optimizer,
    make_schedule,
    make_watched_batches,
    split_trained_part,
)
from fmnist_utils.workshop.results import (
    first_of_each_class,
    make_panel,
    measure,
    pack_test_file,
    predict_test,
    to_pixels,
)
from fmnist_utils.workshop.store import RunStore


def train(
    recipe: Recipe,
    *,
    store: RunStore | None = None,
    device: str = "auto",
    threads: int | None = None,
    weights: bool = False,
    progress: bool | None = None,
) -> Run:
    """Return the run of ``recipe``: loaded if it is finished, else trained or resumed.

    Args:
        device: ``auto``, ``cpu``, ``cuda``, ``mps``.
        threads: CPU threads, of this process from now on; ``None`` leaves PyTorch's. Runs are
            bit-identical for the same number of threads, build of PyTorch and device.
        weights: train even where there is a committed record, if the weights are not here.
        progress: as in :func:`fmnist_utils.training.fit`.

    Raises:
        TrainingDiverged: if the loss became NaN or infinite.
        Failure: if memory is short.
        UserError: if the data cannot be had, a file of the store is damaged, or the store cannot be
            written.
    """
    store = store or RunStore()
    place = pick_device(device)
    run = store.finished(recipe, weights)
    if run is not None:
        return run
    if threads:
        torch.set_num_threads(threads)
    pretrained = None
    if recipe.encoder_from:
        options = {"store": store, "device": device, "progress": progress}
        pretrained = train(recipe.encoder_from, weights=True, **options).model()
    folder = store.folder(recipe)
    with store.alone(folder):
        # Another process may have finished it while this one waited.
        run = store.find(recipe, weights)
        return run or _make_run(recipe, folder, place, pretrained, progress)


def _make_run(
    recipe: Recipe,
    folder: Path,
    device: torch.device,
    pretrained: nn.Module | None,
    progress: bool | None,
) -> Run:
    """Train ``recipe`` in ``folder``, whose lock this process holds, and keep the results."""
    start = time.perf_counter()
    keep_freed_memory()
    try:
        training = Training.set_up(recipe, folder, device, pretrained)
        history = training.run_epochs(progress)
        return training.keep_results(history, start)
    except RuntimeError as error:
        # CUDA's error has a class of its own, those of the CPU and of Apple's GPU have not.
        if not re.search(r"(allocate|enough|out of) memory", str(error)):
            raise
        values = {"device": str(device), "batch_size": recipe.batch_size}
        raise Failure("runs.out_of_memory", **values) from error


@dataclass
class Training:
    """A recipe being trained.

    Attributes:
        model: the whole network.
        part: what runs in training: the network, or its head alone.
        watched: the sets that are measured after each epoch, by name.
        schedule: the learning rate as a function of the steps done, if it changes.
        average: of the weights, if the recipe asks for one.
    """

    recipe: Recipe
    splits: Splits
    model: nn.Module
    part: nn.Module
    train: Batches
    watched: dict[str, Batches]
    optimizer: torch.optim.Optimizer
    schedule: Callable[[int], float] | None
    average: WeightAverage | None
    checkpoints: Checkpoints

    @classmethod
    def set_up(
        cls, recipe: Recipe, folder: Path, device: torch.device, pretrained: nn.Module | None
    ) -> Training:
        """Return the training of ``recipe`` before its first epoch."""
        splits = load_splits(recipe.data, device)
        model = make_model(recipe, device, pretrained)
        part, inputs = split_trained_part(recipe, model, splits)
        train = make_batches(recipe, inputs["train"], splits.train.labels)
        average = WeightAverage(model, recipe.average) if recipe.average else None
        return cls(
            recipe=recipe,
            splits=splits,
            model=model,
            part=part,
            train=train,
            watched=make_watched_batches(recipe, inputs, splits),
            optimizer=make_optimizer(recipe, model),
            schedule=make_schedule(recipe, train.num_steps),
            average=average,
            checkpoints=Checkpoints(
                folder,
                recipe.id,
                describe_environment(device),
                select=_monitor(recipe) if recipe.select == "best" else None,
                average=average.model if average else None,
            ),
        )

    @property
    def result(self) -> nn.Module:
        """The network that is measured and kept: the average of the weights, or the network."""
        return self.average.model if self.average else self.model

    def run_epochs(self, progress: bool | None) -> History:
        """Train the epochs that are missing, with a checkpoint after each; return the history."""
        history = self.checkpoints.restore(self.model, self.optimizer)
        if not history.rows:
            self.save(history)
        try:
            return fit(
                Bfloat16(self.part) if self.recipe.precision == "bfloat16" else self.part,
                self.train,
                make_loss(self.recipe),
                self.optimizer,
                self.recipe.num_epochs,
                watch=self.watched,
                metrics=make_metrics(self.recipe),
                learning_rate_at=self.learning_rate_at if self.schedule else None,
                after_step=self.after_step,
                measured=self.average.model if self.average else None,
                measured_loss_fn=make_measured_loss(self.recipe),
                patience=self.recipe.patience,
                monitor=_monitor(self.recipe),
                history=history,
                on_epoch_end=self.save,
                progress=progress,
            )
        except TrainingDiverged as error:
            self.note_failure(error, history)
            raise

    def learning_rate_at(self, epoch: int) -> float:
        """Return the learning rate with which epoch ``epoch`` begins."""
        assert self.schedule is not None
        return self.schedule((epoch - 1) * self.train.num_steps)

    def after_step(self, step: int) -> None:
        """Set the rate of the next step, and update the average of the weights, if need be."""
        if self.recipe.schedule == "one_cycle":
            assert self.schedule is not None
            set_learning_rate(self.optimizer, self.schedule(step))
        if self.average:
            self.average.update(step)

    def save(self, history: History) -> None:
        """Save a checkpoint, and the reconstructions of the examples if the recipe keeps them."""
        epoch = len(history)
        if epoch in self.recipe.snapshots:
            test = self.splits.test
            examples = test.images[first_of_each_class(test.labels.cpu().numpy())]
            pixels = to_pixels(self.recipe, reconstruct(self.result, examples))
            name = f"reconstructions_after_{epoch}"
            self.checkpoints.snapshots[name] = torch.from_numpy(pixels)
        if epoch:
            self.checkpoints.save(self.model, self.optimizer, history)

    def note_failure(self, error: TrainingDiverged, history: History) -> None:
        """Write ``failed.json``: where the loss diverged, and the last checkpoint before."""
        entries = self.checkpoints.entries
        failure = {
            "id": self.recipe.id,
            "error": str(error),
            **error.values,
            "loss": str(error.values["loss"]),  # JSON has no NaN
            "finished_epochs": len(history),
            "last_good": entries[-1]["file"] if entries else None,
        }
        content = json.dumps(failure, indent=1).encode()
        write_atomically(self.checkpoints.folder / "failed.json", content)

    def keep_results(self, history: History, start: float) -> Run:
        """Write the record, its weights and its examples, and remove the checkpoints.

        Args:
            start: when the training began, by ``time.perf_counter``.
        """
        self.checkpoints.load_selected(self.result)
        probabilities = predict_test(self.recipe, self.result, self.splits)
        confusion = None
        if probabilities is not None:
            labels = self.splits.test.labels.cpu()
            confusion = confusion_matrix(labels, probabilities.argmax(axis=1)).tolist()
        files = self.pack_files(probabilities)
        record = self.make_record(history, files, confusion, start)
        path = self.checkpoints.folder / "record.json"
        for name, content in files.items():
            write_atomically(path.with_name(f"record.{name}"), content)
        write_atomically(path, record.to_json().encode())  # last: with it, the run is finished
        self.checkpoints.remove()
        return Run(record, path)

    def pack_files(self, probabilities: NDArray[Any] | None) -> dict[str, bytes]:
        """Return what stands beside the record: weights, examples and, if any, predictions."""
        network = self.result
        weights = {name: tensor.contiguous().cpu() for name, tensor in network.state_dict().items()}
        panel = make_panel(self.recipe, network, self.splits, probabilities)
        for name, pixels in self.checkpoints.snapshots.items():
            panel[name] = pixels.numpy()
        files = {
            "weights.safetensors": safetensors.torch.save(weights),
            "panel.safetensors": safetensors.numpy.save(panel),
        }
        if probabilities is not None:
            predictions = probabilities.argmax(axis=1)
            packed = pack_test_file(self.recipe, network, self.splits, predictions)
            if packed is not None:
                files["predictions.npz"] = packed
        return files

    def make_record(
        self,
        history: History,
        files: Mapping[str, bytes],
        confusion: list[list[int]] | None,
        start: float,
    ) -> Record:
        """Return the record of the finished training."""
        recipe = self.recipe
        sha256 = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        best = recipe.select == "best"
        return Record(
            format=FORMAT,
            id=recipe.id,
            recipe=recipe.model_dump(mode="json"),
            history={column: history[column] for column in history.rows[0] if column != "epoch"},
            selected_epoch=history.best_epoch(_monitor(recipe)) if best else len(history),
            metrics=measure(recipe, self.result, self.splits),
            confusion=confusion,
            weights_sha256=sha256["weights.safetensors"],
            panel_sha256=sha256["panel.safetensors"],
            predictions_sha256=sha256.get("predictions.npz"),
            made_with=self.checkpoints.environment
            | {"one_environment": self.checkpoints.one_environment, "date": now()},
            seconds=round(time.perf_counter() - start, 3),
        ).sealed()


def _monitor(recipe: Recipe) -> str:
    """Return the column of the history that early stopping and the best epoch look at."""
    return f"{recipe.watch}_loss"
