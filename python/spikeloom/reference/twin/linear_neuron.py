"""The whole linear neuron, in plain Python from the docstring of its operation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from spikeloom.reference.twin import elementary
from spikeloom.reference.twin.neuron import Neuron

GUESSES = 4  # at a crossing or a peak


@dataclass(frozen=True)
class Path:
    """The membrane's way from its start: what holds it, and currents with their time constants."""

    start: float
    rest: float
    tau: float
    currents: tuple[float, ...]
    taus: tuple[float, ...]

    def at(self, s: float) -> tuple[float, float, float]:
        """V, V' and V'' after s seconds."""
        left = elementary.exp(-(s / self.tau))
        v, pull, bend = self.rest + (self.start - self.rest) * left, self.rest, 0.0
        for current, tau in zip(self.currents, self.taus, strict=True):
            fall = elementary.exp(-(s / tau))
            v += current * (s / self.tau * share(s / self.tau - s / tau, fall, left))
            pull += current * fall
            bend -= current * fall / tau
        slope = (pull - v) / self.tau
        return v, slope, (bend - slope) / self.tau


def share(z: float, fall: float, left: float) -> float:
    """(F - E) / z."""
    if -0.01 < z < 0.01:
        return left * (1.0 + z / 2.0 * (1.0 + z / 3.0 * (1.0 + z / 4.0 * (1.0 + z / 5.0))))
    return (fall - left) / z


def tangent(s: float, height: float, slope: float, low: float, high: float) -> float:
    """Where the tangent meets 0, taken into the interval; `slope` is 0 where it is of no use."""
    return (low + high) / 2.0 if slope == 0.0 else min(max(s - height / slope, low), high)


def crossing(path: Path, until: float, top: float, threshold: float) -> float:
    """When the membrane passes the threshold on its way to `top`."""
    low, high = 0.0, until
    s = until * ((threshold - path.start) / (top - path.start))
    for _ in range(GUESSES):
        v, slope, _bend = path.at(s)
        low, high = (low, s) if v > threshold else (s, high)
        s = tangent(s, v - threshold, max(slope, 0.0), low, high)
    return s


def peak(path: Path, length: float, rising: float, falling: float) -> float:
    """When the membrane turns."""
    low, high, s = 0.0, length, length * (rising / (rising - falling))
    for _ in range(GUESSES):
        _v, slope, bend = path.at(s)
        low, high = (s, high) if slope > 0.0 else (low, s)
        s = tangent(s, slope, min(bend, 0.0), low, high)
    return s


def restart(entry: Any, neuron: Neuron) -> None:
    """After a spike without a refractory period the membrane is where its crossing let it come to."""
    if neuron.read(entry.refractory) == 0 and neuron.read(entry.fired) != 0:
        neuron.write(entry.states[0], neuron.read(entry.after))
    neuron.write(entry.fired, 0.0)


def step(entry: Any, neuron: Neuron, moved: list[float]) -> None:
    """The other lines of the docstring, one by one; `moved` is P y."""
    value, held = float(neuron.read(entry.value)), neuron.read(entry.refractory)
    dt = neuron.chip.dt
    length = dt if held == 0 else float(neuron.read(entry.late)) * dt if held == 1 else 0.0
    path, gains = path_of(entry, neuron, None if held == 0 else dt - length)
    end = moved[0] if held == 0 else path.at(length)[0] if length > 0.0 else value
    after = pull(path.rest, [gain * x for gain, x in zip(gains, moved[1:], strict=True)])
    for state, x in zip(entry.states, (end, *moved[1:]), strict=True):
        neuron.write(state, x)
    if held in (0, 1):
        neuron.write(entry.late, 0.0)
        neuron.write(entry.after, value)
    found = spike(path, length, end, after - end, float(neuron.read(entry.threshold)))
    if found is not None:
        came, top, since = found
        neuron.write(entry.states[0], top)
        neuron.write(entry.late, since / dt)
        neuron.write(entry.after, end - (came - value) * elementary.exp(-(since / path.tau)))


def path_of(entry: Any, neuron: Neuron, passed: float | None) -> tuple[Path, list[float]]:
    """The membrane's way from the step's start, or from its reset `passed` seconds later; the gains of currents."""
    membrane, *others = entry.states
    sources = entry.gains.get(membrane, {})
    tau, *taus = (float(neuron.read(name)) for name in entry.taus)
    held = [neuron.read(gain) * neuron.read(s) for s, gain in sources.items() if s not in others]
    gains = [float(neuron.read(sources.get(state, 0))) for state in others]
    currents = [gain * float(neuron.read(state)) for gain, state in zip(gains, others, strict=True)]
    start = float(neuron.read(membrane if passed is None else entry.value))
    if passed is not None:
        currents = [c * elementary.exp(-(passed / t)) for c, t in zip(currents, taus, strict=True)]
    return Path(start, pull(0.0, held), tau, tuple(currents), tuple(taus)), gains


def pull(first: float, terms: Iterable[float]) -> float:
    """What the membrane tends to: a sum from the left."""
    for term in terms:
        first += term
    return first


def spike(
    path: Path, length: float, end: float, falling: float, threshold: float
) -> tuple[float, float, float] | None:
    """Where the membrane came from when it crossed the threshold, its highest value, and the time since then."""
    if not length > 0.0:
        return None
    if path.start > threshold:
        return path.start, path.start, length
    if end > threshold:
        return threshold, end, length - crossing(path, length, end, threshold)
    rising = pull(path.rest, path.currents) - path.start
    most = pull(path.rest, [max(current, 0.0) for current in path.currents]) - path.start
    if not (rising > 0.0 and falling < 0.0 and path.start + most * (length / path.tau) > threshold):
        return None
    turn = peak(path, length, rising, falling)
    top = path.at(turn)[0]
    return (threshold, top, length - crossing(path, turn, top, threshold)) if top > threshold else None
