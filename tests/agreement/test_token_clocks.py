"""Does the controller of RANC go through its states, and its packets through the mesh, as the model says?"""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from spikeloom.emulation.chip import Chip
from spikeloom.emulation.emulate import emulate
from spikeloom.profile.catalog import load_profile
from spikeloom.reference.clocks.token import TokenTwin
from spikeloom.reference.random_programs import random_program
from spikeloom.reference.random_values import Options

SIZES = {"limits.neurons_per_core": 6, "limits.in_axons_per_core": 20, "noc.width": 3, "noc.height": 2,
         "noc.buffer": 2}  # fmt: skip
BUSY = 6 * (20 + 2) + 2
PERIODS = {"ample": BUSY + 60, "just": BUSY + 1, "short": BUSY - 40}
SEEDS = range(10)


def case_of(period, seed):
    profile = load_profile("ranc", override=SIZES | {"cycles.tick_clocks": PERIODS[period]})
    case = random_program(profile, seed, Options(cores=6, neurons=6, ticks=10))
    return replace(case, program=with_one_destination(case.program))


def with_one_destination(program):
    """The first axon of every neuron, as a packet has but one."""
    starts, axons = program.arrays.neuron_fan_start, program.arrays.neuron_fan_axon
    kept = np.minimum(np.diff(starts), 1)
    fans = {
        "neuron_fan_start": np.concatenate([[0], np.cumsum(kept)]).astype(np.int32),
        "neuron_fan_axon": axons[starts[:-1][kept > 0]],
    }
    return replace(program, arrays=replace(program.arrays, **fans))


def fired_of(case):
    """Neurons that fire in each tick."""
    names = [f"{placed.name}.spikes" for placed in case.program.populations]
    spikes = emulate(case.program, case.spikes[None], record=names).spikes
    fired = [[] for _ in range(case.program.run_ticks)]
    for placed in case.program.populations:
        for _, tick, neuron in spikes[placed.name]:
            fired[tick].append(int(placed.neurons[neuron]))
    return fired


def plain(state):
    routers = tuple(tuple(row) for row in state.queues["router"].tolist())
    return state.phase, routers, state.transfers


@pytest.mark.parametrize("period", PERIODS)
def test_every_clock_is_equal_and_late_and_lost_are_counted(period):
    seen = Counter()
    for seed in SEEDS:
        case = case_of(period, seed)
        if np.diff(case.program.arrays.core_axon_start).max() > SIZES["limits.in_axons_per_core"]:
            continue
        stepped, skipped = Chip(case.program, timing="cycle"), Chip(case.program, timing="cycle")
        twin = TokenTwin(case.program)
        for tick, fired in enumerate(fired_of(case)):
            lines = case.spikes[tick][None] if tick < len(case.spikes) else None
            for clock, expected in enumerate(twin.run_tick(tick, fired)):
                assert plain(stepped.clock(lines if clock == 0 else None)) == expected, f"seed {seed}"
            skipped.tick(lines)
        counted = {name: int(n[0]) for name, n in stepped.cycles.counters.items()}
        assert {name: counted[name] for name in ("late", "lost", "lost_ticks", "hops")} == {
            "late": twin.late, "lost": twin.lost, "lost_ticks": twin.lost_ticks, "hops": twin.hops,
        }  # fmt: skip
        assert stepped.cycles.stalls["local_full"][0] == sum(core.waited for core in twin.cores.values())
        for name, values in stepped.cycles.arrays().items():
            assert values.tolist() == skipped.cycles.arrays()[name].tolist(), name
        seen.update(counted | {"cases": 1})
    assert seen["cases"] > 5 and seen["packets"] > 20
    assert (seen["lost_ticks"] > 0) == (period == "short")
    assert (seen["late"] > 0) == (period == "just")


def test_timing_changes_no_spike_where_nothing_is_late_or_lost():
    for seed in SEEDS:
        case = case_of("ample", seed)
        names = [f"{placed.name}.spikes" for placed in case.program.populations]
        if np.diff(case.program.arrays.core_axon_start).max() > SIZES["limits.in_axons_per_core"]:
            continue
        plainly = emulate(case.program, case.spikes[None], record=names)
        clocked = emulate(case.program, case.spikes[None], record=names, timing="cycle")
        assert not any(clocked.cycles.counters[name].any() for name in ("late", "lost", "lost_ticks"))
        assert clocked.notes == ()
        for name, rows in plainly.spikes.items():
            assert rows.tolist() == clocked.spikes[name].tolist()
