"""What a run may be asked for: effects, timing, seeds, threads."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import EmulationError
from spikeloom.program.program import ChipProgram

NEURONS_PER_THREAD = 4096  # at least, where several threads share a sample: they meet in every tick


@dataclass(frozen=True, eq=False)
class Draws:
    """Which random numbers a run has."""

    trial_seed: int
    ids: NDArray[np.uint32]  # the number of each sample
    effects: tuple[str, ...] = ()  # that act on the chip


def check_timing(timing: str, program: ChipProgram) -> None:
    """Refuse clocks that the profile does not describe."""
    if timing == "cycle" and program.profile.cycles is None:
        raise EmulationError("timing cycle", f"is not available for profile {program.profile.name}",
                             remedy="the profile has no [cycles] table")  # fmt: skip
    if timing not in ("none", "cycle"):
        raise EmulationError("timing", "is unknown", value=timing, limit="none or cycle")


def checked_seed(trial_seed: int) -> int:
    """A seed is one word of the generator's key."""
    if isinstance(trial_seed, bool) or not isinstance(trial_seed, (int, np.integer)):
        raise EmulationError("trial_seed", "must be an integer", value=repr(trial_seed))
    if not 0 <= trial_seed < 2**32:
        raise EmulationError("trial_seed", "is out of range", value=int(trial_seed), limit="0 to 2^32 - 1")
    return int(trial_seed)


def worker_count(threads: int | None) -> int:
    """Threads to use: those asked for, or one a processor that this process may use."""
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if isinstance(threads, bool) or not isinstance(threads, (int, np.integer)) or threads < 1:
        raise EmulationError("threads", "must be an integer of at least 1", value=repr(threads))
    return min(int(threads), 1024)
