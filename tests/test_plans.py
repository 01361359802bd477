"""Plans: what a file asks for, what is refused, what it will cost, how a large sweep would go."""

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
from fmnist_utils.workshop.plans import (
    Conditions,
    PageRun,
    Training,
    estimate,
    longest_first,
    project,
    read_plan,
    task_from_json,
    with_encoders,
)
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
    tasks = plan(
        {
            "report": "01",
            "group": "model_2",
            "grid": grid,
            "set": {"num_epochs": 3},
            "seeds": 2,
            "folds": [0, 4],
        }
    )
    assert len(tasks) == 16 and all(isinstance(task, Training) for task in tasks)
    recipes = [task.recipe for task in tasks]
    assert {(r.learning_rate, r.model.dropout, r.seed, r.data.fold) for r in recipes} == {
        (rate, dropout, seed, fold)
        for rate in (0.01, 0.001)
        for dropout in (0.0, 0.5)
        for seed in (0, 1)
        for fold in (0, 4)
    }
    base = load_report("01").recipe("model_2", "ours")
    assert {r.num_epochs for r in recipes} == {3}
    assert recipes[0] == base.but({"model.dropout": 0.0}, num_epochs=3, learning_rate=0.01)


def test_a_group_means_what_the_report_means_seed_by_seed(plan):
    report = load_report("03")
    group = next(name for name, group in report.groups.items() if group.encoder_from)
    protocol = report.groups[group].protocols[0]
    tasks = plan({"report": "03", "group": group, "protocol": protocol, "seeds": [0, 1]})
    wanted = [report.recipe(group, protocol, seed) for seed in (0, 1)]
    assert [task.id for task in tasks if task.needs] == [recipe.id for recipe in wanted]
    order = [task.id for task in tasks]
    for task in tasks:  # the encoders come along, before who needs them, with their weights
        if task.needs:
            assert order.index(task.needs) < order.index(task.id)
            assert tasks[order.index(task.needs)].weights and not task.weights


def test_a_whole_report(plan):
    report = load_report("01")
    ids = {recipe.id for recipes in report.all_recipes().values() for recipe in recipes}
    assert {task.id for task in plan({"report": "01"})} == ids


def test_each_task_once_whoever_asks(plan):
    tasks = plan({"recipe": RECIPE, "seeds": 3}, {"recipe": RECIPE, "seeds": [2, 3]})
    assert [task.recipe.seed for task in tasks] == [0, 1, 2, 3]
    assert len(with_encoders([make(), Training(make(), weights=True), make()])) == 1
    assert with_encoders([make(), Training(make(), weights=True)])[0].weights


def test_pages_with_parameters(plan, monkeypatch):
    entry = {"page": "01", "set": {"lang": "en"}, "grid": {"num_epochs": [1, 2]}, "seeds": [7]}
    tasks = plan(entry)
    assert [dict(task.parameters) for task in tasks] == [
        {"lang": "en", "num_epochs": epochs, "profile": "quick", "seed": 7} for epochs in (1, 2)
    ]
    monkeypatch.setenv("FMNIST_LANG", "es")
    monkeypatch.setenv("FMNIST_PROFILE", "full")
    assert [task.id for task in plan(entry)] == [task.id for task in tasks], (
        "the same on every machine"
    )


def test_a_task_crosses_to_another_machine_as_json(plan):
    for task in plan({"recipe": RECIPE}, {"page": "01", "set": {"hidden_sizes": [16, 8]}}):
        again = task_from_json(json.loads(json.dumps(task.to_json())))
        assert again == task and again.id == task.id


