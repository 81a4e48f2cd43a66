"""Several programs of one profile as one, so that a slow executor is set up once for all of them.

Each part does what it would do alone, but for one thing: with `time.input_phase = "even"` the step of an input
line within its tick depends on how many lines a program has. There the joined program is compared with itself on
both sides, never with its parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.program.program import ChipProgram, Placed, Port, ProgramArrays
from spikeloom.reference.compare import Trace
from spikeloom.reference.random_programs import RandomProgram

# What the numbers in an array count, and so how much each program shifts them.
_SHIFTED = {
    "core_neuron_start": "neurons", "core_axon_start": "axons", "axon_template": "templates",
    "axon_target": "neurons", "axon_weight": "codes", "template_run_start": "runs", "run_index": "indices",
    "code_format": "formats", "input_fan_start": "input_fans", "input_fan_axon": "axons",
    "neuron_fan_start": "neuron_fans", "neuron_fan_axon": "axons",
}  # fmt: skip
_STARTS = (
    "core_neuron_start",
    "core_axon_start",
    "template_run_start",
    "input_fan_start",
    "neuron_fan_start",
)


@dataclass(frozen=True)
class SideBySide:
    """One program that holds several which do not touch one another."""

    program: ChipProgram
    spikes: NDArray  # (ticks, input lines) uint8, the parts' lines in a row
    parts: tuple[tuple[int, int, int], ...]  # first neuron, neurons and run ticks of each part

    def split(self, trace: Trace) -> list[Trace]:
        """The trace of each part, as long as the part would have run alone."""
        return [
            Trace(
                trace.spikes[:ticks, first : first + n],
                {name: values[:ticks, first : first + n] for name, values in trace.registers.items()},
                near=None if trace.near is None else trace.near[:ticks, first : first + n],
            )
            for first, n, ticks in self.parts
        ]


def side_by_side(cases: Sequence[RandomProgram]) -> SideBySide:
    """Put programs of one profile next to one another, each on cores of its own."""
    programs = [case.program for case in cases]
    sizes = [_sizes(program.arrays) for program in programs]
    first = [{key: sum(size[key] for size in sizes[:k]) for key in sizes[0]} for k in range(len(sizes))]
    ticks = max(program.run_ticks for program in programs)
    placed = tuple(
        Placed(f"{k}.{population.name}", population.neurons + first[k]["neurons"], 0)
        for k, program in enumerate(programs)
        for population in program.populations
    )
    spikes = np.zeros((ticks, sum(program.n_inputs for program in programs)), dtype=np.uint8)
    for case, start in zip(cases, first, strict=True):
        spikes[: len(case.spikes), start["lines"] : start["lines"] + case.program.n_inputs] = case.spikes
    inputs = tuple(
        replace(port, name=f"{k}.{port.name}", first=port.first + first[k]["lines"])
        for k, program in enumerate(programs)
        for port in program.inputs
    )
    outputs = (_output(placed[-1]),)
    program = ChipProgram(programs[0].profile, ticks, inputs, outputs, placed, _joined(programs, first))
    parts = tuple(
        (start["neurons"], part.n_neurons, part.run_ticks)
        for start, part in zip(first, programs, strict=True)
    )
    return SideBySide(program, spikes, parts)


def _sizes(arrays: ProgramArrays) -> dict[str, int]:
    """How many of everything a program has."""
    return {
        "neurons": int(arrays.core_neuron_start[-1]), "axons": int(arrays.core_axon_start[-1]),
        "templates": len(arrays.template_run_start) - 1, "runs": len(arrays.run_target),
        "indices": len(arrays.index_target), "codes": len(arrays.codes), "formats": len(arrays.format_mode),
        "input_fans": len(arrays.input_fan_axon), "neuron_fans": len(arrays.neuron_fan_axon),
        "lines": len(arrays.input_fan_start) - 1,
    }  # fmt: skip


def _joined(programs: Sequence[ChipProgram], first: Sequence[dict[str, int]]) -> ProgramArrays:
    """All arrays one after the other, their numbers shifted."""
    found: dict[str, Any] = {}
    for name in (field.name for field in fields(ProgramArrays)):
        values = [getattr(program.arrays, name) for program in programs]
        if isinstance(values[0], dict):
            found[name] = {key: np.concatenate([value[key] for value in values]) for key in values[0]}
            continue
        shifts = [start.get(_SHIFTED.get(name, ""), 0) for start in first]
        shifted = [_shift(name, value, shift) for value, shift in zip(values, shifts, strict=True)]
        if name in _STARTS:
            shifted = [shifted[0], *(value[1:] for value in shifted[1:])]
        found[name] = np.concatenate(shifted)
    return ProgramArrays(**found)


def _shift(name: str, values: NDArray, shift: int) -> NDArray:
    moved = values + values.dtype.type(shift) if shift else values
    return np.asarray(np.where(values < 0, values, moved) if name == "run_index" else moved)


def _output(placed: Placed) -> Port:
    size = len(placed.neurons)
    return Port(
        "out", size, scale=np.ones(size), offset=np.zeros(size), neurons=placed.neurons, read="spikes"
    )
