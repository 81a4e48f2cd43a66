"""From a fitted layer to chip codes: thresholds, exponent, biases and start, and the layer added to a network.

A fit speaks in threshold units: a spike through the code k of output j adds `scale_j * k / area` thresholds, where
`area` is the number of sources that one averaging window pools. The chip speaks in register units (LSB): the same
spike adds `unit * k`. So the threshold of neuron j is `theta_j = unit * area / scale_j`, and the shared exponent,
which doubles `unit`, is chosen as large as the accumulators allow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import AnnLayer
from spikeloom.errors import PlacementError
from spikeloom.fit.problem import LayerFit
from spikeloom.network.network import SpikingNetwork
from spikeloom.network.projection import Convolution
from spikeloom.profile.schema import Profile
from spikeloom.profile.weights import mode_names, weight_levels

Array = NDArray[np.float64]
HEADROOM = 0.8  # share of an accumulator's range that the calibration data may fill
FINEST_THRESHOLD = (
    1 << 13
)  # threshold codes beyond this add no precision and take range from the negative side
NEVER = 1e18  # threshold of a neuron on an unlimited chip that must not fire


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

    weights: codes, a matrix (n_source, n_target) or a Convolution
    shared: shared weight values by name; params, init: one value a neuron, by the profile's names
    theta: (n_target,) effective threshold in LSB; for a readout, LSB per unit of current
    host_bias: (n_target,) LSB, where the host computes the layer's current; `weights` are then LSB per unit of value
    """

    name: str
    weights: NDArray | Convolution
    shared: dict[str, Any]
    params: dict[str, NDArray]
    init: dict[str, NDArray]
    theta: Array
    host_bias: Array | None = None

    @property
    def size(self) -> int:
        """Neurons."""
        return int(self.theta.size)

    def add_to(self, network: SpikingNetwork, source: str) -> None:
        """Add the population and its projection from `source`; a host layer, where the host computes."""
        population = network.population(self.name, self.size, init=self.init, **self.params)
        if self.host_bias is not None:
            network.host_layer(network.populations[source], population, self.weights, bias=self.host_bias)
        else:
            network.connect(network.populations[source], population, self.weights, **self.shared)


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
) -> ChipLayer:
    """The codes of a layer.

    peak: (m,) largest |current| of one tick on calibration data, in threshold units; for a readout, the largest
    accumulated one. A readout never fires, and its bias is spread over the
    `ticks + depth` ticks that it integrates. planes: lines of an input channel, of weight 1/2, 1/4, ...
    """
    area = float(np.prod(layer.input_pool))
    current = synapses.bias * (ticks / (ticks + depth) if readout else 1.0)
    theta = weight_unit(profile) * area / synapses.scales
    constant = np.maximum(current, 0.0) + 1.0 / (2 * ticks)
    exponent = _exponent(theta, profile, peak, constant, readout=readout, planes=planes)
    threshold, theta = _thresholds(theta * 2.0**exponent, profile, readout)
    init, start = _start(profile, theta, ticks, readout)
    params = {_threshold_name(profile): threshold, **_bias_codes(current * theta + start, profile)}
    return ChipLayer(
        synapses.name,
        _geometry(_spread(synapses.codes, planes, profile), layer, planes),
        _shared(profile, exponent, planes, layer),
        {name: _on_positions(codes, layer) for name, codes in params.items()},
        {name: _on_positions(values, layer) for name, values in init.items()},
        _on_positions(theta, layer),
    )


def hosted_layer(layer: AnnLayer, matrix: Array, profile: Profile, *, ticks: int, peak: float) -> ChipLayer:
    """A first layer whose current the host computes and writes as the bias of every sample.

    layer: with weights and bias in threshold units. matrix: (channels, n_target) the same without bias, for the
    values themselves. peak: largest magnitude of the current on calibration data, in threshold units.
    """
    param = profile.params[_threshold_name(profile)]
    room = HEADROOM * min(_largest_bias(profile), _accumulator_limit(profile)) / max(peak, 1e-9)
    finest = 1.0 if profile.is_analog else FINEST_THRESHOLD * 2.0**param.shift
    threshold, theta = _thresholds(np.full(layer.bias.shape, min(room, finest)), profile, readout=False)
    init, start = _start(profile, theta, ticks, readout=False)
    params = {_threshold_name(profile): threshold, **_coarsest_bias(profile, theta.size)}
    scale = _on_positions(theta, layer)
    return ChipLayer(
        layer.name, matrix * scale, {},
        {name: _on_positions(codes, layer) for name, codes in params.items()},
        {name: _on_positions(values, layer) for name, values in init.items()},
        scale, host_bias=_on_positions(layer.bias * theta + start, layer),
    )  # fmt: skip


