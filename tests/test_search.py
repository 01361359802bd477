"""Searching: the table of a whole space, its shares of variance, the four methods, a study that several processes share."""

import itertools
import math
import multiprocessing
import re
from types import SimpleNamespace

import numpy as np
import pytest

from fmnist_utils.audit import search
from fmnist_utils.audit.schema import load_report
from fmnist_utils.audit.search import METHODS, Grid, Trial, chosen, coarse, progress
from fmnist_utils.text import UserError

SPACE = {
    "optimizer": ["adam", "sgd"],
    "learning_rate": [0.001, 0.01, 0.1, 1.0],
    "model.dropout": [0.0, 0.5],
}


def made_up(quality, noise=0.0, space=SPACE, runs=3, epochs=4, seed=0):
    """Return runs of every configuration of ``space`` whose last score is its quality, with noise."""
    chance, made = np.random.default_rng(seed), []
    for values in itertools.product(*space.values()):
        fields = dict(zip(space, values, strict=True))
        for number in range(runs):
            last = (
                quality(**{path.rpartition(".")[2]: value for path, value in fields.items()})
                + noise * chance.normal()
            )
            recipe = SimpleNamespace(seed=number, value=fields.__getitem__)
            history = {"val_accuracy": [last * epoch / epochs for epoch in range(1, epochs + 1)]}
            made.append(
                SimpleNamespace(
                    recipe=recipe, history=history, metrics={"test_accuracy": last - 0.01}
                )
            )
    return {str(number): [run] for number, run in enumerate(made)}


def bowl(optimizer, learning_rate, dropout):
    centre = {"adam": -2, "sgd": -1}[optimizer]
    return 0.9 - 0.1 * (math.log10(learning_rate) - centre) ** 2 - 0.02 * (dropout > 0)


@pytest.fixture
def grid():
    return Grid(made_up(bowl), list(SPACE))


# --- The table ------------------------------------------------------------------------------------------------------


def test_the_table_knows_the_space_and_the_best_of_it(grid):
    assert dict(grid.space) == SPACE and len(grid) == 16 and grid.num_epochs == 4
    assert grid.best == ("adam", 0.01, 0.0)
    assert grid.quality(
        {"optimizer": "sgd", "learning_rate": 0.1, "model.dropout": 0.5}
    ) == pytest.approx(0.88)
    assert grid.noise == pytest.approx(0) and Grid(
        made_up(bowl, 0.05), list(SPACE)
    ).noise == pytest.approx(0.05, rel=0.3)


def test_a_hole_in_the_table_is_told(grid):
    runs = made_up(bowl)
    with pytest.raises(UserError, match=r"sgd, 1\.0, 0\.5"):
        Grid(dict(list(runs.items())[:-3]), list(SPACE))
    with pytest.raises(UserError, match="2"):
        Grid(dict(list(runs.items())[:-1]), list(SPACE))


def test_maps_are_means_over_the_other_fields(grid):
    table = grid.maps("learning_rate", "optimizer")
    assert table.shape == (2, 4)
    assert table[0, 1] == pytest.approx(np.mean([bowl("adam", 0.01, 0.0), bowl("adam", 0.01, 0.5)]))
    assert np.array_equal(grid.maps("optimizer", "learning_rate"), table.T)


def test_shares_are_those_of_the_analysis_of_variance():
    only_one = Grid(
        made_up(lambda optimizer, learning_rate, dropout: learning_rate), list(SPACE)
    ).shares()
    assert only_one["learning_rate",] == pytest.approx(1) and sum(
        only_one.values()
    ) == pytest.approx(1)
    together = Grid(
        made_up(lambda optimizer, learning_rate, dropout: (optimizer == "sgd") ^ (dropout > 0)),
        list(SPACE),
    ).shares()
    assert together["optimizer", "model.dropout"] == pytest.approx(1)
    assert together["optimizer",] == pytest.approx(0, abs=1e-12)


