"""A chip that a script clocks itself does what a run does, and goes back to any state."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_programs import Row, built, counter, spikes_at
from spikeloom.emulation.chip import Chip
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import EmulationError
from spikeloom.profile.catalog import load_profile
from spikeloom.program.program import ChipProgram
from spikeloom.reference.random_programs import random_program

SEVERAL = Path(__file__).with_name("several_spikes.toml")


def case(source: str | Path, seed: int) -> tuple[ChipProgram, np.ndarray]:
    drawn = random_program(load_profile(source), seed)
    return drawn.program, np.stack([drawn.spikes, drawn.spikes[::-1]])


@pytest.mark.parametrize("source", ["loihi1", "ideal", SEVERAL], ids=["loihi1", "ideal", "several"])
def test_ticks_equal_a_run(source: str | Path) -> None:
    for seed in range(4):
        program, inputs = case(source, seed)
        names = program.profile.element_names()
        population = program.populations[-1].name
        record = [f"{population}.{what}" for what in ("spikes", *names)]
        recording = emulate(program, inputs, record=record)
        chip = Chip(program, samples=2)
        for t in range(program.ticks):
            fired = chip.tick(inputs[:, t])
            registers = chip.registers(population)
            for name in names:
                assert np.array_equal(registers[name], recording.registers[f"{population}.{name}"][:, t])
            for sample in range(2):
                rows = recording.spikes[population]
                mine = rows[(rows[:, 0] == sample) & (rows[:, 1] == t), 2]
                assert np.array_equal(fired[sample], np.bincount(mine, minlength=fired.shape[1]))
        assert chip.ticks == program.ticks


@pytest.mark.parametrize("source", ["loihi1", "ideal", SEVERAL], ids=["loihi1", "ideal", "several"])
def test_a_state_goes_on_where_it_was_taken(source: str | Path) -> None:
    program, inputs = case(source, 2)
    chip, other = Chip(program, samples=2), Chip(program, samples=2)
    for t in range(5):
        chip.tick(inputs[:, t])
    state = chip.state()
    other.restore(state)
    for t in range(5, program.ticks):
        assert np.array_equal(chip.tick(inputs[:, t]), other.tick(inputs[:, t]))
    assert chip.state() == other.state() != state
    chip.reset()
    assert chip.state() == Chip(program, samples=2).state()


def test_a_state_of_another_program_or_a_damaged_one_is_refused() -> None:
    program, inputs = case("loihi1", 2)
    chip = Chip(program, samples=2)
    chip.tick(inputs[:, 0])
    state = chip.state()
    for other in (Chip(program, samples=1), Chip(case("loihi1", 3)[0], samples=2)):
        with pytest.raises(EmulationError, match="belongs to another program"):
            other.restore(state)
    for position in (0, 30, 60, 90, len(state) - 1):
        damaged = bytearray(state)
        damaged[position] ^= 1
        with pytest.raises(EmulationError, match="chip state"):
            chip.restore(bytes(damaged))
    for cut in (b"", state[:10], state[:-1], state[:87]):
        with pytest.raises(EmulationError, match="chip state"):
            chip.restore(cut)
    assert chip.state() == state


def test_outputs_stand_in_the_order_of_the_program_unscaled() -> None:
    program = built(counter(), 2, [Row("i0", [(0, 4), (1, 9)])], read="v")
    object.__setattr__(program.outputs[0], "scale", np.array([100.0, 100.0]))
    assert Chip(program).tick([[1]]).tolist() == [[4, 9]]
    assert Chip(program).tick([[True]]).tolist() == [[4, 9]]
    assert Chip(program).tick().tolist() == [[0, 0]]


def test_a_trap_stops_the_chip_until_it_is_reset() -> None:
    profile = counter(regs__v__bits=8, regs__v__overflow="trap")
    program = built(profile, 1, [Row("i0", [(0, 100)])])
    chip = Chip(program)
    assert chip.tick([[1]]).tolist() == [[0]]
    state = chip.state()
    with pytest.raises(EmulationError, match="tick 1, core 0, neuron 0, register v: left") as caught:
        chip.tick([[1]])
    assert caught.value.value == 200
    with pytest.raises(EmulationError, match="stopped at an error; reset or restore it"):
        chip.tick()
    chip.restore(state)
    assert chip.registers("all")["v"].tolist() == [[100]]
    chip.reset()
    assert chip.tick([[1]]).tolist() == [[0]]


@pytest.mark.parametrize(
    ("spikes", "named"),
    [([1], "wrong shape"), ([[1, 2]], "wrong shape"), ([[0.5]], "whole numbers"), ([[256]], "whole numbers"),
     ([[-1]], "whole numbers"), ([[np.nan]], "whole numbers"), ([["a"]], "must be numbers")],
)  # fmt: skip
def test_spikes_are_checked(spikes: list, named: str) -> None:
    chip = Chip(built(counter(), 1, [Row("i0", [(0, 4)])]))
    with pytest.raises(EmulationError, match=named):
        chip.tick(spikes)


def test_what_the_chip_does_not_have_is_refused() -> None:
    program = built(counter(), 1, [Row("i0", [(0, 4)])])
    chip = Chip(program)
    with pytest.raises(EmulationError, match="describes no clock-by-clock controller"):
        chip.clock()
    with pytest.raises(EmulationError, match="population nobody: does not exist; limit all"):
        chip.registers("nobody")
    for name, value in (("samples", 0), ("timing", "cycle"), ("effects", ["read"])):
        with pytest.raises(EmulationError, match=name):
            Chip(program, **{name: value})


def test_a_long_run_does_not_forget_or_fill_up() -> None:
    program = built(counter(time__delay_max=4), 1, [Row("i0", [(0, 1, 4)])], params={"thr": 10})
    chip = Chip(program)
    fired = sum(int(chip.tick([[1]]).sum()) for _ in range(1004))
    assert fired == 100
    assert emulate(program, spikes_at(8, {0: 1})).counts["all"].tolist() == [[0]]
