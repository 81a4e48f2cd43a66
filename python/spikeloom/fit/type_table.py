"""Weights as subset sums: a target keeps one weight for each type of axon, a source drives axons of several types.

A source with k axons of different types reaches, at each target, all 2^k sums of the target's weights of these
types. What is solved for are the types of the sources, the weights of the targets, and which axons are connected.
Around the relaxed weights the three are improved in turn in the quadratic model: masks by coordinate descent over the
sums, types source by source in the same descent, weights by least squares. The best of several starts is put on whole
codes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import FitError
from spikeloom.fit.matching import Array

ROUNDS = 8  # of masks, types and weights
PLAIN_FACTORS = np.linspace(0.4, 1.1, 17)  # of the weights that clip nothing
CLUSTER_ROUNDS = 20


@dataclass(frozen=True, eq=False)
class TypeTable:
    """What the chip allows.

    types: weights that a target keeps; per_source: axons of a source; low, high: range of a weight's code
    steps: (m,) worth of a code of 1 at each target, threshold units
    """

    types: int
    per_source: int
    low: int
    high: int
    steps: Array

    def __post_init__(self) -> None:
        if not 1 <= self.per_source <= self.types:
            raise FitError("type table", "axons of a source have different types, and each has one at least",
                           value=self.per_source, limit=f"1 to {self.types}")  # fmt: skip

    @cached_property
    def sets(self) -> NDArray[np.intp]:
        """(sets, per_source) the types that a source's axons may have together."""
        return np.array(list(combinations(range(self.types), self.per_source)), dtype=np.intp)

    @cached_property
    def subsets(self) -> NDArray[np.bool_]:
        """(sets, 2^per_source, types) which types each sum of a set takes."""
        chosen = (np.arange(2**self.per_source)[:, None] >> np.arange(self.per_source)) & 1
        found = np.zeros((len(self.sets), len(chosen), self.types), dtype=np.bool_)
        for k, types in enumerate(self.sets):
            found[k][:, types] = chosen
        return found


@dataclass(frozen=True, eq=False)
class TypedCodes:
    """Codes of one layer: bits (types, n, m) of the synapses, weights (types, m) of the targets.

    `sets` (n, per_source) names the types of each source's axons; a bit is set for these types only.
    """

    bits: NDArray[np.bool_]
    weights: NDArray[np.int32]
    sets: NDArray[np.intp]

    @property
    def sums(self) -> NDArray[np.int32]:
        """(n, m) what a spike of each source adds at each target."""
        return np.asarray((self.bits * self.weights[:, None, :]).sum(axis=0), dtype=np.int32)


@dataclass(eq=False)
class _Draft:
    """One solution on the way: bits (types, n, m), weights (types, m) in threshold units, sets (n,) by number."""

    bits: NDArray[np.bool_]
    weights: Array
    sets: NDArray[np.intp]

    @property
    def sums(self) -> Array:
        return np.asarray((self.bits * self.weights[:, None, :]).sum(axis=0))


def typed_codes(
    table: TypeTable, matrix: Array, weights: Array, *, starts: int = 4, seed: int = 0
) -> TypedCodes:
    """The best codes found for relaxed weights (n, m) in the model D' matrix D; `starts` beginnings are tried."""
    feedback = _Feedback(matrix)
    drafts = [
        _improved(table, matrix, weights, draft, feedback)
        for draft in _beginnings(table, matrix, weights, starts, seed)
    ]
    best, _ = _best(table, drafts, [_cost(matrix, weights, draft) for draft in drafts])
    whole = _whole(table, best)
    again = feedback.draft(table, weights, whole)
    ends = [_descend(table, matrix, weights, one, sweeps=4, move_types=False) for one in (whole, again)]
    return _coded(table, _best(table, [whole, again], ends)[0])


def plain_codes(table: TypeTable, weights: Array) -> TypedCodes:
    """What rounding alone gives: alike sources share a type, every synapse takes its nearest sum."""
    alone = np.eye(len(weights))
    best: tuple[float, _Draft] | None = None
    for factor in PLAIN_FACTORS if table.per_source == table.types else (1.0,):
        draft = _first(table, alone, weights, np.random.default_rng(0))
        draft.weights *= factor
        draft = _whole(table, draft)
        _descend(table, alone, weights, draft, sweeps=1, move_types=False)
        cost = float(((draft.sums - weights) ** 2).sum())
        if best is None or cost < best[0]:
            best = (cost, draft)
    assert best is not None
    return _coded(table, best[1])


