"""The proven best signs of a layer of few inputs: branch and bound over the lines.

A branch fixes some signs and leaves the other lines without; that is a convex problem, and its dual bound is one for
all signs of the branch. The line that is branched on is the one whose weights are most divided. What is proven is the
true loss, not its quadratic model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikeloom.fit.matching import Array
from spikeloom.fit.sign_model import Signs
from spikeloom.fit.signs import SignedLayer, SignedSolution

PROVABLE = 20  # inputs up to which a proof is tried
BRANCHES = 2000  # solved before the search ends unproven; a count, so that results do not depend on load
WORK = 2e9  # rows times inputs times outputs of all branches, likewise
TOLERANCE = 1e-4  # certified gap of a branch's solution
SLACK = 1e-3  # share of the best loss by which a branch must be able to beat it


@dataclass(frozen=True, eq=False)
class Proof:
    """The best signs found, and what no signs go below; finished: nothing was left out but for SLACK."""

    best: SignedSolution
    bound: float
    finished: bool


def prove_signs(layer: SignedLayer, start: SignedSolution, *, branches: int | None = None) -> Proof:
    """Search all signs, from good ones."""
    if branches is None:
        branches = int(min(BRANCHES, WORK / (layer.activity.size * layer.prior.shape[1])))
    tree = _Tree(layer, start)
    tree.run(branches)
    return Proof(tree.best, min(tree.least, tree.best.loss), not tree.open)


@dataclass(frozen=True, eq=False)
class _Branch:
    """signs (n,), 0 where open; weights (n, m), the best for them; bound of all signs of the branch."""

    signs: Signs
    weights: Array
    bound: float


class _Tree:
    """Depth first, the cheaper side first."""

    def __init__(self, layer: SignedLayer, start: SignedSolution) -> None:
        self.layer = layer
        self.best = layer.solve(start.signs, start.solution.weights, tolerance=TOLERANCE)
        self.least = np.inf  # bound of what was put aside
        self.size = layer.activity.var(axis=0)[:, None]
        free = np.zeros(len(layer.prior), dtype=np.int8)
        self.made = 0
        self.open = self._solved(free, start.solution.weights, -np.inf)

    def run(self, branches: int) -> None:
        """Until nothing is open, or so many branches were solved; what stays open lowers the bound."""
        while self.open and self.made < branches:
            branch = self.open.pop()
            if self._is_beaten(branch.bound):
                self.least = min(self.least, branch.bound)
                continue
            up, down = self._energies(branch)
            line = int(np.argmax(np.where(branch.signs == 0, np.minimum(up, down), -1.0)))
            sides = (-1, 1) if up[line] > down[line] else (1, -1)  # the last is looked at first
            for sign in sides:
                signs = branch.signs.copy()
                signs[line] = sign
                self.open.extend(self._solved(signs, branch.weights, branch.bound))
        self.least = min([self.least, *(branch.bound for branch in self.open)])

    def _solved(self, signs: Signs, start: Array, above: float) -> list[_Branch]:
        """The branch to go on with, or none: it is beaten, or its solution has a sign for every line."""
        self.made += 1
        found = self.layer.solve(signs, start, tolerance=TOLERANCE)
        branch = _Branch(signs, found.solution.weights, max(above, float(found.solution.bound.sum())))
        up, down = self._energies(branch)
        divided = (np.minimum(up, down) > 0.0) & (signs == 0)
        if not divided.any():
            whole = np.where(signs != 0, signs, np.where(up >= down, 1, -1)).astype(np.int8)
            if found.loss < self.best.loss:
                self.best = SignedSolution(whole, found.solution)
            self.least = min(self.least, branch.bound)
            return []
        if self._is_beaten(branch.bound):
            self.least = min(self.least, branch.bound)
            return []
        return [branch]

    def _is_beaten(self, bound: float) -> bool:
        return bound >= self.best.loss * (1.0 - SLACK)

    def _energies(self, branch: _Branch) -> tuple[Array, Array]:
        """(n,) of what each line brings by its weights above and below 0."""
        up, down = np.maximum(branch.weights, 0.0), np.minimum(branch.weights, 0.0)
        return (self.size * up**2).sum(axis=1), (self.size * down**2).sum(axis=1)
