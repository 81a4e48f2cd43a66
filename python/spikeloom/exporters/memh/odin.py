"""Memory images of tinyODIN and ODIN: 256 neurons, and for each source a row of 256 synapses of 4 bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ProgramError
from spikeloom.exporters.memh.bit_words import hex_lines, packed
from spikeloom.exporters.synapse_lists import drivers, expanded
from spikeloom.program.program import ChipProgram

SIZE = 256  # neurons, and rows of synapses
A_WORD = 8  # synapses


def tinyodin_files(program: ChipProgram) -> dict[str, str]:
    """Path -> text: `neurons.hex` (32 bits), `synapses.hex` (32 bits), the configuration, the addresses of inputs.

    A neuron that the program does not use is disabled.
    """
    words = packed([
        ("membrane potential", 0, 12, _states(program)),
        ("threshold", 12, 12, _params(program, "thr")),
        ("leak strength", 24, 7, _params(program, "leak")),
        ("neuron disable", 31, 1, _params(program, "disable", unused=1)),
    ])  # fmt: skip
    codes, _ = _matrix(program)
    return {
        "neurons.hex": hex_lines(words, 32),
        "synapses.hex": hex_lines(_synapse_words(codes & 15), 32),
        "registers.txt": f"SPI_MAX_NEUR {program.n_neurons - 1}\n",
        "inputs.txt": _addresses(program),
    }


def odin_files(program: ChipProgram) -> dict[str, str]:
    """Path -> text: `neurons.hex` (128 bits), `synapses.hex` (32 bits), `registers.txt`, the addresses of inputs.

    Every neuron is a leaky integrate-and-fire one, without calcium; a synapse that is there has its mapping bit.
    """
    ones = np.ones(SIZE, dtype=np.int64)
    words = packed([
        ("model select", 0, 1, ones),
        ("leak strength", 1, 7, _params(program, "leak")),
        ("leak enable", 8, 1, _params(program, "leak_enable")),
        ("threshold", 9, 8, _params(program, "thr")),
        ("membrane potential", 70, 8, _states(program)),
        ("neuron disable", 127, 1, _params(program, "disable", unused=1)),
    ])  # fmt: skip
    codes, present = _matrix(program)
    signs = sum(1 << int(row) for row in np.flatnonzero((codes < 0).any(axis=1)))
    return {
        "neurons.hex": hex_lines(words, 128),
        "synapses.hex": hex_lines(_synapse_words(np.abs(codes) | present << 3), 32),
        "registers.txt": f"SPI_SYN_SIGN {signs:064x}\n",
        "inputs.txt": _addresses(program),
    }


def _params(program: ChipProgram, name: str, unused: int = 0) -> NDArray[np.int64]:
    """(256,) codes of a parameter."""
    values = np.full(SIZE, unused, dtype=np.int64)
    values[: program.n_neurons] = program.arrays.params[name]
    return values


def _states(program: ChipProgram) -> NDArray[np.int64]:
    """(256,) potentials at the start of a sample."""
    values = np.zeros(SIZE, dtype=np.int64)
    values[: program.n_neurons] = program.arrays.init.get("v", 0)
    return values


def _rows(program: ChipProgram) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each axon the row it reads, -1 where its events need none; for each input line likewise.

    A neuron's row has its number; lines have those behind the neurons, in their order.
    """
    driver, is_line = drivers(program)
    receptors, event = program.arrays.run_receptor, program.profile.event
    assert event is not None
    kinds = np.array([event.receptors[receptors[run]] for run in _first_runs(program)])
    if (kinds == "synapse").any():
        raise ProgramError("single synapse events", "name a row of the memory that a program does not say",
                           remedy='use events of the kind "neuron"')  # fmt: skip
    lines = np.unique(driver[is_line & (kinds == "neuron")])
    of_line = np.full(program.n_inputs, -1, dtype=np.int64)
    of_line[lines] = program.n_neurons + np.arange(lines.size)
    rows = np.where(is_line, of_line[np.where(is_line, driver, 0)] if of_line.size else 0, driver)
    return np.where(kinds == "neuron", rows, -1), of_line


def _first_runs(program: ChipProgram) -> NDArray[np.int64]:
    """The first run of each axon's template."""
    found: NDArray[np.int64] = program.arrays.template_run_start[program.arrays.axon_template].astype(
        np.int64
    )
    return found


def _matrix(program: ChipProgram) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(256, 256) codes from row to neuron, and 1 where there is a synapse."""
    axon, target, place, _ = expanded(program)
    rows, _ = _rows(program)
    chosen = rows[axon] >= 0
    row, column = rows[axon[chosen]], target[chosen]
    codes, present = (np.zeros((SIZE, SIZE), dtype=np.int64) for _ in range(2))
    np.add.at(present, (row, column), 1)
    if present.max(initial=0) > 1:
        raise ProgramError("synapses", "lie twice between the same pair", value=int(present.max()), limit=1)
    codes[row, column] = program.arrays.codes[place[chosen]]
    return codes, present


def _synapse_words(nibbles: NDArray[np.int64]) -> list[int]:
    """Words at {row[7:0], column[7:3]}: the synapse of a column at the bits 4 column[2:0]."""
    of_word = nibbles.reshape(-1, A_WORD) << 4 * np.arange(A_WORD)
    words: list[int] = of_word.sum(axis=1).tolist()
    return words


def _addresses(program: ChipProgram) -> str:
    """For each line that has a row: input, channel, and the row that its events name."""
    _, of_line = _rows(program)
    lines = [
        f"{port.name} {k} {of_line[port.first + k]}\n"
        for port in program.inputs for k in range(port.size) if of_line[port.first + k] >= 0
    ]  # fmt: skip
    return "".join(lines)
