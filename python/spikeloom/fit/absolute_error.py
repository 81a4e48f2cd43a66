"""The absolute error of an output, and its linear program in HiGHS.

minimise sum_i |I_i - I*_i|, one-sided where the target is silent or saturated, over a box |V - V0| <= B. It
is solved in its dual form (n rows, N boxed columns), several times faster than the primal with split
residuals; the weights are the row duals. Mern, Gadepally, Kepner et al. 2017 posed a layer's synapses as
such a least-error program.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import FitError
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

    def solve(
        self, activity: Array, prior: Array, box: float, name: str, side: tuple[Array, float] | None
    ) -> tuple[Array, Array, float]:
        """One output's program in HiGHS, see `solve_output`."""
        return solve_output(activity, self, prior, box, name, side)

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


def solve_output(
    activity: Array, loss: AbsoluteLoss, prior: Array, box: float, name: str, side: tuple[Array, float] | None
) -> tuple[Array, Array, float]:
    """Weights (n,), multiplier (N,) and multiplier of the side condition of one output's program.

    loss: of one output; prior: (n,), |V - prior| <= box; side: direction (n,) and value of an equality on V.
    Raises FitError where HiGHS does not find the optimum.
    """
    import highspy

    rows, n = activity.shape
    low, high = loss.feasible(np.full((rows, 1), -1.0))[:, 0], loss.feasible(np.ones((rows, 1)))[:, 0]
    direction, value = (np.zeros(n), 0.0) if side is None else side
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = rows + 2 * n + 1, n + 1
    # max  V0'(p - q) - B 1'(p + q) - I*'y + b mu   with  R'y - a mu = p - q,  1'y = 0,  y boxed,  p, q >= 0
    program.col_cost_ = np.concatenate((loss.wanted[:, 0], box - prior, box + prior, [-value]))
    program.col_lower_ = np.concatenate((low, np.zeros(2 * n), [-highspy.kHighsInf]))
    program.col_upper_ = np.concatenate((high, np.full(2 * n + 1, highspy.kHighsInf)))
    program.row_lower_ = program.row_upper_ = np.zeros(n + 1)
    starts, indices, values = _columns(activity, direction)
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_, program.a_matrix_.index_, program.a_matrix_.value_ = starts, indices, values
    solver = _quiet_solver()
    solver.passModel(program)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise FitError(
            name,
            "the linear program has no optimum",
            value=solver.getModelStatus().name,
            remedy='use a larger box, gain="free" or objective="matching"',
        )
    solution = solver.getSolution()
    weights = np.clip(np.array(solution.row_dual)[:n], prior - box, prior + box)
    columns = np.array(solution.col_value)
    return weights, columns[:rows], float(columns[-1])


def _quiet_solver() -> Any:
    """HiGHS on one thread that prints nothing (its constructor prints a banner unless silenced inside)."""
    import highspy

    class Quiet(highspy.Highs):  # type: ignore[misc]  # highspy has no types
        def enableCallbacks(self) -> None:  # noqa: N802  # HiGHS' own name
            self.setOptionValue("output_flag", False)
            super().enableCallbacks()

    solver = Quiet()
    for option, setting in (("output_flag", False), ("threads", 1), ("random_seed", 0)):
        solver.setOptionValue(option, setting)
    return solver


def _columns(activity: Array, direction: Array) -> tuple[NDArray[np.int32], NDArray[np.int32], Array]:
    """The constraint matrix by columns: [R' -1 1 -a; 1' 0 0 0]."""
    from scipy.sparse import csc_array, hstack, vstack

    rows, n = activity.shape
    eye = csc_array(np.eye(n))
    upper = hstack([csc_array(activity.T), -eye, eye, csc_array(-direction[:, None])])
    lower = csc_array(np.concatenate((np.ones(rows), np.zeros(2 * n + 1)))[None, :])
    matrix = csc_array(vstack([upper, lower]))
    return matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32), matrix.data
