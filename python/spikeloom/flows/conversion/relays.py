"""Relay neurons: where a branch is too short for the delays that a chip has, it goes through neurons that pass it on.

Branches of unlike length meet where what comes over the shorter one waits. A synapse waits as long as the chip's
delays allow; each relay, a neuron that fires once for every spike it gets, waits one hop more. What several layers
read late goes through the same relays.
"""

from __future__ import annotations

from dataclasses import replace

from scipy.sparse import csr_array, eye_array

from spikeloom.flows.conversion.pools.max_pool import Wired
from spikeloom.flows.conversion.spiking_units import INPUT, SpikingUnits, UnitLayer, sources_of
from spikeloom.profile.schema import Profile


def relayed(units: SpikingUnits, profile: Profile) -> SpikingUnits:
    """The network with relays wherever the delays of this chip are too short for its branches to meet."""
    latency = profile.time.spike_latency_ticks
    longest = 0 if profile.time.delay_scope == "none" else profile.time.delay_max
    if latency == 0:  # events have no ticks to meet in
        return units
    build = _Relays(units, longest // latency)
    for index in range(len(units.layers)):
        build.add(index)
    made, preactivations, answers = zip(*build.found, strict=True)
    return replace(units, layers=made, preactivations=preactivations, answers=answers, gains=build.gains)


class _Relays:
    """The layers so far, with the relays before those that read late; waits: hops that a synapse can wait."""

    def __init__(self, units: SpikingUnits, waits: int) -> None:
        self._units, self._waits = units, waits
        self.found: list[tuple] = []
        self.gains = dict(units.gains)
        self._place = {layer.name: k for k, layer in enumerate(units.layers)}
        self._depth = {INPUT: -1}  # hops: spikes of the input arrive at once

    def add(self, index: int) -> None:
        """A layer behind its sources, or behind relays of them."""
        layer = self._units.layers[index]
        depth = 1 + max(self._depth[source] for source in sources_of(layer))
        late = {source: self._late(source, depth) for source in sources_of(layer)}
        self._append(_reading(layer, late), depth, index)

    def _late(self, source: str, depth: int) -> str:
        """The population that sends what `source` sends, late enough for a layer of this depth."""
        name = source
        if source == INPUT:  # that only the first layer reads it is checked before
            return name
        for k in range(1, depth - self._depth[source] - self._waits):
            before, name = name, f"{source}_relay_{k}"
            if name not in self._depth:
                place = self._place[source]
                size = self._units.layers[place].n_outputs
                self._append(
                    Wired(name, {before: csr_array(eye_array(size))}), self._depth[before] + 1, place
                )
        return name

    def _append(self, layer: UnitLayer, depth: int, index: int) -> None:
        """A layer that should answer what that of the given units does."""
        self._depth[layer.name] = depth
        self.found.append((layer, self._units.preactivations[index], self._units.answers[index]))
        if layer.name not in self.gains and self.gains:
            self.gains[layer.name] = self.gains[self._units.layers[index].name]


def _reading(layer: UnitLayer, late: dict[str, str]) -> UnitLayer:
    """The layer with other sources in place of its own."""
    if isinstance(layer, Wired):
        return replace(layer, maps={late[source]: weights for source, weights in layer.maps.items()})
    parts = [replace(part, source=late[part.source or INPUT]) for part in layer.parts]
    return replace(parts[0], merged=tuple(parts[1:]))
