"""Are the kept nodes the best ones, is the proof a proof, and is the next layer solved for them?"""

from __future__ import annotations

from itertools import combinations, islice
from math import comb
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeloom.errors import FitError
from spikeloom.fit.prune import RIDGE, Selection, prune, size_curve
from spikeloom.fit.prune_exact import prune_exactly
from tolerances import FLOAT64, PRUNING_FACTOR, PRUNING_SECONDS, REFERENCE_SOLVER, USEFUL_BOUND

CHUNK = 20_000  # subsets solved at once


def activity_of(seed: int, nodes: int, rows: int = 400, causes: int = 6) -> np.ndarray:
    """Rates of nodes that have causes in common: many of them nearly say what others say."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(rows, causes)) @ rng.normal(size=(causes, nodes))
    return np.maximum(common + 0.5 * rng.normal(size=(rows, nodes)), 0.0)


def selection_of(
    seed: int, nodes: int, outputs: int, width: int = 1
) -> tuple[Selection, np.ndarray, np.ndarray]:
    activity = activity_of(seed, nodes * width)
    wanted = activity @ np.random.default_rng(seed + 1).normal(size=(nodes * width, outputs))
    return Selection.of("fc1", activity, wanted, width), activity, wanted


def least_error(activity: np.ndarray, wanted: np.ndarray, size: int, width: int = 1) -> float:
    """The smallest relative error over all choices of `size` nodes: every one is solved, with the same ridge."""
    a, z = activity - activity.mean(axis=0), wanted - wanted.mean(axis=0)
    gram, moment, energy = a.T @ a, a.T @ z, (z**2).sum()
    gram += RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    nodes = activity.shape[1] // width
    choices, best = combinations(range(nodes), size), np.inf
    for _ in range(-(-comb(nodes, size) // CHUNK)):
        chosen = np.array(list(islice(choices, CHUNK)))
        columns = (chosen[..., None] * width + np.arange(width)).reshape(len(chosen), -1)
        grams, moments = gram[columns[:, :, None], columns[:, None, :]], moment[columns]
        explained = (np.linalg.solve(grams, moments) * moments).sum(axis=(1, 2))
        best = min(best, (energy - explained.max()) / energy)
    return best


@pytest.mark.parametrize(("outputs", "size"), [(10, 10), (1, 5), (3, 16)])
def test_twenty_nodes_are_proven_in_a_second_and_no_choice_of_all_is_better(outputs: int, size: int) -> None:
    selection, activity, wanted = selection_of(outputs, 20, outputs)
    started = process_time()
    best = prune_exactly(selection, size)
    seconds = process_time() - started
    least = least_error(activity, wanted, size)
    assert best.proven
    assert best.error == pytest.approx(least, rel=REFERENCE_SOLVER, abs=FLOAT64)
    assert best.bound == best.error
    assert seconds < PRUNING_SECONDS


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    nodes=st.integers(2, 8),
    width=st.integers(1, 3),
    outputs=st.integers(1, 4),
    data=st.data(),
)
def test_small_layers_are_proven_against_every_choice(
    seed: int, nodes: int, width: int, outputs: int, data: st.DataObject
) -> None:
    size = data.draw(st.integers(1, nodes))
    selection, activity, wanted = selection_of(seed, nodes, outputs, width)
    least = least_error(activity, wanted, size, width)
    best, quick = prune_exactly(selection, size), prune(selection, size)
    assert best.proven
    assert best.error == pytest.approx(least, rel=REFERENCE_SOLVER, abs=REFERENCE_SOLVER)
    assert quick.bound <= best.error * (1 + FLOAT64) <= quick.error * (1 + REFERENCE_SOLVER) + FLOAT64
    assert quick.kept.size == size
    assert size_curve(selection)[size] >= best.error - REFERENCE_SOLVER


def test_selection_comes_near_the_proven_optimum() -> None:
    ratios = []
    for seed in range(12):
        selection, _, _ = selection_of(seed, 16, 1 + seed % 4)
        ratios.append(prune(selection, 4 + seed % 6).error / prune_exactly(selection, 4 + seed % 6).error)
    assert min(ratios) >= 1.0 - REFERENCE_SOLVER
    assert np.mean(ratios) < PRUNING_FACTOR


def test_a_search_that_is_cut_short_keeps_a_bound_that_holds() -> None:
    selection, _, _ = selection_of(3, 18, 5)
    proven = prune_exactly(selection, 9)
    for branches in (1, 20, 100):
        cut = prune_exactly(selection, 9, branches=branches)
        assert cut.bound <= proven.error * (1 + FLOAT64) <= cut.error * (1 + FLOAT64)
    assert not prune_exactly(selection, 9, branches=1).proven
    assert proven.proven


@pytest.mark.parametrize(("outputs", "size"), [(5, 20), (30, 4)])
def test_without_a_search_the_bound_says_something(outputs: int, size: int) -> None:
    selection, activity, wanted = selection_of(2, 24, outputs)
    quick = prune(selection, size)
    assert USEFUL_BOUND * quick.error < quick.bound <= quick.error
    assert quick.bound <= least_error(activity, wanted, size) * (1 + FLOAT64)


def test_the_next_layer_is_the_least_squares_solution() -> None:
    selection, activity, wanted = selection_of(5, 12, 3, width=2)
    kept = prune(selection, 5)
    columns = selection.columns(kept.kept)
    design = np.column_stack([activity[:, columns], np.ones(len(activity))])
    other = np.linalg.lstsq(design, wanted, rcond=None)[0]
    got = design @ np.vstack([kept.weights, kept.bias])
    assert got == pytest.approx(design @ other, abs=1e-3)
    share = ((got - wanted) ** 2).sum() / ((wanted - wanted.mean(axis=0)) ** 2).sum()
    assert kept.error == pytest.approx(share, rel=1e-3)


def test_a_curve_falls_from_everything_lost_to_nothing_lost() -> None:
    curve = size_curve(selection_of(7, 30, 4)[0])
    assert curve[0] == pytest.approx(1.0, rel=FLOAT64)
    assert curve[-1] < 1e-4
    assert (np.diff(curve) <= FLOAT64).all()


def test_copies_and_silent_nodes_go_first() -> None:
    rng = np.random.default_rng(0)
    activity = rng.random((200, 6))
    activity[:, 4], activity[:, 5] = activity[:, 0], 0.0
    wanted = activity @ rng.normal(size=(6, 3))
    for search in (prune, prune_exactly):
        best = search(Selection.of("fc1", activity, wanted), 4)
        assert best.error < 1e-5
        assert set(best.kept) in ({0, 1, 2, 3}, {1, 2, 3, 4})


@pytest.mark.parametrize("size", [0, 7, 2.5, True])
def test_sizes_that_a_layer_does_not_have_are_refused(size: object) -> None:
    selection, _, _ = selection_of(0, 6, 2)
    with pytest.raises(FitError, match="fc1: cannot be pruned to this size; got .*limit 1 to 6"):
        prune(selection, size)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("activity", "wanted", "width", "words"),
    [
        (np.ones((5, 3)), np.ones((4, 2)), 1, "same rows"),
        (np.ones((5, 3)), np.ones((5, 2)), 2, "whole number of nodes"),
        (np.ones((5, 0)), np.ones((5, 2)), 1, "whole number of nodes"),
        (np.full((5, 3), np.nan), np.ones((5, 2)), 1, "NaN"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    activity: np.ndarray, wanted: np.ndarray, width: int, words: str
) -> None:
    with pytest.raises(FitError, match=words):
        Selection.of("fc1", activity, wanted, width)


def test_nothing_wanted_is_no_trouble() -> None:
    best = prune_exactly(Selection.of("fc1", activity_of(0, 5), np.ones((400, 2))), 3)
    assert best.error == 0.0
    assert best.kept.size == 3
    assert np.isfinite(best.weights).all()
