"""A benchmark: ratios within each turn, failures, and a file that the page is made of."""

import csv
import json
import sys
from pathlib import Path

import bench
import measure
import numpy as np
import processes
import pytest
from processes import Bench, EngineFailed
from workloads import ENGINES, SEEDS, TEN

from book.machinery.generated import speed, writing
from book.machinery.pages import ROOT
from fmnist_utils.workshop.store import RunStore


def rows_of(path: Path) -> list[list[str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


RANDOM = np.random.default_rng(0)


def run(engine: str, turn: int, seconds: float, loss: float = 0.5, peak_mb: float = 700) -> dict:
    made = {"workload": "ff", "engine": engine, "turn": turn, "images": 30_000, "peak_mb": peak_mb}
    if engine == TEN:
        return made | {"seconds": [None, seconds], "losses": [[1.0, loss]] * SEEDS}
    return made | {"seconds": [99.0, seconds, seconds], "losses": [1.0, loss]}


def test_ratios_are_taken_within_each_turn_and_the_first_epoch_is_not_counted():
    seconds = {"ours": [1, 2, 1], "tutorial": [4, 10, 6], "flax": [1, 1, 2], TEN: [5, 5, 5]}
    runs = [run(name, turn, float(seconds[name][turn])) for name in seconds for turn in range(3)]
    rows = {row["engine"]: row for row in bench.summarize(runs)}
    # Of 60,000 images.
    assert rows["ours"]["seconds"] == {"median": 2.0, "min": 2.0, "max": 4.0, "n": 3}
    assert rows["ours"]["than_tutorial"] == {"median": 5.0, "min": 4.0, "max": 6.0, "n": 3}
    assert rows["ours"]["than_best_peer"]["median"] == 1.0  # flax, the faster of the two
    assert rows["flax"]["than_ours"]["median"] == 1.0 and "than_best_peer" not in rows["flax"]
    assert rows[TEN]["than_tutorial"]["median"] == 12.0
    assert rows[TEN]["memory_ratio"]["median"] == 1 and rows[TEN]["agrees"] is True
    failed = {"ff, skorch": "ended with 1\nno room"}
    text = bench.table({"summary": bench.summarize(runs), "failed": failed, **ABOUT})
    assert "5.00" in text and "0.0 of 2.0  yes" in text
    assert text.endswith("failed: ff, skorch: no room")


ABOUT = {
    "hardware": {"cpu": "a processor", "cores": 2, "memory_gib": 16},
    "date": "2026-01-02T03:04:05+00:00",
    "versions": {"python": "3.11", "torch": "2.15"},
    "data": "sample",
}


def test_losses_agree_within_the_noise_of_their_seeds_and_not_beyond():
    losses = [0.50, 0.52, 0.48, 0.51, 0.49]
    ours = [run("ours", turn, 1.0, loss) for turn, loss in enumerate(losses)]
    shifts = {"flax": 0.01, "skorch": 0.1, "lightning": 0.0}
    others = [
        run(engine, one["turn"], 1.0, one["losses"][-1] + shift)
        for engine, shift in shifts.items()
        for one in ours
    ]
    for one in others[-5:]:
        one["losses"][0] = 1.1  # at the end they agree, and they came another way
    rows = {row["engine"]: row for row in bench.summarize([*ours, *others])}
    assert [rows[engine]["agrees"] for engine in shifts] == [True, False, False]
    # The standard error of each is sqrt(0.00025 / 5), that of their difference sqrt(2) as much
    gap = rows["flax"]["gap"]
    assert gap["difference"] == pytest.approx(0.02)
    assert gap["tolerance"] == pytest.approx(4 * 0.01 / 0.5)
    [few] = bench.summarize(ours[:2])
    assert few["agrees"] is None and few["gap"] is None


WORK = ("gemm", "convolution")


def bench_of(tmp_path: Path, limit: float = 60) -> Bench:
    return Bench(str(tmp_path), limit)


@pytest.mark.parametrize(
    ("code", "limit", "reason"),
    [
        ("import sys; sys.exit('no room')", 60, "ended with 1\nno room"),
        ("import time; print(flush=True); time.sleep(600)", 3, "took longer than 3 s"),
    ],
)
def test_a_process_that_fails_takes_those_beside_it_along(code, limit, reason, tmp_path):
    # With a process of its own, which holds its pipes.
    beside = "import subprocess; subprocess.run(['sleep', '600'])"
    made = bench_of(tmp_path, limit)
    children = [made.child([sys.executable, "-c", program]) for program in (code, beside)]
    with pytest.raises(EngineFailed, match=reason):
        made.outputs(children)
    assert all(child.returncode is not None and child.stdout.closed for child in children)
    assert children[1].returncode == -9


def test_what_prints_no_result_has_failed_and_is_not_tried_again(tmp_path):
    made, tried = bench_of(tmp_path), []

    def measure(output: str) -> object:
        tried.append(output)
        return bench.result_of(output)

    assert made.attempt("ff, flax", measure, "a warning\n[1]\n") == [1]
    assert made.attempt("ff, flax", measure, "") is None
    assert made.failed == {"ff, flax": "printed no result"}
    assert made.attempt("ff, flax", measure, "[1]") is None and len(tried) == 2


class FakeBench(Bench):
    """Its processes are only what they would be asked."""

    def child(self, command):
        return command

    def start(self, *words, **options):
        return words, options


def fake_finish(child, until):
    """Answer at once, as ``measure.py``: the tutorial is five times as slow, skorch fails."""
    if isinstance(child, list):
        return json.dumps({"torch": 1.0, "fmnist_utils": 0.2})
    (engine, *words), options = child
    if engine == "with_skorch" and "convae" in words:
        raise EngineFailed("no room")
    kinds = [f"{kind}_{digits}" for kind in WORK for digits in ("float32", "bfloat16")]
    shares = dict.fromkeys((*measure.KINDS, "rest"), 0.1)
    answers = {
        "save": {"data": "sample"},
        "rates": dict.fromkeys(kinds, 50.0),
        "operations": {"gemm": 0.05, "convolution": 0.0},
        "profile": {"shares": shares, "seconds": 1.0, "profiled_seconds": 2.0},
    }
    if engine in answers:
        return json.dumps(answers[engine])
    seconds = [options["images"] * (5e-5 if engine == "tutorial" else 1e-5)] * options["epochs"]
    seeds = options["seed"] if isinstance(options.get("seed"), list) else [0]
    assert seeds, "an empty share"
    ended = 1e9 + sum(seconds) * len(seeds)
    losses = [0.5 + RANDOM.normal(0, 0.01)] * len(seconds)
    one = {"seconds": seconds, "losses": losses, "peak_mb": 700.0, "ended": ended}
    return json.dumps([one] * len(seeds))


@pytest.fixture
def fake(monkeypatch, tmp_path):
    """A benchmark without processes: call it for its result."""
    monkeypatch.setattr(bench, "Bench", FakeBench)
    monkeypatch.setattr(processes, "finish", fake_finish)
    monkeypatch.setattr(processes, "end", lambda child: None)
    for name, package in {"flax": "no_such_package", "skorch": "json"}.items():
        monkeypatch.setitem(ENGINES, name, ENGINES[name]._replace(package=package))
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
    with_skorch = [row["workload"] for row in result["summary"] if row["engine"] == "skorch"]
    assert sorted(with_skorch) == ["cnn3", "ff"]
    ours = next(row for row in result["summary"] if row["engine"] == "ours")
    assert ours["than_tutorial"]["median"] == pytest.approx(5)
    ratio = result["linearity"]["epochs"]["8"]
    assert ratio["median"] == pytest.approx(1)
    assert ratio["seconds"] == [pytest.approx(8 * 0.075)] * 2
    assert set(result["linearity"]["images"]) == {"1", "2", "4", "8"}
    choices = result["choices"]
    assert choices["ff"]["dropout"]["n"] == 2 and choices["ff"]["compiled"]["n"] == 1
    assert "channels_last" in choices["cnn3"]
    assert not {"channels_last", "pooling_first"} & set(choices["ff"])
    assert choices["ff"]["ours"]["seconds"] == [pytest.approx(0.6)] * 2
    # Of a quarter of its images.
    assert choices["cnn3"]["ours"]["seconds"] == [pytest.approx(0.025)] * 2
    assert result["start"]["imports"]["fmnist_utils"]["median"] == 0.2
    # 600 steps of 0.05 GFLOP at 50 GFLOP/s are the whole 0.6 s that ours is said to take
    assert result["limits"]["ff"]["float32"] == pytest.approx(1)
    bench.draw(result, tmp_path / "speed.png")
    assert (tmp_path / "speed.png").exists()


def test_a_benchmark_in_which_all_fails_still_has_a_table_a_picture_and_a_page(
    fake, monkeypatch, tmp_path
):
    def finish(child, until):
        if isinstance(child, tuple) and child[0][0] in ("save", "rates"):
            return fake_finish(child, until)
        raise EngineFailed("no room")

    monkeypatch.setattr(processes, "finish", finish)
    made = fake()
    for part in ("cnn3, ours", "ff, ours, ten seeds", "ff, profile", "ff, 8 eighths of the images"):
        assert part in made["failed"]
    assert made["summary"] == [] and "failed: cnn3, ours: no room" in bench.table(made)
    bench.draw(made, tmp_path / "drawn.png")
    (tmp_path / "speed.json").write_text(json.dumps(made))
    monkeypatch.setattr(speed, "MEASURED", tmp_path / "speed.json")
    speed.write(tmp_path, "en", {})
    assert ["ff", speed.ENGINES["ours"]["en"], "not measured", *"––––"] in rows_of(
        tmp_path / "speed_engines.csv"
    )
    assert_headers_fit("en", tmp_path)


def test_nothing_is_trained_in_bfloat16_where_it_is_slower(fake, monkeypatch):
    def finish(child, until):
        assert not {"precision=bfloat16", "extra=bfloat16"} & set(child[0])
        if child[0] == ("rates",):
            rates = {"gemm_float32": 50.0, "convolution_float32": 50.0, "gemm_bfloat16": 2.0}
            return json.dumps(rates)
        return fake_finish(child, until)

    monkeypatch.setattr(processes, "finish", finish)
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
    # Ours, in two precisions, skorch and the tutorial's loop.
    assert sum(line.count("5.00") for line in engines) == 11
    assert absent in engines[-1] and "Flax" in engines[-1]
    assert engines[-2].startswith(f"convae,skorch,{absent}")
    assert "10 %" in (tmp_path / "speed_profile.csv").read_text("utf-8")
    assert result["hardware"]["cpu"] in (tmp_path / "speed_made_with.csv").read_text("utf-8")
    targets = rows_of(tmp_path / "speed_targets.csv")
    aims = ["8", "1", "2.5", "1.5", "2", "1.5", "4", "14", "1.5", "1"]
    assert [row[1] for row in targets] == aims
    assert targets[0][2:] == ["5.00", "**no**"]
    assert targets[2][2:] == ["5.00", speed.ANSWERS[True][lang]]
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
    assert all(len(row) == 5 and "n = " in row[-1] for row in known)
    assert known[0][0].startswith("3: ")
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
        columns = header.removeprefix(":header: ").split(", ")
        assert len(rows_of(folder / file.removeprefix(":file: "))[0]) == len(columns), file
