"""Minimise a convex loss plus a quadratic pull to a prior, every weight between two limits.

Each round solves the outputs' quadratic models k_j (R'R + lambda / k_j), R centred and k_j the output's mean
curvature, exactly over the box, and adds a part of the last step to the new one, as conjugate gradients do. Newton's
method on the line says how far to go; what leaves the box there is brought back, and where that raised the loss, the
plain step, shortened until it does not, takes its place. Outputs of like curvature share one factorisation. Limits
whose one side is 0 make signs: of single synapses, or of all that a presynaptic neuron sends (Dale's rule).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikeloom.fit.bound import dual_bound
from spikeloom.fit.box_quadratic import BoxQuadratic
from spikeloom.fit.descent import Solution
from spikeloom.fit.matching import Array, Loss

PASSES = 2  # of the pivoting in one round; the ends it settled on are the next round's guess
MOST_PASSES = 200  # where the loss is its own model and one round is all there is
LINE = 0.2  # share of the slope along the line that may be left
SHORTENED = 8  # halvings of a plain step
LIKE = (
    2.0  # outputs whose lambda / k_j are about the same power of the square root of 2 share a factorisation
)
SINGULAR = 1e-8  # least lambda / k_j, in units of the mean eigenvalue of R'R


def minimise_limited(
    loss: Loss,
    activity: Array,
    prior: Array,
    ridge: float,
    low: Array,
    high: Array,
    *,
    start: Array | None = None,
    tolerance: float = 8e-3,
    max_iterations: int = 100,
) -> Solution:
    """The weights and bias of least loss(RV + c) + ridge/2 |V - V0|^2 with low <= V <= high, all (n, m).

    ridge may be 0 where all limits are finite. start: weights to begin at, None: V0. tolerance: certified
    (loss - bound) / loss at which it ends.
    """
    start = prior if start is None else start
    return _Limited(loss, activity, prior, ridge, low, high, start).run(tolerance, max_iterations)


class _Limited:
    """One run, over the outputs that are not done yet."""

    def __init__(
        self, loss: Loss, activity: Array, prior: Array, ridge: float, low: Array, high: Array, start: Array
    ) -> None:
        self.loss, self.prior, self.ridge, self.low, self.high = loss, prior, ridge, low, high
        self.mean = activity.mean(axis=0)
        self.rows = activity - self.mean
        self.gram = self.rows.T @ self.rows
        leverage = (self.rows**2).sum(axis=1)
        leverage += 1e-3 * leverage.mean() + 1e-12
        self.leverage = leverage / leverage.sum()
        self.least = SINGULAR * max(float(np.trace(self.gram)) / len(self.gram), 1e-12)
        self.passes = MOST_PASSES if getattr(loss, "is_quadratic", False) else PASSES
        self.models: dict[int, BoxQuadratic] = {}
        self.open, self.ends = np.arange(prior.shape[1]), np.zeros(prior.shape, dtype=np.int8)
        self.last_step, self.last_gradient = np.zeros_like(prior), np.zeros_like(prior)
        self.last_size = np.zeros(prior.shape[1])
        self._arrive(*self._at(np.clip(start, low, high), np.zeros(prior.shape[1])))
        self.result = Solution(
            self.weights.copy(), self.intercept.copy(), self.value.copy(), self._bound(), 0
        )

    def run(self, tolerance: float, most: int) -> Solution:
        """Rounds until the whole layer's gap is small enough; outputs that are done are put aside."""
        iteration = 0
        while iteration < most:
            total, gap = float(self.result.loss.sum()), self.result.loss - self.result.bound
            share = 0.25 * tolerance * total / self.result.loss.size
            left = gap[self.open] > np.maximum(tolerance * self.value, share)
            if gap.sum() <= tolerance * total or not left.any():
                break
            self._keep(left)
            self._iterate()
            self._store()
            iteration += 1
        bias = self.result.bias - self.mean @ self.result.weights
        return Solution(self.result.weights, bias, self.result.loss, self.result.bound, iteration)

    def _at(self, weights: Array, near: Array) -> tuple[Array, Array, Array, Array]:
        """Weights, their currents without intercept, the best intercept, and the objective (m,)."""
        inputs = self.rows @ weights
        intercept = self.loss.best_bias(inputs, near)
        penalty = 0.5 * self.ridge * ((weights - self.prior) ** 2).sum(axis=0)
        return weights, inputs, intercept, self.loss.total(inputs + intercept) + penalty

    def _arrive(self, weights: Array, inputs: Array, intercept: Array, value: Array) -> None:
        self.weights, self.intercept, self.value = weights, intercept, value
        self.current = inputs + intercept
        self.slope, self.curvature = self.loss.slope_and_curvature(self.current)

    def _bound(self) -> Array:
        return dual_bound(
            self.loss, self.rows, self.prior, self.slope, ridge=self.ridge, limits=(self.low, self.high)
        )

    def _store(self) -> None:
        self.result.weights[:, self.open], self.result.bias[self.open] = self.weights, self.intercept
        self.result.loss[self.open] = self.value
        self.result.bound[self.open] = np.maximum(self.result.bound[self.open], self._bound())

    def _keep(self, left: NDArray[np.bool_]) -> None:
        """Go on with these outputs alone."""
        if left.all():
            return
        for name in ("prior", "low", "high", "weights", "intercept", "value", "current", "slope", "curvature",
                     "ends", "last_step", "last_gradient", "last_size"):  # fmt: skip
            setattr(self, name, getattr(self, name)[..., left])
        self.loss, self.open = self.loss.part(slice(None), left), self.open[left]

    def _iterate(self) -> None:
        gradient = self.rows.T @ self.slope + self.ridge * (self.weights - self.prior)
        step = self._model_step(gradient)
        size = -(gradient * step).sum(axis=0)
        direction = self._with_last(step, gradient, size)
        found = list(self._at(self._along(direction, self._length(direction, gradient)), self.intercept))
        shorter = 1.0
        for _ in range(SHORTENED):
            worse = found[3] > self.value
            if not worse.any():
                break
            trial = self._at(np.clip(self.weights + shorter * step, self.low, self.high), self.intercept)
            for k, part in enumerate(trial):
                found[k] = np.where(worse, part, found[k])
            shorter *= 0.5
        worse = found[3] > self.value
        here = (self.weights, self.current - self.intercept, self.intercept, self.value)
        found = [np.where(worse, old, new) for old, new in zip(here, found, strict=True)]
        self.last_step, self.last_gradient, self.last_size = found[0] - self.weights, gradient, size
        self._arrive(found[0], found[1], found[2], found[3])

    def _model_step(self, gradient: Array) -> Array:
        """To the minimum of each output's model in its box."""
        bend = np.maximum(self.leverage @ self.curvature, 1e-3 * self.loss.stiffness)
        shift = np.maximum(self.ridge / bend, self.least)
        group = np.rint(LIKE * np.log2(shift)).astype(np.int64)
        found = np.empty_like(self.weights)
        for key in np.unique(group).tolist():
            own = group == key
            if key not in self.models:
                self.models[key] = BoxQuadratic(self.gram + np.median(shift[own]) * np.eye(len(self.gram)))
            model = self.models[key]
            linear = model.matrix @ self.weights[:, own] - gradient[:, own] / bend[own]
            found[:, own], self.ends[:, own] = model.solve(
                linear, self.low[:, own], self.high[:, own], self.ends[:, own], self.passes
            )
        return np.asarray(found - self.weights)

    def _with_last(self, step: Array, gradient: Array, size: Array) -> Array:
        """The step and a part of the last one, where that still goes down (Polak and Ribiere)."""
        change = size + (self.last_gradient * step).sum(axis=0)
        keep = np.divide(change, self.last_size, out=np.zeros_like(change), where=self.last_size > 0)
        direction = step + np.maximum(keep, 0.0) * self.last_step
        outwards = ((self.weights >= self.high) & (direction > 0)) | (
            (self.weights <= self.low) & (direction < 0)
        )
        direction = np.where(outwards, 0.0, direction)
        uphill = (gradient * direction).sum(axis=0) > -0.1 * size
        return np.where(uphill, step, direction)

    def _along(self, direction: Array, length: Array) -> Array:
        return np.clip(self.weights + length * direction, self.low, self.high)

    def _length(self, direction: Array, gradient: Array) -> Array:
        """Newton's method on the line of each output, the intercept going along to first order."""
        along = self.rows @ direction
        total = np.maximum(self.curvature.sum(axis=0), 1e-9 * self.loss.stiffness)
        along -= (self.curvature * along).sum(axis=0) / total
        pull = self.ridge * ((self.weights - self.prior) * direction).sum(axis=0)
        stiff = self.ridge * (direction**2).sum(axis=0)
        slope, bend = self.slope, self.curvature
        first = here = np.einsum("ij,ij->j", slope, along) + pull
        length, low, high = np.zeros_like(first), np.zeros_like(first), np.full_like(first, np.inf)
        for _ in range(3):
            curve = np.einsum("ij,ij->j", along * along, bend) + stiff
            trial = length - np.divide(here, curve, out=np.zeros_like(here), where=curve > 0)
            middle = 0.5 * (low + np.where(np.isfinite(high), high, 2.0 * low))
            length = np.where((trial <= low) | (trial >= high), middle, trial)
            slope, bend = self.loss.slope_and_curvature(self.current + length * along)
            here = np.einsum("ij,ij->j", slope, along) + pull + length * stiff
            low, high = np.where(here < 0, length, low), np.where(here > 0, length, high)
            if (np.abs(here) <= LINE * np.abs(first)).all():
                break
        return np.asarray(length)
