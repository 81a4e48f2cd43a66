"""Values for random programs: every edge of a range as likely as its whole inside, and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

EDGES = (
    "min", "max", "min+1", "max-1", "zero", "one", "minus_one", "threshold", "threshold+1", "threshold-1",
    "power", "power+1", "power-1", "uniform",
)  # fmt: skip
FLOAT_STEP = 2.0**-10  # drawn floats are multiples of it, so that any order of their sums gives the same bits


@dataclass(frozen=True)
class Options:
    """What a random program is made from, where the profile leaves it open.

    `delays` and `params` name the only values to draw; `edges` the only kinds of edge; `exact` keeps floats
    on a grid on which the order of sums does not matter.
    """

    delays: Sequence[int] | None = None
    params: Mapping[str, Sequence[int]] = field(default_factory=dict)
    edges: Sequence[str] = EDGES
    exact: bool = True
    counts: int | None = None  # most spikes on a line in a tick; None: two more than the profile counts
    cores: int = 3  # at most
    neurons: int = 8  # of one core, at most
    ticks: int = 26  # at most
    aliases: float = 0.3  # share of the neurons that give their spikes to another one
    least_threshold: int | None = None  # None: the profile's


DEFAULT = Options()
CARRIED = Options(aliases=0.0, least_threshold=1)  # what Brian2 can carry of several spikes a tick


class EdgeValues:
    """Draws values, kind by kind of edge, and keeps the tally of the kinds that were taken.

    `only` restricts the kinds, for programs that live at the limits of everything.
    """

    def __init__(self, rng: np.random.Generator, only: Sequence[str] = EDGES) -> None:
        self.rng = rng
        self.only = only
        self.tally: Counter[str] = Counter()

    def integers(
        self, what: str, n: int, low: int, high: int, *, step: int = 1, near: NDArray | None = None
    ) -> NDArray:
        """n multiples of `step` in [low, high] (both multiples themselves), tallied as "what.kind".

        `near` (n,) holds the threshold of each value, in the value's own unit.
        """
        candidates = self._candidates(n, low, high, step)
        if near is not None:
            nearest = (near // step) * step
            moved = {"threshold": nearest, "threshold+1": nearest + step, "threshold-1": nearest - step}
            candidates |= moved
        inside = {kind: (low <= values) & (values <= high) for kind, values in candidates.items()}
        return self._pick(what, n, candidates, inside)

    def floats(self, what: str, n: int, *, near: NDArray | None = None, exact: bool = True) -> NDArray:
        """n real values around 0; multiples of FLOAT_STEP where `exact`, else of full precision."""
        full = _full(n, np.float64)
        power = 2.0 ** self.rng.integers(-8, 2, n)
        power *= self.rng.choice([-1.0, 1.0], n)
        uniform = self.rng.uniform(-1.5, 1.5, n)
        candidates = {
            "zero": full(0), "one": full(1), "minus_one": full(-1),
            "power": power, "power+1": power + FLOAT_STEP, "power-1": power - FLOAT_STEP,
            "uniform": np.round(uniform / FLOAT_STEP) * FLOAT_STEP if exact else uniform,
        }  # fmt: skip
        if near is not None:
            candidates |= {
                "threshold": near,
                "threshold+1": near + FLOAT_STEP,
                "threshold-1": near - FLOAT_STEP,
            }
        return self._pick(what, n, candidates, {kind: np.full(n, True) for kind in candidates})

    def between(self, what: str, n: int, low: float, high: float) -> NDArray:
        """n real values of a range: its ends, its middle, and, where it is positive, spread by magnitude."""
        spread = np.exp(self.rng.uniform(np.log(low), np.log(high), n)) if low > 0 else None
        uniform = self.rng.uniform(low, high, n)
        inside = uniform if spread is None else np.clip(spread, low, high)
        ends = {"min": np.full(n, low), "max": np.full(n, high), "uniform": inside}
        return self._pick(what, n, ends, {kind: np.full(n, True) for kind in ends})

    def choice(self, what: str, n: int, values: Sequence[int]) -> NDArray:
        """n values of a short list, tallied as "what=value"."""
        drawn = self.rng.choice(np.array(values, dtype=np.int64), n)
        self.tally.update(f"{what}={value}" for value in drawn)
        return drawn

    def _candidates(self, n: int, low: int, high: int, step: int) -> dict[str, NDArray]:
        """One value of each kind for each of n places; those outside the range are sorted out later."""
        full = _full(n, np.int64)
        largest = max(abs(low), abs(high), 1)
        power = step * 2 ** self.rng.integers(0, max(int(largest // step).bit_length(), 1), n)
        power *= self.rng.choice([-1, 1], n)
        uniform = low + step * self.rng.integers(0, (high - low) // step + 1, n)
        return {
            "min": full(low), "max": full(high), "min+1": full(low + step), "max-1": full(high - step),
            "zero": full(0), "one": full(step), "minus_one": full(-step),
            "power": power, "power+1": power + step, "power-1": power - step, "uniform": uniform,
        }  # fmt: skip

    def _pick(
        self, what: str, n: int, candidates: Mapping[str, NDArray], inside: Mapping[str, NDArray]
    ) -> NDArray:
        """For each place one of its valid kinds, all alike; the first allowed kind where none is valid."""
        kinds = [kind for kind in candidates if kind in self.only]
        valid = np.array([inside[kind] for kind in kinds])
        score = np.where(valid, self.rng.random(valid.shape), -1.0)
        chosen = score.argmax(axis=0)
        self.tally.update(f"{what}.{kinds[k]}" for k in chosen)
        values: NDArray = np.array([candidates[kind] for kind in kinds])[chosen, np.arange(n)]
        return values


def _full(n: int, kind: type) -> Callable[[float], NDArray]:
    """n times one value."""

    def full(value: float) -> NDArray:
        return np.full(n, value, dtype=kind)

    return full
