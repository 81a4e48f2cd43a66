"""The trained network as every later stage sees it: a chain of linear layers with an activation each.

Weight matrices are (n_presynaptic, n_postsynaptic) and kernels are (in, ky, kx, out). An image is numbered
channels-last, (y, x, channel) row by row, wherever it appears as one flat axis. Arithmetic is float64.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from spikeloom.ann.activation import ACTIVATIONS, NUMBERED, activate, number_fits
from spikeloom.errors import AnnError

FloatArray = NDArray[np.float64]

# Patches of a convolution are unfolded for this many numbers at a time (32 MB), so that memory does not
# grow with the number of samples.
_UNFOLD_NUMBERS = 1 << 22


@dataclass(frozen=True, eq=False)
class AnnLayer:
    """One layer: average pooling of its input, a dense or convolutional linear map, and an activation.

    Attributes:
        name: unique within the network.
        weights: dense (n_in, n_out), n_in counted after pooling; convolution (in, ky, kx, out).
        bias: (n_out,), for a convolution one number per output channel.
        activation: one of `ann.activation.ACTIVATIONS`.
        input_shape: (n_in,) or (height, width, channels), before `input_pool`.
        output_shape: (n_out,) or (height, width, channels).
        input_pool: (height, width) of the averaging window, which is also its stride; (1, 1) for none.
        stride: (vertical, horizontal), of a convolution.
        padding: zeros added to the pooled input: (top, left, bottom, right), of a convolution.
        activation_number: slope of "leaky_relu" below 0, upper limit of "clip"; 0 for the others.

    Raises:
        AnnError: if the arrays and shapes contradict one another or hold a number that is not finite.

    >>> layer = AnnLayer("fc", np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.0, -1.0]), "relu", (2,), (2,))
    >>> layer.preactivation(np.array([[1.0, 1.0]]))
    array([[4., 5.]])
    """

    name: str
    weights: FloatArray
    bias: FloatArray
    activation: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    input_pool: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    activation_number: float = 0.0

    def __post_init__(self) -> None:
        for field in ("weights", "bias"):
            object.__setattr__(self, field, _frozen(getattr(self, field)))
        _check_layer(self)

    @property
    def is_convolution(self) -> bool:
        return self.weights.ndim == 4

    @property
    def n_inputs(self) -> int:
        """Numbers on the flattened input, before pooling."""
        return prod(self.input_shape)

    @property
    def n_outputs(self) -> int:
        """Numbers on the flattened output."""
        return prod(self.output_shape)

    @property
    def positions(self) -> int:
        """How often the weights are applied: output height times width, 1 for a dense layer."""
        return prod(self.output_shape[:2]) if self.is_convolution else 1

    @property
    def matrix(self) -> FloatArray:
        """The weights as (n, m): m outputs per position; rows of a convolution are (in, ky, kx)."""
        return self.weights.reshape(-1, self.weights.shape[-1])

    @property
    def pooled_shape(self) -> tuple[int, ...]:
        """`input_shape` after the averaging."""
        if self.input_pool == (1, 1):
            return self.input_shape
        height, width, channels = self.input_shape
        return height // self.input_pool[0], width // self.input_pool[1], channels

    def pool(self, x: FloatArray) -> FloatArray:
        """The mean over each window: (N, n_inputs) -> (N, pooled)."""
        if self.input_pool == (1, 1):
            return x
        (height, width, channels), (down, right) = self.pooled_shape, self.input_pool
        windows = x.reshape(len(x), height, down, width, right, channels)
        means: FloatArray = windows.mean(axis=(2, 4))
        return means.reshape(len(x), -1)

    def unfold(self, x: FloatArray) -> FloatArray:
        """What each position sees: (N, n_inputs) -> (N, positions, n), n in the row order of `matrix`.

        The patches are those of the pooled, zero-padded input; a dense layer has one patch.
        """
        pooled = self.pool(x)
        if not self.is_convolution:
            return pooled[:, np.newaxis, :]
        top, left, bottom, right = self.padding
        images = pooled.reshape(len(x), *self.pooled_shape)
        padded = np.pad(images, ((0, 0), (top, bottom), (left, right), (0, 0)))
        window = (1, *self.weights.shape[1:3], 1)
        patches = sliding_window_view(padded, window)[:, :: self.stride[0], :: self.stride[1]]
        return patches.reshape(len(x), self.positions, -1)

    def preactivation(self, x: FloatArray) -> FloatArray:
        """The linear map: (N, n_inputs) -> (N, n_outputs), channels-last flattened."""
        if not self.is_convolution:
            return self.pool(x) @ self.weights + self.bias
        out = np.empty((len(x), self.positions, len(self.bias)))
        rows = max(1, _UNFOLD_NUMBERS // (self.positions * len(self.matrix)))
        for start in range(0, len(x), rows):
            chunk = slice(start, start + rows)
            np.matmul(self.unfold(x[chunk]), self.matrix, out=out[chunk])
        return (out + self.bias).reshape(len(x), -1)

    def activate(self, z: FloatArray) -> FloatArray:
        """The activation function, element by element."""
        return activate(z, self.activation, self.activation_number)


@dataclass(frozen=True, eq=False)
class Ann:
    """A trained network: a chain of layers from one input to one output.

    Attributes:
        name: what reports call it.
        input_shape: of one sample, as the framework takes it (no batch axis).
        layers: from the input to the output.
        tail: what was cut off behind the last layer: "softmax" (its logarithm too), "sigmoid", "argmax", or
            None. The order of the outputs is the same with and without it.
        input_order: permutation; number k of the first layer's flat input is number input_order[k] of the
            framework's flattened input.

    Raises:
        AnnError: if a layer does not take what the one before it gives.
    """

    name: str
    input_shape: tuple[int, ...]
    layers: tuple[AnnLayer, ...]
    tail: str | None
    input_order: NDArray[np.int64]

    def __post_init__(self) -> None:
        order = np.array(self.input_order, dtype=np.int64)
        order.flags.writeable = False
        object.__setattr__(self, "input_order", order)
        _check_chain(self)

    def flatten(self, x: ArrayLike) -> FloatArray:
        """Samples as the framework takes them, (N, *input_shape) -> (N, n_inputs), in the order of layer 1.

        Raises:
            AnnError: if the array has another shape or holds something else than finite numbers.
        """
        samples = _checked_samples(x, self.input_shape)
        return samples.reshape(len(samples), -1)[:, self.input_order]

    def preactivations(self, x: ArrayLike) -> tuple[FloatArray, ...]:
        """Per layer the linear map's output, (N, n_outputs), before the activation."""
        return tuple(z for z, _ in self._run(x))

    def forward(self, x: ArrayLike) -> tuple[FloatArray, ...]:
        """Per layer the output, (N, n_outputs), after the activation."""
        return tuple(a for _, a in self._run(x))

    def predict(self, x: ArrayLike) -> FloatArray:
        """The last layer's output, (N, n_outputs), before the tail that was cut off."""
        a = self.flatten(x)
        for layer in self.layers:
            a = layer.activate(layer.preactivation(a))
        return a

    def _run(self, x: ArrayLike) -> list[tuple[FloatArray, FloatArray]]:
        a, steps = self.flatten(x), []
        for layer in self.layers:
            z = layer.preactivation(a)
            a = layer.activate(z)
            steps.append((z, a))
        return steps


