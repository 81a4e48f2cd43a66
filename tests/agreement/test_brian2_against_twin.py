"""Does Brian2 make the same spikes and registers as the twin? Both were written from the contract, neither
from the other; where they differ, the contract decides.

Many programs run side by side in one Brian2 network, because Brian2 is slow to set up and fast to run.
"""

from dataclasses import replace

import numpy as np
import pytest
from agreement_cases import DEFAULT, EXTREME, SMALL, TICKED, case_of, outcome, profile_of, twin_outcome
from spikeloom.errors import EmulationError
from spikeloom.profile.catalog import load_profile
from spikeloom.reference.brian2.model import run_brian2, run_brian2_samples
from spikeloom.reference.compare import combine, compare
from spikeloom.reference.random_programs import random_program
from spikeloom.reference.random_values import CARRIED, Options
from spikeloom.reference.side_by_side import side_by_side
from spikeloom.reference.twin.executor import run_twin

PROGRAMS = 60  # of each profile
# What Brian2 can carry of these profiles.
PARTS = {
    "ideal": DEFAULT,  # reals on a grid: several delays change the order of sums
    "xylo_a2": replace(SMALL, aliases=CARRIED.aliases, least_threshold=CARRIED.least_threshold),
}
LONG_DELAYS = Options(delays=(0, 1, 62), params={"refractory": (1, 2, 63)}, ticks=90)


def agree(cases, twins=None):
    """The check of all programs against one Brian2 network that holds them side by side."""
    twins = twins or [run_twin(case.program, case.spikes) for case in cases]
    joined = side_by_side(cases)
    traces = joined.split(run_brian2(joined.program, joined.spikes))
    return combine(
        compare(twin, trace, case.program, number)
        for number, (case, twin, trace) in enumerate(zip(cases, twins, traces, strict=True))
    )


@pytest.mark.parametrize("name", TICKED)
def test_random_programs(name):
    if name in PARTS:
        check = agree([case_of(name, seed, PARTS[name]) for seed in range(PROGRAMS)])
    else:
        twins = {seed: twin_outcome(name, seed) for seed in range(PROGRAMS)}
        twins = {seed: twin for seed, twin in twins.items() if not isinstance(twin, EmulationError)}
        check = agree([case_of(name, seed) for seed in twins], list(twins.values()))
    assert check.equal, str(check.first_divergence)
    assert check.compared["samples"] >= PROGRAMS - 2
    assert check.compared["spikes"] > 500


@pytest.mark.parametrize("delay", [0, 3])
def test_reals_of_full_precision_with_one_delay_have_the_same_bits(delay):
    options = Options(exact=False, delays=(delay,))
    check = agree([case_of("ideal", seed, options) for seed in range(PROGRAMS)])
    assert check.equal, str(check.first_divergence)


@pytest.mark.parametrize("name", ["loihi1", "loihi1:brian"])
def test_delays_to_62_and_refractory_periods_of_1_2_and_63(name):
    drawn = [random_program(profile_of(name), seed, LONG_DELAYS) for seed in range(60)]
    # Side by side all run as long as the longest, and none may trap on the way.
    ends = [outcome(run_twin, case.program, case.spikes, ticks=LONG_DELAYS.ticks + 2) for case in drawn]
    cases = [case for case, end in zip(drawn, ends, strict=True) if not isinstance(end, EmulationError)]
    assert len(cases) >= 50
    for wanted in ("delay=0", "delay=1", "delay=62", "refractory=1", "refractory=2", "refractory=63"):
        assert sum(case.edges.get(wanted, 0) for case in cases) > 10, wanted
    check = agree(cases)
    assert check.equal, str(check.first_divergence)
    assert check.compared["spikes"] > 500


def every_register_free(name, **override):
    """The profile with first values of every register that the program may set."""
    profile = profile_of(name)
    free = {f"state.{register}.init": "free" for register in profile.state}
    return load_profile(profile, override={**free, **override})


