"""How strongly weights are pulled to their copy: the lambda of least error on rows that no solve has seen."""

from __future__ import annotations

import numpy as np

from spikeloom.fit.descent import Spectrum, minimise
from spikeloom.fit.matching import Array, Loss
from spikeloom.fit.prior import gain_equality
from spikeloom.fit.problem import LayerProblem

RIDGES = (1e-1, 1e-2, 1e-3, 1e-4)  # lambda, in units of mean(R^2) * rows * the usual curvature of the loss
JUDGES = 32  # outputs on which lambda is chosen
RISEN = 1.02  # held-out loss, in units of the best so far, at which weaker lambdas are not tried
LOOSE = 1e-2  # certified gap while lambda is chosen


def choose_ridge(problem: LayerProblem, loss: Loss, prior: Array, *, keep_gain: bool) -> float:
    """The lambda of least held-out loss among RIDGES, solved on the other rows for some of the outputs.

    From strong to weak, each solve starting at the last; it ends when the held-out loss has clearly risen.
    Scaled to all rows: twice the rows bear twice the pull.
    """
    held = problem.held_out
    unit = float((problem.activity**2).mean()) * loss.stiffness
    unit = unit if unit > 0 else loss.stiffness
    if not held.any():
        return 1e-2 * unit * problem.n_rows
    some = np.unique(
        np.linspace(0, problem.n_outputs - 1, min(problem.n_outputs, JUDGES)).round().astype(np.intp)
    )
    activity, away = problem.activity[~held], problem.activity[held]
    train, judge = loss.part(~held, some), loss.part(held, some)
    active = ~(problem.silent | problem.saturated)[~held][:, some]
    equality = gain_equality(activity, problem.target_current[~held][:, some], active) if keep_gain else None
    spectrum, start, scores = Spectrum.of(activity), None, []
    for ridge in RIDGES:
        found = minimise(
            train,
            activity,
            prior[:, some],
            ridge * unit * len(activity),
            spectrum=spectrum,
            start=start,
            equality=equality,
            tolerance=LOOSE,
            max_iterations=60,
        )
        scores.append(float(judge.total(away @ found.weights + found.bias).sum()))
        start = found.weights
        if scores[-1] > RISEN * min(scores):
            break
    return RIDGES[int(np.argmin(scores))] * unit * problem.n_rows
