"""The absolute error of an output, and its linear program in HiGHS.

minimise sum_i |I_i - I*_i|, one-sided where the target is silent or saturated, over a box |V - V0| <= B,
in the form of `dual_program`. Mern, Gadepally, Kepner et al. 2017 posed a layer's synapses as
such a least-error program.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spikeloom.errors import FitError
from spikeloom.fit.dual_program import DualProgram, Side
from spikeloom.fit.matching import Array
from spikeloom.fit.one_sided import OneSided


@dataclass(frozen=True, eq=False)
class AbsoluteLoss(OneSided):
    """The distance of I to the wanted current."""

    @cached_property
    def spread(self) -> Array:
        return np.asarray(np.abs(self.wanted - np.median(self.wanted, axis=0)).sum(axis=0))

    def total(self, current: Array) -> Array:
        error = current - self.wanted
        return np.asarray((self.slope(current) * error).sum(axis=0))

    def slope(self, current: Array) -> Array:
        return self.feasible(np.sign(current - self.wanted))

    def slope_and_curvature(self, current: Array) -> tuple[Array, Array]:
        return self.slope(current), np.zeros_like(current)

    def feasible(self, multiplier: Array) -> Array:
        return np.clip(multiplier, np.where(self.silent, 0.0, -1.0), np.where(self.saturated, 0.0, 1.0))

    def conjugate(self, multiplier: Array) -> tuple[Array, Array]:
        terms = multiplier * self.wanted
        return terms.sum(axis=0), np.abs(terms).sum(axis=0)

    def proximal(self, current: Array, step: Array) -> Array:
        error = current - self.wanted
        idle = (self.silent & (error < 0.0)) | (self.saturated & (error > 0.0))
        return np.where(idle, current, self.wanted + np.sign(error) * np.maximum(np.abs(error) - step, 0.0))

    def dual(self, activity: Array) -> DualProgram:
        """One output's program in its dual form."""
        rows = len(activity)
        low, high = np.where(self.silent[:, 0], 0.0, -1.0), np.where(self.saturated[:, 0], 0.0, 1.0)
        return DualProgram(activity, np.ones(rows), self.wanted[:, 0], low, high, np.arange(rows), rows)

    def solve(
        self, activity: Array, prior: Array, box: float, name: str, side: Side | None
    ) -> tuple[Array, Array, float]:
        """One output's program in HiGHS: weights (n,), multiplier (N,) and that of the side condition.

        prior: (n,), |V - prior| <= box; side: direction (n,) and value of an equality on V. Raises FitError
        where HiGHS does not find the optimum.
        """
        import highspy

        dual = self.dual(activity)
        solver = dual.solver(prior, box, side)
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise FitError(name, "the linear program has no optimum", value=solver.getModelStatus().name,
                           remedy='use a larger box, gain="free" or objective="matching"')  # fmt: skip
        return dual.weights(solver, prior, box), *dual.multipliers(solver)

    def best_bias(self, current: Array, start: Array) -> Array:
        """A weighted median of the wanted steps, which needs no start."""
        steps = self.wanted - current
        order = np.argsort(steps, axis=0, kind="stable")
        one_sided = self.silent | self.saturated
        rise = np.take_along_axis(np.where(one_sided, 1.0, 2.0), order, axis=0).cumsum(axis=0)
        needed = (~self.silent).sum(axis=0)
        first = np.argmax(rise >= needed, axis=0)
        ordered = np.take_along_axis(steps, order, axis=0)
        return np.asarray(np.take_along_axis(ordered, first[None, :], axis=0)[0])
