"""Are the limits of the digital chips kept, and does what breaks one say which, and by how much?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from spikeloom.errors import PlacementError
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.profile.catalog import load_profile
from spikeloom.profile.schema import Profile


def xylo(
    inputs: int = 4, hidden: int = 10, outputs: int = 2, chip: str | Profile = "xylo_a2"
) -> SpikingNetwork:
    network = SpikingNetwork(chip)
    source = network.input("in", inputs)
    layer = network.population("hidden", hidden, threshold=9)
    out = network.population("out", outputs, threshold=9, max_spikes=1)
    network.connect(source, layer, np.ones((inputs, hidden)))
    network.connect(layer, out, np.eye(hidden, outputs))
    network.output(out)
    return network


def looped(neurons: int, synapses: int) -> SpikingNetwork:
    network = SpikingNetwork("xylo_a2")
    layer = network.population("hidden", neurons, threshold=9)
    for _ in range(synapses):
        network.connect(layer, layer, np.ones((neurons, neurons)))
    return network


def shifts(first: int, second: int, onto_read: bool) -> SpikingNetwork:
    network = xylo()
    layer, out = network.populations["hidden"], network.populations["out"]
    network.connect(layer, layer, np.ones((10, 10)), shift=first)
    network.connect(layer, out if onto_read else layer, np.ones((10, 2 if onto_read else 10)), shift=second)
    return network


def crossbar(axons: int, neurons: int, *, chip: str = "ranc") -> SpikingNetwork:
    network = SpikingNetwork(chip)
    source = network.input("in", axons)
    layer = network.population("layer", neurons, positive=9)
    network.connect(source, layer, np.ones((axons, neurons)))
    network.output(layer)
    return network


def two_destinations() -> SpikingNetwork:
    network = crossbar(4, 5)
    for name in ("left", "right"):
        target = network.population(name, 3, positive=9)
        network.connect(network.populations["layer"], target, np.ones((5, 3)))
    return network


def wide_target() -> SpikingNetwork:
    network = crossbar(4, 5)
    target = network.population("wide", 300, positive=9)
    network.connect(network.populations["layer"], target, np.ones((5, 300)))
    return network


@pytest.mark.parametrize(
    ("build", "subject", "limit_name", "value", "limit"),
    [
        (lambda: xylo(inputs=17), "input in", "limits.inputs", 17, 16),
        (lambda: xylo(outputs=9), "output out", "limits.outputs", 9, 8),
        (lambda: xylo(hidden=1001), "population hidden", "limits.hidden", 1001, 1000),
        (lambda: looped(64, 1), "population hidden", "limits.fan_in", 64, 63),
        (lambda: looped(10, 7), "population hidden", "limits.fan_in", 70, 63),
        (lambda: crossbar(257, 3), "population layer", "limits.in_axons_per_core", 257, 256),
        (two_destinations, "population layer", "limits.dests_per_neuron", 2, 1),
        (wide_target, "population layer", "limits.dests_per_neuron", 2, 1),
    ],
)
def test_what_breaks_a_limit_is_refused(
    build: Callable[[], SpikingNetwork], subject: str, limit_name: str, value: int, limit: int
) -> None:
    with pytest.raises(PlacementError) as caught:
        place(build())
    error = caught.value
    assert error.subject == subject
    assert (error.value, error.limit) == (value, limit)
    assert f"({limit_name})" in str(error)


def test_recurrent_synapses_of_the_whole_chip_are_counted() -> None:
    chip = load_profile("xylo_a2", override={"limits.recurrent_synapses": 150})
    network = xylo(chip=chip)
    layer = network.populations["hidden"]
    network.connect(layer, layer, np.ones((10, 10)))
    assert place(network).n_cores == 1
    network.connect(layer, layer, np.ones((10, 10)), receptor=1)
    with pytest.raises(PlacementError, match="more recurrent synapses than the chip") as caught:
        place(network)
    assert (caught.value.value, caught.value.limit) == (200, 150)


@pytest.mark.parametrize(
    ("first", "second", "onto_read", "fits"),
    [(1, 1, False, True), (1, 2, False, False), (1, 2, True, False), (1, 0, True, True)],
)
def test_a_group_of_synapses_has_one_shift(first: int, second: int, onto_read: bool, fits: bool) -> None:
    network = shifts(first, second, onto_read)
    if fits:
        assert place(network).n_cores == 1
        return
    with pytest.raises(PlacementError, match="shift has one value for all (recurrent|output) synapses"):
        place(network)


def test_a_full_core_of_a_crossbar_fits() -> None:
    for chip in ("ranc", "truenorth"):
        program = place(crossbar(256, 256, chip=chip))
        assert program.n_cores == 1
        assert place(crossbar(256, 257, chip=chip)).n_cores == 2


def test_a_shorter_branch_on_xylo_cannot_be_delayed() -> None:
    network = xylo()
    network.connect(network.populations["in"], network.populations["out"], np.ones((4, 2)))
    with pytest.raises(PlacementError, match="needs a delay of 1 ticks"):
        place(network)
