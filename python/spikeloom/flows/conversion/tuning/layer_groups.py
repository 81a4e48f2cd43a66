"""Which neurons of a placed program see the same sources: one layer's problem, with every synapse by its number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import FitError
from spikeloom.flows.conversion.synapse_list import SynapseList
from spikeloom.program.program import ChipProgram

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Group:
    """Neurons that the same sources drive: neurons (m,), sources (n,), and their synapses' numbers (n, m)."""

    neurons: Index
    sources: Index
    synapses: Index


def groups_of(synapses: SynapseList, neurons: Index) -> Iterator[Group]:
    """The given neurons, those with the same sources together; the ones without synapses are left out.

    A dense layer is one group, a convolution has one for each position.
    """
    mine = np.flatnonzero(np.isin(synapses.target, neurons))
    order = mine[np.lexsort((synapses.source[mine], synapses.target[mine]))]
    targets, first = np.unique(synapses.target[order], return_index=True)
    alike: dict[bytes, list[int]] = {}
    rows = np.split(order, first[1:])
    for k, row in enumerate(rows):
        if row.size:
            alike.setdefault(synapses.source[row].tobytes(), []).append(k)
    for members in alike.values():
        numbers = np.stack([rows[k] for k in members], axis=1)
        yield Group(targets[members], synapses.source[numbers[:, 0]], numbers)


def weights_of(other: ChipProgram, program: ChipProgram, synapses: SynapseList) -> Array:
    """(synapses,) the weights of another program of the same network, in the order of this one's synapses.

    Raises FitError where the two do not have the same synapses.
    """
    theirs, here = SynapseList.of(other), numbers_in(other, program)
    source, target = here[synapses.source], here[synapses.target + program.n_inputs] - other.n_inputs
    mine, order = np.lexsort((source, target)), np.lexsort((theirs.source, theirs.target))
    same = order.size == mine.size and np.array_equal(
        np.stack((source, target))[:, mine], np.stack((theirs.source, theirs.target))[:, order]
    )
    if not same:
        raise FitError("chip in the loop", "the perfect network has other synapses than the chip's",
                       value=theirs.weights.size, limit=synapses.weights.size)  # fmt: skip
    weights = np.empty(mine.size)
    weights[mine] = theirs.weights[order]
    return weights


def numbers_in(other: ChipProgram, program: ChipProgram) -> Index:
    """(lines + neurons,) the number that each source of this program has in another one of the same network."""
    lines = program.n_inputs
    numbers = np.arange(lines + program.n_neurons)
    theirs = {placed.name: placed.neurons for placed in other.populations}
    for placed in program.populations:
        numbers[lines + placed.neurons] = other.n_inputs + theirs[placed.name]
    return numbers
