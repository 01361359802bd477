"""PyTorch as its beginners' tutorial teaches it: torchvision, a ``DataLoader``, a loop.

https://docs.pytorch.org/tutorials/beginner/basics/optimization_tutorial.html
"""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision.datasets import FashionMNIST
from torchvision.transforms import ToTensor
from workloads import LEARNING_RATE, Data, Job

from engines.plain import NETWORKS


def dataset(data: Data) -> FashionMNIST:
    """Return torchvision's data set around images that are loaded already."""
    made = FashionMNIST.__new__(FashionMNIST)
    made.data, made.targets = torch.tensor(data.images), torch.tensor(data.labels).long()
    made.transform, made.target_transform = ToTensor(), None
    return made


def train(job: Job) -> None:
    """Train, epoch by epoch."""
    torch.manual_seed(job.seed)
    model = NETWORKS[job.name]()
    loader = DataLoader(dataset(job.data), batch_size=job.workload.batch_size, shuffle=True)
    loss_fn = nn.L1Loss() if job.workload.loss == "l1" else nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    for _ in range(job.epochs):
        model.train()
        total = 0.0
        for inputs, labels in loader:
            targets = inputs if job.workload.loss == "l1" else labels
            loss = loss_fn(model(inputs), targets)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            total += loss.item() * len(inputs)
        job.on_epoch(total / len(loader.dataset))
