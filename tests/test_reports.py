"""Reports as data: every file is whole, and its recipes are what the report states."""

import re
from pathlib import Path

import pytest

from fmnist_utils.audit import schema as reports
from fmnist_utils.audit.groups import Bilingual
from fmnist_utils.audit.margins import load_margins
from fmnist_utils.audit.recipes import Spec
from fmnist_utils.audit.schema import (
    Report,
    find_group,
    load_across,
    load_pretrained,
    load_report,
    report_names,
    student_reports,
)
from fmnist_utils.models import build_model, count_parameters
from fmnist_utils.text import UserError
from fmnist_utils.workshop.store import RunStore

REPORT = load_report("01")


@pytest.mark.parametrize("name", report_names())
def test_every_report_refers_only_to_what_it_has(name):
    report = load_report(name)
    assert report.id == name
    assert all(recipes for recipes in report.all_recipes().values())
    for measure in report.measures():
        for group in measure.groups:
            assert "theirs" in report.groups[group].protocols
    ids = [item.id for item in [*report.numbers, *report.tables, *report.claims, *report.errors]]
    assert len(ids) == len(set(ids))


def test_what_stands_across_refers_only_to_what_there_is():
    across = load_across()
    measured = [
        (condition, condition.measure) for claim in across.claims for condition in claim.check
    ]
    for condition, measure in measured:
        for name in measure.groups:
            report, group = find_group(name)
            assert (condition.protocol or "theirs") in report.groups[group].protocols, name
    networks = [name for family in across.families for name in family.of]
    assert len(networks) == len(set(networks))
    for name in networks:
        report, group = find_group(name)
        assert not report.groups[group].question, f"{name} is no network of the report"
    assert {name[:2] for name in networks} == {name[:2] for name in student_reports()}
    assert len({claim.id for claim in across.claims}) == len(across.claims)


@pytest.mark.parametrize("name", [*report_names(), "across"])
def test_both_languages_are_there_and_differ(name):
    def texts(value):
        if isinstance(value, Bilingual):
            yield value
        elif isinstance(value, dict):
            for item in value.values():
                yield from texts(item)
        elif isinstance(value, list):
            for item in value:
                yield from texts(item)
        elif isinstance(value, Spec):
            yield from texts({field: getattr(value, field) for field in type(value).model_fields})

    found = list(texts(load_across() if name == "across" else load_report(name)))
    assert found
    assert all(text.es.strip() and text.en.strip() for text in found)
    same = [text.es for text in found if text.es == text.en]
    assert not [
        text for text in same if len(re.findall(r"[^\W\d_]{3,}", re.sub(r"\{\w+\}", "", text))) > 3
    ]


def settings_of(recipe):
    return (recipe.optimizer, recipe.learning_rate, recipe.batch_size, recipe.num_epochs)


def test_the_models_of_report_1_are_as_published():
    model_1, model_2, model_3 = (REPORT.recipe(f"model_{k}", "theirs") for k in (1, 2, 3))
    assert model_1.model.hidden_sizes == (128, 64) and model_1.model.dropout == 0.2
    assert settings_of(model_1) == ("sgd", 1e-3, 100, 30)
    assert model_1.data.val_size == 0 and model_1.watch == "test"
    assert model_2 == model_1.but(optimizer="adam") and model_3 == model_2.but(num_epochs=60)
    assert REPORT.recipe("model_1", "ours").data.val_size == 10_000


def test_the_grid_of_report_5_is_as_published():
    report = load_report("05")
    grid = [name for name in report.groups if name.startswith("cnn_")]
    labels = {report.label(name, report.recipe(name, "theirs")) for name in grid}
    sizes = [(kernel, size) for kernel in (3, 5) for size in (128, 256, 512)]
    wanted = {f"CNN{kernel}-{size}-{dropout}" for kernel, size in sizes for dropout in (0.1, 0.25)}
    assert len(grid) == 12 and labels == wanted
    parameters = {"cnn_3_512_0.1": 1_204_298, "cnn_5_128_0.1": 184_778}
    for name, size in (parameters | {"nahuel": 1_475_338, "juan": 407_050}).items():
        recipe = report.recipe(name, "theirs")
        assert count_parameters(build_model(**recipe.model.model_dump())) == size
        assert settings_of(recipe) == ("adam", 1e-3, 500, 50)
    accuracies = [number.value for number in report.numbers[:36] if number.unit == "percent"]
    # Sorted, as table I is.
    assert len(accuracies) == 12 and accuracies == sorted(accuracies, reverse=True)


@pytest.mark.parametrize("name", report_names())
def test_a_run_stands_in_two_groups_only_where_a_split_of_its_own_begins(name):
    """Seed 0 of a group whose split varies with the seed is seed 0 of the group of one split."""
    report = load_report(name)
    owners = {}
    for group, recipes in report.all_recipes().items():
        for recipe in recipes:
            owners.setdefault(recipe.id, []).append((group, recipe.seed))
    for shared in (several for several in owners.values() if len(several) > 1):
        assert [seed for _, seed in shared] == [0, 0], shared
        assert sum("split" in group for group, _ in shared) == 1, shared