def _beginnings(table: TypeTable, matrix: Array, weights: Array, starts: int, seed: int) -> list[_Draft]:
    rng = np.random.default_rng(seed)
    if table.per_source < table.types:
        return [_first(table, matrix, weights, rng) for _ in range(starts)]
    drafts = [_first(table, matrix, weights, rng) for _ in range(starts)]
    for k, (draft, factor) in enumerate(zip(drafts, np.geomspace(1.0, 0.5, starts), strict=True)):
        draft.weights *= factor
        if k % 2:  # other ratios, other signs
            draft.weights *= rng.uniform(0.4, 1.6, draft.weights.shape) * rng.choice(
                [1.0, -1.0], draft.weights.shape
            )
    return drafts


def _first(table: TypeTable, matrix: Array, weights: Array, rng: np.random.Generator) -> _Draft:
    """A beginning: the weights 1, 2, 4, -8 of a signed code, or types for clusters of alike sources."""
    n, m = weights.shape
    bits = np.zeros((table.types, n, m), dtype=np.bool_)
    if table.per_source == table.types:
        powers = 2.0 ** np.arange(table.types)
        powers[-1] *= -1.0
        reach = np.maximum(
            weights.max(axis=0) / max(float(powers[:-1].sum()), 1.0), -weights.min(axis=0) / -powers[-1]
        )
        draft = _Draft(bits, powers[:, None] * np.maximum(reach, 1e-12), np.zeros(n, dtype=np.intp))
    else:
        sets, centres = _clusters(np.sqrt(np.diagonal(matrix))[:, None] * weights, len(table.sets), rng)
        draft = _Draft(bits, _weights_of_clusters(table, weights, sets, centres, rng), sets)
    _descend(table, np.diag(np.diagonal(matrix)), weights, draft, sweeps=1, move_types=False)
    return draft


def _weights_of_clusters(
    table: TypeTable, weights: Array, sets: NDArray[np.intp], count: int, rng: np.random.Generator
) -> Array:
    """(types, m) beginnings of a target's weights from the sources that have each type."""
    found = np.empty((table.types, weights.shape[1]))
    spread = np.sqrt((weights**2).mean(axis=0)) + 1e-12
    for kind in range(table.types):
        mine = weights[(table.sets[sets % count] == kind).any(axis=1)]
        sign = np.where(mine.sum(axis=0) >= 0, 1.0, -1.0) if len(mine) else np.ones(weights.shape[1])
        if table.per_source > 1:
            sign = np.where(kind % 2 == 0, 1.0, -1.0) * np.ones(weights.shape[1])
        part = np.maximum(mine * sign, 0.0) if len(mine) else np.zeros((1, weights.shape[1]))
        size = part.sum(axis=0) / np.maximum((part > 0).sum(axis=0), 1)
        found[kind] = sign * np.maximum(size, 0.1 * spread) * rng.uniform(0.7, 1.3)
    return found


def _clusters(points: Array, count: int, rng: np.random.Generator) -> tuple[NDArray[np.intp], int]:
    """(n,) cluster of each point, by Lloyd's k-means from a random beginning."""
    centres = points[rng.permutation(len(points))[:count]].copy()
    labels = np.zeros(len(points), dtype=np.intp)
    for _ in range(CLUSTER_ROUNDS):
        distance = ((points[:, None, :] - centres[None]) ** 2).sum(axis=2)
        new = np.argmin(distance, axis=1)
        if (new == labels).all():
            break
        labels = new
        for k in range(len(centres)):
            if (labels == k).any():
                centres[k] = points[labels == k].mean(axis=0)
    return labels, count


def _improved(table: TypeTable, matrix: Array, weights: Array, draft: _Draft, feedback: _Feedback) -> _Draft:
    """Masks and types, then weights, in turn; the best draft on the way. Masks go on, or begin anew by feedback."""
    best, least, stale = draft, np.full(weights.shape[1], np.inf), 0
    for _ in range(ROUNDS):
        again = feedback.draft(table, weights, draft)
        costs = [
            _descend(table, matrix, weights, one, sweeps=2, move_types=table.per_source < table.types)
            for one in (draft, again)
        ]
        draft, cost = _best(table, [draft, again], costs)
        before = float(least.sum())
        best, least = _best(table, [best, draft], [least, cost])
        stale = stale + 1 if least.sum() > 0.999 * before else 0
        if stale > 1:
            break
        draft.weights = _least_squares(table, matrix, weights, draft)
    return best


