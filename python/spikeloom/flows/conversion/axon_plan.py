"""How many axons each source takes, where weights go by the type of an axon, or by the sign of their source."""

from __future__ import annotations

from collections.abc import Sequence

from spikeloom.ann.graph import AnnLayer
from spikeloom.errors import FitError
from spikeloom.flows.conversion.chip_limits import has_signed_sources, has_synapses_of_their_own
from spikeloom.flows.conversion.pools.max_pool import Wired
from spikeloom.flows.conversion.spiking_units import UnitLayer
from spikeloom.profile.schema import Profile


def has_types(profile: Profile) -> bool:
    """A target keeps one weight for each type of axon."""
    return bool(profile.weights.table)


def axons_per_source(
    layers: Sequence[UnitLayer], profile: Profile, most: int | None = None
) -> tuple[int, ...]:
    """For each layer, axons that each of its sources drives: as many as fit, 4, 2 or 1 where there are four types.

    A core holds the axons of all sources of a layer; a neuron that drives several has a copy for each, and they
    share a core as well. Two where a source has one sign: a neuron has a copy for either. Else 1, where axons have no
    types. most: that the designer allows.

    Raises FitError where not even one axon a source fits, or for a layer of a kind that the chip's neurons do not do.
    """
    if has_synapses_of_their_own(profile):
        for layer in layers:
            _check_fitted(layer)
    if has_signed_sources(profile):
        for layer in layers:
            _check_dense(
                layer, "shares weights or pools, and all that a source of the chip sends has one sign"
            )
        return (1, *(2,) * (len(layers) - 1))
    if not has_types(profile):
        return (1,) * len(layers)
    types = len(profile.weights.table)
    choices = [k for k in (types, types // 2, 1) if k >= 1 and k <= (most or types)]
    return tuple(_largest(layer, profile, choices, index) for index, layer in enumerate(layers))


def _largest(layer: UnitLayer, profile: Profile, choices: Sequence[int], index: int) -> int:
    layer = _check_dense(layer, "shares weights, and the chip has a table of weights for each neuron")
    limits = profile.limits
    room = [limits.in_axons_per_core] if index == 0 else [limits.in_axons_per_core, limits.neurons_per_core]
    most = min((limit for limit in room if limit is not None), default=layer.n_inputs * choices[0])
    for axons in choices:
        if layer.n_inputs * axons <= most:
            return axons
    raise FitError(f"layer {layer.name!r}", "has more inputs than a core has axons (limits.in_axons_per_core)",
                   value=layer.n_inputs, limit=most, remedy="give the layer before it a smaller size")  # fmt: skip


def _check_fitted(layer: UnitLayer) -> None:
    """Refuse neurons that take the largest of rates: their weights are 1 and are not fitted to an analog neuron."""
    if isinstance(layer, Wired):
        raise FitError(f"layer {layer.name!r}", "takes the largest of rates, which the chip's leaky neurons cannot",
                       remedy="pool by averages")  # fmt: skip


def _check_dense(layer: UnitLayer, problem: str) -> AnnLayer:
    """The layer, where every synapse has a weight of its own."""
    if isinstance(layer, AnnLayer):
        is_shared = layer.is_convolution or layer.input_pool != (1, 1)
        if not is_shared and len(layer.parts) == 1:
            return layer
    raise FitError(f"layer {layer.name!r}", problem,
                   remedy="use a dense layer, or build the network by hand with SpikingNetwork")  # fmt: skip
