"""The benchmark: engines that do the same work, ratios within each turn, a file that the page of the book can be made of."""

import csv
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import fmnist_utils.data
from fmnist_utils.models import build_model
from fmnist_utils.training import Batches
from fmnist_utils.workshop.fast import FastDropout
from fmnist_utils.workshop.store import RunStore

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "benchmarks")]

import bench
import measure
from engines import ours as ours_engine
from engines import plain
from workloads import WORKLOADS, Data, Job, read

from book.machinery.generated import speed, writing

RANDOM = np.random.default_rng(0)
DATA = Data(
    RANDOM.integers(0, 255, (250, 28, 28), dtype=np.uint8, endpoint=True),
    RANDOM.integers(0, 10, 250, dtype=np.uint8),
)


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
    if "dropout" in WORKLOADS[name].sizes and not torch.equal(
        plain_mask, torch.rand(1000, dtype=torch.float64) < 0.3
    ):
        pytest.skip("on this processor PyTorch draws in another way")


def both_networks(name: str) -> tuple[nn.Module, nn.Module]:
    """Return our network and that of the peers, with the weights that ours begins with."""
    torch.manual_seed(0)
    ours, theirs = (
        build_model(WORKLOADS[name].model, **WORKLOADS[name].sizes),
        plain.NETWORKS[name](),
    )
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
    package = {
        "with_lightning": "lightning",
        "with_skorch": "skorch",
        "keras_jax": "keras",
        "flax_jit": "flax",
    }[engine]
    if not importlib.util.find_spec(
        package
    ):  # without importing it: Keras would take another backend
        pytest.skip(f"{package} is not installed; make bench installs it")
    assert losses(engine, name, epochs=1)[0] == pytest.approx(
        losses("tutorial", name, epochs=1)[0], rel=0.1
    )


def test_every_engine_has_its_file_and_its_package_in_the_extra():
    extra = (ROOT / "benchmarks" / "requirements.lock").read_text()
    for package, module, _ in bench.ENGINES.values():
        assert (ROOT / "benchmarks" / "engines" / f"{module}.py").exists()
        assert f"\n{package}==" in extra


CASES = [
    ("cnn3", choice)
    for choice in (
        "resident",
        "channels_last",
        "pooling_first",
        "fused",
        "dropout",
        "",
    )
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
    """ff: 784·128 + 128·64 + 64·10 products; backward as many for the weights, and for all inputs but the images."""
    weights = np.array([784 * 128, 128 * 64, 64 * 10])
    expected = 2 * 100 * (2 * weights.sum() + weights[1:].sum())
    assert measure.operations("ff", DATA) == {
        "convolution": 0,
        "gemm": pytest.approx(expected / 1e9),
    }


def run(engine: str, turn: int, seconds: float, loss: float = 0.5, peak_mb: float = 700) -> dict:
    made = {"workload": "ff", "engine": engine, "turn": turn, "images": 30_000, "peak_mb": peak_mb}
    if engine == bench.TEN:
        return made | {"seconds": [None, seconds], "losses": [[1.0, loss]] * bench.SEEDS}
    return made | {"seconds": [99.0, seconds, seconds], "losses": [1.0, loss]}


def test_ratios_are_taken_within_each_turn_and_the_first_epoch_is_not_counted():
    seconds = {
        "ours": [1.0, 2.0, 1.0],
        "tutorial": [4.0, 10.0, 6.0],
        "flax": [1.0, 1.0, 2.0],
        "ours, ten seeds": [5, 5, 5],
    }
    runs = [
        run(engine, turn, value)
        for engine, values in seconds.items()
        for turn, value in enumerate(values)
    ]
    rows = {row["engine"]: row for row in bench.summarize(runs)}
    assert rows["ours"]["seconds"] == {
        "median": 2.0,
        "min": 2.0,
        "max": 4.0,
        "n": 3,
    }  # of 60,000 images
    assert rows["ours"]["than_tutorial"] == {"median": 5.0, "min": 4.0, "max": 6.0, "n": 3}
    assert rows["ours"]["than_best_peer"]["median"] == 1.0  # flax, the faster of the two
    assert rows["flax"]["than_ours"]["median"] == 1.0 and "than_best_peer" not in rows["flax"]
    assert rows["ours, ten seeds"]["than_tutorial"]["median"] == 12.0
    assert (
        rows["ours, ten seeds"]["memory_ratio"]["median"] == 1
        and rows["ours, ten seeds"]["agrees"] is True
    )
    text = bench.table(
        {
            "summary": bench.summarize(runs),
            "failed": {"ff, skorch": "ended with 1\nno room"},
            **ABOUT,
        }
    )
    assert (
        "5.00" in text
        and "0.0 of 2.0  yes" in text
        and text.endswith("failed: ff, skorch: no room")
    )


ABOUT = {
    "hardware": {"cpu": "a processor", "cores": 2, "memory_gib": 16},
    "date": "2026-01-02T03:04:05+00:00",
    "versions": {"python": "3.11", "torch": "2.15"},
    "data": "sample",
}


def test_losses_agree_within_the_noise_of_their_seeds_and_not_beyond():
    ours = [
        run("ours", turn, 1.0, loss) for turn, loss in enumerate([0.50, 0.52, 0.48, 0.51, 0.49])
    ]
    shifts = {"flax": 0.01, "skorch": 0.1, "lightning": 0.0}
    others = [
        run(engine, one["turn"], 1.0, one["losses"][-1] + shift)
        for engine, shift in shifts.items()
        for one in ours
    ]
    for one in others[-5:]:
        one["losses"][0] = 1.1  # at the end they agree, and they came another way
    rows = {row["engine"]: row for row in bench.summarize([*ours, *others])}
    assert {engine: rows[engine]["agrees"] for engine in shifts} == {
        "flax": True,
        "skorch": False,
        "lightning": False,
    }
    # The standard error of each is sqrt(0.00025 / 5), that of their difference sqrt(2) as much
    assert rows["flax"]["gap"] == {
        "difference": pytest.approx(0.02),
        "tolerance": pytest.approx(4 * 0.01 / 0.5),
    }
    [few] = bench.summarize(ours[:2])
    assert few["agrees"] is None and few["gap"] is None


def bench_of(tmp_path: Path, limit: float = 60) -> bench.Bench:
    return bench.Bench(str(tmp_path), limit)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import sys; sys.exit('no room')", "ended with 1\nno room"),
        ("import time; print(flush=True); time.sleep(60)", "took longer than 3 s"),
    ],
)
def test_a_process_that_fails_takes_those_beside_it_along(code, reason, tmp_path):
    beside = "import subprocess; subprocess.run(['sleep', '60'])"  # with a process of its own, which holds its pipes
    made = bench_of(tmp_path, limit=3)
    children = [made.child([sys.executable, "-c", each]) for each in (code, beside)]
    with pytest.raises(bench.EngineFailed, match=reason):
        made.outputs(children)
    assert all(child.returncode is not None and child.stdout.closed for child in children)
    assert children[1].returncode == -9


