"""The figures of a layer's fit, each divided by the loss of the best constant output."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spikeloom.fit.matching import Array, Loss
from spikeloom.fit.prior import active_equality
from spikeloom.fit.problem import BoundTag, LayerProblem, LineSigns, Method, SampledBound
from spikeloom.fit.relaxed import Rounded

NEVER_FIRES = 1e-2  # share of r_max that the rate of a dead output does not reach
CEILING = 1.0 - 1e-3  # share of r_max from which on an output is saturated
PROMISED_GAP = 0.01  # above it the report warns
MANY = 0.1  # share of the inputs from which on those that never change are a warning


@dataclass(frozen=True, eq=False)
class Solved:
    """A relaxed solution with its certificate; bound is the sum over outputs, and so are the losses in `signs`
    and `sampled`."""

    weights: Array
    bias: Array
    prior: Array
    ridge: float
    bound: float
    tag: BoundTag
    method: Method
    warnings: tuple[str, ...] = ()
    signs: LineSigns | None = None
    sampled: SampledBound | None = None


def loss_unit(problem: LayerProblem, loss: Loss) -> float:
    """The loss of the best constant; where the target is constant, that of being wrong by r_max."""
    spread = float(loss.spread.sum())
    wrong = 0.5 * loss.wanted.size * loss.stiffness * (problem.r_max / problem.response.typical_slope) ** 2
    return spread if spread > 1e-9 * wrong else wrong


def figures(
    problem: LayerProblem,
    loss: Loss,
    solved: Solved,
    penalty: float,
    rounded: Rounded,
    quantised: tuple[Array, Array],
) -> dict[str, Any]:
    """Every figure of the report, divided by the loss of the best constant."""
    unit = loss_unit(problem, loss)

    def judged(weights: Array, bias: Array) -> tuple[float, float]:
        data = float(loss.total(problem.activity @ weights + bias).sum())
        return data / unit, (data + 0.5 * penalty * float(((weights - solved.prior) ** 2).sum())) / unit

    data_loss, objective = judged(solved.weights, solved.bias)
    quantised_data_loss, quantised_loss = judged(*quantised)
    bound = solved.bound / unit
    gap = (objective - bound) / objective if objective > 1e-12 else 0.0
    gap = gap if solved.tag != "none" else float("inf")
    if solved.sampled is not None:
        gap = solved.sampled.gap
        bound = objective * (1.0 - gap)
    current = problem.activity @ quantised[0] + quantised[1]
    dead, saturated = _idle(problem, current)
    idle = int((np.ptp(problem.activity, axis=0) == 0.0).sum())
    return {
        "loss": objective,
        "bound": bound,
        "gap": gap,
        "data_loss": data_loss,
        "quantised_loss": quantised_loss,
        "quantised_data_loss": quantised_data_loss,
        "rounding_loss": 0.5 * float(rounded.excess.sum()) / unit,
        "plain_rounding_loss": 0.5 * float(rounded.plain_excess.sum()) / unit,
        "plain_quantised_loss": float(rounded.plain_loss.sum()) / unit,
        **_proven(rounded),
        "dead": dead,
        "saturated": saturated,
        "gain_deviation": _gain_deviation(problem, current),
        "sampled": solved.sampled and _in_units(solved.sampled, unit),
        "idle_inputs": idle,
        "signs": solved.signs and replace(solved.signs, majority_loss=solved.signs.majority_loss / unit),
        "warnings": solved.warnings + _idle_inputs(problem, idle) + _warnings(solved, gap, dead, saturated),
    }


def _proven(rounded: Rounded) -> dict[str, Any]:
    """What is known of the codes: how far the best ones at these scales may be, how many outputs have them."""
    proof = rounded.proof
    if proof is None:
        return {}
    cost, bound = float(proof.cost.sum()), float(proof.bound.sum())
    proven = int((proof.bound >= proof.cost).sum())
    return {"rounding_gap": (cost - bound) / cost if cost > 0 else 0.0, "proven_codes": proven}


def _idle(problem: LayerProblem, current: Array) -> tuple[int, int]:
    """How many outputs never fire, and how many are at r_max in more than half of the rows."""
    if problem.activation == "identity":
        return 0, 0
    rate = problem.response.rate(current) / problem.r_max
    return int((rate.max(axis=0) < NEVER_FIRES).sum()), int(((rate > CEILING).mean(axis=0) > 0.5).sum())


def _in_units(sampled: SampledBound, unit: float) -> SampledBound:
    return SampledBound(
        sampled.outputs, sampled.loss / unit, sampled.bound / unit, sampled.layer_bound / unit
    )


def _idle_inputs(problem: LayerProblem, idle: int) -> tuple[str, ...]:
    if idle <= MANY * problem.n_inputs:
        return ()
    return (
        f"{idle} of {problem.n_inputs} inputs never change on these rows: their weights stay at the copy",
    )


def _gain_deviation(problem: LayerProblem, current: Array) -> float:
    equality = active_equality(problem)
    covariance = (equality.rows * current).sum(axis=0)
    usable = equality.value != 0.0
    return float(np.abs(covariance[usable] / equality.value[usable] - 1.0).max()) if usable.any() else 0.0


def _warnings(solved: Solved, gap: float, dead: int, saturated: int) -> tuple[str, ...]:
    found = []
    if solved.tag in ("dual", "exact") and gap > PROMISED_GAP:
        found.append(f"the solution is proven to within {100 * gap:.1f} % only")
    if solved.sampled is not None:
        found.append(
            f"only {solved.sampled.outputs.size} outputs are proven, to within {100 * gap:.2g} %: "
            "there are few rows an input, or the box is loose"
        )
    if dead:
        found.append(f"{dead} outputs never fire" if dead > 1 else "1 output never fires")
    if saturated:
        at_the_ceiling = f"{saturated} outputs are" if saturated > 1 else "1 output is"
        found.append(f"{at_the_ceiling} at the ceiling in most rows")
    return tuple(found)
