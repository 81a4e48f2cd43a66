"""Neurons that run freely: driven by a constant current, alone, from a random state; for the tests of integrators."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from agreement_cases import profile_of
from spikeloom.emulation.emulate import emulate
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.profile.catalog import load_profile

NEURONS = 40
UNCOUPLED = {"operation.integrate.gains": {"v": {"i[0]": "resistance", "rest": 1, "drive": 1}}}
NOISELESS = {"operation.convert.inl": [], "operation.noise": {"op": "clear", "reg": "fresh", "flag": 0}}
REFRACTORY_S = 4e-8  # BrainScaleS-2's shortest: no whole step


@dataclass(frozen=True)
class Free:
    """A population of one profile, at any step."""

    profile: str
    register: str  # the membrane
    params: dict
    start: np.ndarray | None = None  # of the membrane, where the chip can set it
    override: dict | None = None
    record: tuple = ()
    lines: tuple | None = None  # codes (lines, NEURONS), and their spikes (ticks, lines) uint8

    @property
    def dt_s(self):
        return profile_of(self.profile).time.dt_s

    @property
    def tick_s(self):
        return profile_of(self.profile).time.tick_s

    def run(self, dt_s, ticks):
        """The recording of spikes and membrane."""
        profile = load_profile(
            profile_of(self.profile), override={**(self.override or {}), "time.dt_s": dt_s}
        )
        network = SpikingNetwork(profile)
        init = {} if self.start is None else {"init": {self.register: self.start}}
        neurons = network.population("free", NEURONS, **init, **self.params)
        codes, spikes = self.lines or (np.zeros((0, NEURONS)), np.zeros((ticks, 0), np.uint8))
        if self.lines:
            network.connect(network.input("lines", len(codes)), neurons, codes)
        network.output(neurons)
        names = [f"free.{name}" for name in ("spikes", self.register, *self.record)]
        return emulate(place(network, ticks=ticks), spikes[None], record=names, effects=())

    def states(self, dt_s, ticks, register=None):
        """(steps, neurons) after every step."""
        return self.run(dt_s, ticks).registers[f"free.{register or self.register}"][0]

    def spike_times(self, dt_s, ticks):
        """Of each neuron, in seconds: a spike is at the end of its step."""
        rows = self.run(dt_s, ticks).spikes["free"]
        return [(np.sort(rows[rows[:, 2] == k, 1]) + 1) * dt_s for k in range(NEURONS)]


def leaky():
    """The exact neuron, with a constant drive."""
    rng = np.random.default_rng(9)
    params = {
        "threshold": rng.uniform(0.5, 0.6, NEURONS), "rest": rng.uniform(0.35, 0.4, NEURONS),
        "drive": rng.uniform(0.28, 0.3, NEURONS), "resistance": 1.0, "reset": 0.0,
        "tau_v": rng.uniform(1e-3, 1e-2, NEURONS), "tau_i": 1e-3, "refractory_s": 0.0, "tau_w": 0.1,
    }  # fmt: skip
    return Free("leaky_exact", "v", params, override=UNCOUPLED)


def brainscales2():
    """The shipped chip, each neuron with calibration targets of its own."""
    rng = np.random.default_rng(10)
    params = {
        "v_leak_lsb": rng.uniform(90, 120, NEURONS), "v_reset_lsb": rng.uniform(50, 80, NEURONS),
        "v_thr_lsb": rng.uniform(125, 150, NEURONS), "drive_lsb": rng.uniform(45, 60, NEURONS),
        "tau_mem_s": rng.uniform(5e-6, 6e-5, NEURONS), "t_ref_s": REFRACTORY_S,
    }  # fmt: skip
    return Free("brainscales2", "v", params, start=rng.uniform(50, 90, NEURONS))


def driven_brainscales2(seed=0):
    """The shipped chip's neurons, all else drawn, driven by spikes of four lines, whose currents outlast spikes."""
    rng = np.random.default_rng(seed)
    between = partial(_between, rng)
    params = {
        "v_leak_lsb": rng.uniform(60, 120, NEURONS), "v_reset_lsb": rng.uniform(50, 80, NEURONS),
        "v_thr_lsb": rng.uniform(100, 150, NEURONS), "drive_lsb": rng.uniform(-20, 30, NEURONS),
        "tau_mem_s": between(5e-6, 6e-5), "tau_syn_s": between(3e-7, 3e-5),
        "t_ref_s": rng.integers(0, 6, NEURONS) * 5e-7,
    }  # fmt: skip
    lines = (rng.random((300, 4)) < 0.3).astype(np.uint8)
    codes = rng.integers(-20, 64, (4, NEURONS))
    start, none_too = rng.uniform(50, 90, NEURONS), {"params.t_ref_s.min": 0.0}  # no whole number of steps
    return Free("brainscales2", "v", params, start, none_too, lines=(codes, lines))


