"""From a ChipProgram to the C++ core: the profile as a plain table, the arrays as they are."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from spikeloom.emulation.constants import in_steps, operation_table, step_constants
from spikeloom.emulation.devices import program_weights
from spikeloom.emulation.instance import DEAD, ChipChoice, Instance, has_own_weights, instance_of, real_table
from spikeloom.errors import ProgramError, names_chip
from spikeloom.profile.dotted import walk
from spikeloom.profile.schema import Param, Profile, WeightMode, Weights
from spikeloom.program.program import ChipProgram, ProgramArrays

if TYPE_CHECKING:
    from spikeloom import _core

IDEAL = ChipChoice()
MAPPINGS = ("format_shared", "params", "init")
# By the identity of read-only arrays that are alive.
_LOADED: dict[int, tuple[Profile, str | None, ChipChoice, _core.Program]] = {}
_WATCHED: dict[int, ref[ProgramArrays]] = {}


@names_chip
def core_program(program: ChipProgram, chip: ChipChoice = IDEAL) -> _core.Program:
    """The program as the core holds it on one chip; the last one is kept where arrays are read-only.

    Raises ProgramError or ProfileError, which names the array or the field that is wrong.
    """
    overridable = program.profile.bias.param if program.hosts else None
    known = _LOADED.get(id(program.arrays))
    if known is not None and known[0] is program.profile and known[1:3] == (overridable, chip):
        return known[3]
    loaded = _load(program, overridable, chip)
    _check_names(program, loaded)
    if _is_frozen(program.arrays):
        identity = id(program.arrays)
        _LOADED[identity] = (program.profile, overridable, chip, loaded)
        _WATCHED[identity] = ref(program.arrays, lambda _: _forget(identity))
    return loaded


def _load(program: ChipProgram, overridable: str | None, chip: ChipChoice) -> _core.Program:
    from spikeloom import _core

    table, arrays = profile_table(program.profile, overridable), array_table(program.arrays)
    if program.profile.is_analog:
        if has_own_weights(program, chip):
            _load(program, overridable, IDEAL)  # the one check of indices, before synapses are unrolled
        table, arrays = _on_chip(program, instance_of(program, chip), table, arrays)
    return _core.Program(table, arrays)


def _on_chip(
    program: ChipProgram, instance: Instance, table: dict[str, Any], arrays: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Everything as the real numbers that one chip computes with, and the constants of a step beside them."""
    profile, params = program.profile, instance.params
    values = in_steps(profile, params) | step_constants(profile, params, program.n_neurons)
    if instance.dead is not None:
        values[DEAD] = instance.dead
    if instance.synapses is not None:
        arrays = arrays | instance.synapses.arrays()
        if instance.read_std is not None:
            arrays["read_std"] = instance.read_std
    else:
        arrays = arrays | {"codes": program_weights(program)}
    table |= real_table(profile, instance)
    table["params"] = [_real(name) for name in values]
    table["operations"] = operation_table(profile, instance.left_out, DEAD if DEAD in values else None)
    table["weights"] = _weights(Weights(formula="float"))
    plain = {"format_mode": np.full(1, -1, dtype=np.int32), "format_shared": {},
             "code_format": np.zeros(len(arrays["codes"]), dtype=np.uint8)}  # fmt: skip
    return table, arrays | plain | {"params": values}


def _real(name: str) -> dict[str, Any]:
    return {"name": name, "format": "float", "min": None, "max": None, "shift": 0, "exp_max": 0}


def _check_names(program: ChipProgram, loaded: _core.Program) -> None:
    """Populations and ports must name neurons, lines and registers that exist."""
    for placed in program.populations:
        _check_neurons(f"population {placed.name}", placed.neurons, loaded.neurons)
        if placed.depth < 0:
            raise ProgramError(f"population {placed.name}", "has a negative depth", value=placed.depth)
    for port in program.inputs:
        halves = port.planes * (2 if port.signed else 1)
        if not 0 <= port.first <= loaded.inputs - port.size or port.size % halves:
            raise ProgramError(f"input {port.name}", "does not fit the program's lines", value=port.size,
                               limit=loaded.inputs)  # fmt: skip
    for port in program.outputs:
        _check_neurons(f"output {port.name}", port.neurons, loaded.neurons)
        if port.read not in ("spikes", *loaded.elements):
            raise ProgramError(f"output {port.name}", "reads no register", value=port.read)


def _check_neurons(subject: str, neurons: NDArray | None, size: int) -> None:
    if neurons is None or neurons.ndim != 1 or neurons.dtype.kind not in "iu":
        raise ProgramError(subject, "needs a list of neurons")
    if neurons.size and (neurons.min() < 0 or neurons.max() >= size):
        raise ProgramError(subject, "names a neuron that does not exist", limit=size - 1)


