"""Every signal of every clock of a run on `open_core`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.emulation.cycles import INPUTS

COLUMNS = (
    "clock", "place", "phase", "neuron", "spike_neuron", "spike_count", "output_fifo", "receive_fifo",
    *(f"router_{side}" for side in INPUTS), "moves",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class ClockLog:
    """What can be observed of one sample, clock by clock.

    rows: (rows, 14) int64, columns as in `COLUMNS`: one for each clock in which a core, or the router at its
        place of the mesh, shows something new. clock: since the run began; phase: 0 INPUT, 1 DELIVER,
        2 UPDATE, 3 DRAIN; neuron: in the write stage, by its number on the core, -1 where none; spike_neuron,
        spike_count: what enters the output FIFO, -1 and 0 where nothing does; output_fifo to router_S: entries;
        moves: a bit for each output of the router that hands over a packet, in the order L, E, W, N, S
    schedule: (words, 4) int64: tick, slot, axon (of the whole program) and count of each word of SCHED that is
        not 0 after a tick
    """

    rows: NDArray[np.int64]
    schedule: NDArray[np.int64]

    def column(self, name: str) -> NDArray[np.int64]:
        """One column of `rows`."""
        return self.rows[:, COLUMNS.index(name)]

    def arrays(self) -> dict[str, NDArray]:
        """Every array by its name."""
        return {"rows": self.rows, "schedule": self.schedule}