def _frozen(values: ArrayLike) -> FloatArray:
    """A read-only float64 copy, so that nobody changes a layer behind another's back."""
    array = np.array(values, dtype=np.float64, order="C")
    array.flags.writeable = False
    return array


Finding = tuple[bool, str, object, object]  # (does it hold, what is wrong if not, value, limit)


def _check_layer(layer: AnnLayer) -> None:
    for check in (_arrays_in_order, _input_in_order, _map_in_order):
        for holds, problem, value, limit in check(layer):
            if not holds:
                remedy = "correct the layer's arrays and shapes"
                raise AnnError(f"layer {layer.name!r}", problem, value=value, limit=limit, remedy=remedy)


def _arrays_in_order(layer: AnnLayer) -> Iterator[Finding]:
    shape, out, known = layer.weights.shape, layer.weights.shape[-1:], "(n, m) or (in, ky, kx, out)"
    name, number = layer.activation, layer.activation_number
    yield name in ACTIVATIONS, "unknown activation", name, ACTIVATIONS
    yield number_fits(name, number), f"wrong number for {name}", number, NUMBERED.get(name, 0.0)
    yield len(shape) in (2, 4), "weights are neither a matrix nor kernels", shape, known
    yield layer.weights.size > 0, "weights are empty", shape, "at least one weight"
    yield layer.bias.shape == out, "there is not one bias per output", layer.bias.shape, out
    finite = bool(np.isfinite(layer.weights).all() and np.isfinite(layer.bias).all())
    yield finite, "a weight or bias is not finite", "inf or nan", "finite numbers"


