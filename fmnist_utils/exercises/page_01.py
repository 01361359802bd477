"""The exercises of page 01, *A fully connected classifier*."""

from torch import nn

from fmnist_utils.exercises.cases import Case, Draw, exercise


@exercise("01.4")
def squared_error(draw: Draw) -> Case:
    """The mean of the squared differences between outputs and one-hot labels."""
    labels = draw.labels(draw.whole(2, 3))
    outputs = draw.normal(len(labels), 10)
    one_hot = nn.functional.one_hot(labels, num_classes=10).float()
    return Case({"outputs": outputs, "labels": labels}, nn.functional.mse_loss(outputs, one_hot))


@exercise("01.5")
def gradient_of_logits(draw: Draw) -> Case:
    """The gradient of cross-entropy with respect to the logits."""
    labels = draw.labels(draw.whole(2, 3))
    logits = draw.normal(len(labels), 10)
    variable = logits.clone().requires_grad_()
    nn.functional.cross_entropy(variable, labels).backward()
    return Case({"logits": logits, "labels": labels}, variable.grad)
