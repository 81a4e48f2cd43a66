"""Synapses as devices: one weight each, and what mismatch, defects, programming, drift and reading do to it.

The formulas are those of `profile/imperfections.py`; exp and ln are the core's own, everything else is plain
arithmetic, so every machine makes the same chip.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ProgramError
from spikeloom.profile.imperfections import (
    STREAMS,
    Drift,
    Mismatch,
    ProgrammingError,
    ReadNoise,
    Stuck,
)
from spikeloom.profile.weights import effective_weights, weight_levels
from spikeloom.program.program import ChipProgram, ProgramArrays

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Unrolled:
    """One weight a synapse, by axon and then as stored; rows of a kernel no longer share theirs.

    weights: (synapses,); axon: of each; core_start: (cores + 1,) first synapse of each core; axon_weight,
    run_weight: as in ProgramArrays, for these weights.
    """

    weights: Array
    axon: NDArray[np.int64]  # number within its core
    core_start: NDArray[np.int64]
    axon_weight: NDArray[np.int64]
    run_weight: NDArray[np.int64]

    def with_weights(self, weights: Array) -> Unrolled:
        """The same synapses with other weights."""
        return replace(self, weights=weights)

    def arrays(self) -> dict[str, Any]:
        """The arrays of a program that take their place."""
        return {
            "codes": self.weights,
            "code_format": np.zeros(self.weights.size, dtype=np.uint8),
            "format_mode": np.array([-1], dtype=np.int32),
            "format_shared": {},
            "axon_weight": self.axon_weight,
            "run_weight": self.run_weight,
        }


def program_weights(program: ChipProgram) -> Array:
    """What each code of a program adds."""
    arrays, weights = program.arrays, program.profile.weights
    if weights.formula == "float":
        return np.asarray(arrays.codes)
    _check_codes(program)
    shared = {name: values[arrays.code_format] for name, values in arrays.format_shared.items()}
    return np.asarray(effective_weights(weights, arrays.codes, shared), dtype=np.float64)


def _check_codes(program: ChipProgram) -> None:
    """ProgramError for the first code that is none of its mode."""
    arrays, weights = program.arrays, program.profile.weights
    formats, modes = arrays.code_format, arrays.format_mode
    if (formats >= modes.size).any() or (modes < 0).any() or (modes >= len(weights.mode)).any():
        raise ProgramError("array code_format", "names a format or a mode that does not exist")
    levels = np.array([weight_levels(weights, mode.name) for mode in weights.mode])[modes[formats]]
    low, high, step = levels.reshape(-1, 3).T
    bad = (arrays.codes < low) | (arrays.codes > high) | (arrays.codes % step != 0)
    if bad.any():
        first = int(np.argmax(bad))
        raise ProgramError(f"array codes[{first}]", "is no code of its weight mode",
                           value=int(arrays.codes[first]), limit=f"{low[first]} to {high[first]}")  # fmt: skip


def unrolled(program: ChipProgram) -> Unrolled:
    """Every synapse of a program by itself."""
    arrays = program.arrays
    starts, lengths = arrays.template_run_start.astype(np.int64), arrays.run_length.astype(np.int64)
    before = np.cumsum(lengths) - lengths  # synapses of all runs before each
    in_template = np.concatenate([before, [lengths.sum()]])
    size = in_template[starts[1:]] - in_template[starts[:-1]]
    template_of_run = np.repeat(np.arange(len(size)), np.diff(starts))
    run_weight = before - in_template[starts[:-1]][template_of_run]
    per_axon = size[arrays.axon_template]
    axon_weight = np.cumsum(per_axon) - per_axon
    codes = np.concatenate([np.zeros(0, dtype=np.int64), *_codes(arrays)])
    per_core = np.concatenate([axon_weight, [per_axon.sum()]])
    axon = np.arange(per_axon.size)
    core = np.searchsorted(arrays.core_axon_start, axon, side="right") - 1
    local = axon - arrays.core_axon_start[core]
    weights = program_weights(program)[codes]
    core_start = per_core[arrays.core_axon_start]
    return Unrolled(weights, np.repeat(local, per_axon), core_start, axon_weight, run_weight)


def _codes(arrays: ProgramArrays) -> list[NDArray[np.int64]]:
    """For each axon the places of its synapses among the codes of the program."""
    offsets = []
    for first, last in zip(arrays.template_run_start, arrays.template_run_start[1:], strict=False):
        runs = [arrays.run_weight[r] + np.arange(arrays.run_length[r]) for r in range(first, last)]
        offsets.append(np.concatenate([np.zeros(0, dtype=np.int64), *runs]))
    pairs = zip(arrays.axon_template, arrays.axon_weight, strict=True)
    return [offsets[template] + base for template, base in pairs]


def words(seed: int, kind: str, number: int, core: int, count: int) -> NDArray[np.uint32]:
    """The random words of the indices 0 to count - 1 of a core."""
    from spikeloom import _core

    return _core.words((seed, STREAMS[kind]), (number, 0, core), count)


def normals(seed: int, kind: str, number: int, core: int, count: int) -> Array:
    """The normal numbers of the same."""
    from spikeloom import _core

    return _core.normal(words(seed, kind, number, core, count))


def mismatched(values: Array, entry: Mismatch, z: Array) -> Array:
    """Values with their spread."""
    from spikeloom import _core

    if entry.distribution == "lognormal":
        variance = float(_core.log(np.array([1.0 + (entry.cv or 0.0) * (entry.cv or 0.0)]))[0])
        return values * _core.exp(np.sqrt(variance) * z - variance / 2.0)
    spread = values * (1.0 + entry.cv * z) if entry.cv is not None else values + (entry.std or 0.0) * z
    if entry.distribution == "normal_cut0":
        spread = np.where(spread * values > 0.0, spread, 0.0)
    return np.asarray(spread)


def touches_weights(entry: Any) -> bool:
    """Whether an imperfection is one of synapses."""
    if isinstance(entry, Mismatch):
        return entry.of == "weight"
    return isinstance(entry, Stuck | ProgrammingError | Drift | ReadNoise)


def altered(synapses: Unrolled, weights: Array, entry: Any, seed: int, number: int, age_s: float) -> Array:
    """The weights after one frozen effect."""
    starts = synapses.core_start
    parts = []
    for core, (first, last) in enumerate(zip(starts, starts[1:], strict=False)):
        part, axon = weights[first:last], synapses.axon[first:last]
        parts.append(_altered_core(part, axon, entry, (seed, number, core), age_s))
    return np.concatenate([np.zeros(0), *parts])


def _altered_core(
    weights: Array, axon: NDArray[np.int64], entry: Any, draw: tuple[int, int, int], age_s: float
) -> Array:
    seed, number, core = draw
    if isinstance(entry, Stuck):
        hit = words(seed, "stuck", number, core, weights.size) < entry.fraction * 2.0**32
        return np.where(hit, entry.at, weights)
    if isinstance(entry, Mismatch):
        index = {"core": np.zeros_like(axon), "row": 2 * axon + (weights < 0.0)}
        place = index.get(entry.scope, np.arange(weights.size))
        z = normals(seed, "mismatch", number, core, int(place.max(initial=-1)) + 1)
        return mismatched(weights, entry, z[place])
    z = normals(seed, entry.kind, number, core, 2 * weights.size).reshape(-1, 2)
    change = _drifted if isinstance(entry, Drift) else _programmed
    both = [change(g, entry, z[:, k], age_s) for k, g in enumerate(pair_of(weights))]
    return both[0] - both[1]


def pair_of(weights: Array) -> tuple[Array, Array]:
    """The two conductances whose difference a weight is."""
    return np.maximum(weights, 0.0), np.maximum(-weights, 0.0)


def _programmed(g: Array, entry: ProgrammingError, z: Array, age_s: float) -> Array:
    x = g / entry.g_max
    std = np.zeros_like(g)
    for coefficient in reversed(entry.polynomial):
        std = coefficient + x * std
    return np.maximum(g + std * z, 0.0)


def _drifted(g: Array, entry: Drift, z: Array, age_s: float) -> Array:
    from spikeloom import _core

    log_x = _core.log(np.where(g > 0.0, g / entry.g_max, 1.0))
    mean = np.clip(entry.mean_log * log_x + entry.mean_at_1, entry.mean_min, entry.mean_max)
    spread = np.clip(entry.spread_log * log_x + entry.spread_at_1, entry.spread_min, entry.spread_max)
    log_time = float(_core.log(np.array([(entry.t0_s + age_s) / entry.t0_s]))[0])
    return np.asarray(g * _core.exp(-(mean + spread * z) * log_time))


def read_std(weights: Array, entry: ReadNoise, age_s: float) -> Array:
    """The standard deviation of each weight at one read."""
    from spikeloom import _core

    time = entry.t0_s + age_s
    log_time = float(_core.log(np.array([(time + entry.t_read_s) / (2.0 * entry.t_read_s)]))[0])
    squares = np.zeros_like(weights)
    for g in pair_of(weights):
        log_x = _core.log(np.where(g > 0.0, g / entry.g_max, 1.0))
        q = np.minimum(entry.q_at_1 * _core.exp(-(entry.power * log_x)), entry.q_max)
        std = q * g * np.sqrt(log_time)
        squares = squares + std * std
    return np.asarray(np.sqrt(squares))
