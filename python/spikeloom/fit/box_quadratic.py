"""One quadratic of many outputs over a box each, exactly: block principal pivoting.

minimise 1/2 v'Mv - c'v over low <= v <= high. Guess which inputs are at an end, solve for the others, then move all
that are wrong at once: free ones that left the box to the end they passed, held ones that pull inwards to freedom.
Where that does not shrink the number of wrong ones a few times over, only the last of them moves, which cannot cycle
(Portugal, Judice and Vicente 1994). A guess near the truth, from the iteration before, takes a pass or two.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ends = NDArray[np.int8]  # -1 held at the lower end, 1 at the upper end, 0 free
PATIENCE = 3  # passes that need not shrink the number of wrong inputs before they move one by one
WRONG = 1e-10  # share of the largest slope, or of a weight, below which nothing is wrong


class BoxQuadratic:
    """The matrix M (n, n), symmetric and positive definite, inverted once for all outputs."""

    def __init__(self, matrix: Array) -> None:
        from scipy.linalg import cho_factor, cho_solve

        self.matrix = matrix
        factor = cho_factor(matrix, check_finite=False)
        self.inverse = cho_solve(factor, np.eye(len(matrix)), check_finite=False)

    def solve(self, linear: Array, low: Array, high: Array, ends: Ends, passes: int) -> tuple[Array, Ends]:
        """Weights (n, m) in the box and which of them are held, from a guess of that.

        linear: (n, m) c. passes: at most so many; weights that are not settled by then are clipped.
        """
        free_weights = self.inverse @ linear
        weights, ends, left = np.empty_like(linear), ends.copy(), np.arange(linear.shape[1])
        fewest, patience = np.full(left.size, len(linear) + 1), np.full(left.size, PATIENCE)
        slack = WRONG * max(float(np.abs(linear).max(initial=0.0)), 1e-300)
        for _ in range(passes):
            for j in left.tolist():
                weights[:, j] = self._held(
                    ends[:, j], free_weights[:, j], linear[:, j], low[:, j], high[:, j]
                )
            now, slope = ends[:, left], self.matrix @ weights[:, left] - linear[:, left]
            to = _moves(now, weights[:, left], slope, low[:, left], high[:, left], slack)
            wrong = (to != now).sum(axis=0)
            fewer = wrong < fewest[left]
            fewest[left] = np.minimum(fewest[left], wrong)
            patience[left] = np.where(fewer, PATIENCE, patience[left] - 1)
            _one_by_one(now, to, patience[left] < 0)
            ends[:, left] = to
            left = left[wrong > 0]
            if left.size == 0:
                break
        return np.clip(weights, low, high), ends

    def _held(self, ends: Ends, free_weights: Array, linear: Array, low: Array, high: Array) -> Array:
        """The best weights (n,) of one output with some of them held at their ends: the smaller system of two."""
        from scipy.linalg import cho_factor, cho_solve

        held = np.flatnonzero(ends)
        if held.size == 0:
            return free_weights
        at = np.where(ends[held] > 0, high[held], low[held])
        if held.size <= len(ends) // 2:
            factor = cho_factor(self.inverse[np.ix_(held, held)], check_finite=False)
            price = cho_solve(factor, free_weights[held] - at, check_finite=False)
            weights = free_weights - self.inverse[:, held] @ price
        else:
            free, weights = np.flatnonzero(ends == 0), np.empty_like(linear)
            wanted = linear[free] - self.matrix[np.ix_(free, held)] @ at
            factor = cho_factor(self.matrix[np.ix_(free, free)], check_finite=False)
            weights[free] = cho_solve(factor, wanted, check_finite=False)
        weights[held] = at
        return np.asarray(weights)


def _moves(ends: Ends, weights: Array, slope: Array, low: Array, high: Array, slack: float) -> Ends:
    """Where each input should be, by what is wrong with it now."""
    room = WRONG * np.maximum(np.abs(weights), 1e-300)
    above, below = (ends == 0) & (weights > high + room), (ends == 0) & (weights < low - room)
    inwards = ((ends > 0) & (slope > slack)) | ((ends < 0) & (slope < -slack))
    inwards &= low < high
    return np.where(above, 1, np.where(below, -1, np.where(inwards, 0, ends))).astype(np.int8)


def _one_by_one(ends: Ends, to: Ends, stuck: NDArray[np.bool_]) -> None:
    """In columns that are stuck only the last wrong input moves."""
    for j in np.flatnonzero(stuck & (to != ends).any(axis=0)).tolist():
        last = int(np.flatnonzero(to[:, j] != ends[:, j])[-1])
        kept = to[last, j]
        to[:, j] = ends[:, j]
        to[last, j] = kept