def _best(table: TypeTable, drafts: list[_Draft], costs: list[Array]) -> tuple[_Draft, Array]:
    """A copy of the best draft and its cost (m,); output by output where the types of the sources are given."""
    stacked = np.stack(costs)
    if len(table.sets) == 1:
        pick = np.argmin(stacked, axis=0)
    else:
        pick = np.full(stacked.shape[1], int(np.argmin(stacked.sum(axis=1))))
    outputs = np.arange(pick.size)
    bits = np.stack([draft.bits for draft in drafts])[pick, :, :, outputs].transpose(1, 2, 0)
    weights = np.stack([draft.weights for draft in drafts])[pick, :, outputs].T
    return _Draft(bits.copy(), weights.copy(), drafts[pick[0]].sets.copy()), stacked[pick, outputs]


def _cost(matrix: Array, weights: Array, draft: _Draft) -> Array:
    error = draft.sums - weights
    return np.asarray((error * (matrix @ error)).sum(axis=0))


class _Feedback:
    """Error feedback as in `integer.Quadratic`: sources still to come make up for the error so far."""

    def __init__(self, matrix: Array) -> None:
        from scipy.linalg import cholesky

        self._order = np.argsort(np.diagonal(matrix), kind="stable")
        factor = cholesky(matrix[np.ix_(self._order, self._order)], lower=True, check_finite=False)
        self._factor = factor / np.diagonal(factor)

    def draft(self, table: TypeTable, weights: Array, before: _Draft) -> _Draft:
        """The draft with its masks chosen anew."""
        bits, error = before.bits.copy(), np.zeros_like(weights)
        sums, columns = table.subsets @ before.weights, np.arange(weights.shape[1])
        for k in range(len(weights) - 1, -1, -1):
            i = self._order[k]
            goal = weights[i] - self._factor[k + 1 :, k] @ error[k + 1 :]
            kind = before.sets[i]
            chosen = np.argmin((sums[kind] - goal) ** 2, axis=0)
            error[k] = sums[kind, chosen, columns] - weights[i]
            bits[:, i] = table.subsets[kind, chosen].T
        return _Draft(bits, before.weights.copy(), before.sets.copy())


def _least_squares(table: TypeTable, matrix: Array, weights: Array, draft: _Draft) -> Array:
    """(types, m) the weights of least cost for these bits, each within the range of its code."""
    bits = draft.bits.astype(np.float64)
    carried = np.einsum("ab,tbm->tam", matrix, bits)
    gram = np.einsum("sam,tam->mst", bits, carried)
    wanted = np.einsum("tam,am->mt", carried, weights)
    unit = np.trace(gram, axis1=1, axis2=2) / table.types + 1e-12
    gram += 1e-9 * unit[:, None, None] * np.eye(table.types)
    # An unused type keeps its weight: it may be wanted in the next round.
    pull = 1e-6 * unit[:, None] * draft.weights.T
    found = np.linalg.solve(
        gram + 1e-6 * unit[:, None, None] * np.eye(table.types), (wanted + pull)[..., None]
    )
    return np.clip(found[..., 0].T, table.low * table.steps, table.high * table.steps)


def _descend(
    table: TypeTable, matrix: Array, weights: Array, draft: _Draft, *, sweeps: int, move_types: bool
) -> Array:
    """Each source in turn takes its best sums, and, where asked, its best types; returns the cost (m,)."""
    error = draft.sums - weights
    slope = matrix @ error
    for _ in range(sweeps):
        sums = table.subsets @ draft.weights  # (sets, 2^k, m)
        moved = False
        for i in range(len(weights)):
            goal = weights[i] + error[i] - slope[i] / matrix[i, i]
            some = np.arange(len(sums)) if move_types else draft.sets[i : i + 1]
            distance = (sums[some] - goal) ** 2
            pick = np.argmin(distance, axis=1)  # (some, m)
            best = int(np.argmin(np.take_along_axis(distance, pick[:, None], axis=1).sum(axis=(1, 2))))
            kind, chosen = int(some[best]), pick[best]
            step = sums[kind, chosen, np.arange(weights.shape[1])] - weights[i] - error[i]
            draft.sets[i], draft.bits[:, i] = kind, table.subsets[kind, chosen].T
            if np.any(step):
                moved = True
                error[i] += step
                slope += np.outer(matrix[:, i], step)
        if not moved:
            break
    return np.asarray((error * slope).sum(axis=0))


def _whole(table: TypeTable, draft: _Draft) -> _Draft:
    codes = np.clip(np.rint(draft.weights / table.steps), table.low, table.high)
    return _Draft(draft.bits.copy(), codes * table.steps, draft.sets.copy())


def _coded(table: TypeTable, draft: _Draft) -> TypedCodes:
    codes = np.rint(draft.weights / table.steps).astype(np.int32)
    return TypedCodes(draft.bits, codes, table.sets[draft.sets])
