"""A converted network judged on rows that it has not seen, step by step from the ANN to the chip."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import spikeloom
from spikeloom.emulation.cycles import CycleReport
from spikeloom.emulation.emulate import Progress, emulate
from spikeloom.emulation.recording import Recording
from spikeloom.errors import SpikeloomError
from spikeloom.flows.convert import Conversion
from spikeloom.flows.rows import JudgedRows, judged_rows
from spikeloom.flows.validation.closed_loop import Environment, closed_loop
from spikeloom.flows.validation.framework import framework_outputs
from spikeloom.flows.validation.imperfect_chips import Bench, imperfect_chips
from spikeloom.flows.validation.layer_figures import layer_figures
from spikeloom.flows.validation.pictures import pictures, trace
from spikeloom.flows.validation.scoring import Score, Scored, Scorer, answers, make_scorer, wilson
from spikeloom.flows.validation.tick_curve import output_record, tick_curve
from spikeloom.flows.validation.verdicts import REFERENCES_ASKED, ask_references
from spikeloom.program.program import ChipProgram
from spikeloom.report.validation import DataUse, Stage, Validation, Work

Array = NDArray[np.float64]
CLOCKED_SAMPLES = 4
CALIBRATING = 200  # rows that every imperfect chip is calibrated with
TITLES = {
    "ann": "ANN, in its own framework",
    "imported": "imported graph",
    "fitted": "fitted, real-valued synapses",
    "quantised": "on the chip's grid",
    "emulated": "emulated chip",
    "in_the_loop": "the very chip it was fitted to",
}


def validate(
    conversion: Conversion,
    inputs: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    chips: int = 20,
    calibrate_chips: int = 3,
    references: Collection[str] = REFERENCES_ASKED,
    score: Score | None = None,
    environment: Environment | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Validation:
    """Judge a conversion: what every step to the chip costs, layer by layer, and whether the references agree.

    Parameters
    ----------
    conversion : what `convert` gave.
    inputs : (N, *input_shape) rows as the ANN takes them. Rows that calibrated the conversion are found by their
        hash, left out, and counted.
    labels : (N,) classes, or numbers like the outputs; without them the score is the agreement with the ANN.
    chips : chip instances to judge on, where the profile has imperfections; the one that was fitted is none of
        them.
    calibrate_chips : of so many of these chips, judge also with gain and offset of every neuron calibrated on the
        chip, by calibration rows of the conversion: what one can have without measuring a single synapse. Each takes
        thousands of runs.
    references : "twin" and "brian2", or fewer; each runs the first samples and compares every register. A small
        program of a chip with noise is also compared with noisy runs in Brian2, as a distribution.
    score : (outputs, labels) -> a number, higher is better, instead of accuracy (classes) or R2 (numbers).
    environment : for a control policy: takes a policy (N, *input_shape) -> (N, outputs), and gives the return of each
        of several episodes, the same ones at every call; the ANN and the chip are then compared in closed loop.

    Every score has a 95 % interval over the rows: Wilson's for shares, by bootstrap for others. Raises
    SpikeloomError or one of its kind for inputs that do not fit.
    """
    check_choices(chips, references, calibrate_chips)
    rows = judged_rows(inputs, labels, conversion.seen)
    judged = chips if conversion.program.profile.imperfection else 0
    steps = _Steps(progress, 4 + judged + len(references) + (environment is not None))
    wanted = conversion.ann.predict(rows.inputs)
    scorer = make_scorer(rows.labels, wanted, score)
    outputs = _floating_outputs(conversion, rows, wanted, threads)
    steps.done("real-valued stages")
    program = conversion.program
    run = emulate(program, rows.inputs, effects=(), record=output_record(program), threads=threads)
    outputs["emulated"] = run.outputs
    if program.chip_seed is not None:
        outputs["in_the_loop"] = emulate(program, rows.inputs, threads=threads).outputs
    steps.done("emulation")
    layers = layer_figures(conversion, rows.inputs, run)
    steps.done("layers")
    clocks = _clocks(program, rows.inputs, threads)
    checks, unchecked = ask_references(program, rows.inputs, references, steps.done)
    traced = trace(program, rows.inputs, threads)
    views = pictures(conversion, rows.inputs, run, traced)
    steps.done("pictures")
    stages = tuple(_stage(name, outputs[name], wanted, scorer) for name in TITLES if name in outputs)
    ideal = next(stage.score for stage in stages if stage.name == "emulated")
    bench = Bench(rows.inputs, wanted, scorer, ideal, _calibrating(conversion))
    many = imperfect_chips(program, bench, chips, calibrate_chips, threads, steps.done)
    loop = None
    if environment is not None:
        first = next(iter(many.plain.scores), None)
        loop = closed_loop(program, conversion.ann.predict, environment, first, threads)
        steps.done("closed loop")
    return Validation(
        network=conversion.ann.name,
        chip=program.profile.chip.name,
        profile=program.profile.name,
        fidelity=f"{program.profile.chip.fidelity.replace('_', '-')} to {program.profile.chip.reference}",
        ticks=program.ticks,
        data=DataUse(len(conversion.seen), len(rows.inputs), rows.repeated),
        score_name=scorer.name,
        score_is_share=scorer.is_share,
        interval=scorer.interval,
        stages=(*stages, *many.stages),
        agreement=next(stage.agreement for stage in stages if stage.name == "emulated"),
        yield_=many.plain.yield_,
        yield_interval=many.plain.yield_interval,
        calibrated_yield=many.calibrated.yield_,
        calibrated_chips=many.calibrated.scores,
        calibration_runs=many.runs,
        layers=layers,
        curve=tick_curve(program, run, scorer),
        work=_work(run, clocks),
        metrics=traced.metrics(),
        checks=checks,
        unchecked=unchecked,
        chips=many.plain.scores,
        imperfections=many.said,
        warnings=(*conversion.warnings, *run.notes),
        pictures=views,
        made_with=_made_with(),
        closed_loop=loop,
    )


def with_drawn_calibration(validation: Validation) -> Validation:
    """The same, where the calibration rows were drawn from the data that was given."""
    return replace(validation, data=replace(validation.data, drawn=True))


def _calibrating(conversion: Conversion) -> NDArray | None:
    return None if conversion.calibration is None else conversion.calibration[:CALIBRATING]


def check_choices(chips: int, references: Collection[str], calibrate_chips: int) -> None:
    """Raises SpikeloomError for a number of chips or a reference that `validate` does not take."""
    for what, number in {"chips": chips, "calibrate_chips": calibrate_chips}.items():
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 0:
            raise SpikeloomError(what, "must be a whole number that is not negative", value=number)
    unknown = [name for name in references if name not in REFERENCES_ASKED]
    if unknown or isinstance(references, str):
        value = references if isinstance(references, str) else unknown[0]
        raise SpikeloomError(
            "references", "must be a list of known names", value=value, limit=", ".join(REFERENCES_ASKED)
        )


def _floating_outputs(
    conversion: Conversion, rows: JudgedRows, wanted: Array, threads: int | None
) -> dict[str, Array]:
    """The outputs of every stage before the chip; the framework's own, where it can be asked."""
    outputs = {"imported": wanted}
    original = framework_outputs(conversion.source, conversion.ann, rows.inputs)
    if original is not None:
        outputs = {"ann": original, **outputs}
    for stage, program in conversion.ideal.items():
        outputs[stage] = emulate(program, rows.inputs, threads=threads).outputs
    return outputs


