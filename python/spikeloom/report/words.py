"""Figures as a reader wants them, in reports."""

from __future__ import annotations

from math import floor, isfinite, log10
from typing import Any

from spikeloom.report.validation import Validation

PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}


def figure_text(value: Any) -> str:
    """A figure with the digits it needs, "-" where there is none.

    >>> figure_text(12345), figure_text(0.0034141), figure_text(None), figure_text(3)
    ('12,345', '0.00341', '-', '3')
    """
    if value is None or not isfinite(value):
        return "-"
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) >= 1 else f"{value:.3g}"


def percent(share: float | None, digits: int = 2) -> str:
    """A share in per cent.

    >>> percent(0.98765), percent(None)
    ('98.77 %', '-')
    """
    return "-" if share is None or not isfinite(share) else f"{100 * share:.{digits}f} %"


def score_text(result: Validation, value: float) -> str:
    """A score: per cent where it is a share."""
    return percent(value) if result.score_is_share else figure_text(value)


def si(value: float | None, unit: str) -> str:
    """A quantity with its prefix.

    >>> si(5.34e-05, "J"), si(0.0, "J"), si(None, "J"), si(184620.0, "B")
    ('53.4 µJ', '0 J', '-', '185 kB')
    """
    if value is None or not isfinite(value):
        return "-"
    if value == 0:
        return f"0 {unit}"
    power = min(max(3 * floor(log10(abs(value)) / 3), min(PREFIXES)), max(PREFIXES))
    return f"{value / 10.0**power:.3g} {PREFIXES[power]}{unit}"
