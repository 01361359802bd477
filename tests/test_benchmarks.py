"""The benchmark: engines that do the same work, ratios within each turn, a file that the page of the book can be made of."""

import csv
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import fmnist_utils.data
from fmnist_utils.models import build_model
from fmnist_utils.runs import RunStore
from fmnist_utils.training import Batches

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "book")]

import bench
import measure
import scaling
import speed
import writing
from engines import ours as ours_engine
from engines import plain
from workloads import WORKLOADS, Data, Job, read

RANDOM = np.random.default_rng(0)
DATA = Data(RANDOM.integers(0, 255, (250, 28, 28), dtype=np.uint8, endpoint=True), RANDOM.integers(0, 10, 250, dtype=np.uint8))


def rows_of(path: Path) -> list[list[str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def losses(engine: str, name: str, epochs: int = 2, data: Data = DATA, **options) -> list[float]:
    return measure.train(engine, name, data, epochs, 0, options)["losses"]


@pytest.mark.parametrize("engine", ["ours", "tutorial"])
def test_an_engine_trains_on_every_image_once_an_epoch(engine, monkeypatch):
    seen = []
    original = torch.nn.Linear.forward

    def forward(layer, inputs):
        if layer.in_features == 784:
            seen.append((len(inputs), inputs.max().item()))
        return original(layer, inputs)

    monkeypatch.setattr(torch.nn.Linear, "forward", forward)
    first, second = losses(engine, "ff")
    assert [size for size, _ in seen] == [100, 100, 50] * 2
    assert max(pixel for _, pixel in seen) == 1
    assert second < first


def skip_where_pytorch_draws_in_another_way(name: str) -> None:
    """Skip the test on Intel's processors if the network has dropout: there PyTorch's masks are not ours."""
    torch.manual_seed(0)
    plain_mask = torch.empty(1000).bernoulli_(0.3).bool()
    torch.manual_seed(0)
    if "dropout" in WORKLOADS[name].sizes and not torch.equal(plain_mask, torch.rand(1000, dtype=torch.float64) < 0.3):
        pytest.skip("on this processor PyTorch draws in another way")


def both_networks(name: str) -> tuple[nn.Module, nn.Module]:
    """Return our network and that of the peers, with the weights that ours begins with."""
    torch.manual_seed(0)
    ours, theirs = build_model(WORKLOADS[name].model, **WORKLOADS[name].sizes), plain.NETWORKS[name]()
    with torch.no_grad():
        for mine, its in zip(ours.parameters(), theirs.parameters(), strict=True):
            its.copy_(mine)
    return ours, theirs


@pytest.mark.parametrize("name", WORKLOADS)
def test_the_network_of_the_peers_is_ours(name):
    skip_where_pytorch_draws_in_another_way(name)
    images = torch.rand(4, 1, 28, 28)
    found = []
    for model in both_networks(name):
        torch.manual_seed(0)
        found.append(model.train()(images))  # batch norm and dropout at work
    assert torch.allclose(*found, atol=1e-6)


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
@pytest.mark.parametrize("engine", ["with_lightning", "with_skorch", "keras_jax", "flax_jit"])
def test_a_peer_reaches_the_same_loss(engine, name):
    package = {"with_lightning": "lightning", "with_skorch": "skorch", "keras_jax": "keras", "flax_jit": "flax"}[engine]
    if not importlib.util.find_spec(package):  # without importing it: Keras would take another backend
        pytest.skip(f"{package} is not installed; make bench installs it")
    assert losses(engine, name, epochs=1)[0] == pytest.approx(losses("tutorial", name, epochs=1)[0], rel=0.1)


def test_every_engine_has_its_file_and_its_package_in_the_extra():
    extra = (ROOT / "benchmarks" / "requirements.lock").read_text()
    for package, module, _ in bench.ENGINES.values():
        assert (ROOT / "benchmarks" / "engines" / f"{module}.py").exists()
        assert f"\n{package}==" in extra


@pytest.mark.parametrize("options", [{"without": "resident"}, {"without": "channels_last"}, {"without": "fused"}, {}])
def test_undoing_a_choice_changes_the_time_and_not_the_work(options):
    assert losses("ours", "cnn3", epochs=1, **options)[0] == pytest.approx(losses("ours", "cnn3", epochs=1)[0], rel=1e-3)


def test_shares_of_the_profile_add_up_and_the_products_are_in_it():
    shares = measure.profile("cnn3", DATA, 0)
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["convolution"] > 0.05 and shares["normalization"] > 0 and shares["optimizer"] > 0


def test_operations_are_those_of_the_network():
    """ff: 784·128 + 128·64 + 64·10 products; backward as many for the weights, and for all inputs but the images."""
    weights = np.array([784 * 128, 128 * 64, 64 * 10])
    expected = 2 * 100 * (2 * weights.sum() + weights[1:].sum())
    assert measure.operations("ff", DATA) == {"convolution": 0, "gemm": pytest.approx(expected / 1e9)}


def run(engine: str, turn: int, seconds: float, loss: float = 0.5, peak_mb: float = 700) -> dict:
    made = {"workload": "ff", "engine": engine, "turn": turn, "images": 30_000}
    if engine == "ours, ten seeds":
        return made | {"seconds": [None, seconds]}
    return made | {"seconds": [99.0, seconds, seconds], "losses": [1.0, loss], "peak_mb": peak_mb}


def test_ratios_are_taken_within_each_turn_and_the_first_epoch_is_not_counted():
    seconds = {"ours": [1.0, 2.0, 1.0], "tutorial": [4.0, 10.0, 6.0], "flax": [1.0, 1.0, 2.0], "ours, ten seeds": [5, 5, 5]}
    runs = [run(engine, turn, value) for engine, values in seconds.items() for turn, value in enumerate(values)]
    rows = {row["engine"]: row for row in bench.summarize(runs)}
    assert rows["ours"]["seconds"] == {"median": 2.0, "min": 2.0, "max": 4.0, "n": 3}  # of 60,000 images
    assert rows["ours"]["than_tutorial"] == {"median": 5.0, "min": 4.0, "max": 6.0, "n": 3}
    assert rows["ours"]["than_best_peer"]["median"] == 1.0  # flax, the faster of the two
    assert rows["flax"]["than_ours"]["median"] == 1.0 and "than_best_peer" not in rows["flax"]
    assert rows["ours, ten seeds"]["than_tutorial"]["median"] == 12.0
    assert "5.00" in bench.table({"summary": bench.summarize(runs), **ABOUT})


ABOUT = {
    "hardware": {"cpu": "a processor", "cores": 2, "memory_gib": 16},
    "date": "2026-01-02T03:04:05+00:00",
    "versions": {"python": "3.11", "torch": "2.15"},
    "data": "synthetic",
}


def test_losses_agree_within_the_noise_of_their_seeds_and_not_beyond():
    ours = [run("ours", turn, 1.0, loss) for turn, loss in enumerate([0.50, 0.52, 0.48, 0.51, 0.49])]
    near, far = ([run("flax", turn, 1.0, one["losses"][-1] + shift) for turn, one in enumerate(ours)] for shift in (0.01, 0.1))
    assert bench.agree(near, ours) is True
    assert bench.agree(far, ours) is False
    assert bench.agree(near[:1], ours) is None


class FakeBench(bench.Bench):
    """Answers at once, in the form of ``measure.py``; the tutorial's loop takes five times as long."""

    def start(self, *words, **options):
        return words, options

    def run(self, *words, **options):
        return fake_finish((words, options))


def fake_finish(child):
    (engine, *_), options = child
    answers = {
        "save": {"data": "synthetic"},
        "rates": {f"{kind}_{precision}": 50.0 for kind in ("gemm", "convolution") for precision in ("float32", "bfloat16")},
        "operations": {"gemm": 0.05, "convolution": 0.0},
        "profile": dict.fromkeys((*measure.KINDS, "rest"), 1 / 9),
    }
    if engine in answers:
        return answers[engine]
    seconds = [options["images"] * (5e-5 if engine == "tutorial" else 1e-5)] * options["epochs"]
    seeds = options.get("seed", [0]) if isinstance(options.get("seed", 0), list) else [0]
    ended = 1e9 + sum(seconds) * len(seeds)
    losses = [0.5 + RANDOM.normal(0, 0.01)] * len(seconds)
    return [{"seconds": seconds, "losses": losses, "peak_mb": 700.0, "ended": ended} for _ in seeds]


@pytest.fixture
def result(monkeypatch):
    monkeypatch.setattr(bench, "Bench", FakeBench)
    monkeypatch.setattr(bench, "finish", fake_finish)
    monkeypatch.setattr(bench, "seconds_of", lambda command, environment: 0.1)
    monkeypatch.setitem(bench.ENGINES, "flax", ("no_such_package", "flax_jit", []))
    chosen = bench.parse(["--engines", "ours", "ours, bfloat16", "tutorial", "flax", "--repetitions", "2"])
    return json.loads(json.dumps(bench.measure_all(chosen), allow_nan=False))


def test_a_whole_benchmark_becomes_a_file_a_table_and_a_picture(result, tmp_path):
    assert result["missing"] == ["flax"]
    ours = next(row for row in result["summary"] if row["engine"] == "ours")
    assert ours["than_tutorial"]["median"] == pytest.approx(5)
    assert result["linearity"]["epochs"] == {factor: pytest.approx(1) for factor in ("1", "2", "4", "8")}
    assert result["linearity"]["images"]["8"] == pytest.approx(1)
    # 600 steps of 0.05 GFLOP at 50 GFLOP/s are the whole 0.6 s that ours is said to take
    assert result["limits"]["ff"]["float32"] == pytest.approx(1)
    bench.draw(result, tmp_path / "speed.png")
    assert (tmp_path / "speed.png").stat().st_size > 5000


@pytest.mark.parametrize("lang", ["es", "en"])
def test_the_tables_of_the_page_show_what_was_measured(result, lang, tmp_path):
    (tmp_path / "speed.json").write_text(json.dumps(result))
    speed.write(tmp_path, lang, tmp_path)
    engines = (tmp_path / "speed_engines.csv").read_text("utf-8").splitlines()
    assert sum("5.00" in line for line in engines) == 3  # the tutorial's loop, in three networks
    assert writing.NOT_MEASURED[lang] in engines[-1] and "Flax" in engines[-1]
    assert "11 %" in (tmp_path / "speed_profile.csv").read_text("utf-8")
    assert result["hardware"]["cpu"] in (tmp_path / "speed_made_with.csv").read_text("utf-8")
    assert_headers_fit(lang, tmp_path)


def test_precisions_are_compared_where_both_have_runs(monkeypatch):
    store = RunStore()
    known = speed.precision_rows(store)
    assert all(len(row) == 5 and "n = " in row[-1] for row in known) and known[0][0].startswith("3: ")
    monkeypatch.setattr(speed.audit, "estimate", lambda *_: None)
    assert speed.precision_rows(store) == []


@pytest.mark.parametrize("lang", ["es", "en"])
def test_a_page_without_measurements_says_so(lang, tmp_path):
    speed.write(tmp_path, lang, tmp_path)
    assert writing.NOT_MEASURED[lang] in (tmp_path / "speed_engines.csv").read_text("utf-8")
    assert (tmp_path / "speed.png").exists()


def assert_headers_fit(lang: str, folder: Path) -> None:
    """Every table of the page has as many columns as its header names."""
    page = (ROOT / "book" / lang / "speed.md").read_text("utf-8")
    blocks = [block.split("\n") for block in page.split(":::{csv-table}\n")[1:]]
    assert len(blocks) == len(list(folder.glob("speed_*.csv")))
    for file, header, *_ in blocks:
        first = (folder / file.removeprefix(":file: ")).read_text("utf-8").splitlines()[0]
        assert len(next(csv.reader([first]))) == len(header.removeprefix(":header: ").split(", ")), file


def test_data_are_laid_for_the_engines_and_read_again(tmp_path, monkeypatch):
    arrays = SimpleNamespace(train_images=DATA.images, train_labels=DATA.labels, source="synthetic")
    monkeypatch.setattr(fmnist_utils.data, "load_arrays", lambda source: arrays)
    assert measure.save(tmp_path, "auto") == {"data": "synthetic"}
    images, labels = read(tmp_path, 10)
    assert np.array_equal(images, DATA.images[:10]) and np.array_equal(labels, DATA.labels[:10])


def test_the_benchmark_itself_imports_nothing_heavy():
    """A child's peak memory begins with that of its parent."""
    code = "import sys, bench; print(sorted({'torch', 'jax', 'pandas', 'matplotlib'} & set(sys.modules)))"
    made = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "benchmarks", capture_output=True, text=True, check=True)
    assert made.stdout == "[]\n"


def test_importing_a_job_costs_no_engine():
    assert Job._fields == ("name", "workload", "data", "epochs", "seed", "on_epoch")
    assert importlib.util.find_spec("engines.ours")


def test_the_sweep_is_timed_and_projected(monkeypatch):
    import bench_sweep

    took = {1: 120.0, 2: 70.0}
    monkeypatch.setattr(bench_sweep, "measure", lambda work, hands: (took[hands], [9.0] * len(work)))
    rows = bench_sweep.scaling(bench_sweep.recipes(12, 2, "synthetic"), [1, 2], repetitions=2)
    assert rows["1"]["projected"] == pytest.approx(120) and rows["1"]["start_up"] == pytest.approx(1)
    assert rows["2"]["projected"] == pytest.approx(60) and rows["2"]["speed_up"] == pytest.approx(120 / 70)
    outlook = bench_sweep.projection(1000, 64)
    quiet, assumed, rough = (row["hours"] for row in outlook.values())
    assert 0.95 * quiet < assumed < rough  # another order of the runs may gain a little
    assert all(row["hours"] > row["hours_alone"] / 64 for row in outlook.values())


@pytest.mark.parametrize(("lang", "first"), [("es", "no pasa nada"), ("en", "nothing happens")])
def test_the_tables_of_scaling_are_those_of_the_page(monkeypatch, tmp_path, lang, first):
    import bench_sweep

    scaling.write(tmp_path, lang, tmp_path)
    assert rows_of(tmp_path / "scaling_measured.csv") == [[writing.NOT_MEASURED[lang]]]
    monkeypatch.setattr(bench_sweep, "measure", lambda work, hands: (120.0 / hands, [9.0] * len(work)))
    arguments = ["bench", "--source", "synthetic", "--hands", "1", "2", "--output", str(tmp_path / "scaling.json")]
    monkeypatch.setattr(sys, "argv", arguments)
    bench_sweep.main()
    scaling.write(tmp_path, lang, tmp_path)
    tables = {name: rows_of(tmp_path / f"scaling_{name}.csv") for name in ("measured", "projected", "made_with")}
    assert tables["measured"] == [["1", "120.0", "1.00", "120.0"], ["2", "60.0", "2.00", "60.0"]]
    assert tables["projected"][0][:3] == [first, "0", "0 %"] and len(tables["projected"]) == 3
    assert tables["made_with"][0][0] == "12" and tables["made_with"][0][2] == "1.0"
    page = (ROOT / "book" / lang / "how_to_run.md").read_text("utf-8")
    for name, rows in tables.items():
        header = re.search(rf":file: scaling_{name}.csv\n:header: (.*)", page)[1]
        assert all(len(row) == header.count(", ") + 1 for row in rows)
