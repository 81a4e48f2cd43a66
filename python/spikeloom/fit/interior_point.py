"""Certificates of a layer's linear programs by interior point, on some of its outputs.

Where there are few rows an input, or the box is loose, the multipliers of the first-order iteration give a bound that
says nothing, however near its weights are to the optimum. HiGHS' interior point on the dual program of one output
finds good multipliers in seconds. They are judged like any others, by `bound.dual_bound` from the data alone, and
for some outputs only, which are drawn: what they prove of the layer is a sample.
"""

from __future__ import annotations

from time import monotonic
from typing import Any

import numpy as np

from spikeloom.fit.absolute_error import AbsoluteLoss
from spikeloom.fit.bound import GainEquality, dual_bound
from spikeloom.fit.dual_program import Side
from spikeloom.fit.figures import PROMISED_GAP
from spikeloom.fit.largest_error import LargestLoss
from spikeloom.fit.layer_fit import SampledBound
from spikeloom.fit.matching import Array
from spikeloom.fit.problem import LayerProblem

SAMPLED = 8  # outputs
POLL_S = 0.1  # between two looks whether the user has interrupted


def certified(
    problem: LayerProblem,
    loss: AbsoluteLoss | LargestLoss,
    prior: Array,
    box: float,
    equality: GainEquality | None,
    current: Array,
    bound: Array,
) -> SampledBound | None:
    """`sampled_bound` of a problem whose own bound is further away than is promised; None where it is not."""
    value = float(loss.total(current).sum())
    if value - float(bound.sum()) <= PROMISED_GAP * value:
        return None
    return sampled_bound(
        loss, problem.activity, prior, box, equality, current, bound, problem.certify_s, problem.seed
    )


def sampled_bound(
    loss: AbsoluteLoss | LargestLoss,
    activity: Array,
    prior: Array,
    box: float,
    equality: GainEquality | None,
    current: Array,
    bound: Array,
    seconds: float,
    seed: int,
) -> SampledBound | None:
    """Loss and bound of outputs drawn by the seed, as far as the seconds by the clock go; None where that is nowhere.

    current: (N, m) of the layer's solution; bound: (m,) that is known already
    """
    ends, found = monotonic() + seconds, {}
    drawn = np.sort(np.random.default_rng(seed).permutation(bound.size)[:SAMPLED])
    for j in drawn.tolist():
        one, own = loss.part(slice(None), slice(j, j + 1)), _equality_of(equality, j)
        side = None if own is None else (own.direction[:, 0], float(own.value[0]))
        solved = _solved(one, activity, prior[:, j], box, side, ends - monotonic())
        if solved is None:
            break
        proven = dual_bound(one, activity, prior[:, j : j + 1], solved[0][:, None], box=box, equality=own,
                            lagrange=np.array([solved[1]]))  # fmt: skip
        found[j] = max(float(proven[0]), float(bound[j]))
    outputs = np.array(list(found), dtype=np.intp)
    if outputs.size == 0:
        return None
    value = float(loss.part(slice(None), outputs).total(current[:, outputs]).sum())
    return SampledBound(outputs, value, float(sum(found.values())), float(bound.sum()))


def _equality_of(equality: GainEquality | None, output: int) -> GainEquality | None:
    if equality is None:
        return None
    own = slice(output, output + 1)
    return GainEquality(equality.rows[:, own], equality.direction[:, own], equality.value[own])


def _solved(
    loss: AbsoluteLoss | LargestLoss,
    activity: Array,
    prior: Array,
    box: float,
    side: Side | None,
    seconds: float,
) -> tuple[Array, float] | None:
    """Multiplier (N,) and that of the equality; None where the time was over first."""
    import highspy

    if seconds <= 0.0:
        return None
    dual = loss.dual(activity)
    solver = dual.solver(prior, box, side, solver="ipm", run_crossover="off", time_limit=seconds)
    _run(solver)
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return dual.multipliers(solver)


def _run(solver: Any) -> None:
    """Solve beside this thread, so that the user's interrupt ends it."""
    solver.HandleUserInterrupt = True
    solver.startSolve()
    interrupted = False
    while True:
        try:
            if solver.wait(POLL_S)[0]:
                break
        except KeyboardInterrupt:
            interrupted = True
            solver.cancelSolve()
    if interrupted:
        raise KeyboardInterrupt
