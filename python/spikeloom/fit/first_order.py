"""The linear programs of all outputs side by side: alternating directions with one factorisation.

minimise loss(R V + c) over a box |V - V0| <= B with Boyd and others' (2011) scaled form, over-relaxed. The
currents and the weights are each split off; both quadratic terms keep their ratio, so that one Cholesky factor
serves all outputs and every step length, and each output can have its own. The multipliers of the currents give
lower bounds by `bound.dual_bound`, whatever the iteration has reached.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from spikeloom.fit.bound import GainEquality, dual_bound
from spikeloom.fit.matching import Array, Loss

RELAXED = 1.6
CHECK_EVERY = 50  # iterations between two looks at losses, bounds and step lengths
SETTLING = 4.0  # changes of the step length after which they are half as large
HALVINGS = 60  # of the interval in which weights are moved onto the equality
UNEVEN = 3.0  # residuals that differ by more than this change the step length
RATIO = 0.1  # weight of the box's splitting beside the mean square of an input


class ProximalLoss(Loss, Protocol):
    """A loss whose proximal point is known."""

    def proximal(self, current: Array, step: Array) -> Array:
        """argmin over x of loss(x) + |x - current|^2 / (2 step), step (m,)."""


class Splitting:
    """The iteration for one layer; `run` gives weights (n, m), multiplier (N, m) and the loss and bound (m,)."""

    def __init__(
        self,
        loss: ProximalLoss,
        activity: Array,
        prior: Array,
        box: float,
        equality: GainEquality | None = None,
    ) -> None:
        from scipy.linalg import cho_factor, cho_solve

        self.loss, self.activity, self.prior, self.box, self.equality = loss, activity, prior, box, equality
        self.mean = activity.mean(axis=0)
        self.rows = activity - self.mean  # the bias is then the mean of what it has to make up for
        gram = self.rows.T @ self.rows
        self.ratio = RATIO * max(float(np.trace(gram)) / len(gram), 1e-12)
        factor = cho_factor(gram + self.ratio * np.eye(len(gram)), check_finite=False)
        self.inverse = cho_solve(factor, np.eye(len(gram)), check_finite=False)
        self.weights, self.solved = prior.copy(), prior
        self.current = activity @ prior + loss.best_bias(activity @ prior, np.zeros(prior.shape[1]))
        self.pull, self.box_pull = np.zeros_like(self.current), np.zeros_like(prior)
        distance = np.abs(self.current - loss.wanted).mean(axis=0)
        usual = np.abs(loss.feasible(np.sign(self.current - loss.wanted))).mean(
            axis=0
        )  # size of a multiplier
        distance = np.divide(distance, usual, out=distance.copy(), where=usual > 0)
        self.step = np.maximum(distance, 1e-3 * max(float(distance.mean()), 1e-9))
        self.best_weights, self.best_multiplier = prior.copy(), np.zeros_like(self.current)
        self.changes = 0
        self.best_lagrange = np.zeros(prior.shape[1])
        self.best_loss, self.best_bound = np.full(prior.shape[1], np.inf), np.full(prior.shape[1], -np.inf)

    def run(self, iterations: int, tolerance: float) -> tuple[Array, Array, Array, Array]:
        """Iterate until every output's gap is below the tolerance, as a share of all losses, or to the end."""
        for iteration in range(1, iterations + 1):
            moved = self._iterate()
            if iteration % CHECK_EVERY == 0 or iteration == iterations:
                self._judge()
                gap = float((self.best_loss - self.best_bound).sum())
                if gap <= tolerance * float(self.best_loss.sum()):
                    break
                self._balance(*moved)
        return self.best_weights, self.best_multiplier, self.best_loss, self.best_bound

    def _iterate(self) -> tuple[Array, Array]:
        """One round; what the constraints still miss, and how far the split-off parts moved, each (m,)."""
        aimed, aimed_weights = self.current - self.pull, self.weights - self.box_pull
        solved = self.inverse @ (self.rows.T @ aimed + self.ratio * aimed_weights)
        if self.equality is not None:
            solved = self._onto_equality(solved)
        self.solved = solved
        inputs = self.rows @ solved + aimed.mean(axis=0)
        relaxed = RELAXED * inputs + (1.0 - RELAXED) * self.current + self.pull
        relaxed_weights = RELAXED * solved + (1.0 - RELAXED) * self.weights + self.box_pull
        before, before_weights = self.current, self.weights
        self.current = self.loss.proximal(relaxed, self.step)
        self.weights = np.clip(relaxed_weights, self.prior - self.box, self.prior + self.box)
        self.pull, self.box_pull = relaxed - self.current, relaxed_weights - self.weights
        missed = ((inputs - self.current) ** 2).sum(axis=0)
        missed += self.ratio * ((solved - self.weights) ** 2).sum(axis=0)
        moved = ((self.current - before) ** 2).sum(axis=0)
        moved += self.ratio * ((self.weights - before_weights) ** 2).sum(axis=0)
        return missed, moved

    def _onto_equality(self, solved: Array) -> Array:
        assert self.equality is not None
        turned = self.inverse @ self.equality.direction
        norm = (self.equality.direction * turned).sum(axis=0)
        missing = self.equality.value - (self.equality.direction * solved).sum(axis=0)
        scale = np.divide(missing, norm, out=np.zeros_like(norm), where=norm > 0)
        return np.asarray(solved + turned * scale)

    def _allowed(self, weights: Array) -> Array:
        """The weights in the box, moved along the equality's direction until they obey it."""
        low, high = self.prior - self.box, self.prior + self.box
        if self.equality is None:
            return np.clip(weights, low, high)
        along = self.equality.direction
        reach = 2.0 * self.box / np.maximum(np.abs(along).max(axis=0), 1e-300) * len(along)
        below, above = -reach, reach
        for _ in range(HALVINGS):
            middle = 0.5 * (below + above)
            got = (along * np.clip(weights + along * middle, low, high)).sum(axis=0)
            below = np.where(got < self.equality.value, middle, below)
            above = np.where(got < self.equality.value, above, middle)
        return np.asarray(np.clip(weights + along * (0.5 * (below + above)), low, high))

    def _lagrange(self, multiplier: Array) -> Array:
        """The multiplier of the equality that the others leave: what cancels their pull along it."""
        if self.equality is None:
            return np.zeros(multiplier.shape[1])
        pull = self.rows.T @ multiplier + self.ratio * self.box_pull / self.step
        turned = self.inverse @ self.equality.direction
        norm = (self.equality.direction * turned).sum(axis=0)
        along = (turned * pull).sum(axis=0)
        return np.asarray(np.divide(along, norm, out=np.zeros_like(norm), where=norm > 0))

    def _balance(self, missed: Array, moved: Array) -> None:
        """Longer steps where the split-off parts hardly move, shorter where they run ahead."""
        share = np.sqrt(np.maximum(missed, 1e-300) / np.maximum(moved, 1e-300))
        self.changes += 1  # ever smaller ones, or the iteration would not settle
        change = 2.0 ** (SETTLING / (SETTLING + self.changes))
        factor = np.where(share > UNEVEN, 1.0 / change, np.where(share < 1.0 / UNEVEN, change, 1.0))
        self.step *= factor
        self.pull *= factor
        self.box_pull *= factor

    def _judge(self) -> None:
        """Keep, output by output, the better weights and the better multiplier."""
        for weights in (self._allowed(self.weights), self._allowed(self.solved)):
            inputs = self.activity @ weights
            loss = self.loss.total(inputs + self.loss.best_bias(inputs, np.zeros(inputs.shape[1])))
            better = loss < self.best_loss
            self.best_loss[better], self.best_weights[:, better] = loss[better], weights[:, better]
        multiplier = self.pull / self.step
        lagrange = self._lagrange(multiplier)
        bound = dual_bound(
            self.loss, self.activity, self.prior, multiplier,
            box=self.box, equality=self.equality, lagrange=lagrange,
        )  # fmt: skip
        better = bound > self.best_bound
        self.best_lagrange[better] = lagrange[better]
        self.best_bound[better], self.best_multiplier[:, better] = bound[better], multiplier[:, better]
