"""Which spikes are due on each axon of a Brian2 model: from input lines, from neurons, and merged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.program.program import ChipProgram
from spikeloom.reference.brian2.setup import merged_limit
from spikeloom.reference.brian2.synapses import Copies, axon_order, fan_pairs


class DueSpikes:
    """The axons of a program in the order of the model, and how many spikes each may carry in a tick.

    one_event: an axon, or each of its copies, has one event a tick; else one for each bit of its count.
    copied: an axon that may carry n spikes is there n times.
    """

    def __init__(
        self,
        program: ChipProgram,
        params: Mapping[str, NDArray],
        spikes: NDArray,
        *,
        one_event: bool,
        copied: bool,
    ) -> None:
        arrays = program.arrays
        self.program = program
        self.order = axon_order(program)
        self.lines = fan_pairs(arrays.input_fan_start, arrays.input_fan_axon, self.order)
        self.fans = fan_pairs(arrays.neuron_fan_start, arrays.neuron_fan_axon, self.order)
        self.limit = merged_limit(program.profile.delivery, len(self.order), self.lines[1])
        self.most = self._most_spikes(params, spikes)
        self.copies = Copies(self.most if copied else np.ones_like(self.most))
        self.one_event = one_event
        self.planes = 1 if one_event else max(int(self.most.max(initial=1.0)).bit_length(), 1)

    def input_table(self, spikes: NDArray, ticks: int) -> NDArray:
        """(ticks, copies of axons): the spikes that input lines put on each axon, tick by tick."""
        table = np.zeros((max(ticks, 1), max(self.copies.n, 1)))
        table[: len(spikes), : self.copies.n] = self._arrivals(spikes)[: len(table), self.copies.axon]
        return table

    def group(self, clock: Any) -> Any:
        """Axons: n of this tick, merged, and its bits."""
        from brian2 import NeuronGroup

        bits = range(self.planes)
        variables = ["arrived : 1", "n : 1", "most : 1", "rank : 1", *(f"bit{k} : 1" for k in bits)]
        group = NeuronGroup(
            max(self.copies.n, 1), "\n".join(variables), clock=clock, namespace={}, name="axons*",
            events={f"plane{k}": f"bit{k} > 0.0" for k in bits},
        )  # fmt: skip
        lines = ["n = arrived + input_count(t, i)", "arrived = 0.0", "n = minimum(n, most)"]
        if self.one_event:
            lines.append("bit0 = int(n > rank)")
        else:
            lines += [f"bit{k} = whole(n / {2.0**k!r}) - 2.0 * whole(n / {2.0 ** (k + 1)!r})" for k in bits]
        group.run_regularly("\n".join(lines), when="groups", order=0, clock=clock)
        for k in bits:
            group.set_event_schedule(f"plane{k}", when="groups", order=1)
        group.rank_[: self.copies.n] = self.copies.rank
        group.most_[: self.copies.n] = self.limit[self.copies.axon]
        return group

    def _most_spikes(self, params: Mapping[str, NDArray], spikes: NDArray) -> NDArray:
        """The most spikes that may be due on each axon in one tick, after merging."""
        counted = [self._arrivals(sample).max(axis=0, initial=0) for sample in spikes]
        most = np.max(counted, axis=0) if counted else np.zeros(len(self.order))
        fire = self.program.profile.fire
        per_neuron: Any = 1.0
        if fire.op == "multi_fire":
            limit = params.get(fire.max, fire.max)
            per_neuron = np.maximum(np.broadcast_to(limit, self.program.n_neurons)[self.fans[0]], 0.0)
        np.add.at(most, self.fans[1], per_neuron)
        return np.asarray(np.minimum(most, self.limit))

    def _arrivals(self, spikes: NDArray) -> NDArray:
        """(ticks, axons): what the input lines put on each axon."""
        counts = np.zeros((len(spikes), len(self.order)))
        np.add.at(counts.T, self.lines[1], spikes.T[self.lines[0]].astype(np.float64))
        return counts
