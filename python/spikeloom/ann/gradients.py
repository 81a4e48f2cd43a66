"""Derivatives of a loss of a network's outputs with respect to its weights, by the chain rule backwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikeloom.ann.activation import activation_slope
from spikeloom.ann.graph import AnnLayer, FloatArray


@dataclass(frozen=True, eq=False)
class LayerGradient:
    """Derivatives of the loss: weights as the layer's `matrix` (n, m), bias (m,)."""

    weights: FloatArray
    bias: FloatArray


def run_layers(layers: tuple[AnnLayer, ...], x: FloatArray) -> tuple[list[FloatArray], list[FloatArray]]:
    """The inputs (N, n_inputs) of every layer and the pre-activations (N, n_outputs) of every layer."""
    inputs, preactivations = [], []
    for layer in layers:
        inputs.append(x)
        preactivations.append(layer.preactivation(x))
        x = layer.activate(preactivations[-1])
    return inputs, preactivations


def gradients(
    layers: tuple[AnnLayer, ...],
    inputs: list[FloatArray],
    preactivations: list[FloatArray],
    last: FloatArray,
    masks: list[FloatArray] | None = None,
) -> list[LayerGradient]:
    """Of every layer, from those of the last pre-activations (N, n_outputs); arrays as `run_layers` gives them.

    masks: (N, n_outputs) that the activations of each layer but the last were multiplied by, as dropout does
    """
    found: list[LayerGradient] = []
    for k in range(len(layers) - 1, -1, -1):
        layer, positions = layers[k], layers[k].positions
        per_position = last.reshape(len(last), positions, -1)
        patches = layer.unfold(inputs[k])
        weights = np.asarray(np.tensordot(patches, per_position, axes=((0, 1), (0, 1))), dtype=np.float64)
        found.append(LayerGradient(weights, per_position.sum(axis=(0, 1))))
        if k > 0:
            before = layers[k - 1]
            given = fold(layer, per_position @ layer.matrix.T)
            slope = activation_slope(preactivations[k - 1], before.activation, before.activation_number)
            last = given * slope if masks is None else given * slope * masks[k - 1]
    return found[::-1]


def fold(layer: AnnLayer, patches: FloatArray) -> FloatArray:
    """The transpose of `layer.unfold`: (N, positions, n) -> (N, n_inputs), what overlaps is added."""
    count = len(patches)
    pooled = _fold_patches(layer, patches) if layer.is_convolution else patches[:, 0]
    if layer.input_pool == (1, 1):
        return pooled
    down, right = layer.input_pool
    images = pooled.reshape(count, *layer.pooled_shape) / (down * right)
    return images.repeat(down, axis=1).repeat(right, axis=2).reshape(count, -1)


def _fold_patches(layer: AnnLayer, patches: FloatArray) -> FloatArray:
    channels, kernel_y, kernel_x, _ = layer.weights.shape
    height, width, _ = layer.pooled_shape
    (top, left, bottom, right), (down, across) = layer.padding, layer.stride
    rows, columns = layer.output_shape[:2]
    padded = np.zeros((len(patches), height + top + bottom, width + left + right, channels))
    blocks = patches.reshape(len(patches), rows, columns, channels, kernel_y, kernel_x)
    for y in range(kernel_y):
        for x in range(kernel_x):
            top_tap, left_tap = y * layer.dilation[0], x * layer.dilation[1]
            vertical = slice(top_tap, top_tap + down * rows, down)
            inside = padded[:, vertical, left_tap : left_tap + across * columns : across]
            inside += blocks[..., y, x]
    return padded[:, top : top + height, left : left + width].reshape(len(patches), -1)
