"""What a Brian2 run left behind: the first trap, or the trace."""

from __future__ import annotations

from typing import Any

import numpy as np

from spikeloom.errors import EmulationError
from spikeloom.program.program import ChipProgram
from spikeloom.reference.brian2.block import Block, register_range, variable
from spikeloom.reference.compare import Trace


def check_traps(neurons: Any, block: Block, program: ChipProgram) -> None:
    """Raise for the first register that left its width: by tick, core, place in the list, neuron."""
    site = np.array(neurons.trap_site_[:], dtype=np.int64)
    if not site.any():
        return
    numbers = np.flatnonzero(site)
    cores = np.searchsorted(program.arrays.core_neuron_start, numbers, side="right") - 1
    ticks = neurons.trap_tick_[numbers]
    first = np.lexsort((numbers, site[numbers], cores, ticks))[0]
    number = int(numbers[first])
    name = block.sites[int(site[number]) - 1]
    low, high = register_range(block.widths[name])
    raise EmulationError(
        f"tick {int(ticks[first])}, core {int(cores[first])}, neuron {number}, register {name}",
        "left its width",
        value=int(neurons.trap_value_[number]),
        limit=f"{low} to {high}",
    )


def watched(program: ChipProgram) -> list[str]:
    """The variables that `trace_of` needs of every tick."""
    near = ["near"] if program.profile.is_analog else []
    return ["z", *near, *(variable(name) for name in program.profile.element_names())]


def trace_of(monitor: Any, program: ChipProgram, ticks: int) -> Trace:
    """The monitor's rows as a trace."""
    kind = np.float64 if program.profile.is_analog else np.int64
    record = {
        name: np.array(getattr(monitor, name + "_"), dtype=np.float64).T.reshape(ticks, -1)
        for name in monitor.record_variables
    }
    registers = {name: record[variable(name)].astype(kind) for name in program.profile.element_names()}
    near = record["near"] > 0.0 if "near" in record else None
    return Trace(record["z"].astype(np.int32), registers, near=near)