def _input_in_order(layer: AnnLayer) -> Iterator[Finding]:
    shape, pool = layer.input_shape, layer.input_pool
    ranks = (3,) if layer.is_convolution or pool != (1, 1) else (1, 3)
    yield len(shape) in ranks, "input_shape has the wrong number of axes", shape, ranks
    yield min(shape) > 0, "input_shape is empty", shape, "positive sides"
    yield min(pool) > 0, "the pooling window is empty", pool, "positive sides"
    rest = [side % window for side, window in zip(shape[:2], pool, strict=False)] if pool != (1, 1) else [0]
    yield not any(rest), "the pooling window does not divide the image", pool, shape


def _map_in_order(layer: AnnLayer) -> Iterator[Finding]:
    pooled, shape, out = layer.pooled_shape, layer.weights.shape, layer.output_shape
    if not layer.is_convolution:
        yield shape[0] == prod(pooled), "there is not one row of weights per input", shape[0], prod(pooled)
        yield out == shape[1:], "output_shape contradicts the weights", out, shape[1:]
        return
    yield shape[0] == pooled[2], "kernels and image differ in channels", shape[0], pooled[2]
    yield min(layer.stride) > 0, "the stride is not positive", layer.stride, ">= 1"
    yield min(layer.padding) >= 0, "the padding is negative", layer.padding, ">= 0"
    sides = convolved_sides(pooled, shape[1:3], layer.stride, layer.padding)
    yield min(sides) > 0, "the kernel is larger than the padded image", shape[1:3], pooled
    expected = (*sides, shape[3])
    yield out == expected, "output_shape contradicts the weights", out, expected


def convolved_sides(
    image: Sequence[int], kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int]
) -> tuple[int, int]:
    """Height and width that a convolution gives; zero or less where the kernel does not fit."""
    height = (image[0] + padding[0] + padding[2] - kernel[0]) // stride[0] + 1
    width = (image[1] + padding[1] + padding[3] - kernel[1]) // stride[1] + 1
    return height, width


def _check_chain(ann: Ann) -> None:
    def refuse(problem: str, value: object, limit: object) -> AnnError:
        subject = f"network {ann.name!r}"
        return AnnError(subject, problem, value=value, limit=limit, remedy="correct the layers")

    if not ann.layers:
        raise refuse("there is no layer", 0, ">= 1")
    names = [layer.name for layer in ann.layers]
    if len(set(names)) != len(names):
        raise refuse("two layers have the same name", names, "unique names")
    for before, layer in pairwise(ann.layers):
        if before.output_shape != layer.input_shape:
            problem = f"layer {layer.name!r} does not take what {before.name!r} gives"
            raise refuse(problem, layer.input_shape, before.output_shape)
    n = ann.layers[0].n_inputs
    if prod(ann.input_shape) != n or not np.array_equal(np.sort(ann.input_order), np.arange(n)):
        raise refuse("input_order is not a permutation of the inputs", ann.input_order.shape, (n,))


def _checked_samples(x: ArrayLike, shape: tuple[int, ...]) -> FloatArray:
    def refuse(problem: str, value: object, limit: object) -> AnnError:
        remedy = "give finite numbers, samples along axis 0"
        return AnnError("input array", problem, value=value, limit=limit, remedy=remedy)

    try:
        samples = np.asarray(x)
    except ValueError as error:
        raise refuse("the rows differ in shape", type(x).__name__, ("N", *shape)) from error
    if samples.shape[1:] != shape or samples.ndim == 0:
        raise refuse("the shape is not what the network takes", samples.shape, ("N", *shape))
    if samples.dtype.kind not in "biuf":
        raise refuse("the elements are not real numbers", samples.dtype, "float, integer or bool")
    if not np.isfinite(samples).all():
        raise refuse("a number is not finite", "inf or nan", "finite numbers")
    return samples.astype(np.float64)
