"""A network without some of its nodes: a node is an output of a dense layer, a channel of a convolution."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import Ann, AnnLayer, FloatArray

Index = NDArray[np.intp]


def columns_by_node(layer: AnnLayer) -> Index:
    """Permutation of the rows of `layer.matrix` that puts what comes from one node of the layer before together.

    The nodes are the channels of an image, else the single inputs.
    """
    n = len(layer.matrix)
    if layer.is_convolution or len(layer.pooled_shape) == 1:
        return np.arange(n)
    return np.arange(n).reshape(-1, layer.pooled_shape[-1]).T.ravel()


def node_width(layer: AnnLayer) -> int:
    """How many rows of `layer.matrix` come from one node of the layer before."""
    return len(layer.matrix) // layer.input_shape[-1]


def keep_nodes(layers: tuple[AnnLayer, ...], index: int, kept: Index, weights: FloatArray, bias: FloatArray
               ) -> tuple[AnnLayer, ...]:  # fmt: skip
    """The layers with only these nodes of layer `index`, and with new weights behind them.

    weights: (k * node_width, m), rows in the order of `columns_by_node` of the kept nodes; bias: (m,)
    """
    layer, behind = layers[index], layers[index + 1]
    fewer = replace(
        layer,
        weights=layer.weights[..., kept],
        bias=layer.bias[kept],
        output_shape=(*layer.output_shape[:-1], kept.size),
    )
    image = (*behind.input_shape[:-1], kept.size)
    if behind.is_convolution:
        shaped = weights.reshape(kept.size, *behind.weights.shape[1:])
    else:
        shaped = weights.reshape(kept.size, -1, weights.shape[1]).transpose(1, 0, 2).reshape(weights.shape)
    again = replace(behind, weights=shaped, bias=bias, input_shape=image)
    return (*layers[:index], fewer, again, *layers[index + 2 :])


def with_layers(ann: Ann, layers: tuple[AnnLayer, ...]) -> Ann:
    """The network with other layers between the same input and outputs."""
    return replace(ann, layers=layers)
