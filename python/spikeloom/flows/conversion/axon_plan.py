"""How many axons each source takes, where weights go by the type of an axon, or by the sign of their source."""

from __future__ import annotations

from collections.abc import Sequence

from spikeloom.ann.graph import AnnLayer
from spikeloom.errors import FitError
from spikeloom.flows.conversion.chip_limits import has_signed_sources, has_synapses_of_their_own
from spikeloom.flows.conversion.pools.max_pool import Wired
from spikeloom.flows.conversion.spiking_units import UnitLayer
from spikeloom.network.constant_lines import RATES
from spikeloom.profile.schema import Profile


def has_types(profile: Profile) -> bool:
    """A target keeps one weight for each type of axon."""
    return bool(profile.weights.table)


def axons_per_source(
    layers: Sequence[UnitLayer], profile: Profile, most: int | None = None
) -> tuple[int, ...]:
    """For each layer, axons that each of its sources drives: as many as fit, 4, 2 or 1 where there are four types.

    A core holds the axons of all sources of a layer; a neuron that drives several has a copy for each, and they
    share a core as well. Where a source has one sign, two, as a neuron then has a copy for either, if the core holds
    these; else one, and the fit chooses its sign. Else 1, where axons have no types. most: that the designer allows.

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
        copies = min(most or 2, 2 if _holds_two_copies(layers, profile) else 1)
        return (1, *(copies,) * (len(layers) - 1))
    if not has_types(profile):
        return (1,) * len(layers)
    types = len(profile.weights.table)
    choices = [k for k in (types, types // 2, 1) if k >= 1 and k <= (most or types)]
    return tuple(_largest(layer, profile, choices, index) for index, layer in enumerate(layers))


def most_axons(profile: Profile) -> int:
    """Axons that a source may have: one of each type, or of either sign."""
    return 2 if has_signed_sources(profile) else max(1, len(profile.weights.table))


def one_sign_a_line(profile: Profile, axons: int, *, is_first: bool) -> bool:
    """All that a line sends has one sign: its source has no copy for the other, and is no input, whose events bring
    their own."""
    return has_signed_sources(profile) and axons == 1 and not is_first


def has_line_signs(profile: Profile, axons: Sequence[int]) -> bool:
    """Some layer has lines of one sign each. axons: of every layer's sources."""
    return any(one_sign_a_line(profile, each, is_first=index == 0) for index, each in enumerate(axons))


def _holds_two_copies(layers: Sequence[UnitLayer], profile: Profile) -> bool:
    """The one core holds every neuron that another layer is behind twice, and the lines of a constant input."""
    neurons = sum(2 * layer.n_outputs for layer in layers[:-1]) + layers[-1].n_outputs
    lines = 2 * len(RATES) if profile.bias.kind == "axon" else 0
    rows, most = profile.limits.in_axons_per_core, profile.limits.neurons_per_core
    return (most is None or neurons <= most) and (rows is None or neurons + lines <= rows)


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
