"""What a framework's reader says to `Lowering`: one step per operation, in the framework's own axis order.

A tensor is a vector, an image as (channel, height, width), or a line as (channel, length), which is an image of
height 1; the batch axis is left out everywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from spikeloom.ann.graph import FloatArray
from spikeloom.errors import AnnError


@dataclass(frozen=True)
class Step:
    """One operation; `where` names it as the framework does, `name` is for the layer that may come of it."""

    where: str
    name: str

    def refusal(self, problem: str, remedy: str, value: object = None, limit: object = None) -> AnnError:
        """The error to raise where this step cannot be carried over."""
        return AnnError(self.where, problem, value=value, limit=limit, remedy=remedy)


@dataclass(frozen=True)
class Dense(Step):
    """x @ weights + bias, weights (n_in, n_out)."""

    weights: FloatArray
    bias: FloatArray


@dataclass(frozen=True)
class Convolution(Step):
    """Kernels (in / groups, ky, kx, out); padding (top, left, bottom, right)."""

    kernels: FloatArray
    bias: FloatArray
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1


@dataclass(frozen=True)
class AveragePool(Step):
    """The mean over windows of (height, width) that tile the image."""

    window: tuple[int, int]


@dataclass(frozen=True)
class MaxPool(Step):
    """The largest number of each window of (height, width); padding (top, left, bottom, right) loses."""

    window: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)


@dataclass(frozen=True)
class Affine(Step):
    """scale * x + offset, both broadcast to the shape of x."""

    scale: FloatArray
    offset: FloatArray


@dataclass(frozen=True)
class Padding(Step):
    """Zeros around an image: (top, left, bottom, right). Only a convolution can take it in."""

    sides: tuple[int, int, int, int]


@dataclass(frozen=True)
class Reshape(Step):
    """Another shape (without the batch axis) for the same numbers in the same order."""

    shape: tuple[int, ...]


@dataclass(frozen=True)
class Transpose(Step):
    """Axis k of the result is axis axes[k] of x, the batch axis not counted."""

    axes: tuple[int, ...]


@dataclass(frozen=True)
class Activation(Step):
    """A function of each number by itself, as `ann.activation` defines them, with its number where it has one."""

    kind: str
    number: float = 0.0


def plain_name(text: str) -> str:
    """A layer's name of letters, digits and underscores.

    >>> plain_name("features.0"), plain_name("0"), plain_name("")
    ('features_0', 'layer_0', 'layer')
    """
    plain = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_") or "layer"
    return f"layer_{plain}" if plain[0].isdigit() else plain


def leaky_relu(where: str, name: str, slope: float) -> Activation:
    """max(x, 0) + slope * min(x, 0); the plain ReLU where the slope is 0."""
    return Activation(where, name, "relu" if slope == 0 else "leaky_relu", slope)


def normalisation(
    where: str, name: str, rank: int, mean: FloatArray, variance: FloatArray, epsilon: float,
    scale: FloatArray | float, offset: FloatArray | float,
) -> Affine:  # fmt: skip
    """Batch normalisation of a tensor of this rank at inference: one scale and offset per channel."""
    factor = scale / (variance + epsilon) ** 0.5
    shape = (-1, *[1] * (rank - 1))
    return Affine(where, name, factor.reshape(shape), (offset - mean * factor).reshape(shape))
