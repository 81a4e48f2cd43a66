"""Are weights by the type of an axon chosen well, within their range, and never worse than by rounding alone?"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from spikeloom.errors import FitError
from spikeloom.fit.least_squares import SquaredLoss
from spikeloom.fit.relaxed import Relaxed
from spikeloom.fit.type_refinement import refine_types
from spikeloom.fit.type_table import TypedCodes, TypeTable, plain_codes, typed_codes


def layer(n: int, m: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(matrix, weights) of a layer whose inputs are correlated."""
    rng = np.random.default_rng(seed)
    rows = rng.random((8 * n, n)) @ rng.random((n, n)) + rng.random((8 * n, n))
    rows -= rows.mean(axis=0)
    return rows.T @ rows, rng.normal(size=(n, m))


def cost(codes: TypedCodes, table: TypeTable, matrix: np.ndarray, weights: np.ndarray) -> float:
    error = codes.sums * table.steps - weights
    return float((error * (matrix @ error)).sum())


@pytest.mark.parametrize("per_source", [1, 2, 4])
def test_a_fit_beats_rounding_and_keeps_to_the_table(per_source: int) -> None:
    matrix, weights = layer(24, 6)
    table = TypeTable(4, per_source, -40, 39, np.linspace(0.05, 0.1, 6))
    found, plain = typed_codes(table, matrix, weights), plain_codes(table, weights)
    for codes in (found, plain):
        assert codes.weights.min() >= -40 and codes.weights.max() <= 39
        assert codes.sets.shape == (24, per_source) and (np.diff(codes.sets, axis=1) > 0).all()
        others = np.ones((24, 4), dtype=bool)
        np.put_along_axis(others, codes.sets, False, axis=1)
        assert not codes.bits[others.T].any()  # a synapse only from axons that the source has
        assert np.array_equal(codes.sums, np.einsum("tnm,tm->nm", codes.bits.astype(int), codes.weights))
    assert cost(found, table, matrix, weights) < 0.6 * cost(plain, table, matrix, weights)


def test_more_axons_a_source_lose_less() -> None:
    matrix, weights = layer(24, 6, seed=1)
    steps = np.full(6, 0.02)
    one, two, four = (
        cost(typed_codes(table, matrix, weights), table, matrix, weights)
        for table in (TypeTable(4, k, -256, 255, steps) for k in (1, 2, 4))
    )
    assert four < 0.5 * two < 0.5 * one


def test_on_tiny_layers_it_comes_near_the_best_of_all_masks() -> None:
    ratios = []
    for seed in range(10):
        matrix, weights = layer(4, 1, seed)
        table = TypeTable(2, 2, -4000, 4000, np.array([0.001]))
        best = np.inf
        for masks in product(product((0.0, 1.0), repeat=2), repeat=4):
            bits = np.array(masks)
            left = weights - bits @ np.linalg.pinv(bits.T @ matrix @ bits) @ bits.T @ matrix @ weights
            best = min(best, float((left * (matrix @ left)).sum()))
        ratios.append(cost(typed_codes(table, matrix, weights, starts=16), table, matrix, weights) / best)
    assert min(ratios) >= 1.0 - 1e-9
    assert np.median(ratios) <= 1.1, ratios


def test_a_source_has_an_axon_and_no_type_twice() -> None:
    for per_source in (0, 5):
        with pytest.raises(FitError, match="axons of a source"):
            TypeTable(4, per_source, -256, 255, np.ones(2))


@pytest.mark.parametrize("per_source", [1, 4])
def test_the_true_loss_falls_where_half_of_the_rows_are_one_sided(per_source: int) -> None:
    rng = np.random.default_rng(3)
    activity = rng.random((150, 12)) @ rng.random((12, 12)) * 0.2
    weights = rng.normal(size=(12, 5))
    wanted = activity @ weights
    wanted -= np.median(wanted, axis=0)
    silent = wanted <= 0
    loss = SquaredLoss(np.maximum(wanted, 0.0), silent, np.zeros_like(silent))
    relaxed = Relaxed(loss, activity, weights, np.zeros(5), weights, 1e-3, 1e-3)
    table = TypeTable(4, per_source, -256, 255, np.full(5, 0.05))
    start = typed_codes(table, relaxed.model().matrix, weights, starts=2)
    found = refine_types(relaxed, table, start)
    before, after = (relaxed.judge(codes.sums * table.steps)[0] for codes in (start, found))
    assert after.sum() < 0.98 * before.sum()
    assert np.abs(found.weights).max() <= 256 and (np.diff(found.sets, axis=1) > 0).all()
    others = np.ones((12, 4), dtype=bool)
    np.put_along_axis(others, found.sets, False, axis=1)
    assert not found.bits[others.T].any()
