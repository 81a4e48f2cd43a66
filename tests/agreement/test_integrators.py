"""How near do steps come to the equations? A step of half the length halves the error of a nonlinear neuron, and
no spike of a linear one comes by more than a step too late."""

import numpy as np
from agreement_cases import profile_of
from spikeloom.emulation.emulate import emulate
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.profile.catalog import load_profile
from spikeloom.reference.brian2_setup import plain_numpy

ADAPTIVE = """
dv/dt = (rest - v + slope*exp(clip((v - vt)/slope, -1e9, 2.0)) - w + drive) / tau_m : 1
dw/dt = (coupling*v - w) / tau_w : 1
rest : 1 (constant)
slope : 1 (constant)
vt : 1 (constant)
drive : 1 (constant)
coupling : 1 (constant)
tau_m : second (constant)
tau_w : second (constant)
"""
TICKS, NEURONS = 8, 40


def test_the_adaptive_exponential_neuron_approaches_brian2s_rk4_at_first_order():
    rng = np.random.default_rng(8)
    drawn = {
        "rest": rng.uniform(-0.2, 0.2, NEURONS), "slope": rng.uniform(0.05, 0.1, NEURONS),
        "vt": rng.uniform(0.5, 0.6, NEURONS), "drive": rng.uniform(0.0, 0.15, NEURONS),
        "coupling": rng.uniform(0.0, 0.5, NEURONS), "tau_m": rng.uniform(2e-3, 1e-2, NEURONS),
        "tau_w": rng.uniform(2e-2, 5e-2, NEURONS),
    }  # fmt: skip
    start = rng.uniform(-0.5, 0.3, NEURONS)
    exact = rk4(drawn, start, dt_s=5e-4 / 16)
    errors = [np.abs(trajectory(drawn, start, 5e-4 / parts) - exact).max() for parts in (1, 2, 4)]
    assert errors[0] > 1e-4
    for coarse, fine in zip(errors, errors[1:], strict=False):
        assert 1.8 < coarse / fine < 2.2


def trajectory(drawn, start, dt_s):
    """(ticks, neurons) v at the end of every tick."""
    quiet = {"operation.convert.inl": [], "operation.noise": {"op": "clear", "reg": "fresh", "flag": 0}}
    profile = load_profile(profile_of("adaptive_exponential"), override={**quiet, "time.dt_s": dt_s})
    network = SpikingNetwork(profile)
    group = network.population(
        "group", NEURONS, init={"v": start}, threshold=1.5, most=2.0, reset=0.0, tau_g=1e-3, jump=0.0,
        sigma=0.0, low=-2.0, high=3.0, e_exc=1.0, e_inh=-1.0, **drawn,
    )  # fmt: skip
    network.output(group)
    v = emulate(place(network, ticks=TICKS), np.zeros((1, 0)), record=["group.v"]).registers["group.v"][0]
    return v[profile.time.steps_per_tick - 1 :: profile.time.steps_per_tick]


def rk4(drawn, start, dt_s):
    """The same from Brian2, which integrates the equations as they are written."""
    with plain_numpy():
        from brian2 import Clock, Network, NeuronGroup, StateMonitor, second

        clock = Clock(dt=dt_s * second)
        model = NeuronGroup(NEURONS, ADAPTIVE, method="rk4", clock=clock, namespace={})
        for name, value in drawn.items():
            setattr(model, name, value * second if name.startswith("tau") else value)
        model.v = start
        monitor = StateMonitor(model, "v", record=True, clock=Clock(dt=1e-3 * second), when="start")
        Network(model, monitor).run((TICKS * 1e-3 + dt_s) * second, namespace={})
        return np.array(monitor.v).T[1 : TICKS + 1]


def test_spikes_of_a_linear_neuron_come_within_a_step_of_a_run_at_a_sixteenth():
    rng = np.random.default_rng(9)
    drawn = {
        "threshold": rng.uniform(0.5, 0.6, NEURONS), "rest": rng.uniform(0.35, 0.4, NEURONS),
        "drive": rng.uniform(0.28, 0.3, NEURONS), "resistance": np.ones(NEURONS), "reset": np.zeros(NEURONS),
        "tau_v": rng.uniform(1e-3, 1e-2, NEURONS), "tau_i": np.full(NEURONS, 1e-3),
    }  # fmt: skip
    coarse, fine = first_spikes(drawn, 2.5e-4), first_spikes(drawn, 2.5e-4 / 16)
    assert len(coarse) == NEURONS
    late = np.array([coarse[k] - fine[k] for k in coarse])
    # The coarse run sees a crossing at the end of its step, never before it.
    assert (late > -1e-9).all() and (late <= 2.5e-4 + 1e-9).all() and np.ptp(late) > 1e-4


def first_spikes(drawn, dt_s):
    """Neuron -> the end of the step of its first spike, in seconds."""
    gains = {"v": {"i[0]": "resistance", "rest": 1, "drive": 1}}
    profile = load_profile(
        profile_of("leaky_exact"), override={"time.dt_s": dt_s, "operation.integrate.gains": gains}
    )
    network = SpikingNetwork(profile)
    group = network.population("group", NEURONS, refractory_s=0.0, tau_w=0.1, **drawn)
    network.output(group)
    rows = emulate(place(network, ticks=40), np.zeros((1, 0)), record=["group.spikes"]).spikes["group"]
    return {int(k): (rows[rows[:, 2] == k, 1].min() + 1) * dt_s for k in np.unique(rows[:, 2])}
