"""The training loop, one for classifiers and autoencoders.

``train_one_epoch`` updates a network, ``evaluate`` measures it, and ``fit`` alternates the two and
returns a :class:`History`. The loop sees pairs ``(inputs, targets)``: of a classifier the targets
are labels, of an autoencoder the inputs themselves. Both are whole tensors in memory, so taking a
minibatch is one indexing.
"""

from __future__ import annotations

import copy
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn
from tqdm import tqdm

from fmnist_utils.text import Failure, UserError, say

Metric = Callable[[Tensor, Tensor], Tensor]


class TrainingDiverged(Failure):
    """The loss became NaN or infinite."""


def train_one_epoch(
    model: nn.Module,
    train: Batches,
    loss_fn: nn.Module,
    optimizer: torch.optim.Optimizer,
    epoch: int = 1,
    after_step: Callable[[int], None] | None = None,
) -> float:
    """Update ``model`` once with every minibatch of ``train``; return the running loss.

    The running loss is the mean over the examples of the loss *during* the epoch: with dropout, and
    while the weights move.

    Args:
        epoch: its number, from 1; the order of the examples depends on it.
        after_step: called after each update with the number of updates since training began.

    Raises:
        TrainingDiverged: if the loss of a minibatch is NaN or infinite.
    """
    model.train()
    # A place for every loss, made beforehand: a small tensor that stays after each minibatch splits
    # the memory that the next one could take again. Evaluating page 05's network grew by 500 MB.
    losses = torch.empty(train.num_steps, device=train.inputs.device)
    sizes: list[int] = []
    for inputs, targets in train.epoch(epoch):
        optimizer.zero_grad()
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        optimizer.step()
        losses[len(sizes)] = loss.detach()
        sizes.append(len(inputs))
        if after_step is not None:
            after_step((epoch - 1) * train.num_steps + len(sizes))
    # Read once an epoch: reading every loss as it comes would make a GPU wait for each minibatch.
    # Converted on the CPU: Apple's GPU has no float64.
    step_losses = losses.cpu().double()
    for step, step_loss in enumerate(step_losses.tolist(), start=1):
        if not math.isfinite(step_loss):
            raise _diverged(step_loss, epoch, step, optimizer)
    return float(step_losses @ torch.tensor(sizes, dtype=torch.double)) / sum(sizes)


def _diverged(
    loss: float, epoch: int, step: int, optimizer: torch.optim.Optimizer
) -> TrainingDiverged:
    rate = optimizer.param_groups[0]["lr"]
    return TrainingDiverged("training.diverged", loss=loss, epoch=epoch, step=step, rate=rate)


@torch.no_grad()
def evaluate(
    model: nn.Module,
    batches: Batches,
    loss_fn: nn.Module,
    metrics: Mapping[str, Metric] | None = None,
) -> dict[str, float]:
    """Measure ``model`` in evaluation mode: ``{"loss": …}`` and one entry for each of ``metrics``.

    ``loss_fn`` and the metrics return means over a minibatch; here they are weighted by its size,
    so that the result does not depend on ``batch_size``. Afterwards, every part of the model is in
    the mode in which it was.
    """
    measures: dict[str, Metric] = {"loss": loss_fn, **(metrics or {})}
    device = batches.inputs.device
    # Made beforehand: see train_one_epoch.
    values = {name: torch.empty(batches.num_steps, device=device) for name in measures}
    sizes: list[int] = []
    modes = {module: module.training for module in model.modules()}
    try:
        model.eval()
        for inputs, targets in batches:
            outputs = model(inputs)
            for name, measure in measures.items():
                values[name][len(sizes)] = measure(outputs, targets)
            sizes.append(len(inputs))
    finally:  # also when the reader stops the cell
        for module, training in modes.items():
            module.training = training
    means = {}
    for name, batch_means in values.items():
        totals = batch_means.cpu().double() * torch.tensor(sizes)
        means[name] = float(totals.cumsum(0)[-1]) / len(batches)
    return means


