"""Every synapse of a program in plain lists, population by population."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.profile.weights import effective_weights
from spikeloom.program.program import ChipProgram

Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SynapseList:
    """The synapses from one population or input to one population, all of one delay and receptor.

    source, target: neuron or line within its population; worth: LSB (the weight itself on an analog soma)
    delay: ticks, without those that windows add
    """

    source_name: str
    target_name: str
    source: Index
    target: Index
    worth: NDArray[np.float64]
    delay: int
    receptor: int


def synapse_lists(program: ChipProgram) -> list[SynapseList]:
    """All synapses of a program, in the order of its inputs and populations."""
    axon, target, place, run = expanded(program)
    line, is_input = drivers(program)
    owners, member = _owners(program)
    source_owner, source = _sources(program, line[axon], is_input[axon], owners, member)
    target_owner = owners[target]
    arrays = program.arrays
    worth = _worth(program, place)
    keys = np.stack([source_owner, target_owner, arrays.run_delay[run], arrays.run_receptor[run]])
    kinds, kind = np.unique(keys, axis=1, return_inverse=True)
    names = _names(program)
    found = []
    for k, (a, b, delay, receptor) in enumerate(kinds.T.tolist()):
        chosen = kind.ravel() == k
        extra = _window_delay(program, a, b)
        found.append(
            SynapseList(names[a], names[b], source[chosen], member[target[chosen]], worth[chosen],
                        delay - extra, receptor)
        )  # fmt: skip
    return found


def _names(program: ChipProgram) -> list[str]:
    """Inputs, then populations."""
    return [port.name for port in program.inputs] + [placed.name for placed in program.populations]


def expanded(program: ChipProgram) -> tuple[Index, Index, Index, Index]:
    """(axon, target neuron, place of its code, run) of every synapse."""
    arrays = program.arrays
    template = arrays.axon_template.astype(np.int64)
    runs = np.diff(arrays.template_run_start)[template]
    axon = np.repeat(np.arange(template.size), runs)
    run = _ranges(arrays.template_run_start[:-1][template], runs)
    length = arrays.run_length[run].astype(np.int64)
    offset = _ranges(np.zeros(length.size, dtype=np.int64), length)
    axon, run = np.repeat(axon, length), np.repeat(run, length)
    index = arrays.run_index[run]
    if arrays.index_target.size:
        listed = arrays.index_target[np.where(index < 0, 0, index + offset)]
    else:
        listed = offset
    step = np.where(index < 0, offset, listed)
    target = arrays.axon_target[axon].astype(np.int64) + arrays.run_target[run] + step
    return axon, target, arrays.axon_weight[axon] + arrays.run_weight[run] + offset, run


def _ranges(first: NDArray, counts: NDArray) -> Index:
    """first[k], first[k] + 1, ..., counts[k] numbers, for each k in turn."""
    ends = np.cumsum(counts, dtype=np.int64)
    numbers: Index = np.arange(ends[-1] if ends.size else 0) + np.repeat(first - (ends - counts), counts)
    return numbers


def drivers(program: ChipProgram) -> tuple[Index, NDArray[np.bool_]]:
    """(line or neuron, whether it is a line) that drives each axon."""
    arrays = program.arrays
    driver = np.zeros(arrays.axon_template.size, dtype=np.int64)
    is_input = np.zeros(driver.size, dtype=np.bool_)
    for start, axons, lines in (
        (arrays.input_fan_start, arrays.input_fan_axon, True),
        (arrays.neuron_fan_start, arrays.neuron_fan_axon, False),
    ):
        driver[axons] = np.repeat(np.arange(start.size - 1), np.diff(start))
        is_input[axons] = lines
    return driver, is_input


def _owners(program: ChipProgram) -> tuple[Index, Index]:
    """(number of the population in `_names`, place in it) of every neuron."""
    owner, member = (np.zeros(program.n_neurons, dtype=np.int64) for _ in range(2))
    for k, placed in enumerate(program.populations, len(program.inputs)):
        owner[placed.neurons], member[placed.neurons] = k, np.arange(placed.neurons.size)
    return owner, member


def _sources(
    program: ChipProgram, driver: Index, is_input: NDArray[np.bool_], owners: Index, member: Index
) -> tuple[Index, Index]:
    """(number in `_names`, place in it) of what drives each synapse."""
    first = np.array([port.first for port in program.inputs] or [0])
    port = np.searchsorted(first, driver, side="right") - 1
    neuron = np.where(is_input, 0, driver)
    owner = np.where(is_input, port, owners[neuron] if owners.size else 0)
    place = np.where(is_input, driver - first[port], member[neuron] if member.size else 0)
    return owner, place


def _worth(program: ChipProgram, place: Index) -> NDArray[np.float64]:
    """What the code at each place adds to its accumulator."""
    arrays = program.arrays
    kind = arrays.code_format[place]
    shared = {name: values[kind] for name, values in arrays.format_shared.items()}
    worth = effective_weights(program.profile.weights, arrays.codes[place], shared)
    return worth.astype(np.float64)


def _window_delay(program: ChipProgram, source: int, target: int) -> int:
    """Ticks that placement added so that a shorter branch meets a longer one."""
    n = len(program.inputs)
    depth = program.populations[target - n].depth
    if source < n:
        return depth
    hop = program.profile.time.spike_latency_ticks
    return max(0, depth - program.populations[source - n].depth - hop)
