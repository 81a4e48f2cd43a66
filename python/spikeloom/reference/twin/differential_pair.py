"""The differential-pair neuron, in plain Python from the docstring of its operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from spikeloom.reference.twin import elementary
from spikeloom.reference.twin.neuron import Neuron

Get = Callable[[str], float]
CURRENTS = ("exc", "inh", "ahp")
STEEPEST = 50.0  # exponent of a part
HIGHEST = 1e9  # of u
NEWTON_STEPS = 4


def dpi_step(entry: Any, neuron: Neuron) -> None:
    """One step, by the integrator that the entry names."""

    def get(role: str) -> float:
        return float(neuron.read(getattr(entry, role)))

    integrate = exponential if entry.integrator == "exponential" else euler
    for role, value in integrate(entry, get, neuron.chip.dt).items():
        neuron.write(getattr(entry, role), value)


def euler(entry: Any, get: Get, dt: float) -> dict[str, float]:
    """The makers' step, line by line."""
    thermal, floor = get("ut") / get("kappa"), get("i0")
    tau = {k: thermal * get(f"c_{k}") / get(f"itau_{k}") for k in ("exc", "inh", "ahp")}
    synapse = {}
    for k in ("exc", "inh"):
        level = max(get(f"igain_{k}") / get(f"itau_{k}") * get(f"in_{k}"), floor)
        synapse[k] = charged(get(k), level, get("t_pulse"), dt, tau[k])
    level = get("igain_ahp") / get("itau_ahp") * get("iw_ahp") * get("fired")
    ahp = max(charged(get("ahp"), level, get("t_pulse_ahp"), dt, tau["ahp"]), floor)
    leak = get("itau_mem") + ahp
    free = 1.0 if get("refractory") == 0.0 else 0.0
    entering = max((synapse["exc"] - synapse["inh"] - leak + get("idc")) * free, floor)
    imem, kappa = get("imem"), get("kappa")
    rest = get("igain_mem") / get("itau_mem") * (entering - leak)
    v = thermal * elementary.log(imem / floor)
    back = floor * elementary.exp(kappa * kappa / (kappa + 1.0) * v / get("ut"))
    above = imem + get("igain_mem")
    feedback = back / leak * above
    slope = rest + feedback - imem * (1.0 + ahp / get("itau_mem"))
    after = imem + dt * imem / (thermal * get("c_mem") / leak * above) * slope
    return {"imem": max(after, floor), **synapse, "ahp": ahp, "fired": 0.0}


def charged(current: float, level: float, pulse: float, step: float, tau: float) -> float:
    """A current that decays for a step and is drawn to `level` for a pulse."""
    return current * elementary.exp(-(step / tau)) + (1.0 - elementary.exp(-(pulse / tau))) * level


@dataclass
class Membrane:
    """The membrane within a step, w = imem / igain_mem, and the time since its crossing, 0 before it."""

    get: Get
    free: float
    w: float
    since: float = 0.0

    def move(self, length: float, currents: dict[str, float]) -> None:
        """A part of a step, with the currents of its middle."""
        if length == 0.0:
            return
        before = self.w + elementary.log(self.w)
        slope, steep = self.slopes({k: max(current, self.get("i0")) for k, current in currents.items()})
        ratio = self.get("i0") / self.get("igain_mem")
        lowest = ratio - elementary.log(self.get("igain_mem") / self.get("i0"))
        after = before + length * slope * rise_of(min(length * steep, STEEPEST))
        after = min(max(after, lowest), HIGHEST)
        self.since = self.time_since(before, after, length)
        self.w = inverse(after)

    def slopes(self, current: dict[str, float]) -> tuple[float, float]:
        """du/dt, and its derivative after u."""
        get, w = self.get, self.w
        charge = get("ut") / get("kappa") * get("c_mem")
        power = get("kappa") / (get("kappa") + 1.0)
        leak = get("itau_mem") + current["ahp"]
        entering = max((current["exc"] - current["inh"] - leak + get("idc")) * self.free, get("i0"))
        opened = leak * (1.0 + current["ahp"] / get("itau_mem"))
        height = elementary.log(w) + elementary.log(get("igain_mem") / get("i0"))
        back = get("i0") * elementary.exp(power * height)
        slope = (leak / get("itau_mem") * (entering - leak) - opened * w + back * (1.0 + w)) / charge
        return slope, (back * (w + power * (1.0 + w)) - opened * w) / (1.0 + w) / charge

    def time_since(self, before: float, after: float, length: float) -> float:
        """How long ago, at the end of a part, the threshold was crossed."""
        if self.since > 0.0:
            return self.since + length
        ratio = self.get("threshold") / self.get("igain_mem")
        goal = ratio + elementary.log(ratio)
        return length * ((after - goal) / (after - min(before, goal))) if after > goal else 0.0


def rise_of(z: float) -> float:
    """(exp(z) - 1) / z, by its series near 0."""
    if -0.01 < z < 0.01:
        return 1.0 + z / 2.0 * (1.0 + z / 3.0 * (1.0 + z / 4.0 * (1.0 + z / 5.0)))
    return (elementary.exp(z) - 1.0) / z


def inverse(u: float) -> float:
    """The w whose w + ln w is u, by Newton's steps."""
    w = elementary.log(1.0 + elementary.exp(u))
    for _ in range(NEWTON_STEPS):
        w = w * (1.0 + u - elementary.log(w)) / (1.0 + w)
    return w


def exponential(entry: Any, get: Get, dt: float) -> dict[str, float]:
    """The step of second order."""
    thermal = get("ut") / get("kappa")
    tau = {k: thermal * get(f"c_{k}") / get(f"itau_{k}") for k in CURRENTS}
    held, late = get("refractory") != 0.0, get("late")
    current = {k: get(k) for k in CURRENTS}
    pulse = get("igain_ahp") / get("itau_ahp") * get("iw_ahp") * get("fired")
    pulse = (1.0 - elementary.exp(-(get("t_pulse_ahp") / tau["ahp"]))) * pulse
    current["ahp"] += elementary.exp(-(late * dt / tau["ahp"])) * pulse
    membrane = Membrane(get, 0.0 if held else 1.0, max(get("imem"), get("i0")) / get("igain_mem"))
    gap = 0.0 if held else late * dt
    membrane.move(gap, {k: current[k] * elementary.exp(gap / 2.0 / tau[k]) for k in CURRENTS})
    for k in ("exc", "inh"):
        level = get(f"igain_{k}") / get(f"itau_{k}") * get(f"in_{k}")
        current[k] += (1.0 - elementary.exp(-(get("t_pulse") / tau[k]))) * level
    length = dt / entry.parts
    half = {k: elementary.exp(-(length / 2.0 / tau[k])) for k in CURRENTS}
    for _ in range(entry.parts):
        current = {k: current[k] * half[k] for k in CURRENTS}
        membrane.move(length, current)
        current = {k: current[k] * half[k] for k in CURRENTS}
    imem = max(get("igain_mem") * membrane.w, get("i0"))
    if not held:
        late = min(membrane.since / dt, 1.0) if imem > get("threshold") else 0.0
    return {"imem": imem, **current, "fired": 0.0, "late": late}
