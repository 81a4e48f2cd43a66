"""What is on each core, how much of it is used, and the spikes that come in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.assignment import assign
from spikeloom.placement.demand import Demand
from spikeloom.placement.partition import Partition, Piece
from spikeloom.placement.routes import all_synapses
from spikeloom.profile.schema import Limits
from spikeloom.program.program import ChipProgram
from spikeloom.report.validation import CoreView


def core_views(
    network: SpikingNetwork, program: ChipProgram, input_spikes: NDArray, neuron_spikes: NDArray
) -> tuple[CoreView, ...]:
    """The cores of a placed network in their order.

    input_spikes: (samples, lines), neuron_spikes: (samples, neurons), over a run.
    """
    partition = Partition(network, all_synapses(network))
    cores = _as_placed(assign(partition.pieces(), partition, network.profile), program)
    arriving = _arriving(program, input_spikes, neuron_spikes)
    views = []
    for pieces, spikes in zip(cores, arriving.tolist(), strict=True):
        demands = [partition.demand(piece) for piece in pieces]
        populations: dict[str, int] = {}
        for piece in pieces:
            populations[piece.population] = populations.get(piece.population, 0) + piece.stop - piece.first
        views.append(CoreView(populations, _used(demands, network.profile.limits), spikes))
    return tuple(views)


def _as_placed(cores: list[list[Piece]], program: ChipProgram) -> list[list[Piece]]:
    """In the order that the program gave them, which on a mesh follows the traffic."""
    numbers = {population.name: population.neurons for population in program.populations}
    return sorted(cores, key=lambda pieces: int(numbers[pieces[0].population][pieces[0].first]))


def _used(demands: list[Demand], limits: Limits) -> dict[str, tuple[int, int | None]]:
    """Resource -> (used, limit), of all pieces on one core together."""
    total = demands[0]
    for demand in demands[1:]:
        total = total + demand
    used = {
        "neurons": (total.neurons, limits.neurons_per_core),
        "axons in": (total.in_axons, limits.in_axons_per_core),
        "axons out": (total.out_axons, limits.out_axons_per_core),
    }
    for memory, bits in zip(limits.memory, total.memory, strict=True):
        used[f"{memory.name} bits"] = (bits, memory.bits)
    return used


def _arriving(program: ChipProgram, input_spikes: NDArray, neuron_spikes: NDArray) -> NDArray[np.float64]:
    """(cores,) spikes that arrive on the axons of each core, a sample."""
    arrays = program.arrays
    on_axon = np.zeros(arrays.axon_template.size)
    fans = ((input_spikes, arrays.input_fan_start, arrays.input_fan_axon),
            (neuron_spikes, arrays.neuron_fan_start, arrays.neuron_fan_axon))  # fmt: skip
    for spikes, start, axons in fans:
        np.add.at(on_axon, axons, np.repeat(spikes.mean(axis=0), np.diff(start)))
    core = np.searchsorted(arrays.core_axon_start, np.arange(on_axon.size), side="right") - 1
    arriving: NDArray[np.float64] = np.bincount(core, weights=on_axon, minlength=program.n_cores).astype(
        float
    )
    return arriving
