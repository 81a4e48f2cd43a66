"""Do core, twin and Brian2 agree on neurons of real numbers? Core and twin in every bit, Brian2 as near as its
own exponential allows."""

import numpy as np
import pytest
from agreement_cases import REAL, SHORT, case_of, core_trace, profile_of, twin_outcome
from spikeloom.emulation.emulate import emulate
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.profile.catalog import load_profile
from spikeloom.reference.brian2.model import run_brian2
from spikeloom.reference.brian2.setup import plain_numpy
from spikeloom.reference.compare import combine, compare
from spikeloom.reference.random_programs import random_program
from spikeloom.reference.side_by_side import side_by_side
from spikeloom.reference.twin.executor import run_twin
from tolerances import EXACT_INTEGRATION, NEAR_THRESHOLD, ONE_STEP

PROGRAMS = 80  # of each profile, on core and twin
IN_BRIAN2 = 15
# What Brian2 does not carry: noise, a converter's nonlinearity; and a line's step depends on all lines there are.
PLAIN = {
    "leaky_exact": {"time.input_phase": "first"},
    "adaptive_exponential": {
        "operation.convert.inl": [],
        "operation.noise": {"op": "clear", "reg": "fresh", "flag": 0},
    },
    "adaptive_second_order": {},
    "leaky_step": {},
}


@pytest.mark.parametrize("name", REAL)
def test_core_and_twin_agree_in_every_bit(name):
    checks = []
    for seed in range(PROGRAMS):
        case = case_of(name, seed)
        checks.append(
            compare(twin_outcome(name, seed), core_trace(case.program, case.spikes), case.program, seed)
        )
    check = combine(checks)
    assert check.equal, f"seed is the sample: {check.first_divergence}"
    assert check.compared["spikes"] > 300


@pytest.mark.parametrize("name", REAL)
def test_brian2_agrees(name):
    profile = load_profile(profile_of(name), override=PLAIN[name])
    cases = [random_program(profile, seed, SHORT) for seed in range(IN_BRIAN2)]
    joined = side_by_side(cases)
    traces = joined.split(run_brian2(joined.program, joined.spikes))
    check = combine(
        compare(run_twin(case.program, case.spikes), trace, case.program, k, tolerance=EXACT_INTEGRATION)
        for k, (case, trace) in enumerate(zip(cases, traces, strict=True))
    )
    assert check.equal, str(check.first_divergence)
    assert check.compared["spikes"] > 50


def test_lines_spread_over_a_tick_agree_in_programs_side_by_side():
    """With `input_phase = "even"` a line's step depends on all lines: the joined program is compared as one."""
    profile = profile_of("leaky_exact")
    assert profile.time.input_phase == "even"
    cases = [random_program(profile, seed, SHORT) for seed in range(5)]
    joined = side_by_side(cases)
    twin = run_twin(joined.program, joined.spikes)
    core = compare(twin, core_trace(joined.program, joined.spikes), joined.program)
    brian2 = run_brian2(joined.program, joined.spikes)
    check = compare(twin, brian2, joined.program, tolerance=EXACT_INTEGRATION)
    assert core.equal and check.equal, (core.first_divergence, check.first_divergence)
    assert check.compared["spikes"] > 50
    alone = [run_twin(case.program, case.spikes) for case in cases]
    differ = [
        (a.registers["v"] != b.registers["v"]).any() for a, b in zip(alone, joined.split(twin), strict=True)
    ]
    assert any(differ)


LINEAR = """
dv/dt = (-v + resistance*current + rest + drive) / tau_v : 1
dcurrent/dt = -current / tau_i : 1
weight : 1 (constant)
resistance : 1 (constant)
rest : 1 (constant)
drive : 1 (constant)
limit : 1 (constant)
tau_v : second (constant)
tau_i : second (constant)
"""
UNCOUPLED = {"operation.integrate.gains": {"v": {"i[0]": "resistance", "rest": 1, "drive": 1}}}


