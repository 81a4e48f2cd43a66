"""Placement moves synapses and changes none: what the program's arrays spell out is what the network said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from random_networks import networks, profile_with
from slow_expansion import axon_synapses, of_network, of_program, slow_depths
from spikeloom.errors import PlacementError
from spikeloom.network.network import SpikingNetwork
from spikeloom.network.projection import Convolution
from spikeloom.placement.place import place, place_without_limits
from spikeloom.program.consistency import check_program
from spikeloom.program.program import ChipProgram

QUICK = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(networks())
def test_split_over_small_cores_keeps_every_synapse(network: SpikingNetwork) -> None:
    try:
        program = place(network)
    except PlacementError:  # too much for these cores: test_limits.py
        return
    check(network, program)
    limits = network.profile.limits
    sizes = np.diff(program.arrays.core_neuron_start)
    assert limits.neurons_per_core is None or sizes.max() <= limits.neurons_per_core


@QUICK
@given(networks(ample=True))
def test_one_core_a_population_keeps_every_synapse(network: SpikingNetwork) -> None:
    program = place_without_limits(network, ticks=7)
    check(network, program)
    assert program.ticks == 7
    assert program.n_cores == sum(not p.is_input for p in network.populations.values())


def check(network: SpikingNetwork, program: ChipProgram) -> None:
    check_program(program)
    assert of_program(program) == of_network(network)
    assert {p.name: p.depth for p in program.populations}.items() <= slow_depths(network).items()
    check_order(program)
    check_axons(network, program)
    check_params(network, program)


def check_order(program: ChipProgram) -> None:
    """Runs of a template are sorted by delay, receptor and first target; targets within a run ascend."""
    arrays = program.arrays
    for axon in range(arrays.axon_template.size):
        synapses = [
            (delay, receptor, target) for target, (delay, receptor, *_) in axon_synapses(program, axon)
        ]
        assert synapses == sorted(synapses)
        assert synapses


def check_axons(network: SpikingNetwork, program: ChipProgram) -> None:
    """Axons of a core stand in the order of delivery, groups before sources; each has one source."""
    arrays = program.arrays
    owner = {}
    for group, start, fan in (("input", arrays.input_fan_start, arrays.input_fan_axon),
                              ("recurrent", arrays.neuron_fan_start, arrays.neuron_fan_axon)):  # fmt: skip
        for number in range(start.size - 1):
            axons = fan[start[number] : start[number + 1]].tolist()
            assert axons == sorted(set(axons))
            for axon in axons:
                owner[axon] = (group, number)
    assert sorted(owner) == list(range(arrays.axon_template.size))
    rank = network.profile.delivery.order.index
    for core in range(program.n_cores):
        axons = range(arrays.core_axon_start[core], arrays.core_axon_start[core + 1])
        keys = [(rank(owner[axon][0]), _source_rank(network, program, *owner[axon])) for axon in axons]
        assert keys == sorted(keys)


def _source_rank(network: SpikingNetwork, program: ChipProgram, group: str, number: int) -> tuple[int, int]:
    names = list(network.populations)
    if group == "input":
        port = next(p for p in program.inputs if p.first <= number < p.first + p.size)
        return names.index(port.name), number - port.first
    placed = next(p for p in program.populations if number in p.neurons)
    return names.index(placed.name), placed.neurons.tolist().index(number)


def check_params(network: SpikingNetwork, program: ChipProgram) -> None:
    for placed in program.populations:
        population = network.populations[placed.name]
        for name, values in population.params.items():
            assert (program.arrays.params[name][placed.neurons] == values).all()
        for name, values in population.init.items():
            assert (program.arrays.init[name][placed.neurons] == values).all()


@settings(QUICK, max_examples=25)
@given(networks())
def test_the_result_is_a_function_of_the_network(network: SpikingNetwork) -> None:
    try:
        first, second = place(network, seed=1), place(network, seed=2)
    except PlacementError:
        return
    for name in ("axon_template", "axon_target", "axon_weight", "run_target", "run_weight", "codes"):
        assert getattr(first.arrays, name).tobytes() == getattr(second.arrays, name).tobytes()


def test_a_convolution_shares_its_templates_and_kernel() -> None:
    network = SpikingNetwork("loihi1")
    pixels = network.input("pixels", 28 * 28)
    layer = network.population("layer", 24 * 24 * 8, vth=1)
    network.connect(pixels, layer, Convolution(np.ones((1, 5, 5, 8), dtype=int), (28, 28, 1)))
    arrays = place_without_limits(network).arrays
    assert arrays.codes.size == 5 * 5 * 8
    assert arrays.template_run_start.size - 1 == 5 * 5  # taps in reach along each axis
    assert arrays.run_length.min() == arrays.run_length.max() == 8


def test_pooled_sources_share_a_row() -> None:
    network = SpikingNetwork("loihi1")
    pixels = network.input("pixels", 4 * 4)
    layer = network.population("layer", 2 * 2 * 3, vth=1)
    network.connect(pixels, layer, Convolution(np.ones((1, 1, 1, 3), dtype=int), (4, 4, 1), pool=(2, 2)))
    arrays = place_without_limits(network).arrays
    assert arrays.template_run_start.size - 1 == 1
    assert arrays.axon_target.tolist() == [0, 0, 3, 3, 0, 0, 3, 3, 6, 6, 9, 9, 6, 6, 9, 9]


def test_a_dense_matrix_is_stored_once_when_its_columns_are_split() -> None:
    network = SpikingNetwork(profile_with((("limits.neurons_per_core", 4),)))
    source, target = network.input("source", 3), network.population("target", 10, vth=1)
    network.connect(source, target, np.arange(30).reshape(3, 10))
    program = place(network)
    assert program.n_cores == 3
    assert program.arrays.codes.tolist() == list(range(30))
    assert program.arrays.axon_weight.tolist() == [0, 10, 20] * 3
    assert program.arrays.run_weight.tolist() == [0, 4, 8]


@pytest.mark.parametrize("order", [("input", "recurrent"), ("recurrent", "input")])
def test_axons_stand_in_the_order_of_delivery(order: tuple[str, str]) -> None:
    network = SpikingNetwork(profile_with((("delivery.order", order),)))
    source, target = network.input("source", 2), network.population("target", 2, vth=1)
    network.connect(target, target, [[1, 1], [1, 1]])
    network.connect(source, target, [[1, 1], [1, 1]])
    arrays = place(network).arrays
    first = 0 if order[0] == "input" else 2
    assert arrays.input_fan_axon.tolist() == [first, first + 1]
    assert arrays.neuron_fan_axon.tolist() == [2 - first, 3 - first]


def test_the_arrays_of_a_program_are_read_only() -> None:
    network = SpikingNetwork("loihi1")
    target = network.population("target", 2, vth=1)
    network.connect(target, target, [[1, 1], [1, 1]])
    program = place(network)
    for array in (program.arrays.codes, program.arrays.params["vth"], program.populations[0].neurons):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
