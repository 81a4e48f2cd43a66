"""Pictures of the chip: which core holds what, how full it is, and what its energy goes into."""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING

import numpy as np

from spikeloom.report.style import BLUE, INK, LINE, PURPLE, QUIET, new_figure, styled
from spikeloom.report.validation import CoreView, Validation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_CORES = 400  # cells that a floor plan shows; of a larger chip, the cores in use
WIDEST_NAMED = 12  # columns up to which a cell still holds a name
ENERGY_NAMES = {
    "synop_j": "synaptic operations",
    "neuron_access_j": "reading neurons",
    "neuron_update_j": "writing neurons",
    "spike_out_j": "making spikes",
    "axon_out_j": "sending packets",
}


def plot_floor_plan(result: Validation) -> Figure:
    """The chip's cores in the order of their numbers: how full each one is, and what is on it."""
    cores = result.pictures.cores
    cells = max(len(cores), result.pictures.chip_cores or 0)
    cells = cells if cells <= MOST_CORES else len(cores)
    columns = ceil(sqrt(cells))
    with styled():
        figure, (axes,) = new_figure(0.7 + 4.3 * ceil(cells / columns) / columns)
        for place in range(cells):
            core = cores[place] if place < len(cores) else None
            _cell(axes, place % columns, place // columns, core, columns=columns)
        axes.set_xlim(0, columns)
        axes.set_ylim(ceil(cells / columns), 0)
        axes.set_aspect("equal")
        axes.axis("off")
        _scale(figure, axes)
        return figure


def plot_traffic(result: Validation) -> Figure:
    """Spikes that arrive at each core in use, a sample."""
    spikes = [core.spikes_in for core in result.pictures.cores]
    with styled():
        figure, (axes,) = new_figure(2.4)
        axes.bar(range(len(spikes)), spikes, color=PURPLE, width=0.7)
        axes.set_xlabel("core")
        axes.set_ylabel("spikes in, a sample")
        axes.set_xlim(-0.6, max(len(spikes), 4) - 0.4)
        axes.locator_params(axis="x", integer=True)
        axes.set_xticks([tick for tick in axes.get_xticks() if 0 <= tick < len(spikes)])
        axes.grid(axis="x", visible=False)
        return figure


def plot_energy(result: Validation) -> Figure:
    """What the energy of a sample goes into, as far as the profile states costs."""
    parts = {energy_name(name): 1e6 * joules for name, joules in result.work.energy_parts_j.items()}
    with styled():
        figure, (axes,) = new_figure(0.8 + 0.36 * max(len(parts), 1))
        axes.barh(range(len(parts)), list(parts.values()), color=BLUE, height=0.6)
        axes.set_yticks(range(len(parts)), list(parts))
        axes.invert_yaxis()
        axes.set_xlabel("uJ a sample")
        axes.grid(axis="y", visible=False)
        return figure


def energy_name(part: str) -> str:
    """What a cost of the profile is spent on, in words."""
    return ENERGY_NAMES.get(part, part)


def _cell(axes: Axes, x: int, y: int, core: CoreView | None, *, columns: int) -> None:
    """One core: the deeper its blue, the fuller; an outline where nothing is on it."""
    from matplotlib.patches import Rectangle

    share = core.utilisation if core is not None else None
    fill = _shade(share or 0.0) if core is not None else "none"
    edge = LINE if core is None else QUIET
    axes.add_patch(Rectangle((x + 0.06, y + 0.06), 0.88, 0.88, facecolor=fill, edgecolor=edge, linewidth=0.8))
    if core is not None and columns <= WIDEST_NAMED:
        dark = (share or 0.0) > 0.55
        names = "\n".join(core.populations)
        full = "" if share is None or columns > WIDEST_NAMED // 2 else f"\n{100 * share:.0f} %"
        axes.text(x + 0.5, y + 0.5, names + full, ha="center", va="center", fontsize=9 - columns / 4,
                  color="white" if dark else INK)  # fmt: skip


def _scale(figure: Figure, axes: Axes) -> None:
    """What the shades mean."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    shades = LinearSegmentedColormap.from_list("fill", [_shade(share) for share in np.linspace(0, 1, 16)])
    bar = figure.colorbar(ScalarMappable(Normalize(0, 100), shades), ax=axes, orientation="horizontal",
                          fraction=0.04, aspect=40, pad=0.02)  # fmt: skip
    bar.set_label("% of the limit that is nearest")
    bar.outline.set_visible(False)


def _shade(share: float) -> tuple[float, float, float]:
    """From nearly white to deep blue."""
    empty, full = np.array([0.92, 0.96, 0.99]), np.array([0.0, 0.24, 0.45])
    red, green, blue = (empty + (full - empty) * min(max(share, 0.0), 1.0)).tolist()
    return red, green, blue