def test_what_prints_no_result_has_failed_and_is_not_tried_again(tmp_path):
    made, tried = bench_of(tmp_path), []

    def measure(output: str) -> object:
        tried.append(output)
        return bench.result_of(output)

    assert made.attempt("ff, flax", measure, "a warning\n[1]\n") == [1]
    assert made.attempt("ff, flax", measure, "") is None and made.failed == {
        "ff, flax": "printed no result"
    }
    assert made.attempt("ff, flax", measure, "[1]") is None and len(tried) == 2


class FakeBench(bench.Bench):
    """Its processes are only what they would be asked."""

    def child(self, command):
        return command

    def start(self, *words, **options):
        return words, options


def fake_finish(child, until):
    """Answer at once, in the form of ``measure.py``; the tutorial's loop takes five times as long, skorch fails on convae."""
    if isinstance(child, list):
        return json.dumps({"torch": 1.0, "fmnist_utils": 0.2})
    (engine, *words), options = child
    if engine == "with_skorch" and "convae" in words:
        raise bench.EngineFailed("no room")
    answers = {
        "save": {"data": "sample"},
        "rates": {
            f"{kind}_{precision}": 50.0
            for kind in ("gemm", "convolution")
            for precision in ("float32", "bfloat16")
        },
        "operations": {"gemm": 0.05, "convolution": 0.0},
        "profile": {
            "shares": dict.fromkeys((*measure.KINDS, "rest"), 0.1),
            "seconds": 1.0,
            "profiled_seconds": 2.0,
        },
    }
    if engine in answers:
        return json.dumps(answers[engine])
    seconds = [options["images"] * (5e-5 if engine == "tutorial" else 1e-5)] * options["epochs"]
    seeds = options["seed"] if isinstance(options.get("seed"), list) else [0]
    assert seeds, "an empty share"
    ended = 1e9 + sum(seconds) * len(seeds)
    losses = [0.5 + RANDOM.normal(0, 0.01)] * len(seconds)
    return json.dumps(
        [{"seconds": seconds, "losses": losses, "peak_mb": 700.0, "ended": ended} for _ in seeds]
    )


