"""Does the Brian2 model refuse, by name, what it cannot carry exactly? And leave Brian2 as it was?"""

from dataclasses import replace

import numpy as np
import pytest
from agreement_cases import case_of
from spikeloom.errors import EmulationError
from spikeloom.profile.catalog import load_profile
from spikeloom.profile.operations import OPERATIONS
from spikeloom.reference.brian2 import operations as brian2_operations
from spikeloom.reference.brian2.exact import Exact, Inexact, constant
from spikeloom.reference.brian2.model import run_brian2
from spikeloom.reference.random_programs import random_program
from spikeloom.reference.random_values import CARRIED
from spikeloom.reference.twin import operations as twin_operations


def test_every_operation_has_a_function_in_both_references():
    names = {operation.model_fields["op"].annotation.__args__[0] for operation in OPERATIONS}
    assert names == set(twin_operations.OPERATIONS)
    assert names == set(brian2_operations.OPERATIONS)


def test_a_product_past_2_to_the_53_is_refused():
    profile = load_profile("loihi1", override={"operation.decay_voltage.shift": 24})
    case = random_program(profile, 0)
    with pytest.raises(EmulationError, match="operation decay_voltage: .*float64; got .*limit 900719925"):
        run_brian2(case.program, case.spikes)


def test_expressions_know_their_range():
    a, b = Exact("a", (-3, 5)), Exact("b", (2, 7))
    assert (a + b).range == (-1, 12)
    assert (a - b).range == (-10, 3)
    assert (a * b).range == (-21, 35)
    assert (-a).range == (-5, 3)
    with pytest.raises(Inexact):
        constant(2**52) + constant(2**52)


def test_a_threshold_below_one_with_several_spikes_a_tick_is_refused():
    case = case_of("multi_spike", 0)
    params = {**case.program.arrays.params, "vth": np.zeros_like(case.program.arrays.params["vth"])}
    program = replace(case.program, arrays=replace(case.program.arrays, params=params))
    with pytest.raises(EmulationError, match="operation fire: multi_fire, threshold below 1"):
        run_brian2(program, case.spikes)


def test_aliases_are_refused_where_a_neuron_has_one():
    carried = random_program(load_profile("xylo_a2"), 0, CARRIED)
    run_brian2(carried.program, carried.spikes)
    aliased = replace(CARRIED, aliases=1.0)
    case = random_program(load_profile("xylo_a2"), 0, aliased)
    with pytest.raises(EmulationError, match="operation share: alias: a neuron's turn waits for another"):
        run_brian2(case.program, case.spikes)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ({"regs.i.overflow": "trap"}, r"delivery into i\[0\]: each addition, rule trap"),
        ({"time.spike_latency_ticks": 2}, "time.spike_latency_ticks: each addition, latency above 1"),
    ],
)
def test_additions_one_by_one_are_refused_where_order_or_count_is_lost(override, said):
    case = random_program(load_profile("xylo_a2", override=override), 0, CARRIED)
    with pytest.raises(EmulationError, match=said):
        run_brian2(case.program, case.spikes)


def test_an_axon_of_both_groups_is_refused():
    cases = (case_of("loihi1", seed) for seed in range(20))
    case = next(case for case in cases if len(case.program.arrays.neuron_fan_axon))
    arrays = case.program.arrays
    start, axons = arrays.input_fan_start.copy(), arrays.neuron_fan_axon[:1]
    start[1:] = 1
    arrays = replace(arrays, input_fan_start=start, input_fan_axon=axons)
    with pytest.raises(EmulationError, match="axon driven by input lines and neurons"):
        run_brian2(replace(case.program, arrays=arrays), case.spikes)


def test_brian2_is_left_as_it_was():
    from brian2 import defaultclock, prefs

    before = (prefs["codegen.target"], prefs["codegen.loop_invariant_optimisations"], defaultclock.dt)
    case = case_of("loihi1", 1)
    run_brian2(case.program, case.spikes)
    wide = random_program(load_profile("loihi1", override={"operation.decay_voltage.shift": 24}), 0)
    with pytest.raises(EmulationError):
        run_brian2(wide.program, wide.spikes)
    assert (prefs["codegen.target"], prefs["codegen.loop_invariant_optimisations"], defaultclock.dt) == before
