"""Reports as data: every file is whole, its recipes are what the report states, and page parameters are checked."""

import re
from pathlib import Path

import pytest
import torch

from fmnist_utils import audit
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
from fmnist_utils.workshop.engine import train
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


def test_the_models_of_report_1_are_as_published():
    model_1, model_2, model_3 = (REPORT.recipe(f"model_{k}", "theirs") for k in (1, 2, 3))
    assert model_1.model.hidden_sizes == (128, 64) and model_1.model.dropout == 0.2
    assert (model_1.optimizer, model_1.learning_rate, model_1.batch_size, model_1.num_epochs) == (
        "sgd",
        1e-3,
        100,
        30,
    )
    assert model_1.data.val_size == 0 and model_1.watch == "test"
    assert model_2 == model_1.but(optimizer="adam") and model_3 == model_2.but(num_epochs=60)
    assert REPORT.recipe("model_1", "ours").data.val_size == 10_000


def test_the_grid_of_report_5_is_as_published():
    report = load_report("05")
    grid = {name: group for name, group in report.groups.items() if name.startswith("cnn_")}
    assert len(grid) == 12 and {
        report.label(name, report.recipe(name, "theirs")) for name in grid
    } == {
        f"CNN{kernel}-{size}-{dropout}"
        for kernel in (3, 5)
        for size in (128, 256, 512)
        for dropout in (0.1, 0.25)
    }
    sizes = {
        "cnn_3_512_0.1": 1_204_298,
        "nahuel": 1_475_338,
        "juan": 407_050,
        "cnn_5_128_0.1": 184_778,
    }
    for name, size in sizes.items():
        recipe = report.recipe(name, "theirs")
        assert count_parameters(build_model(**recipe.model.model_dump())) == size
        assert (recipe.optimizer, recipe.learning_rate, recipe.batch_size, recipe.num_epochs) == (
            "adam",
            1e-3,
            500,
            50,
        )
    accuracies = [number.value for number in report.numbers[:36] if number.unit == "percent"]
    assert len(accuracies) == 12 and accuracies == sorted(
        accuracies, reverse=True
    )  # as table I is sorted


@pytest.mark.parametrize("name", report_names())
def test_a_run_stands_in_two_groups_only_where_a_split_of_its_own_begins(name):
    """Seed 0 of a group whose split varies with the seed is seed 0 of the group of one split."""
    report = load_report(name)
    owners = {}
    for group, recipes in report.all_recipes().items():
        for recipe in recipes:
            owners.setdefault(recipe.id, []).append((group, recipe.seed))
    for shared in (each for each in owners.values() if len(each) > 1):
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
    for group, numbers in published.items():
        recipe = report.recipe(group, "theirs")
        assert (
            recipe.model.latent_dim,
            recipe.num_epochs,
            recipe.batch_size,
            recipe.learning_rate,
        ) == numbers
        assert getattr(recipe.model, "flatten_dropout", 0.8) == 0.8
    assert [report.recipe(group, "theirs").model.dropout for group in list(published)[:4]] == [
        0.1,
        0,
        0,
        0,
    ]
    assert report.recipe("classifier_fe", "theirs", 2).encoder_from == report.recipe(
        "consigna", "theirs", 2
    )
    assert report.recipe("ff", "theirs") == REPORT.recipe(
        "model_2", "theirs"
    )  # its records serve here too


def test_unknown_reports_and_groups_are_refused_with_the_nearest():
    with pytest.raises(UserError, match="Did you mean '01_ff_classifier'"):
        load_report("01_ff_clasifier")
    with pytest.raises(UserError, match="Did you mean 'model_1'"):
        REPORT.recipe("modell_1", "theirs")
    with pytest.raises(UserError, match="theirs, ours"):
        REPORT.recipe("model_1", "their")


def test_published_numbers_by_id():
    assert REPORT.number("N1-2").value == 0.81
    with pytest.raises(UserError, match="Did you mean 'N1-2'"):
        REPORT.number("N12")


