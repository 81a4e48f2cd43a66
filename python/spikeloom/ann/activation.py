"""The activation functions that a layer may have, each with at most one number of its own."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

ACTIVATIONS: Final = ("relu", "identity", "leaky_relu", "clip", "sigmoid", "tanh")
MAX: Final = (
    "max"  # of a window: what is larger than all others has been chosen before the activation is asked
)
SIGNED: Final = ("identity", "leaky_relu", "tanh")  # they give negative numbers as well
NUMBERED: Final = {"leaky_relu": "slope below 0, between 0 and 1", "clip": "upper limit, above 0"}


def activate(z: FloatArray, activation: str, number: float = 0.0) -> FloatArray:
    """The activation function, element by element.

    "relu" max(z, 0); "identity" z; "leaky_relu" max(z, 0) + number * min(z, 0); "clip" min(max(z, 0), number);
    "sigmoid" 1 / (1 + exp(-z)); "tanh".

    >>> activate(np.array([-2.0, 9.0]), "clip", 6.0).tolist()
    [0.0, 6.0]
    """
    if activation in ("identity", MAX):
        return z
    if activation == "tanh":
        return np.asarray(np.tanh(z))
    if activation == "sigmoid":
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * z)))
    if activation == "clip":
        return np.clip(z, 0.0, number)
    positive = np.maximum(z, 0.0)
    return positive + number * np.minimum(z, 0.0) if activation == "leaky_relu" else positive


def activation_slope(z: FloatArray, activation: str, number: float = 0.0) -> FloatArray:
    """The derivative of the activation function; at a corner, that of its right side."""
    if activation == "identity":
        return np.ones_like(z)
    if activation == "tanh":
        return np.asarray(1.0 - np.tanh(z) ** 2)
    if activation == "sigmoid":
        return np.asarray(0.25 * (1.0 - np.tanh(0.5 * z) ** 2))
    if activation == "clip":
        return np.asarray((z >= 0.0) & (z < number), dtype=z.dtype)
    below = number if activation == "leaky_relu" else 0.0
    return np.where(z >= 0.0, z.dtype.type(1.0), z.dtype.type(below))


def number_fits(activation: str, number: float) -> bool:
    """Whether this is a number that the activation can have; 0 for those that have none."""
    if activation == "leaky_relu":
        return bool(0.0 < number < 1.0)
    if activation == "clip":
        return bool(0.0 < number < np.inf)
    return number == 0.0
