"""Split populations into ranges of neurons that each fit one core."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import PlacementError
from spikeloom.network.network import SpikingNetwork
from spikeloom.network.projection import Convolution
from spikeloom.placement.demand import Demand, Excess, Table, excess, memory_bits, tables_of
from spikeloom.placement.rows import Rows, Synapses
from spikeloom.profile.schema import Limits


@dataclass(frozen=True)
class Piece:
    """The neurons [first, stop) of a population, all on one core."""

    population: str
    first: int
    stop: int


def whole(network: SpikingNetwork) -> list[Piece]:
    """Every population in one piece, whatever its size."""
    return [Piece(p.name, 0, p.size) for p in network.populations.values() if not p.is_input]


class Partition:
    """Pieces of a network that respect every limit of one core."""

    def __init__(self, network: SpikingNetwork, synapses: tuple[Synapses, ...]) -> None:
        self._network, self._synapses = network, synapses
        self._limits: Limits = network.profile.limits
        self._tables = tables_of(network.profile)
        self.reasons: dict[str, Excess] = {}  # the limit for which a population was split
        self._length: dict[str, int] = {}  # of its last part: the next one is about as long

    def pieces(self) -> list[Piece]:
        """Pieces in the order of populations and neurons; PlacementError where one neuron breaks a limit."""
        for name in self._network.populations:
            self.check_fans(name)
        pieces = whole(self._network)
        while True:
            # Axons out of a core depend on how its targets are split, so split until nothing changes.
            self._out_axons = self._count_out_axons(pieces)
            split = [part for piece in pieces for part in self._split(piece)]
            if split == pieces:
                self._check_dests()
                return pieces
            pieces = split

    def pieces_of(self, name: str) -> list[Piece]:
        """Pieces of one population by itself: as if no population that it reaches were split."""
        self._out_axons = self._count_out_axons(whole(self._network))
        return self._split(Piece(name, 0, self._network.populations[name].size))

    def demand(self, piece: Piece) -> Demand:
        """What a piece asks of its core."""
        rows = [self.rows(k, piece) for k in self._incoming[piece.population]]
        bits = self._network.profile.weights.bits or 0
        return Demand(
            neurons=piece.stop - piece.first,
            in_axons=sum(r.source.size for r in rows),
            out_axons=int(self._out_axons[piece.population][piece.first : piece.stop].sum()),
            memory=tuple(sum(memory_bits(r, memory, bits) for r in rows) for memory in self._limits.memory),
            tables=tuple(self._sets(table, piece) for table in self._tables),
        )

    def rows(self, projection: int, piece: Piece) -> Rows:
        """The rows of one projection into a piece."""
        return self._synapses[projection].rows(piece.first, piece.stop)

    @cached_property
    def _incoming(self) -> dict[str, list[int]]:
        """Projections onto each population."""
        incoming: dict[str, list[int]] = {name: [] for name in self._network.populations}
        for k, projection in enumerate(self._network.projections):
            incoming[projection.target].append(k)
        return incoming

    def _split(self, piece: Piece) -> list[Piece]:
        """Greedily: each part as long as the limits allow, cut between image rows or positions if it can."""
        parts = []
        first = piece.first
        while first < piece.stop:
            stop = self._longest(piece.population, first, piece.stop)
            parts.append(Piece(piece.population, first, stop))
            first = stop
        return parts

    def _longest(self, name: str, first: int, end: int) -> int:
        """The largest found `stop` for which the neurons [first, stop) fit one core."""

        def broken(stop: int) -> Excess | None:
            return excess(self.demand(Piece(name, first, stop)), self._limits, self._tables)

        most = self._limits.neurons_per_core
        cap = end if most is None else min(end, first + most)
        stop = _last_fit(lambda k: broken(k) is None, first, cap, first + self._length.get(name, cap - first))
        if stop == end:
            return end
        reason = broken(stop + 1) if stop < cap else None
        reason = reason or Excess("limits.neurons_per_core", "neurons", end - first, cap - first)
        if stop == first:
            raise self._one_neuron(name, first, reason)
        if name not in self.reasons:
            self.reasons[name] = broken(cap) or reason
        stop = next((cut for cut in self._even_cuts(name, first, stop, end) if broken(cut) is None), stop)
        self._length[name] = stop - first
        return stop

    def _even_cuts(self, name: str, first: int, stop: int, end: int) -> Iterator[int]:
        """Earlier places for a cut, which share more templates and do not cost more cores."""
        cores = -(-(end - first) // (stop - first))
        for unit in self._units(name):
            cut = stop // unit * unit
            if cut > first and -(-(end - first) // (cut - first)) == cores:
                yield cut

    def _one_neuron(self, name: str, neuron: int, reason: Excess) -> PlacementError:
        return PlacementError(
            f"population {name}", f"neuron {neuron} alone needs too many {reason.what} ({reason.limit_name})",
            value=reason.value, limit=reason.limit, remedy=_remedy(reason),
        ).of_limit(reason.limit_name)  # fmt: skip

    def _units(self, name: str) -> list[int]:
        """Lengths at whose multiples a cut shares most templates: an image row, then one position."""
        for k in self._incoming[name]:
            weights = self._network.projections[k].weights
            if isinstance(weights, Convolution):
                _, width, channels = weights.output_shape
                return [width * channels, channels]
        return []

    def _count_out_axons(self, pieces: list[Piece]) -> dict[str, NDArray[np.int64]]:
        """Axons that each neuron drives: one for each projection and each core it reaches."""
        counts = self._zeros()
        if self._limits.out_axons_per_core is None and self._limits.dests_per_neuron is None:
            return counts
        for piece in pieces:
            for k in self._incoming[piece.population]:
                counts[self._network.projections[k].source][self.rows(k, piece).source] += 1
        return counts

    def _sets(self, table: Table, piece: Piece) -> frozenset[tuple[float, ...]]:
        """Distinct sets of a table's fields that a piece uses."""
        population = self._network.populations[piece.population]
        params = [population.params[key] for field in table.fields for key in (field, f"{field}_exp")
                  if key in population.params]  # fmt: skip
        sets = set()
        if params:
            sets |= _distinct(np.stack([values[piece.first : piece.stop] for values in params]))
        if len(params) < len(table.fields):
            sets |= {
                used for k in self._incoming[piece.population] for used in self._formats(table, k, piece)
            }
        return frozenset(sets)

    def _formats(self, table: Table, projection: int, piece: Piece) -> frozenset[tuple[float, ...]]:
        """Distinct sets of shared weight values that a projection uses in a piece."""
        p = self._network.projections[projection]
        fields = {"mode": np.array([self._mode_index(mode) for mode in p.modes]), **p.shared}
        values = np.stack([fields[field] for field in table.fields if field in fields])
        return frozenset(_distinct(values[:, _used_formats(p.formats, p.weights, piece)]))

    def _mode_index(self, name: str) -> int:
        return [mode.name for mode in self._network.profile.weights.mode].index(name)

    def check_fans(self, name: str) -> None:
        """Refuse what no split can help: too many synapses onto or of one neuron of a population."""
        limits = self._limits
        self._check_fan(name, self.fan_in[name], limits.fan_in, "fan_in", "synapses onto")
        self._check_fan(name, self.fan_out[name], limits.fan_out, "fan_out", "synapses of")

    @cached_property
    def fan_in(self) -> dict[str, NDArray[np.int64]]:
        """Synapses onto each neuron of each population."""
        into = self._zeros()
        for projection, synapses in zip(self._network.projections, self._synapses, strict=True):
            into[projection.target] += synapses.fan_in()
        return into

    @cached_property
    def fan_out(self) -> dict[str, NDArray[np.int64]]:
        """Synapses of each neuron or line of each population."""
        out_of = self._zeros()
        for projection, synapses in zip(self._network.projections, self._synapses, strict=True):
            out_of[projection.source] += synapses.fan_out()
        return out_of

    def _zeros(self) -> dict[str, NDArray[np.int64]]:
        return {p.name: np.zeros(p.size, dtype=np.int64) for p in self._network.populations.values()}

    def _check_dests(self) -> None:
        """Axons that one neuron drives; lines of the input may drive any number."""
        for population in self._network.populations.values():
            if not population.is_input:
                found = self._out_axons[population.name]
                limit = self._limits.dests_per_neuron
                self._check_fan(population.name, found, limit, "dests_per_neuron", "axons of")

    def _check_fan(self, name: str, found: NDArray[np.int64], limit: int | None, key: str, what: str) -> None:
        if limit is not None and found.max() > limit:
            neuron = int(found.argmax())
            raise PlacementError(
                f"population {name}", f"too many {what} neuron {neuron} (limits.{key})",
                value=int(found[neuron]), limit=limit, remedy=_FAN_REMEDIES[what.split()[0]],
            ).of_limit(f"limits.{key}")  # fmt: skip


