"""From threshold units to a chip's own: exponent, threshold, bias and start of a layer's neurons."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import AnnLayer
from spikeloom.errors import PlacementError
from spikeloom.profile.operations import DecayMul
from spikeloom.profile.schema import Profile
from spikeloom.profile.weights import mode_names, weight_levels

Array = NDArray[np.float64]
HEADROOM = 0.8  # share of an accumulator's range that the calibration data may fill
FINEST_THRESHOLD = (
    1 << 13
)  # threshold codes beyond this add no precision and take range from the negative side
NEVER = 1e18  # threshold of a neuron on an unlimited chip that must not fire


def weight_unit(profile: Profile) -> float:
    """What a code of 1 adds to the membrane, in its LSB, at the shared exponent 0."""
    if profile.weights.formula == "mant_exp":
        return 2.0**profile.weights.unit_shift
    converters = [op for op in profile.operation if op.op == "adc" and op.reg in profile.delivery.into]
    unit = 1.0
    for adc in converters:
        unit *= 2.0**adc.bits / (usual_value(profile, adc.hi) - usual_value(profile, adc.lo))
    return unit


def usual_value(profile: Profile, operand: object) -> float:
    """An operand's number, or the default of the parameter that it names."""
    value = profile.params[operand].default if operand in profile.params else operand
    return float(value)  # type: ignore[arg-type]


def threshold_name(profile: Profile) -> str:
    """The parameter that holds a neuron's threshold. Raises PlacementError where no program can set it."""
    if profile.threshold is None:
        raise PlacementError(f"profile {profile.name}", "has a threshold that no program can set")
    return profile.threshold


def highest_threshold(profile: Profile) -> float | None:
    """The largest threshold in LSB that the parameter and the register compared with it both hold; None: any."""
    param, register = profile.params[threshold_name(profile)], profile.regs[profile.fire.reg]
    holds = [] if param.max is None else [param.max * 2.0**param.shift]
    if register.bits is not None:
        holds.append(float(2 ** (register.bits - register.signed) - 1))
    return min(holds, default=None)


def exponent_name(profile: Profile) -> str:
    """The shared value that doubles a weight with each step, "" where the chip has none."""
    return profile.weights.shared[0].name if profile.weights.formula in ("mant_exp", "int_shift") else ""


def can_weigh_planes(profile: Profile) -> bool:
    """Whether lines of one channel can have weights 1/2, 1/4, ... of the same codes."""
    return profile.weights.formula == "float" or bool(exponent_name(profile))


def host_can_drive(profile: Profile) -> bool:
    """Whether the host can write a layer's current: as a bias that adds to a membrane that integrates."""
    integrates = profile.time.steps_per_tick == 1 and profile.weights.formula != "palette"
    return profile.bias.kind == "register" and integrates


def smallest_scale(profile: Profile, layer: AnnLayer) -> float:
    """The smallest scale (threshold units per code) whose threshold still fits its parameter."""
    highest = highest_threshold(profile)
    if highest is None:
        return 0.0
    return least_unit(profile, layer) / highest


def smallest_readout_scale(profile: Profile, layer: AnnLayer, peak: float, planes: int = 1) -> float:
    """The smallest scale at which a sum of currents stays in the membrane's range, even at the lowest exponent.

    peak: largest accumulated current on calibration data, in threshold units.
    """
    return least_unit(profile, layer, planes) * peak / (HEADROOM * _readout_limit(profile))


def smallest_scale_within(profile: Profile, layer: AnnLayer, peak: float, planes: int = 1) -> float:
    """The smallest scale at which every register holds a current of so many thresholds, at the lowest exponent."""
    return least_unit(profile, layer, planes) * peak / (HEADROOM * accumulator_limit(profile))


def least_unit(profile: Profile, layer: AnnLayer, planes: int = 1) -> float:
    """LSB that code 1 adds at the lowest exponent, once from each source of a pool."""
    return weight_unit(profile) * 2.0 ** _lowest_exponent(profile, planes) * float(np.prod(layer.input_pool))


