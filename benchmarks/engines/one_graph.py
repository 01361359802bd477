"""The step of 784-128-64-10 as one compiled graph: forward, loss, backward and Adam together.

``torch.compile`` of the network alone leaves the loss, the gradients and the optimizer apart; here
the compiler sees all of the step. The dropout masks are drawn outside, so that the random numbers
are those of ours.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional
from workloads import LEARNING_RATE, Job

from engines import by_hand


def loss_of(
    parameters: list[Tensor], inputs: Tensor, labels: Tensor, masks: list[Tensor]
) -> Tensor:
    """Return the mean cross-entropy of the network; ``masks`` are 0 or 1 / (1 − p)."""
    weight_1, bias_1, weight_2, bias_2, weight_3, bias_3 = parameters
    hidden = functional.relu(functional.linear(inputs, weight_1, bias_1)) * masks[0]
    hidden = functional.relu(functional.linear(hidden, weight_2, bias_2)) * masks[1]
    return functional.cross_entropy(functional.linear(hidden, weight_3, bias_3), labels)


def whole_step(
    parameters: list[Tensor],
    means: list[Tensor],
    squares: list[Tensor],
    corrections: Tensor,
    inputs: Tensor,
    labels: Tensor,
    masks: list[Tensor],
) -> Tensor:
    """Update ``parameters``, ``means`` and ``squares`` in place; return the loss before.

    Args:
        corrections: Adam's 1 − β₁ᵗ and 1 − β₂ᵗ of this step, as a tensor, so that one graph serves
            all steps.
    """
    grads, loss = torch.func.grad_and_value(loss_of)(parameters, inputs, labels, masks)
    for parameter, grad, mean, square in zip(parameters, grads, means, squares, strict=True):
        mean.lerp_(grad, 0.1)
        square.mul_(0.999).addcmul_(grad, grad, value=0.001)
        scale = (square / corrections[1]).sqrt() + 1e-8
        parameter.sub_(LEARNING_RATE * (mean / corrections[0]) / scale)
    return loss


class Compiled:
    """The compiled step, with Adam's state, and the masks that it is given."""

    def __init__(self, network: by_hand.Network, compiler=torch.compile, **options: object):
        self.network, self.steps = network, 0
        self.call = compiler(whole_step, fullgraph=True, dynamic=False, options=options)

    def step(self, images: Tensor, labels: Tensor) -> Tensor:
        """Update the parameters with one minibatch; return its mean cross-entropy before that."""
        self.steps += 1
        made, masks = self.network, []
        for layer in made.layers[:2]:
            bits = layer.bits[: len(images)].random_().bitwise_and_(2**53 - 1)
            masks.append((bits < by_hand.KEPT_BITS).to(torch.float32).div_(by_hand.KEEP))
        corrections = torch.tensor([1 - 0.9**self.steps, 1 - 0.999**self.steps])
        inputs = images.view(len(images), -1)
        how = (made.parameters, made.means, made.squares, corrections, inputs, labels, masks)
        return self.call(*how)


@torch.no_grad()
def train(job: Job, wrapper: str = "python") -> None:
    """Train, epoch by epoch; the graph is called by Python or, with ``cpp``, by C++."""
    network, batches = by_hand.prepare(job)
    compiled = Compiled(network, cpp_wrapper=wrapper == "cpp")
    for epoch in range(1, job.epochs + 1):
        job.on_epoch(by_hand.run_epoch(compiled.step, batches, epoch))
