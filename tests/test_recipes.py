"""Recipes: their ids, their round trip, and what they refuse, in both languages, before anything is trained."""

import json
import pickle
import random

import pytest

from fmnist_utils.recipes import BadParameters, Recipe
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
    {"data": {"train_size": 100}},
    {"data": {"test_size": 100}},
    {"data": {"mean": 0.5}},
    {"data": {"std": 0.5}},
    {"data": {"source": "synthetic"}},
    {"model": {"hidden_sizes": [64, 128]}},
    {"model": {"dropout": 0.1}},
    {"model": {"name": "cnn"}},
    {"loss": "mse"},
    {"optimizer": "adam"},
    {"learning_rate": 0.002},
    {"momentum": 0.9},
    {"weight_decay": 0.1},
    {"schedule": "cosine"},
    {"batch_size": 101},
    {"num_epochs": 31},
    {"patience": 5},
    {"watch": "test"},
    {"select": "best"},
    {"seed": 1},
]


def make(**changes):
    fields = {**BASE, **changes}
    fields["model"] = {**BASE["model"], **changes["model"]} if isinstance(changes.get("model"), dict) else fields["model"]
    return Recipe(**fields)


def test_the_id_is_what_it_was_when_records_were_first_published():
    text = '{"batch_size":100,"learning_rate":0.001,"loss":"cross_entropy","model":{"name":"ff_classifier"},"num_epochs":30,'
    assert make().canonical_json == text + '"optimizer":"sgd"}'
    assert make().id == "bf1062442fb4" + make().id[12:]


def test_any_field_changed_changes_the_id():
    ids = [make().id] + [make(**change).id for change in CHANGES]
    assert len(set(ids)) == len(CHANGES) + 1


def test_every_field_is_among_the_changes():
    assert {name for change in CHANGES for name in change} == set(Recipe.model_fields)


def test_round_trip_and_key_order():
    for change in [{}, *CHANGES]:
        recipe = make(**change)
        fields = json.loads(json.dumps(recipe.model_dump(mode="json")))
        shuffled = dict(random.Random(0).sample(list(fields.items()), len(fields)))
        assert Recipe(**shuffled) == recipe and Recipe(**shuffled).id == recipe.id


def test_a_default_written_out_is_the_same_recipe():
    assert make(seed=0, data={"val_size": 10_000}, model={"dropout": 0.2}).id == make().id


def test_but_changes_and_checks():
    assert make().but(model={"dropout": 0.5}, seed=3) == make(model={"dropout": 0.5}, seed=3)
    with pytest.raises(BadParameters):
        make().but(model={"droput": 0.5})


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
    ({"optimizer": "adm"}, ["optimizer: given 'adm'", "sgd, adam", "Did you mean 'adam'"]),
    ({"optimizer": "Adam"}, ["optimizer: given 'Adam'", "Did you mean 'adam'"]),
    ({"loss": "l2"}, ["loss: given 'l2'", "cross_entropy, mse, l1"]),
    ({"loss": "l1"}, ["loss:", "classifies"]),
    ({"momentum": 1.0}, ["momentum: given 1.0", "< 1"]),
    ({"momentum": 0.9, "optimizer": "adam"}, ["momentum:", "optimizer sgd"]),
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
    ({"data": {"source": "auto"}}, ["data.source: given 'auto'", "official, synthetic"]),
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


def test_what_is_missing_is_named():
    with pytest.raises(BadParameters, match="loss: this parameter is missing"):
        Recipe(**{name: value for name, value in BASE.items() if name != "loss"})


def test_an_autoencoder_takes_no_cross_entropy():
    with pytest.raises(BadParameters, match="mse and l1"):
        make(model={"name": "conv_autoencoder"})
    assert make(model={"name": "conv_autoencoder"}, loss="l1").task == "reconstruction"
