"""What the references say of a validated program, on its first samples."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import EmulationError
from spikeloom.flows.crosscheck import Reference, crosscheck
from spikeloom.program.program import ChipProgram
from spikeloom.reference.compare import CrossCheck

REFERENCES_ASKED = ("twin", "brian2")
CHECKED_SAMPLES = {"brian2": 3, "twin": 1}  # the twin is plain Python
NOISY_TRIALS, NOISY_LEVEL = 50, 0.001  # a sound chip fails one validation in a thousand
MOST_NOISY_SYNAPSES = 500_000  # of all trials of a sample together


def ask_references(
    program: ChipProgram, inputs: NDArray, references: Collection[str], done: Callable[[str], None]
) -> tuple[dict[str, CrossCheck], dict[str, str]]:
    """Each reference's check; why there is none, where it cannot carry this chip."""
    checks: dict[str, CrossCheck] = {}
    unchecked: dict[str, str] = {}
    for name in (known for known in REFERENCES_ASKED if known in references):
        few, noise = inputs[: CHECKED_SAMPLES[name]], _noise(program, name)
        try:
            checks[name] = crosscheck(program, few, reference=cast(Reference, name), **noise)
        except EmulationError as error:
            unchecked[name] = str(error)
        done(name)
    return checks, unchecked


def _noise(program: ChipProgram, reference: str) -> dict[str, Any]:
    """Trials with noise, where Brian2 is asked, the chip has noise, and so many copies are not too much."""
    small = synapses_of(program) * NOISY_TRIALS <= MOST_NOISY_SYNAPSES
    if reference != "brian2" or not program.profile.temporal_effects or not small:
        return {}
    return {"trials": NOISY_TRIALS, "level": NOISY_LEVEL}


def synapses_of(program: ChipProgram) -> int:
    """Synapses with shared kernels written out."""
    arrays = program.arrays
    before = np.concatenate([[0], np.cumsum(arrays.run_length, dtype=np.int64)])
    of_template = before[arrays.template_run_start[1:]] - before[arrays.template_run_start[:-1]]
    return int(of_template[arrays.axon_template].sum())
