"""Random layers for the tests of the fit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from spikeloom.fit.problem import LayerProblem, Response, WeightGrid

FOUR_BITS = (-256, 224, 32)
EIGHT_BITS = (-256, 254, 2)


def correlated_activity(
    rng: np.random.Generator, rows: int, n: int, own: float = 0.1, ticks: int = 32
) -> NDArray[np.float64]:
    """Rates on a grid of 1/ticks, many of them 0: common causes and, of size `own`, a part of their own."""
    common = max(2, n // 4)
    causes = rng.normal(size=(rows, common)) @ rng.normal(size=(common, n))
    rates = np.clip(0.25 * causes / causes.std() + own * rng.normal(size=(rows, n)) + 0.15, 0.0, 1.0)
    return np.round(rates * ticks) / ticks


def bent_response(r_max: float = 1.0) -> Response:
    """A curve like that of a noisy hard-reset neuron: soft threshold, then concave."""
    currents = np.linspace(-1.0, 4.0, 400)
    rates = r_max * (1.0 - np.exp(-np.log1p(np.exp(12.0 * (currents - 0.1))) / 12.0 / r_max))
    return Response.from_pairs(currents, rates, r_max)


def random_problem(
    seed: int, rows: int = 120, n: int = 6, m: int = 4, own: float = 0.1, **changes: Any
) -> LayerProblem:
    """A relu layer behind noisy rates: some targets silent, some at the ceiling."""
    rng = np.random.default_rng(seed)
    activity = correlated_activity(rng, rows, n, own)
    weights = rng.normal(size=(n, m)) * 1.5 / np.sqrt(n)
    bias = 0.2 * rng.normal(size=m)
    noise = 0.05 * rng.normal(size=(rows, n))
    fields: dict[str, Any] = {
        "name": "layer", "activity": activity, "preactivation": (activity + noise) @ weights + bias,
        "activation": "relu", "weights": weights, "bias": bias, "input_scale": 1.0, "target_scale": 0.8,
        "response": bent_response(), "r_max": 0.9, "grid": WeightGrid(), "seed": seed,
    }  # fmt: skip
    return LayerProblem(**(fields | changes))
