"""Two executors of one program on open cores, compared signal by signal in every clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from spikeloom.program.program import ChipProgram
from spikeloom.reference.circuit.signals import Signals
from spikeloom.reference.compare import CrossCheck, Divergence

ROUTER = ("router_", "moves_")  # signals that a place of the mesh without a core has, too
NONE = {"neuron": -1, "spike_neuron": -1}  # before the first clock; everything else is 0


@dataclass(frozen=True, eq=False)
class ClockTrace:
    """Everything that can be observed of one sample in clocks, counted from the first clock of the run.

    ends: (ticks,), the clock of `go`; signals: see `Signals`, rows by clock and then place; most: FIFO -> its most
    entries by place; schedule: (tick, slot, axon of the program) -> count of each word of SCHED that is not 0
    after a tick.
    """

    ends: NDArray[np.int64]
    signals: Signals
    most: Mapping[str, NDArray[np.int64]]
    schedule: Mapping[tuple[int, int, int], int]


def compare_clocks(
    expected: ClockTrace, got: ClockTrace, program: ChipProgram, sample: int = 0
) -> CrossCheck:
    """Compare every observed signal in every clock, SCHED after every tick, and FIFO marks after the last.

    The first divergence is that of the earliest clock; within a clock that of the lowest core, within a core
    signals in the order in which `expected` has them. Its neuron is the one that the signal is about: the one
    in the write stage, or the one that spikes; None where the signal is a core's or a router's.
    """
    found = min(
        (*_signal_divergences(expected, got, program, sample), *_end_divergences(expected, got, sample),
         *_schedule_divergences(expected, got, program, sample), *_mark_divergences(expected, got, sample)),
        key=_order, default=None,
    )  # fmt: skip
    clocks = int(expected.ends[-1]) + 1 if expected.ends.size else 0
    values = clocks * program.n_cores * len(expected.signals.values)
    return CrossCheck(found is None, {"samples": 1, "clocks": clocks, "signal_values": values}, found)


def _order(found: Divergence) -> tuple[int, bool, int, int]:
    """By tick; in a tick its clocks come before what is seen at its end."""
    return (found.tick, found.clock is None, found.clock or 0, found.core)


def _signal_divergences(
    expected: ClockTrace, got: ClockTrace, program: ChipProgram, sample: int
) -> Iterator[Divergence]:
    """The first divergence of each place of the mesh."""
    for place in np.unique(np.concatenate([expected.signals.place, got.signals.place])).tolist():
        names = [n for n in expected.signals.values if place < program.n_cores or n.startswith(ROUTER)]
        rows = [_rows_of(trace.signals, place) for trace in (expected, got)]
        clocks = np.union1d(expected.signals.clock[rows[0]], got.signals.clock[rows[1]])
        values = [
            _at(trace.signals, k, clocks, names) for trace, k in zip((expected, got), rows, strict=True)
        ]
        differ = np.flatnonzero((values[0] != values[1]).any(axis=0))
        if differ.size:
            clock, shown = int(clocks[differ[0]]), [side[:, differ[0]].tolist() for side in values]
            tick = int(np.searchsorted(expected.ends, clock))
            yield _signal_divergence(program, (sample, tick, clock, place), names, *shown)


def _signal_divergence(
    program: ChipProgram, where: tuple[int, int, int, int], names: list[str], right: list[int], is_: list[int]
) -> Divergence:
    """The first of the signals that differ in one clock of one core."""
    sample, tick, clock, place = where
    k = next(k for k in range(len(names)) if right[k] != is_[k])
    shown = [dict(zip(names, side, strict=True)) for side in (right, is_)]
    neuron = _neuron(names[k], shown, program, place)
    return Divergence(sample, tick, place, neuron, names[k], right[k], is_[k], clock)


def _rows_of(signals: Signals, place: int) -> NDArray[np.int64]:
    rows = np.flatnonzero(signals.place == place)
    return rows[np.argsort(signals.clock[rows], kind="stable")]


def _at(signals: Signals, rows: NDArray, clocks: NDArray, names: list[str]) -> NDArray[np.int64]:
    """(names, clocks): each signal as it was last shown."""
    last = np.searchsorted(signals.clock[rows], clocks, side="right") - 1
    columns = []
    for name in names:
        shown = signals.values[name][rows]
        columns.append(np.where(last < 0, NONE.get(name, 0), shown[last] if rows.size else 0))
    return np.array(columns, dtype=np.int64).reshape(len(names), clocks.size)


def _neuron(name: str, shown: list[dict[str, int]], program: ChipProgram, place: int) -> int | None:
    """The global number of the neuron that a signal is about."""
    if name.startswith((*ROUTER, "output_", "receive_", "phase")):
        return None
    which = "spike_neuron" if name.startswith("spike") else "neuron"
    number = max(side[which] for side in shown)
    return None if number < 0 else int(program.arrays.core_neuron_start[place]) + number


def _end_divergences(expected: ClockTrace, got: ClockTrace, sample: int) -> Iterator[Divergence]:
    """`go`; -1 where a run was stopped before the tick ended."""
    ends = zip_longest(expected.ends.tolist(), got.ends.tolist(), fillvalue=-1)
    for tick, (right, is_) in enumerate(ends):
        if right != is_:
            first = min(end for end in (right, is_) if end >= 0)
            yield Divergence(sample, tick, 0, None, "go", right, is_, first)


def _mark_divergences(expected: ClockTrace, got: ClockTrace, sample: int) -> Iterator[Divergence]:
    """The most entries of each FIFO over the whole run; a place that one side does not have holds none."""
    for name in expected.most:
        right, is_ = expected.most[name].tolist(), got.most[name].tolist()
        for place, values in enumerate(zip_longest(right, is_, fillvalue=0)):
            if values[0] == values[1]:
                continue
            yield Divergence(sample, len(expected.ends) - 1, place, None, f"most entries of {name}", *values)


def _schedule_divergences(
    expected: ClockTrace, got: ClockTrace, program: ChipProgram, sample: int
) -> Iterator[Divergence]:
    """SCHED after every tick."""
    for tick, slot, axon in sorted({*expected.schedule, *got.schedule}):
        key = (tick, slot, axon)
        values = (expected.schedule.get(key, 0), got.schedule.get(key, 0))
        if values[0] != values[1]:
            core = int(np.searchsorted(program.arrays.core_axon_start, axon, side="right")) - 1
            yield Divergence(sample, tick, core, None, f"SCHED, slot {slot}, axon {axon}", *values)
            return