@pytest.fixture
def fake(monkeypatch, tmp_path):
    """A benchmark without processes: call it for its result."""
    monkeypatch.setattr(bench, "Bench", FakeBench)
    monkeypatch.setattr(bench, "finish", fake_finish)
    monkeypatch.setattr(bench, "end", lambda child: None)
    for name, package in {"flax": "no_such_package", "skorch": "json"}.items():
        monkeypatch.setitem(bench.ENGINES, name, (package, *bench.ENGINES[name][1:]))
    engines = ["ours", "ours, bfloat16", "tutorial", "skorch", "flax"]
    output = tmp_path / "made" / "speed.json"

    def measure_all() -> dict:
        chosen = bench.parse(["--engines", *engines, "--repetitions", "2", "--output", str(output)])
        result = json.loads(json.dumps(bench.measure_all(chosen), allow_nan=False))
        saved = json.loads(output.with_suffix(".part.json").read_text("utf-8"))
        assert saved == {name: part for name, part in result.items() if name != "minutes"}
        return result

    return measure_all


@pytest.fixture
def result(fake):
    return fake()


def test_a_whole_benchmark_becomes_a_file_a_table_and_a_picture(result, tmp_path):
    assert result["missing"] == ["flax"] and result["failed"] == {"convae, skorch": "no room"}
    assert {
        (row["workload"], row["engine"]) for row in result["summary"] if row["engine"] == "skorch"
    } == {
        ("ff", "skorch"),
        ("cnn3", "skorch"),
    }
    ours = next(row for row in result["summary"] if row["engine"] == "ours")
    assert ours["than_tutorial"]["median"] == pytest.approx(5)
    ratio = result["linearity"]["epochs"]["8"]
    assert (
        ratio["median"] == pytest.approx(1) and ratio["seconds"] == [pytest.approx(8 * 0.075)] * 2
    )
    assert set(result["linearity"]["images"]) == {"1", "2", "4", "8"}
    choices = result["choices"]
    assert choices["ff"]["dropout"]["n"] == 2 and choices["ff"]["compiled"]["n"] == 1
    assert "channels_last" in choices["cnn3"] and not {"channels_last", "pooling_first"} & set(
        choices["ff"]
    )
    assert choices["ff"]["ours"]["seconds"] == [pytest.approx(0.6)] * 2
    assert (
        choices["cnn3"]["ours"]["seconds"] == [pytest.approx(0.025)] * 2
    )  # of a quarter of its images
    assert result["start"]["imports"]["fmnist_utils"]["median"] == 0.2
    # 600 steps of 0.05 GFLOP at 50 GFLOP/s are the whole 0.6 s that ours is said to take
    assert result["limits"]["ff"]["float32"] == pytest.approx(1)
    bench.draw(result, tmp_path / "speed.png")
    assert (tmp_path / "speed.png").stat().st_size > 5000


def test_a_benchmark_in_which_all_fails_still_has_a_table_a_picture_and_a_page(
    fake, monkeypatch, tmp_path
):
    def finish(child, until):
        if isinstance(child, tuple) and child[0][0] in ("save", "rates"):
            return fake_finish(child, until)
        raise bench.EngineFailed("no room")

    monkeypatch.setattr(bench, "finish", finish)
    made = fake()
    assert {
        "cnn3, ours",
        "ff, ours, ten seeds",
        "ff, profile",
        "ff, 8 eighths of the images",
    } <= set(made["failed"])
    assert made["summary"] == [] and "failed: cnn3, ours: no room" in bench.table(made)
    bench.draw(made, tmp_path / "drawn.png")
    (tmp_path / "speed.json").write_text(json.dumps(made))
    monkeypatch.setattr(speed, "MEASURED", tmp_path / "speed.json")
    speed.write(tmp_path, "en", {})
    assert ["ff", speed.ENGINES["ours"]["en"], "not measured", *"––––"] in rows_of(
        tmp_path / "speed_engines.csv"
    )
    assert_headers_fit("en", tmp_path)


def test_ten_seeds_are_shared_by_no_more_processes_than_seeds(fake, monkeypatch):
    monkeypatch.setattr(
        bench.os, "sched_getaffinity", lambda process: set(range(16)), raising=False
    )
    made = fake()
    [ten] = [each for each in made["runs"] if each["engine"] == bench.TEN and each["turn"] == 1]
    assert len(ten["processes"]) == len(ten["losses"]) == 10 and ten["peak_mb"] == 7000
    assert made["hardware"]["cores"] == 16 and set(made["linearity"]["jobs"]) == {
        "1",
        "2",
        "4",
        "8",
    }


def test_nothing_is_trained_in_bfloat16_where_it_is_slower(fake, monkeypatch):
    def finish(child, until):
        assert not {"precision=bfloat16", "extra=bfloat16"} & set(child[0])
        if child[0] == ("rates",):
            return json.dumps(
                {"gemm_float32": 50.0, "convolution_float32": 50.0, "gemm_bfloat16": 2.0}
            )
        return fake_finish(child, until)

    monkeypatch.setattr(bench, "finish", finish)
    made = fake()
    assert made["failed"]["cnn3, ours, bfloat16"] == made["failed"]["ff, bfloat16"] == bench.SLOWER
    assert "bfloat16" not in made["choices"]["ff"] and list(made["limits"]["ff"]) == ["float32"]


