"""The log of a circuit's test bench, read back: spikes, memories after every tick, signals of every clock."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from spikeloom.program.program import ChipProgram
from spikeloom.reference.compare import Trace

SIDES = ("local", "east", "west", "north", "south")


class Spike(NamedTuple):
    """A spike that was pushed into the output FIFO of a core; `neuron` is the number on the core."""

    clock: int
    core: int
    neuron: int
    times: int


class Seen(NamedTuple):
    """The observed signals of one core, in the first clock in which they are so."""

    clock: int
    core: int
    phase: int  # 0 INPUT, 1 DELIVER, 2 UPDATE, 3 DRAIN
    write_neuron: int | None  # in the write stage
    registers: Mapping[str, int] | None  # what is written
    spike: tuple[int, int] | None  # neuron, count
    output_count: int
    receive_count: int
    router_counts: tuple[int, ...]  # in the order of SIDES
    moves: tuple[bool, ...]  # which outputs of the router hand over a packet


@dataclass(frozen=True)
class CircuitLog:
    """Everything that a run wrote down."""

    description: Mapping[str, Any]
    ends: list[int]  # clock of `go` of each tick
    pushed: list[Spike]
    words: list[tuple[str, int, int, tuple[int, ...], int]]  # kind, tick, core, place, word
    signals: list[tuple[int, int, int]]  # clock, core, word

    @property
    def clocks_per_tick(self) -> list[int]:
        """From the first clock of INPUT to the next one, for every tick."""
        starts = [-1, *self.ends[:-1]]
        return [end - start for start, end in zip(starts, self.ends, strict=True)]

    def seen(self) -> Iterator[Seen]:
        """The observed signals, decoded, wherever they changed."""
        decode = _Decoder(self.description)
        return (decode.seen(*line) for line in self.signals)

    def trace(self, program: ChipProgram) -> Trace:
        """Spikes and registers tick by tick, neurons in their global numbers."""
        ticks, starts = len(self.ends), program.arrays.core_neuron_start
        spikes = np.zeros((ticks, program.n_neurons), dtype=np.int32)
        for spike in self.pushed:
            tick = int(np.searchsorted(self.ends, spike.clock))
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
                for field in state:
                    yield field["name"], tick, core, place[0], decoded(word >> field["first"], field)
            elif kind == "a":
                field = accumulators[place[0]]
                yield field["name"], tick, core, place[1], decoded(word, field)


def decoded(bits: int, field: Mapping[str, Any]) -> int:
    """The value of a field in the lowest bits of a word."""
    width = int(field["bits"])
    value = bits & ((1 << width) - 1)
    return value - (1 << width) if field["signed"] and value >> (width - 1) else value


def read_log(log: Path, description: Path) -> CircuitLog:
    """Read a log; its lines are explained in the test bench."""
    found = CircuitLog(json.loads(description.read_text(encoding="utf-8")), [], [], [], [])
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            kind, *parts = line.split()
            if kind == "c":
                found.signals.append((int(parts[0]), int(parts[1]), int(parts[2], 16)))
            elif kind == "g":
                found.ends.append(int(parts[0]))
            elif kind == "p":
                found.pushed.append(Spike(*map(int, parts)))
            else:
                tick, core, *place = map(int, parts[:-1])
                found.words.append((kind, tick, core, tuple(place), int(parts[-1], 16)))
    return found


class _Decoder:
    """Takes the observed word of a core apart."""

    def __init__(self, description: Mapping[str, Any]) -> None:
        self.widths: Mapping[str, int] = description["widths"]
        fields = [dict(field) for field in description["accumulator"]]
        first = 0
        for field in fields:  # accumulators first, then STATE, lowest bits first
            field["first"] = first
            first += field["bits"]
        self.fields = [*fields, *({**f, "first": f["first"] + first} for f in description["state"])]

    def seen(self, clock: int, core: int, word: int) -> Seen:
        """The signals of one line, taken from the lowest bits on."""
        w = self.widths

        def take(bits: int) -> int:
            nonlocal word
            part, word = word & ((1 << bits) - 1), word >> bits
            return part

        moves = tuple(bool(take(1)) for _ in SIDES)
        routers = tuple(take(w["ROUTER_COUNT_BITS"]) for _ in SIDES)
        receive, output = take(w["RECEIVE_COUNT_BITS"]), take(w["OUTPUT_COUNT_BITS"])
        count, neuron, spike = take(w["SPIKE_BITS"]), take(w["NEURON_BITS"]), take(1)
        written, write_neuron, valid, phase = (
            take(w["OBSERVED_WIDTH"]),
            take(w["NEURON_BITS"]),
            take(1),
            take(2),
        )
        registers = {field["name"]: decoded(written >> field["first"], field) for field in self.fields}
        return Seen(
            clock, core, phase, write_neuron if valid else None, registers if valid else None,
            (neuron, count) if spike else None, output, receive, routers, moves,
        )  # fmt: skip