def _stage(name: str, outputs: Array, wanted: Array, scorer: Scorer) -> Stage:
    scored: Scored = scorer.score(outputs)
    same = int((answers(outputs) == answers(wanted)).sum())
    spread = float(((wanted - wanted.mean(axis=0)) ** 2).mean())
    nmse = float(((outputs - wanted) ** 2).mean()) / max(spread, 1e-300)
    return Stage(name, TITLES[name], scored.value, scored.low, scored.high, same / len(wanted),
                 *wilson(same, len(wanted)), nmse)  # fmt: skip


def _clocks(program: ChipProgram, inputs: NDArray, threads: int | None) -> CycleReport | None:
    """Clocks of the first samples, where the profile says how its controller takes them."""
    if program.profile.cycles is None:
        return None
    few = inputs[:CLOCKED_SAMPLES]
    return emulate(program, few, effects=(), timing="cycle", threads=threads).cycles


def _work(run: Recording, clocks: CycleReport | None) -> Work:
    samples, energy = len(run.outputs), run.energy
    return Work(
        spikes=float(run.events["spikes"].mean()),
        synaptic_operations=float(run.events["synaptic_operations"].mean()),
        energy_j=None if energy.total_j is None else energy.total_j / samples,
        energy_parts_j={name: joules / samples for name, joules in energy.parts_j.items()},
        energy_status=energy.status,
        not_modelled=energy.not_modelled,
        clocks=None if clocks is None else float(clocks.total.mean()),
        clocks_are=""
        if clocks is None
        else f"{clocks.controller}, {'exact' if clocks.exact else 'modelled'}",
    )


def _made_with() -> Mapping[str, str]:
    return {"spikeloom": spikeloom.__version__, **{name: version(name) for name in ("numpy", "brian2")}}


class _Steps:
    """Counts finished steps for the caller's progress display."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._tell: Callable[..., Any] = progress or (lambda *_: None)
        self._done, self._total = 0, total

    def done(self, step: str) -> None:
        self._done += 1
        self._tell(step, self._done, self._total)
