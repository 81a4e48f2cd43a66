"""The linear programs of a layer: one output at a time in HiGHS where they are small, or all side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from spikeloom.errors import FitError
from spikeloom.fit.absolute_error import AbsoluteLoss
from spikeloom.fit.bound import GainEquality
from spikeloom.fit.first_order import Splitting
from spikeloom.fit.largest_error import LargestLoss
from spikeloom.fit.matching import Array
from spikeloom.fit.problem import LayerProblem

SMALL = 4_000_000  # entries of the activity times outputs up to which HiGHS is asked: some ten seconds
MEDIUM = 100_000_000  # likewise, up to which the iteration goes on until it is as exact as HiGHS: some twenty seconds
ITERATIONS = {"medium": 2000, "large": 1000}
TOLERANCE = {"medium": 1e-4, "large": 1e-3}  # gap of the whole layer at which the iteration ends
ROUGHLY = 150  # iterations while the box is chosen
JUDGES = 8  # outputs on which it is chosen
BOXES = (0.03, 0.1, 0.3, 1.0)  # in units of the largest weight of the copy


@dataclass(frozen=True, eq=False)
class Program:
    """The programs of a layer, solved.

    weights (n, m); multiplier (N, m) of the rows and lagrange (m,) of the equality; the box
    """

    weights: Array
    multiplier: Array
    lagrange: Array
    box: float


def solve_layer(
    problem: LayerProblem,
    loss: AbsoluteLoss | LargestLoss,
    prior: Array,
    equality: GainEquality | None,
) -> Program:
    """Every output's program: a small layer's in HiGHS, a large one's side by side by alternating directions.

    A box that was not given is widened where the equality does not fit into it. Raises FitError where the
    given box holds no solution.
    """
    box = problem.box
    if box is None:
        box = _choose_box(problem, loss, prior)
        box = box if equality is None else max(box, 1.1 * _smallest_box(prior, equality))
    elif equality is not None and _smallest_box(prior, equality) > box * (1.0 + 1e-9):
        raise FitError(problem.name, "the linear program has no optimum: no weights in the box keep the gain",
                       value=box, limit=_smallest_box(prior, equality),
                       remedy='use a larger box, gain="free" or objective="matching"')  # fmt: skip
    activity = problem.activity
    if activity.size * problem.n_outputs <= SMALL:
        solved = _exactly(problem, loss, prior, box, equality)
    else:
        found = Splitting(loss, activity, prior, box, equality)
        size = "medium" if activity.size * problem.n_outputs <= MEDIUM else "large"
        weights, multiplier, _, _ = found.run(ITERATIONS[size], TOLERANCE[size])
        solved = Program(weights, multiplier, found.best_lagrange, box)
    idle = np.ptp(activity, axis=0) == 0.0  # any weight is as good there, as the bias makes up for it
    return replace(solved, weights=np.where(idle[:, None], prior, solved.weights))


def _smallest_box(prior: Array, equality: GainEquality) -> float:
    """<a, V> = b has a solution in the box just when |b - <a, V0>| <= box |a|_1."""
    missing = np.abs(equality.value - (equality.direction * prior).sum(axis=0))
    reach = np.abs(equality.direction).sum(axis=0)
    return float(np.divide(missing, reach, out=np.zeros_like(reach), where=reach > 0).max())


def _exactly(
    problem: LayerProblem,
    loss: AbsoluteLoss | LargestLoss,
    prior: Array,
    box: float,
    equality: GainEquality | None,
) -> Program:
    weights, lagrange = prior.copy(), np.zeros(problem.n_outputs)
    multiplier = np.zeros_like(loss.wanted)
    for j in range(problem.n_outputs):
        side = None if equality is None else (equality.direction[:, j], float(equality.value[j]))
        one = loss.part(slice(None), slice(j, j + 1))
        weights[:, j], multiplier[:, j], lagrange[j] = one.solve(
            problem.activity, prior[:, j], box, problem.name, side
        )
    return Program(weights, multiplier, lagrange, box)


def _choose_box(problem: LayerProblem, loss: AbsoluteLoss | LargestLoss, prior: Array) -> float:
    """The box of least held-out loss among BOXES times the largest weight, on some outputs."""
    held = problem.held_out
    largest = float(np.abs(prior).max()) or 1.0
    if not held.any():
        return 0.3 * largest
    some = np.unique(
        np.linspace(0, problem.n_outputs - 1, min(problem.n_outputs, JUDGES)).round().astype(np.intp)
    )
    train, judge = loss.part(~held, some), loss.part(held, some)
    activity, away = problem.activity[~held], problem.activity[held]
    scores = []
    for box in BOXES:
        weights, _, _, _ = Splitting(train, activity, prior[:, some], box * largest).run(ROUGHLY, 1e-2)
        current = activity @ weights
        bias = train.best_bias(current, np.zeros(some.size))
        scores.append(float(judge.total(away @ weights + bias).sum()))
    return BOXES[int(np.argmin(scores))] * largest
