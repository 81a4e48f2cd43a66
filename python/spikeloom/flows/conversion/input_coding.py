"""How input values become spikes or currents: scale of each channel, pairs for negative values, bit planes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import AnnLayer
from spikeloom.errors import AnnError, FitError
from spikeloom.network.chip_units import can_weigh_planes, host_can_drive
from spikeloom.profile.schema import Profile

Array = NDArray[np.float64]
InputEncoding = Literal["rate", "bits", "current"]
FEW_TICKS = 16  # below this many ticks a spike train is too coarse for an input value
PLANES = 6  # bits of an input value in the encoding "bits"
ALIKE = 0.5  # channels whose median peak exceeds this share of the largest peak share one scale


@dataclass(frozen=True, eq=False)
class InputCoding:
    """The coding of a network's input, and its first layer rewritten to act on the coded lines.

    scale: (channels,) value * scale lies in [-1, 1] on the calibration rows
    signed: a channel has a positive and a negative half: a pair of lines, where the input becomes spikes
    planes: lines of each (half) channel
    layer: the first layer, acting on the halves
    """

    encoding: InputEncoding
    scale: Array
    signed: bool
    planes: int
    layer: AnnLayer

    @property
    def size(self) -> int:
        """Input lines; channels, where the host computes the first layer's current."""
        return self.scale.size if self.by_host else self.scale.size * (2 if self.signed else 1) * self.planes

    @property
    def by_host(self) -> bool:
        """The host computes the first layer's current."""
        return self.encoding == "current"

    @property
    def line_scale(self) -> float | Array:
        """Rate of a line per unit of its value: one number, or (n,) where channels differ."""
        scale = np.repeat(self.scale, 2) if self.signed else self.scale
        return float(scale[0]) if np.ptp(scale) == 0 else scale

    def halves(self, x: Array) -> Array:
        """(N, channels) values -> (N, channels or 2 channels) non-negative values, as `layer` takes them."""
        if not self.signed:
            return x
        pairs: Array = np.stack([np.maximum(x, 0), np.maximum(-x, 0)], axis=-1)
        return pairs.reshape(len(x), -1)

    def values(self, x: Array) -> Array:
        """(N, channels) values -> what the lines carry a tick on average, in [0, 1]."""
        coded = np.clip(self.halves(x * self.scale), 0.0, 1.0)
        if self.encoding != "bits":
            return coded
        steps = 2.0**self.planes
        rounded: Array = np.minimum(np.rint(coded * steps), steps - 1) / steps
        return rounded


def choose_coding(
    first: AnnLayer, x: Array, profile: Profile, encoding: InputEncoding | None, ticks: int
) -> InputCoding:
    """The coding for these calibration values x (N, channels), already flattened, before the first layer.

    Raises AnnError where an input never differs from 0.
    """
    peaks = np.abs(x).max(axis=0)
    if peaks.max() == 0:
        raise AnnError(f"input of {first.name}", "is 0 in every calibration row", remedy="give real data")
    shared = first.is_convolution or first.input_pool != (1, 1) or np.median(peaks) > ALIKE * peaks.max()
    scale = (
        np.full(peaks.shape, 1.0 / peaks.max()) if shared else 1.0 / np.where(peaks > 0, peaks, peaks.max())
    )
    signed = bool((x < 0).any())
    chosen = encoding or _default_encoding(profile, x.shape[1] * (2 if signed else 1), ticks)
    if chosen == "current" and not host_can_drive(profile):
        raise FitError(f"profile {profile.name}", "has no bias through which the host could write a layer's current",
                       remedy='use the encoding "rate"')  # fmt: skip
    planes = PLANES if chosen == "bits" else 1
    return InputCoding(chosen, scale, signed, planes, _on_halves(first) if signed else first)


def _default_encoding(profile: Profile, lines: int, ticks: int) -> InputEncoding:
    if ticks >= FEW_TICKS:
        return "rate"
    if not can_weigh_planes(profile):
        return "current" if host_can_drive(profile) else "rate"
    axons = profile.limits.in_axons_per_core
    return "bits" if axons is None or lines * PLANES <= axons else "current"


def _on_halves(layer: AnnLayer) -> AnnLayer:
    """The layer with every input channel split into a positive and a negative half."""
    pairs = np.stack([layer.weights, -layer.weights], axis=1)
    *image, channels = layer.input_shape
    return replace(
        layer, weights=pairs.reshape(-1, *layer.weights.shape[1:]), input_shape=(*image, 2 * channels)
    )
