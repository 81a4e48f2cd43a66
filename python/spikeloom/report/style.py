"""One look for every picture: quiet axes, and colours that colour-blind readers tell apart (Okabe and Ito)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED, PURPLE, SKY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9"
INK, QUIET, LINE, PAPER = "#1d2733", "#5c6773", "#d5dae0", "#ffffff"
WIDTH = 4.7  # inches: as wide as a phone shows without scaling
SETTINGS: dict[str, Any] = {
    "font.size": 9.5,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": QUIET,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "spikeloom",
    "figure.facecolor": PAPER,
}


@contextmanager
def styled() -> Iterator[None]:
    """The look, for the length of a block; the caller's own settings come back."""
    from matplotlib import rc_context

    with rc_context(SETTINGS):
        yield


def new_figure(height: float, rows: int = 1, *, sharex: bool = False) -> tuple[Figure, list[Axes]]:
    """A figure of this height in inches with so many axes below one another."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots(rows, 1, sharex=sharex, squeeze=False)[:, 0]
    return figure, list(axes)
