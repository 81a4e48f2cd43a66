"""Does a network do the same on many small cores as on one core a population, to the last bit?"""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from random_networks import networks
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import PlacementError
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place, place_without_limits
from spikeloom.program.program import ChipProgram

TICKS = 6


def inputs_of(program: ChipProgram, seed: int) -> dict[str, np.ndarray]:
    """Spike counts, or values, of two samples."""
    rng = np.random.default_rng(seed)
    shapes = {"spikes": lambda port: rng.integers(0, 3, (2, TICKS, port.size)),
              "bits": lambda port: rng.uniform(-1, 1, (2, port.scale.size))}  # fmt: skip
    return {port.name: shapes[str(port.encoding)](port) for port in program.inputs}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(networks(), st.integers(0, 2**32 - 1))
def test_cores_do_not_change_what_a_network_does(network: SpikingNetwork, seed: int) -> None:
    whole = place_without_limits(network, ticks=TICKS)
    try:
        split = place(network, ticks=TICKS)
    except PlacementError:
        assume(False)
    names = [population.name for population in whole.populations]
    record = [f"{name}.{what}" for name in names for what in ("spikes", "v")]
    one, other = (emulate(p, inputs_of(whole, seed), record=record, threads=1) for p in (whole, split))
    assert one.outputs.tobytes() == other.outputs.tobytes()
    for name in names:
        assert (one.spikes[name] == other.spikes[name]).all()
        assert one.registers[f"{name}.v"].tobytes() == other.registers[f"{name}.v"].tobytes()
    assert one.events["spikes"].tolist() == other.events["spikes"].tolist()
    assert one.events["synaptic_operations"].tolist() == other.events["synaptic_operations"].tolist()
