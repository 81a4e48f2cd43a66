"""The emulated chip against its circuit: tick by tick, and signal by signal in every clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spikeloom.emulation.recording import Recording
from spikeloom.exporters.verilog.operations import check_expressible
from spikeloom.exporters.verilog.sizes import open_core_tables
from spikeloom.flows.comparison.circuit_traces import Biases, circuit_traces
from spikeloom.flows.comparison.emulated_traces import emulated_clocks, emulated_trace
from spikeloom.profile.schema import Profile
from spikeloom.program.program import ChipProgram
from spikeloom.reference.circuit.compare_clocks import ClockTrace, compare_clocks
from spikeloom.reference.circuit.rtl import available_simulator
from spikeloom.reference.compare import CrossCheck, Trace, combine, compare, joined


def check_circuit_carries(profile: Profile) -> None:
    """Raise ProgramError where a profile has no circuit, EmulationError where no Verilog simulator is installed."""
    open_core_tables(profile)
    check_expressible(profile)
    available_simulator()


def check_circuit(
    program: ChipProgram, recording: Recording, spikes: NDArray, biases: Sequence[Biases]
) -> CrossCheck:
    """Run the spike counts (samples, ticks, input lines) of a recording on the circuit, and compare.

    `recording` holds every spike, every register and "clocks".
    """
    per_tick = np.zeros((len(spikes), 0), int) if recording.cycles is None else recording.cycles.per_tick
    found = circuit_traces(program, spikes, per_tick, biases)
    check = combine(
        compared_sample(program, recording, sample, *expected) for sample, expected in enumerate(found)
    )
    return replace(check, notes=recording.notes)


def compared_sample(
    program: ChipProgram, recording: Recording, sample: int, expected: Trace, clocks: ClockTrace
) -> CrossCheck:
    """One sample of a recording against what the circuit did."""
    got = emulated_trace(program, recording, sample)
    got_clocks = emulated_clocks(program, recording, sample, got)
    by_clock = compare_clocks(clocks, got_clocks, program, sample)
    if clocks.ends.size < got_clocks.ends.size:  # the circuit was stopped in a tick that does not end
        return by_clock
    return joined(by_clock, compare(expected, got, program, sample))
