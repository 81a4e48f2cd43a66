"""Which calibration rows are kept apart: every fifth, in a seeded order. Whoever holds rows out asks here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

HELD_OUT = 5  # one row of so many


def held_out_rows(count: int, seed: int) -> NDArray[np.bool_]:
    """(count,) bool: the rows, in the order they are given in, that judge and that nothing may be learned from."""
    judges = np.zeros(count, dtype=np.bool_)
    judges[np.random.default_rng(seed).permutation(count)[::HELD_OUT]] = True
    return judges
