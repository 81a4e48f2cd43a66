"""The arithmetic of folding: what lies between two layers, and a pooling inside a convolution."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import AnnLayer, FloatArray
from spikeloom.ann.steps import Convolution


@dataclass(frozen=True)
class Source:
    """What the next layer takes: a layer's output or the network's input, pooled and scaled on the way.

    Attributes:
        shape: (n,) or (height, width, channels), before the pooling.
        pool: the averaging window; (1, 1) for none.
        scale, offset: (pooled numbers,), in the source's order: the next layer sees scale * pooled + offset.
    """

    shape: tuple[int, ...]
    pool: tuple[int, int]
    scale: FloatArray
    offset: FloatArray

    @classmethod
    def plain(cls, shape: tuple[int, ...]) -> Source:
        """The whole of a tensor, as it is."""
        return cls(shape, (1, 1), np.ones(prod(shape)), np.zeros(prod(shape)))

    @property
    def pooled_shape(self) -> tuple[int, ...]:
        if self.pool == (1, 1):
            return self.shape
        return self.shape[0] // self.pool[0], self.shape[1] // self.pool[1], self.shape[2]

    @property
    def is_plain(self) -> bool:
        return self.pool == (1, 1) and bool((self.scale == 1).all() and (self.offset == 0).all())


def scaled_kernels(step: Convolution, scale: FloatArray, offset: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Kernels and bias that do to x what the step's do to scale * x + offset, one number per input channel."""
    n_in, ky, kx, n_out = step.kernels.shape
    parts = step.kernels.reshape(n_in, ky, kx, step.groups, n_out // step.groups)
    by_part = np.reshape([scale, offset], (2, step.groups, n_in))
    kernels = np.einsum("gi,iyxgo->iyxgo", by_part[0], parts).reshape(step.kernels.shape)
    return kernels, step.bias + np.einsum("gi,iyxgo->go", by_part[1], parts).ravel()


def pooled_convolution(layer: AnnLayer, window: tuple[int, int]) -> AnnLayer:
    """The linear convolution and the average pooling of its output as one convolution with larger kernels.

    Output (y, x) of the pooling is the mean of the outputs (y p + a, x q + b), whose patches start a and b
    strides further: the kernels are summed at these shifts, and the stride grows by the window.
    """
    (down, right), (sy, sx) = window, layer.stride
    n_in, ky, kx, n_out = layer.weights.shape
    kernels = np.zeros((n_in, ky + (down - 1) * sy, kx + (right - 1) * sx, n_out))
    for a, b in np.ndindex(window):
        kernels[:, a * sy : a * sy + ky, b * sx : b * sx + kx] += layer.weights / (down * right)
    height, width, channels = layer.output_shape
    shape, stride = (height // down, width // right, channels), (sy * down, sx * right)
    return replace(layer, weights=kernels, output_shape=shape, stride=stride)


def channels_first(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """The places of a channels-last image in the framework's axis order, (channel, height, width)."""
    return np.arange(prod(shape)).reshape(shape).transpose(2, 0, 1)
