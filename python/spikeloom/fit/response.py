"""The measured response of a neuron as a strictly increasing, piecewise linear curve.

Currents are in threshold units per tick (the threshold is 1), rates in spikes per tick. The antiderivative of
the curve and its convex conjugate are exact piecewise quadratics; together they are the matching
(Fenchel-Young) loss G(I) + G*(rho) - rho I, which is zero exactly where the neuron fires at the wanted
rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.errors import FitError

Array = NDArray[np.float64]

STEEPEST = 4.0  # cap on the slope, as a multiple of the median slope (one steep knot would slow every solve)
FLATTEST = 1e-4  # floor of the slope, likewise: keeps the curve invertible and the conjugate finite
SILENT = 1e-3  # a rate below this share of r_max counts as no firing when the curve is anchored


@dataclass(frozen=True, eq=False)
class Response:
    """Monotone response g of a neuron: mean input current -> spikes per tick.

    currents: (k,) knots, strictly increasing, threshold units per tick
    rates: (k,) values at the knots, strictly increasing, spikes per tick
    slope_below, slope_above: slopes > 0 outside the knots, so that g maps all reals onto all reals

    >>> g = Response.clipped(r_max=1.0, slope=2.0, threshold=0.1)
    >>> g.rate(np.array([0.1, 0.35])).round(3).tolist()
    [0.0, 0.5]
    >>> g.current(np.array([0.5])).round(3).tolist()
    [0.35]
    """

    currents: Array
    rates: Array
    slope_below: float
    slope_above: float

    def __post_init__(self) -> None:
        currents = np.array(self.currents, dtype=np.float64).ravel()
        rates = np.array(self.rates, dtype=np.float64).ravel()
        object.__setattr__(self, "currents", currents)
        object.__setattr__(self, "rates", rates)
        if currents.size != rates.size or currents.size < 2:
            raise FitError(
                "response", "needs at least two knots, as many currents as rates", value=currents.size
            )
        if not (np.isfinite(currents).all() and np.isfinite(rates).all()):
            raise FitError("response", "has knots that are not finite")
        if (np.diff(currents) <= 0).any() or (np.diff(rates) <= 0).any():
            raise FitError(
                "response", "is not strictly increasing", remedy="build it with Response.from_pairs"
            )
        for slope in (self.slope_below, self.slope_above):
            if not (np.isfinite(slope) and slope > 0):
                raise FitError("response", "needs positive slopes outside its knots", value=slope)

    @classmethod
    def linear(cls) -> Response:
        """The identity on all reals: an output that is read as accumulated current."""
        return cls(np.array([0.0, 1.0]), np.array([0.0, 1.0]), 1.0, 1.0)

    @classmethod
    def clipped(cls, r_max: float, slope: float = 1.0, threshold: float = 0.0) -> Response:
        """A straight line from (threshold, 0) to r_max; outside, its slope is FLATTEST times as steep."""
        knots = np.array([threshold, threshold + r_max / slope])
        return cls(knots, np.array([0.0, r_max]), FLATTEST * slope, FLATTEST * slope)

    @classmethod
    def from_pairs(cls, currents: ArrayLike, rates: ArrayLike, r_max: float, *, bins: int = 32) -> Response:
        """The response through measured pairs of mean current and rate (any shape, flattened).

        Pairs are averaged in bins (evenly spaced and quantile edges together), made monotone by isotonic
        regression, their slope is capped at STEEPEST times the median slope and kept above FLATTEST times it.
        Outside the measured range the curve goes on at the median slope until it meets 0 or r_max.

        Raises FitError where the pairs are not finite, or show no rising rate.
        """
        current, rate = _checked_pairs(currents, rates, r_max)
        x, y = _binned_isotonic(current, np.clip(rate, 0.0, r_max), bins)
        slopes = np.diff(y) / np.diff(x)
        if slopes.max() <= 1e-6 * r_max / max(np.ptp(x), 1e-12):
            raise FitError(
                "response",
                "the measured rates do not rise with the current",
                value=float(y.max()),
                remedy="measure with larger currents",
            )
        typical = _median_slope(slopes, np.diff(y))
        x, y = _extended(x, y, typical, r_max)
        y = _capped(x, y, (STEEPEST - FLATTEST) * typical)
        silent = np.flatnonzero(y <= SILENT * r_max)
        anchor = x[silent[-1]] if silent.size else x[0]
        y = y + FLATTEST * typical * (x - anchor)
        return cls(x, y, FLATTEST * typical, FLATTEST * typical)

    def rate(self, current: Array) -> Array:
        """g: spikes per tick at these currents (any shape)."""
        k = self._segment(current)
        result: Array = self._padded_rates[k] + self._slopes[k] * (current - self._padded_currents[k])
        return result

    def slope(self, current: Array) -> Array:
        """g', the one-sided derivative from the right."""
        result: Array = self._slopes[self._segment(current)]
        return result

    def rate_and_slope(self, current: Array) -> tuple[Array, Array]:
        """g and g' with one search of the knots."""
        k = self._segment(current)
        slope = self._slopes[k]
        return self._padded_rates[k] + slope * (current - self._padded_currents[k]), slope

    def current(self, rate: Array) -> Array:
        """The inverse of g: the current that gives these rates."""
        k = np.searchsorted(self.rates, rate, side="right")
        result: Array = self._padded_currents[k] + (rate - self._padded_rates[k]) / self._slopes[k]
        return result

    def integral(self, current: Array) -> Array:
        """G, the antiderivative of g that is 0 at the first knot."""
        k = self._segment(current)
        step = current - self._padded_currents[k]
        result: Array = self._areas[k] + step * (self._padded_rates[k] + 0.5 * self._slopes[k] * step)
        return result

    def conjugate(self, rate: Array) -> Array:
        """G*(rho) = max over I of rho I - G(I), attained at I = g^-1(rho)."""
        best = self.current(rate)
        result: Array = rate * best - self.integral(best)
        return result

    @cached_property
    def max_slope(self) -> float:
        """The largest slope: a Lipschitz constant of g."""
        return float(self._slopes.max())

    @cached_property
    def typical_slope(self) -> float:
        """The median slope of the segments that are not flat."""
        rising = self._slopes[self._slopes > 2.0 * FLATTEST * self.max_slope]
        return float(np.median(rising)) if rising.size else self.max_slope

    @property
    def is_line(self) -> bool:
        """Whether g is the identity."""
        return bool((self._slopes == 1.0).all() and (self.rates == self.currents).all())

    def _segment(self, current: Array) -> NDArray[np.intp]:
        """0 below the first knot, i from knot i - 1 on (the padded arrays below are indexed by it)."""
        return np.searchsorted(self.currents, current, side="right")

    @cached_property
    def _padded_currents(self) -> Array:
        return np.concatenate((self.currents[:1], self.currents))

    @cached_property
    def _padded_rates(self) -> Array:
        return np.concatenate((self.rates[:1], self.rates))

    @cached_property
    def _slopes(self) -> Array:
        inner = np.diff(self.rates) / np.diff(self.currents)
        return np.concatenate(([self.slope_below], inner, [self.slope_above]))

    @cached_property
    def _areas(self) -> Array:
        area = 0.5 * np.diff(self.currents) * (self.rates[1:] + self.rates[:-1])
        return np.concatenate(([0.0, 0.0], np.cumsum(area)))


