"""The synapses of a placed program one by one, and the program with other values in the same places.

A convolution that a program stores as one kernel is, on an analog chip, as many devices as it has synapses. Other
weights leave every synapse where it was, so that a chip's imperfections stay with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spikeloom.emulation.devices import unrolled
from spikeloom.network.projection import HostLayer
from spikeloom.program.program import ChipProgram, Port, ProgramArrays

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SynapseList:
    """Synapses in the order in which a chip counts them.

    source: (synapses,) input line, or number of all lines + neuron; target: (synapses,) neuron; weights: (synapses,)
    """

    source: Index
    target: Index
    weights: Array

    @classmethod
    def of(cls, program: ChipProgram) -> SynapseList:
        """The synapses of a program, at the weights that it holds."""
        axon, target = _entries(program.arrays)
        return cls(_sources(program.arrays)[axon], target, unrolled(program).weights)

    def between(self, sources: Index, targets: Index) -> tuple[Index, Index, Index]:
        """Numbers of the synapses from these sources to these targets, with the place of both ends among them."""
        from_here, to_here = _places(sources, self.source), _places(targets, self.target)
        found = np.flatnonzero((from_here >= 0) & (to_here >= 0))
        return found, from_here[found], to_here[found]

    def matrix(self, sources: Index, targets: Index) -> csr_array:
        """(sources, targets) weights between two populations; parallel synapses are added."""
        number, row, column = self.between(sources, targets)
        return csr_array((self.weights[number], (row, column)), shape=(sources.size, targets.size))


def between_neurons(program: ChipProgram) -> tuple[Index, Index, Array]:
    """Source neuron, target neuron and weight of the synapses that no input line drives."""
    synapses, lines = SynapseList.of(program), program.n_inputs
    inside = synapses.source >= lines
    return synapses.source[inside] - lines, synapses.target[inside], synapses.weights[inside]


def _places(wanted: Index, given: Index) -> Index:
    """Where each given number is among the wanted ones; -1 where it is not."""
    table = np.full(int(max(wanted.max(initial=0), given.max(initial=0))) + 1, -1, dtype=np.int64)
    table[wanted] = np.arange(wanted.size)
    return np.asarray(table[given])


def _entries(arrays: ProgramArrays) -> tuple[Index, Index]:
    """Axon and target neuron of every synapse, by axon and then as stored."""
    start = arrays.template_run_start.astype(np.int64)
    runs = np.diff(start)[arrays.axon_template]
    axon = np.repeat(np.arange(runs.size), runs)
    run = start[arrays.axon_template][axon] + np.arange(axon.size) - np.repeat(np.cumsum(runs) - runs, runs)
    length = arrays.run_length.astype(np.int64)[run]
    inside = np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)
    axon, run = np.repeat(axon, length), np.repeat(run, length)
    listed = arrays.run_index[run] >= 0
    offset = inside.copy()
    offset[listed] = arrays.index_target[arrays.run_index[run][listed] + inside[listed]]
    return axon, arrays.axon_target.astype(np.int64)[axon] + arrays.run_target[run] + offset


def _sources(arrays: ProgramArrays) -> Index:
    """(axons,) what drives each: an input line, or the number of all lines + a neuron."""
    lines, neurons = np.diff(arrays.input_fan_start), np.diff(arrays.neuron_fan_start)
    source = np.full(arrays.axon_template.size, -1, dtype=np.int64)
    source[arrays.input_fan_axon] = np.repeat(np.arange(lines.size), lines)
    source[arrays.neuron_fan_axon] = lines.size + np.repeat(np.arange(neurons.size), neurons)
    return source


def with_values(
    program: ChipProgram, weights: Array | None, params: Mapping[str, NDArray], **changes: object
) -> ChipProgram:
    """The program with other weights (synapses,), parameters (neurons,) and fields, every synapse in its place.

    Weights of the formula `int` are codes of the profile's first mode.
    """
    arrays = program.arrays
    own = {} if weights is None else unrolled(program).with_weights(weights).arrays()
    if weights is not None and program.profile.weights.formula == "int":
        own |= {"codes": np.rint(weights).astype(np.int32), "format_mode": np.zeros(1, dtype=np.int32)}
    made = replace(arrays, **own, params={**arrays.params, **params})
    return replace(program, arrays=made, **changes)  # type: ignore[arg-type]


def driven_by_host(program: ChipProgram) -> ChipProgram:
    """The program with inputs that take spike counts, and one more input a population that is its neurons' bias."""
    lines = len(program.arrays.input_fan_start) - 1
    inputs = [Port(port.name, port.size, port.first, "spikes") for port in program.inputs]
    hosts = []
    for placed in program.populations:
        size = placed.neurons.size
        name = host_of(placed.name)
        inputs.append(Port(name, size, lines, "current", np.ones(size)))
        eye = csr_array((np.ones(size), (np.arange(size), np.arange(size))), shape=(size, size))
        hosts.append(HostLayer(placed.name, eye, np.zeros(size), name))
        lines += size
    fan = program.arrays.input_fan_start
    fan = np.concatenate((fan, np.full(lines + 1 - fan.size, fan[-1], dtype=fan.dtype)))
    arrays = replace(program.arrays, input_fan_start=fan)
    return replace(program, inputs=tuple(inputs), hosts=tuple(hosts), arrays=arrays)


def host_of(population: str) -> str:
    """Name of the input that is the bias of a population's neurons."""
    return f"host of {population}"
