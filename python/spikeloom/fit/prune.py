"""Which nodes of a layer to keep: the next layer, solved again from the kept nodes alone, should err least.

E(S) = min over V, c of |A_S V + c - Z|^2 + ridge |V|^2, A the nodes' activity in the trained network and Z what
the next layer makes of all of them. A node may own several columns of A: a channel of an image has one for each
place in the next layer's kernel. Removing nodes from a solved problem, or adding them, is one step of the sweep
operator (Hassibi and Stork's optimal brain surgeon, in blocks), so that the losses of all sizes cost about as
much as a single solve. `prune_exact` proves the choice where that is affordable.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.errors import FitError
from spikeloom.fit.prune_bound import choice_bound

Array = NDArray[np.float64]
Nodes = NDArray[np.intp]
RIDGE = (
    1e-6  # in units of the mean square of a column: keeps nodes that always agree, or never speak, solvable
)
SWAPS = 200  # exchanges of one kept node for one removed node
WORTH = 1e-9  # share of the loss that an exchange must gain
ALLOWANCE = 1e-12  # share of the energy by which a bound is lowered, for float64 rounding


@dataclass(frozen=True, eq=False)
class Selection:
    """The quadratic problem of choosing nodes, the bias eliminated.

    gram: (n * width, n * width) of the centred activity, the ridge added; columns of a node stand together
    moment: (n * width, m) centred activity times wanted pre-activations; energy: their summed square
    width: columns of a node; name: of the layer, for errors; mean, offset: of activity and wanted values
    """

    name: str
    gram: Array
    moment: Array
    energy: float
    width: int
    mean: Array
    offset: Array

    @classmethod
    def of(cls, name: str, activity: ArrayLike, wanted: ArrayLike, width: int = 1) -> Selection:
        """From activity (N, n * width), a node's columns together, and wanted pre-activations (N, m).

        Raises FitError for arrays that do not fit one another, are empty, or hold NaN or infinity.
        """
        a, z = np.asarray(activity, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
        _check_arrays(name, a, z, width)
        mean, offset = a.mean(axis=0), z.mean(axis=0)
        a, z = a - mean, z - offset
        gram = a.T @ a
        ridge = RIDGE * max(float(np.trace(gram)) / len(gram), 1e-300)
        gram[np.diag_indices_from(gram)] += ridge
        return cls(name, gram, a.T @ z, float((z**2).sum()), width, mean, offset)

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return len(self.gram) // self.width

    def columns(self, nodes: Nodes) -> Nodes:
        """The columns of these nodes."""
        return (np.asarray(nodes)[:, None] * self.width + np.arange(self.width)).ravel()

    def solve(self, nodes: Nodes) -> tuple[Array, Array, float]:
        """Weights (k * width, m), bias (m,) and E(S) of the next layer with these nodes."""
        from scipy.linalg import cho_factor, cho_solve

        kept = self.columns(nodes)
        factor = cho_factor(self.gram[np.ix_(kept, kept)], check_finite=False)
        weights: Array = cho_solve(factor, self.moment[kept], check_finite=False)
        error = max(self.energy - float((weights * self.moment[kept]).sum()), 0.0)
        return weights, self.offset - self.mean[kept] @ weights, error


@dataclass(frozen=True, eq=False)
class Pruning:
    """The chosen nodes and the next layer solved again for them.

    kept: (k,) ascending; weights: (k * width, m); bias: (m,)
    error: E(kept) / energy, 0 perfect, 1 no better than a constant
    bound: what no choice of as many nodes goes below, likewise; `proven` says that it is the error itself
    """

    kept: Nodes
    weights: Array
    bias: Array
    error: float
    bound: float = 0.0
    proven: bool = False


def prune(selection: Selection, size: int) -> Pruning:
    """The best `size` nodes that backward and forward selection, each improved by exchanges, find.

    Raises FitError where size is no whole number from 1 to the number of nodes.

    >>> rng = np.random.default_rng(0)
    >>> activity = rng.random((100, 4))
    >>> wanted = activity[:, [1, 3]] @ np.array([[1.0, 2.0], [-1.0, 0.5]])
    >>> prune(Selection.of("fc1", activity, wanted), 2).kept.tolist()
    [1, 3]
    """
    _check_size(selection, size)
    starts = [_backward(selection, size), _forward(selection, size)]
    found = [_exchanged(table) for table in starts]
    best = min(found, key=lambda table: table.error)
    return solved(selection, np.flatnonzero(best.inside))


def solved(selection: Selection, kept: Nodes) -> Pruning:
    """These nodes with the next layer solved again; its bound is that of no search."""
    weights, bias, error = selection.solve(kept)
    share = _share(selection)
    bound = choice_bound(selection.gram, selection.moment, selection.energy, selection.width, len(kept))
    bound -= ALLOWANCE * selection.energy
    return Pruning(np.asarray(kept), weights, bias, error * share, min(max(bound, 0.0), error) * share)


def size_curve(selection: Selection) -> Array:
    """(n + 1,) error, in units of the energy, of the best found choice of 0, 1, ..., n nodes; no exchanges."""
    n, share = selection.nodes, _share(selection)
    backward, forward = np.empty(n + 1), np.empty(n + 1)
    table = _Table.full(selection)
    backward[n] = table.error
    for left in range(n - 1, -1, -1):
        backward[left] = table.remove_cheapest()
    table = _Table.empty(selection)
    forward[0] = table.error
    for now in range(1, n + 1):
        forward[now] = table.add_best()
    return np.asarray(np.maximum(np.minimum(backward, forward), 0.0) * share)


def _backward(selection: Selection, size: int) -> _Table:
    table = _Table.full(selection)
    for _ in range(selection.nodes - size):
        table.remove_cheapest()
    return table


def _forward(selection: Selection, size: int) -> _Table:
    table = _Table.empty(selection)
    for _ in range(size):
        table.add_best()
    return table


def _exchanged(table: _Table) -> _Table:
    """Take one node out and another in while that helps."""
    if table.inside.all():
        return table
    for _ in range(SWAPS):
        better = _best_exchange(table)
        if better is None:
            return table
        table = better
    return table


def _best_exchange(table: _Table) -> _Table | None:
    """The first exchange that helps, trying the cheapest removals first."""
    order = np.flatnonzero(table.inside)
    order = order[np.argsort(table.values()[order], kind="stable")]
    for node in order.tolist():
        trial = table.swept(node)
        trial.add_best(other_than=node)
        if trial.error < table.error * (1.0 - WORTH):
            return trial
    return None


@dataclass(eq=False)
class _Table:
    """The swept tableau: for nodes inside, matrix = -inverse and moment = weights; outside, what they leave.

    matrix (n * width, n * width); moment (n * width, m); inside (n,); error: E of the nodes inside
    """

    matrix: Array
    moment: Array
    inside: NDArray[np.bool_]
    error: float
    width: int

    @classmethod
    def empty(cls, selection: Selection) -> _Table:
        inside = np.zeros(selection.nodes, dtype=np.bool_)
        return cls(selection.gram.copy(), selection.moment.copy(), inside, selection.energy, selection.width)

    @classmethod
    def full(cls, selection: Selection) -> _Table:
        from scipy.linalg import cho_factor, cho_solve

        factor = cho_factor(selection.gram, check_finite=False)
        inverse = cho_solve(factor, np.eye(len(selection.gram)), check_finite=False)
        weights = inverse @ selection.moment
        error = selection.energy - float((weights * selection.moment).sum())
        inside = np.ones(selection.nodes, dtype=np.bool_)
        return cls(-0.5 * (inverse + inverse.T), weights, inside, error, selection.width)

    def values(self) -> Array:
        """(n,) what E rises by without a node inside, or falls by with a node outside."""
        n, w = self.inside.size, self.width
        own, moment = self.moment.reshape(n, w, -1), self.matrix.reshape(n, w, n, w)
        blocks = moment[np.arange(n), :, np.arange(n), :]
        if w == 1:
            value = (own[:, 0] ** 2).sum(axis=1) / blocks[:, 0, 0]
        else:
            value = (own * np.linalg.solve(blocks, own)).sum(axis=(1, 2))
        return np.asarray(np.abs(value))

    def remove_cheapest(self) -> float:
        """E after the removal that costs least."""
        values = np.where(self.inside, self.values(), np.inf)
        self._sweep(int(np.argmin(values)))
        return self.error

    def add_best(self, other_than: int = -1) -> float:
        """E after the addition that gains most."""
        values = np.where(self.inside, -1.0, self.values())
        if other_than >= 0:
            values[other_than] = -1.0
        self._sweep(int(np.argmax(values)))
        return self.error

    def swept(self, node: int) -> _Table:
        """A copy with this node inside if it was outside, and the other way round."""
        table = replace(self, matrix=self.matrix.copy(), moment=self.moment.copy(), inside=self.inside.copy())
        table._sweep(node)
        return table

    def _sweep(self, node: int) -> None:
        own = slice(node * self.width, (node + 1) * self.width)
        inverse = np.linalg.inv(self.matrix[own, own])
        column, moment = self.matrix[:, own].copy(), self.moment[own].copy()
        sign = -1.0 if self.inside[node] else 1.0
        turned, gain = column @ inverse, inverse @ moment
        self.error -= float((moment * gain).sum())
        self.matrix -= turned @ column.T
        self.moment -= column @ gain
        self.matrix[:, own], self.matrix[own, :] = sign * turned, sign * turned.T
        self.matrix[own, own], self.moment[own] = -inverse, sign * gain
        self.inside[node] = not self.inside[node]


def _share(selection: Selection) -> float:
    return 1.0 / selection.energy if selection.energy > 0 else 0.0


def _check_arrays(name: str, activity: Array, wanted: Array, width: int) -> None:
    if activity.ndim != 2 or wanted.ndim != 2 or len(activity) != len(wanted):
        raise FitError(name, "activity and wanted values must be matrices with the same rows",
                       value=(activity.shape, wanted.shape))  # fmt: skip
    if min(*activity.shape, *wanted.shape) < 1 or width < 1 or activity.shape[1] % width:
        raise FitError(name, "has no whole number of nodes", value=activity.shape, limit=f"width {width}")
    if not (np.isfinite(activity).all() and np.isfinite(wanted).all()):
        raise FitError(name, "activity or wanted values hold NaN or infinity", remedy="remove those rows")


def _check_size(selection: Selection, size: object) -> None:
    whole = isinstance(size, int | np.integer) and not isinstance(size, bool)
    if not whole or not 1 <= size <= selection.nodes:  # type: ignore[operator]
        raise FitError(selection.name, "cannot be pruned to this size", value=size,
                       limit=f"1 to {selection.nodes}")  # fmt: skip