def test_ten_thousand_steps_of_a_linear_neuron_are_those_of_brian2s_exact_integrator():
    """Free running: every state, and the step of every spike. Brian2 integrates the equations as written."""
    rng = np.random.default_rng(5)
    neurons, ticks = 12, 2500
    profile = load_profile(profile_of("leaky_exact"), override=PLAIN["leaky_exact"] | UNCOUPLED)
    drawn = {
        "rest": rng.uniform(0.0, 0.3, neurons), "drive": rng.uniform(0.25, 0.3, neurons),
        "resistance": rng.uniform(0.5, 3.0, neurons), "tau_v": rng.uniform(5e-4, 2e-2, neurons),
        "tau_i": np.full(neurons, 3e-3),
    }  # fmt: skip
    limit, weights = rng.uniform(0.9, 1.1, neurons), rng.uniform(0.5, 1.5, (1, neurons))
    network = SpikingNetwork(profile)
    line = network.input("line", 1)
    group = network.population(
        "group", neurons, threshold=limit, reset=0.0, refractory_s=0.0, tau_w=0.1, **drawn
    )
    network.connect(line, group, weights)
    network.output(group)
    spikes = (rng.random((1, ticks, 1)) < 0.2).astype(np.uint8)
    record = [f"group.{name}" for name in ("spikes", "v", "i[0]", "last")]
    recording = emulate(place(network, ticks=ticks), spikes, record=record)
    mine = {name: recording.registers[f"group.{name}"][0].T for name in ("v", "i[0]", "last")}

    states, fired = brian2_exactly(profile, drawn | {"limit": limit, "weight": weights[0]}, spikes[0, :, 0])
    assert states["v"].shape == (neurons, 10_000)
    assert np.count_nonzero(np.abs(mine["last"].T - limit) < NEAR_THRESHOLD) == 0  # none had to be skipped
    assert (recording.spikes["group"][:, 1:] == fired).all() and len(fired) > 200
    for name, theirs in (("v", states["v"]), ("i[0]", states["i"])):
        error = np.abs(mine[name] - theirs) / np.abs(theirs).max(axis=1, keepdims=True)
        assert error.max() < EXACT_INTEGRATION


def test_ten_thousand_linear_steps_are_brian2s_up_to_the_first_spike():
    """After it Brian2 starts again at the end of the step, `linear_step` within. Half of the neurons never fire."""
    rng = np.random.default_rng(6)
    neurons, ticks = 12, 2500
    drawn = {
        "rest": rng.uniform(0.0, 0.3, neurons), "drive": rng.uniform(0.0, 0.3, neurons),
        "resistance": rng.uniform(0.5, 3.0, neurons), "tau_v": rng.uniform(2e-3, 2e-2, neurons),
    }  # fmt: skip
    weights = rng.uniform(0.1, 0.4, (1, neurons))
    limit = np.where(np.arange(neurons) % 2, 2.0, rng.uniform(0.5, 0.6, neurons))
    network = SpikingNetwork(profile_of("leaky_step"))
    quiet = {"reset": 0.0, "refractory_s": 0.0, "tau_exc": 3e-3, "tau_inh": 1e-3}
    group = network.population("group", neurons, threshold=limit, **drawn, **quiet)
    network.connect(network.input("line", 1), group, weights)
    network.output(group)
    spikes = (rng.random((1, ticks, 1)) < 0.2).astype(np.uint8)
    record = [f"group.{name}" for name in ("spikes", "v", "i[0]")]
    recording = emulate(place(network, ticks=ticks), spikes, record=record)

    values = drawn | {"tau_i": np.full(neurons, 3e-3), "limit": limit, "weight": weights[0]}
    states, fired = brian2_exactly(profile_of("leaky_step"), values, spikes[0, :, 0])
    current, theirs = recording.registers["group.i[0]"][0].T, states["i"]
    assert np.abs(current - theirs).max() < EXACT_INTEGRATION * np.abs(theirs).max()
    ends = [
        first_of(rows, k, 10_000)
        for rows in (recording.spikes["group"][:, 1:], fired)
        for k in range(neurons)
    ]
    assert ends[:neurons] == ends[neurons:] and 3 < sum(end < 10_000 for end in ends[:neurons]) < neurons - 3
    for k, end in enumerate(ends[:neurons]):
        mine, exact = recording.registers["group.v"][0, :end, k], states["v"][k, :end]
        assert np.abs(mine - exact).max() < EXACT_INTEGRATION * np.abs(exact).max()


def first_of(rows, neuron, never):
    """The step of a neuron's first spike."""
    return int(rows[rows[:, 1] == neuron, 0].min(initial=never))


