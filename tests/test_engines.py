"""The engines of the benchmark do the same work; what is measured of them is what it says."""

import contextlib
import importlib.util
import subprocess
import sys

import bench
import measure
import numpy as np
import pytest
import torch
from engines import by_hand, one_graph, plain
from engines import ours as ours_engine
from torch import nn
from workloads import ENGINES, WORKLOADS, Data, Job, read

import fmnist_utils.data
from book.machinery.pages import ROOT
from fmnist_utils.models import build_model
from fmnist_utils.training import Batches
from fmnist_utils.workshop.fast import FastDropout

RANDOM = np.random.default_rng(0)


DATA = Data(
    RANDOM.integers(0, 255, (250, 28, 28), dtype=np.uint8, endpoint=True),
    RANDOM.integers(0, 10, 250, dtype=np.uint8),
)


def losses(engine: str, name: str, epochs: int = 2, data: Data = DATA, **options) -> list[float]:
    return measure.train(engine, name, data, epochs, 0, options)["losses"]


def skip_where_pytorch_draws_in_another_way(name: str) -> None:
    """Skip a network with dropout on Intel's processors, where PyTorch's masks are not ours."""
    torch.manual_seed(0)
    plain_mask = torch.empty(1000).bernoulli_(0.3).bool()
    torch.manual_seed(0)
    if "dropout" in WORKLOADS[name].sizes and not torch.equal(
        plain_mask, torch.rand(1000, dtype=torch.float64) < 0.3
    ):
        pytest.skip("on this processor PyTorch draws in another way")


def both_networks(name: str) -> tuple[nn.Module, nn.Module]:
    """Return our network and that of the peers, with the weights that ours begins with."""
    torch.manual_seed(0)
    ours = build_model(WORKLOADS[name].model, **WORKLOADS[name].sizes)
    theirs = plain.NETWORKS[name]()
    with torch.no_grad():
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            other.copy_(mine)
    return ours, theirs


@pytest.mark.parametrize("name", WORKLOADS)
def test_ours_does_step_by_step_what_a_plain_loop_does(name):
    """The same weights, minibatches and masks: the losses differ by rounding alone."""
    skip_where_pytorch_draws_in_another_way(name)
    workload = WORKLOADS[name]
    _, model = both_networks(name)
    batches = Batches(*ours_engine.tensors(workload, DATA), workload.batch_size, seed=0)
    loss_fn = nn.L1Loss() if workload.loss == "l1" else nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    found = []
    for epoch in (1, 2):
        total = 0.0
        for inputs, targets in batches.epoch(epoch):
            optimizer.zero_grad()
            loss = loss_fn(model(inputs), targets)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(inputs)
        found.append(total / len(batches))
    assert losses("ours", name) == pytest.approx(found, rel=1e-3)


@pytest.mark.parametrize("name", WORKLOADS)
def test_ours_and_the_tutorial_reach_the_same_loss(name):
    ours, tutorial = (losses(engine, name, epochs=1)[0] for engine in ("ours", "tutorial"))
    assert ours == pytest.approx(tutorial, rel=0.1)


@pytest.mark.parametrize("name", WORKLOADS)
@pytest.mark.parametrize("engine", [engine for engine in ENGINES.values() if engine.peer])
def test_a_peer_reaches_the_same_loss(engine, name):
    # Without importing it: Keras would take another backend.
    if not importlib.util.find_spec(engine.package):
        pytest.skip(f"{engine.package} is not installed; make bench installs it")
    theirs, tutorial = (losses(module, name, epochs=1)[0] for module in (engine.module, "tutorial"))
    assert theirs == pytest.approx(tutorial, rel=0.1)


def test_every_engine_has_its_file_and_its_package_in_the_extra():
    extra = (ROOT / "benchmarks" / "requirements.lock").read_text()
    for engine in ENGINES.values():
        assert (ROOT / "benchmarks" / "engines" / f"{engine.module}.py").exists()
        assert f"\n{engine.package}==" in extra


CASES = [
    ("cnn3", choice)
    for choice in ("resident", "channels_last", "pooling_first", "fused", "dropout", "")
]


