"""A program on many chips, each with imperfections of its own that the fit has not seen.

On each it is judged as it is; on some also with gain and offset of every neuron calibrated on that very chip.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count, islice

import numpy as np
from numpy.typing import NDArray

from spikeloom.emulation.emulate import emulate
from spikeloom.flows.conversion.tuning.neuron_tuning import tuned_by_neurons
from spikeloom.flows.conversion.tuning.perfect_run import PerfectRun
from spikeloom.flows.validation.scoring import Scorer, answers, wilson
from spikeloom.program.program import ChipProgram
from spikeloom.report.validation import Stage

Array = NDArray[np.float64]
POINT = 0.01  # what a good chip may lose of a score that is a share
MIDDLE = (0.025, 0.975)


@dataclass(frozen=True, eq=False)
class Judged:
    """The same program on several chips. scores: chip seed -> score; stage: their mean; yield_: share that loses less
    than a point, absent where the score is no share; yield_interval: 95 %, by Wilson."""

    scores: Mapping[int, float] = field(default_factory=dict)
    stage: Stage | None = None
    yield_: float | None = None
    yield_interval: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class ImperfectChips:
    """effects: what makes chips differ, empty where nothing does; plain: the program as it is; calibrated: with gains
    and offsets of each chip, runs: of a chip that this took."""

    effects: tuple[str, ...]
    plain: Judged = Judged()
    calibrated: Judged = Judged()
    runs: int = 0

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Those that there are."""
        return tuple(one.stage for one in (self.plain, self.calibrated) if one.stage is not None)

    @property
    def said(self) -> str:
        """What makes chips differ, in words."""
        if not self.effects:
            return "the profile has no imperfections: every chip is alike"
        if not self.plain.scores:
            return f"not judged; the profile's chips differ by {', '.join(self.effects)}"
        return f"{len(self.plain.scores)} chips that the fit has not seen, with {', '.join(self.effects)}"


@dataclass(frozen=True, eq=False)
class Bench:
    """What chips are judged by.

    inputs: rows that nothing was chosen by; wanted: the ANN's outputs on them; scorer: of the outputs
    ideal: the score without imperfections, against which a chip loses
    calibration: rows by which each chip is calibrated; absent where none is
    """

    inputs: NDArray
    wanted: Array
    scorer: Scorer
    ideal: float
    calibration: NDArray | None = None


def imperfect_chips(
    program: ChipProgram,
    bench: Bench,
    chips: int,
    calibrate: int,
    threads: int | None,
    tell: Callable[[str], None] = lambda _: None,
) -> ImperfectChips:
    """Judge on so many chip instances; the one that the program was fitted to is left out.

    calibrate: of the first so many chips, judge also calibrated; tell: called after every chip
    """
    effects = emulate(program, bench.inputs[:1], threads=threads).effects
    if not effects or chips == 0:
        return ImperfectChips(effects)
    plain: dict[int, Array] = {}
    calibrated: dict[int, Array] = {}
    runs, perfect = 0, None
    for seed in islice((seed for seed in count() if seed != program.chip_seed), chips):
        plain[seed] = emulate(program, bench.inputs, chip_seed=seed, threads=threads).outputs
        if bench.calibration is not None and len(calibrated) < calibrate:
            perfect = perfect or PerfectRun.of(program, bench.calibration, threads=threads)
            tuned = tuned_by_neurons(program, perfect, seed, threads=threads)
            calibrated[seed], runs = emulate(tuned.program, bench.inputs, threads=threads).outputs, tuned.runs
        tell(f"chip {seed}")
    title = f"mean of {chips} imperfect chips; middle 95 %"
    some = "the same" if len(calibrated) == chips else f"{len(calibrated)} of them"
    return ImperfectChips(
        effects,
        _judged(bench, "imperfect", title, plain),
        _judged(bench, "calibrated", f"{some}, each calibrated by neurons", calibrated),
        runs,
    )


def _judged(bench: Bench, name: str, title: str, outputs: Mapping[int, Array]) -> Judged:
    if not outputs:
        return Judged()
    scores = {seed: bench.scorer.value(out) for seed, out in outputs.items()}
    stage = _stage(name, title, scores, outputs, bench.wanted)
    if not bench.scorer.is_share:
        return Judged(scores, stage)
    good = sum(bench.ideal - score < POINT for score in scores.values())
    return Judged(scores, stage, good / len(scores), wilson(good, len(scores)))


def _stage(
    name: str, title: str, scores: Mapping[int, float], outputs: Mapping[int, Array], wanted: Array
) -> Stage:
    """The mean over chips; intervals hold the middle 95 % of the chips."""
    same = [float((answers(out) == answers(wanted)).mean()) for out in outputs.values()]
    spread = max(float(((wanted - wanted.mean(axis=0)) ** 2).mean()), 1e-300)
    errors = [float(((out - wanted) ** 2).mean()) / spread for out in outputs.values()]
    values = list(scores.values())
    (low, high), (least, most) = (np.quantile(each, MIDDLE).tolist() for each in (values, same))
    mean, agreement = float(np.mean(values)), float(np.mean(same))
    return Stage(name, title, mean, low, high, agreement, least, most, float(np.mean(errors)))
