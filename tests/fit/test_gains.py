"""Are codes that drive uneven synapses chosen for what each is worth, and are they near the best there are?"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import FOUR_BITS, correlated_activity, random_problem
from spikeloom.errors import FitError
from spikeloom.fit.figures import loss_unit
from spikeloom.fit.integer import Quadratic, full_range_scale
from spikeloom.fit.lattice import Lattice
from spikeloom.fit.layer import fit_layer, make_loss
from spikeloom.fit.prior import gain_copy
from spikeloom.fit.problem import LayerProblem, TypeTable, WeightGrid
from tolerances import BRUTE_FORCE_FACTOR, FLOAT64, TRUE_LOSS_FACTOR

TERNARY, SMALL = (-1, 1, 1), (-3, 3, 1)
few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def uneven(rng: np.random.Generator, shape: tuple[int, ...], spread: float = 0.4) -> np.ndarray:
    return np.exp(spread * rng.normal(size=shape))


def model_of(seed: int, n: int, m: int = 3) -> tuple[np.ndarray, float, np.ndarray, np.ndarray]:
    """H, lambda, weights and gains of a random layer."""
    rng = np.random.default_rng(seed)
    activity = correlated_activity(rng, 100, n)
    centred = activity - activity.mean(axis=0)
    return centred.T @ centred, 0.3, rng.normal(size=(n, m)), uneven(rng, (n, m))


@few
@given(seed=seeds, n=st.integers(1, 60))
def test_a_descent_with_gains_is_that_of_each_output_s_own_h(seed: int, n: int) -> None:
    """H_j = diag(gain_j) (H + lambda) diag(gain_j) for the weights without their gains, output by output."""
    data, ridge, weights, gains = model_of(seed, n)
    scales = full_range_scale(weights / gains, SMALL)
    start = np.zeros_like(weights)
    together = Quadratic(data, ridge).descend(weights, scales * gains, start, SMALL, 50)
    for j in range(weights.shape[1]):
        own = np.outer(gains[:, j], gains[:, j]) * (data + ridge * np.eye(n))
        bare = (weights / gains)[:, j : j + 1]
        alone = Quadratic(own, 0.0).descend(bare, scales[j : j + 1], start[:, :1], SMALL, 50)
        assert np.array_equal(alone[:, 0], together[:, j])


@few
@given(seed=seeds, n=st.integers(1, 40), rounder=st.sampled_from(["error_feedback", "descend", "beam"]))
def test_even_gains_change_nothing(seed: int, n: int, rounder: str) -> None:
    data, ridge, weights, _ = model_of(seed, n)
    model, scales = Quadratic(data, ridge), 0.7 * full_range_scale(weights, SMALL)
    rest = {"error_feedback": (), "descend": (np.zeros_like(weights),), "beam": ()}[rounder]
    last = {"error_feedback": (), "descend": (8,), "beam": (4,)}[rounder]
    found = [
        getattr(model, rounder)(weights, worth, *rest, SMALL, *last)
        for worth in (scales, scales * np.ones_like(weights))
    ]
    assert np.array_equal(*found)


def test_rounding_with_gains_is_near_the_best_codes_and_decoding_finds_them() -> None:
    ratios = []
    for seed in range(12):
        data, ridge, weights, gains = model_of(seed, 5)
        model, scales = Quadratic(data, ridge), 0.8 * full_range_scale(weights / gains, SMALL)
        every = np.array(list(product(range(-3, 4), repeat=5)), dtype=float).T
        best = np.array(
            [
                model.cost(every * worth[:, None] - w[:, None]).min()
                for worth, w in zip((scales * gains).T, weights.T, strict=True)
            ]
        )
        codes = model.feedback_and_descent(weights, scales * gains, SMALL, 8)
        ours = model.cost(codes * scales * gains - weights)
        assert (ours >= best * (1 - FLOAT64)).all()
        ratios.append(ours.sum() / best.sum())
        exact = Lattice(model.matrix).decode(weights, scales * gains, SMALL, codes)
        assert exact.proven == 3
        assert exact.cost == pytest.approx(best, rel=FLOAT64)
        assert model.cost(exact.codes * scales * gains - weights) == pytest.approx(best, rel=FLOAT64)
    assert np.mean(ratios) <= BRUTE_FORCE_FACTOR


@few
@given(seed=seeds, objective=st.sampled_from(["matching", "l2"]))
def test_bound_best_codes_and_ours_are_in_this_order(seed: int, objective: str) -> None:
    """Every code of a tiny layer with gains at the same scale, lambda and activity, in the true loss."""
    gains, scale = uneven(np.random.default_rng(seed), (3, 2)), 0.25
    grid = WeightGrid(SMALL, 1, scale_min=scale, scale_max=scale, gains=gains)
    problem = random_problem(seed, 60, 3, 2, objective=objective, grid=grid, ridge=0.3)
    fit = fit_layer(problem)
    best = best_true_loss(problem, scale, gains)
    relaxed = fit_layer(random_problem(seed, 60, 3, 2, objective=objective, ridge=0.3))
    assert fit.weights == pytest.approx(relaxed.weights)  # what is wanted does not depend on the chip
    assert relaxed.bound <= best <= fit.quantised_loss * (1 + FLOAT64)
    assert fit.quantised_loss - relaxed.bound <= TRUE_LOSS_FACTOR * (best - relaxed.bound)


def best_true_loss(problem: LayerProblem, scale: float, gains: np.ndarray) -> float:
    loss, (prior, _) = make_loss(problem), gain_copy(problem)
    every, best = np.array(list(product(range(-3, 4), repeat=3)), dtype=float).T, 0.0
    for j in range(problem.n_outputs):
        weights = every * scale * gains[:, j, None]
        one = loss.part(slice(None), np.full(weights.shape[1], j))
        current = problem.activity @ weights
        bias = one.best_bias(current, np.zeros(weights.shape[1]))
        penalty = 0.15 * ((weights - prior[:, j, None]) ** 2).sum(axis=0)
        best += float((one.total(current + bias) + penalty).min()) / loss_unit(problem, loss)
    return best


@pytest.mark.parametrize("levels", [TERNARY, SMALL, FOUR_BITS])
def test_codes_that_know_the_gains_lose_less_than_codes_that_do_not(levels: tuple[int, int, int]) -> None:
    gains = uneven(np.random.default_rng(1), (40, 12), 0.2)
    knowing = fit_layer(random_problem(9, 400, 40, 12, grid=WeightGrid(levels, gains=gains), ridge=1.0))
    blind = fit_layer(random_problem(9, 400, 40, 12, grid=WeightGrid(levels), ridge=1.0))
    problem = random_problem(9, 400, 40, 12)
    loss = make_loss(problem)

    def true_loss(weights: np.ndarray) -> float:
        current = problem.activity @ weights
        return float(loss.total(current + loss.best_bias(current, np.zeros(12))).sum())

    assert np.array_equal(knowing.quantised_weights, knowing.codes * knowing.scales * gains)
    assert true_loss(knowing.quantised_weights) < true_loss(blind.quantised_weights * gains)


def test_continuous_weights_are_divided_by_their_gains() -> None:
    gains = uneven(np.random.default_rng(2), (6, 4))
    fit = fit_layer(random_problem(5, grid=WeightGrid(gains=gains)))
    assert fit.codes == pytest.approx(fit.weights / gains)
    assert fit.quantised_weights == pytest.approx(fit.weights)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_gains_that_are_none_are_refused(value: float) -> None:
    with pytest.raises(FitError, match="needs gains above 0"):
        WeightGrid(SMALL, gains=np.array([[1.0, value]]))


def test_gains_of_another_layer_are_refused() -> None:
    with pytest.raises(FitError, match=r"gains have the wrong shape; got \(4, 6\), limit \(6, 4\)"):
        random_problem(0, grid=WeightGrid(SMALL, gains=np.ones((4, 6))))
    for other in ({"type_table": TypeTable(4, 1, -3, 3, np.ones(4))}, {"one_sign": True}):
        with pytest.raises(
            FitError, match="gains of single synapses beside one sign a line or types of axons"
        ):
            WeightGrid(SMALL, gains=np.ones((6, 4)), **other)
