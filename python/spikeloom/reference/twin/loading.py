"""What the twin reads out of a program before and between its ticks, as plain lists and dictionaries."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from spikeloom.program.program import ChipProgram
from spikeloom.reference.compare import Trace
from spikeloom.reference.twin import numbers as twin_numbers
from spikeloom.reference.twin.numbers import Number


def due_lines(program: ChipProgram, spikes: NDArray, step: int) -> list[int]:
    """The counts of the input lines in one step: of its tick, those lines whose step in the tick it is."""
    time = program.profile.time
    tick, phase = divmod(step, time.steps_per_tick)
    if tick >= len(spikes):
        return []
    lines = len(spikes[tick])
    spread = time.input_phase == "even"
    return [
        int(n) if phase == (line * time.steps_per_tick // lines if spread else 0) else 0
        for line, n in enumerate(spikes[tick])
    ]


def params_of(program: ChipProgram, number: int) -> dict[str, Number]:
    """The effective parameters of one neuron."""
    codes = program.arrays.params
    effective = {}
    for name, param in program.profile.params.items():
        exponent = int(codes[f"{name}_exp"][number]) if param.format == "mant_exp" else 0
        value = twin_numbers.effective_param(param, codes[name][number].item(), exponent)
        if param.format == "steps":
            value = float(math.floor(value / float(program.profile.time.dt_s or 1.0) + 0.5))
        effective[name] = value
    return effective


def load_weights(program: ChipProgram) -> list[Number]:
    """The effective weight of every code."""
    weights, arrays = program.profile.weights, program.arrays
    shared_of = []
    for format_ in range(len(arrays.format_mode)):
        shared = {value.name: value.default for value in weights.shared}
        shared.update((name, int(values[format_])) for name, values in arrays.format_shared.items())
        shared_of.append(shared)
    pairs = zip(arrays.codes.tolist(), arrays.code_format.tolist(), strict=True)
    return [twin_numbers.effective_weight(weights, code, shared_of[format_]) for code, format_ in pairs]


def load_types(program: ChipProgram) -> list[int]:
    """The type of axon of every code; empty where the formula has none."""
    if program.profile.weights.formula != "type_table":
        return []
    types = program.arrays.format_shared["type"]
    return [int(types[format_]) for format_ in program.arrays.code_format]


def fans(start: NDArray, axons: NDArray) -> list[list[int]]:
    """The axons that each line, or neuron, drives."""
    return [[int(axon) for axon in axons[first:last]] for first, last in zip(start, start[1:], strict=False)]


def trace_of(
    program: ChipProgram, counts: list[list[int]], rows: list[list[list[Number]]], rules: dict[str, int]
) -> Trace:
    """The lists of a run as arrays."""
    names = program.profile.element_names()
    kind = np.float64 if program.profile.is_analog else np.int64
    shape = (len(counts), program.n_neurons)
    values = np.array(rows, dtype=kind).reshape(*shape, len(names))
    registers = {name: values[:, :, k] for k, name in enumerate(names)}
    return Trace(np.array(counts, dtype=np.int32).reshape(shape), registers, rules)
