"""Memory images and input files: what the test bench reads at start, one folder a core."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ProgramError
from spikeloom.exporters.verilog.fields import (
    Field,
    accumulator_fields,
    parameter_columns,
    placed,
    state_fields,
    width,
)
from spikeloom.exporters.verilog.layout import CoreLayout, Layout
from spikeloom.exporters.verilog.parameters import effective_parameters
from spikeloom.exporters.verilog.sizes import Sizes, memory_shapes, widths
from spikeloom.program.program import ChipProgram


def image_files(
    program: ChipProgram, layout: Layout, sizes: Sizes, biases: Mapping[str, NDArray]
) -> dict[str, str]:
    """Path -> text of every image; places of the mesh without neurons get empty memories.

    Raises ProgramError where the program does not fit the sizes.
    """
    images = _Images(program, sizes, biases)
    found = {}
    for number in range(sizes.cores):
        core = layout.cores[number] if number < len(layout.cores) else CoreLayout(0, 0)
        for name, words in images.of_core(core, number):
            found[f"core{number}/{name}.hex"] = words
    return found


class _Images:
    """The images of one program."""

    def __init__(self, program: ChipProgram, sizes: Sizes, biases: Mapping[str, NDArray]) -> None:
        self.program, self.sizes = program, sizes
        self.widths = widths(program.profile, sizes)
        self.shapes = memory_shapes(self.widths, program.profile)
        self.params = effective_parameters(program)
        for population in program.populations:
            if population.name in biases:
                bias = self.params[str(program.profile.bias.param)]
                bias[population.neurons] = biases[population.name]

    def of_core(self, core: CoreLayout, number: int) -> Iterator[tuple[str, str]]:
        """(name, text) of the images of one core."""
        w, profile = self.widths, self.program.profile
        run = [w[f"{name}_BITS"] for name in ("RECEPTOR", "WORD", "LENGTH", "SYNAPSE")]
        route = (w["X_BITS"] + w["Y_BITS"], w["AXON_BITS"], w["SLOT_BITS"])
        tables: dict[str, Iterable[int]] = {
            "schedule": (),
            "axon": (joined(row, (w["RUN_BITS"], w["RUNS_BITS"])) for row in core.axon),
            "run": (joined(row, run) for row in core.run),
            "synapse": (self.synapse_word(word) for word in core.synapse),
            "head": (joined(row, (w["ROUTE_BITS"], w["FAN_BITS"])) for row in core.head),
            "route": (joined((self.place(to), axon, ahead), route) for to, axon, ahead in core.route),
            "state": self.neuron_words(core, state_fields(profile), self.program.arrays.init),
        }
        for name, words in tables.items():
            address, bits = self.shapes[name]
            yield name, self.text(f"core {number}", name, list(words), 2**address, bits)
        for stage, column in parameter_columns(profile).items():
            words = self.neuron_words(core, column, self.params)
            yield (
                f"param{stage}",
                self.text(f"core {number}", "param", words, 2 ** w["NEURON_BITS"], width(column)),
            )
        counts = (w["AXON_BITS"] + 1, w["NEURON_BITS"] + 1)
        self.check(f"core {number}", "neurons", core.neurons, self.sizes.neurons)
        self.check(f"core {number}", "axons", len(core.axon), self.sizes.axons)
        yield "settings", hexadecimal([joined((core.first_axons, core.neurons), counts)], sum(counts))
        yield from self.accumulators(core)

    def synapse_word(self, weights: tuple[int, ...]) -> int:
        """The weights of all lanes, the first in the lowest bits."""
        bits = self.widths["WEIGHT_BITS"]
        return joined([weight & ((1 << bits) - 1) for weight in reversed(weights)], [bits] * len(weights))

    def place(self, core: int) -> int:
        """The x and y of a core, as a packet carries them."""
        y, x = divmod(core, self.sizes.columns)
        return joined((x, y), (self.widths["X_BITS"], self.widths["Y_BITS"]))

    def accumulators(self, core: CoreLayout) -> Iterator[tuple[str, str]]:
        """The first values of each receptor's accumulators, lane by lane."""
        depth, lanes = 2 ** self.widths["WORD_BITS"], self.sizes.lanes
        for receptor, stored in enumerate(accumulator_fields(self.program.profile)):
            values = self.neuron_words(core, (stored,), self.program.arrays.init)
            for lane in range(lanes):
                words = values[lane::lanes]
                padded = words + [0] * (depth - len(words))
                yield f"accumulator{receptor}_{lane}", hexadecimal(padded, stored.bits)

    def neuron_words(
        self, core: CoreLayout, fields: Sequence[Field], values: Mapping[str, NDArray]
    ) -> list[int]:
        """A word for each neuron of a core; what has no value starts at 0."""
        words = [0] * core.neurons
        neurons = slice(core.first_neuron, core.first_neuron + core.neurons)
        for stored, first in placed(fields):
            if stored.name in values:
                for k, value in enumerate(values[stored.name][neurons].tolist()):
                    words[k] |= stored.encode(value) << first
        return words

    def text(self, core: str, name: str, words: list[int], depth: int, bits: int) -> str:
        """A whole memory, behind its last word zeros."""
        self.check(core, f"words of {name}", len(words), depth)
        return hexadecimal(words + [0] * (depth - len(words)), bits)

    def check(self, core: str, what: str, count: int, limit: int) -> None:
        """Refuse a program that is larger than the circuit."""
        if count > limit:
            raise ProgramError(core, f"has more {what} than the circuit", value=count, limit=limit,
                               remedy="export with larger sizes")  # fmt: skip


def joined(values: Sequence[int], bits: Sequence[int]) -> int:
    """Values in one word, the first in the highest bits.

    >>> joined((1, 2), (4, 8))
    258
    """
    word = 0
    for value, count in zip(values, bits, strict=True):
        assert 0 <= value < 1 << count, f"{value} has more than {count} bits"
        word = word << count | value
    return word


def hexadecimal(words: Sequence[int], bits: int) -> str:
    """The text that $readmemh reads."""
    digits = (bits + 3) // 4
    return "".join(f"{word:0{digits}x}\n" for word in words)


def input_files(layout: Layout, sizes: Sizes, spikes: NDArray) -> dict[str, str]:
    """Path -> text of the input of each core, from spike counts (ticks, input lines).

    One line for each axon with spikes in a tick, in this order: tick, axon, count. Where the axon has a delay,
    its spikes are handed over in the tick in which they are due.
    """
    counts: list[Counter[tuple[int, int]]] = [Counter() for _ in range(sizes.cores)]
    for tick, line in np.argwhere(spikes).tolist():
        for core, axon, delay in layout.input_targets[line]:
            counts[core][tick + delay, axon] += int(spikes[tick, line])
    return {
        f"core{core}/inputs.txt": "".join(
            f"{tick} {axon} {min(count, sizes.input_max)}\n" for (tick, axon), count in sorted(found.items())
        )
        for core, found in enumerate(counts)
    }
