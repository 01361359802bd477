"""A key stands twice in a file, or a setting is given in two ways: nothing is dropped without a word."""

import pytest

from fmnist_utils.audit.groups import read_yaml
from fmnist_utils.text import UserError, speaking
from fmnist_utils.workshop.plans import read_plan

PLAN = "runs:\n  - report: '01'\n    group: model_2\n"
REPEATED = {  # what follows → the key, its line, the first one's line
    "two grids": (PLAN + "    grid: {learning_rate: [0.1]}\n    grid: {seed: [1]}\n", "grid", 5, 4),
    "inside set": (
        PLAN + "    set: {num_epochs: 1,\n          num_epochs: 2}\n",
        "num_epochs",
        5,
        4,
    ),
    "two lists of runs": (PLAN + "runs:\n  - report: '02'\n", "runs", 4, 1),
    "deep in a recipe": (
        "runs:\n- recipe:\n    model:\n      name: a\n      name: b\n",
        "name",
        5,
        4,
    ),
    "two seeds": (PLAN + "    seeds: 2\n    folds: 2\n    seeds: 3\n", "seeds", 6, 4),
}


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize("read", [read_plan, read_yaml])
@pytest.mark.parametrize("case", REPEATED)
def test_the_file_the_key_and_both_lines_are_named(case, read, lang, tmp_path):
    content, key, line, first = REPEATED[case]
    path = tmp_path / "my plan.yaml"
    path.write_text(content)
    with speaking(lang), pytest.raises(UserError) as caught:
        read(path)
    words = {"es": ("línea {}", "la línea {}"), "en": ("line {}", "in line {}")}[lang]
    said = str(caught.value)
    assert path.name in said and repr(key) in said
    assert words[0].format(line) in said and words[1].format(first) in said


TWICE = {
    "set and grid": ("    set: {dropout: 0}\n    grid: {dropout: [0.1]}\n", "dropout"),
    "grid and folds": ("    grid: {data.fold: [1]}\n    folds: 3\n", "data.fold"),
    "set and seeds": ("    set: {seed: 7}\n    seeds: 2\n", "seed"),
}


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize("case", TWICE)
def test_two_ways_to_give_one_field_are_refused(case, lang, tmp_path):
    (tmp_path / "plan.yaml").write_text(PLAN + TWICE[case][0])
    with speaking(lang), pytest.raises(UserError, match=f"{TWICE[case][1]}: "):
        read_plan(tmp_path / "plan.yaml")


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "01", "-p", "num_epochs", 2, "-p", "num_epochs", 3],
        ["run", "01", "-p", "seed", 1, "-p", "dropout", 0.1, "-p", "seed", 1],
        ["train", "01", "model_2", "--set", "num_epochs=1", "--set", "num_epochs=2"],
    ],
)
def test_so_is_an_option_given_twice(arguments, lang, fmnist):
    said = fmnist("--lang", lang, *arguments)
    name = "seed" if "seed" in arguments else "num_epochs"
    assert said.exit_code == 2 and f"{name}: " in said.output


def test_a_merged_key_may_be_overridden(tmp_path):
    (tmp_path / "a.yaml").write_text("base: &base {x: 1, y: 2}\nmore: {<<: *base, x: 3}\n")
    assert read_yaml(tmp_path / "a.yaml")["more"] == {"x": 3, "y": 2}
