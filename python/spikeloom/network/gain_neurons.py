"""Leaky neurons in continuous time whose input has a gain of its own: from threshold units to voltages.

The threshold stays where it is; the gain of a neuron's synapses takes the place of its inverse. A spike through the
code k brings the membrane, in the end, gain k tau_syn / tau_mem; a constant drive d brings d / tau_mem a second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.network.chip_layer import ChipLayer, Synapses
from spikeloom.profile.real_operations import LinearExact
from spikeloom.profile.schema import Profile

Array = NDArray[np.float64]
DISTANCE = 20.0  # from rest to threshold, in the unit of the voltages: small, so that a drive counts for much
SYNAPSE_TICKS = 1.0  # time constant of the synapses: long enough to even out the spikes of one tick


@dataclass(frozen=True)
class GainNeuron:
    """The profile's names for what is set, and what is the same for all neurons.

    membrane, gain, rest, drive: registers and parameters; fixed: values of parameters that all neurons share
    charge: thresholds that a code of 1 brings at gain 1; push: thresholds a tick of a drive of 1
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

    It has one `linear_exact` for membrane and synapse, whose gain onto the membrane is a parameter, a resting
    potential and a drive, and it is reset to a value.
    """
    found = [op for op in profile.operation if isinstance(op, LinearExact) and profile.fire.reg in op.states]
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
        profile.threshold: rest + DISTANCE,
    }
    return GainNeuron(
        membrane,
        gain,
        rests[0],
        profile.bias.param,
        fixed,
        fast / (slow * DISTANCE),
        tick / (slow * DISTANCE),
    )


def _middle(profile: Profile, name: str) -> float:
    param = profile.params[name]
    return 0.5 * (float(param.min or 0.0) + float(param.max or 0.0))


def largest_gain(profile: Profile, neuron: GainNeuron) -> float:
    """Thresholds that a code of 1 brings at the largest gain."""
    return neuron.charge * float(profile.params[neuron.gain].max or np.inf)


def gain_layer(
    synapses: Synapses, profile: Profile, neuron: GainNeuron, *, start_share: Array | float = 0.5
) -> ChipLayer:
    """The codes of a layer. start_share: (m,) potential that a neuron starts with, in thresholds."""
    m = synapses.bias.size
    params = {name: np.full(m, value) for name, value in neuron.fixed.items()}
    params[neuron.gain] = np.clip(synapses.scales / neuron.charge, 0.0, profile.params[neuron.gain].max)
    rest = neuron.fixed[str(profile.fire.value)]
    params |= _driven(synapses.bias / neuron.push, rest, profile, neuron)
    start = {neuron.membrane: rest + DISTANCE * np.broadcast_to(start_share, m)}
    return ChipLayer(synapses.name, (synapses.codes,), {}, params, start, np.full(m, DISTANCE))


def _driven(drive: Array, rest: float, profile: Profile, neuron: GainNeuron) -> dict[str, Array]:
    """A constant drive (m,), by its own parameter as far as that reaches, the rest by the resting potential."""
    own = profile.params[neuron.drive]
    by_drive = np.clip(drive, own.min, own.max)
    moved = profile.params[neuron.rest]
    return {neuron.drive: by_drive, neuron.rest: np.clip(rest + drive - by_drive, moved.min, moved.max)}
