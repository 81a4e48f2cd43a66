"""What a program puts into the memories of the open core: axons, runs of whole words, weights and routes.

The rules are those of `hw_profiles/open_core.md`, section "A program in the memories".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spikeloom.exporters.verilog.parameters import effective_parameters
from spikeloom.profile.weights import effective_weights
from spikeloom.program.program import ChipProgram

Run = tuple[int, int, int, int]  # receptor, first word, words, address of the first word of weights


@dataclass
class CoreLayout:
    """The tables of one core."""

    first_neuron: int  # global number
    neurons: int
    first_axons: int = 0  # those of the group that `delivery.order` names first
    program_axon: list[int] = field(default_factory=list)  # which axon of the program each one is
    axon: list[tuple[int, int]] = field(default_factory=list)  # first run, runs
    run: list[Run] = field(default_factory=list)
    synapse: list[tuple[int, ...]] = field(default_factory=list)  # a weight for each lane
    head: list[tuple[int, int]] = field(default_factory=list)  # first route, routes
    route: list[tuple[int, int, int]] = field(default_factory=list)  # core, axon, ticks ahead


@dataclass(frozen=True)
class Layout:
    """The tables of every core, and where each input line goes."""

    cores: tuple[CoreLayout, ...]
    input_targets: tuple[tuple[tuple[int, int, int], ...], ...]  # line -> (core, axon, ticks ahead)


def lay_out(program: ChipProgram, lanes: int) -> Layout:
    """Compute the tables of a program for cores with `lanes` weights a word."""
    return _LayOut(program, lanes).layout()


class _LayOut:
    """One program on its way into the memories."""

    def __init__(self, program: ChipProgram, lanes: int) -> None:
        self.program, self.arrays, self.lanes = program, program.arrays, lanes
        arrays = program.arrays
        shared = {name: values[arrays.code_format] for name, values in arrays.format_shared.items()}
        self.types = shared.get("type")
        self.table = [effective_parameters(program)[name] for name in program.profile.weights.table]
        is_table = program.profile.weights.formula == "type_table"
        self.weights = (
            arrays.codes if is_table else effective_weights(program.profile.weights, arrays.codes, shared)
        )
        self.places: dict[tuple[int, int], tuple[int, int]] = {}  # (program axon, delay) -> core, axon
        self.delays: dict[int, list[int]] = {}  # program axon -> its delays, ascending

    def layout(self) -> Layout:
        """All tables."""
        starts = self.arrays.core_neuron_start
        cores = tuple(
            CoreLayout(int(first), int(last - first)) for first, last in zip(starts, starts[1:], strict=False)
        )
        for number, core in enumerate(cores):
            self.add_axons(number, core)
        latency = self.program.profile.time.spike_latency_ticks
        for core in cores:
            self.add_routes(core, latency)
        lines = fans(self.arrays.input_fan_start, self.arrays.input_fan_axon)
        return Layout(cores, tuple(tuple(self.targets(axons, 0)) for axons in lines))

    def add_axons(self, number: int, core: CoreLayout) -> None:
        """One axon for each axon of the program and each delay of its synapses, inputs in their group."""
        order = self.program.profile.delivery.order
        inputs = set(self.arrays.input_fan_axon.tolist())
        first, last = (int(self.arrays.core_axon_start[number + k]) for k in (0, 1))
        groups = {
            axon: order.index("input" if axon in inputs else "recurrent") for axon in range(first, last)
        }
        known: dict[tuple[tuple[int, ...], ...], int] = {}
        for axon in sorted(groups, key=lambda axon: (groups[axon], axon)):
            template = int(self.arrays.axon_template[axon])
            runs = range(*(int(self.arrays.template_run_start[template + k]) for k in (0, 1)))
            self.delays[axon] = sorted({int(self.arrays.run_delay[run]) for run in runs})
            for delay in self.delays[axon]:
                self.places[axon, delay] = number, len(core.axon)
                chosen = [run for run in runs if self.arrays.run_delay[run] == delay]
                self.add_axon(core, axon, chosen, known)
                core.first_axons += groups[axon] == 0

    def add_axon(
        self, core: CoreLayout, axon: int, runs: list[int], known: dict[tuple[tuple[int, ...], ...], int]
    ) -> None:
        """The runs of one axon; equal stretches of weights are stored once."""
        first = len(core.run)
        for run in runs:
            for word, words in self.stretches(core, axon, run):
                if words not in known:
                    known[words] = len(core.synapse)
                    core.synapse += words
                core.run.append((int(self.arrays.run_receptor[run]), word, len(words), known[words]))
        core.program_axon.append(axon)
        core.axon.append((first, len(core.run) - first))

    def stretches(
        self, core: CoreLayout, axon: int, run: int
    ) -> Iterator[tuple[int, tuple[tuple[int, ...], ...]]]:
        """(first word, weights word by word) of each stretch of consecutive words that a run touches."""
        targets, weights = self.synapses(core, axon, run)
        words, row = np.unique(targets // self.lanes, return_inverse=True)
        table = np.zeros((len(words), self.lanes), dtype=np.int64)
        table[row, targets % self.lanes] = weights
        breaks = np.flatnonzero(np.diff(words) > 1) + 1
        for part in np.split(np.arange(len(words)), breaks):
            yield int(words[part[0]]), tuple(map(tuple, table[part].tolist()))

    def synapses(self, core: CoreLayout, axon: int, run: int) -> tuple[NDArray, NDArray]:
        """(target on the core, effective weight) of each synapse of a run, as this axon reads it."""
        arrays = self.arrays
        length, index = int(arrays.run_length[run]), int(arrays.run_index[run])
        offsets = np.arange(length) if index < 0 else arrays.index_target[index : index + length]
        base = int(arrays.axon_target[axon]) + int(arrays.run_target[run]) - core.first_neuron
        first = int(arrays.axon_weight[axon]) + int(arrays.run_weight[run])
        targets, weights = base + offsets.astype(np.int64), self.weights[first : first + length]
        if self.table:
            types = np.zeros(length, np.int64) if self.types is None else self.types[first : first + length]
            weights = weights * np.array(self.table)[types, core.first_neuron + targets]
        return targets, weights

    def add_routes(self, core: CoreLayout, latency: int) -> None:
        """The destinations of every neuron of a core."""
        start, axons = self.arrays.neuron_fan_start, self.arrays.neuron_fan_axon
        for neuron in range(core.first_neuron, core.first_neuron + core.neurons):
            found = sorted(self.targets(axons[start[neuron] : start[neuron + 1]].tolist(), latency))
            core.head.append((len(core.route), len(found)))
            core.route += found

    def targets(self, axons: list[int], latency: int) -> Iterator[tuple[int, int, int]]:
        """(core, axon, ticks ahead) of each axon that a source drives."""
        for axon in axons:
            for delay in self.delays[axon]:
                yield *self.places[axon, delay], latency + delay


def fans(start: NDArray, axons: NDArray) -> list[list[int]]:
    """The axons that each source drives."""
    return [axons[first:last].tolist() for first, last in zip(start, start[1:], strict=False)]
