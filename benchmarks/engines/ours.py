"""The project's own engine: whole tensors, ``channels_last``, a fused optimizer, memory kept.

``train`` puts together what ``fmnist_utils.workshop.engine`` does for a recipe, without records and
measurements. ``without`` undoes one of its choices, to see what that choice gives.
"""

from __future__ import annotations

import numpy as np
import torch
from workloads import LEARNING_RATE, Data, Job, Workload

from fmnist_utils.audit.recipes import Recipe
from fmnist_utils.models import build_model
from fmnist_utils.training import Batches, train_one_epoch
from fmnist_utils.workshop.fast import (
    Bfloat16,
    ImageByImage,
    keep_freed_memory,
    pool_before_relu,
    use_fast_dropout,
)
from fmnist_utils.workshop.parts import make_loss, make_optimizer

KEPT: list = []  # the data, their images and labels as tensors


def recipe(workload: Workload, precision: str = "float32") -> Recipe:
    """Return the workload as the project writes it."""
    model = {"name": workload.model, **workload.sizes}
    how = {
        "optimizer": "adam",
        "learning_rate": LEARNING_RATE,
        "batch_size": workload.batch_size,
        "num_epochs": 1,
    }
    return Recipe(model=model, loss=workload.loss, precision=precision, **how)


def tensors(workload: Workload, data: Data) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs, float32 (N, 1, 28, 28) in [0, 1], and targets: labels, or the inputs again.

    The last ones are kept, as ``fmnist_utils.workshop.engine.load_splits`` keeps them: runs one
    after the other share them.
    """
    if not KEPT or KEPT[0] is not data:
        images = torch.from_numpy(data.images[:, None] / np.float32(255))
        KEPT[:] = data, images, torch.from_numpy(data.labels.astype(np.int64))
    _, images, labels = KEPT
    return images, images if workload.loss == "l1" else labels


def prepare(
    workload: Workload,
    data: Data,
    seed: int,
    precision: str = "float32",
    without: str = "",
    extra: str = "",
):
    """Return network, minibatches, loss and optimizer, ready for ``train_one_epoch``."""
    if without != "kept_memory":
        keep_freed_memory()
    torch.manual_seed(seed << 20)
    model = build_model(workload.model, **workload.sizes)
    if without != "pooling_first":
        pool_before_relu(model)
    if without != "dropout":
        use_fast_dropout(model)
    if without != "channels_last":
        model = model.to(memory_format=torch.channels_last)
    how = recipe(workload, "bfloat16" if extra == "bfloat16" else precision)
    optimizer, loss_fn = make_optimizer(how, model), make_loss(how)
    if without == "fused":
        optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    form = ImageByImage if without == "resident" else Batches
    batches = form(*tensors(workload, data), workload.batch_size, seed)
    model = Bfloat16(model) if how.precision == "bfloat16" else model
    return torch.compile(model) if extra == "compiled" else model, batches, loss_fn, optimizer


def train(job: Job, **options: str) -> None:
    """Train, epoch by epoch."""
    parts = prepare(job.workload, job.data, job.seed, **options)
    for epoch in range(1, job.epochs + 1):
        job.on_epoch(train_one_epoch(*parts, epoch))
