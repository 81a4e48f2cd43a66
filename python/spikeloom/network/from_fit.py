"""From a fitted layer to chip codes: thresholds, exponent, biases and start, and the layer added to a network.

A fit speaks in threshold units: a spike through the code k of output j adds `scale_j * k / area` thresholds, where
`area` is the number of sources that one averaging window pools. The chip speaks in register units (LSB): the same
spike adds `unit * k`. So the threshold of neuron j is `theta_j = unit * area / scale_j`, and the shared exponent,
which doubles `unit`, is chosen as large as the accumulators allow.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import AnnLayer
from spikeloom.errors import PlacementError
from spikeloom.fit.problem import TypedCodes
from spikeloom.network.analog_units import slowest_leak, weight_sizes
from spikeloom.network.carried import carried
from spikeloom.network.chip_layer import ChipLayer, Synapses
from spikeloom.network.chip_units import (
    FINEST_THRESHOLD,
    HEADROOM,
    accumulator_limit,
    bias_codes,
    can_weigh_planes,
    coarsest_bias,
    current_memory,
    exponent_name,
    head_start,
    largest_bias,
    lower_threshold,
    only_integrates,
    readout_parameters,
    shared_exponent,
    threshold_codes,
    threshold_name,
    weight_unit,
)
from spikeloom.network.constant_lines import bias_lines
from spikeloom.network.differential_pairs import pair_layer, pair_neuron
from spikeloom.network.gain_neurons import gain_layer, gain_neuron
from spikeloom.network.projection import Convolution
from spikeloom.profile.schema import Profile

if TYPE_CHECKING:
    from scipy.sparse import sparray

Array = NDArray[np.float64]


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
    carries: bool = False,
) -> ChipLayer:
    """The codes of a layer.

    peak: (m,) largest |current| of one tick on calibration data, in threshold units; for a readout, the largest
    accumulated one. A readout never fires, and its bias is spread over the
    `ticks + depth` ticks that it integrates. planes: lines of an input channel, of weight 1/2, 1/4, ...
    start_share: (m,) potential that a neuron starts with, in thresholds. carries: its neurons keep what they have
    above their threshold, see `carried`.
    """
    _check_planes(planes, profile)
    area = float(np.prod(layer.input_pool))
    each = replace(synapses, scales=synapses.scales / area)
    if (gained := gain_neuron(profile)) is not None:
        return _on_image(gain_layer(each, profile, gained, start_share=start_share), layer)
    if (pair := pair_neuron(profile)) is not None:
        return _on_image(pair_layer(each, profile, pair, ticks=ticks), layer)
    current = synapses.bias * (ticks / (ticks + depth) if readout else 1.0)
    constant = np.maximum(current, 0.0) + start_share / ticks
    if carries:
        constant = np.broadcast_to(start_share, current.shape)
    if profile.weights.formula == "float":
        largest = np.maximum(constant, np.abs(current))
        synapses = _in_range(synapses, profile, peak, largest, readout, area)
    theta = weight_unit(profile) * area / synapses.scales
    exponent = shared_exponent(
        theta, profile, peak * current_memory(profile), constant, readout=readout, planes=planes
    )
    threshold, theta = threshold_codes(synapses.name, theta * 2.0**exponent, profile, readout)
    early = depth * current * theta if only_integrates(profile) else None
    init, start = head_start(profile, theta, ticks, readout, start_share, early)
    params = {threshold_name(profile): threshold, **bias_codes(current * theta + start, profile)}
    params |= {name: np.full(theta.shape, value) for name, value in slowest_leak(profile).items()}
    params |= lower_threshold(profile, theta, peak)
    if readout:
        params |= {name: np.full(theta.shape, code) for name, code in readout_parameters(profile).items()}
    by_axon, types = profile.bias.kind == "axon", None
    if synapses.typed is None or not profile.weights.table:
        weights = tuple(
            _stored(geometry(_spread(codes, planes, profile), part, planes), profile)
            for part, codes in zip(layer.parts, rows_of_parts(synapses.codes, layer), strict=True)
        )
    else:
        types, weights = synapses.typed.sets, (axon_bits(synapses.typed),)
        params |= dict(zip(profile.weights.table, synapses.typed.weights, strict=True))
    made = ChipLayer(
        synapses.name,
        weights,
        _shared(profile, exponent, planes, layer),
        {name: _on_positions(codes, layer) for name, codes in params.items()},
        {name: _on_positions(values, layer) for name, values in init.items()},
        _on_positions(theta, layer),
        constant=bias_lines(_on_positions(current * theta + start, layer), profile) if by_axon else None,
        types=types,
    )
    if not carries:
        return made
    start_shares = np.broadcast_to(start_share, current.shape)
    return carried(made, _on_positions(current, layer), _on_positions(start_shares, layer), profile)


def _check_planes(planes: int, profile: Profile) -> None:
    if planes > 1 and not can_weigh_planes(profile):
        raise PlacementError(f"profile {profile.name}", "has no shared exponent that could weigh bit planes",
                             remedy='use the encoding "rate" or "current"')  # fmt: skip


def _on_image(made: ChipLayer, layer: AnnLayer) -> ChipLayer:
    """The neurons of one position at all positions of the layer, behind each of its sources.

    Where synapses are counted, or go by their sign, every one stands by itself.
    """
    wired = _unrolled if made.by_sign else partial(geometry, planes=1)
    rows = rows_of_parts(np.asarray(made.weights[0]), layer)
    return replace(
        made,
        weights=tuple(wired(codes, part) for part, codes in zip(layer.parts, rows, strict=True)),
        params={name: _on_positions(codes, layer) for name, codes in made.params.items()},
        init={name: _on_positions(values, layer) for name, values in made.init.items()},
        theta=_on_positions(made.theta, layer),
    )


def _unrolled(codes: NDArray, part: AnnLayer) -> NDArray:
    """(n_source, n_target) the code of every synapse, 0 where there is none."""
    alone = part.with_matrix(codes.astype(np.float64), np.zeros(codes.shape[1]))
    area = float(np.prod(part.input_pool))
    unrolled: NDArray = area * alone.preactivation(np.eye(part.n_inputs))
    return np.rint(unrolled).astype(codes.dtype) if codes.dtype.kind == "i" else unrolled


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
    threshold, theta = threshold_codes(
        layer.name, np.full(layer.bias.shape, min(room, finest)), profile, readout=False
    )
    init, start = head_start(profile, theta, ticks, readout=False, share=start_share)
    params = {threshold_name(profile): threshold, **coarsest_bias(profile, theta.size)}
    params |= lower_threshold(profile, theta, np.full(theta.shape, peak))
    scale = _on_positions(theta, layer)
    return ChipLayer(
        layer.name, (matrix * scale,), {},
        {name: _on_positions(codes, layer) for name, codes in params.items()},
        {name: _on_positions(values, layer) for name, values in init.items()},
        scale, host_bias=_on_positions(layer.bias * theta + start, layer),
    )  # fmt: skip


def _in_range(
    synapses: Synapses, profile: Profile, peak: Array, constant: Array, readout: bool, area: float
) -> Synapses:
    """The same weights, divided by what the chip's ranges ask for, where it has any."""
    sizes = weight_sizes(profile, synapses.weights, peak, constant, readout=readout, area=area)
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
    return spread


def axon_bits(typed: TypedCodes) -> NDArray[np.int32]:
    """(k, n, m) the bits of each source's k axons."""
    n = len(typed.sets)
    chosen = [typed.bits[typed.sets[:, k], np.arange(n)] for k in range(typed.sets.shape[1])]
    return np.stack(chosen).astype(np.int32)


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
