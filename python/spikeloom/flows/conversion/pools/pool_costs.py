"""What each form of max pooling takes on a chip, told without any data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.flows.conversion.dry_network import dry_units
from spikeloom.flows.conversion.pools.max_pool import Pool, Wired, wired
from spikeloom.flows.conversion.pools.races import with_races
from spikeloom.profile.schema import Profile

HELD = 2  # synapses with which a pool holds a neuron back: one takes a threshold, one gives it back
KEPT = 3  # synapses between a neuron and its keeper, and of the keeper to itself


@dataclass(frozen=True)
class PoolCost:
    """What max pooling takes in one of its forms.

    layer: of the network; pool: "tree", "race" or "or"; neurons, synapses: of the pooling itself, with what holds
    its sources back and keeps them
    sources: populations that what comes behind it reads in place of one; ticks: that its spikes come later
    """

    layer: str
    pool: Pool
    neurons: int
    synapses: int
    sources: int
    ticks: int


def pool_costs(ann: Ann, profile: Profile) -> tuple[PoolCost, ...]:
    """Every form that each max pooling of the network has on this chip, in hops of one tick."""
    pools = [layer for layer in ann.layers if layer.is_max]
    if not pools:
        return ()
    unions = with_races(dry_units(ann, "or"), profile).layers
    races = {layer.name for layer in unions if isinstance(layer, Wired) and layer.holds_back}
    return tuple(cost for pool in pools for cost in _forms(ann, pool, pool.name in races))


def _forms(ann: Ann, layer: AnnLayer, races: bool) -> Iterator[PoolCost]:
    tree, terms = wired(layer, "", "tree")
    yield PoolCost(layer.name, "tree", sum(one.n_outputs for one in tree), sum(map(_synapses, tree)), len(terms),
                   len(terms) - 1)  # fmt: skip
    [union], _ = wired(layer, "", "or")
    held, plain = HELD * _synapses(union) if races else 0, _synapses(union)
    if races:
        source, neurons = _source(ann, layer), layer.n_inputs
        kept = held + KEPT * neurons + _connections(source)
        yield PoolCost(layer.name, "race", union.n_outputs + neurons, plain + held + kept, 1, 1)
    yield PoolCost(layer.name, "or", union.n_outputs, plain + held, 1, 1)


def _synapses(layer: Wired) -> int:
    return sum(int(np.count_nonzero(weights.data)) for weights in layer.maps.values())


def _source(ann: Ann, layer: AnnLayer) -> AnnLayer:
    index = ann.layers.index(layer)
    return next((other for other in ann.layers if other.name == layer.source), ann.layers[index - 1])


def _connections(layer: AnnLayer) -> int:
    """Synapses onto a layer: what its neurons would add up if all weights and inputs were 1."""
    total = 0.0
    for part in layer.parts:
        ones = part.with_matrix(np.ones(part.matrix.shape), np.zeros(len(part.bias)))
        total += float(ones.preactivation(np.ones((1, part.n_inputs))).sum()) * float(
            np.prod(part.input_pool)
        )
    return round(total)
