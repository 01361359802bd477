"""Every network of the reports: shapes, published counts of parameters, closed formulas."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from fmnist_utils.models import (
    CNN,
    MODELS,
    ConvAutoencoder,
    Residual,
    build_model,
    count_multiply_adds,
    count_parameters,
)
from fmnist_utils.text import UserError

# (name, sizes, parameters); the counts are those of the reports' networks (reports 1 to 5)
NETWORKS = [
    ("ff_classifier", {}, 109_386),
    ("ff_classifier", {"hidden_sizes": (512,), "dropout": 0.25}, 407_050),
    ("ff_autoencoder", {"latent_dim": 64}, 101_200),
    ("ff_autoencoder", {"latent_dim": 512, "output_activation": "sigmoid"}, 804_112),
    ("conv_autoencoder", {"latent_dim": 10}, 29_963),
    ("conv_autoencoder", {"latent_dim": 64}, 116_417),
    (
        "conv_autoencoder",
        {"latent_dim": 512, "output_activation": "sigmoid", "dropout": 0.2, "output_dropout": True},
        833_665,
    ),
    ("raschka_autoencoder", {"latent_dim": 2}, 200_963),
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
    shape = (2, 1, 28, 28) if "autoencoder" in name else (2, 10)
    assert model(torch.rand(2, 1, 28, 28)).shape == shape


def test_every_network_is_in_the_table():
    assert {name for name, _, _ in NETWORKS} == set(MODELS)


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


def test_a_residual_block_adds_its_input():
    block, inputs = Residual(nn.Linear(3, 3)), torch.rand(2, 3)
    assert torch.equal(block(inputs), inputs + block[0](inputs))


def test_larger_kernels_reach_every_pixel():
    model = ConvAutoencoder(8, covering_kernels=True)
    codes = torch.rand(20, 8) * 5
    assert (model.decoder[:-2](codes).std(dim=0) > 0).all()


# One image forward, from the reports' published counts (reports 4 and 5) and by hand.
@pytest.mark.parametrize(
    ("name", "sizes", "millions"),
    [
        ("ff_classifier", {"hidden_sizes": (512,)}, 0.41),
        ("cnn", {"dense_sizes": (128,)}, 3.18),
        ("cnn", {"dense_sizes": (512,)}, 4.06),
        ("raschka_autoencoder", {"latent_dim": 128}, 15.19),
        ("conv_autoencoder", {"latent_dim": 128}, 1.09),
        ("ff_autoencoder", {"latent_dim": 512}, 0.80),
        ("residual_net", {}, 17.22),
    ],
)
def test_multiply_adds(name, sizes, millions):
    model = build_model(name, **sizes).eval()
    assert round(count_multiply_adds(model) / 1e6, 2) == millions
    with FlopCounterMode(display=False) as counter:  # counts the addition too
        model(torch.zeros(1, 1, 28, 28))
    assert counter.get_total_flops() == 2 * count_multiply_adds(model)


def test_counting_changes_nothing_in_the_network():
    model = build_model("residual_net", width=2).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    count_multiply_adds(model)
    assert model.training
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


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
