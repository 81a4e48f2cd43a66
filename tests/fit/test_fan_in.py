"""Does an output keep no more inputs than the chip allows, and are they nearly the best ones?"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import correlated_activity, random_problem
from spikeloom.errors import FitError
from spikeloom.fit.fan_in import keep_inputs
from spikeloom.fit.integer import Quadratic
from spikeloom.fit.layer import copy_layer, fit_layer
from spikeloom.fit.problem import WeightGrid
from tolerances import FAN_IN_FACTOR, FLOAT64


def model_of(seed: int, n: int, m: int) -> tuple[Quadratic, np.ndarray]:
    rng = np.random.default_rng(seed)
    activity = correlated_activity(rng, 300, n)
    centred = activity - activity.mean(axis=0)
    return Quadratic(centred.T @ centred, 1.0), rng.normal(size=(n, m))


def least_excess(matrix: np.ndarray, weights: np.ndarray, most: int) -> float:
    """Over every choice of inputs: D'MD with the kept weights solved, that is w_R' (M / M_SS) w_R."""
    n, best = len(weights), np.inf
    for inside in combinations(range(n), most):
        s, r = list(inside), [i for i in range(n) if i not in inside]
        schur = matrix[np.ix_(r, r)] - matrix[np.ix_(r, s)] @ np.linalg.solve(
            matrix[np.ix_(s, s)], matrix[np.ix_(s, r)]
        )
        best = min(best, float(weights[r] @ schur @ weights[r]))
    return best


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(2, 9), data=st.data())
def test_backward_selection_comes_near_the_best_choice(seed: int, n: int, data: st.DataObject) -> None:
    most = data.draw(st.integers(1, n - 1))
    model, weights = model_of(seed, n, 2)
    kept = keep_inputs(model.matrix, weights, most)
    assert ((kept != 0).sum(axis=0) <= most).all()
    for j in range(2):
        error = kept[:, j] - weights[:, j]
        least = least_excess(model.matrix, weights[:, j], most)
        assert least * (1 - FLOAT64) <= error @ model.matrix @ error
        pull = (model.matrix @ error)[kept[:, j] != 0]
        assert np.abs(pull).max() < 1e-6 * np.abs(model.matrix).max()  # the kept ones are solved


def test_the_choice_is_near_the_best_on_average_and_far_from_the_largest_weights() -> None:
    ratios, largest = [], []
    for seed in range(10):
        model, weights = model_of(seed, 10, 1)
        least = least_excess(model.matrix, weights[:, 0], 4)
        error = keep_inputs(model.matrix, weights, 4) - weights
        ratios.append(float(model.cost(error)[0] / least))
        simple = np.where(np.argsort(np.argsort(-np.abs(weights), axis=0), axis=0) < 4, weights, 0.0)
        largest.append(float(model.cost(simple - weights)[0] / least))
    assert np.mean(ratios) < FAN_IN_FACTOR
    assert np.mean(largest) > 2.0 * np.mean(ratios)


def test_many_inputs_are_screened_first() -> None:
    model, weights = model_of(3, 60, 3)
    kept = keep_inputs(model.matrix, weights, 6)
    assert ((kept != 0).sum(axis=0) == 6).all()
    assert np.array_equal(keep_inputs(model.matrix, weights, 60), weights)


@pytest.mark.parametrize("levels", [(-7, 7, 1), (-1, 1, 1), None])
@pytest.mark.parametrize("objective", ["matching", "l2"])
def test_a_fitted_layer_obeys_its_fan_in_and_its_bound_holds(
    levels: tuple[int, int, int] | None, objective: str
) -> None:
    free = fit_layer(random_problem(2, 300, 12, 4, objective=objective, grid=WeightGrid(levels), ridge=0.3))
    problem = random_problem(2, 300, 12, 4, objective=objective, grid=WeightGrid(levels, fan_in=5), ridge=0.3)
    fit = fit_layer(problem)
    assert ((fit.codes != 0).sum(axis=0) <= 5).all()
    assert ((fit.weights != 0).sum(axis=0) <= 5).all()
    assert fit.bound_tag == "relaxed"
    assert free.bound == pytest.approx(fit.bound, rel=FLOAT64)
    assert fit.bound <= free.loss < fit.loss
    copy = copy_layer(problem)
    assert ((copy.codes != 0).sum(axis=0) <= 5).all()
    assert fit.quantised_data_loss < copy.quantised_data_loss


@pytest.mark.parametrize("grid", [{"fan_in": 0}, {"levels": (-1, 1, 2), "fan_in": 3}])
def test_impossible_fan_ins_are_refused(grid: dict[str, object]) -> None:
    with pytest.raises(FitError, match="weight grid"):
        WeightGrid(**grid)  # type: ignore[arg-type]
