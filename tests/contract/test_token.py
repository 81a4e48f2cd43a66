"""Does a core with a token controller take the clocks of its states?"""

from __future__ import annotations

import pytest
from small_programs import Row, built, spikes_at
from spikeloom.emulation.chip import Chip
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import EmulationError, ProgramError
from spikeloom.profile.catalog import load_profile
from spikeloom.program.program import ChipProgram


def chain(tick_clocks: int, away: int = 1, neuron: int = 3, ticks: int = 3) -> ChipProgram:
    """Four neurons and eight axons a core; one neuron of core 0 fires every tick and reaches core `away`.

    There it makes the last neuron fire in the tick in which its packet is read.
    """
    sizes = {"limits.neurons_per_core": 4, "limits.in_axons_per_core": 8, "noc.width": 12, "noc.height": 1}
    profile = load_profile("ranc", override=sizes | {"cycles.tick_clocks": tick_clocks})
    cores = [0, *range(4, 4 + away)]
    fires = [k == neuron for k in range(4 + away)]
    params = {
        "positive": [1 if f else 200 for f in fires[:-1]] + [1],
        "leak": [int(f) for f in fires],
        "mode": 0,
        "w0": [0] * (3 + away) + [1],
    }
    return built(profile, 4 + away, [Row(f"n{neuron}", [(3 + away, 1)])], cores=cores, ticks=ticks, params=params,
                 format_shared={"type": [0]})  # fmt: skip


def test_eight_axons_and_four_neurons_take_42_clocks_state_by_state() -> None:
    """Sampled in idle, then set, four times eight axons, write and check, and clear: N (A + 2) + 2."""
    chip = Chip(chain(60), timing="cycle")
    states = [chip.clock() for _ in range(60)]
    neuron = ["AXONS"] * 8 + ["WRITE", "CHECK"]
    assert [state.phase[0] for state in states] == ["IDLE", "SET", *(4 * neuron), "CLEAR", *(["IDLE"] * 17)]
    assert [state.go for state in states] == [False] * 59 + [True]
    assert {s.clock: s.spikes for s in states if s.spikes} == {40: ((0, 3, 1),)}
    assert {s.clock: s.transfers for s in states if s.transfers} == {41: ((0, 0, "E"),), 42: ((1, 0, "L"),)}
    cycles = chip.cycles
    assert cycles is not None and cycles.exact
    assert cycles.per_tick.tolist() == [[42]]
    assert {name: int(n[0]) for name, n in cycles.counters.items()} == {
        "packets": 1, "hops": 2, "late": 0, "lost": 0, "lost_ticks": 0,
    }  # fmt: skip


@pytest.mark.parametrize(("tick_clocks", "away", "late"), [(60, 3, 0), (43, 1, 0), (43, 2, 0), (43, 3, 2)])
def test_a_packet_is_late_once_the_next_tick_was_set(tick_clocks: int, away: int, late: int) -> None:
    """It enters the router in clock 40 and is written in clock 42 + away; clock 44 sets the next tick after 43."""
    cycles = emulate(chain(tick_clocks, away), spikes_at(3, {}), timing="cycle").cycles
    assert cycles is not None
    assert cycles.counters["packets"].tolist() == [3]
    assert {name: int(cycles.counters[name][0]) for name in ("late", "lost", "lost_ticks")} == {
        "late": late,
        "lost": 0,
        "lost_ticks": 0,
    }


def test_a_packet_in_the_clear_clock_is_lost() -> None:
    """Neuron 2 writes in clock 30; ten cores away its packet is written in 42, in which the slot is cleared."""
    for away, lost in ((9, 0), (10, 3), (11, 0)):
        cycles = emulate(chain(60, away, neuron=2), spikes_at(3, {}), timing="cycle").cycles
        assert cycles is not None
        assert (cycles.counters["lost"].tolist(), cycles.counters["late"].tolist()) == ([lost], [0])


@pytest.mark.parametrize(
    ("tick_clocks", "away", "neuron", "heard"),
    [
        (60, 3, 3, [1, 2, 3, 4, 5]),  # in time: read one tick after it was sent
        (
            43,
            3,
            3,
            [2, 3, 4, 5],
        ),  # late: every packet comes after the next tick was set, and is read in the one after
        (60, 10, 2, []),  # lost in the clear clock, all of them
        (60, 11, 2, [1, 2, 3, 4, 5]),  # a clock later: in time again
    ],
)
def test_a_late_packet_is_read_a_tick_later_and_a_lost_one_never(
    tick_clocks: int, away: int, neuron: int, heard: list[int]
) -> None:
    program = chain(tick_clocks, away, neuron, ticks=6)
    run = emulate(program, spikes_at(6, {}), timing="cycle", record=["all.spikes"])
    assert [tick for _, tick, n in run.spikes["all"].tolist() if n == 3 + away] == heard
    plain = emulate(program, spikes_at(6, {}), record=["all.spikes"])
    assert [tick for _, tick, n in plain.spikes["all"].tolist() if n == 3 + away] == [1, 2, 3, 4, 5]


def test_a_tick_while_busy_is_lost_and_the_recording_says_so() -> None:
    recording = emulate(chain(40), spikes_at(3, {}), timing="cycle")
    assert recording.cycles is not None
    assert recording.cycles.counters["lost_ticks"].tolist() == [2]
    assert recording.cycles.missed.tolist() == [1]
    assert any("unhurried" in note for note in recording.notes)
    late = emulate(chain(43, 3), spikes_at(3, {}), timing="cycle").notes
    assert any("as on the chip" in note for note in late)
    assert emulate(chain(60), spikes_at(3, {}), timing="cycle").notes == ()


def test_a_state_is_saved_only_when_nothing_is_under_way() -> None:
    chip = Chip(chain(60), timing="cycle")
    chip.tick()
    kept = chip.state()
    after = [chip.clock().transfers for _ in range(60)]
    chip.restore(kept)
    assert [chip.clock().transfers for _ in range(60)] == after
    hurried = Chip(chain(40), timing="cycle")
    hurried.tick()
    with pytest.raises(EmulationError, match="under way"):
        hurried.state()


def test_a_neuron_has_one_destination() -> None:
    sizes = {"limits.neurons_per_core": 4, "limits.in_axons_per_core": 8}
    profile = load_profile("ranc", override=sizes)
    program = built(profile, 2, [Row("n0", [(0, 1)]), Row("n0", [(1, 1)])], ticks=1,
                    params={"positive": 9}, format_shared={"type": [0]})  # fmt: skip
    with pytest.raises(ProgramError, match="neuron 0: has more than one destination"):
        emulate(program, spikes_at(1, {}), timing="cycle")
