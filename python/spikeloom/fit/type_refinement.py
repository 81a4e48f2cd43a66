"""The last descent of subset sums (`type_table`) in the true loss instead of its quadratic model.

Four weights a target leave an error so large that the quadratic around the relaxed weights says little: most of all
it charges for what a silent neuron may do for nothing. So weights, masks and types are improved in turn once more,
each in the local model of the true loss, and kept only where that falls.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikeloom.fit.matching import Array
from spikeloom.fit.refinement import REFINE_LIMIT, SOFTNESS
from spikeloom.fit.relaxed import Relaxed
from spikeloom.fit.type_table import TypedCodes, TypeTable

ROUNDS = 8
SETTLED = 1e-3  # share of the loss that a round must gain for another one
SHORTENED = 3  # halvings of a step of the weights


@dataclass(eq=False)
class _State:
    """Codes on the way. kinds: (n,) number of each source's set of types; loss: (m,) true loss."""

    bits: NDArray[np.bool_]
    weights: NDArray[np.int32]
    kinds: NDArray[np.intp]
    loss: Array
    bias: Array


def refine_types(relaxed: Relaxed, table: TypeTable, start: TypedCodes) -> TypedCodes:
    """Codes of no greater true loss. Left out for layers of rows * inputs * outputs above REFINE_LIMIT."""
    if relaxed.activity.size * relaxed.weights.shape[1] > REFINE_LIMIT:
        return start
    kinds = np.array(
        [int(np.flatnonzero((table.sets == own).all(axis=1))[0]) for own in start.sets], dtype=np.intp
    )
    search = _Descent(relaxed, table)
    state = search.state(start.bits, start.weights, kinds)
    for _ in range(ROUNDS):
        before = float(state.loss.sum())
        state = search.with_weights(state)
        state = search.with_masks(state)
        if state.loss.sum() > (1.0 - SETTLED) * before:
            break
    return TypedCodes(state.bits, state.weights, table.sets[state.kinds])


class _Descent:
    """The moves; every one gives a state that is no worse."""

    def __init__(self, relaxed: Relaxed, table: TypeTable) -> None:
        self.relaxed, self.table = relaxed, table
        self.lines = np.ascontiguousarray(relaxed.activity.T)

    def state(self, bits: NDArray[np.bool_], weights: NDArray[np.int32], kinds: NDArray[np.intp]) -> _State:
        """The state with its true loss and best bias."""
        loss, bias = self.relaxed.judge(self._sums(bits, weights))
        return _State(bits, weights, kinds, loss, bias)

    def with_weights(self, now: _State) -> _State:
        """One Newton step of every target's weights and bias, the masks given."""
        slope, curvature = self._derivatives(now)
        sources = now.bits.astype(np.float64)
        drives = np.einsum("rn,tnm->mtr", self.relaxed.activity, sources)
        mean = np.einsum("mtr,mr->mt", drives, curvature) / curvature.sum(axis=1)[:, None]
        drives -= mean[:, :, None]
        away = self._sums(now.bits, now.weights) - self.relaxed.prior
        gradient = np.einsum("mtr,mr->mt", drives, slope)
        gradient += self.relaxed.penalty * np.einsum("tnm,nm->mt", sources, away)
        bend = np.einsum("mtr,mr,msr->mts", drives, curvature, drives)
        bend += self.relaxed.penalty * np.einsum("tnm,snm->mts", sources, sources)
        bend += (1e-9 + 1e-6 * np.trace(bend, axis1=1, axis2=2))[:, None, None] * np.eye(self.table.types)
        step = -np.linalg.solve(bend, gradient[..., None])[..., 0].T
        for _ in range(SHORTENED + 1):
            weights = np.rint((now.weights * self.table.steps + step) / self.table.steps)
            weights = np.clip(weights, self.table.low, self.table.high).astype(np.int32)
            now = _better_by_output(now, self.state(now.bits, weights, now.kinds))
            step = 0.5 * step
        return now

    def with_masks(self, now: _State) -> _State:
        """One pass over the sources, with their types if that helps the layer, else each output on its own."""
        if len(self.table.sets) > 1:
            moved = self._swept(now, np.arange(len(self.table.sets)))
            if moved.loss.sum() < now.loss.sum():
                return moved
        return _better_by_output(now, self._swept(now, None))

    def _swept(self, now: _State, some: NDArray[np.intp] | None) -> _State:
        """Each source in turn takes, of these sets of types, the best one, and its best sums."""
        bits, kinds, table = now.bits.copy(), now.kinds.copy(), self.table
        sums, levels = self._sums(bits, now.weights), table.subsets @ (now.weights * table.steps)
        slope, curvature = self._derivatives(now)
        weight = curvature.sum(axis=1)
        shift = curvature @ self.relaxed.activity / weight[:, None]
        bend = curvature @ self.relaxed.activity**2 - shift**2 * weight[:, None] + self.relaxed.penalty
        bend = np.maximum(bend, 1e-9 * self.relaxed.loss.stiffness)
        outputs = np.arange(weight.size)
        for i, line in enumerate(self.lines):
            pull = slope @ line + self.relaxed.penalty * (sums[i] - self.relaxed.prior[i])
            sets = kinds[i : i + 1] if some is None else some
            step = levels[sets] - sums[i]
            cost = step * (pull + 0.5 * bend[:, i] * step)
            pick = np.argmin(cost, axis=1)
            best = int(np.argmin(np.take_along_axis(cost, pick[:, None], axis=1).sum(axis=(1, 2))))
            kinds[i], chosen = sets[best], pick[best]
            bits[:, i] = table.subsets[kinds[i], chosen].T
            change = levels[kinds[i], chosen, outputs] - sums[i]
            moved = np.flatnonzero(change)
            slope[moved] += curvature[moved] * (change[moved, None] * (line[None, :] - shift[moved, i, None]))
            sums[i] += change
        return self.state(bits, now.weights, kinds)

    def _sums(self, bits: NDArray[np.bool_], weights: NDArray[np.int32]) -> Array:
        return np.asarray((bits * weights[:, None, :]).sum(axis=0) * self.table.steps)

    def _derivatives(self, now: _State) -> tuple[Array, Array]:
        """(m, N) slope and curvature of the loss; flat samples, which moves may leave, get a little of it."""
        loss = self.relaxed.loss
        current = self.relaxed.activity @ self._sums(now.bits, now.weights) + now.bias
        slope, curvature = loss.slope_and_curvature(current)
        return slope.T.copy(), curvature.T + SOFTNESS * loss.stiffness


def _better_by_output(now: _State, other: _State) -> _State:
    """Of two states of the same types, each output's better one."""
    better = other.loss < now.loss
    return replace(
        now,
        bits=np.where(better, other.bits, now.bits),
        weights=np.where(better, other.weights, now.weights),
        loss=np.where(better, other.loss, now.loss),
        bias=np.where(better, other.bias, now.bias),
    )