@pytest.mark.parametrize(
    ("entry", "parts"),
    [
        ({}, ["report, recipe or page"]),
        ({"report": "01", "page": "01"}, ["one and only one"]),
        ({"recipe": RECIPE, "group": "model_2"}, ["group", "report"]),
        ({"report": "01", "seeds": 2}, ["seeds", "group"]),
        ({"report": "01", "protocol": "theirs"}, ["protocol", "group"]),
        (
            {"report": "01", "group": "model_2", "set": {"num_epochs.x": 3}},
            ["num_epochs has no fields"],
        ),
        ({"report": "01", "group": "modl_2"}, ["'modl_2'", "Did you mean 'model_2'"]),
        ({"report": "01", "group": "model_2", "protocol": "their"}, ["theirs"]),
        (
            {"report": "01", "group": "model_2", "set": {"num_epoch": 3}},
            ["num_epoch", "Did you mean 'num_epochs'"],
        ),
        (
            {"report": "01", "group": "model_2", "grid": {"model.dropout": [0.1, 2]}},
            ["model.dropout: given 2"],
        ),
        ({"report": "01", "group": "model_2", "grid": {"model.dropout": []}}, ["grid"]),
        ({"recipe": RECIPE, "sedes": 3}, ["sedes", "Did you mean 'seeds'"]),
        ({"recipe": RECIPE, "seeds": 0}, ["seeds"]),
        ({"page": "01", "set": {"num_epoch": 3}}, ["num_epoch", "Did you mean 'num_epochs'"]),
        ({"page": "01", "folds": 3}, ["folds"]),
        ({"page": "99"}, ["'99'"]),
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
    tasks = [
        Training(make(seed=5)),  # alike
        Training(
            make(num_epochs=8, data={"source": "synthetic", "train_size": 150, "val_size": 100})
        ),  # twice as long, half
        Training(make(batch_size=10)),  # a network of that name
        Training(make(model={"name": "cnn"})),  # unknown
    ]
    expected = [pytest.approx(each * factor) for factor in (4, 4, 4)]
    assert estimate(tasks, store) == [*expected, None]
    assert estimate(tasks[:1], store, "cuda") == [None]


def test_the_longest_first_and_an_encoder_with_what_waits_for_it(tmp_path):
    store = RunStore(tmp_path, tmp_path / "none")
    train(make(), store=store)
    short, middle, long, unknown = (
        make(seed=5),
        make(num_epochs=6),
        make(num_epochs=9),
        make(model={"name": "cnn"}),
    )
    assert [
        task.recipe for task in longest_first(with_encoders([short, long, middle, unknown]), store)
    ] == [
        unknown,
        long,
        middle,
        short,
    ]
    encoder = make(model={"name": "conv_autoencoder", "latent_dim": 4}, loss="l1", num_epochs=1)
    classifier = make(model={"name": "encoder_classifier", "latent_dim": 4}, encoder_from=encoder)
    tasks = longest_first(with_encoders([short, classifier]), store)
    assert [task.recipe for task in tasks] == [encoder, classifier, short]


PEACE = Conditions(start_up=0, failing=0, losses_per_day=0)


def test_in_peace_a_sweep_takes_what_the_runs_take():
    assert project([60.0] * 10, 1, PEACE).seconds == pytest.approx(600)
    assert (
        project([60.0] * 10, 5, PEACE) == (alone := project([60.0] * 10, 5, PEACE, seed=9))
        and alone.seconds == 120
    )
    assert project([60.0] * 10, 5, PEACE).busy == pytest.approx(1)
    assert project([60.0] * 10, 64, PEACE).seconds == 60
    assert project([], 3).seconds == 0
    assert (
        project([1.0, 1.0, 1.0, 1.0, 4.0], 2, PEACE).seconds == 4
    )  # with the long one last it would be 6


def test_losses_and_failures_cost_time_but_no_run():
    seconds = [300.0] * 200
    peace = project(seconds, 8, PEACE)
    war = project(seconds, 8, Conditions(losses_per_day=50, failing=0.1))
    assert war.seconds > peace.seconds and war.losses > 10 and war.busy < peace.busy
    # A run that is begun anew each time, in place of going on from its last epoch, costs more.
    assert (
        project(seconds, 8, Conditions(losses_per_day=200, epochs=1)).seconds
        > project(seconds, 8, Conditions(losses_per_day=200, epochs=50)).seconds
    )


def test_a_thousand_runs_on_sixty_four_workers():
    """Bounds that hold whatever the runs take: never faster than the work divided, and little slower when workers last."""
    seconds = [120.0 + 3 * (number % 200) for number in range(1000)]
    for seed in range(3):
        outlook = project(seconds, 64, Conditions(), seed)
        ideal = sum(seconds) / 64
        assert ideal < outlook.seconds < 1.35 * ideal and 0.75 < outlook.busy < 1
    assert project(seconds, 64).seconds < project(seconds, 32).seconds


def test_a_changed_notebook_is_another_task(tmp_path):
    notebook = Path(__file__).parents[1] / "notebooks" / "01_ff_classifier.ipynb"
    copy = tmp_path / "copy.ipynb"
    copy.write_bytes(notebook.read_bytes())
    first = PageRun.checked(str(copy), {})
    assert first.id == PageRun.checked("01", {}).id
    copy.write_text(copy.read_text("utf-8") + "\n", "utf-8")
    assert PageRun.checked(str(copy), {}).id != first.id
    with pytest.raises(
        UserError, match="copy.ipynb has changed"
    ):  # the run that was asked for is not made of another page
        first.perform(RunStore(tmp_path / "runs"), threads=1, device="cpu")
    copy.unlink()
    assert (
        task_from_json(first.to_json()) == first
    )  # whoever only wants to know how it stands needs no notebook


def test_a_page_named_from_one_folder_is_found_from_another(tmp_path, monkeypatch):
    notebook = Path(__file__).parents[1] / "notebooks" / "01_ff_classifier.ipynb"
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "copy.ipynb").write_bytes(notebook.read_bytes())
    monkeypatch.chdir(tmp_path / "here")
    page = PageRun.checked("copy.ipynb", {})
    monkeypatch.chdir(tmp_path)
    assert page.checked(page.page, {}).id == page.id
