"""A report that is made up: what its file may say, its groups and recipes, what it publishes."""

import pytest
import torch

from fmnist_utils import audit
from fmnist_utils.audit import schema as reports
from fmnist_utils.audit.schema import Report, load_pretrained, load_report, student_reports
from fmnist_utils.text import UserError
from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.store import RunStore

REPORT = load_report("01")
SIZES = {"optimizer": "sgd", "learning_rate": 0.1, "batch_size": 50, "num_epochs": 2}
CLASSIFIER = {"loss": "cross_entropy"} | SIZES


def made_up(**groups) -> Report:
    """Return a report with these groups on a little made-up data; two groups are always there."""
    text = {"es": "n = {latent_dim}", "en": "size {latent_dim}"}
    data = {"source": "sample", "train_size": 200, "val_size": 100, "test_size": 100}
    network = {"name": "conv_autoencoder", "latent_dim": 4, "output_activation": "sigmoid"}
    recipe = SIZES | {"optimizer": "adam", "learning_rate": 0.01}
    recipe |= {"data": data, "model": network, "loss": "mse"}
    grid = {"model.latent_dim": [5, 6], "batch_size": [20, 40]}
    base = {"label": text, "seeds": 2, "checkpoint": "small", "recipe": recipe}
    sizes = {"label": text, "like": "base", "grid": grid}
    named = {name: {"label": text} | group for name, group in groups.items()}
    return Report(
        id="99_made_up", title=text, authors=["A"], date="2026", institution=text, citation="a2026",
        protocols={"theirs": {}, "ours": {"select": "best"}},
        parameters={"latent_dim": "model.latent_dim"},
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
    model = report.recipe("other", "theirs").model
    assert (model.name, model.latent_dim) == ("ff_autoencoder", 7)
    assert report.recipe("smaller", "theirs").model.name == "ff_autoencoder"


def test_a_grid_is_a_group_for_each_combination():
    after = {"like": "size_{latent_dim}_20", "grid": {"model.latent_dim": [5, 6]}}
    report = made_up(after=after | {"recipe": {"num_epochs": 1}})
    sizes = [f"size_{size}_{batch}" for size in (5, 6) for batch in (20, 40)]
    assert list(report.groups) == ["base", *sizes, "after_5", "after_6"]
    recipe = report.recipe("size_6_40", "theirs")
    assert (recipe.model.latent_dim, recipe.batch_size) == (6, 40)
    assert report.recipe("after_6", "theirs") == recipe.but(batch_size=20, num_epochs=1)


def test_a_list_in_a_grid_has_its_name_and_an_entry_of_that_name_adds_to_its_group():
    grid = {"model.dense_sizes": [[64], [60, 12]], "model.dropout": [0.1]}
    recipe = CLASSIFIER | {"model": {"name": "cnn", "kernel_size": 3}}
    label = {"es": "CNN-{dense_sizes}", "en": "net {dense_sizes}"}
    half = {"like": "cnn_{dense_sizes}_0.1", "grid": {"model.dense_sizes": [[60, 12]]}}
    groups = {"cnn": {"label": label, "recipe": recipe, "grid": grid}}
    report = made_up(**groups | {"cnn_64_0.1": {"checkpoint": "cnn_64"}, "half": half})
    assert list(report.groups)[5:] == ["cnn_64_0.1", "cnn_60x12_0.1", "half_60x12"]
    recipe = report.recipe("half_60x12", "theirs")
    assert recipe.model.dense_sizes == (60, 12) and "60x12" in report.label("cnn_60x12_0.1", recipe)
    assert report.checkpoints()["cnn_64"] == report.recipe("cnn_64_0.1", "theirs")


def test_later_seeds_may_stop_early_and_folds_come_round():
    data = {"source": "official", "val_size": 12_000}
    report = made_up(
        short={"like": "base", "seeds": 3, "later_seeds": {"patience": 4}},
        fold={"like": "base", "by_seed": ["data.fold"], "recipe": {"data": data}},
    )
    assert [recipe.patience for recipe in report.all_recipes()["short.theirs"]] == [None, 4, 4]
    assert report.recipe("fold", "theirs", 7).data.fold == 2


def test_seeds_may_be_listed_and_of_one_protocol_and_a_split_may_begin_later():
    few = {"like": "base", "first_seed": 1, "seeds": {"theirs": [1, 2, 5], "ours": 2}}
    few |= {"protocols": ["theirs", "ours"], "by_seed": ["data.split_seed"], "by_seed_from": 3}
    recipes = made_up(few=few).all_recipes()
    theirs, ours = recipes["few.theirs"], recipes["few.ours"]
    assert [recipe.seed for recipe in theirs] == [1, 2, 5]
    assert [recipe.data.split_seed for recipe in theirs] == [None, None, 5]
    assert [recipe.seed for recipe in ours] == [1, 2]


def test_what_follows_the_seed_and_the_encoder_of_the_same_seed():
    model = {"name": "encoder_classifier", "latent_dim": 4}
    fold = {"recipe": CLASSIFIER | {"model": model, "data": {"val_size": 12_000}}}
    fold |= {"by_seed": ["data.fold"], "encoder_from": "base", "first_seed": 1, "seeds": 3}
    report = made_up(fold=fold)
    recipes = report.all_recipes()["fold.theirs"]
    found = [(recipe.data.fold, recipe.seed, recipe.encoder_from.seed) for recipe in recipes]
    assert found == [(k, k, k) for k in (1, 2, 3)]
    assert recipes[0].encoder_from == report.recipe("base", "theirs", 1)


def test_the_encoder_may_come_from_another_group_for_each_protocol():
    grid = {"grid": {"model.latent_dim": [4, 5]}}
    coder = {"model": {"name": "conv_autoencoder"}, "loss": "mse"} | SIZES
    tuned = CLASSIFIER | {"model": {"name": "encoder_classifier", "encoder": "conv"}}
    encoder = {"encoder_from": {"theirs": "coder_{latent_dim}"}}
    report = made_up(coder={"recipe": coder} | grid, tuned={"recipe": tuned} | grid | encoder)
    base = report.recipe("coder_5", "theirs", 2)
    assert report.recipe("tuned_5", "theirs", 2).encoder_from == base


def test_the_first_seed_keeps_its_panel_and_a_checkpoint_its_weights(tmp_path, monkeypatch):
    plain = {"like": "base", "recipe": {"num_epochs": 1}, "panel": False}
    every = {"like": "base", "recipe": {"batch_size": 40}, "panel": "all"}
    report = made_up(**{"plain": plain, "all_0.5": every})
    store = RunStore(tmp_path / "runs", tmp_path / "results")

    def kept(group, seed):
        """Return what is published with a run: its panel (True), its weights (True)."""
        path = report.publish(train(report.recipe(group, "theirs", seed), store=store), store)
        assert path.name.startswith(f"{group}.theirs.seed{seed}.")
        return tuple(
            path.with_suffix(f".{what}.safetensors").exists() for what in ("panel", "weights")
        )

    assert kept("base", 0) == (True, True) and kept("base", 1) == (False, False)
    assert kept("plain", 0) == (False, False) and kept("all_0.5", 1) == (True, False)
    assert report.is_published(report.recipe("base", "theirs", 0), store)
    monkeypatch.setattr(reports, "report_names", lambda: [report.id])
    monkeypatch.setattr(reports, "load_report", lambda name: report)
    monkeypatch.setenv("FMNIST_RUNS", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("FMNIST_RESULTS", str(store.results))
    assert load_pretrained("small")(torch.zeros(1, 1, 28, 28)).shape == (1, 1, 28, 28)
    with pytest.raises(UserError, match="small"):
        load_pretrained("smal")
    [weights] = store.results.rglob("*.weights.safetensors")
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(UserError, match="weights"):
        load_pretrained("small")
    weights.unlink()
    assert not report.is_published(report.recipe("base", "theirs", 0), store)
