"""Placement on a chip in event mode: everything on its one core, a row of synapses for each address."""

from __future__ import annotations

from spikeloom.errors import PlacementError
from spikeloom.network.network import SpikingNetwork
from spikeloom.network.projection import Population, Projection
from spikeloom.placement.partition import Piece, whole


def on_one_core(network: SpikingNetwork) -> list[list[Piece]]:
    """All populations in their order.

    Raises PlacementError where the neurons, or the addresses of neurons and input lines together, are too many,
    or where a virtual event cannot reach its target.
    """
    neurons = [p for p in network.populations.values() if not p.is_input]
    count = sum(p.size for p in neurons)
    limits = network.profile.limits
    _check("neurons", count, limits.neurons_per_core, "neurons_per_core", neurons)
    lines = [p for p in network.populations.values() if p.is_input and _has_rows(network, p)]
    addresses = count + sum(p.size for p in lines)
    what = "neurons and input lines, which share its rows of synapses"
    _check(what, addresses, limits.in_axons_per_core, "in_axons_per_core", [*neurons, *lines])
    _check_virtual_targets(network)
    return [whole(network)]


def _check(what: str, value: int, limit: int | None, key: str, populations: list[Population]) -> None:
    if limit is not None and value > limit:
        largest = max(populations, key=lambda population: population.size).name
        problem = f"the network has more {what} than the core holds (limits.{key}), {largest} most of them"
        raise PlacementError(f"population {largest}", problem, value=value, limit=limit,
                             remedy=f"give {largest} a smaller size")  # fmt: skip


def _has_rows(network: SpikingNetwork, population: Population) -> bool:
    """Virtual and single synapse events carry their target, and need no row of their own."""
    event = network.profile.event
    sent = [p for p in network.projections if p.source == population.name]
    return event is None or any(event.receptors[p.receptor] == "neuron" for p in sent)


def _check_virtual_targets(network: SpikingNetwork) -> None:
    event = network.profile.event
    if event is None or event.virtual_targets is None:
        return
    first = 0
    for population in (p for p in network.populations.values() if not p.is_input):
        end = first + population.size
        for projection in network.projections:
            virtual = event.receptors[projection.receptor] == "virtual"
            if virtual and projection.target == population.name and end > event.virtual_targets:
                raise _too_far(projection, end, event.virtual_targets)
        first = end


def _too_far(projection: Projection, end: int, limit: int) -> PlacementError:
    subject = f"projection {projection.source} -> {projection.target}"
    problem = "a virtual event reaches the first neurons of the core only (event.virtual_targets)"
    return PlacementError(subject, problem, value=end, limit=limit,
                          remedy=f"add {projection.target} before the others, or make it smaller")  # fmt: skip
