"""Which rows are kept apart, and which are taken where there are too many. Whoever draws rows by a seed asks here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

HELD_OUT = 5  # one row of so many


def held_out_rows(count: int, seed: int) -> NDArray[np.bool_]:
    """(count,) bool: the rows, in the order they are given in, that judge and that nothing may be learned from."""
    judges = np.zeros(count, dtype=np.bool_)
    judges[np.random.default_rng(seed).permutation(count)[::HELD_OUT]] = True
    return judges


def drawn_rows(count: int, most: int, seed: int) -> NDArray[np.intp]:
    """Ascending: all rows, or a draw of `most` of them where there are more."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))
