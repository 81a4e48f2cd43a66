"""Are the signs of presynaptic lines the best there are, where that is claimed, and near it elsewhere?"""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from problems import random_problem
from scipy.optimize import minimize, nnls
from spikeloom.errors import FitError
from spikeloom.fit.descent import minimise
from spikeloom.fit.layer import copy_layer, fit_layer, given_layer, make_loss
from spikeloom.fit.prior import gain_copy
from spikeloom.fit.problem import LayerProblem, Response, TypeTable, WeightGrid
from spikeloom.fit.sign_proof import SLACK, prove_signs
from spikeloom.fit.sign_search import search_signs
from spikeloom.fit.signs import SignedLayer, choose_signs
from tolerances import FLOAT64, REFERENCE_SOLVER, SIGNS_FACTOR

TWO_SIDED = {"activation": "identity", "response": Response.linear(), "objective": "l2"}
ONE_SIGN = WeightGrid(one_sign=True)
SIGNED_CODES = (-7, 7, 1)
RIDGE = 0.5
Array = NDArray[np.float64]


def layer_of(problem: LayerProblem) -> SignedLayer:
    return SignedLayer(make_loss(problem), problem.activity, gain_copy(problem)[0], RIDGE)


def least_squares_of_all(problem: LayerProblem) -> float:
    """The least loss over all signs, each solved by scipy's non-negative least squares."""
    prior = gain_copy(problem)[0]
    rows, wanted = (array - array.mean(axis=0) for array in (problem.activity, problem.target))
    least = np.inf
    for signs in product((1.0, -1.0), repeat=problem.n_inputs):
        turned = np.vstack((rows * signs, np.sqrt(RIDGE) * np.eye(len(prior))))
        goal = np.vstack((wanted, np.sqrt(RIDGE) * prior * np.reshape(signs, (-1, 1))))
        least = min(least, sum(0.5 * nnls(turned, column)[1] ** 2 for column in goal.T))
    return least


def matching_of_all(problem: LayerProblem) -> float:
    """The same for any loss, by scipy's L-BFGS-B."""
    loss, (prior, _), (n, m) = make_loss(problem), gain_copy(problem), problem.weights.shape

    def value(x: Array) -> tuple[float, Array]:
        weights, bias = x[: n * m].reshape(n, m), x[n * m :]
        current = problem.activity @ weights + bias
        slope = loss.slope(current)
        gradient = problem.activity.T @ slope + RIDGE * (weights - prior)
        total = loss.total(current).sum() + 0.5 * RIDGE * ((weights - prior) ** 2).sum()
        return total, np.concatenate((gradient.ravel(), slope.sum(axis=0)))

    found, free = [], [(None, None)] * m
    for signs in product(((0, None), (None, 0)), repeat=n):
        limits = [limit for limit in signs for _ in range(m)] + free
        start = np.concatenate((np.zeros(n * m), np.zeros(m)))
        options = {"maxiter": 5000, "maxfun": 20_000, "ftol": 1e-14, "gtol": 1e-9}
        found.append(minimize(value, start, jac=True, method="L-BFGS-B", bounds=limits, options=options).fun)
    return min(found)


def test_proven_signs_are_the_best_of_all_and_the_search_comes_near() -> None:
    ratios = []
    for seed in range(5):
        problem = random_problem(seed, 60, 7, 3, **TWO_SIDED)
        layer, best = layer_of(problem), least_squares_of_all(problem)
        relaxed = minimise(layer.loss, layer.activity, layer.prior, RIDGE)
        found, _ = choose_signs(layer, relaxed)
        proof = prove_signs(layer, found)
        assert proof.finished
        assert best * (1 - FLOAT64) <= proof.best.loss <= best / (1 - SLACK)
        assert best * (1 - SLACK) <= proof.bound <= best * (1 + FLOAT64)
        ratios.append(found.loss / best)
    assert min(ratios) > 1 - REFERENCE_SOLVER
    assert np.mean(ratios) < SIGNS_FACTOR


@pytest.mark.parametrize("objective", ["matching", "l2"])
def test_they_are_so_in_the_true_loss(objective: str) -> None:
    problem = random_problem(3, 60, 4, 2, objective=objective, grid=ONE_SIGN, ridge=RIDGE)
    fit, best = fit_layer(problem), matching_of_all(problem) / float(make_loss(problem).spread.sum())
    assert fit.signs is not None and fit.signs.proven and fit.bound_tag == "dual"
    assert best * (1 - REFERENCE_SOLVER) <= fit.loss <= best / (1 - SLACK)
    assert fit.bound <= best * (1 + REFERENCE_SOLVER)


