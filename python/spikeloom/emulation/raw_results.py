"""The arrays that the core gives back, as a recording shows them: by population and by register."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import EmulationError
from spikeloom.program.program import Placed

INT32_MAX = 2**31 - 1


def joined(parts: list[dict[str, Any]], name: str) -> NDArray:
    """One array of all chunks of samples."""
    return one([part[name] for part in parts])


def one(arrays: list[NDArray]) -> NDArray:
    """All as one array; a single one as it is."""
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def int32(counts: NDArray) -> NDArray[np.int32]:
    """Spike counts; EmulationError where one does not fit."""
    if counts.size and counts.max() > INT32_MAX:
        raise EmulationError("spike counts", "do not fit 32 bits", value=int(counts.max()))
    return counts.astype(np.int32)


def by_register(names: list[str], counts: NDArray) -> dict[str, NDArray[np.int64]]:
    """One column a register: the elements of a vector count together. Rules that cannot act are left out."""
    columns = counts.astype(np.int64, copy=False).T
    return {
        rule: columns[of[0]] if len(of) == 1 else columns[list(of)].sum(axis=0)
        for rule, of in _columns_by_rule(tuple(names))
    }


@lru_cache
def _columns_by_rule(names: tuple[str, ...]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Each rule that can act with its columns."""
    rules: dict[str, tuple[int, ...]] = {}
    for column, name in enumerate(names):
        register, _, rule = name.rpartition(".")
        if rule in ("fits", "trap"):
            continue
        key = f"{register.partition('[')[0]}.{rule}"
        rules[key] = (*rules.get(key, ()), column)
    return tuple(rules.items())


def spikes_by_population(
    populations: Sequence[Placed], n_neurons: int, rows: NDArray[np.int32]
) -> dict[str, NDArray[np.int32]]:
    """Rows (sample, tick, neuron) of each population, neurons by their number in it, sorted."""
    found = {}
    for population in populations:
        local = np.full(n_neurons, -1, dtype=np.int32)
        local[population.neurons] = np.arange(population.neurons.size)
        numbers = local[rows[:, 2]]
        mine = rows[numbers >= 0]
        mine[:, 2] = numbers[numbers >= 0]
        found[population.name] = _in_order(mine)
    return found


def _in_order(rows: NDArray[np.int32]) -> NDArray[np.int32]:
    """Sorted rows: as the core lists them, unless its own numbers are in another order than the population's."""
    spans = rows.max(axis=0, initial=0).astype(np.int64) + 1
    places = rows @ np.array([spans[1] * spans[2], spans[2], 1])
    return rows if (places[1:] >= places[:-1]).all() else rows[np.argsort(places, kind="stable")]
