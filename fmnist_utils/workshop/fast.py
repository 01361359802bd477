"""What the engine adds to a network to train it sooner, and what the timings of the reports need.

None of it changes what a network computes: :func:`with_fast_parts` gives the same numbers bit by
bit, :class:`Bfloat16` fewer digits in training, :class:`ImageByImage` the same minibatches slowly.
"""

from __future__ import annotations

import ctypes
import functools
import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from fmnist_utils.training import Batches


def with_fast_parts(model: nn.Module) -> nn.Module:
    """Change ``model`` in place and return it: :class:`FastDropout`, and pooling before ReLU.

    The parameters keep their names.
    """
    use_fast_dropout(model)
    pool_before_relu(model)
    return model


def use_fast_dropout(model: nn.Module) -> None:
    """Replace each ``nn.Dropout`` in ``model`` by :class:`FastDropout`."""
    for module in list(model.modules()):
        for name, layer in list(module.named_children()):
            if type(layer) is nn.Dropout:
                setattr(module, name, FastDropout(layer.p))


def pool_before_relu(model: nn.Module) -> None:
    """Swap each ReLU and the max pooling after it, with or without a dropout of zero between them.

    ReLU keeps the order of numbers, so the largest of four rectified values is the largest value
    rectified, bit by bit, and the gradients are equal too. After pooling, ReLU has a quarter of the
    values.
    """
    for layers in model.modules():
        if not isinstance(layers, nn.Sequential):
            continue
        for start, layer in enumerate(list(layers)):
            end = start + 1
            if end < len(layers) and isinstance(layers[end], nn.Dropout) and layers[end].p == 0:
                end += 1
            if type(layer) is nn.ReLU and end < len(layers) and type(layers[end]) is nn.MaxPool2d:
                layers[start], layers[end] = layers[end], layer


class FastDropout(nn.Dropout):
    """PyTorch's dropout with the same random numbers, on the CPU in half of the time.

    PyTorch draws 64 bits for each unit, takes 53 of them as a fraction, and keeps the unit if the
    fraction is below 1 − p. Here the bits of all units are drawn at once and compared as integers.
    (With Intel's library PyTorch draws other numbers; here they are the same on every processor.)
    """

    def forward(self, inputs: Tensor) -> Tensor:
        """Return ``inputs``; in training, a share p is zero and the rest is divided by 1 − p."""
        if not (self.training and 0 < self.p < 1 and inputs.device.type == "cpu"):
            return super().forward(inputs)
        keep = 1 - self.p
        bits = torch.empty_like(inputs, dtype=torch.int64).random_()
        fractions = bits.bitwise_and_(2**53 - 1)  # in units of 2**-53
        mask = (fractions < math.ceil(keep * 2**53)).to(inputs.dtype)
        return inputs * mask.div_(keep)


class Bfloat16(nn.Module):
    """A network whose multiplications in training use bfloat16; weights and outputs stay float32.

    bfloat16 has 8 bits of precision. In eval mode the network is used as it is, so that
    measurements do not depend on the precision of training.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the outputs of the network, float32."""
        if not self.training:
            return self.model(inputs)
        with torch.autocast(inputs.device.type, dtype=torch.bfloat16):
            outputs = self.model(inputs)
        return outputs.float()


def emulates_bfloat16(device: torch.device) -> bool:
    """Return whether ``device`` has no instructions for bfloat16, so that PyTorch imitates them.

    On x86, PyTorch's library oneDNN asks for AVX-512. With AVX2 alone, as in many laptops, a
    product takes tens of times as long as in float32.
    """
    # Builds for Apple's processors do not have this function.
    known = hasattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported")
    return device.type == "cpu" and known and not torch.ops.mkldnn._is_mkldnn_bf16_supported()


class ImageByImage(Batches):
    """Minibatches whose images are converted one by one, as torchvision and a ``DataLoader`` do.

    They are the same minibatches as those of :class:`~fmnist_utils.training.Batches`; page 02
    measures what the conversion costs. Inputs are images in [0, 1].
    """

    def epoch(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the minibatches of epoch ``epoch``."""
        # Few runs need torchvision, which takes two seconds to import.
        from PIL import Image
        from torchvision.transforms.functional import to_tensor

        torch.manual_seed((self.seed << 20) + epoch)
        pixels = (self.inputs * 255).round().to(torch.uint8).squeeze(1).cpu().numpy()
        reconstructing = self.targets is self.inputs
        for indices in torch.randperm(len(self.inputs)).split(self.batch_size):
            converted = [to_tensor(Image.fromarray(pixels[index])) for index in indices.tolist()]
            images = torch.stack(converted).to(self.inputs.device)
            targets = images if reconstructing else self.targets[indices.to(self.targets.device)]
            yield images, targets


@functools.cache
def keep_freed_memory() -> None:
    """Make the C library keep the memory that one training step frees for the next step.

    By default glibc gives large blocks back to the system, and every step pays for new pages: an
    epoch of CNN3-512 took 1.4 times as long. Other C libraries are left as they are.
    """
    m_trim_threshold, m_mmap_max = -1, -4  # from glibc's malloc.h
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    mallopt(m_mmap_max, 0)
    mallopt(m_trim_threshold, 2**31 - 1)
