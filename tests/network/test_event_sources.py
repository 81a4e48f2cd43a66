"""Are the rules about all synapses of one source kept: one sign, one kind of event, one synapse a pair?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.sparse import csr_array
from small_networks import ones
from spikeloom.errors import NetworkError
from spikeloom.network.network import SpikingNetwork
from spikeloom.network.projection import Population

Build = Callable[[SpikingNetwork, Population, Population, Population], object]


def network_of(chip: str) -> tuple[SpikingNetwork, Population, Population, Population]:
    """An input "x" of 2 lines, and the populations "n" and "m" of 2 and 3 neurons."""
    network = SpikingNetwork(chip)
    return (
        network,
        network.input("x", 2),
        network.population("n", 2, thr=9),
        network.population("m", 3, thr=9),
    )


def sparse(*rows: list[int]) -> csr_array:
    return csr_array(np.array(rows))


REFUSED: list[tuple[str, Build, str]] = [
    ("odin", lambda b, x, n, m: b.connect(x, n, [[1, 1], [-1, 2]]), "x -> n: source 1 has weights of both signs"),
    ("odin", lambda b, x, n, m: b.connect(x, n, sparse([-1, 2], [0, 1])), "source 0 has weights of both signs"),
    ("odin", lambda b, x, n, m: (b.connect(x, n, ones(2, 2)), b.connect(x, m, -ones(2, 3))), "x -> m: source 0 has"),
    ("odin", lambda b, x, n, m: b.connect(x, n, 8 * ones(2, 2)), "no weight mode holds all the weights; got 8 to 8"),
    ("odin", lambda b, x, n, m: b.connect(x, n, ones(2, 2), receptor=3), "no such receptor; got 3, limit 0 to 2"),
    ("tinyodin", lambda b, x, n, m: b.connect(x, n, ones(2, 2), receptor=2), "no such receptor; got 2, limit 0 to 1"),
    ("tinyodin", lambda b, x, n, m: b.connect(n, m, ones(2, 3), receptor=1), "only input sends virtual events"),
    ("odin", lambda b, x, n, m: b.connect(n, m, ones(2, 3), receptor=2), "n -> m: only input sends synapse events"),
    ("tinyodin", lambda b, x, n, m: b.connect(x, n, [[1, 0], [2, 3]], receptor=1), "a virtual event of weight 0"),
    ("tinyodin", lambda b, x, n, m: (b.connect(x, n, ones(2, 2)), b.connect(x, m, ones(2, 3), receptor=1)),
     "sends events of another kind already; got virtual, limit neuron"),
    ("tinyodin", lambda b, x, n, m: (b.connect(n, m, ones(2, 3)), b.connect(n, m, ones(2, 3))),
     "n -> m: exists already, and the chip has one synapse for each pair; add the weights"),
    ("tinyodin", lambda b, x, n, m: b.connect(x, n, ones(2, 2), delays=1), "delay is out of range; got 1, limit 0"),
    ("tinyodin", lambda b, x, n, m: b.population("p", 1, thr=4096), "thr is out of range; got 4096, limit 0 to 4095"),
    ("tinyodin", lambda b, x, n, m: b.population("p", 1, thr=1, leak=128), "leak is out of range; got 128"),
    ("tinyodin", lambda b, x, n, m: b.population("p", 1, thr=1, init={"v": 2048}), "v is out of range; got 2048"),
    ("odin", lambda b, x, n, m: b.population("p", 1, thr=1, init={"v": -1}), "v is out of range; got -1, limit 0"),
]  # fmt: skip


@pytest.mark.parametrize(("chip", "build", "said"), REFUSED)
def test_a_broken_rule_is_refused(chip: str, build: Build, said: str) -> None:
    with pytest.raises(NetworkError) as caught:
        build(*network_of(chip))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_signs_may_differ_between_sources_and_in_virtual_events() -> None:
    network, x, n, m = network_of("odin")
    network.connect(x, n, [[1, 1], [-1, -2]])
    network.connect(x, m, [[3, 0, 0], [-3, 0, -7]])
    network.connect(network.input("y", 1), n, [[5, -5]], receptor=1)
    network.connect(n, m, -ones(2, 3))
    assert len(network.projections) == 4
