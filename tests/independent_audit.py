"""Rows of the audit once more, from the raw files: only the standard library and SciPy.

Twelve numbers, twelve claims, and all columns of tables whose rows are metrics.
"""

import json
import math
import re
from pathlib import Path
from statistics import mean, stdev

from scipy import stats

REPORTS = Path(__file__).parents[1] / "fmnist_utils" / "reports"
NUMBERS = [f"N1-{k}" for k in range(1, 7)] + [f"N3-{k}" for k in (1, 3, 6, 12, 17)] + ["N4-1"]
CLAIMS = [f"C1-{k}" for k in (1, 2, 9)] + [f"C3-{k}" for k in (1, 3, 7, 8, 11, 13)]
CLAIMS += [f"C4-{k}" for k in (4, 9, 15)]
TABLES = ["T1-1", "T1-2", "T5-2", "T5-3", "T5-4", "T5-5"]
MARGINS = {
    "accuracy": (0.01, False),
    "loss": (0.1, True),
    "error": (0.1, True),
    "squashed_loss": (0.01, False),
}


def block(row):
    """Return the lines of the YAML that belong to a row, and the folder of its report."""
    (path,) = REPORTS.glob(f"0{row[1]}_*/report.yaml")
    return re.search(rf"- id: {row}\n(.*?)\n(?=  - id: |\S)", path.read_text("utf-8"), re.DOTALL)[
        1
    ], path.parent


def by_seed(folder, group, quantity):
    """Return what a quantity is in each run of a group, from the records: seed -> value."""
    found = {}
    # The first seed of a group in which each seed has a split is that of the group with one split.
    first = folder.glob(f"records/{group.removeprefix('split_')}.theirs.seed0.*.json")
    for path in [*first, *sorted(folder.glob(f"records/{group}.theirs.seed*.json"))]:
        record = json.loads(path.read_text("utf-8"))
        kind, name, epoch = re.match(r"(\w+): \[?(\w+)(?:, (\d+))?", quantity).groups()
        column = record["history"].get(
            name.replace("watched", record["recipe"]["watch"]), [math.nan]
        )
        pick = {"lowest": min(column), "highest": max(column), "last": column[-1]}
        pick["at_epoch"] = column[int(epoch or 1) - 1]
        value = record["metrics"][name] if kind == "metric" else pick[kind]
        found[record["recipe"]["seed"]] = value
    return found


def values(folder, group, quantity):
    """Return what a quantity is in each run of a group."""
    return list(by_seed(folder, group, quantity).values())


def verdict_on_number(row):
    text, folder = block(row)
    printed, unit = re.search(r'published: "(.*)"', text)[1], re.search(r"unit: (\w+)", text)[1]
    scale, digits = (100 if unit == "percent" else 1), len(printed.partition(".")[2])
    published, rounding = float(printed) / scale, 0.5 * 10**-digits / scale
    group, quantity = re.search(r"measure: \{of: (\w+), (.*)\}", text).groups()
    runs = values(folder, group, quantity)
    share = unit in ("percent", "share")
    there = (lambda x: math.log(x / (1 - x))) if share else math.log
    back = (lambda x: 1 / (1 + math.exp(-x))) if share else math.exp
    if len(runs) < 2:
        return "not enough"
    on_scale = [there(x) for x in runs]
    half = stats.t.ppf(0.975, len(runs) - 1) * stdev(on_scale) * math.sqrt(1 + 1 / len(runs))
    low, high = back(mean(on_scale) - half) - rounding, back(mean(on_scale) + half) + rounding
    named = re.search(r"margin: (\w+)", text)
    margin, relative = MARGINS[
        named[1] if named else "accuracy" if share else {"nats": "loss"}.get(unit, "error")
    ]
    if not low <= published <= high:
        return "differs"
    return "agrees" if (high - low) / 2 <= margin * (published if relative else 1) else "not enough"


