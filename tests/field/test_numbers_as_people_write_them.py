"""A number in a file, on the command line or from NumPy is taken, or the right way to write it is said."""

import re

import numpy as np
import pandas as pd
import pytest
import torch
from small_pages import PARAMETERS

from fmnist_utils.audit import load_report
from fmnist_utils.evaluation import predict
from fmnist_utils.models import FeedForwardClassifier
from fmnist_utils.text import UserError, speaking
from fmnist_utils.training import Batches
from fmnist_utils.workshop.cli_runs import read_value
from fmnist_utils.workshop.plans import read_plan

GOOD = {"lang": "es", "num_epochs": 3, "hidden_sizes": [64], "learning_rate": 0.01}


@pytest.mark.parametrize("rate", ["1e-3", "1E-3", ".001", "1.e-3", "+0.001", "0.001"])
def test_a_rate_in_a_plan(rate, tmp_path):
    (tmp_path / "plan.yaml").write_text(
        f"runs:\n  - report: 01\n    group: model_2\n    set: {{learning_rate: {rate}}}\n"
    )
    assert [recipe.learning_rate for recipe in read_plan(tmp_path / "plan.yaml")] == [0.001]


@pytest.mark.parametrize("report", ["01", "1", "'01'", "01_ff_classifier"])
def test_a_report_in_a_plan(report, tmp_path):
    (tmp_path / "plan.yaml").write_text(f"runs:\n  - report: {report}\n    group: model_2\n")
    assert read_plan(tmp_path / "plan.yaml") == [load_report("01").recipe("model_2", "ours")]


@pytest.mark.parametrize(
    ("typed", "value"),
    [(".001", 0.001), ("1.", 1.0), ("+3", 3), ("1e-3", 0.001), ("1_000", 1000), ("es", "es")],
)
def test_a_value_on_the_command_line(typed, value):
    assert read_value(typed) == value and type(read_value(typed)) is type(value)


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize("field", ["folds", "seeds"])
def test_a_number_between_quotes_in_a_plan_is_told_once(field, lang, tmp_path):
    plan = f"runs:\n  - report: 01\n    group: model_2\n    {field}: '2'\n"
    (tmp_path / "plan.yaml").write_text(plan)
    with speaking(lang), pytest.raises(UserError) as caught:
        read_plan(tmp_path / "plan.yaml")
    [line] = [line for line in str(caught.value).splitlines() if field in line]
    assert line.startswith(f"{field}: ") and line.endswith(" 2.")
    (tmp_path / "plan.yaml").write_text(plan.replace("'", ""))
    assert len(read_plan(tmp_path / "plan.yaml")) == 2


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_plan_that_an_editor_saved_in_another_unicode(encoding, tmp_path):
    plan = "runs:\n  - report: 01\n    group: model_2\n"
    (tmp_path / "plan.yaml").write_text(plan, encoding)
    assert len(read_plan(tmp_path / "plan.yaml")) == 1


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize(
    ("name", "meant"),
    [("dropout", "model.dropout"), ("train_size", "data.train_size"), ("epochs", "num_epochs")],
)
def test_a_field_of_a_part_is_told_with_its_part(name, meant, lang):
    recipe = load_report("01").recipe("model_2", "ours")
    with speaking(lang), pytest.raises(UserError) as caught:
        recipe.but({name: 1})
    assert re.search(rf"'({meant})'\?", str(caught.value))[1] == meant
    recipe.but({meant: 0.5 if name == "dropout" else 1})


OF_LIBRARIES = {
    "num_epochs": [np.int64(3), torch.tensor(3), np.array(3), pd.Series([3])[0]],
    "learning_rate": [np.float64(0.01), torch.tensor(0.01, dtype=torch.float64)],
    "hidden_sizes": [np.array([64]), torch.tensor([64]), [np.int32(64)], (np.int64(64),)],
    "lang": [np.str_("es")],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in OF_LIBRARIES.items() for value in values]
)
def test_a_value_of_numpy_pytorch_or_pandas(name, value):
    load_report("01").check_parameters(GOOD | {name: value})
    if name == "num_epochs":
        recipe = load_report("01").recipe("model_2", "ours")
        assert recipe.but(num_epochs=value).id == recipe.but(num_epochs=3).id


def test_sizes_of_numpy_where_a_page_uses_them():
    model = FeedForwardClassifier(hidden_sizes=(np.int64(8),))
    images = torch.zeros(5, 1, 28, 28)
    assert predict(model, images, batch_size=np.int64(2)).shape == (5, 10)
    batches = Batches(images, torch.zeros(5).long(), batch_size=np.int64(2))
    assert [len(inputs) for inputs, _ in batches] == [2, 2, 1]


TEXT = [
    ("learning_rate", "1e-3", "0.001"),
    ("learning_rate", "1e-07", "1.0e-07"),
    ("learning_rate", "0,001", "0.001"),
    ("num_epochs", "6", "6"),
    ("hidden_sizes", "[256, 128]", "-y 'hidden_sizes: [256, 128]'"),
    ("hidden_sizes", "64,32", "-p hidden_sizes '[64, 32]'"),
]


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize(("name", "given", "right"), TEXT)
def test_a_number_that_came_as_text_is_told_how_it_is_written(name, given, right, lang):
    with speaking(lang), pytest.raises(UserError) as caught:
        load_report("01").check_parameters(GOOD | {"lang": lang, name: given})
    assert f"{name}: " in str(caught.value) and right in str(caught.value)
    written = right.rpartition(f"{name}: ")[2].rpartition(f"{name} ")[2].strip("'")
    load_report("01").check_parameters(GOOD | {name: read_value(written)})  # the advice, typed


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize(("source", "size"), [("sample", 8001), ("official", 60000)])
def test_a_size_that_the_data_do_not_have_is_refused_at_once(source, size, lang, notebook_cells):
    own = f"{PARAMETERS}lang = {lang!r}\nsource = {source!r}\ntrain_size = {size}"
    most = {"sample": "8000", "official": "50000"}[source]
    assert "train_size: " in (said := notebook_cells(own))
    assert str(size) in said and most in said
    assert notebook_cells(own.replace(str(size), most)) == ""
