"""A program cut behind a population: what it does not depend on is not driven, which saves most of a run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spikeloom.flows.conversion.synapse_list import between_neurons
from spikeloom.program.program import ChipProgram, Placed

Mask = NDArray[np.bool_]


def upstream_of(program: ChipProgram, placed: Placed) -> Mask:
    """(neurons,) whether a spike of it can come to the population, over however many synapses."""
    source, target, _ = between_neurons(program)
    found, reached = np.zeros(program.n_neurons, dtype=bool), np.zeros(program.n_neurons, dtype=bool)
    reached[placed.neurons] = True
    while not found[source[reached[target]]].all():
        found[source[reached[target]]] = True
        reached |= found
    return found


def driven_only_by(program: ChipProgram, drivers: Mask) -> ChipProgram:
    """The program in which spikes of no other neurons, (neurons,), are delivered.

    Every axon and synapse stays in its place, so that a chip's imperfections do.
    """
    arrays = program.arrays
    fans = np.diff(arrays.neuron_fan_start)
    start = np.concatenate((np.zeros(1), np.cumsum(np.where(drivers, fans, 0))))
    kept = {
        "neuron_fan_start": start.astype(arrays.neuron_fan_start.dtype),
        "neuron_fan_axon": arrays.neuron_fan_axon[np.repeat(drivers, fans)],
    }
    return replace(program, arrays=replace(arrays, **kept))