def brian2_exactly(profile, values, counts):
    """v and i of every step, and rows (step, neuron) of the spikes."""
    with plain_numpy():
        from brian2 import Clock, Network, NeuronGroup, SpikeMonitor, StateMonitor, TimedArray, second

        clock = Clock(dt=profile.time.dt_s * second)
        arriving = np.zeros(len(counts) * profile.time.steps_per_tick)
        arriving[:: profile.time.steps_per_tick] = counts
        pulses = TimedArray(arriving, dt=clock.dt)
        model = NeuronGroup(
            len(values["limit"]), LINEAR, method="exact", threshold="v >= limit", reset="v = 0", clock=clock,
            namespace={},
        )  # fmt: skip
        for name, value in values.items():
            setattr(model, name, value * second if name.startswith("tau") else value)
        model.run_regularly("current += weight * pulses(t)", when="start", clock=clock)
        states = StateMonitor(model, ["v", "current"], record=True, when="end", clock=clock)
        monitor = SpikeMonitor(model)
        Network(model, states, monitor).run(len(arriving) * clock.dt, namespace={"pulses": pulses})
        steps = np.round(np.asarray(monitor.t / clock.dt)).astype(int)
        rows = np.stack([steps, np.asarray(monitor.i)], axis=1)
        return {"v": np.array(states.v), "i": np.array(states.current)}, rows


CONDUCTANCE = """
dv/dt = (rest - v + rise - w + drive + g_exc*(e_exc - v) + g_inh*(e_inh - v)) / tau_m : 1
w : 1
rise : 1
g_exc : 1
g_inh : 1
rest : 1 (constant)
drive : 1 (constant)
e_exc : 1 (constant)
e_inh : 1 (constant)
tau_m : second (constant)
"""
"""`rise`, the exponential current, is frozen at the start of the step, as the profile's list says."""


def test_one_exponential_step_is_brian2s_from_a_hundred_thousand_states():
    rng, neurons = np.random.default_rng(6), 100_000
    names = ("vt", "slope", "rest", "e_exc", "e_inh", "drive", "tau_m")
    profile = load_profile(profile_of("adaptive_exponential"), override=PLAIN["adaptive_exponential"])
    drawn = {name: rng.uniform(profile.params[name].min, profile.params[name].max, neurons) for name in names}
    start, pulses = rng.uniform(-1.0, 0.5, neurons), rng.uniform(0.0, 8.0, (2, neurons))
    network = SpikingNetwork(profile)
    lines = network.input("lines", 2)
    group = network.population(
        "group", neurons, init={"v": start}, threshold=1.5, most=2.0, reset=0.0, tau_g=1e-3, tau_w=0.1,
        coupling=0.0, jump=0.0, sigma=0.0, low=-2.0, high=3.0, **drawn,
    )  # fmt: skip
    for receptor in (0, 1):
        only = np.zeros((2, neurons))
        only[receptor] = pulses[receptor]
        network.connect(lines, group, only, receptor=receptor)
    network.output(group)
    spikes = np.ones((1, 1, 2), dtype=np.uint8)
    watched = ("v", "g_exc", "g_inh", "rise")
    record = ["group.spikes", *(f"group.{name}" for name in watched)]
    recording = emulate(place(network, ticks=1), spikes, record=record)
    first = {name: recording.registers[f"group.{name}"][0, 0] for name in watched}
    quiet = np.ones(neurons, dtype=bool)
    quiet[recording.spikes["group"][:, 2]] = False  # a spike resets v: nothing to compare there

    rise = drawn["slope"] * np.exp(np.minimum((start - drawn["vt"]) / drawn["slope"], 2.0))
    states = {"v": start, "rise": rise, "g_exc": first["g_exc"], "g_inh": first["g_inh"]}
    theirs = one_brian2_step(profile, states, drawn)
    assert (np.abs(first["rise"] - rise) <= ONE_STEP * rise).all()
    scale = np.maximum(np.maximum(np.abs(theirs), np.abs(start)), 1.0)  # v is a sum of numbers of this size
    assert (np.abs(first["v"] - theirs) <= ONE_STEP * scale)[quiet].all()
    assert quiet.sum() > 0.5 * neurons


def one_brian2_step(profile, states, params):
    """v after one step of Brian2's `exponential_euler`."""
    with plain_numpy():
        from brian2 import Clock, Network, NeuronGroup, second

        clock = Clock(dt=profile.time.dt_s * second)
        model = NeuronGroup(
            len(states["v"]), CONDUCTANCE, method="exponential_euler", clock=clock, namespace={}
        )
        for name in ("rest", "drive", "e_exc", "e_inh"):
            setattr(model, name, params[name])
        model.tau_m = params["tau_m"] * second
        for name, value in states.items():
            setattr(model, name, value)
        Network(model).run(clock.dt, namespace={})
        return np.array(model.v)
