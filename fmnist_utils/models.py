"""The networks of the five reports, and a residual network that goes further.

Every network takes images of shape (N, 1, 28, 28). A classifier returns logits (N, 10), the raw
scores that ``cross_entropy`` expects. An autoencoder returns images of the shape that it took, and
has two parts, ``.encoder`` and ``.decoder``. The comment beside a layer is the shape of its output
for one image.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from fmnist_utils.text import UserError, nearest

T = TypeVar("T")


class FeedForwardClassifier(nn.Sequential):
    """Fully connected classifier: Linear, ReLU and Dropout for each hidden size, then ten logits.

    Report 1 is ``hidden_sizes=(128, 64), dropout=0.2`` (109,386 parameters); ANN-Juan of report 5
    is ``hidden_sizes=(512,), dropout=0.25`` (407,050).
    """

    def __init__(self, hidden_sizes: Sequence[int] = (128, 64), dropout: float = 0.2):
        super().__init__()
        self.append(nn.Flatten())  # 784
        size = 784
        for hidden_size in hidden_sizes:
            self.append(nn.Linear(size, hidden_size))  # 128, then 64
            self.append(nn.ReLU())
            self.append(nn.Dropout(dropout))
            size = hidden_size
        self.append(nn.Linear(size, 10))  # 10


class Autoencoder(nn.Module):
    """An encoder followed by a decoder: the base of the three autoencoders below."""

    encoder: nn.Module
    decoder: nn.Module

    def forward(self, images: Tensor) -> Tensor:
        """Return the reconstructions of ``images``, of the same shape (N, 1, 28, 28)."""
        return self.decoder(self.encoder(images))


class FeedForwardAutoencoder(Autoencoder):
    """One hidden layer of ``latent_dim`` units between 784 inputs and 784 outputs.

    Report 2 (``latent_dim`` from 64 to 512) and the «lineal» of report 4 (512, Sigmoid output).
    Report 2 does not state its activations, so both are arguments: names in ``ACTIVATIONS``.
    """

    def __init__(
        self,
        latent_dim: int = 64,
        hidden_activation: str = "relu",
        output_activation: str = "none",
        dropout: float = 0.1,
    ):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Flatten(),  # 784
            nn.Linear(784, latent_dim),  # latent_dim
            activation(hidden_activation),
            nn.Dropout(dropout),
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, 784),  # 784
            activation(output_activation),
            nn.Unflatten(1, (1, 28, 28)),  # 1 × 28 × 28
        )


def conv_encoder(
    latent_dim: int, dropout: float = 0.0, flatten_dropout: float = 0.0, latent_dropout: float = 0.0
) -> nn.Sequential:
    """Return the encoder of the course assignment («consigna»).

    Args:
        latent_dim: size of the latent code, whose numbers are not negative.
        dropout: probability after each of the three ReLUs (report 3's run with dropout, and the
            assignment).
        flatten_dropout: probability after the flattening (report 4's classifiers).
        latent_dropout: probability after the last ReLU, if it is not that of the others.
    """
    return nn.Sequential(
        nn.Conv2d(1, 16, kernel_size=3),  # 16 × 26 × 26
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.MaxPool2d(2),  # 16 × 13 × 13
        nn.Conv2d(16, 32, kernel_size=3),  # 32 × 11 × 11
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.MaxPool2d(2),  # 32 × 5 × 5
        nn.Flatten(),  # 800
        nn.Dropout(flatten_dropout),
        nn.Linear(800, latent_dim),  # latent_dim
        nn.ReLU(),
        nn.Dropout(latent_dropout or dropout),
    )


class ConvAutoencoder(Autoencoder):
    """The convolutional autoencoder of the course assignment, as reports 3 and 4 varied it.

    Report 3: ``output_activation="relu"``, no dropout (its run with dropout: ``"sigmoid"``,
    ``dropout=0.2``). Report 4: ``"sigmoid"``, no dropout. The assignment: ``"sigmoid"``,
    ``dropout=0.2, output_dropout=True``.

    Row 27 and column 27 of the output are the bias alone: with stride 2 on 13 × 13 inputs, kernels
    of 3 × 3 reach rows and columns 0 to 26.

    Args:
        latent_dim: size of the latent code (report 3: 64, 128, 256).
        output_activation: a name in ``ACTIVATIONS``.
        dropout: probability after every hidden ReLU.
        output_dropout: apply dropout after the output activation too. In training, it sets pixels
            to zero; in evaluation, the images are darker by the factor 1 − dropout.
        covering_kernels: give the decoder kernels one pixel larger instead of ``output_padding``,
            so that they reach every pixel.
        latent_dropout: probability after the ReLU of the latent code, if it is not that of the
            others.
    """

    def __init__(
        self,
        latent_dim: int = 64,
        output_activation: str = "relu",
        dropout: float = 0.0,
        output_dropout: bool = False,
        covering_kernels: bool = False,
        latent_dropout: float = 0.0,
    ):
        super().__init__()
        first, second = (5, 4) if covering_kernels else (4, 3)
        padding = 0 if covering_kernels else 1
        self.encoder = conv_encoder(latent_dim, dropout, latent_dropout=latent_dropout)
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, 800),  # 800
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Unflatten(1, (32, 5, 5)),  # 32 × 5 × 5
            nn.ConvTranspose2d(32, 16, first, stride=2, output_padding=padding),  # 16 × 13 × 13
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.ConvTranspose2d(16, 1, second, stride=2, output_padding=padding),  # 1 × 28 × 28
            activation(output_activation),
            nn.Dropout(dropout if output_dropout else 0.0),
        )


class Trim(nn.Module):
    """Cut a batch of images to 28 × 28 from the top left corner."""

    def forward(self, images: Tensor) -> Tensor:
        """Return ``images[:, :, :28, :28]``."""
        return images[:, :, :28, :28]


def raschka_encoder(
    latent_dim: int, dropout: float = 0.0, flatten_dropout: float = 0.0, pooling: bool = False
) -> nn.Sequential:
    """Return the encoder of Raschka's L16 autoencoder: four convolutions and a dense layer.

    Args:
        latent_dim: size of the latent code; no activation follows.
        dropout: probability after each LeakyReLU (report 4; zero in its published runs).
        flatten_dropout: probability after the flattening (report 4's classifier).
        pooling: halve the image by max pooling after the second and the third convolution, not by
            their stride, as report 4 proposes for further work.
    """
    stride = 1 if pooling else 2

    def halve() -> nn.Module:
        return nn.MaxPool2d(2) if pooling else nn.Identity()

    return nn.Sequential(
        nn.Conv2d(1, 32, kernel_size=3, padding=1),  # 32 × 28 × 28
        nn.LeakyReLU(),
        nn.Dropout(dropout),
        nn.Conv2d(32, 64, kernel_size=3, stride=stride, padding=1),
        halve(),  # 64 × 14 × 14
        nn.LeakyReLU(),
        nn.Dropout(dropout),
        nn.Conv2d(64, 64, kernel_size=3, stride=stride, padding=1),
        halve(),  # 64 × 7 × 7
        nn.LeakyReLU(),
        nn.Dropout(dropout),
        nn.Conv2d(64, 64, kernel_size=3, padding=1),  # 64 × 7 × 7
        nn.Flatten(),  # 3136
        nn.Dropout(flatten_dropout),
        nn.Linear(3136, latent_dim),  # latent_dim
    )


class RaschkaAutoencoder(Autoencoder):
    """Raschka's convolutional autoencoder (L16, 2021) in report 4's version.

    Parameters: 589,889 at ``latent_dim=64``, 991,361 at 128, and 200,963 at 2, the original's size.
    """

    def __init__(self, latent_dim: int = 64, dropout: float = 0.0):
        super().__init__()
        self.encoder = raschka_encoder(latent_dim, dropout)
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, 3136),  # 3136
            nn.Unflatten(1, (64, 7, 7)),  # 64 × 7 × 7
            nn.ConvTranspose2d(64, 64, kernel_size=3, padding=1),  # 64 × 7 × 7
            nn.LeakyReLU(),
            nn.Dropout(dropout),
            nn.ConvTranspose2d(64, 64, kernel_size=3, stride=2, padding=1),  # 64 × 13 × 13
            nn.LeakyReLU(),
            nn.Dropout(dropout),
            nn.ConvTranspose2d(64, 32, kernel_size=3, stride=2),  # 32 × 27 × 27
            nn.LeakyReLU(),
            nn.Dropout(dropout),
            nn.ConvTranspose2d(32, 1, kernel_size=3),  # 1 × 29 × 29
            Trim(),  # 1 × 28 × 28
            nn.Sigmoid(),
        )


class EncoderClassifier(nn.Module):
    """The encoder of an autoencoder with a linear head: transfer learning in reports 3 and 4.

    Report 3: ``encoder="conv"``, ``latent_dim`` 64 or 256, and ``head_activation="sigmoid"`` as in
    its code (56,714 and 212,426 parameters). Report 4: ``flatten_dropout=0.8`` and «consigna» n =
    10 (12,920) or 128 (108,618), or ``encoder="raschka"`` n = 10 (124,152). The assignment puts
    ReLU and Dropout on the logits: ``head_activation="relu", head_dropout=0.2``.

    Args:
        encoder: ``"conv"`` or ``"raschka"``.
        latent_dim: size of the latent code.
        flatten_dropout: probability after the flattening.
        head_activation: a name in ``ACTIVATIONS``; ``cross_entropy`` expects ``"none"``.
        head_dropout: probability after it.
        pooling: as in :func:`raschka_encoder`; the other encoder pools in any case.
    """

    def __init__(
        self,
        encoder: str = "conv",
        latent_dim: int = 64,
        flatten_dropout: float = 0.0,
        head_activation: str = "none",
        head_dropout: float = 0.0,
        pooling: bool = False,
    ):
        super().__init__()
        new_encoder = _known(encoder, ENCODERS)
        options = {"pooling": pooling} if encoder == "raschka" else {}
        self.encoder = new_encoder(latent_dim, flatten_dropout=flatten_dropout, **options)
        self.head = nn.Sequential(
            nn.Linear(latent_dim, 10),  # 10
            activation(head_activation),
            nn.Dropout(head_dropout),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return the outputs of the head, shape (N, 10)."""
        return self.head(self.encoder(images))


class CNN(nn.Sequential):
    """Two blocks of convolution, batch norm, ReLU and pooling, then dense layers: report 5.

    CNNk-n-p of its grid is ``CNN(kernel_size=k, dense_sizes=(n,), dropout=p)``;
    CNN3-512-0.1 has 1,204,298 parameters. CNN-Nahuel is ``CNN(3, (600, 120), 0.25,
    dropout_after_flatten=False, squash_logits=True)`` (1,475,338).

    Args:
        kernel_size: 3 or 5 in the report.
        dense_sizes: units of the hidden dense layers.
        dropout: probability after each hidden dense layer.
        padding: of the two convolutions. The report does not state it; (1, 0) is that of
            CNN-Nahuel's code.
        dropout_after_flatten: apply dropout after the flattening too, as the grid does and
            CNN-Nahuel does not.
        squash_logits: end with Dropout and ReLU *on the logits*, as CNN-Nahuel was published.
        hidden_activation: a name in ``ACTIVATIONS``.
    """

    def __init__(
        self,
        kernel_size: int = 3,
        dense_sizes: Sequence[int] = (512,),
        dropout: float = 0.1,
        padding: tuple[int, int] = (1, 0),
        dropout_after_flatten: bool = True,
        squash_logits: bool = False,
        hidden_activation: str = "relu",
    ):
        super().__init__()
        channels = 1
        side = 28
        for out_channels, pad in zip((32, 64), padding, strict=True):
            self.append(nn.Conv2d(channels, out_channels, kernel_size, padding=pad))
            self.append(nn.BatchNorm2d(out_channels))
            self.append(activation(hidden_activation))
            self.append(nn.MaxPool2d(2))  # 32 × 14 × 14, then 64 × 6 × 6
            channels = out_channels
            side = (side + 2 * pad - kernel_size + 1) // 2
        self.append(nn.Flatten())  # 2304
        self.append(nn.Dropout(dropout if dropout_after_flatten else 0.0))
        size = channels * side * side
        for dense_size in dense_sizes:
            self.append(nn.Linear(size, dense_size))  # 512
            self.append(nn.Dropout(dropout))
            self.append(activation(hidden_activation))
            size = dense_size
        self.append(nn.Linear(size, 10))  # 10
        if squash_logits:
            self.append(nn.Dropout(dropout))
            self.append(nn.ReLU())


class Residual(nn.Sequential):
    """Layers whose output is added to their input (He et al., arXiv:1512.03385)."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Return ``inputs`` plus the output of the layers."""
        outputs = inputs
        for layer in self:
            outputs = layer(outputs)
        return inputs + outputs


def conv_block(channels: int, out_channels: int, pooling: bool = False) -> nn.Sequential:
    """Return 3 × 3 convolution, max pooling if asked for, batch norm and ReLU.

    The convolution has no bias: batch norm would subtract it. Pooling comes before batch norm,
    which then has four times fewer values to normalize.
    """
    block = nn.Sequential(nn.Conv2d(channels, out_channels, kernel_size=3, padding=1, bias=False))
    if pooling:
        block.append(nn.MaxPool2d(2))
    block.append(nn.BatchNorm2d(out_channels))
    block.append(nn.ReLU())
    return block


class ResidualNet(nn.Sequential):
    """A small residual network of eight convolutions, for page 07.

    It follows D. Page's ResNet-9 (How to train your ResNet, 2018). With ``width=64``, as his, it
    has 6,571,978 parameters; with 16, for a CPU, 412,666.

    Args:
        width: channels of the first convolution; the last ones have eight times as many.
    """

    def __init__(self, width: int = 16):
        super().__init__(
            conv_block(1, width),  # 16 × 28 × 28
            conv_block(width, 2 * width, pooling=True),  # 32 × 14 × 14
            Residual(conv_block(2 * width, 2 * width), conv_block(2 * width, 2 * width)),
            conv_block(2 * width, 4 * width, pooling=True),  # 64 × 7 × 7
            conv_block(4 * width, 8 * width, pooling=True),  # 128 × 3 × 3
            Residual(conv_block(8 * width, 8 * width), conv_block(8 * width, 8 * width)),
            nn.AdaptiveMaxPool2d(1),  # 128 × 1 × 1
            nn.Flatten(),  # 128
            nn.Linear(8 * width, 10),  # 10
        )


# Recipes name networks and their parts; these are the names.
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "none": nn.Identity,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,  # slope 0.01 for negative inputs
    "sigmoid": nn.Sigmoid,
    "softmax": lambda: nn.Softmax(dim=1),
}

ENCODERS: dict[str, Callable[..., nn.Module]] = {"conv": conv_encoder, "raschka": raschka_encoder}

MODELS: dict[str, type[nn.Module]] = {
    "ff_classifier": FeedForwardClassifier,
    "ff_autoencoder": FeedForwardAutoencoder,
    "conv_autoencoder": ConvAutoencoder,
    "raschka_autoencoder": RaschkaAutoencoder,
    "encoder_classifier": EncoderClassifier,
    "cnn": CNN,
    "residual_net": ResidualNet,
}


def build_model(name: str, **sizes: Any) -> nn.Module:
    """Return a new network by its name in ``MODELS``, its weights drawn by PyTorch's generator.

    Args:
        sizes: the arguments of its class.

    Raises:
        UserError: if there is none of that name.
    """
    return _known(name, MODELS)(**sizes)


def activation(name: str) -> nn.Module:
    """Return the activation of that name in ``ACTIVATIONS``.

    Raises:
        UserError: if there is none of that name.
    """
    return _known(name, ACTIVATIONS)()


def _known(name: str, table: Mapping[str, T]) -> T:
    if name not in table:
        allowed = ", ".join(table)
        raise UserError("models.unknown", given=name, allowed=allowed, hint=nearest(name, table))
    return table[name]


def count_parameters(model: nn.Module) -> int:
    """Return how many numbers ``model`` learns."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def count_multiply_adds(model: nn.Module) -> int:
    """Return the multiplications, each with its addition, of one image's forward pass.

    Each weight of a linear layer is multiplied once; each weight of a convolution, once at every
    place of its output, or of its input if it is transposed. Other layers count nothing. A backward
    pass costs about twice as much again. PyTorch's own counter gives the same, but loads its
    compiler first: four seconds and 150 MB where nothing is trained.
    """
    counted = []

    def count(layer: Any, inputs: tuple[Tensor], outputs: Tensor) -> None:
        maps = inputs[0] if isinstance(layer, nn.ConvTranspose2d) else outputs
        counted.append(layer.weight.numel() * maps[0, 0].numel())

    model = copy.deepcopy(model).eval()
    for layer in model.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            layer.register_forward_hook(count)
    with torch.no_grad():
        model(torch.zeros(1, 1, 28, 28, device=next(model.parameters()).device))
    return sum(counted)
