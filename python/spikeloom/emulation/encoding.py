"""Encoders: values of input channels become spike counts on input lines.

Lines of a channel stand together: the positive half before the negative one, and in each half the bit planes,
the heaviest first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.errors import EmulationError
from spikeloom.network.projection import Encoding

Array = NDArray[np.float64]


def encode(
    values: ArrayLike,
    encoding: Encoding,
    scale: ArrayLike | None,
    ticks: int,
    *,
    signed: bool = False,
    planes: int = 1,
    trial_seed: int = 0,
    first_sample: int = 0,
    first_line: int = 0,
) -> NDArray[np.uint8]:
    """Spike counts of the lines of one input, (samples, ticks, lines) uint8.

    Parameters
    ----------
    values : (samples, channels) real numbers; (samples, ticks, lines) spike counts where nothing is encoded.
    encoding : "rate": integrate and emit, started half full, so line x has made floor(1/2 + t x) spikes
        after t ticks. "bits": every tick shows the bits of min(rint(x 2^planes), 2^planes - 1), weights 1/2,
        1/4, ... "bernoulli": a spike with probability x in each tick. "spikes": the values are the counts.
        "current": the lines stay silent, the host computes. "constant": there are no values, line k makes
        floor(1/2 + t scale_k) spikes in t ticks.
    scale : (channels,) or one number; x = value * scale, clipped to [-1, 1], or to [0, 1] where not `signed`.
    signed : a channel is a pair of lines for its positive and its negative half.
    trial_seed, first_sample, first_line : what "bernoulli" draws by, beside line, tick and sample.

    >>> encode([[0.5]], "rate", None, 4).ravel().tolist()
    [1, 0, 1, 0]
    >>> encode([[-0.625]], "bits", None, 1, signed=True, planes=3).ravel().tolist()
    [0, 0, 0, 1, 0, 1]
    """
    if encoding == "spikes":
        return _counts(values)
    if encoding == "constant":
        return np.repeat(constant_spikes(scale, ticks)[None], len(np.asarray(values)), axis=0)
    x = halves(scaled(values, scale), signed)
    spikes = np.zeros((len(x), ticks, x.shape[1] * planes), dtype=np.uint8)
    if encoding != "current":
        write_spikes(spikes, 0, x, encoding, planes, (trial_seed, first_sample, first_line))
    return spikes


def scaled(values: ArrayLike, scale: ArrayLike | None) -> Array:
    """(samples, channels) value * scale, not yet clipped."""
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 2:
        raise EmulationError("inputs", "must be (samples, channels)", value=x.shape)
    if not np.isfinite(x).all():
        raise EmulationError("inputs", "hold NaN or infinity")
    return x if scale is None else x * np.asarray(scale, dtype=np.float64)


def halves(x: Array, signed: bool) -> Array:
    """(samples, channels) -> (samples, channels, or a pair a channel) clipped to [0, 1]."""
    if signed:
        x = np.stack([x, -x], axis=-1).reshape(len(x), -1)
    clipped: Array = np.clip(x, 0.0, 1.0)
    return clipped


def write_spikes(
    spikes: NDArray[np.uint8],
    first: int,
    x: Array,
    encoding: Encoding,
    planes: int,
    draw: tuple[int, int, int],
) -> None:
    """Fill the lines from `first` on; x (samples, half channels) in [0, 1], `draw` = (seed, sample, line)."""
    from spikeloom import _core

    x = np.ascontiguousarray(x)
    if encoding == "rate":
        _core.encode_rate(x, spikes, first)
    elif encoding == "bernoulli":
        trial_seed, first_sample, first_line = draw
        if not 0 <= trial_seed < 2**32:
            raise EmulationError("trial_seed", "must be 0 to 2^32 - 1", value=trial_seed)
        _core.encode_bernoulli(x, spikes, first, trial_seed, first_sample, first_line)
    elif encoding == "bits":
        spikes[:, :, first : first + x.shape[1] * planes] = bit_planes(x, planes)[:, None, :]
    else:
        raise EmulationError(f"encoding {encoding}", "is unknown")


def constant_spikes(rates: ArrayLike | None, ticks: int) -> NDArray[np.uint8]:
    """(ticks, lines) spikes of lines that have a rate of their own, spikes a tick; 1 where none is given.

    >>> constant_spikes([2, 0.25], 4).tolist()
    [[2, 0], [2, 1], [2, 0], [2, 0]]
    """
    sums = np.floor(
        0.5 + np.arange(ticks + 1)[:, None] * np.asarray([1.0] if rates is None else rates, np.float64)
    )
    spikes: NDArray[np.uint8] = np.diff(sums, axis=0).astype(np.uint8)
    return spikes


def bit_planes(x: Array, planes: int) -> NDArray[np.uint8]:
    """(samples, lines) in [0, 1] -> (samples, lines * planes) bits of the rounded value, heaviest first."""
    level = np.minimum(np.rint(x * 2.0**planes), 2.0**planes - 1).astype(np.int64)
    shifts = np.arange(planes - 1, -1, -1)
    bits = (level[:, :, None] >> shifts) & 1
    flat: NDArray[np.uint8] = bits.astype(np.uint8).reshape(len(x), -1)
    return flat


def _counts(values: ArrayLike) -> NDArray[np.uint8]:
    counts = np.asarray(values)
    if counts.ndim != 3:
        raise EmulationError("inputs", "must be (samples, ticks, lines) spike counts", value=counts.shape)
    return checked_counts(counts)


def checked_counts(counts: NDArray) -> NDArray[np.uint8]:
    """The same numbers as bytes; EmulationError where one is no whole number from 0 to 255."""
    if counts.dtype == np.uint8 or counts.dtype == np.bool_:
        return counts.astype(np.uint8, copy=False)
    if counts.dtype.kind not in "iuf":
        raise EmulationError("inputs", "must be numbers", value=counts.dtype)
    with np.errstate(invalid="ignore"):
        bytes_ = counts.astype(np.uint8)
    wrong = bytes_ != counts
    if wrong.any():
        raise EmulationError(
            "inputs", "spike counts are whole numbers", value=counts[wrong][0], limit="0 to 255"
        )
    return bytes_
