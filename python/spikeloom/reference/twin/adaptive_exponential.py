"""The adaptive exponential neuron, in plain Python from the docstring of its operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from spikeloom.reference.twin import elementary
from spikeloom.reference.twin.differential_pair import STEEPEST, rise_of
from spikeloom.reference.twin.neuron import Neuron

Get = Callable[[str], float]
CONDUCTANCES = ("exc", "inh")


def adex_step(entry: Any, neuron: Neuron) -> None:
    """The lines of the docstring, one by one."""

    def get(role: str) -> float:
        return float(neuron.read(getattr(entry, role)))

    for role, value in stepped(entry.parts, get, neuron.chip.dt).items():
        neuron.write(getattr(entry, role), value)


def stepped(parts: int, get: Get, dt: float) -> dict[str, float]:
    """What the registers are after a step."""
    free, passed = get("refractory") == 0.0, get("late") * dt
    cell = Cell(get, get("v"), get("w") + get("jump") * get("fired"))
    if get("fired") != 0.0:
        cell.adapt(cell.toward(), passed)
    current = {k: get(k) for k in CONDUCTANCES}
    if free and passed > 0.0:
        then = {k: current[k] * elementary.exp(passed / 2.0 / get(f"tau_{k}")) for k in CONDUCTANCES}
        cell.make_up(passed, then)
    current = {k: current[k] + get(f"in_{k}") for k in CONDUCTANCES}
    length = dt / parts
    half = {k: elementary.exp(-(length / 2.0 / get(f"tau_{k}"))) for k in CONDUCTANCES}
    for _ in range(parts):
        current = {k: current[k] * half[k] for k in CONDUCTANCES}
        cell.part(length, current, free)
        current = {k: current[k] * half[k] for k in CONDUCTANCES}
    late = min(cell.since / dt, 1.0) if free else get("late")
    return {"v": cell.v, "w": cell.w, **current, "fired": 0.0, "late": late}


@dataclass
class Cell:
    """The membrane and its adaptation within a step; since: the time since its crossing, 0 before it."""

    get: Get
    v: float
    w: float
    since: float = 0.0

    def toward(self) -> float:
        """Where the adaptation tends to."""
        return self.get("coupling") * (self.v - self.get("rest"))

    def adapt(self, toward: float, length: float) -> None:
        """The adaptation on its way there."""
        self.w = toward + (self.w - toward) * elementary.exp(-(length / self.get("tau_w")))

    def make_up(self, passed: float, current: dict[str, float]) -> None:
        """The time since the last crossing, in which the adaptation saw the membrane stand still."""
        half, before = passed / 2.0 / self.get("tau_w"), self.toward()
        self.move(passed, current, before + (self.w - before) * elementary.exp(half))
        if self.since == 0.0:
            self.w += (self.toward() - before) * (1.0 - elementary.exp(-half))

    def part(self, length: float, current: dict[str, float], free: bool) -> None:
        """A part of the step; after a crossing the neuron waits for the next step."""
        if self.since > 0.0:
            self.since += length
            return
        start, toward = self.w, self.toward()
        half = elementary.exp(-(length / 2.0 / self.get("tau_w")))
        self.w = toward + (start - toward) * half
        if free:
            self.move(length, current, self.w)
        if self.since > 0.0:
            self.w = start
            self.adapt(toward, length - self.since)
        else:
            self.w = self.toward() + (self.w - self.toward()) * half

    def move(self, length: float, current: dict[str, float], w: float) -> None:
        """The membrane alone, in the coordinate in which the spike's rise is a straight line."""
        get, v = self.get, self.v
        before = bent((v - get("vt")) / get("slope"))
        share, opened = elementary.exp(before), 1.0 + current["exc"] + current["inh"]
        level = get("rest") - v - w + get("drive") + current["exc"] * (get("e_exc") - v)
        level = (level + current["inh"] * (get("e_inh") - v)) / get("slope")
        rate = ((1.0 - share) * level + share) / get("tau_m")
        steep = (share * (1.0 - level) - opened) / get("tau_m")
        after = before + length * rate * rise_of(min(length * steep, STEEPEST))
        goal = bent((get("threshold") - get("vt")) / get("slope"))
        if after > goal:
            self.since = length * ((after - goal) / (after - min(before, goal)))
            self.v = get("threshold") + get("slope")
        else:
            self.v = get("vt") + get("slope") * (after - elementary.log(1.0 - elementary.exp(after)))


def bent(x: float) -> float:
    """x - ln(1 + e^x)."""
    return min(x, 0.0) - elementary.log(1.0 + elementary.exp(-abs(x)))
