"""A layer in chip codes behind nothing but input lines, to be emulated by itself."""

from __future__ import annotations

from collections.abc import Sequence

from spikeloom.emulation.measure import stepwise, unsplit
from spikeloom.network.chip_layer import ChipLayer
from spikeloom.network.network import SpikingNetwork
from spikeloom.profile.schema import Profile


def alone(
    chip: ChipLayer, profile: Profile, sizes: Sequence[int], *, depth: int = 0, by_host: bool = False
) -> SpikingNetwork:
    """A layer behind so many lines of each source. depth: ticks before its window, which lines of a bias wait for."""
    network = SpikingNetwork(unsplit(stepwise(profile)))
    sources = [f"feed{k}" for k in range(len(sizes))]
    for source, size in zip(sources, sizes, strict=True):
        network.input(source, size, encoding="current" if by_host else "spikes")
    chip.add_to(network, sources, late=depth)
    return network
