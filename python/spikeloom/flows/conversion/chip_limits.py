"""What a profile allows, in the plain numbers that the fit takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import FitError
from spikeloom.fit.problem import TypeTable, WeightGrid
from spikeloom.network.differential_pairs import pair_neuron
from spikeloom.network.gain_neurons import gain_neuron, largest_gain
from spikeloom.profile.schema import Profile, WeightMode, Weights
from spikeloom.profile.weights import Levels, mode_names, weight_levels

PAIR_CEILING = 0.3  # spikes a tick of a differential pair: a rise has to last some steps
EULER_CEILING = 0.125  # likewise where a step is of first order, and late by a part of the rise


def weight_grid(profile: Profile, *, readout: bool = False, one_sign: bool = False) -> WeightGrid:
    """The codes and scales of one layer; every output of a readout has a scale of its own, applied by the host.

    one_sign: each of the layer's lines keeps to one, see `axon_plan.one_sign_a_line`
    """
    _check_fittable(profile)
    if profile.weights.formula == "float":
        return WeightGrid()
    if profile.weights.formula == "type_table":
        return WeightGrid(_table_levels(profile))
    low, high, step = _signed_levels(profile)
    return WeightGrid(
        (low, high, step), None if readout else scale_groups(profile), fan_in=profile.limits.fan_in,
        one_sign=one_sign,
    )  # fmt: skip


def largest_code(profile: Profile) -> float:
    """The largest magnitude that weights of both signs have; 1 where they are real numbers."""
    levels = weight_grid(profile).levels
    return 1.0 if levels is None else float(min(-levels[0], levels[1]))


def _check_fittable(profile: Profile) -> None:
    """Raise FitError where the fit has no model of the chip's synapses or neurons."""
    in_steps = profile.time.steps_per_tick > 1
    reasons = {
        "has neurons in continuous time, of a kind that the fit does not know": in_steps
        and not has_synapses_of_their_own(profile),
        "has one sign for all synapses of a source, and no events that bring their own": has_signed_sources(
            profile
        )
        and (profile.event is None or "virtual" not in profile.event.receptors),
        "has a threshold that no program can set, which the fit cannot match": profile.threshold is None,
    }
    for reason, holds in reasons.items():
        if holds:
            raise FitError(
                f"profile {profile.name}", reason, remedy="build the network by hand with SpikingNetwork"
            )


def has_signed_sources(profile: Profile) -> bool:
    """All that a source sends has one sign."""
    return profile.weights.formula == "sign_pre"


def has_synapses_of_their_own(profile: Profile) -> bool:
    """The neuron is one of those whose scale is a gain of its synapses, and no threshold."""
    return gain_neuron(profile) is not None or pair_neuron(profile) is not None


def scale_limits(profile: Profile) -> tuple[float, float] | None:
    """Smallest and largest scale, threshold units of code 1, where it is no threshold that makes it."""
    if (gained := gain_neuron(profile)) is not None:
        return 0.0, largest_gain(profile, gained)
    return (0.0, float("inf")) if pair_neuron(profile) is not None else None


def counts_spikes(profile: Profile) -> bool:
    """An output is read by its spikes: the membrane is hidden, or forgets too much to be a sum of currents."""
    return profile.fire.reg not in profile.outputs.readable or has_synapses_of_their_own(profile)


def full_precision(profile: Profile) -> Profile:
    """The profile with as many weight bits as its codes have; with a code for each synapse instead of tables."""
    if profile.weights.formula == "type_table":
        return _with_weights_of_its_own(profile)
    bits = profile.weights.mantissa_bits or profile.weights.bits
    return profile.model_copy(update={"weights": profile.weights.model_copy(update={"bits": bits})})


def scale_groups(profile: Profile) -> int | None:
    """How many thresholds the neurons of a core may have: None is one a neuron."""
    threshold = profile.threshold
    if threshold is None or pair_neuron(profile) is not None:
        return 1
    scope = profile.params[threshold].scope
    if scope == "neuron":
        return None
    tables = [table.max for table in profile.limits.shared_table if table.name == scope]
    return tables[0] if tables else 1


def membrane_wraps(profile: Profile) -> bool:
    """A membrane that leaves its register comes in again at the other end."""
    return profile.regs[profile.fire.reg].overflow == "wrap"


def firing_ceiling(profile: Profile) -> float:
    """Largest rate of a neuron in spikes per tick, with the profile's default refractory period."""
    if (pair := pair_neuron(profile)) is not None:
        return EULER_CEILING if pair.step.integrator == "euler" else PAIR_CEILING
    for operand in getattr(profile.fire, "start", {}).values():
        if isinstance(operand, str):
            return 1.0 / max(1.0, profile.params[operand].default or 1.0)
    return 1.0


def type_table(profile: Profile, axons: int, steps: NDArray[np.float64]) -> TypeTable:
    """What the fit may choose where weights go by the type of an axon; steps: (m,) of code 1, threshold units."""
    low, high, _ = _table_levels(profile)
    return TypeTable(len(profile.weights.table), axons, low, high, steps)


def _table_levels(profile: Profile) -> Levels:
    """The codes that the weight of every type may have."""
    params = [profile.params[name] for name in profile.weights.table]
    low = max(int(param.min or 0) for param in params)
    return Levels(low, min(int(param.max or 0) for param in params), 1)


def _with_weights_of_its_own(profile: Profile) -> Profile:
    low, high, _ = _table_levels(profile)
    mode = WeightMode(name="signed", min=low, max=high)
    weights = Weights(
        formula="int", bits=(high - low).bit_length(), mode=(mode,), table=profile.weights.table
    )
    return profile.model_copy(update={"weights": weights})


def _signed_levels(profile: Profile) -> Levels:
    """The widest mode with both signs."""
    if profile.weights.formula == "palette":  # the sign is that of the receptor
        most = 2 ** (profile.weights.bits or 1) - 1
        return Levels(-most, most, 1)
    modes = [weight_levels(profile.weights, name) for name in mode_names(profile.weights)]
    both = [levels for levels in modes if levels.low < 0 < levels.high]
    if not both:
        raise FitError(
            f"profile {profile.name}", "has no weight mode that holds both signs", remedy="give it one"
        )
    return max(both, key=lambda levels: levels.high - levels.low)