def _checked_pairs(currents: ArrayLike, rates: ArrayLike, r_max: float) -> tuple[Array, Array]:
    current = np.asarray(currents, dtype=np.float64).ravel()
    rate = np.asarray(rates, dtype=np.float64).ravel()
    if current.size != rate.size or current.size < 2:
        raise FitError(
            "response", "needs at least two pairs of current and rate", value=current.size, limit=2
        )
    if not (np.isfinite(current).all() and np.isfinite(rate).all()):
        raise FitError("response", "measured currents or rates are not finite")
    if not (np.isfinite(r_max) and r_max > 0):
        raise FitError("response", "r_max must be a positive number", value=r_max)
    return current, rate


def _binned_isotonic(current: Array, rate: Array, bins: int) -> tuple[Array, Array]:
    """Bin means of the pairs, monotone: (x, y), both increasing, y not strictly."""
    from scipy.optimize import isotonic_regression

    even = np.linspace(current.min(), current.max(), bins + 1)
    edges = np.unique(np.concatenate((even, np.quantile(current, np.linspace(0.0, 1.0, bins + 1)))))
    index = np.clip(np.searchsorted(edges, current, side="right") - 1, 0, max(edges.size - 2, 0))
    count = np.bincount(index)
    used = count > 0
    x = np.bincount(index, current)[used] / count[used]
    y = np.bincount(index, rate)[used] / count[used]
    # Two bin means closer than rounding would make a slope without meaning.
    apart = np.concatenate(([True], np.diff(x) > 1e-9 * max(1.0, float(np.ptp(current)))))
    x, y, weight = x[apart], y[apart], count[used][apart].astype(np.float64)
    if x.size < 2:
        raise FitError(
            "response",
            "was measured at one current only",
            value=float(current[0]),
            remedy="measure over a range of currents",
        )
    return x, np.asarray(isotonic_regression(y, weights=weight).x, dtype=np.float64)


def _median_slope(slopes: Array, rises: Array) -> float:
    """The slope at which half of the whole rise has come: flat stretches, however many, do not count."""
    order = np.argsort(slopes, kind="stable")
    share = np.cumsum(rises[order])
    return float(slopes[order[np.searchsorted(share, 0.5 * share[-1])]])


def _extended(x: Array, y: Array, slope: float, r_max: float) -> tuple[Array, Array]:
    """Add the knots where the curve, going on at this slope, meets 0 and r_max."""
    if y[0] > SILENT * r_max:
        x, y = np.concatenate(([x[0] - y[0] / slope], x)), np.concatenate(([0.0], y))
    if y[-1] < (1.0 - SILENT) * r_max:
        x, y = np.append(x, x[-1] + (r_max - y[-1]) / slope), np.append(y, r_max)
    return x, y


def _capped(x: Array, y: Array, cap: float) -> Array:
    """The mean of the largest curve below and the smallest curve above y whose slopes stay within cap."""
    reach = cap * np.abs(x[:, None] - x[None, :])
    upper = np.max(y[None, :] - reach, axis=1)
    lower = np.min(y[None, :] + reach, axis=1)
    capped: Array = 0.5 * (upper + lower)
    return capped
