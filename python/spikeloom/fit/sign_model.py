"""The quadratic model of a layer whose presynaptic lines have one sign each, and what flipping a sign would gain.

Around the relaxed weights V^ the loss rises like D'MD / 2, D = V - V^. With signs s the best weights are those of
least D'MD with s_i V_ij >= 0, output by output (`box_quadratic`). What a flip gains is judged with the other weights
free or held at 0 as they are: then the cost is a parabola in the one weight that changes its side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.fit.box_quadratic import BoxQuadratic, Ends
from spikeloom.fit.matching import Array

Signs = NDArray[np.int8]  # (n,) 1 or -1 a line; 0: not decided, either
PASSES = 60


def sign_limits(signs: Signs) -> tuple[Array, Array]:
    """(n, 1) lowest and highest weights of lines with these signs."""
    column = signs[:, None]
    return np.where(column > 0, 0.0, -np.inf), np.where(column < 0, 0.0, np.inf)


def clip_to_signs(weights: Array, signs: Signs) -> Array:
    """The weights (n, m) without those of the other sign."""
    return np.clip(weights, *sign_limits(signs))


def signs_of(weights: Array) -> Signs:
    """(n,) the signs of weights (n, m) each of whose lines has one; 1 where all are 0."""
    return np.where(weights.min(axis=1) < 0.0, -1, 1).astype(np.int8)


@dataclass(frozen=True, eq=False)
class Signed:
    """The best weights (n, m) for signs (n,), which of them are held at 0, and their cost, summed over outputs."""

    signs: Signs
    weights: Array
    ends: Ends
    cost: float


class SignModel:
    """quadratic: of M (n, n); relaxed weights (n, m); worth (m,) of an output's cost."""

    def __init__(self, quadratic: BoxQuadratic, relaxed: Array, worth: Array) -> None:
        self.quadratic, self.relaxed, self.worth = quadratic, relaxed, worth
        self._linear = quadratic.matrix @ relaxed

    @classmethod
    def around(cls, quadratic: BoxQuadratic, weights: Array, slope: Array, worth: Array) -> SignModel:
        """The model that has this slope (n, m), in units of the whole loss, at these weights."""
        return cls(quadratic, weights - quadratic.inverse @ (slope / worth), worth)

    def solve(self, signs: Signs, ends: Ends | None = None) -> Signed:
        """The best weights for these signs; ends: a guess of what is held."""
        low, high = (np.broadcast_to(limit, self.relaxed.shape) for limit in sign_limits(signs))
        start = np.zeros(self.relaxed.shape, dtype=np.int8) if ends is None else ends
        weights, ends = self.quadratic.solve(self._linear, low, high, start, PASSES)
        error = weights - self.relaxed
        cost = 0.5 * float((self.worth * (error * (self.quadratic.matrix @ error)).sum(axis=0)).sum())
        return Signed(signs, weights, ends, cost)

    def parabolas(self, at: Signed) -> tuple[Array, Array]:
        """(n, m) where each weight would best be, and the curvature there, with what is free or held as it is."""
        best, curvature = at.weights.copy(), np.empty_like(at.weights)
        slope, inverse = self.quadratic.matrix @ at.weights - self._linear, self.quadratic.inverse
        whole = np.diagonal(inverse)
        for j in range(best.shape[1]):
            held, free = np.flatnonzero(at.ends[:, j]), np.flatnonzero(at.ends[:, j] == 0)
            among = np.linalg.inv(inverse[np.ix_(held, held)])
            across = inverse[np.ix_(free, held)]
            curvature[held, j] = np.diagonal(among)
            curvature[free, j] = 1.0 / (whole[free] - ((across @ among) * across).sum(axis=1))
            best[held, j] = -slope[held, j] / curvature[held, j]
        return best, curvature

    def flipped(self, at: Signed, lines: NDArray[np.intp], best: Array) -> Signed:
        """The best weights with the signs of these lines turned, from where the parabolas say that they will be."""
        signs, ends = at.signs.copy(), at.ends.copy()
        signs[lines] *= -1
        turned = signs[lines, None]
        ends[lines] = np.where(turned * best[lines] > 0, 0, -turned)
        return self.solve(signs, ends)

    def costs(self, best: Array, curvature: Array) -> tuple[Array, Array]:
        """(n,) what a line costs with the sign 1, and with -1, in units of the whole cost."""
        bend = 0.5 * self.worth * curvature
        return (bend * np.minimum(best, 0.0) ** 2).sum(axis=1), (bend * np.maximum(best, 0.0) ** 2).sum(
            axis=1
        )
