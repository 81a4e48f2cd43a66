"""Do cores stand on the mesh where their packets cost little, and does the chip still do the same?"""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from numpy.typing import NDArray
from spikeloom.emulation.emulate import emulate
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.mesh import fewest_hops
from spikeloom.placement.place import place
from spikeloom.profile.catalog import load_profile
from spikeloom.program.program import ChipProgram
from tolerances import MESH_FACTOR

WIDTH, CORES, SIZE = 3, 7, 256


def hops_of(packets: NDArray, order: NDArray, width: int) -> float:
    """Counted packet by packet: core `order[k]` stands at place k."""
    place_of = {int(core): divmod(k, width) for k, core in enumerate(order)}
    total = 0.0
    for sender, receiver in np.ndindex(packets.shape):
        (y0, x0), (y1, x1) = place_of[sender], place_of[receiver]
        total += packets[sender, receiver] * (abs(y0 - y1) + abs(x0 - x1))
    return total


def test_the_order_is_near_the_best_of_all_and_never_worse_than_that_of_the_layers() -> None:
    shares = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        packets = rng.integers(0, 30, (6, 6)) * (rng.random((6, 6)) < 0.4).astype(float)
        floor = fewest_hops(packets, WIDTH, seed)
        best = min(hops_of(packets, np.array(order), WIDTH) for order in permutations(range(6)))
        assert floor.hops == hops_of(packets, floor.order, WIDTH)
        assert floor.row_major == hops_of(packets, np.arange(6), WIDTH)
        assert best <= floor.hops <= floor.row_major
        assert np.array_equal(floor.order, fewest_hops(packets, WIDTH, seed).order)
        shares.append((floor.hops + 1.0) / (best + 1.0))
    assert np.mean(shares) < MESH_FACTOR


def shuffled_chain(seed: int) -> tuple[SpikingNetwork, NDArray]:
    """Layers of one core each, declared in another order than they send, and the input of two samples."""
    rng = np.random.default_rng(seed)
    chip = load_profile("open_core", override={"noc.width": 3, "noc.height": 3, "limits.cores": 9})
    network = SpikingNetwork(chip)
    source = network.input("x", 64)
    layers = [network.population(f"p{k}", SIZE, vth=1) for k in range(CORES)]
    order = rng.permutation(CORES)
    network.connect(source, layers[order[0]], (rng.random((64, SIZE)) < 0.05).astype(int))
    for one, other in zip(order, order[1:], strict=False):
        network.connect(layers[one], layers[other], np.eye(SIZE, dtype=int))
    network.output(layers[order[-1]])
    return network, rng.integers(0, 2, (2, 12, 64))


def counted_hops(program: ChipProgram, spikes: NDArray) -> tuple[NDArray, NDArray]:
    run = emulate(program, {"x": spikes}, timing="cycle")
    assert run.cycles is not None
    return run.cycles.counters["hops"], run.outputs


@pytest.mark.parametrize("seed", [1, 2])
def test_a_placement_by_traffic_makes_the_same_spikes_over_fewer_hops(seed: int) -> None:
    network, spikes = shuffled_chain(seed)
    program = place(network, ticks=12)
    run = emulate(program, {"x": spikes})
    traffic = np.concatenate([run.counts[f"p{k}"].mean(axis=0) for k in range(CORES)]) / 12
    better = place(network, ticks=12, traffic=traffic)
    silent = np.zeros_like(traffic)
    silent[: 2 * SIZE] = 1.0  # as if only the first two layers sent
    worse = place(network, ticks=12, traffic=silent)
    (few, same), (many, other) = counted_hops(better, spikes), counted_hops(worse, spikes)
    assert np.array_equal(same, other) and np.array_equal(same, run.outputs)
    assert few.sum() < many.sum()
    assert better.report["mesh"]["hops"] < better.report["mesh"]["row_major"]