def fit(
    model: nn.Module,
    train: Batches,
    loss_fn: nn.Module,
    optimizer: torch.optim.Optimizer,
    num_epochs: int,
    *,
    watch: Mapping[str, Batches] | None = None,
    metrics: Mapping[str, Metric] | None = None,
    learning_rate_at: Callable[[int], float] | None = None,
    after_step: Callable[[int], None] | None = None,
    measured: nn.Module | None = None,
    measured_loss_fn: nn.Module | None = None,
    patience: int | None = None,
    monitor: str = "val_loss",
    history: History | None = None,
    on_epoch_end: Callable[[History], None] | None = None,
    progress: bool | None = None,
) -> History:
    """Train ``model`` for ``num_epochs`` epochs, measuring the sets in ``watch`` after each.

    Args:
        watch: name -> set to measure after each epoch; the name begins the columns of the history.
        metrics: name -> what is measured beside the loss, such as :func:`accuracy`.
        learning_rate_at: the learning rate of each epoch (from 1), such as :func:`cosine`;
            ``None`` keeps the optimizer's own.
        after_step: as in :func:`train_one_epoch`. It may set the learning rate of the next step, or
            update an average of the weights.
        measured: the network to measure instead of ``model``, such as an average of its weights.
        measured_loss_fn: the loss to measure, if it is not ``loss_fn``.
        patience: stop when ``monitor`` has not fallen for so many epochs; ``None`` never stops.
        history: of the epochs already done; training goes on after them.
        on_epoch_end: called with the history after each epoch, to save a checkpoint for example.
        progress: show a progress bar. ``None`` shows one on a terminal and in Jupyter, and none
            under papermill, nbval or continuous integration.

    Returns:
        The history, a row for each epoch.

    Raises:
        TrainingDiverged: if the loss becomes NaN or infinite.
    """
    if history is None:
        history = History()
    with progress_bar(num_epochs, initial=len(history), show=progress) as bar:
        for epoch in range(len(history) + 1, num_epochs + 1):
            if patience is not None and history.epochs_since_best(monitor) >= patience:
                break
            if learning_rate_at is not None:
                set_learning_rate(optimizer, learning_rate_at(epoch))
            start = time.perf_counter()
            running_loss = train_one_epoch(model, train, loss_fn, optimizer, epoch, after_step)
            seconds = time.perf_counter() - start
            row = {"epoch": epoch, "running_loss": running_loss, "seconds": seconds}
            for name, batches in (watch or {}).items():
                means = evaluate(measured or model, batches, measured_loss_fn or loss_fn, metrics)
                if not math.isfinite(means["loss"]):  # after the last step of the epoch
                    raise _diverged(means["loss"], epoch, train.num_steps, optimizer)
                for measure, value in means.items():
                    row[f"{name}_{measure}"] = value
            history.rows.append(row)
            bar.set_postfix({name: f"{row[name]:.4f}" for name in row if name.endswith("_loss")})
            bar.update()
            if on_epoch_end is not None:
                on_epoch_end(history)
    return history


class Batches:
    """Minibatches of two tensors that stay in memory.

    Iterating over it gives the minibatches in order; ``epoch(k)`` gives those of epoch k, shuffled.
    ``epoch`` begins by seeding PyTorch with (seed, k): the order, dropout and augmentation of an
    epoch depend on nothing else, so a run that was stopped goes on as if it had not been.

    Args:
        inputs, targets: tensors with the same first dimension, the number of examples.
        batch_size: examples in a minibatch; the last one takes what is left.
        seed: of the run.
        augment: changes the inputs of each shuffled minibatch at random.

    Raises:
        UserError: if there are no examples, not as many inputs as targets, or no batch size.
    """

    def __init__(
        self,
        inputs: Tensor,
        targets: Tensor,
        batch_size: int,
        seed: int = 0,
        augment: Callable[[Tensor], Tensor] | None = None,
    ):
        if batch_size < 1 or len(inputs) != len(targets) or len(inputs) == 0:
            raise UserError(
                "training.bad_batches",
                batch_size=batch_size,
                inputs=len(inputs),
                targets=len(targets),
            )
        self.inputs = inputs
        self.targets = targets
        self.batch_size = batch_size
        self.seed = seed
        self.augment = augment

    @property
    def num_steps(self) -> int:
        """The number of minibatches of an epoch."""
        return math.ceil(len(self) / self.batch_size)

    def __len__(self) -> int:
        """Return the number of examples (not of minibatches)."""
        return len(self.inputs)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the minibatches ``(inputs, targets)`` in order."""
        for start in range(0, len(self), self.batch_size):
            end = start + self.batch_size
            yield self.inputs[start:end], self.targets[start:end]

    def epoch(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the minibatches ``(inputs, targets)`` of epoch ``epoch``, every example once."""
        torch.manual_seed((self.seed << 20) + epoch)
        order = torch.randperm(len(self)).to(self.inputs.device)
        for indices in order.split(self.batch_size):
            inputs = self.inputs.index_select(0, indices)  # a third of the time of inputs[indices]
            targets = self.targets.index_select(0, indices)
            if self.augment is not None:
                inputs = self.augment(inputs)
            yield inputs, targets


