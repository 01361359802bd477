"""The exercises of page 08, *The clinic*."""

import math

from torch import nn

from fmnist_utils.exercises.cases import Case, Draw, exercise


@exercise("08.4")
def expected_first_loss(draw: Draw) -> Case:
    """The cross-entropy of equal probabilities."""
    num_classes = draw.whole(2, 1000)
    return Case({"num_classes": num_classes}, math.log(num_classes))


@exercise("08.5")
def names_without_gradient(draw: Draw) -> Case:
    """The names of the parameters whose gradient is zero throughout."""
    width = draw.whole(2, 5)
    network = nn.Sequential(nn.Linear(3, width), nn.ReLU(), nn.Linear(width, 2))
    without = []
    for name, parameter in network.named_parameters():
        gradient = draw.normal(*parameter.shape)
        gradient.view(-1)[0] = 0  # one zero alone does not count
        if draw.whole(0, 1):
            gradient.zero_()
            without.append(name)
        parameter.grad = gradient
    return Case({"network": network}, without)
