"""The shares of variance of page 06."""

import itertools

import numpy as np
import pandas as pd
import pytest

from fmnist_utils.audit import variance_shares


def design(quality) -> pd.DataFrame:
    rows = itertools.product([0, 1], [0, 1, 2], [0, 1])
    table = pd.DataFrame(list(rows), columns=["a", "b", "c"])
    table["quality"] = [quality(*row) for row in table[["a", "b", "c"]].to_numpy()]
    return table


def test_shares_are_those_of_the_analysis_of_variance():
    """2 a + (an interaction of b and c without effects of their own): sums of squares by hand."""
    interaction = np.array([[1, -1], [0, 0], [-1, 1]])
    shares = variance_shares(
        design(lambda a, b, c: 2 * a + interaction[b, c]), ["a", "b", "c"], "quality"
    )
    total = 1 + 2 / 3  # the variance of 2 a, and the mean square of the interaction
    assert shares["a",] == pytest.approx(1 / total)
    assert shares["b", "c"] == pytest.approx(2 / 3 / total)
    assert sum(shares.values()) == pytest.approx(1)


def test_what_three_fields_do_together_is_left_out():
    shares = variance_shares(
        design(lambda a, b, c: (-1) ** (a + c) * (b - 1)), ["a", "b", "c"], "quality"
    )
    assert sum(shares.values()) == pytest.approx(0)


def test_a_hole_in_the_design_is_told():
    table = design(lambda a, b, c: a)
    with pytest.raises(ValueError, match="11 rows, 12 combinations"):
        variance_shares(table.iloc[1:], ["a", "b", "c"], "quality")
    with pytest.raises(ValueError, match="not complete"):
        variance_shares(pd.concat([table.iloc[1:], table.iloc[-1:]]), ["a", "b", "c"], "quality")
