"""Memory images of RANC: for each core one word a neuron, and the types of its axons."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ProgramError
from spikeloom.exporters.memh.bit_words import Field, binary_lines, packed
from spikeloom.exporters.synapse_lists import expanded
from spikeloom.program.program import ChipProgram

AXONS, NEURONS = 256, 256
NUMBER, HOP, AXON, TICK = 9, 9, 8, 4  # bits of a potential, weight or threshold; of an address's parts
# Behind the connections, from the top bit down: the fields of a word, each with its bits.
FIELDS = (
    *((name, NUMBER) for name in ("potential", "reset", "w0", "w1", "w2", "w3", "leak", "positive", "negative")),
    ("dx", HOP), ("dy", HOP), ("axon", AXON), ("tick", TICK),
)  # fmt: skip
WORD = AXONS + sum(bits for _, bits in FIELDS)


def ranc_files(program: ChipProgram) -> dict[str, str]:
    """Path -> text: of each core `csram.mem` (binary words) and `types.mem`; the inputs' axons, the reset mode.

    A core's place on the mesh is its number, row by row. A neuron that drives no axon, and one that the program
    does not use, sends to an axon of its own core that nothing reads.
    """
    columns, texts = _columns(program), {}
    connections = _connections(program)
    for core in range(program.n_cores):
        first, end = program.arrays.core_neuron_start[core : core + 2].tolist()
        own = {name: _on_core(values[first:end], name) for name, values in columns.items()}
        own["axon"][end - first :] = _unread_axon(program, core)
        texts[f"core{core}/csram.mem"] = binary_lines(_words(own, connections[first:end]), WORD)
        texts[f"core{core}/types.mem"] = binary_lines(_types(program, core), 2)
    return texts | {"inputs.txt": _addresses(program), "registers.txt": f"RESET_MODE {_mode(program)}\n"}


def _on_core(values: NDArray, name: str) -> NDArray[np.int64]:
    """(256,): unused neurons have the highest threshold and nothing else."""
    full = np.full(NEURONS, (1 << (NUMBER - 1)) - 1 if name == "positive" else 0, dtype=np.int64)
    full[: len(values)] = values
    return full


def _words(own: dict[str, NDArray[np.int64]], connections: list[int]) -> list[int]:
    fields: list[Field] = []
    top = WORD - AXONS
    for name, bits in FIELDS:
        top -= bits
        fields.append((name, top, bits, own[name]))
    words = packed(fields)
    bits_of = connections + [0] * (NEURONS - len(connections))
    return [word | bits << (WORD - AXONS) for word, bits in zip(words, bits_of, strict=True)]


def _connections(program: ChipProgram) -> list[int]:
    """For each neuron the axons of its core that it reads, axon i as bit i."""
    axon, target, place, _ = expanded(program)
    found = [0] * program.n_neurons
    for one, neuron, code in zip(
        axon.tolist(), target.tolist(), program.arrays.codes[place].tolist(), strict=True
    ):
        if code:
            found[neuron] |= 1 << _local(program, one)
    return found


def _columns(program: ChipProgram) -> dict[str, NDArray[np.int64]]:
    """Every field of all neurons."""
    arrays = program.arrays
    numbers = {"reset": "reset", "leak": "leak", "positive": "positive", "negative": "negative",
               **{f"w{k}": f"w{k}" for k in range(4)}}  # fmt: skip
    columns = {name: arrays.params[param].astype(np.int64) for name, param in numbers.items()}
    columns["potential"] = np.zeros(program.n_neurons, dtype=np.int64) + arrays.init.get("v", 0)
    routes = np.array([_route(program, neuron) for neuron in range(program.n_neurons)]).reshape(-1, 4)
    return columns | dict(zip(("dx", "dy", "axon", "tick"), routes.T, strict=True))


def _route(program: ChipProgram, neuron: int) -> tuple[int, int, int, int]:
    """Hops to the core that a neuron drives, its axon there, and the offset of the tick."""
    arrays = program.arrays
    driven = arrays.neuron_fan_axon[arrays.neuron_fan_start[neuron] : arrays.neuron_fan_start[neuron + 1]]
    own = int(np.searchsorted(arrays.core_neuron_start, neuron, side="right")) - 1
    if not driven.size:
        return 0, 0, _unread_axon(program, own), 0
    axon = int(driven[0])
    core = int(np.searchsorted(arrays.core_axon_start, axon, side="right")) - 1
    (x, y), (to_x, to_y) = _place(program, own), _place(program, core)
    return to_x - x, to_y - y, _local(program, axon), _delay(program, axon)


def _place(program: ChipProgram, core: int) -> tuple[int, int]:
    noc = program.profile.noc
    width = 1 if noc is None or noc.width is None else noc.width
    return core % width, core // width


def _delay(program: ChipProgram, axon: int) -> int:
    arrays = program.arrays
    return int(arrays.run_delay[arrays.template_run_start[arrays.axon_template[axon]]])


def _local(program: ChipProgram, axon: int) -> int:
    starts = program.arrays.core_axon_start
    return axon - int(starts[np.searchsorted(starts, axon, side="right") - 1])


def _unread_axon(program: ChipProgram, core: int) -> int:
    first, end = program.arrays.core_axon_start[core : core + 2].tolist()
    if end - first >= AXONS:
        problem = "has no axon that nothing reads, for neurons that drive nothing"
        raise ProgramError(f"core {core}", problem,
                           value=end - first, limit=AXONS - 1, remedy="use fewer axons")  # fmt: skip
    return int(end - first)


def _types(program: ChipProgram, core: int) -> list[int]:
    """The type of each axon of a core; 0 for those that nothing reads."""
    arrays, types = program.arrays, [0] * AXONS
    first, end = arrays.core_axon_start[core : core + 2].tolist()
    for axon in range(first, end):
        run = arrays.template_run_start[arrays.axon_template[axon]]
        place = arrays.axon_weight[axon] + arrays.run_weight[run]
        types[axon - first] = int(arrays.format_shared["type"][arrays.code_format[place]])
    return types


def _addresses(program: ChipProgram) -> str:
    """For each axon that an input line drives: input, channel, core, axon, offset of the tick."""
    arrays, lines = program.arrays, []
    for port in program.inputs:
        for k in range(port.size):
            start, end = arrays.input_fan_start[port.first + k : port.first + k + 2]
            for axon in arrays.input_fan_axon[start:end].tolist():
                core = int(np.searchsorted(arrays.core_axon_start, axon, side="right")) - 1
                lines.append(f"{port.name} {k} {core} {_local(program, axon)} {_delay(program, axon)}\n")
    return "".join(lines)


def _mode(program: ChipProgram) -> int:
    """The reset mode, which is a parameter of the hardware and no field of a word."""
    modes = np.unique(program.arrays.params["mode"])
    if modes.size > 1:
        raise ProgramError("parameter mode", "differs between neurons, where RANC has one for all",
                           value=modes.tolist(), limit="one mode", remedy="give all the same")  # fmt: skip
    return int(modes[0])
