"""Words of a memory, put together from fields of bits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ProgramError

Field = tuple[
    str, int, int, NDArray
]  # name, lowest bit, bits, one value a word; negative ones in two's complement


def packed(fields: Sequence[Field]) -> list[int]:
    """One word for each value of the fields, which do not overlap.

    Raises ProgramError where a value does not fit its bits.
    """
    words = [0] * len(fields[0][3])
    for name, first, bits, values in fields:
        for k, value in enumerate(np.asarray(values).tolist()):
            if not -(1 << (bits - 1)) <= value < 1 << bits:
                raise ProgramError(
                    f"field {name}", "does not hold the value", value=value, limit=f"{bits} bits"
                )
            words[k] |= (value & ((1 << bits) - 1)) << first
    return words


def hex_lines(words: Sequence[int], bits: int) -> str:
    """Words as `$readmemh` reads them, word 0 first."""
    digits = -(-bits // 4)
    return "".join(f"{word:0{digits}x}\n" for word in words)


def binary_lines(words: Sequence[int], bits: int) -> str:
    """Words as `$readmemb` reads them, word 0 first."""
    return "".join(f"{word:0{bits}b}\n" for word in words)
