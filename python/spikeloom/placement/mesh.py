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

from spikeloom.program.program import ProgramArrays

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


def packets_between(arrays: ProgramArrays, rates: Array) -> Array:
    """(cores, cores): packets a tick from one core to another.

    A neuron sends one packet to each axon that it drives; `rates` are spikes a tick, in global neuron numbers.
    """
    sender = _core_of(arrays.core_neuron_start)
    receiver = _core_of(arrays.core_axon_start)[arrays.neuron_fan_axon]
    axons = np.diff(arrays.neuron_fan_start)
    packets = np.zeros((len(arrays.core_neuron_start) - 1,) * 2)
    np.add.at(packets, (np.repeat(sender, axons), receiver), np.repeat(rates, axons))
    return packets


def _core_of(start: NDArray) -> NDArray[np.intp]:
    return np.repeat(np.arange(len(start) - 1), np.diff(start))


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
