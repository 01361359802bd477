"""The three networks in ``torch.nn`` alone, as PyTorch's own documentation writes them.

Ours are the same functions; that they take less time (pooling before ReLU, dropout) is part of what
is measured.
"""

from __future__ import annotations

from torch import nn


def ff() -> nn.Module:
    hidden = [
        nn.Linear(784, 128),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(128, 64),
        nn.ReLU(),
        nn.Dropout(0.2),
    ]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(64, 10))


def convae() -> nn.Module:
    encoder = [
        nn.Conv2d(1, 16, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
    ]
    code = [
        nn.Linear(800, 64),
        nn.ReLU(),
        nn.Linear(64, 800),
        nn.ReLU(),
        nn.Unflatten(1, (32, 5, 5)),
    ]
    first, second = (
        nn.ConvTranspose2d(*sizes, stride=2, output_padding=1)
        for sizes in ((32, 16, 4), (16, 1, 3))
    )
    return nn.Sequential(*encoder, *code, first, nn.ReLU(), second, nn.Sigmoid())


def cnn3() -> nn.Module:
    blocks = [nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)]
    blocks += [nn.Conv2d(32, 64, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2)]
    head = [
        nn.Flatten(),
        nn.Dropout(0.1),
        nn.Linear(2304, 512),
        nn.Dropout(0.1),
        nn.ReLU(),
        nn.Linear(512, 10),
    ]
    return nn.Sequential(*blocks, *head)


NETWORKS = {"ff": ff, "convae": convae, "cnn3": cnn3}
