"""Programs built by hand, array by array, and what one sample of them does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from spikeloom.emulation.emulate import emulate
from spikeloom.profile.catalog import load_profile
from spikeloom.profile.schema import Profile
from spikeloom.program.program import ChipProgram, Placed, Port, ProgramArrays

OWN = Path(__file__).parent


def counter(**override: Any) -> Profile:
    """The plain counting neuron, with `__` for the dots of a key: counter(delivery__merge="or")."""
    changes = {key.replace("__", "."): value for key, value in override.items()}
    return load_profile(OWN / "counter.toml", override=changes or None)


@dataclass(frozen=True)
class Row:
    """One axon: who drives it, and its synapses (target, weight, delay, receptor).

    sources: input lines as "i0", "i1", neurons as "n0", "n1"
    """

    sources: str
    synapses: Sequence[tuple]


def built(
    profile: Profile,
    neurons: int,
    rows: Sequence[Row],
    *,
    lines: int = 1,
    ticks: int = 8,
    params: Mapping[str, Any] | None = None,
    init: Mapping[str, Any] | None = None,
    cores: Sequence[int] | None = None,
    depths: Mapping[str, tuple[Sequence[int], int]] | None = None,
    read: str = "spikes",
    format_shared: Mapping[str, Sequence[int]] | None = None,
) -> ChipProgram:
    """A program with one axon a row, in order; every synapse is a run of its own.

    cores: first neuron of each core; axons belong to the core of their first target. depths: population ->
    (neurons, depth); one population "all" of depth 0 where absent.
    """
    starts = [*(cores or [0]), neurons]
    core_of = [int(np.searchsorted(starts, row.synapses[0][0], side="right")) - 1 for row in rows]
    assert core_of == sorted(core_of), "rows stand core by core"
    full = [sorted(((*s, 0, 0)[:4] for s in row.synapses), key=lambda s: (s[2], s[3], s[0])) for row in rows]
    flat = [synapse for synapses in full for synapse in synapses]
    lengths = [len(synapses) for synapses in full]
    is_real = profile.weights.formula == "float"
    values = {
        "params": _params(profile, neurons, params or {}),
        "init": _spread(profile, neurons, init or {}),
    }
    arrays = ProgramArrays(
        core_neuron_start=_ints(starts),
        core_axon_start=_ints([0, *np.cumsum(np.bincount(core_of, minlength=len(starts) - 1))]),
        axon_template=_ints(range(len(rows))),
        axon_target=_ints([0] * len(rows)),
        axon_weight=np.zeros(len(rows), dtype=np.int64),
        template_run_start=_ints([0, *np.cumsum(lengths)]),
        run_target=_ints([s[0] for s in flat]),
        run_length=_ints([1] * len(flat)),
        run_weight=np.arange(len(flat), dtype=np.int64),
        run_delay=_ints([s[2] for s in flat]),
        run_receptor=_ints([s[3] for s in flat]),
        run_index=np.full(len(flat), -1, dtype=np.int64),
        index_target=_ints([]),
        codes=np.array([s[1] for s in flat], dtype=np.float64 if is_real else np.int32),
        code_format=np.zeros(len(flat), dtype=np.uint8),
        format_mode=_ints([len(profile.weights.mode) - 1]),
        **_fans("input", "i", rows, lines),
        **_fans("neuron", "n", rows, neurons),
        format_shared={name: _ints(v) for name, v in (format_shared or {}).items()},
        **values,
    )
    everyone = depths or {"all": (range(neurons), 0)}
    placed = tuple(Placed(name, _ints(who), depth) for name, (who, depth) in everyone.items())
    output = Port(
        "out",
        neurons,
        scale=np.ones(neurons),
        offset=np.zeros(neurons),
        neurons=_ints(range(neurons)),
        read=read,
    )
    inputs = (Port("in", lines, encoding="spikes"),) if lines else ()
    return ChipProgram(profile, ticks, inputs, (output,), placed, arrays)


def spikes_at(ticks: int, *rows: Mapping[int, int], samples: int = 1) -> np.ndarray:
    """(samples, ticks, lines) counts; one mapping tick -> n a line."""
    counts = np.zeros((samples, ticks, len(rows)), dtype=np.uint8)
    for line, row in enumerate(rows):
        for tick, n in row.items():
            counts[:, tick, line] = n
    return counts


def watched(program: ChipProgram, inputs: np.ndarray, *names: str) -> list[list]:
    """Registers ("v0") or spikes ("s1") of neurons of sample 0: one list of ticks a name."""
    elements = program.profile.element_names()
    wanted = [f"{placed.name}.{what}" for placed in program.populations for what in ("spikes", *elements)]
    recording = emulate(program, inputs, record=wanted)
    columns = {}
    for placed in program.populations:
        rows = recording.spikes[placed.name]
        rows = rows[rows[:, 0] == 0]
        counts = np.zeros((program.run_ticks, placed.neurons.size), dtype=int)
        np.add.at(counts, (rows[:, 1], rows[:, 2]), 1)
        for k, neuron in enumerate(placed.neurons):
            columns[f"s{neuron}"] = counts[:, k].tolist()
            for element in elements:
                probed = recording.registers[f"{placed.name}.{element}"]
                columns[f"{element}{neuron}"] = probed[0, :, k].tolist()
    return [columns[name] for name in names]


def _ints(values: Any) -> np.ndarray:
    return np.array(list(values), dtype=np.int32)


def _fans(name: str, letter: str, rows: Sequence[Row], size: int) -> dict[str, np.ndarray]:
    fans: list[list[int]] = [[] for _ in range(size)]
    for axon, row in enumerate(rows):
        for source in row.sources.split():
            if source[0] == letter:
                fans[int(source[1:])].append(axon)
    flat = [axon for fan in fans for axon in fan]
    return {
        f"{name}_fan_start": _ints([0, *np.cumsum([len(fan) for fan in fans])]),
        f"{name}_fan_axon": _ints(flat),
    }


def _params(profile: Profile, neurons: int, given: Mapping[str, Any]) -> dict[str, np.ndarray]:
    defaults: dict[str, Any] = {}
    for name, param in profile.params.items():
        defaults[name] = 1 if param.default is None else param.default
        if param.format == "mant_exp":
            defaults[f"{name}_exp"] = 0
    return _spread(profile, neurons, defaults | dict(given))


def _spread(profile: Profile, neurons: int, values: Mapping[str, Any]) -> dict[str, np.ndarray]:
    kind = np.float64 if profile.is_analog else np.int32
    return {name: np.broadcast_to(np.asarray(v, dtype=kind), neurons).copy() for name, v in values.items()}
