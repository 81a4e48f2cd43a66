"""Where the cores stand on the mesh, so that their packets move over few routers.

Core c stands at x = c mod width, y = floor(c / width), and a packet moves along x, then along y: what it costs is
the Manhattan distance. Which order of the cores costs least is a quadratic assignment problem (Koopmans and Beckmann
1957), for which SciPy has two heuristics. The order of the layers competes, so the result is never worse than that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import quadratic_assignment

from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.partition import Partition, Piece

Array = NDArray[np.float64]
MOST_SWAPPED = 32  # cores: beyond, trying every pair takes seconds and gains little over the relaxation
RANDOM_ORDERS = 100  # whose mean is reported


@dataclass(frozen=True, eq=False)
class Floor:
    """An order of cores: `order[k]` is the core that stands at place k. Hops are of all packets in a tick."""

    order: NDArray[np.intp]
    hops: float
    row_major: float
    random: float

    def report(self) -> dict[str, float]:
        """Hops a tick: of this order, of the order of the layers, and the mean of random orders."""
        return {"hops": self.hops, "row_major": self.row_major, "random": self.random}


def packets_between(
    network: SpikingNetwork, cores: list[list[Piece]], partition: Partition, rates: Array
) -> Array:
    """(cores, cores): packets a tick from one core to another.

    A neuron sends one packet to each axon that it drives: one for each projection and each core that it reaches.
    `rates` are spikes a tick, population after population.
    """
    core_of, rate_of = _by_population(network, cores, rates)
    packets = np.zeros((len(cores), len(cores)))
    for receiver, piece in ((core, piece) for core, pieces in enumerate(cores) for piece in pieces):
        for k, projection in enumerate(network.projections):
            if projection.target == piece.population and projection.source in core_of:
                neurons, source = partition.rows(k, piece).source, projection.source
                np.add.at(packets[:, receiver], core_of[source][neurons], rate_of[source][neurons])
    return packets


def _by_population(
    network: SpikingNetwork, cores: list[list[Piece]], rates: Array
) -> tuple[dict[str, NDArray[np.intp]], dict[str, Array]]:
    """The core and the rate of each neuron of each population."""
    sizes = {p.name: p.size for p in network.populations.values() if not p.is_input}
    rate_of = dict(zip(sizes, np.split(rates, np.cumsum(list(sizes.values()))[:-1]), strict=True))
    core_of = {name: np.zeros(size, dtype=np.intp) for name, size in sizes.items()}
    for core, pieces in enumerate(cores):
        for piece in pieces:
            core_of[piece.population][piece.first : piece.stop] = core
    return core_of, rate_of


def fewest_hops(packets: Array, width: int, seed: int) -> Floor:
    """The best order of cores that was found. (cores, cores) packets a tick; deterministic for a seed."""
    cores, rng = len(packets), np.random.default_rng(seed)
    distance = _distances(cores, width)
    start = np.arange(cores)
    found = [start, *_searched(packets, distance, rng)]
    place = min(found, key=lambda order: _hops(packets, distance, order))
    random = [_hops(packets, distance, rng.permutation(cores)) for _ in range(RANDOM_ORDERS)]
    return Floor(
        order=np.argsort(place),
        hops=_hops(packets, distance, place),
        row_major=_hops(packets, distance, start),
        random=float(np.mean(random)),
    )


def _searched(packets: Array, distance: Array, rng: np.random.Generator) -> list[NDArray[np.intp]]:
    """Places of the cores: of the relaxation, and of swaps of pairs that begin there and at the given order."""
    relaxed = quadratic_assignment(packets, distance, method="faq", options={"rng": rng}).col_ind
    if len(packets) > MOST_SWAPPED:
        return [relaxed]
    starts = (relaxed, np.arange(len(packets)))
    return [relaxed, *(_swapped(packets, distance, start, rng) for start in starts)]


def _swapped(
    packets: Array, distance: Array, start: NDArray[np.intp], rng: np.random.Generator
) -> NDArray[np.intp]:
    guess = np.column_stack([np.arange(len(start)), start])
    options = {"rng": rng, "partial_guess": guess}
    place: NDArray[np.intp] = quadratic_assignment(packets, distance, method="2opt", options=options).col_ind
    return place


def _distances(cores: int, width: int) -> Array:
    y, x = np.divmod(np.arange(cores), width)
    distance: Array = (np.abs(x[:, np.newaxis] - x) + np.abs(y[:, np.newaxis] - y)).astype(np.float64)
    return distance


def _hops(packets: Array, distance: Array, place: NDArray[np.intp]) -> float:
    return float((packets * distance[np.ix_(place, place)]).sum())
