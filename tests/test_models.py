"""Every network of the reports: its shape and its number of parameters, against the published counts and closed formulas."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from fmnist_utils.models import (
    CNN,
    MODELS,
    ConvAutoencoder,
    Dropout,
    FeedForwardClassifier,
    Residual,
    build_model,
    count_multiply_adds,
    count_parameters,
    rectified_pooling,
)
from fmnist_utils.text import UserError

# (name, sizes, parameters); the counts are those of the reports' networks (reports 1 to 5)
NETWORKS = [
    ("ff_classifier", {}, 109_386),
    ("ff_classifier", {"hidden_sizes": (512,), "dropout": 0.25}, 407_050),
    ("ff_autoencoder", {"latent_dim": 64}, 101_200),
    ("ff_autoencoder", {"latent_dim": 128}, 201_616),
    ("ff_autoencoder", {"latent_dim": 256}, 402_448),
    ("ff_autoencoder", {"latent_dim": 512, "output_activation": "sigmoid"}, 804_112),
    ("conv_autoencoder", {"latent_dim": 10}, 29_963),
    ("conv_autoencoder", {"latent_dim": 64}, 116_417),
    ("conv_autoencoder", {"latent_dim": 128}, 218_881),
    ("conv_autoencoder", {"latent_dim": 256}, 423_809),
    (
        "conv_autoencoder",
        {"latent_dim": 512, "output_activation": "sigmoid", "dropout": 0.2, "output_dropout": True},
        833_665,
    ),
    ("raschka_autoencoder", {"latent_dim": 2}, 200_963),
    ("raschka_autoencoder", {"latent_dim": 10}, 251_147),
    ("raschka_autoencoder", {"latent_dim": 64}, 589_889),
    ("raschka_autoencoder", {"latent_dim": 128}, 991_361),
    ("encoder_classifier", {"latent_dim": 64, "head_activation": "sigmoid"}, 56_714),
    ("encoder_classifier", {"latent_dim": 256}, 212_426),
    ("encoder_classifier", {"latent_dim": 10, "flatten_dropout": 0.8}, 12_920),
    ("encoder_classifier", {"latent_dim": 128, "flatten_dropout": 0.8}, 108_618),
    (
        "encoder_classifier",
        {"encoder": "raschka", "latent_dim": 10, "flatten_dropout": 0.8},
        124_152,
    ),
    ("encoder_classifier", {"encoder": "raschka", "latent_dim": 10, "pooling": True}, 124_152),
    ("conv_autoencoder", {"latent_dim": 64, "covering_kernels": True}, 121_137),
    ("cnn", {}, 1_204_298),
    ("cnn", {"hidden_activation": "leaky_relu"}, 1_204_298),
    ("cnn", {"dense_sizes": (128,)}, 315_338),
    ("cnn", {"kernel_size": 5, "dense_sizes": (256,)}, 317_258),
    ("cnn", {"kernel_size": 5, "dense_sizes": (256,), "padding": (2, 0)}, 464_714),
    ("cnn", {"padding": (0, 0)}, 843_850),
    ("cnn", {"kernel_size": 5, "dense_sizes": (128,), "padding": (2, 2)}, 455_114),
    (
        "cnn",
        {
            "dense_sizes": (600, 120),
            "dropout": 0.25,
            "dropout_after_flatten": False,
            "squash_logits": True,
        },
        1_475_338,
    ),
    ("residual_net", {"width": 8}, 103_810),
    ("residual_net", {}, 412_666),
    ("residual_net", {"width": 64}, 6_571_978),
]


@pytest.mark.parametrize(("name", "sizes", "parameters"), NETWORKS)
def test_parameters_and_shape(name, sizes, parameters):
    model = build_model(name, **sizes)
    assert count_parameters(model) == parameters
    assert model(torch.rand(2, 1, 28, 28)).shape == (
        (2, 1, 28, 28) if "autoencoder" in name else (2, 10)
    )


def test_every_network_is_in_the_table():
    assert {name for name, _, _ in NETWORKS} == set(MODELS)


@pytest.mark.parametrize("hidden_sizes", [(), (5,), (7, 3, 2)])
def test_classifier_follows_the_closed_formula(hidden_sizes):
    sizes = [784, *hidden_sizes, 10]
    formula = sum((inputs + 1) * outputs for inputs, outputs in zip(sizes, sizes[1:]))
    assert count_parameters(FeedForwardClassifier(hidden_sizes)) == formula


def test_count_leaves_out_frozen_parameters():
    model = nn.Linear(3, 2)
    model.bias.requires_grad_(False)
    assert count_parameters(model) == 6


@pytest.mark.parametrize("name", ["ff_autoencoder", "conv_autoencoder", "raschka_autoencoder"])
def test_autoencoder_is_its_two_parts(name):
    model = build_model(name, latent_dim=12).eval()
    images = torch.rand(3, 1, 28, 28)
    codes = model.encoder(images)
    assert codes.shape == (3, 12)
    assert torch.equal(model.decoder(codes), model(images))


def test_last_row_and_column_of_the_conv_decoder_see_only_the_bias():
    model = ConvAutoencoder(8, output_activation="none").eval()
    first, second = model(torch.rand(2, 1, 28, 28)).detach()[:, 0]
    assert torch.equal(first[27], second[27]) and torch.equal(first[:, 27], second[:, 27])
    assert first[27].unique().numel() == 1
    assert not torch.equal(first[:27, :27], second[:27, :27])


@pytest.mark.parametrize("width", [1, 3])
def test_residual_net_follows_the_closed_formula(width):
    w = width
    pairs = [
        (1, w),
        (w, 2 * w),
        (2 * w, 2 * w),
        (2 * w, 2 * w),
        (2 * w, 4 * w),
        (4 * w, 8 * w),
        (8 * w, 8 * w),
        (8 * w, 8 * w),
    ]
    formula = (
        sum(9 * inputs * outputs + 2 * outputs for inputs, outputs in pairs) + (8 * w + 1) * 10
    )
    assert count_parameters(build_model("residual_net", width=width)) == formula


def test_a_residual_block_adds_its_input():
    block, inputs = Residual(nn.Linear(3, 3)), torch.rand(2, 3)
    assert torch.equal(block(inputs), inputs + block[0](inputs))


def test_larger_kernels_reach_every_pixel():
    model = ConvAutoencoder(8, covering_kernels=True)
    codes = torch.rand(20, 8) * 5
    assert (model.decoder[:-2](codes).std(dim=0) > 0).all()


# One image forward: of the reports' networks, from their published counts (reports 4 and 5) and by hand.
@pytest.mark.parametrize(
    ("model", "millions"),
    [
        (FeedForwardClassifier((512,)), 0.41), (CNN(3, (128,)), 3.18), (CNN(3, (512,)), 4.06),
        (build_model("raschka_autoencoder", latent_dim=128), 15.19), (ConvAutoencoder(128), 1.09),
        (build_model("ff_autoencoder", latent_dim=512), 0.80), (build_model("residual_net"), 17.22),
    ],
)  # fmt: skip
def test_multiply_adds(model, millions):
    counted = count_multiply_adds(model)
    assert round(counted / 1e6, 2) == millions
    with FlopCounterMode(display=False) as counter:
        model.eval()(torch.zeros(1, 1, 28, 28))
    assert (
        counted == counter.get_total_flops() / 2
    )  # PyTorch's counter takes a multiplication and its addition for two


def test_output_dropout_darkens_in_train_mode_only():
    torch.manual_seed(0)
    model = ConvAutoencoder(8, output_activation="sigmoid", dropout=0.5, output_dropout=True)
    images = torch.rand(4, 1, 28, 28)
    assert (model.train()(images) == 0).float().mean() > 0.4
    assert (model.eval()(images) == 0).sum() == 0


def test_squashed_logits_are_never_negative():
    torch.manual_seed(0)
    model = CNN(dense_sizes=(8,), squash_logits=True).eval()
    assert (model(torch.randn(20, 1, 28, 28)) >= 0).all()


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(UserError, match="'clasifier'.*ff_classifier"):
        build_model("clasifier")
    with pytest.raises(UserError, match="Did you mean 'sigmoid'"):
        ConvAutoencoder(output_activation="sigmod")
    with pytest.raises(UserError, match="conv, raschka"):
        build_model("encoder_classifier", encoder="vgg")


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_pooling_before_relu_gives_the_same_bits(memory_format):
    """Also the gradients, with ties and with windows that ReLU empties; the layers keep their places, which name the weights."""
    images = (
        torch.randn(50, 16, 26, 26, generator=torch.Generator().manual_seed(0)).mul(4).round() / 4
    )
    images = images.to(memory_format=memory_format)
    found = []
    for layers in ([nn.ReLU(), nn.MaxPool2d(2)], rectified_pooling()):
        inputs = images.clone().requires_grad_()
        outputs = nn.Sequential(*layers)(inputs)
        (outputs * torch.arange(outputs.numel()).reshape(outputs.shape)).sum().backward()
        found.append((outputs, inputs.grad))
    assert (found[0][0] == 0).any() and all(
        torch.equal(one, other) for one, other in zip(*found, strict=True)
    )
    assert [len(rectified_pooling(dropout=dropout)) for dropout in (None, 0.0, 0.2)] == [2, 3, 3]


@pytest.mark.parametrize("name", ["sigmoid", "softmax", "leaky_relu"])
def test_other_activations_stay_before_the_pooling(name):
    assert isinstance(rectified_pooling(name)[-1], nn.MaxPool2d)


def test_a_dropout_stays_between_activation_and_pooling():
    assert [type(layer) for layer in rectified_pooling("relu", 0.2)] == [
        nn.ReLU,
        Dropout,
        nn.MaxPool2d,
    ]


LAYOUTS = [
    ((7, 13), torch.contiguous_format),
    ((5, 8, 6, 6), torch.contiguous_format),
    ((5, 8, 6, 6), torch.channels_last),
]


@pytest.mark.parametrize("p", [0.0, 0.1, 1 / 3, 0.8, 1.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("shape", "layout"), LAYOUTS)
def test_dropout_is_that_of_pytorch_bit_by_bit(p, dtype, shape, layout):
    torch.manual_seed(0)
    plain = torch.empty(1000).bernoulli_(0.3).bool()
    torch.manual_seed(0)
    if not torch.equal(plain, torch.rand(1000, dtype=torch.float64) < 0.3):
        pytest.skip("on this processor PyTorch draws in another way")
    found = []
    inputs = torch.randn(shape).to(dtype, memory_format=layout)
    for form in (nn.Dropout, Dropout):
        images = inputs.clone().requires_grad_()
        torch.manual_seed(5)
        outputs = form(p)(images)
        outputs.backward(inputs)
        found.append((outputs, images.grad, torch.rand(3)))  # what is drawn next is the same too
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))
    assert found[0][0].stride() == found[1][0].stride()


def test_dropout_drops_its_share_scales_the_rest_and_rests_in_evaluation():
    torch.manual_seed(0)
    layer, ones = Dropout(0.2), torch.ones(200, 500)
    dropped = layer(ones)
    assert (dropped == 0).float().mean().item() == pytest.approx(
        0.2, abs=0.005
    )  # four standard errors
    assert dropped.unique().tolist() == pytest.approx([0, 1.25])
    assert not torch.equal(dropped, layer(ones)) and torch.equal(layer.eval()(ones), ones)