class History:
    """What was measured after each epoch: one row an epoch.

    A row has ``epoch`` (from 1), ``running_loss``, ``seconds`` (of the training, without measuring)
    and, for each watched set, its loss and metrics: ``train_loss``, ``val_accuracy``, ….
    """

    def __init__(self, rows: list[dict[str, float]] | None = None):
        self.rows = list(rows or [])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, column: str) -> list[float]:
        return [row[column] for row in self.rows]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, History) and self.rows == other.rows

    def frame(self) -> pd.DataFrame:
        """Return the rows as a table, indexed by epoch."""
        return pd.DataFrame(self.rows).set_index("epoch")

    @property
    def epoch_seconds(self) -> float:
        """The median of the seconds of an epoch: one slow epoch does not change it."""
        return statistics.median(self["seconds"])

    def best_epoch(self, column: str = "val_loss") -> int:
        """Return the epoch (from 1) with the smallest value of ``column``; of equals, the first."""
        values = self[column]
        return 1 + values.index(min(values))

    def epochs_since_best(self, column: str = "val_loss") -> int:
        """Return how many epochs have passed since the best one."""
        return len(self) - self.best_epoch(column) if self.rows else 0


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the share, in [0, 1], of ``logits`` (N, 10) whose largest is at ``labels`` (N,)."""
    return (logits.argmax(dim=1) == labels).float().mean()


class OneHotMSE(nn.Module):
    """Mean squared error between a classifier's ten outputs and the one-hot label.

    Report 1's text describes its loss so.
    """

    def forward(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Return the mean over the minibatch and the ten outputs."""
        targets = nn.functional.one_hot(labels, outputs.shape[1]).to(outputs.dtype)
        return nn.functional.mse_loss(outputs, targets)


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Give all parameters this learning rate from the next step on."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate


def cosine(learning_rate: float, num_epochs: int) -> Callable[[int], float]:
    """Return the schedule that falls from ``learning_rate`` to nearly zero along half a cosine.

    It takes the epoch, from 1 (I. Loshchilov and F. Hutter, arXiv:1608.03983, equation 5).
    """

    def rate(epoch: int) -> float:
        return learning_rate * (1 + math.cos(math.pi * (epoch - 1) / num_epochs)) / 2

    return rate


def one_cycle(learning_rate: float, num_steps: int) -> Callable[[int], float]:
    """Return the schedule that rises to ``learning_rate`` and falls to nearly zero, step by step.

    During the first quarter of the steps it rises along a straight line from ``learning_rate`` /
    25; then it falls along half a cosine. It takes the number of steps done, from 0. The idea is
    that of L. N. Smith and N. Topin (arXiv:1708.07120); the share of the rise and the shape of the
    fall are those of J. Howard and S. Gugger (arXiv:2002.04688).
    """
    rise = num_steps / 4

    def rate(step: int) -> float:
        if step < rise:
            return learning_rate * (1 / 25 + (1 - 1 / 25) * step / rise)
        return learning_rate * (1 + math.cos(math.pi * (step - rise) / (num_steps - rise))) / 2

    return rate


class WeightAverage:
    """A copy of a network whose weights are an exponential moving average of the network's.

    In update t the copy keeps the share min(``decay``, t / (t + 9)) of its weights and takes the
    rest from the network: the first weights, which still move fast, soon count little. The running
    means of batch norm are averaged too.

    Attributes:
        model: the copy, in evaluation mode.
    """

    def __init__(self, model: nn.Module, decay: float):
        self.source = model
        self.model = copy.deepcopy(model).eval()
        self.decay = decay

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Update the average after step ``step`` of the training, counted from 1."""
        share = min(self.decay, step / (step + 9))
        current = self.source.state_dict()
        for name, average in self.model.state_dict().items():
            if average.is_floating_point():
                average.lerp_(current[name], 1 - share)
            else:  # the number of minibatches that batch norm has seen
                average.copy_(current[name])


def pick_device(name: str = "auto") -> torch.device:
    """Return the device called ``name``; ``"auto"`` takes CUDA, else Apple's MPS, else the CPU.

    Raises:
        UserError: if this machine has no such device; the message lists those that it has.
    """
    available = []
    if torch.cuda.is_available():
        available = ["cuda", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        available.append("mps")
    available.append("cpu")
    if name == "auto":
        return torch.device(available[0])
    if name not in available:
        raise UserError("training.no_device", given=name, allowed=", ".join(["auto", *available]))
    return torch.device(name)


def progress_bar(total: int, *, initial: int = 0, show: bool | None = None) -> tqdm[Any]:
    """Return a progress bar over epochs or runs; ``show=None`` hides it where nobody watches."""
    if show is None:
        # A person's Jupyter, Colab or Visual Studio Code sets these; papermill and nbval do not.
        opened = ("JPY_SESSION_NAME", "COLAB_RELEASE_TAG", "VSCODE_PID")
        watched = sys.stderr.isatty() or any(name in os.environ for name in opened)
        silenced = any(os.environ.get(name) for name in ("CI", "TQDM_DISABLE"))
        show = watched and not silenced
    return tqdm(
        total=total, initial=initial, desc=say("training.epochs"), leave=False, disable=not show
    )
