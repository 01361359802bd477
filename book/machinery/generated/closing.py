"""What the two closing pages show: the table of all networks, the claims across the reports, the hardest classes, an example.

``together.md`` names the columns of the tables and includes ``_recalls.md``; ``reading_results.md`` includes ``_worked.md``. All
of it is computed from the committed records each time the book is built.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from scipy.special import stdtrit

from book.machinery.generated.writing import fill, save_figure, write_table
from book.machinery.pages import SOURCES
from fmnist_utils import audit
from fmnist_utils.audit.groups import Bilingual
from fmnist_utils.audit.measures import network_costs, recalls
from fmnist_utils.audit.recipes import Recipe
from fmnist_utils.audit.records import Records, Run
from fmnist_utils.audit.schema import find_group, load_across, load_report
from fmnist_utils.text import UserError, class_names, say, speaking

EXAMPLE = ("01", "N1-4")  # the published number that the page on reading results works through


@dataclass(frozen=True)
class Network:
    """One row of the table of all networks; ``runs`` are those that have a record."""

    family: Bilingual
    label: str
    report: str
    recipe: Recipe
    runs: list[Run]


def write(folder: Path, lang: str, executed: dict) -> None:
    """Write the tables, the figure and the filled-in texts of both pages into ``folder``."""
    store = SimpleNamespace(find=functools.cache(Records().find))  # each record is read once
    with speaking(lang):
        fill(folder / "_worked.md", worked_example(store))
        rows = list(networks(store))
        for name, task in (("classifiers", "classification"), ("autoencoders", "reconstruction")):
            write_table(
                folder / f"{name}.csv", (table_row(row) for row in rows if row.recipe.task == task)
            )
        every = audit.rows(store=store)
        tables = {
            "claims": audit.table([row for row in every if row.report == audit.ACROSS]),
            "coverage": audit.coverage(store),
            "sensitivity": audit.sensitivity(every),
            "timing": audit.timing(every),
            "provenance": audit.provenance(store),
            "witnesses": audit.witnesses(),
        }
        for name, table in tables.items():
            # In the class of a notebook's outputs, so that the style sheet shows it as it does there.
            shown = f'<div class="cell_output">{table._repr_html_()}</div>\n'
            (folder / f"{name}.html").write_text(shown, "utf-8")
        of_reports = recalls_by_report(rows)
        save_figure(folder / "recalls.png", "recalls_by_class", of_reports)
        fill(folder / "_recalls.md", recall_facts(of_reports))


def networks(store: audit.Store) -> Iterator[Network]:
    """Yield the networks of the reports in the order of ``across.yaml``, with their runs under the report's protocol.

    Where that leaves but a part of the test images to measure with (report 3), under ours, if it was run so.
    """
    for family in load_across().families:
        for name in family.of:
            report, group = find_group(name)
            protocols = report.groups[group].protocols
            recipe = report.recipe(group, protocol := protocols[0])
            if recipe.data.val_from == "test" and "ours" in protocols:
                recipe = report.recipe(group, protocol := "ours")
            yield Network(
                family.network,
                report.label(group, recipe),
                report.id,
                recipe,
                report.runs_of(group, protocol, store),
            )


def table_row(row: Network) -> list[str]:
    """Return the network, its result, seconds for 60,000 images, millions of multiply-adds for one, parameters, and page."""
    parameters, multiply_adds = network_costs(row.recipe.model)
    page = row.report[:2]
    if (SOURCES / f"{row.report}.md").exists():
        page = f"[{page}](notebooks/{row.report}.ipynb)"
    costs = [f"{multiply_adds / 1e6:.2f}", str(parameters)]
    return [f"{row.family}: {row.label}", *measured(row), *costs, page]


def measured(row: Network) -> tuple[str, str]:
    """Return the result on the test set, and the seconds of an epoch of 60,000 images: the median of all that were recorded."""
    if not row.runs:
        return say("closing.no_record"), "–"
    seconds = np.median([second for run in row.runs for second in run.history["seconds"]])
    of_all = f"{seconds * 60_000 / row.recipe.data.num_train:.1f}"
    if row.recipe.task == "classification":
        accuracy = audit.Estimate.of([run.metrics["test_accuracy"] for run in row.runs])
        return audit.format_estimate(accuracy, "percent"), of_all
    error = audit.Estimate.of([run.metrics["test_loss"] for run in row.runs])
    return f"{row.recipe.loss.upper()} {audit.format_estimate(error, 'error')}", of_all


def recalls_by_report(rows: list[Network]) -> dict[str, list[np.ndarray]]:
    """Return the recall of each class, (10,) in [0, 1], of each classifier with records, by report: the mean of its runs."""
    found: dict[str, list[np.ndarray]] = {}
    for row in rows:
        if row.recipe.task == "classification" and row.runs:
            mean = np.mean([recalls(run) for run in row.runs], axis=0)
            found.setdefault(row.report[:2], []).append(mean)
    return {say("closing.report", number=int(number)): found[number] for number in sorted(found)}


def recall_facts(of_reports: dict[str, list[np.ndarray]]) -> dict[str, str | int]:
    """Return what the figure shows in words: how many classifiers, for how many the hardest class is the lowest, the easiest."""
    every = np.concatenate(list(of_reports.values()))
    order, names = np.median(every, axis=0).argsort(kind="stable"), class_names()  # as the figure
    lowest = int((every.argmin(axis=1) == order[0]).sum())
    easiest = ", ".join(names[label] for label in order[:-4:-1])
    return {"total": len(every), "lowest": lowest, "hardest": names[order[0]], "easiest": easiest}


def worked_example(store: audit.Store) -> dict[str, str | int]:
    """Return the steps of one verdict on a number, formatted: what the page on reading results works through."""
    report, wanted = EXAMPLE
    number = load_report(report).number(wanted)
    row = next(row for row in audit.rows(report, store) if row.id == wanted)
    if row.low is None or row.high is None or row.theirs is None:
        raise UserError("closing.no_example", report=load_report(report).id)
    values = audit.measured(load_report(report), number.measure, "theirs", store)
    mean_low, mean_high = row.theirs.interval()
    percent = {
        "mean": row.theirs.mean,
        "sd": row.theirs.sd,
        "low": row.low,
        "high": row.high,
        "noticed": row.noticed,
        "margin": row.margin,
        "rounding": number.rounding,
        "mean_half": (mean_high - mean_low) / 2,
    }
    return {name: f"{100 * value:.2f}" for name, value in percent.items()} | {
        "published": number.published,
        "values": ", ".join(f"{100 * value:.2f}" for value in values),
        "n": row.n,
        "freedom": row.n - 1,
        "t": f"{stdtrit(row.n - 1, 0.975):.2f}",
        "p": audit.format_p(row.p),
        "verdict": say(f"verdict.{row.verdict}"),
    }
