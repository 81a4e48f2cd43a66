"""Noisy runs of the emulated chip against noisy runs in Brian2, as distributions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spikeloom.emulation.emulate import Progress, emulate
from spikeloom.emulation.inputs import Inputs, encoded_inputs
from spikeloom.emulation.instance import ChipChoice
from spikeloom.errors import EmulationError
from spikeloom.flows.counting import with_progress
from spikeloom.program.program import ChipProgram
from spikeloom.reference.brian2.noise import run_brian2_trials
from spikeloom.reference.distributions import NoiseTest, Trials, check_plan, compare_trials
from spikeloom.reference.twin.imperfections import Flaws

Row = NDArray | Mapping[str, NDArray]  # one sample, its first axis 1


def check_noisy(program: ChipProgram, chip: ChipChoice, trials: int, level: float) -> None:
    """Raises EmulationError where no noise acts, or the trials and the level make no test."""
    check_plan(trials, level)
    if not set(program.profile.temporal_effects) & set(chip.effects):
        raise EmulationError("trials", "are of no use: nothing that acts differs from run to run",
                             limit=", ".join(program.profile.temporal_effects) or "the profile has no noise",
                             remedy="leave trials out: without noise every value is compared")  # fmt: skip


def noise_tests(
    program: ChipProgram,
    inputs: Inputs,
    *,
    trials: int,
    level: float,
    chip: ChipChoice,
    ticks: int | None = None,
    trial_seed: int = 0,
    reference: ChipProgram | None = None,
    progress: Progress | None = None,
) -> tuple[NoiseTest, ...]:
    """Run each sample many times on both sides, and test whether the two do the same up to chance.

    The frozen imperfections of the chip are those of both sides; noise is drawn by each of them for itself.

    Parameters
    ----------
    inputs : (samples, ...) as `emulate` takes them.
    trials : runs of each sample, on each side.
    level : the probability with which equal executors fail.
    reference : another program for Brian2, to see whether a difference is found.
    """
    check_noisy(program, chip, trials, level)
    got, expected = [], []
    rows = _samples(inputs)
    for row in with_progress(rows, len(rows), "with noise", progress):
        got.append(_emulated(program, row, trials, chip, ticks, trial_seed))
        expected.append(_in_brian2(reference or program, row, trials, chip, ticks, trial_seed))
    return compare_trials(
        Trials.joined(expected), Trials.joined(got), neurons=program.n_neurons, level=level, seed=trial_seed
    )


def _samples(inputs: Inputs) -> list[Row]:
    """Each sample for itself, still with its first axis."""
    if isinstance(inputs, Mapping):
        named = {name: np.asarray(values) for name, values in inputs.items()}
        count = len(next(iter(named.values())))
        return [{name: values[k : k + 1] for name, values in named.items()} for k in range(count)]
    rows = np.asarray(inputs)
    return [rows[k : k + 1] for k in range(len(rows))]


def _repeated(row: Row, times: int) -> Row:
    if isinstance(row, Mapping):
        return {name: np.repeat(values, times, axis=0) for name, values in row.items()}
    return np.repeat(row, times, axis=0)


def _emulated(
    program: ChipProgram, row: Row, trials: int, chip: ChipChoice, ticks: int | None, trial_seed: int
) -> Trials:
    """The chip's trials: samples with the numbers 0, 1, ..."""
    registers = _registers(program)
    record = [
        f"{population.name}.{what}" for population in program.populations for what in ("spikes", *registers)
    ]
    found = emulate(
        program, _repeated(row, trials), ticks=ticks, record=record, chip_seed=chip.seed, age_s=chip.age_s,
        effects=chip.effects, trial_seed=trial_seed,
    )  # fmt: skip
    spikes = np.zeros((trials, _steps(program, ticks), program.n_neurons), dtype=np.int32)
    last = {name: np.zeros((trials, program.n_neurons)) for name in registers}
    for population in program.populations:
        sample, tick, neuron = found.spikes[population.name].T
        np.add.at(spikes, (sample, tick, population.neurons[neuron]), 1)
        for name in registers:
            last[name][:, population.neurons] = found.registers[f"{population.name}.{name}"][:, -1]
    return _trials(program, spikes, last)


def _in_brian2(
    program: ChipProgram, row: Row, trials: int, chip: ChipChoice, ticks: int | None, trial_seed: int
) -> Trials:
    """Brian2's trials; where the input is drawn, it gets other draws than the chip."""
    ids = np.arange(trials, 2 * trials)
    encoded = encoded_inputs(
        program, _repeated(row, trials), ticks=ticks, trial_seed=trial_seed, sample_ids=ids
    )
    biases = [{name: values[k] for name, values in encoded.biases.items()} for k in range(trials)]
    flaws = Flaws(program.profile, chip.seed, chip.age_s, chip.effects)
    traces = run_brian2_trials(
        program, encoded.spikes, steps=_steps(program, ticks), seed=trial_seed, chip=flaws, biases=biases
    )
    spikes = np.stack([trace.spikes for trace in traces])
    last = {name: np.stack([trace.registers[name][-1] for trace in traces]) for name in _registers(program)}
    return _trials(program, spikes, last)


def _steps(program: ChipProgram, ticks: int | None) -> int:
    """Ticks of a run, or steps where the profile divides its tick."""
    return replace(program, ticks=program.ticks if ticks is None else ticks).run_ticks


def _registers(program: ChipProgram) -> list[str]:
    """Registers that are read out."""
    return list(dict.fromkeys(port.read for port in program.outputs if port.read != "spikes"))


def _trials(program: ChipProgram, spikes: NDArray, last: Mapping[str, NDArray]) -> Trials:
    read = [
        (port.read, port.neurons)
        for port in program.outputs
        if port.neurons is not None and port.read in last
    ]
    values = [last[name][:, neurons] for name, neurons in read]
    return Trials.of(
        spikes,
        np.concatenate([np.zeros((len(spikes), 0)), *values], axis=1),
        np.concatenate([np.zeros(0, dtype=np.int64), *(neurons for _, neurons in read)]),
    )
