"""The proven best nodes to keep: branch and bound over the removals.

Removing a set R from the solved problem costs tr(P_RR^-1 B_RR), P the inverse Gram matrix and B = V V' of the
weights. The cost never falls when R grows, so r removals cost at least what the r-th cheapest one costs alone, and
a node whose own removal costs more than the best known choice must be kept. Both are tested again after every
removal, in the problem that is left (Narendra and Fukunaga's order of branches, with the surgeon's costs).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from spikeloom.fit.prune import Array, Nodes, Pruning, Selection, prune, solved

BRANCHES = 20_000  # made before the search ends unproven; a count, so that results do not depend on load
WORK = 4e9  # multiplications likewise
SLACK = 1e-10  # share of the best cost by which a branch must be able to beat it


def prune_exactly(
    selection: Selection, size: int, *, branches: int | None = None, ended: Callable[[], bool] | None = None
) -> Pruning:
    """The best `size` nodes; proven where the search ends within `branches`, else with the bound that is left.

    ended: asked now and then, stops the search early; what is found then depends on when
    """
    if branches is None:
        branches = int(min(BRANCHES, WORK / (len(selection.gram) ** 2 * selection.width)))
    start = prune(selection, size)
    search = _Search(selection, start, branches)
    search.run(ended or (lambda: False))
    best = solved(selection, search.best_kept)
    unit = 1.0 / selection.energy if selection.energy > 0 else 0.0
    bound = min(max(search.bound() * unit, best.bound), best.error)
    return replace(best, bound=best.error if search.finished else bound, proven=search.finished)


@dataclass(eq=False)
class _Open:
    """A branch: free (k,) nodes that may still go; inverse and square over their columns; cost so far."""

    free: Nodes
    inverse: Array
    square: Array
    removed: tuple[int, ...]
    cost: float
    bound: float


class _Search:
    """Depth first; a branch removes one free node, and keeps those that its elder siblings removed."""

    def __init__(self, selection: Selection, start: Pruning, branches: int) -> None:
        self.nodes, self.width, self.branches = selection.nodes, selection.width, branches
        self.removals = selection.nodes - start.kept.size
        inverse = np.linalg.inv(selection.gram)
        weights = inverse @ selection.moment
        self.base = max(selection.energy - float((weights * selection.moment).sum()), 0.0)
        self.best_kept = start.kept
        self.best = selection.solve(start.kept)[2] - self.base
        whole = np.arange(selection.nodes)
        self.stack = [_Open(whole, 0.5 * (inverse + inverse.T), weights @ weights.T, (), 0.0, 0.0)]

    @property
    def finished(self) -> bool:
        """Whether no branch is left that could be better."""
        return not self.stack

    def run(self, ended: Callable[[], bool]) -> None:
        """Look at branches until none is left, or there have been enough."""
        made = 0
        while self.stack and made < self.branches and not ended():
            branch = self.stack.pop()
            if branch.bound < self._enough():
                children = self._children(branch)
                made += 1 + len(children)
                self.stack.extend(children)
        self.stack = [branch for branch in self.stack if branch.bound < self._enough()]

    def bound(self) -> float:
        """What no choice goes below: the least bound of what was not looked at."""
        return self.base + min([self.best, *(branch.bound for branch in self.stack)])

    def _enough(self) -> float:
        return self.best * (1.0 - SLACK)

    def _children(self, branch: _Open) -> list[_Open]:
        """The branches that remove one node more, cheapest last so that it is looked at first."""
        left = self.removals - len(branch.removed)
        if left == 0:
            return []
        costs = branch.cost + _costs(branch, self.width)
        if left == 1:
            self._settle(branch, int(np.argmin(costs)), float(costs.min()))
            return []
        order = np.argsort(-costs, kind="stable")
        order = order[costs[order] < self._enough()]
        children = []
        for rank in range(order.size - left + 1):
            child = self._without(branch, order[rank:], float(costs[order[rank]]))
            if child.bound < self._enough():
                children.append(child)
        return children

    def _settle(self, branch: _Open, last: int, cost: float) -> None:
        if cost < self._enough():
            gone = [*branch.removed, int(branch.free[last])]
            self.best, self.best_kept = cost, np.setdiff1d(np.arange(self.nodes), gone)

    def _without(self, branch: _Open, order: Nodes, cost: float) -> _Open:
        """The branch that removes free[order[0]]; of the others only order[1:] may still go."""
        columns = (order[:, None] * self.width + np.arange(self.width)).ravel()
        inverse = branch.inverse[np.ix_(columns, columns)]
        square = branch.square[np.ix_(columns, columns)]
        own, rest = slice(0, self.width), slice(self.width, None)
        turned = inverse[rest, own] @ np.linalg.inv(inverse[own, own])
        cross = turned @ square[own, rest]
        child = _Open(
            branch.free[order[1:]],
            inverse[rest, rest] - turned @ inverse[own, rest],
            square[rest, rest] - cross - cross.T + turned @ square[own, own] @ turned.T,
            (*branch.removed, int(branch.free[order[0]])),
            cost,
            cost,
        )
        left = self.removals - len(child.removed)
        child.bound = cost + float(np.partition(_costs(child, self.width), left - 1)[left - 1])
        return child


def _costs(branch: _Open, width: int) -> Array:
    """(k,) what each removal alone costs."""
    if width == 1:
        return np.asarray(np.diagonal(branch.square) / np.diagonal(branch.inverse))
    k = branch.free.size
    at = np.arange(k)
    inverse = branch.inverse.reshape(k, width, k, width)[at, :, at, :]
    square = branch.square.reshape(k, width, k, width)[at, :, at, :]
    return np.asarray(np.trace(np.linalg.solve(inverse, square), axis1=1, axis2=2))
