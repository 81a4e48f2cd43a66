"""From a fitted layer to chip codes: thresholds, exponent, biases and start, and the layer added to a network.

A fit speaks in threshold units: a spike through the code k of output j adds `scale_j * k / area` thresholds, where
`area` is the number of sources that one averaging window pools. The chip speaks in register units (LSB): the same
spike adds `unit * k`. So the threshold of neuron j is `theta_j = unit * area / scale_j`, and the shared exponent,
which doubles `unit`, is chosen as large as the accumulators allow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import AnnLayer
from spikeloom.errors import PlacementError
from spikeloom.fit.problem import LayerFit
from spikeloom.network.analog_units import slowest_leak, weight_sizes
from spikeloom.network.chip_units import (
    FINEST_THRESHOLD,
    HEADROOM,
    accumulator_limit,
    bias_codes,
    coarsest_bias,
    current_memory,
    exponent_name,
    head_start,
    largest_bias,
    readout_parameters,
    shared_exponent,
    threshold_codes,
    threshold_name,
    weight_unit,
)
from spikeloom.network.constant_lines import constant_input, line_codes
from spikeloom.network.network import SpikingNetwork
from spikeloom.network.projection import Convolution
from spikeloom.profile.schema import Profile

if TYPE_CHECKING:
    from scipy.sparse import sparray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Synapses:
    """What a chip layer is made of: weights codes * scales and bias, in threshold units.

    codes: (n, m) on the chip's grid; scales, bias: (m,)
    """

    name: str
    codes: NDArray
    scales: Array
    bias: Array

    @property
    def weights(self) -> Array:
        """(n, m) threshold units."""
        return np.asarray(self.codes * self.scales, dtype=np.float64)

    @classmethod
    def of(cls, fit: LayerFit) -> Synapses:
        """The rounded weights of a fit and the bias that was fitted to them."""
        return cls(fit.name, fit.codes, fit.scales, fit.quantised_bias)


@dataclass(frozen=True, eq=False)
class ChipLayer:
    """One fitted layer in the chip's own codes, ready to be added to a network.

    weights: for each source codes, a matrix (n_source, n_target), sparse where zeros would count as synapses, or a
    Convolution
    shared: shared weight values by name, the same for every source; params, init: one value a neuron,
    by the profile's names
    theta: (n_target,) effective threshold in LSB; for a readout, LSB per unit of current
    host_bias: (n_target,) LSB, where the host computes the layer's current; `weights` are then LSB per unit of value
    constant: (lines, n_target) codes from the lines that always send, where a bias comes by axons
    """

    name: str
    weights: tuple[NDArray | sparray | Convolution, ...]
    shared: dict[str, Any]
    params: dict[str, NDArray]
    init: dict[str, NDArray]
    theta: Array
    host_bias: Array | None = None
    constant: NDArray | None = None

    @property
    def size(self) -> int:
        """Neurons."""
        return int(self.theta.size)

    def add_to(self, network: SpikingNetwork, sources: Sequence[str]) -> None:
        """Add the population and its projections from `sources`; a host layer, where the host computes."""
        population = network.population(self.name, self.size, init=self.init, **self.params)
        for source, weights in zip(sources, self.weights, strict=True):
            if self.host_bias is not None:
                network.host_layer(network.populations[source], population, weights, bias=self.host_bias)
            else:
                network.connect(network.populations[source], population, weights, **self.shared)
        if self.constant is not None:
            network.connect(constant_input(network, len(self.constant)), population, self.constant)


def chip_layer(
    synapses: Synapses,
    layer: AnnLayer,
    profile: Profile,
    *,
    ticks: int,
    peak: Array,
    readout: bool = False,
    depth: int = 0,
    planes: int = 1,
    start_share: Array | float = 0.5,
) -> ChipLayer:
    """The codes of a layer.

    peak: (m,) largest |current| of one tick on calibration data, in threshold units; for a readout, the largest
    accumulated one. A readout never fires, and its bias is spread over the
    `ticks + depth` ticks that it integrates. planes: lines of an input channel, of weight 1/2, 1/4, ...
    start_share: (m,) potential that a neuron starts with, in thresholds.
    """
    area = float(np.prod(layer.input_pool))
    current = synapses.bias * (ticks / (ticks + depth) if readout else 1.0)
    constant = np.maximum(current, 0.0) + start_share / ticks
    if profile.weights.formula == "float":
        synapses = _in_range(synapses, profile, peak, np.maximum(constant, np.abs(current)), readout)
    theta = weight_unit(profile) * area / synapses.scales
    exponent = shared_exponent(
        theta, profile, peak * current_memory(profile), constant, readout=readout, planes=planes
    )
    threshold, theta = threshold_codes(theta * 2.0**exponent, profile, readout)
    init, start = head_start(profile, theta, ticks, readout, start_share)
    params = {threshold_name(profile): threshold, **bias_codes(current * theta + start, profile)}
    params |= {name: np.full(theta.shape, value) for name, value in slowest_leak(profile).items()}
    if readout:
        params |= {name: np.full(theta.shape, code) for name, code in readout_parameters(profile).items()}
    by_axon = profile.bias.kind == "axon"
    return ChipLayer(
        synapses.name,
        tuple(
            _stored(geometry(_spread(codes, planes, profile), part, planes), profile)
            for part, codes in zip(layer.parts, rows_of_parts(synapses.codes, layer), strict=True)
        ),
        _shared(profile, exponent, planes, layer),
        {name: _on_positions(codes, layer) for name, codes in params.items()},
        {name: _on_positions(values, layer) for name, values in init.items()},
        _on_positions(theta, layer),
        constant=_on_positions(line_codes(current * theta + start, profile), layer) if by_axon else None,
    )


def rows_of_parts(matrix: NDArray, layer: AnnLayer) -> list[NDArray]:
    """The rows of each of the layer's linear maps."""
    return np.split(matrix, np.cumsum([len(part.matrix) for part in layer.parts])[:-1])


