"""The optimizers are those of ``torch.optim``, bit by bit, without what comes with them."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from fmnist_utils.workshop import optimizers

KINDS = [
    ("Adam", {}),
    ("Adam", {"weight_decay": 0.1}),
    ("AdamW", {"weight_decay": 0.1}),
    ("SGD", {}),
    ("SGD", {"momentum": 0.9, "weight_decay": 0.01}),
]


def network() -> nn.Module:
    """A convolution in channels_last, a layer, and a parameter that never has a gradient."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3))
    model.unused = nn.Parameter(torch.ones(2))
    return model.to(memory_format=torch.channels_last)


def steps(model: nn.Module, optimizer, count: int, first: int = 0) -> None:
    for step in range(first, first + count):
        generator = torch.Generator().manual_seed(step)
        inputs = torch.randn(8, 2, 4, 4, generator=generator)
        optimizer.zero_grad()
        model(inputs).square().mean().backward()
        optimizer.step()


def same(model: nn.Module, other: nn.Module) -> bool:
    return all(
        torch.equal(one, two)
        for one, two in zip(model.parameters(), other.parameters(), strict=True)
    )


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_bit_by_bit_those_of_pytorch(name, options):
    ours, theirs = network(), network()
    mine = getattr(optimizers, name)(ours.parameters(), lr=0.05, **options)
    its = getattr(torch.optim, name)(
        theirs.parameters(), lr=0.05, fused=True, **{"weight_decay": 0.0} | options
    )
    steps(ours, mine, 5)
    steps(theirs, its, 5)
    assert same(ours, theirs) and not same(ours, network())
    kept, expected = mine.state_dict()["state"], its.state_dict()["state"]
    for index, tensors in expected.items():
        filled = {key: value for key, value in tensors.items() if value is not None}
        assert kept[index].keys() == filled.keys()
        assert all(torch.equal(kept[index][key], value) for key, value in filled.items())
    assert torch.equal(ours.unused, torch.ones(2))


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_goes_on_from_its_state_with_the_rate_that_was_set(name, options):
    form = getattr(optimizers, name)
    whole, broken, resumed = network(), network(), network()
    one = form(whole.parameters(), lr=0.05, **options)
    steps(whole, one, 3)
    one.param_groups[0]["lr"] = 0.01
    steps(whole, one, 3, first=3)

    two = form(broken.parameters(), lr=0.05, **options)
    steps(broken, two, 3)
    resumed.load_state_dict(broken.state_dict())
    three = form(resumed.parameters(), lr=0.01, **options)
    three.load_state_dict(two.state_dict())
    steps(resumed, three, 3, first=3)
    assert same(whole, resumed)
    slower = network()
    steps(slower, form(slower.parameters(), lr=0.01, **options), 6)
    assert not same(whole, slower)


def test_a_step_without_gradients_changes_nothing():
    model = network()
    for form in (optimizers.Adam, optimizers.AdamW, optimizers.SGD):
        form(model.parameters(), lr=1.0).step()
    assert same(model, network())


def test_training_never_imports_the_compiler(tmp_path):
    program = """
import sys
from fmnist_utils.audit.recipes import Recipe
from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.store import RunStore
recipe = Recipe(
    data={"source": "synthetic", "train_size": 200, "val_size": 100, "test_size": 100},
    model={"name": "cnn", "kernel_size": 3, "dense_sizes": [16], "dropout": 0.1},
    loss="cross_entropy", optimizer="adam", learning_rate=0.001, batch_size=50, num_epochs=2, precision="bfloat16",
)
train(recipe, store=RunStore(sys.argv[1], sys.argv[1]), device="cpu", progress=False)
print(sorted({"torch._dynamo", "torch._inductor", "sympy"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, timeout=300
    )
    assert done.stdout.splitlines()[-1:] == ["[]"], done.stdout + done.stderr
