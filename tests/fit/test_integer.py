"""Does rounding stay on the grid, obey the chip's scales, and come near the best codes there are?"""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import EIGHT_BITS, FOUR_BITS, random_problem
from spikeloom.fit.figures import loss_unit
from spikeloom.fit.integer import Quadratic, cluster_scales, full_range_scale, nearest
from spikeloom.fit.layer import copy_layer, fit_layer, make_loss
from spikeloom.fit.prior import gain_copy
from spikeloom.fit.problem import WeightGrid
from tolerances import BRUTE_FORCE_FACTOR, FLOAT64, PLAIN_ROUNDING_SHARE, TRUE_LOSS_FACTOR

few = settings(max_examples=25, deadline=None)


def model_of(seed, n, rows=200):
    rng = np.random.default_rng(seed)
    problem = random_problem(seed, rows, n, 3)
    centred = problem.activity - problem.activity.mean(axis=0)
    return Quadratic(centred.T @ centred, 0.05 * rows / n), problem.weights, rng


@few
@given(seed=st.integers(0, 2**32 - 1), objective=st.sampled_from(["matching", "l2"]), keep=st.booleans())
def test_bound_best_codes_and_ours_are_in_this_order(seed, objective, keep):
    """Every code of a tiny layer at the same scale, lambda and activity, in the true loss."""
    levels, scale = (-4, 4, 1), 0.25
    grid = WeightGrid(levels, 1, scale_min=scale, scale_max=scale)
    gain = "keep" if keep else "free"
    problem = random_problem(seed, 60, 3, 2, objective=objective, grid=grid, ridge=0.3, gain=gain)
    fit = fit_layer(problem)
    loss, (prior, _) = make_loss(problem), gain_copy(problem)
    unit = loss_unit(problem, loss)
    codes = np.array(list(product(range(-4, 5), repeat=3)), dtype=float).T * scale
    best = 0.0
    for j in range(2):
        one = loss.part(slice(None), np.full(codes.shape[1], j))
        current = problem.activity @ codes
        bias = one.best_bias(current, np.zeros(codes.shape[1]))
        penalty = 0.15 * ((codes - prior[:, j, None]) ** 2).sum(axis=0)
        best += (one.total(current + bias) + penalty).min() / unit
    relaxed = fit_layer(random_problem(seed, 60, 3, 2, objective=objective, ridge=0.3))
    assert relaxed.bound <= best
    assert best <= fit.quantised_loss * (1 + FLOAT64)
    assert (fit.scales == scale).all()
    if not keep:
        assert fit.quantised_loss - relaxed.bound <= TRUE_LOSS_FACTOR * (best - relaxed.bound)


def brute_force(model, weights, scales, levels):
    low, high, step = levels
    codes = np.array(list(product(range(low, high + 1, step), repeat=len(weights))), dtype=float).T
    return np.array(
        [model.cost(codes * s - w[:, None]).min() for w, s in zip(weights.T, scales, strict=True)]
    )


@pytest.mark.parametrize("levels", [(-1, 1, 1), (-4, 2, 2), (-64, 48, 16)])
def test_rounding_is_near_the_best_codes_of_the_quadratic(levels):
    ratios = []
    for seed in range(12):
        model, weights, _ = model_of(seed, 4 if levels[0] == -64 else 6)
        scales = 0.8 * full_range_scale(weights, levels)
        best = brute_force(model, weights, scales, levels)
        codes = model.feedback_and_descent(weights, scales, levels, 8)
        ours = model.cost(codes * scales - weights)
        assert (ours >= best * (1 - FLOAT64)).all()
        ratios.append(ours.sum() / best.sum())
    assert np.mean(ratios) <= BRUTE_FORCE_FACTOR


@few
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 70))
def test_descent_never_makes_codes_worse_and_ends_where_no_code_can_move(seed, n):
    model, weights, rng = model_of(seed, n, 100)
    levels, scales = FOUR_BITS, full_range_scale(weights, FOUR_BITS) * rng.uniform(0.4, 1.1, 3)
    start = nearest(weights, scales, levels)
    codes = model.descend(weights, scales, start, levels, 200)
    assert (
        model.cost(codes * scales - weights) <= model.cost(start * scales - weights) * (1 + FLOAT64)
    ).all()
    here = model.cost(codes * scales - weights)
    for i in range(n):
        for step in (-32, 32):
            moved = codes.copy()
            moved[i] = np.clip(moved[i] + step, -256, 224)
            assert (model.cost(moved * scales - weights) >= here * (1 - FLOAT64) - FLOAT64).all()