def test_behind_every_number_and_claim_of_a_report_stand_five_runs_at_least():
    """Of its own protocol; where fewer are planned, the file says why."""
    for name in student_reports():
        report = load_report(name)
        for measure in report.measures():
            for group in measure.groups:
                planned = len(report.groups[group].all_seeds("theirs"))
                enough = planned >= load_margins().least_runs or report.groups[group].why_seeds
                exact = measure.scale == "exact"
                assert enough or exact, (name, group, planned)


def test_a_published_confusion_matrix_is_ten_by_ten_and_of_a_group():
    report = load_report("04")
    fields = {name: getattr(report, name) for name in type(report).model_fields}
    matrix = report.confusion
    assert [sum(row) for row in matrix] == [1000] * 10
    assert report.number("N4-1").value == sum(row[k] for k, row in enumerate(matrix)) / 10_000
    assert report.confusion_of in report.groups
    wrong = [
        {"confusion": matrix[:9]},
        {"confusion": [row[:9] for row in matrix]},
        {"confusion": [[-1, *row[1:]] for row in matrix]},
        {"confusion_of": None},
        {"confusion_of": "raschka"},
        {"confusion": None},
    ]
    reports.Report(**fields)
    reports.Report(**fields | {"confusion": None, "confusion_of": None})
    for change in wrong:
        with pytest.raises(UserError):
            reports.Report(**fields | change)


def test_the_networks_of_report_4_are_those_of_its_tables():
    report = load_report("04")
    published = {
        "lineal": (512, 60, 1000, 0.001),
        "consigna": (128, 20, 32, 0.001),
        "raschka_64": (64, 17, 32, 0.0005),
        "raschka_128": (128, 14, 32, 0.0005),
        "classifier_10": (10, 35, 32, 0.0005),
        "raschka_classifier": (10, 15, 40, 0.0007),
        "classifier_fe": (128, 26, 32, 0.0005),
    }
    recipes = {group: report.recipe(group, "theirs") for group in published}
    for group, (latent_dim, *numbers) in published.items():
        _, rate, batch_size, num_epochs = settings_of(recipes[group])
        assert recipes[group].model.latent_dim == latent_dim
        assert [num_epochs, batch_size, rate] == numbers
        assert getattr(recipes[group].model, "flatten_dropout", 0.8) == 0.8
    assert [recipes[group].model.dropout for group in list(published)[:4]] == [0.1, 0, 0, 0]
    tuned, base = (report.recipe(name, "theirs", 2) for name in ("classifier_fe", "consigna"))
    assert tuned.encoder_from == base
    # The records of report 1 serve here too.
    assert report.recipe("ff", "theirs") == REPORT.recipe("model_2", "theirs")


def test_unknown_reports_and_groups_are_refused_with_the_nearest():
    with pytest.raises(UserError, match="Did you mean '01_ff_classifier'"):
        load_report("01_ff_clasifier")
    with pytest.raises(UserError, match="Did you mean 'model_1'"):
        REPORT.recipe("modell_1", "theirs")
    with pytest.raises(UserError, match="theirs, ours"):
        REPORT.recipe("model_1", "their")
    assert REPORT.number("N1-2").value == 0.81
    with pytest.raises(UserError, match="Did you mean 'N1-2'"):
        REPORT.number("N12")


def test_a_measure_may_name_the_numbers_of_a_table_only_if_they_are_there():
    report = load_report("01")
    fields = {name: getattr(report, name) for name in type(report).model_fields}
    words = {"es": "a", "en": "b"}
    with pytest.raises(UserError, match="N1-99"):
        Report(**fields | {"tables": [{"id": "T", "what": words, "numbers": ["N1-1", "N1-99"]}]})


def test_one_small_checkpoint_a_report_is_committed_and_documented():
    """Six megabytes together; those whose runs have been made can be loaded."""
    named = {
        name: recipe
        for report in report_names()
        for name, recipe in load_report(report).checkpoints().items()
    }
    owners = [report[:2] for report in report_names() for _ in load_report(report).checkpoints()]
    assert {"01", "02", "03", "04", "05"} <= set(owners) and len(named) == len(owners)
    networks = [build_model(**recipe.model.model_dump()) for recipe in named.values()]
    tensors = [tensor for network in networks for tensor in network.state_dict().values()]
    assert sum(4 * tensor.numel() for tensor in tensors) < 6_000_000
    committed = list(RunStore().results.glob("*/records/*.weights.safetensors"))
    assert sum(path.stat().st_size for path in committed) < 6_000_000
    for name, recipe in named.items():
        if any(f".{recipe.id[:12]}." in path.name for path in committed):
            assert not load_pretrained(name).training
    for lang in ("es", "en"):
        page = (Path(__file__).parents[1] / "book" / lang / "how_to_run.md").read_text("utf-8")
        rows = re.findall(
            r"^\| `(\w+)` \| (\d) \|", page.partition("load_pretrained")[2], re.MULTILINE
        )
        assert rows == [(name, str(int(owner))) for name, owner in zip(named, owners, strict=True)]
