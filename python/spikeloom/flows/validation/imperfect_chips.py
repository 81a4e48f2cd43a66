"""A program on many chips, each with imperfections of its own that the fit has not seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count, islice

import numpy as np
from numpy.typing import NDArray

from spikeloom.emulation.emulate import emulate
from spikeloom.flows.validation.scoring import Scorer, answers, wilson
from spikeloom.program.program import ChipProgram
from spikeloom.report.validation import Stage

Array = NDArray[np.float64]
POINT = 0.01  # what a good chip may lose of a score that is a share
MIDDLE = (0.025, 0.975)


@dataclass(frozen=True, eq=False)
class ImperfectChips:
    """effects: what makes chips differ, empty where nothing does; scores: chip seed -> score; stage: their mean;
    yield_: share that loses less than a point, yield_interval: 95 %, by Wilson."""

    effects: tuple[str, ...]
    scores: Mapping[int, float]
    stage: Stage | None
    yield_: float | None
    yield_interval: tuple[float, float] | None = None

    @property
    def said(self) -> str:
        """What makes chips differ, in words."""
        if not self.effects:
            return "the profile has no imperfections: every chip is alike"
        if not self.scores:
            return f"not judged; the profile's chips differ by {', '.join(self.effects)}"
        return f"{len(self.scores)} chips that the fit has not seen, with {', '.join(self.effects)}"


def imperfect_chips(
    program: ChipProgram,
    inputs: NDArray,
    wanted: Array,
    scorer: Scorer,
    ideal: float,
    chips: int,
    threads: int | None,
    tell: Callable[[str], None] = lambda _: None,
) -> ImperfectChips:
    """Judge on so many chip instances; the one that the program was fitted to is left out.

    wanted: the ANN's outputs; ideal: the score of the chip without imperfections, against which a chip loses;
    tell: called after every chip
    """
    effects = emulate(program, inputs[:1], threads=threads).effects
    if not effects or chips == 0:
        return ImperfectChips(effects, {}, None, None)
    outputs: dict[int, Array] = {}
    for seed in islice((seed for seed in count() if seed != program.chip_seed), chips):
        outputs[seed] = emulate(program, inputs, chip_seed=seed, threads=threads).outputs
        tell(f"chip {seed}")
    scores = {seed: scorer.value(out) for seed, out in outputs.items()}
    good = [ideal - score < POINT for score in scores.values()]
    stage = _stage(scores, outputs, wanted)
    if not scorer.is_share:
        return ImperfectChips(effects, scores, stage, None)
    return ImperfectChips(effects, scores, stage, sum(good) / chips, wilson(sum(good), chips))


def _stage(scores: Mapping[int, float], outputs: Mapping[int, Array], wanted: Array) -> Stage:
    """The mean over chips; intervals hold the middle 95 % of the chips."""
    same = [float((answers(out) == answers(wanted)).mean()) for out in outputs.values()]
    spread = max(float(((wanted - wanted.mean(axis=0)) ** 2).mean()), 1e-300)
    errors = [float(((out - wanted) ** 2).mean()) / spread for out in outputs.values()]
    title = f"mean of {len(scores)} imperfect chips; middle 95 %"
    values = list(scores.values())
    (low, high), (least, most) = (np.quantile(each, MIDDLE).tolist() for each in (values, same))
    mean, agreement = float(np.mean(values)), float(np.mean(same))
    return Stage("imperfect", title, mean, low, high, agreement, least, most, float(np.mean(errors)))
