"""The relaxed solution of a layer whose lines have one sign each, with what is proven of it."""

from __future__ import annotations

from spikeloom.fit.bound import dual_bound
from spikeloom.fit.descent import minimise
from spikeloom.fit.figures import Solved
from spikeloom.fit.layer_fit import BoundTag, LineSigns
from spikeloom.fit.matching import Array, Loss
from spikeloom.fit.sign_proof import PROVABLE, prove_signs
from spikeloom.fit.sign_search import by_energy
from spikeloom.fit.signs import SignedLayer, choose_signs


def solve_signed(loss: Loss, activity: Array, prior: Array, ridge: float, tolerance: float) -> Solved:
    """Signs and weights of least loss. tolerance: certified gap of the solution without signs.

    Its bound is "relaxed", that of lines without signs, unless the signs are proven: then it is one of all signs.
    """
    layer = SignedLayer(loss, activity, prior, ridge)
    relaxed = minimise(loss, activity, prior, ridge, tolerance=tolerance)
    slope = loss.slope(activity @ relaxed.weights + relaxed.bias)
    bound = float(dual_bound(loss, activity, prior, slope, ridge=ridge).sum())
    best, majority = choose_signs(layer, relaxed)
    proven = False
    if len(prior) <= PROVABLE:
        proof = prove_signs(layer, best)
        best, bound, proven = proof.best, max(bound, proof.bound), proof.finished
    signs = LineSigns(best.signs, majority.loss, int((best.signs != by_energy(prior)).sum()), proven)
    found = best.solution
    return Solved(found.weights, found.bias, prior, ridge, bound, _tag(loss, proven), "fit", signs=signs)


def _tag(loss: Loss, proven: bool) -> BoundTag:
    if not proven:
        return "relaxed"
    return "exact" if getattr(loss, "is_quadratic", False) else "dual"
