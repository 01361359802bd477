"""Reports as data: every file is whole, its recipes are what the report states, and page parameters are checked."""

import pytest

from fmnist_utils import reports
from fmnist_utils.reports import load_report, report_names
from fmnist_utils.text import UserError, get_language

REPORT = load_report("01")
PARAMETERS = {"lang": "en", "profile": "quick", "source": "synthetic", "seed": 0, "num_seeds": None, "num_epochs": None}


@pytest.mark.parametrize("name", report_names())
def test_every_report_refers_only_to_what_it_has(name):
    report = load_report(name)
    assert report.id == name
    assert all(recipes for recipes in report.all_recipes().values())
    measures = [number.measure for number in report.numbers]
    measures += [condition.measure for claim in report.claims for condition in claim.check]
    for measure in measures:
        for group in filter(None, (measure.of, measure.minus, measure.over)):
            assert "theirs" in report.groups[group].protocols
    ids = [item.id for item in [*report.numbers, *report.claims, *report.errors]]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", report_names())
def test_both_languages_are_there_and_differ(name):
    def texts(value):
        if isinstance(value, reports.Bilingual):
            yield value
        elif isinstance(value, dict):
            for item in value.values():
                yield from texts(item)
        elif isinstance(value, list):
            for item in value:
                yield from texts(item)
        elif isinstance(value, reports.Spec):
            yield from texts({field: getattr(value, field) for field in type(value).model_fields})

    found = list(texts(load_report(name)))
    assert len(found) > 30
    assert all(text.es.strip() and text.en.strip() for text in found)
    assert not [text for text in found if text.es == text.en and len(text.es.split()) > 3]


def test_the_models_of_report_1_are_as_published():
    model_1, model_2, model_3 = (REPORT.recipe(f"model_{k}", "theirs") for k in (1, 2, 3))
    assert model_1.model.hidden_sizes == (128, 64) and model_1.model.dropout == 0.2
    assert (model_1.optimizer, model_1.learning_rate, model_1.batch_size, model_1.num_epochs) == ("sgd", 1e-3, 100, 30)
    assert model_1.data.val_size == 0 and model_1.watch == "test"
    assert model_2 == model_1.but(optimizer="adam") and model_3 == model_2.but(num_epochs=60)
    assert REPORT.recipe("model_1", "ours").data.val_size == 10_000


def test_every_recipe_of_a_report_is_another_run():
    ids = [recipe.id for recipes in REPORT.all_recipes().values() for recipe in recipes]
    shared = len(ids) - len(set(ids))
    assert shared == 0


def test_overrides_leave_alone_what_a_group_varies():
    overrides = {"batch_size": 10, "num_epochs": 4}
    assert REPORT.recipe("model_1", "theirs", overrides=overrides).batch_size == 10
    assert REPORT.recipe("batch_32", "theirs", overrides=overrides).batch_size == 32
    assert REPORT.recipe("model_3", "theirs", overrides=overrides).num_epochs == 8


def test_unknown_reports_and_groups_are_refused_with_the_nearest():
    with pytest.raises(UserError, match="Did you mean '01_ff_classifier'"):
        load_report("01_ff_clasifier")
    with pytest.raises(UserError, match="Did you mean 'model_1'"):
        REPORT.recipe("modell_1", "theirs")
    with pytest.raises(UserError, match="theirs, ours"):
        REPORT.recipe("model_1", "their")


def test_the_profile_and_the_parameters_make_the_recipes():
    page = REPORT.page({**PARAMETERS, "num_epochs": 3, "num_seeds": 2, "seed": 7})
    assert get_language() == "en"
    first, second = page.recipes("model_3", "ours")
    assert (first.seed, second.seed, first.num_epochs, first.data.source) == (7, 8, 6, "synthetic")
    assert first.data.train_size == REPORT.quick["data.train_size"]
    full = REPORT.page({**PARAMETERS, "profile": "full", "source": "auto"})
    assert full.recipes("model_1") == REPORT.all_recipes()["model_1.theirs"]
    changed = REPORT.page({**PARAMETERS, "profile": "full", "source": "auto", "num_epochs": 5})
    assert changed.recipes("model_1")[0].num_epochs == 5


@pytest.mark.parametrize(
    ("wrong", "parts"),
    [
        ({"num_epoch": 3}, ["num_epoch:", "Did you mean 'num_epochs'"]),
        ({"epochs": 3}, ["epochs:", "num_epochs"]),
        ({"num_epochs": "ten"}, ["num_epochs: given 'ten'", "integer ≥ 1", "None"]),
        ({"num_epochs": 0}, ["num_epochs: given 0"]),
        ({"dropout": 1.0}, ["dropout: given 1.0", "< 1"]),
        ({"hidden_sizes": 128}, ["hidden_sizes: given 128", "list of"]),
        ({"profile": "ful"}, ["profile: given 'ful'", "quick, full", "Did you mean 'full'"]),
        ({"lang": "fr"}, ["lang: given 'fr'", "es, en"]),
        ({"source": "offical"}, ["source", "Did you mean 'official'"]),
        ({"seed": -1}, ["seed: given -1"]),
        ({"num_seeds": 0}, ["num_seeds: given 0"]),
        ({"profile": "full"}, ["official"]),
    ],
)
def test_a_wrong_page_parameter_stops_the_page(wrong, parts):
    with pytest.raises(UserError) as error:
        REPORT.page({**PARAMETERS, **wrong})
    for part in parts:
        assert part in str(error.value)


def test_the_page_says_what_it_shows():
    quick = REPORT.page({**PARAMETERS, "num_epochs": 3}).notice
    assert "4000 images for 3 epochs" in quick and "SYNTHETIC DATA" in quick
    assert quick._repr_markdown_() == quick


def test_published_numbers_by_id():
    assert REPORT.number("N1-2").value == 0.81
    with pytest.raises(UserError, match="Did you mean 'N1-2'"):
        REPORT.number("N12")


def test_a_notebook_run_again_keeps_its_other_variables():
    cells = [
        "",
        "profile = 'quick'\nlang = 'en'",
        "page = 1",
        "model = 3\nnum_parameters = 109386",
        "profile = 'quick'\nnum_epoch = 2",
    ]
    namespace = {**PARAMETERS, "model": 3, "num_parameters": 109386, "In": cells[:4]}
    with pytest.raises(UserError, match="num_parameters"):
        REPORT.page(namespace)  # assigned since the last parameters cell
    namespace = {**PARAMETERS, "model": 3, "num_parameters": 109386, "In": [*cells[:4], cells[1]]}
    assert REPORT.page(namespace).parameters.seed == 0
    with pytest.raises(UserError, match="Did you mean 'num_epochs'"):
        REPORT.page({**namespace, "num_epoch": 2, "In": cells})