def test_what_is_promised_exceeds_what_is_kept_by_the_luck_of_choosing():
    tables = [
        Grid(made_up(lambda **_: 0.8, noise=0.02, seed=seed), list(SPACE)) for seed in range(200)
    ]
    assert tables[0].promises(5, seed=1) == tables[0].promises(5, seed=1)
    plain, nested, kept = np.mean([table.promises(16) for table in tables], axis=0)
    # The best of sixteen means of three: 1.766 of their deviations above the mean (order statistics of the normal).
    assert plain - 0.8 == pytest.approx(1.766 * 0.02 / math.sqrt(3), rel=0.1)
    assert nested == pytest.approx(0.8, abs=0.003)
    assert kept == pytest.approx(plain - 0.01), "here the test set shares the luck"


# --- The methods ----------------------------------------------------------------------------------------------------


def test_a_coarse_grid_spreads_few_values_of_each_field():
    points = coarse(SPACE, 8)
    assert math.prod(map(len, points.values())) <= 8 and all(
        set(points[path]) <= set(SPACE[path]) for path in SPACE
    )
    assert {path: len(values) for path, values in coarse(SPACE, 16).items()} == {
        path: len(SPACE[path]) for path in SPACE
    }
    assert all(len(values) == 1 for values in coarse(SPACE, 1).values())
    assert {tuple(coarse(SPACE, 2, seed)["learning_rate"]) for seed in range(20)} > {(0.001, 0.1)}


@pytest.mark.parametrize("method", METHODS)
def test_every_method_spends_the_budget_and_says_what_it_tried(method, grid):
    trials = search.search(method, grid.space, grid.evaluate(0), 30, grid.num_epochs, seed=1)
    again = search.search(method, grid.space, grid.evaluate(0), 30, grid.num_epochs, seed=1)
    assert trials == again
    spent = sum(len(trial.scores) for trial in trials)
    assert spent == 30 or (method == "grid" and spent <= 28)
    if method == "grid":
        assert len({grid.key(trial.configuration) for trial in trials}) == len(trials)
    if method == "halving":
        assert len(trials) > 30 / 4 and min(len(trial.scores) for trial in trials[:-1]) < 4
    pick = chosen(trials)
    assert len(pick.scores) == 4 and pick.scores[-1] == max(
        trial.scores[-1] for trial in trials if len(trial.scores) == 4
    )
    course = progress(trials, grid.quality, 4, 30)
    assert (
        len(course) == 30
        and math.isnan(course[0])
        and course[-1] == pytest.approx(grid.quality(pick.configuration))
    )


def test_tpe_finds_more_than_chance():
    space = {
        "learning_rate": [10.0 ** (power / 4) for power in range(-12, 12)],
        "model.dropout": [0.0, 0.2, 0.4, 0.6, 0.8],
    }
    grid = Grid(
        made_up(
            lambda learning_rate, dropout: -(math.log10(learning_rate) ** 2) - dropout, space=space
        ),
        list(space),
    )

    def reached(method):
        return np.mean(
            [
                grid.quality(
                    chosen(
                        search.search(method, grid.space, grid.evaluate(k), 120, 4, k)
                    ).configuration
                )
                for k in range(8)
            ]
        )

    assert reached("tpe") > reached("random")


def test_a_search_trains_no_epoch_that_nobody_asks_for():
    asked = []

    def live(configuration):
        for epoch in range(1, 9):
            asked.append(epoch)
            yield configuration["learning_rate"] * epoch

    trials = search.search(
        "halving", {"learning_rate": [1.0, 2.0, 3.0, 4.0]}, live, budget=20, num_epochs=4
    )
    assert len(asked) == 20 == sum(len(trial.scores) for trial in trials) and max(asked) == 4


def _share_a_study(path: str, seed: int) -> None:
    grid = Grid(made_up(bowl), list(SPACE))
    search.search("random", grid.space, grid.evaluate(seed), 20, 4, seed=seed, storage=path)


