"""A converted network placed again, by the spikes that it makes: on a mesh, what talks much stands near."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spikeloom.emulation.emulate import emulate
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.program.program import ChipProgram

ROWS = 64  # of the calibration data: a mean over so many tells which neurons are busy


def placed_by_traffic(
    network: SpikingNetwork, program: ChipProgram, rows: NDArray[np.float64], seed: int, threads: int | None
) -> ChipProgram:
    """The same program with its cores where the fewest hops are, if they stand on a mesh.

    rows: (samples, ...) calibration rows. `report["mesh"]` has the hops a tick, see `place`.
    """
    if "mesh" not in program.report:
        return program
    counts = emulate(program, rows[:ROWS], effects=(), threads=threads).counts
    names = [p.name for p in network.populations.values() if not p.is_input]
    traffic = np.concatenate([counts[name].mean(axis=0) for name in names]) / program.ticks
    placed = place(network, ticks=program.ticks, traffic=traffic, seed=seed)
    return replace(placed, report={**program.report, **placed.report})