def shared_exponent(
    theta: Array, profile: Profile, peak: Array, constant: Array, *, readout: bool, planes: int
) -> int:
    """The largest shared exponent at which thresholds, biases and calibration peaks stay in range.

    theta: (m,) thresholds in LSB at the exponent 0; constant: (m,) constant input in threshold units, where positive
    (a unit held far below its threshold may be held at the end of the range instead). Below -log2(step) a code would
    lose low-order bits.
    """
    shared = [value for value in profile.weights.shared if value.name == exponent_name(profile)]
    if not shared:
        return 0
    limit = _readout_limit(profile) if readout else accumulator_limit(profile)
    rooms = [HEADROOM * limit / max(float((theta * peak).max()), 1e-9)]
    rooms.append(largest_bias(profile) / max(float((theta * constant).max()), 1e-9))
    param = profile.params[threshold_name(profile)]
    if not readout and param.max is not None:
        rooms.append(param.max * 2.0**param.shift / float(theta.max()))
        rooms.append(FINEST_THRESHOLD * 2.0**param.shift / float(np.median(theta)))
    return int(np.clip(np.floor(np.log2(min(rooms))), _lowest_exponent(profile, planes), shared[0].max))


def _lowest_exponent(profile: Profile, planes: int = 1) -> int:
    """The lowest shared exponent at which every code keeps all its bits."""
    if not exponent_name(profile):
        return 0
    step = min(weight_levels(profile.weights, mode).step for mode in mode_names(profile.weights))
    least = profile.weights.shared[0].min
    return max(least, -(step.bit_length() - 1), least + planes if planes > 1 else least)


def threshold_codes(layer: str, theta: Array, profile: Profile, readout: bool) -> tuple[NDArray, Array]:
    """(threshold codes, effective thresholds in LSB); a readout gets the highest code and keeps its own unit."""
    param = profile.params[threshold_name(profile)]
    if readout:
        highest = NEVER if param.max is None else param.max
        return np.full(theta.shape, highest, dtype=float if profile.is_analog else np.int32), theta
    if profile.is_analog:
        return theta, theta
    codes = np.rint(theta / 2.0**param.shift)
    low, high = param.min or 0, (highest_threshold(profile) or np.inf) / 2.0**param.shift
    if codes.min() < max(low, 1) or codes.max() > high:
        raise PlacementError(
            f"threshold of layer {layer!r}", "does not fit its parameter at any exponent",
            value=(codes.min(), codes.max()), limit=(low, high), remedy="use more weight bits or fewer inputs",
        )  # fmt: skip
    return codes.astype(np.int32), codes * 2.0**param.shift


def lower_threshold(profile: Profile, theta: Array, peak: Array) -> dict[str, NDArray[np.int32]]:
    """Codes of the lower threshold, where the neuron has one.

    Below it a register that wraps gets as much back as one tick can take away, `peak` (m,) thresholds, so that it
    never leaves its width; one that saturates is left alone.
    """
    if profile.fire.op != "fire2":
        return {}
    param, register = profile.params[str(profile.fire.neg)], profile.regs[profile.fire.reg]
    lowest = param.min or 0
    if register.overflow != "wrap":
        return {str(profile.fire.neg): np.full(theta.shape, lowest, dtype=np.int32)}
    floor = -np.ceil(np.maximum(peak, 1.0) * theta)
    return {str(profile.fire.neg): np.maximum(floor, lowest).astype(np.int32)}


def finest_steps(
    profile: Profile, weights: Array, peak: Array, constant: Array, part: Array | float
) -> Array:
    """(m,) threshold units of code 1 with the highest threshold that the chip's ranges bear.

    weights, peak, constant: (m,) largest weight, largest current of a tick and its constant part, in threshold
    units. A membrane that wraps has to hold a threshold and a peak above 0, and two peaks below, see
    `lower_threshold`, in this part of its range.
    """
    register, widest = profile.regs[profile.fire.reg], profile.params[profile.weights.table[0]].max
    highest = highest_threshold(profile)
    theta = np.full(peak.shape, np.inf if highest is None else highest)
    theta = np.minimum(theta, HEADROOM * float(widest or 1) / np.maximum(weights, 1e-9))
    theta = np.minimum(theta, HEADROOM * largest_bias(profile) / np.maximum(constant, 1e-9))
    if register.overflow == "wrap" and register.bits is not None:
        room = part * 2.0 ** (register.bits - 1)
        theta = np.minimum(theta, room / np.maximum(1.0 + peak, 2.0 * peak))
    steps: Array = 1.0 / np.maximum(np.floor(theta), 1.0)
    return steps


