"""Are decoded codes the best there are, is the bound of a cut search one, and how near do beams come?"""

from __future__ import annotations

from itertools import product
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import correlated_activity, random_problem
from scipy.optimize import Bounds, LinearConstraint, milp
from spikeloom.errors import FitError
from spikeloom.fit.figures import loss_unit
from spikeloom.fit.integer import Quadratic, cost_at, full_range_scale, nearest, pick, round_at
from spikeloom.fit.lattice import Lattice
from spikeloom.fit.layer import fit_layer, make_loss
from spikeloom.fit.problem import WeightGrid
from spikeloom.fit.rounding import PLAIN_FACTORS
from tolerances import BEAM_FACTOR, DECODING_SECONDS, FLOAT64, LINEAR_PROGRAM, TRUE_LOSS_FACTOR

GRIDS = {
    "1 bit": (-1, 1, 2),
    "ternary": (-1, 1, 1),
    "3 bits": (-3, 3, 1),
    "4 bits": (-7, 7, 1),
    "even": (-4, 6, 2),
}


def layer_of(seed: int, n: int, m: int, rows: int = 500) -> tuple[Quadratic, np.ndarray]:
    rng = np.random.default_rng(seed)
    activity = correlated_activity(rng, rows, n)
    centred = activity - activity.mean(axis=0)
    ridge = 1e-2 * float((activity**2).mean()) * rows
    return Quadratic(centred.T @ centred, ridge), rng.normal(size=(n, m)) / np.sqrt(n)


def some_scale(weights: np.ndarray, levels: tuple[int, int, int]) -> np.ndarray:
    return 0.6 * full_range_scale(weights, levels)


def best_scale(model: Quadratic, weights: np.ndarray, levels: tuple[int, int, int]) -> np.ndarray:
    """Of plain rounding, as the fit starts from it."""
    scales = PLAIN_FACTORS[:, None] * full_range_scale(weights, levels)
    codes = round_at(lambda w, s: nearest(w, s, levels), weights, scales)
    return pick(cost_at(model, weights, scales, codes), scales, codes)[1]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000), n=st.integers(1, 5), grid=st.sampled_from(sorted(GRIDS)), bad=st.booleans()
)
def test_decoded_codes_are_the_best_of_all(seed: int, n: int, grid: str, bad: bool) -> None:
    levels = GRIDS[grid]
    if grid == "4 bits":
        n = min(n, 3)
    model, weights = layer_of(seed, n, 2, 60)
    scales = some_scale(weights, levels)
    start = np.full_like(weights, levels[0]) if bad else nearest(weights, scales, levels)
    found = Lattice(model.matrix).decode(weights, scales, levels, start)
    low, high, step = levels
    codes = np.array(list(product(range(low, high + 1, step), repeat=n)), dtype=float).T
    for j in range(2):
        least = model.cost(codes * scales[j] - weights[:, [j]]).min()
        assert found.cost[j] == pytest.approx(least, rel=FLOAT64, abs=1e-15)
    assert model.cost(found.codes * scales - weights) == pytest.approx(found.cost, rel=FLOAT64, abs=1e-15)
    assert found.proven == 2
    assert set(np.unique(found.codes)) <= set(range(low, high + 1, step))


@pytest.mark.parametrize("grid", ["1 bit", "ternary", "3 bits", "4 bits"])
@pytest.mark.parametrize(("n", "least"), [(25, 16), (32, 14)])
def test_layers_of_few_inputs_are_proven_in_time_and_a_beam_comes_near(n: int, least: int, grid: str) -> None:
    levels = GRIDS[grid]
    model, weights = layer_of(n, n, 16, 2000)
    scales = best_scale(model, weights, levels)
    beam = model.beam_and_descent(weights, scales, levels, 8)
    started = process_time()
    found = Lattice(model.matrix).decode(weights, scales, levels, beam)
    assert (process_time() - started) / 16 < DECODING_SECONDS
    assert found.proven >= least
    assert model.cost(beam * scales - weights).sum() <= BEAM_FACTOR * found.cost.sum()


