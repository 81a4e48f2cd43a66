"""Weights, thresholds and biases of a NIR graph as codes: one scale a population, the finest that the chip has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, log2

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import NetworkError
from spikeloom.flows.nir.linear import Link
from spikeloom.flows.nir.neurons import Neurons
from spikeloom.network.chip_units import (
    FINEST_THRESHOLD,
    HEADROOM,
    accumulator_limit,
    bias_codes,
    exponent_name,
    largest_bias,
    threshold_name,
)
from spikeloom.network.fidelity import Fidelity
from spikeloom.profile.schema import Profile
from spikeloom.profile.weights import effective_weights, mode_names, weight_levels

Array = NDArray[np.float64]
OWN_EXPONENTS = 0.5  # outputs get exponents of their own where that leaves less than this share of the error


@dataclass(frozen=True, eq=False)
class Codes:
    """Codes of one projection with their shared values, and what they are worth in LSB."""

    codes: NDArray
    shared: dict[str, int | NDArray]
    worth: Array


def population_scale(neurons: Neurons, links: Sequence[Link], bias: Array, profile: Profile) -> float:
    """LSB of the membrane per unit of NIR's v.

    As large as the threshold, the bias, the largest weight and the accumulators allow; the exporter's own, where
    the file carries it.
    """
    given = neurons.metadata.get("lsb_per_unit")
    if given is not None:
        return float(np.asarray(given))
    if profile.weights.formula == "float":
        return 1.0
    weights = [membrane_weights(link, neurons) for link in links]
    summed = sum(float(np.abs(w).reshape(-1, w.shape[-1]).sum(axis=0).max()) for w in weights)
    param = profile.params[threshold_name(profile)]
    finest = min(param.max or FINEST_THRESHOLD, FINEST_THRESHOLD) * 2.0**param.shift
    rooms = (
        (finest, float(neurons.threshold.max())), (HEADROOM * accumulator_limit(profile), summed),
        (largest_bias(profile), float(np.abs(bias).max())),
    )  # fmt: skip
    scale = min((room / size for room, size in rooms if size > 0), default=1.0)
    widest = min((_widest(w, profile) for w in weights), default=np.inf)
    if not np.isfinite(widest):
        return scale if np.isfinite(scale) else 1.0
    if not exponent_name(profile):
        return min(scale, widest)
    # An exponent less for each factor of two, so that the largest weight keeps the largest code.
    return widest / 2.0 ** max(0, ceil(log2(widest / scale) - 1e-9))


def _widest(weights: Array, profile: Profile) -> float:
    """The largest factor at which a mode holds all weights, at the largest exponent."""
    high, low, found = float(weights.max(initial=0.0)), float(weights.min(initial=0.0)), 0.0
    for least, most in _ranges(profile):
        rooms = [float(end) / size for end, size in ((most, high), (least, low)) if size != 0]
        found = max(found, min(rooms, default=np.inf))
    return found


def membrane_weights(link: Link, neurons: Neurons) -> Array:
    """Weights of a link in units of v: what a spike adds to the membrane. A mean over a window is a sum of shares."""
    layer = link.layer
    positions = layer.positions
    gain = neurons.gain.reshape(positions, -1) if layer.is_convolution else neurons.gain
    per_output = gain[0] if layer.is_convolution else gain
    if layer.is_convolution and not (gain == per_output).all():
        raise NetworkError(f"node {neurons.name!r}", "its neurons differ over the image, and a kernel is shared",
                           remedy="give all neurons of a channel the same r, tau and w_in")  # fmt: skip
    return layer.weights * per_output / float(np.prod(layer.input_pool))


def weight_codes(weights: Array, profile: Profile) -> Codes:
    """The codes nearest to these weights in LSB, in the mode with the least squared error.

    All outputs share one exponent, unless exponents of their own are far better.
    """
    if profile.weights.formula == "float":
        return Codes(weights, {}, weights)
    return min(
        (_of_mode(weights, mode, profile) for mode in mode_names(profile.weights)), key=lambda found: found[0]
    )[1]


def _of_mode(weights: Array, mode: str, profile: Profile) -> tuple[float, Codes]:
    """(squared error, codes) at the best exponents of one mode."""
    tried = [_rounded(weights, mode, exponent, profile) for exponent in _exponents(profile)]
    errors = np.stack(
        [((found.worth - weights) ** 2).reshape(-1, weights.shape[-1]).sum(axis=0) for found in tried]
    )
    best = int(errors.sum(axis=1).argmin())
    each = errors.argmin(axis=0)
    if errors.min(axis=0).sum() >= OWN_EXPONENTS * errors[best].sum():
        return float(errors[best].sum()), tried[best]
    codes, worth = (
        _per_output([getattr(found, part) for found in tried], each) for part in ("codes", "worth")
    )
    name = exponent_name(profile)
    exponents = np.array([found.shared[name] for found in tried])[each]
    return float(errors.min(axis=0).sum()), Codes(codes, {name: exponents}, worth)


def _rounded(weights: Array, mode: str, exponent: int | None, profile: Profile) -> Codes:
    low, high, step = weight_levels(profile.weights, mode)
    shared: dict[str, int | NDArray] = {} if exponent is None else {exponent_name(profile): exponent}
    unit = _unit(profile, exponent)
    codes = np.clip(np.rint(weights / unit / step) * step, low, high).astype(np.int64)
    return Codes(codes, shared, effective_weights(profile.weights, codes, shared).astype(np.float64))


def _per_output(tried: list[NDArray], each: NDArray) -> NDArray:
    """Of several arrays (..., outputs), each output's from the one that it chose."""
    chosen = np.empty_like(tried[0])
    for k, array in enumerate(tried):
        chosen[..., each == k] = array[..., each == k]
    return chosen


