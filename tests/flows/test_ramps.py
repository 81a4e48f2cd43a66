"""Are the ramps that stand for a round activation the best ones?"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from spikeloom.flows.conversion.ramps import Ramps, closest_ramps

NORMAL = 1.8 * np.random.default_rng(5).normal(size=3000)


def missing(ramps: Ramps, z: np.ndarray) -> float:
    return float(np.mean((ramps.risen(z) @ ramps.signed_heights - np.tanh(z)) ** 2))


def by_trying(z: np.ndarray, count: int) -> float:
    """The least error of all ends on a fine grid, each with its best heights."""
    found = []
    for ends in combinations(np.linspace(0.1, 4.0, 79), count):
        rising = np.minimum(np.abs(z)[:, None] / np.array(ends), 1.0)
        _, left, _, _ = np.linalg.lstsq(rising, np.tanh(np.abs(z)), rcond=None)
        found.append(left[0] / z.size)
    return float(min(found))


@pytest.mark.parametrize("count", [1, 2])
def test_no_ends_on_a_grid_are_better(count: int) -> None:
    z = NORMAL[:400]
    assert missing(closest_ramps(np.tanh, z, count), z) < 1.02 * by_trying(z, count)


def test_more_ramps_come_closer_and_all_of_them_rise() -> None:
    ramps = [closest_ramps(np.tanh, NORMAL, count) for count in (1, 2, 4, 8)]
    errors = [missing(one, NORMAL) for one in ramps]
    assert all(more < 0.2 * fewer for fewer, more in zip(errors, errors[1:], strict=False))
    assert all((one.heights > 0).all() and (np.diff(one.ends) > 0).all() for one in ramps)


def test_a_layer_that_receives_nothing_has_ramps_all_the_same() -> None:
    ramps = closest_ramps(np.tanh, np.zeros((20, 3)), 2)
    assert np.isfinite(ramps.ends).all() and missing(ramps, np.linspace(-1.0, 1.0, 9)) < 1e-3


def test_both_sides_are_one_picture_mirrored() -> None:
    ramps = Ramps(np.array([1.0, 2.0]), np.array([0.5, 0.25]))
    assert ramps.risen(np.array([[1.5, -0.5]])).tolist() == [[[1.0, 0.75, 0.0, 0.0], [0.0, 0.0, 0.5, 0.25]]]
    assert (ramps.risen(np.array([[1.5, -0.5]])) @ ramps.signed_heights).tolist() == [[0.6875, -0.3125]]
