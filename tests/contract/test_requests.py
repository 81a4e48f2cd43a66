"""What `emulate` is asked for is checked before any work, in one line that names what is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_programs import Row, built, counter, spikes_at
from spikeloom.emulation.emulate import emulate
from spikeloom.emulation.recording import Recording
from spikeloom.errors import EmulationError, ProgramError, SpikeloomError
from spikeloom.program.program import ChipProgram, Placed, Port


def plain(**keywords: Any) -> ChipProgram:
    return built(counter(), 2, [Row("i0", [(0, 4), (1, 9)])], ticks=3, **keywords)


INPUTS = spikes_at(3, {0: 1})


@pytest.mark.parametrize(
    ("inputs", "named"),
    [
        (np.zeros((2, 3)), "input in: spike counts have the wrong shape; got (2, 3)"),
        (np.zeros((2, 4, 1), np.uint8), "wrong shape; got (2, 4, 1), limit ('samples', 3, 1)"),
        (np.full((1, 3, 1), 0.5), "whole numbers; got 0.5, limit 0 to 255"),
        (np.full((1, 3, 1), 256), "whole numbers; got 256"),
        (np.full((1, 3, 1), -1), "whole numbers; got -1"),
        (np.full((1, 3, 1), np.nan), "holds NaN or infinity, first in sample 0"),
        ([[["a"], ["b"], ["c"]]], "must hold numbers"),
        ([[1, 2], [3]], "is no rectangular array"),
        ({"out": INPUTS}, "need one array for each input; got ['out'], limit ['in']"),
        (5, "wrong shape"),
        (None, "must hold numbers"),
    ],
)
def test_inputs_are_checked(inputs: Any, named: str) -> None:
    with pytest.raises(EmulationError) as caught:
        emulate(plain(), inputs)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("keywords", "named"),
    [
        ({"ticks": 0}, "ticks: must be an integer of at least 1"),
        ({"ticks": 2.5}, "ticks: must be an integer"),
        ({"ticks": True}, "ticks: must be an integer"),
        ({"threads": 0}, "threads: must be an integer of at least 1"),
        ({"effects": ["noise"]}, "effect noise: is no imperfection of the profile"),
        ({"timing": "cycle"}, "timing cycle: is not available for profile counter"),
        ({"timing": "fast"}, "timing: is unknown"),
        ({"age_s": -1.0}, "age_s: must be finite"),
        ({"chip_seed": -1}, "chip_seed: must be an integer of 32 bits"),
        ({"record": ["all.w"]}, "record all.w: names nothing that can be recorded; limit all.spikes, all.q"),
        ({"record": ["v"]}, "record v: names nothing"),
        ({"record": "all.v"}, "record: must be a list"),
    ],
)
def test_options_are_checked(keywords: dict, named: str) -> None:
    with pytest.raises(EmulationError) as caught:
        emulate(plain(), INPUTS, **keywords)
    assert named in str(caught.value)


def test_several_inputs_come_by_name_or_as_columns() -> None:
    rows = [Row("i0", [(0, 1)]), Row("i1", [(0, 10)]), Row("i2", [(1, 100)])]
    program = built(counter(), 2, rows, lines=3, ticks=2, read="v")
    ports = (Port("a", 1, encoding="spikes"), Port("b", 2, 1, encoding="spikes"))
    program = replace(program, inputs=ports)
    columns = spikes_at(2, {0: 1}, {0: 2}, {1: 3})
    wanted = [[21.0, 300.0]]
    assert emulate(program, columns).outputs.tolist() == wanted
    assert emulate(program, {"b": columns[:, :, 1:], "a": columns[:, :, :1]}).outputs.tolist() == wanted
    with pytest.raises(EmulationError, match="different numbers of samples"):
        emulate(program, {"a": columns[:, :, :1], "b": np.zeros((2, 2, 2))})
    with pytest.raises(EmulationError, match="3 in the last axis"):
        emulate(program, columns[:, :, :2])


def test_no_samples_give_empty_arrays() -> None:
    recording = emulate(plain(), INPUTS[:0], record=["all.v", "all.spikes"])
    assert recording.outputs.shape == (0, 2) and recording.counts["all"].shape == (0, 2)
    assert recording.registers["all.v"].shape == (0, 3, 2) and recording.spikes["all"].shape == (0, 3)


def test_a_program_without_inputs_runs_on_its_bias() -> None:
    program = built(counter(), 1, [Row("n0", [(0, 0)])], lines=0, ticks=3, params={"bias": 7}, read="v")
    assert emulate(program, {}).outputs.shape == (0, 1)
    assert emulate(program, np.zeros((2, 3, 0))).outputs.tolist() == [[21.0], [21.0]]


def test_other_ticks_than_the_programs_are_a_shorter_or_longer_window() -> None:
    program = plain(read="v")
    assert emulate(program, spikes_at(1, {0: 2}), ticks=1).outputs.tolist() == [[8.0, 18.0]]
    assert emulate(program, spikes_at(9, {8: 1}), ticks=9).outputs.tolist() == [[4.0, 9.0]]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"run_delay": np.array([0, 5], np.int32)}, "run_delay[1]: is out of range; got 5, limit 0 to 4"),
        ({"codes": np.array([4, 600], np.int32)}, "codes[1]: is no code of the weight mode signed; got 600"),
        ({"codes": np.array([4.0, 9.0])}, "array codes: must hold integers"),
        ({"codes": np.zeros((1, 2), np.int32)}, "array codes: must have one dimension"),
        ({"codes": [4, 9]}, "array codes: is no NumPy array"),
        ({"run_target": np.array([0, 1], complex)}, "array run_target: must hold integers"),
        ({"run_target": np.array([0, 2**40])}, "run_target[1]: does not fit 32 bits"),
        ({"axon_weight": np.array([0], np.uint64)}, "array axon_weight: must not hold unsigned"),
        ({"params": {}}, "array params.thr: is missing"),
        ({"init": {"v": np.zeros(3, np.int32)}}, "array init.v: needs one value a neuron; got 3, limit 2"),
    ],
)
def test_a_bad_program_is_named_by_its_array(change: dict, named: str) -> None:
    program = plain()
    program = replace(program, arrays=replace(program.arrays, **change))
    with pytest.raises(ProgramError) as caught:
        emulate(program, INPUTS)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            {"populations": (Placed("all", np.array([0, 2], np.int32), 0),)},
            "population all: names a neuron that",
        ),
        (
            {"populations": (Placed("all", np.array([-1], np.int32), 0),)},
            "population all: names a neuron that",
        ),
        ({"populations": (Placed("all", np.array([0.5]), 0),)}, "population all: needs a list of neurons"),
        ({"populations": (Placed("all", np.array([0], np.int32), -1),)}, "all: has a negative depth; got -1"),
        ({"inputs": (Port("in", 2, encoding="spikes"),)}, "input in: does not fit the program's lines"),
        ({"inputs": (Port("in", 1, -1, encoding="spikes"),)}, "input in: does not fit the program's lines"),
        ({"inputs": (Port("in", 1, encoding="rate", signed=True),)}, "input in: does not fit"),
        ({"outputs": (Port("out", 1, neurons=None, read="spikes"),)}, "output out: needs a list of neurons"),
        (
            {"outputs": (Port("out", 1, neurons=np.array([0]), read="w"),)},
            "output out: reads no register; got w",
        ),
    ],
)
def test_bad_populations_and_ports_are_named(change: dict, named: str) -> None:
    with pytest.raises(ProgramError) as caught:
        emulate(replace(plain(), **change), INPUTS)
    assert named in str(caught.value)


def test_whatever_stands_in_the_arrays_is_refused_or_runs() -> None:
    rng = np.random.default_rng(5)
    program = plain(init={"v": [1, 2]})
    hostile = [-1, 0, 1, 2, 3, 255, 2**31 - 1, -(2**31), 2**62]
    outcomes = {"refused": 0, "ran": 0}
    names = [name for name in vars(program.arrays) if name not in ("format_shared", "params", "init")]
    for _ in range(1500):
        name = rng.choice(names)
        array = np.asarray(getattr(program.arrays, name)).astype(np.int64)
        kind = rng.integers(3)
        if kind == 0 and array.size:
            array[rng.integers(array.size)] = rng.choice(hostile)
        elif kind == 1:
            array = np.append(array, rng.choice(hostile))
        else:
            array = array[: rng.integers(array.size + 1)]
        try:
            emulate(replace(program, arrays=replace(program.arrays, **{str(name): array})), INPUTS)
            outcomes["ran"] += 1
        except SpikeloomError as error:
            assert "\n" not in str(error)
            outcomes["refused"] += 1
    assert outcomes["refused"] > 800 and outcomes["ran"] > 50


def recording() -> Recording:
    return emulate(plain(), spikes_at(3, {0: 1}, samples=2), record=["all.v", "all.spikes"])


def test_a_recording_is_saved_whole(tmp_path: Path) -> None:
    made = recording()
    path = tmp_path / "run.npz"
    made.save(path)
    assert [found.name for found in tmp_path.iterdir()] == ["run.npz"]
    with np.load(path, allow_pickle=False) as saved:
        assert np.array_equal(saved["outputs"], made.outputs)
        assert np.array_equal(saved["registers/all.v"], made.registers["all.v"])
        assert np.array_equal(saved["counts/all"], made.counts["all"])
        assert np.array_equal(saved["events/synaptic_operations"], [2, 2])
        facts = json.loads(str(saved["facts"]))
    assert facts["energy"]["total_j"] is None and facts["notes"] == []


def test_a_recording_that_cannot_be_saved_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(EmulationError, match="must end in .npz"):
        recording().save(tmp_path / "run.txt")
    with pytest.raises(EmulationError, match="cannot be written: No such file"):
        recording().save(tmp_path / "nowhere" / "run.npz")
    (tmp_path / "run.npz").mkdir()
    with pytest.raises(EmulationError, match="cannot be written"):
        recording().save(tmp_path / "run.npz")
    assert [found.name for found in tmp_path.iterdir()] == ["run.npz"]
