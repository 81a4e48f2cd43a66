"""The trained network as every later stage sees it: linear layers with an activation each, in an order in which
every layer comes after those it takes from. A layer may add up linear maps of several sources.

Weight matrices are (n_presynaptic, n_postsynaptic) and kernels are (in, ky, kx, out). An image is numbered
channels-last, (y, x, channel) row by row, wherever it appears as one flat axis. Arithmetic is float64.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.ann.activation import activate
from spikeloom.ann.checks import check_layer, check_network, checked_samples, dilated
from spikeloom.ann.patches import unfolded, window_means

FloatArray = NDArray[np.float64]

# Patches of a convolution are unfolded for this many numbers at a time (32 MB), so that memory does not
# grow with the number of samples.
_UNFOLD_NUMBERS = 1 << 22

INPUT = ""  # the name of the network's input as a source


@dataclass(frozen=True, eq=False)
class AnnLayer:
    """One layer: average pooling of its input, a dense or convolutional linear map, and an activation.

    Attributes:
        name: unique within the network.
        weights: dense (n_in, n_out), n_in counted after pooling; convolution (in / groups, ky, kx, out).
        bias: (n_out,), for a convolution one number per output channel.
        activation: one of `ann.activation.ACTIVATIONS`.
        input_shape: (n_in,) or (height, width, channels), before `input_pool`.
        output_shape: (n_out,) or (height, width, channels).
        input_pool: (height, width) of the averaging window, which is also its stride; (1, 1) for none.
        stride: (vertical, horizontal), of a convolution.
        padding: zeros added to the pooled input: (top, left, bottom, right), of a convolution.
        activation_number: slope of "leaky_relu" below 0, upper limit of "clip"; 0 for the others.
        dilation: (vertical, horizontal) distance of a kernel's taps, of a convolution.
        groups: into so many equal parts the channels are cut, of a convolution; output channels of part k see
            the input channels of part k only.
        source: name of the layer whose output it takes, INPUT for the network's input; None: the layer before it.
        merged: linear maps of other sources, of the same outputs, whose results are added before the activation.
            Wherever a layer's input is one flat axis, those of its parts stand one after the other.

    The activation "max" stands for max pooling: ones for weights, one group a channel, and the largest number of
    each window in place of the sum.

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
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    source: str | None = None
    merged: tuple[AnnLayer, ...] = ()

    def __post_init__(self) -> None:
        for field in ("weights", "bias"):
            object.__setattr__(self, field, _frozen(getattr(self, field)))
        check_layer(self)

    @property
    def is_convolution(self) -> bool:
        return self.weights.ndim == 4

    @property
    def is_max(self) -> bool:
        """Max pooling: it has no weights to solve for."""
        return self.activation == "max"

    @property
    def parts(self) -> tuple[AnnLayer, ...]:
        """Its linear maps, each of one source; the first one has the bias."""
        return (replace(self, merged=()), *self.merged) if self.merged else (self,)

    @property
    def n_inputs(self) -> int:
        """Numbers on the flattened input, before pooling, of all parts."""
        return prod(self.input_shape) + sum(part.n_inputs for part in self.merged)

    @property
    def n_outputs(self) -> int:
        """Numbers on the flattened output."""
        return prod(self.output_shape)

    @property
    def arrays(self) -> tuple[FloatArray, FloatArray]:
        """All its numbers."""
        return self.matrix, self.bias

    @property
    def positions(self) -> int:
        """How often the weights are applied: output height times width, 1 for a dense layer."""
        return prod(self.output_shape[:2]) if self.is_convolution else 1

    @property
    def matrix(self) -> FloatArray:
        """The weights as (n, m): m outputs per position; rows of a convolution are (in / groups, ky, kx).

        The rows of the parts stand one after the other.
        """
        own = self.weights.reshape(-1, self.weights.shape[-1])
        return np.concatenate([own, *(part.matrix for part in self.merged)]) if self.merged else own

    def with_matrix(self, matrix: FloatArray, bias: FloatArray) -> AnnLayer:
        """The layer with these numbers in place of `matrix` and the bias."""
        rows, parts = np.cumsum([len(part.matrix) for part in self.parts])[:-1], []
        for part, own in zip(self.parts, np.split(matrix, rows), strict=True):
            parts.append(replace(part, weights=own.reshape(part.weights.shape)))
        return replace(parts[0], bias=bias, merged=tuple(parts[1:]))

    def split(self, x: FloatArray) -> list[FloatArray]:
        """(N, n_inputs) -> for each part, what it takes."""
        return np.split(x, np.cumsum([part.n_inputs for part in self.parts])[:-1], axis=1)

    @property
    def window(self) -> tuple[int, int]:
        """Height and width that a kernel covers with its dilation."""
        return dilated(self.weights.shape[1:3], self.dilation)

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
        return window_means(x.reshape(len(x), *self.input_shape), self.input_pool).reshape(len(x), -1)

    def unfold(self, x: FloatArray) -> FloatArray:
        """What each position sees: (N, n_inputs) -> (N, positions, groups * n), n in the row order of `matrix`.

        The patches are those of the pooled, zero-padded input, group by group; a dense layer has one patch.
        """
        if self.merged:
            by_group = (len(x), self.positions, self.groups, -1)
            both = zip(self.parts, self.split(x), strict=True)
            seen = [part.unfold(given).reshape(by_group) for part, given in both]
            return np.concatenate(seen, axis=3).reshape(len(x), self.positions, -1)
        pooled = self.pool(x)
        if not self.is_convolution:
            return pooled[:, np.newaxis, :]
        images = pooled.reshape(len(x), *self.pooled_shape)
        windows = unfolded(images, self.weights.shape[1:3], self.stride, self.dilation, self.padding)
        return windows.reshape(len(x), self.positions, -1)

    def preactivation(self, x: FloatArray) -> FloatArray:
        """The linear map: (N, n_inputs) -> (N, n_outputs), channels-last flattened."""
        if self.merged:
            both = zip(self.parts, self.split(x), strict=True)
            return np.asarray(sum(part.preactivation(given) for part, given in both))
        if not self.is_convolution:
            return self.pool(x) @ self.weights + self.bias
        out = np.empty((len(x), self.positions, len(self.bias)))
        rows = max(1, _UNFOLD_NUMBERS // (self.positions * self.groups * len(self.matrix)))
        for start in range(0, len(x), rows):
            chunk = slice(start, start + rows)
            out[chunk] = self._convolved(self.unfold(x[chunk]))
        return (out + self.bias).reshape(len(x), -1)

    def _convolved(self, seen: FloatArray) -> FloatArray:
        """(N, positions, groups * n) -> (N, positions, m)."""
        if self.is_max:
            largest: FloatArray = seen.reshape(*seen.shape[:2], self.groups, -1).max(axis=3)
            return largest
        if self.groups == 1:
            return seen @ self.matrix
        n, m = self.matrix.shape
        kernels = self.matrix.reshape(n, self.groups, m // self.groups)
        parts = seen.reshape(*seen.shape[:2], self.groups, n)
        out: FloatArray = np.einsum("bpgn,ngm->bpgm", parts, kernels)
        return out.reshape(*seen.shape[:2], m)

    def activate(self, z: FloatArray) -> FloatArray:
        """The activation function, element by element."""
        return activate(z, self.activation, self.activation_number)


@dataclass(frozen=True, eq=False)
class Ann:
    """A trained network: layers from one input to one output.

    Attributes:
        name: what reports call it.
        input_shape: of one sample, as the framework takes it (no batch axis).
        layers: from the input to the output, each after those it takes from.
        tail: what was cut off behind the last layer: "softmax" (its logarithm too), "sigmoid", "argmax", or
            None. The order of the outputs is the same with and without it.
        input_order: permutation; number k of the first layer's flat input is number input_order[k] of the
            framework's flattened input.

    Raises:
        AnnError: if a layer does not take what the ones before it give.
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
        check_network(self)

    def flatten(self, x: ArrayLike) -> FloatArray:
        """Samples as the framework takes them, (N, *input_shape) -> (N, n_inputs), in the order of layer 1.

        Raises:
            AnnError: if the array has another shape or holds something else than finite numbers.
        """
        samples = checked_samples(x, self.input_shape)
        return samples.reshape(len(samples), -1)[:, self.input_order]

    def preactivations(self, x: ArrayLike) -> tuple[FloatArray, ...]:
        """Per layer the linear map's output, (N, n_outputs), before the activation."""
        return tuple(z for z, _ in self._run(x))

    def forward(self, x: ArrayLike) -> tuple[FloatArray, ...]:
        """Per layer the output, (N, n_outputs), after the activation."""
        return tuple(a for _, a in self._run(x))

    def predict(self, x: ArrayLike) -> FloatArray:
        """The last layer's output, (N, n_outputs), before the tail that was cut off."""
        return self._run(x)[-1][1]

    @cached_property
    def sources(self) -> tuple[tuple[int, ...], ...]:
        """Of every layer, for each of its parts, the place of the layer that it takes from; -1 for the input."""
        places = {INPUT: -1} | {layer.name: k for k, layer in enumerate(self.layers)}
        return tuple(
            tuple(k - 1 if part.source is None else places[part.source] for part in layer.parts)
            for k, layer in enumerate(self.layers)
        )

    @property
    def is_chain(self) -> bool:
        """Every layer takes just what the one before it gives, and is a linear map with an activation."""
        plain = all(sources == (k - 1,) for k, sources in enumerate(self.sources))
        return plain and not any(layer.is_max for layer in self.layers)

    def _run(self, x: ArrayLike) -> list[tuple[FloatArray, FloatArray]]:
        given = self.flatten(x)
        steps: list[tuple[FloatArray, FloatArray]] = []
        for layer, sources in zip(self.layers, self.sources, strict=True):
            taken = [given if k < 0 else steps[k][1] for k in sources]
            z = layer.preactivation(taken[0] if len(taken) == 1 else np.concatenate(taken, axis=1))
            steps.append((z, layer.activate(z)))
        return steps


def _frozen(values: ArrayLike) -> FloatArray:
    """A read-only float64 copy, so that nobody changes a layer behind another's back."""
    array = np.array(values, dtype=np.float64, order="C")
    array.flags.writeable = False
    return array
