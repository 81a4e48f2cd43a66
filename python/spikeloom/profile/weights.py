"""Weight codes: which ones a mode has, and what each is worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.errors import ProfileError
from spikeloom.profile.schema import Weights


class Levels(NamedTuple):
    """The codes low, low + step, ..., high."""

    low: int
    high: int
    step: int

    def __str__(self) -> str:
        return f"{self.low} to {self.high}" + (f" in steps of {self.step}" if self.step > 1 else "")


def mode_names(weights: Weights) -> tuple[str, ...]:
    """Names of the weight modes in the order in which they are tried."""
    return tuple(mode.name for mode in weights.mode)


def weight_levels(weights: Weights, mode: str) -> Levels:
    """The codes of one mode: the multiples of 2^(mantissa_bits - bits + sign_bit) from its min to its max.

    Raises ProfileError where the profile has no such mode (formula `float` has none).

    >>> mixed = dict(name="mixed", min=-256, max=255, sign_bit=True)
    >>> print(weight_levels(Weights(formula="mant_exp", bits=8, mode=[mixed]), "mixed"))
    -256 to 254 in steps of 2
    """
    entry = next((entry for entry in weights.mode if entry.name == mode), None)
    if entry is None:
        known = ", ".join(mode_names(weights)) or "none"
        raise ProfileError(f"weight mode {mode}", "does not exist", remedy=f"known: {known}")
    bits = weights.bits or 1
    step = 1 << ((weights.mantissa_bits or bits) - bits + entry.sign_bit)
    return Levels(-(-entry.min // step) * step, entry.max // step * step, step)


def effective_weights(weights: Weights, codes: ArrayLike, shared: Mapping[str, ArrayLike]) -> NDArray:
    """What codes add to an accumulator, by the formulas of `Weights`: int64, float64 for `float` and `palette`.

    `shared` holds the shared values (`w_exp`, `shift`), of any shape that broadcasts against `codes`; an
    absent one has its default. Raises ProfileError for `type_table`, where a code has no worth of its own.

    >>> loihi = Weights(formula="mant_exp", bits=8, unit_shift=6, clip=2097088)
    >>> effective_weights(loihi, [3, -3, 255], {"w_exp": [0, -1, 7]}).tolist()
    [192, -128, 2088960]
    """
    if weights.formula == "float":
        return np.array(codes, dtype=np.float64)
    m = np.array(codes, dtype=np.int64)
    if weights.formula == "type_table":
        raise ProfileError("weights.formula type_table", "gives a code no worth without its target",
                           remedy="read the target's parameters that weights.table names")  # fmt: skip
    if weights.formula in ("int", "sign_pre", "row_sign"):
        return m
    if weights.formula == "palette":
        total = sum(
            (m >> bit & 1) * shared_value(weights, f"iw{bit}", shared) for bit in range(weights.bits or 0)
        )
        return np.asarray(total, dtype=np.float64) * weights.unit
    if weights.formula == "int_shift":
        return m << shared_value(weights, "shift", shared)
    value = _scaled(m, shared_value(weights, "w_exp", shared)) << weights.unit_shift
    return value if weights.clip is None else np.clip(value, -weights.clip, weights.clip)


def shared_value(weights: Weights, name: str, given: Mapping[str, ArrayLike]) -> NDArray[np.int64]:
    """The given value, else the profile's default, else 0."""
    default = next((value.default for value in weights.shared if value.name == name), 0)
    return np.asarray(given.get(name, default), dtype=np.int64)


def _scaled(m: NDArray[np.int64], exponent: NDArray[np.int64]) -> NDArray[np.int64]:
    """fl(m 2^exponent), exactly."""
    return np.where(exponent >= 0, m << np.maximum(exponent, 0), m >> np.maximum(-exponent, 0))