def _coarsest_bias(profile: Profile, size: int) -> dict[str, NDArray]:
    """The largest exponent of the bias, so that the host can write its whole range."""
    name = profile.bias.param
    if name is None or profile.params[name].format != "mant_exp":
        return {}
    return {f"{name}_exp": np.full(size, profile.params[name].exp_max, dtype=np.int32)}


def weight_unit(profile: Profile) -> float:
    """LSB of code 1 at the shared exponent 0."""
    return 2.0**profile.weights.unit_shift if profile.weights.formula == "mant_exp" else 1.0


def smallest_scale(profile: Profile, layer: AnnLayer) -> float:
    """The smallest scale (threshold units per code) whose threshold still fits its parameter."""
    highest = profile.params[_threshold_name(profile)].max
    if highest is None:
        return 0.0
    exponent = _lowest_exponent(profile) if profile.weights.shared else 0
    unit = weight_unit(profile) * 2.0**exponent * float(np.prod(layer.input_pool))
    return unit / (highest * 2.0 ** profile.params[_threshold_name(profile)].shift)


def _threshold_name(profile: Profile) -> str:
    name = profile.fire.thr if profile.fire.op != "fire2" else profile.fire.pos
    return str(name)


def _accumulator_limit(profile: Profile) -> float:
    """Largest magnitude that every signed register holds, in LSB; infinite on an analog soma."""
    widths = [r.bits for r in profile.regs.values() if r.bits is not None and r.signed]
    return float(2 ** (min(widths) - 1)) if widths else float("inf")


def _readout_limit(profile: Profile) -> float:
    """Largest magnitude that the membrane register holds before it is clipped, in LSB."""
    bits = profile.regs[profile.fire.reg].bits
    if bits is None:
        return float("inf")
    code = profile.params[_threshold_name(profile)].max
    ceiling = float("inf") if code is None else code * 2.0 ** profile.params[_threshold_name(profile)].shift
    return min(float(2 ** (bits - 1)), ceiling)


def _exponent(
    theta: Array, profile: Profile, peak: Array, constant: Array, *, readout: bool, planes: int
) -> int:
    """The largest shared exponent at which thresholds, biases and calibration peaks stay in range.

    theta: (m,) thresholds in LSB at the exponent 0; constant: (m,) constant input in threshold units, where positive
    (a unit held far below its threshold may be held at the end of the range instead). Below -log2(step) a code would
    lose low-order bits.
    """
    shared = [value for value in profile.weights.shared if value.name == _exponent_name(profile)]
    if not shared:
        return 0
    limit = _readout_limit(profile) if readout else _accumulator_limit(profile)
    rooms = [HEADROOM * limit / max(float((theta * peak).max()), 1e-9)]
    rooms.append(_largest_bias(profile) / max(float((theta * constant).max()), 1e-9))
    param = profile.params[_threshold_name(profile)]
    if not readout and param.max is not None:
        rooms.append(param.max * 2.0**param.shift / float(theta.max()))
        rooms.append(FINEST_THRESHOLD * 2.0**param.shift / float(np.median(theta)))
    lowest = max(_lowest_exponent(profile), shared[0].min + planes if planes > 1 else shared[0].min)
    return int(np.clip(np.floor(np.log2(min(rooms))), lowest, shared[0].max))


def _lowest_exponent(profile: Profile) -> int:
    """The lowest shared exponent at which every code keeps all its bits."""
    step = min(weight_levels(profile.weights, mode).step for mode in mode_names(profile.weights))
    return max(profile.weights.shared[0].min, -(step.bit_length() - 1))


def _exponent_name(profile: Profile) -> str:
    return profile.weights.shared[0].name if profile.weights.shared else ""


def _thresholds(theta: Array, profile: Profile, readout: bool) -> tuple[NDArray, Array]:
    """(threshold codes, effective thresholds in LSB); a readout gets the highest code and keeps its own unit."""
    param = profile.params[_threshold_name(profile)]
    if readout:
        highest = NEVER if param.max is None else param.max
        return np.full(theta.shape, highest, dtype=float if profile.is_analog else np.int32), theta
    if profile.is_analog:
        return theta, theta
    codes = np.rint(theta / 2.0**param.shift)
    low, high = param.min or 0, param.max or np.inf
    if codes.min() < max(low, 1) or codes.max() > high:
        raise PlacementError(
            "threshold", "does not fit its parameter at any exponent", value=(codes.min(), codes.max()),
            limit=(low, high), remedy="use more weight bits or fewer inputs",
        )  # fmt: skip
    return codes.astype(np.int32), codes * 2.0**param.shift


