"""A search for the signs of presynaptic lines in the quadratic model: good beginnings, then flips in blocks.

A line's beginning is the sign in which its weights have most energy, or most mass, or what is cheaper when the most
decided lines are fixed first and the others adapt. Then all flips that promise a gain are made at once; where that
does not help only the better half of them, and so on down to single ones. Each trial is solved anew, from the held
weights that the flips leave.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikeloom.fit.matching import Array
from spikeloom.fit.sign_model import Signed, SignModel, Signs

WORK = 1.5e11  # multiplications of a search, about 15 s; a count, so that results do not depend on load
ROUNDS = 16  # in which the lines are decided in turn
SINGLES = 12  # flips that promise most, tried one by one where no block helps
WORTH = 1e-6  # share of the cost that a flip must gain


def by_energy(weights: Array) -> Signs:
    """(n,) the sign in which each line's weights (n, m) have more energy."""
    return _sign((weights * np.abs(weights)).sum(axis=1))


def search_signs(model: SignModel, copy: Array) -> Signed:
    """The best signs found. copy: (n, m) weights without signs, as the network was trained."""
    steps = max(2, int(WORK / (len(copy) ** 3 * copy.shape[1])))
    beginnings = (by_energy(copy), by_energy(model.relaxed), _sign(model.relaxed.sum(axis=1)))
    found = [model.solve(signs) for signs in beginnings]
    found.append(_decided_in_turn(model, min(ROUNDS, max(1, steps // 4))))
    return with_flips(model, min(found, key=lambda one: one.cost), steps)


def with_flips(model: SignModel, at: Signed, steps: int) -> Signed:
    """No flip of a block, or of the lines that promise most, is better than the signs handed back."""
    for _ in range(steps):
        better = _flipped(model, at)
        if better is None:
            break
        at = better
    return at


def _sign(values: Array) -> Signs:
    return np.where(values >= 0, 1, -1).astype(np.int8)


def _decided_in_turn(model: SignModel, rounds: int) -> Signed:
    signs = np.zeros(len(model.relaxed), dtype=np.int8)
    at = model.solve(signs)
    for left in range(rounds, 0, -1):
        up, down = model.costs(*model.parabolas(at))
        signs, open_lines = signs.copy(), np.flatnonzero(signs == 0)
        most = np.argsort(-np.abs(up - down)[open_lines], kind="stable")
        lines = open_lines[most[: -(-open_lines.size // left)]]
        signs[lines] = _sign(down[lines] - up[lines])
        at = model.solve(signs, at.ends)
    return at


def _flipped(model: SignModel, at: Signed) -> Signed | None:
    """Better signs, or None where no block of flips that was tried has any."""
    best, curvature = model.parabolas(at)
    up, down = model.costs(best, curvature)
    gain = (up - down) * at.signs
    order = np.argsort(-gain, kind="stable")
    for lines in _blocks(order, int((gain > 0).sum())):
        trial = model.flipped(at, lines, best)
        if trial.cost < at.cost * (1.0 - WORTH):
            return trial
    return None


def _blocks(order: NDArray[np.intp], promising: int) -> list[NDArray[np.intp]]:
    """The promising lines, the better half of them, and so on; then some of the best alone."""
    blocks = []
    while promising > 1:
        blocks.append(order[:promising])
        promising //= 2
    return [*blocks, *(order[k : k + 1] for k in range(min(SINGLES, order.size)))]
