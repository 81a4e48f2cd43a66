"""Is every clock of the core equal to that of the clock-stepped model, which is written from the page?"""

from collections import Counter
from functools import cache

import numpy as np
import pytest
from spikeloom.emulation.chip import Chip
from spikeloom.emulation.emulate import emulate
from spikeloom.profile.catalog import load_profile
from spikeloom.reference.clocks.open_core import ClockTwin
from spikeloom.reference.random_programs import random_program
from spikeloom.reference.random_values import Options

SIZES = {"limits.neurons_per_core": 16, "limits.in_axons_per_core": 64, "limits.cores": 6, "noc.width": 3,
         "noc.height": 2}  # fmt: skip
SEVERAL = {"op": "multi_fire", "reg": "v", "thr": "vth", "max": 5}
KINDS = {
    "shallow": {"noc.buffer": 2, "cycles.output_fifo": 2, "cycles.receive_fifo": 2, "cycles.lanes": 2},
    "uneven": {"noc.buffer": 3, "cycles.output_fifo": 5, "cycles.receive_fifo": 2, "cycles.lanes": 4},
    "deep": {"noc.buffer": 16, "cycles.output_fifo": 16, "cycles.receive_fifo": 16, "cycles.lanes": 8},
    "several": {"operation.fire": SEVERAL, "noc.buffer": 2, "cycles.output_fifo": 3, "cycles.lanes": 1},
    "or": {"delivery.merge": "or", "delivery.spikes_max": {}, "noc.buffer": 2, "cycles.receive_fifo": 2},
}
MUST_WAIT = {
    "shallow": ("output_full", "send_blocked", "link_blocked", "outvoted"),
    "several": ("several_spikes",),
}
SEEDS = range(8)


@cache
def case_of(kind, seed):
    profile = load_profile("open_core", override=SIZES | KINDS[kind])
    return random_program(profile, seed, Options(cores=6, neurons=16, ticks=8))


def lines_of(case):
    """The input lines of every tick of the run."""
    rest = np.zeros((case.program.run_ticks - len(case.spikes), case.program.n_inputs), np.uint8)
    return np.concatenate([case.spikes, rest])


def plain(state):
    """One clock of the core, as the model shows it."""
    names = list(state.registers)
    words = tuple({name: int(state.registers[name][k]) for name in names} for k in range(len(state.phase)))
    fifos = (tuple(state.queues[name].tolist()) for name in ("output_fifo", "receive_fifo"))
    routers = tuple(tuple(row) for row in state.queues["router"].tolist())
    return (state.tick, state.clock, state.go, state.phase, tuple(state.neuron.tolist()), words, state.spikes,
            *fifos, routers, state.transfers)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_observed_value_of_every_clock_is_equal(kind):
    waited, clocks = Counter(), 0
    for seed in SEEDS:
        case = case_of(kind, seed)
        chip, twin = Chip(case.program, timing="cycle"), ClockTwin(case.program)
        for tick, lines in enumerate(lines_of(case)):
            given = lines[None]
            for expected in twin.run_tick(tick, lines):
                state = chip.clock(given)
                assert plain(state) == tuple(vars(expected).values()), f"seed {seed}"
                given, clocks = None, clocks + 1
            assert_memories_are_equal(chip, twin)
        for name, counts in chip.cycles.stalls.items():
            waited[name] += int(counts[0])
        assert_counters_are_equal(chip.cycles, twin)
    assert clocks > 5000
    assert set(MUST_WAIT.get(kind, ())) <= {name for name, n in waited.items() if n > 0}


def assert_memories_are_equal(chip, twin):
    """After a tick: STATE and ACC of every neuron, and SCHED."""
    schedule = np.array(chip._chip.schedule()).reshape(chip._program.profile.cycles.slots, -1)
    expected = np.concatenate([np.array(core.schedule) for core in twin.cores.values()], axis=1)
    assert (schedule == expected).all()
    neurons = [neuron for core in twin.cores.values() for neuron in core.memories.neurons]
    for element in chip._program.profile.element_names():
        assert chip._element(element)[0].tolist() == [neuron.registers[element] for neuron in neurons]


def assert_counters_are_equal(cycles, twin):
    cores = twin.cores.values()
    assert cycles.counters["synaptic_words"][0] == sum(core.words for core in cores)
    assert cycles.counters["packets"][0] == sum(core.packets for core in cores)
    for cause in ("several_spikes", "output_full", "send_blocked"):
        assert cycles.stalls[cause][0] == sum(core.holds[cause] for core in cores)
    assert cycles.high_water["output_fifo"][0].tolist() == [core.output.most for core in cores]
    assert cycles.high_water["receive_fifo"][0].tolist() == [core.received.most for core in cores]
    routers = [queue.most for router in twin.routers.values() for queue in router.inputs.values()]
    assert cycles.high_water["router"][0].tolist() == routers


@pytest.mark.parametrize("kind", KINDS)
def test_skipping_what_is_calm_changes_no_value(kind):
    rng = np.random.default_rng(7)
    for seed in SEEDS:
        case = case_of(kind, seed)
        stepped, skipped = Chip(case.program, timing="cycle"), Chip(case.program, timing="cycle")
        for lines in lines_of(case):
            states = [stepped.clock(lines[None])]
            while not states[-1].go:
                states.append(stepped.clock())
            at = -1
            while at < len(states) - 1:
                leap = int(rng.integers(1, 40))
                landed = skipped.clock(lines[None] if at < 0 else None, clocks=leap)
                at = min(at + leap, len(states) - 1)
                assert plain(landed) == plain(states[at])
        whole = emulate(case.program, case.spikes[None], timing="cycle").cycles.arrays()
        for name, values in stepped.cycles.arrays().items():
            assert values.tolist() == skipped.cycles.arrays()[name].tolist() == whole[name].tolist(), name


@pytest.mark.parametrize("kind", KINDS)
def test_timing_changes_no_spike_and_no_register(kind):
    spikes = 0
    for seed in SEEDS:
        case = case_of(kind, seed)
        names = [f"{placed.name}.{what}" for placed in case.program.populations for what in ("spikes", "v")]
        runs = [emulate(case.program, case.spikes[None], record=names, timing=t) for t in ("none", "cycle")]
        for name in (placed.name for placed in case.program.populations):
            assert runs[0].spikes[name].tolist() == runs[1].spikes[name].tolist()
            assert (runs[0].registers[f"{name}.v"] == runs[1].registers[f"{name}.v"]).all()
        spikes += int(runs[0].events["spikes"].sum())
    assert spikes > 300
