"""The effective values of a program's parameters, which the loader writes into PARAM."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from spikeloom.profile.schema import Param
from spikeloom.program.program import ChipProgram

_FORMULAS: dict[str, Callable[[NDArray, Param, NDArray], NDArray]] = {
    "int": lambda code, param, exponent: code,
    "shift": lambda code, param, exponent: code << param.shift,
    "mant_exp": lambda code, param, exponent: code << exponent,
    "pow2_minus1": lambda code, param, exponent: (1 << code) - 1,
    "neg_pow2_plus1": lambda code, param, exponent: 1 - (1 << code),
    "pow2_9_plus_2e_minus1": lambda code, param, exponent: (1 << (9 + 2 * code)) - 1,
}


def effective_parameters(program: ChipProgram) -> dict[str, NDArray]:
    """Parameter -> (neurons,) int64 effective values, by the formulas of `Param`."""
    found = {}
    codes = {name: values.astype(np.int64) for name, values in program.arrays.params.items()}
    for name, param in program.profile.params.items():
        exponent = codes.get(f"{name}_exp", np.zeros(1, dtype=np.int64))
        found[name] = _FORMULAS[param.format](codes[name], param, exponent).copy()
    return found
