"""Are types of axon, aliases and values of whole populations checked when a network is built?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array
from spikeloom.errors import NetworkError
from spikeloom.network.network import SpikingNetwork
from spikeloom.network.projection import Convolution, Population


def crossbar() -> tuple[SpikingNetwork, Population, Population]:
    network = SpikingNetwork("ranc")
    return network, network.input("in", 3), network.population("n", 2, positive=9)


@pytest.mark.parametrize("weights", [np.eye(3, 2, dtype=int), csr_array(np.eye(3, 2, dtype=int))])
def test_a_type_belongs_to_a_source_neuron(weights: Any) -> None:
    network, source, target = crossbar()
    network.connect(source, target, weights, type=[2, 0, 3])
    (projection,) = network.projections
    types = projection.shared["type"][np.broadcast_to(projection.formats, (3, 2))]
    assert types.tolist() == [[2, 2], [0, 0], [3, 3]]


def test_one_type_serves_all_sources_and_is_zero_where_none_is_named() -> None:
    network, source, target = crossbar()
    network.connect(source, target, np.ones((3, 2)), type=3)
    network.connect(source, target, np.ones((3, 2)))
    assert [p.shared["type"].tolist() for p in network.projections] == [[3], [0]]


def test_a_kernel_has_a_type_for_each_input_channel() -> None:
    network = SpikingNetwork("ranc")
    source, target = network.input("in", 8), network.population("n", 4, positive=9)
    network.connect(source, target, Convolution(np.ones((2, 1, 1, 1), int), (2, 2, 2)), type=[1, 2])
    (projection,) = network.projections
    assert projection.shared["type"][projection.formats].ravel().tolist() == [1, 2]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"type": [0, 1]},
            "type has the wrong shape; got (2,), limit (3,); give one number, or one for each source",
        ),
        ({"type": np.zeros((3, 2))}, "type has the wrong shape"),
        ({"type": [0, 1, 4]}, "type is out of range at index 2; got 4, limit 0 to 3"),
        ({"kind": 1}, "the profile has no shared weight value kind"),
        ({"delays": 15}, "delay is out of range; got 15, limit 0 to 14"),
        ({"delays": [[0, 1], [2, 2], [3, 3]]}, "a delay belongs to an axon"),
    ],
)
def test_a_wrong_axon_is_refused(given: dict, said: str) -> None:
    network, source, target = crossbar()
    with pytest.raises(NetworkError, match="projection in -> n") as caught:
        network.connect(source, target, np.ones((3, 2)), **given)
    assert said in str(caught.value)


@pytest.mark.parametrize("code", [-1, 2, 0.5])
def test_a_bit_is_0_or_1(code: float) -> None:
    network, source, target = crossbar()
    with pytest.raises(NetworkError, match="projection in -> n"):
        network.connect(source, target, np.full((3, 2), code))


@pytest.mark.parametrize(
    ("chip", "params", "said"),
    [
        ("ranc", {"positive": 256}, "positive is out of range; got 256, limit -256 to 255"),
        (
            "ranc",
            {"positive": 1, "w2": [0, -257, 0]},
            "w2 is out of range at index 1; got -257, limit -256 to 255",
        ),
        ("ranc", {"positive": 1, "mode": 2}, "mode is out of range; got 2, limit 0 to 1"),
        ("ranc", {}, "needs the parameter positive; limit -256 to 255"),
        ("truenorth", {"positive": -1}, "positive is out of range; got -1, limit 0 to 262143"),
        ("truenorth", {"positive": 1, "negative": 1}, "negative is out of range; got 1, limit -262143 to 0"),
        ("truenorth", {"positive": 1, "reset": 19}, "reset is out of range; got 19, limit 0 to 18"),
        ("truenorth", {"positive": 1, "mode": 3}, "mode is out of range; got 3, limit 0 to 2"),
        ("xylo_a2", {"threshold": 32768}, "threshold is out of range; got 32768, limit -32768 to 32767"),
        ("xylo_a2", {"threshold": 1, "dash_mem": 16}, "dash_mem is out of range; got 16, limit 0 to 15"),
        (
            "xylo_a2",
            {"threshold": 1, "bias": -32769},
            "bias is out of range; got -32769, limit -32768 to 32767",
        ),
        ("xylo_a2", {"threshold": 1, "max_spikes": 32}, "max_spikes is out of range; got 32, limit 1 to 31"),
        (
            "xylo_a2",
            {"threshold": 1, "max_spikes": [1, 31, 1]},
            "max_spikes has one value for a whole population",
        ),
        (
            "xylo_a2",
            {"threshold": 1, "alias": [0, 1, 1]},
            "alias of neuron 2 gives its spikes to a neuron that the population does not have; got 3, limit 0 to 2",
        ),
        ("xylo_a2", {"threshold": 1, "alias": [-1, 0, 0]}, "alias of neuron 0"),
    ],
)
def test_a_register_outside_its_width_is_refused(chip: str, params: dict, said: str) -> None:
    network = SpikingNetwork(chip)
    with pytest.raises(NetworkError, match="population n") as caught:
        network.population("n", 3, **params)
    assert said in str(caught.value)


def test_a_first_value_keeps_to_the_register() -> None:
    network = SpikingNetwork("ranc")
    network.population("n", 2, positive=1, init={"v": [-256, 255]})
    with pytest.raises(NetworkError, match="v is out of range; got 256, limit -256 to 255"):
        network.population("m", 2, positive=1, init={"v": 256})
    with pytest.raises(NetworkError, match="the profile has no free register v"):
        SpikingNetwork("xylo_a2").population("n", 1, threshold=1, init={"v": 1})
