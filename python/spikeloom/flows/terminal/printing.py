"""How the command line prints: aligned facts and plain tables that fit 80 columns, JSON, and a progress bar.

Text goes to stdout, with colours only on a terminal; progress goes to stderr, and only if that is a terminal.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import isfinite
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from spikeloom.report.plain import to_plain

Report = Callable[[str, int, int], None]
LABEL_WIDTH = 9


def show_json(payload: Mapping[str, object]) -> None:
    """One JSON object on one line; see `report.plain`."""
    sys.stdout.write(json.dumps(to_plain(payload), allow_nan=False) + "\n")


def facts(*rows: tuple[str, str]) -> None:
    """Lines of a label and what it says; a long one is wrapped below itself."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(min_width=LABEL_WIDTH, no_wrap=True, style="bold")
    grid.add_column(overflow="fold")
    for label, text in rows:
        grid.add_row(Text(label), Text(text))
    _print(grid)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, left: int = 1) -> None:
    """A table without lines: the first `left` columns are text, the others numbers."""
    grid = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for place, name in enumerate(columns):
        is_text = place < left
        side = "left" if is_text else "right"
        grid.add_column(name, justify=side, no_wrap=not is_text, min_width=len(name), overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        grid.add_row(*(Text(item if isinstance(item, str) else number(item)) for item in row))
    _print(grid)


def lines(text: str) -> None:
    """Text as it is; long lines are wrapped between words."""
    _print(Text(text))


def heading(text: str) -> None:
    """A line that opens a section."""
    _print(Text(text, style="bold"))


def number(value: Any) -> str:
    """A figure with the digits it needs, "-" where there is none.

    >>> number(12345), number(3.14159), number(0.0034141), number(0.0), number(None)
    ('12,345', '3.142', '0.00341', '0', '-')
    """
    if value is None or not isfinite(value):
        return "-"
    if isinstance(value, int | np.integer) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) >= 1 else f"{value:.3g}"


def counted(count: int, noun: str) -> str:
    """A number of things.

    >>> counted(1, "core"), counted(2048, "core")
    ('1 core', '2,048 cores')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def percent(share: float | None, digits: int = 2) -> str:
    """A share as a percentage.

    >>> percent(0.9712), percent(None)
    ('97.12 %', '-')
    """
    return "-" if share is None or not isfinite(share) else f"{100 * share:.{digits}f} %"


def interval_text(low: float, high: float) -> str:
    """A 95 % interval of a share.

    >>> interval_text(0.123, 0.5)
    '(95 %: 12 to 50 %)'
    """
    return f"(95 %: {percent(low, 0).removesuffix(' %')} to {percent(high, 0)})"


@contextmanager
def progress_bar() -> Iterator[Report | None]:
    """A bar for the stage at work, on stderr; None where stderr is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    clocks = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), *clocks)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def report(stage: str, done: int, total: int) -> None:
            bar.update(task, description=Text(stage).plain, completed=done, total=total)

        yield report


def _print(thing: Table | Text) -> None:
    """To stdout, without the blanks with which rich fills up a line."""
    console = Console(highlight=False, markup=False, emoji=False)
    with console.capture() as capture:
        console.print(thing)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in capture.get().splitlines())
