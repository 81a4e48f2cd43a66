"""Neurons that add and subtract whole spikes, one spike for one threshold: nothing of them is fitted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_array, sparray

from spikeloom.errors import FitError
from spikeloom.network.analog_units import slowest_leak
from spikeloom.network.chip_layer import ChipLayer
from spikeloom.network.chip_units import exponent_name, threshold_name, weight_unit
from spikeloom.profile.schema import Profile

MARGIN = 2.0**-10  # that a weight is above the threshold on a chip of real numbers, where it must be above


def wired_layer(name: str, maps: Sequence[sparray], profile: Profile, largest_code: float) -> ChipLayer:
    """A layer whose neurons fire once for each spike that the sum of their sources grows by.

    maps: for each source (its neurons, neurons) of whole numbers. largest_code: of a weight of both signs. The
    weight lies just over the threshold where a chip fires above it only, and on it else; the potential starts at 0.
    """
    code = 1.0 if profile.is_analog else largest_code
    weight = code * (1.0 if profile.is_analog else weight_unit(profile))
    threshold = _threshold(profile, weight)
    size = maps[0].shape[1]
    codes = tuple(_codes(weights, code, profile) for weights in maps)
    kind = np.float64 if profile.is_analog else np.int32
    shared = {exponent_name(profile): 0} if exponent_name(profile) else {}
    params = {threshold_name(profile): np.full(size, threshold, dtype=kind)}
    params |= {name: np.full(size, value) for name, value in slowest_leak(profile).items()}
    return ChipLayer(name, codes, shared, params, {}, np.full(size, weight))


def _codes(weights: sparray, code: float, profile: Profile) -> sparray:
    matrix = coo_array(weights * code)
    return matrix if profile.is_analog else matrix.astype(np.int32)


def _threshold(profile: Profile, weight: float) -> float:
    """The largest threshold code that one spike makes fire."""
    above = getattr(profile.fire, "cmp", "ge") == "gt"
    if profile.is_analog:
        return weight * (1.0 - MARGIN) if above else weight
    param = profile.params[threshold_name(profile)]
    threshold = (int(weight) - above) >> param.shift
    if not (param.min or 0) <= threshold <= (param.max or threshold):
        raise FitError(f"profile {profile.name}", "has no threshold that a single spike reaches", value=threshold,
                       limit=(param.min, param.max), remedy="use average pooling")  # fmt: skip
    return threshold
