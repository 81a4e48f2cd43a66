"""The twin's noise that is new in every step: of reads, and of the time at which spikes arrive."""

from __future__ import annotations

import math

from spikeloom.program.program import ChipProgram
from spikeloom.reference.twin.imperfections import Flaws
from spikeloom.reference.twin.neuron import Moment, Neuron
from spikeloom.reference.twin.numbers import Number


class NoisyReads:
    """What reading synapses adds to their weights; `program` has one code for each of its synapses."""

    def __init__(self, program: ChipProgram, flaws: Flaws, moment: Moment) -> None:
        self.entries = flaws.of_kind("read_noise")
        self.flaws, self.moment = flaws, moment
        arrays = program.arrays
        self.core_of = [
            core for core in range(program.n_cores)
            for _ in range(int(arrays.core_axon_start[core]), int(arrays.core_axon_start[core + 1]))
        ]  # fmt: skip
        self.first_code = [
            int(arrays.axon_weight[start]) if start < len(arrays.axon_weight) else 0
            for start in arrays.core_axon_start
        ]

    def of(self, axon: int, place: int, weights: list[Number]) -> list[Number]:
        """Weights as they are read in this step; `place` is the code of the first."""
        if not self.entries:
            return weights
        (layer, _), core = self.entries[0], self.core_of[axon]
        read: list[Number] = []
        for k, weight in enumerate(weights):
            z = self.moment.draw("read", layer, core, place + k - self.first_code[core])
            read.append(weight + self.flaws.read_std(float(weight)) * z)
        return read


class Lateness:
    """By how many steps the spikes of a neuron are late."""

    def __init__(self, program: ChipProgram, flaws: Flaws, moment: Moment) -> None:
        self.entries = flaws.of_kind("jitter")
        self.moment = moment
        self.earliest = 1 - program.profile.time.spike_latency_ticks

    def of(self, neuron: Neuron) -> int:
        """Steps, for the spikes that it makes in this step."""
        if not self.entries or neuron.spikes == 0:
            return 0
        layer, entry = self.entries[0]
        std = float(entry.std_s) / self.moment.dt
        if std == 0.0:
            return 0
        most = math.floor(float(entry.max_s) / self.moment.dt + 0.5)
        z = self.moment.draw("jitter", layer, neuron.core, neuron.local)
        return min(max(math.floor(std * z + 0.5), self.earliest), most)
