"""The largest currents of a layer on calibration images: what the chip's registers have to hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import AnnLayer
from spikeloom.emulation.measure import Feed
from spikeloom.flows.conversion.checkpoint import digest
from spikeloom.flows.conversion.layers.layer_data import LayerData
from spikeloom.network.chip_layer import Synapses

Array = NDArray[np.float64]
Images = NDArray[np.intp]
PEAK_IMAGES = 32  # images on which peaks are measured, beside those of the largest answers
HOST_IMAGES = 256  # images on which a current is looked at that the host computes


def arriving(feed: Feed, planes: int, images: Images) -> Array:
    """(images, ticks, sources) what each tick brings, on these images; bit planes weigh 1/2, 1/4, ..."""
    spikes = feed.inputs[images]
    rows: Array = spikes.astype(np.float64)
    if planes > 1:
        rows = rows.reshape(*spikes.shape[:2], -1, planes) @ 2.0 ** -np.arange(1, planes + 1)
    return rows


def tick_peak(data: LayerData, planes: int, synapses: Synapses, images: Images) -> Array:
    """(m,) largest magnitude of the current of one tick, in threshold units."""
    bare = data.layer.with_matrix(np.asarray(synapses.codes, dtype=np.float64), np.zeros_like(synapses.bias))
    what = f"currents {digest(synapses.codes)}"  # the search tries the same codes at many scales
    ends = data.remembered(what, lambda: current_range(bare, arriving(data.feed, planes, images)))
    least, most = (np.abs(end * synapses.scales + synapses.bias) for end in ends)
    largest: Array = np.maximum(least, most)
    return largest


def summed_peak(data: LayerData, planes: int, synapses: Synapses, images: Images) -> Array:
    """(m,) largest magnitude of the current summed up from the first tick on, in threshold units."""
    sums = _fitted_currents(data, planes, synapses, images).cumsum(axis=1)
    largest: Array = np.abs(sums).max(axis=(0, 1, 2))
    return largest


def gathered_peak(data: LayerData, planes: int, synapses: Synapses) -> Array:
    """(m,) the same where each tick in which the sum has come to a threshold takes one from it."""
    currents = _fitted_currents(data, planes, synapses, data.spread_and_largest(PEAK_IMAGES))
    left, largest = np.zeros_like(currents[:, 0]), np.zeros(currents.shape[-1])
    for tick in range(currents.shape[1]):
        left = left + currents[:, tick]
        largest = np.maximum(largest, np.abs(left).max(axis=(0, 1)))
        left = left - (left >= 1.0)
    return largest


def host_peak(data: LayerData, fitted: AnnLayer) -> float:
    """Largest magnitude of the host's current on a few images, in threshold units."""
    return float(np.abs(fitted.preactivation(data.coded[data.spread_and_largest(HOST_IMAGES)])).max())


def current_range(layer: AnnLayer, rows: Array) -> tuple[Array, Array]:
    """(m,) least and (m,) largest current of one tick."""
    currents = _currents(layer, rows)
    return currents.min(axis=(0, 1, 2)), currents.max(axis=(0, 1, 2))


def _fitted_currents(data: LayerData, planes: int, synapses: Synapses, images: Images) -> Array:
    layer = data.layer.with_matrix(synapses.weights, synapses.bias)
    return _currents(layer, arriving(data.feed, planes, images))


def _currents(layer: AnnLayer, rows: Array) -> Array:
    """(images, ticks, positions, m)."""
    images, ticks, sources = rows.shape
    flat = layer.preactivation(rows.reshape(images * ticks, sources))
    return flat.reshape(images, ticks, layer.positions, -1)
