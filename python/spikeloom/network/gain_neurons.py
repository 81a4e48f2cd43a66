"""Leaky neurons in continuous time whose input has a gain of its own: from threshold units to voltages.

The gain of a neuron's synapses takes the place of its inverse threshold. A spike through the code k brings the
membrane, in the end, gain k tau_syn / tau_mem; a constant drive d brings d / tau_mem a second. The threshold lies as
far from rest as gain and drive reach: what chips differ by in voltages, and noise, then count for little.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.network.chip_layer import ChipLayer, Synapses
from spikeloom.profile.linear_operations import Linear
from spikeloom.profile.schema import Profile

Array = NDArray[np.float64]
NEAREST, FARTHEST = 20.0, 80.0  # from rest to threshold, in the unit of the voltages
SYNAPSE_TICKS = 1.0  # time constant of the synapses: long enough to even out the spikes of one tick


@dataclass(frozen=True)
class GainNeuron:
    """The profile's names for what is set, and what is the same for all neurons.

    membrane, gain, rest, drive: registers and parameters; fixed: values of parameters that all neurons share
    charge: voltage that a code of 1 brings at gain 1; push: that of a drive of 1 in a tick
    """

    membrane: str
    gain: str
    rest: str
    drive: str
    fixed: dict[str, float]
    charge: float
    push: float


def gain_neuron(profile: Profile) -> GainNeuron | None:
    """The neuron of a profile of this kind, None for any other.

    It has one linear operation for membrane and synapse, whose gain onto the membrane is a parameter, a resting
    potential and a drive, and it is reset to a value.
    """
    found = [op for op in profile.operation if isinstance(op, Linear) and profile.fire.reg in op.states]
    if (
        len(found) != 1
        or len(found[0].states) != 2
        or profile.threshold is None
        or profile.bias.param is None
    ):
        return None
    step, membrane, fire = found[0], profile.fire.reg, profile.fire
    synapse = next(state for state in step.states if state != membrane)
    taus = dict(zip(step.states, (str(tau) for tau in step.taus), strict=True))
    sources = step.gains.get(membrane, {})
    gain = str(sources.get(synapse))
    rests = [name for name in sources if name in profile.params and name != profile.bias.param]
    if gain not in profile.params or len(rests) != 1 or str(fire.value) not in profile.params:
        return None
    slow, tick = float(profile.params[taus[membrane]].max or 0.0), float(profile.time.tick_s or 0.0)
    fast = float(
        np.clip(SYNAPSE_TICKS * tick, profile.params[taus[synapse]].min, profile.params[taus[synapse]].max)
    )
    rest = _middle(profile, rests[0])
    fixed = {
        taus[membrane]: slow,
        taus[synapse]: fast,
        str(fire.value): rest,
    }
    return GainNeuron(membrane, gain, rests[0], profile.bias.param, fixed, fast / slow, tick / slow)


def _middle(profile: Profile, name: str) -> float:
    param = profile.params[name]
    return 0.5 * (float(param.min or 0.0) + float(param.max or 0.0))


def largest_gain(profile: Profile, neuron: GainNeuron) -> float:
    """Thresholds that a code of 1 brings at the largest gain and the nearest threshold."""
    return neuron.charge * float(profile.params[neuron.gain].max or np.inf) / NEAREST


def gain_layer(
    synapses: Synapses, profile: Profile, neuron: GainNeuron, *, start_share: Array | float = 0.5
) -> ChipLayer:
    """The codes of a layer. start_share: (m,) potential that a neuron starts with, in thresholds."""
    m = synapses.bias.size
    rest = neuron.fixed[str(profile.fire.value)]
    distance = _distance(synapses, profile, neuron)
    params = {name: np.full(m, value) for name, value in neuron.fixed.items()}
    params[str(profile.threshold)] = rest + distance
    gain = synapses.scales * distance / neuron.charge
    params[neuron.gain] = np.clip(gain, 0.0, profile.params[neuron.gain].max)
    params |= _driven(synapses.bias * distance / neuron.push, rest, profile, neuron)
    start = {neuron.membrane: rest + distance * np.broadcast_to(start_share, m)}
    return ChipLayer(synapses.name, (synapses.codes,), {}, params, start, distance)


def _distance(synapses: Synapses, profile: Profile, neuron: GainNeuron) -> Array:
    """(m,) from rest to threshold: the farthest at which neither gain nor drive has to leave its range."""
    rest = neuron.fixed[str(profile.fire.value)]
    reach = sum(float(profile.params[name].max or 0.0) for name in (neuron.drive, neuron.rest)) - rest
    by_gain = (
        neuron.charge * float(profile.params[neuron.gain].max or np.inf) / np.maximum(synapses.scales, 1e-12)
    )
    by_drive = neuron.push * reach / np.maximum(np.abs(synapses.bias), 1e-12)
    distance: Array = np.clip(np.minimum(by_gain, by_drive), NEAREST, FARTHEST)
    return distance


def _driven(drive: Array, rest: float, profile: Profile, neuron: GainNeuron) -> dict[str, Array]:
    """A constant drive (m,), by its own parameter as far as that reaches, the rest by the resting potential."""
    own = profile.params[neuron.drive]
    by_drive = np.clip(drive, own.min, own.max)
    moved = profile.params[neuron.rest]
    return {neuron.drive: by_drive, neuron.rest: np.clip(rest + drive - by_drive, moved.min, moved.max)}
