"""Twelve numbers and twelve claims audited once more, from the raw files, with none of our code."""

import json
import math
import re
from pathlib import Path
from statistics import mean, stdev

from scipy import stats

REPORTS = Path(__file__).parents[1] / "fmnist_utils" / "reports"
NUMBERS = [
    "N1-1",
    "N1-2",
    "N1-3",
    "N1-4",
    "N1-5",
    "N1-6",
    "N3-1",
    "N3-3",
    "N3-6",
    "N3-12",
    "N3-17",
    "N4-1",
]
CLAIMS = [
    "C1-1",
    "C1-2",
    "C1-9",
    "C3-1",
    "C3-3",
    "C3-7",
    "C3-8",
    "C3-11",
    "C3-13",
    "C4-4",
    "C4-9",
    "C4-15",
]
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


def values(folder, group, quantity):
    """Return what a quantity is in each run of a group, from the records."""
    found = []
    for path in sorted(folder.glob(f"records/{group}.theirs.seed*.json")):
        record = json.loads(path.read_text("utf-8"))
        kind, name, epoch = re.match(r"(\w+): \[?(\w+)(?:, (\d+))?", quantity).groups()
        column = record["history"].get(
            name.replace("watched", record["recipe"]["watch"]), [math.nan]
        )
        pick = {"lowest": min(column), "highest": max(column), "last": column[-1]}
        pick["at_epoch"] = column[int(epoch or 1) - 1]
        found.append(record["metrics"][name] if kind == "metric" else pick[kind])
    return found


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
    for rows, judge in ((NUMBERS, verdict_on_number), (CLAIMS, verdict_on_claim)):
        for row in rows:
            print(row, judge(row))
