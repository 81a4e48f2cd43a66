"""From a chain of framework operations to the layers of an `Ann`.

`Lowering` takes the steps of a network one by one, folds what is linear into the nearest layer, and renumbers
images channels-last. Nothing here is approximate: what cannot be folded exactly is refused.
"""

from __future__ import annotations

from dataclasses import replace
from math import isqrt, prod

import numpy as np

from spikeloom.ann.activation import MAX, NUMBERED, SIGNED, number_fits
from spikeloom.ann.checks import convolved_sides, dilated
from spikeloom.ann.folding import Source, channels_first, pooled_convolution, scaled_kernels
from spikeloom.ann.graph import Ann, AnnLayer, FloatArray
from spikeloom.ann.lowered import MAX_NUMBERS, Lowered
from spikeloom.ann.steps import (
    Activation,
    Affine,
    AveragePool,
    Convolution,
    Dense,
    MaxPool,
    Padding,
    Reshape,
    Step,
    Transpose,
)  # fmt: skip
from spikeloom.errors import AnnError

_EXPORT = "export the network without it"
_ACTIVATION = "put an activation between them, or merge them in the framework"


class Lowering(Lowered):
    """Takes the steps one by one; `tensor` is where it stands, and may be exchanged to follow another branch."""

    def add(self, step: Step) -> None:
        """Append one step.

        Raises:
            AnnError: naming the step, if it cannot be carried over exactly.
        """
        if any(self.padding) and not isinstance(step, Convolution | Padding):
            raise step.refusal("its input is padded", "pad right before a convolution only", self.padding)
        if self.waiting and not isinstance(step, Activation | Affine | Reshape | Transpose):
            remedy = "put a ReLU before or right behind it"
            raise self.waiting.refusal("it pools a linear layer", remedy, step.where)
        if isinstance(step, Convolution | AveragePool | MaxPool) and self.index.ndim == 2:
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
                case MaxPool():
                    self._max_pool(step)
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
        if self.waiting:
            raise self.waiting.refusal("it pools a linear layer", "put a ReLU before or right behind it")
        if self.open is None and not self.source.is_input and not self.source.is_plain:
            self.open = self._readout()
        if self.open is not None:
            self.close("identity")
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
        return source.dense(self.unused(step.name), weights, bias)

    def _merged(self, step: Dense, rows: FloatArray) -> AnnLayer:
        """The open dense layer followed by another one: (x W1 + b1) W2 + b2."""
        assert self.open is not None
        if self.open.is_convolution:
            raise step.refusal("it follows a convolution without an activation", _ACTIVATION)
        first, *others = (
            replace(part, weights=part.weights @ rows, bias=part.bias @ rows, output_shape=rows.shape[1:])
            for part in self.open.parts
        )
        return replace(first, bias=first.bias + step.bias, merged=tuple(others))

    def _convolution(self, step: Convolution) -> None:
        if self.open is not None:
            raise step.refusal("it follows a linear layer without an activation", _ACTIVATION)
        self.as_image(step)
        step = replace(step, padding=_sum(step.padding, self.padding))
        self.padding = (0, 0, 0, 0)
        self._check_sizes(step)
        scale, offset = self.image_scaling(step)
        if offset.any() and any(step.padding):
            problem = "a constant is added to its input, which its zero padding would not get"
            remedy = "add the constant to the data instead, or use no padding"
            raise step.refusal(problem, remedy, step.padding, 0)
        kernels, bias = scaled_kernels(step, scale, offset)
        shape = self._convolved(step)
        self.open = self.source.convolution(self.unused(step.name), kernels, bias, step, shape)
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

    def _tiled(self, step: AveragePool) -> tuple[int, int, int]:
        """The image's shape after the pooling."""
        channels, height, width = self.shape
        down, right = step.window
        if height % down or width % right:
            remedy = "use a window that divides the image"
            raise step.refusal("its window does not divide the image", remedy, step.window, (height, width))
        return height // down, width // right, channels

    def _slid(self, step: MaxPool, image: tuple[int, ...]) -> tuple[int, int, int]:
        """The shape of an image (channel, height, width) after a max pooling, channels last."""
        rows, columns = convolved_sides(image[1:], step.window, step.stride, step.padding)
        if min(rows, columns) < 1:
            raise step.refusal(
                "its window is larger than the padded image", "use a smaller one", step.window, image[1:]
            )
        return rows, columns, image[0]

    def _pool(self, step: AveragePool) -> None:
        if step.window == (1, 1):
            return
        self.as_image(step)
        shape = self._tiled(step)
        if self.open is None:
            scale, offset = self.image_scaling(step)
            tiles, pieces = (
                shape[0] * shape[1],
                tuple(piece.pooled(step.window) for piece in self.source.pieces),
            )
            self.source = Source(pieces, np.tile(scale, tiles), np.tile(offset, tiles))
        elif any(part.dilation != (1, 1) for part in self.open.parts):
            raise step.refusal("it follows a dilated convolution without an activation", _ACTIVATION)
        else:
            self.open = pooled_convolution(self.open, step.window)
        self.index = channels_first(shape)

    def _max_pool(self, step: MaxPool) -> None:
        """Behind an open layer it waits for the activation, which it may change places with."""
        if step.window == step.stride == (1, 1):
            return
        self.as_image(step)
        shape = self._slid(step, self.index.shape)
        if self.open is not None:
            self.waiting = step
        else:
            scale, offset = self.image_scaling(step)
            if scale.min() < 0 or any(piece.pool != (1, 1) for piece in self.source.pieces):
                raise step.refusal("it does not directly follow an activation", "put it right behind a ReLU")
            if any(step.padding) and not self.never_negative():
                raise step.refusal("it pads what can be negative", "put it right behind a ReLU", step.padding)
            self.source = replace(self._maxima(step), scale=np.tile(scale, prod(shape[:2])),
                                  offset=np.tile(offset, prod(shape[:2])))  # fmt: skip
        self.index = channels_first(shape)

    def _maxima(self, step: MaxPool) -> Source:
        """Max pooling as layers, one for each piece of the current tensor."""
        pieces = []
        for piece in self.source.pieces:
            channels = piece.shape[2]
            shape = self._slid(step, (channels, *piece.shape[:2]))
            ones = np.ones((1, *step.window, channels))
            layer = AnnLayer(
                self.unused(step.name), ones, np.zeros(channels), MAX, piece.shape, shape,
                stride=step.stride, padding=step.padding, groups=channels, source=piece.name,
            )  # fmt: skip
            self.layers.append(layer)
            pieces.append(Source.plain(layer.name, shape).pieces[0])
        size = sum(prod(piece.shape) for piece in pieces)
        return Source(tuple(pieces), np.ones(size), np.zeros(size))

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
            scale, offset = self.per_channel(step, scale, offset, self.open.output_shape)
        if self.waiting and np.min(scale) < 0:
            raise self.waiting.refusal("a negative scale follows it", "put a ReLU before it", step.where)
        matrix = self.open.matrix * scale
        self.open = self.open.with_matrix(matrix, self.open.bias * scale + offset)

    def _reshape(self, step: Reshape) -> None:
        if prod(step.shape) != self.index.size:
            raise step.refusal("it changes how many numbers there are", _EXPORT, step.shape, self.shape)
        self.index = self.index.reshape(step.shape)

    def _activate(self, step: Activation) -> None:
        if self.open is None and self.source.is_input:
            raise step.refusal("there is no linear layer right before it", _EXPORT)
        if not number_fits(step.kind, step.number):
            limit = NUMBERED.get(step.kind)
            raise step.refusal(f"wrong number for {step.kind}", "use another one", step.number, limit)
        if self.open is None and step.kind == "relu" and self.never_negative():
            return
        if self.waiting and step.kind in SIGNED:
            raise self.waiting.refusal(
                "it pools numbers that can be negative", "pool behind a ReLU", step.where
            )
        self.open, index = self.opened(step), self.index
        self.close(step.kind, step.number)
        if self.waiting:
            self.source, self.waiting = self._maxima(self.waiting), None
        self.index = index

    def _readout(self) -> AnnLayer:
        """A linear layer of its own for a pooling or scaling behind the last activation."""
        source, n = self.source, len(self.source.scale)
        if n * n > MAX_NUMBERS:
            subject, limit = f"network {self.name!r}", isqrt(MAX_NUMBERS)
            problem = "pooling or scaling behind the last activation has too many numbers"
            raise AnnError(subject, problem, value=n, limit=limit, remedy="end with a linear layer")
        return source.dense(self.unused("readout"), np.diag(source.scale), source.offset)


def _sum(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Two paddings, one around the other."""
    top, left, bottom, right = (a + b for a, b in zip(first, second, strict=True))
    return top, left, bottom, right
