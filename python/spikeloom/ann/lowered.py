"""Where a lowering stands: the layers so far, and the current tensor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from math import prod

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.activation import SIGNED
from spikeloom.ann.folding import Piece, Source, channels_first
from spikeloom.ann.graph import INPUT, AnnLayer, FloatArray
from spikeloom.ann.steps import Convolution, MaxPool, Step
from spikeloom.errors import AnnError

# A tensor between two layers may have this many numbers. It is far above what any chip holds, and keeps a
# damaged size in a file from exhausting the memory.
MAX_NUMBERS = 1 << 22


@dataclass(frozen=True)
class Tensor:
    """A tensor of the network: an open linear layer or what the next one takes, and its numbering.

    Attributes are those of `Lowering` of the same name.
    """

    open: AnnLayer | None
    source: Source
    index: NDArray[np.int64]
    padding: tuple[int, int, int, int]
    waiting: MaxPool | None


class Lowered:
    """The network so far: closed layers, and the current tensor, which branches may take turns to be.

    The current tensor is an open linear layer, or what the next layer takes. A layer is open until its activation
    comes. `index` has the framework's shape of the current tensor; each element is the place of that number in
    the channels-last flattened tensor, so `index` is a permutation.
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
        self.source = Source.plain(INPUT, (prod(input_shape),))
        self.padding = (0, 0, 0, 0)  # of the current tensor, waiting for a convolution
        self.waiting: MaxPool | None = None  # of the open layer, behind the activation to come

    @property
    def tensor(self) -> Tensor:
        """The current tensor."""
        return Tensor(self.open, self.source, self.index, self.padding, self.waiting)

    @tensor.setter
    def tensor(self, tensor: Tensor) -> None:
        self.open, self.source, self.index = tensor.open, tensor.source, tensor.index
        self.padding, self.waiting = tensor.padding, tensor.waiting

    @property
    def shape(self) -> tuple[int, ...]:
        """The framework's shape of the current tensor, without the batch axis."""
        top, left, bottom, right = self.padding
        extra = (*[0] * (self.index.ndim - 2), top + bottom, left + right)[-self.index.ndim :]
        return tuple(side + more for side, more in zip(self.index.shape, extra, strict=True))

    def opened(self, step: Step) -> AnnLayer:
        """The current tensor as a linear layer: what is closed is handed on as it is."""
        if self.open is not None:
            return self.open
        source = self.source
        if len(source.pooled_shape) == 1:
            return source.dense(self.unused(step.name), np.diag(source.scale), source.offset)
        scale, offset = self.image_scaling(step)
        one = Convolution(
            step.where, step.name, np.diag(scale)[:, None, None, :], offset, (1, 1), (0, 0, 0, 0)
        )
        return source.convolution(self.unused(step.name), one.kernels, offset, one, source.pooled_shape)

    def close(self, activation: str, number: float = 0.0) -> None:
        """Put the activation on the open layer."""
        assert self.open is not None
        self.layers.append(replace(self.open, activation=activation, activation_number=number))
        self.source = Source.plain(self.open.name, self.open.output_shape)
        self.open = None

    def never_negative(self) -> bool:
        """The closed tensor holds no negative number, whatever the input."""
        plain = bool((self.source.scale >= 0).all() and (self.source.offset >= 0).all())
        return plain and not any(self._is_signed(piece.name) for piece in self.source.pieces)

    def _is_signed(self, name: str) -> bool:
        layer = next((layer for layer in self.layers if layer.name == name), None)
        if layer is None:
            return True  # the network's input
        return self._is_signed(layer.source or INPUT) if layer.is_max else layer.activation in SIGNED

    def as_image(self, step: Step) -> None:
        """Make sure that the current tensor is a channels-last image; the input becomes one here."""
        image = self.open.output_shape if self.open is not None else self.source.pooled_shape
        is_input = self.open is None and self.source.is_input and len(image) == 1
        if is_input and self.index.ndim == 3:
            self._renumber_input()
        elif len(image) != 3 or not np.array_equal(self.index, channels_first(image)):
            remedy = "give it an image (channel, height, width) that no Reshape has touched"
            raise step.refusal("its input is not an image", remedy, self.shape)

    def _renumber_input(self) -> None:
        channels, height, width = self.index.shape
        order = self.index.transpose(1, 2, 0).ravel()
        scale, offset = self.source.scale[order], self.source.offset[order]
        self.source = Source((Piece(INPUT, (height, width, channels)),), scale, offset)
        self.input_order = self.input_order[order]
        self.index = channels_first((height, width, channels))

    def image_scaling(self, step: Step) -> tuple[FloatArray, FloatArray]:
        return self.per_channel(step, self.source.scale, self.source.offset, self.source.pooled_shape)

    @staticmethod
    def per_channel(
        step: Step, scale: FloatArray, offset: FloatArray, shape: tuple[int, ...]
    ) -> tuple[FloatArray, FloatArray]:
        """Scale and offset of each channel, refused where they vary over the image."""
        both = np.stack([scale, offset]).reshape(2, -1, shape[-1])
        if (both != both[:, :1]).any():
            remedy = "use one number per channel, or scale the data instead"
            raise step.refusal("a constant that varies over the image cannot be folded into kernels", remedy)
        return both[0, 0], both[1, 0]

    def unused(self, name: str) -> str:
        """A name that no layer has yet."""
        taken = {layer.name for layer in self.layers}
        names = (name if k == 1 else f"{name}_{k}" for k in count(1))
        return next(candidate for candidate in names if candidate not in taken)