def made_up(**groups) -> Report:
    """Return a report with these groups on a little made-up data; two groups are always there."""
    text = {"es": "n = {latent_dim}", "en": "size {latent_dim}"}
    data = {"source": "sample", "train_size": 200, "val_size": 100, "test_size": 100}
    network = {"name": "conv_autoencoder", "latent_dim": 4, "output_activation": "sigmoid"}
    fields = {
        "data": data,
        "model": network,
        "loss": "mse",
        "optimizer": "adam",
        "learning_rate": 0.01,
    }
    base = {
        "label": text,
        "seeds": 2,
        "checkpoint": "small",
        "recipe": fields | {"batch_size": 50, "num_epochs": 2},
    }
    sizes = {
        "label": text,
        "like": "base",
        "grid": {"model.latent_dim": [5, 6], "batch_size": [20, 40]},
    }
    named = {name: {"label": text} | group for name, group in groups.items()}
    return Report(
        id="99_made_up", title=text, authors=["A"], date="2026", institution=text, citation="a2026",
        protocols={"theirs": {}, "ours": {"select": "best"}}, parameters={"latent_dim": "model.latent_dim"},
        groups={"base": base, "size": sizes} | named, numbers=[], claims=[], errors=[],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("groups: [", ["report.yaml"]),
        ("", ["report.yaml", "field: value"]),
        ("- 1", ["report.yaml", "list"]),
        ("groups: [a]", ["groups", "list"]),
        ("groups: {a: 3}", ["a:", "int"]),
        ("groups: {a: {grid: [1]}}", ["a.grid", "list"]),
        ("protocols: [a]\ngroups: {}", ["protocols", "list"]),
    ],
)
def test_a_file_that_is_no_report_is_refused_in_words(content, parts, tmp_path, monkeypatch):
    (tmp_path / "99_teacher").mkdir()
    (tmp_path / "99_teacher" / "report.yaml").write_text(content)
    monkeypatch.setattr(reports, "FOLDER", tmp_path)
    with pytest.raises(UserError) as refused:
        load_report("99_teacher")
    for part in parts:
        assert part in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "wrong", "right"),
    [
        ({"groups": {"next": {"like": "bse"}}}, "bse", "base"),
        ({"groups": {"next": {"like": "base", "encoder_from": "bse"}}}, "bse", "base"),
        ({"groups": {"next": {"like": "base", "encoder_from": {"theirs": "bse"}}}}, "bse", "base"),
        ({"groups": {"next": {"like": "base", "protocols": ["their"]}}}, "their", "theirs"),
        ({"measure": {"of": "bse", "metric": "test_loss"}}, "bse", "base"),
        ({"measure": {"of": "base", "metric": "test_loss", "minus": ["bse"]}}, "bse", "base"),
    ],
)
def test_a_report_names_only_what_it_has(changes, wrong, right):
    text = {"es": "a", "en": "b"}
    number = {"id": "N9-1", "what": text, "published": "0.1", "unit": "error", "where": text}
    numbers = [number | {"measure": changes["measure"]}] if "measure" in changes else []
    fields = made_up().model_dump() | {"numbers": numbers}

    def read():
        made_up(**changes.get("groups", {}))
        Report(**fields)

    with pytest.raises(UserError, match=f"'{wrong}'.*Did you mean '{right}'"):
        read()


def test_a_study_of_ours_has_no_authors_and_nothing_to_audit(tmp_path, monkeypatch):
    monkeypatch.setenv("FMNIST_RUNS", str(tmp_path))
    fields = made_up().model_dump(
        exclude={"authors", "date", "institution", "citation", "numbers", "claims", "errors"}
    )
    for group in fields["groups"].values():
        del group["protocols"]
    study = Report(**fields | {"protocols": {"ours": {"select": "best"}}})
    assert study.groups["base"].protocols == study.groups["size_5_20"].protocols == ["ours"]
    assert study.recipe("base", "ours").select == "best"
    monkeypatch.setattr(reports, "report_names", lambda: ["01_ff_classifier", study.id])
    monkeypatch.setattr(reports, "load_report", lambda name: study if name == study.id else REPORT)
    assert student_reports() == ["01_ff_classifier"]
    with pytest.raises(UserError, match="published nothing|no published"):
        audit.rows(study.id)


def test_another_network_comes_with_arguments_of_its_own():
    other = {"like": "base", "recipe": {"model": {"name": "ff_autoencoder", "latent_dim": 7}}}
    report = made_up(other=other, smaller={"like": "other", "recipe": {"model": {"latent_dim": 3}}})
    assert report.recipe("other", "theirs").model.model_dump(exclude_defaults=True) == {
        "name": "ff_autoencoder",
        "latent_dim": 7,
    }
    assert report.recipe("smaller", "theirs").model.name == "ff_autoencoder"