@pytest.mark.parametrize(
    ("name", "override"),
    [
        ("loihi1", {"regs.v.overflow": "wrap", "operation.limit_voltage.min": -(2**31)}),
        ("loihi1:brian", {"regs.u.overflow": "wrap", "regs.v.overflow": "wrap", "regs.x.overflow": "wrap"}),
        ("subtract_reset", {}),
        ("two_thresholds", {}),
        ("multi_spike", {}),
    ],
)
def test_registers_at_their_extremes_where_32_bits_would_not_do(name, override):
    profile = every_register_free(name, **override)
    cases = [random_program(profile, seed, EXTREME) for seed in range(40)]
    check = agree(cases)
    assert check.equal, str(check.first_divergence)
    for register in profile.state:
        width = profile.regs[register]
        if width.count == 1:
            first = np.concatenate([case.program.arrays.init[register] for case in cases])
            half = 2 ** (width.bits - 1)
            extremes = (-half, half - 1) if width.signed else (0, 2 * half - 1)
            assert (first.min(), first.max()) == extremes, register


def test_the_decay_of_an_extreme_register_does_not_fit_32_bits():
    """What the test above would miss if its values were small: the same decay on int32 differs."""
    profile = every_register_free("loihi1")
    case = random_program(profile, 3, EXTREME)
    codes, first = case.program.arrays.params, case.program.arrays.init
    k = 4095 - codes["decay_u"].astype(np.int64)
    wide = first["u"].astype(np.int64) * k
    narrow = first["u"].astype(np.int32) * k.astype(np.int32)
    assert (np.abs(wide) >= 2**31).any()
    assert (wide != narrow).any()
    assert np.abs(wide).max() < 2**53


@pytest.mark.parametrize("register", ["q", "u", "x", "v", "ref"])
def test_a_trap_is_the_same_error(register):
    """Brian2 carries the value on, and reports the first one that left its width."""
    narrow = {"q": 18, "u": 19, "x": 18, "v": 20, "ref": 3}[register]
    profile = load_profile("loihi1:brian", override={f"regs.{register}.bits": narrow})
    trapped = 0
    for seed in range(8):
        case = random_program(profile, seed)
        expected = outcome(run_twin, case.program, case.spikes)
        if isinstance(expected, EmulationError):
            trapped += expected.subject.endswith(f"register {register}")
            got = outcome(run_brian2, case.program, case.spikes)
            assert str(got) == str(expected)
    assert trapped > 0


def test_samples_run_one_after_the_other_from_the_same_start():
    case = random_program(profile_of("multi_spike"), 5)
    rng = np.random.default_rng(0)
    samples = [case.spikes, rng.integers(0, 4, case.spikes.shape).astype(np.uint8), case.spikes]
    first, second, again = run_brian2_samples(case.program, np.stack(samples))
    assert compare(run_twin(case.program, samples[1]), second, case.program).equal
    assert compare(first, again, case.program).equal
    assert not compare(first, second, case.program).equal


@pytest.mark.parametrize("name", ["loihi1", "ideal"])
def test_a_bias_can_be_given_for_each_sample(name):
    case = random_program(profile_of(name), 4)
    population = case.program.populations[0]
    unit = 1.0 if name == "ideal" else 640
    biases = [{population.name: unit * k * np.arange(len(population.neurons))} for k in (1, 3)]
    traces = run_brian2_samples(case.program, np.stack([case.spikes] * 2), bias_overrides=biases)
    for bias, trace in zip(biases, traces, strict=True):
        twin = run_twin(case.program, case.spikes, bias_override=bias)
        assert compare(twin, trace, case.program).equal
    assert not compare(*traces, case.program).equal


def test_a_run_may_be_longer_or_shorter_than_its_input():
    case = random_program(profile_of("loihi1"), 2)
    for ticks in (1, 5, 70):
        twin = run_twin(case.program, case.spikes, ticks=ticks)
        assert twin.spikes.shape == (ticks, case.program.n_neurons)
        assert compare(twin, run_brian2(case.program, case.spikes, ticks=ticks), case.program).equal
