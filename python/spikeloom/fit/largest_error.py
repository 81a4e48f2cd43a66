"""The largest error of an output over all rows, one-sided where the target is silent or saturated."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spikeloom.errors import FitError
from spikeloom.fit.dual_program import DualProgram
from spikeloom.fit.matching import Array
from spikeloom.fit.one_sided import OneSided


@dataclass(frozen=True, eq=False)
class LargestLoss(OneSided):
    """max over rows of the distance of I to the wanted current; it does not add up over rows."""

    @cached_property
    def spread(self) -> Array:
        nothing = np.zeros_like(self.wanted)
        return self.total(nothing + self.best_bias(nothing, np.zeros(self.wanted.shape[1])))

    def total(self, current: Array) -> Array:
        return np.asarray(self._error(current).max(axis=0))

    def slope(self, current: Array) -> Array:
        """The sign of the error in the row where it is largest: one of the derivatives there are."""
        error = self._error(current)
        slope, row, output = np.zeros_like(current), np.argmax(error, axis=0), np.arange(current.shape[1])
        sign = np.sign(current[row, output] - self.wanted[row, output])
        slope[row, output] = np.where(error[row, output] > 0, sign, 0.0)
        return slope

    def slope_and_curvature(self, current: Array) -> tuple[Array, Array]:
        return self.slope(current), np.zeros_like(current)

    def feasible(self, multiplier: Array) -> Array:
        signed = self.counted(multiplier)
        return np.asarray(signed / np.maximum(np.abs(signed).sum(axis=0), 1.0))

    def conjugate(self, multiplier: Array) -> tuple[Array, Array]:
        terms = multiplier * self.wanted
        return terms.sum(axis=0), np.abs(terms).sum(axis=0)

    def proximal(self, current: Array, step: Array) -> Array:
        """By Moreau: what is left of the error after its projection onto multipliers of sum 1."""
        error = current - self.wanted
        scaled = self.counted(error / step)
        size = np.sort(np.abs(scaled), axis=0)[::-1]
        excess = np.cumsum(size, axis=0) - 1.0
        count = np.arange(1, len(size) + 1)[:, None]
        last = np.maximum((size * count > excess).sum(axis=0) - 1, 0)
        level = np.maximum(excess[last, np.arange(size.shape[1])] / (last + 1), 0.0)
        projected = np.sign(scaled) * np.maximum(np.abs(scaled) - level, 0.0)
        return np.asarray(current - step * projected)

    def best_bias(self, current: Array, start: Array) -> Array:
        """The middle between the largest errors on both sides; no start is needed."""
        step = self.wanted - current
        least = np.where(self.saturated, np.inf, step).min(axis=0)  # the bias at which an error above begins
        most = np.where(self.silent, -np.inf, step).max(axis=0)
        middle = 0.5 * (np.where(np.isfinite(least), least, most) + np.where(np.isfinite(most), most, least))
        return np.where(most <= least, np.where(np.isfinite(most), most, least), middle)

    def dual(self, activity: Array) -> DualProgram:
        """One output's program in its dual form."""
        above, below = np.flatnonzero(~self.saturated[:, 0]), np.flatnonzero(~self.silent[:, 0])
        row, sign = np.concatenate((above, below)), np.repeat((1.0, -1.0), (above.size, below.size))
        wanted, free = sign * self.wanted[row, 0], np.zeros(row.size)
        return DualProgram(
            sign[:, None] * activity[row], sign, wanted, free, free + np.inf, row, len(activity), True
        )

    def solve(
        self, activity: Array, prior: Array, box: float, name: str, side: tuple[Array, float] | None
    ) -> tuple[Array, Array, float]:
        """One output's program in HiGHS: weights (n,), multiplier (N,) and that of the side condition.

        prior: (n,), |V - prior| <= box; side: direction (n,) and value of an equality on V. Raises FitError
        where there is no optimum.
        """
        from scipy.optimize import linprog

        rows, n = activity.shape
        above, below, wanted = ~self.saturated[:, 0], ~self.silent[:, 0], self.wanted[:, 0]
        design = np.hstack((activity, np.ones((rows, 1))))
        matrix = np.vstack((design[above], -design[below]))
        equal = {} if side is None else {"A_eq": np.append(side[0], (0.0, 0.0))[None], "b_eq": [side[1]]}
        found = linprog(
            np.append(np.zeros(n + 1), 1.0),
            np.hstack((matrix, -np.ones((len(matrix), 1)))),
            np.concatenate((wanted[above], -wanted[below])),
            bounds=[*zip(prior - box, prior + box, strict=True), (None, None), (0.0, None)],
            **equal,
        )
        if found.status != 0:
            raise FitError(name, "the linear program has no optimum", value=found.message,
                           remedy='use a larger box, gain="free" or objective="matching"')  # fmt: skip
        multiplier, price = np.zeros(rows), found.ineqlin.marginals
        multiplier[above] -= price[: above.sum()]
        multiplier[below] += price[above.sum() :]
        lagrange = 0.0 if side is None else float(found.eqlin.marginals[0])
        return np.clip(found.x[:n], prior - box, prior + box), multiplier, lagrange

    def _error(self, current: Array) -> Array:
        return np.abs(self.counted(current - self.wanted))
