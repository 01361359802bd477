"""Recipes: their ids, their round trip, and what they refuse, in both languages."""

import json
import pickle
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmnist_utils.audit.recipes import BadParameters, Recipe
from fmnist_utils.text import set_language

BASE = {
    "model": {"name": "ff_classifier"},
    "loss": "cross_entropy",
    "optimizer": "sgd",
    "learning_rate": 0.001,
    "batch_size": 100,
    "num_epochs": 30,
}
# One change for each field that a recipe has, so that every one of them is seen to move the id.
CHANGES = [
    {"data": {"val_size": 5000}},
    {"data": {"val_from": "test"}},
    {"data": {"split_seed": 0}},
    {"data": {"fold": 1}},
    {"data": {"train_size": 100}},
    {"data": {"subset_seed": 1}},
    {"data": {"test_size": 100}},
    {"data": {"mean": 0.5}},
    {"data": {"std": 0.5}},
    {"data": {"source": "sample"}},
    {"model": {"hidden_sizes": [64, 128]}},
    {"model": {"dropout": 0.1}},
    {"model": {"name": "cnn"}},
    {"model": {"name": "residual_net"}},
    {"loss": "mse"},
    {"optimizer": "adam"},
    {"optimizer": "adamw"},
    {"learning_rate": 0.002},
    {"momentum": 0.9},
    {"weight_decay": 0.1},
    {"schedule": "cosine"},
    {"schedule": "one_cycle"},
    {"flips": True},
    {"shifts": 2},
    {"erasing": 0.5},
    {"label_smoothing": 0.1},
    {"average": 0.99},
    {"test_flips": True},
    {"batch_size": 101},
    {"num_epochs": 31},
    {"patience": 5},
    {"watch": "test"},
    {"select": "best"},
    {"seed": 1},
    {"precision": "bfloat16"},
    {"loading": "per_image"},
    {"measure_train": 1000},
    {"model": {"name": "ff_autoencoder", "dropout": 0.1}, "loss": "mse", "snapshots": [0, 10]},
]
AUTOENCODER = {**BASE, "model": {"name": "conv_autoencoder"}, "loss": "l1"}
CLASSIFIER = {**BASE, "model": {"name": "encoder_classifier"}}
TRANSFERS = [
    {"encoder_from": AUTOENCODER},
    {"encoder_from": {**AUTOENCODER, "seed": 1}},
    {"encoder_from": AUTOENCODER, "freeze": "optimizer"},
    {"encoder_from": AUTOENCODER, "freeze": "gradient"},
    {"freeze": "features"},
]


def make(**changes):
    fields = {**BASE, **changes}
    if isinstance(changes.get("model"), dict):
        fields["model"] = {**BASE["model"], **changes["model"]}
    return Recipe(**fields)


def test_the_id_is_what_it_was_when_records_were_first_published():
    assert make().canonical_json == (
        '{"batch_size":100,"learning_rate":0.001,"loss":"cross_entropy",'
        '"model":{"name":"ff_classifier"},"num_epochs":30,"optimizer":"sgd"}'
    )
    assert make().id == "bf1062442fb4" + make().id[12:]


def test_any_field_changed_changes_the_id():
    ids = [make().id] + [make(**change).id for change in CHANGES]
    ids += [Recipe(**CLASSIFIER).id] + [Recipe(**CLASSIFIER, **change).id for change in TRANSFERS]
    assert len(set(ids)) == len(CHANGES) + len(TRANSFERS) + 2


def test_every_field_is_among_the_changes():
    assert {name for change in CHANGES + TRANSFERS for name in change} == set(Recipe.model_fields)


def test_round_trip_and_key_order():
    recipes = [make(**change) for change in [{}, *CHANGES]]
    for recipe in recipes + [Recipe(**CLASSIFIER, **change) for change in TRANSFERS]:
        fields = json.loads(json.dumps(recipe.model_dump(mode="json")))
        shuffled = dict(random.Random(0).sample(list(fields.items()), len(fields)))
        assert Recipe(**shuffled) == recipe and Recipe(**shuffled).id == recipe.id


def test_a_default_written_out_is_the_same_recipe():
    assert make(seed=0, data={"val_size": 10_000}, model={"dropout": 0.2}).id == make().id


def test_but_changes_and_checks():
    changed = make().but({"model.dropout": 0.5}, seed=3)
    assert changed == make(model={"dropout": 0.5}, seed=3) and changed.value("model.dropout") == 0.5
    assert make().model.dropout == 0.2  # the other one is as it was
    with pytest.raises(BadParameters, match="Did you mean 'dropout'"):
        make().but({"model.droput": 0.5})
    with pytest.raises(BadParameters, match="optimizer.lr: optimizer has no fields"):
        make().but({"optimizer.lr": 0.1})


