"""When each population works: its depth, and the delays that bring shorter branches up to it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from spikeloom.errors import PlacementError
from spikeloom.network.network import SpikingNetwork
from spikeloom.network.projection import Projection


def depths(network: SpikingNetwork) -> dict[str, int]:
    """First tick of each population's window; inputs have 0.

    The depth is the longest path from the inputs: a hop from an input takes no tick, one from neurons takes
    `spike_latency_ticks`. Projections inside a cycle do not count: all populations of a cycle share one
    depth.
    """
    names = list(network.populations)
    cycle = _cycles(network, names)
    latency = network.profile.time.spike_latency_ticks
    depth = np.zeros(len(names), dtype=np.int64)  # by cycle
    edges = [
        (cycle[p.source], cycle[p.target], 0 if network.populations[p.source].is_input else latency)
        for p in network.projections
        if cycle[p.source] != cycle[p.target]
    ]
    for _ in names:  # the longest path has fewer hops than there are populations
        before = depth.copy()
        for source, target, hop in edges:
            depth[target] = max(depth[target], depth[source] + hop)
        if (before == depth).all():
            break
    return {name: int(depth[cycle[name]]) for name in names}


def _cycles(network: SpikingNetwork, names: list[str]) -> Mapping[str, int]:
    """Number of the strongly connected component of each population."""
    index = {name: k for k, name in enumerate(names)}
    ends = np.array(
        [(index[p.source], index[p.target]) for p in network.projections], dtype=np.int64
    ).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(len(names),) * 2)
    _, labels = connected_components(graph.tocsr(), connection="strong")
    return dict(zip(names, labels.tolist(), strict=True))


def extra_delay(network: SpikingNetwork, projection: Projection, depth: Mapping[str, int]) -> int:
    """Ticks to add to a projection's delays, so that its spikes meet those of the longest path.

    Raises PlacementError where the profile's delays do not reach.
    """
    source, target = projection.source, projection.target
    hop = 0 if network.populations[source].is_input else network.profile.time.spike_latency_ticks
    # A hop that would arrive before its time lies on a cycle, and is left as it is.
    extra = max(0, depth[target] - depth[source] - hop)
    time = network.profile.time
    largest = int(np.max(projection.delays, initial=0)) + extra
    limit = time.delay_min if time.delay_scope == "none" else time.delay_max
    if extra and largest > limit:
        raise PlacementError(
            f"projection {source} -> {target}", f"needs a delay of {largest} ticks to meet a longer branch",
            value=largest, limit=limit, remedy="shorten the longer branch, or relay this one by neurons",
        ).of_limit("time.delay_max")  # fmt: skip
    return extra
