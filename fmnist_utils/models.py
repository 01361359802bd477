"""The networks of the five reports, and one that goes further.

Every network takes images of shape (N, 1, 28, 28). A classifier gives logits (N, 10), the raw scores that
``cross_entropy`` expects; an autoencoder gives images of the shape it took and has the parts ``.encoder`` and ``.decoder``.
The comment beside a layer is the shape of its output, without N.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fmnist_utils.text import UserError, nearest

NUM_PIXELS = 28 * 28
NUM_CLASSES = 10

ACTIVATIONS = {
    "none": nn.Identity,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,  # slope 0.01 for negative inputs
    "sigmoid": nn.Sigmoid,
    "softmax": lambda: nn.Softmax(dim=1),
}


def activation(name: str) -> nn.Module:
    """Return the activation called ``name``: ``none``, ``relu``, ``leaky_relu``, ``sigmoid`` or ``softmax``.

    Raises:
        UserError: if there is none of that name.
    """
    if name not in ACTIVATIONS:
        raise UserError(
            "models.unknown",
            given=name,
            allowed=", ".join(ACTIVATIONS),
            hint=nearest(name, ACTIVATIONS),
        )
    return ACTIVATIONS[name]()


def count_multiply_adds(model: nn.Module) -> int:
    """Return the multiplications (each with its addition) of the linear and convolutional layers for one image, forward.

    A linear layer uses each weight once, a convolution at every place of its output, a transposed one at every place of its
    input. A backward pass costs about twice as much again. (PyTorch's own counter, which says the same, imports its compiler.)
    """
    counts, counted = [], copy.deepcopy(model).eval()

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(layer, nn.Linear):
            places = output.numel() // layer.out_features
        else:
            maps = (
                inputs[0] if isinstance(layer, nn.ConvTranspose2d) else output
            )  # (1, channels, height, width)
            places = maps[0, 0].numel()
        counts.append(layer.weight.numel() * places)

    for layer in counted.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            layer.register_forward_hook(count)
    with torch.no_grad():
        counted(torch.zeros(1, 1, 28, 28, device=next(model.parameters()).device))
    return sum(counts)


def count_parameters(model: nn.Module) -> int:
    """Return how many numbers ``model`` learns."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


class Dropout(nn.Dropout):
    """PyTorch's dropout, with the same numbers at random sooner.

    On the CPU PyTorch makes each number of the mask by itself: it draws 64 bits, takes 53 of them for a fraction and keeps the unit
    if that is below 1 - p. Here the same bits are drawn for all units at once and compared as they are, which takes half the time.
    (On Intel's processors PyTorch draws them in another way; here they are the same on all.)
    """

    def forward(self, inputs: Tensor) -> Tensor:
        """Return ``inputs``; in training with a share p of them, at random, zero, and the others divided by 1 - p."""
        if not (self.training and 0 < self.p < 1 and inputs.device.type == "cpu"):
            return super().forward(inputs)
        keep = 1 - self.p
        fractions = (
            torch.empty_like(inputs, dtype=torch.int64).random_().bitwise_and_(2**53 - 1)
        )  # in units of 2**-53
        return inputs * (fractions < math.ceil(keep * 2**53)).to(inputs.dtype).div_(keep)


class FeedForwardClassifier(nn.Sequential):
    """Fully connected classifier: (Linear, ReLU, Dropout) for each hidden size, then Linear to ten logits.

    Report 1 is ``hidden_sizes=(128, 64), dropout=0.2`` (109,386 parameters); ANN-Juan of report 5 is
    ``hidden_sizes=(512,), dropout=0.25`` (407,050).
    """

    def __init__(self, hidden_sizes: Sequence[int] = (128, 64), dropout: float = 0.2):
        layers: list[nn.Module] = [nn.Flatten()]  # 784
        size = NUM_PIXELS
        for hidden_size in hidden_sizes:
            layers += [nn.Linear(size, hidden_size), nn.ReLU(), Dropout(dropout)]
            size = hidden_size
        super().__init__(*layers, nn.Linear(size, NUM_CLASSES))


class Autoencoder(nn.Module):
    """An encoder followed by a decoder; the base of the three autoencoders below."""

    encoder: nn.Module
    decoder: nn.Module

    def forward(self, images: Tensor) -> Tensor:
        """Return the reconstructions of ``images``, of the same shape (N, 1, 28, 28)."""
        return self.decoder(self.encoder(images))


class FeedForwardAutoencoder(Autoencoder):
    """One hidden layer of ``latent_dim`` units between 784 inputs and 784 outputs.

    Reports 2 (``latent_dim`` 64 to 512) and 4 («lineal»: 512, Sigmoid output). Report 2 does not state its activations, so
    both are arguments.
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
            nn.Linear(NUM_PIXELS, latent_dim),
            activation(hidden_activation),
            Dropout(dropout),
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, NUM_PIXELS),
            activation(output_activation),
            nn.Unflatten(1, (1, 28, 28)),
        )


def rectified_pooling(name: str = "relu", dropout: float | None = None) -> list[nn.Module]:
    """Return activation, dropout if there is to be one, and max pooling, 2×2, in this order or one that gives the same sooner.

    ReLU keeps the order of numbers, so where no dropout stands between, the largest of four rectified values is the largest one
    rectified, bit by bit, gradients too; and after the pooling there are four times fewer values to rectify.
    """
    layers = [activation(name), *([] if dropout is None else [Dropout(dropout)]), nn.MaxPool2d(2)]
    return layers[::-1] if name == "relu" and not dropout else layers


def conv_encoder(
    latent_dim: int, dropout: float = 0.0, flatten_dropout: float = 0.0, latent_dropout: float = 0.0
) -> nn.Sequential:
    """Return the encoder of the course assignment («consigna»): images to ``latent_dim`` non-negative numbers.

    Args:
        dropout: probability after each of the three ReLUs (report 3's run with dropout, and the assignment).
        flatten_dropout: probability after the flattening (report 4's classifiers).
        latent_dropout: probability after the last ReLU, if not that of the others.
    """
    return nn.Sequential(
        nn.Conv2d(1, 16, 3),  # 16×26×26
        *rectified_pooling("relu", dropout),  # 16×13×13
        nn.Conv2d(16, 32, 3),  # 32×11×11
        *rectified_pooling("relu", dropout),  # 32×5×5
        nn.Flatten(),  # 800
        Dropout(flatten_dropout),
        nn.Linear(800, latent_dim),
        nn.ReLU(),
        Dropout(latent_dropout or dropout),
    )


class ConvAutoencoder(Autoencoder):
    """The convolutional autoencoder of the course assignment, as reports 3 and 4 varied it.

    Report 3: ``output_activation="relu"``, no dropout (its run with dropout: ``"sigmoid"``, ``dropout=0.2``). Report 4:
    ``"sigmoid"``, no dropout. The assignment: ``"sigmoid"``, ``dropout=0.2, output_dropout=True``. Row 27 and column 27 of
    the output get no contribution from any kernel, only the bias: a kernel of 3 with stride 2 on 13 inputs reaches 27.

    Args:
        latent_dim: size of the latent vector (report 3: 64, 128, 256).
        output_activation: a name in ``ACTIVATIONS``.
        dropout: probability after every hidden ReLU.
        latent_dropout: probability after the ReLU of the latent vector alone, if not that of the others.
        output_dropout: also apply it after the output activation, which darkens the images by the factor 1 − dropout.
        covering_kernels: in the decoder, kernels one pixel larger instead of ``output_padding``: they reach every pixel.
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
        first, second, padding = (5, 4, 0) if covering_kernels else (4, 3, 1)
        self.encoder = conv_encoder(latent_dim, dropout, latent_dropout=latent_dropout)
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, 800),
            nn.ReLU(),
            Dropout(dropout),
            nn.Unflatten(1, (32, 5, 5)),
            nn.ConvTranspose2d(32, 16, first, stride=2, output_padding=padding),  # 16×13×13
            nn.ReLU(),
            Dropout(dropout),
            nn.ConvTranspose2d(16, 1, second, stride=2, output_padding=padding),  # 1×28×28
            activation(output_activation),
            Dropout(dropout if output_dropout else 0.0),
        )


class Trim(nn.Module):
    """Cut a batch of images to 28×28 from the top left corner."""

    def forward(self, images: Tensor) -> Tensor:
        """Return ``images[:, :, :28, :28]``."""
        return images[:, :, :28, :28]


def raschka_encoder(
    latent_dim: int, dropout: float = 0.0, flatten_dropout: float = 0.0, pooling: bool = False
) -> nn.Sequential:
    """Return the encoder of Raschka's L16 autoencoder: four convolutions, no pooling, no activation after the last.

    Args:
        dropout: probability after each LeakyReLU (report 4; zero in its published runs).
        flatten_dropout: probability after the flattening (report 4's classifier).
        pooling: halve the image by max pooling after the second and the third convolution instead of by their stride, as report
            4 proposes for further work.
    """
    stride, halve = (1, nn.MaxPool2d(2)) if pooling else (2, nn.Identity())
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, stride=1, padding=1),  # 32×28×28
        nn.LeakyReLU(),
        Dropout(dropout),
        nn.Conv2d(32, 64, 3, stride=stride, padding=1),
        halve,  # 64×14×14
        nn.LeakyReLU(),
        Dropout(dropout),
        nn.Conv2d(64, 64, 3, stride=stride, padding=1),
        halve,  # 64×7×7
        nn.LeakyReLU(),
        Dropout(dropout),
        nn.Conv2d(64, 64, 3, stride=1, padding=1),  # 64×7×7
        nn.Flatten(),  # 3136
        Dropout(flatten_dropout),
        nn.Linear(3136, latent_dim),
    )


