"""Numbers of the audit in words: with their unit, and as many digits as it bears."""

from __future__ import annotations

import math

from fmnist_utils.audit.estimates import Estimate
from fmnist_utils.text import say

# Decimals of each unit; three of any other.
DIGITS = {
    "percent": 1,
    "points": 2,
    "images": 0,
    "rank": 1,
    "runs": 2,
    "epochs": 1,
    "ratio": 2,
    "seconds": 1,
    "error": 4,
}


def format_value(
    value: float, unit: str, more: int = 0, plain: bool = False, signed: bool = False
) -> str:
    """Return a number of ours with its unit, ``81.0 %``, ``+8.3 points``, ``75``.

    Args:
        more: digits beyond those of the unit.
        plain: a distance: without a sign, and that of two percentages in points.
        signed: a difference: with its sign in any unit.
    """
    if not math.isfinite(value):
        return "∞" if value > 0 else "−∞"
    if plain and unit in ("percent", "share"):
        unit = "points"
    units = {"percent": " %", "points": f" {say('audit.points')}", "ratio": " ×", "seconds": " s"}
    sign = "+" if (unit == "points" and not plain) or signed else ""
    return _digits(value, unit, DIGITS.get(unit, 3) + more, sign) + units.get(unit, "")


def _digits(value: float, unit: str, decimals: int, sign: str = "") -> str:
    """Return a number with so many decimals; what would read as nothing but is not, with one digit."""
    scaled = value * (100 if unit in ("percent", "points") else 1)
    text = f"{scaled:{sign}.{decimals}f}"
    if scaled and not float(text):
        decimals = math.ceil(-math.log10(abs(scaled)))
        text = f"{scaled:{sign}.{min(decimals, 12)}f}"
    return text


def format_bound(bound: float, unit: str) -> str:
    """Return a bound of a condition with its unit: ``0.3 points``, ``90 %``."""
    points = say("audit.point" if bound == 0.01 else "audit.points")
    units = {"percent": " %", "points": f" {points}", "ratio": " ×", "runs": " %"}
    return (
        f"{100 * bound if unit in ('percent', 'points', 'runs') else bound:g}{units.get(unit, '')}"
    )


def format_p(p: float) -> str:
    """Return a probability: ``p = 0.39``, or that it is below a thousandth."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}" if p < 0.1 else f"p = {p:.2f}"


def format_estimate(estimate: Estimate | None, unit: str) -> str:
    """Return ``mean ± sd (n)``, or a dash where there are no runs.

    What is the same in every run is one number, and events are counted: ``14 of 15``.
    """
    if estimate is None:
        return "—"
    if estimate.scale == "exact":
        return format_value(estimate.mean, unit).split(" ")[0]
    if estimate.scale == "event":
        hits = round(estimate.mean * estimate.n)
        return say("audit.of_runs", hits=hits, n=estimate.n)
    decimals = max(DIGITS.get(unit, 3), 1)
    sd = "" if estimate.sd is None else f" ± {_digits(estimate.sd, unit, decimals)}"
    return f"{format_value(estimate.mean, unit).split(' ')[0]}{sd} (n = {estimate.runs})"