_FAN_REMEDIES = {
    "synapses": "prune synapses, or make the layers smaller",
    "axons": "let its targets fit one core and one projection, or copy the neuron once for each",
}


def _used_formats(formats: NDArray, weights: object, piece: Piece) -> NDArray:
    """Formats of the target neurons of a piece; of its output channels for a convolution."""
    columns = np.arange(piece.first, piece.stop)
    if isinstance(weights, Convolution):
        columns = np.unique(columns % weights.codes.shape[3])
    used = formats if formats.shape[-1] == 1 else formats[..., columns]
    return np.unique(used)


def _distinct(values: NDArray) -> set[tuple[float, ...]]:
    """Distinct columns."""
    return {tuple(column) for column in np.unique(values, axis=1).T.tolist()}


def _last_fit(fits: Callable[[int], bool], low: int, high: int, guess: int) -> int:
    """The largest number up to `high` that fits, or `low`; what is smaller than one that fits does, too.

    Starts at the guess and doubles its steps away from it, so that a good guess costs few tries.
    """
    step = 1
    middle = min(max(guess, low + 1), high)
    while low < high:
        if fits(middle):
            low, middle = middle, middle + step
        else:
            high, middle = middle - 1, middle - step
        step *= 2
        if not low < middle <= high:
            middle = (low + high + 1) // 2
    return low


def _remedy(reason: Excess) -> str:
    if "axons" in reason.limit_name:
        return "prune its sources, or give the layer before it a smaller size"
    if "shared_table" in reason.limit_name:
        return "let its synapses share their values"
    return "prune its synapses, or give the layer before it a smaller size"
