"""Numbers that any simulator can make again: SplitMix64 with random access."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

GOLDEN_RATIO = 0x9E3779B97F4A7C15  # 2^64 / phi, the increment of the generator
MIXERS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)  # Steele, Lea and Flood 2014, variant 13 of Stafford
TENTH = int(0.1 * 2**32)


def words(seed: int, index: ArrayLike) -> NDArray[np.uint64]:
    """The words number `index` (from 0) of SplitMix64 started at `seed`."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + (np.asarray(index, dtype=np.uint64) + np.uint64(1)) * np.uint64(GOLDEN_RATIO)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(MIXERS[0])
        z = (z ^ (z >> np.uint64(27))) * np.uint64(MIXERS[1])
        mixed: NDArray[np.uint64] = z ^ (z >> np.uint64(31))
    return mixed


def top_bits(seed: int, index: ArrayLike, bits: int) -> NDArray[np.int64]:
    """The highest bits of those words, as integers."""
    return (words(seed, index) >> np.uint64(64 - bits)).astype(np.int64)


def below(seed: int, index: ArrayLike, end: int) -> NDArray[np.int64]:
    """Integers from 0 to end - 1, by a product of 32 bits."""
    return (((words(seed, index) >> np.uint64(32)) * np.uint64(end)) >> np.uint64(32)).astype(np.int64)


def int8_weights(seed: int, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Integers from -128 to 127, in row-major order."""
    return (top_bits(seed, np.arange(np.prod(shape)), 8) - 128).reshape(shape)


def tenths(seed: int, first: int, count: int) -> NDArray[np.bool_]:
    """True with a probability of 0.1."""
    index = np.arange(first, first + count, dtype=np.uint64)
    flags: NDArray[np.bool_] = (words(seed, index) >> np.uint64(32)) < np.uint64(TENTH)
    return flags
