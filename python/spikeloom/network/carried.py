"""Neurons that a chip resets to zero, and that keep what they had above their threshold all the same.

The reset empties the membrane. Where a current register lies before it, the two can change places: the current
forgets nothing and gathers the input, the membrane forgets everything and only shows the current to the threshold.
What a spike takes is then a synapse of the neuron onto itself, of minus one threshold, which arrives a tick later and
before the next comparison. So the neuron subtracts its threshold, for one synapse and one axon more.

A bias is added behind the current and is not gathered: it stands for the start, and the layer's own bias comes from
lines that send throughout the layer's window, not before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikeloom.network.chip_layer import ChipLayer
from spikeloom.network.chip_units import bias_codes, exponent_name, threshold_name, weight_unit
from spikeloom.network.constant_lines import ConstantLines
from spikeloom.profile.operations import DecayMul, Sum
from spikeloom.profile.schema import Profile
from spikeloom.profile.weights import Levels, mode_names, weight_levels

Array = NDArray[np.float64]
REST = (
    2.0**-11
)  # of a register that a tick may take from the one that keeps, or leave to the one that forgets
SELF_BITS, BIAS_BITS = 8, 16  # precision of what a spike takes and of a bias, in one synapse or several


@dataclass(frozen=True)
class Carrier:
    """current: the register that gathers; codes: of the decays at which it keeps all and the membrane nothing."""

    current: str
    codes: Mapping[str, int]


def carrier(profile: Profile) -> Carrier | None:
    """How the chip's neurons can carry what is above their threshold, None where they cannot.

    The operations before the reset to zero have to be: decay of a current, input, bias, decay of the membrane, sum.
    A membrane that leaks by default is left alone: who sets that asks for it.
    """
    time, fire = profile.time, profile.fire
    at_once = time.steps_per_tick == 1 and time.spike_latency_ticks == 1 and time.delay_min == 0
    by_exponent = profile.weights.formula == "mant_exp" and profile.bias.kind == "register"
    if not (at_once and by_exponent and getattr(fire, "reset", "") == "zero"):
        return None
    steps = [step for step in profile.operation if isinstance(step, DecayMul | Sum)]
    if [type(step) for step in steps] != [DecayMul, Sum, Sum, DecayMul, Sum]:
        return None
    of_current, arrive, biased, of_membrane, gather = steps
    assert isinstance(of_current, DecayMul) and isinstance(of_membrane, DecayMul)
    assert isinstance(arrive, Sum) and isinstance(biased, Sum) and isinstance(gather, Sum)
    current, shown, membrane = of_current.reg, biased.dst, of_membrane.reg
    in_order = (
        (arrive.dst, set(arrive.terms)) == (current, {current, profile.delivery.into[0]})
        and set(biased.terms) == {current, profile.bias.param}
        and (gather.dst, set(gather.terms)) == (membrane, {membrane, shown})
        and membrane == fire.reg
    )
    keeps, forgets = _code(profile, of_current, 1.0), _code(profile, of_membrane, 0.0)
    if not in_order or keeps is None or forgets is None or _usual_share(profile, of_membrane) < 1.0:
        return None
    return Carrier(current, {str(of_current.param): keeps, str(of_membrane.param): forgets})


def can_carry(profile: Profile) -> bool:
    """Whether `carried` has a way on this chip."""
    return carrier(profile) is not None


def largest_gathered(profile: Profile, peak: Array, gathered: Array) -> Array:
    """(m,) the peak current of a tick that takes as much of the accumulators as these two do, in thresholds.

    peak: of a tick; gathered: of the current that keeps all. A spike takes a threshold beside.
    """
    found = carrier(profile)
    assert found is not None
    widths = [reg.bits for reg in profile.regs.values() if reg.bits is not None and reg.signed]
    own = profile.regs[found.current].bits or max(widths)
    return np.maximum(peak + 1.0, gathered * 2.0 ** (min(widths) - own))


def carried(chip: ChipLayer, bias: Array, start: Array, profile: Profile) -> ChipLayer:
    """The layer with neurons that subtract their threshold.

    chip: in the chip's codes, as it would be reset to zero
    bias, start: (n_target,) thresholds a tick, and thresholds
    """
    found, threshold = carrier(profile), threshold_name(profile)
    assert found is not None
    theta, own = _in_parts(-chip.theta, profile, SELF_BITS)
    theta = -theta
    lines = _lines(bias * theta, profile)
    params = chip.params | bias_codes(start * theta, profile)
    params |= {name: np.full(theta.shape, code) for name, code in found.codes.items()}
    params[threshold] = np.rint(theta / 2.0 ** profile.params[threshold].shift).astype(np.int32)
    return replace(chip, params=params, theta=theta, onto_itself=own, constant=lines)


def _code(profile: Profile, decay: DecayMul, share: float) -> int | None:
    """The parameter's code at which a tick leaves this share of the register, None where it has none."""
    param = profile.params.get(str(decay.param))
    if param is None:
        return None
    wanted = round((1.0 - share) * 2**decay.shift) - decay.offset
    code = int(np.clip(wanted, param.min or 0, wanted if param.max is None else param.max))
    return code if abs(_share(decay, code) - share) <= REST else None


