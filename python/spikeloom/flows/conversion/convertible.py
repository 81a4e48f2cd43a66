"""Which networks a conversion can carry, so that what it cannot is refused before any work."""

from __future__ import annotations

from spikeloom.ann.activation import SIGNED
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.errors import AnnError


def check_convertible(ann: Ann) -> None:
    """Refuse a network with a layer that has no spiking counterpart.

    Raises AnnError, which names the layer.
    """
    for k, (layer, sources) in enumerate(zip(ann.layers, ann.sources, strict=True)):
        if layer.is_max:
            _check_pooled(layer, None if sources[0] < 0 else ann.layers[sources[0]])
        if -1 in sources and (k > 0 or len(sources) > 1):
            raise AnnError(f"layer {layer.name!r}", "takes the network's input, as another layer does", value="input",
                           limit="one reader", remedy="put one layer before both")  # fmt: skip


def _check_pooled(layer: AnnLayer, source: AnnLayer | None) -> None:
    problems = {
        "the network's input": source is None,
        "numbers that can be negative": source is not None and source.activation in SIGNED,
        "what is pooled already": source is not None and source.is_max,
    }
    for what, holds in problems.items():
        if holds:
            raise AnnError(f"layer {layer.name!r}", f"takes the largest of {what}", value=layer.window,
                           remedy="pool behind a ReLU, by one larger window, or average")  # fmt: skip
