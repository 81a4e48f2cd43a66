"""How near do the steps of nonlinear neurons come to their equations? Step by step as Brian2 takes the same steps, up
to the first spike; and half a step halves the distance from Brian2's fourth-order solution."""

import numpy as np
import pytest
from agreement_cases import profile_of
from brian2_neurons import Adaptive, Pair, brian2_states
from free_neurons import NEURONS, second_order
from spikeloom.emulation.emulate import emulate
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.profile.catalog import load_profile
from spikeloom.reference.brian2.model import run_brian2
from spikeloom.reference.brian2.setup import plain_numpy
from tolerances import EXACT_INTEGRATION, NEAR_THRESHOLD, ONE_STEP

MODELS = {
    "adaptive_exponential": (Adaptive(), "exponential_euler"),
    "dynap_se2:euler": (Pair("dynap_se2:euler"), "euler"),
}
SECOND_ORDER = {
    "adaptive_second_order": (lambda: Adaptive(second_order(), most=9.0, ground="rest"), 8),
    "dynap_se2": (Pair, 20),
}


@pytest.mark.parametrize("name", MODELS)
def test_up_to_the_first_spike_every_step_is_brian2s(name):
    """Free running from the state after the first step."""
    model, method = MODELS[name]
    free, ticks = model.free, 150
    recording = free.run(free.dt_s, ticks)
    start = {register: recording.registers[f"free.{register}"][0, 0] for register in model.names}
    mine = recording.registers[f"free.{model.membrane}"][0, 1:]
    theirs = brian2_states(model, method, free.dt_s, start, len(mine))
    threshold = free.params.get("threshold", 1e-7)
    rows, spiking, skipped = recording.spikes["free"], 0, 0
    for neuron in range(NEURONS):
        steps = np.flatnonzero(theirs[:, neuron] > threshold)
        first = steps[0] if steps.size else len(theirs)
        before = theirs[: first + 1, neuron]
        if (np.abs(before / threshold - 1) < NEAR_THRESHOLD).any():
            skipped += 1
            continue
        fired = rows[rows[:, 2] == neuron, 1] - 1
        assert fired.min(initial=len(theirs)) == first
        error = np.abs(mine[:first, neuron] - theirs[:first, neuron])
        assert error.max() < EXACT_INTEGRATION * np.abs(before).max()
        spiking += steps.size > 0
    assert spiking > 10 and skipped == 0


@pytest.mark.parametrize(("name", "ticks"), [("adaptive_exponential", 8), ("dynap_se2:euler", 20)])
def test_brian2s_rk4_is_approached_at_first_order(name, ticks):
    ratios, errors = convergence(MODELS[name][0], ticks)
    assert ((ratios > 1.8) & (ratios < 2.2)).all()
    assert errors[0].max() > 1e-4


@pytest.mark.parametrize("name", SECOND_ORDER)
def test_a_list_of_second_order_approaches_it_at_second_order(name):
    model, ticks = SECOND_ORDER[name]
    ratios, errors = convergence(model(), ticks)
    assert ((ratios > 3.6) & (ratios < 4.4)).all()
    assert errors[0].max() > 1e-7


def convergence(model, ticks):
    """Median of how much half the step improves, (3,), and the errors (4, neurons) against rk4 at dt / 16."""
    free = model.free
    parts = round(free.tick_s / free.dt_s)
    start = {model.membrane: np.full(NEURONS, 5e-13) if free.start is None else free.start}
    exact = brian2_states(model, "rk4", free.dt_s / 16, start, 16 * parts * ticks, every=16 * parts)
    quiet = exact.max(axis=0) < 0.5 * free.params.get("threshold", 1e-7)  # none near its upstroke
    assert quiet.sum() > 10
    errors = []
    for finer in (1, 2, 4, 8):
        ends = free.states(free.dt_s / finer, ticks)[finer * parts - 1 :: finer * parts]
        errors.append((np.abs(ends - exact) / np.abs(exact).max(axis=0)).max(axis=0)[quiet])
    return np.array([np.median(a / b) for a, b in zip(errors, errors[1:], strict=False)]), np.array(errors)


RANGES = {"imem": (5e-13, 9e-8), "iexc": (5e-13, 1e-9), "iinh": (5e-13, 1e-9), "iahp": (5e-13, 1e-10)}


