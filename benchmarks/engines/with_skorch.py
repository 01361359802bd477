"""skorch: the network inside an estimator of scikit-learn's kind, ``fit`` on arrays.

https://skorch.readthedocs.io/en/stable/user/quickstart.html
"""

from __future__ import annotations

import numpy as np
import torch
from skorch import NeuralNetClassifier, NeuralNetRegressor
from skorch.callbacks import Callback
from torch import nn
from workloads import LEARNING_RATE, Job

from engines.plain import NETWORKS


class Report(Callback):
    """Hand over the loss of each epoch."""

    def __init__(self, on_epoch):
        self.on_epoch = on_epoch

    def on_epoch_end(self, net, **kwargs):
        self.on_epoch(net.history[-1, "train_loss"])


def train(job: Job) -> None:
    """Train, epoch by epoch."""
    torch.manual_seed(job.seed)
    images = (job.data.images[:, None] / np.float32(255)).astype(np.float32)
    reconstructing = job.workload.loss == "l1"
    net = (NeuralNetRegressor if reconstructing else NeuralNetClassifier)(
        NETWORKS[job.name](),
        criterion=nn.L1Loss if reconstructing else nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=LEARNING_RATE,
        batch_size=job.workload.batch_size,
        max_epochs=job.epochs,
        iterator_train__shuffle=True,
        train_split=None,
        callbacks=[Report(job.on_epoch)],
        verbose=0,
    )
    net.fit(images, images if reconstructing else job.data.labels.astype(np.int64))
