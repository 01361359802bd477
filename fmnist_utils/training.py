"""The training loop: one for classifiers and autoencoders.

It sees ``(inputs, targets)`` and cannot tell which of the two it trains. ``train_one_epoch`` updates, ``evaluate`` measures,
``fit`` alternates them and returns a :class:`History`. Data are whole tensors in memory, so a minibatch is one indexing.
"""

from __future__ import annotations

import copy
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor, nn

from fmnist_utils.text import Failure, UserError, say

Metric = Callable[[Tensor, Tensor], Tensor]


class TrainingDiverged(Failure):
    """The loss became NaN or infinite."""


def pick_device(name: str = "auto") -> torch.device:
    """Return the device called ``name``; ``"auto"`` takes CUDA, else Apple's MPS, else the CPU.

    Raises:
        UserError: if this machine has no such device; the message lists those it has.
    """
    available = ["cpu"]
    if torch.backends.mps.is_available():
        available.insert(0, "mps")
    if torch.cuda.is_available():
        available[:0] = ["cuda", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if name == "auto":
        return torch.device(available[0])
    if name not in available:
        raise UserError("training.no_device", given=name, allowed=", ".join(["auto", *available]))
    return torch.device(name)


def emulates_bfloat16(device: torch.device) -> bool:
    """Return whether PyTorch imitates bfloat16 on ``device`` number by number, because oneDNN, its library, does not take it on.

    On x86 oneDNN asks for AVX-512; with AVX2 alone, as in many laptops, a product takes tens of times as long as in float32.
    """
    known = hasattr(
        torch.ops.mkldnn, "_is_mkldnn_bf16_supported"
    )  # not in every build, as those for Apple's processors
    return device.type == "cpu" and known and not torch.ops.mkldnn._is_mkldnn_bf16_supported()


class Batches:
    """Minibatches of two tensors that stay in memory.

    Iterating gives them in order; ``epoch(k)`` gives them shuffled for epoch k. Shuffling and dropout are keyed by (seed, k):
    ``epoch`` begins by seeding PyTorch with that pair, so a run stopped after any epoch goes on as if it had not been.

    Args:
        inputs, targets: tensors with the same first dimension, the number of examples.
        batch_size: examples in a minibatch; the last one takes what is left.
        seed: of the run.
        augment: changes the inputs of each shuffled minibatch at random; its draws are keyed by (seed, k) as well.
    """

    def __init__(
        self,
        inputs: Tensor,
        targets: Tensor,
        batch_size: int,
        seed: int = 0,
        augment: Callable[[Tensor], Tensor] | None = None,
    ):
        if batch_size < 1 or len(inputs) != len(targets) or not len(inputs):
            raise UserError(
                "training.bad_batches",
                batch_size=batch_size,
                inputs=len(inputs),
                targets=len(targets),
            )
        self.inputs, self.targets, self.batch_size, self.seed = inputs, targets, batch_size, seed
        self.augment = augment

    @property
    def num_steps(self) -> int:
        """The number of minibatches of an epoch."""
        return math.ceil(len(self) / self.batch_size)

    def __len__(self) -> int:
        """Return the number of examples (not of minibatches)."""
        return len(self.inputs)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        yield from zip(
            self.inputs.split(self.batch_size), self.targets.split(self.batch_size), strict=True
        )

    def epoch(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the minibatches of epoch ``epoch``, every example once, in an order keyed by (seed, epoch)."""
        torch.manual_seed((self.seed << 20) + epoch)
        order = torch.randperm(len(self.inputs)).to(self.inputs.device)
        for indices in order.split(self.batch_size):
            inputs = self.inputs.index_select(0, indices)  # a third of the time of inputs[indices]
            yield (
                self.augment(inputs) if self.augment else inputs,
                self.targets.index_select(0, indices),
            )


class ImageByImage(Batches):
    """The same minibatches, each image converted on its own as torchvision's data set and a ``DataLoader`` do in every epoch.

    It is there to be timed: what a student's first program pays for loading. Inputs are images in [0, 1].
    """

    def epoch(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the minibatches of epoch ``epoch``, bit by bit those of :class:`Batches`."""
        from PIL import Image
        from torchvision.transforms.functional import to_tensor

        torch.manual_seed((self.seed << 20) + epoch)
        pixels = (self.inputs * 255).round().to(torch.uint8).squeeze(1).cpu().numpy()
        reconstructing = self.targets is self.inputs
        for indices in torch.randperm(len(self.inputs)).split(self.batch_size):
            images = torch.stack(
                [to_tensor(Image.fromarray(pixels[index])) for index in indices.tolist()]
            )
            images = images.to(self.inputs.device)
            yield (
                images,
                images if reconstructing else self.targets[indices.to(self.targets.device)],
            )


class Bfloat16(nn.Module):
    """A network whose multiplications in training use bfloat16, 8 bits of precision; weights and outputs stay float32.

    In eval mode it is the network itself, so that measurements do not depend on the precision of training.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the outputs of the network, float32."""
        if not self.training:
            return self.model(inputs)
        with torch.autocast(inputs.device.type, dtype=torch.bfloat16):
            outputs = self.model(inputs)
        return outputs.float()


class WeightAverage:
    """A copy of a network whose weights follow those of the network slowly: an exponential moving average.

    After step t it keeps the share min(``decay``, t / (t + 9)) of itself and takes the rest from the network, so that the first
    steps, when the weights still move fast, are soon forgotten. The running means of batch norm are averaged as well.

    Attributes:
        model: the copy, in eval mode.
    """

    def __init__(self, model: nn.Module, decay: float):
        self.model, self.decay = copy.deepcopy(model).eval(), decay
        self._pairs = list(
            zip(self.model.state_dict().values(), model.state_dict().values(), strict=True)
        )

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take the weights in, after step ``step`` of the training, counted from 1."""
        share = min(self.decay, step / (step + 9))
        for mine, its in self._pairs:
            if mine.is_floating_point():
                mine.lerp_(its, 1 - share)
            else:
                mine.copy_(its)  # how many minibatches batch norm has seen


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the share, in [0, 1], of ``logits`` (N, 10) whose largest entry is at ``labels`` (N,)."""
    return (logits.argmax(dim=1) == labels).float().mean()


class OneHotMSE(nn.Module):
    """Mean squared error between the ten outputs of a classifier and the one-hot label, as report 1's text describes its loss."""

    def forward(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Return the mean over the minibatch and the ten outputs."""
        return nn.functional.mse_loss(
            outputs, nn.functional.one_hot(labels, outputs.shape[1]).to(outputs.dtype)
        )


def train_one_epoch(
    model: nn.Module,
    train: Batches,
    loss_fn: nn.Module,
    optimizer: torch.optim.Optimizer,
    epoch: int = 1,
    after_step: Callable[[int], None] | None = None,
) -> float:
    """Update ``model`` once with every minibatch of ``train``; return the running loss.

    The running loss is the mean over examples of the loss seen *during* the epoch: dropout on, weights moving. ``after_step`` is
    called after each update with how many there have been since the training began.

    Raises:
        TrainingDiverged: if the loss of a minibatch is NaN or infinite.
    """
    model.train()
    losses, sizes = [], []
    for inputs, targets in train.epoch(epoch):
        optimizer.zero_grad()
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
        sizes.append(len(inputs))
        if after_step is not None:
            after_step((epoch - 1) * train.num_steps + len(sizes))
    # Looked at once an epoch: reading every loss as it comes would make a GPU wait for each minibatch.
    losses = torch.stack(losses).cpu().double()  # in this order: Apple's GPU knows no float64
    if not losses.isfinite().all():
        step = int((~losses.isfinite()).nonzero()[0]) + 1
        raise _diverged(float(losses[step - 1]), epoch, step, optimizer)
    return float(losses @ torch.tensor(sizes, dtype=torch.double)) / sum(sizes)


def _diverged(
    loss: float, epoch: int, step: int, optimizer: torch.optim.Optimizer
) -> TrainingDiverged:
    return TrainingDiverged(
        "training.diverged", loss=loss, epoch=epoch, step=step, rate=optimizer.param_groups[0]["lr"]
    )


@torch.no_grad()
def evaluate(
    model: nn.Module,
    batches: Batches,
    loss_fn: nn.Module,
    metrics: Mapping[str, Metric] | None = None,
) -> dict[str, float]:
    """Measure ``model`` in eval mode: ``{"loss": …}`` and one entry for each of ``metrics``.

    ``loss_fn`` and the metrics give means over a minibatch; here they are weighted by its size, so that the result does not
    depend on ``batch_size``. Every part of the model is left in the mode it was in.
    """
    modes = {module: module.training for module in model.modules()}
    measures = {"loss": loss_fn, **(metrics or {})}
    found: dict[str, list[Tensor]] = {name: [] for name in measures}
    sizes = []
    try:
        model.eval()
        for inputs, targets in batches:
            outputs = model(inputs)
            sizes.append(len(inputs))
            for name, measure in measures.items():
                found[name].append(measure(outputs, targets))
    finally:  # also when a reader stops a cell
        for module, training in modes.items():
            module.training = training
    totals = {
        name: torch.stack(values).cpu().double() * torch.tensor(sizes)
        for name, values in found.items()
    }
    return {name: float(total.cumsum(0)[-1]) / len(batches) for name, total in totals.items()}


class History:
    """What was measured after each epoch: one row an epoch.

    A row has ``epoch`` (from 1), ``running_loss``, ``seconds`` (training alone, without the measuring), and for each watched
    set its loss and metrics, as ``train_loss``, ``val_accuracy``, ….
    """

    def __init__(self, rows: list[dict[str, float]] | None = None):
        self.rows = list(rows or [])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, column: str) -> list[float]:
        return [row[column] for row in self.rows]

    def __eq__(self, other) -> bool:
        return isinstance(other, History) and self.rows == other.rows

    def frame(self):
        """Return the rows as a pandas DataFrame, indexed by epoch."""
        import pandas as pd  # here, so that training needs nothing but PyTorch

        return pd.DataFrame(self.rows).set_index("epoch")

    @property
    def epoch_seconds(self) -> float:
        """The median of the seconds of an epoch: one in which the machine slept, or was busy elsewhere, does not change it."""
        return statistics.median(self["seconds"])

    def best_epoch(self, column: str = "val_loss") -> int:
        """Return the epoch (from 1) with the smallest value of ``column``; the first one of equals."""
        values = self[column]
        return 1 + values.index(min(values))

    def epochs_since_best(self, column: str = "val_loss") -> int:
        """Return how many epochs have passed since the best one."""
        return len(self) - self.best_epoch(column) if self.rows else 0


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
    """Train ``model`` for ``num_epochs`` epochs, measuring the sets in ``watch`` after each; return the history.

    Args:
        watch: sets to measure in eval mode after each epoch, by the name that their columns begin with.
        metrics: measured beside the loss, by name.
        learning_rate_at: the learning rate of each epoch (from 1); ``None`` leaves the optimizer's own.
        after_step: as in :func:`train_one_epoch`; there a schedule may change the rate, or an average take the weights in.
        measured: the network that is measured instead of ``model``: an average of its weights, say.
        measured_loss_fn: what is measured as its loss, if not ``loss_fn``.
        patience: stop when ``monitor`` has not fallen for so many epochs; ``None`` never stops early.
        history: of the epochs already done; training goes on after them.
        on_epoch_end: called with the history after each epoch (to save a checkpoint, say).
        progress: show a progress bar; ``None`` shows one on a terminal and in Jupyter, none under papermill, nbval or CI.

    Raises:
        TrainingDiverged: if the loss becomes NaN or infinite.
    """
    history = History() if history is None else history
    with progress_bar(num_epochs, initial=len(history), show=progress) as bar:
        for epoch in range(len(history) + 1, num_epochs + 1):
            if patience is not None and history.epochs_since_best(monitor) >= patience:
                break
            if learning_rate_at is not None:
                set_learning_rate(optimizer, learning_rate_at(epoch))
            start = time.perf_counter()
            row = {
                "epoch": epoch,
                "running_loss": train_one_epoch(
                    model, train, loss_fn, optimizer, epoch, after_step
                ),
            }
            row["seconds"] = time.perf_counter() - start
            for name, batches in (watch or {}).items():
                found = evaluate(measured or model, batches, measured_loss_fn or loss_fn, metrics)
                if not math.isfinite(found["loss"]):  # the epoch's last step did it
                    raise _diverged(found["loss"], epoch, train.num_steps, optimizer)
                row |= {f"{name}_{measure}": value for measure, value in found.items()}
            history.rows.append(row)
            bar.set_postfix(
                {name: f"{value:.4f}" for name, value in row.items() if name.endswith("_loss")}
            )
            bar.update()
            if on_epoch_end is not None:
                on_epoch_end(history)
    return history


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Give all parameters this learning rate from the next step on."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate


def cosine(learning_rate: float, num_epochs: int) -> Callable[[int], float]:
    """Return the schedule that falls from ``learning_rate`` to nearly zero along half a cosine (arXiv:1608.03983, eq. 5)."""
    return lambda epoch: learning_rate * (1 + math.cos(math.pi * (epoch - 1) / num_epochs)) / 2


def one_cycle(learning_rate: float, num_steps: int) -> Callable[[int], float]:
    """Return the schedule that rises to ``learning_rate`` and falls to nearly zero, step by step.

    It rises along a straight line from a 25th of it during the first quarter of the steps, and falls along half a cosine. The
    schedule takes how many steps are done, from 0. The idea is L. N. Smith and N. Topin's (arXiv:1708.07120); the share of the
    rise and the shape of the fall, J. Howard and S. Gugger's (arXiv:2002.04688).
    """
    rise = num_steps / 4

    def rate(step: int) -> float:
        if step < rise:
            return learning_rate * (1 / 25 + (1 - 1 / 25) * step / rise)
        return learning_rate * (1 + math.cos(math.pi * (step - rise) / (num_steps - rise))) / 2

    return rate


def progress_bar(total: int, *, initial: int = 0, show: bool | None = None):
    """Return a tqdm bar over epochs or runs, hidden where nobody watches unless ``show`` says otherwise."""
    from tqdm import tqdm

    if show is None:
        # A kernel started by papermill or nbval has none of these names; one that a person opened has.
        watched = any(
            name in os.environ for name in ("JPY_SESSION_NAME", "COLAB_RELEASE_TAG", "VSCODE_PID")
        )
        silenced = any(os.environ.get(name) for name in ("CI", "TQDM_DISABLE"))
        show = (watched or sys.stderr.isatty()) and not silenced
    return tqdm(
        total=total, initial=initial, desc=say("training.epochs"), leave=False, disable=not show
    )
