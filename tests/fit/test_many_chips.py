"""Does a fit for many chips minimise the expected loss, keep the gain, and is its bound one?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import FOUR_BITS, random_problem
from scipy.optimize import minimize
from spikeloom.errors import FitError
from spikeloom.fit.figures import loss_unit
from spikeloom.fit.layer import fit_layer, make_loss
from spikeloom.fit.prior import active_equality, gain_copy
from spikeloom.fit.problem import LayerProblem, WeightGrid
from tolerances import FLOAT64, GAIN

SPREAD, RIDGE = 0.2, 0.5


def expected(problem: LayerProblem, weights: np.ndarray, bias: np.ndarray) -> float:
    """Penalised expected loss of the docstring, by its own formula."""
    loss, (prior, _) = make_loss(problem), gain_copy(problem)
    data = float(loss.total(problem.activity @ weights + bias).sum())
    variance = problem.spread**2 * (problem.activity**2) @ (weights**2)
    pull = 0.5 * RIDGE * float(((weights - prior) ** 2).sum())
    return (data + 0.5 * loss.stiffness * float(variance.sum()) + pull) / loss_unit(problem, loss)


def uneven_problem(seed: int, **changes: Any) -> LayerProblem:
    return random_problem(seed, 100, 4, 2, ridge=RIDGE, spread=SPREAD, **changes)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), objective=st.sampled_from(["matching", "l2"]))
def test_the_loss_is_the_expected_one_and_the_bound_below_it(seed: int, objective: str) -> None:
    problem = uneven_problem(seed, objective=objective)
    fit = fit_layer(problem, "robust")
    assert fit.loss == pytest.approx(expected(problem, fit.weights, fit.bias), rel=1e-9)
    assert fit.bound <= fit.loss
    assert fit.gap <= 0.01
    assert fit.quantised_weights == pytest.approx(fit.weights)
    assert fit.gain_deviation <= GAIN * 100


def test_no_other_weights_with_that_gain_have_less_expected_loss() -> None:
    """Against scipy's constrained minimiser, output by output."""
    problem = uneven_problem(3)
    fit, equality = fit_layer(problem, "robust"), active_equality(problem)

    def value(x: np.ndarray) -> float:
        weights, bias = x[:8].reshape(4, 2), x[8:]
        return expected(problem, weights, bias)

    kept = [
        {"type": "eq", "fun": lambda x, j=j: equality.direction[:, j] @ x[:8].reshape(4, 2)[:, j] - equality.value[j]}
        for j in range(2)
    ]  # fmt: skip
    start = np.concatenate((fit.weights.ravel(), fit.bias)) * 1.1
    found = minimize(value, start, method="SLSQP", constraints=kept, options={"maxiter": 300, "ftol": 1e-12})
    assert fit.bound * (1 - FLOAT64) <= found.fun
    assert fit.loss <= found.fun * 1.01


def test_over_many_chips_it_errs_less_than_the_plain_fit() -> None:
    """Where several lines say nearly the same, weights that share the work are less off than few large ones."""
    problem = random_problem(4, 600, 24, 6, own=0.02, ridge=1e-3, spread=0.3)
    loss, rng = make_loss(problem), np.random.default_rng(0)
    found = {method: fit_layer(problem, method) for method in ("fit+gain", "robust")}
    totals = dict.fromkeys(found, 0.0)
    for _ in range(40):
        chip = 1.0 + problem.spread * rng.normal(size=problem.weights.shape)
        for method, fit in found.items():
            totals[method] += float(loss.total(problem.activity @ (fit.weights * chip) + fit.bias).sum())
    assert totals["robust"] < 0.8 * totals["fit+gain"]


def test_codes_are_on_the_grid() -> None:
    fit = fit_layer(uneven_problem(5, grid=WeightGrid(FOUR_BITS, 1)), "robust")
    assert fit.codes.dtype == np.int32
    assert not (fit.codes % 32).any()
    assert np.unique(fit.scales).size == 1
    assert fit.gains is None
    assert fit.bound <= fit.loss <= fit.quantised_loss * (1 + FLOAT64)


def test_without_spread_or_for_other_objectives_it_is_refused() -> None:
    with pytest.raises(FitError, match="needs a spread of the weights above 0"):
        fit_layer(random_problem(0), "robust")
    with pytest.raises(FitError, match="no expected loss over chips for the objective l1"):
        fit_layer(uneven_problem(0, objective="l1"), "robust")
    with pytest.raises(FitError, match="spread must be a number of at least 0"):
        random_problem(0, spread=-0.1)


def test_too_few_rows_stay_at_the_copy() -> None:
    fit = fit_layer(random_problem(0, 12, 6, 2, spread=SPREAD), "robust")
    assert fit.method == "copy"
    assert "the weights stay at the copy" in fit.warnings[0]
