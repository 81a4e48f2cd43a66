"""Are clocks that are modelled from counts of events the sum that the profile states?"""

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


def two_cores(**override: object) -> ChipProgram:
    """Line 0 reaches both cores; neuron 0 fires at once and reaches neuron 2 a tick later."""
    profile = load_profile("loihi1", override={"cycles.fixed": 100.0, **override})
    rows = [Row("i0", [(0, 254), (1, 2)]), Row("i0", [(2, 2)]), Row("n0", [(2, 2), (3, 2)])]
    return built(profile, 4, rows, params={"vth": [100, 100000, 100000, 100000]}, ticks=3, cores=[0, 2],
                 format_shared={"w_exp": [0]})  # fmt: skip


def test_the_longest_core_decides_and_every_coefficient_counts() -> None:
    cycles = emulate(two_cores(), spikes_at(3, {0: 1}), timing="cycle").cycles
    assert cycles is not None and (cycles.controller, cycles.exact) == ("linear", False)
    first = [2 * 9.7 + 16 + 2 * 3.8 + 35.1, 2 * 9.7, 2 * 9.7]  # core 0: two synapses and a spike in tick 0
    second = [2 * 9.7 + 16 + 3.8, 2 * 9.7 + 16 + 2 * 3.8, 2 * 9.7]  # core 1: one row a tick
    longest = [100 + max(ticks) for ticks in zip(first, second, strict=True)]
    assert cycles.per_tick.tolist() == [[int(np.ceil(clocks)) for clocks in longest]]
    assert cycles.busy.tolist() == [[sum(int(np.ceil(c)) for c in core) for core in (first, second)]]
    assert {name: n.tolist() for name, n in cycles.counters.items()} == {
        "active_axons": [3],
        "synapses_read": [5],
    }
    assert cycles.total.tolist() == [cycles.per_tick.sum()]
    assert cycles.seconds is not None and cycles.seconds[0] == pytest.approx(1e-9 * cycles.total[0])


def test_a_missing_coefficient_is_named_and_adds_nothing() -> None:
    program = two_cores(**{"cycles.per_neuron": None, "cycles.per_spike": None})
    recording = emulate(program, spikes_at(3, {}), timing="cycle")
    assert recording.cycles is not None
    assert recording.cycles.per_tick.tolist() == [[100, 100, 100]]
    assert recording.cycles.not_modelled == ("cycles.per_neuron", "cycles.per_spike")
    assert recording.energy.not_modelled == ("clock_j",)


def test_spikes_that_meet_on_an_axon_are_one_activity_of_it() -> None:
    cycles = emulate(two_cores(), spikes_at(1, {0: 3}), timing="cycle", ticks=1).cycles
    assert cycles is not None
    assert cycles.counters["active_axons"].tolist() == [2]
    assert cycles.counters["synapses_read"].tolist() == [9]


def test_a_deadline_is_missed_by_longer_ticks_only() -> None:
    program = two_cores(**{"cycles.tick_clocks": 143})
    cycles = emulate(program, spikes_at(3, {0: 1}, samples=2), timing="cycle").cycles
    assert cycles is not None
    assert cycles.per_tick.tolist() == [[179, 143, 120]] * 2
    assert cycles.missed.tolist() == [1, 1]


def test_timing_changes_no_spike_and_a_chip_counts_the_same_clocks(tmp_path: Path) -> None:
    program, inputs = two_cores(), spikes_at(3, {0: 2, 2: 1})
    plain = emulate(program, inputs, record=["all.spikes", "all.v"])
    clocked = emulate(program, inputs, record=["all.spikes", "all.v"], timing="cycle")
    assert plain.cycles is None and clocked.cycles is not None
    assert plain.spikes["all"].tolist() == clocked.spikes["all"].tolist()
    assert plain.registers["all.v"].tolist() == clocked.registers["all.v"].tolist()
    chip = Chip(program, timing="cycle")
    chip.tick(inputs[0, :1])
    kept = chip.state()
    chip.tick(inputs[0, 1:2])
    chip.tick(inputs[0, 2:])
    assert chip.cycles is not None
    assert chip.cycles.per_tick.tolist() == clocked.cycles.per_tick.tolist()
    chip.restore(kept)  # a spike is on its way
    chip.tick(inputs[0, 1:2])
    assert chip.cycles.per_tick.tolist() == clocked.cycles.per_tick[:, 1:2].tolist()
    clocked.save(tmp_path / "run.npz")
    with np.load(tmp_path / "run.npz") as saved:
        assert saved["cycles/per_tick"].tolist() == clocked.cycles.per_tick.tolist()
        assert '"controller": "linear"' in str(saved["facts"])


def test_modelled_clocks_cannot_be_stepped() -> None:
    with pytest.raises(EmulationError, match="modelled from counts of events"):
        Chip(two_cores(), timing="cycle").clock()
    with pytest.raises(EmulationError, match="without timing"):
        Chip(two_cores()).clock()
    assert Chip(two_cores()).cycles is None
    with pytest.raises(EmulationError, match=r"no \[cycles\] table"):
        Chip(built(counter(), 1, [Row("i0", [(0, 4)])]), timing="cycle")
