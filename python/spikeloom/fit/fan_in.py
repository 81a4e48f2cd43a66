"""Which inputs an output keeps where a chip limits how many synapses a neuron may have.

Backward selection in the quadratic model D'(H + lambda) D around the relaxed weights: the input whose loss the
others make up for best goes first, they are solved again, and so on (Hassibi and Stork's optimal brain surgeon).
"""

from __future__ import annotations

import numpy as np

from spikeloom.fit.problem import Array

SCREENED = 4  # inputs for each that may stay; the weakest others go at once


def keep_inputs(matrix: Array, weights: Array, most: int) -> Array:
    """Weights (n, m) with at most `most` nonzeros an output, the kept ones solved again.

    matrix: (n, n) of the model, symmetric and positive definite; weights: (n, m), its optimum
    """
    if len(weights) <= most:
        return weights
    kept = np.zeros_like(weights)
    size = np.sqrt(np.diagonal(matrix))[:, None] * np.abs(weights)
    strong = np.argsort(-size, axis=0, kind="stable")[: SCREENED * most]
    for j in range(weights.shape[1]):
        inside = _selected(matrix, weights[:, j], np.sort(strong[:, j]), most)
        kept[inside, j] = _solved(matrix, weights[:, j], inside)
    return kept


def _selected(matrix: Array, weights: Array, inside: np.ndarray, most: int) -> np.ndarray:
    """The inputs left of `inside` when the cheapest has been removed again and again."""
    inverse = np.linalg.inv(matrix[np.ix_(inside, inside)])
    left = _solved(matrix, weights, inside)
    alive = np.ones(inside.size, dtype=np.bool_)
    for _ in range(inside.size - most):
        cost = np.where(alive, left**2 / np.where(alive, np.diagonal(inverse), 1.0), np.inf)
        gone = int(np.argmin(cost))
        column = inverse[:, gone] / inverse[gone, gone]
        left -= column * left[gone]
        inverse -= np.outer(column, inverse[gone])
        alive[gone], left[gone] = False, 0.0
    return inside[alive]


def _solved(matrix: Array, weights: Array, inside: np.ndarray) -> Array:
    """The best weights of these inputs alone."""
    from scipy.linalg import solve

    out = np.setdiff1d(np.arange(len(matrix)), inside)
    wanted = matrix[np.ix_(inside, out)] @ weights[out]
    made_up = solve(matrix[np.ix_(inside, inside)], wanted, assume_a="pos", check_finite=False)
    return np.asarray(weights[inside] + made_up)
