"""The memories of open_core as a program fills them, for the clock-stepped model."""

from __future__ import annotations

from dataclasses import dataclass

from spikeloom.program.program import ChipProgram
from spikeloom.reference.twin import numbers as twin_numbers
from spikeloom.reference.twin.neuron import Neuron
from spikeloom.reference.twin.numbers import Number


@dataclass(frozen=True)
class WordRun:
    """One entry of RUN: a register element, and for each word of SYN the weights of its lanes."""

    element: str
    words: list[dict[int, Number]]  # local neuron -> weight


@dataclass(frozen=True)
class Destination:
    """One entry of ROUTE."""

    x: int
    y: int
    axon: int  # by its number on that core
    d: int


@dataclass(frozen=True)
class Memories:
    """What one core loads. Its axons and neurons are numbered from 0."""

    rows: list[list[WordRun]]  # AXON and RUN
    delays: list[int]  # of each axon
    neurons: list[Neuron]  # STATE and PARAM
    routes: list[list[Destination]]  # ROUTE
    from_input: list[bool]  # of each axon: whether an input line drives it
    first_axon: int


def load_memories(program: ChipProgram) -> list[Memories]:
    """The memories of every core."""
    arrays, lanes = program.arrays, program.profile.cycles.lanes  # type: ignore[union-attr]
    weights = _weights(program)
    rules: dict[str, int] = {}
    driven = set(arrays.input_fan_axon.tolist())
    memories = []
    for core in range(program.n_cores):
        axons = range(int(arrays.core_axon_start[core]), int(arrays.core_axon_start[core + 1]))
        neurons = range(int(arrays.core_neuron_start[core]), int(arrays.core_neuron_start[core + 1]))
        memories.append(
            Memories(
                [_row(program, axon, neurons.start, lanes, weights) for axon in axons],
                [_delay(program, axon) for axon in axons],
                [_neuron(program, core, number, rules) for number in neurons],
                [_routes(program, number) for number in neurons],
                [axon in driven for axon in axons],
                axons.start,
            )
        )
    return memories


def _runs_of(program: ChipProgram, axon: int) -> range:
    starts = program.arrays.template_run_start
    template = int(program.arrays.axon_template[axon])
    return range(int(starts[template]), int(starts[template + 1]))


def _delay(program: ChipProgram, axon: int) -> int:
    delays = {int(program.arrays.run_delay[run]) for run in _runs_of(program, axon)}
    assert len(delays) <= 1, "a delay belongs to an axon"
    return delays.pop() if delays else 0


def _row(
    program: ChipProgram, axon: int, first_neuron: int, lanes: int, weights: list[Number]
) -> list[WordRun]:
    """Every run of the program, cut where a word without a target lies between two of its words."""
    arrays = program.arrays
    row: list[WordRun] = []
    for run in _runs_of(program, axon):
        length, index = int(arrays.run_length[run]), int(arrays.run_index[run])
        offsets = range(length) if index == -1 else arrays.index_target[index : index + length].tolist()
        base = int(arrays.axon_target[axon]) + int(arrays.run_target[run]) - first_neuron
        first = int(arrays.axon_weight[axon]) + int(arrays.run_weight[run])
        words: dict[int, dict[int, Number]] = {}
        for k, offset in enumerate(offsets):
            words.setdefault((base + offset) // lanes, {})[base + offset] = weights[first + k]
        element = program.profile.delivery.into[int(arrays.run_receptor[run])]
        for word, content in words.items():
            if word - 1 in words:
                row[-1].words.append(content)
            else:
                row.append(WordRun(element, [content]))
    return row


def _weights(program: ChipProgram) -> list[Number]:
    arrays = program.arrays
    found = []
    for code, format_ in zip(arrays.codes.tolist(), arrays.code_format.tolist(), strict=True):
        shared = {value.name: value.default for value in program.profile.weights.shared}
        shared |= {name: int(values[format_]) for name, values in arrays.format_shared.items()}
        found.append(twin_numbers.effective_weight(program.profile.weights, code, shared))
    return found


def _neuron(program: ChipProgram, core: int, number: int, rules: dict[str, int]) -> Neuron:
    profile, arrays = program.profile, program.arrays
    params = {}
    for name, param in profile.params.items():
        exponent = int(arrays.params[f"{name}_exp"][number]) if param.format == "mant_exp" else 0
        params[name] = twin_numbers.effective_param(param, int(arrays.params[name][number]), exponent)
    start = {
        name: int(arrays.init[name][number]) if name in arrays.init else 0 for name in profile.element_names()
    }
    widths = {name: profile.regs[name.partition("[")[0]] for name in profile.element_names()}
    return Neuron(number, core, dict(start), params, rules, widths, peers=[])  # no aliases on this core


def _routes(program: ChipProgram, number: int) -> list[Destination]:
    arrays = program.arrays
    width = program.profile.noc.width  # type: ignore[union-attr]
    fan = arrays.neuron_fan_axon[arrays.neuron_fan_start[number] : arrays.neuron_fan_start[number + 1]]
    routes = []
    for axon in sorted(int(a) for a in fan):
        core = max(c for c in range(program.n_cores) if arrays.core_axon_start[c] <= axon)
        local = axon - int(arrays.core_axon_start[core])
        d = program.profile.time.spike_latency_ticks + _delay(program, axon)
        routes.append(Destination(core % width, core // width, local, d))
    return routes
