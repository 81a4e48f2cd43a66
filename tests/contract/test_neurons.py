"""The operation list in a tick: refractory periods, decays, resets, several spikes, starts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_programs import Row, built, counter, spikes_at, watched
from spikeloom.emulation.emulate import emulate
from spikeloom.profile.catalog import load_profile


@pytest.mark.parametrize("refractory", [1, 2, 63])
def test_a_neuron_driven_hard_fires_once_a_refractory_period(refractory: int) -> None:
    # The bias alone is over the threshold, so only the counter keeps the neuron still.
    params = {"vth": 1, "bias": 100, "refractory": refractory}
    program = built(
        load_profile("loihi1"),
        1,
        [Row("i0", [(0, 0)])],
        ticks=130,
        params=params,
        format_shared={"w_exp": [0]},
    )
    spikes, ref = watched(program, spikes_at(130, {}), "s0", "ref0")
    assert [t for t, n in enumerate(spikes) if n] == list(range(0, 130, refractory))
    assert ref[0] == refractory - 1


def test_the_voltage_is_held_at_zero_while_the_counter_runs() -> None:
    # bias 40 a tick, threshold 64: over it in tick 1 (80), held in ticks 2 and 3, then again from 0.
    params = {"vth": 1, "bias": 40, "refractory": 3}
    program = built(
        load_profile("loihi1"), 1, [Row("i0", [(0, 0)])], ticks=8, params=params, format_shared={"w_exp": [0]}
    )
    spikes, v, ref = watched(program, spikes_at(8, {}), "s0", "v0", "ref0")
    assert spikes == [0, 1, 0, 0, 0, 1, 0, 0]
    assert v == [40, 0, 0, 0, 40, 0, 0, 0]
    assert ref == [0, 2, 1, 0, 0, 2, 1, 0]


def test_current_and_voltage_decay_toward_zero_as_the_product_is_cut() -> None:
    # u: 640 (4096 - 1 - 2047) / 4096 = 320; 320 / 2 = 160 ... v gains u and loses v 1024 / 4096 a tick, cut.
    params = {"vth": 131071, "decay_u": 2047, "decay_v": 1024}
    rows = [Row("i0", [(0, 10)]), Row("i0", [(1, -10)])]
    program = built(load_profile("loihi1"), 2, rows, ticks=4, params=params, format_shared={"w_exp": [0]})
    u, v, negative = watched(program, spikes_at(4, {0: 1}), "u0", "v0", "v1")
    assert u == [640, 320, 160, 80]
    assert v == [640, 480 + 320, 600 + 160, 570 + 80]
    assert negative == [-value for value in v]


def test_a_subtracting_reset_keeps_the_rest() -> None:
    program = built(counter(), 1, [Row("i0", [(0, 7)])], params={"thr": 10}, ticks=4)
    spikes, v = watched(program, spikes_at(4, {0: 1, 1: 1, 2: 1, 3: 1}), "s0", "v0")
    assert (spikes, v) == ([0, 1, 1, 0], [7, 4, 1, 8])


def test_a_neuron_may_spike_several_times_a_tick() -> None:
    several = load_profile(Path(__file__).with_name("several_spikes.toml"))
    rows = [Row("i0", [(0, 100)]), Row("n0", [(1, 7)])]
    program = built(several, 2, rows, params={"thr": [30, 30000], "most": 3}, ticks=3)
    spikes, v, received = watched(program, spikes_at(3, {0: 1}), "s0", "v0", "v1")
    assert spikes == [3, 0, 0]
    assert v == [10, 10, 10]
    assert received == [0, 21, 21]
    recording = emulate(program, spikes_at(3, {0: 1}), record=["all.spikes"])
    assert recording.counts["all"].tolist() == [[3, 0]]
    assert recording.spikes["all"].tolist() == [[0, 0, 0]] * 3
    assert recording.events["packets"].tolist() == [3]
    assert recording.events["synaptic_operations"].tolist() == [1 + 3]


def test_registers_start_as_the_program_says_in_every_sample() -> None:
    program = built(counter(), 2, [Row("i0", [(0, 1)])], init={"v": [5, -5]}, ticks=2)
    recording = emulate(program, spikes_at(2, {0: 1}, samples=3), record=["all.v"])
    assert recording.registers["all.v"].tolist() == [[[6, -5], [6, -5]]] * 3


def test_an_analog_soma_adds_real_numbers() -> None:
    program = built(
        load_profile("ideal"), 1, [Row("i0", [(0, 0.375)])], params={"vth": 1.0, "bias": 0.25}, ticks=4
    )
    spikes, v = watched(program, spikes_at(4, {0: 1, 1: 1}), "s0", "v0")
    assert (spikes, v) == ([0, 1, 0, 0], [0.625, 0.25, 0.5, 0.75])
    assert np.asarray(v).dtype == np.float64
