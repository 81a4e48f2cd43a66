"""What the emulated chip did with a sample, in the form in which references are compared with it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikeloom.emulation.clock_log import ClockLog
from spikeloom.emulation.recording import Recording
from spikeloom.errors import EmulationError
from spikeloom.program.program import ChipProgram
from spikeloom.reference.circuit.compare_clocks import ClockTrace
from spikeloom.reference.circuit.signals import SIDES, Signals
from spikeloom.reference.compare import Trace

PLAIN = ("phase", "spike_neuron", "spike_count", "output_fifo", "receive_fifo",
         *(f"router_{side}" for side in SIDES))  # fmt: skip


def everything(program: ChipProgram) -> list[str]:
    """Names for `record`: every spike and every register."""
    return [f"{population.name}.{register}" for population in program.populations
            for register in ("spikes", *program.profile.element_names())]  # fmt: skip


def emulated_trace(program: ChipProgram, recording: Recording, sample: int) -> Trace:
    """One sample of a recording of `everything`, by global neuron number."""
    elements = program.profile.element_names()
    first = program.populations[0].name
    ticks = recording.registers[f"{first}.{elements[0]}"].shape[1]
    dtype = np.float64 if program.profile.is_analog else np.int64
    spikes = np.zeros((ticks, program.n_neurons), dtype=np.int32)
    registers = {name: np.zeros((ticks, program.n_neurons), dtype=dtype) for name in elements}
    for population in program.populations:
        rows = recording.spikes[population.name]
        _, tick, neuron = rows[rows[:, 0] == sample].T
        np.add.at(spikes, (tick, population.neurons[neuron]), 1)
        for name in elements:
            registers[name][:, population.neurons] = recording.registers[f"{population.name}.{name}"][sample]
    return Trace(spikes, registers)


def emulated_clocks(program: ChipProgram, recording: Recording, sample: int, trace: Trace) -> ClockTrace:
    """The clocks of the same sample, where "clocks" was recorded, too."""
    if recording.cycles is None or not recording.clocks:
        raise EmulationError("recording", "has no clocks", remedy='record "clocks" with timing="cycle"')
    log = recording.clocks[sample]
    ends = np.cumsum(recording.cycles.per_tick[sample]) - 1
    values = {name: log.column(name) for name in PLAIN}
    values |= {f"moves_{side}": log.column("moves") >> k & 1 for k, side in enumerate(SIDES)}
    values |= _written(program, log, trace, np.searchsorted(ends, log.column("clock")))
    most = {name: recording.cycles.high_water[name][sample] for name in ("output_fifo", "receive_fifo")}
    routers = recording.cycles.high_water["router"][sample].reshape(-1, len(SIDES))
    most |= {f"router_{side}": routers[:, k] for k, side in enumerate(SIDES)}
    schedule = {(tick, slot, axon): count for tick, slot, axon, count in log.schedule.tolist()}
    return ClockTrace(ends, Signals(log.column("clock"), log.column("place"), values), most, schedule)


def _written(program: ChipProgram, log: ClockLog, trace: Trace, tick: NDArray) -> dict[str, NDArray]:
    """The neuron in the write stage, and what its registers are written with: a neuron is written once a tick.

    The circuit writes no neuron that the program does not use; its turn passes all the same.
    """
    first = program.arrays.core_neuron_start
    place, neuron = log.column("place"), log.column("neuron")
    core = np.minimum(place, program.n_cores - 1)
    held = (neuron >= 0) & (neuron < np.diff(first)[core])
    number = np.where(held, first[:-1][core] + neuron, 0)
    registers = {name: np.where(held, values[tick, number], 0) for name, values in trace.registers.items()}
    return {"neuron": np.where(held, neuron, -1), **registers}
