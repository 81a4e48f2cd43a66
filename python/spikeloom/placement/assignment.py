"""Give the pieces of a network to cores."""

from __future__ import annotations

from spikeloom.errors import PlacementError
from spikeloom.placement.demand import Demand, excess, tables_of
from spikeloom.placement.partition import Partition, Piece
from spikeloom.profile.schema import Profile


def assign(pieces: list[Piece], partition: Partition, profile: Profile) -> list[list[Piece]]:
    """The pieces of each core: one where the chip has enough cores, else a piece goes where it first fits.

    Raises PlacementError where the cores do not suffice.
    """
    limit = profile.limits.cores
    if limit is None or len(pieces) <= limit:
        return [[piece] for piece in pieces]
    cores = _packed(pieces, partition, profile)
    if len(cores) > limit:
        raise _too_many(pieces, len(cores), limit, partition)
    return cores


def _packed(pieces: list[Piece], partition: Partition, profile: Profile) -> list[list[Piece]]:
    tables = tables_of(profile)
    cores: list[list[Piece]] = []
    filled: list[Demand] = []
    for piece in pieces:
        demand = partition.demand(piece)
        for k, held in enumerate(filled):
            if excess(held + demand, profile.limits, tables) is None:
                cores[k].append(piece)
                filled[k] = held + demand
                break
        else:
            cores.append([piece])
            filled.append(demand)
    return cores


def _too_many(pieces: list[Piece], cores: int, limit: int, partition: Partition) -> PlacementError:
    """Names the population that takes the most pieces, and the limit that split it."""
    counts: dict[str, int] = {}
    for piece in pieces:
        counts[piece.population] = counts.get(piece.population, 0) + 1
    largest = max(counts, key=lambda name: counts[name])
    reason = partition.reasons.get(largest)
    why = f", for it has {reason.value} {reason.what} ({reason.limit_name} {reason.limit})" if reason else ""
    problem = f"the network needs too many cores, {largest} alone {counts[largest]}{why}"
    return PlacementError(f"population {largest}", problem, value=f"{cores} cores", limit=limit,
                          remedy=f"give {largest} a smaller size").of_limit("limits.cores")  # fmt: skip
