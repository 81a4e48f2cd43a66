"""A trained network rewritten so that every rectified unit spans the same range; its outputs stay the same.

A neuron has only so many levels: spikes in the window. Where one scale serves a whole layer, a unit whose
activations stay small uses few of them. A rectifier commutes with positive factors, so each unit is divided by a size
of its own, and its weights in the layer behind are multiplied by it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.ann.surgery import columns_by_node, keep_nodes, node_width, with_layers

Array = NDArray[np.float64]
SHARES = np.linspace(0.2, 1.0, 17)  # of its largest activation, tried as a unit's size


def even_units(ann: Ann, rows: ArrayLike, levels: float) -> Ann:
    """The same network with rectified units of one size each; a network with branches is left as it is.

    rows: (N, *input_shape) calibration rows; levels: spikes that a neuron can send in its window.
    """
    if not ann.is_chain:
        return ann
    layers, answers = ann.layers, ann.forward(rows)
    for index, layer in enumerate(ann.layers[:-1]):
        if layer.activation == "relu":
            sizes = unit_sizes(answers[index].reshape(-1, layer.output_shape[-1]), levels)
            layers = _divided(layers, index, sizes)
    return with_layers(ann, layers)


def unit_sizes(activations: Array, levels: float) -> Array:
    """(m,) for each unit the size at which counting its activations (N, m) costs the least squared error.

    What lies above the size is cut, what lies below is rounded to one of so many levels.
    """
    largest = activations.max(axis=0)
    peak = np.where(largest > 0.0, largest, 1.0)  # of a unit that is never active, any will do
    sizes, least = peak, np.full(peak.shape, np.inf)
    for share in SHARES:
        step = share * peak / levels
        counted = np.minimum(np.floor(activations / step + 0.5), levels) * step
        error = ((counted - activations) ** 2).mean(axis=0)
        sizes, least = np.where(error < least, share * peak, sizes), np.minimum(error, least)
    return sizes


def _divided(layers: tuple[AnnLayer, ...], index: int, sizes: Array) -> tuple[AnnLayer, ...]:
    """The layers with the units of one of them divided by their sizes."""
    layer, behind = layers[index], layers[index + 1]
    smaller = replace(layer, weights=layer.weights / sizes, bias=layer.bias / sizes)
    given = behind.matrix[columns_by_node(behind)] * np.repeat(sizes, node_width(behind))[:, None]
    layers = (*layers[:index], smaller, *layers[index + 1 :])
    return keep_nodes(layers, index, np.arange(sizes.size), given, behind.bias)