class RaschkaAutoencoder(Autoencoder):
    """Raschka's convolutional autoencoder (L16, 2021) in report 4's version.

    Its last layer gives 29×29, which :class:`Trim` cuts. Parameters: 589,889 at ``latent_dim=64``, 991,361 at 128, and
    200,963 at 2, the original's size.
    """

    def __init__(self, latent_dim: int = 64, dropout: float = 0.0):
        super().__init__()
        self.encoder = raschka_encoder(latent_dim, dropout)
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, 3136),
            nn.Unflatten(1, (64, 7, 7)),
            nn.ConvTranspose2d(64, 64, 3, stride=1, padding=1),  # 64×7×7
            nn.LeakyReLU(),
            Dropout(dropout),
            nn.ConvTranspose2d(64, 64, 3, stride=2, padding=1),  # 64×13×13
            nn.LeakyReLU(),
            Dropout(dropout),
            nn.ConvTranspose2d(64, 32, 3, stride=2),  # 32×27×27
            nn.LeakyReLU(),
            Dropout(dropout),
            nn.ConvTranspose2d(32, 1, 3, stride=1),  # 1×29×29
            Trim(),  # 1×28×28
            nn.Sigmoid(),
        )


ENCODERS = {"conv": conv_encoder, "raschka": raschka_encoder}


