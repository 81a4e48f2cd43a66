"""Weights onto the chip's codes: error feedback, coordinate descent, and the search for scales.

Around the relaxed weights V^ the loss rises like the quadratic D'(H + lambda) D with D = V - V^ and
H = k R'R, the bias eliminated. Error feedback rounds one input after the other and lets the inputs still to
come make up for the error so far: Babai's nearest-plane rule, known for weights as GPTQ (Frantar and others
2022). A beam of such roundings (K-best lattice search) comes nearer to the best codes where there are few
inputs. Coordinate descent then moves single codes. All outputs, and several scales of each, are rounded side
by side as columns.

Where every synapse is a device of its own, code k of input i to output j is worth k scale_j gain_ij. D is then the
error of what the codes are worth, so H stays as it is and only the steps differ: the same as rounding V_ij / gain_ij
at H_j = diag(gain_j) H diag(gain_j). Scales below are therefore (m,), or (n, m) with the gains in them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from spikeloom.fit.problem import Array

BLOCK = 48  # inputs whose mutual corrections are made one by one; the rest goes through matrix products
BEAM = 2048  # inputs times width of a beam: 64 at 32 inputs, 8 at 256
COLUMNS = 2048  # columns rounded together, to bound the memory
Levels = tuple[int, int, int]
Rounder = Callable[[Array, Array], Array]


def nearest(weights: Array, scales: Array, levels: Levels) -> Array:
    """The nearest codes (n, m) of weights at these scales (m,), or (n, m)."""
    low, high, step = levels
    offset = low % step
    steps = (weights / scales - offset) / step if offset else weights / (scales * step)
    codes: Array = np.clip(np.rint(steps) * step + offset, low, high)
    return codes


class Quadratic:
    """The model D'(H + lambda) D of what rounding costs. data: H (n, n) = k R'R, the bias eliminated.

    lambda keeps the codes from using directions in which the calibration rows hardly ever moved.
    """

    def __init__(self, data: Array, ridge: float) -> None:
        from scipy.linalg import cholesky

        self._data, self._ridge = data, ridge
        self.matrix = matrix = data + ridge * np.eye(len(data))
        self._diagonal = np.diagonal(matrix)
        # Babai's rule fixes the last input first: the ones that matter most go first and are made up for.
        self._order = np.argsort(self._diagonal, kind="stable")
        factor = cholesky(matrix[np.ix_(self._order, self._order)], lower=True, check_finite=False)
        self._feedback = factor / np.diagonal(factor)
        self._weight = np.diagonal(factor) ** 2  # D'(H + lambda) D = sum of weight_i (D_i + feedback to i)^2

    def cost(self, error: Array) -> Array:
        """(m,) D'(H + lambda) D of each column of errors (n, m)."""
        return np.asarray(self.excess(error) + self._ridge * (error**2).sum(axis=0))

    def excess(self, error: Array) -> Array:
        """(m,) D'H D of each column of errors (n, m): what the data alone says."""
        return np.asarray((error * (self._data @ error)).sum(axis=0))

    def error_feedback(self, weights: Array, scales: Array, levels: Levels) -> Array:
        """Codes (n, m) by error feedback, in the order of descending diagonal of H."""
        n, ordered, worth = len(weights), weights[self._order], self._worth(weights, scales)
        codes, error = np.empty_like(ordered), np.zeros_like(ordered)
        for end in range(n, 0, -BLOCK):
            start = max(0, end - BLOCK)
            carried = self._feedback[end:, start:end].T @ error[end:]
            for i in range(end - 1, start - 1, -1):
                inner = self._feedback[i + 1 : end, i] @ error[i + 1 : end]
                codes[i] = nearest(ordered[i] - carried[i - start] - inner, worth[i], levels)
                error[i] = codes[i] * worth[i] - ordered[i]
        result = np.empty_like(codes)
        result[self._order] = codes
        return result

    def _worth(self, weights: Array, scales: Array) -> list[Array]:
        """What code 1 is worth in each row (m,), in the order of rounding."""
        rows = np.broadcast_to(scales, weights.shape)
        return [rows[i] for i in self._order]

    def beam(self, weights: Array, scales: Array, levels: Levels, width: int) -> Array:
        """Codes (n, m) by error feedback that keeps the `width` best beginnings of each column.

        One more level on either side of the nearest is tried for each input. Costs n^2 m width.
        """
        n, m = weights.shape
        low, high, step = levels
        ordered, cost, shift = weights[self._order], np.zeros((1, m)), np.zeros((n, 1, m))
        worth = self._worth(weights, scales)
        chosen: list[tuple[Array, NDArray[np.intp]]] = []
        for i in range(n - 1, -1, -1):
            middle = nearest(ordered[i] - shift[i], worth[i], levels)
            tried = np.concatenate((middle, middle - step, middle + step))
            error = tried * worth[i] - ordered[i]
            alive = len(cost)
            total = np.tile(cost, (3, 1)) + self._weight[i] * (error + np.tile(shift[i], (3, 1))) ** 2
            total[(tried < low) | (tried > high)] = np.inf
            best = np.argsort(total, axis=0, kind="stable")[:width]
            cost, parent = np.take_along_axis(total, best, axis=0), best % alive
            chosen.append((np.take_along_axis(tried, best, axis=0), parent))
            error = np.take_along_axis(error, best, axis=0)
            shift = np.take_along_axis(shift[:i], parent[None], axis=1)
            shift += self._feedback[i, :i, None, None] * error
        codes, at, columns = np.empty((n, m)), np.argmin(cost, axis=0), np.arange(m)
        for i, (values, parent) in enumerate(reversed(chosen)):
            codes[self._order[i]] = values[at, columns]
            at = parent[at, columns]
        return codes

    def descend(
        self,
        weights: Array,
        scales: Array,
        codes: Array,
        levels: Levels,
        sweeps: int,
        free: NDArray[np.bool_] | None = None,
    ) -> Array:
        """Codes after coordinate descent: each code in turn goes to its best level, until none moves.

        free: (n, m) codes that may move; None: all
        """
        codes, left = codes.copy(), np.arange(codes.shape[1])
        pull = self.matrix @ (codes * scales - weights)
        for _ in range(sweeps):
            now, scale = codes[:, left], scales[..., left]
            moved = np.zeros(left.size, dtype=np.bool_)
            for start in range(0, len(codes), BLOCK):
                moved |= self._sweep_block(
                    slice(start, start + BLOCK), now, scale, pull, levels,
                    None if free is None else free[:, left],
                )  # fmt: skip
            codes[:, left] = now
            if not moved.any():
                break
            left, pull = left[moved], pull[:, moved]
        return codes

    def _sweep_block(
        self,
        block: slice,
        codes: Array,
        scales: Array,
        pull: Array,
        levels: Levels,
        free: NDArray[np.bool_] | None,
    ) -> NDArray[np.bool_]:
        """One pass over a block of inputs; updates codes and pull, and says which columns moved."""
        inner, near = self.matrix[block, block], pull[block].copy()
        before, worth = codes[block].copy(), np.broadcast_to(scales, codes.shape)
        for k, diagonal in enumerate(self._diagonal[block]):
            i = block.start + k
            new = nearest(codes[i] * worth[i] - near[k] / diagonal, worth[i], levels)
            if free is not None:
                new = np.where(free[i], new, codes[i])
            change = (new - codes[i]) * worth[i]
            if change.any():
                near += inner[:, k, None] * change
                codes[i] = new
        step = (codes[block] - before) * worth[block]
        if step.any():
            pull += self.matrix[:, block] @ step
        return np.asarray(step.any(axis=0))

    def beam_and_descent(self, weights: Array, scales: Array, levels: Levels, sweeps: int) -> Array:
        """Codes by a beam as wide as the number of inputs allows, improved by coordinate descent."""
        width = max(1, BEAM // len(weights))
        return self.descend(weights, scales, self.beam(weights, scales, levels, width), levels, sweeps)

    def feedback_and_descent(self, weights: Array, scales: Array, levels: Levels, sweeps: int) -> Array:
        """Codes by error feedback, improved by coordinate descent."""
        return self.descend(weights, scales, self.error_feedback(weights, scales, levels), levels, sweeps)

    def sparse_descent(self, weights: Array, scales: Array, levels: Levels, sweeps: int) -> Array:
        """Nearest codes, improved by coordinate descent, that stay 0 where the weights are exactly 0."""
        free = weights != 0.0
        start = np.where(free, nearest(weights, scales, levels), 0.0)
        return self.descend(weights, scales, start, levels, sweeps, free)


def full_range_scale(weights: Array, levels: Levels) -> Array:
    """(m,) the smallest scale at which no weight of the output is clipped."""
    low, high, _ = levels
    up, down = np.maximum(weights.max(axis=0), 0.0), np.maximum(-weights.min(axis=0), 0.0)
    scale = np.maximum(up / max(high, 1), down / max(-low, 1))
    typical = float(np.median(scale[scale > 0])) if (scale > 0).any() else 1.0
    return np.where(scale > 0, scale, typical)


def round_at(rounder: Rounder, weights: Array, scales: Array, gains: Array | None = None) -> Array:
    """Codes (K, n, m) of the weights (n, m) at K scales per output (K, m), rounded side by side.

    gains: (n, m) of the synapses, where they have any
    """
    n, m = weights.shape
    flat, source = scales.ravel(), np.tile(np.arange(m), len(scales))
    codes = np.empty((n, flat.size))
    for start in range(0, flat.size, COLUMNS):
        part = slice(start, start + COLUMNS)
        worth = flat[part] if gains is None else flat[part] * gains[:, source[part]]
        codes[:, part] = rounder(weights[:, source[part]], worth)
    return np.ascontiguousarray(codes.reshape(n, len(scales), m).transpose(1, 0, 2))


def cost_at(
    model: Quadratic, weights: Array, scales: Array, codes: Array, gains: Array | float = 1.0
) -> Array:
    """(K, m) costs of K roundings by the model."""
    return np.stack([model.cost(c * (s * gains) - weights) for c, s in zip(codes, scales, strict=True)])


def pick(costs: Array, scales: Array, codes: Array) -> tuple[Array, Array, Array]:
    """The cheapest of K roundings of each output: costs (m,), scales (m,), codes (n, m)."""
    best = np.argmin(costs, axis=0)
    outputs = np.arange(costs.shape[1])
    return costs[best, outputs], scales[best, outputs], codes[best, :, outputs].T


def cluster_scales(scales: Array, groups: int) -> Array:
    """(groups,) centres of the scales, least squares in their logarithms, exact by dynamic programming.

    >>> cluster_scales(np.array([1.0, 1.0, 4.0, 16.0]), 2).round(3).tolist()
    [1.0, 8.0]
    """
    logs = np.sort(np.log(scales))
    count = len(logs)
    groups = min(groups, count)
    first, second = np.concatenate(([0.0], logs.cumsum())), np.concatenate(([0.0], (logs**2).cumsum()))
    size = np.subtract.outer(np.arange(count + 1), np.arange(count + 1)).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.subtract.outer(second, second) - np.subtract.outer(first, first) ** 2 / size
    spread = np.where(size > 0, spread, np.inf)  # spread[b, a]: cost of one group for logs[a:b]
    cost, cuts = spread[:, 0].copy(), []
    for _ in range(groups - 1):
        cost[0] = 0.0
        total = spread + cost[None, :]
        cuts.append(np.argmin(total, axis=1))
        cost = total[np.arange(count + 1), cuts[-1]]
    edges = [count]
    for cut in reversed(cuts):
        edges.append(int(cut[edges[-1]]))
    edges.append(0)
    return np.exp([logs[a:b].mean() for b, a in zip(edges, edges[1:], strict=False) if b > a][::-1])


def nearby(centres: Array, scales: Array, count: int) -> Array:
    """(count, m) the centres nearest to each scale, nearest first."""
    distance = np.abs(np.log(centres)[:, None] - np.log(scales)[None, :])
    return centres[np.argsort(distance, axis=0, kind="stable")[:count]]
