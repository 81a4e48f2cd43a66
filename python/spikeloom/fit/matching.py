"""The matching loss: zero exactly where the neuron fires at the wanted rate, and convex.

ell(I; rho) = G(I) + G*(rho) - rho I, the Fenchel-Young loss of the response g = G' (Blondel, Martins and
Niculae 2020). Its derivative is g(I) - rho, so errors count in rates; silent and saturated samples become
one-sided by themselves, because g is nearly flat there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from spikeloom.fit.response import Response

Array = NDArray[np.float64]
Index = NDArray[np.intp] | NDArray[np.bool_] | slice


class Loss(Protocol):
    """A convex loss of the currents I (N rows, m outputs), added over rows."""

    @property
    def wanted(self) -> Array:
        """(N, m) currents of zero loss."""

    @property
    def stiffness(self) -> float:
        """The usual second derivative: brings lambda and the quadratic model to this loss' units."""

    @property
    def spread(self) -> Array:
        """(m,) loss of the best constant, the variance of the target in this loss' own measure."""

    def total(self, current: Array) -> Array:
        """(m,) the loss of these currents, added over rows."""

    def slope(self, current: Array) -> Array:
        """(N, m) derivative."""

    def slope_and_curvature(self, current: Array) -> tuple[Array, Array]:
        """(N, m) first and second derivative."""

    def feasible(self, multiplier: Array) -> Array:
        """The nearest multiplier whose conjugate is finite."""

    def conjugate(self, multiplier: Array) -> tuple[Array, Array]:
        """(m,) convex conjugate added over rows, and the sum of the absolute values of all its terms."""

    def best_bias(self, current: Array, start: Array) -> Array:
        """(m,) the bias that minimises the loss of current + bias."""

    def part(self, rows: Index, outputs: Index = slice(None)) -> Self:
        """The same loss on some rows and outputs."""


@dataclass(frozen=True, eq=False)
class MatchingLoss:
    """The matching loss towards target rates (N, m), spikes per tick, for one response."""

    response: Response
    target: Array

    @cached_property
    def wanted(self) -> Array:
        return self.response.current(self.target)

    @cached_property
    def _conjugate_of_target(self) -> Array:
        return self.response.conjugate(self.target)

    @property
    def stiffness(self) -> float:
        return self.response.typical_slope

    @cached_property
    def spread(self) -> Array:
        mean = self.response.conjugate(self.target.mean(axis=0))
        own = self._conjugate_of_target.sum(axis=0)
        return np.asarray(np.maximum(own - len(self.target) * mean, 0.0))

    def total(self, current: Array) -> Array:
        loss = self.response.integral(current) + self._conjugate_of_target - self.target * current
        return np.asarray(loss.sum(axis=0))

    def slope(self, current: Array) -> Array:
        return np.asarray(self.response.rate(current) - self.target)

    def slope_and_curvature(self, current: Array) -> tuple[Array, Array]:
        rate, curvature = self.response.rate_and_slope(current)
        return rate - self.target, curvature

    def feasible(self, multiplier: Array) -> Array:
        return multiplier

    def conjugate(self, multiplier: Array) -> tuple[Array, Array]:
        shifted = self.response.conjugate(self.target + multiplier)
        own = self._conjugate_of_target
        return (shifted - own).sum(axis=0), (np.abs(shifted) + np.abs(own)).sum(axis=0)

    def best_bias(self, current: Array, start: Array) -> Array:
        return refit_bias(self, current, start)

    def part(self, rows: Index, outputs: Index = slice(None)) -> MatchingLoss:
        return MatchingLoss(self.response, self.target[rows][:, outputs])


def refit_bias(loss: Loss, current: Array, start: Array) -> Array:
    """(m,) the bias that minimises the loss of current + bias exactly.

    Newton's method inside a shrinking bracket: the derivative in the bias is non-decreasing and piecewise
    linear, so the last step lands on its root. Where every bias of an interval is best (all samples silent)
    it stays as near to the start as it can. current: (N, m) without bias.
    """
    bias = np.array(start, dtype=np.float64)
    low, high, reach = np.full(bias.shape, -np.inf), np.full(bias.shape, np.inf), np.ones(bias.shape)
    columns = np.arange(bias.size)
    for _ in range(200):
        slope, curvature = loss.slope_and_curvature(current + bias[columns])
        total, noise = slope.sum(axis=0), 1e-14 * np.abs(slope).sum(axis=0)
        low[columns] = np.where(total < 0, bias[columns], low[columns])
        high[columns] = np.where(total > 0, bias[columns], high[columns])
        trial = _newton_step(total, curvature.sum(axis=0), reach[columns]) + bias[columns]
        trial = _inside(trial, low[columns], high[columns])
        left = (np.abs(total) > noise) & (trial != bias[columns])
        bias[columns[left]] = trial[left]
        reach[columns] *= 2.0
        if not left.any():
            break
        if not left.all():
            columns, current, loss = columns[left], current[:, left], loss.part(slice(None), left)
    return bias


def _newton_step(slope: Array, curvature: Array, reach: Array) -> Array:
    step = np.divide(-slope, curvature, out=-np.sign(slope) * reach, where=curvature > 0)
    return np.clip(step, -reach, reach)


def _inside(trial: Array, low: Array, high: Array) -> Array:
    """The trial where it is inside the bracket, else the middle of the bracket."""
    bracketed = np.isfinite(low) & np.isfinite(high)
    middle = np.where(
        bracketed, 0.5 * (np.where(bracketed, low, 0.0) + np.where(bracketed, high, 0.0)), trial
    )
    return np.where((trial > low) & (trial < high), trial, middle)
