"""The neurons of `free_neurons` in Brian2, which is given their equations as they are written."""

import numpy as np
from agreement_cases import profile_of
from free_neurons import NEURONS, adaptive, differential_pair
from spikeloom.reference.brian2.setup import plain_numpy

ADAPTIVE = """
dv/dt = (rest - v + {rise} - w + drive) / tau_m : 1
dw/dt = (coupling*(v - {ground}) - w) / tau_w : 1
rise : 1
rest : 1 (constant)
slope : 1 (constant)
vt : 1 (constant)
drive : 1 (constant)
coupling : 1 (constant)
tau_m : second (constant)
tau_w : second (constant)
"""
RISE = "slope*exp(clip((v - vt)/slope, -1e9, {most}))"
PAIR = """
dimem/dt = imem / (tau*(imem + gain)) * (gain/itau*(drive - leak) + back - imem*(1 + iahp/itau)) : 1
drive = clip(idc + iexc - iinh - leak, i0, inf) : 1
back = i0*(imem/i0)**(kappa/(kappa + 1)) / leak * (imem + gain) : 1
tau = ut*c_mem/(kappa*leak) * second : second
leak = itau + iahp : 1
iexc : 1
iinh : 1
iahp : 1
idc : 1 (constant)
"""
PULSES = """
iexc = iexc*exp(-dt/tau_exc) + (1 - exp(-pulse/tau_exc))*i0
iinh = iinh*exp(-dt/tau_inh) + (1 - exp(-pulse/tau_inh))*i0
iahp = clip(iahp*exp(-dt/tau_ahp), i0, inf)
"""
"""Synapses are idle: each step adds a pulse of their floor. Adaptation decays to its own."""


class Adaptive:
    """The adaptive exponential neuron."""

    membrane, names = "v", {"v": "v", "w": "w"}  # of registers in Brian2

    def __init__(self, free=None, most=2.0, ground="0"):
        self.free, self.ground, self.rise = free or adaptive(), ground, RISE.format(most=most)

    def group(self, method, clock):
        from brian2 import NeuronGroup, second

        frozen = method != "rk4"
        model = NeuronGroup(
            NEURONS, ADAPTIVE.format(rise="rise" if frozen else self.rise, ground=self.ground), method=method,
            clock=clock, threshold="v > 1", reset="v = 0", namespace={},
        )  # fmt: skip
        for name in ("rest", "slope", "vt", "drive", "coupling"):
            setattr(model, name, self.free.params.get(name, 0.0))
        for name in ("tau_m", "tau_w"):
            setattr(model, name, self.free.params[name] * second)
        if frozen:  # the exponential current is that of the step's start
            model.run_regularly(f"rise = {self.rise}", when="start", clock=clock)
        return model


class Pair:
    """DYNAP-SE2's membrane, adaptation and idle synapses."""

    membrane, names = "imem", {name: name for name in ("imem", "iexc", "iinh", "iahp")}

    def __init__(self, profile="dynap_se2"):
        self.free = differential_pair(profile)

    def group(self, method, clock, idc=None):
        from brian2 import NeuronGroup, second

        idc = self.free.params["idc_a"] if idc is None else idc
        p = {name: param.default for name, param in profile_of("dynap_se2").params.items()}
        thermal = p["ut_v"] / p["kappa"]
        namespace = {
            "gain": p["igain_mem_a"], "itau": p["itau_mem_a"], "i0": p["i0_a"], "kappa": p["kappa"],
            "ut": p["ut_v"], "c_mem": p["c_mem_f"], "pulse": self.free.params["t_pulse_s"] * second,
            "tau_exc": thermal * p["c_exc_f"] / p["itau_exc_a"] * second,
            "tau_inh": thermal * p["c_inh_f"] / p["itau_inh_a"] * second,
            "tau_ahp": thermal * p["c_ahp_f"] / p["itau_ahp_a"] * second,
        }  # fmt: skip
        model = NeuronGroup(
            len(idc), PAIR, method=method, clock=clock, threshold="imem > 1e-7", reset="imem = i0",
            namespace=namespace,
        )  # fmt: skip
        model.idc = idc
        model.iahp = p["i0_a"]
        if method != "rk4":  # the pulses of idle synapses vanish beside idc
            model.run_regularly(PULSES, when="start", clock=clock)
            model.run_regularly("imem = clip(imem, i0, inf)", when="after_groups", order=-1, clock=clock)
        return model


def brian2_states(model, method, dt_s, start, steps, every=1):
    """(steps / every, neurons) of the membrane, after `every` steps each, from the registers in `start`."""
    with plain_numpy():
        from brian2 import Clock, Network, StateMonitor, second

        clock = Clock(dt=dt_s * second)
        group = model.group(method, clock)
        for register, values in start.items():
            setattr(group, model.names[register], values)
        monitor = StateMonitor(
            group, model.names[model.membrane], record=True, clock=clock, when="after_groups",
        )  # fmt: skip
        Network(group, monitor).run(steps * dt_s * second, namespace={})
        return np.array(getattr(monitor, model.names[model.membrane])).T[every - 1 :: every]
