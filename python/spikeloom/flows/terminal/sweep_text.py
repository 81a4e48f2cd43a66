"""What `spikeloom sweep` says, on at most 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spikeloom.flows.sweep import SweepTable
from spikeloom.flows.terminal.printing import facts, interval_text, number, percent, table
from spikeloom.flows.validation.scoring import wilson

MOST_ROWS = 40
POINT = 0.01  # what a good chip may lose
SHOWN = ("score", "agreement", "energy_j")


def show_sweep(result: SweepTable, axes: Sequence[str]) -> None:
    """The first rows, the yield over chip instances where there are any, and where the table is."""
    shown = [name for name in SHOWN if name in result.columns]
    rows = [
        (*(str(row[axis]) for axis in axes), *(number(row.get(name)) for name in shown))
        for row in result.rows[:MOST_ROWS]
    ]
    table((*axes, *shown), rows, left=len(axes))
    failed = sum("error" in row for row in result.rows)
    facts(
        *((("rows", f"{len(result) - MOST_ROWS:,} more"),) if len(result) > MOST_ROWS else ()),
        *((("failed", f"{failed:,} points, the first: {_first_error(result)}"),) if failed else ()),
        *(("yield", line) for line in yield_lines(result, axes)),
        ("wrote", f"{result.folder}: table.csv, table.jsonl, manifest.json"),
    )


def yield_lines(result: SweepTable, axes: Sequence[str]) -> list[str]:
    """For each setting with several chips, how many of them lose less than a point by their imperfections."""
    if "chip_seed" not in axes:
        return []
    groups: dict[str, list[bool]] = {}
    for row in result.rows:
        if "error" not in row:
            name = ", ".join(f"{axis} {row[axis]}" for axis in axes if axis != "chip_seed")
            lost = row["score_without_imperfections"] - row["score"]
            groups.setdefault(name, []).append(lost < POINT)
    return [_yield_line(name, good) for name, good in groups.items()]


def _yield_line(name: str, good: list[bool]) -> str:
    share, sure = percent(sum(good) / len(good), 0), interval_text(*wilson(sum(good), len(good)))
    return f"{share} of {len(good)} chips lose less than 1 point {sure}{f' at {name}' if name else ''}"


def _first_error(result: SweepTable) -> Any:
    return next(row["error"] for row in result.rows if "error" in row)
