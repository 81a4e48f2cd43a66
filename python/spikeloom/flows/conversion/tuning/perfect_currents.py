"""What every neuron of a placed program should get: the currents of the perfect chip with continuous weights."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spikeloom.emulation.emulate import emulate
from spikeloom.emulation.inputs import encoded_inputs
from spikeloom.errors import FitError
from spikeloom.fit.problem import Response
from spikeloom.flows.conversion.chip_limits import firing_ceiling
from spikeloom.flows.conversion.synapse_list import SynapseList
from spikeloom.flows.conversion.tuning.bench import rates_of
from spikeloom.flows.conversion.tuning.layer_groups import numbers_in, weights_of
from spikeloom.network.chip_units import threshold_name
from spikeloom.program.program import ChipProgram, Placed, Port

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PerfectCurrents:
    """In the numbers of the chip's program; currents, weights and biases in thresholds.

    lines: (rows, lines), rates: (rows, lines + neurons) spikes a tick; currents: (rows, neurons) in the mean of the
    window; weights: (synapses,); biases: (neurons,); outputs: (rows, outputs), read from `ports`
    read_out: populations that are read as a register, and never fire; their threshold counts as 1
    """

    lines: Array
    rates: Array
    currents: Array
    weights: Array
    biases: Array
    outputs: Array
    ports: tuple[Port, ...]
    read_out: Collection[str]
    ceiling: float

    @classmethod
    def of(
        cls, program: ChipProgram, perfect: ChipProgram, synapses: SynapseList, rows: NDArray, threads: int | None
    ) -> PerfectCurrents:  # fmt: skip
        """Run the perfect program on these rows."""
        run = emulate(perfect, rows, effects=(), threads=threads)
        lines = encoded_inputs(program, rows).spikes.sum(axis=1, dtype=np.int64) / program.ticks
        rates = rates_of(program, lines, run.counts)
        read_out = {port.name for port in program.outputs if port.read != "spikes"}
        theta, bias = _neurons(program, perfect, read_out)
        weights = weights_of(perfect, program, synapses) / theta[synapses.target]
        ends, shape = (synapses.source, synapses.target), (rates.shape[1], program.n_neurons)
        currents = rates @ csr_array((weights, ends), shape=shape) + bias
        return cls(lines, rates, np.asarray(currents), weights, bias, run.outputs, perfect.outputs, read_out,
                   firing_ceiling(program.profile))  # fmt: skip

    def response(self, placed: Placed) -> tuple[Literal["relu", "identity"], Response]:
        """What the layer's neurons do, and the response that they have on the perfect chip."""
        if placed.name in self.read_out:
            return "identity", Response.linear()
        rates = self.rates[:, self.lines.shape[1] + placed.neurons]
        try:
            return "relu", Response.from_pairs(self.currents[:, placed.neurons], rates, self.ceiling)
        except FitError:  # it hardly fires: nothing to learn from
            return "relu", Response.clipped(self.ceiling)

    def read_by(self, program: ChipProgram, scales: Array) -> tuple[Port, ...]:
        """The program's outputs, read as the perfect chip's; scales: (neurons,) of its units that code 1 is worth."""
        return tuple(
            replace(port, scale=_scale(theirs) * scales[np.asarray(port.neurons)], offset=theirs.offset)
            for port, theirs in zip(program.outputs, self.ports, strict=True)
        )


def _scale(port: Port) -> Array:
    return np.ones(port.size) if port.scale is None else np.asarray(port.scale) * np.ones(port.size)


def _neurons(program: ChipProgram, perfect: ChipProgram, read_out: Collection[str]) -> tuple[Array, Array]:
    """(neurons,) thresholds, and biases in thresholds, of the perfect program in the numbers of the chip's."""
    lines = program.n_inputs
    there = numbers_in(perfect, program)[lines:] - perfect.n_inputs
    params = perfect.arrays.params
    theta = np.array(params[threshold_name(perfect.profile)], dtype=np.float64)[there]
    for placed in program.populations:
        if placed.name in read_out:
            theta[placed.neurons] = 1.0
    return theta, np.asarray(params[str(perfect.profile.bias.param)], dtype=np.float64)[there] / theta