def test_frozen():
    with pytest.raises(Exception, match="frozen"):
        make().seed = 3


# (change, parts of the English message): the parameter, what is allowed, the nearest right name
BAD = [
    ({"num_epoch": 3}, ["num_epoch:", "Did you mean 'num_epochs'"]),
    ({"num_epochs": 0}, ["num_epochs: given 0", "integer ≥ 1"]),
    ({"num_epochs": "3"}, ["num_epochs: given '3'", "integer"]),
    ({"num_epochs": 2.5}, ["num_epochs: given 2.5", "integer"]),
    ({"num_epochs": None}, ["num_epochs: given None"]),
    ({"batch_size": 60_001}, ["batch_size", "≤ 60000"]),
    ({"seed": True}, ["seed: given True"]),
    ({"seed": -1}, ["seed: given -1", "≥ 0"]),
    ({"learning_rate": float("nan")}, ["learning_rate: given nan", "> 0"]),
    ({"learning_rate": 0}, ["learning_rate: given 0"]),
    ({"learning_rate": [1]}, ["learning_rate: given [1]", "number"]),
    ({"optimizer": "adm"}, ["optimizer: given 'adm'", "sgd, adam, adamw", "Did you mean 'adam'"]),
    ({"optimizer": "Adam"}, ["optimizer: given 'Adam'", "Did you mean 'adam'"]),
    ({"loss": "l2"}, ["loss: given 'l2'", "cross_entropy, mse, l1"]),
    ({"loss": "l1"}, ["loss:", "classifies"]),
    ({"momentum": 1.0}, ["momentum: given 1.0", "< 1"]),
    ({"momentum": 0.9, "optimizer": "adam"}, ["momentum:", "optimizer sgd"]),
    ({"momentum": 0.9, "optimizer": "adamw"}, ["momentum:", "optimizer sgd"]),
    ({"loss": "mse", "label_smoothing": 0.1}, ["label_smoothing", "cross_entropy", "mse"]),
    ({"flips": True, "loading": "per_image"}, ["flips", "resident"]),
    ({"erasing": 1.5}, ["erasing: given 1.5"]),
    ({"shifts": 28}, ["shifts: given 28"]),
    ({"average": 1.0}, ["average: given 1.0", "< 1"]),
    ({"patience": 0}, ["patience: given 0", "None"]),
    ({"model": "cnn"}, ["model.name: given 'cnn'", "Did you mean 'cnn'"]),
    ({"model": {"name": "ff_clasifier"}}, ["ff_clasifier", "Did you mean 'ff_classifier'"]),
    ({"model": {"dropout": 1.5}}, ["model.dropout: given 1.5", "< 1"]),
    ({"model": {"droput": 0.5}}, ["model.droput:", "Did you mean 'dropout'"]),
    ({"model": {"hidden_sizes": [128, "a"]}}, ["model.hidden_sizes.1: given 'a'"]),
    ({"model": {"hidden_sizes": 128}}, ["model.hidden_sizes: given 128", "list of"]),
    ({"data": {"val_size": -1}}, ["data.val_size: given -1"]),
    ({"data": {"vall_size": 1}}, ["data.vall_size:", "Did you mean 'val_size'"]),
    ({"data": {"val_size": 0}}, ["watch:", "data.val_size"]),
    ({"data": {"source": "auto"}}, ["data.source: given 'auto'", "official, sample"]),
]


@pytest.mark.parametrize(("change", "parts"), BAD)
def test_refusals_name_the_parameter_what_is_allowed_and_the_nearest_name(change, parts):
    with pytest.raises(BadParameters) as english:
        make(**change)
    for part in parts:
        assert part in str(english.value)
    set_language("es")
    with pytest.raises(BadParameters) as spanish:
        make(**change)
    assert "no se entrenó nada" in str(spanish.value) and str(spanish.value) != str(english.value)


def test_all_mistakes_are_told_at_once_and_cross_process_borders():
    with pytest.raises(BadParameters) as error:
        make(num_epochs=0, batch_size=0, sed=1)
    assert all(name in str(error.value) for name in ("num_epochs", "batch_size", "sed"))
    assert str(pickle.loads(pickle.dumps(error.value))) == str(error.value)


DROPPING = {"name": "encoder_classifier", "flatten_dropout": 0.8}


