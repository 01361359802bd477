"""When the rules of the audit were fixed: as git has it, and beside the runs that they judge."""

import importlib.util
import itertools
import os
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fake_runs import REPORT, fake_run

from fmnist_utils import audit
from fmnist_utils.audit.dates import Timing, fingerprint, read_dates, rule_files, rules_of
from fmnist_utils.audit.dates import timing_of as when
from fmnist_utils.audit.groups import read_yaml
from fmnist_utils.audit.schema import FOLDER, load_across
from fmnist_utils.text import say

spec = importlib.util.spec_from_file_location(
    "dates", Path(__file__).parents[1] / ".ci" / "dates.py"
)
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)

REMAKE = "`make dates` makes fmnist_utils/reports/dates.json anew"
NOT_YET = "9999-01-01T00:00:00Z"  # of what was never committed as it reads now
FIRST = """
claims:
- {id: C1-1, text: {en: better}, check: [{measure: {of: a, last: x, minus_last: y}, above: 0}]}
groups: {a: {seeds: 3, label: {en: a}}, n: {grid: {model.latent_dim: [64, 128]}, seeds: 2}}
"""
REWORDED = FIRST.replace("minus_last: y", "less: {last: y}").replace("better", "much better")
STRICTER = REWORDED.replace("above: 0", "above: 0.01")
MORE_RUNS = STRICTER.replace("seeds: 3", "seeds: 5")


def test_every_rule_has_its_date_and_none_has_changed_since():
    known = read_dates()
    for file in rule_files():
        now = {name: fingerprint(rule) for name, rule in rules_of(read_yaml(FOLDER / file)).items()}
        assert {name: dates["rule"] for name, dates in known[file].items()} == now, REMAKE


@pytest.mark.skipif(not script.is_whole(), reason="the history is not here")
def test_the_dates_are_those_of_git():
    """To the day: a date is written just before the commit that it is of."""
    for file in rule_files():
        known, found = read_dates()[file], script.history(FOLDER / file, NOT_YET)
        assert known.keys() == found.keys(), REMAKE
        for name, kind in itertools.product(known, ("written", "fixed")):
            if found[name][kind] != NOT_YET:
                dates = [datetime.fromisoformat(told[name][kind]) for told in (known, found)]
                assert abs(dates[0] - dates[1]) < timedelta(days=1), f"{name}: {REMAKE}"


def test_only_what_decides_moves_a_date(tmp_path, monkeypatch):
    def git(*arguments, hour=0):
        at = f"2026-01-01T{hour:02}:00:00Z"
        told = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at}
        identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
        command = ["git", *identity, *arguments]
        subprocess.run(
            command, cwd=tmp_path, check=True, capture_output=True, env=os.environ | told
        )

    git("init", "--initial-branch=main")
    path = tmp_path / "old.yaml"
    for hour, text in enumerate((FIRST, REWORDED, STRICTER), 1):
        path.write_text(text)
        git("add", ".")
        git("commit", "--message", str(hour), hour=hour)
    path = path.rename(tmp_path / "new.yaml")
    git("add", ".")
    git("commit", "--message", "move", hour=4)
    path.write_text(MORE_RUNS)
    monkeypatch.setattr(script, "ROOT", tmp_path)
    assert script.is_whole()
    dates = script.history(path, "now")
    first, third = "2026-01-01T01:00:00Z", "2026-01-01T03:00:00Z"
    shown = {name: (of_rule["written"], of_rule["fixed"]) for name, of_rule in dates.items()}
    assert shown == {
        "C1-1": (first, third),
        "runs: a": (first, "now"),
        "runs: n_64": (first, first),
        "runs: n_128": (first, first),
    }


def test_without_its_history_no_date_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(script, "ROOT", tmp_path)
    assert not script.is_whole()
    with pytest.raises(SystemExit):
        script.main()


@pytest.mark.parametrize(
    ("made", "earlier", "order"),
    [("45", 0, "older"), ("25", 1, "between"), ("12", 2, "younger"), ("3", 1, "mended")],
)
def test_what_came_first_is_told(made, earlier, order):
    timing = Timing("1", "3", "2", tuple(made))
    assert timing.earlier == earlier == timing.to_json()["earlier"]
    assert audit.orders([timing, Timing("1", "3", "2", ())])[order] == 1


def test_a_row_knows_its_dates_and_those_of_its_runs():
    run = fake_run(REPORT.recipe("model_2", "theirs"))
    timing = when(REPORT, "N1-4", ["model_2"], [run, run])
    assert timing.made == ("2026-11-20T20:00:00Z",) and timing.written <= timing.fixed
    assert timing.planned > timing.fixed
    assert when(load_across(), "CA-1", ["01/model_2"], []).planned == timing.planned
    unknown = REPORT.model_copy(update={"id": "90_one_hidden_layer"})
    assert when(unknown, "N1-4", ["model_2"], [run]) is None


def test_the_table_counts_every_row_that_has_runs():
    rows = audit.rows("01")
    shown = audit.timing(rows)
    counts = shown[[say(f"scrutiny.{name}") for name in ("older", "between", "younger")]]
    assert counts[:1].astype(int).to_numpy().sum() == len([row for row in rows if row.timing])
    assert list(shown.index) == ["1", "margins"] and shown.loc["margins"].iloc[2] == "–"
