"""Synapse rows: what a spike of one source neuron reads, as templates of runs, for some target neurons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """The axons of one projection into the neurons [first, stop) of its target, ascending in source neuron.

    Axon k comes from neuron `source[k]` and reads template `template[k]`, whose targets start at neuron
    `first + target[k]` and whose codes start at `weight[k]` of the projection's codes. Template t has the
    runs [run_start[t], run_start[t + 1]), in the fields of `ProgramArrays`; runs of a template are sorted by
    delay and first target.
    """

    source: Index
    template: Index
    target: Index
    weight: Index
    run_start: Index
    run_target: Index
    run_length: Index
    run_weight: Index
    run_delay: Index
    run_index: Index  # -1 where contiguous
    index_target: Index


class Synapses(Protocol):
    """One projection's codes in the order in which the program stores them, and the rows that read them."""

    codes: NDArray
    formats: NDArray  # (codes,) format of each code, numbered by the projection

    def rows(self, first: int, stop: int) -> Rows:
        """Rows of the target neurons [first, stop); a source without a synapse there has no axon."""
        ...

    def fan_in(self) -> Index:
        """(target neurons,) synapses onto each; pooled sources count one by one."""
        ...

    def fan_out(self) -> Index:
        """(source neurons,) synapses of each."""
        ...


EMPTY: Index = np.zeros(0, dtype=np.int64)


def starts(counts: NDArray | list[int]) -> Index:
    """Where each group starts in a list of groups of these sizes, and where the last one ends."""
    return np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)))


class DenseSynapses:
    """A full matrix whose rows have one delay each: every row is one run."""

    def __init__(self, matrix: NDArray, delay: Index, formats: NDArray) -> None:
        self._shape = matrix.shape
        self.codes = matrix.ravel()
        self.formats = np.broadcast_to(formats, matrix.shape).ravel()
        self._delays, self._template = np.unique(
            np.broadcast_to(delay, matrix.shape[:1]), return_inverse=True
        )

    def rows(self, first: int, stop: int) -> Rows:
        sources, columns = self._shape
        n = self._delays.size
        return Rows(
            source=np.arange(sources),
            template=self._template,
            target=np.zeros(sources, dtype=np.int64),
            weight=np.arange(sources) * columns,
            run_start=np.arange(n + 1),
            run_target=np.zeros(n, dtype=np.int64),
            run_length=np.full(n, stop - first),
            run_weight=np.full(n, first),
            run_delay=self._delays,
            run_index=np.full(n, -1),
            index_target=EMPTY,
        )

    def fan_in(self) -> Index:
        return np.full(self._shape[1], self._shape[0])

    def fan_out(self) -> Index:
        return np.full(self._shape[0], self._shape[1])


class SparseSynapses:
    """Single synapses: a row is a template of its own, with one run of listed targets for each delay."""

    def __init__(
        self,
        row: Index,
        column: Index,
        codes: NDArray,
        delay: Index,
        formats: NDArray,
        shape: tuple[int, int],
    ) -> None:
        order = np.lexsort((column, delay, row))
        self._shape = shape
        self._row, self._column, self._delay = row[order], column[order], delay[order]
        self.codes, self.formats = codes[order], formats[order]
        self._by_column = np.argsort(self._column, kind="stable")
        self._column_start = starts(self.fan_in())

    def rows(self, first: int, stop: int) -> Rows:
        place = np.sort(self._by_column[self._column_start[first] : self._column_start[stop]])
        row, column, delay = self._row[place], self._column[place] - first, self._delay[place]
        run = np.flatnonzero(_changes(row) | _changes(delay))
        template = np.flatnonzero(_changes(row[run]))
        source = row[run[template]]
        weight = place[run[template]]
        runs = np.diff(np.append(template, run.size))
        return Rows(
            source=source,
            template=np.arange(source.size),
            target=np.zeros(source.size, dtype=np.int64),
            weight=weight,
            run_start=np.append(template, run.size),
            run_target=np.zeros(run.size, dtype=np.int64),
            run_length=np.diff(np.append(run, row.size)),
            run_weight=place[run] - np.repeat(weight, runs),
            run_delay=delay[run],
            run_index=run,
            index_target=column,
        )

    def fan_in(self) -> Index:
        return np.bincount(self._column, minlength=self._shape[1])

    def fan_out(self) -> Index:
        return np.bincount(self._row, minlength=self._shape[0])


def _changes(values: NDArray) -> NDArray[np.bool_]:
    """True where an element differs from the one before it, and at the first."""
    return np.append(np.ones(min(values.size, 1), dtype=bool), values[1:] != values[:-1])
