"""Does everything of a chip in event mode stand on its one core, and is what does not fit refused by name?"""

from __future__ import annotations

import numpy as np
import pytest
from spikeloom.errors import PlacementError
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place, place_without_limits


def two_layers(chip: str, inputs: int, hidden: int, out: int) -> SpikingNetwork:
    network = SpikingNetwork(chip)
    x = network.input("x", inputs)
    h, y = network.population("h", hidden, thr=9), network.population("y", out, thr=9)
    network.connect(x, h, np.ones((inputs, hidden), dtype=int))
    network.connect(h, y, np.ones((hidden, out), dtype=int))
    network.output(y)
    return network


@pytest.mark.parametrize("chip", ["tinyodin", "odin"])
def test_all_populations_share_the_core_and_no_tick_is_lost(chip: str) -> None:
    network = two_layers(chip, 150, 96, 10)
    for program in (place(network, ticks=5), place_without_limits(network, ticks=5)):
        assert program.n_cores == 1
        assert program.run_ticks == 5
        assert [placed.neurons.tolist() for placed in program.populations] == [
            [*range(96)],
            [*range(96, 106)],
        ]


def test_lines_and_neurons_share_the_rows() -> None:
    with pytest.raises(
        PlacementError,
        match=r"population x: .*neurons and input lines, .*got 257, limit 256 on tinyodin; give x",
    ):
        place(two_layers("tinyodin", 151, 96, 10))


def test_more_neurons_than_the_core_holds() -> None:
    with pytest.raises(
        PlacementError, match=r"population h: .*more neurons .*got 257, limit 256 on odin; give h a smaller"
    ):
        place(two_layers("odin", 1, 250, 7))
    assert place_without_limits(two_layers("odin", 1, 250, 7)).n_neurons == 257


def with_virtual(first: int, target: int, *, target_first: bool) -> SpikingNetwork:
    network = SpikingNetwork("tinyodin")
    sizes = [("t", target), ("o", first)] if target_first else [("o", first), ("t", target)]
    made = {name: network.population(name, size, thr=9) for name, size in sizes}
    network.connect(network.input("v", 250), made["t"], np.ones((250, target), dtype=int), receptor=1)
    return network


def test_virtual_events_need_no_row_and_reach_the_first_neurons() -> None:
    assert place(with_virtual(100, 16, target_first=True)).n_neurons == 116
    with pytest.raises(
        PlacementError,
        match=r"v -> t: a virtual event reaches the first .*got 17, limit 16 on tinyodin; add t",
    ):
        place(with_virtual(1, 16, target_first=False))
    with pytest.raises(PlacementError, match=r"got 17, limit 16"):
        place(with_virtual(1, 17, target_first=True))
