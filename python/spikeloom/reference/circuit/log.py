"""The log of a circuit's test bench, read back: spikes, memories after every tick, signals of every clock."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from spikeloom.program.program import ChipProgram
from spikeloom.reference.circuit.signals import Signals, decoded_signals
from spikeloom.reference.compare import Trace


class Spike(NamedTuple):
    """A spike that was pushed into the output FIFO of a core; `neuron` is the number on the core."""

    clock: int
    core: int
    neuron: int
    times: int


@dataclass(frozen=True)
class CircuitLog:
    """Everything that a run wrote down."""

    description: Mapping[str, Any]
    ends: list[int] = field(default_factory=list)  # clock of `go` of each tick
    pushed: list[Spike] = field(default_factory=list)
    words: list[tuple[str, int, int, tuple[int, ...], int]] = field(
        default_factory=list
    )  # kind, tick, core, place, word
    changes: list[tuple[int, int, str]] = field(default_factory=list)  # clock, core, word

    @property
    def clocks_per_tick(self) -> list[int]:
        """From the first clock of INPUT to the next one, for every tick."""
        starts = [-1, *self.ends[:-1]]
        return [end - start for start, end in zip(starts, self.ends, strict=True)]

    def signals(self) -> Signals:
        """The observed signals, decoded, wherever they changed."""
        return decoded_signals(self.description, self.changes)

    def trace(self, program: ChipProgram) -> Trace:
        """Spikes and registers tick by tick, neurons in their global numbers."""
        ticks, starts = len(self.ends), program.arrays.core_neuron_start
        spikes = np.zeros((ticks, program.n_neurons), dtype=np.int32)
        for spike in self.pushed:
            tick = int(np.searchsorted(self.ends, spike.clock))
            if tick < ticks:  # later ones are of a tick that did not end
                spikes[tick, starts[spike.core] + spike.neuron] += spike.times
        registers = {
            name: np.zeros((ticks, program.n_neurons), dtype=np.int64)
            for name in program.profile.element_names()
        }
        for name, tick, core, neuron, value in self.registers():
            registers[name][tick, starts[core] + neuron] = value
        return Trace(spikes, registers)

    def registers(self) -> Iterator[tuple[str, int, int, int, int]]:
        """(register element, tick, core, neuron of the core, value) of STATE and ACC after every tick."""
        state, accumulators = self.description["state"], self.description["accumulator"]
        for kind, tick, core, place, word in self.words:
            if kind == "s":
                for stored in state:
                    yield stored["name"], tick, core, place[0], decoded(word >> stored["first"], stored)
            elif kind == "a":
                stored = accumulators[place[0]]
                yield stored["name"], tick, core, place[1], decoded(word, stored)

    def schedule(self) -> Iterator[tuple[int, int, int, int, int]]:
        """(tick, core, slot, axon of the core, count) of each word of SCHED that is not 0 after a tick."""
        bits = self.description["widths"]["AXON_BITS"]
        for kind, tick, core, place, word in self.words:
            if kind == "d":
                yield tick, core, place[0] >> bits, place[0] & ((1 << bits) - 1), word


def decoded(bits: int, stored: Mapping[str, Any]) -> int:
    """The value of a field in the lowest bits of a word."""
    width = int(stored["bits"])
    value = bits & ((1 << width) - 1)
    return value - (1 << width) if stored["signed"] and value >> (width - 1) else value


def read_log(log: Path, description: Path) -> CircuitLog:
    """Read a log; its lines are explained in the test bench."""
    found = CircuitLog(json.loads(description.read_text(encoding="utf-8")))
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            kind, *parts = line.split()
            if kind == "c":
                found.changes.append((int(parts[0]), int(parts[1]), parts[2]))
            elif kind == "g":
                found.ends.append(int(parts[0]))
            elif kind == "p":
                found.pushed.append(Spike(*map(int, parts)))
            else:
                tick, core, *place = map(int, parts[:-1])
                found.words.append((kind, tick, core, tuple(place), int(parts[-1], 16)))
    return found
