"""The tables of the audit and of the pages: what a notebook shows of rows, runs and costs, in the language in force."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import pandas as pd

from fmnist_utils.audit.estimates import Estimate, shared_spread
from fmnist_utils.audit.formats import format_estimate, format_value
from fmnist_utils.audit.measures import costs
from fmnist_utils.audit.records import ByGroup, Records, Run
from fmnist_utils.audit.schema import Report
from fmnist_utils.audit.verdicts import Audit, Row
from fmnist_utils.text import say

MOST_ROWS = 10  # that a table shows before it is unfolded


class Table(pd.DataFrame):
    """A DataFrame of texts, which a notebook shows whole: each reason on a line of its own, below its row and as wide.

    A cell that needs it carries its heading as ``data-label``, so that a style sheet can show rows as cards on a narrow screen.
    A table of more than ``MOST_ROWS`` rows is folded.
    """

    def _repr_html_(self) -> str:
        reason, *obvious = (say(f"audit.{name}") for name in ("reason", "what", "error"))
        columns = [str(name) for name in self if name != reason]
        # Jupyter's own style sheet says right.
        left = 'style="text-align: left; vertical-align: top"'
        heads = "".join(
            f"<th {left}>{escape(name)}</th>" for name in [str(self.index.name or ""), *columns]
        )
        lines = [f'<table class="texts"><thead><tr>{heads}</tr></thead><tbody>']
        for name, row in self.iterrows():
            labels = [
                "" if column in obvious else f' data-label="{escape(column)}"' for column in columns
            ]
            cells = "".join(
                f"<td {left}{label}>{_html(row[column])}</td>"
                for label, column in zip(labels, columns, strict=True)
            )
            lines.append(f"<tr><th {left}>{escape(str(name))}</th>{cells}</tr>")
            if reason in self:
                lines.append(
                    f'<tr class="reason"><td {left} colspan="{len(columns) + 1}">{_html(row[reason])}</td></tr>'
                )
        table = "\n".join([*lines, "</tbody></table>"])
        if len(self) <= MOST_ROWS:
            return table
        summary = escape(say("audit.unfold", n=len(self)))
        return f"<details><summary>{summary}</summary>\n{table}\n</details>"


def _html(text: str) -> str:
    """Return ``text`` as HTML: what stands in backticks is code, and ``mean ± sd`` or ``(n = 5)`` stays on one line."""
    coded = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
    return re.sub(r" ([±=]) (?![^<]*</code>)", r"&nbsp;\1&nbsp;", coded)


def table(rows: Sequence[Row]) -> Table:
    """Return the audit as a table, in the language in force: of numbers, of claims, or of both."""
    lines = [
        {
            "id": row.id,
            "what": row.what,
            "published": row.printed or None,
            "theirs": format_estimate(row.theirs, row.unit),
            "ours": format_estimate(row.ours, row.unit),
            "verdict": say(f"verdict.{row.verdict}"),
            "reason": row.reason,
        }
        for row in rows
    ]
    return _shown(pd.DataFrame(lines).dropna(axis="columns", how="all").fillna(""))


def compare(report: Report, name: str, value: float) -> Table:
    """Return a published number beside the recorded runs and a value measured here.

    Args:
        name: of a number of the report: ``"N1-4"``.
        value: in our units: an accuracy in [0, 1], a loss as it is.

    Raises:
        UserError: if the report has no such number.
    """
    number = report.number(name)
    runs = Audit(report, Records())
    theirs, ours = (runs.estimate(number.measure, protocol) for protocol in ("theirs", "ours"))
    columns = {
        "published": number.printed,
        "theirs": format_estimate(theirs, number.unit),
        "ours": format_estimate(ours, number.unit),
        "here": format_value(value, number.unit),
    }
    frame = pd.DataFrame([columns], index=pd.Index([str(number.what)], name=""))
    return Table(frame.rename(columns=lambda column: say(f"audit.{column}")))


def errors_table(report: Report) -> Table:
    """Return the mistakes and omissions of a report as a table, in the language in force."""
    return _shown(
        pd.DataFrame([{"id": error.id, "error": str(error.text)} for error in report.errors])
    )


def values(runs: Mapping[str, Sequence[Run]], name: str) -> ByGroup:
    """Return one value a seed for each group of ``runs``: the metric ``name``, or the last value of that column.

    ``selected_epoch`` is the epoch whose weights are the result.
    """

    def value(run: Run) -> float:
        if name == "selected_epoch":
            return run.record.selected_epoch
        return run.metrics[name] if name in run.metrics else run.history[name][-1]

    found = {group: [value(run) for run in of_group] for group, of_group in runs.items()}
    return ByGroup(found, getattr(runs, "labels", {}))


def by_size(runs: Mapping[str, Sequence[Run]], name: str) -> dict[int, list[float]]:
    """Return what :func:`values` does of autoencoders, by the size of their latent space instead of their label."""
    return {
        runs[label][0].recipe.model.latent_dim: of_label
        for label, of_label in values(runs, name).items()
    }


def summary(runs: Mapping[str, Sequence[Run]], names: Sequence[str], unit: str = "nats") -> Table:
    """Return *mean ± sd (n)* of the metrics or columns ``names``, one row a group; ``unit`` is that of the losses.

    Accuracies are in percent; what is neither is a count.
    """

    def unit_of(name: str) -> str:
        return "percent" if name.endswith("accuracy") else unit if name.endswith("loss") else "rank"

    columns = {
        say(f"metric.{name}"): [
            format_estimate(Estimate.of(measured), unit_of(name))
            for measured in values(runs, name).values()
        ]
        for name in names
    }
    labels = getattr(runs, "labels", {})
    return Table(columns, index=pd.Index([labels.get(group, group) for group in runs], name=""))


def spread_table(experiments: Mapping[str, Mapping[str, Sequence[Run]]]) -> Table:
    """Return what moves validation loss and accuracy: what all networks share from one split to the next, and what each has alone.

    Args:
        experiments: ``same_split``, ``other_splits`` or ``folds`` -> the runs of several networks on the same seeds.
    """
    lines = {}
    for name, runs in experiments.items():
        by_seed = [{run.recipe.seed: run for run in of_group} for of_group in runs.values()]
        seeds = [seed for seed in by_seed[0] if all(seed in other for other in by_seed)]
        line = {say("spread.networks"): f"{len(by_seed)} × {len(seeds)}"}
        for metric, unit in (("val_accuracy", "points"), ("val_loss", "error")):
            columns = [[of_group[seed].metrics[metric] for seed in seeds] for of_group in by_seed]
            for kind, sd in zip(
                ("shared", "own"), shared_spread(np.array(columns)) or (None, None), strict=True
            ):
                shown = "–" if sd is None else format_value(sd, unit, plain=True)
                line[f"{say(f'metric.{metric}')}: {say(f'spread.{kind}')}"] = shown
        lines[say(f"spread.{name}")] = line
    return Table(pd.DataFrame.from_dict(lines, orient="index"))


def _shown(frame: pd.DataFrame) -> Table:
    return Table(frame.set_index("id").rename(columns=lambda name: say(f"audit.{name}")))


def spending(runs: Sequence[Run]) -> pd.DataFrame:
    """Return what training had spent after each epoch: a row an epoch, means over ``runs``, as far as all of them go.

    Returns:
        The columns of the history and ``epochs``, ``updates`` and ``multiply_adds`` as in :func:`costs`; ``seconds``, of the
        training alone, are so many times those of the median epoch.
    """
    frames = []
    for run in runs:
        history, total = run.history.frame(), costs(run)
        epochs = history.index.to_numpy()
        spent = {name: total[name] * epochs / len(history) for name in ("updates", "multiply_adds")}
        frames.append(
            history.assign(epochs=epochs, **spent, seconds=epochs * run.history.epoch_seconds)
        )
    return pd.concat(frames).groupby(level=0).mean().head(min(map(len, frames)))


def cost_table(runs: Mapping[str, Sequence[Run]]) -> Table:
    """Return what each network and its training cost, one row a label: counts, and *mean ± sd (n)* of the seconds.

    Multiply-adds are those of the forward pass, in millions for one image and in thousands of millions for the training. Seconds
    are those of the median epoch times the epochs.
    """
    lines = {}
    for label, (first, *others) in runs.items():
        total = costs(first)
        seconds = [len(run.history) * run.history.epoch_seconds for run in (first, *others)]
        lines[label] = {
            "parameters": f"{total['parameters']:,}",
            "image": f"{total['image_multiply_adds'] / 1e6:.2f}",
            "epochs": f"{len(first.history)}",
            "updates": f"{total['updates']:,}",
            "multiply_adds": f"{total['multiply_adds'] / 1e9:,.0f}",
            "seconds": format_estimate(Estimate.of(seconds), "seconds"),
        }
    frame = pd.DataFrame.from_dict(lines, orient="index")
    frame = frame.rename(columns=lambda name: say(f"cost.{name}"))
    # Thousands apart, alike in both languages.
    return Table(frame.map(lambda text: text.replace(",", "\u202f")))
