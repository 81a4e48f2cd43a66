"""One sign for all that a presynaptic line sends (Dale's rule), the signs themselves chosen for the least loss.

The search runs in the quadratic model around the relaxed weights; its signs are then judged by the true loss, solved
with them, and searched again in the model around that solution. With few inputs a branch and bound proves them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from spikeloom.fit.box_quadratic import BoxQuadratic
from spikeloom.fit.descent import Solution
from spikeloom.fit.limited import minimise_limited
from spikeloom.fit.matching import Array, Loss
from spikeloom.fit.problem import WeightGrid
from spikeloom.fit.relaxed import Relaxed, Rounded
from spikeloom.fit.rounding import round_layer
from spikeloom.fit.sign_model import SignModel, Signs, sign_limits
from spikeloom.fit.sign_search import by_energy, search_signs, with_flips

AGAIN = 4  # searches around the solution of the true loss
STEPS = 8  # of each of them
CLOSE = 2e-3  # certified gap of the best weights for given signs
SOFTEST = 1e-3  # least curvature of an output in the model, in units of the usual one


@dataclass(frozen=True, eq=False)
class SignedSolution:
    """Signs (n,) and the best weights for them."""

    signs: Signs
    solution: Solution

    @property
    def loss(self) -> float:
        """Of all outputs, the penalty included."""
        return float(self.solution.loss.sum())


class SignedLayer:
    """The problem of one layer whose lines have one sign each: loss, activity (N, n), prior (n, m) and its pull."""

    def __init__(self, loss: Loss, activity: Array, prior: Array, ridge: float) -> None:
        self.loss, self.activity, self.prior, self.ridge = loss, activity, prior, ridge
        rows = activity - activity.mean(axis=0)
        self._quadratic = BoxQuadratic(rows.T @ rows + ridge / loss.stiffness * np.eye(len(prior)))

    def solve(self, signs: Signs, start: Array, *, tolerance: float = CLOSE) -> SignedSolution:
        """The best weights for these signs in the true loss. tolerance: certified gap."""
        low, high = (np.broadcast_to(limit, self.prior.shape) for limit in sign_limits(signs))
        found = minimise_limited(
            self.loss, self.activity, self.prior, self.ridge, low, high, start=start, tolerance=tolerance
        )
        return SignedSolution(signs, found)

    def model(self, at: Solution) -> SignModel:
        """The quadratic model around these weights."""
        slope, curvature = self.loss.slope_and_curvature(self.activity @ at.weights + at.bias)
        pull = self.activity.T @ slope + self.ridge * (at.weights - self.prior)
        worth = np.maximum(curvature.mean(axis=0), SOFTEST * self.loss.stiffness)
        return SignModel.around(self._quadratic, at.weights, pull, worth)


def choose_signs(layer: SignedLayer, relaxed: Solution) -> tuple[SignedSolution, SignedSolution]:
    """The best signs found, and those of most energy in the weight copy. relaxed: the solution without signs."""
    majority = layer.solve(by_energy(layer.prior), relaxed.weights)
    found = search_signs(layer.model(relaxed), layer.prior)
    at = min(majority, layer.solve(found.signs, found.weights), key=lambda one: one.loss)
    if getattr(layer.loss, "is_quadratic", False):  # the loss is its own model: it was searched already
        return at, majority
    for _ in range(AGAIN):
        better = _again(layer, at)
        if better is None:
            break
        at = better
    return at, majority


def _again(layer: SignedLayer, at: SignedSolution) -> SignedSolution | None:
    """Signs that are better in the true loss, from a search around the present solution; None where it has none."""
    model = layer.model(at.solution)
    here = model.solve(at.signs)
    up, down = model.costs(*model.parabolas(here))
    trial = with_flips(model, here, STEPS)
    changed = np.flatnonzero(trial.signs != at.signs)
    changed = changed[np.argsort((down - up)[changed] * at.signs[changed], kind="stable")]
    while changed.size:
        signs = at.signs.copy()
        signs[changed] *= -1
        better = layer.solve(signs, trial.weights)
        if better.loss < at.loss:
            return better
        changed = changed[: changed.size // 2]
    return None


def round_signed(relaxed: Relaxed, grid: WeightGrid, signs: Signs) -> Rounded:
    """`round_layer` with lines turned so that all weights are positive, and turned back."""
    column = signs[:, None].astype(np.float64)
    turned = replace(
        relaxed,
        activity=relaxed.activity * signs,
        weights=relaxed.weights * column,
        prior=relaxed.prior * column,
    )
    found = round_layer(turned, grid.positive)
    return replace(found, codes=found.codes * column, plain_codes=found.plain_codes * column)
