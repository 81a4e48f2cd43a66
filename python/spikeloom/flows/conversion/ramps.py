"""A round activation as a sum of ramps, each the response of one neuron.

The rate of a neuron that integrates and fires is a ramp: straight from 0 up to its ceiling. A sigmoid or a tanh is
round: one ramp on either side of its centre leaves some 0.6 % of its variance, however well the layer is fitted, two
leave 0.07 % and three 0.02 %. With several neurons a unit, each gets a ramp of its own, by least squares on what the
layer's units receive on the calibration rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
POINTS = 500  # of the distribution that ramps are fitted on
LEAST, MOST = 1e-3, 1e3  # where a ramp may end, in typical pre-activations
TRIALS = 50  # steps of the search


@dataclass(frozen=True, eq=False)
class Ramps:
    """Of either side of an activation's centre, the earliest end first.

    ends: (k,) pre-activations at which each has risen from 0 to 1; heights: (k,) what each then adds
    """

    ends: Array
    heights: Array

    def risen(self, z: Array) -> Array:
        """(N, n) pre-activations to (N, n, 2 k) how far each ramp has risen, 0..1, those below the centre last."""
        return np.asarray(np.clip(np.multiply.outer(z, self.slopes), 0.0, 1.0))

    @property
    def slopes(self) -> Array:
        """(2 k,) of the ramps above the centre, then of those below it."""
        return np.concatenate([1.0 / self.ends, -1.0 / self.ends])

    @property
    def signed_heights(self) -> Array:
        """(2 k,) likewise: what a ramp that has risen to 1 adds to the activation."""
        return np.concatenate([self.heights, -self.heights])


def closest_ramps(side: Callable[[Array], Array], z: Array, count: int) -> Ramps:
    """The `count` ramps of least squared error from `side` over the numbers |z|.

    side: of the activation's two, alike but for their sign; 0 at 0, and rising ever less. Ends move by a trust region
    (Branch, Coleman and Li 1999), with the best heights for them at every step.

    >>> ramps = closest_ramps(np.tanh, np.linspace(-3.0, 3.0, 100), 2)
    >>> ramps.ends.round(1), ramps.heights.round(1)
    (array([0.8, 1.8]), array([0.5, 0.5]))
    """
    from scipy.optimize import least_squares

    points = np.quantile(np.abs(z), (np.arange(POINTS) + 0.5) / POINTS)
    typical = float(np.sqrt(np.mean(points**2)))
    if typical == 0.0:  # a layer that receives nothing: any ramps are as good
        points, typical = np.linspace(0.0, 1.0, POINTS), 1.0
    wanted = side(points)

    def found(logs: Array) -> Ramps:
        ends = typical * np.exp(np.sort(logs))
        return Ramps(
            ends, np.asarray(np.linalg.lstsq(_rising(points, ends), wanted, rcond=None)[0], np.float64)
        )

    def missing(logs: Array) -> Array:
        ramps = found(logs)
        return np.asarray(_rising(points, ramps.ends) @ ramps.heights - wanted)

    reach = np.log(LEAST), np.log(MOST)
    begin = np.quantile(points[points > 0.0], (np.arange(count) + 0.5) / count) / typical
    begin = np.clip(np.log(begin), 0.9 * reach[0], 0.9 * reach[1])
    return found(least_squares(missing, begin, bounds=reach, max_nfev=TRIALS).x)


def _rising(points: Array, ends: Array) -> Array:
    return np.minimum(points[:, None] / ends, 1.0)
