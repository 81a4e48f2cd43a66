"""Are weights between limits the best there are, and is their bound a bound?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import FOUR_BITS, random_problem
from scipy.optimize import lsq_linear, minimize
from spikeloom.errors import FitError
from spikeloom.fit.bound import dual_bound
from spikeloom.fit.box_quadratic import BoxQuadratic
from spikeloom.fit.layer import fit_layer, make_loss
from spikeloom.fit.limited import minimise_limited
from spikeloom.fit.prior import gain_copy
from spikeloom.fit.problem import LayerProblem, Response, WeightGrid
from tolerances import FLOAT64, GAP, REFERENCE_SOLVER

TWO_SIDED = {"activation": "identity", "response": Response.linear(), "objective": "l2"}


def signs(seed: int, n: int) -> dict[str, Any]:
    """Every presynaptic line has one sign."""
    excitatory = np.random.default_rng(seed).random((n, 1)) < 0.5
    return {"low": np.where(excitatory, 0.0, -np.inf), "high": np.where(excitatory, np.inf, 0.0)}


@pytest.mark.parametrize("seed", range(4))
def test_box_constrained_least_squares_agree_with_scipy(seed: int) -> None:
    problem = random_problem(seed, 90, 12, 3, **TWO_SIDED)
    prior, _ = gain_copy(problem)
    low, high = np.full(prior.shape, -0.2), np.full(prior.shape, 0.3)
    found = minimise_limited(make_loss(problem), problem.activity, prior, 0.0, low, high, tolerance=1e-9)
    design = np.column_stack([problem.activity, np.ones(len(problem.activity))])
    held = 0
    for j in range(problem.n_outputs):
        bounds = np.append(low[:, j], -np.inf), np.append(high[:, j], np.inf)
        other = lsq_linear(design, problem.target[:, j], bounds, method="bvls", tol=1e-14)
        assert found.loss[j] == pytest.approx(other.cost, rel=REFERENCE_SOLVER)
        assert found.bound[j] <= other.cost * (1 + FLOAT64)
        assert found.bound[j] == pytest.approx(other.cost, rel=REFERENCE_SOLVER)
        held += int((other.active_mask != 0).sum())
    assert held > 3


@pytest.mark.parametrize("objective", ["matching", "l2"])
@pytest.mark.parametrize("seed", range(3))
def test_limited_fits_agree_with_another_solver(objective: str, seed: int) -> None:
    problem = random_problem(seed, 80, 4, 2, objective=objective)
    loss, (prior, _), ridge = make_loss(problem), gain_copy(problem), 0.5
    low, high = prior - 0.1, prior + 0.15
    found = minimise_limited(
        loss, problem.activity, prior, ridge, low, high, tolerance=1e-8, max_iterations=500
    )
    n, m = prior.shape

    def value(x: np.ndarray) -> tuple[float, np.ndarray]:
        weights, bias = x[: n * m].reshape(n, m), x[n * m :]
        current = problem.activity @ weights + bias
        slope = loss.slope(current)
        gradient = problem.activity.T @ slope + ridge * (weights - prior)
        total = loss.total(current).sum() + 0.5 * ridge * ((weights - prior) ** 2).sum()
        return total, np.concatenate((gradient.ravel(), slope.sum(axis=0)))

    start = np.concatenate((prior.ravel(), np.zeros(m)))
    bounds = [*zip(low.ravel(), high.ravel(), strict=True), *[(None, None)] * m]
    options = {"maxiter": 20_000, "maxfun": 40_000, "ftol": 1e-15, "gtol": 1e-10}
    other = minimize(value, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).fun
    assert found.bound.sum() <= other * (1 + FLOAT64)
    assert found.loss.sum() == pytest.approx(other, rel=REFERENCE_SOLVER)
    assert found.bound.sum() == pytest.approx(other, rel=REFERENCE_SOLVER)
    assert ((found.weights >= low) & (found.weights <= high)).all()


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    objective=st.sampled_from(["matching", "l2"]),
    ridge=st.sampled_from([0.0, 0.01, 1.0]),
    spread=st.floats(1e-3, 3.0),
)
def test_any_multiplier_bounds_any_weights_between_limits(
    seed: int, objective: str, ridge: float, spread: float
) -> None:
    rng = np.random.default_rng(seed)
    problem = random_problem(seed, 50, 5, 3, objective=objective)
    loss, (prior, _) = make_loss(problem), gain_copy(problem)
    low = -rng.random(prior.shape)
    high = low + rng.random(prior.shape)
    multiplier = spread * rng.normal(size=problem.target.shape)
    bound = dual_bound(loss, problem.activity, prior, multiplier, ridge=ridge, limits=(low, high))
    for _ in range(5):
        weights = rng.uniform(low, high)
        current = problem.activity @ weights
        current += loss.best_bias(current, np.zeros(problem.n_outputs))
        value = loss.total(current) + 0.5 * ridge * ((weights - prior) ** 2).sum(axis=0)
        assert (bound <= value).all()


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 12),
    start=st.sampled_from([-1, 0, 1]),
    shift=st.sampled_from([1e-6, 1.0]),
)
def test_pivoting_ends_at_the_optimum_from_any_guess(seed: int, n: int, start: int, shift: float) -> None:
    """All of the conditions of the optimum: in the box, no slope where free, no slope inwards where held."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(max(1, n // 2), n))
    matrix = root.T @ root + shift * np.eye(n)
    linear, low = rng.normal(size=(n, 3)), -rng.random((n, 3))
    high = np.where(rng.random((n, 3)) < 0.2, low, low + rng.random((n, 3)))
    ends = np.full((n, 3), start, dtype=np.int8)
    weights, _ = BoxQuadratic(matrix).solve(linear, low, high, ends, 1000)
    slope = matrix @ weights - linear
    assert ((weights >= low) & (weights <= high)).all()
    near = 1e-6 * (1.0 + np.abs(linear))
    assert (np.abs(slope) <= near)[(weights > low) & (weights < high)].all()
    assert (slope >= -near)[(weights == low) & (low < high)].all()
    assert (slope <= near)[(weights == high) & (low < high)].all()


