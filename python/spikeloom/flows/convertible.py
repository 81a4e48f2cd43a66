"""Which layers a conversion can carry, so that what it cannot is refused before any work."""

from __future__ import annotations

from spikeloom.ann.graph import Ann
from spikeloom.errors import AnnError


def check_convertible(ann: Ann) -> None:
    """Refuse a network with a layer that has no spiking counterpart.

    Raises AnnError, which names the layer.
    """
    for layer in ann.layers:
        if layer.groups > 1:
            raise AnnError(f"layer {layer.name!r}", "grouped convolutions cannot be converted", value=layer.groups,
                           limit=1, remedy="use one group")  # fmt: skip
