"""A layer rewritten for what its source really is in spikes: a pool's summands, and windows of unlike sizes."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from spikeloom.ann.graph import AnnLayer
from spikeloom.flows.conversion.pools.max_pool import Term


def on_term(part: AnnLayer, term: Term) -> AnnLayer:
    """The linear map of an image as that of a summand of it, of which every `stride`-th number is read."""
    if term.stride == (1, 1):
        return replace(part, source=term.name, input_shape=term.shape)
    plain = as_convolution(unpooled(part))
    (down, right), (sy, sx), (dy, dx) = term.stride, plain.stride, plain.dilation
    top, left, bottom, right_side = plain.padding
    return replace(
        plain,
        source=term.name,
        input_shape=term.shape,
        stride=(sy * down, sx * right),
        dilation=(dy * down, dx * right),
        padding=(top * down, left * right, bottom * down, right_side * right),
    )


def summed(name: str, parts: list[AnnLayer]) -> AnnLayer:
    """One layer of these linear maps, with the first one's bias; alike in kind and in the size of their pools."""
    if len(parts) == 1:
        return parts[0]
    if any(prod(part.input_pool) != prod(parts[0].input_pool) for part in parts):
        parts = [unpooled(part) for part in parts]
    if any(part.is_convolution != parts[0].is_convolution for part in parts):
        parts = [as_convolution(part) for part in parts]
    others = (replace(part, name=name, bias=np.zeros_like(part.bias)) for part in parts[1:])
    return replace(parts[0], name=name, merged=tuple(others))


def as_convolution(layer: AnnLayer) -> AnnLayer:
    """A dense layer as a convolution whose kernel is as large as its image."""
    if layer.is_convolution:
        return layer
    layer = unpooled(layer)
    image = layer.input_shape if len(layer.input_shape) == 3 else (1, 1, *layer.input_shape)
    kernels = layer.weights.reshape(*image, -1).transpose(2, 0, 1, 3)
    return replace(layer, weights=kernels, input_shape=image, output_shape=(1, 1, layer.n_outputs))


def unpooled(layer: AnnLayer) -> AnnLayer:
    """The same map without averaging: each weight is shared out over its window."""
    down, right = layer.input_pool
    if (down, right) == (1, 1):
        return layer
    if not layer.is_convolution:
        blocks = layer.weights.reshape(*layer.pooled_shape, -1).repeat(down, axis=0).repeat(right, axis=1)
        weights = blocks.reshape(-1, layer.weights.shape[1]) / (down * right)
        return replace(layer, weights=weights, input_pool=(1, 1))
    if layer.dilation != (1, 1):
        return unpooled(_without_dilation(layer))
    kernels = layer.weights.repeat(down, axis=1).repeat(right, axis=2) / (down * right)
    top, left, bottom, right_side = layer.padding
    return replace(
        layer,
        weights=kernels,
        input_pool=(1, 1),
        stride=(layer.stride[0] * down, layer.stride[1] * right),
        padding=(top * down, left * right, bottom * down, right_side * right),
    )


def _without_dilation(layer: AnnLayer) -> AnnLayer:
    """The same convolution with zeros between its taps."""
    n_in, _, _, n_out = layer.weights.shape
    kernels = np.zeros((n_in, *layer.window, n_out))
    kernels[:, :: layer.dilation[0], :: layer.dilation[1]] = layer.weights
    return replace(layer, weights=kernels, dilation=(1, 1))
