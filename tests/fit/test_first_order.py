"""Do the programs solved side by side agree with HiGHS, and do their multipliers give bounds?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import random_problem
from scipy.optimize import linprog, minimize_scalar
from spikeloom.errors import FitError
from spikeloom.fit import linear_program
from spikeloom.fit.bound import dual_bound
from spikeloom.fit.first_order import Splitting
from spikeloom.fit.layer import fit_layer, make_loss
from spikeloom.fit.prior import active_equality, gain_copy
from spikeloom.fit.problem import LayerProblem, WeightGrid
from tolerances import BIAS, FIRST_ORDER, FLOAT64, GAIN, GAP, LINEAR_PROGRAM

PROGRAMS = ("l1", "linf")


def setting(objective: str, seed: int = 1, **changes: Any) -> tuple[LayerProblem, Any, np.ndarray, float]:
    problem = random_problem(seed, objective=objective, **changes)
    prior, _ = gain_copy(problem)
    return problem, make_loss(problem), prior, 0.3 * float(np.abs(prior).max())


def least_largest_error(problem: LayerProblem, prior: np.ndarray, box: float) -> np.ndarray:
    """(m,) by HiGHS: minimise t with t >= I - I* where it counts above, t >= I* - I where it counts below."""
    rows, n = problem.activity.shape
    design, found = np.hstack((problem.activity, np.ones((rows, 1)))), []
    for j in range(problem.n_outputs):
        above, below = ~problem.saturated[:, j], ~problem.silent[:, j]
        wanted = problem.target_current[:, j]
        matrix = np.vstack((design[above], -design[below]))
        matrix = np.hstack((matrix, -np.ones((len(matrix), 1))))
        limits = [*zip(prior[:, j] - box, prior[:, j] + box, strict=True), (None, None), (0, None)]
        cost = np.concatenate((np.zeros(n + 1), [1.0]))
        done = linprog(cost, matrix, np.concatenate((wanted[above], -wanted[below])), bounds=limits)
        assert done.status == 0
        found.append(done.fun)
    return np.array(found)


def test_absolute_errors_agree_with_highs() -> None:
    problem, loss, prior, box = setting("l1", rows=400, n=24, m=6)
    least = 0.0
    for j in range(6):
        one = loss.part(slice(None), slice(j, j + 1))
        weights, _, _ = one.solve(problem.activity, prior[:, j], box, "layer", None)
        current = (problem.activity @ weights)[:, None]
        least += float(one.total(current + one.best_bias(current, np.zeros(1)))[0])
    _, _, got, bound = Splitting(loss, problem.activity, prior, box).run(2000, 1e-5)
    assert least * (1 - LINEAR_PROGRAM) <= got.sum() <= least * (1 + FIRST_ORDER)
    assert bound.sum() <= least * (1 + LINEAR_PROGRAM)
    assert bound.sum() >= least * (1 - GAP)


def test_largest_errors_agree_with_highs() -> None:
    problem, loss, prior, box = setting("linf", rows=200, n=8, m=5)
    least = least_largest_error(problem, prior, box).sum()
    _, _, got, bound = Splitting(loss, problem.activity, prior, box).run(8000, 1e-5)
    assert least * (1 - LINEAR_PROGRAM) <= got.sum() <= least * (1 + FIRST_ORDER)
    assert bound.sum() <= least * (1 + LINEAR_PROGRAM)
    assert bound.sum() >= least * (1 - GAP)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), objective=st.sampled_from(PROGRAMS), spread=st.floats(1e-2, 10.0))
def test_any_multiplier_of_the_largest_error_bounds_any_weights(
    seed: int, objective: str, spread: float
) -> None:
    rng = np.random.default_rng(seed)
    problem, loss, prior, box = setting(objective, seed, rows=40, n=4, m=3)
    bound = dual_bound(loss, problem.activity, prior, spread * rng.normal(size=problem.target.shape), box=box)
    for _ in range(5):
        current = problem.activity @ (prior + box * rng.uniform(-1.0, 1.0, prior.shape))
        assert (bound <= loss.total(current + loss.best_bias(current, np.zeros(3)))).all()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), objective=st.sampled_from(PROGRAMS), step=st.floats(0.01, 5.0))
def test_the_proximal_point_is_the_nearest_compromise(seed: int, objective: str, step: float) -> None:
    rng = np.random.default_rng(seed)
    _, loss, _, _ = setting(objective, seed, rows=12, n=3, m=2)
    current, steps = loss.wanted + rng.normal(size=loss.wanted.shape), np.full(2, step)

    def value(x: np.ndarray) -> np.ndarray:
        return np.asarray(loss.total(x) + ((x - current) ** 2).sum(axis=0) / (2.0 * step))

    point = loss.proximal(current, steps)
    least = value(point)
    for _ in range(20):
        other = point + 0.1 * rng.normal(size=point.shape)
        assert (value(other) >= least * (1 - FLOAT64)).all()


@pytest.mark.parametrize("seed", range(6))
def test_the_bias_of_the_largest_error_is_its_minimiser(seed: int) -> None:
    problem, loss, _, _ = setting("linf", seed, rows=60)
    current = problem.activity @ problem.weights
    found = loss.best_bias(current, np.zeros(4))
    for j in range(4):
        one = loss.part(slice(None), slice(j, j + 1))
        best = minimize_scalar(lambda b, one=one, j=j: one.total(current[:, [j]] + b)[0], bounds=(-20.0, 20.0),
                               method="bounded", options={"xatol": 1e-10})  # fmt: skip
        assert one.total(current[:, [j]] + found[j])[0] <= best.fun + BIAS


@pytest.mark.parametrize("objective", PROGRAMS)
def test_a_layer_too_large_for_highs_is_fitted_with_a_bound(
    objective: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = WeightGrid((-7, 7, 1))
    monkeypatch.setattr(linear_program, "SMALL", 0)
    problem, _, _, box = setting(objective, rows=700, n=48, m=6, own=0.3, grid=grid)
    fit = fit_layer(random_problem(1, 700, 48, 6, 0.3, objective=objective, grid=grid, box=box))
    assert fit.bound_tag == "dual"
    assert 0.0 < fit.bound <= fit.loss
    assert fit.gap < GAP
    assert fit.quantised_loss >= fit.bound
    assert np.abs(fit.weights - gain_copy(problem)[0]).max() <= box * (1 + FLOAT64)


@pytest.mark.parametrize("objective", PROGRAMS)
def test_the_gain_is_kept_in_the_box(objective: str) -> None:
    problem, loss, prior, box = setting(objective, rows=300, n=8, m=4)
    equality = active_equality(problem)
    weights, multiplier, got, bound = Splitting(loss, problem.activity, prior, box, equality).run(3000, 1e-4)
    assert (bound <= got * (1 + FLOAT64)).all()
    reached = (equality.direction * weights).sum(axis=0)
    assert reached == pytest.approx(equality.value, rel=GAIN, abs=GAIN)
    assert np.isfinite(multiplier).all()
    with pytest.raises(FitError, match="keep the gain"):
        fit_layer(random_problem(1, 300, 8, 4, objective=objective, gain="keep", box=1e-6))


@pytest.mark.parametrize("objective", PROGRAMS)
@pytest.mark.parametrize("gain", ["free", "keep"])
def test_small_layers_are_solved_to_their_bound(objective: str, gain: str) -> None:
    problem, _, _, box = setting(objective, rows=150, n=6, m=3)
    fit = fit_layer(random_problem(1, 150, 6, 3, objective=objective, gain=gain, box=4 * box))
    assert 0.0 < fit.bound <= fit.loss
    assert fit.gap < LINEAR_PROGRAM