def test_several_processes_may_share_a_study(tmp_path):
    import optuna

    path = str(tmp_path / "search.log")
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_share_a_study, args=(path, seed)) for seed in range(2)]
    [process.start() for process in processes]
    [process.join() for process in processes]
    assert [process.exitcode for process in processes] == [0, 0]
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(path))
    trials = optuna.load_study(study_name="search", storage=storage).trials
    assert len(trials) == 10 and {trial.number for trial in trials} == set(range(10))


def test_a_search_that_goes_on_draws_anew_and_a_grid_ends_with_its_points(grid, tmp_path):
    how = grid.space, grid.evaluate(0), 8, 4
    first, then = (search.search("random", *how, storage=tmp_path / "random.log") for _ in range(2))
    assert [trial.configuration for trial in first] != [trial.configuration for trial in then]
    points = [search.search("grid", *how, storage=tmp_path / "grid.log") for _ in range(3)]
    assert len(points[0]) and not points[-1]  # nothing is left, and nothing off the grid is tried


@pytest.mark.parametrize(
    ("method", "budget", "told"), [("tpee", 30, "'tpe'"), ("grid", 3, "3"), ("random", 0, "4")]
)  # fmt: skip
def test_bad_input_is_told(method, budget, told, grid):
    with pytest.raises(UserError, match=told):
        search.search(method, grid.space, grid.evaluate(), budget, 4)


def test_without_optuna_the_extra_is_named(monkeypatch, grid):
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(UserError, match=r"\.\[search\]"):
        search.search("random", grid.space, grid.evaluate(), 30, 4)


def test_repeated_searches_are_summed_up_in_words(grid):
    found = search.repeat(grid, 24, 3)
    assert list(found) == list(METHODS) and all(len(searches) == 3 for searches in found.values())
    courses = search.courses(grid, found, 24)
    assert {len(course) for course in courses.values()} == {24} and len(
        next(iter(courses.values()))[24]
    ) == 3
    table = search.summary(grid, found, 24)
    assert list(table.index) == list(courses) and table.shape == (4, 4)
    assert all(re.fullmatch(r"\d+\.\d ± \d+\.\d %", cell) for cell in table.iloc[:, 1])


def test_the_test_set_is_opened_for_what_was_picked_and_nothing_else(grid):
    best = dict(zip(grid.space, grid.best, strict=True))
    shown = search.opened(grid, {"tpe": [[Trial(best, (0.9,))], []]}, best)  # two may pick the same
    assert list(shown) == ["without a search: adam · 0.01 · 0.0", "TPE: adam · 0.01 · 0.0"]
    assert all(list(heights) == list(grid.tests[grid.best]) for heights in shown.values())


def test_foresight_is_one_where_the_order_never_changes(grid):
    assert grid.foresight() == [1.0] * 4


# --- The space of page 06 -------------------------------------------------------------------------------------------


def test_the_space_of_the_page_is_complete_and_quick_has_a_part_of_it():
    report = load_report("06_search")
    recipes = [recipe for of_group in report.all_recipes().values() for recipe in of_group]
    paths = ["optimizer", "learning_rate", "model.dropout", "model.kernel_size", "batch_size"]
    runs = [
        SimpleNamespace(
            recipe=recipe, history={"val_accuracy": [0.5]}, metrics={"test_accuracy": 0.5}
        )
        for recipe in recipes
    ]
    whole = Grid({"all": runs}, paths)
    assert len(whole) == 144 and len({recipe.id for recipe in recipes}) == 432
    assert {recipe.momentum for recipe in recipes if recipe.optimizer == "sgd"} == {0.9}
    assert all(recipe.data.fold == recipe.seed == recipe.data.subset_seed for recipe in recipes)
    page = report.page({"lang": "en", "profile": "quick", "source": "synthetic"})
    quick = [name for name, group in report.groups.items() if group.quick]
    part = Grid(
        {
            "": [
                run
                for run in runs
                if run.recipe.model.kernel_size == 3 and run.recipe.batch_size == 50
            ]
        },
        paths,
    )
    assert len(part) == len(quick) == 36 and page.recipes(quick[0])[0].data.train_size == 200