def test_a_grid_is_a_group_for_each_combination():
    report = made_up(
        after={
            "like": "size_{latent_dim}_20",
            "grid": {"model.latent_dim": [5, 6]},
            "recipe": {"num_epochs": 1},
        }
    )
    assert list(report.groups) == [
        "base",
        "size_5_20",
        "size_5_40",
        "size_6_20",
        "size_6_40",
        "after_5",
        "after_6",
    ]
    recipe = report.recipe("size_6_40", "theirs")
    assert (recipe.model.latent_dim, recipe.batch_size) == (6, 40)
    assert report.recipe("after_6", "theirs") == recipe.but(batch_size=20, num_epochs=1)


def test_a_list_in_a_grid_has_its_name_and_an_entry_of_that_name_adds_to_its_group():
    cnn = {"name": "cnn", "kernel_size": 3}
    fields = {
        "model": cnn,
        "loss": "cross_entropy",
        "optimizer": "adam",
        "learning_rate": 0.001,
        "batch_size": 50,
        "num_epochs": 9,
    }
    grid = {"model.dense_sizes": [[64], [60, 12]], "model.dropout": [0.1]}
    report = made_up(
        cnn={
            "label": {"es": "CNN-{dense_sizes}", "en": "net {dense_sizes}"},
            "recipe": fields,
            "grid": grid,
        },
        **{
            "cnn_64_0.1": {"checkpoint": "cnn_64"},
            "half": {"like": "cnn_{dense_sizes}_0.1", "grid": {"model.dense_sizes": [[60, 12]]}},
        },
    )
    assert list(report.groups)[5:] == ["cnn_64_0.1", "cnn_60x12_0.1", "half_60x12"]
    recipe = report.recipe("half_60x12", "theirs")
    assert recipe.model.dense_sizes == (60, 12) and "60x12" in report.label("cnn_60x12_0.1", recipe)
    assert report.checkpoints()["cnn_64"] == report.recipe("cnn_64_0.1", "theirs").id


def test_later_seeds_may_stop_early_and_folds_come_round():
    report = made_up(
        short={"like": "base", "seeds": 3, "later_seeds": {"patience": 4}},
        fold={
            "like": "base",
            "by_seed": ["data.fold"],
            "recipe": {"data": {"source": "official", "val_size": 12_000}},
        },
    )
    assert [recipe.patience for recipe in report.all_recipes()["short.theirs"]] == [None, 4, 4]
    assert report.recipe("fold", "theirs", 7).data.fold == 2


def test_seeds_may_be_listed_and_of_one_protocol_and_a_split_may_begin_later():
    report = made_up(
        few={
            "like": "base",
            "first_seed": 1,
            "seeds": {"theirs": [1, 2, 5], "ours": 2},
            "protocols": ["theirs", "ours"],
            "by_seed": ["data.split_seed"],
            "by_seed_from": 3,
        }
    )
    theirs, ours = (report.all_recipes()[f"few.{name}"] for name in ("theirs", "ours"))
    assert [recipe.seed for recipe in theirs] == [1, 2, 5]
    assert [recipe.data.split_seed for recipe in theirs] == [None, None, 5]
    assert [recipe.seed for recipe in ours] == [1, 2]


def test_a_measure_may_name_the_numbers_of_a_table_only_if_they_are_there():
    report = load_report("01")
    fields = {name: getattr(report, name) for name in type(report).model_fields}
    words = {"es": "a", "en": "b"}
    with pytest.raises(UserError, match="N1-99"):
        Report(**fields | {"tables": [{"id": "T", "what": words, "numbers": ["N1-1", "N1-99"]}]})


def test_what_follows_the_seed_and_the_encoder_of_the_same_seed():
    classifier = {"name": "encoder_classifier", "latent_dim": 4}
    fields = {
        "data": {"val_size": 12_000},
        "model": classifier,
        "loss": "cross_entropy",
    }
    fields |= {"optimizer": "sgd", "learning_rate": 0.1, "batch_size": 50, "num_epochs": 2}
    report = made_up(
        fold={
            "recipe": fields,
            "by_seed": ["data.fold"],
            "encoder_from": "base",
            "first_seed": 1,
            "seeds": 3,
        }
    )
    recipes = report.all_recipes()["fold.theirs"]
    assert [(recipe.data.fold, recipe.seed, recipe.encoder_from.seed) for recipe in recipes] == [
        (k, k, k) for k in (1, 2, 3)
    ]
    assert recipes[0].encoder_from == report.recipe("base", "theirs", 1)


