"""A program on its chip with calibration samples, and its outputs read anew by the host: for every way of tuning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikeloom.emulation.emulate import emulate
from spikeloom.emulation.recording import Recording
from spikeloom.flows.conversion.synapse_list import with_values
from spikeloom.flows.conversion.tuning.upstream import driven_only_by, upstream_of
from spikeloom.program.program import ChipProgram, Placed, Port

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Tuned:
    """A program for one chip, and the runs on that chip that it took."""

    program: ChipProgram
    runs: int


class Bench:
    """A program on its chip with calibration samples; counts the runs.

    few: samples by which neurons are measured; all unless given
    """

    def __init__(
        self, program: ChipProgram, rows: NDArray, threads: int | None, few: int | None = None
    ) -> None:
        self.program, self.rows, self.threads, self.runs, self.trial = program, rows, threads, 0, 0
        self.few = len(rows[:few])
        self._upstream: dict[str, NDArray[np.bool_]] = {}

    def value(self, name: str) -> Array:
        """(neurons,) a parameter as the program has it."""
        return np.asarray(self.program.arrays.params[name], dtype=np.float64)

    def turned(self, placed: Placed, knobs: Mapping[str, Array]) -> ChipProgram:
        """The program with these values of one population's knobs."""
        given = {}
        for name, values in knobs.items():
            whole = self.program.arrays.params[name].copy()
            whole[placed.neurons] = values
            given[name] = whole
        return with_values(self.program, None, given)

    def rates(self, placed: Placed, knobs: Mapping[str, Array], samples: int | None = None) -> Array:
        """(samples, neurons) spikes a tick of a population on the chip; of `few` samples unless told."""
        program = self._without_what_follows(self.turned(placed, knobs), placed)
        run = self._run(program, self.rows[: samples or self.few])
        return np.asarray(run.counts[placed.name] / self.program.ticks)

    def all_rates(self, lines: Array) -> Array:
        """(samples, lines + neurons) spikes a tick on the chip behind those of the lines, see `rates_of`."""
        return rates_of(self.program, lines, self._run(self.program, self.rows).counts)

    def few_outputs(self, program: ChipProgram) -> Array:
        """(few, outputs) of another program on the same chip."""
        return self._run(program, self.rows[: self.few]).outputs

    def recorded(self, rows: NDArray[np.int64]) -> Recording:
        """A run of the samples of these numbers."""
        return self._run(self.program, self.rows[rows])

    def _without_what_follows(self, program: ChipProgram, placed: Placed) -> ChipProgram:
        if placed.name not in self._upstream:
            self._upstream[placed.name] = upstream_of(program, placed)
        return driven_only_by(program, self._upstream[placed.name])

    def _run(self, program: ChipProgram, rows: NDArray) -> Recording:
        """One more run of these samples, with noise of its own."""
        self.runs, self.trial = self.runs + len(rows), self.trial + 1
        return emulate(program, rows, trial_seed=self.trial, threads=self.threads)


def rates_of(program: ChipProgram, lines: Array, counts: Mapping[str, NDArray]) -> Array:
    """(samples, lines + neurons) spikes a tick: those of the lines, then the counts of each population."""
    rates = np.concatenate((lines, np.zeros((len(lines), program.n_neurons))), axis=1)
    for placed in program.populations:
        rates[:, program.n_inputs + placed.neurons] = counts[placed.name] / program.ticks
    return rates


def read_anew(bench: Bench, wanted: Array) -> ChipProgram:
    """The program whose outputs are read so that they err least from those of the perfect chip."""
    got = bench.few_outputs(bench.program)
    wanted = wanted[: bench.few]
    spread = ((got - got.mean(axis=0)) ** 2).sum(axis=0)
    along = ((got - got.mean(axis=0)) * (wanted - wanted.mean(axis=0))).sum(axis=0)
    gain = np.divide(along, spread, out=np.ones_like(spread), where=(spread > 0.0) & (along > 0.0))
    offset = wanted.mean(axis=0) - gain * got.mean(axis=0)
    return replace(bench.program, outputs=with_lines(bench.program.outputs, gain, offset))


def with_lines(outputs: tuple[Port, ...], gain: Array, offset: Array) -> tuple[Port, ...]:
    """The outputs as they are, times gain, plus offset: (outputs,) of all of them in a row."""
    made, first = [], 0
    for port in outputs:
        mine = slice(first, first + port.size)
        before = np.zeros(port.size) if port.offset is None else port.offset
        scale = np.ones(port.size) if port.scale is None else np.asarray(port.scale)
        made.append(replace(port, scale=scale * gain[mine], offset=before * gain[mine] + offset[mine]))
        first += port.size
    return tuple(made)
