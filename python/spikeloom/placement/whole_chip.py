"""Limits of the chip as a whole, which no placement can help."""

from __future__ import annotations

from spikeloom.errors import PlacementError, names_chip
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.rows import Synapses


@names_chip
def check_ports(network: SpikingNetwork) -> None:
    """Refuse more input lines, read neurons or other neurons than the chip has."""
    limits, populations = network.profile.limits, network.populations.values()
    lines = {p.name: p.size for p in populations if p.is_input and p.encoding != "current"}
    read = {r.population: network.populations[r.population].size for r in network.readouts}
    hidden = {p.name: p.size for p in populations if not p.is_input and p.name not in read}
    _check_total("input", "inputs", lines, "inputs", limits.inputs)
    _check_total("output", "outputs", read, "outputs", limits.outputs)
    _check_total("population", "neurons that are not read", hidden, "hidden", limits.hidden)


def check_recurrent(network: SpikingNetwork, synapses: tuple[Synapses, ...]) -> None:
    """Refuse more synapses between neurons that are not read than the chip has."""
    outside = {r.population for r in network.readouts}
    outside |= {p.name for p in network.populations.values() if p.is_input}
    sizes: dict[str, int] = {}
    for projection, stored in zip(network.projections, synapses, strict=True):
        name = f"{projection.source} -> {projection.target}"
        if not outside & {projection.source, projection.target}:
            sizes[name] = sizes.get(name, 0) + int(stored.fan_in().sum())
    limit = network.profile.limits.recurrent_synapses
    _check_total("projection", "recurrent synapses", sizes, "recurrent_synapses", limit)


def check_groups(network: SpikingNetwork) -> None:
    """Refuse several values in one group of synapses: from inputs, onto what is read, and between the others."""
    read = {r.population for r in network.readouts}
    for shared in network.profile.weights.shared:
        if shared.scope != "group":
            continue
        found: dict[str, tuple[str, int]] = {}
        for p in network.projections:
            from_input = network.populations[p.source].is_input
            group = "input" if from_input else "output" if p.target in read else "recurrent"
            name, value = f"{p.source} -> {p.target}", int(p.shared[shared.name][0])
            first, taken = found.setdefault(group, (name, value))
            if value != taken:
                problem = f"{shared.name} has one value for all {group} synapses, and {first} has another"
                raise PlacementError(f"projection {name}", problem, value=value, limit=taken,
                                     remedy=f"give both the same {shared.name}")  # fmt: skip


def _check_total(kind: str, what: str, sizes: dict[str, int], key: str, limit: int | None) -> None:
    total = sum(sizes.values())
    if limit is not None and total > limit:
        largest = max(sizes, key=lambda name: sizes[name])
        problem = f"the network has more {what} than the chip (limits.{key})"
        raise PlacementError(f"{kind} {largest}", problem, value=total, limit=limit,
                             remedy="give it a smaller size").of_limit(f"limits.{key}")  # fmt: skip
