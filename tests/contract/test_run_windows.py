"""Windows, readings, probes and event counts of a chain, on numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from small_programs import Row, built, counter, spikes_at
from spikeloom.emulation.emulate import emulate
from spikeloom.profile.catalog import load_profile
from spikeloom.program.program import ChipProgram


def chain(read: str = "spikes", ticks: int = 4) -> ChipProgram:
    """Input -> neuron 0 (fires on every spike) -> neuron 1 (fires on every second), depth 0 and 1."""
    rows = [Row("i0", [(0, 10)]), Row("n0", [(1, 5)])]
    populations = {"first": ([0], 0), "second": ([1], 1)}
    return built(counter(), 2, rows, params={"thr": [10, 10]}, depths=populations, read=read, ticks=ticks)


def test_a_run_lasts_the_window_and_the_largest_depth() -> None:
    recording = emulate(chain(), spikes_at(4, {0: 1}), record=["first.v"])
    assert recording.registers["first.v"].shape == (1, 5, 1)


def test_spikes_are_counted_over_each_populations_own_window() -> None:
    # Neuron 0 fires in ticks 0 to 3, neuron 1 in ticks 2 and 4: all inside [0, 4) and [1, 5).
    recording = emulate(
        chain(), spikes_at(4, {0: 1, 1: 1, 2: 1, 3: 1}), record=["first.spikes", "second.spikes"]
    )
    assert recording.counts["first"].tolist() == [[4]] and recording.counts["second"].tolist() == [[2]]
    assert recording.spikes["second"].tolist() == [[0, 2, 0], [0, 4, 0]]
    assert recording.outputs.tolist() == [[4.0, 2.0]]


def test_spikes_before_and_after_a_window_are_recorded_but_not_counted() -> None:
    # A bias of 10 fires both neurons in every tick from 0 on; each counts its own four of five.
    program = built(counter(), 2, [Row("i0", [(0, 0)])], params={"thr": 10, "bias": 10}, ticks=4,
                    depths={"early": ([0], 0), "late": ([1], 1)})  # fmt: skip
    recording = emulate(program, spikes_at(4, {}), record=["early.spikes", "late.spikes"])
    assert (
        recording.spikes["early"][:, 1].tolist() == [0, 1, 2, 3, 4] == recording.spikes["late"][:, 1].tolist()
    )
    assert recording.counts["early"].tolist() == [[4]] == recording.counts["late"].tolist()
    assert recording.events["spikes"].tolist() == [10]


def test_many_spikes_are_counted_in_their_windows_whether_few_or_all_fire_in_a_tick() -> None:
    # A bias of 10 fires neuron k in every (k + 1)-th tick; the even ones send each spike to one axon.
    size, depth, ticks = 40, 3, 600
    rows = [Row("i0", [(0, 0)]), *(Row(f"n{k}", [(k, 0)]) for k in range(0, size, 2))]
    halves = {"early": (list(range(20)), 0), "late": (list(range(20, size)), depth)}
    period = np.arange(1, size + 1)
    program = built(counter(), size, rows, params={"thr": (10 * period).tolist(), "bias": 10}, ticks=ticks,
                    depths=halves)  # fmt: skip
    recording = emulate(program, spikes_at(ticks, {}))
    begin = np.repeat([0, depth], 20)
    made = (begin + ticks) // period - begin // period
    assert recording.counts["early"].tolist() == [made[:20].tolist()]
    assert recording.counts["late"].tolist() == [made[20:].tolist()]
    whole = (ticks + depth) // period
    assert recording.events["spikes"].tolist() == [whole.sum()]
    assert recording.events["packets"].tolist() == [whole[::2].sum()]


def test_a_register_is_read_at_the_end_of_its_window() -> None:
    # v of neuron 1 after ticks 0..4: 0, 5, 0, 5, 0; of neuron 0 always 0 but read in tick 3.
    recording = emulate(chain("v"), spikes_at(4, {0: 1, 1: 1, 2: 1}), record=["second.v"])
    assert recording.registers["second.v"][0, :, 0].tolist() == [0, 5, 0, 5, 5]
    assert recording.outputs.tolist() == [[0.0, 5.0]]
    shorter = emulate(chain("v"), spikes_at(3, {0: 1, 1: 1}), ticks=3)
    assert shorter.outputs.tolist() == [[0.0, 0.0]]


def test_outputs_are_scaled_and_shifted() -> None:
    program = chain()
    port = program.outputs[0]
    object.__setattr__(port, "scale", np.array([0.5, 2.0]))
    object.__setattr__(port, "offset", np.array([1.0, -1.0]))
    assert emulate(program, spikes_at(4, {0: 1, 1: 1})).outputs.tolist() == [[2.0, 1.0]]


def test_events_are_what_a_hand_count_gives() -> None:
    # Line 0 drives two axons of 3 and 1 synapses; neuron 0 drives one axon with a delay of 1.
    rows = [Row("i0", [(0, 10), (1, 1), (2, 1)]), Row("i0", [(2, 1)]), Row("n0", [(1, 2, 1), (2, 2, 2)])]
    program = built(counter(), 3, rows, params={"thr": [10, 30000, 30000]}, ticks=4)
    recording = emulate(program, spikes_at(4, {0: 2, 2: 1}))
    events = {name: int(values[0]) for name, values in recording.events.items()}
    # Two spikes in tick 0 (v = 20: fires in 0 and 1), one in tick 2 (fires in 2). Spikes of ticks 0, 1, 2
    # arrive in 1, 2, 3 and are due 1 and 2 ticks later: 2 and 3, 3 and (4), (4) and (5). Tick 4 is not run.
    assert events == {
        "spikes": 3,
        "input_spikes": 3,
        "synaptic_operations": 3 * 4 + 3,
        "neuron_updates": 3 * 4,
        "packets": 3,
        "input_packets": 6,
    }


def test_energy_is_events_times_the_profiles_costs() -> None:
    profile = load_profile("loihi1")
    rows = [Row("i0", [(0, 254), (1, 2)]), Row("n0", [(1, 2)])]
    program = built(profile, 2, rows, params={"vth": [100, 100000]}, ticks=3, format_shared={"w_exp": [0]})
    recording = emulate(program, spikes_at(3, {0: 1}, samples=2))
    costs = profile.energy
    assert recording.energy.parts_j == {
        "synop_j": 2 * 3 * costs.synop_j,
        "neuron_access_j": 2 * 6 * costs.neuron_access_j,
        "neuron_update_j": 2 * 6 * costs.neuron_update_j,
        "spike_out_j": 2 * costs.spike_out_j,
        "axon_out_j": 2 * costs.axon_out_j,
    }
    assert recording.energy.total_j == pytest.approx(sum(recording.energy.parts_j.values()))
    assert recording.energy.status == "secondary" and recording.energy.not_modelled == ()


def test_costs_that_no_profile_states_are_in_no_total() -> None:
    energy = emulate(chain(), spikes_at(4, {})).energy
    assert (energy.total_j, energy.status, dict(energy.parts_j)) == (None, None, {})
    assert energy.not_modelled == (
        "synop_j",
        "neuron_access_j",
        "neuron_update_j",
        "spike_out_j",
        "axon_out_j",
    )


def test_neurons_of_a_population_may_stand_anywhere() -> None:
    rows = [Row("i0", [(k, k + 1)]) for k in range(4)]
    program = built(counter(), 4, rows, ticks=2, params={"thr": [1, 2, 3, 4]},
                    depths={"odd": ([3, 1], 0), "even": ([0, 2], 0)})  # fmt: skip
    recording = emulate(program, spikes_at(2, {0: 1}), record=["odd.q", "odd.v", "odd.spikes", "even.spikes"])
    assert recording.counts["odd"].tolist() == [[1, 1]]
    assert recording.spikes["odd"].tolist() == [[0, 0, 0], [0, 0, 1]]
    below = built(counter(), 4, rows, ticks=2, depths={"odd": ([3, 1], 0), "even": ([0, 2], 0)})
    assert emulate(below, spikes_at(2, {0: 1}), record=["odd.v"]).registers["odd.v"].tolist() == [
        [[4, 2], [4, 2]]
    ]
