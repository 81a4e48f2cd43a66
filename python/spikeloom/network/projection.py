"""The parts of a spiking network: populations and the projections between them. Arrays are read-only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from numpy.typing import NDArray
from scipy.sparse import csr_array

Encoding = Literal["spikes", "rate", "bits", "current", "bernoulli", "constant"]


@dataclass(frozen=True)
class Population:
    """Input lines, or neurons, under one name.

    `params` and `init` hold one code a neuron, in the profile's names (`bias_exp` beside `bias` where a
    parameter has an exponent). Both are empty for an input.
    """

    name: str
    size: int
    encoding: Encoding | None = None  # None: neurons
    scale: NDArray | None = None  # inputs only, (channels,): value * scale lies in [-1, 1]
    signed: bool = False  # inputs only: a pair of lines a channel, the positive half first
    planes: int = 1  # inputs of encoding "bits": lines a channel
    order: NDArray | None = None  # inputs only: channel k takes value order[k] of a flattened sample; None: k
    params: Mapping[str, NDArray] = field(default_factory=dict)
    init: Mapping[str, NDArray] = field(default_factory=dict)

    @property
    def is_input(self) -> bool:
        """True for input lines, False for neurons."""
        return self.encoding is not None


@dataclass(frozen=True)
class Convolution:
    """A kernel of codes that slides over an image of neurons numbered channels-last.

    With `pool`, the `pool[0] * pool[1]` neurons of one window read the same synapse row, so the kernel acts
    on the sum over the window.
    """

    codes: NDArray  # (in / groups, kernel y, kernel x, out)
    input_shape: tuple[int, int, int]  # (height, width, channels) of the source, before pooling
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)  # top, left, bottom, right of the pooled image
    pool: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)  # distance of a kernel's taps
    groups: int = 1  # equal parts of the channels; outputs of part k have synapses from inputs of part k only

    @property
    def window(self) -> tuple[int, int]:
        """Height and width that the kernel covers with its dilation."""
        _, kernel_y, kernel_x, _ = self.codes.shape
        return (kernel_y - 1) * self.dilation[0] + 1, (kernel_x - 1) * self.dilation[1] + 1

    @property
    def pooled_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) that the kernel sees, without padding."""
        height, width, channels = self.input_shape
        return height // self.pool[0], width // self.pool[1], channels

    @property
    def output_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of the target."""
        height, width, _ = self.pooled_shape
        top, left, bottom, right = self.padding
        down, across = self.window
        rows = (height + top + bottom - down) // self.stride[0] + 1
        columns = (width + left + right - across) // self.stride[1] + 1
        return rows, columns, self.codes.shape[3]


@dataclass(frozen=True)
class Projection:
    """Synapses from one population to another.

    `formats` gives the index of each synapse into the format lists `modes` and, by name, `shared`. Its shape
    broadcasts against the matrix or the kernel: (columns,) is one format a target neuron or output channel,
    (rows, 1) or (in, 1, 1, 1) one a source neuron or input channel.
    """

    source: str
    target: str
    weights: NDArray | csr_array | Convolution  # codes; (n_source, n_target) where a matrix
    delays: int | NDArray  # ticks; an array has the shape of the matrix (of its stored entries where sparse)
    formats: NDArray  # int
    modes: tuple[str, ...] = ()  # name of the weight mode of each format; empty where the profile has none
    shared: Mapping[str, NDArray] = field(default_factory=dict)  # name -> (formats,) int
    receptor: int = 0  # index into profile.delivery.into


@dataclass(frozen=True)
class Readout:
    """What is read from a population: spike counts over its window, or a register at the window's end."""

    population: str
    read: str
    scale: NDArray  # (size,): reading * scale is in the ANN's units
    offset: NDArray  # (size,): added after scaling


@dataclass(frozen=True)
class HostLayer:
    """The first layer of a `current` encoding, computed by the host: x @ weights + bias, the effective bias.

    x are the values of the channels of the input `source`, which has the encoding `current` and no synapses.
    """

    target: str
    weights: csr_array  # (channels, neurons) float64
    bias: NDArray  # (neurons,) float64
    source: str = ""
