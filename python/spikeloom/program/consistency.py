"""Do the arrays of a program fit one another? Cheap checks; indices are checked where the program is run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ProgramError
from spikeloom.program.program import ChipProgram, Port, ProgramArrays

INT32_ARRAYS = (
    "core_neuron_start", "core_axon_start", "axon_template", "axon_target", "template_run_start", 
    "run_target", "run_length", "run_delay", "run_receptor", "index_target", "format_mode", "input_fan_start",
    "input_fan_axon", "neuron_fan_start", "neuron_fan_axon",
)  # fmt: skip
INT64_ARRAYS = ("axon_weight", "run_weight", "run_index")
CODE_ARRAYS = ("codes", "code_format")
MAPPINGS = ("format_shared", "params", "init")
ARRAYS = (*INT32_ARRAYS, *INT64_ARRAYS, *CODE_ARRAYS)


def array_types(program: ChipProgram) -> dict[str, np.dtype]:
    """The dtype that each plain array of a program has."""
    code = np.float64 if program.profile.weights.formula == "float" else np.int32
    types: dict[str, type] = dict.fromkeys(INT32_ARRAYS, np.int32) | dict.fromkeys(INT64_ARRAYS, np.int64)
    types |= {"codes": code, "code_format": np.uint8}
    return {name: np.dtype(dtype) for name, dtype in types.items()}


def check_program(program: ChipProgram) -> None:
    """Raise ProgramError, naming the array, where two parts of a program contradict one another."""
    arrays = program.arrays
    for name, dtype in array_types(program).items():
        array = getattr(arrays, name)
        if array.ndim != 1 or array.dtype != dtype:
            raise ProgramError(
                f"array {name}",
                "has the wrong type",
                value=f"{array.dtype} {array.shape}",
                limit=f"{dtype} (n,)",
            )
    if program.ticks < 1 or not program.populations or any(p.depth < 0 for p in program.populations):
        raise ProgramError("program", "needs ticks of at least 1, a population, and depths of at least 0")
    _check_starts(arrays)
    _check_lengths(program)
    _check_ports(program)


def _check_starts(arrays: ProgramArrays) -> None:
    """Start arrays begin at 0, never fall, and end where what they index ends."""
    ends = {
        "core_neuron_start": arrays.neuron_fan_start.size - 1,
        "core_axon_start": arrays.axon_template.size,
        "template_run_start": arrays.run_target.size,
        "input_fan_start": arrays.input_fan_axon.size,
        "neuron_fan_start": arrays.neuron_fan_axon.size,
    }
    for name, end in ends.items():
        start = getattr(arrays, name)
        if not start.size or start[0] != 0 or start[-1] != end or (np.diff(start) < 0).any():
            raise ProgramError(
                f"array {name}", "must rise from 0 to the length of what it indexes", limit=end
            )


def _check_lengths(program: ChipProgram) -> None:
    arrays = program.arrays
    formats = {f"format_shared {name}": values for name, values in arrays.format_shared.items()}
    state = {f"params {name}": v for name, v in arrays.params.items()} | {
        f"init {k}": v for k, v in arrays.init.items()
    }
    groups: list[tuple[Mapping[str, NDArray], int]] = [
        (_named(arrays, "core_axon_start"), arrays.core_neuron_start.size),
        (_named(arrays, "axon_target", "axon_weight"), arrays.axon_template.size),
        (
            _named(arrays, "run_length", "run_weight", "run_delay", "run_receptor", "run_index"),
            arrays.run_target.size,
        ),
        (_named(arrays, "code_format"), arrays.codes.size),
        (formats, arrays.format_mode.size),
        (state, program.n_neurons),
    ]
    for group, length in groups:
        for name, array in group.items():
            if array.shape != (length,):
                raise ProgramError(f"array {name}", "has the wrong length", value=array.shape, limit=length)


def _named(arrays: ProgramArrays, *names: str) -> dict[str, NDArray]:
    return {name: getattr(arrays, name) for name in names}


def _check_ports(program: ChipProgram) -> None:
    """Ports and populations are numbered without gaps and lie inside the program."""
    ends = np.cumsum([0, *(port.size for port in program.inputs)]).tolist()
    if [*(port.first for port in program.inputs), program.n_inputs] != ends:
        raise ProgramError("inputs", "do not follow one another over all input lines", limit=program.n_inputs)
    for port in (*program.inputs, *program.outputs):
        _check_port(port, program)
    placed = np.sort(np.concatenate([population.neurons for population in program.populations]))
    if not np.array_equal(placed, np.arange(program.n_neurons)):
        raise ProgramError("populations", "do not hold every neuron once", limit=program.n_neurons)
    sizes = {population.name: population.neurons.size for population in program.populations}
    for host in program.hosts:
        if host.bias.shape != (sizes.get(host.target, -1),) or host.weights.shape[1] != host.bias.size:
            raise ProgramError(f"host layer {host.target}", "does not match its target")


def _check_port(port: Port, program: ChipProgram) -> None:
    subject = f"port {port.name}"
    if port.encoding is None:
        arrays = (port.neurons, port.scale, port.offset)
        if any(array is None or array.shape != (port.size,) for array in arrays):
            raise ProgramError(subject, "needs neurons, scale and offset of its size", limit=port.size)
        if port.read not in program.profile.outputs.readable:
            raise ProgramError(subject, f"reads {port.read}, which the profile does not make readable")
        if not np.isin(port.neurons, np.arange(program.n_neurons)).all():  # type: ignore[arg-type]
            raise ProgramError(subject, "reads neurons that do not exist", limit=program.n_neurons)
    else:
        lines = port.planes * (2 if port.signed else 1)
        if lines < 1 or port.size < 1 or port.size % lines:
            raise ProgramError(
                subject, "has planes that do not divide its lines", value=lines, limit=port.size
            )
        channels = port.size // lines
        if port.scale is not None and port.scale.shape != (channels,):
            raise ProgramError(subject, "needs one scale a channel", value=port.scale.shape, limit=channels)
        if port.order is not None and not np.array_equal(np.sort(port.order), np.arange(channels)):
            raise ProgramError(subject, "has an order that does not name every channel once", limit=channels)