def test_a_search_cut_short_bounds_what_it_did_not_see() -> None:
    levels = GRIDS["3 bits"]
    model, weights = layer_of(4, 16, 6)
    scales, lattice = some_scale(weights, levels), Lattice(model.matrix)
    start = nearest(weights, scales, levels)
    best = lattice.decode(weights, scales, levels, start)
    assert best.proven == 6
    for nodes in (1, 30, 300):
        cut = lattice.decode(weights, scales, levels, start, nodes=nodes)
        assert (cut.bound <= best.cost * (1 + FLOAT64)).all()
        assert (cut.cost >= best.cost * (1 - FLOAT64)).all()
    assert lattice.decode(weights, scales, levels, start, nodes=1).proven < 6


@pytest.mark.parametrize("grid", ["1 bit", "ternary", "4 bits"])
def test_a_small_layer_reports_that_its_codes_are_proven(grid: str) -> None:
    fit = fit_layer(random_problem(1, 200, 8, 3, grid=WeightGrid(GRIDS[grid]), ridge=0.5))
    assert fit.proven_codes == 3
    assert fit.rounding_gap == 0.0
    assert set(np.unique(fit.codes)) <= set(range(GRIDS[grid][0], GRIDS[grid][1] + 1, GRIDS[grid][2]))
    assert fit.bound <= fit.quantised_loss <= fit.plain_quantised_loss * (1 + FLOAT64)
    assert fit.report()["rounding_gap"] == 0.0


def test_a_wide_layer_says_that_nothing_is_proven() -> None:
    fit = fit_layer(random_problem(1, 300, 70, 2, grid=WeightGrid(GRIDS["4 bits"]), ridge=0.5))
    assert (fit.proven_codes, fit.rounding_gap, fit.report()["rounding_gap"]) == (0, float("inf"), None)


def least_absolute_error(
    activity: np.ndarray, wanted: np.ndarray, silent: np.ndarray, saturated: np.ndarray, scale: float
) -> float:
    """The least one-sided absolute error over ternary codes and a free bias, as a mixed-integer program."""
    rows, n = activity.shape
    cost = np.concatenate((np.zeros(n + 1), np.ones(2 * rows)))
    cost[n + 1 + rows :][silent] = 0.0  # being below costs nothing
    cost[n + 1 : n + 1 + rows][saturated] = 0.0
    matrix = np.hstack((activity * scale, np.ones((rows, 1)), -np.eye(rows), np.eye(rows)))
    low = np.concatenate((-np.ones(n), [-np.inf], np.zeros(2 * rows)))
    high = np.concatenate((np.ones(n), np.full(1 + 2 * rows, np.inf)))
    found = milp(cost, constraints=LinearConstraint(matrix, wanted, wanted), bounds=Bounds(low, high),
                 integrality=np.concatenate((np.ones(n), np.zeros(1 + 2 * rows))))  # fmt: skip
    assert found.success
    return float(found.fun)


@pytest.mark.parametrize("seed", range(4))
def test_absolute_error_on_a_grid_against_a_mixed_integer_program(seed: int) -> None:
    scale = 0.5
    grid = WeightGrid((-1, 1, 1), 1, scale_min=scale, scale_max=scale)
    problem = random_problem(seed, 40, 5, 1, objective="l1", grid=grid, box=2.0)
    fit, loss = fit_layer(problem), make_loss(problem)
    least = least_absolute_error(problem.activity, loss.wanted[:, 0], problem.silent[:, 0],
                                 problem.saturated[:, 0], scale)  # fmt: skip
    least /= loss_unit(problem, loss)
    assert fit.bound <= least * (1 + LINEAR_PROGRAM)
    assert least <= fit.quantised_data_loss * (1 + LINEAR_PROGRAM)
    assert fit.quantised_data_loss <= TRUE_LOSS_FACTOR * least


def test_arrays_that_do_not_fit_are_refused() -> None:
    model, weights = layer_of(0, 4, 2)
    lattice = Lattice(model.matrix)
    with pytest.raises(FitError, match="lattice: needs scales above 0"):
        lattice.decode(weights, np.array([1.0, 0.0]), (-1, 1, 1), np.zeros((4, 2)))
    with pytest.raises(FitError, match=r"lattice: needs pivot \(n,\)"):
        lattice.decode(weights, np.ones(3), (-1, 1, 1), np.zeros((4, 2)))


@pytest.mark.parametrize("levels", [(-1, 2, 2), (1, 3, 1), (0, 0, 1), (-1, 1, 0)])
def test_grids_without_codes_are_refused(levels: tuple[int, int, int]) -> None:
    with pytest.raises(FitError, match="weight grid"):
        WeightGrid(levels)
