"""The controller of ODIN and tinyODIN, state by state: what each decision takes in clocks."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import numpy as np
import pytest
from small_programs import Row, built, spikes_at
from spikeloom.emulation.chip import Chip
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import EmulationError
from spikeloom.profile.catalog import load_profile
from spikeloom.program.program import ChipProgram

ODIN = {"event.visits": "used"}  # as small as the program, so that a test is short


def chip_of(name: str = "tinyodin", *, clocks: int = 60, leak: int | None = None, **override: Any) -> Any:
    changes = {"cycles.tick_clocks": clocks, "event.leak_every_ticks": leak, **override}
    return load_profile(name, override=changes)


def ten(profile: Any, rows: list[Row], *, lines: int = 1, ticks: int = 1, thr: Any = 100) -> ChipProgram:
    """A program of ten neurons: MAX = 9."""
    return built(profile, 10, rows, lines=lines, ticks=ticks, params={"thr": thr})


def phases_of(program: ChipProgram, inputs: np.ndarray) -> list[tuple[str, int]]:
    """The states of all ticks, clock by clock, as (state, clocks)."""
    chip = Chip(program, timing="cycle")
    seen = []
    for lines in inputs[0]:
        state = chip.clock(lines[None])
        seen.append(state.phase[0])
        while not state.go:
            state = chip.clock()
            seen.append(state.phase[0])
    return [(name, len(list(group))) for name, group in groupby(seen)]


def test_a_spike_from_outside_takes_1_and_3_clocks_and_its_event_22_for_ten_neurons() -> None:
    program = ten(chip_of(), [Row("i0", [(0, 1)])])
    # The request passes two flip-flops. WAIT decides in its last clock.
    assert phases_of(program, spikes_at(1, {0: 1})) == [
        ("WAIT", 3), ("PUSH", 1), ("REQUEST_DOWN", 3), ("WAIT", 1), ("POP", 20), ("TAIL", 1), ("WAIT", 31),
    ]  # fmt: skip


def test_a_leak_of_all_neurons_takes_20_and_3_clocks() -> None:
    program = ten(chip_of(leak=1), [Row("i0", [(0, 1)])])
    assert phases_of(program, spikes_at(1, {})) == [
        ("WAIT", 3),
        ("LEAK", 20),
        ("REQUEST_DOWN", 3),
        ("WAIT", 34),
    ]


def test_a_virtual_event_takes_2_clocks_after_its_push() -> None:
    program = ten(chip_of(), [Row("i0", [(3, 1, 0, 1)])])
    assert phases_of(program, spikes_at(1, {0: 1})) == [
        ("WAIT", 3), ("PUSH", 1), ("REQUEST_DOWN", 3), ("WAIT", 1), ("POP_VIRTUAL", 2), ("WAIT", 50),
    ]  # fmt: skip


def test_a_single_synapse_of_odin_takes_2_clocks_and_no_place() -> None:
    program = ten(chip_of("odin", **ODIN), [Row("i0", [(3, 1, 0, 2)])])
    assert phases_of(program, spikes_at(1, {0: 1})) == [
        ("WAIT", 3), ("SYNAPSE", 2), ("REQUEST_DOWN", 3), ("WAIT", 52),
    ]  # fmt: skip


def test_odin_visits_256_neurons_and_has_no_tail() -> None:
    program = ten(chip_of("odin", clocks=1100, leak=1), [Row("i0", [(0, 1)])])
    assert phases_of(program, spikes_at(1, {0: 1})) == [
        ("WAIT", 3), ("PUSH", 1), ("REQUEST_DOWN", 3), ("WAIT", 1), ("POP", 512),
        ("WAIT", 1), ("LEAK", 512), ("REQUEST_DOWN", 3), ("WAIT", 64),
    ]  # fmt: skip


@pytest.mark.parametrize(("rise", "fall", "busy"), [(0, 0, 6), (1, 0, 7), (0, 1, 7), (3, 5, 14)])
def test_busy_clocks_add_to_the_event(rise: int, fall: int, busy: int) -> None:
    # Neuron 4 fires and has no synapses: its own event is one more sweep.
    profile = chip_of(**{"cycles.aer.ack_rise": rise, "cycles.aer.ack_fall": fall}, clocks=80)
    program = ten(profile, [Row("i0", [(4, 7)])], thr=[100] * 4 + [7] + [100] * 5)
    seen = phases_of(program, spikes_at(1, {0: 1}))
    assert seen[:9] == [
        ("WAIT", 3), ("PUSH", 1), ("REQUEST_DOWN", 3), ("WAIT", 1), ("POP", 20 + busy), ("TAIL", 1),
        ("WAIT", 1), ("POP", 20), ("TAIL", 1),
    ]  # fmt: skip
    cycles = emulate(program, spikes_at(1, {0: 1}), timing="cycle").cycles
    assert cycles is not None and cycles.stalls["output"].tolist() == [busy]


@pytest.mark.parametrize(
    ("name", "after"), [("tinyodin", [("TAIL", 7), ("WAIT", 1)]), ("odin", [("WAIT", 7)])]
)
def test_a_spike_of_the_last_neuron_holds_the_end_of_its_event(
    name: str, after: list[tuple[str, int]]
) -> None:
    override = ODIN if name == "odin" else {}
    program = ten(chip_of(name, clocks=80, **override), [Row("i0", [(9, 7)])], thr=[100] * 9 + [7])
    seen = phases_of(program, spikes_at(1, {0: 1}))
    assert seen[4 : 5 + len(after)] == [("POP", 20), *after]
    assert seen[5 + len(after)] == ("POP", 20)


@pytest.mark.parametrize(("fall", "down"), [(0, 3), (2, 5)])
def test_a_request_that_falls_late_is_waited_for(fall: int, down: int) -> None:
    program = ten(chip_of(**{"cycles.aer.req_fall": fall}), [Row("i0", [(0, 1)])])
    assert phases_of(program, spikes_at(1, {0: 1}))[2] == ("REQUEST_DOWN", down)


def test_the_fifo_is_served_while_the_next_request_is_on_its_way() -> None:
    program = ten(chip_of(clocks=70), [Row("i0", [(0, 1)])])
    assert phases_of(program, spikes_at(1, {0: 2})) == [
        ("WAIT", 3), ("PUSH", 1), ("REQUEST_DOWN", 3), ("WAIT", 1), ("POP", 20), ("TAIL", 1),
        ("WAIT", 1), ("PUSH", 1), ("REQUEST_DOWN", 3), ("WAIT", 1), ("POP", 20), ("TAIL", 1), ("WAIT", 14),
    ]  # fmt: skip


@pytest.mark.parametrize(("depth", "first"), [(3, "PUSH"), (2, "POP")])
def test_a_request_goes_before_the_fifo_unless_that_is_full(depth: int, first: str) -> None:
    # The leak makes the last two neurons fire. While the output is busy, the request of tick 2 comes through.
    profile = chip_of(clocks=35, leak=2, **{"event.fifo_depth": depth, "cycles.aer.ack_rise": 5})
    params, init = {"thr": [100] * 8 + [5, 5]}, {"v": [0] * 8 + [5, 5]}
    program = built(profile, 10, [Row("i0", [(0, 1)])], ticks=4, params=params, init=init)
    seen = phases_of(program, spikes_at(4, {2: 1}))
    assert seen[:4] == [("WAIT", 38), ("LEAK", 31), ("REQUEST_DOWN", 3), ("WAIT", 9)]
    assert seen[4][0] == first


@pytest.mark.parametrize("name", ["tinyodin", "odin"])
def test_a_push_in_the_clock_of_the_pop_finds_the_fifo_full(name: str) -> None:
    override = {"event.visits": "used", "event.fifo_depth": 1}
    program = ten(chip_of(name, **override), [Row("i0", [(9, 7)])], thr=[100] * 9 + [7])
    run = emulate(program, spikes_at(1, {0: 1}), timing="cycle")
    assert int(run.rules["fifo.drop"][0]) == 1
    assert run.counts["all"].sum() == 1
    assert run.cycles is not None and run.cycles.high_water["fifo"].tolist() == [[1]]


def test_work_goes_on_in_the_next_tick_and_is_counted_as_missed() -> None:
    program = ten(chip_of(clocks=15), [Row("i0", [(9, 7)])], ticks=3, thr=[100] * 9 + [7])
    run = emulate(program, spikes_at(3, {0: 1}), timing="cycle", record=["all.spikes"])
    assert run.spikes["all"].tolist() == [[0, 1, 9]]  # written in clock 27, of the second tick
    cycles = run.cycles
    assert cycles is not None
    assert (cycles.controller, cycles.exact, cycles.per_tick.tolist()) == (
        "serial_event",
        True,
        [[15, 15, 15]],
    )
    assert cycles.missed.tolist() == [3]
    assert {name: clocks.tolist() for name, clocks in cycles.phases.items() if clocks.any()} == {
        "WAIT": [[4, 0, 1]], "PUSH": [[1, 0, 0]], "REQUEST_DOWN": [[3, 0, 0]], "POP": [[7, 13, 9]],
        "TAIL": [[0, 2, 5]],
    }  # fmt: skip


def test_a_request_that_finds_the_chip_at_work_is_late() -> None:
    program = ten(chip_of(**{"cycles.aer.input_gap": 29}), [Row("i0", [(0, 1)])])
    late = [int(emulate(each, spikes_at(1, {0: 2}), timing="cycle").cycles.counters["late"][0])
            for each in (program, ten(chip_of(**{"cycles.aer.input_gap": 28}), [Row("i0", [(0, 1)])]))]  # fmt: skip
    assert late == [0, 1]


def test_one_clock_shows_the_neuron_its_registers_and_its_spike() -> None:
    program = ten(chip_of(), [Row("i0", [(0, 3), (2, 7)])], thr=[100, 100, 7] + [100] * 7)
    chip = Chip(program, timing="cycle")
    states = [chip.clock(np.array([[1]])), *(chip.clock() for _ in range(13))]
    written = [
        (state.clock, int(state.neuron[0]), int(state.registers["v"][0]))
        for state in states
        if state.neuron[0] >= 0
    ]
    assert written == [(9, 0, 3), (11, 1, 0), (13, 2, 0)]
    assert states[13].spikes == ((0, 2, 1),)
    assert [int(state.queues["fifo"][0]) for state in states] == [0] * 4 + [1] * 10
    assert chip.registers("all")["v"][0].tolist() == [3] + [0] * 9


@pytest.mark.parametrize("clocks", [1, 7, 1000])
def test_steps_of_any_length_are_the_same_as_a_run(clocks: int) -> None:
    rows = [Row("i0", [(0, 7), (5, 7)]), Row("n0", [(1, 7)]), Row("n5", [(2, 7)])]
    profile = chip_of(leak=2, clocks=90, **{"cycles.aer.input_gap": 11, "cycles.aer.ack_rise": 2})
    program = ten(profile, rows, ticks=6, thr=7)
    inputs = spikes_at(6, {0: 2, 3: 1})
    run = emulate(program, inputs, timing="cycle")
    chip = Chip(program, timing="cycle")
    for tick in range(6):
        given: np.ndarray | None = inputs[0, tick][None]
        while not chip.clock(given, clocks=clocks).go:
            given = None
    assert run.cycles is not None and chip.cycles is not None
    for name, values in run.cycles.arrays().items():
        assert np.array_equal(values, chip.cycles.arrays()[name]), name


@pytest.mark.parametrize("after", [1, 2, 3, 4])
def test_a_state_within_an_event_goes_on_where_it_was_taken(after: int) -> None:
    rows = [Row("i0", [(k, 7) for k in range(10)]), Row("i1", [(4, 2, 0, 1)]), Row("n3", [(1, 7)])]
    program = ten(chip_of(clocks=13, leak=3), rows, lines=2, ticks=9, thr=7)
    inputs = spikes_at(9, {0: 1, 2: 1}, {1: 1})
    chip, other = Chip(program, timing="cycle"), Chip(program, timing="cycle")
    for tick in range(after):
        chip.tick(inputs[:, tick])
    other.restore(chip.state())
    for tick in range(after, 9):
        assert np.array_equal(chip.tick(inputs[:, tick]), other.tick(inputs[:, tick]))
        assert chip.state() == other.state()


def test_a_chip_without_clocks_has_another_state() -> None:
    program = ten(chip_of(), [Row("i0", [(0, 1)])])
    with pytest.raises(EmulationError, match="belongs to another program"):
        Chip(program).restore(Chip(program, timing="cycle").state())


def test_an_error_in_a_clock_names_its_place_and_stops_the_chip() -> None:
    profile = chip_of(**{"regs.v.overflow": "trap"})
    program = built(profile, 2, [Row("i0", [(1, 7)])], ticks=1, params={"thr": 4095}, init={"v": 2045})
    chip = Chip(program, timing="cycle")
    with pytest.raises(
        EmulationError, match=r"tick 0, core 0, neuron 1, register v: left its width.* got 2052"
    ):
        chip.tick(np.array([[1]]))
    with pytest.raises(EmulationError, match="stopped at an error"):
        chip.tick()
    chip.reset()
    assert chip.tick().tolist() == [[0, 0]]