@pytest.mark.parametrize(
    ("name", "choice"), [*CASES, ("convae", "pooling_first"), ("ff", "dropout")]
)
def test_undoing_a_choice_changes_the_time_and_not_the_work(name, choice):
    if choice == "dropout":
        skip_where_pytorch_draws_in_another_way(name)
    undone = losses("ours", name, epochs=1, without=choice)
    assert undone == pytest.approx(losses("ours", name, epochs=1), rel=1e-3)


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_choice_is_undone_where_the_network_has_what_it_is_about(name):
    def layers(choice: str) -> list[type]:
        model, *_ = ours_engine.prepare(WORKLOADS[name], DATA, 0, without=choice)
        return [
            type(layer)
            for layer in model.modules()
            if not (isinstance(layer, nn.Dropout) and layer.p == 0)
        ]

    has = {"channels_last": nn.Conv2d, "pooling_first": nn.MaxPool2d, "dropout": FastDropout}
    assert {choice: name in where for choice, where in bench.WHERE.items()} == {
        choice: kind in layers("") for choice, kind in has.items()
    }
    pairs = [
        pair
        for pair in zip(layers("pooling_first"), layers("pooling_first")[1:])
        if nn.MaxPool2d in pair
    ]
    assert all(pair[1] is not nn.ReLU for pair in pairs)
    assert sum(pair == (nn.ReLU, nn.MaxPool2d) for pair in pairs) == (0 if name == "ff" else 2)
    assert FastDropout not in layers("dropout")


def test_shares_of_the_profile_add_up_and_the_products_are_in_it():
    found = measure.profile("cnn3", DATA, 0)
    shares = found["shares"]
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["convolution"] > 0.05 and shares["normalization"] > 0 and shares["optimizer"] > 0
    assert 0 < shares["python"] < 0.9
    assert found["seconds"] > 0 and found["profiled_seconds"] > 0


def test_operations_are_those_of_the_network():
    """ff: 784·128 + 128·64 + 64·10 products; as many backward, but for the images' gradients."""
    weights = np.array([784 * 128, 128 * 64, 64 * 10])
    expected = 2 * 100 * (2 * weights.sum() + weights[1:].sum())
    assert measure.operations("ff", DATA) == {
        "convolution": 0,
        "gemm": pytest.approx(expected / 1e9),
    }


def test_data_are_laid_for_the_engines_and_read_again(tmp_path, monkeypatch):
    arrays = (DATA.images, DATA.labels, None, None)
    monkeypatch.setattr(fmnist_utils.data, "load_arrays", lambda source: arrays)
    assert measure.save(tmp_path, "sample") == {"data": "sample"}
    images, labels = read(tmp_path, 10)
    assert np.array_equal(images, DATA.images[:10]) and np.array_equal(labels, DATA.labels[:10])


def test_the_benchmark_itself_imports_nothing_heavy():
    """A child's peak memory begins with that of its parent."""
    heavy = "{'torch', 'jax', 'pandas', 'matplotlib'}"
    code = f"import sys, bench; print(sorted({heavy} & set(sys.modules)))"
    made = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT / "benchmarks",
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout == "[]\n"


def two_networks(seed=0):
    """Return ours, ready for its loop, and the one by hand: same weights, minibatches, bits."""
    job = Job("ff", WORKLOADS["ff"], DATA, 1, seed, lambda loss: None)
    return ours_engine.prepare(job.workload, DATA, seed), by_hand.prepare(job)


def test_by_hand_does_step_by_step_what_ours_does():
    (model, batches, loss_fn, optimizer), (network, same) = two_networks()
    found = []
    for epoch in (1, 2, 3):
        ours_engine.train_one_epoch(model, batches, loss_fn, optimizer, epoch, lambda step: None)
        with torch.no_grad():
            by_hand.run_epoch(network.step, same, epoch)
        pairs = zip(model.parameters(), network.parameters, strict=True)
        found.append(max((ours - other).abs().max().item() for ours, other in pairs))
    assert max(found) < 1e-5
    assert losses("by_hand", "ff") == pytest.approx(losses("ours", "ff"), rel=1e-6)


def test_the_step_that_is_compiled_is_that_of_the_loop():
    """The function itself, before it is compiled, which takes minutes: that is done at night."""
    (model, batches, loss_fn, optimizer), (network, _) = two_networks()
    network.step = one_graph.Compiled(network, compiler=lambda step, **_: step).step
    with torch.no_grad():
        mean = by_hand.run_epoch(network.step, batches, 1)
    assert mean == pytest.approx(ours_engine.train_one_epoch(model, batches, loss_fn, optimizer))
    for ours, other in zip(model.parameters(), network.parameters, strict=True):
        assert torch.allclose(ours, other, atol=1e-5)


@pytest.mark.nightly
@pytest.mark.parametrize("wrapper", ["python", "cpp"])
def test_one_compiled_graph_reaches_our_losses(wrapper):
    assert losses("one_graph", "ff", wrapper=wrapper) == pytest.approx(
        losses("ours", "ff"), rel=1e-5
    )


@pytest.mark.parametrize(("name", "said"), [("imports", "fmnist_utils"), ("help", "reproduce")])
def test_what_is_timed_at_the_start_runs(name, said, capsys):
    with contextlib.suppress(SystemExit):
        exec(bench.COMMANDS[name], {})
    assert said in capsys.readouterr().out