class EncoderClassifier(nn.Module):
    """The encoder of an autoencoder with a linear head: transfer learning in reports 3 and 4.

    Report 3: ``encoder="conv"``, ``latent_dim`` 64 or 256, ``head_activation="sigmoid"`` as coded (56,714 and 212,426
    parameters); with ``"none"`` the outputs are logits, as ``cross_entropy`` expects. Report 4: ``flatten_dropout=0.8`` and
    «consigna» n = 10 (12,920) or 128 (108,618), or ``encoder="raschka"`` n = 10 (124,152). The assignment puts ReLU and
    Dropout on the logits: ``head_activation="relu", head_dropout=0.2``.

    Args:
        encoder: ``"conv"`` or ``"raschka"``.
        latent_dim: size of the latent vector.
        flatten_dropout: probability after the flattening.
        head_activation: a name in ``ACTIVATIONS``; ``"none"`` is the right one for ``cross_entropy``.
        head_dropout: probability after it.
        pooling: as in :func:`raschka_encoder`; ``"conv"`` pools in any case.
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
        if encoder not in ENCODERS:
            raise UserError(
                "models.unknown",
                given=encoder,
                allowed=", ".join(ENCODERS),
                hint=nearest(encoder, ENCODERS),
            )
        options = {"pooling": pooling} if encoder == "raschka" else {}
        self.encoder = ENCODERS[encoder](latent_dim, flatten_dropout=flatten_dropout, **options)
        self.head = nn.Sequential(
            nn.Linear(latent_dim, NUM_CLASSES), activation(head_activation), Dropout(head_dropout)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return the outputs of the head, shape (N, 10)."""
        return self.head(self.encoder(images))