@pytest.mark.parametrize("objective", ["matching", "l2"])
def test_signs_of_presynaptic_lines_are_kept_and_proven(objective: str) -> None:
    given_signs = signs(5, 8)
    problem = random_problem(5, 300, 8, 6, objective=objective, **given_signs)
    fit, copy = fit_layer(problem), fit_layer(problem, "copy")
    for one in (fit, copy):
        assert ((one.weights >= given_signs["low"]) & (one.weights <= given_signs["high"])).all()
    assert (fit.weights == 0.0).sum() > 3
    assert (fit.bound_tag, fit.bound <= fit.loss, fit.gap < GAP) == ("dual", True, True)
    assert fit.data_loss < copy.data_loss
    assert fit.loss > fit_layer(random_problem(5, 300, 8, 6, objective=objective, ridge=fit.lambda_)).bound


def test_a_box_around_the_copy_needs_no_other_pull() -> None:
    problem = random_problem(1, 200, 6, 4, box=0.05, ridge=0.0)
    fit, (prior, _) = fit_layer(problem), gain_copy(problem)
    assert np.abs(fit.weights - prior).max() <= 0.05 * (1 + FLOAT64)
    assert 0.0 < fit.bound <= fit.loss
    assert fit.gap < GAP


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"low": 0.5, "high": 0.4}, "no weight lies within low, high and box at input 0, output 0"),
        ({"low": np.zeros((5, 1))}, "low does not broadcast to the weights"),
        ({"high": np.nan}, "high holds NaN"),
        ({"low": 0.0, "objective": "l1"}, "low or high with an objective that knows only a box"),
        ({"low": 0.0, "gain": "keep"}, 'limits of the weights and the gain "keep"'),
        ({"low": 0.0, "grid": WeightGrid(FOUR_BITS)}, "limits of the weights and a grid"),
        ({"low": 0.0, "grid": WeightGrid(fan_in=2)}, "limits of the weights and a fan-in"),
        ({"ridge": 0.0}, "ridge must be a positive number"),
        ({"ridge": 0.0, "low": 0.0}, "ridge must be a positive number"),
    ],
)
def test_limits_that_cannot_be_are_refused_by_name(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(FitError, match=words):
        fit_layer(random_problem(0, **changes))


def test_methods_that_know_no_limits_are_refused() -> None:
    problem: LayerProblem = random_problem(0, low=-1.0, high=1.0)
    with pytest.raises(
        FitError, match=r"weights with limits or signs are fitted by other methods; got fit\+gain"
    ):
        fit_layer(problem, "fit+gain")