@pytest.mark.parametrize("name", ["dynap_se2:euler", "dynap_se2"])
def test_one_step_of_the_differential_pair_is_brian2s_from_a_hundred_thousand_states(name):
    """The makers' step as Brian2's own Euler takes it, the other as Brian2 carries the lines of the contract."""
    rng, neurons = np.random.default_rng(4), 100_000
    states = {register: np.exp(rng.uniform(*np.log(ends), neurons)) for register, ends in RANGES.items()}
    idc = np.exp(rng.uniform(*np.log((5e-13, 1e-8)), neurons))
    program = pairs_from(name, states, idc)
    record = [f"free.{register}" for register in ("spikes", *RANGES)]
    run = emulate(program, np.zeros((1, 0)), record=record, effects=())
    if name == "dynap_se2:euler":
        theirs = one_step(Pair(name), program.profile.time.dt_s, states, idc)
    else:
        trace = run_brian2(program, np.zeros((1, 0), np.uint8))
        theirs = {register: trace.registers[register][0] for register in RANGES}
        assert (np.flatnonzero(trace.spikes[0]) == np.sort(run.spikes["free"][:, 2])).all()
    silent = np.setdiff1d(np.arange(neurons), run.spikes["free"][:, 2])
    assert silent.size > 0.5 * neurons
    for register in RANGES:
        # A membrane's step is a difference of terms, none of which is larger than the largest state.
        scale = np.maximum(np.abs(theirs[register]), states["imem"] if register == "imem" else 0.0)
        error = np.abs(run.registers[f"free.{register}"][0, 0] - theirs[register]) / scale
        assert error[silent].max() < ONE_STEP


def test_one_step_of_the_adaptive_exponential_is_brian2s_from_a_hundred_thousand_states():
    """Also of neurons that have just fired, or rest, and make up for the time since they crossed the threshold."""
    rng, neurons = np.random.default_rng(5), 100_000
    states = {
        "v": rng.uniform(-1.0, 0.9, neurons), "w": rng.uniform(0.0, 0.5, neurons),
        "g_exc": rng.uniform(0.0, 3.0, neurons), "g_inh": rng.uniform(0.0, 3.0, neurons),
        "fired": rng.integers(0, 2, neurons) * 1.0, "held": rng.integers(0, 2, neurons) * 1.0,
        "late": rng.uniform(0.0, 1.0, neurons),
    }  # fmt: skip
    free = {register: {"init": "free", "between_samples": "load"} for register in states}
    profile = profile_of("adaptive_second_order")
    single = {"state": free, "time.tick_s": profile.time.dt_s}
    network = SpikingNetwork(load_profile(profile, override=single))
    params = {name: np.resize(values, neurons) for name, values in second_order().params.items()}
    network.output(network.population("free", neurons, init=states, **params))
    program = place(network, ticks=1)
    run = emulate(program, np.zeros((1, 0)), record=[f"free.{name}" for name in ("spikes", *states)])
    trace = run_brian2(program, np.zeros((1, 0), np.uint8))
    assert (np.flatnonzero(trace.spikes[0]) == np.sort(run.spikes["free"][:, 2])).all()
    silent = np.setdiff1d(np.arange(neurons), run.spikes["free"][:, 2])
    assert 0.5 * neurons < silent.size < neurons - 1000
    for register in states:
        error = np.abs(run.registers[f"free.{register}"][0, 0] - trace.registers[register][0])
        assert error[silent].max() < ONE_STEP * max(np.abs(trace.registers[register]).max(), 1.0)


def pairs_from(name, states, idc):
    """A program of one tick from these states."""
    free = {register: {"init": "free", "between_samples": "load"} for register in states}
    ideal = {"state": free, "limits.neurons_per_core": None, "imperfection": []}
    profile = load_profile(name, override=ideal)
    network = SpikingNetwork(profile)
    network.output(network.population("free", idc.size, init=states, idc_a=idc, t_pulse_s=1e-6))
    return place(network, ticks=1)


def one_step(model, dt_s, states, idc):
    """The states after one step of Brian2's."""
    with plain_numpy():
        from brian2 import Clock, Network, second

        clock = Clock(dt=dt_s * second)
        group = model.group("euler", clock, idc)
        for name, values in states.items():
            setattr(group, name, values)
        Network(group).run(clock.dt, namespace={})
        return {name: np.array(getattr(group, name)) for name in states}
