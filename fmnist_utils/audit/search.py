"""What hyperparameters are worth: how much of the differences each one explains (page 06)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd


def variance_shares(
    table: pd.DataFrame, fields: Sequence[str], value: str
) -> dict[tuple[str, ...], float]:
    """Return what part of the variance of ``value`` each field explains, and each pair beyond that.

    This is the analysis of variance of a complete design, in which the sums of squares of
    different terms add up. What is missing to 1 is due to three fields or more, and to noise.
    F. Hutter, H. Hoos and K. Leyton-Brown (ICML 2014) estimate the same from incomplete designs.

    Args:
        table: one row for each combination of the values of ``fields``.

    Returns:
        A pair of fields, or one alone -> its part, in [0, 1].

    Raises:
        ValueError: if a combination is missing or stands there twice.
    """
    combinations = int(np.prod([table[field].nunique() for field in fields]))
    if len(table) != combinations or table.duplicated(list(fields)).any():
        raise ValueError(
            f"{len(table)} rows, {combinations} combinations: the design is not complete"
        )
    deviation = table[value] - table[value].mean()
    total = float((deviation**2).mean())
    alone = {field: deviation.groupby(table[field]).transform("mean") for field in fields}
    parts: dict[tuple[str, ...], float] = {
        (field,): float((effect**2).mean()) / total for field, effect in alone.items()
    }
    for first, second in itertools.combinations(fields, 2):
        together = deviation.groupby([table[first], table[second]]).transform("mean")
        interaction = together - alone[first] - alone[second]
        parts[first, second] = float((interaction**2).mean()) / total
    return parts
