"""Least squares on the wanted current, one-sided where the target is silent or saturated; instrumental
variables.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spikeloom.fit.matching import Array, refit_bias
from spikeloom.fit.one_sided import OneSided


@dataclass(frozen=True, eq=False)
class SquaredLoss(OneSided):
    """Half the squared distance of I to the wanted current."""

    @property
    def is_quadratic(self) -> bool:
        """Whether no sample is one-sided."""
        return not (self.silent.any() or self.saturated.any())

    @cached_property
    def spread(self) -> Array:
        return np.asarray(0.5 * ((self.wanted - self.wanted.mean(axis=0)) ** 2).sum(axis=0))

    def total(self, current: Array) -> Array:
        return np.asarray(0.5 * (self.slope(current) ** 2).sum(axis=0))

    def slope(self, current: Array) -> Array:
        return self.counted(current - self.wanted)

    def slope_and_curvature(self, current: Array) -> tuple[Array, Array]:
        slope = self.slope(current)
        return slope, ((slope != 0.0) | ~(self.silent | self.saturated)).astype(np.float64)

    def feasible(self, multiplier: Array) -> Array:
        return self.counted(multiplier)

    def conjugate(self, multiplier: Array) -> tuple[Array, Array]:
        linear, square = multiplier * self.wanted, 0.5 * multiplier**2
        return (linear + square).sum(axis=0), (np.abs(linear) + square).sum(axis=0)

    def best_bias(self, current: Array, start: Array) -> Array:
        return refit_bias(self, current, start)


def instrumental(
    loss: SquaredLoss, activity: Array, analytic: Array, prior: Array, ridge: float, *, rounds: int = 20
) -> tuple[Array, Array]:
    """Weights (n, m) and bias (m,) by instrumental variables: (A0'A + lambda) dV = A0'(I* - A V0).

    At few ticks the emulated activity A carries counting noise, and least squares on it shrinks the gain
    (errors in variables); the ANN's activity A0 is free of that noise. Samples that are silent or saturated
    enter while they are on the wrong side, so the equation is solved again for the remaining error until it
    settles. The result minimises nothing, hence has no bound.
    """
    centred, instrument = activity - activity.mean(axis=0), analytic - analytic.mean(axis=0)
    system = instrument.T @ centred + ridge * np.eye(len(prior))
    weights = prior.copy()
    current = activity @ weights
    bias = refit_bias(loss, current, loss.wanted.mean(axis=0) - current.mean(axis=0))
    best, smallest = (weights, bias), np.full(bias.shape, np.inf)
    for _ in range(rounds):
        slope = loss.slope(current + bias)
        moment = instrument.T @ slope + ridge * (weights - prior)
        size = np.abs(moment).max(axis=0)
        better = size < smallest
        best = np.where(better, weights, best[0]), np.where(better, bias, best[1])
        smallest = np.minimum(size, smallest)
        weights = weights - np.linalg.solve(system, moment)
        current = activity @ weights
        bias = refit_bias(loss, current, bias)
    return best
