"""Every synapse of a network, and of a program, one by one in plain loops: what placement must not change.

Written from the docstrings of `Projection`, `Convolution`, `ProgramArrays` and the windows of the contract,
not from the placement's code. A synapse is (source population, source neuron, target population, target
neuron, delay, receptor, code, mode, shared values); a collection of them is a multiset.
"""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
from scipy.sparse import csr_array
from spikeloom.network.network import SpikingNetwork
from spikeloom.network.projection import Convolution, Projection
from spikeloom.program.program import ChipProgram

Synapse = tuple[object, ...]


def of_network(network: SpikingNetwork) -> Counter[Synapse]:
    """Every synapse of a network, with the delays that its windows ask for."""
    found: Counter[Synapse] = Counter()
    depth = slow_depths(network)
    for projection in network.projections:
        extra = slow_extra(network, projection, depth)
        for source, target, delay, code, kind in _synapses(projection):
            mode = projection.modes[kind] if projection.modes else None
            shared = tuple(int(values[kind]) for values in projection.shared.values())
            ends = (projection.source, source, projection.target, target)
            found[(*ends, delay + extra, projection.receptor, code, mode, shared)] += 1
    return found


def _synapses(projection: Projection):
    """(source, target, delay, code, format) of a projection."""
    weights = projection.weights
    if isinstance(weights, Convolution):
        yield from _taps(projection, weights)
        return
    matrix = weights.toarray() if isinstance(weights, csr_array) else weights
    formats = np.broadcast_to(projection.formats, matrix.shape)
    position = 0
    for row, column in product(*map(range, matrix.shape)):
        if (
            isinstance(weights, csr_array)
            and column not in weights.indices[weights.indptr[row] : weights.indptr[row + 1]]
        ):
            continue
        delay = projection.delays
        if isinstance(delay, np.ndarray):
            delay = delay[position] if isinstance(weights, csr_array) else delay[row, column]
        position += 1
        yield row, column, int(delay), matrix[row, column].item(), int(formats[row, column])


def _taps(projection: Projection, kernel: Convolution):
    height, width, channels = kernel.input_shape
    _, kernel_y, kernel_x, outputs = kernel.codes.shape
    rows, columns, _ = kernel.output_shape
    formats = np.broadcast_to(projection.formats, kernel.codes.shape)
    for out_y, out_x, out, tap_y, tap_x, channel in product(
        range(rows), range(columns), range(outputs), range(kernel_y), range(kernel_x), range(channels)
    ):
        pooled_y = out_y * kernel.stride[0] + tap_y * kernel.dilation[0] - kernel.padding[0]
        pooled_x = out_x * kernel.stride[1] + tap_x * kernel.dilation[1] - kernel.padding[1]
        if channel // (channels // kernel.groups) != out // (outputs // kernel.groups):
            continue
        if not (0 <= pooled_y < height // kernel.pool[0] and 0 <= pooled_x < width // kernel.pool[1]):
            continue
        place = (channel % (channels // kernel.groups), tap_y, tap_x, out)
        for dy, dx in product(range(kernel.pool[0]), range(kernel.pool[1])):
            y, x = pooled_y * kernel.pool[0] + dy, pooled_x * kernel.pool[1] + dx
            source = (y * width + x) * channels + channel
            target = (out_y * columns + out_x) * outputs + out
            yield source, target, int(projection.delays), kernel.codes[place].item(), int(formats[place])


def slow_depths(network: SpikingNetwork) -> dict[str, int]:
    """Longest path to each population over projections that lie on no cycle, found by walking every path."""
    hops = {name: [] for name in network.populations}
    reach = {name: _reachable(network, name) for name in network.populations}
    groups = {name: frozenset(n for n in reach[name] if name in reach[n]) for name in network.populations}
    for p in network.projections:
        if groups[p.source] != groups[p.target]:
            hop = 0 if network.populations[p.source].is_input else network.profile.time.spike_latency_ticks
            for member in groups[p.target]:
                hops[member].append((p.source, hop))

    def longest(name: str) -> int:
        before = [hop for member in groups[name] for hop in hops[member]]
        return max((longest(source) + hop for source, hop in before), default=0)

    return {name: longest(name) for name in network.populations}


def _reachable(network: SpikingNetwork, start: str) -> set[str]:
    found, front = {start}, [start]
    while front:
        name = front.pop()
        for p in network.projections:
            if p.source == name and p.target not in found:
                found.add(p.target)
                front.append(p.target)
    return found


def slow_extra(network: SpikingNetwork, projection: Projection, depth: dict[str, int]) -> int:
    """Ticks that a spike must wait for the target's window."""
    if projection.source in _reachable(network, projection.target):
        return 0
    latency = (
        0 if network.populations[projection.source].is_input else network.profile.time.spike_latency_ticks
    )
    return depth[projection.target] - depth[projection.source] - latency


def of_program(program: ChipProgram) -> Counter[Synapse]:
    """Every synapse that the arrays of a program spell out."""
    arrays = program.arrays
    names = {int(number): (p.name, k) for p in program.populations for k, number in enumerate(p.neurons)}
    lines = {port.first + k: (port.name, k) for port in program.inputs for k in range(port.size)}
    found: Counter[Synapse] = Counter()
    fans = (
        (lines, arrays.input_fan_start, arrays.input_fan_axon),
        (names, arrays.neuron_fan_start, arrays.neuron_fan_axon),
    )
    for sources, start, axons in fans:
        for number, source in sources.items():
            for axon in axons[start[number] : start[number + 1]].tolist():
                for target, rest in axon_synapses(program, axon):
                    found[(*source, *names[target], *rest)] += 1
    return found


def axon_synapses(program: ChipProgram, axon: int):
    """(target neuron, (delay, receptor, code, mode, shared values)) of each synapse of an axon, as stored."""
    arrays = program.arrays
    modes = [mode.name for mode in program.profile.weights.mode]
    template = arrays.axon_template[axon]
    for run in range(arrays.template_run_start[template], arrays.template_run_start[template + 1]):
        for k in range(arrays.run_length[run]):
            index = arrays.run_index[run]
            offset = k if index < 0 else arrays.index_target[index + k]
            target = int(arrays.axon_target[axon] + arrays.run_target[run] + offset)
            place = arrays.axon_weight[axon] + arrays.run_weight[run] + k
            kind = arrays.code_format[place]
            mode = arrays.format_mode[kind]
            shared = tuple(int(values[kind]) for values in arrays.format_shared.values())
            rest = (int(arrays.run_delay[run]), int(arrays.run_receptor[run]), arrays.codes[place].item(),
                    None if mode < 0 else modes[mode], shared)  # fmt: skip
            yield target, rest
