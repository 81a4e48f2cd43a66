"""Does the core count the clocks of ODIN and tinyODIN as the twin does, clock after clock? And does it do without
clocks what it does with them, where the contract says so?"""

from functools import cache

import numpy as np
import pytest
from agreement_cases import OWN, core_trace
from mutants_of_clocks import CLOCK_MUTANTS
from spikeloom.emulation.emulate import emulate
from spikeloom.profile.catalog import load_profile
from spikeloom.reference.clocks.serial_event import run_serial_event
from spikeloom.reference.compare import compare
from spikeloom.reference.random_programs import random_program
from spikeloom.reference.random_values import Options

CHIPS = ("small_tinyodin", "small_odin")
PARTNERS = (
    (0, 0, 0, 0),
    (1, 1, 0, 0),
    (3, 0, 2, 9),
    (0, 2, 5, 40),
)  # req_fall, ack_rise, ack_fall, input_gap
CLOCKS = (31, 64, 150)
FAST = Options(counts=2, ticks=9, neurons=5)
PROGRAMS = 200


@cache
def profile_of(name, partner, clocks):
    keys = ("req_fall", "ack_rise", "ack_fall", "input_gap")
    aer = {f"cycles.aer.{key}": value for key, value in zip(keys, partner, strict=True)}
    # 256 neurons would be 512 clocks an event; what is visited does not change what is decided.
    return load_profile(
        OWN / f"{name}.toml", override={"event.visits": "used", "cycles.tick_clocks": clocks, **aer}
    )


@cache
def case_of(name, seed):
    profile = profile_of(name, PARTNERS[seed % len(PARTNERS)], CLOCKS[seed // len(PARTNERS) % len(CLOCKS)])
    return random_program(profile, seed, FAST)


@cache
def twin_of(name, seed):
    case = case_of(name, seed)
    return run_serial_event(case.program, case.spikes)


def emulated(case):
    return emulate(case.program, case.spikes[None], timing="cycle")


@pytest.mark.parametrize("name", CHIPS)
def test_every_register_spike_and_clock_is_that_of_the_twin(name):
    dropped = late = output = 0
    for seed in range(PROGRAMS):
        case, twin = case_of(name, seed), twin_of(name, seed)
        got = core_trace(case.program, case.spikes, timing="cycle")
        check = compare(twin.trace, got, case.program, seed)
        assert check.equal, f"seed is the sample: {check.first_divergence}"
        assert got.rules == twin.trace.rules, f"seed {seed}"
        cycles = emulated(case).cycles
        for state, clocks in cycles.phases.items():
            assert clocks[0].tolist() == [tick[state] for tick in twin.phases], f"seed {seed}, {state}"
        counted = {key: int(n[0]) for key, n in (cycles.counters | cycles.stalls).items()}
        assert counted == {key: twin.counters[key] for key in counted}, f"seed {seed}"
        dropped += "fifo.drop" in twin.trace.rules
        late += twin.counters["late"] > 0
        output += twin.counters["output"] > 0
    assert min(dropped, late, output) > 10


@pytest.mark.parametrize("name", CHIPS)
def test_with_clocks_and_without_are_the_same_where_nothing_was_dropped_nor_late(name):
    same = 0
    for seed in range(PROGRAMS):
        slow = profile_of(name, (0, 1, 0, 400), 2500)
        case = random_program(slow, seed, FAST)
        run = emulated(case)
        if run.rules["fifo.drop"][0] or run.cycles.counters["late"][0]:
            continue
        if run.cycles.missed[0]:  # the last tick may end within an event
            continue
        same += bool(run.events["spikes"][0])
        timed = core_trace(case.program, case.spikes, timing="cycle")
        untimed = core_trace(case.program, case.spikes)
        assert compare(untimed, timed, case.program, seed).equal, f"seed {seed}"
        assert untimed.rules == timed.rules
    assert same > 20


@pytest.mark.parametrize("mutant", CLOCK_MUTANTS)
def test_a_mutant_of_the_clocks_is_killed(mutant, monkeypatch):
    for seed in range(PROGRAMS):
        for name in CHIPS:
            case, right = case_of(name, seed), twin_of(name, seed)
            with monkeypatch.context() as context:
                CLOCK_MUTANTS[mutant](context.setattr)
                wrong = mutant_outcome(case)
            if wrong is None or not alike(right, wrong):
                return
    pytest.fail(f"{mutant} survived")


def mutant_outcome(case):
    """What a mutant makes of a program; nothing where it crashes."""
    try:
        return run_serial_event(case.program, case.spikes)
    except (LookupError, AssertionError):
        return None


def alike(one, other):
    registers = zip(one.trace.registers.values(), other.trace.registers.values(), strict=True)
    return (
        one.phases == other.phases
        and one.counters == other.counters
        and np.array_equal(one.trace.spikes, other.trace.spikes)
        and all(np.array_equal(a, b) for a, b in registers)
    )
