"""From a chain of framework operations to the layers of an `Ann`.

`Lowering` takes the steps of a network one by one, folds what is linear into the nearest layer, and renumbers
images channels-last. Nothing here is approximate: what cannot be folded exactly is refused.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from math import isqrt, prod

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.activation import NUMBERED, number_fits
from spikeloom.ann.checks import convolved_sides, dilated
from spikeloom.ann.folding import Source, channels_first, pooled_convolution, scaled_kernels
from spikeloom.ann.graph import Ann, AnnLayer, FloatArray
from spikeloom.ann.steps import (
    Activation,
    Affine,
    AveragePool,
    Convolution,
    Dense,
    Padding,
    Reshape,
    Step,
    Transpose,
)  # fmt: skip
from spikeloom.errors import AnnError

# A tensor between two layers may have this many numbers. It is far above what any chip holds, and keeps a
# damaged size in a file from exhausting the memory.
MAX_NUMBERS = 1 << 22

_EXPORT = "export the network without it"
_ACTIVATION = "put an activation between them, or merge them in the framework"


class Lowering:
    """The network so far: closed layers, at most one open linear layer, and what the next one takes.

    A layer is open until its activation comes. `index` has the framework's shape of the current tensor; each
    element is the place of that number in the channels-last flattened tensor, so `index` is a permutation.
    """

    def __init__(self, name: str, input_shape: tuple[int, ...]) -> None:
        if prod(input_shape) > MAX_NUMBERS:
            subject, limit = f"network {name!r}", f"{MAX_NUMBERS} numbers"
            raise AnnError(
                subject, "its input is too large", value=input_shape, limit=limit, remedy="crop it"
            )
        self.name = name
        self.input_shape = input_shape
        self.layers: list[AnnLayer] = []
        self.open: AnnLayer | None = None
        self.input_order: NDArray[np.int64] = np.arange(prod(input_shape))
        self.index: NDArray[np.int64] = self.input_order.reshape(input_shape)
        # Whether the input is an image is not known before a layer asks for one.
        self.source = Source.plain((prod(input_shape),))
        self.padding = (0, 0, 0, 0)  # of the current tensor, waiting for a convolution

    @property
    def shape(self) -> tuple[int, ...]:
        """The framework's shape of the current tensor, without the batch axis."""
        top, left, bottom, right = self.padding
        extra = (*[0] * (self.index.ndim - 2), top + bottom, left + right)[-self.index.ndim :]
        return tuple(side + more for side, more in zip(self.index.shape, extra, strict=True))

    def add(self, step: Step) -> None:
        """Append one step.

        Raises:
            AnnError: naming the step, if it cannot be carried over exactly.
        """
        if any(self.padding) and not isinstance(step, Convolution | Padding):
            raise step.refusal("its input is padded", "pad right before a convolution only", self.padding)
        if isinstance(step, Convolution | AveragePool) and self.index.ndim == 2:
            self._along_a_line(step)
            return
        with np.errstate(all="ignore"):  # a number that overflows is found, and refused, by AnnLayer
            match step:
                case Dense():
                    self._dense(step)
                case Convolution():
                    self._convolution(step)
                case AveragePool():
                    self._pool(step)
                case Affine():
                    self._affine(step)
                case Padding():
                    self._pad(step)
                case Reshape():
                    self._reshape(step)
                case Transpose():
                    self.index = self.index.transpose(step.axes)
                case Activation():
                    self._activate(step)

    def finish(self, tail: str | None) -> Ann:
        """Close the last layer and give the network; a sigmoid at its end becomes the tail.

        Raises:
            AnnError: if there is no layer, or its outputs would come in another order than the framework's.
        """
        subject = f"network {self.name!r}"
        if any(self.padding):
            raise AnnError(
                subject, "its output is padded", value=self.padding, remedy="leave the padding out"
            )
        if self.open is None and self.layers and not self.source.is_plain:
            self.open = self._readout()
        if self.open is not None:
            self._close("identity")
        if not self.layers:
            raise AnnError(subject, "it has no linear layer", remedy="give a network with a layer to convert")
        if len(self.shape) == 1 and not np.array_equal(self.index, np.arange(len(self.index))):
            problem = "its output is a flattened image, whose order here is channels-last"
            raise AnnError(subject, problem, remedy="leave out the last Flatten")
        if tail is None and self.layers[-1].activation == "sigmoid":
            self.layers[-1], tail = replace(self.layers[-1], activation="identity"), "sigmoid"
        return Ann(self.name, self.input_shape, tuple(self.layers), tail, self.input_order)

    def _dense(self, step: Dense) -> None:
        if self.shape != step.weights.shape[:1]:
            problem = "its input is not a flat vector of one number per row of weights"
            raise step.refusal(problem, "put a Flatten before it", self.shape, step.weights.shape[:1])
        rows = np.empty_like(step.weights)
        rows[self.index] = step.weights
        self.open = self._dense_on_source(step, rows) if self.open is None else self._merged(step, rows)
        self.index = np.arange(step.weights.shape[1])

    def _dense_on_source(self, step: Dense, rows: FloatArray) -> AnnLayer:
        source = self.source
        weights, bias = source.scale[:, np.newaxis] * rows, step.bias + source.offset @ rows
        name, shape = self._unused(step.name), rows.shape[1:]
        return AnnLayer(name, weights, bias, "identity", source.shape, shape, source.pool)

    def _merged(self, step: Dense, rows: FloatArray) -> AnnLayer:
        """The open dense layer followed by another one: (x W1 + b1) W2 + b2."""
        assert self.open is not None
        if self.open.is_convolution:
            raise step.refusal("it follows a convolution without an activation", _ACTIVATION)
        weights, bias = self.open.weights @ rows, self.open.bias @ rows + step.bias
        return replace(self.open, weights=weights, bias=bias, output_shape=rows.shape[1:])

    def _convolution(self, step: Convolution) -> None:
        if self.open is not None:
            raise step.refusal("it follows a linear layer without an activation", _ACTIVATION)
        self._as_image(step)
        step = replace(step, padding=_sum(step.padding, self.padding))
        self.padding = (0, 0, 0, 0)
        self._check_sizes(step)
        scale, offset = self._image_scaling(step)
        if offset.any() and any(step.padding):
            problem = "a constant is added to its input, which its zero padding would not get"
            remedy = "add the constant to the data instead, or use no padding"
            raise step.refusal(problem, remedy, step.padding, 0)
        kernels, bias = scaled_kernels(step, scale, offset)
        name, shape, source = self._unused(step.name), self._convolved(step), self.source
        self.open = AnnLayer(
            name, kernels, bias, "identity", source.shape, shape, source.pool, step.stride, step.padding,
            dilation=step.dilation, groups=step.groups,
        )  # fmt: skip
        self.index = channels_first(shape)

    def _check_sizes(self, step: Convolution) -> None:
        (channels, height, width), (top, left, bottom, right) = self.index.shape, step.padding
        n_in, shape = step.kernels.shape[0] * step.groups, self._convolved(step)
        if channels != n_in or step.kernels.shape[3] % step.groups:
            remedy = "use an input with as many channels as the kernels"
            raise step.refusal("kernels and image differ in channels", remedy, channels, n_in)
        if min(shape) < 1:
            problem, remedy = "its kernel is larger than the padded image", "give a larger image"
            raise step.refusal(problem, remedy, step.kernels.shape[1:3], (height, width))
        size = max(channels * (height + top + bottom) * (width + left + right), prod(shape))
        if size > MAX_NUMBERS:
            raise step.refusal("its image is too large", "use a smaller one", size, MAX_NUMBERS)

    def _convolved(self, step: Convolution) -> tuple[int, int, int]:
        window = dilated(step.kernels.shape[1:3], step.dilation)
        sides = convolved_sides(self.index.shape[1:], window, step.stride, step.padding)
        return *sides, step.kernels.shape[3]

    def _pool(self, step: AveragePool) -> None:
        if step.window == (1, 1):
            return
        self._as_image(step)
        channels, height, width = self.shape
        down, right = step.window
        if height % down or width % right:
            remedy = "use a window that divides the image"
            raise step.refusal("its window does not divide the image", remedy, step.window, (height, width))
        shape = (height // down, width // right, channels)
        if self.open is None:
            scale, offset = self._image_scaling(step)
            pool = (self.source.pool[0] * down, self.source.pool[1] * right)
            tiles = shape[0] * shape[1]
            self.source = Source(self.source.shape, pool, np.tile(scale, tiles), np.tile(offset, tiles))
        elif self.open.dilation != (1, 1):
            raise step.refusal("it follows a dilated convolution without an activation", _ACTIVATION)
        else:
            self.open = pooled_convolution(self.open, step.window)
        self.index = channels_first(shape)

    def _pad(self, step: Padding) -> None:
        if self.index.ndim not in (2, 3) or (self.index.ndim == 2 and any(step.sides[::2])):
            raise step.refusal("its input is not an image", "pad images only", self.shape)
        self.padding = _sum(self.padding, step.sides)

    def _along_a_line(self, step: Step) -> None:
        """A step on (channel, length), taken as an image of height 1."""
        self.index = self.index[:, np.newaxis]
        self.add(step)
        self.index = self.index[:, 0]

    def _affine(self, step: Affine) -> None:
        scale, offset = np.empty(self.index.size), np.empty(self.index.size)
        scale[self.index], offset[self.index] = step.scale, step.offset
        if self.open is None:
            offset = scale * self.source.offset + offset
            self.source = replace(self.source, scale=scale * self.source.scale, offset=offset)
            return
        if self.open.is_convolution:
            scale, offset = self._per_channel(step, scale, offset, self.open.output_shape)
        bias = self.open.bias * scale + offset
        self.open = replace(self.open, weights=self.open.weights * scale, bias=bias)

    def _reshape(self, step: Reshape) -> None:
        if prod(step.shape) != self.index.size:
            raise step.refusal("it changes how many numbers there are", _EXPORT, step.shape, self.shape)
        self.index = self.index.reshape(step.shape)

    def _activate(self, step: Activation) -> None:
        if self.open is None:
            raise step.refusal("there is no linear layer right before it", _EXPORT)
        if not number_fits(step.kind, step.number):
            limit = NUMBERED.get(step.kind)
            raise step.refusal(f"wrong number for {step.kind}", "use another one", step.number, limit)
        self._close(step.kind, step.number)

    def _close(self, activation: str, number: float = 0.0) -> None:
        assert self.open is not None
        self.layers.append(replace(self.open, activation=activation, activation_number=number))
        self.source = Source.plain(self.open.output_shape)
        self.open = None

    def _readout(self) -> AnnLayer:
        """A linear layer of its own for a pooling or scaling behind the last activation."""
        source, n = self.source, len(self.source.scale)
        if n * n > MAX_NUMBERS:
            subject, limit = f"network {self.name!r}", isqrt(MAX_NUMBERS)
            problem = "pooling or scaling behind the last activation has too many numbers"
            raise AnnError(subject, problem, value=n, limit=limit, remedy="end with a linear layer")
        name, weights = self._unused("readout"), np.diag(source.scale)
        return AnnLayer(name, weights, source.offset, "identity", source.shape, (n,), source.pool)

    def _as_image(self, step: Step) -> None:
        """Make sure that the current tensor is a channels-last image; the input becomes one here."""
        image = self.open.output_shape if self.open is not None else self.source.pooled_shape
        is_input = not self.layers and self.open is None and len(image) == 1
        if is_input and self.index.ndim == 3:
            self._renumber_input()
        elif len(image) != 3 or not np.array_equal(self.index, channels_first(image)):
            remedy = "give it an image (channel, height, width) that no Reshape has touched"
            raise step.refusal("its input is not an image", remedy, self.shape)

    def _renumber_input(self) -> None:
        channels, height, width = self.index.shape
        order = self.index.transpose(1, 2, 0).ravel()
        scale, offset = self.source.scale[order], self.source.offset[order]
        self.source = Source((height, width, channels), (1, 1), scale, offset)
        self.input_order = self.input_order[order]
        self.index = channels_first((height, width, channels))

    def _image_scaling(self, step: Step) -> tuple[FloatArray, FloatArray]:
        return self._per_channel(step, self.source.scale, self.source.offset, self.source.pooled_shape)

    @staticmethod
    def _per_channel(
        step: Step, scale: FloatArray, offset: FloatArray, shape: tuple[int, ...]
    ) -> tuple[FloatArray, FloatArray]:
        """Scale and offset of each channel, refused where they vary over the image."""
        both = np.stack([scale, offset]).reshape(2, -1, shape[-1])
        if (both != both[:, :1]).any():
            remedy = "use one number per channel, or scale the data instead"
            raise step.refusal("a constant that varies over the image cannot be folded into kernels", remedy)
        return both[0, 0], both[1, 0]

    def _unused(self, name: str) -> str:
        taken = {layer.name for layer in self.layers}
        names = (name if k == 1 else f"{name}_{k}" for k in count(1))
        return next(candidate for candidate in names if candidate not in taken)


def _sum(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Two paddings, one around the other."""
    top, left, bottom, right = (a + b for a, b in zip(first, second, strict=True))
    return top, left, bottom, right