def other_encoder(name):
    return {**AUTOENCODER, "model": {"name": name}}


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({**BASE, "freeze": "gradient"}, "ff_classifier"),
        ({**BASE, "encoder_from": AUTOENCODER}, "ff_classifier"),
        ({**CLASSIFIER, "encoder_from": other_encoder("raschka_autoencoder")}, "raschka_autoenc"),
        ({**CLASSIFIER, "encoder_from": other_encoder("ff_autoencoder")}, "ff_autoencoder"),
        ({**CLASSIFIER, "freeze": "features", "model": DROPPING}, "0.8"),
        ({**CLASSIFIER, "encoder_from": {**AUTOENCODER, "num_epochs": 0}}, "num_epochs"),
        ({**CLASSIFIER, "freeze": "features", "average": 0.9}, "average"),
        ({**CLASSIFIER, "freeze": "features", "shifts": 1}, "shifts"),
        ({**AUTOENCODER, "flips": True}, "conv_autoencoder"),
        ({**AUTOENCODER, "test_flips": True}, "conv_autoencoder"),
        ({**BASE, "snapshots": [1]}, "ff_classifier"),
        ({**BASE, "loading": "per_image", "data": {"mean": 0.286}}, "per_image"),
        ({**BASE, "loading": "per_image", "data": {"std": 0.353}}, "per_image"),
        ({**CLASSIFIER, "loading": "per_image", "freeze": "features"}, "per_image"),
    ],
)
def test_transfer_that_cannot_be_is_refused(fields, part):
    with pytest.raises(BadParameters, match=part):
        Recipe(**fields)


def test_what_is_missing_is_named():
    with pytest.raises(BadParameters, match="loss: this parameter is missing"):
        Recipe(**{name: value for name, value in BASE.items() if name != "loss"})


def test_an_autoencoder_takes_no_cross_entropy():
    with pytest.raises(BadParameters, match="mse and l1"):
        make(model={"name": "conv_autoencoder"})
    assert make(model={"name": "conv_autoencoder"}, loss="l1").task == "reconstruction"


# --- For recipes of all kinds ---------------------------------------------------------------------

SIZES = {"hidden_sizes": st.lists(st.integers(1, 2000), max_size=3), "dropout": st.floats(0, 0.99)}
CUTS = {"val_size": st.integers(1, 59_999), "std": st.floats(0.001, 1000)}
RECIPES = st.fixed_dictionaries(
    {
        "model": st.fixed_dictionaries({"name": st.just("ff_classifier")}, optional=SIZES),
        "loss": st.sampled_from(["cross_entropy", "mse"]),
        "optimizer": st.just("sgd"),
        "learning_rate": st.floats(1e-300, 1e6, exclude_min=True),
        "batch_size": st.integers(1, 60_000),
        "num_epochs": st.integers(1, 10_000),
    },
    optional={
        "data": st.fixed_dictionaries({}, optional=CUTS),
        "momentum": st.floats(0, 0.999),
        "weight_decay": st.floats(0, 1),
        "patience": st.none() | st.integers(1, 10**6),
        "seed": st.integers(0, 2**31 - 1),
        "measure_train": st.none() | st.integers(1, 60_000),
    },
)


@given(RECIPES, st.randoms())
@settings(max_examples=100, deadline=None)
def test_any_recipe_survives_json_and_any_order_of_its_keys(fields, order):
    recipe = Recipe(**fields)
    written = json.loads(json.dumps(recipe.model_dump(mode="json")))
    keys = list(written)
    order.shuffle(keys)
    again = Recipe(**{key: written[key] for key in keys})
    assert again == recipe and again.id == recipe.id
    assert again.canonical_json == recipe.canonical_json


@given(RECIPES, RECIPES)
@settings(max_examples=100, deadline=None)
def test_ids_are_equal_just_when_recipes_are(one, other):
    one, other = Recipe(**one), Recipe(**other)
    assert (one.id == other.id) == (one == other)
    for name in set(one.model_dump()) - {"model", "loss", "optimizer"}:
        if getattr(one, name) != getattr(other, name):
            changed = Recipe(**(one.model_dump() | {name: other.model_dump()[name]}))
            assert changed.id != one.id, name


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.sampled_from(sorted(Recipe.model_fields)), ANYTHING)
@settings(max_examples=100, deadline=None)
def test_any_value_is_taken_or_refused_by_name(name, value):
    try:
        recipe = Recipe(**{**BASE, name: value})
    except BadParameters as refused:
        message = str(refused)
    else:
        message = name
        assert Recipe(**json.loads(json.dumps(recipe.model_dump(mode="json")))).id == recipe.id
    assert name in message