def test_the_encoder_may_come_from_another_group_for_each_protocol():
    classifier = {"name": "encoder_classifier", "encoder": "conv"}
    fields = {
        "model": classifier,
        "loss": "cross_entropy",
        "optimizer": "sgd",
        "learning_rate": 0.1,
    }
    base = {
        "model": {"name": "conv_autoencoder"},
        "loss": "mse",
        "optimizer": "sgd",
        "learning_rate": 0.1,
    }
    sizes = {"batch_size": 50, "num_epochs": 2}
    report = made_up(
        coder={"recipe": base | sizes, "grid": {"model.latent_dim": [4, 5]}},
        tuned={
            "recipe": fields | sizes,
            "grid": {"model.latent_dim": [4, 5]},
            "encoder_from": {"theirs": "coder_{latent_dim}"},
        },
    )
    assert report.recipe("tuned_5", "theirs", 2).encoder_from == report.recipe(
        "coder_5", "theirs", 2
    )


def test_a_group_may_keep_the_panel_of_every_seed(tmp_path):
    report = made_up(**{"all_0.5": {"like": "base", "recipe": {"num_epochs": 1}, "panel": "all"}})
    store = RunStore(tmp_path / "runs", tmp_path / "results")
    path = report.publish(train(report.recipe("all_0.5", "theirs", 1), store=store), store)
    assert path.with_suffix(".panel.safetensors").exists() and path.name.startswith(
        "all_0.5.theirs.seed1"
    )


def test_one_small_checkpoint_a_report_is_committed_and_documented():
    """Six megabytes together; those whose runs have been made can be loaded."""
    named = {
        name: run_id
        for report in report_names()
        for name, run_id in load_report(report).checkpoints().items()
    }
    owners = [report[:2] for report in report_names() for _ in load_report(report).checkpoints()]
    assert {"01", "02", "03", "04", "05"} <= set(owners) and len(named) == len(owners)
    size = 0
    for report in report_names():
        for recipes in load_report(report).all_recipes().values():
            for recipe in (recipe for recipe in recipes if recipe.id in named.values()):
                size += sum(
                    4 * tensor.numel()
                    for tensor in build_model(**recipe.model.model_dump()).state_dict().values()
                )
    assert size < 6_000_000
    committed = list(RunStore().results.glob("*/records/*.weights.safetensors"))
    assert sum(path.stat().st_size for path in committed) < 6_000_000
    for name, run_id in named.items():
        if any(f".{run_id[:12]}." in path.name for path in committed):
            assert not load_pretrained(name).training
    for lang in ("es", "en"):
        page = (Path(__file__).parents[1] / "book" / lang / "how_to_run.md").read_text("utf-8")
        rows = re.findall(
            r"^\| `(\w+)` \| (\d) \|", page.partition("load_pretrained")[2], re.MULTILINE
        )
        assert rows == [(name, str(int(owner))) for name, owner in zip(named, owners, strict=True)]


def test_the_first_seed_keeps_its_panel_and_a_checkpoint_its_weights(tmp_path, monkeypatch):
    report = made_up(plain={"like": "base", "recipe": {"num_epochs": 1}, "panel": False})
    store = RunStore(tmp_path / "runs", tmp_path / "results")
    first, second, plain = (
        report.publish(train(report.recipe(group, "theirs", seed), store=store), store)
        for group, seed in (("base", 0), ("base", 1), ("plain", 0))
    )
    kept = {
        suffix: path.with_suffix(suffix).exists()
        for path in (first,)
        for suffix in (".panel.safetensors", ".weights.safetensors")
    }
    assert all(kept.values()) and not second.with_suffix(".panel.safetensors").exists()
    assert (
        not plain.with_suffix(".panel.safetensors").exists()
        and not second.with_suffix(".weights.safetensors").exists()
    )
    assert report.is_published(report.recipe("base", "theirs", 0), store)
    monkeypatch.setattr(reports, "report_names", lambda: [report.id])
    monkeypatch.setattr(reports, "load_report", lambda name: report)
    monkeypatch.setenv("FMNIST_RUNS", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("FMNIST_RESULTS", str(store.results))
    assert load_pretrained("small")(torch.zeros(1, 1, 28, 28)).shape == (1, 1, 28, 28)
    with pytest.raises(UserError, match="small"):
        load_pretrained("smal")
    weights = first.with_suffix(".weights.safetensors")
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(UserError, match="weights"):
        load_pretrained("small")
    weights.unlink()
    assert not report.is_published(report.recipe("base", "theirs", 0), store)
