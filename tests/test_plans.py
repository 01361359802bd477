"""Plans: what a file asks for, what is refused, what it will cost."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from small_runs import make

from fmnist_utils.audit.schema import load_report
from fmnist_utils.text import UserError
from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.plans import estimate, longest_first, read_plan
from fmnist_utils.workshop.store import RunStore

HOW_TO_RUN = sorted((Path(__file__).parents[1] / "book").glob("*/how_to_run.md"))
RECIPE = json.loads(make().canonical_json)


@pytest.fixture
def plan(tmp_path):
    """A function that writes a plan with these entries and reads it."""

    def read(*entries):
        path = tmp_path / "plan.yaml"
        path.write_text(yaml.safe_dump({"runs": list(entries)}))
        return read_plan(path)

    return read


def test_a_grid_over_a_group_with_its_seeds_and_folds(plan):
    grid = {"learning_rate": [0.01, 0.001], "model.dropout": [0.0, 0.5]}
    varied = {"grid": grid, "set": {"num_epochs": 3}, "seeds": 2, "folds": [0, 4]}
    recipes = plan({"report": "01", "group": "model_2", **varied})
    assert len(recipes) == 16
    assert {(r.learning_rate, r.model.dropout, r.seed, r.data.fold) for r in recipes} == {
        (rate, dropout, seed, fold)
        for rate in (0.01, 0.001)
        for dropout in (0.0, 0.5)
        for seed in (0, 1)
        for fold in (0, 4)
    }
    base = load_report("01").recipe("model_2", "ours")
    assert {recipe.num_epochs for recipe in recipes} == {3}
    assert recipes[0] == base.but({"model.dropout": 0.0}, num_epochs=3, learning_rate=0.01)


def test_a_group_means_what_the_report_means_seed_by_seed(plan):
    report = load_report("03")
    group = next(name for name, group in report.groups.items() if group.encoder_from)
    protocol = report.groups[group].protocols[0]
    recipes = plan({"report": "03", "group": group, "protocol": protocol, "seeds": [0, 1]})
    assert recipes == [report.recipe(group, protocol, seed) for seed in (0, 1)]
    assert [recipe.encoder_from.seed for recipe in recipes] == [0, 1]


def test_a_whole_report(plan):
    every = {recipe for recipes in load_report("01").all_recipes().values() for recipe in recipes}
    assert set(plan({"report": "01"})) == every


def test_each_run_once_whoever_asks(plan):
    recipes = plan({"recipe": RECIPE, "seeds": 3}, {"recipe": RECIPE, "seeds": [2, 3]})
    assert [recipe.seed for recipe in recipes] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("entry", "parts"),
    [
        ({}, ["report or recipe"]),
        ({"report": "01", "recipe": RECIPE}, ["exactly one"]),
        ({"report": "01", "page": "01"}, ["page:", "seeds"]),
        ({"recipe": RECIPE, "group": "model_2"}, ["group: allowed only together with report"]),
        ({"report": "01", "protocol": "ours"}, ["group"]),
        ({"report": "01", "seeds": 3}, ["seeds: allowed only together with group"]),
        ({"report": "01", "group": "modl_2"}, ["'modl_2'", "Did you mean 'model_2'"]),
        ({"report": "99"}, ["'99'", "01_ff_classifier"]),
        ({"recipe": RECIPE, "sed": {}}, ["sed:", "Did you mean"]),
        ({"recipe": RECIPE, "set": {"num_epoch": 3}}, ["num_epoch:", "Did you mean 'num_epochs'"]),
        ({"recipe": RECIPE, "set": {"model.dropout": 2}}, ["model.dropout: given 2"]),
        ({"recipe": RECIPE, "grid": {"seed": []}}, ["grid"]),
        ({"recipe": RECIPE, "seeds": 0}, ["seeds"]),
        ({"recipe": RECIPE, "folds": [-1]}, ["folds"]),
    ],
)
def test_what_is_not_a_plan_is_refused_before_anything_starts(plan, entry, parts):
    with pytest.raises(UserError) as refused:
        plan({"recipe": RECIPE}, entry)
    for part in parts:
        assert part in str(refused.value)


@pytest.mark.parametrize(
    "content", ["", "- 1", "runs: 3", "runs: []", "run: []", "runs: [", "runs: [3]", "1: 2", "\x00"]
)
def test_a_file_of_another_form_is_refused(tmp_path, content):
    (tmp_path / "plan.yaml").write_text(content)
    with pytest.raises(UserError):
        read_plan(tmp_path / "plan.yaml")
    with pytest.raises(UserError, match="nothing.yaml"):
        read_plan(tmp_path / "nothing.yaml")


@pytest.mark.parametrize("path", HOW_TO_RUN, ids=lambda path: path.parent.name)
def test_the_plans_and_job_files_of_the_book_are_good(path, tmp_path):
    text = path.read_text("utf-8")
    plans = re.findall(r"^```yaml\n(runs:.*?)^```", text, re.MULTILINE | re.DOTALL)
    jobs = re.findall(r"^```bash\n(#!/bin/bash\n.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert plans and jobs
    for content in plans:
        (tmp_path / "plan.yaml").write_text(content)
        assert read_plan(tmp_path / "plan.yaml")
    for content in jobs:
        (tmp_path / "job.sbatch").write_text(content)
        subprocess.run(["bash", "-n", tmp_path / "job.sbatch"], check=True)


def test_the_cost_comes_from_like_records(tmp_path):
    store = RunStore(tmp_path, tmp_path / "none")
    run = train(make(num_epochs=4), store=store)
    each = run.history.epoch_seconds
    recipes = [
        make(seed=5),  # alike
        make(num_epochs=8, data={"source": "sample", "train_size": 150, "val_size": 100}),
        make(batch_size=10),  # a network of that name
        make(model={"name": "cnn"}),  # unknown
    ]
    expected = [pytest.approx(each * factor) for factor in (4, 4, 4)]
    assert estimate(recipes, store, "cpu") == [*expected, None]
    assert estimate(recipes[:1], store, "cuda") == [None]
    (tmp_path / "0123456789abcdef").mkdir()
    (tmp_path / "0123456789abcdef" / "record.json").write_text('{"recipe": 3}')
    assert estimate(recipes, store, "cpu") == [*expected, None]  # what is no record is no matter


def test_the_longest_first(tmp_path):
    store = RunStore(tmp_path, tmp_path / "none")
    train(make(), store=store)
    short, middle, long = (make(num_epochs=epochs, seed=5) for epochs in (4, 6, 9))
    unknown = make(model={"name": "cnn"})
    order = longest_first([short, long, middle, unknown], store, "cpu")
    assert order == [unknown, long, middle, short]