@pytest.mark.parametrize("lang", ["es", "en"])
def test_the_tables_of_the_page_show_what_was_measured(result, lang, tmp_path, monkeypatch):
    (tmp_path / "speed.json").write_text(json.dumps(result))
    monkeypatch.setattr(speed, "MEASURED", tmp_path / "speed.json")
    speed.write(tmp_path, lang, {})
    engines = (tmp_path / "speed_engines.csv").read_text("utf-8").splitlines()
    absent = writing.NOT_MEASURED[lang]
    assert (
        sum(line.count("5.00") for line in engines) == 11
    )  # ours, in two precisions, skorch and the tutorial's loop
    assert (
        absent in engines[-1]
        and "Flax" in engines[-1]
        and engines[-2].startswith(f"convae,skorch,{absent}")
    )
    assert "10 %" in (tmp_path / "speed_profile.csv").read_text("utf-8")
    assert result["hardware"]["cpu"] in (tmp_path / "speed_made_with.csv").read_text("utf-8")
    targets = rows_of(tmp_path / "speed_targets.csv")
    assert [row[1] for row in targets] == ["8", "1", "2.5", "1.5", "2", "1.5", "4", "14", "1.5"]
    assert targets[0][2:] == ["5.00", "**no**"] and targets[2][2:] == [
        "5.00",
        speed.ANSWERS[True][lang],
    ]
    assert rows_of(tmp_path / "speed_rates.csv")[0][1:] == ["50", "50"]
    assert rows_of(tmp_path / "speed_start.csv")[1][1] == "0.20"
    assert_headers_fit(lang, tmp_path)


@pytest.mark.parametrize("lang", ["es", "en"])
def test_the_measurements_of_the_page_make_all_its_tables(lang, tmp_path):
    speed.write(tmp_path, lang, {})
    assert_headers_fit(lang, tmp_path)
    for name in ("engines", "targets", "rates", "growth"):
        shown = [cell for row in rows_of(tmp_path / f"speed_{name}.csv") for cell in row]
        assert writing.NOT_MEASURED[lang] not in shown, name


def test_precisions_are_compared_where_both_have_runs(monkeypatch):
    store = RunStore()
    known = speed.precision_rows(store)
    assert all(len(row) == 5 and "n = " in row[-1] for row in known) and known[0][0].startswith(
        "3: "
    )
    monkeypatch.setattr(speed.audit, "estimate", lambda *_: None)
    assert speed.precision_rows(store) == []


@pytest.mark.parametrize("lang", ["es", "en"])
def test_a_page_without_measurements_says_so(lang, tmp_path, monkeypatch):
    monkeypatch.setattr(speed, "MEASURED", tmp_path / "speed.json")
    speed.write(tmp_path, lang, {})
    assert writing.NOT_MEASURED[lang] in (tmp_path / "speed_engines.csv").read_text("utf-8")
    assert (tmp_path / "speed.png").exists()


def assert_headers_fit(lang: str, folder: Path) -> None:
    """Every table of the page has as many columns as its header names."""
    page = (ROOT / "book" / lang / "speed.md").read_text("utf-8")
    blocks = [block.split("\n") for block in page.split(":::{csv-table}\n")[1:]]
    assert len(blocks) == len(list(folder.glob("speed_*.csv")))
    for file, header, *_ in blocks:
        first = (folder / file.removeprefix(":file: ")).read_text("utf-8").splitlines()[0]
        assert len(next(csv.reader([first]))) == len(
            header.removeprefix(":header: ").split(", ")
        ), file


def test_data_are_laid_for_the_engines_and_read_again(tmp_path, monkeypatch):
    arrays = (DATA.images, DATA.labels, None, None)
    monkeypatch.setattr(fmnist_utils.data, "load_arrays", lambda source: arrays)
    assert measure.save(tmp_path, "sample") == {"data": "sample"}
    images, labels = read(tmp_path, 10)
    assert np.array_equal(images, DATA.images[:10]) and np.array_equal(labels, DATA.labels[:10])


def test_the_benchmark_itself_imports_nothing_heavy():
    """A child's peak memory begins with that of its parent."""
    code = "import sys, bench; print(sorted({'torch', 'jax', 'pandas', 'matplotlib'} & set(sys.modules)))"
    made = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT / "benchmarks",
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout == "[]\n"


def test_importing_a_job_costs_no_engine():
    assert Job._fields == ("name", "workload", "data", "epochs", "seed", "on_epoch")
    assert importlib.util.find_spec("engines.ours")
