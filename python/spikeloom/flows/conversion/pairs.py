"""Which units are pairs of neurons: one for what their activation is above a centre, one for what it is below.

The centre of an activation that gives negative numbers is 0. That of a sigmoid is 1/2, where it is when nothing
comes in: a unit near rest sends few spikes, and both neurons work at the lower end of their response, which a reset
to zero bends least there. The constant goes into the bias of the layers behind, so these must see it everywhere.
"""

from __future__ import annotations

from spikeloom.ann.activation import SIGNED
from spikeloom.ann.graph import Ann, AnnLayer

STEEPEST = 0.25  # slope of a sigmoid at its centre


def is_pair(ann: Ann, layer: AnnLayer) -> bool:
    """Each of the layer's units becomes two neurons, times `neurons_per_unit`."""
    return layer.activation in SIGNED or centre(ann, layer) > 0.0


def is_round(ann: Ann, layer: AnnLayer) -> bool:
    """Its units are pairs that saturate, alike on both sides of the centre: sums of ramps come close to them."""
    return layer.activation in ("sigmoid", "tanh") and is_pair(ann, layer)


def centre(ann: Ann, layer: AnnLayer) -> float:
    """The number around which the layer's units are pairs; 0 also where they are none.

    A sigmoid is a single neuron a unit in front of max pooling, or of a convolution that pads it with zeros.
    """
    if layer.activation != "sigmoid":
        return 0.0
    place = next(k for k, other in enumerate(ann.layers) if other.name == layer.name)
    readers = [
        (other, part)
        for other, sources in zip(ann.layers, ann.sources, strict=True)
        for part, source in zip(other.parts, sources, strict=True)
        if source == place
    ]
    return 0.0 if any(other.is_max or any(part.padding) for other, part in readers) else 0.5


def slope(ann: Ann, layer: AnnLayer) -> float:
    """What a pre-activation is multiplied by, so that near the centre the activation grows as fast as it does."""
    return STEEPEST if centre(ann, layer) > 0.0 else 1.0
