"""Differential-pair neurons below threshold: from threshold units to currents.

Far below its gain current the membrane of `dpi_step` grows at the rate (in - leak) / (T c), so its logarithm
integrates the input current, from that of the reset to that of the threshold, and never falls below the former. (A
step of the integrator `euler` multiplies by 1 + dt (in - leak) / (T c) instead, which fast rises lag behind.) What
the synapses of the two signs bring is subtracted before it is rectified: they are slow, so that it is their means
that are subtracted, and not single spikes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.network.chip_layer import ChipLayer, Synapses
from spikeloom.network.chip_units import usual_value
from spikeloom.profile.neuron_steps import DpiStep
from spikeloom.profile.schema import Profile
from spikeloom.profile.weights import effective_weights

Array = NDArray[np.float64]
SYNAPSE_TICKS = 12.0  # time constant of the synapses: single spikes of rates up to an eighth run together
LEAST_LEAK = 0.01  # of the leak, thresholds a tick: more than the membrane's own feedback at rest


@dataclass(frozen=True)
class PairNeuron:
    """A profile's differential pair and what all neurons share.

    step: its operation; fixed: values of parameters; threshold: charge to fire, ampere ticks
    jump: ampere ticks that a code of 1 brings in all, at synapse gains of 1 ampere
    """

    step: DpiStep
    fixed: dict[str, float]
    threshold: float
    jump: float


def pair_neuron(profile: Profile) -> PairNeuron | None:
    """The neuron of a profile of this kind, None for any other."""
    step = next((op for op in profile.operation if isinstance(op, DpiStep)), None)
    if step is None or profile.threshold is None or profile.bias.param != step.idc:
        return None

    def value(operand: object) -> float:
        return usual_value(profile, operand)

    dt = float(profile.time.dt_s or 0.0)
    thermal = value(step.ut) / value(step.kappa)
    lowest = float(profile.params[profile.threshold].min or 0.0)
    fixed = {
        profile.threshold: lowest,
        str(step.igain_mem): float(profile.params[str(step.igain_mem)].max or 0.0),
    }
    refractory = next(str(name) for name in profile.fire.start.values() if str(name) in profile.params)
    fixed[refractory] = float(profile.params[refractory].min or 0.0)
    tau = SYNAPSE_TICKS * dt
    lasting = 1.0 / (1.0 - np.exp(-1.0 / SYNAPSE_TICKS)) if step.integrator == "euler" else SYNAPSE_TICKS
    jump = (1.0 - np.exp(-value(step.t_pulse) / tau)) * lasting
    for itau, capacitor in ((step.itau_exc, step.c_exc), (step.itau_inh, step.c_inh)):
        fixed[str(itau)] = thermal * value(capacitor) / tau
    charge = thermal * value(step.c_mem) * np.log(lowest / value(step.i0)) / dt
    unit = float(effective_weights(profile.weights, [1], {})[0])
    return PairNeuron(step, fixed, float(charge), float(jump * unit))


def pair_layer(synapses: Synapses, profile: Profile, neuron: PairNeuron, *, ticks: int) -> ChipLayer:
    """The codes of a layer. Half a threshold is spread over the bias, for the membrane starts empty."""
    m, step = synapses.bias.size, neuron.step
    params = {name: np.full(m, value) for name, value in neuron.fixed.items()}
    for gain, itau in ((step.igain_exc, step.itau_exc), (step.igain_inh, step.itau_inh)):
        wanted = synapses.scales * neuron.threshold / neuron.jump * neuron.fixed[str(itau)]
        params[str(gain)] = np.clip(wanted, profile.params[str(gain)].min, profile.params[str(gain)].max)
    params |= _constant((synapses.bias + 0.5 / ticks) * neuron.threshold, profile, neuron)
    return ChipLayer(synapses.name, (synapses.codes,), {}, params, {}, np.ones(m), by_sign=True)


def _constant(current: Array, profile: Profile, neuron: PairNeuron) -> dict[str, Array]:
    """A constant current (m,): the layer's leak takes the most negative one away, a current of each gives the rest.

    The leak acts twice: on the input before it is rectified, and on the membrane.
    """
    step = neuron.step
    leak, source = profile.params[str(step.itau_mem)], profile.params[str(step.idc)]
    other = usual_value(profile, step.i0)  # the adaptation's lowest current adds to the leak
    half = max(LEAST_LEAK * neuron.threshold, 0.5 * max(0.0, -float(current.min())))
    half = float(np.clip(half - other, leak.min, leak.max)) + other
    given = np.clip(current + 2.0 * half, source.min, source.max)
    return {str(step.itau_mem): np.full(current.size, half - other), str(step.idc): given}