def hosted_layer(
    layer: AnnLayer,
    matrix: Array,
    profile: Profile,
    *,
    ticks: int,
    peak: float,
    start_share: Array | float = 0.5,
) -> ChipLayer:
    """A first layer whose current the host computes and writes as the bias of every sample.

    layer: with weights and bias in threshold units. matrix: (channels, n_target) the same without bias, for the
    values themselves. peak: largest magnitude of the current on calibration data, in threshold units.
    """
    param = profile.params[threshold_name(profile)]
    room = HEADROOM * min(largest_bias(profile), accumulator_limit(profile)) / max(peak, 1e-9)
    finest = 1.0 if profile.is_analog else FINEST_THRESHOLD * 2.0**param.shift
    threshold, theta = threshold_codes(np.full(layer.bias.shape, min(room, finest)), profile, readout=False)
    init, start = head_start(profile, theta, ticks, readout=False, share=start_share)
    params = {threshold_name(profile): threshold, **coarsest_bias(profile, theta.size)}
    scale = _on_positions(theta, layer)
    return ChipLayer(
        layer.name, (matrix * scale,), {},
        {name: _on_positions(codes, layer) for name, codes in params.items()},
        {name: _on_positions(values, layer) for name, values in init.items()},
        scale, host_bias=_on_positions(layer.bias * theta + start, layer),
    )  # fmt: skip


def _in_range(synapses: Synapses, profile: Profile, peak: Array, constant: Array, readout: bool) -> Synapses:
    """The same weights, divided by what the chip's ranges ask for, where it has any."""
    sizes = weight_sizes(profile, synapses.weights, peak, constant, readout=readout)
    if not np.isfinite(sizes).all() or (sizes <= 1e-12).all():
        return synapses
    return replace(synapses, codes=synapses.weights / sizes, scales=sizes)


def _on_positions(values: NDArray, layer: AnnLayer) -> NDArray:
    """(..., m) per output -> (..., n_target) per neuron, channels-last."""
    return np.tile(values, layer.positions)


def _spread(codes: NDArray, planes: int, profile: Profile) -> NDArray:
    """One row a line: the same code on every plane of a channel, whose weight the exponent makes 1/2, 1/4, ..."""
    if planes == 1:
        return codes
    spread = np.repeat(codes, planes, axis=0)
    if profile.weights.formula == "float":
        return spread * np.tile(0.5 ** np.arange(1, planes + 1), len(codes))[:, None]
    if not exponent_name(profile):
        raise PlacementError(f"profile {profile.name}", "has no shared exponent that could weigh bit planes",
                             remedy='use the encoding "rate" or "current"')  # fmt: skip
    return spread


def geometry(codes: NDArray, layer: AnnLayer, planes: int) -> NDArray | Convolution:
    """The codes as a matrix, or as a kernel where the layer convolves or pools."""
    if layer.is_convolution:
        channels, kernel_y, kernel_x, out = layer.weights.shape
        if planes > 1:  # rows are (in, ky, kx, plane): the planes of a channel belong beside it
            codes = codes.reshape(channels, kernel_y, kernel_x, planes, out).transpose(0, 3, 1, 2, 4)
        kernel = codes.reshape(channels * planes, kernel_y, kernel_x, out)
        return Convolution(
            kernel, _image(layer, planes), layer.stride, layer.padding, layer.input_pool, layer.dilation,
            layer.groups,
        )  # fmt: skip
    if layer.input_pool == (1, 1):
        return codes
    height, width, channels = layer.pooled_shape
    kernel = codes.reshape(height, width, channels * planes, -1).transpose(2, 0, 1, 3)
    return Convolution(np.ascontiguousarray(kernel), _image(layer, planes), pool=layer.input_pool)


def _stored(weights: NDArray | Convolution, profile: Profile) -> NDArray | sparray | Convolution:
    """A matrix without its zeros, where the chip counts the synapses of a neuron."""
    if profile.limits.fan_in is None or isinstance(weights, Convolution):
        return weights
    from scipy.sparse import coo_array

    return coo_array(weights)


def _image(layer: AnnLayer, planes: int) -> tuple[int, int, int]:
    height, width, channels = layer.input_shape
    return height, width, channels * planes


def _shared(profile: Profile, exponent: int, planes: int, layer: AnnLayer) -> dict[str, Any]:
    """Shared weight values; with planes, line k of a channel has an exponent k + 1 lower than a whole spike."""
    name = exponent_name(profile)
    if not name:
        return {}
    if planes == 1:
        return {name: exponent}
    is_kernel = layer.is_convolution or layer.input_pool != (1, 1)
    channels = layer.pooled_shape[-1] if is_kernel else layer.n_inputs
    per_line = np.tile(exponent - 1 - np.arange(planes), channels)
    return {name: per_line.reshape((-1, 1, 1, 1) if is_kernel else (-1, 1))}
