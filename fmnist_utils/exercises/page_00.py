"""The exercises of page 00, *From the tensor to the gradient*."""

from fmnist_utils.exercises.cases import Case, Draw, exercise


@exercise("00.4")
def softmax_of_rows(draw: Draw) -> Case:
    """Each row of the exponentials, divided by its own sum."""
    logits = draw.normal(draw.whole(2, 3), draw.whole(2, 4))
    return Case({"logits": logits}, logits.softmax(dim=1))


@exercise("00.5")
def gradient_of_neuron(draw: Draw) -> Case:
    """The gradient of a neuron's squared error with respect to its weights."""
    weights, inputs = draw.normal(2, draw.whole(2, 5))
    bias, target = draw.number(-1, 1), draw.number(-1, 1)
    variable = weights.clone().requires_grad_()
    (variable @ inputs + bias - target).square().backward()
    given = {"weights": weights, "bias": bias, "inputs": inputs, "target": target}
    return Case(given, variable.grad)
