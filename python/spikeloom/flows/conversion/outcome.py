"""What a conversion says of itself: its report, its warnings, its progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.emulation.emulate import Progress
from spikeloom.flows.conversion.calibration import CalibrationSet
from spikeloom.flows.conversion.chain import Chain
from spikeloom.flows.conversion.smaller.pruning import PrunedLayer

Array = NDArray[np.float64]
Score = Mapping[str, float]
BAD = 0.3  # error of an emulated layer from which on the report warns


def report_of(
    chain: Chain, data: CalibrationSet, scores: Mapping[str, Score], chosen: str,
    pruned: tuple[PrunedLayer, ...],
) -> dict[str, Any]:  # fmt: skip
    layers = [
        {
            **candidate.fit.report(),
            "scale": candidate.scale,
            "gains": data.gains[candidate.fit.name].tolist(),
            "ramp_ends": _ramp_ends(data, candidate.fit.name),
            "emulated_error": candidate.error,
        }
        for candidate in chain.candidates
    ]
    return {
        "layers": layers,
        "pruned": [layer.report() for layer in pruned],
        "candidates": {name: dict(score) for name, score in scores.items()},
        "chosen": chosen,
    }


def _ramp_ends(data: CalibrationSet, name: str) -> list[float]:
    """Pre-activations at which the neurons of a unit's one side reach their ceiling; none where they are no ramps."""
    return data.ramps[name].ends.tolist() if name in data.ramps else []


def warnings_of(data: CalibrationSet, chain: Chain, pruned: tuple[PrunedLayer, ...]) -> tuple[str, ...]:
    found = [layer.warning for layer in pruned if layer.warning] + list(data.warnings)
    for one in chain.candidates:
        found += [f"{one.fit.name}: {text}" for text in one.fit.warnings]
        if one.error > BAD:
            share = f"{100 * one.error:.0f} %"
            found.append(
                f"{one.fit.name}: the emulated layer errs by {share} of the variance of what it should send"
            )
    return tuple(found)


def counter(progress: Progress | None, total: int) -> Callable[[str], None]:
    """Counts finished layers for the caller's progress display."""
    done = count(1)

    def tell(stage: str) -> None:
        number = next(done)
        if progress is not None:
            progress(stage, number, total)

    return tell
