"""Do two sets of noisy runs come from one distribution? A test that needs no assumption about either.

Trials of one input are exchangeable if both executors have the same law: then the labels "expected" and "got"
may be dealt out anew, and the difference that the true labels make should not stand out among those that
dealt labels make. For each neuron three differences are taken, each scaled by what does not depend on labels:

    rates      mean number of spikes of a trial
    spread     mean squared distance of that number from the mean over all trials
    intervals  largest distance between the two distributions of inter-spike intervals (Kolmogorov-Smirnov)

and, of registers that are read out, `values` and `spread of values`, likewise. The statistic of a test is the
largest difference over the neurons, so its p is already that of all neurons together (Westfall and Young 1993,
max-T). The tests share the level by Bonferroni. Where both laws are equal, a check fails by chance with a
probability of at most the level, whatever the law.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import EmulationError

Array = NDArray[np.float64]
DEALS = 4999  # of labels: the smallest p is 1 / (DEALS + 1)
AT_ONCE = 100  # deals, to save memory
POINTS = 20  # of a neuron's distribution of intervals at which two are compared: its quantiles
FEWEST_TRIALS = 10
TESTS = 5
ROUNDING = 1e-9  # two deals that make the same difference may differ so much in the last bits


@dataclass(frozen=True)
class NoiseTest:
    """One test: its p over all neurons, and where the difference is largest.

    `level` is the share of this test; `sample` and `neuron` (its global number) are where the difference is
    largest, `expected` and `got` the means there: of spikes, of squared distances, of intervals in ticks (steps,
    where the profile divides its tick), or of values.
    """

    name: str
    p: float
    level: float
    sample: int
    neuron: int
    expected: float
    got: float
    trials: int  # of each sample, on the side that has fewer

    @property
    def ok(self) -> bool:
        """Whether the difference may be chance."""
        return self.p > self.level

    def __str__(self) -> str:
        place = f"sample {self.sample}, neuron {self.neuron}"
        means = f"should be {self.expected:.4g} on average, is {self.got:.4g}"
        return f"{self.name} of {place}: {means} (p = {self.p:.4f}, level {self.level:.4f})"


@dataclass(frozen=True, eq=False)
class Trials:
    """What noisy runs did. A neuron that saw several samples is there once for each.

    counts: (trials, neurons) spikes; intervals: (trials, neurons, ticks) how often each inter-spike interval
    occurred; values: (trials, k) of what is read out at the end, `read` the neuron of each.
    """

    counts: Array
    intervals: Array
    values: Array
    read: NDArray

    @classmethod
    def of(cls, spikes: NDArray, values: NDArray, read: NDArray) -> Trials:
        """spikes: (trials, ticks, neurons) counts."""
        trials, ticks, neurons = spikes.shape
        intervals = np.zeros((trials, neurons, ticks))
        trial, neuron, tick = np.nonzero(spikes.transpose(0, 2, 1))
        same = (np.diff(trial) == 0) & (np.diff(neuron) == 0)
        np.add.at(intervals, (trial[1:][same], neuron[1:][same], np.diff(tick)[same]), 1.0)
        return cls(spikes.sum(axis=1).astype(np.float64), intervals, values.astype(np.float64), read)

    @staticmethod
    def joined(parts: Sequence[Trials]) -> Trials:
        """Trials of several samples as trials of them all."""
        size = parts[0].counts.shape[1]
        return Trials(
            np.concatenate([part.counts for part in parts], axis=1),
            np.concatenate([part.intervals for part in parts], axis=1),
            np.concatenate([part.values for part in parts], axis=1),
            np.concatenate([part.read + k * size for k, part in enumerate(parts)]),
        )


def compare_trials(
    expected: Trials, got: Trials, *, neurons: int, level: float, seed: int
) -> tuple[NoiseTest, ...]:
    """Test whether two sets of runs have one distribution.

    neurons: of the program; seed: deals the labels. What never occurs, such as intervals where nothing spikes, has
    no test. Raises EmulationError for a level out of range, too few trials, or where there is nothing to compare.
    """
    first, trials = len(expected.counts), len(expected.counts) + len(got.counts)
    check_plan(min(first, trials - first), level)
    features = _features(expected, got)
    if not features:
        raise EmulationError("comparison", "is empty", remedy="give inputs that make spikes")
    deals = _deals(trials, first, np.random.default_rng(seed))
    return tuple(_tested(feature, deals, level / len(features), neurons) for feature in features)


def check_plan(trials: int, level: float) -> None:
    """Raises EmulationError where so few trials could not fail a test, or the level is no probability."""
    if not TESTS / (DEALS + 1) <= level < 1.0:
        raise EmulationError("level", "is no level at which a test can fail", value=level,
                             limit=f"from {TESTS / (DEALS + 1)} to below 1")  # fmt: skip
    if isinstance(trials, bool) or not isinstance(trials, int | np.integer) or trials < FEWEST_TRIALS:
        raise EmulationError("trials", "must be a whole number, enough to tell distributions apart", value=trials,
                             limit=f"at least {FEWEST_TRIALS}")  # fmt: skip


class _Feature(Protocol):
    """What one test compares, at a number of places: neurons, or values that are read."""

    name: str
    neuron: NDArray  # of each place

    def differences(self, deals: Array) -> Array:
        """(deals, trials), 1 where a trial is called "got" -> (deals, places)."""

    def mean(self, of: NDArray, place: int) -> float:
        """Over the trials of a mask."""


class _Mean:
    """The mean of a number that each trial has, (trials, places)."""

    def __init__(self, name: str, numbers: Array, neuron: NDArray) -> None:
        self.name, self.numbers, self.neuron = name, numbers, neuron
        spread = numbers.std(axis=0)
        self._scaled = (numbers - numbers.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)

    def differences(self, deals: Array) -> Array:
        got = deals.sum(axis=1, keepdims=True)
        return np.asarray(np.abs(deals @ self._scaled) * (1.0 / got + 1.0 / (deals.shape[1] - got)))

    def mean(self, of: NDArray, place: int) -> float:
        return float(self.numbers[of, place].mean())


class _Intervals:
    """The distribution of intervals, (trials, neurons, ticks); compared at quantiles of all of them together."""

    name = "intervals"

    def __init__(self, occurred: Array) -> None:
        self.occurred = occurred
        self.neuron = np.arange(occurred.shape[1])
        everything = occurred.sum(axis=0).cumsum(axis=1)
        wanted = everything[:, -1:] * np.arange(1, POINTS + 1) / POINTS
        points = (everything[:, None, :] < wanted[:, :, None]).sum(axis=2)  # (neurons, POINTS)
        points = np.minimum(points, occurred.shape[2] - 1)
        below = occurred.cumsum(axis=2)
        self._below = np.take_along_axis(below, points[None], axis=2)  # (trials, neurons, POINTS)
        self._all = np.take_along_axis(everything, points, axis=1)

    def differences(self, deals: Array) -> Array:
        flat = self._below.reshape(len(self._below), -1)
        got = (deals @ flat).reshape(len(deals), *self._all.shape)
        expected = self._all - got
        n, m = got[:, :, -1], expected[:, :, -1]
        distance = np.abs(got / np.maximum(n, 1.0)[..., None] - expected / np.maximum(m, 1.0)[..., None])
        return np.asarray(distance.max(axis=2) * np.sqrt(n * m / np.maximum(n + m, 1.0)))

    def mean(self, of: NDArray, place: int) -> float:
        occurred = self.occurred[of, place].sum(axis=0)
        return float((occurred @ np.arange(len(occurred))) / max(occurred.sum(), 1.0))


def _features(expected: Trials, got: Trials) -> list[_Feature]:
    """The tests for which there is anything to compare."""
    counts = np.concatenate([expected.counts, got.counts])
    values = np.concatenate([expected.values, got.values])
    intervals = np.concatenate([expected.intervals, got.intervals])
    found: list[_Feature] = []
    if counts.any():
        found += _moments("rates", "spread", counts, np.arange(counts.shape[1]))
    if intervals.any():
        found.append(_Intervals(intervals))
    if values.shape[1]:
        found += _moments("values", "spread of values", values, expected.read)
    return found


def _moments(mean: str, spread: str, numbers: Array, neuron: NDArray) -> list[_Feature]:
    """Of a number, and of its squared distance from the mean over both sides, which no label changes."""
    squares = (numbers - numbers.mean(axis=0)) ** 2
    return [_Mean(mean, numbers, neuron), _Mean(spread, squares, neuron)]


def _deals(trials: int, first: int, rng: np.random.Generator) -> Array:
    """(1 + DEALS, trials): the true labels, then dealt ones; 1 is "got"."""
    true = (np.arange(trials) >= first).astype(np.float64)
    return np.concatenate([true[None], rng.permuted(np.tile(true, (DEALS, 1)), axis=1)])


def _tested(feature: _Feature, deals: Array, level: float, neurons: int) -> NoiseTest:
    """How many of the deals make so large a difference somewhere as the true labels make."""
    parts = [feature.differences(deals[k : k + AT_ONCE]) for k in range(0, len(deals), AT_ONCE)]
    true, largest = parts[0][0], np.concatenate([part.max(axis=1) for part in parts])
    p = float((largest >= largest[0] * (1.0 - ROUNDING)).mean())  # the true labels count as a deal
    place = int(true.argmax())
    got = deals[0] > 0.0
    sample, neuron = divmod(int(feature.neuron[place]), neurons)
    means = feature.mean(~got, place), feature.mean(got, place)
    trials = int(min(got.sum(), (~got).sum()))
    return NoiseTest(feature.name, p, level, sample, neuron, *means, trials)