def verdict_on_table(row):
    """Whether a published column is one more of ours: its shared shift, and what is left."""
    ids = re.search(r"numbers: \[(.*)\]", block(row)[0])[1].split(", ")
    texts = [block(name) for name in ids]
    published = [float(re.search(r'published: "(.*)"', text)[1]) for text, _ in texts]
    share = "unit: percent" in texts[0][0]
    columns = []
    for text, folder in texts:
        group, quantity = re.search(r"measure: \{of: (\w[\w.]*), (.*)\}", text).groups()
        columns.append(by_seed(folder, group, quantity))
    seeds = set.intersection(*map(set, columns))
    n, rows = len(seeds), len(ids)
    if n < 2:
        return "not enough"
    published = [value / 100 for value in published] if share else published
    there = (lambda x: math.log(x / (1 - x))) if share else math.log
    moved = [[there(of_row[seed]) for seed in seeds] for of_row in columns]
    distances = [there(x) - mean(of_row) for x, of_row in zip(published, moved, strict=True)]
    of_seeds, grand = [mean(row) for row in zip(*moved, strict=True)], mean(map(mean, moved))
    rest = sum(
        (x - mean(of_row) - of_seed + grand) ** 2
        for of_row in moved
        for x, of_seed in zip(of_row, of_seeds, strict=True)
    )
    between = stdev(of_seeds) ** 2 * (1 + 1 / n)
    within = rest / ((rows - 1) * (n - 1)) * (1 + 1 / n)
    shift = mean(distances)
    left = sum((distance - shift) ** 2 for distance in distances) / (rows - 1)
    chances = [
        stats.f.sf(shift**2 / between, 1, n - 1),
        stats.f.sf(left / within, rows - 1, (rows - 1) * (n - 1)),
    ]
    if stats.combine_pvalues(chances).pvalue < 0.05:
        return "differs"
    middle = mean(published)
    noticed = stats.t.ppf(0.975, n - 1) * math.sqrt(between)
    noticed *= middle * (1 - middle) if share else middle
    return "agrees" if noticed <= (0.01 if share else 0.1 * published[0]) else "not enough"


def verdict_on_claim(row):
    text, folder = block(row)
    outcomes = set()
    for condition in re.split(r"\n      - what:", text.partition("check:")[2])[1:]:
        group, rest = re.search(r"measure: \{of: (\w+), (.*)\}", condition).groups()
        quantity, _, other = rest.partition(", minus: ")
        taken = re.search(r"other: \{(.*)\}", rest)
        less = re.search(r"less_?\w*: \{(.*?)\}|, less: \{(.*?)\}", quantity)
        runs = values(folder, group, quantity)
        if less:
            inner = values(folder, group, less[1] or less[2])
            runs = [one - two for one, two in zip(runs, inner, strict=True)]
        above, below = (
            float(found[1]) if (found := re.search(rf"{name}: (-?[\d.]+)", condition)) else bound
            for name, bound in (("above", -math.inf), ("below", math.inf))
        )
        if len(runs) < 2:
            outcomes.add("open")
            continue
        if other:
            second = values(folder, re.match(r"\w+", other)[0], taken[1] if taken else quantity)
            interval = stats.ttest_ind(runs, second, equal_var=False).confidence_interval(0.95)
        else:  # shares by their logit, positive ones by their logarithm, differences as they are
            share = "accuracy" in quantity
            there = (
                (lambda x: x) if less else (lambda x: math.log(x / (1 - x))) if share else math.log
            )
            moved = [there(x) for x in runs]
            interval = stats.t.interval(
                0.95, len(runs) - 1, mean(moved), stdev(moved) / math.sqrt(len(runs))
            )
            above, below = (there(x) if math.isfinite(x) else x for x in (above, below))
        low, high = interval
        outcomes.add(
            "holds"
            if above < low and high < below
            else "fails"
            if high < above or below < low
            else "open"
        )
    return "differs" if "fails" in outcomes else "undecided" if "open" in outcomes else "agrees"


if __name__ == "__main__":
    judges = (NUMBERS, verdict_on_number), (TABLES, verdict_on_table), (CLAIMS, verdict_on_claim)
    for rows, judge in judges:
        for row in rows:
            print(row, judge(row))
