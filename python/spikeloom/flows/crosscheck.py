"""The C++ core against an independent reference: every spike and every register, at every tick."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Literal

from numpy.typing import ArrayLike, NDArray

from spikeloom.emulation.emulate import Progress, emulate
from spikeloom.emulation.inputs import EncodedInputs, Inputs, checked_ids, encoded_inputs
from spikeloom.emulation.instance import ChipChoice, chosen_chip
from spikeloom.errors import EmulationError
from spikeloom.flows.comparison.circuit_check import check_circuit, check_circuit_carries
from spikeloom.flows.comparison.emulated_traces import emulated_trace, everything
from spikeloom.flows.comparison.noise_check import check_noisy, noise_tests
from spikeloom.flows.counting import with_progress
from spikeloom.program.program import ChipProgram
from spikeloom.reference.brian2.real_operations import tolerance_of
from spikeloom.reference.brian2.setup import check_brian2_carries
from spikeloom.reference.compare import CrossCheck, Trace, combine, compare
from spikeloom.reference.flawed_program import flawed_program
from spikeloom.reference.twin.imperfections import Flaws
from spikeloom.report.plain import write_text

Reference = Literal["brian2", "twin", "rtl"]
REFERENCES = ("brian2", "twin", "rtl")


def crosscheck(
    program: ChipProgram,
    inputs: Inputs,
    *,
    reference: Reference = "brian2",
    ticks: int | None = None,
    chip_seed: int | None = None,
    trial_seed: int = 0,
    sample_ids: ArrayLike | None = None,
    age_s: float = 0.0,
    effects: Collection[str] | None = None,
    script: str | Path | None = None,
    trials: int = 0,
    level: float = 0.01,
    progress: Progress | None = None,
) -> CrossCheck:
    """Run the same spikes on the emulated chip and on a reference, and compare everything.

    Parameters
    ----------
    program : what the chip loads.
    inputs : (samples, ...) as `emulate` takes them; a reference is slow, a few samples will do.
    reference : "brian2", "twin" (plain Python), or "rtl": the circuit of a profile whose controller is
        `open_core`, run by Verilator or Icarus Verilog.
    ticks : length of the window, the program's own unless given.
    chip_seed, trial_seed, sample_ids, age_s, effects : as in `emulate`. Brian2 draws numbers of its own: with it,
        effects that are new in every step act on neither side, and `CrossCheck.left_out` names them.
    script : a .py file to write; it builds the same model in Brian2, runs it and compares it with the emulated chip,
        and needs nothing but numpy and Brian2. With trials it runs them with noise, and tests their distributions.
    trials : with Brian2, and where the chip has noise: run each sample so often on both sides with their own noise,
        and test whether spike counts, inter-spike intervals and registers that are read have the same
        distributions (see `spikeloom.reference.distributions`). The verdicts are `CrossCheck.noise`.
    level : the probability with which these tests, all together, fail equal executors by chance.
    progress : told the reference, or "with noise", how many samples are done, and of how many.

    Returns whether all spikes and registers were equal at every tick (Brian2 uses another exponential: there
    registers of continuous models may differ by 1e-9 of the largest value they take), how many were compared,
    and the first divergence by sample, tick, core, neuron and register. The circuit is compared in every clock,
    too: phases, the neuron in the write stage and what it is written with, spikes, entries of all FIFOs, what
    the routers move and the end of the tick, then SCHED; there the divergence names clock and signal.
    Raises EmulationError for wrong inputs, or where the reference cannot carry an operation of the profile.
    """
    if reference not in REFERENCES:
        raise EmulationError("reference", "is unknown", value=reference, limit=" or ".join(REFERENCES))
    if script is not None and Path(script).suffix != ".py":
        raise EmulationError(f"script {script}", "must end in .py")
    if reference == "brian2":
        check_brian2_carries(program.profile)
    if reference == "rtl":
        check_circuit_carries(program.profile)
    chip = whole = chosen_chip(program, chip_seed, age_s, effects)
    if trials:
        _check_noisy(program, whole, reference, trials, level)
    noisy = program.profile.temporal_effects if reference == "brian2" else ()
    left_out = tuple(name for name in chip.effects if name in noisy)
    chip = replace(chip, effects=tuple(name for name in chip.effects if name not in noisy))
    recording = emulate(
        program, inputs, ticks=ticks, chip_seed=chip.seed, age_s=chip.age_s, effects=chip.effects,
        trial_seed=trial_seed, sample_ids=sample_ids, timing="cycle" if reference == "rtl" else "none",
        record=[*everything(program), *(["clocks"] if reference == "rtl" else [])],
    )  # fmt: skip
    encoded = encoded_inputs(program, inputs, ticks=ticks, trial_seed=trial_seed, sample_ids=sample_ids)
    emulated = [emulated_trace(program, recording, sample) for sample in range(len(recording.outputs))]
    if script is not None and not trials:
        _write_script(Path(script), flawed_program(program, _flaws(program, chip)), encoded, emulated)
    if reference == "rtl":
        return check_circuit(program, recording, encoded.spikes, _overrides(encoded))
    expected = _reference_traces(program, encoded, reference, chip, (trial_seed, sample_ids), progress)
    tolerance = tolerance_of(program.profile) if reference == "brian2" else 0.0
    check = combine(
        compare(trace, got, program, sample, tolerance=tolerance)
        for sample, (trace, got) in enumerate(zip(expected, emulated, strict=True))
    )
    if not trials:
        return replace(check, left_out=left_out)
    noise = noise_tests(
        program, inputs, trials=trials, level=level, chip=whole, ticks=ticks, trial_seed=trial_seed,
        script=None if script is None else Path(script), progress=progress,
    )  # fmt: skip
    equal = check.equal and all(test.ok for test in noise)
    return replace(check, equal=equal, left_out=left_out, noise=noise)


def _check_noisy(
    program: ChipProgram, chip: ChipChoice, reference: Reference, trials: int, level: float
) -> None:
    if reference != "brian2":
        raise EmulationError("trials", "are for Brian2; every other reference draws the chip's own noise",
                             value=reference)  # fmt: skip
    check_noisy(program, chip, trials, level)


def _reference_traces(
    program: ChipProgram,
    encoded: EncodedInputs,
    reference: Reference,
    chip: ChipChoice,
    draws: tuple[int, ArrayLike | None],
    progress: Progress | None,
) -> list[Trace]:
    """What the reference does with each sample, given the very spikes and biases that the chip gets."""
    from spikeloom.reference.brian2.model import brian2_traces
    from spikeloom.reference.twin.executor import run_twin

    overrides, flaws = _overrides(encoded), _flaws(program, chip)
    if reference == "brian2":
        traces = brian2_traces(program, encoded.spikes, bias_overrides=overrides, chip=flaws)
    else:
        trial_seed, sample_ids = draws
        ids = checked_ids(sample_ids, len(encoded.spikes)).tolist()
        traces = (
            run_twin(program, rows, bias_override=override, trial_seed=trial_seed, sample=number, chip=flaws)
            for rows, override, number in zip(encoded.spikes, overrides, ids, strict=True)
        )
    return list(with_progress(traces, len(overrides), reference, progress))


def _overrides(encoded: EncodedInputs) -> list[dict[str, NDArray]]:
    """For each sample, population -> the bias that the host writes."""
    return [{name: values[k] for name, values in encoded.biases.items()} for k in range(len(encoded.spikes))]


def _flaws(program: ChipProgram, chip: ChipChoice) -> Flaws:
    """The chip as the references take it."""
    return Flaws(program.profile, chip.seed, chip.age_s, chip.effects)


def _write_script(path: Path, program: ChipProgram, encoded: EncodedInputs, expected: list[Trace]) -> None:
    from spikeloom.reference.brian2.script import brian2_script

    write_text(path, brian2_script(program, encoded.spikes, _overrides(encoded), expected))
