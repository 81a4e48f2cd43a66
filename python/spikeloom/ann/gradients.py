"""Derivatives of a loss of a network's outputs with respect to its weights, by the chain rule backwards.

All arithmetic is of the type of the samples: float64, or float32 where a network learns and takes half the time so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.activation import activation_slope
from spikeloom.ann.graph import AnnLayer, FloatArray
from spikeloom.ann.patches import folded, spread_means

Numbers = NDArray[Any]  # float64 or float32


@dataclass(frozen=True, eq=False)
class LayerGradient:
    """Derivatives of the loss: weights as the layer's `matrix` (n, m), bias (m,)."""

    weights: FloatArray
    bias: FloatArray


def run_layers(layers: Sequence[AnnLayer], x: Numbers) -> tuple[list[Numbers], list[Numbers]]:
    """What every layer sees, as its `unfold` gives it, and its pre-activations (N, n_outputs); a chain, no groups."""
    seen, preactivations = [], []
    for layer in layers:
        seen.append(layer.unfold(x))
        preactivations.append(mapped(layer, seen[-1]))
        x = layer.activate(preactivations[-1])
    return seen, preactivations


def mapped(layer: AnnLayer, seen: Numbers) -> Numbers:
    """The pre-activations (N, n_outputs) of what the layer sees, in the type of that."""
    weights, bias = (part.astype(seen.dtype, copy=False) for part in layer.arrays)
    rows = seen if layer.is_convolution else seen[:, 0]
    z: Numbers = rows @ weights + bias
    return z.reshape(len(seen), -1)


def gradients(
    layers: Sequence[AnnLayer],
    seen: Sequence[Numbers],
    preactivations: Sequence[Numbers],
    last: Numbers,
    masks: Sequence[Numbers] | None = None,
    moving: int | None = None,
) -> list[LayerGradient]:
    """Of every layer, from those of the last pre-activations (N, n_outputs); arrays as `run_layers` gives them.

    seen: of a dense layer also its inputs (N, n); masks: (N, n_outputs) that the activations of each layer but the
    last were multiplied by, as dropout does; moving: how many layers, from the first, are asked about; None: all
    """
    found: list[LayerGradient] = []
    for k in range(len(layers) - 1, -1, -1):
        layer = layers[k]
        if moving is None or k < moving:
            found.append(_layer_gradient(layer, seen[k], last.reshape(-1, len(layer.bias))))
        if k > 0:
            before = layers[k - 1]
            given = pulled_back(layer, last)
            slope = activation_slope(preactivations[k - 1], before.activation, before.activation_number)
            last = given * slope if masks is None else given * slope * masks[k - 1]
    return found[::-1]


def _layer_gradient(layer: AnnLayer, seen: Numbers, rows: Numbers) -> LayerGradient:
    return LayerGradient(_weight_slopes(layer, seen, rows), rows.sum(axis=0, dtype=np.float64))


def _weight_slopes(layer: AnnLayer, seen: Numbers, rows: Numbers) -> FloatArray:
    """(n, m) from the derivatives in what the positions give, rows (N * positions, m)."""
    if not layer.is_convolution:
        return np.asarray(seen.reshape(len(rows), -1).T @ rows, dtype=np.float64)
    by_sample = np.matmul(seen.transpose(0, 2, 1), rows.reshape(len(seen), layer.positions, -1))
    return np.asarray(
        by_sample.sum(axis=0), dtype=np.float64
    )  # one long product would take three times as long


def pulled_back(layer: AnnLayer, outputs: Numbers) -> Numbers:
    """The transpose of the layer's linear map: (N, n_outputs) -> (N, n_inputs)."""
    count, rows = len(outputs), outputs.reshape(-1, len(layer.bias))
    weights = layer.weights.astype(outputs.dtype, copy=False)
    if layer.is_convolution:
        taps = weights.transpose(1, 2, 3, 0)  # kernel y, kernel x, out, in
        given = (rows @ taps.reshape(-1, *taps.shape[2:])).reshape(
            *taps.shape[:2], count, *layer.output_shape[:2], -1
        )
        images = folded(given, layer.pooled_shape[:2], layer.stride, layer.dilation, layer.padding)
    else:
        images = (rows @ weights.T).reshape(count, *layer.pooled_shape)
    if layer.input_pool != (1, 1):
        images = spread_means(images, layer.input_pool)
    return images.reshape(count, -1)