def test_blocks_change_nothing(monkeypatch):
    from spikeloom.fit import integer

    model, weights, _ = model_of(3, 30)
    scales = full_range_scale(weights, FOUR_BITS)
    whole = model.feedback_and_descent(weights, scales, FOUR_BITS, 8)
    for block in (1, 7, 1000):
        monkeypatch.setattr(integer, "BLOCK", block)
        assert np.array_equal(model.feedback_and_descent(weights, scales, FOUR_BITS, 8), whole)


@pytest.mark.parametrize("levels", [FOUR_BITS, EIGHT_BITS, (-1, 1, 1), (0, 15, 1)])
@pytest.mark.parametrize("groups", [None, 1, 3])
@pytest.mark.parametrize("make", [fit_layer, copy_layer])
def test_codes_are_on_the_grid_and_scales_within_their_number(levels, groups, make):
    fit = make(random_problem(6, 200, 10, 8, grid=WeightGrid(levels, groups)))
    low, high, step = levels
    assert fit.codes.dtype == np.int32
    assert fit.codes.min() >= low
    assert fit.codes.max() <= high
    assert not (fit.codes % step).any()
    assert np.unique(fit.scales).size <= (groups or 8)
    assert fit.quantised_weights == pytest.approx(fit.codes * fit.scales)


def test_limits_of_the_scale_are_obeyed():
    fit = fit_layer(random_problem(6, grid=WeightGrid(FOUR_BITS, 2, scale_min=0.004, scale_max=0.005)))
    assert fit.scales.min() >= 0.004
    assert fit.scales.max() <= 0.005


@pytest.mark.parametrize("n", [48, 128])
def test_at_four_bits_error_feedback_loses_a_third_of_plain_rounding(n):
    fit = fit_layer(random_problem(n, 8 * n, n, 24, own=0.03, grid=WeightGrid(FOUR_BITS, 16)))
    assert 0 < fit.rounding_loss <= PLAIN_ROUNDING_SHARE * fit.plain_rounding_loss
    assert fit.bound <= fit.loss < fit.quantised_loss < fit.plain_quantised_loss


def test_more_bits_and_more_scales_never_hurt_much():
    def loss(levels, groups):
        return fit_layer(random_problem(9, 800, 40, 24, grid=WeightGrid(levels, groups))).quantised_loss

    continuous = fit_layer(random_problem(9, 800, 40, 24)).loss
    assert continuous <= loss(EIGHT_BITS, None) < loss(FOUR_BITS, None) < loss((-256, 192, 64), None)
    assert loss(FOUR_BITS, None) <= loss(FOUR_BITS, 16) * 1.02 <= loss(FOUR_BITS, 1) * 1.04


def test_continuous_weights_are_left_alone():
    fit = fit_layer(random_problem(5))
    assert fit.codes is fit.weights
    assert (fit.scales == 1.0).all()
    assert fit.rounding_loss == 0.0
    assert fit.quantised_loss == pytest.approx(fit.loss, rel=FLOAT64)


def partitions(values, groups):
    """Every split of sorted values into at most this many runs."""
    if groups == 1 or len(values) == 1:
        yield [values]
        return
    yield [values]
    for cut in range(1, len(values)):
        for rest in partitions(values[cut:], groups - 1):
            yield [values[:cut], *rest]


@few
@given(st.lists(st.floats(0.01, 100.0), min_size=1, max_size=7), st.integers(1, 4))
def test_clusters_are_the_best_there_are(scales, groups):
    scales = np.array(scales)
    centres = cluster_scales(scales, groups)
    logs = np.sort(np.log(scales))
    cost = (np.abs(logs[:, None] - np.log(centres)[None, :]).min(axis=1) ** 2).sum()
    best = min(sum(((run - run.mean()) ** 2).sum() for run in runs) for runs in partitions(logs, groups))
    assert 1 <= centres.size <= groups
    assert cost <= best + FLOAT64
