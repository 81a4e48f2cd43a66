"""Is every limit kept, and does what does not fit say which layer breaks which limit by how much?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from random_networks import networks, profile_with
from scipy.sparse import csr_array
from slow_expansion import axon_synapses
from spikeloom.errors import PlacementError
from spikeloom.network.network import SpikingNetwork
from spikeloom.network.projection import Convolution
from spikeloom.placement.place import place, place_without_limits
from spikeloom.profile.schema import Memory
from spikeloom.program.program import ChipProgram


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(networks())
def test_every_core_of_a_placed_program_keeps_every_limit(network: SpikingNetwork) -> None:
    try:
        program = place(network)
    except PlacementError as error:
        assert "\n" not in str(error)
        return
    limits = program.profile.limits
    assert limits.cores is None or program.n_cores <= limits.cores
    for core in range(program.n_cores):
        recount(program, core)


def recount(program: ChipProgram, core: int) -> None:
    """Count from the arrays alone what one core holds."""
    arrays, limits = program.arrays, program.profile.limits
    neurons = range(arrays.core_neuron_start[core], arrays.core_neuron_start[core + 1])
    axons = range(arrays.core_axon_start[core], arrays.core_axon_start[core + 1])
    out = arrays.neuron_fan_start[neurons.stop] - arrays.neuron_fan_start[neurons.start]
    for count, limit in ((len(neurons), limits.neurons_per_core), (len(axons), limits.in_axons_per_core),
                         (out, limits.out_axons_per_core)):  # fmt: skip
        assert limit is None or count <= limit
    for memory in limits.memory:
        assert slow_bits(program, axons, memory) <= memory.bits
    for table in limits.shared_table:
        if table.name == "synapse_format":
            used = {rest[3:] for axon in axons for _, rest in axon_synapses(program, axon)}
        else:
            used = {tuple(arrays.params[field][n].item() for field in table.fields) for n in neurons}
        assert len(used) <= table.max
    for scope_core in ("vmin", "vmax") if "vmin" in arrays.params else ():
        assert len(set(arrays.params[scope_core][neurons.start : neurons.stop].tolist())) == 1


def slow_bits(program: ChipProgram, axons: range, memory: Memory) -> int:
    """Bits of the rows of one core, block by block, each stored row once."""
    arrays, weights = program.arrays, program.profile.weights
    rows = {(arrays.axon_template[axon], arrays.axon_weight[axon]): axon for axon in axons}
    total = 0
    for axon in rows.values():
        synapses = list(axon_synapses(program, axon))
        reach = max(target for target, _ in synapses) - arrays.axon_target[axon]
        index = next(width for width in memory.index_bits if 2**width > reach)
        weight = next(width for width in memory.weight_bits if width >= weights.bits)
        delay = int(max(rest[0] for _, rest in synapses)).bit_length()
        block = memory.block_synapses or len(synapses)
        for first in range(0, len(synapses), block):
            bits = memory.block_header_bits + len(synapses[first : first + block]) * (index + weight + delay)
            while bits % memory.align_bits:
                bits += 1
            total += bits
    return total


def test_loihi_memory_of_a_dense_layer() -> None:
    """A block of 64 synapses of 7 + 8 bits and a header has 970, hence 1024 bits; the rest follows."""
    network = SpikingNetwork("loihi1")
    network.connect(
        network.input("x", 784), network.population("h", 256, vth=1), np.ones((784, 256), dtype=int)
    )
    sizes = np.diff(place(network).arrays.core_neuron_start)
    largest = sizes.max()
    row = 1024 + -(-(10 + (largest - 64) * 15) // 64) * 64
    assert 784 * row <= 1048576 < 784 * (row + 64)
    assert sizes.size == 4


def network_with(overrides: dict[str, object], build: Callable[[SpikingNetwork], None]) -> SpikingNetwork:
    network = SpikingNetwork(profile_with(tuple(overrides.items())))
    build(network)
    return network


def dense(sources: int, targets: int) -> Callable[[SpikingNetwork], None]:
    def build(network: SpikingNetwork) -> None:
        source, target = network.input("pixels", sources), network.population("fc1", targets, vth=1)
        network.connect(source, target, np.ones((sources, targets), dtype=int))
        network.output(target)

    return build


def fan_out(network: SpikingNetwork) -> None:
    hub, target = network.population("hub", 1, vth=1), network.population("fc1", 20, vth=1)
    network.connect(hub, target, np.ones((1, 20), dtype=int))


def many_formats(network: SpikingNetwork) -> None:
    source, target = network.input("pixels", 15), network.population("fc1", 1, vth=1)
    network.connect(source, target, np.ones((15, 1), dtype=int), w_exp=np.arange(-7, 8)[:, None])


CORES, NEURONS, OUT = "limits.cores", "limits.neurons_per_core", "limits.out_axons_per_core"
MEMORY, FORMATS = "limits.memory.synapse", "limits.shared_table.synapse_format"
BROKEN = [
    ({"limits.in_axons_per_core": 9}, dense(10, 4), "fc1", "limits.in_axons_per_core", 10, 9),
    ({"limits.fan_in": 9}, dense(10, 4), "fc1", "limits.fan_in", 10, 9),
    ({"limits.fan_out": 3}, dense(10, 4), "pixels", "limits.fan_out", 4, 3),
    ({"limits.inputs": 9}, dense(10, 4), "pixels", "limits.inputs", 10, 9),
    ({"limits.outputs": 3}, dense(10, 4), "fc1", "limits.outputs", 4, 3),
    (
        {CORES: 2, NEURONS: 3},
        dense(10, 7),
        "fc1",
        "7 neurons (limits.neurons_per_core 3)",
        "3 cores",
        2,
    ),
    ({f"{MEMORY}.bits": 640}, dense(11, 4), "fc1", MEMORY, 704, 640),
    ({NEURONS: 2, OUT: 9}, fan_out, "hub", OUT, 10, 9),
    ({f"{FORMATS}.max": 14}, many_formats, "fc1", FORMATS, 15, 14),
]


@pytest.mark.parametrize(("overrides", "build", "layer", "limit", "value", "allowed"), BROKEN)
def test_a_network_that_does_not_fit_says_why(
    overrides: dict[str, object],
    build: Callable[[SpikingNetwork], None],
    layer: str,
    limit: str,
    value: object,
    allowed: int,
) -> None:
    with pytest.raises(PlacementError) as caught:
        place(network_with(overrides, build))
    error = caught.value
    assert layer in error.subject
    assert limit in str(error)
    assert (error.value, error.limit) == (value, allowed)
    assert error.remedy
    assert "\n" not in str(error)


def test_measuring_needs_no_limits() -> None:
    program = place_without_limits(
        network_with({"limits.cores": 1, "limits.neurons_per_core": 3}, dense(10, 7))
    )
    assert program.n_cores == 1


def test_a_limit_just_reached_is_kept() -> None:
    exact = {"limits.in_axons_per_core": 10, "limits.fan_in": 10, "limits.inputs": 10, "limits.outputs": 4,
             "limits.neurons_per_core": 4, "limits.cores": 1}  # fmt: skip
    assert place(network_with(exact, dense(10, 4))).n_cores == 1


def test_out_axons_split_the_source() -> None:
    """Ten targets on five cores: each of four hubs has five axons, ten axons leave a core of two hubs."""

    def build(network: SpikingNetwork) -> None:
        hub, target = network.population("hub", 4, vth=1), network.population("fc1", 10, vth=1)
        network.connect(hub, target, np.ones((4, 10), dtype=int))

    program = place(network_with({"limits.neurons_per_core": 4, "limits.out_axons_per_core": 6}, build))
    assert np.diff(program.arrays.core_neuron_start).tolist() == [2, 2, 4, 4, 2]


def test_distinct_parameter_sets_split_a_population() -> None:
    def build(network: SpikingNetwork) -> None:
        network.population("fc1", 40, vth=np.arange(1, 41))
        network.population("low", 4, vth=1, vmin=[23, 23, 22, 22])

    sizes = np.diff(place(network_with({}, build)).arrays.core_neuron_start)
    assert sizes.tolist() == [16, 16, 8, 2, 2]


def test_few_cores_hold_several_populations() -> None:
    def build(network: SpikingNetwork) -> None:
        for k in range(5):
            network.population(f"p{k}", 3, vth=k + 1)

    program = place(network_with({"limits.cores": 2, "limits.neurons_per_core": 9}, build))
    assert np.diff(program.arrays.core_neuron_start).tolist() == [9, 6]
    assert program.populations[4].neurons.tolist() == [12, 13, 14]


def test_a_convolution_is_cut_between_image_rows_where_that_costs_no_core() -> None:
    def build(network: SpikingNetwork) -> None:
        source, target = network.input("pixels", 8 * 8), network.population("conv", 6 * 6 * 4, vth=1)
        network.connect(source, target, Convolution(np.ones((1, 3, 3, 4), dtype=int), (8, 8, 1)))

    for most, sizes in ((60, [48, 48, 48]), (24, [24] * 6), (80, [72, 72]), (71, [48, 48, 48])):
        program = place(network_with({"limits.neurons_per_core": most}, build))
        assert np.diff(program.arrays.core_neuron_start).tolist() == sizes


def test_sparse_sources_without_a_synapse_have_no_axon() -> None:
    def build(network: SpikingNetwork) -> None:
        source, target = network.input("pixels", 4), network.population("fc1", 4, vth=1)
        network.connect(source, target, csr_array(np.diag([2, 0, 0, 4])))

    program = place(network_with({"limits.neurons_per_core": 2}, build))
    assert program.arrays.core_axon_start.tolist() == [0, 1, 2]
    assert program.arrays.input_fan_start.tolist() == [0, 1, 1, 1, 2]


@pytest.mark.parametrize("ticks", [0, -1, 2.5, True, "8"])
def test_ticks_are_a_positive_integer(ticks: object) -> None:
    with pytest.raises(PlacementError, match="ticks: must be an integer of at least 1"):
        place(network_with({}, dense(1, 1)), ticks=ticks)  # type: ignore[arg-type]


def test_a_network_needs_neurons() -> None:
    with pytest.raises(PlacementError, match="has no neurons"):
        place(SpikingNetwork("loihi1"))


@pytest.mark.parametrize("traffic", [np.ones(3), np.full(4, np.nan), ["a"] * 4])
def test_traffic_is_one_number_a_neuron(traffic: object) -> None:
    network = network_with({}, dense(1, 4))
    assert place(network, traffic=np.ones(4)).n_cores == 1
    with pytest.raises(PlacementError, match="traffic"):
        place(network, traffic=traffic)  # type: ignore[arg-type]
