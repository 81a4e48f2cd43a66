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

SIZES = {"limits.neurons_per_core": 6, "limits.in_axons_per_core": 20, "noc.width": 10, "noc.height": 1,
         "noc.buffer": 2}  # fmt: skip
BUSY = 6 * (20 + 2) + 2
PERIODS = {"ample": BUSY + 60, "just": BUSY + 1, "short": BUSY - 40}
SEEDS = (1, 7, 13, 26, 34, 57)  # of nets whose packets come late and get lost, too


def case_of(period, seed):
    profile = load_profile("ranc", override=SIZES | {"cycles.tick_clocks": PERIODS[period]})
    case = random_program(profile, seed, Options(cores=10, neurons=6, ticks=8))
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


def recorded(case, timing="cycle"):
    """The recording, and in rows by tick which neurons fire and what their membranes are."""
    names = [f"{placed.name}.{what}" for placed in case.program.populations for what in ("spikes", "v")]
    recording = emulate(case.program, case.spikes[None], record=names, timing=timing)
    fired = [[] for _ in range(case.program.run_ticks)]
    membranes = np.zeros((case.program.run_ticks, case.program.n_neurons), dtype=int)
    for placed in case.program.populations:
        for _, tick, neuron in recording.spikes[placed.name]:
            fired[tick].append(int(placed.neurons[neuron]))
        membranes[:, placed.neurons] = recording.registers[f"{placed.name}.v"][0]
    return recording, [sorted(row) for row in fired], membranes.tolist()


def plain(state):
    routers = tuple(tuple(row) for row in state.queues["router"].tolist())
    return state.phase, routers, state.transfers


@pytest.mark.parametrize("period", PERIODS)
def test_every_clock_and_register_is_equal_and_late_and_lost_are_counted(period):
    seen = Counter()
    for seed in SEEDS:
        case = case_of(period, seed)
        if np.diff(case.program.arrays.core_axon_start).max() > SIZES["limits.in_axons_per_core"]:
            continue
        stepped, skipped = Chip(case.program, timing="cycle"), Chip(case.program, timing="cycle")
        twin = TokenTwin(case.program)
        _, fired, membranes = recorded(case)
        for tick in range(case.program.run_ticks):
            lines = case.spikes[tick][None] if tick < len(case.spikes) else None
            for clock, expected in enumerate(twin.run_tick(tick, [] if lines is None else lines[0].tolist())):
                assert plain(stepped.clock(lines if clock == 0 else None)) == expected, f"seed {seed}"
            assert fired[tick] == twin.fired(), f"seed {seed}, tick {tick}"
            assert membranes[tick] == [neuron.registers["v"] for neuron in twin.chip.neurons]
            skipped.tick(lines)
        counted = {name: int(n[0]) for name, n in stepped.cycles.counters.items()}
        assert {name: counted[name] for name in ("late", "lost", "lost_ticks", "hops")} == {
            "late": twin.late, "lost": twin.lost, "lost_ticks": twin.lost_ticks, "hops": twin.hops,
        }  # fmt: skip
        assert stepped.cycles.stalls["local_full"][0] == sum(core.waited for core in twin.cores.values())
        for name, values in stepped.cycles.arrays().items():
            assert values.tolist() == skipped.cycles.arrays()[name].tolist(), name
        seen.update(counted | {"cases": 1})
    assert seen["cases"] == len(SEEDS) and seen["packets"] > 20
    assert (seen["lost_ticks"] > 0) == (period == "short")
    assert (seen["late"] > 0) == (period != "ample") and seen["lost"] > 0


@pytest.mark.parametrize("period", ["ample", "just"])
def test_timing_changes_spikes_only_where_packets_are_late_or_lost(period):
    changed = unhurried = 0
    for seed in SEEDS:
        case = case_of(period, seed)
        if np.diff(case.program.arrays.core_axon_start).max() > SIZES["limits.in_axons_per_core"]:
            continue
        _, spikes, membranes = recorded(case, "none")
        clocked, hurried_spikes, hurried_membranes = recorded(case)
        late = sum(int(clocked.cycles.counters[name].sum()) for name in ("late", "lost", "lost_ticks"))
        if late == 0:
            assert (spikes, membranes) == (hurried_spikes, hurried_membranes)
        assert (clocked.notes == ()) == (late == 0)
        unhurried += late == 0
        changed += membranes != hurried_membranes
    assert changed > 1 if period == "just" else unhurried > 3
