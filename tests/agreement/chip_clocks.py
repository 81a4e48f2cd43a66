"""What `Chip.clock` shows of a sample, as the clocks of a circuit are given, and a chip that one bit is turned in."""

import hashlib

import numpy as np
from spikeloom.emulation.chip import DIGEST, MAGIC, Chip
from spikeloom.reference.circuit.compare_clocks import ClockTrace
from spikeloom.reference.circuit.signals import SIDES, Signals

PHASES = ("INPUT", "DELIVER", "UPDATE", "DRAIN")


def with_bit_turned(state, element, neuron, neurons, bit):
    """A saved state in which one bit of one register is turned; registers stand first, behind the tick's number."""
    head, payload = state[: len(MAGIC) + DIGEST], bytearray(state[len(MAGIC) + 2 * DIGEST :])
    payload[8 + 4 * (element * neurons + neuron) + bit // 8] ^= 1 << bit % 8
    return head + hashlib.sha256(payload).digest() + bytes(payload)


def clocks_of_chip(program, spikes, disturb=lambda tick, chip: None):
    """Every clock of a run; `disturb` may change the chip before each tick."""
    chip, clock, ends, rows = Chip(program, timing="cycle"), 0, [], []
    for tick in range(program.run_ticks):
        disturb(tick, chip)
        given = spikes[tick] if tick < len(spikes) else np.zeros(program.n_inputs, np.uint8)
        states = [chip.clock(given[None])]
        while not states[-1].go:
            states.append(chip.clock())
        for state in states:
            rows += [row_of(program, state, clock + state.clock, place) for place in range(program.n_cores)]
        clock += len(states)
        ends.append(clock - 1)
    columns = {name: np.array([row[name] for row in rows], dtype=np.int64) for name in rows[0]}
    signals = Signals(columns.pop("clock"), columns.pop("place"), columns)
    return ClockTrace(np.array(ends), signals, {}, {})


def row_of(program, state, clock, core):
    """One core in one clock."""
    used = int(np.diff(program.arrays.core_neuron_start)[core])
    neuron = int(state.neuron[core])
    spike = {s[0]: s[1:] for s in state.spikes}.get(core, (-1, 0))
    x, y = core % program.profile.noc.width, core // program.profile.noc.width
    moves = {side for a, b, side in state.transfers if (a, b) == (x, y)}
    registers = dict.fromkeys(program.profile.element_names(), 0)
    registers |= {name: int(values[core]) for name, values in state.registers.items()}
    return {
        "clock": clock, "place": core, "phase": PHASES.index(state.phase[core]),
        "neuron": neuron if neuron < used else -1, **registers,
        "spike_neuron": spike[0], "spike_count": spike[1],
        **{name: int(state.queues[name][core]) for name in ("output_fifo", "receive_fifo")},
        **{f"router_{side}": int(state.queues["router"][core][k]) for k, side in enumerate(SIDES)},
        **{f"moves_{side}": int(side in moves) for side in SIDES},
    }  # fmt: skip