def _is_frozen(arrays: ProgramArrays) -> bool:
    values = array_table(arrays).values()
    flat = [array for value in values for array in (value.values() if isinstance(value, dict) else (value,))]
    return not any(array.flags.writeable for array in flat)


def _forget(identity: int) -> None:
    _LOADED.pop(identity, None)
    _WATCHED.pop(identity, None)


def program_hash(program: ChipProgram) -> str:
    """SHA-256 over everything that decides what a run does: the profile's behaviour and all arrays."""
    digest = hashlib.sha256(program.profile.hash.encode())
    for name, value in array_table(program.arrays).items():
        entries = value if isinstance(value, dict) else {"": value}
        for key, array in sorted(entries.items()):
            digest.update(f"{name}.{key} {array.dtype} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def array_table(arrays: ProgramArrays) -> dict[str, Any]:
    """Every array by its name; the mappings as dictionaries."""
    table = {field.name: getattr(arrays, field.name) for field in fields(arrays)}
    return {name: dict(value) if name in MAPPINGS else value for name, value in table.items()}


def profile_table(profile: Profile, overridable: str | None = None) -> dict[str, Any]:
    """What the core needs of a profile, in plain numbers and names."""
    delivery = profile.delivery
    return {
        "analog": profile.is_analog,
        "latency": profile.time.spike_latency_ticks,
        "delay_max": profile.time.delay_max,
        "steps": profile.time.steps_per_tick,
        "spread_input": profile.time.input_phase == "even",
        "merge_or": delivery.merge == "or",
        "spikes_max_input": delivery.spikes_max.input,
        "spikes_max_recurrent": delivery.spikes_max.recurrent,
        # In event mode there is one addition to a neuron in an event: both ways are the same.
        "accumulate_each": delivery.accumulate == "each" and profile.event is None,
        "recurrent_first": delivery.order[0] == "recurrent",
        "into": list(delivery.into),
        "event": _event(profile),
        "overridable": overridable,
        "registers": _registers(profile),
        "params": [_param(name, param) for name, param in profile.params.items()],
        "weights": _weights(profile.weights),
        "operations": [operation.model_dump(by_alias=True) for operation in profile.operation],
        "cycles": _cycles(profile),
    }


def _cycles(profile: Profile) -> dict[str, Any] | None:
    """The controller and every number that it may need, by its key; inner tables as "aer.input_gap"."""
    if profile.cycles is None:
        return None
    limits = {"neurons": profile.limits.neurons_per_core, "axons": profile.limits.in_axons_per_core}
    mesh = profile.noc.model_dump(exclude={"topology"}) if profile.noc is not None else {}
    stated = walk(profile.cycles.model_dump(exclude={"controller"}) | limits | mesh)
    numbers = {key: float(value) for key, value in stated if isinstance(value, int | float)}
    return {"controller": profile.cycles.controller, "numbers": numbers}


def _event(profile: Profile) -> dict[str, Any] | None:
    """The numbers of event mode."""
    event = profile.event
    if event is None:
        return None
    return {
        "receptors": list(event.receptors),
        "fifo_depth": event.fifo_depth,
        "max_events": event.max_events,
        "leak_every_ticks": event.leak_every_ticks,
        "visited": profile.limits.neurons_per_core if event.visits == "all" else 0,
    }


def _registers(profile: Profile) -> list[dict[str, Any]]:
    """One entry a register element, in the order of `profile.element_names()`."""
    table = []
    for element in profile.element_names():
        name = element.partition("[")[0]
        register = profile.regs[name]
        state = profile.state.get(name)
        table.append(
            {
                "name": element,
                "bits": register.bits,
                "signed": register.signed,
                "overflow": register.overflow,
                "clear_each_tick": register.clear == "tick",
                "free_start": state is not None and state.init == "free",
            }
        )
    return table


def _param(name: str, param: Param) -> dict[str, Any]:
    return {
        "name": name,
        "format": param.format,
        "min": param.min,
        "max": param.max,
        "shift": param.shift,
        "exp_max": param.exp_max,
    }


def _weights(weights: Weights) -> dict[str, Any]:
    return {
        "formula": "int" if weights.formula in ("row_sign", "palette") else weights.formula,
        "unit_shift": weights.unit_shift,
        "clip": weights.clip,
        "table": list(weights.table),
        "modes": [
            {"name": mode.name, "min": mode.min, "max": mode.max, "step": _step(weights, mode)}
            for mode in weights.mode
        ],
        "shared": [{"name": shared.name, "min": shared.min, "max": shared.max} for shared in weights.shared],
    }


def _step(weights: Weights, mode: WeightMode) -> int:
    """The codes of a mode are the multiples of this."""
    bits = weights.bits or 1
    return int(2 ** ((weights.mantissa_bits or bits) - bits + mode.sign_bit))