def test_a_search_cut_short_bounds_what_it_did_not_see() -> None:
    problem = random_problem(1, 60, 7, 3, **TWO_SIDED)
    layer, best = layer_of(problem), least_squares_of_all(problem)
    start = layer.solve(np.ones(7, dtype=np.int8), layer.prior)
    bounds = [prove_signs(layer, start, branches=branches) for branches in (1, 8, 10_000)]
    assert [proof.finished for proof in bounds] == [False, False, True]
    assert bounds[0].bound < bounds[1].bound <= bounds[2].bound <= best * (1 + FLOAT64)
    assert all(proof.best.loss >= best * (1 - FLOAT64) for proof in bounds)


def test_no_single_flip_is_better_in_the_model() -> None:
    problem = random_problem(2, 200, 12, 5, **TWO_SIDED)
    layer = layer_of(problem)
    model = layer.model(minimise(layer.loss, layer.activity, layer.prior, RIDGE))
    found = search_signs(model, layer.prior)
    for line in range(12):
        signs = found.signs.copy()
        signs[line] *= -1
        assert model.solve(signs).cost > found.cost * (1 - 1e-5)


def test_parabolas_give_what_one_weight_costs_while_the_others_stay_free_or_held() -> None:
    problem = random_problem(0, 60, 6, 3, **TWO_SIDED)
    layer = layer_of(problem)
    model = layer.model(minimise(layer.loss, layer.activity, layer.prior, RIDGE))
    free = model.solve(np.zeros(6, dtype=np.int8))
    best, curvature = model.parabolas(free)
    assert np.allclose(best, model.relaxed)
    for line in range(6):
        others = np.flatnonzero(np.arange(6) != line)
        matrix = model.quadratic.matrix
        made_up = matrix[line, others] @ np.linalg.solve(matrix[np.ix_(others, others)], matrix[others, line])
        assert curvature[line] == pytest.approx(matrix[line, line] - made_up)


@pytest.mark.parametrize("objective", ["matching", "l2"])
def test_a_wide_layer_beats_the_signs_of_the_majority_and_keeps_them_on_the_grid(objective: str) -> None:
    grid = WeightGrid(SIGNED_CODES, one_sign=True)
    problem = random_problem(5, 400, 24, 8, objective=objective, grid=grid)
    fit, plain, copy = fit_layer(problem), fit_layer(problem, "plain"), copy_layer(problem)
    assert fit.signs is not None and not fit.signs.proven
    assert fit.loss < fit.signs.majority_loss and fit.signs.flipped > 0
    assert fit.bound_tag == "relaxed" and 0.0 < fit.bound < fit.loss < copy.data_loss
    assert fit.quantised_loss < plain.quantised_loss
    for one in (fit, plain, copy):
        assert not ((one.codes > 0).any(axis=1) & (one.codes < 0).any(axis=1)).any()
        assert not ((one.weights > 0).any(axis=1) & (one.weights < 0).any(axis=1)).any()
        assert (np.abs(one.codes) <= 7).all() and (one.codes < 0).any() and (one.codes > 0).any()
    assert copy.signs is not None and (copy.signs.flipped, copy.signs.majority_loss) == (0, copy.data_loss)
    report = json.loads(json.dumps(fit.report(), allow_nan=False))["signs"]
    assert report["negative"] == (fit.signs.signs < 0).sum() > 0


def test_the_plain_copy_keeps_the_signs_of_most_energy() -> None:
    plain = copy_layer(random_problem(5, 100, 6, 4, grid=ONE_SIGN), plain=True)
    assert not ((plain.weights > 0).any(axis=1) & (plain.weights < 0).any(axis=1)).any()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"objective": "l1"}, "one sign a line with an objective that knows none"),
        ({"gain": "keep"}, 'one sign a line and the gain "keep"'),
        ({"low": 0.0}, "limits of the weights and one sign a line"),
    ],
)
def test_what_knows_no_signs_is_refused_by_name(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(FitError, match=words):
        random_problem(0, grid=ONE_SIGN, **changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"levels": (-1, 1, 2)}, "no codes of both signs with 0 between them"),
        ({"levels": (0, 7, 1)}, "no codes of both signs with 0 between them"),
        ({"levels": SIGNED_CODES, "fan_in": 3}, "one sign a line beside a fan-in"),
        ({"type_table": TypeTable(4, 1, -7, 7, np.ones(2))}, "one sign a line beside a fan-in or types"),
    ],
)
def test_grids_without_two_sides_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(FitError, match=words):
        WeightGrid(one_sign=True, **changes)


def test_ways_that_know_no_signs_are_refused() -> None:
    problem = random_problem(0, grid=ONE_SIGN)
    for method in ("iv", "fit+gain"):
        with pytest.raises(FitError, match="limits or signs are fitted by other methods"):
            fit_layer(problem, method)  # type: ignore[arg-type]
    with pytest.raises(FitError, match="no sign for each line"):
        given_layer(problem, problem.weights, problem.bias)