def _unit(profile: Profile, exponent: int | None) -> float:
    """LSB of the code 1, in a register that would hold fractions."""
    exponent = exponent or 0
    if profile.weights.formula == "mant_exp":
        return float(2.0 ** (profile.weights.unit_shift + exponent))
    return float(2.0**exponent)


def _exponents(profile: Profile) -> list[int | None]:
    rules = profile.weights.shared
    return list(range(rules[0].max, rules[0].min - 1, -1)) if rules else [None]


def _ranges(profile: Profile) -> Iterator[NDArray]:
    """Of each mode, the worth of its lowest and highest code at the largest exponent."""
    exponent = _exponents(profile)[0]
    shared = {} if exponent is None else {exponent_name(profile): exponent}
    for mode in mode_names(profile.weights):
        low, high, _ = weight_levels(profile.weights, mode)
        yield effective_weights(profile.weights, [low, high], shared)


def threshold_registers(
    neurons: Neurons, scale: float, profile: Profile
) -> tuple[dict[str, NDArray], Fidelity]:
    """Codes at which a neuron fires above its threshold, as NIR says: v > threshold.

    Where the chip fires at the threshold already, an integer is one higher, and a real number the next one.
    """
    name, at_it = threshold_name(profile), profile.fire.cmp != "gt"
    param = profile.params[name]
    wanted = neurons.threshold * scale
    if profile.is_analog:
        return {name: np.nextafter(wanted, np.inf) if at_it else wanted}, Fidelity(
            f"population {neurons.name}", "threshold", neurons.threshold, wanted, wanted / scale)  # fmt: skip
    unit = 2.0**param.shift
    codes = np.rint((np.floor(wanted) + 1 if at_it else wanted) / unit)
    low, high = max(1.0, param.min or 0.0), param.max if param.max is not None else np.inf
    codes = np.clip(codes, low, high)
    reached = (codes * unit - (1 if at_it and unit == 1 else 0)) / scale
    row = Fidelity(f"population {neurons.name}", "threshold", neurons.threshold, codes, reached)
    return {name: codes.astype(np.int64)}, row


def bias_registers(
    neurons: Neurons, bias: Array, scale: float, profile: Profile
) -> tuple[dict[str, NDArray], Fidelity]:
    """Codes of the constant input, in units of v a tick.

    Raises NetworkError where the chip has no bias, and one is asked for.
    """
    owner = f"population {neurons.name}"
    codes = bias_codes(bias * scale, profile)
    if not codes:
        if bias.any():
            problem, remedy = f"needs a bias, which {profile.name} does not have", "choose another profile"
            raise NetworkError(owner, problem, value=float(np.abs(bias).max()), remedy=remedy)
        return {}, Fidelity(owner, "bias", bias, bias, bias)
    name = str(profile.bias.param)
    param = profile.params[name]
    shift = codes.get(f"{name}_exp", param.shift if param.format == "shift" else 0)
    register = codes[name] * 2.0 ** np.asarray(shift, dtype=np.float64)
    return codes, Fidelity(owner, "bias", bias, codes[name], register / scale)
