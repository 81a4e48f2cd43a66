"""Write the arrays of a program: cores, axons, templates, codes, parameters."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import PlacementError
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.partition import Piece
from spikeloom.placement.rows import Rows, Synapses, starts
from spikeloom.program.program import ProgramArrays

MAX_FORMATS = 256  # a code's format is one byte


@dataclass(frozen=True)
class Block:
    """The rows of one projection into one piece, and where they stand in the program."""

    rows: Rows
    projection: int
    core: int
    base: int  # global number of the piece's first neuron
    first_code: int


def numbering(network: SpikingNetwork, cores: list[list[Piece]]) -> tuple[dict[str, int], dict[str, NDArray]]:
    """First line of each input, and the global number of each neuron of each population."""
    inputs = [p for p in network.populations.values() if p.is_input]
    lines = dict(
        zip((p.name for p in inputs), starts(np.array([p.size for p in inputs])).tolist(), strict=False)
    )
    neurons = {
        p.name: np.zeros(p.size, dtype=np.int32) for p in network.populations.values() if not p.is_input
    }
    number = 0
    for piece in (piece for core in cores for piece in core):
        count = piece.stop - piece.first
        neurons[piece.population][piece.first : piece.stop] = np.arange(number, number + count)
        number += count
    for numbers in neurons.values():
        numbers.setflags(write=False)
    return lines, neurons


def build_arrays(
    network: SpikingNetwork, cores: list[list[Piece]], synapses: tuple[Synapses, ...]
) -> ProgramArrays:
    """All arrays of a program, read-only."""
    lines, neurons = numbering(network, cores)
    blocks = _blocks(network, cores, synapses, neurons)
    axons = _Axons(network, blocks, lines, neurons)
    mode, shared, code_format = _formats(network, synapses)
    is_float = network.profile.weights.formula == "float"
    arrays = ProgramArrays(
        core_neuron_start=_int32(starts([sum(p.stop - p.first for p in core) for core in cores])),
        core_axon_start=_int32(starts(np.bincount(axons.core, minlength=len(cores)))),
        axon_template=_int32(axons.template),
        axon_target=_int32(axons.target),
        axon_weight=axons.weight.astype(np.int64),
        **_templates(network, blocks),
        codes=_joined([s.codes for s in synapses], np.float64 if is_float else np.int32),
        code_format=code_format,
        format_mode=mode,
        **axons.fans(),
        format_shared=shared,
        params=_gathered(network, neurons, "params"),
        init=_gathered(network, neurons, "init"),
    )
    return _read_only(arrays)


def _blocks(
    network: SpikingNetwork,
    cores: list[list[Piece]],
    synapses: tuple[Synapses, ...],
    neurons: dict[str, NDArray],
) -> list[Block]:
    first_code = starts([stored.codes.size for stored in synapses])
    blocks = []
    for core, piece in ((core, piece) for core, pieces in enumerate(cores) for piece in pieces):
        base = int(neurons[piece.population][piece.first])
        for k, projection in enumerate(network.projections):
            if projection.target == piece.population:
                rows = synapses[k].rows(piece.first, piece.stop)
                blocks.append(Block(rows, k, core, base, int(first_code[k])))
    return blocks


class _Axons:
    """All axons in the order of the program: by core, by group as `delivery.order` says, by source.

    Within a group axons follow their sources, population by population, neuron by neuron; then projections.
    """

    def __init__(
        self,
        network: SpikingNetwork,
        blocks: list[Block],
        lines: dict[str, int],
        neurons: dict[str, NDArray],
    ) -> None:
        order = network.profile.delivery.order
        rank = {name: k for k, name in enumerate(network.populations)}
        keys: list[list[NDArray]] = [[], [], [], [], []]
        numbers, templates, targets, weights = [], [], [], []
        first_template = starts([b.rows.run_start.size - 1 for b in blocks])
        for block, template in zip(blocks, first_template, strict=False):
            rows, source = block.rows, network.populations[network.projections[block.projection].source]
            group = order.index("input" if source.is_input else "recurrent")
            fixed = (block.core, group, rank[source.name])
            for key, value in zip(keys, (*fixed, rows.source, block.projection), strict=True):
                key.append(np.broadcast_to(np.asarray(value), rows.source.shape))
            from_line = rows.source + lines.get(source.name, 0)
            numbers.append(from_line if source.is_input else neurons[source.name][rows.source])
            templates.append(rows.template + template)
            targets.append(rows.target + block.base)
            weights.append(rows.weight + block.first_code)
        core, group_of, *_ = columns = [_joined(key, np.int64) for key in keys]
        sorting = np.lexsort(columns[::-1])
        self._lines = sum(p.size for p in network.populations.values() if p.is_input)
        self._neurons = sum(map(len, neurons.values()))
        self.core, self._from_input = core[sorting], group_of[sorting] == order.index("input")
        self._source = _joined(numbers, np.int64)[sorting]
        self.template = _joined(templates, np.int64)[sorting]
        self.target = _joined(targets, np.int64)[sorting]
        self.weight = _joined(weights, np.int64)[sorting]

    def fans(self) -> dict[str, NDArray]:
        """The axons that each input line and each neuron drives."""
        found = {}
        for name, chosen, size in (
            ("input", self._from_input, self._lines),
            ("neuron", ~self._from_input, self._neurons),
        ):
            axon = np.flatnonzero(chosen)
            source = self._source[axon]
            found[f"{name}_fan_start"] = _int32(starts(np.bincount(source, minlength=size)))
            found[f"{name}_fan_axon"] = _int32(axon[np.argsort(source, kind="stable")])
        return found


def _templates(network: SpikingNetwork, blocks: list[Block]) -> dict[str, NDArray]:
    """Runs and index lists of all blocks, one after the other."""
    rows = [block.rows for block in blocks]
    runs = [r.run_target.size for r in rows]
    first_index = starts([r.index_target.size for r in rows])
    receptors = [network.projections[block.projection].receptor for block in blocks]
    counts = _joined([np.diff(r.run_start) for r in rows], np.int64)
    listed = [np.where(r.run_index < 0, -1, r.run_index + k) for r, k in zip(rows, first_index, strict=False)]
    return {
        "template_run_start": _int32(starts(counts)),
        "run_target": _joined([r.run_target for r in rows], np.int32),
        "run_length": _joined([r.run_length for r in rows], np.int32),
        "run_weight": _joined([r.run_weight for r in rows], np.int64),
        "run_delay": _joined([r.run_delay for r in rows], np.int32),
        "run_receptor": np.repeat(np.array(receptors, dtype=np.int32), np.array(runs, dtype=np.int64)),
        "run_index": _joined(listed, np.int64),
        "index_target": _joined([r.index_target for r in rows], np.int32),
    }


def _formats(network: SpikingNetwork, synapses: tuple[Synapses, ...]
             ) -> tuple[NDArray, dict[str, NDArray], NDArray]:  # fmt: skip
    """(mode, shared values) of each distinct format of the program, and the format of every code."""
    modes = [mode.name for mode in network.profile.weights.mode]
    names = [value.name for value in network.profile.weights.shared]
    tables, first = [], 0
    per_code = []
    for projection, stored in zip(network.projections, synapses, strict=True):
        count = max(len(projection.modes), 1)
        mode = [modes.index(name) for name in projection.modes] or [-1]
        tables.append(np.array([mode, *(projection.shared[name] for name in names)], dtype=np.int64))
        per_code.append(stored.formats + first)
        first += count
    table = np.concatenate(tables, axis=1) if tables else np.zeros((1 + len(names), 0), dtype=np.int64)
    distinct, index = np.unique(table, axis=1, return_inverse=True)
    if distinct.shape[1] > MAX_FORMATS:
        problem = "has too many different sets of shared weight values"
        raise PlacementError("network", problem, value=distinct.shape[1], limit=MAX_FORMATS,
                             remedy="let more synapses share them")  # fmt: skip
    code_format = index.reshape(-1)[_joined(per_code, np.int64)].astype(np.uint8)
    return _int32(distinct[0]), {name: _int32(distinct[k]) for k, name in enumerate(names, 1)}, code_format


def _gathered(network: SpikingNetwork, neurons: dict[str, NDArray], kind: str) -> dict[str, NDArray]:
    """Parameters or start values of all neurons, in global numbers."""
    total = sum(map(len, neurons.values()))
    gathered: dict[str, NDArray] = {}
    for name, numbers in neurons.items():
        for key, values in getattr(network.populations[name], kind).items():
            gathered.setdefault(key, np.zeros(total, dtype=values.dtype))[numbers] = values
    return gathered


def _joined(parts: list[NDArray], dtype: type) -> NDArray:
    joined: NDArray = np.concatenate([np.zeros(0, dtype=dtype), *parts]).astype(dtype)
    return joined


def _int32(values: NDArray) -> NDArray[np.int32]:
    return values.astype(np.int32)


def _read_only(arrays: ProgramArrays) -> ProgramArrays:
    for field in fields(arrays):
        value = getattr(arrays, field.name)
        for array in value.values() if isinstance(value, dict) else (value,):
            array.setflags(write=False)
    return arrays
