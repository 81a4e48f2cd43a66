"""Noisy runs of the emulated chip against noisy runs in Brian2, as distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeloom.emulation.emulate import Progress, emulate
from spikeloom.emulation.inputs import Inputs, encoded_inputs
from spikeloom.emulation.instance import ChipChoice
from spikeloom.errors import EmulationError
from spikeloom.flows.counting import with_progress
from spikeloom.program.program import ChipProgram
from spikeloom.reference.brian2.noise import run_brian2_trials
from spikeloom.reference.brian2.synapses import BiasOverride
from spikeloom.reference.distributions import NoiseTest, Trials, check_plan, compare_trials
from spikeloom.reference.twin.imperfections import Flaws
from spikeloom.report.plain import write_text

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
    script: Path | None = None,
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
    script : a .py file to write, which runs Brian2's trials and tests them against the chip's on its own.
    """
    check_noisy(program, chip, trials, level)
    got, expected = [], []
    rows = _samples(inputs)
    for row in with_progress(rows, len(rows), "with noise", progress):
        got.append(_emulated(program, row, trials, chip, ticks, trial_seed))
        expected.append(_in_brian2(reference or program, row, trials, chip, ticks, trial_seed))
    chips = Trials.joined(got)
    if script is not None:
        drawn = [_drawn(program, row, trials, ticks, trial_seed) for row in rows]
        _write_script(script, reference or program, drawn, chips, chip, ticks, level, trial_seed)
    return compare_trials(
        Trials.joined(expected), chips, neurons=program.n_neurons, level=level, seed=trial_seed
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
    """Brian2's trials."""
    spikes, biases = _drawn(program, row, trials, ticks, trial_seed)
    traces = run_brian2_trials(
        program,
        spikes,
        steps=_steps(program, ticks),
        seed=trial_seed,
        chip=_flaws(program, chip),
        biases=biases,
    )
    spikes = np.stack([trace.spikes for trace in traces])
    last = {name: np.stack([trace.registers[name][-1] for trace in traces]) for name in _registers(program)}
    return _trials(program, spikes, last)


def _drawn(
    program: ChipProgram, row: Row, trials: int, ticks: int | None, trial_seed: int
) -> tuple[NDArray, list[BiasOverride]]:
    """Spikes and biases of Brian2's trials; where the input is drawn, they are other draws than the chip's."""
    ids = np.arange(trials, 2 * trials)
    encoded = encoded_inputs(
        program, _repeated(row, trials), ticks=ticks, trial_seed=trial_seed, sample_ids=ids
    )
    return encoded.spikes, [
        {name: values[k] for name, values in encoded.biases.items()} for k in range(trials)
    ]


def _flaws(program: ChipProgram, chip: ChipChoice) -> Flaws:
    return Flaws(program.profile, chip.seed, chip.age_s, chip.effects)


def _write_script(
    path: Path,
    program: ChipProgram,
    drawn: Sequence[tuple[NDArray, list[BiasOverride]]],
    got: Trials,
    chip: ChipChoice,
    ticks: int | None,
    level: float,
    seed: int,
) -> None:
    from spikeloom.reference.brian2.noise_script import noise_script

    spikes, biases = zip(*drawn, strict=True)
    text = noise_script(program, spikes, biases, got, steps=_steps(program, ticks), chip=_flaws(program, chip),
                        level=level, seed=seed)  # fmt: skip
    write_text(path, text)


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
