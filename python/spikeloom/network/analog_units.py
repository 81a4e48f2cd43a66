"""Ranges of analog neurons that integrate: weights, currents, thresholds and the leak of the membrane."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikeloom.network.chip_units import HEADROOM, highest_threshold, largest_bias, usual_value, weight_unit
from spikeloom.profile.linear_operations import Linear
from spikeloom.profile.operations import Clip
from spikeloom.profile.schema import Profile

Array = NDArray[np.float64]


def weight_sizes(
    profile: Profile, weights: Array, peak: Array, constant: Array, *, readout: bool, area: float = 1.0
) -> Array:
    """(m,) by what an output's weights and threshold are divided, so that all stays in the chip's range.

    weights: (n, m), peak, constant: (m,) largest current of a tick and its constant part, all in threshold units;
    for a readout, which must never fire, the peak is that of the sum. area: sources of a mean, each of which brings
    as much as the mean of all, so that the threshold is so much higher.
    """
    sizes = [np.full(len(peak), 1e-12)]
    if profile.weights.limit is not None:
        sizes.append(np.abs(weights).max(axis=0) / profile.weights.limit)
    highest, unit = highest_threshold(profile), weight_unit(profile) * area
    if readout and highest is not None:
        sizes.append(unit * peak / (HEADROOM * highest))
    sizes.append(area * peak / (HEADROOM * _current_limit(profile)))
    sizes.append(unit * np.abs(constant) / largest_bias(profile))
    largest: Array = np.max(sizes, axis=0)
    return np.maximum(largest, 0.0 if highest is None else unit / highest)


def slowest_leak(profile: Profile) -> dict[str, float]:
    """The longest time constant of the membrane, where it decays by itself and the program sets how fast."""
    found = {}
    for operation in profile.operation:
        if isinstance(operation, Linear) and operation.states == (profile.fire.reg,):
            param = profile.params.get(str(operation.taus[0]))
            if param is not None and param.max is not None:
                found[str(operation.taus[0])] = param.max
    return found


def _current_limit(profile: Profile) -> float:
    """Largest current of one tick before an accumulator is cut off."""
    limits = [np.inf]
    for operation in profile.operation:
        if isinstance(operation, Clip) and operation.reg in profile.delivery.into:
            for operand in (operation.min, operation.max):
                if operand is not None:
                    limits.append(abs(usual_value(profile, operand)))
    return min(limits)
