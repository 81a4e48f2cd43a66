"""What a range of neurons asks of the core that holds it, and the first limit that it breaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spikeloom.placement.rows import Index, Rows
from spikeloom.profile.schema import Limits, Memory, Profile

Sets = frozenset[tuple[float, ...]]


@dataclass(frozen=True)
class Demand:
    """What one core has to hold: neurons, axons, bits of each memory, distinct sets of each table."""

    neurons: int = 0
    in_axons: int = 0
    out_axons: int = 0
    memory: tuple[int, ...] = ()
    tables: tuple[Sets, ...] = ()

    def __add__(self, other: Demand) -> Demand:
        """The demand of both on one core."""
        return Demand(
            self.neurons + other.neurons,
            self.in_axons + other.in_axons,
            self.out_axons + other.out_axons,
            tuple(a + b for a, b in zip(self.memory, other.memory, strict=True)),
            tuple(a | b for a, b in zip(self.tables, other.tables, strict=True)),
        )


@dataclass(frozen=True)
class Excess:
    """A limit of the profile that a demand breaks."""

    limit_name: str  # dotted key
    what: str  # in words
    value: int
    limit: int


@dataclass(frozen=True)
class Table:
    """One core holds at most `max` sets of the fields, which are parameters or shared weight values."""

    name: str
    max: int
    fields: tuple[str, ...]


def tables_of(profile: Profile) -> tuple[Table, ...]:
    """The shared tables of a core; parameters of the scope `core` are a table of one set."""
    tables = [Table(table.name, table.max, table.fields) for table in profile.limits.shared_table]
    core = tuple(name for name, param in profile.params.items() if param.scope == "core")
    return (*tables, Table("core", 1, core)) if core else tuple(tables)


def excess(demand: Demand, limits: Limits, tables: Sequence[Table]) -> Excess | None:
    """The first limit that a demand breaks."""
    rows = [
        ("limits.neurons_per_core", "neurons", demand.neurons, limits.neurons_per_core),
        ("limits.in_axons_per_core", "incoming axons", demand.in_axons, limits.in_axons_per_core),
        ("limits.out_axons_per_core", "outgoing axons", demand.out_axons, limits.out_axons_per_core),
    ]
    rows += [(f"limits.memory.{memory.name}", f"bits of {memory.name} memory", bits, memory.bits)
             for memory, bits in zip(limits.memory, demand.memory, strict=True)]  # fmt: skip
    for table, sets in zip(tables, demand.tables, strict=True):
        what = f"sets of {', '.join(table.fields)}"
        rows.append((f"limits.shared_table.{table.name}", what, len(sets), table.max))
    for name, what, value, limit in rows:
        if limit is not None and value > limit:
            return Excess(name, what, value, limit)
    return None


def memory_bits(rows: Rows, memory: Memory, weight_bits: int) -> int:
    """Bits of one core's memory that the rows take.

    A row is stored once, however many axons read it: rows differ in template or in where their codes start.
    It is cut into blocks of at most `block_synapses`; a block is a header and, for each synapse, a target
    index, a weight and a delay, rounded up to `align_bits`. The index has the smallest width of
    `memory.index_bits` that reaches the row's last target from its base, the weight the smallest of
    `memory.weight_bits` that holds `weight_bits`, the delay as many bits as the row's longest one. Where no
    listed width is wide enough, the needed one is taken.
    """
    if not rows.source.size:
        return 0
    codes = int(rows.weight.max()) + 1
    stored = np.unique(rows.template * codes + rows.weight) // codes
    copies = np.bincount(stored, minlength=rows.run_start.size - 1)
    first_run = rows.run_start[:-1]
    synapses = np.add.reduceat(rows.run_length, first_run)
    reach = np.maximum.reduceat(_last_target(rows), first_run)
    delay = np.maximum.reduceat(rows.run_delay, first_run)
    bits = _width(_bit_length(reach), memory.index_bits) + _bit_length(delay)
    bits += _width(np.array([weight_bits]), memory.weight_bits)
    block = memory.block_synapses or int(synapses.max())
    full, rest = np.divmod(synapses, block)
    row = full * _aligned(memory, block * bits) + np.where(rest > 0, _aligned(memory, rest * bits), 0)
    return int((row * copies).sum())


def _aligned(memory: Memory, synapse_bits: Index) -> Index:
    """Bits of a block with its header, rounded up."""
    blocks: Index = -(-(synapse_bits + memory.block_header_bits) // memory.align_bits)
    return memory.align_bits * blocks


def _last_target(rows: Rows) -> Index:
    """Largest target offset of each run."""
    last = rows.run_length - 1
    if not rows.index_target.size:
        return rows.run_target + last
    listed = rows.index_target[np.maximum(rows.run_index, 0) + np.where(rows.run_index < 0, 0, last)]
    offset: Index = np.where(rows.run_index < 0, last, listed)
    return rows.run_target + offset


def _bit_length(values: Index) -> Index:
    """Bits of each number, 0 for 0."""
    bits: Index = np.frexp(values.astype(np.float64))[1].astype(np.int64)  # exact below 2^53
    return bits


def _width(needed: Index, widths: Sequence[int]) -> Index:
    """The smallest listed width that is wide enough; the needed one where none is."""
    listed = np.array(sorted(widths), dtype=np.int64)
    place = np.searchsorted(listed, needed)
    width: Index = np.where(place < listed.size, np.append(listed, 0)[place], needed)
    return width
