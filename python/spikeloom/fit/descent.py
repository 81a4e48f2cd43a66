"""Minimise a convex loss plus a quadratic pull to a prior, all outputs side by side.

Nonlinear conjugate gradients (Polak and Ribiere, restarted where they do not descend), preconditioned by the
layer's quadratic model k_j R'R + lambda. One eigendecomposition of R'R (the bias eliminated by centring R)
turns the model of every output into a diagonal, each with its own mean curvature k_j: a mostly silent
output is a hundred times softer than a busy one. Every output takes its own step, found by Newton's method
on the line. On a quadratic loss the first step is the exact solution. An output is done when
`bound.dual_bound` certifies its gap.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikeloom.fit.bound import GainEquality, dual_bound
from spikeloom.fit.matching import Array, Loss

CHECK_EVERY = 8  # iterations between two evaluations of the gap
NEGLIGIBLE = 1e-9  # a gap below this share of the target's variance is no gap
# Small layers that hardly lean on their prior may be bent enough to need thousands of iterations, and can have them.
ITERATIONS, MOST_ITERATIONS = 200, 4000
CHEAP = 50_000_000  # numbers that all iterations together may touch beyond ITERATIONS
LINE_SEARCH = 0.2  # share of the slope along the line that may be left


@dataclass(frozen=True, eq=False)
class Solution:
    """weights (n, m), bias (m,), loss and bound (m,) in the loss' own units; loss includes the penalty."""

    weights: Array
    bias: Array
    loss: Array
    bound: Array
    iterations: int


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Activity, centred, in the basis of the eigenvectors of its Gram matrix; serves every lambda.

    rows: (N, n); values: (n,) eigenvalues; vectors: (n, n); mean: (n,) of the activity
    """

    rows: Array
    values: Array
    vectors: Array
    mean: Array

    @classmethod
    def of(cls, activity: Array) -> Spectrum:
        from scipy.linalg import eigh

        mean = activity.mean(axis=0)
        centred = activity - mean
        values, vectors = eigh(centred.T @ centred, overwrite_a=True, check_finite=False)
        return cls(centred @ vectors, np.maximum(values, 0.0), vectors, mean)


def minimise(
    loss: Loss,
    activity: Array,
    prior: Array,
    ridge: float,
    *,
    spectrum: Spectrum | None = None,
    start: Array | None = None,
    equality: GainEquality | None = None,
    tolerance: float = 2e-3,
    max_iterations: int | None = None,
) -> Solution:
    """The weights and bias of least loss(RV + c) + ridge/2 |V - V0|^2.

    ridge = inf keeps V at the prior. tolerance: certified (loss - bound) / loss at which an output is done.
    max_iterations: None for as many as are cheap, at least ITERATIONS
    """
    if not np.isfinite(ridge):
        return _held(loss, activity, prior)
    spectrum = Spectrum.of(activity) if spectrum is None else spectrum
    turned = prior if start is None else start
    if equality is not None:
        equality = replace(equality, direction=spectrum.vectors.T @ equality.direction)
    descent = _Descent(
        loss, spectrum, spectrum.vectors.T @ prior, ridge, equality, spectrum.vectors.T @ turned
    )
    if max_iterations is None:
        max_iterations = int(np.clip(CHEAP // (activity.size * prior.shape[1]), ITERATIONS, MOST_ITERATIONS))
    found = descent.run(tolerance, max_iterations)
    weights = spectrum.vectors @ found.weights
    return replace(found, weights=weights, bias=found.bias - spectrum.mean @ weights)


def _held(loss: Loss, activity: Array, prior: Array) -> Solution:
    """The bias alone."""
    current = activity @ prior
    bias = loss.best_bias(current, (loss.wanted - current).mean(axis=0))
    current += bias
    bound = dual_bound(loss, activity, prior, loss.slope(current), ridge=np.inf)
    return Solution(prior.copy(), bias, loss.total(current), bound, 0)


def _ratio(above: Array, below: Array) -> Array:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


class _Descent:
    """One run in the eigenbasis, over the outputs that are not done yet."""

    def __init__(
        self,
        loss: Loss,
        spectrum: Spectrum,
        prior: Array,
        ridge: float,
        equality: GainEquality | None,
        weights: Array,
    ) -> None:
        self.loss, self.rows, self.values, self.ridge = loss, spectrum.rows, spectrum.values, ridge
        leverage = (spectrum.rows**2).sum(axis=1)
        leverage += 1e-3 * leverage.mean() + 1e-12  # the second keeps activity that never changes from 0 / 0
        self.leverage = leverage / leverage.sum()
        self.prior, self.weights, self.equality = prior, weights, equality
        self.open = np.arange(prior.shape[1])
        self._place(np.zeros(prior.shape[1]))
        if equality is not None:
            self._onto_equality()
        self.result = self._solution()

    def run(self, tolerance: float, max_iterations: int) -> Solution:
        """Blocks of iterations; after each, the outputs with a small certified gap are put aside."""
        enough = NEGLIGIBLE * self.loss.spread.sum() / len(self.open)
        iteration = 0
        self._restart()
        while iteration < max_iterations:
            block = CHECK_EVERY if iteration else 1
            for _ in range(block):
                self._iterate()
            iteration += block
            if self.equality is not None:
                self._onto_equality()
            now = self._solution()
            self._store(now)
            # An output is done by its own gap, or where its gap is nothing in the layer's loss.
            share = 0.25 * tolerance * self.result.loss.sum() / len(self.result.loss)
            left = now.loss - now.bound > np.maximum(np.maximum(tolerance * now.loss, share), enough)
            if not left.any():
                break
            self._keep(left)
        return replace(self.result, iterations=iteration)

    def _place(self, intercept: Array) -> None:
        """Currents and derivatives at the weights, with the exact intercept."""
        inputs = self.rows @ self.weights
        self.intercept = self.loss.best_bias(inputs, intercept)
        self.current = inputs + self.intercept
        self.slope, self.curvature = self.loss.slope_and_curvature(self.current)
        self._bend()

    def _bend(self) -> None:
        """The diagonal model of every output, (n, m), from its present curvature."""
        mean = np.maximum(self.leverage @ self.curvature, 1e-6 * self.loss.stiffness)
        self.total_curvature = np.maximum(self.curvature.sum(axis=0), 1e-6 * self.loss.stiffness)
        self.model = np.multiply.outer(self.values, mean) + self.ridge

    def _onto_equality(self) -> None:
        """The nearest weights, in the metric of the model, that obey the equality: also against drift."""
        assert self.equality is not None
        solved, scale = self._solved()
        missing = self.equality.value - (self.equality.direction * self.weights).sum(axis=0)
        self.weights = self.weights + solved * (scale * missing)
        self._place(self.intercept)

    def _solved(self) -> tuple[Array, Array]:
        assert self.equality is not None
        solved = self.equality.direction / self.model
        norm = (self.equality.direction * solved).sum(axis=0)
        return solved, np.divide(1.0, norm, out=np.zeros_like(norm), where=norm > 0)

    def _precondition(self, gradient: Array) -> Array:
        step: Array = gradient / self.model
        if self.equality is None:
            return step
        solved, scale = self._solved()
        # Once leaves rounding of the gradient's size, which near the end leads off the equality.
        for _ in range(2):
            step = step - solved * (scale * (self.equality.direction * step).sum(axis=0))
        return step

    def _restart(self) -> None:
        self.direction, self.intercept_direction = np.zeros_like(self.weights), np.zeros_like(self.intercept)
        self.gradient, self.total = np.zeros_like(self.weights), np.zeros_like(self.intercept)
        self.size = np.zeros_like(self.intercept)

    def _iterate(self) -> None:
        gradient = self.rows.T @ self.slope + self.ridge * (self.weights - self.prior)
        total = self.slope.sum(axis=0)
        step, intercept_step = self._precondition(gradient), total / self.total_curvature
        size = (gradient * step).sum(axis=0) + total * intercept_step
        change = size - (self.gradient * step).sum(axis=0) - self.total * intercept_step
        keep = np.maximum(_ratio(change, self.size), 0.0)
        self.direction = keep * self.direction - step
        self.intercept_direction = keep * self.intercept_direction - intercept_step
        first = (self.direction * gradient).sum(axis=0) + self.intercept_direction * total
        uphill = first > -0.1 * size
        self.direction[:, uphill], self.intercept_direction[uphill] = (
            -step[:, uphill],
            -intercept_step[uphill],
        )
        first = np.where(uphill, -size, first)
        self.gradient, self.total, self.size = gradient, total, size
        self._move(first)

    def _move(self, first: Array) -> None:
        """Newton's method on the line of each output, kept inside the bracket found so far."""
        along = self.rows @ self.direction + self.intercept_direction
        squared = along * along
        pull = self.ridge * ((self.weights - self.prior) * self.direction).sum(axis=0)
        stiff = self.ridge * (self.direction**2).sum(axis=0)
        here, length = first, np.zeros_like(first)
        low, high = np.zeros_like(first), np.full_like(first, np.inf)
        for _ in range(3):
            unsettled = np.abs(here) > LINE_SEARCH * np.abs(first)
            bend = np.einsum("ij,ij->j", squared, self.curvature) + stiff
            trial = length - _ratio(here, bend)
            outside = (trial <= low) | (trial >= high)
            middle = 0.5 * (low + np.where(np.isfinite(high), high, 2.0 * low))
            length = np.where(unsettled, np.where(outside, middle, trial), length)
            self.slope, self.curvature = self.loss.slope_and_curvature(self.current + length * along)
            here = np.einsum("ij,ij->j", self.slope, along) + pull + length * stiff
            low, high = np.where(here < 0, length, low), np.where(here > 0, length, high)
            if (np.abs(here) <= LINE_SEARCH * np.abs(first)).all():
                break
        self.weights = self.weights + length * self.direction
        self.intercept = self.intercept + length * self.intercept_direction
        self.current += length * along

    def _solution(self) -> Solution:
        """Loss and bound at the exact intercept, without which the multiplier's columns do not add up to
        zero.
        """
        inputs = self.current - self.intercept
        intercept = self.loss.best_bias(inputs, self.intercept)
        current = inputs + intercept
        penalty = 0.5 * self.ridge * ((self.weights - self.prior) ** 2).sum(axis=0)
        bound = dual_bound(
            self.loss,
            self.rows,
            self.prior,
            self.loss.slope(current),
            ridge=self.ridge,
            equality=self.equality,
        )
        return Solution(self.weights, intercept, self.loss.total(current) + penalty, bound, 0)

    def _store(self, now: Solution) -> None:
        """Keep, output by output, the better weights and the better bound."""
        better = now.loss <= self.result.loss[self.open]
        columns = self.open[better]
        self.result.weights[:, columns] = now.weights[:, better]
        self.result.bias[columns] = now.bias[better]
        self.result.loss[columns] = now.loss[better]
        self.result.bound[self.open] = np.maximum(self.result.bound[self.open], now.bound)

    def _keep(self, left: NDArray[np.bool_]) -> None:
        """Go on with these outputs alone, with a fresh model and direction if their curvature has moved."""
        if not left.all():
            for name in (
                "prior",
                "weights",
                "intercept",
                "current",
                "slope",
                "curvature",
                "direction",
                "intercept_direction",
                "gradient",
                "total",
                "size",
            ):
                setattr(self, name, getattr(self, name)[..., left])
            self.loss, self.open = self.loss.part(slice(None), left), self.open[left]
            if self.equality is not None:
                e = self.equality
                self.equality = GainEquality(e.rows[:, left], e.direction[:, left], e.value[left])
        self._bend()
