"""Event mode by hand: the FIFO, the order of events, the threshold after every write, the leak."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_programs import Row, built, spikes_at, watched
from spikeloom.emulation.chip import Chip
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import EmulationError
from spikeloom.profile.catalog import load_profile
from spikeloom.profile.schema import Profile
from spikeloom.program.program import ChipProgram
from spikeloom.reference.twin.executor import run_twin


def chip_of(name: str = "tinyodin", **override: Any) -> Profile:
    """A profile without leak events, unless told otherwise; `fifo_depth=2` is short for the event table."""
    changes = {"leak_every_ticks": None, **override}
    return load_profile(name, override={f"event.{key}": value for key, value in changes.items()})


def rules_of(program: ChipProgram, inputs: np.ndarray) -> dict[str, int]:
    """What acted in sample 0, which the twin confirms."""
    acted = {name: int(n[0]) for name, n in emulate(program, inputs).rules.items() if n[0]}
    assert acted == run_twin(program, inputs[0]).rules
    return acted


@pytest.mark.parametrize(
    ("start", "thr", "fires"), [(4, 5, 1), (3, 5, 0), (-1, 0, 1), (-3, 0, 0), (-3, 4095, 0)]
)
def test_a_threshold_is_reached_at_equality_and_from_zero_on(start: int, thr: int, fires: int) -> None:
    profile = chip_of(max_events=1)
    program = built(profile, 1, [Row("i0", [(0, 1)])], ticks=1, params={"thr": thr}, init={"v": start})
    spikes, v = watched(program, spikes_at(1, {0: 1}), "s0", "v0")
    assert spikes == [fires]
    assert v == [0 if fires else start + 1]


def test_a_threshold_of_zero_fires_at_every_write_that_is_not_negative() -> None:
    rows = [Row("i0", [(0, 0)])]
    program = built(chip_of(max_events=5), 1, rows, ticks=1, params={"thr": 0})
    spikes, _ = watched(program, spikes_at(1, {0: 1}), "s0", "v0")
    assert spikes == [5]  # each spike is an event that visits the neuron again
    assert rules_of(program, spikes_at(1, {0: 1})) == {"fifo.unsettled": 1}


def test_every_event_visits_neurons_without_a_synapse() -> None:
    program = built(chip_of(), 2, [Row("i0", [(0, 1)])], ticks=1, params={"thr": 5}, init={"v": [0, 7]})
    assert watched(program, spikes_at(1, {0: 1}), "s1", "v1") == [[1], [0]]


def test_no_event_no_visit() -> None:
    program = built(chip_of(), 1, [Row("i0", [(0, 1)])], ticks=2, params={"thr": 5}, init={"v": 7})
    assert watched(program, spikes_at(2, {1: 1}), "s0", "v0") == [[0, 1], [7, 0]]


@pytest.mark.parametrize(
    ("start", "weight", "end"), [(2040, 7, 2047), (2041, 7, 2047), (-2040, -8, -2048), (-2041, -8, -2048)]
)
def test_tinyodin_saturates_at_twelve_bits(start: int, weight: int, end: int) -> None:
    program = built(
        chip_of(), 1, [Row("i0", [(0, weight)])], ticks=1, params={"thr": 4095}, init={"v": start}
    )
    assert watched(program, spikes_at(1, {0: 1}), "v0") == [[end]]
    acted = rules_of(program, spikes_at(1, {0: 1}))
    assert acted == ({} if start + weight == end else {"v.saturate": 1})


@pytest.mark.parametrize(
    ("start", "weight", "thr", "end"),
    [(3, -7, 255, 0), (0, -1, 255, 0), (250, 7, 255, 0), (250, 4, 255, 254)],
)
def test_odin_stops_at_0_and_255(start: int, weight: int, thr: int, end: int) -> None:
    program = built(
        chip_of("odin"), 1, [Row("i0", [(0, weight)])], ticks=1, params={"thr": thr}, init={"v": start}
    )
    assert watched(program, spikes_at(1, {0: 1}), "v0") == [[end]]


def test_odin_with_a_threshold_of_zero_always_fires() -> None:
    program = built(chip_of("odin", max_events=1), 1, [Row("i0", [(0, -7)])], ticks=1, params={"thr": 0})
    assert watched(program, spikes_at(1, {0: 1}), "s0", "v0") == [[1], [0]]


@pytest.mark.parametrize(("name", "start", "end"), [("tinyodin", 5, 2), ("tinyodin", 2, 0), ("tinyodin", -5, -2),
                                                    ("tinyodin", -2, 0), ("odin", 5, 2), ("odin", 2, 0)])  # fmt: skip
def test_a_leak_goes_toward_zero_and_stops_there(name: str, start: int, end: int) -> None:
    profile = chip_of(name, leak_every_ticks=1)
    program = built(
        profile, 1, [Row("i0", [(0, 1)])], ticks=1, params={"thr": 100, "leak": 3}, init={"v": start}
    )
    assert watched(program, spikes_at(1, {}), "v0") == [[end]]


def test_a_leak_that_odin_has_switched_off() -> None:
    params = {"thr": 100, "leak": 3, "leak_enable": 0}
    program = built(
        chip_of("odin", leak_every_ticks=1), 1, [Row("i0", [(0, 1)])], ticks=1, params=params, init={"v": 5}
    )
    assert watched(program, spikes_at(1, {}), "v0") == [[5]]


def test_the_threshold_is_tested_after_a_leak() -> None:
    rows = [Row("n0", [(1, 4)])]
    program = built(
        chip_of(leak_every_ticks=2),
        2,
        rows,
        lines=0,
        ticks=2,
        params={"thr": 4, "leak": 1},
        init={"v": [9, 0]},
    )
    # Tick 1: 9 leaks to 8 and fires; its event lifts the other to 4.
    assert watched(program, spikes_at(2), "s0", "v0", "s1", "v1") == [[0, 1], [9, 0], [0, 1], [0, 0]]


def test_a_leak_comes_after_the_inputs_of_its_tick() -> None:
    program = built(
        chip_of(leak_every_ticks=2), 1, [Row("i0", [(0, 4)])], ticks=4, params={"thr": 8, "leak": 1}
    )
    spikes, v = watched(program, spikes_at(4, {0: 1, 1: 1, 3: 1}), "s0", "v0")
    assert (spikes, v) == ([0, 1, 0, 0], [4, 0, 0, 3])


def test_a_disabled_neuron_changes_and_stays_silent() -> None:
    rows = [Row("i0", [(0, 7)]), Row("n0", [(1, 7)])]
    program = built(chip_of(), 2, rows, ticks=1, params={"thr": [7, 100], "disable": [1, 0]})
    assert watched(program, spikes_at(1, {0: 1}), "s0", "v0", "v1") == [[0], [0], [0]]


def test_inputs_are_served_by_axon_and_drained_one_by_one() -> None:
    # Line 1 has the first axon: it lifts neuron 0 to 7, whose own event takes neuron 1 down before line 0 comes.
    rows = [Row("i1", [(0, 7)]), Row("i0", [(1, 5)]), Row("n0", [(1, -3)])]
    program = built(chip_of(), 2, rows, lines=2, ticks=1, params={"thr": [7, 5]})
    assert watched(program, spikes_at(1, {0: 1}, {0: 1}), "s0", "s1", "v1") == [[1], [0], [2]]


def test_n_spikes_are_n_events() -> None:
    program = built(chip_of(), 1, [Row("i0", [(0, 3)])], ticks=1, params={"thr": 5})
    assert watched(program, spikes_at(1, {0: 5}), "s0", "v0") == [[2], [3]]


def test_spikes_wait_in_the_order_of_the_neurons() -> None:
    # Both fire in one event. Neuron 0's event comes first and lifts neuron 2 to its threshold before neuron 1's.
    rows = [Row("i0", [(0, 7), (1, 7)]), Row("n0", [(2, 5)]), Row("n1", [(2, -4)])]
    program = built(chip_of(), 3, rows, ticks=1, params={"thr": [7, 7, 5]})
    assert watched(program, spikes_at(1, {0: 1}), "s2", "v2") == [[1], [-4]]


@pytest.mark.parametrize(
    ("depth", "reached", "dropped"), [(5, 4, 0), (4, 3, 1), (3, 2, 2), (2, 1, 3), (1, 0, 4)]
)
def test_a_popped_event_holds_its_place_until_its_last_write(depth: int, reached: int, dropped: int) -> None:
    # One event makes neurons 0 to 3 fire while it is still in the FIFO; each spike that found a place lifts v4.
    rows = [Row("i0", [(k, 7) for k in range(4)]), *(Row(f"n{k}", [(4, 1)]) for k in range(4))]
    program = built(chip_of(fifo_depth=depth), 5, rows, ticks=1, params={"thr": [7, 7, 7, 7, 4095]})
    assert watched(program, spikes_at(1, {0: 1}), "v4") == [[reached]]
    assert rules_of(program, spikes_at(1, {0: 1})) == ({"fifo.drop": dropped} if dropped else {})


def test_the_newest_event_is_the_one_that_is_dropped() -> None:
    rows = [Row("i0", [(0, 7), (1, 7)]), Row("n0", [(2, 1)]), Row("n1", [(2, 2)])]
    program = built(chip_of(fifo_depth=2), 3, rows, ticks=1, params={"thr": [7, 7, 100]})
    assert watched(program, spikes_at(1, {0: 1}), "s1", "v2") == [[1], [1]]  # neuron 1 still spikes outward


def test_the_fifo_of_tinyodin_holds_128() -> None:
    # All 200 neurons fire in one event, which holds one place: 127 of their events are served.
    rows = [Row("i0", [(k, 7) for k in range(200)]), *(Row(f"n{k}", [(200, 1)]) for k in range(200))]
    program = built(load_profile("tinyodin"), 201, rows, ticks=1, params={"thr": [7] * 200 + [4095]})
    assert watched(program, spikes_at(1, {0: 1}), "v200") == [[127]]
    assert rules_of(program, spikes_at(1, {0: 1})) == {"fifo.drop": 73}


def loop(**event: Any) -> ChipProgram:
    """Two neurons that make each other fire forever once they have begun."""
    rows = [Row("i0", [(0, 7)]), Row("n0", [(1, 7)]), Row("n1", [(0, 7)])]
    return built(chip_of(**event), 2, rows, ticks=4, params={"thr": 7})


def test_a_loop_that_never_settles_is_stopped_and_goes_on_with_the_next_event() -> None:
    program = loop(max_events=10)
    inputs = spikes_at(4, {0: 1, 2: 1})
    # In tick 2 the event that was left comes before the input, and from then on two spikes go round.
    assert watched(program, inputs, "s0", "s1") == [[5, 0, 6, 0], [5, 0, 4, 0]]
    assert rules_of(program, inputs) == {"fifo.unsettled": 2}
    assert emulate(program, inputs).notes == (
        "1 samples unsettled: a drain was stopped after event.max_events",
    )


def test_a_leak_holds_no_place_in_the_fifo() -> None:
    # The leak event makes four neurons fire; three spikes find a place, and each lifts v4.
    rows = [Row(f"n{k}", [(4, 1)]) for k in range(4)]
    profile = chip_of(fifo_depth=3, leak_every_ticks=1)
    program = built(
        profile, 5, rows, lines=0, ticks=1, params={"thr": [7, 7, 7, 7, 4095]}, init={"v": [7] * 4 + [0]}
    )
    assert watched(program, spikes_at(1), "v4") == [[3]]
    assert rules_of(program, spikes_at(1)) == {"fifo.drop": 1}


@pytest.mark.parametrize("name", ["tinyodin", "odin"])
def test_a_virtual_event_visits_its_target_alone(name: str) -> None:
    rows = [Row("i0", [(0, 7, 0, 1), (2, 3, 0, 1)])]
    program = built(chip_of(name), 3, rows, ticks=1, params={"thr": 5}, init={"v": [0, 9, 0]})
    assert watched(program, spikes_at(1, {0: 1}), "s0", "v0", "v1", "v2") == [[1], [0], [0], [3]]
    # neuron 1 is visited by the event of neuron 0's spike, which every neuron sees
    assert emulate(program, spikes_at(1, {0: 1})).counts["all"].tolist() == [[1, 1, 0]]


def test_a_virtual_event_of_odin_has_a_sign_of_its_own() -> None:
    rows = [Row("i0", [(0, 7, 0, 1), (1, -2, 0, 1)])]
    program = built(chip_of("odin"), 2, rows, ticks=1, params={"thr": 255}, init={"v": [0, 9]})
    assert watched(program, spikes_at(1, {0: 1}), "v0", "v1") == [[7], [7]]


def test_a_single_synapse_of_odin_needs_no_place_in_the_fifo() -> None:
    rows = [Row("i0", [(0, 7)]), Row("i1", [(2, 3, 0, 2)]), Row("n0", [(1, 7)]), Row("n1", [(0, 7)])]
    program = built(chip_of("odin", max_events=1, fifo_depth=2), 3, rows, lines=2, ticks=2,
                    params={"thr": [7, 7, 255]})  # fmt: skip
    inputs = spikes_at(2, {0: 2}, {1: 1})
    assert watched(program, inputs, "v2") == [[0, 3]]


def test_events_are_counted() -> None:
    rows = [Row("i0", [(0, 7)]), Row("i1", [(1, 1, 0, 1)])]
    program = built(chip_of(leak_every_ticks=1), 2, rows, lines=2, ticks=2, params={"thr": 7})
    events = emulate(program, spikes_at(2, {0: 1}, {1: 1})).events
    # tick 0: input and the spike that it makes, 2 neurons each; tick 1: a virtual event; two leaks.
    expected = {"spikes": 1, "input_spikes": 2, "synaptic_operations": 5, "neuron_updates": 9}
    assert {name: int(events[name][0]) for name in expected} == expected


def test_odin_visits_all_of_its_neurons() -> None:
    program = built(chip_of("odin", leak_every_ticks=1), 2, [Row("i0", [(0, 1)])], ticks=1, params={"thr": 7})
    recording = emulate(program, spikes_at(1, {0: 1}))
    assert int(recording.events["synaptic_operations"][0]) == 256
    assert int(recording.events["neuron_updates"][0]) == 512
    assert recording.energy.total_j == pytest.approx(256 * 12.7e-12)


def test_a_chip_keeps_what_waits_in_its_fifo() -> None:
    program = loop(max_events=3)
    inputs = spikes_at(6, {0: 1, 1: 1, 2: 1})[0]
    chip = Chip(program)
    seen = [chip.tick(inputs[None, t]).tolist() for t in range(2)]
    state = chip.state()
    rest = [chip.tick(inputs[None, t]).tolist() for t in range(2, 6)]
    other = Chip(program)
    other.restore(state)
    assert [other.tick(inputs[None, t]).tolist() for t in range(2, 6)] == rest
    assert other.state() == chip.state()
    other.reset()
    assert [other.tick(inputs[None, t]).tolist() for t in range(2)] == seen
    assert other.state() == state != chip.state()


def test_a_state_with_an_impossible_event_is_refused() -> None:
    import hashlib

    chip = Chip(loop(max_events=3))
    chip.tick(np.array([[1]]))
    state = chip.state()
    payload = bytearray(state[-(8 + 2 * 4 + 4 * 2 + 8 + 24) :])  # ticks, two v, four sums, size, one event
    head = state[: -len(payload) - 32]
    assert payload[24:40] == bytes([1, *[0] * 15])  # one, of neuron 0
    for place, value in ((24, 200), (32, 9), (36, 2), (40, 1)):  # size, kind, source, weight
        wrong = payload.copy()
        wrong[place] = value
        forged = head + hashlib.sha256(bytes(wrong)).digest() + bytes(wrong)
        with pytest.raises(EmulationError, match="not a state of this program"):
            chip.restore(forged)
    chip.restore(state)
    assert chip.state() == state
