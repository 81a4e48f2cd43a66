"""One chip of many: what imperfections make of a program's parameters and weights."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.emulation import devices
from spikeloom.emulation.constants import effective_params
from spikeloom.errors import EmulationError
from spikeloom.profile.imperfections import (
    Dead,
    Jitter,
    Mismatch,
    Noise,
    OperationEffect,
    ReadNoise,
    is_idle,
)
from spikeloom.profile.schema import Profile
from spikeloom.program.program import ChipProgram

Array = NDArray[np.float64]
DEAD = "imperfection.dead"  # the name of the mask of neurons that make no spike


@dataclass(frozen=True)
class ChipChoice:
    """Which chip a program runs on: the seed of its frozen draws, its age, the effects that act on it."""

    seed: int = 0
    age_s: float = 0.0
    effects: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Instance:
    """A program's effective values on one chip.

    params: (neurons,) values before times become steps; synapses: one weight a synapse, absent where all are
    as programmed; read_std: of each at every read; dead: (neurons,) 1 where no spike is made; left_out: names
    of operations; jitter_s: (standard deviation, largest), absent where spikes arrive on time.
    """

    params: dict[str, Array]
    synapses: devices.Unrolled | None = None
    read_std: Array | None = None
    read_layer: int = 0
    dead: Array | None = None
    left_out: frozenset[str] = frozenset()
    jitter: tuple[Jitter, int] | None = field(default=None)


def chosen_chip(
    program: ChipProgram, chip_seed: int | None, age_s: float, effects: Collection[str] | None
) -> ChipChoice:
    """The chip that a run asks for: the program's own, else chip 0, with all imperfections of some size unless told.

    Raises EmulationError for an effect that the profile does not have, or a seed or age out of range.
    """
    names = [entry.name for entry in program.profile.imperfection]
    if isinstance(effects, str):
        raise EmulationError("effects", "must be a list of names", value=effects)
    for effect in effects or ():
        if effect not in names:
            known = ", ".join(names) or "none"
            raise EmulationError(f"effect {effect}", "is no imperfection of the profile", limit=known,
                                 remedy="leave effects out for all of them")  # fmt: skip
    seed = next((seed for seed in (chip_seed, program.chip_seed) if seed is not None), 0)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise EmulationError(
            "chip_seed", "must be an integer of 32 bits", value=repr(seed), limit="0 to 2^32 - 1"
        )
    if not (math.isfinite(age_s) and age_s >= 0):
        raise EmulationError("age_s", "must be finite and not negative", value=age_s)
    sized = [entry.name for entry in program.profile.imperfection if not is_idle(entry)]
    wanted = sized if effects is None else [name for name in names if name in effects]
    return ChipChoice(int(seed), float(age_s), tuple(wanted))


def instance_of(program: ChipProgram, chip: ChipChoice) -> Instance:
    """Apply the chip's effects in the order of the profile's list."""
    profile, arrays = program.profile, program.arrays
    acting = [(k, entry) for k, entry in enumerate(profile.imperfection) if entry.name in chip.effects]
    params = effective_params(profile, arrays.params)
    for number, entry in acting:
        if isinstance(entry, Mismatch) and entry.of != "weight":
            params[entry.of] = _spread(program, chip, number, entry, params[entry.of])
    for entry in profile.imperfection:
        if isinstance(entry, Noise) and entry.name not in chip.effects:
            params[entry.of] = np.zeros_like(params[entry.of])
    synapses, read = _synapses(program, chip, acting)
    jitter = next(((entry, k) for k, entry in acting if isinstance(entry, Jitter)), None)
    return Instance(params, synapses, *read, _dead(program, chip, acting), left_out(profile, chip), jitter)


def has_own_weights(program: ChipProgram, chip: ChipChoice) -> bool:
    """Whether synapses differ on this chip from what was written into them."""
    return any(
        devices.touches_weights(entry) for entry in program.profile.imperfection if entry.name in chip.effects
    )


def left_out(profile: Profile, chip: ChipChoice) -> frozenset[str]:
    """Operations of the effects that do not act."""
    return frozenset(
        name
        for entry in profile.imperfection
        if isinstance(entry, OperationEffect) and entry.name not in chip.effects
        for name in entry.operations
    )


def _spread(program: ChipProgram, chip: ChipChoice, number: int, entry: Mismatch, values: Array) -> Array:
    """A parameter with its mismatch, neuron by neuron or core by core."""
    starts = program.arrays.core_neuron_start
    parts = []
    for core, (first, last) in enumerate(zip(starts, starts[1:], strict=False)):
        n = int(last - first)
        z = devices.normals(chip.seed, "mismatch", number, core, 1 if entry.scope == "core" else n)
        parts.append(np.broadcast_to(z, n))
    return devices.mismatched(values, entry, np.concatenate(parts))


def _dead(program: ChipProgram, chip: ChipChoice, acting: Any) -> Array | None:
    """1 for every neuron that a `dead` entry silences."""
    entries = [(k, entry) for k, entry in acting if isinstance(entry, Dead)]
    if not entries:
        return None
    dead = np.zeros(program.n_neurons, dtype=bool)
    starts = program.arrays.core_neuron_start
    for number, entry in entries:
        for core, (first, last) in enumerate(zip(starts, starts[1:], strict=False)):
            words = devices.words(chip.seed, "dead", number, core, int(last - first))
            dead[first:last] |= words < entry.fraction * 2.0**32
    return dead.astype(np.float64)


def _synapses(program: ChipProgram, chip: ChipChoice, acting: Any) -> tuple[Any, tuple[Array | None, int]]:
    """Every synapse's weight on this chip, and how noisy its reads are; absent where nothing touches them."""
    touching = [(k, entry) for k, entry in acting if devices.touches_weights(entry)]
    if not touching:
        return None, (None, 0)
    unrolled = devices.unrolled(program)
    weights, std, layer = unrolled.weights, None, 0
    for number, entry in touching:
        if not isinstance(entry, ReadNoise):
            weights = devices.altered(unrolled, weights, entry, chip.seed, number, chip.age_s)
    for number, entry in touching:  # a read sees what all frozen effects have left
        if isinstance(entry, ReadNoise):
            std, layer = devices.read_std(weights, entry, chip.age_s), number
    return unrolled.with_weights(weights), (std, layer)


def real_table(profile: Profile, instance: Instance) -> Mapping[str, Any]:
    """What the core's table says of the temporal effects."""
    found: dict[str, Any] = {"read_layer": instance.read_layer}
    if instance.jitter is not None and profile.time.dt_s:
        entry, number = instance.jitter
        found["jitter_std"] = entry.std_s / profile.time.dt_s
        found["jitter_most"] = int(np.floor(entry.max_s / profile.time.dt_s + 0.5))
        found["jitter_layer"] = number
    return found
