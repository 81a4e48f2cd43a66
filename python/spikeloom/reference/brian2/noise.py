"""Runs with noise in Brian2, which draws its own numbers: many trials of one input, to be compared as a sample.

The copies of a program stand side by side in one model, so that many trials cost little more than one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import EmulationError
from spikeloom.program.program import ChipProgram
from spikeloom.reference.brian2.model import Brian2Model
from spikeloom.reference.brian2.setup import check_brian2_carries, in_steps, plain_numpy
from spikeloom.reference.brian2.synapses import BiasOverride
from spikeloom.reference.compare import Trace
from spikeloom.reference.flawed_program import flawed_program
from spikeloom.reference.random_programs import RandomProgram
from spikeloom.reference.side_by_side import side_by_side
from spikeloom.reference.twin.imperfections import Flaws

MOST_SYNAPSES = 1_000_000  # in one model: some hundred bytes each


def run_brian2_trials(
    program: ChipProgram,
    spikes: NDArray,
    *,
    steps: int,
    seed: int,
    chip: Flaws,
    biases: Sequence[BiasOverride] | None = None,
) -> list[Trace]:
    """Run every trial with noise of its own.

    Parameters
    ----------
    program : what the chip loads.
    spikes : (trials, rows, input lines) spike counts; row t arrives in tick t.
    steps : ticks of a run, or steps where the profile divides its tick.
    seed : of Brian2's generator, whose state is put back afterwards.
    chip : the imperfections that act, frozen and temporal.
    biases : for each trial, population -> one effective bias a neuron.

    Raises
    ------
    EmulationError
        Brian2 cannot carry the program, or its noise: spikes that arrive late.
    """
    check_brian2_carries(program.profile)
    for _, entry in chip.of_kind("jitter"):
        raise EmulationError(f"effect {entry.name}", "makes spikes late, which the Brian2 model does not carry",
                             remedy="leave it out of the effects")  # fmt: skip
    one = replace(flawed_program(program, chip), ticks=-(-steps // program.profile.time.steps_per_tick))
    biases = biases or [{}] * len(spikes)
    at_once = max(MOST_SYNAPSES // max(len(one.arrays.codes), 1), 1)
    found: list[Trace] = []
    with plain_numpy(), _seeded(seed):
        for k in range(0, len(spikes), at_once):
            found += _side_by_side(one, spikes[k : k + at_once], biases[k : k + at_once], chip, steps)
    return found


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Brian2's generator is numpy's global one: seeded here, put back afterwards."""
    import brian2

    before = np.random.get_state()
    try:
        brian2.seed(seed)
        yield
    finally:
        np.random.set_state(before)


def _side_by_side(
    program: ChipProgram, spikes: NDArray, biases: Sequence[BiasOverride], chip: Flaws, steps: int
) -> list[Trace]:
    """As many copies of a program as there are trials, run as one."""
    joined = side_by_side([RandomProgram(program, rows, {}) for rows in spikes])
    override = {f"{k}.{name}": values for k, trial in enumerate(biases) for name, values in trial.items()}
    rows = in_steps(program.profile.time, joined.spikes[None, : spikes.shape[1]])
    model = NoisyModel(joined.program, rows, [override], chip)
    trace = model.run(rows[0], override, steps)
    return joined.split(trace)


class NoisyModel(Brian2Model):
    """A model whose operations and synapses draw random numbers."""

    noisy = True

    def __init__(
        self, program: ChipProgram, spikes: NDArray, overrides: Sequence[BiasOverride], chip: Flaws
    ) -> None:
        self.chip = chip
        super().__init__(program, spikes, overrides)

    def _read_std(self, weights: NDArray) -> NDArray | None:
        if not self.chip.of_kind("read_noise"):
            return None
        levels, level_of = np.unique(weights, return_inverse=True)
        return np.asarray(np.array([self.chip.read_std(float(level)) for level in levels])[level_of])
