"""Lightning: a ``LightningModule`` and a ``Trainer``, over tensors in memory (its faster way).

https://lightning.ai/docs/pytorch/stable/starter/introduction.html
"""

from __future__ import annotations

import logging
import warnings

import lightning
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset
from workloads import LEARNING_RATE, Job

from engines.plain import NETWORKS


class Network(lightning.LightningModule):
    """One of the three networks, its loss and its optimizer."""

    def __init__(self, job: Job):
        super().__init__()
        self.job, self.model, self.losses = job, NETWORKS[job.name](), []

    def training_step(self, batch, batch_idx):
        inputs, labels = batch
        outputs = self.model(inputs)
        if self.job.workload.loss == "l1":
            loss = functional.l1_loss(outputs, inputs)
        else:
            loss = functional.cross_entropy(outputs, labels)
        self.losses.append(loss.detach() * len(inputs))
        return loss

    def on_train_epoch_end(self):
        self.job.on_epoch(float(torch.stack(self.losses).sum()) / len(self.job.data.images))
        self.losses.clear()

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=LEARNING_RATE)


def train(job: Job) -> None:
    """Train, epoch by epoch."""
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    lightning.seed_everything(job.seed, verbose=False)
    images, labels = (
        torch.tensor(job.data.images).unsqueeze(1) / 255,
        torch.tensor(job.data.labels).long(),
    )
    loader = DataLoader(
        TensorDataset(images, labels), batch_size=job.workload.batch_size, shuffle=True
    )
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    lightning.Trainer(max_epochs=job.epochs, accelerator="cpu", **quiet).fit(Network(job), loader)