def _usual_share(profile: Profile, decay: DecayMul) -> float:
    return _share(decay, int(profile.params[str(decay.param)].default or 0))


def _share(decay: DecayMul, code: int) -> float:
    return 1.0 - (code + decay.offset) / 2.0**decay.shift


def _lines(bias: Array, profile: Profile) -> ConstantLines:
    """The bias by lines that send in every tick, the first one coarse, each further one for what is left."""
    _, parts = _in_parts(bias, profile, BIAS_BITS, shared=True)
    codes = np.stack([code for code, _ in parts])
    exponents = np.array([[exponent[0]] for _, exponent in parts])
    return ConstantLines(codes, (1.0,) * len(parts), {exponent_name(profile): exponents})


def _in_parts(
    sizes: Array, profile: Profile, bits: int, *, shared: bool = False
) -> tuple[Array, tuple[tuple[NDArray[np.int32], NDArray[np.int32]], ...]]:
    """((n,) what comes nearest to these LSB, ((n,) codes, (n,) exponents) of each synapse that is needed).

    As many synapses as give so many bits; shared: all of one part have one exponent.
    """
    levels, name = _levels(profile, only_negative=bool((sizes < 0).all())), profile.weights.shared[0]
    count = -(-bits // (profile.weights.bits or bits))
    least = max(name.min, -(levels.step.bit_length() - 1))
    most = float(min(abs(levels.low), levels.high or abs(levels.low)))
    left, parts = np.array(sizes, dtype=np.float64), []
    for part in range(count):
        needed = np.abs(left).max() if shared else np.abs(left)
        exponents = np.ceil(np.log2(np.maximum(needed, 1e-9) / (weight_unit(profile) * most)))
        exponents = np.broadcast_to(np.clip(exponents, least, name.max), left.shape)
        unit = weight_unit(profile) * 2.0**exponents * levels.step
        nearest = np.rint if part == count - 1 or shared else np.trunc
        steps = np.clip(nearest(left / unit), levels.low / levels.step, levels.high / levels.step)
        left = left - steps * unit
        parts.append(((steps * levels.step).astype(np.int32), exponents.astype(np.int32)))
    return np.asarray(sizes - left), tuple(parts)


def _levels(profile: Profile, *, only_negative: bool) -> Levels:
    """The finest codes of a mode that holds both signs, or the negative one."""
    found = [weight_levels(profile.weights, mode) for mode in mode_names(profile.weights)]
    fitting = [levels for levels in found if levels.low < 0 and (only_negative or levels.high > 0)]
    return min(fitting, key=lambda levels: (levels.step, levels.low))
