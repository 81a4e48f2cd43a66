"""The arithmetic of folding: what lies between two layers, and a pooling inside a convolution."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import INPUT, AnnLayer, FloatArray
from spikeloom.ann.steps import Convolution


@dataclass(frozen=True)
class Piece:
    """A layer's output, or the network's input, and the averaging on the way from it.

    Attributes:
        name: of the layer; INPUT for the network's input.
        shape: (n,) or (height, width, channels), before the pooling.
        pool: the averaging window; (1, 1) for none.
    """

    name: str
    shape: tuple[int, ...]
    pool: tuple[int, int] = (1, 1)

    @property
    def pooled_shape(self) -> tuple[int, ...]:
        if self.pool == (1, 1):
            return self.shape
        return self.shape[0] // self.pool[0], self.shape[1] // self.pool[1], self.shape[2]

    def pooled(self, window: tuple[int, int]) -> Piece:
        """Averaged once more."""
        return replace(self, pool=(self.pool[0] * window[0], self.pool[1] * window[1]))


@dataclass(frozen=True)
class Source:
    """What the next layer takes: pieces side by side along the channels, and scaled.

    Attributes:
        pieces: with equal height and width after their pooling.
        scale, offset: (pooled numbers,), in the source's order: the next layer sees scale * pooled + offset.
    """

    pieces: tuple[Piece, ...]
    scale: FloatArray
    offset: FloatArray

    @classmethod
    def plain(cls, name: str, shape: tuple[int, ...]) -> Source:
        """The whole of a tensor, as it is."""
        return cls((Piece(name, shape),), np.ones(prod(shape)), np.zeros(prod(shape)))

    @property
    def pooled_shape(self) -> tuple[int, ...]:
        """Of all pieces together."""
        shapes = [piece.pooled_shape for piece in self.pieces]
        return *shapes[0][:-1], sum(shape[-1] for shape in shapes)

    @property
    def is_input(self) -> bool:
        """It is the network's own input, or holds it."""
        return any(piece.name == INPUT for piece in self.pieces)

    @property
    def is_plain(self) -> bool:
        same = bool((self.scale == 1).all() and (self.offset == 0).all())
        return same and len(self.pieces) == 1 and self.pieces[0].pool == (1, 1)

    def dense(self, name: str, rows: FloatArray, bias: FloatArray) -> AnnLayer:
        """A dense layer with one row for each of the source's numbers, before they are scaled."""
        blocks = rows.reshape(*self.pooled_shape, -1)
        ends = np.cumsum([piece.pooled_shape[-1] for piece in self.pieces])[:-1]
        return self._layer(name, [part.reshape(-1, rows.shape[1]) for part in np.split(blocks, ends, axis=-2)],
                           bias, rows.shape[1:])  # fmt: skip

    def convolution(self, name: str, kernels: FloatArray, bias: FloatArray, step: Convolution,
                    shape: tuple[int, ...]) -> AnnLayer:  # fmt: skip
        """A convolution of the source's image, before it is scaled, with the step's geometry."""
        groups = step.groups
        if len(self.pieces) > 1:
            kernels, groups = ungrouped(kernels, groups), 1
        ends = np.cumsum([piece.shape[-1] for piece in self.pieces])[:-1]
        geometry = {
            "stride": step.stride,
            "padding": step.padding,
            "dilation": step.dilation,
            "groups": groups,
        }
        return self._layer(
            name, np.split(kernels, ends, axis=0) if len(ends) else [kernels], bias, shape, **geometry
        )

    def _layer(self, name: str, weights: list[FloatArray], bias: FloatArray, shape: tuple[int, ...],
               **geometry: Any) -> AnnLayer:  # fmt: skip
        """One linear map for each piece, the first with the bias."""
        first, *others = (
            AnnLayer(name, own, bias if k == 0 else np.zeros_like(bias), "identity", piece.shape, shape, piece.pool,
                     source=piece.name, **geometry)
            for k, (piece, own) in enumerate(zip(self.pieces, weights, strict=True))
        )  # fmt: skip
        return replace(first, merged=tuple(others))


def ungrouped(kernels: FloatArray, groups: int) -> FloatArray:
    """(in / groups, ky, kx, out) -> (in, ky, kx, out), zeros between channels of different groups."""
    n_in, ky, kx, n_out = kernels.shape
    full = np.zeros((groups, n_in, ky, kx, groups, n_out // groups))
    parts = kernels.reshape(n_in, ky, kx, groups, -1)
    for part in range(groups):
        full[part, ..., part, :] = parts[..., part, :]
    return full.reshape(groups * n_in, ky, kx, n_out)


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
    if layer.merged:
        parts = [pooled_convolution(part, window) for part in layer.parts]
        return replace(parts[0], merged=tuple(parts[1:]))
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