def _start(profile: Profile, theta: Array, ticks: int, readout: bool) -> tuple[dict[str, Array], Array]:
    """Half a threshold of head start: in the membrane where it can be set, else spread over the window's bias."""
    membrane = profile.fire.reg
    state = profile.state.get(membrane)
    none = np.zeros_like(theta)
    if readout:
        return {}, none
    if state is not None and state.init == "free":
        half = theta / 2.0
        return {membrane: half if profile.is_analog else np.rint(half).astype(np.int32)}, none
    return {}, (theta / (2.0 * ticks) if profile.bias.kind == "register" else none)


def _largest_bias(profile: Profile) -> float:
    """Largest constant input in LSB."""
    name = profile.bias.param
    if profile.bias.kind == "none" or name is None or profile.params[name].max is None:
        return float("inf")
    param = profile.params[name]
    return float(param.max or 0) * 2.0 ** (param.exp_max if param.format == "mant_exp" else param.shift)


def _bias_codes(bias: Array, profile: Profile) -> dict[str, NDArray]:
    """Codes of the bias parameter nearest to these values in LSB; a unit held far below 0 may be held at its end."""
    name = profile.bias.param
    if profile.bias.kind == "none" or name is None:
        return {}
    param = profile.params[name]
    if profile.is_analog:
        return {name: bias}
    if param.format != "mant_exp":
        return {name: np.clip(np.rint(bias / 2.0**param.shift), param.min, param.max).astype(np.int32)}
    magnitude = np.maximum(np.abs(bias), 1.0) / float(param.max or 1)
    exponent = np.clip(np.ceil(np.log2(magnitude)), 0, param.exp_max).astype(np.int32)
    mantissa = np.clip(np.rint(bias / 2.0**exponent), param.min, param.max)
    return {name: mantissa.astype(np.int32), f"{name}_exp": exponent}


def _on_positions(values: NDArray, layer: AnnLayer) -> NDArray:
    """(m,) per output -> (n_target,) per neuron, channels-last."""
    return np.tile(values, layer.positions)


def _spread(codes: NDArray, planes: int, profile: Profile) -> NDArray:
    """One row a line: the same code on every plane of a channel, whose weight the exponent makes 1/2, 1/4, ..."""
    if planes == 1:
        return codes
    spread = np.repeat(codes, planes, axis=0)
    if profile.weights.formula == "float":
        return spread * np.tile(0.5 ** np.arange(1, planes + 1), len(codes))[:, None]
    if not _exponent_name(profile):
        raise PlacementError(f"profile {profile.name}", "has no shared exponent that could weigh bit planes",
                             remedy='use the encoding "rate" or "current"')  # fmt: skip
    return spread


def _geometry(codes: NDArray, layer: AnnLayer, planes: int) -> NDArray | Convolution:
    """The codes as a matrix, or as a kernel where the layer convolves or pools."""
    if layer.is_convolution:
        channels, kernel_y, kernel_x, out = layer.weights.shape
        if planes > 1:  # rows are (in, ky, kx, plane): the planes of a channel belong beside it
            codes = codes.reshape(channels, kernel_y, kernel_x, planes, out).transpose(0, 3, 1, 2, 4)
        kernel = codes.reshape(channels * planes, kernel_y, kernel_x, out)
        return Convolution(kernel, _image(layer, planes), layer.stride, layer.padding, layer.input_pool)
    if layer.input_pool == (1, 1):
        return codes
    height, width, channels = layer.pooled_shape
    kernel = codes.reshape(height, width, channels * planes, -1).transpose(2, 0, 1, 3)
    return Convolution(np.ascontiguousarray(kernel), _image(layer, planes), pool=layer.input_pool)


def _image(layer: AnnLayer, planes: int) -> tuple[int, int, int]:
    height, width, channels = layer.input_shape
    return height, width, channels * planes


def _shared(profile: Profile, exponent: int, planes: int, layer: AnnLayer) -> dict[str, Any]:
    """Shared weight values; with planes, line k of a channel has an exponent k + 1 lower than a whole spike."""
    name = _exponent_name(profile)
    if not name:
        return {}
    if planes == 1:
        return {name: exponent}
    is_kernel = layer.is_convolution or layer.input_pool != (1, 1)
    channels = layer.pooled_shape[-1] if is_kernel else layer.n_inputs
    per_line = np.tile(exponent - 1 - np.arange(planes), channels)
    return {name: per_line.reshape((-1, 1, 1, 1) if is_kernel else (-1, 1))}
