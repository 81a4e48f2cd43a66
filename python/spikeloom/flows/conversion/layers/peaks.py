"""The largest currents of a layer on calibration images: what the chip's registers have to hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import AnnLayer
from spikeloom.emulation.measure import Feed
from spikeloom.flows.conversion.layers.layer_data import LayerData

Array = NDArray[np.float64]
HOST_IMAGES = 256  # images on which a current is looked at that the host computes


def arriving(feed: Feed, planes: int, images: NDArray[np.intp]) -> Array:
    """(images, ticks, sources) what each tick brings, on these images; bit planes weigh 1/2, 1/4, ..."""
    spikes = feed.inputs[images]
    rows: Array = spikes.astype(np.float64)
    if planes > 1:
        rows = rows.reshape(*spikes.shape[:2], -1, planes) @ 2.0 ** -np.arange(1, planes + 1)
    return rows


def host_peak(data: LayerData, fitted: AnnLayer) -> float:
    """Largest magnitude of the host's current on a few images, in threshold units."""
    return float(np.abs(fitted.preactivation(data.coded[data.spread_and_largest(HOST_IMAGES)])).max())


def current_range(layer: AnnLayer, rows: Array) -> tuple[Array, Array]:
    """(m,) least and (m,) largest current of one tick."""
    currents = _currents(layer, rows)
    return currents.min(axis=(0, 1, 2)), currents.max(axis=(0, 1, 2))


def largest_sum(layer: AnnLayer, rows: Array) -> Array:
    """(m,) largest magnitude of the current summed up from the first tick on."""
    sums = _currents(layer, rows).cumsum(axis=1)
    largest: Array = np.abs(sums).max(axis=(0, 1, 2))
    return largest


def _currents(layer: AnnLayer, rows: Array) -> Array:
    """(images, ticks, positions, m)."""
    images, ticks, sources = rows.shape
    flat = layer.preactivation(rows.reshape(images * ticks, sources))
    return flat.reshape(images, ticks, layer.positions, -1)
