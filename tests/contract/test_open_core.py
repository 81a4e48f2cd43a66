"""Does open_core take the clocks that its page says, worked out by hand?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_programs import Row, built, spikes_at
from spikeloom.emulation.chip import Chip
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import EmulationError, ProgramError
from spikeloom.profile.catalog import load_profile
from spikeloom.profile.schema import Profile
from spikeloom.program.program import ChipProgram

FIRES = {"vth": 10, "bias": 10}  # in every tick


def tiny(**override: Any) -> Profile:
    """Four neurons, two axons and two lanes a core, on a grid of 3 x 3."""
    sizes = {"limits.cores": 9, "limits.neurons_per_core": 4, "limits.in_axons_per_core": 2, "cycles.lanes": 2,
             "noc.width": 3, "noc.height": 3}  # fmt: skip
    return load_profile("open_core", override=sizes | override)


def clocks_of_tick(chip: Chip) -> list[Any]:
    """Every clock of the next tick."""
    states = [chip.clock()]
    while not states[-1].go:
        states.append(chip.clock())
    return states


def example() -> ChipProgram:
    """Axon 1 has a spike of the tick before and one run of two words."""
    rows = [Row("i0", [(0, 0)]), Row("n4", [(k, 1) for k in range(4)])]
    program = built(tiny(), 5, rows, cores=[0, 4], params={"vth": [1000] * 4 + [10]},
                    init={"v": [0] * 4 + [10]}, ticks=3)  # fmt: skip
    one_run = {"template_run_start": [0, 1, 2], "run_target": [0, 0], "run_length": [1, 4], "run_weight": [0, 1],
               "run_delay": [0, 0], "run_receptor": [0, 0], "run_index": [-1, -1]}  # fmt: skip
    kinds = {name: getattr(program.arrays, name).dtype for name in one_run}
    arrays = replace(program.arrays, **{name: np.array(v, dtype=kinds[name]) for name, v in one_run.items()})
    return replace(program, arrays=arrays)


def test_the_example_of_the_page_takes_19_clocks() -> None:
    """1 + 7 + 8 + 3 clocks."""
    cycles = emulate(example(), spikes_at(3, {}), timing="cycle").cycles
    assert cycles is not None and cycles.exact
    assert cycles.phases["INPUT"].tolist() == [[1, 1, 1]]
    assert cycles.phases["DELIVER"].tolist() == [[3, 7, 3]]
    assert cycles.phases["UPDATE"].tolist() == [[8, 8, 8]]
    # In tick 0 the spike is pushed in clock 7, sent in 10, received in 13 and 14: quiet in 15, go in 17.
    assert cycles.per_tick.tolist() == [[18, 19, 15]]
    assert cycles.busy.tolist() == [[3 * 12 + 4, 3 * 12]]
    assert cycles.counters["synaptic_words"].tolist() == [2]
    assert cycles.counters["events"].tolist() == [4]


def test_the_timing_diagram_of_the_page_is_what_the_emulator_shows() -> None:
    """The rows "phase" and "write" of the diagram, column by column, against the clocks of the example."""
    page = (Path(__file__).parents[2] / "hw_profiles" / "open_core.md").read_text(encoding="utf-8")
    rows = {line[4:14].strip(): line[14:] for line in page.splitlines() if line.startswith("    ")}
    cells = {name: [row[k : k + 3].strip() for k in range(0, 57, 3)] for name, row in rows.items()}
    chip = Chip(example(), timing="cycle")
    chip.tick()
    states = clocks_of_tick(chip)
    assert [state.clock for state in states] == [int(cell) for cell in cells["clock"]]
    letters = {"INPUT": "I", "DELIVER": "D", "UPDATE": "U", "DRAIN": "-"}
    assert [letters[state.phase[0]] for state in states] == cells["phase"]
    assert ["" if state.neuron[0] < 0 else str(state.neuron[0]) for state in states] == cells["write"]
    assert [state.go for state in states] == [cell == "1" for cell in cells["go"]]


def test_spikes_from_outside_take_two_clocks_each() -> None:
    """Axon 1 gets three spikes in tick 1, in which they are due: 2 + 1, then 2 + (1 + 3 (1 + 1)) + 1 clocks."""
    rows = [Row("n0", [(0, 0)]), Row("i0", [(1, 1, 1)])]
    program = built(tiny(), 2, rows, params={"vth": 1000}, ticks=2)
    cycles = emulate(program, spikes_at(2, {0: 3}), timing="cycle").cycles
    assert cycles is not None
    assert cycles.phases["INPUT"].tolist() == [[1, 3]]
    assert cycles.phases["DELIVER"].tolist() == [[3, 10]]


def test_three_packets_for_one_link_clock_by_clock() -> None:
    """Cores west, east and north of the centre send to the core south of it in the same clock.

    INPUT is clock 0, DELIVER 1 to 3, UPDATE 4 to 11. Neuron 0 of each is in the firing stage in clock 7. SEND
    pops in 8, reads in 9, and its packet enters the router in 10. In 11 the three move to the centre, which
    lets E, W and N pass in 12, 13 and 14. South of it they go on to the core in 13, 14 and 15, which takes
    them in 14, 16 and 18 and writes the last in 19: quiet in 20, go in 22.
    """
    fires = [core in (1, 3, 5) for core in range(8)]
    program = built(tiny(), 8, [Row("n1 n3 n5", [(7, 1)])], cores=list(range(8)),
                    params={"vth": 10, "bias": np.where(fires, 10, 0)})  # fmt: skip
    chip = Chip(program, timing="cycle")
    states = clocks_of_tick(chip)
    assert len(states) == 23 and [s.clock for s in states if s.go] == [22]
    assert {s.clock: s.spikes for s in states if s.spikes} == {7: ((1, 0, 1), (3, 0, 1), (5, 0, 1))}
    assert [s.clock for s in states if s.queues["output_fifo"].any()] == [8]
    assert {s.clock: s.transfers for s in states if s.transfers} == {
        11: ((0, 1, "E"), (1, 0, "S"), (2, 1, "W")),
        12: ((1, 1, "S"),),
        13: ((1, 1, "S"), (1, 2, "L")),
        14: ((1, 1, "S"), (1, 2, "L")),
        15: ((1, 2, "L"),),
    }
    centre = {s.clock: s.queues["router"][4].tolist() for s in states if s.queues["router"][4].any()}
    assert centre == {12: [0, 1, 1, 1, 0], 13: [0, 0, 1, 1, 0], 14: [0, 0, 0, 1, 0]}  # L, E, W, N, S
    received = {s.clock: int(s.queues["receive_fifo"][7]) for s in states if s.queues["receive_fifo"].any()}
    assert received == {14: 1, 15: 1, 16: 2, 17: 1, 18: 1}
    cycles = chip.cycles
    assert cycles is not None
    assert {name: int(n[0]) for name, n in cycles.stalls.items() if n[0]} == {"outvoted": 3}
    assert {name: int(cycles.counters[name][0]) for name in ("packets", "hops", "fifo_pushes")} == {
        "packets": 3,
        "hops": 9,
        "fifo_pushes": 15,
    }


def test_a_neuron_with_several_spikes_and_a_full_fifo_hold_the_pipeline() -> None:
    """Four neurons of three spikes each, all to one axon, through an output FIFO of two."""
    several = {"op": "multi_fire", "reg": "v", "thr": "vth", "max": 3}
    profile = tiny(**{"operation.fire": several, "cycles.output_fifo": 2})
    rows = [Row("n0 n1 n2 n3", [(0, 0)]), Row("n0 n1 n2 n3", [(1, 0)])]
    program = built(profile, 4, rows, params={"vth": 1, "bias": 3}, ticks=1)
    cycles = emulate(program, spikes_at(1, {}), timing="cycle").cycles
    assert cycles is not None
    # Each neuron stays 3 clocks; SEND takes 1 + 2 * 2 clocks a spike, so spikes queue up but the FIFO is
    # full only when the fourth comes: pushed in UPDATE clocks 5, 8, 11 and 14, popped in 6, 11, 16 and 21.
    assert cycles.stalls["several_spikes"].tolist() == [8]
    assert cycles.stalls["output_full"].tolist() == [0]
    assert cycles.high_water["output_fifo"].tolist() == [[2]]
    assert cycles.phases["UPDATE"].tolist() == [[8 + 8]]


def test_a_chip_goes_on_from_a_saved_state_and_refuses_within_a_tick() -> None:
    program = built(tiny(), 8, [Row("n1 n3 n5", [(7, 1)])], cores=list(range(8)), params=FIRES)
    chip = Chip(program, timing="cycle")
    chip.tick()
    kept = chip.state()
    after = [state.transfers for state in clocks_of_tick(chip)]
    chip.restore(kept)
    assert [state.transfers for state in clocks_of_tick(chip)] == after
    chip.clock()
    for forbidden in (chip.tick, chip.state, lambda: chip.clock(np.zeros((1, 1), dtype=np.uint8))):
        with pytest.raises(EmulationError, match="tick"):
            forbidden()
    chip.reset()
    assert chip.clock().clock == 0
    with pytest.raises(EmulationError, match="of one sample"):
        Chip(program, samples=2, timing="cycle").clock()


@pytest.mark.parametrize(
    ("neurons", "rows", "cores", "named"),
    [
        (5, [Row("i0", [(0, 1)])], [0], "core 0: has too many neurons for open_core; got 5, limit 4"),
        (2, [Row("i0", [(0, 1)])] * 3, [0], "core 0: has too many axons for open_core; got 3, limit 2"),
        (2, [Row("i0", [(0, 1, 1), (1, 1, 2)])], [0], "axon 0: has synapses of several delays"),
        (10, [Row("i0", [(0, 1)])], list(range(10)), "program: has more cores than the mesh has places"),
    ],
)
def test_what_does_not_fit_the_core_is_refused(neurons: int, rows: list, cores: list, named: str) -> None:
    program = built(tiny(), neurons, rows, cores=cores, ticks=2)
    with pytest.raises(ProgramError) as caught:
        emulate(program, spikes_at(2, {}), timing="cycle")
    assert named in str(caught.value)


def test_energy_is_told_by_unit_with_its_sources() -> None:
    costs = {"energy.hop_j": 2e-12, "energy.clock_j": 1e-12, "energy.synop_j": 5e-12,
             "provenance.energy.hop_j": {"source": "a sheet", "status": "paper"}}  # fmt: skip
    program = built(
        tiny(**costs), 8, [Row("n1 n3 n5", [(7, 1)])], cores=list(range(8)), params=FIRES, ticks=1
    )
    recording = emulate(program, spikes_at(1, {}), timing="cycle")
    assert recording.cycles is not None
    clocks = int(recording.cycles.total[0])
    assert recording.energy.parts_j == pytest.approx(
        {"hop_j": 9 * 2e-12, "clock_j": 8 * clocks * 1e-12, "synop_j": 0}
    )
    assert recording.energy.statuses == {"hop_j": "paper", "clock_j": "unverified", "synop_j": "unverified"}
    assert recording.energy.status == "unverified"
    assert "fifo_push_j" in recording.energy.not_modelled
    assert emulate(program, spikes_at(1, {})).energy.not_counted == ("hop_j", "clock_j")
