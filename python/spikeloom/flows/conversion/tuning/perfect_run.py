"""What the perfect chip does on calibration samples: run once, for however many chips that are tuned to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.emulation.emulate import emulate
from spikeloom.program.program import ChipProgram

Array = NDArray[np.float64]
SAMPLES = 300  # that a neuron's gain and offset are measured on
FINER = 4  # times as long a run, by which the course of a count is known


@dataclass(frozen=True, eq=False)
class PerfectRun:
    """rows: (samples, *input_shape); outputs: (samples, outputs) on all of them.

    Of each population, on the first `SAMPLES`: rates (samples, neurons) in spikes a tick; features (samples, 2,
    neurons) what a difference is held against, 1 and the course of a count in standard deviations.
    """

    rows: NDArray
    outputs: Array
    rates: Mapping[str, Array]
    features: Mapping[str, Array]

    @classmethod
    def of(cls, program: ChipProgram, rows: NDArray, *, threads: int | None = None) -> PerfectRun:
        """Run the samples without imperfections, those that are measured a second time and longer."""
        run = emulate(program, rows, effects=(), threads=threads)
        finely = emulate(
            program, rows[:SAMPLES], ticks=FINER * program.ticks, effects=(), threads=threads
        ).counts
        rates = {name: counts[:SAMPLES] / program.ticks for name, counts in run.counts.items()}
        return cls(rows, run.outputs, rates, {name: _features(counts) for name, counts in finely.items()})


def _features(counts: NDArray) -> Array:
    """(samples, 2, neurons) of the counts of a longer run.

    Those of the same run are whole numbers like those that they are compared with: they would go along with their own
    rounding, and every gain would come out too large.
    """
    spread = counts.std(axis=0)
    course = np.divide(counts - counts.mean(axis=0), spread, out=np.zeros(counts.shape), where=spread > 0)
    return np.stack((np.ones(counts.shape), course), axis=1)
