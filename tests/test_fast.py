"""The engine's fast parts give the bits of PyTorch's, and bfloat16 stays out of measurements."""

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from fmnist_utils.models import MODELS, build_model, raschka_encoder
from fmnist_utils.training import Batches
from fmnist_utils.workshop.fast import (
    Bfloat16,
    FastDropout,
    ImageByImage,
    emulates_bfloat16,
    pool_before_relu,
    use_fast_dropout,
    with_fast_parts,
)


@pytest.fixture
def plain_dropout():
    """Skip where PyTorch draws the masks of its own dropout by Intel's library."""
    torch.manual_seed(0)
    plain = torch.empty(1000).bernoulli_(0.3).bool()
    torch.manual_seed(0)
    if not torch.equal(plain, torch.rand(1000, dtype=torch.float64) < 0.3):
        pytest.skip("on this processor PyTorch draws in another way")


def outputs_and_gradients(layers, inputs):
    inputs = inputs.clone().requires_grad_()
    torch.manual_seed(5)
    outputs = layers(inputs)
    weights = torch.arange(outputs.numel()).reshape(outputs.shape)
    (outputs * weights).sum().backward()
    return outputs, inputs.grad, torch.rand(3)  # what is drawn next is the same too


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("between", [[], [nn.Dropout(0.0)]])
def test_pooling_before_relu_gives_the_same_bits(memory_format, between):
    generator = torch.Generator().manual_seed(0)
    # Rounded, so that there are ties, and windows of which ReLU leaves nothing.
    images = torch.randn(50, 16, 26, 26, generator=generator).mul(4).round() / 4
    images = images.to(memory_format=memory_format)
    plain = nn.Sequential(nn.ReLU(), *between, nn.MaxPool2d(2))
    fast = nn.Sequential(nn.ReLU(), *between, nn.MaxPool2d(2))
    pool_before_relu(fast)
    assert isinstance(fast[0], nn.MaxPool2d) and isinstance(fast[-1], nn.ReLU)
    expected = outputs_and_gradients(plain, images)
    found = outputs_and_gradients(fast, images)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    "layers",
    [
        [nn.Sigmoid(), nn.MaxPool2d(2)],
        [nn.LeakyReLU(), nn.MaxPool2d(2)],
        [nn.ReLU(), nn.Dropout(0.2), nn.MaxPool2d(2)],
        [nn.ReLU(), nn.Conv2d(1, 1, 3), nn.MaxPool2d(2)],
        [nn.MaxPool2d(2), nn.ReLU()],
    ],
)
def test_no_other_layers_change_places(layers):
    fast = nn.Sequential(*layers)
    pool_before_relu(fast)
    assert list(fast) == layers


@pytest.mark.parametrize("p", [0.0, 0.1, 1 / 3, 0.8, 1.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_dropout_is_that_of_pytorch_bit_by_bit(p, dtype, memory_format, plain_dropout):
    inputs = torch.randn(5, 8, 6, 6).to(dtype, memory_format=memory_format)
    expected = outputs_and_gradients(nn.Dropout(p), inputs)
    found = outputs_and_gradients(FastDropout(p), inputs)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    assert found[0].stride() == expected[0].stride()


def test_dropout_drops_its_share_scales_the_rest_and_rests_in_evaluation():
    torch.manual_seed(0)
    layer, ones = FastDropout(0.2), torch.ones(200, 500)
    dropped = layer(ones)
    share = (dropped == 0).float().mean().item()
    assert share == pytest.approx(0.2, abs=0.005)  # four standard errors
    assert dropped.unique().tolist() == pytest.approx([0, 1.25])
    assert not torch.equal(dropped, layer(ones)) and torch.equal(layer.eval()(ones), ones)


@pytest.mark.parametrize("name", MODELS)
def test_fast_parts_keep_names_weights_and_outputs(name, plain_dropout):
    torch.manual_seed(0)
    plain = build_model(name)
    fast = build_model(name)
    fast.load_state_dict(plain.state_dict())
    assert with_fast_parts(fast) is fast
    assert list(fast.state_dict()) == list(plain.state_dict())
    images = torch.rand(3, 1, 28, 28)
    expected = outputs_and_gradients(plain, images)
    found = outputs_and_gradients(fast, images)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    assert not any(type(layer) is nn.Dropout for layer in fast.modules())


def test_fast_dropout_keeps_the_probabilities():
    model = raschka_encoder(4, dropout=0.3, flatten_dropout=0.6)
    use_fast_dropout(model)
    rates = [layer.p for layer in model if isinstance(layer, FastDropout)]
    assert rates == [0.3, 0.3, 0.3, 0.6]


def test_bfloat16_rounds_in_training_alone():
    torch.manual_seed(0)
    plain = nn.Linear(100, 10)
    rounded = Bfloat16(plain)
    inputs = torch.rand(4, 100)
    assert torch.equal(rounded.eval()(inputs), plain(inputs))
    trained = rounded.train()(inputs)
    assert trained.dtype == torch.float32 and not torch.equal(trained, plain(inputs))
    assert torch.allclose(trained, plain(inputs), atol=0.02)


def test_image_by_image_gives_the_same_minibatches():
    images = torch.randint(0, 256, (30, 1, 28, 28)) / torch.tensor(255.0)
    for targets in (torch.arange(30), images):
        plain = list(Batches(images, targets, 8, seed=1).epoch(2))
        single = list(ImageByImage(images, targets, 8, seed=1).epoch(2))
        for one, other in zip(plain, single, strict=True):
            assert torch.equal(one[0], other[0]) and torch.equal(one[1], other[1])


def test_bfloat16_is_emulated_on_x86_without_avx512_alone():
    assert not emulates_bfloat16(torch.device("cuda"))
    cpuinfo = Path("/proc/cpuinfo")
    flags = re.search(r"^flags.*", cpuinfo.read_text(), re.MULTILINE) if cpuinfo.exists() else None
    if not flags or not torch.backends.mkldnn.is_available():
        pytest.skip("no list of this processor's instructions")
    missing = {"avx512bw", "avx512vl", "avx512dq"} - set(flags[0].split())
    assert emulates_bfloat16(torch.device("cpu")) == bool(missing)
