"""Does the comparison see every difference, and refuse to compare nothing?"""

from dataclasses import replace

import numpy as np
import pytest
from agreement_cases import case_of, twin_outcome
from spikeloom.errors import EmulationError
from spikeloom.reference.compare import Divergence, Trace, combine, compare


@pytest.fixture
def program():
    return case_of("loihi1", 0).program


@pytest.fixture
def trace():
    return twin_outcome("loihi1", 0)


def changed(trace, name, tick, neuron):
    """The trace with one value one higher."""
    if name == "spikes":
        spikes = trace.spikes.copy()
        spikes[tick, neuron] += 1
        return replace(trace, spikes=spikes)
    values = trace.registers[name].copy()
    values[tick, neuron] += 1
    return replace(trace, registers={**trace.registers, name: values})


def test_equal_traces_say_how_much_was_compared(program, trace):
    check = compare(trace, trace, program)
    ticks = program.run_ticks
    assert check.equal
    assert check.first_divergence is None
    assert check.compared == {
        "samples": 1, "ticks": ticks, "spikes": trace.spikes.sum(), "spike_counts": ticks * program.n_neurons,
        "register_values": 5 * ticks * program.n_neurons,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["q", "u", "x", "v", "ref", "spikes"])
def test_any_single_value_is_seen_and_named(program, trace, name):
    last = program.n_neurons - 1
    check = compare(trace, changed(trace, name, 3, last), program, sample=7)
    found = check.first_divergence
    value = (trace.spikes if name == "spikes" else trace.registers[name])[3, last]
    assert not check.equal
    assert found == Divergence(7, 3, program.n_cores - 1, last, name, value, value + 1)
    assert str(found).startswith(
        f"sample 7, tick 3, core {program.n_cores - 1}, neuron {last}: {name} should be"
    )


def test_the_first_divergence_is_of_the_earliest_tick_then_register_then_neuron(program, trace):
    got = changed(trace, "q", 5, 0)
    got = changed(got, "spikes", 4, 0)
    got = changed(changed(got, "ref", 4, 1), "v", 4, 2)
    found = compare(trace, got, program).first_divergence
    assert (found.tick, found.register, found.neuron) == (4, "v", 2)


def test_what_is_no_number_is_no_equal_number():
    program, trace = case_of("ideal", 0).program, twin_outcome("ideal", 0)
    broken = {name: values.copy() for name, values in trace.registers.items()}
    broken["v"][2, 1] = np.nan
    odd = replace(trace, registers=broken)
    assert compare(odd, odd, program).first_divergence.register == "v"


def test_nothing_compared_is_an_error(program, trace):
    empty = Trace(trace.spikes[:0], {name: values[:0] for name, values in trace.registers.items()})
    with pytest.raises(EmulationError, match="is empty"):
        compare(empty, empty, program)
    with pytest.raises(EmulationError, match="is empty"):
        combine([])


def test_unlike_traces_are_not_compared(program, trace):
    shorter = Trace(trace.spikes[1:], {name: values[1:] for name, values in trace.registers.items()})
    with pytest.raises(EmulationError, match="unlike runs"):
        compare(trace, shorter, program)
    with pytest.raises(EmulationError, match="lacks a register; got u"):
        compare(
            trace, replace(trace, registers={k: v for k, v in trace.registers.items() if k != "u"}), program
        )


def test_checks_add_up_and_the_first_divergence_stays(program, trace):
    good, bad = compare(trace, trace, program), compare(trace, changed(trace, "u", 1, 1), program, sample=1)
    both = combine([good, bad, good])
    assert not both.equal
    assert both.first_divergence == bad.first_divergence
    assert both.compared["samples"] == 3
    assert both.compared["spikes"] == 3 * good.compared["spikes"]


def test_a_spike_at_the_threshold_is_none_to_judge_by(program, trace):
    tick, neuron = 3, program.n_neurons - 1
    near = np.zeros(trace.spikes.shape, dtype=bool)
    near[tick, neuron] = True
    for changed_tick, equal in ((tick, True), (tick - 1, False)):
        got = changed(trace, "spikes", changed_tick, neuron)
        check = compare(replace(trace, near=near), got, program, tolerance=1e-9)
        assert check.equal == equal and check.near_threshold == 1
        assert check.compared["ticks"] == (tick if equal else program.run_ticks)
    exact = compare(replace(trace, near=near), changed(trace, "spikes", tick, neuron), program)
    assert not exact.equal and exact.near_threshold == 0  # without a tolerance every spike counts
    assert combine([check, check]).near_threshold == 2
