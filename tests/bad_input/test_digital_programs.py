"""Is a program refused whose aliases or types of axon no chip could hold, and by the name of the entry?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import spikeloom as sl
from spikeloom.errors import ProgramError
from spikeloom.program.program import ChipProgram


def xylo() -> ChipProgram:
    network = sl.SpikingNetwork("xylo_a2")
    network.population("n", 3, threshold=9)
    return sl.place(network, ticks=2)


def crossbar() -> ChipProgram:
    network = sl.SpikingNetwork("ranc")
    source, target = network.input("in", 2), network.population("n", 3, positive=9)
    network.connect(source, target, np.ones((2, 3)), type=[0, 3])
    return sl.place(network, ticks=2)


def param(name: str, neuron: int, value: int) -> Callable[[ChipProgram], dict[str, Any]]:
    def change(program: ChipProgram) -> dict[str, Any]:
        values = program.arrays.params[name].copy()
        values[neuron] = value
        return {"params": {**program.arrays.params, name: values}}

    return change


def format_of(code: int, format_: int) -> Callable[[ChipProgram], dict[str, Any]]:
    def change(program: ChipProgram) -> dict[str, Any]:
        formats = program.arrays.code_format.copy()
        formats[code] = format_
        return {"code_format": formats}

    return change


def types(values: list[int]) -> Callable[[ChipProgram], dict[str, Any]]:
    return lambda program: {"format_shared": {"type": np.array(values, dtype=np.int32)}}


@pytest.mark.parametrize(
    ("build", "change", "said"),
    [
        (xylo, param("alias", 2, 1), "array params.alias[2]: copies spikes to a neuron outside core 0; got 3, lim"),
        (xylo, param("alias", 0, -1), "array params.alias[0]: copies spikes to a neuron outside core 0; got -1"),
        (xylo, param("alias", 0, 1000), "array params.alias[0]: is out of range"),
        (xylo, param("dash_mem", 1, 16), "array params.dash_mem[1]: is out of range"),
        (crossbar, param("w3", 1, 256), "array params.w3[1]: is out of range"),
        (crossbar, format_of(1, 1), "array axon_weight[0]: reads bits of several types of axon"),
        (crossbar, types([0, 4]), "array format_shared.type[1]: is out of range"),
        (crossbar, lambda program: {"codes": np.full(6, 2, np.int32)}, "array codes[0]: is no code of the weight"),
        (
            crossbar,
            lambda program: {"run_delay": np.full_like(program.arrays.run_delay, 15)},
            "array run_delay[0]: is out of range; got 15, limit 0 to 14",
        ),
    ],
)  # fmt: skip
def test_a_program_that_no_chip_holds_is_refused(
    build: Callable[[], ChipProgram], change: Callable[[ChipProgram], dict[str, Any]], said: str
) -> None:
    program = build()
    sl.emulate(program, np.zeros((1, 2, program.n_inputs), np.uint8))
    spoiled = replace(program, arrays=replace(program.arrays, **change(program)))
    with pytest.raises(ProgramError) as caught:
        sl.emulate(spoiled, np.zeros((1, 2, program.n_inputs), np.uint8))
    assert said in str(caught.value)
