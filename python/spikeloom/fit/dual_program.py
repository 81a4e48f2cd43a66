"""The dual of one output's linear program, as HiGHS takes it.

    min  wanted'y + (B - V0)'p + (B + V0)'q - b mu   over y, mu and p, q >= 0
    with  D'y - a mu = p - q,  1'y = 0,  y between its limits

D are the rows of the activity, |V - V0| <= B the box, <a, V> = b an equality on V where there is one. It has n rows
and N boxed columns, and is solved several times faster than the primal with split residuals; the weights are the
duals of its rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Side = tuple[Array, float]  # direction (n,) and value of an equality on V


@dataclass(frozen=True, eq=False)
class DualProgram:
    """What an error measure makes of the rows.

    design: (K, n) rows of the activity, each times its sign (K,), so that a row may have a column for either sign
    wanted: (K,) likewise; low, high: (K,) limits of y; row: (K,) the row of the data; rows: N
    at_most_one: y also adds up to 1 at most, as it does for the largest error
    """

    design: Array
    sign: Array
    wanted: Array
    low: Array
    high: Array
    row: NDArray[np.intp]
    rows: int
    at_most_one: bool = False

    def solver(self, prior: Array, box: float, side: Side | None, **options: object) -> Any:
        """HiGHS with the program for |V - prior| <= box, still to be run. options: HiGHS' own."""
        solver = _quiet_solver()
        for option, setting in options.items():
            solver.setOptionValue(option, setting)
        solver.passModel(self._model(prior, box, side))
        return solver

    def multipliers(self, solver: Any) -> tuple[Array, float]:
        """(N,) of the rows, and that of the equality, once it was solved."""
        columns, found = np.array(solver.getSolution().col_value), np.zeros(self.rows)
        np.add.at(found, self.row, self.sign * columns[: self.row.size])
        return found, float(columns[-1])

    def weights(self, solver: Any, prior: Array, box: float) -> Array:
        """(n,) likewise."""
        duals = np.array(solver.getSolution().row_dual)[: prior.size]
        return np.clip(duals, prior - box, prior + box)

    def _model(self, prior: Array, box: float, side: Side | None) -> Any:
        import highspy

        count, n = self.design.shape
        direction, value = (np.zeros(n), 0.0) if side is None else side
        matrix, low, high = self._conditions(direction)
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = count + 2 * n + 1, len(low)
        program.col_cost_ = np.concatenate((self.wanted, box - prior, box + prior, [-value]))
        program.col_lower_ = np.concatenate((self.low, np.zeros(2 * n), [-highspy.kHighsInf]))
        program.col_upper_ = np.concatenate((self.high, np.full(2 * n + 1, highspy.kHighsInf)))
        program.row_lower_, program.row_upper_ = low, high
        program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        program.a_matrix_.start_ = matrix.indptr.astype(np.int32)
        program.a_matrix_.index_ = matrix.indices.astype(np.int32)
        program.a_matrix_.value_ = matrix.data
        return program

    def _conditions(self, direction: Array) -> tuple[Any, Array, Array]:
        """The matrix by columns, [D' -1 1 -a; 1' 0 0 0; ...], with the limits of its rows."""
        from scipy.sparse import csc_array, hstack, vstack

        n = self.design.shape[1]
        eye, others = csc_array(np.eye(n)), np.zeros(2 * n + 1)
        rows = [hstack([csc_array(self.design.T), -eye, eye, csc_array(-direction[:, None])])]
        sums = [self.sign, np.ones(self.row.size)][: 1 + self.at_most_one]
        rows += [csc_array(np.append(one, others)[None, :]) for one in sums]
        low, high = np.zeros(n + len(sums)), np.zeros(n + len(sums))
        if self.at_most_one:
            low[-1], high[-1] = -np.inf, 1.0
        return csc_array(vstack(rows)), low, high


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
