"""The best codes there are, for layers of few inputs: exact decoding of the quadratic model's lattice.

For one output the cost D'(H + lambda) D of codes is the squared distance of a lattice point to the relaxed
weights. The decoder walks through the codes depth first inside a sphere that shrinks with every better find
(Fincke and Pohst; order of codes by Schnorr and Euchner), in `cpp/lattice`. Inputs are put in the order in which
the early decisions cut most: the smallest remaining pivot last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikeloom.fit.problem import Array

EXACT = 32  # inputs up to which the search is tried
NODES = 10_000_000  # visited for an output before it stays unproven; about 0.3 s


@dataclass(frozen=True, eq=False)
class Decoded:
    """codes (n, m), cost (m,) in the model and bound (m,) below which no codes at these scales come."""

    codes: Array
    cost: Array
    bound: Array

    @property
    def proven(self) -> int:
        """How many outputs have the best codes there are."""
        return int((self.bound >= self.cost).sum())


class Lattice:
    """The model's matrix (n, n), symmetric and positive definite, in the order of decisions."""

    def __init__(self, matrix: Array) -> None:
        self._matrix = matrix
        self.order, self._pivot, self._factor = _smallest_pivots_first(matrix)

    def decode(
        self, weights: Array, scales: Array, levels: tuple[int, int, int], codes: Array, *, nodes: int = NODES
    ) -> Decoded:
        """The best codes (n, m) for weights (n, m) at scales (m,), starting from `codes`; or the best found.

        Scales (n, m) hold a gain for each synapse; each output then has a lattice of its own.
        """
        from spikeloom import _core

        if scales.ndim == 2:
            return self._decode_each(weights, scales, levels, codes, nodes)
        low, high, step = levels
        found = np.ascontiguousarray(codes[self.order].T, dtype=np.float64)
        wanted = np.ascontiguousarray(weights[self.order].T, dtype=np.float64)
        cost, bound, _ = _core.decode_sphere(
            self._pivot, self._factor, wanted, np.asarray(scales, dtype=np.float64), low, step,
            (high - low) // step + 1, found, nodes,
        )  # fmt: skip
        result = np.empty_like(codes, dtype=np.float64)
        result[self.order] = found.T
        return Decoded(result, cost, bound)

    def _decode_each(
        self, weights: Array, scales: Array, levels: tuple[int, int, int], codes: Array, nodes: int
    ) -> Decoded:
        """Output by output: V / scale at scale 1 under diag(scale) M diag(scale) is the same problem."""
        one, found = np.ones(1), []
        for j, worth in enumerate(scales.T):
            own, column = Lattice(self._matrix * np.multiply.outer(worth, worth)), slice(j, j + 1)
            wanted = weights[:, column] / worth[:, None]
            found.append(own.decode(wanted, one, levels, codes[:, column], nodes=nodes))
        return Decoded(
            np.concatenate([each.codes for each in found], axis=1),
            np.concatenate([each.cost for each in found]),
            np.concatenate([each.bound for each in found]),
        )


def _smallest_pivots_first(matrix: Array) -> tuple[np.ndarray, Array, Array]:
    """Order, pivots (n,) and unit upper factor (n, n) of the matrix in that order: P'MP = U' diag(pivots) U."""
    n = len(matrix)
    left, order = matrix.copy(), np.arange(n)
    pivot, factor = np.empty(n), np.zeros((n, n))
    for i in range(n):
        smallest = i + int(np.argmin(np.diagonal(left)[i:]))
        for array in (left, left.T, factor.T):
            array[[i, smallest]] = array[[smallest, i]]
        order[[i, smallest]] = order[[smallest, i]]
        pivot[i] = left[i, i]
        factor[i, i:] = left[i, i:] / pivot[i]
        left[i + 1 :, i + 1 :] -= np.outer(factor[i, i + 1 :], left[i, i + 1 :])
    return order, pivot, np.ascontiguousarray(factor)
