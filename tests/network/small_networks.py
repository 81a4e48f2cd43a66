"""The smallest networks that have something to check."""

from __future__ import annotations

import numpy as np
from spikeloom.network.network import SpikingNetwork
from spikeloom.network.projection import Convolution, Population
from spikeloom.profile.catalog import load_profile

LOIHI = load_profile("loihi1")
IDEAL = load_profile("ideal")


def small(profile: object = LOIHI) -> tuple[SpikingNetwork, Population, Population]:
    """A network with an input "x" of 4 lines and a population "n" of 3 neurons."""
    network = SpikingNetwork(profile)  # type: ignore[arg-type]
    params = {} if network.profile.is_analog else {"vth": 10}
    return network, network.input("x", 4), network.population("n", 3, **params)


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, dtype=int)


def kernel(shape: tuple[int, ...] = (1, 1, 2, 1), **geometry: object) -> Convolution:
    return Convolution(ones(*shape), **{"input_shape": (1, 4, 1), **geometry})  # type: ignore[arg-type]