def head_start(
    profile: Profile,
    theta: Array,
    ticks: int,
    readout: bool,
    share: Array | float = 0.5,
    early: Array | None = None,
) -> tuple[dict[str, Array], Array]:
    """A share of the threshold as head start: in the membrane where it can be set, else spread over the bias.

    Half a threshold makes a count the nearest whole number of what came in. early: LSB that the membrane gathers
    before the layer's window; it starts lower by them.
    """
    membrane = profile.fire.reg
    state = profile.state.get(membrane)
    none = np.zeros_like(theta)
    if readout:
        return {}, none
    if state is not None and state.init == "free":
        start = theta * share - (0.0 if early is None else early)
        return {membrane: start if profile.is_analog else np.rint(start).astype(np.int32)}, none
    return {}, (none if profile.bias.kind == "none" else theta * share / ticks)


def only_integrates(profile: Profile) -> bool:
    """A neuron adds up real numbers and fires: what it gathers too early can be taken off its start."""
    return profile.is_analog and [operation.op for operation in profile.operation] == ["sum", "fire"]


def readout_parameters(profile: Profile) -> dict[str, int]:
    """Parameter codes, where they are not the default, at which the membrane adds up currents and forgets nothing.

    Raises PlacementError where the chip's membrane always leaks.
    """
    codes = {}
    for operation in profile.operation:
        if not isinstance(operation, DecayMul):
            continue
        param = profile.params.get(str(operation.param))
        usual = operation.param if param is None else param.default
        is_membrane = operation.reg == profile.fire.reg
        wanted = (0 if is_membrane else 1 << operation.shift) - operation.offset
        if usual == wanted:
            continue
        if param is not None and (param.min or 0) <= wanted <= (param.max or 0):
            codes[str(operation.param)] = wanted
        elif is_membrane:
            raise PlacementError(
                f"profile {profile.name}", "has a membrane that always leaks, it cannot be read as a sum of currents",
                value=f"operation {operation.name}",
            )  # fmt: skip
    return codes


def current_memory(profile: Profile) -> float:
    """What a constant input grows to in the registers before the membrane, which keep a part of their value."""
    gain = 1.0
    for operation in profile.operation:
        if isinstance(operation, DecayMul) and operation.reg != profile.fire.reg:
            param = profile.params.get(str(operation.param))
            lost = operation.offset + float((operation.param if param is None else param.default) or 0)
            gain *= 2.0**operation.shift / max(lost, 1.0)
    return gain


def bias_codes(bias: Array, profile: Profile) -> dict[str, NDArray]:
    """Codes of the bias parameter nearest to these values in LSB; a unit held far below 0 may be held at its end."""
    name = profile.bias.param
    if profile.bias.kind != "register" or name is None:
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


def coarsest_bias(profile: Profile, size: int) -> dict[str, NDArray]:
    """The largest exponent of the bias, so that the host can write its whole range."""
    name = profile.bias.param
    if name is None or profile.params[name].format != "mant_exp":
        return {}
    return {f"{name}_exp": np.full(size, profile.params[name].exp_max, dtype=np.int32)}


def largest_bias(profile: Profile) -> float:
    """Largest constant input in LSB."""
    name = profile.bias.param
    if profile.bias.kind != "register" or name is None or profile.params[name].max is None:
        return float("inf")
    param = profile.params[name]
    return float(param.max or 0) * 2.0 ** (param.exp_max if param.format == "mant_exp" else param.shift)


def accumulator_limit(profile: Profile) -> float:
    """Largest magnitude that every signed register holds, in LSB; infinite on an analog soma."""
    widths = [r.bits for r in profile.regs.values() if r.bits is not None and r.signed]
    return float(2 ** (min(widths) - 1)) if widths else float("inf")


def _readout_limit(profile: Profile) -> float:
    """Largest magnitude that the membrane register holds before it is clipped, in LSB."""
    bits = profile.regs[profile.fire.reg].bits
    if bits is None:
        return float("inf")
    code = profile.params[threshold_name(profile)].max
    ceiling = float("inf") if code is None else code * 2.0 ** profile.params[threshold_name(profile)].shift
    return min(float(2 ** (bits - 1)), ceiling)
