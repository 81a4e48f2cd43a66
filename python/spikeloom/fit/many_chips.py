"""A layer for chips whose synapses are off by chance: the expected loss over all chips instead of one chip's.

Where every weight is multiplied by 1 + e, the e independent of mean 0 and standard deviation `spread`, the current of
output j in row i has the variance spread^2 sum_k R_ik^2 V_kj^2. With the usual curvature L of the loss the expected
loss is, to second order, the loss plus 1/2 sum_k d_k V_kj^2, d_k = L spread^2 sum_i R_ik^2. Together with the pull
lambda to the copy V0 that is, input by input, a pull of strength lambda + d_k to s_k^2 V0 with
s_k^2 = lambda / (lambda + d_k). In the units U_k = V_k / s_k it is again one lambda: the very problem that any layer
is, on lines s_k R_k with the copy s_k V0, so that solver, bound and rounding need not know. On its own it shrinks
gains; it is therefore solved with the gain equality. A threshold or a gain that a whole neuron shares scales the
current as a whole: that equality already holds what it could shrink.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spikeloom.errors import FitError
from spikeloom.fit.figures import loss_unit
from spikeloom.fit.layer_fit import LayerFit
from spikeloom.fit.matching import Array, Loss
from spikeloom.fit.problem import LayerProblem


def check_spread(problem: LayerProblem) -> None:
    """Raise FitError where the expected loss is not to be had."""
    reasons = {
        f"has no expected loss over chips for the objective {problem.objective}": problem.objective in ("l1", "linf"),
        "has one sign for all weights of a line, and cannot be fitted for many chips": problem.grid.one_sign,
        "has limits of the weights, and cannot be fitted for many chips": problem.is_limited,
        "has weights by the type of an axon, no one weight a synapse": problem.grid.type_table is not None,
        "needs a spread of the weights above 0 to be fitted for many chips": not problem.spread > 0.0,
    }  # fmt: skip
    for reason, holds in reasons.items():
        if holds:
            raise FitError(problem.name, reason, value=problem.spread)


def in_shares(problem: LayerProblem, loss: Loss, ridge: float) -> tuple[LayerProblem, Array]:
    """The problem in the units U = V / s, at this lambda, and s (n, 1)."""
    data = loss.stiffness * problem.spread**2 * (problem.activity**2).sum(axis=0)
    shares = np.sqrt(ridge / (ridge + data))[:, None]
    gains = np.ones_like(problem.weights) if problem.grid.gains is None else problem.grid.gains
    changed = replace(
        problem, activity=problem.activity * shares.T, weights=problem.weights * shares,
        grid=replace(problem.grid, gains=gains / shares), ridge=ridge, spread=0.0,
    )  # fmt: skip
    return changed, shares


def out_of_shares(fit: LayerFit, problem: LayerProblem, loss: Loss, prior: Array, shares: Array) -> LayerFit:
    """The fit in the units of the layer; its loss and bound are those of the expected loss. prior: (n, m) V0."""
    least = 0.5 * fit.lambda_ * float(((1.0 - shares**2) * prior**2).sum()) / loss_unit(problem, loss)
    objective, bound = fit.loss + least, fit.bound + least
    return replace(
        fit,
        weights=fit.weights * shares,
        gains=problem.grid.gains,
        method="robust",
        loss=objective,
        bound=bound,
        gap=(objective - bound) / objective if objective > 0.0 else 0.0,
        quantised_loss=fit.quantised_loss + least,
        plain_quantised_loss=fit.plain_quantised_loss + least,
    )
