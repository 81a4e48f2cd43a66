"""When does each population work, and do branches of different length meet?"""

from __future__ import annotations

import numpy as np
import pytest
from random_networks import profile_with
from spikeloom.errors import PlacementError
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place, place_without_limits
from spikeloom.program.program import ChipProgram


def network_of(edges: str, delays: dict[str, int] | None = None, **overrides: object) -> SpikingNetwork:
    """A network of one-neuron populations; "x>a a>b" connects them, and x is an input."""
    network = SpikingNetwork(
        profile_with(tuple((key.replace("__", "."), value) for key, value in overrides.items()))
    )
    for name in dict.fromkeys(edges.replace(">", " ").split()):
        _ = network.input(name, 1) if name.startswith("x") else network.population(name, 1, vth=1)
    for edge in edges.split():
        source, target = (network.populations[name] for name in edge.split(">"))
        network.connect(source, target, [[1]], delays=(delays or {}).get(edge, 0))
    return network


def depths_of(program: ChipProgram) -> dict[str, int]:
    return {population.name: population.depth for population in program.populations}


def delay_of(program: ChipProgram, axon: int) -> int:
    return int(
        program.arrays.run_delay[program.arrays.template_run_start[program.arrays.axon_template[axon]]]
    )


def test_a_chain_goes_deeper_by_the_latency() -> None:
    assert depths_of(place(network_of("x>a a>b b>c"))) == {"a": 0, "b": 1, "c": 2}
    program = place(network_of("x>a a>b b>c", time__spike_latency_ticks=3), ticks=10)
    assert depths_of(program) == {"a": 0, "b": 3, "c": 6}
    assert program.run_ticks == 16


def test_a_shorter_branch_waits() -> None:
    program = place(network_of("x>a a>b b>c a>c x>c"))
    assert depths_of(program) == {"a": 0, "b": 1, "c": 2}
    arrays = program.arrays
    into_c = range(arrays.core_axon_start[2], arrays.core_axon_start[3])
    assert [delay_of(program, axon) for axon in into_c] == [2, 1, 0]  # from x, a, b


def test_own_delays_stay_beside_the_waiting() -> None:
    program = place_without_limits(network_of("x>a a>b x>b", {"x>b": 5, "a>b": 2}))
    assert depths_of(program) == {"a": 0, "b": 1}
    arrays = program.arrays
    assert [
        delay_of(program, axon) for axon in range(arrays.core_axon_start[1], arrays.core_axon_start[2])
    ] == [6, 2]


def test_a_cycle_has_one_depth_and_keeps_its_delays() -> None:
    program = place(network_of("x>a a>b b>c c>b c>d d>d", {"c>b": 4}))
    assert depths_of(program) == {"a": 0, "b": 1, "c": 1, "d": 2}
    delays = [delay_of(program, axon) for axon in range(program.arrays.axon_template.size)]
    assert delays == [0, 0, 4, 0, 0, 0]


def test_what_no_input_reaches_starts_at_once() -> None:
    assert depths_of(place(network_of("a>b x>b b>c"))) == {"a": 0, "b": 1, "c": 2}


@pytest.mark.parametrize(("limit", "delay"), [(2, 3), (0, 1)])
def test_a_delay_beyond_the_profile_is_refused(limit: int, delay: int) -> None:
    edges = "x>a " + " ".join(f"{a}>{b}" for a, b in zip("abc", "bcd", strict=True)) + " x>d"
    network = network_of(edges if delay == 3 else "x>a a>b x>b", time__delay_max=limit)
    with pytest.raises(PlacementError) as caught:
        place(network)
    assert caught.value.subject.startswith("projection x -> ")
    assert (caught.value.value, caught.value.limit) == (delay, limit)
    assert "longer branch" in str(caught.value)


def test_a_chip_without_delays_takes_chains_only() -> None:
    fixed = {"time__delay_max": 0, "time__delay_scope": "none"}
    assert depths_of(place(network_of("x>a a>b", **fixed))) == {"a": 0, "b": 1}
    with pytest.raises(PlacementError, match="needs a delay of 1 ticks"):
        place(network_of("x>a a>b x>b", **fixed))


def test_ports_number_lines_and_readouts() -> None:
    network = SpikingNetwork("ideal")
    first = network.input("first", 6, encoding="bits", signed=True, planes=3, scale=0.5)
    network.input("values", 2, encoding="current")
    second = network.input("second", 4)
    target = network.population("target", 3)
    network.connect(first, target, np.ones((6, 3)))
    network.connect(second, target, np.ones((4, 3)))
    network.host_layer(network.populations["values"], target, np.ones((2, 3)), bias=0.5)
    network.output(target, read="v", scale=[1.0, 2.0, 3.0], offset=-1.0)
    program = place(network, ticks=np.int64(9))  # type: ignore[arg-type]
    assert [(p.name, p.size, p.first, p.encoding, p.signed, p.planes) for p in program.inputs] == [
        ("first", 6, 0, "bits", True, 3),
        ("values", 2, 6, "current", False, 1),
        ("second", 4, 8, "spikes", False, 1),
    ]
    assert program.inputs[0].scale.tolist() == [0.5]  # type: ignore[union-attr]
    assert program.inputs[2].scale is None
    output = program.outputs[0]
    assert (output.name, output.read, output.size, output.encoding) == ("target", "v", 3, None)
    assert output.neurons.tolist() == [0, 1, 2]  # type: ignore[union-attr]
    assert output.scale.tolist() == [1.0, 2.0, 3.0]  # type: ignore[union-attr]
    assert output.offset.tolist() == [-1.0] * 3  # type: ignore[union-attr]
    assert (program.ticks, program.n_inputs, program.hosts[0].source) == (9, 12, "values")