def driven_leaky(seed=0):
    """The made-up chip whose currents have two time constants: after a spike of a line both may pull on."""
    rng = np.random.default_rng(seed)
    between = partial(_between, rng)
    params = {
        "threshold": rng.uniform(0.6, 1.5, NEURONS), "rest": rng.uniform(-0.2, 0.4, NEURONS),
        "drive": rng.uniform(-0.2, 1.0, NEURONS), "resistance": rng.uniform(0.5, 2.0, NEURONS),
        "reset": rng.uniform(-0.5, 0.2, NEURONS), "tau_v": between(2e-3, 2e-2), "tau_exc": 1e-3,
        "tau_inh": between(2e-4, 1e-2), "refractory_s": rng.integers(0, 4, NEURONS) * 2.5e-4,
    }  # fmt: skip
    lines = (rng.random((300, 4)) < 0.3).astype(np.uint8)
    start, weights = rng.uniform(-0.5, 0.5, NEURONS), rng.uniform(-0.5, 2.0, (4, NEURONS))
    return Free("leaky_step", "v", params, start, lines=(weights, lines))


def adaptive(profile="adaptive_exponential", drive=(0.45, 0.6)):
    """The adaptive exponential neuron, without synapses."""
    rng = np.random.default_rng(8)
    params = {
        "rest": rng.uniform(-0.2, 0.2, NEURONS), "slope": rng.uniform(0.05, 0.1, NEURONS),
        "vt": rng.uniform(0.5, 0.6, NEURONS), "drive": rng.uniform(*drive, NEURONS),
        "coupling": rng.uniform(0.0, 0.1, NEURONS), "tau_m": rng.uniform(5e-3, 1e-2, NEURONS),
        "tau_w": rng.uniform(2e-2, 5e-2, NEURONS), "threshold": 1.0, "most": 2.0, "reset": 0.0, "tau_g": 1e-3,
        "jump": 0.02, "sigma": 0.0, "low": -2.0, "high": 3.0, "e_exc": 1.0, "e_inh": -1.0,
    }  # fmt: skip
    start = rng.uniform(-0.5, 0.3, NEURONS)
    return Free(profile, "v", params, start, NOISELESS, record=("w",))


def second_order(seed=1):
    """The adaptive exponential neuron at second order; a spike leaves adaptation and a refractory period behind."""
    rng, first = np.random.default_rng(seed), adaptive()
    drawn = (
        "rest",
        "slope",
        "vt",
        "coupling",
        "tau_m",
        "tau_w",
        "reset",
        "threshold",
        "e_exc",
        "e_inh",
        "tau_g",
    )
    params = {name: first.params[name] for name in drawn} | {
        "drive": rng.uniform(0.5, 0.9, NEURONS), "jump": rng.uniform(0.0, 0.05, NEURONS),
        "t_ref": rng.integers(0, 5, NEURONS) * 5e-4,
    }  # fmt: skip
    return Free("adaptive_second_order", "v", params, first.start)


def differential_pair(profile="dynap_se2"):
    """DYNAP-SE2's neuron on its constant current, which any pulse of a synapse is small to."""
    params = {"idc_a": np.random.default_rng(7).uniform(2e-11, 2e-10, NEURONS), "t_pulse_s": 1e-6}
    return Free(profile, "imem", params, record=("iexc", "iinh", "iahp"))


def _between(rng, low, high):
    """A draw for each neuron, even in its logarithm."""
    return np.exp(rng.uniform(np.log(low), np.log(high), NEURONS))


def adapting_pairs(seed=12):
    """The same neurons, all else drawn, too: each spike leaves an adaptation and a refractory period behind."""
    rng = np.random.default_rng(seed)
    between = partial(_between, rng)
    params = {
        "idc_a": between(2e-11, 5e-10), "itau_mem_a": between(1e-12, 3e-11), "igain_mem_a": between(5e-12, 2e-10),
        "threshold_a": between(2e-8, 5e-7), "t_ref_s": rng.integers(0, 5, NEURONS) * 1e-3,
        "iw_ahp_a": between(1e-11, 1e-8), "itau_ahp_a": between(1e-11, 1e-10),
    }  # fmt: skip
    return Free("dynap_se2", "imem", params)


def driven_pairs(seed=0):
    """Differential pairs that spikes of four lines drive, from a current that alone would be too little for most."""
    rng = np.random.default_rng(seed)
    between = partial(_between, rng)
    params = {
        "idc_a": between(5e-12, 5e-11), "itau_mem_a": between(1e-12, 1e-11), "iw_ahp_a": between(1e-11, 1e-9),
        "t_ref_s": rng.integers(0, 4, NEURONS) * 1e-3,
    }  # fmt: skip
    lines = (rng.random((300, 4)) < 0.5).astype(np.uint8)
    return Free("dynap_se2", "imem", params, lines=(rng.integers(1, 4, (4, NEURONS)), lines))


def crossbar(seed=0):
    """The crossbar, which reads its array once a tick; never more charge in one than a spike takes away."""
    rng = np.random.default_rng(seed)
    tau = np.exp(rng.uniform(*np.log((2e-6, 1e-4)), NEURONS))
    params = {"threshold": rng.uniform(3.0, 8.0, NEURONS), "tau_s": tau}
    lines = (rng.random((300, 6)) < 0.5).astype(np.uint8)
    return Free(
        "pcm_crossbar", "v", params, np.zeros(NEURONS), lines=(rng.uniform(-0.1, 0.5, (6, NEURONS)), lines)
    )
