"""What no choice of nodes goes below, without a search: the larger of two bounds of the problem of `prune`.

Removing a set R from the solved problem costs tr(V_R' (P_RR)^-1 V_R), P the inverse Gram matrix and V the weights.
Where P <= D / t for the blocks D that P has on its diagonal, that is at least t times the sum of what the removals
cost one by one. And the kept columns explain no more than as many principal components would (Eckart and Young).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def choice_bound(gram: Array, moment: Array, energy: float, width: int, size: int) -> float:
    """E below which no choice of `size` nodes comes.

    gram: (n * width, n * width), the ridge included; moment: (n * width, m); energy: of the wanted values
    """
    from scipy.linalg import cho_factor, cho_solve

    factor = cho_factor(gram, check_finite=False)
    inverse = cho_solve(factor, np.eye(len(gram)), check_finite=False)
    weights = cho_solve(factor, moment, check_finite=False)
    explained = moment.T @ weights
    least = max(energy - float(np.trace(explained)), 0.0)
    removals = len(gram) // width - size
    bounds = (
        least + _removal_bound(gram, inverse, weights, width, removals),
        _rank_bound(explained, energy, size * width),
    )
    return max(bounds)


def _removal_bound(gram: Array, inverse: Array, weights: Array, width: int, removals: int) -> float:
    """Of every `removals` nodes together, at least t times the cheapest costs."""
    from scipy.linalg import cholesky, eigvalsh

    if removals == 0:
        return 0.0
    n = len(gram) // width
    at = np.arange(n)
    blocks = inverse.reshape(n, width, n, width)[at, :, at, :]
    own = weights.reshape(n, width, -1)
    costs = np.sort((own * np.linalg.solve(blocks, own)).sum(axis=(1, 2)))[:removals]
    roots = np.stack([cholesky(block, lower=True) for block in blocks])
    scaled = np.einsum("iab,iajc->ibjc", roots, gram.reshape(n, width, n, width))
    scaled = np.einsum("ibjc,jcd->ibjd", scaled, roots).reshape(gram.shape)
    t = max(float(eigvalsh(scaled, subset_by_index=[0, 0])[0]), 0.0)
    return max(float(costs[-1]), t * float(costs.sum()))


def _rank_bound(explained: Array, energy: float, rank: int) -> float:
    values = np.linalg.eigvalsh(explained)[::-1]
    return energy - float(values[:rank].sum())
