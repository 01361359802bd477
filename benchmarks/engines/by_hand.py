"""The step of 784-128-64-10 written by hand: how far plain PyTorch goes when nothing is automatic.

The same weights, minibatches and dropout bits as ours give the same losses, up to rounding: a test
compares both step by step. There is no ``autograd`` and no module; every result of a step goes into
memory that was set aside before.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from workloads import LEARNING_RATE, Job

from engines import ours
from fmnist_utils.models import build_model
from fmnist_utils.training import Batches
from fmnist_utils.workshop.fast import keep_freed_memory

DROPOUT = 0.2
KEEP = 1 - DROPOUT
KEPT_BITS = math.ceil(KEEP * 2**53)  # as FastDropout: 53 random bits below this keep a unit


class Layer:
    """A dense layer, its gradients, and memory for the results of at most ``size`` images."""

    def __init__(self, weight: Tensor, bias: Tensor, size: int):
        outputs, _ = weight.shape
        self.weight, self.bias = weight, bias
        self.weight_grad, self.bias_grad = torch.empty_like(weight), torch.empty_like(bias)
        self.sums, self.kept, self.grad = (torch.empty(size, outputs) for _ in range(3))
        self.bits = torch.empty(size, outputs, dtype=torch.int64)
        self.mask = torch.empty(size, outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return inputs · weightᵀ + bias, (N, outputs)."""
        return torch.addmm(self.bias, inputs, self.weight.t(), out=self.sums[: len(inputs)])

    def rectify_and_drop(self, sums: Tensor) -> Tensor:
        """Return what ReLU and dropout leave of ``sums``, which is rectified in place."""
        count = len(sums)
        bits = self.bits[:count].random_().bitwise_and_(2**53 - 1)
        mask = torch.lt(bits, KEPT_BITS, out=self.mask[:count]).div_(KEEP)
        return torch.mul(sums.relu_(), mask, out=self.kept[:count])

    def backward(self, grad: Tensor, inputs: Tensor) -> None:
        """Set the gradients of weight and bias from the gradient by the sums, (N, outputs)."""
        torch.mm(grad.t(), inputs, out=self.weight_grad)
        torch.sum(grad, 0, out=self.bias_grad)

    def grad_of_sums(self, grad: Tensor) -> Tensor:
        """Return the gradient by the sums; a rectified sum of 0 passes nothing."""
        grad.mul_(self.mask[: len(grad)])
        return torch.ops.aten.threshold_backward(grad, self.sums[: len(grad)], 0)


class Network:
    """The three layers and Adam's state of their six parameters."""

    def __init__(self, parameters: list[Tensor], size: int):
        pairs = zip(parameters[::2], parameters[1::2], strict=True)
        self.layers = [Layer(weight, bias, size) for weight, bias in pairs]
        self.parameters = parameters
        self.grads = [
            grad for layer in self.layers for grad in (layer.weight_grad, layer.bias_grad)
        ]
        self.means = [torch.zeros_like(parameter) for parameter in parameters]
        self.squares = [torch.zeros_like(parameter) for parameter in parameters]
        self.steps = [torch.zeros(()) for _ in parameters]

    def step(self, images: Tensor, labels: Tensor) -> Tensor:
        """Update the parameters with one minibatch; return its mean cross-entropy before that.

        Args:
            images: float32 (N, 1, 28, 28).
            labels: int64 (N,).
        """
        first, second, last = self.layers
        count = len(images)
        inputs = images.view(count, -1)
        kept_1 = first.rectify_and_drop(first.forward(inputs))
        kept_2 = second.rectify_and_drop(second.forward(kept_1))
        log_probabilities = torch.log_softmax(last.forward(kept_2), 1)
        targets = labels[:, None]
        loss = -log_probabilities.gather(1, targets).mean()

        # d loss / d logits = (softmax − one-hot) / N
        grad = log_probabilities.exp_().scatter_add_(1, targets, torch.full((count, 1), -1.0))
        grad.div_(count)
        last.backward(grad, kept_2)
        grad = second.grad_of_sums(torch.mm(grad, last.weight, out=second.grad[:count]))
        second.backward(grad, kept_1)
        grad = first.grad_of_sums(torch.mm(grad, second.weight, out=first.grad[:count]))
        first.backward(grad, inputs)

        torch._foreach_add_(self.steps, 1)
        torch._fused_adam_(
            self.parameters, self.grads, self.means, self.squares, [], self.steps,
            lr=LEARNING_RATE, beta1=0.9, beta2=0.999, weight_decay=0, eps=1e-8,
            amsgrad=False, maximize=False,
        )  # fmt: skip
        return loss


def prepare(job: Job) -> tuple[Network, Batches]:
    """Return the network, with the weights that ours begins with, and its minibatches."""
    keep_freed_memory()
    torch.manual_seed(job.seed << 20)
    model = build_model(job.workload.model, **job.workload.sizes)
    parameters = [parameter.detach() for parameter in model.parameters()]
    batches = Batches(*ours.tensors(job.workload, job.data), job.workload.batch_size, job.seed)
    return Network(parameters, job.workload.batch_size), batches


@torch.no_grad()
def train(job: Job) -> None:
    """Train, epoch by epoch."""
    network, batches = prepare(job)
    for epoch in range(1, job.epochs + 1):
        job.on_epoch(run_epoch(network.step, batches, epoch))


def run_epoch(step, batches: Batches, epoch: int) -> float:
    """Call ``step`` with each minibatch of an epoch; return the mean loss over the images."""
    losses, sizes = [], []
    for images, labels in batches.epoch(epoch):
        losses.append(step(images, labels))
        sizes.append(float(len(images)))
    return float(torch.stack(losses) @ torch.tensor(sizes)) / sum(sizes)
