"""Channels brought to alike peaks before the conversion, so that weak ones are not lost in the counting of spikes.

A layer has one scale from activations to rates, and its strongest channel sets it. Where others stay far below, as
they do behind a folded batch normalisation, they would send a spike or two in a window. A channel's activation is
multiplied by a gain and its weights in the layers behind are divided by it, which changes nothing in numbers. For
quantised networks this is cross-layer equalisation (Nagel and others 2019); for spiking ones, channel-wise
normalisation (Kim and others 2020). Dense layers are left alone: a unit there is one neuron among many that are
read together, and measured networks gained nothing.

With few ticks that is otherwise: a neuron has only as many levels as it can send spikes, and each unit, of dense
layers too, gets the size at which counting in them costs it least; that of
a clipped rectifier is its largest activation: its neuron then stops where it stops, and not before.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import AnnLayer
from spikeloom.flows.conversion.pools.max_pool import Wired
from spikeloom.flows.conversion.spiking_units import INPUT, SpikingUnits

Array = NDArray[np.float64]
PEAK = 99.9  # percentile of a channel's activations over rows and positions that counts as its peak
MOST = 16.0  # gain of a channel that hardly answers at all: more would only make noise of it


SHARES = np.linspace(0.2, 1.0, 17)  # of its largest activation, tried as a unit's size


def balanced(units: SpikingUnits, levels: float | None = None) -> SpikingUnits:
    """The same network with alike peaks; the last layer, whose answers are the network's, and the input stay.

    levels: spikes that a neuron can send in its window, where these are few
    """
    gains: dict[str, Array] = {INPUT: np.ones(1)}
    layers: list[AnnLayer | Wired] = []
    preactivations, answers = [], []
    for layer, z, a in zip(units.layers, units.preactivations, units.answers, strict=True):
        if isinstance(layer, Wired):  # it takes from units of one channel, which are alike already
            gain = gains[next(iter(layer.maps))]
        else:
            gain = np.ones(1) if layer is units.layers[-1] else _gains(layer, a, levels)
            layer = _rescaled(layer, gain, gains)
        gains[layer.name] = gain
        layers.append(layer)
        preactivations.append(_times(z, gain))
        answers.append(_times(a, gain))
    return replace(units, layers=tuple(layers), preactivations=tuple(preactivations), answers=tuple(answers),
                   gains=gains)  # fmt: skip


def unit_sizes(activations: Array, levels: float) -> Array:
    """(m,) for each unit the size at which counting its activations (N, m) costs the least squared error.

    What lies above the size is cut, what lies below is rounded to one of so many levels; 0 where all are 0.
    """
    peaks = activations.max(axis=0)
    sizes, least = peaks, np.full(peaks.shape, np.inf)
    for share in SHARES:
        step = np.where(peaks > 0, share * peaks / levels, 1.0)
        counted = np.minimum(np.floor(activations / step + 0.5), levels) * step
        error = ((counted - activations) ** 2).mean(axis=0)
        sizes, least = np.where(error < least, share * peaks, sizes), np.minimum(error, least)
    return np.asarray(sizes)


def _gains(layer: AnnLayer, answers: Array, levels: float | None) -> Array:
    """(outputs,) what brings each channel's peak to the layer's largest; 1 where it never answers."""
    if levels is None and not layer.is_convolution:
        return np.ones(1)
    by_channel = answers.reshape(-1, len(layer.bias))
    peaks = np.percentile(by_channel, PEAK, axis=0) if levels is None else unit_sizes(by_channel, levels)
    if levels is not None and layer.activation == "clip":
        peaks = by_channel.max(axis=0)
    gains: Array = np.minimum(peaks.max() / np.where(peaks > 0, peaks, peaks.max() or 1.0), MOST)
    return gains if peaks.any() else np.ones(len(peaks))


def _rescaled(layer: AnnLayer, gain: Array, gains: dict[str, Array]) -> AnnLayer:
    """Its outputs times their gain, its weights over the gains of its sources."""
    parts = []
    for part in layer.parts:
        given = gains[part.source or INPUT]
        parts.append(replace(part, weights=part.weights / _by_row(part, given) * gain, bias=part.bias * gain))
    return replace(parts[0], merged=tuple(parts[1:]))


def _by_row(part: AnnLayer, gain: Array) -> Array:
    """The gain of the source of every weight, in a shape that broadcasts against the weights."""
    if gain.size == 1:
        return gain
    if not part.is_convolution:
        return np.tile(gain, len(part.weights) // gain.size)[:, np.newaxis]
    channels, _, _, outputs = part.weights.shape
    by_group = gain.reshape(part.groups, channels).T
    return by_group.repeat(outputs // part.groups, axis=1)[:, np.newaxis, np.newaxis, :]


def _times(values: Array, gain: Array) -> Array:
    """(N, neurons) numbered channels-last, each times the gain of its channel."""
    scaled: Array = values * np.tile(gain, values.shape[1] // gain.size)
    return scaled
