"""Adam, AdamW and SGD: for all parameters, one call of the kernel that PyTorch has for each.

They move the weights bit by bit as ``torch.optim`` does with ``fused=True``, and keep the same state. They are here for what they
leave out. The first optimizer of ``torch.optim`` imports PyTorch's compiler, which nothing here uses: 1.7 s and 150 MB in every
process (PyTorch 2.15); and around its kernel each step asks for devices, kinds of numbers and options that never change.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

State = dict[int, dict[str, Tensor]]


class Fused:
    """An optimizer whose step is one kernel; to be used as one of ``torch.optim``.

    Args:
        parameters: what it moves, on the CPU or on CUDA; those without a gradient stay as they are.
        lr: the learning rate.
        weight_decay: as in ``torch.optim``.

    Attributes:
        param_groups: one group, with ``params`` and ``lr``; a rate set there holds from the next step on.
        state: by the index of a parameter, the tensors that its first step began.
    """

    def __init__(self, parameters: Iterable[Tensor], lr: float, weight_decay: float = 0.0):
        self.param_groups = [{"params": list(parameters), "lr": lr}]
        self.weight_decay = weight_decay
        self.state: State = {}

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for parameter in self.param_groups[0]["params"]:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter that has a gradient."""
        parameters = self.param_groups[0]["params"]
        moving = [index for index, parameter in enumerate(parameters) if parameter.grad is not None]
        for index in moving:
            if index not in self.state:
                self.state[index] = self._begin(parameters[index])
        chosen = [parameters[index] for index in moving]
        if chosen:
            self._move(
                chosen,
                [parameter.grad for parameter in chosen],
                [self.state[index] for index in moving],
            )

    def state_dict(self) -> dict[str, object]:
        """Return what :meth:`load_state_dict` takes."""
        return {"state": self.state, "param_groups": self.param_groups}

    def load_state_dict(self, saved: dict[str, object]) -> None:
        """Go on from ``saved["state"]``; rate and parameters stay its own."""
        parameters = self.param_groups[0]["params"]
        self.state = {
            index: {name: tensor.to(parameters[index].device) for name, tensor in tensors.items()}
            for index, tensors in saved["state"].items()
        }

    def _begin(self, parameter: Tensor) -> dict[str, Tensor]:
        """Return the state of a parameter before its first step."""
        raise NotImplementedError

    def _move(
        self, parameters: list[Tensor], gradients: list[Tensor], states: list[dict[str, Tensor]]
    ) -> None:
        raise NotImplementedError


class Adam(Fused):
    """Adam (arXiv:1412.6980, algorithm 1), with the constants that the paper suggests; weight decay is added to the gradient."""

    _kernel = staticmethod(torch._fused_adam_)

    def _begin(self, parameter: Tensor) -> dict[str, Tensor]:
        step = torch.zeros((), device=parameter.device)
        return {
            "step": step,
            "exp_avg": torch.zeros_like(parameter),
            "exp_avg_sq": torch.zeros_like(parameter),
        }

    def _move(
        self, parameters: list[Tensor], gradients: list[Tensor], states: list[dict[str, Tensor]]
    ) -> None:
        means, squares, steps = (
            [state[name] for state in states] for name in ("exp_avg", "exp_avg_sq", "step")
        )
        torch._foreach_add_(steps, 1)
        self._kernel(
            parameters, gradients, means, squares, [], steps, lr=self.param_groups[0]["lr"], beta1=0.9, beta2=0.999,
            weight_decay=self.weight_decay, eps=1e-8, amsgrad=False, maximize=False,
        )  # fmt: skip


class AdamW(Adam):
    """Adam whose weight decay shrinks the weights themselves (arXiv:1711.05101)."""

    _kernel = staticmethod(torch._fused_adamw_)


class SGD(Fused):
    """Stochastic gradient descent, with momentum or without."""

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ):
        super().__init__(parameters, lr, weight_decay)
        self.momentum = momentum

    def _begin(self, parameter: Tensor) -> dict[str, Tensor]:
        return {"momentum_buffer": torch.zeros_like(parameter)} if self.momentum else {}

    def _move(
        self, parameters: list[Tensor], gradients: list[Tensor], states: list[dict[str, Tensor]]
    ) -> None:
        buffers = [state["momentum_buffer"] for state in states] if self.momentum else []
        torch._fused_sgd_(
            parameters, gradients, buffers, lr=self.param_groups[0]["lr"], momentum=self.momentum, dampening=0.0,
            weight_decay=self.weight_decay, nesterov=False, maximize=False, is_first_step=False,
        )  # fmt: skip
