"""What a framework's reader says to `Lowering`: one step per operation, in the framework's own axis order.

A tensor is a vector, or an image as (channel, height, width); the batch axis is left out everywhere.
"""

from __future__ import annotations

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
    """Kernels (in, ky, kx, out); padding (top, left, bottom, right)."""

    kernels: FloatArray
    bias: FloatArray
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]


@dataclass(frozen=True)
class AveragePool(Step):
    """The mean over windows of (height, width) that tile the image."""

    window: tuple[int, int]


@dataclass(frozen=True)
class Affine(Step):
    """scale * x + offset, both broadcast to the shape of x."""

    scale: FloatArray
    offset: FloatArray


@dataclass(frozen=True)
class Reshape(Step):
    """Another shape (without the batch axis) for the same numbers in the same order."""

    shape: tuple[int, ...]


@dataclass(frozen=True)
class Relu(Step):
    """max(x, 0)."""
