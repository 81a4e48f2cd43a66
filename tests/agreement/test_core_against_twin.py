"""Does the C++ core do exactly what the contract says? The twin is trusted: it is plain Python, and this
suite kills every mutant of it.

A thousand random programs of every profile: every spike, every register at every tick, and how often every
overflow rule acted.
"""

import numpy as np
import pytest
from agreement_cases import PROFILES, case_of, core_trace, outcome, profile_of, twin_outcome
from spikeloom.emulation.chip import Chip
from spikeloom.errors import EmulationError
from spikeloom.profile.catalog import load_profile
from spikeloom.reference.compare import combine, compare
from spikeloom.reference.random_programs import random_program
from spikeloom.reference.twin.executor import run_twin

CHUNKS, PROGRAMS = 10, 100  # chunks spread over processes


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("name", PROFILES)
def test_random_programs(name, chunk):
    checks = []
    for seed in range(chunk * PROGRAMS, (chunk + 1) * PROGRAMS):
        case, twin = case_of(name, seed), outcome_of(name, seed)
        core = outcome(core_trace, case.program, case.spikes)
        if isinstance(twin, EmulationError):
            assert same_trap(twin, core), f"seed {seed}: {core} instead of {twin}"
            continue
        assert not isinstance(core, EmulationError), f"seed {seed}: {core}"
        checks.append(compare(twin, core, case.program, seed))
        assert core.rules == twin.rules, f"seed {seed}"
    check = combine(checks)
    assert check.equal, f"seed is the sample: {check.first_divergence}"
    assert check.compared["samples"] > 0.9 * PROGRAMS
    assert check.compared["spikes"] > 1000


def outcome_of(name, seed):
    """The twin's outcome; kept only where other tests of the suite ask for it, too."""
    if seed < PROGRAMS:
        return twin_outcome(name, seed)
    case = case_of(name, seed)
    return outcome(run_twin, case.program, case.spikes)


def same_trap(expected, got):
    """Whether two errors name the same tick, core, neuron, register and value."""
    return isinstance(got, EmulationError) and (got.subject, got.value) == (expected.subject, expected.value)


@pytest.mark.parametrize("register", ["q", "u", "x", "v", "ref"])
def test_a_trap_names_tick_core_neuron_register_and_value(register):
    narrow = {"q": 18, "u": 19, "x": 18, "v": 20, "ref": 3}[register]
    profile = load_profile("loihi1:brian", override={f"regs.{register}.bits": narrow})
    trapped = 0
    for seed in range(40):
        case = random_program(profile, seed)
        twin = outcome(run_twin, case.program, case.spikes)
        core = outcome(core_trace, case.program, case.spikes)
        if isinstance(twin, EmulationError):
            trapped += twin.subject.endswith(f"register {register}")
            assert same_trap(twin, core), f"seed {seed}: {core} instead of {twin}"
        else:
            assert compare(twin, core, case.program, seed).equal
    assert trapped >= 5


@pytest.mark.parametrize("name", PROFILES)
def test_a_chip_clocked_by_a_script_does_the_same(name):
    for seed in range(8):
        case, twin = case_of(name, seed), twin_outcome(name, seed)
        chip, port = Chip(case.program, samples=2), case.program.outputs[0]
        for tick in range(case.program.run_ticks):
            lines = (
                case.spikes[tick] if tick < len(case.spikes) else np.zeros(case.program.n_inputs, np.uint8)
            )
            fired = chip.tick(np.stack([lines, lines]))
            assert (fired == twin.spikes[tick, port.neurons]).all()
            for placed in case.program.populations:
                for register, values in chip.registers(placed.name).items():
                    assert (values == twin.registers[register][tick, placed.neurons]).all()


def test_the_profiles_are_what_their_names_say():
    assert {name: profile_of(name).name for name in PROFILES} == {name: name for name in PROFILES}
