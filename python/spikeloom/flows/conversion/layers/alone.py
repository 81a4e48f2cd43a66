"""A layer in chip codes behind nothing but input lines, to be emulated by itself."""

from __future__ import annotations

from collections.abc import Sequence

from spikeloom.emulation.measure import stepwise, unsplit
from spikeloom.network.chip_layer import ChipLayer
from spikeloom.network.network import SpikingNetwork
from spikeloom.profile.schema import Profile


def alone(
    chip: ChipLayer, profile: Profile, sizes: Sequence[int], *, by_host: bool = False
) -> SpikingNetwork:
    """A layer behind so many lines of each source."""
    network = SpikingNetwork(unsplit(stepwise(profile)))
    sources = [f"feed{k}" for k in range(len(sizes))]
    for source, size in zip(sources, sizes, strict=True):
        network.input(source, size, encoding="current" if by_host else "spikes")
    chip.add_to(network, sources)
    return network
