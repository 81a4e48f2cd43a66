"""What the twin makes of a chip's imperfections, device by device, in plain Python from their docstrings."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from spikeloom.profile.imperfections import OperationEffect
from spikeloom.profile.schema import Profile
from spikeloom.reference.twin import elementary
from spikeloom.reference.twin.numbers import Number

STREAMS = {"mismatch": 16, "dead": 17, "stuck": 18, "programming_error": 19, "drift": 20}


@dataclass
class Flaws:
    """The imperfections that act on one chip, with their numbers in the profile's list."""

    profile: Profile
    seed: int = 0
    age_s: float = 0.0
    effects: Collection[str] = ()
    entries: list[tuple[int, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        listed = enumerate(self.profile.imperfection)
        self.entries = [(number, entry) for number, entry in listed if entry.name in self.effects]

    def of_kind(self, *kinds: str) -> list[tuple[int, Any]]:
        """The acting entries of some kinds."""
        return [(number, entry) for number, entry in self.entries if entry.kind in kinds]

    def acts(self, operation: str) -> bool:
        """Whether an operation of the list is there: it is not where its effect is left out."""
        return not any(
            operation in entry.operations and entry.name not in self.effects
            for entry in self.profile.imperfection
            if isinstance(entry, OperationEffect)
        )

    def word(self, kind: str, number: int, core: int, index: int) -> int:
        """One frozen random word."""
        return elementary.word((self.seed, STREAMS[kind]), index, (number, 0, core))

    def normal(self, kind: str, number: int, core: int, index: int) -> float:
        """One frozen normal number."""
        return elementary.normal(self.word(kind, number, core, index))

    def parameter(self, name: str, value: Number, core: int, local: int) -> Number:
        """A parameter of one neuron."""
        if any(
            e.kind == "noise" and e.of == name and e.name not in self.effects
            for e in self.profile.imperfection
        ):
            return 0.0
        for number, entry in self.of_kind("mismatch"):
            if entry.of == name:
                z = self.normal("mismatch", number, core, 0 if entry.scope == "core" else local)
                value = spread(float(value), entry, z)
        return value

    def dead(self, core: int, local: int) -> bool:
        """Whether a neuron makes no spike."""
        return any(
            self.word("dead", number, core, local) < entry.fraction * 2.0**32
            for number, entry in self.of_kind("dead")
        )

    def weight(self, value: float, core: int, axon: int, index: int) -> float:
        """One synapse's weight: the index-th of its core, on an axon numbered within the core."""
        for number, entry in self.of_kind("mismatch", "stuck", "programming_error", "drift"):
            if entry.kind == "stuck":
                if self.word("stuck", number, core, index) < entry.fraction * 2.0**32:
                    value = entry.at
            elif entry.kind == "mismatch":
                if entry.of == "weight":
                    places = {"synapse": index, "row": 2 * axon + (value < 0.0), "core": 0}
                    value = spread(value, entry, self.normal("mismatch", number, core, places[entry.scope]))
            else:
                change = programmed if entry.kind == "programming_error" else drifted
                devices = conductances(value)
                z = [self.normal(entry.kind, number, core, 2 * index + k) for k in (0, 1)]
                plus, minus = (change(g, entry, z[k], self.age_s) for k, g in enumerate(devices))
                value = plus - minus
        return value

    def read_std(self, weight: float) -> float:
        """How noisy a read of this weight is."""
        for _, entry in self.of_kind("read_noise"):
            return read_noise(weight, entry, self.age_s)
        return 0.0

    def touches_weights(self) -> bool:
        """Whether any weight may differ from what was written, or from read to read."""
        kinds = ("stuck", "programming_error", "drift", "read_noise")
        return bool(self.of_kind(*kinds)) or any(e.of == "weight" for _, e in self.of_kind("mismatch"))


def spread(value: float, entry: Any, z: float) -> float:
    """A value with its mismatch."""
    if entry.distribution == "lognormal":
        variance = elementary.log(1.0 + entry.cv * entry.cv)
        return value * elementary.exp(math.sqrt(variance) * z - variance / 2.0)
    found = value * (1.0 + entry.cv * z) if entry.cv is not None else value + entry.std * z
    if entry.distribution == "normal_cut0" and not found * value > 0.0:
        return 0.0
    return float(found)


def conductances(weight: float) -> tuple[float, float]:
    """The two devices whose difference a weight is."""
    return max(weight, 0.0), max(-weight, 0.0)


def programmed(g: float, entry: Any, z: float, age_s: float) -> float:
    """A conductance as it was written."""
    std = 0.0
    for coefficient in reversed(entry.polynomial):
        std = coefficient + g / entry.g_max * std
    return max(g + std * z, 0.0)


def clamp(value: float, low: float, high: float) -> float:
    """Within [low, high]."""
    return min(max(value, low), high)


def drifted(g: float, entry: Any, z: float, age_s: float) -> float:
    """A conductance at its age."""
    log_x = elementary.log(g / entry.g_max) if g > 0.0 else 0.0
    mean = clamp(entry.mean_log * log_x + entry.mean_at_1, entry.mean_min, entry.mean_max)
    deviation = clamp(entry.spread_log * log_x + entry.spread_at_1, entry.spread_min, entry.spread_max)
    log_time = elementary.log((entry.t0_s + age_s) / entry.t0_s)
    return g * elementary.exp(-(mean + deviation * z) * log_time)


def read_noise(weight: float, entry: Any, age_s: float) -> float:
    """The standard deviation of one read of a weight."""
    time = entry.t0_s + age_s
    log_time = elementary.log((time + entry.t_read_s) / (2.0 * entry.t_read_s))
    squares = 0.0
    for g in conductances(weight):
        log_x = elementary.log(g / entry.g_max) if g > 0.0 else 0.0
        q = min(entry.q_at_1 * elementary.exp(-(entry.power * log_x)), entry.q_max)
        std = q * g * math.sqrt(log_time)
        squares += std * std
    return math.sqrt(squares)