class CNN(nn.Sequential):
    """Two blocks of convolution, batch norm, ReLU and pooling, then dense layers: the grid of report 5.

    CNN\\ *k*-*n*-*p* is ``CNN(kernel_size=k, dense_sizes=(n,), dropout=p)``; CNN3-512-0.1 has 1,204,298 parameters.
    CNN-Nahuel is ``CNN(3, (600, 120), 0.25, dropout_after_flatten=False, squash_logits=True)`` (1,475,338).

    Args:
        kernel_size: 3 or 5 in the report.
        dense_sizes: units of the hidden dense layers.
        dropout: probability after each hidden dense layer.
        padding: of the two convolutions. The report does not state it; (1, 0) is that of CNN-Nahuel's code.
        dropout_after_flatten: apply it also after the flattening, as the grid does and CNN-Nahuel does not.
        squash_logits: end in Dropout and ReLU *on the logits*, as CNN-Nahuel was published.
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
        layers: list[nn.Module] = []
        channels, side = 1, 28
        for out_channels, pad in zip((32, 64), padding, strict=True):
            layers += [
                nn.Conv2d(channels, out_channels, kernel_size, padding=pad),
                nn.BatchNorm2d(out_channels),
                *rectified_pooling(hidden_activation),
            ]
            channels, side = (
                out_channels,
                (side + 2 * pad - kernel_size + 1) // 2,
            )  # 3, (1, 0): 28 → 14 → 6
        layers += [nn.Flatten(), Dropout(dropout if dropout_after_flatten else 0.0)]
        size = channels * side * side  # 2304
        for dense_size in dense_sizes:
            layers += [nn.Linear(size, dense_size), Dropout(dropout), activation(hidden_activation)]
            size = dense_size
        layers += [nn.Linear(size, NUM_CLASSES)]
        if squash_logits:
            layers += [Dropout(dropout), nn.ReLU()]
        super().__init__(*layers)


class Residual(nn.Sequential):
    """Layers whose output is added to their input (He et al., arXiv:1512.03385)."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Return ``inputs`` plus what the layers make of them."""
        return inputs + super().forward(inputs)


def conv_block(channels: int, out_channels: int, pooling: bool = False) -> nn.Sequential:
    """Return 3×3 convolution, max pooling if asked for, batch norm, ReLU; pooled first, there is four times less to normalize."""
    halve = [nn.MaxPool2d(2)] if pooling else []
    # Without bias, which the normalization would subtract.
    convolution = nn.Conv2d(channels, out_channels, 3, padding=1, bias=False)
    return nn.Sequential(convolution, *halve, nn.BatchNorm2d(out_channels), nn.ReLU())


class ResidualNet(nn.Sequential):
    """A small residual network of eight convolutions, for page 07.

    In the manner of D. Page's ResNet-9 (How to train your ResNet, 2018). With ``width=64``, as his, it has 6,571,978 parameters;
    with 16, for a CPU, 412,666.

    Args:
        width: channels of the first convolution; the last ones have eight times as many.
    """

    def __init__(self, width: int = 16):
        w = width
        super().__init__(
            conv_block(1, w),  # w×28×28
            conv_block(w, 2 * w, pooling=True),  # 2w×14×14
            Residual(conv_block(2 * w, 2 * w), conv_block(2 * w, 2 * w)),
            conv_block(2 * w, 4 * w, pooling=True),  # 4w×7×7
            conv_block(4 * w, 8 * w, pooling=True),  # 8w×3×3
            Residual(conv_block(8 * w, 8 * w), conv_block(8 * w, 8 * w)),
            nn.AdaptiveMaxPool2d(1),
            nn.Flatten(),  # 8w
            nn.Linear(8 * w, NUM_CLASSES),
        )


MODELS: dict[str, type[nn.Module]] = {
    "ff_classifier": FeedForwardClassifier,
    "ff_autoencoder": FeedForwardAutoencoder,
    "conv_autoencoder": ConvAutoencoder,
    "raschka_autoencoder": RaschkaAutoencoder,
    "encoder_classifier": EncoderClassifier,
    "cnn": CNN,
    "residual_net": ResidualNet,
}


def build_model(name: str, **sizes) -> nn.Module:
    """Return a new network by its short name in ``MODELS``, its weights drawn from PyTorch's global generator.

    Raises:
        UserError: if there is none of that name.
    """
    if name not in MODELS:
        raise UserError(
            "models.unknown", given=name, allowed=", ".join(MODELS), hint=nearest(name, MODELS)
        )
    return MODELS[name](**sizes)
