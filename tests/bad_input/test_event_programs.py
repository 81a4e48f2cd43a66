"""Is a program that a chip in event mode cannot hold refused when it is loaded, however it was made?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import spikeloom as sl
from scipy.sparse import csr_array
from spikeloom.errors import ProgramError
from spikeloom.program.program import ChipProgram


def small(chip: str = "tinyodin") -> ChipProgram:
    """Lines 0 and 1 read rows, line 2 sends virtual events; neuron 0 drives neurons 1 and 2."""
    network = sl.SpikingNetwork(chip)
    x, v = network.input("x", 2), network.input("v", 1)
    n, m = network.population("n", 1, thr=9), network.population("m", 2, thr=9)
    network.connect(x, n, [[3], [4]])
    network.connect(n, m, [[5, 6]])
    network.connect(v, m, csr_array([[1, 2]]), receptor=1)
    network.output(m)
    return sl.place(network, ticks=2)


def refused(program: ChipProgram, **arrays: object) -> str:
    changed = replace(program, arrays=replace(program.arrays, **arrays))
    with pytest.raises(ProgramError) as caught:
        sl.emulate(changed, np.zeros((1, 2, 3), dtype=np.uint8))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_several_cores_are_refused() -> None:
    program = small()
    starts = {"core_neuron_start": np.array([0, 1, 3]), "core_axon_start": np.array([0, 2, 4])}
    assert "has several cores, and event mode has one" in refused(program, **starts)


def _codes(program: ChipProgram, old: int, new: int) -> np.ndarray:
    return np.where(program.arrays.codes == old, new, program.arrays.codes)


def test_a_virtual_event_of_weight_0_is_refused() -> None:
    program = small()
    said = refused(program, codes=_codes(program, 2, 0))
    assert said.startswith("input line 2: sends a virtual event of weight 0, which is read as a neuron event")


def test_a_source_of_both_signs_is_refused() -> None:
    program = small("odin")
    assert refused(program, codes=_codes(program, 6, -6)).startswith("neuron 0: reads weights of both signs")


def test_a_neuron_that_sends_virtual_events_is_refused() -> None:
    program = small()
    receptors = np.ones_like(program.arrays.run_receptor)
    assert "neuron 0: sends an event that only input sends" in refused(program, run_receptor=receptors)


def test_a_line_of_two_kinds_is_refused() -> None:
    program = small()
    fans = np.array([0, 2, 3, 4]), np.array([0, 2, 1, 2])
    axon = program.arrays.input_fan_axon
    assert axon.tolist() == [0, 1, 2]
    said = refused(program, input_fan_start=fans[0], input_fan_axon=fans[1])
    assert said.startswith("input line 0: sends events of several kinds")


def test_a_pair_with_two_synapses_is_refused() -> None:
    program = small()
    fans = {"input_fan_start": np.array([0, 2, 2, 3]), "input_fan_axon": np.array([0, 1, 2])}
    assert refused(program, **fans).startswith(
        "input line 0: reaches a neuron twice; event mode has one synapse"
    )


def test_a_file_of_a_program_in_event_mode_runs_as_before(tmp_path: Path) -> None:
    program = small()
    program.save(tmp_path / "net.spikeloom")
    loaded = sl.load_program(tmp_path / "net.spikeloom")
    inputs = np.random.default_rng(1).integers(0, 4, (2, 2, 3)).astype(np.uint8)
    runs = [sl.emulate(each, inputs) for each in (program, loaded)]
    assert loaded.profile == program.profile
    assert np.array_equal(runs[0].counts["m"], runs[1].counts["m"])
    assert runs[0].counts["m"].any()
